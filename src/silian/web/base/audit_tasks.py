"""The log sealed every minute and verified every day."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.urls import reverse
from django.utils import timezone
from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from silian.web.base import audit
from silian.web.base.models import ChainCheck, Place, Post
from silian.web.base.notifications import notify

EVERY: Final = timedelta(minutes=1)
CHECKED: Final = timedelta(days=1)


@task()
def seal_task() -> None:
    """Seal what waits; ask for the next time first, so that a kill ends nothing."""
    keep_sealing()
    audit.seal()
    last = ChainCheck.objects.order_by("-pk").first()
    if last is None or last.at < timezone.now() - CHECKED:
        check_task.enqueue()
    DBTaskResult.objects.filter(task_path=seal_task.module_path, status=TaskResultStatus.SUCCESSFUL).delete()


@task()
def check_task() -> None:
    """Walk the whole chain and keep what was found."""
    found = audit.check()
    if found.finding:
        watching = Post.objects.filter(role__in=(Post.Role.AUDITOR, Post.Role.ADMINISTRATOR), place=Place.root())
        people, number = list(watching.values_list("user_id", flat=True)), found.broken or found.number
        key = f"{found.finding}:{number}"
        notify("audit.broken", people, about=reverse("audit"), key=key, number=number, finding=found.finding)


def keep_sealing() -> None:
    """Ask for the next sealing, unless it is asked for already."""
    asked = DBTaskResult.objects.filter(task_path=seal_task.module_path, status=TaskResultStatus.READY)
    if not asked.exists():
        seal_task.using(run_after=timezone.now() + EVERY).enqueue()
