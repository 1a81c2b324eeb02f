"""Compute a run: started by the worker of runs, see `runs/executing.py`."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """One run, in a process of its own."""

    help = "Compute a run that the worker has begun; called by the worker."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which run, and the process of the worker that sees to it."""
        parser.add_argument("number", type=int)
        parser.add_argument("worker", type=int)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Compute."""
        from silian.web.runs.executing import compute, end_with

        end_with(options["worker"])
        with contextlib.suppress(OSError):
            os.nice(5)  # pages are answered first
        compute(options["number"])
