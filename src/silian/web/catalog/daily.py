"""What is done once a day: records expire, forms that nobody came back to go, and so do files kept long enough."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from django.utils import timezone
from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from silian.web.base.notifications.tasks import drop_old as drop_old_notifications
from silian.web.catalog.entry.drafts import drop_old
from silian.web.catalog.exchange.exports import sweep
from silian.web.catalog.exchange.keeping import drop_old_files
from silian.web.catalog.records.publishing import expire, tell_due
from silian.web.catalog.topics import due

if TYPE_CHECKING:
    from collections.abc import Callable

ALSO: Final[list[Callable[[], object]]] = []  # what other rooms ask for once a day: put here when they are ready
AT: Final = time(0, 10)  # shortly after the day has changed: what ended yesterday is gone in the morning


@task()
def daily_task() -> None:
    """Do the work of the day; ask for the next day first, so that a kill ends nothing."""
    keep_daily()
    expire(timezone.localdate())
    tell_due(timezone.localdate())
    drop_old_notifications(timezone.now())
    drop_old()
    drop_old_files(timezone.now())
    sweep()
    due.put_all()
    for ask in ALSO:
        ask()
    DBTaskResult.objects.filter(task_path=daily_task.module_path, status=TaskResultStatus.SUCCESSFUL).delete()


def keep_daily(*, at_once: bool = False) -> None:
    """Ask for the next day's work, unless it is asked for already; when the site starts, for that of today as well."""
    asked = DBTaskResult.objects.filter(task_path=daily_task.module_path, status=TaskResultStatus.READY)
    if at_once:
        daily_task.enqueue()
    elif not asked.exists():
        tomorrow = timezone.localdate() + timedelta(days=1)
        daily_task.using(run_after=timezone.make_aware(datetime.combine(tomorrow, AT))).enqueue()
