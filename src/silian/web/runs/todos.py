"""What runs leave to be done: look after those that failed, decide about places where none holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db.models import CharField, Exists, ExpressionWrapper, F, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from silian.web.base.models import Place
from silian.web.base.notifications.todo import MOST, Todo
from silian.web.catalog.rules import STEWARDS
from silian.web.runs.models import Run
from silian.web.runs.queries import DECIDING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

    from silian.web.base.actors import Actor
    from silian.web.base.notifications.todo import Source


class Failed:
    """Places of which the last run failed."""

    code, is_grouped = "runs_failed", False

    def label(self) -> str:
        """What these are called."""
        return _("失败的运行")

    def concerns(self, actor: Actor) -> bool:
        """Who looks after a place."""
        return bool(actor.paths(STEWARDS))

    def url(self, actor: Actor) -> str:
        """The list of all runs."""
        del actor
        return reverse("runs")

    def count(self, actor: Actor) -> int:
        """How many; one query."""
        return self._failed(actor)[: MOST + 1].count()

    def items(self, actor: Actor) -> list[Todo]:
        """One line a run; one query."""
        return [Todo(f"{r.pk} · {r.name}", reverse("run", args=[r.pk]), r.ended_at) for r in self._failed(actor)[:MOST]]

    def _failed(self, actor: Actor) -> QuerySet[Run]:
        """Once a later run of the place was started, somebody has looked after it."""
        later = Run.objects.filter(place=OuterRef("place"), pk__gt=OuterRef("pk"))
        own = Run.objects.filter(place__in=_below(actor.paths(STEWARDS)), state=Run.State.FAILED)
        return own.exclude(Exists(later)).order_by("ended_at", "pk")


class Undecided:
    """Places whose runs are done, and none of which was adopted, there or above."""

    code, is_grouped = "runs_undecided", False

    def label(self) -> str:
        """What these are called."""
        return _("已完成、尚未采用的运行")

    def concerns(self, actor: Actor) -> bool:
        """Who decides which run holds."""
        return bool(actor.paths(DECIDING))

    def url(self, actor: Actor) -> str:
        """The list of all runs."""
        del actor
        return reverse("runs")

    def count(self, actor: Actor) -> int:
        """How many; one query."""
        return len(self._last(actor, MOST + 1))

    def items(self, actor: Actor) -> list[Todo]:
        """The newest run of each such place; one query."""
        found = sorted(self._last(actor, MOST), key=lambda run: (run.ended_at or run.made_at, run.pk))
        return [Todo(f"{r.pk} · {r.name}", reverse("run", args=[r.pk]), r.ended_at) for r in found]

    def _last(self, actor: Actor, most: int) -> list[Run]:
        later = Run.objects.filter(place=OuterRef("place"), pk__gt=OuterRef("pk"), state=Run.State.DONE)
        done = Run.objects.filter(place__in=_below(actor.paths(DECIDING)), state=Run.State.DONE).exclude(Exists(later))
        adopted = Run.objects.filter(state=Run.State.DONE, adopted_at__isnull=False)
        own = ExpressionWrapper(OuterRef("place__path"), CharField())
        held = adopted.annotate(own=own).filter(own__startswith=F("place__path"))
        return list(done.exclude(Exists(held)).order_by("-pk")[:most])


SOURCES: Final[tuple[Source, ...]] = (Failed(), Undecided())


def _below(paths: Iterable[str]) -> QuerySet[Place]:
    found = Q(pk__in=[])
    for path in paths:
        found |= Q(path__startswith=path)
    return Place.objects.filter(found)
