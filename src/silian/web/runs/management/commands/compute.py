"""Compute a run: started by the worker of runs before there is one, see `runs/processes.py`."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand

from silian.web.runs.processes import wait_for_number

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """One run, in a process of its own."""

    help = "Compute the run whose number the worker tells on standard input; called by the worker."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The process of the worker that sees to it."""
        parser.add_argument("worker", type=int)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Get ready, wait for the number, compute."""
        with contextlib.suppress(OSError):
            os.nice(5)  # pages are answered first
        number = wait_for_number(options["worker"])
        from silian.web.runs.computing import compute

        compute(number)
