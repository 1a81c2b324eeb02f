"""The life of a record: draft, published, expired, renewed, withdrawn.

Who keeps a record confirms every HALF_YEAR that it is still so; from DUE before that day it stands on the page of what
is to be confirmed. Needs, achievements and facilities that nobody confirms expire, and so do needs after their deadline
and achievements after their last day: they leave the lists and stay with their owner, who renews them with one click,
after a new day where the old one is past. What a steward has withdrawn, with a reason, a steward publishes again.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.db.models import Count, Q
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone
from django.utils.translation import gettext

from silian.web.base.actors import VISITOR, Actor
from silian.web.catalog import notifying
from silian.web.catalog.changing import Edit, change
from silian.web.catalog.models import MODELS, ChangeSet, Record
from silian.web.catalog.rules import PERSONAL, may

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

HALF_YEAR: Final = timedelta(days=183)
DUE: Final = timedelta(days=30)
# Nouns that expire, and the column with their last day.
LAST_DAYS: Final = {"needs": "deadline_on", "achievements": "valid_until_on", "facilities": ""}
CONFIRMED: Final = ("needs", "achievements", "facilities", "experts", "organisations", "funds")


def lacking(record: Record) -> list[str]:
    """The columns that a published record must have and this one has not."""
    needed = [c.name for c in record.table.columns if c.is_required]
    return [name for name in needed if getattr(record, name) in (None, "", [])]


def is_past(record: Record, today: date) -> bool:
    """Whether the last day of a record lies behind: it cannot be renewed before it has a new one."""
    column = LAST_DAYS.get(record.noun)
    last = getattr(record, column) if column else None
    return last is not None and last < today


def may_publish(actor: Actor, record: Record) -> bool:
    """Whether a person may publish a record: what a steward has withdrawn, a steward publishes again."""
    return may(actor, "publish", record) and (not record.reason or may(actor, "verify", record))


@transaction.atomic
def publish(actor: Actor, record: Record) -> list[str]:
    """Publish, or renew, a record that lacks nothing; what it lacks, and then nothing is done.

    Raises
    ------
    StaleError : if the record has changed since it was read
    """
    today = timezone.localdate()
    missing = lacking(record)
    if is_past(record, today):
        missing.append(LAST_DAYS[record.noun])
    if not missing:
        values = {"state": Record.State.PUBLISHED, "confirmed_on": today.isoformat(), "reason": ""}
        _change(actor, record.noun, [(record, values)], note=gettext("发布"))
    return missing


@transaction.atomic
def withdraw(actor: Actor, record: Record, reason: str) -> None:
    """Take a record out of the lists. The reason of a steward stays beside it, for its owner to read."""
    kept = reason if may(actor, "verify", record) else ""
    note = gettext("撤回：%(reason)s") % {"reason": reason} if reason else gettext("撤回")
    changes = _change(actor, record.noun, [(record, {"state": Record.State.WITHDRAWN, "reason": kept})], note=note)
    notifying.record_turned(actor, "records.withdrawn", record, key=str(changes.pk))


@transaction.atomic
def confirm(actor: Actor, noun: str, records: Iterable[Record]) -> int:
    """Say that records are still as they stand, and renew those that had expired; how many could be.

    One whose last day is past stays as it is: it needs a new day first.
    """
    today = timezone.localdate()
    edits: list[tuple[Record, dict[str, Any]]] = []
    for record in records:
        if is_past(record, today) or record.state not in (Record.State.PUBLISHED, Record.State.EXPIRED):
            continue
        if not lacking(record) and may(actor, "edit", record):
            edits.append((record, {"state": Record.State.PUBLISHED, "confirmed_on": today.isoformat()}))
    if edits:
        _change(actor, noun, edits, note=gettext("确认仍然有效"))
    return len(edits)


def waiting(actor: Actor, noun: str, today: date) -> QuerySet[Record]:
    """The records that a person keeps and should confirm: the half year is nearly over, or is over."""
    orgs = actor.led if noun in PERSONAL else actor.orgs
    own = Q(owner_id__in=sorted(orgs))
    if actor.expert_id and noun in PERSONAL:
        own |= Q(expert_id=actor.expert_id)
    published = Q(state=Record.State.PUBLISHED, said_on__lte=today - HALF_YEAR + DUE)
    found = _dated(noun).filter(own).filter(published | Q(state=Record.State.EXPIRED))
    return found.order_by("said_on", "pk")


def expire(today: date) -> int:
    """Let go what nobody has confirmed for half a year and what is past its last day; the number of records."""
    count = 0
    for noun, column in LAST_DAYS.items():
        over = Q(said_on__lt=today - HALF_YEAR)
        if column:
            over |= Q(**{f"{column}__lt": today})
        while True:
            with transaction.atomic():
                found = list(_dated(noun).filter(over, state=Record.State.PUBLISHED).order_by("pk")[:500])
                if not found:
                    break
                edits = [(record, {"state": Record.State.EXPIRED}) for record in found]
                _change(VISITOR, noun, edits, note=gettext("到期"))
                notifying.expired(noun, found, today)
                count += len(found)
    return count


def tell_due(today: date) -> int:
    """Tell those who keep records that soon expire for want of a confirmation, once a week; how many people."""
    counts: dict[tuple[str, bool], int] = {}
    for noun in CONFIRMED:
        soon = _dated(noun).filter(Q(said_on__lte=today - HALF_YEAR + DUE), state=Record.State.PUBLISHED)
        for org_id, count in soon.exclude(owner_id="").order_by().values_list("owner_id").annotate(Count("pk")):
            counts[org_id, noun in PERSONAL] = counts.get((org_id, noun in PERSONAL), 0) + count
    return notifying.due(counts, today)


def _dated(noun: str) -> QuerySet[Record]:
    """Records with the day on which their owner last said how they are."""
    said = Coalesce("confirmed_on", TruncDate("created_at"))
    return MODELS[noun].objects.select_related("place").annotate(said_on=said)


def _change(actor: Actor, noun: str, edits: list[tuple[Record, dict[str, Any]]], *, note: str) -> ChangeSet:
    return change(actor, noun, [Edit(r.record_id, values, r.version) for r, values in edits], note=note)
