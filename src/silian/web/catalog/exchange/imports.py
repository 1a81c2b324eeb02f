"""Files that people bring: what they would change, the change itself in steps that a kill cannot tear, its undoing.

Every piece of work is taken up under a number (`attempt`); each transaction looks whether the number is still its own
and marks the rows that it wrote, so that whoever goes on after a kill finds either a whole step or none of it.
"""

from __future__ import annotations

import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.files import File
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from silian import tables
from silian.errors import SilianError, WebError
from silian.web.base.log import log
from silian.web.catalog import notifying
from silian.web.catalog.changing import Edit, change_fitting
from silian.web.catalog.exchange import faults
from silian.web.catalog.exchange.comparing import ORDER, compare
from silian.web.catalog.exchange.unpacking import as_table, lay_out
from silian.web.catalog.inserting import insert
from silian.web.catalog.models import MODELS, Change, ChangeSet, Import, ImportProblem, ImportRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from silian.tables import Region, schema
    from silian.web.base.actors import Actor
    from silian.web.catalog.changing import Why
    from silian.web.catalog.exchange.comparing import Comparison, Found

STEP: Final = 500  # rows a transaction: short enough that other writers wait for a moment only
KEPT: Final = 2000  # rows of a dry run written at a time
LISTED: Final = 20_000  # problems that are kept to be shown; the file to be repaired has them all
# SQLite lets a waiting writer look again every tenth of a second: away so long after each step, we starve nobody.
PAUSE: Final = 0.11
# The columns of a row of a dry run.
ROW: Final = ("brought", "row", "noun", "record_id", "what", "state", "why", "values", "before", "version")
SOURCE: Final = 120  # characters of a file's name in the source of a value


class OvertakenError(Exception):
    """Another worker has taken this up, or the person has cancelled it: nothing more is to be done."""


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────


def read_import(brought: Import, actor: Actor) -> None:
    """Read the file and keep what each row would add, change or delete; nothing else is touched."""
    brought = _begin(brought, Import.State.READING, Import.Phase.FILE)
    _forget(brought)
    uploads = Path(settings.FILE_UPLOAD_TEMP_DIR or tempfile.gettempdir())
    try:
        with tempfile.TemporaryDirectory(prefix="read-", dir=uploads) as folder:
            region = _region(brought, Path(folder))
            _tell(brought, phase=Import.Phase.CHECK)
            found = compare(region, actor, deletes=brought.deletes)
            faulty = Path(folder) / "faulty.xlsx"
            if faults.write_faulty(Path(folder), found.problems, faulty, language=_language(brought)):
                with faulty.open("rb") as opened:
                    brought.faulty.save("faulty.xlsx", File(opened), save=False)
                _tell(brought, faulty=brought.faulty.name)
        _keep(brought, found)
    except SilianError as error:
        with transaction.atomic():
            _tell(brought, state=Import.State.REFUSED, code=error.code, found=_plain(error.found))
            notifying.imported(brought, "imports.failed")


def _region(brought: Import, folder: Path) -> Region:
    guesses = lay_out(brought, folder)
    region = tables.read_region(folder)
    if not region.columns and guesses:
        as_table(brought, folder, guesses[0])
        region = tables.read_region(folder)
    if not any(region[noun].height for noun in region.columns):
        seen = "；".join(dict.fromkeys(region.problems["file"].to_list()))[:200] or brought.name
        if region.problems.is_empty() or not region.columns:
            raise WebError("web.import_empty", file=brought.name, seen=seen)
    return region


def _keep(brought: Import, found: Comparison) -> None:
    """Write the dry run down, in steps; it is ready when the last one is there."""
    facts = {"read": found.read, "same": found.same, "blocked": found.blocked, "scope": found.scope}
    _tell(brought, phase=Import.Phase.KEEP, total=found.total, begun_at=timezone.now(), **facts)
    problems = [_problem(brought, row) for row in found.problems.head(LISTED).iter_rows(named=True)]
    for start in range(0, len(problems), KEPT):
        with transaction.atomic():
            _hold(brought)
            ImportProblem.objects.bulk_create(problems[start : start + KEPT])
    rows = (_row(brought.pk, row) for row in found.rows())
    while batch := list(islice(rows, KEPT)):
        with transaction.atomic():
            _hold(brought)
            insert(ImportRow, ROW, batch)
            Import.objects.filter(pk=brought.pk).update(done=F("done") + len(batch))
        _stay_away()
    with transaction.atomic():
        _tell(brought, state=Import.State.READY, phase="", done=0, wrong=found.problems.height)
        notifying.imported(brought, "imports.ready")


def _row(number: int, row: Found) -> tuple[Any, ...]:
    state = ImportRow.State.REFUSED if row.why else ImportRow.State.TAKEN
    told = (row.row, row.noun, row.record_id, row.what, state.value, row.why)
    return number, *told, row.values, row.before, row.version


def _problem(brought: Import, row: dict[str, Any]) -> ImportProblem:
    told = {name: _storable(row[name] or "") for name in ("file", "column", "found", "remedy", "remedy_zh")}
    told |= {name: told[name][:300] for name in ("file", "column")}
    return ImportProblem(
        brought=brought, noun=row["table"], row=row["row"], code=row["code"], is_blocking=row["is_blocking"], **told
    )


def _storable(text: str) -> str:
    """A text as PostgreSQL takes it: what a file holds is told with a sign for NUL."""
    return text.replace("\0", "\N{SYMBOL FOR NULL}")


def _forget(brought: Import) -> None:
    """Take away what a killed attempt has kept, a step at a time."""
    for model in (ImportRow, ImportProblem):
        while ids := list(model._default_manager.filter(brought=brought).values_list("pk", flat=True)[:KEPT]):
            model._default_manager.filter(pk__in=ids).delete()


def _language(brought: Import) -> schema.Language:
    return "en" if brought.by and brought.by.language == "en" else "zh"


# ── applying ────────────────────────────────────────────────────────────────────────────────────────────────


def apply_import(brought: Import, actor: Actor) -> None:
    """Take in the rows that were accepted, STEP by STEP; called again after a kill, it goes on where it was.

    A row whose record has changed since the file was read, that names a record which is gone, or that the person may
    not write any more is left out and says why.
    """
    brought = _begin(brought, Import.State.APPLYING, Import.Phase.WRITE)
    if brought.changes is None:
        with transaction.atomic():
            _hold(brought)
            brought.changes = _change_set(ChangeSet.Kind.IMPORT, brought, actor)
            brought.save(update_fields=["changes"])
    for noun, deletes in [*((n, False) for n in ORDER), *((n, True) for n in reversed(ORDER))]:
        waiting = brought.rows.filter(noun=noun, state=ImportRow.State.TAKEN)
        kind = Q(what=ImportRow.What.DELETE)
        ids = list(waiting.filter(kind if deletes else ~kind).order_by("pk").values_list("pk", flat=True))
        for own in _steps(ids):
            _again(lambda own=own, noun=noun: _apply_step(brought, actor, noun, own))
            _stay_away()
    with transaction.atomic():
        _hold(brought)
        counted = brought.rows.filter(state=ImportRow.State.APPLIED).count()
        log(actor, "import.apply", detail={"import": brought.pk, "records": counted})
        Import.objects.filter(pk=brought.pk).update(state=Import.State.DONE, phase="")
        notifying.imported(brought, "imports.done", state="done")


def _apply_step(brought: Import, actor: Actor, noun: str, ids: Sequence[int]) -> None:
    with transaction.atomic():
        _hold(brought)
        rows = list(ImportRow.objects.filter(pk__in=ids, state=ImportRow.State.TAKEN).order_by("pk"))
        edits = [
            Edit(row.record_id, None if row.what == ImportRow.What.DELETE else row.values, row.version) for row in rows
        ]
        assert brought.changes is not None
        left_out = change_fitting(actor, noun, edits, within=brought.changes, source=brought.name[:SOURCE])
        _mark(rows, left_out, done=ImportRow.State.APPLIED, not_done=ImportRow.State.REFUSED)
        Import.objects.filter(pk=brought.pk).update(done=F("done") + len(ids))


# ── undoing ─────────────────────────────────────────────────────────────────────────────────────────────────


def undo_import(brought: Import, actor: Actor) -> None:
    """Put every record back, STEP by STEP, in the opposite order; called again after a kill, it goes on.

    Where records have changed since, nothing is undone and the import says which; unless the person has seen them and
    wants the rest undone: then these stay as they are.
    """
    brought = _begin(brought, Import.State.UNDOING, Import.Phase.LOOK)
    if brought.changes is None:
        _tell(brought, state=Import.State.UNDONE, phase="")
        return
    is_begun = brought.undone is not None
    if not (brought.is_forced or is_begun) and (moved := _moved(brought)):
        _tell(brought, state=Import.State.DONE, phase="", code="web.undo_moved", found={"count": moved})
        return
    if not is_begun:
        with transaction.atomic():
            _hold(brought)
            brought.undone = _change_set(ChangeSet.Kind.UNDO, brought, actor)
            brought.undone.undoes = brought.changes
            brought.undone.save(update_fields=["undoes"])
            brought.save(update_fields=["undone"])
    _tell(brought, phase=Import.Phase.UNDO)
    for noun, deletes in [*((n, True) for n in ORDER), *((n, False) for n in reversed(ORDER))]:
        waiting = brought.rows.filter(noun=noun, state=ImportRow.State.APPLIED)
        kind = Q(what=ImportRow.What.DELETE)
        ids = list(waiting.filter(kind if deletes else ~kind).order_by("-pk").values_list("pk", flat=True))
        for own in _steps(ids):
            _again(lambda own=own, noun=noun: _undo_step(brought, actor, noun, own))
            _stay_away()
    with transaction.atomic():
        _hold(brought)
        counted = brought.rows.filter(state=ImportRow.State.UNDONE).count()
        log(actor, "import.undo", detail={"import": brought.pk, "records": counted})
        Import.objects.filter(pk=brought.pk).update(state=Import.State.UNDONE, phase="", code="", found={})
        notifying.imported(brought, "imports.done", state="undone")


def _undo_step(brought: Import, actor: Actor, noun: str, ids: Sequence[int]) -> None:
    with transaction.atomic():
        _hold(brought)
        rows = list(ImportRow.objects.filter(pk__in=ids, state=ImportRow.State.APPLIED).order_by("-pk"))
        kept = {c.record_id: c for c in _written(brought, noun, [row.record_id for row in rows])}
        edits = []
        for row in rows:
            if row.record_id in kept:  # else the row had changed nothing
                was = kept[row.record_id]
                edits.append(Edit(row.record_id, was.before, was.version if was.after is not None else 0))
        assert brought.undone is not None
        left_out = change_fitting(actor, noun, edits, within=brought.undone)
        _mark(rows, left_out, done=ImportRow.State.UNDONE, not_done=ImportRow.State.KEPT)
        Import.objects.filter(pk=brought.pk).update(done=F("done") + len(ids))


def _moved(brought: Import) -> int:
    """Mark the records that have changed since the import; how many they are."""
    moved = 0
    brought.rows.filter(why=ImportRow.Why.MOVED).update(why="")
    applied = brought.rows.filter(state=ImportRow.State.APPLIED)
    for noun in ORDER:
        ids = list(applied.filter(noun=noun).order_by("pk").values_list("pk", flat=True))
        for own in _steps(ids):
            names = dict(ImportRow.objects.filter(pk__in=own).values_list("record_id", "pk"))
            now = dict(MODELS[noun].objects.filter(pk__in=list(names)).values_list("pk", "version"))
            wrong = [
                names[c.record_id]
                for c in _written(brought, noun, list(names))
                if now.get(c.record_id) != (None if c.after is None else c.version)
            ]
            ImportRow.objects.filter(pk__in=wrong).update(why=ImportRow.Why.MOVED)
            moved += len(wrong)
    return moved


def _written(brought: Import, noun: str, ids: list[str]) -> Iterable[Change]:
    return Change.objects.filter(changes=brought.changes, noun=noun, record_id__in=ids)


# ── steps ───────────────────────────────────────────────────────────────────────────────────────────────────


def _change_set(kind: str, brought: Import, actor: Actor) -> ChangeSet:
    return ChangeSet.objects.create(kind=kind, by_id=actor.user_id, pseudonym=actor.pseudonym, note=brought.name)


def _begin(brought: Import, state: str, phase: str) -> Import:
    """Take a piece of work up: from now on an earlier worker finds itself overtaken."""
    with transaction.atomic():
        held = Import.objects.select_for_update().select_related(None).get(pk=brought.pk)
        if held.state != state:
            raise OvertakenError
        done = {
            Import.State.APPLYING: held.rows.exclude(state__in=("taken", "left", "refused")).count(),
            Import.State.UNDOING: held.rows.filter(state__in=("undone", "kept")).count(),
        }.get(held.state, 0)  # type: ignore[call-overload]
        held.attempt, held.phase, held.done, held.begun_at = held.attempt + 1, phase, done, timezone.now()
        held.save(update_fields=["attempt", "phase", "done", "begun_at"])
    return held


def _hold(brought: Import) -> None:
    """Keep everybody else from this import until the end of the transaction, unless it is not ours any more."""
    own = Import.objects.select_for_update().filter(pk=brought.pk, attempt=brought.attempt, state=brought.state)
    if not own.values_list("pk", flat=True):
        raise OvertakenError


def _tell(brought: Import, **values: Any) -> None:
    own = Import.objects.filter(pk=brought.pk, attempt=brought.attempt, state=brought.state)
    if not own.update(**values):
        raise OvertakenError


def _steps(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + STEP] for start in range(0, len(ids), STEP))


def _again(step: Any) -> None:
    """Do a step; once more where another writer came between, for then the step sees what it did."""
    try:
        step()
    except IntegrityError:
        step()


def _mark(rows: list[ImportRow], left_out: dict[str, Why], *, done: str, not_done: str) -> None:
    ids = [row.pk for row in rows if row.record_id not in left_out]
    ImportRow.objects.filter(pk__in=ids).update(state=done)
    for why in set(left_out.values()):
        own = [row.pk for row in rows if left_out.get(row.record_id) == why]
        told = ImportRow.Why.MOVED if why == "stale" and not_done == ImportRow.State.KEPT else why
        ImportRow.objects.filter(pk__in=own).update(state=not_done, why=told)


def _stay_away() -> None:
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        time.sleep(PAUSE)


def _plain(found: dict[str, object]) -> dict[str, Any]:
    return {name: value if isinstance(value, (int, float)) else _storable(str(value)) for name, value in found.items()}


__all__ = ["OvertakenError", "apply_import", "read_import", "undo_import"]
