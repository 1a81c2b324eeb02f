"""Every write to the registry: what was before, what is after, who did it, and how it is undone."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from silian.web.base.log import log
from silian.web.catalog.blocking import keep_keys
from silian.web.catalog.fields import is_never_null, record_id
from silian.web.catalog.followers import bring_back
from silian.web.catalog.homes import Home, homes, move_what_follows, plant
from silian.web.catalog.models import MODELS, Change, ChangeSet, Record, Unindexed
from silian.web.catalog.sources import stamped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from silian.tables.schema import Column
    from silian.web.base.actors import Actor

BATCH: Final = 500  # records a statement
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


@transaction.atomic
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
    The rules were asked before. Cost: two queries to read and four to write for each BATCH of records.
    """
    made = within or ChangeSet.objects.create(kind=kind, by_id=actor.user_id, pseudonym=actor.pseudonym, note=note)
    wanted = {edit.record_id: edit for edit in edits}
    ids = list(wanted)
    conflicts: list[Conflict] = []
    for start in range(0, len(ids), BATCH):
        conflicts += _change_batch(made, noun, [wanted[i] for i in ids[start : start + BATCH]], source or made.kind)
    if conflicts:
        raise StaleError(conflicts)
    detail = {"change_set": made.pk, "records": len(ids)}
    log(actor, f"{noun}.{kind}", noun=noun, record_id=ids[0] if len(ids) == 1 else "", detail=detail)
    return made


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
            edits = [Edit(r.record_id, r.before, r.version if r.after is not None else None) for r in those]
            change(actor, noun, edits, within=made)
        bring_back(changes)
    return made


def plain(record: Record) -> dict[str, Any]:
    """A record as plain values: its columns and what it carries beside them."""
    columns = {c.name: _plain(getattr(record, c.name)) for c in record.table.columns}
    return columns | {name: getattr(record, name) for name in KEPT} | {"confirmed_on": _plain(record.confirmed_on)}


class _Wanted(NamedTuple):
    """A record as it shall be."""

    values: Mapping[str, Any]
    version: int
    old: Record | None


def _change_batch(made: ChangeSet, noun: str, edits: list[Edit], source: str) -> list[Conflict]:
    now = {r.record_id: r for r in _locked(MODELS[noun], [edit.record_id for edit in edits])}
    conflicts, rows, wanted, gone = [], [], [], []
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
        if after is None:
            gone.append(edit.record_id)
        else:
            if "sources" not in (edit.values or {}):
                after["sources"] = stamped(MODELS[noun].table, before, after, source=source, on=timezone.localdate())
            version += 1
            wanted.append(_Wanted(after, version, old))
        rows.append(
            Change(changes=made, noun=noun, record_id=edit.record_id, before=before, after=after, version=version)
        )
    if not conflicts:
        _write(noun, wanted, gone)
        Change.objects.bulk_create(rows)
        keep_keys(noun, [(row.record_id, row.before, row.after) for row in rows])
    return conflicts


def _locked(model: type[Record], ids: list[str]) -> list[Record]:
    """The records with some ids, held until the end of the transaction where the database can hold rows."""
    records = model.objects.filter(pk__in=ids)
    return list(records.select_for_update() if connection.features.has_select_for_update else records)


def _write(noun: str, wanted: list[_Wanted], gone: list[str]) -> None:
    model = MODELS[noun]
    Unindexed.put(noun, [*(record_id(model.table, w.values) for w in wanted), *gone])
    if wanted:
        values = [w.values for w in wanted]
        if noun == "districts":
            plant(values)
        kept = [_record(model, w, home) for w, home in zip(wanted, homes(noun, values), strict=True)]
        names = [f.name for f in model._meta.concrete_fields if not f.primary_key]
        model.objects.bulk_create(
            kept, update_conflicts=True, update_fields=names, unique_fields=[model._meta.pk.name]
        )  # fmt: skip
        old_homes = {w.old.record_id: (w.old.owner_id, w.old.place_id) for w in wanted if w.old}
        moved = [r.record_id for r in kept if old_homes.get(r.record_id, ("", "")) != (r.owner_id, r.place_id)]
        move_what_follows(noun, [i for i in moved if i in old_homes])
    if gone:
        model.objects.filter(pk__in=gone).delete()


def _record(model: type[Record], wanted: _Wanted, home: Home) -> Record:
    typed = {c.name: _typed(c, wanted.values.get(c.name)) for c in model.table.columns}
    carried = {name: wanted.values[name] for name in KEPT if name in wanted.values}
    if isinstance(carried.get("confirmed_on"), str):
        carried["confirmed_on"] = date.fromisoformat(carried["confirmed_on"])
    if len(model.table.key) > 1:
        typed["key"] = record_id(model.table, typed)
    made = model(**typed, **carried, version=wanted.version, owner_id=home.owner_id, place_id=home.place_id)
    if wanted.old is not None:
        made.created_at = wanted.old.created_at
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
