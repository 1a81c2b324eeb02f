"""Topics told a minute after a change, and all of them once a day."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.utils import timezone
from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from silian.web.catalog.topics.telling import tell_due

EVERY: Final = timedelta(minutes=1)


@task(priority=-10)  # what people wait for, as imports, goes first: to tell all topics takes minutes
def topics_task() -> None:
    """Tell what is due; ask for the next time first, so that a kill ends nothing."""
    keep_telling()
    tell_due()
    DBTaskResult.objects.filter(task_path=topics_task.module_path, status=TaskResultStatus.SUCCESSFUL).delete()


def keep_telling(*, at_once: bool = False) -> None:
    """Ask for the next time, unless it is asked for already; when the site starts, for now as well."""
    asked = DBTaskResult.objects.filter(task_path=topics_task.module_path, status=TaskResultStatus.READY)
    if at_once:
        topics_task.enqueue()
    elif not asked.exists():
        topics_task.using(run_after=timezone.now() + EVERY).enqueue()
