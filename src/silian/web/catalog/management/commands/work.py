"""Do what is asked for in the background: `python -m silian.web work`, one for each machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from silian.web.base.operation.beats import beating
from silian.web.catalog.tasks import take_up, worker_name

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Take up what this machine's worker left when it was killed, then work until told to end."""

    help = "Work in the background; what a killed worker left under way is taken up first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How long it works."""
        parser.add_argument("--batch", action="store_true", help="end when nothing is left to do")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Work."""
        name = worker_name()
        take_up(name)
        more = {"batch": options["batch"], "startup_delay": not options["batch"]}
        with beating(f"worker-{name}"):
            call_command("db_worker", queue_name="*", worker_id=name, interval=0.5, verbosity=0, **more)
