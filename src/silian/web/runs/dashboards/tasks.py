"""Figures in the background: renewed every day and after a run was adopted, frozen when a month is over."""

from __future__ import annotations

from django.conf import settings
from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from silian.errors import WebError
from silian.web.base.actors import VISITOR, actor_of
from silian.web.base.models import Place, User
from silian.web.runs.dashboards import freezing
from silian.web.runs.dashboards.rules import may_freeze


@task()
def renew_task() -> None:
    """Make the live figures anew."""
    freezing.renew()
    _forget()


@task()
def daily_figures() -> None:
    """Freeze the months that are over, then make the live figures anew."""
    freezing.catch_up(is_demo=settings.IS_DEMO)
    freezing.renew()
    _forget()


def _forget() -> None:
    """Take away the rows of such tasks that are done: there is one for each day and each adopted run."""
    paths = (renew_task.module_path, daily_figures.module_path)
    DBTaskResult.objects.filter(task_path__in=paths, status=TaskResultStatus.SUCCESSFUL).delete()


@task()
def freeze_task(month: str, place_id: str, user_id: int, reason: str, version: int) -> None:
    """Freeze a month as somebody asked who may still do so."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    place = Place.objects.filter(pk=place_id).first()
    actor = actor_of(user) if user else VISITOR
    if place is None or not may_freeze(actor, place.path):
        return
    try:
        freezing.freeze(month, place, asked=freezing.Asked(actor, reason, version))
    except WebError:  # the month has not begun: the form has said so already
        return
