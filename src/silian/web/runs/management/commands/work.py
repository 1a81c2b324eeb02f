"""Do what is asked for in the background: `python -m silian.web work`, one for each queue of each machine."""

from __future__ import annotations

import logging
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand
from django_tasks import DEFAULT_TASK_BACKEND_ALIAS
from django_tasks.base import TaskResultStatus
from django_tasks_db.management.commands.db_worker import Worker

from silian.web.base.operation.beats import beating
from silian.web.catalog.tasks import take_up, take_up_broken_off, worker_name
from silian.web.runs.processes import ending, kept_ready
from silian.web.runs.tasks import QUEUE, take_up_runs

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from types import FrameType

    from django_tasks_db.models import DBTaskResult


class Command(BaseCommand):
    """Take up what this machine's worker left when it was killed, then work until told to end."""

    help = "Work in the background; what a killed worker left under way is taken up first."
    requires_system_checks = ()

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
        logging.getLogger("django_tasks").setLevel(logging.CRITICAL)  # the site tells of its tasks itself
        with ExitStack() as alive:
            for kind, others in (("worker", QUEUE), (QUEUE, "default")):
                if queue != others:
                    alive.enter_context(beating(f"{kind}-{name}"))
            if queue != "default" and not options["batch"]:
                alive.enter_context(kept_ready())
            worker = _Worker(
                queue_names=[queue], excluded_queue_names=[], worker_id=name, backend_name=DEFAULT_TASK_BACKEND_ALIAS,
                interval=0.5, batch=options["batch"], startup_delay=not options["batch"], max_tasks=None,
            )  # fmt: skip
            worker.configure_signals()
            worker.run()


class _Worker(Worker):
    """Told to end, it ends after its task, however often it is told: a service's manager and our own both tell it.

    The library's breaks the task off when it is told twice, and notes it as one that has failed. Who cannot wait kills
    the worker: what it had under way is taken up by the next.
    """

    def run_task(self, db_task_result: DBTaskResult[..., Any]) -> None:
        """Do it; where the database went away in the middle, it is done again."""
        super().run_task(db_task_result)
        if db_task_result.status == TaskResultStatus.FAILED:
            take_up_broken_off()

    def shutdown(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the library calls it
        ending.set()
        self.running = False
        if not self.running_task:
            sys.exit(0)
