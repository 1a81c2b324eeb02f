"""Files that people take away: exactly what a list shows to them, cell by cell."""

from __future__ import annotations

import tempfile
import zipfile
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl
from django.core.files import File
from django.db import transaction
from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from silian import tables
from silian.errors import SilianError
from silian.tables import schema
from silian.tables.cast import cast
from silian.tables.write import as_cells
from silian.web.base.log import log
from silian.web.base.models import Place
from silian.web.catalog import notifying
from silian.web.catalog.beside.interests import opened
from silian.web.catalog.exchange.workbooks import Sheet, write_book
from silian.web.catalog.fields import is_reference
from silian.web.catalog.models import MODELS, Export, Record
from silian.web.catalog.records.queries import FACES, asked_of, found_by
from silian.web.catalog.rules import PERSONAL, STEWARDS, shown, visible
from silian.web.catalog.tables import frame_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

    from silian.tables.schema import Column, Language, Table
    from silian.web.base.actors import Actor

AT_ONCE: Final = 5000  # rows that are handed out while the person waits
KEPT: Final = timedelta(days=7)
BESIDE: Final[Mapping[str, pl.DataType]] = {
    "pk": pl.String(), "owner_id": pl.String(), "place_id": pl.String(), "state": pl.String(), "tiers": pl.Object(),
}  # fmt: skip


def asked_records(actor: Actor, noun: str, asked: str) -> QuerySet[Record]:
    """The records that a list with some query shows to a person: all its pages.

    Raises
    ------
    WebError : if words are asked for and the index cannot be read
    """
    face = FACES[noun]
    return found_by(actor, face, asked_of(face, QueryDict(asked).dict()))


def make(taken: Export, actor: Actor, *, is_awaited: bool = False) -> None:
    """Write the file of an export, and say how many rows it has and how many cells are not in it.

    Parameters
    ----------
    is_awaited : the person waits for it in front of the page, and need not be told
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file.{taken.form if taken.noun else 'zip'}"
        try:
            with override("en" if taken.language == "en" else "zh-hans"):
                rows, withheld = _write(taken, actor, path)
        except SilianError as error:
            taken.state, taken.code = Export.State.FAILED, error.code
            taken.found = {name: str(value) for name, value in error.found.items()}
            with transaction.atomic():
                taken.save()
                if not is_awaited:
                    notifying.exported(taken)
            return
        with transaction.atomic(), path.open("rb") as opened:
            taken.file.save(path.name, File(opened), save=False)
            taken.state, taken.rows, taken.withheld = Export.State.READY, rows, withheld
            taken.save()
            detail = {"export": taken.pk, "rows": rows, "withheld": withheld, "form": taken.form}
            log(actor, f"{taken.noun or 'region'}.export", noun=taken.noun, detail=detail)
            if not is_awaited:
                notifying.exported(taken)


def sweep() -> None:
    """Take away the files that have lain here long enough."""
    for old in Export.objects.filter(state=Export.State.READY, at__lt=timezone.now() - KEPT):
        old.file.delete(save=False)
        Export.objects.filter(pk=old.pk).update(state=Export.State.EXPIRED, file="")


def table_for(actor: Actor, records: QuerySet[Record]) -> tuple[pl.DataFrame, int]:
    """Records as the schema has them, without the cells that a person may not see; how many these were.

    A cell that names a record which the person may not see is one of them.
    """
    model = records.model
    frame = frame_of(records, beside=BESIDE)
    columns = [c.name for c in model.table.columns]
    if f"/{Place.ROOT}/" in actor.paths(STEWARDS) or frame.is_empty():
        return frame.select(columns), 0
    open_names = _open_names(actor, model, frame)
    withheld, made = 0, []
    for column in model.table.columns:
        cells = frame[column.name]
        closed = pl.Series([names is not None and column.name not in names for names in open_names], dtype=pl.Boolean)
        if is_reference(column):
            target = MODELS[column.targets[0][0]]
            ids = set(cells.drop_nulls().to_list())
            seen = set(visible(actor, target.objects.filter(pk__in=ids)).values_list("pk", flat=True))
            partly = pl.Series([names is not None for names in open_names], dtype=pl.Boolean)
            closed |= partly & ~cells.is_in(list(seen)).fill_null(value=True)
        withheld += int((closed & cells.is_not_null()).sum())
        made.append(pl.select(pl.when(~closed).then(cells).alias(column.name)).to_series())
    return pl.DataFrame(made), withheld


def _open_names(actor: Actor, model: type[Record], frame: pl.DataFrame) -> list[frozenset[str] | None]:
    """The columns of each record that are open to a person; None where all are."""
    places = {place.pk: place for place in Place.objects.all()}
    mutual = opened(actor, [model.noun])
    every = frozenset(c.name for c in model.table.columns)
    made: list[frozenset[str] | None] = []
    names = [*BESIDE, *(("expert_id",) if model.noun in PERSONAL else ())]
    for row in frame.select(names).iter_rows(named=True):
        own = {"expert_id": row["expert_id"]} if model.noun in PERSONAL else {}
        place = places[row["place_id"]]
        record = model(owner_id=row["owner_id"], place=place, state=row["state"], tiers=row["tiers"] or {}, **own)
        found = shown(actor, record, is_mutual=(model.noun, row["pk"]) in mutual)
        made.append(None if found >= every else found)
    return made


def of_places(actor: Actor, noun: str) -> QuerySet[Record]:
    """The records of a noun that a person looks after."""
    own = Q(pk__in=[])
    for path in actor.paths(STEWARDS):
        own |= Q(place__path__startswith=path)
    records = MODELS[noun].objects.all()
    return records if f"/{Place.ROOT}/" in actor.paths(STEWARDS) else records.filter(own)


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────


def _write(taken: Export, actor: Actor, path: Path) -> tuple[int, int]:
    language: Language = "en" if taken.language == "en" else "zh"
    if taken.noun:
        frame, withheld = table_for(actor, asked_records(actor, taken.noun, taken.asked))
        _write_table(frame, schema.tables()[taken.noun], path, language, withheld)
        return frame.height, withheld
    total = withheld = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for noun, table in schema.tables().items():
            frame, kept_back = table_for(actor, of_places(actor, noun))
            if frame.height:
                one = path.with_name(f"{noun}.{taken.form}")
                _write_table(frame, table, one, language, kept_back)
                package.write(one, one.name)
                one.unlink()
            total, withheld = total + frame.height, withheld + kept_back
    return total, withheld


def _write_table(frame: pl.DataFrame, table: Table, path: Path, language: Language, withheld: int) -> None:
    if path.suffix == ".parquet":
        frame.write_parquet(path, compression="zstd")
        return
    labelled, told = in_words(frame, table, language)
    if path.suffix == ".csv":
        path.write_bytes(tables.to_csv(labelled, told))
        return
    heading = [c.name for c in told.columns]
    notes = [(_("行数"), frame.height), (_("因公开范围未导出的单元格"), withheld),
             (_("导出时间"), timezone.localtime().strftime("%Y-%m-%d %H:%M"))]  # fmt: skip
    write_book(path, [
        Sheet(table.label(language), heading, as_cells(labelled, told).iter_rows()),
        Sheet("说明" if language == "zh" else "Read me", [_("项目"), _("值")], notes),
    ])  # fmt: skip


def in_words(frame: pl.DataFrame, table: Table, language: Language) -> tuple[pl.DataFrame, Table]:
    """A table with labels for headings and codes, as people read it; read back, it is the same table."""
    made = []
    for column in table.columns:
        cells = frame[column.name]
        labels = _labels(column, language) if column.codes else {}
        if labels and column.type == "list":
            cells = pl.Series(
                [None if v is None else [labels.get(x, x) for x in v] for v in cells.to_list()], dtype=column.polars
            )
        elif labels:
            cells = cells.replace(labels)
        made.append(cells.alias(column.label(language)))
    columns = tuple(replace(c, name=c.label(language)) for c in table.columns)
    return pl.DataFrame(made), replace(table, columns=columns)


@cache
def _labels(column: Column, language: Language) -> Mapping[str, str]:
    """Code → label, where the label leads back to this code and no other."""
    made = {}
    for code, pair in schema.codes()[column.codes or ""].items():
        label = pair[language == "en"]
        read = cast(pl.Series([label]), column)[0].to_list()
        if read in ([code], [[code]]):
            made[code] = label
    return made
