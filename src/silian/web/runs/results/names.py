"""What the ids of a run are called today, for one person: what they may not see keeps its bare id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import Q
from django.urls import reverse

from silian.web.catalog.fields import field_name, is_reference
from silian.web.catalog.models import MODELS, Record
from silian.web.catalog.rules import visible
from silian.web.catalog.wording import heading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from silian.web.base.actors import Actor


class Named(NamedTuple):
    """A record of a run as it stands today."""

    id: str
    name: str  # its id where it is not there for this person
    url: str  # empty where it is not there for this person
    state: str  # "", changed, withdrawn, expired, draft; gone: not there for this person
    record: Any = None  # the record, where the person may see it

    @property
    def is_stale(self) -> bool:
        """Whether it is no longer what the run has read."""
        return bool(self.state)


def named(
    actor: Actor, noun: str, ids: Iterable[str | None], since: datetime, *, beside: Iterable[str] = ()
) -> dict[str, Named]:
    """Names and states of records. Cost: one query, whatever their number.

    Parameters
    ----------
    since : when the run has read them: what has changed after is marked
    beside : what is read along with each record, as of `select_related`
    """
    wanted = sorted({one for one in ids if one})
    found: dict[str, Record] = {}
    if wanted:
        rows = visible(actor, MODELS[noun].objects.filter(pk__in=wanted)).select_related("place", *beside)
        found = {record.record_id: record for record in rows}
    return {one: _named(noun, one, found.get(one), since) for one in wanted}


def _named(noun: str, one: str, record: Record | None, since: datetime) -> Named:
    if record is None:
        return Named(one, one, "", "gone")
    state = "" if record.state == Record.State.PUBLISHED else record.state
    if not state and record.updated_at > since:
        state = "changed"
    return Named(one, heading(record), reverse("detail", args=[noun, one]), state, record)


def labels(noun: str, ids: Iterable[str | None]) -> Mapping[str, str]:
    """The names of districts or products, which everybody may know. Cost: one query."""
    wanted = sorted({one for one in ids if one})
    rows = MODELS[noun].objects.filter(Q(pk__in=wanted), state=Record.State.PUBLISHED) if wanted else []
    return {record.record_id: heading(record) for record in rows}


def org_of(noun: str) -> tuple[str, ...]:
    """What brings the organisation of a record along."""
    columns = [c for c in MODELS[noun].table.columns if c.name == "org_id" and is_reference(c)]
    return tuple(name for c in columns for name in (field_name(c), f"{field_name(c)}__place"))
