"""Letters sent and lists counted every minute; what is old goes once a day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone
from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from silian.web.base.models import Letter, Notification
from silian.web.base.notifications import letters, todo

EVERY: Final = timedelta(minutes=1)
KEPT: Final = timedelta(days=180)
BATCH: Final = 1000


@task()
def notifications_task() -> None:
    """Send what may go and count what waits; ask for the next time first, so that a kill ends nothing."""
    keep_notifying()
    now = timezone.now()
    letters.post(now)
    todo.recount_due(now)
    DBTaskResult.objects.filter(task_path=notifications_task.module_path, status=TaskResultStatus.SUCCESSFUL).delete()


def keep_notifying() -> None:
    """Ask for the next round, unless it is asked for already."""
    asked = DBTaskResult.objects.filter(task_path=notifications_task.module_path, status=TaskResultStatus.READY)
    if not asked.exists():
        notifications_task.using(run_after=timezone.now() + EVERY).enqueue()


def drop_old(now: datetime) -> int:
    """Take away notifications and letters that have lain here long enough; how many notifications."""
    count = 0
    while found := list(Notification.objects.filter(made_at__lt=now - KEPT).values_list("pk", flat=True)[:BATCH]):
        count += Notification.objects.filter(pk__in=found).delete()[0]
    Letter.objects.filter(made_at__lt=now - KEPT).exclude(state=Letter.State.WAITING).delete()
    return count
