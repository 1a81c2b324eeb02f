"""Kept searches counted every ten minutes, and told of once a day."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.utils import timezone
from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from silian.web.catalog.search import saved

EVERY: Final = timedelta(minutes=10)


@task()
def searches_task() -> None:
    """Count and tell; ask for the next time first, so that a kill ends nothing."""
    keep_counting()
    saved.count_all()
    saved.tell_all(timezone.now())
    DBTaskResult.objects.filter(task_path=searches_task.module_path, status=TaskResultStatus.SUCCESSFUL).delete()


def keep_counting() -> None:
    """Ask for the next count, unless it is asked for already."""
    asked = DBTaskResult.objects.filter(task_path=searches_task.module_path, status=TaskResultStatus.READY)
    if not asked.exists():
        searches_task.using(run_after=timezone.now() + EVERY).enqueue()
