"""Every write to the registry: what was before, what is after, who did it, and how it is undone."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from django.db import IntegrityError, connection, transaction
from django.db.models import Max
from django.utils import timezone

from silian.web.base.log import log
from silian.web.base.models import Place
from silian.web.catalog.duplicates.blocking import keep_keys
from silian.web.catalog.duplicates.followers import bring_back
from silian.web.catalog.fields import is_never_null, is_reference, record_id
from silian.web.catalog.homes import Home, homes, move_what_follows, plant
from silian.web.catalog.inserting import insert
from silian.web.catalog.models import MODELS, Change, ChangeSet, Record, Unindexed
from silian.web.catalog.rules import may
from silian.web.catalog.sources import stamped
from silian.web.catalog.topics import due

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from silian.tables.schema import Column
    from silian.web.base.actors import Actor
    from silian.web.catalog.rules import Action

BATCH: Final = 500  # records a statement
Why = Literal["rights", "stale", "unknown", "referred"]
KEPT: Final = (
    "state",
    "tiers",
    "sources",
    "confirmed_on",
    "translations",
    "reason",
)  # what a record carries beside its columns


class Edit(NamedTuple):
    """What shall become of one record."""

    record_id: str
    values: Mapping[str, Any] | None  # columns and what is KEPT, in plain values; None: the record goes
    version: int | None = None  # that the writer saw; None: whatever there is now


class Conflict(NamedTuple):
    """Somebody else has changed a record since the writer saw it."""

    record_id: str
    seen: int | None
    now: Mapping[str, Any] | None  # the record as it is; None: it is gone
    version: int


class StaleError(Exception):
    """Records have changed under the writer: nothing was written."""

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        super().__init__(f"{len(conflicts)} record(s) have changed")
        self.conflicts = conflicts


def change(
    actor: Actor, noun: str, edits: Iterable[Edit], *, kind: str = ChangeSet.Kind.EDIT, note: str = "",
    within: ChangeSet | None = None, source: str = "",
) -> ChangeSet:  # fmt: skip
    """Make, alter and take away records of one noun, all or none, and keep what they were.

    Parameters
    ----------
    edits : at most one for a record; a value that is not named stays as it is
    within : changes that these belong to; else they are a set of their own
    source : where new values come from (see `provenance`); empty: from the kind of the change

    Raises
    ------
    StaleError : if a record is no longer of the version that the writer saw

    Notes
    -----
    The rules were asked before. Cost: four queries to read and four to write for each BATCH of records.
    """
    wanted = {edit.record_id: edit for edit in edits}
    try:
        with transaction.atomic():
            return _change(actor, noun, wanted, kind=kind, note=note, within=within, source=source)
    except IntegrityError:  # another writer has just made the record: this time it is seen
        with transaction.atomic():
            return _change(actor, noun, wanted, kind=kind, note=note, within=within, source=source)


def _change(
    actor: Actor, noun: str, wanted: Mapping[str, Edit], *, kind: str, note: str, within: ChangeSet | None, source: str
) -> ChangeSet:
    made = within or ChangeSet.objects.create(kind=kind, by_id=actor.user_id, pseudonym=actor.pseudonym, note=note)
    ids = list(wanted)
    conflicts: list[Conflict] = []
    for start in range(0, len(ids), BATCH):
        rows, stale = _planned(noun, [wanted[i] for i in ids[start : start + BATCH]], source or made.kind)
        conflicts += stale
        if not conflicts:
            _write(made, noun, rows)
    if conflicts:
        raise StaleError(conflicts)
    detail = {"change_set": made.pk, "records": len(ids)}
    log(actor, f"{noun}.{made.kind}", noun=noun, record_id=ids[0] if len(ids) == 1 else "", detail=detail)
    return made


def change_fitting(
    actor: Actor, noun: str, edits: Iterable[Edit], *, within: ChangeSet, source: str = ""
) -> dict[str, Why]:
    """Make, alter and take away those records of one noun that can be; at most BATCH of them, in one transaction.

    Returns
    -------
    The id of each record that was left out, and why: rights, stale (changed since the writer saw it), unknown (it
    names a record that is not there), referred (it is to go, and another record names it).

    Raises
    ------
    IntegrityError : if another writer made or took away what these need at this moment; to be called again
    """
    wanted = {edit.record_id: edit for edit in edits}
    with transaction.atomic():
        rows, stale = _planned(noun, list(wanted.values()), source or within.kind)
        left_out: dict[str, Why] = {conflict.record_id: "stale" for conflict in stale}
        rows = _fitting(actor, noun, rows, left_out)
        _write(within, noun, rows)
        log(actor, f"{noun}.{within.kind}", noun=noun, detail={"change_set": within.pk, "records": len(rows)})
    return left_out


def undo(actor: Actor, changes: ChangeSet) -> ChangeSet:
    """Put every record of a set of changes back as it was before them.

    Raises
    ------
    StaleError : if one of them has been changed since: nothing is undone, and the error names them
    """
    with transaction.atomic():
        made = ChangeSet.objects.create(
            kind=ChangeSet.Kind.UNDO, by_id=actor.user_id, pseudonym=actor.pseudonym, undoes=changes
        )
        rows: dict[str, list[Change]] = {}
        for row in changes.rows.order_by("-pk"):
            rows.setdefault(row.noun, []).append(row)
        for noun, those in rows.items():
            edits = [Edit(r.record_id, r.before, r.version if r.after is not None else 0) for r in those]
            change(actor, noun, edits, within=made)
        bring_back(changes)
    return made


def plain(record: Record) -> dict[str, Any]:
    """A record as plain values: its columns and what it carries beside them."""
    columns = {c.name: _plain(getattr(record, c.name)) for c in record.table.columns}
    return columns | {name: getattr(record, name) for name in KEPT} | {"confirmed_on": _plain(record.confirmed_on)}


class _Row(NamedTuple):
    """One record before and after."""

    record_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    version: int  # after the change; of a record that goes, its last one
    old: Record | None
    home: Home | None  # of the record afterwards


def _planned(noun: str, edits: list[Edit], source: str) -> tuple[list[_Row], list[Conflict]]:
    """What some edits come to, and which of them come too late."""
    now = {r.record_id: r for r in _locked(MODELS[noun], [edit.record_id for edit in edits])}
    last = _last_versions(noun, [edit.record_id for edit in edits if edit.record_id not in now])
    conflicts, rows, today = [], [], timezone.localdate()
    for edit in edits:
        old = now.get(edit.record_id)
        version = old.version if old else 0
        before = plain(old) if old else None
        if edit.version is not None and edit.version != version:
            conflicts.append(Conflict(edit.record_id, edit.version, before, version))
            continue
        after = None if edit.values is None else (before or {}) | dict(edit.values)
        if after == before:
            continue
        if after is not None:
            version = 1 + (version or last.get(edit.record_id, 0))
            if "sources" not in (edit.values or {}):
                after["sources"] = stamped(MODELS[noun].table, before, after, source=source, on=today)
        rows.append(_Row(edit.record_id, before, after, version, old, None))
    stay = [row for row in rows if row.after is not None]
    found = iter(homes(noun, [row.after for row in stay]) if stay else ())  # type: ignore[misc]
    return [row if row.after is None else row._replace(home=next(found)) for row in rows], conflicts


def _locked(model: type[Record], ids: list[str]) -> list[Record]:
    """The records with some ids, held until the end of the transaction where the database can hold rows."""
    records = model.objects.filter(pk__in=ids)
    return list(records.select_for_update() if connection.features.has_select_for_update else records)


def _last_versions(noun: str, ids: list[str]) -> dict[str, int]:
    """The last versions of records that are gone: one that comes again goes on from there."""
    if not ids:
        return {}
    rows = Change.objects.filter(noun=noun, record_id__in=ids).values_list("record_id")
    return dict(rows.annotate(last=Max("version")))


def _fitting(actor: Actor, noun: str, rows: list[_Row], left_out: dict[str, Why]) -> list[_Row]:
    """The rows that may and can be written; the others are put into `left_out`."""
    model = MODELS[noun]
    place_ids = {row.home.place_id for row in rows if row.home} | {row.old.place_id for row in rows if row.old}
    places = Place.objects.in_bulk(list(place_ids)) | {Place.ROOT: Place.root()}
    asked: dict[tuple[Any, ...], bool] = {}
    fitting = []
    for row in rows:
        if not _may(actor, model, row, places, asked):
            left_out[row.record_id] = "rights"
        else:
            fitting.append(row)
    unknown = _naming_nothing(model, fitting)
    left_out |= dict.fromkeys(unknown, "unknown")
    fitting = [row for row in fitting if row.record_id not in unknown]
    while True:
        gone = [row.record_id for row in fitting if row.after is None]
        referred = referred_to(noun, gone)
        if not referred:
            return fitting
        left_out |= dict.fromkeys(referred, "referred")
        fitting = [row for row in fitting if row.record_id not in referred]


def _may(
    actor: Actor, model: type[Record], row: _Row, places: Mapping[str, Place], asked: dict[tuple[Any, ...], bool]
) -> bool:
    """Whether a person may write a row: of the record as it is, and as it shall be.

    Parameters
    ----------
    asked : what was answered of records alike in all that the rules look at; grows
    """
    root = places[Place.ROOT]
    if row.old is not None:
        row.old.place = places.get(row.old.place_id, root)
        if not may(actor, "withdraw" if row.after is None else "edit", row.old):
            return False
    if row.after is None or row.home is None:
        return True
    own = {"expert_id": row.after["expert_id"]} if model.noun in ("experts", "works") else {}
    state, tiers = row.after.get("state", Record.State.PUBLISHED), row.after.get("tiers", {})
    action: Action = "edit" if row.old else "create"
    alike = (action, row.home, state, tuple(sorted(tiers.items())), *own.values())
    if alike not in asked:
        place = places.get(row.home.place_id, root)
        asked[alike] = may(
            actor, action, model(owner_id=row.home.owner_id, place=place, state=state, tiers=tiers, **own)
        )
    return asked[alike]


def _naming_nothing(model: type[Record], rows: list[_Row]) -> set[str]:
    """The records among some that would name, in a column for one record, a record that is not there."""
    found: set[str] = set()
    for column in model.table.columns if any(row.after for row in rows) else ():
        if not is_reference(column):
            continue
        noun = column.targets[0][0]
        named = {row.record_id: row.after[column.name] for row in rows if row.after and row.after.get(column.name)}
        known = set(MODELS[noun].objects.filter(pk__in=set(named.values())).values_list("pk", flat=True))
        if noun == model.noun:
            known |= {row.record_id for row in rows if row.after}
        found |= {record_id for record_id, value in named.items() if value not in known}
    return found


def referred_to(noun: str, ids: Iterable[str]) -> set[str]:
    """The records among some of a noun that a record which is not among them names, in a column for one record."""
    asked = list(ids)
    found: set[str] = set()
    for other, model in MODELS.items() if asked else ():
        for column in model.table.columns:
            if is_reference(column) and column.targets[0][0] == noun:
                records = model.objects.filter(**{f"{column.name}__in": asked})
                records = records.exclude(pk__in=asked) if other == noun else records
                found |= set(records.values_list(column.name, flat=True).distinct())
    return found


def _write(made: ChangeSet, noun: str, rows: list[_Row]) -> None:
    model = MODELS[noun]
    stay = [row for row in rows if row.after is not None]
    gone = [row.record_id for row in rows if row.after is None]
    Unindexed.put(noun, [row.record_id for row in rows])
    if stay:
        if noun == "districts":
            plant(row.after for row in stay if row.after is not None)
        new = [_record(model, row) for row in stay if row.old is None]
        kept = [_record(model, row) for row in stay if row.old is not None]
        names = [f.name for f in model._meta.concrete_fields if not f.primary_key]
        own = [f.attname for f in model._meta.concrete_fields]
        insert(model, own, ([getattr(record, name) for name in own] for record in new))
        model.objects.bulk_create(
            kept, update_conflicts=True, update_fields=names, unique_fields=[model._meta.pk.name]
        )  # fmt: skip
        moved = [
            row.record_id for row in stay if row.old and (row.old.owner_id, row.old.place_id) != row.home
        ]  # fmt: skip
        move_what_follows(noun, moved)
    if gone:
        for column in model.table.columns:
            if is_reference(column) and column.targets[0][0] == noun:
                model.objects.filter(pk__in=gone).update(**{column.name: None})  # they may name each other
        model.objects.filter(pk__in=gone).delete()
    told = ("changes", "noun", "record_id", "before", "after", "version")
    insert(Change, told, ((made.pk, noun, r.record_id, r.before, r.after, r.version) for r in rows))
    keep_keys(noun, [(r.record_id, r.before, r.after) for r in rows])
    due.put(noun, ((r.before, r.after) for r in rows))


def _record(model: type[Record], row: _Row) -> Record:
    values = row.after or {}
    typed = {c.name: _typed(c, values.get(c.name)) for c in model.table.columns}
    carried = {name: values[name] for name in KEPT if name in values}
    if isinstance(carried.get("confirmed_on"), str):
        carried["confirmed_on"] = date.fromisoformat(carried["confirmed_on"])
    if len(model.table.key) > 1:
        typed["key"] = record_id(model.table, typed)
    home = row.home or Home("", Place.ROOT)
    made = model(**typed, **carried, version=row.version, owner_id=home.owner_id, place_id=home.place_id)
    if row.old is not None:
        made.created_at = row.old.created_at
    return made


def _plain(value: Any) -> Any:
    """As it is kept in a change: what is empty is None, however the database writes it."""
    if value in ("", []):
        return None
    return value.isoformat() if isinstance(value, date) else value


def _typed(column: Column, value: Any) -> Any:
    """A plain value as the field of a column takes it."""
    if column.type == "date" and isinstance(value, str):
        return date.fromisoformat(value) if value else None
    if is_never_null(column):
        return value or ([] if column.type == "list" else "")
    return value if value != "" else None
