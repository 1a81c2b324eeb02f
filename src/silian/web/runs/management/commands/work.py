"""Do what is asked for in the background: `python -m silian.web work`, one for each queue of each machine."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from silian.web.base.operation.beats import beating
from silian.web.catalog.tasks import take_up, worker_name
from silian.web.runs.processes import kept_ready
from silian.web.runs.tasks import QUEUE, take_up_runs

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Take up what this machine's worker left when it was killed, then work until told to end."""

    help = "Work in the background; what a killed worker left under way is taken up first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How long it works."""
        parser.add_argument("--batch", action="store_true", help="end when nothing is left to do")
        parser.add_argument("--queue", default="*", choices=("*", "default", QUEUE), help="what it works at; *: all")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Work."""
        queue = options["queue"]
        name = worker_name() if queue != QUEUE else f"{worker_name()}-{QUEUE}"
        if queue != QUEUE:
            take_up(name)
        if queue != "default":
            take_up_runs(name)
        more = {"batch": options["batch"], "startup_delay": not options["batch"]}
        with ExitStack() as alive:
            for kind, others in (("worker", QUEUE), (QUEUE, "default")):
                if queue != others:
                    alive.enter_context(beating(f"{kind}-{name}"))
            if queue != "default" and not options["batch"]:
                alive.enter_context(kept_ready())
            call_command("db_worker", queue_name=queue, worker_id=name, interval=0.5, verbosity=0, **more)
