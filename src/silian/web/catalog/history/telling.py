"""What became of records: every change in words, put back where it may be."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db import transaction
from django.db.models import Count, Exists, Min, OuterRef, ProtectedError
from django.utils.translation import gettext

from silian.errors import WebError
from silian.tables import schema
from silian.web.base.models import Place
from silian.web.catalog.beside.interests import opened
from silian.web.catalog.changing import Edit, change, undo
from silian.web.catalog.fields import is_reference
from silian.web.catalog.history.differences import Piece, differences
from silian.web.catalog.history.provenance import SOURCES
from silian.web.catalog.homes import homes
from silian.web.catalog.models import MODELS, Change, ChangeSet, Merge, Record
from silian.web.catalog.rules import STEWARDS, TIERS, may, may_bring, shown, visible
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
    was = as_records(noun, {record_id: last.before})[record_id]
    return (was, False) if may(actor, "history", was) else None


def history_of(actor: Actor, record: Record, *, before: int | None = None) -> Page:
    """A page of the changes of a record. Cost: a fixed number of queries."""
    rows = Change.objects.filter(noun=record.noun, record_id=record.record_id)
    return _page(actor, rows, {(record.noun, record.record_id): record}, before)


def rows_of(actor: Actor, changes: ChangeSet, *, before: int | None = None) -> Page:
    """A page of the records of a set of changes, as far as a person may see their histories.

    Cost: two queries for each noun on the page beside a fixed number.
    """
    rows = changes.rows.all()
    start = rows if before is None else rows.filter(pk__lt=before)
    there = records_of(start.order_by("-pk")[: PAGE + 1])
    allowed = {key: record for key, record in there.items() if may(actor, "history", record)}
    return _page(actor, rows, allowed, before)


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


def may_undo(actor: Actor, changes: ChangeSet) -> bool:
    """Whether a person may put a set back: each record is theirs to edit and to bring back.

    Sets of more than MOST_UNDONE records are imports, which are put back on pages of their own.
    """
    merge = Merge.objects.filter(changes=changes).first() if changes.kind == ChangeSet.Kind.MERGE else None
    if merge is not None:  # who may not merge may not part, whatever they own
        pair = changes.rows.filter(noun=merge.noun, record_id__in=(merge.kept_id, merge.gone_id))
        is_undone = getattr(changes, "undone_by", None) is not None
        return not is_undone and all(may(actor, "merge", record) for record in records_of(pair).values())
    rows = list(changes.rows.order_by("pk")[: MOST_UNDONE + 1])
    if not rows or len(rows) > MOST_UNDONE or getattr(changes, "undone_by", None) is not None:
        return False
    if not all(may(actor, "edit", record) for record in records_of(rows).values()):
        return False
    back = _before(rows).items()
    return all(all(may_bring(actor, noun, list(values.values()))) for noun, values in back)


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


def records_of(rows: Iterable[Change]) -> dict[tuple[str, str], Record]:
    """The records that some changes tell of: as they are, or as they last were where they are gone."""
    by_noun: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        by_noun.setdefault(row.noun, {}).setdefault(row.record_id, row.before or row.after or {})
    found: dict[tuple[str, str], Record] = {}
    for noun, wanted in by_noun.items():
        live = {r.record_id: r for r in MODELS[noun].objects.select_related("place").filter(pk__in=list(wanted))}
        gone = {i: values for i, values in wanted.items() if i not in live}
        found |= {(noun, i): r for i, r in (live | as_records(noun, gone)).items()}
    return found


def as_records(noun: str, values: Mapping[str, Mapping[str, Any]]) -> dict[str, Record]:
    """Records that are not in the registry, made from their plain values for the rules to judge."""
    if not values:
        return {}
    model = MODELS[noun]
    found = homes(noun, list(values.values()))
    places = Place.objects.in_bulk([home.place_id for home in found])
    made = {}
    for (record_id, row), home in zip(values.items(), found, strict=True):
        own = {c.name: row[c.name] for c in model.table.columns if row.get(c.name) is not None}
        carried = {"state": row.get("state") or Record.State.PUBLISHED, "tiers": row.get("tiers") or {}}
        whole = {"key": record_id} if len(model.table.key) > 1 else {}
        place = places.get(home.place_id) or Place.root()
        made[record_id] = model(**own, **carried, **whole, owner_id=home.owner_id, place=place)
    return made


def _page(actor: Actor, rows: Any, records: Mapping[tuple[str, str], Record], before: int | None) -> Page:
    """The changes whose records are given; others are passed over."""
    others = Change.objects.filter(changes=OuterRef("changes")).exclude(pk=OuterRef("pk"))
    start = rows if before is None else rows.filter(pk__lt=before)
    asked = start.select_related("changes__by", "changes__undone_by").prefetch_related("changes__by__memberships")
    those = list(asked.annotate(has_others=Exists(others)).order_by("-pk")[: PAGE + 1])
    mine = [(row, records[row.noun, row.record_id]) for row in those[:PAGE] if (row.noun, row.record_id) in records]
    names = _names(actor, [row for row, _ in mine])
    mutual = opened(actor, {row.noun for row, _ in mine})
    entries = []
    for row, record in mine:
        who = _who(actor, row.changes, record)
        lines = _lines(actor, row, record, names, is_mutual=(row.noun, row.record_id) in mutual)
        entries.append(Entry(row, record, who, _what(row), lines, not row.has_others))
    return Page(entries, those[PAGE - 1].pk if len(those) > PAGE else None)


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
    """Names of what the changes refer to, as far as a person may see it. Cost: a query for each noun referred to."""
    asked: dict[str, set[str]] = {}
    for row in rows:
        for column in schema.tables()[row.noun].columns:
            if is_reference(column):
                found = {str(side[column.name]) for side in (row.before, row.after) if side and side.get(column.name)}
                asked.setdefault(column.targets[0][0], set()).update(found)
    return {
        noun: {r.record_id: str(r) for r in visible(actor, MODELS[noun].objects.filter(pk__in=sorted(ids)))}
        for noun, ids in asked.items()
        if ids
    }


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
