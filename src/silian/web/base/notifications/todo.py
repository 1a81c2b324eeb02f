"""What waits for a person, from every corner of the site: each app offers its part, and all pages ask here."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import numpy as np
from django.utils import timezone

from silian.web.base.actors import actor_of
from silian.web.base.models import Desk, User

if TYPE_CHECKING:
    from collections.abc import Iterable

    from silian.web.base.actors import Actor

MOST: Final = 100  # things of one source that are listed, and counted one by one
AGAIN: Final = timedelta(hours=1)  # after which a count that nothing has touched is made anew
PEOPLE: Final = 200  # counted anew in one go


class Todo(NamedTuple):
    """One thing that waits for a person."""

    name: str  # as the person may know it
    url: str
    since: datetime | None  # from when on it waits; None: nobody knows
    due: date | None = None
    things: int = 1  # that stand behind it


class Source(Protocol):
    """One kind of things that wait, offered by the app that keeps them."""

    code: str
    is_grouped: bool  # a line stands for many things

    def label(self) -> str:
        """What these things are called."""
        ...

    def concerns(self, actor: Actor) -> bool:
        """Whether such things can wait for a person at all; no query."""
        ...

    def url(self, actor: Actor) -> str:
        """The page that lists them; no query."""
        ...

    def count(self, actor: Actor) -> int:
        """How many there are, up to MOST + 1; a fixed number of queries."""
        ...

    def items(self, actor: Actor) -> list[Todo]:
        """They themselves, the oldest first, up to MOST; a fixed number of queries."""
        ...


class Counted(NamedTuple):
    """A source, and how many things of it wait."""

    source: Source
    number: int


_known: dict[str, Source] = {}


def register(sources: Iterable[Source]) -> None:
    """Add the sources of an app; it does so when it is ready."""
    _known.update({source.code: source for source in sources})


def counted(actor: Actor) -> list[Counted]:
    """How much of each kind waits for a person. Cost: one or two queries a kind that concerns them."""
    if actor.is_visitor:
        return []
    return [Counted(source, source.count(actor)) for source in _known.values() if source.concerns(actor)]


def items_of(actor: Actor, code: str = "") -> list[tuple[Source, Todo]]:
    """All that waits for a person, or one kind of it: what waits longest first, what nobody knows of at the end."""
    found = [
        (source, item)
        for source in _known.values()
        if source.concerns(actor) and code in ("", source.code)
        for item in source.items(actor)
    ]
    last = timezone.now() + timedelta(days=1)
    return sorted(found, key=lambda pair: (pair[1].since or last, pair[1].due or date.max, pair[1].name))


def due_after(since: datetime, days: int) -> date:
    """The day some working days, Monday to Friday, after an instant.

    Examples
    --------
    >>> from datetime import UTC
    >>> due_after(datetime(2026, 3, 6, 4, tzinfo=UTC), 3)  # a Friday
    datetime.date(2026, 3, 11)
    """
    day = timezone.localtime(since).date()
    found: date = np.busday_offset(np.datetime64(day), days, roll="backward").astype(object)
    return found


def recount(actor: Actor) -> int:
    """Keep how many lines the list of a person has who has signed in before, for the frame of every page."""
    number = sum(bool(n) if source.is_grouped else n for source, n in counted(actor))
    Desk.objects.filter(user_id=actor.user_id or 0).update(todo=number, todo_at=timezone.now())
    return number


def recount_due(now: datetime) -> int:
    """Count again for those whose list may have changed, or was counted long ago; for how many people."""
    old = Desk.objects.filter(user__is_active=True).exclude(todo_at__gte=now - AGAIN)
    people = User.objects.filter(pk__in=list(old.order_by("todo_at", "pk").values_list("user_id", flat=True)[:PEOPLE]))
    for user in people:
        recount(actor_of(user))
    return len(people)
