"""What became of records: every change in words, put back where it may be."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db import transaction
from django.db.models import Count, Exists, Min, OuterRef, ProtectedError
from django.utils.translation import gettext

from silian.errors import WebError
from silian.tables import schema
from silian.web.catalog.beside.interests import opened
from silian.web.catalog.changing import Edit, change, undo
from silian.web.catalog.fields import is_reference
from silian.web.catalog.history.differences import Piece, differences
from silian.web.catalog.history.provenance import SOURCES
from silian.web.catalog.history.subjects import as_they_were, names_of, records_of
from silian.web.catalog.models import MODELS, Change, ChangeSet, Merge, Record
from silian.web.catalog.rules import STEWARDS, TIERS, may, may_bring_each, shown
from silian.web.catalog.templatetags.catalog import label
from silian.web.catalog.wording import measured

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from silian.tables.schema import Column
    from silian.web.base.actors import Actor

PAGE: Final = 20  # changes a page
MOST_UNDONE: Final = (
    500  # records of a set that a page puts back; larger ones are imports, which have pages of their own
)
LONG: Final = 40  # characters from which a text is compared piece by piece
NOTHING: Final[Mapping[tuple[str, str], Record]] = MappingProxyType({})


class Line(NamedTuple):
    """One column of a change."""

    label: str
    before: str
    after: str
    pieces: Sequence[Piece]  # of long texts; empty: before and after say it


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of one record, as somebody may see it."""

    change: Change
    record: Record  # as it is, or as it was last
    who: str
    what: str  # add, change, delete
    lines: Sequence[Line]
    is_alone: bool  # its set holds no other record


@dataclass(frozen=True, slots=True)
class Page:
    """Some changes, the newest first, and where the next page starts."""

    entries: Sequence[Entry]
    next: int | None
    records: Mapping[tuple[str, str], Record]  # noun and id → those that the changes tell of


@dataclass(frozen=True, slots=True)
class Done:
    """A set of changes in the list of what a person did."""

    changes: ChangeSet
    title: str
    count: int
    is_undone: bool


def subject(actor: Actor, noun: str, record_id: str) -> tuple[Record, bool] | None:
    """The record whose history is asked for, and whether it is still there; None where there is none for the person."""
    live = MODELS[noun].objects.select_related("place").filter(pk=record_id).first()
    if live is not None:
        return (live, True) if may(actor, "see", live) else None
    last = Change.objects.filter(noun=noun, record_id=record_id, after__isnull=True).order_by("-pk").first()
    if last is None or last.before is None:
        return None
    was = as_they_were({noun: {record_id: last.before}})[noun, record_id]
    return (was, False) if may(actor, "history", was) else None


def history_of(actor: Actor, record: Record, *, before: int | None = None) -> Page:
    """A page of the changes of a record. Cost: a fixed number of queries."""
    rows = _rows(Change.objects.filter(noun=record.noun, record_id=record.record_id), before)
    return _page(actor, rows, {(record.noun, record.record_id): record})


def rows_of(actor: Actor, changes: ChangeSet, *, before: int | None = None) -> Page:
    """A page of the records of a set of changes, as far as a person may see their histories.

    Cost: a fixed number of queries, whatever the records and their nouns.
    """
    rows = _rows(changes.rows.all(), before)
    there = records_of(rows)
    return _page(actor, rows, {key: record for key, record in there.items() if may(actor, "history", record)}, there)


def done_by(actor: Actor, *, before: int | None = None) -> tuple[list[Done], int | None]:
    """What a person changed, the newest first, and where the next page starts."""
    sets = ChangeSet.objects.filter(by_id=actor.user_id).select_related("undone_by", "brought_by")
    start = sets if before is None else sets.filter(pk__lt=before)
    those = list(start.order_by("-pk")[: PAGE + 1])
    rows = Change.objects.filter(changes__in=those[:PAGE]).values("changes")
    counted = {row["changes"]: (row["n"], row["first"]) for row in rows.annotate(n=Count("pk"), first=Min("pk"))}
    firsts = Change.objects.filter(pk__in=[first for _, first in counted.values()])
    there = records_of(firsts)
    named = {
        row.changes_id: str(there[row.noun, row.record_id])
        for row in firsts
        if may(actor, "see", there[row.noun, row.record_id])
    }
    made = [
        Done(s, named.get(s.pk, ""), counted.get(s.pk, (0, 0))[0], getattr(s, "undone_by", None) is not None)
        for s in those[:PAGE]
    ]
    return made, those[PAGE - 1].pk if len(those) > PAGE else None


def may_undo(actor: Actor, changes: ChangeSet, known: Mapping[tuple[str, str], Record] = NOTHING) -> bool:
    """Whether a person may put a set back: each record is theirs to edit and to bring back.

    Sets of more than MOST_UNDONE records are imports, which are put back on pages of their own.

    Parameters
    ----------
    known : records that the changes tell of and that were read before
    """
    if getattr(changes, "undone_by", None) is not None:
        return False
    merge: Merge | None = getattr(changes, "merge", None)
    if merge is not None:  # who may not merge may not part, whatever they own
        pair = {(merge.noun, merge.kept_id), (merge.noun, merge.gone_id)}
        lacking = changes.rows.filter(noun=merge.noun, record_id__in=[i for _, i in pair - set(known)])
        there = {**known, **(records_of(lacking) if pair - set(known) else {})}
        return all(may(actor, "merge", there[key]) for key in pair if key in there)
    rows = list(changes.rows.order_by("pk")[: MOST_UNDONE + 1])
    if not rows or len(rows) > MOST_UNDONE:
        return False
    unread = [row for row in rows if (row.noun, row.record_id) not in known]
    there = {**known, **records_of(unread)}
    if not all(may(actor, "edit", there[row.noun, row.record_id]) for row in rows):
        return False
    back = {noun: list(values.values()) for noun, values in _before(rows).items()}
    return all(all(allowed) for allowed in may_bring_each(actor, back).values())


@transaction.atomic
def undo_set(actor: Actor, changes: ChangeSet) -> ChangeSet:
    """Put the records of a set back as they were.

    Raises
    ------
    StaleError : if one has been changed since
    WebError : web.undone if it was put back before; web.restore if a record needs or is needed by one that is not there
    """
    held = ChangeSet.objects.select_for_update().get(pk=changes.pk)
    if ChangeSet.objects.filter(undoes=held).exists():
        raise WebError("web.undone")
    back = _before(held.rows.all())
    for noun, values in back.items():
        _refuse_missing(noun, list(values.values()), but=back)
    try:
        return undo(actor, held)
    except ProtectedError as error:
        raise WebError("web.restore", found=str(next(iter(error.protected_objects)))) from error


@transaction.atomic
def restore(actor: Actor, record: Record) -> ChangeSet:
    """Bring a deleted record back as it last was.

    Raises
    ------
    StaleError : if it is there again
    WebError : web.restore if what it refers to is not there
    """
    last = Change.objects.filter(noun=record.noun, record_id=record.record_id, after__isnull=True).order_by("-pk")[0]
    values = last.before or {}
    _refuse_missing(record.noun, [values], but={})
    return change(actor, record.noun, [Edit(record.record_id, values, 0)], note=gettext("恢复已删除的记录"))


def _rows(rows: Any, before: int | None) -> list[Change]:
    """The changes of a page, the newest first, and one more where there is another page."""
    others = Change.objects.filter(changes=OuterRef("changes")).exclude(pk=OuterRef("pk"))
    start = rows if before is None else rows.filter(pk__lt=before)
    asked = start.select_related("changes__by", "changes__undone_by").prefetch_related("changes__by__memberships")
    return list(asked.annotate(has_others=Exists(others)).order_by("-pk")[: PAGE + 1])


def _page(
    actor: Actor, those: list[Change], records: Mapping[tuple[str, str], Record],
    every: Mapping[tuple[str, str], Record] = NOTHING,
) -> Page:  # fmt: skip
    """The changes whose records are given; others are passed over."""
    mine = [(row, records[row.noun, row.record_id]) for row in those[:PAGE] if (row.noun, row.record_id) in records]
    names = _names(actor, [row for row, _ in mine])
    mutual = opened(actor, {row.noun for row, record in mine if len(shown(actor, record)) < len(record.table.columns)})
    entries = []
    for row, record in mine:
        who = _who(actor, row.changes, record)
        lines = _lines(actor, row, record, names, is_mutual=(row.noun, row.record_id) in mutual)
        has_others = row.has_others  # type: ignore[attr-defined]
        entries.append(Entry(row, record, who, _what(row), lines, not has_others))
    return Page(entries, those[PAGE - 1].pk if len(those) > PAGE else None, every)


def _what(row: Change) -> str:
    return "add" if row.before is None else "delete" if row.after is None else "change"


def _who(actor: Actor, changes: ChangeSet, record: Record) -> str:
    """Who made a change: a name for stewards and colleagues while the account is there, else the pseudonym."""
    user = changes.by
    if user is None or not user.name:
        return changes.pseudonym
    steward = any(actor.holds(role, over=record.place.path) for role in STEWARDS)
    colleague = any(m.org_id in actor.orgs for m in user.memberships.all())
    return user.name if steward or colleague or user.pk == actor.user_id else changes.pseudonym


def _lines(
    actor: Actor, row: Change, record: Record, names: Mapping[str, Mapping[str, str]], *, is_mutual: bool
) -> list[Line]:
    before, after = row.before or {}, row.after or {}
    seen = _seen(actor, record, before, after, is_mutual=is_mutual)
    made = []
    for column in record.table.columns:
        old, new = before.get(column.name), after.get(column.name)
        if column.name in seen and old != new:
            made.append(_line(column, old, new, names))
    return made + _carried(record, before, after, seen)


def _seen(actor: Actor, record: Record, *sides: Mapping[str, Any], is_mutual: bool) -> frozenset[str]:
    """The columns that a person may see now and might have seen before and after the change."""
    found = shown(actor, record, is_mutual=is_mutual)
    for side in sides:
        if side:
            then = copy.copy(record)
            then.tiers = side.get("tiers") or {}
            found &= shown(actor, then, is_mutual=is_mutual)
    return found


def _line(column: Column, old: Any, new: Any, names: Mapping[str, Mapping[str, str]]) -> Line:
    known = names.get(column.targets[0][0], {}) if is_reference(column) else {}
    before, after = (known.get(str(side)) or measured(side, column) for side in (old, new))
    is_text = column.type in ("text", "list") and before and after and max(len(before), len(after)) > LONG
    return Line(label(column), before, after, differences(before, after) if is_text else ())


def _carried(record: Record, before: Mapping[str, Any], after: Mapping[str, Any], seen: frozenset[str]) -> list[Line]:
    """What a record carries beside its columns: its state, day of confirmation, tiers, sources."""
    made = []
    states: dict[Any, Any] = dict(Record.State.choices)
    if before.get("state") != after.get("state") and before and after:
        was, now = (str(states.get(side.get("state"), "")) for side in (before, after))
        made.append(Line(gettext("状态"), was, now, ()))
    if before.get("confirmed_on") != after.get("confirmed_on"):
        made.append(Line(gettext("确认日期"), before.get("confirmed_on") or "", after.get("confirmed_on") or "", ()))
    for kept, title in (("tiers", gettext("公开范围")), ("sources", gettext("来源"))):
        old, new = before.get(kept) or {}, after.get(kept) or {}
        alike: dict[tuple[str, str], list[str]] = {}  # columns whose sources or tiers changed alike stand together
        for column in record.table.columns:
            a, b = old.get(column.name), new.get(column.name)
            if a != b and column.name in seen:
                alike.setdefault((_told(a), _told(b)), []).append(label(column))
        made += [Line(f"{title} · {gettext('、').join(names)}", *told, ()) for told, names in alike.items()]
    return made


def _told(found: Any) -> str:
    """A tier, or a source with its day, in words; who verified it is not told."""
    if isinstance(found, dict):
        source = str(SOURCES.get(found.get("source", ""), found.get("source") or ""))
        verified = f"{gettext('已核实')} {found['verified_on']}" if found.get("verified_on") else ""
        return " ".join(filter(None, (source, str(found.get("on") or ""), verified)))
    return dict(zip(TIERS, (gettext("公开"), gettext("双方有意后可见"), gettext("仅技术经理人可见")), strict=True)).get(
        found, ""
    )


def _names(actor: Actor, rows: Sequence[Change]) -> dict[str, dict[str, str]]:
    """Names of what the changes refer to, as far as a person may see it. Cost: one query."""
    asked: dict[str, set[str]] = {}
    for row in rows:
        for column in schema.tables()[row.noun].columns:
            if is_reference(column):
                found = {str(side[column.name]) for side in (row.before, row.after) if side and side.get(column.name)}
                asked.setdefault(column.targets[0][0], set()).update(found)
    return names_of(actor, asked)


def _before(rows: Iterable[Change]) -> dict[str, dict[str, Mapping[str, Any]]]:
    """What the records that changes altered or took away were: noun, id, plain values."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        if row.before is not None:
            found.setdefault(row.noun, {})[row.record_id] = row.before
    return found


def _refuse_missing(
    noun: str, rows: Sequence[Mapping[str, Any]], *, but: Mapping[str, Mapping[str, Mapping[str, Any]]]
) -> None:
    """Refuse to bring back what refers to records that are gone, but for those that come back with it."""
    for column in schema.tables()[noun].columns:
        if not is_reference(column):
            continue
        target = column.targets[0][0]
        ids = {row[column.name] for row in rows if row.get(column.name)} - set(but.get(target, ()))
        known = set(MODELS[target].objects.filter(pk__in=ids).values_list("pk", flat=True))
        if missing := sorted(ids - known):
            raise WebError("web.restore", found=missing[0])
