"""Files that people bring: what they would change, the change itself in steps that a kill cannot tear, its undoing."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from silian import tables
from silian.errors import SilianError
from silian.tables import Region, schema
from silian.web.catalog.changing import Edit, StaleError, change, undo
from silian.web.catalog.models import ChangeSet, Import, ImportRow
from silian.web.catalog.tables import table_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from silian.web.base.actors import Actor

STEP: Final = 500  # rows a transaction: short enough that other writers wait for a moment only
SHOWN: Final = 1000  # problems that are kept to be shown
# Parents before what refers to them.
ORDER: Final = tuple(sorted(schema.tables(), key=list(schema.tables()).index))


def read_import(brought: Import) -> None:
    """Read the file and keep what each row would add, change or delete; nothing else is touched."""
    ImportRow.objects.filter(brought=brought).delete()
    try:
        region = tables.read_region(Path(brought.file.path).parent)
    except SilianError as error:
        Import.objects.filter(pk=brought.pk).update(state=Import.State.REFUSED, error=error.message("zh"))
        return
    known = _with_known(region)
    problems = tables.check(known, on=timezone.localdate())
    usable = tables.drop_problem_rows(known, problems)
    mine = problems.filter(pl.col("table").is_in(list(region.columns)))
    total = 0
    for noun in region.columns:
        own = region[noun].select(schema.tables()[noun].key)
        rows = list(_rows(brought, noun, usable[noun].join(own, on=own.columns, how="semi"), region.columns[noun]))
        ImportRow.objects.bulk_create(rows, batch_size=2000)
        total += len(rows)
    Import.objects.filter(pk=brought.pk).update(
        state=Import.State.READY, problems=mine.head(SHOWN).to_dicts(), total=total, done=0
    )


def apply_import(brought: Import, actor: Actor) -> None:
    """Take in the rows that were accepted, STEP by STEP; called again after a kill, it goes on where it was.

    Rows whose record has changed since the file was read are left out and stay unapplied.
    """
    with transaction.atomic():
        brought = Import.objects.get(pk=brought.pk)
        if brought.changes is None:
            brought.changes = ChangeSet.objects.create(
                kind=ChangeSet.Kind.IMPORT, by_id=actor.user_id, pseudonym=actor.pseudonym, note=brought.name
            )
        brought.state = Import.State.APPLYING
        brought.save(update_fields=["changes", "state"])
    for noun in [*ORDER, *reversed(ORDER)]:
        waiting = brought.rows.filter(noun=noun, is_taken=True, is_applied=False).order_by("pk")
        ids = list(waiting.values_list("pk", flat=True))
        for start in range(0, len(ids), STEP):
            _step(brought, actor, noun, ids[start : start + STEP])
    Import.objects.filter(pk=brought.pk).update(state=Import.State.DONE)


def undo_import(brought: Import, actor: Actor) -> None:
    """Put every record back; where one has been changed since, nothing is undone and the import says so."""
    try:
        if brought.changes is not None:
            undo(actor, brought.changes)
    except StaleError as error:
        told = f"{len(error.conflicts)} 条记录在导入后又被修改，未撤销。"
        Import.objects.filter(pk=brought.pk).update(state=Import.State.DONE, error=told)
        return
    Import.objects.filter(pk=brought.pk).update(state=Import.State.UNDONE)


def _step(brought: Import, actor: Actor, noun: str, ids: list[int]) -> None:
    with transaction.atomic():
        rows = list(ImportRow.objects.filter(pk__in=ids))
        edits = {
            r.record_id: Edit(r.record_id, None if r.what == ImportRow.What.DELETE else r.values, r.version)
            for r in rows
        }
        try:
            change(actor, noun, edits.values(), within=brought.changes)
        except StaleError as error:
            moved = {conflict.record_id for conflict in error.conflicts}
            change(actor, noun, [e for i, e in edits.items() if i not in moved], within=brought.changes)
            rows = [r for r in rows if r.record_id not in moved]
        ImportRow.objects.filter(pk__in=[r.pk for r in rows]).update(is_applied=True)
        Import.objects.filter(pk=brought.pk).update(done=F("done") + len(ids))


def _rows(brought: Import, noun: str, given: pl.DataFrame, columns: frozenset[str]) -> Iterator[ImportRow]:
    table = schema.tables()[noun]
    key = list(table.key)
    rest = [c.name for c in table.columns if c.name in columns and c.name not in key]
    now = table_of(noun, states=None, with_version=True)
    joined = given.select(*key, *rest).join(now, on=key, how="left", suffix="\x00now", maintain_order="left")
    for row in joined.iter_rows(named=True):
        record_id = "~".join(row[name] for name in key)
        version = row["version"]
        if version is None:
            values = {name: _plain(row[name]) for name in [*key, *rest] if row[name] is not None}
            yield ImportRow(brought=brought, noun=noun, record_id=record_id, what=ImportRow.What.ADD, values=values)
            continue
        differ = [name for name in rest if row[name] != row[f"{name}\x00now"]]
        if differ:
            yield ImportRow(
                brought=brought, noun=noun, record_id=record_id, what=ImportRow.What.CHANGE, version=version,
                values={name: _plain(row[name]) for name in differ},
                before={name: _plain(row[f"{name}\x00now"]) for name in differ},
            )  # fmt: skip
    if brought.deletes:
        for row in now.join(given.select(key), on=key, how="anti").iter_rows(named=True):
            record_id = "~".join(row[name] for name in key)
            what = ImportRow.What.DELETE
            yield ImportRow(brought=brought, noun=noun, record_id=record_id, what=what, version=row["version"])


def _with_known(region: Region) -> Region:
    """The file's rows over the registry's, so that what a row refers to may be in either."""
    whole = {}
    for noun, table in schema.tables().items():
        known = table_of(noun, states=None)
        own = region[noun]
        if noun in region.columns and own.height:
            known = known.join(own.select(table.key), on=list(table.key), how="anti")
        whole[noun] = pl.concat([own, known])
    return Region(tables=whole, sources={}, problems=region.problems, columns=region.columns)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
