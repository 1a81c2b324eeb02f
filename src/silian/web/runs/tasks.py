"""Runs in the background, in a worker of their own: imports and letters do not wait for them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from django.conf import settings
from django_tasks import task
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from silian.web.base.operation.holding import deleting
from silian.web.runs import processes
from silian.web.runs.models import Run
from silian.web.runs.reading import KEPT

QUEUE: Final = "runs"


@task(queue_name=QUEUE)
def run_task(number: int) -> None:
    """Compute a run that waits, or one that a killed worker left under way."""
    from silian.web.runs.executing import execute  # which asks for tasks itself

    execute(number)
    processes.make_ready()


def take_up_runs(worker: str) -> int:
    """Ask again for what a killed worker left under way; how many runs.

    Parameters
    ----------
    worker : its name; called by the worker of that name before it begins
    """
    for found in DBTaskResult.objects.filter(status=TaskResultStatus.RUNNING, queue_name=QUEUE):
        if found.worker_ids[-1:] == [worker]:
            DBTaskResult.objects.filter(pk=found.pk).update(status=TaskResultStatus.READY)
    asked = {
        found.args_kwargs["args"][0]
        for found in DBTaskResult.objects.filter(
            status__in=(TaskResultStatus.READY, TaskResultStatus.RUNNING), task_path=run_task.module_path
        )
    }
    left = Run.objects.filter(state__in=(Run.State.WAITING, Run.State.RUNNING)).exclude(pk__in=asked)
    for number in left.values_list("pk", flat=True):  # such as after a restored copy of the database
        run_task.enqueue(number)
    return len(asked) + len(left)


def drop_old_runs() -> int:
    """Take away the folders of old runs, never while a backup takes them.

    Those adopted, under way, and the newest KEPT of each place stay.
    """
    kept: dict[str, int] = {}
    stay = set()
    for run in Run.objects.order_by("-pk").only("place_id", "state", "adopted_at"):
        kept[run.place_id] = kept.get(run.place_id, 0) + 1
        is_open = run.state in (Run.State.WAITING, Run.State.RUNNING)
        if run.adopted_at or is_open or kept[run.place_id] <= KEPT:
            stay.add(run.folder.name)
    gone = 0
    folder = Path(settings.RUNS_FOLDER)
    for each in folder.iterdir() if folder.is_dir() else ():
        if each.is_dir() and each.name.isdecimal() and each.name not in stay:
            with deleting():  # one by one: a backup waits for one folder, not for all
                shutil.rmtree(each, ignore_errors=True)
            gone += 1
    return gone
