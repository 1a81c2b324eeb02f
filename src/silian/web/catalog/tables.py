"""The one door between the rows of the database and the tables that engines take."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from django.db import transaction

from silian.tables import Region
from silian.web.catalog.duplicates.blocking import build_keys
from silian.web.catalog.fields import is_never_null, record_id
from silian.web.catalog.homes import FOLLOWED, Home, followed, homes, plant
from silian.web.catalog.models import MODELS, Record, Unindexed
from silian.web.catalog.topics import due

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

BATCH: Final = 500  # rows a statement
NONE: Final[Mapping[str, pl.DataType]] = MappingProxyType({})
# What a record carries beside its columns and a writer needs to know.
BESIDE: Final[Mapping[str, pl.DataType]] = MappingProxyType(
    {"version": pl.Int64(), "owner_id": pl.String(), "place_id": pl.String(), "state": pl.String()}
)


def write_region(region: Region) -> None:
    """Put every row of a region into an empty registry, published, in one transaction.

    Parameters
    ----------
    region : without grave problems: its keys are unique and its references exist (see `tables.check`)
    """
    with transaction.atomic():
        Unindexed.put_all()
        due.put_all()
        plant(region["districts"].iter_rows(named=True))
        known: dict[str, dict[str, Home]] = {}
        for noun, model in MODELS.items():
            rows = list(region[noun].iter_rows(named=True))
            column = followed(noun)
            at_hand = known.get(FOLLOWED[column], {}) if column else None
            found = homes(noun, rows, known=at_hand)
            made = [_made(model, row, home) for row, home in zip(rows, found, strict=True)]
            known[noun] = {record.pk: home for record, home in zip(made, found, strict=True)}
            model.objects.bulk_create(made, batch_size=BATCH)
        build_keys()


def read_region() -> Region:
    """The registry's published records as a region for the main job."""
    return Region.of({name: table_of(name) for name in MODELS})


def table_of(
    noun: str, *, states: tuple[str, ...] | None = (Record.State.PUBLISHED,), beside: Mapping[str, pl.DataType] = NONE
) -> pl.DataFrame:
    """The records of one noun, as its schema says, in the order of their keys.

    Parameters
    ----------
    states : of these states only; of all where None
    beside : further columns of the record, such as BESIDE
    """
    model = MODELS[noun]
    return frame_of(model.objects.all() if states is None else model.objects.filter(state__in=states), beside=beside)


def frame_of(records: QuerySet[Record], *, beside: Mapping[str, pl.DataType] = NONE) -> pl.DataFrame:
    """Some records of one noun as `table_of` gives all of them."""
    table = records.model.table
    types = dict(table.polars) | dict(beside)
    rows = records.order_by(*table.key).values_list(*types)
    made = pl.DataFrame(list(rows), schema=types, orient="row")
    texts = [c.name for c in table.columns if c.type in ("text", "code", "id")]
    lists = [c.name for c in table.columns if c.type == "list"]
    return made.with_columns(
        *(pl.when(pl.col(n) != "").then(pl.col(n)) for n in texts),
        *(pl.when(pl.col(n).list.len() > 0).then(pl.col(n)) for n in lists),
    )


def _made(model: type[Record], row: Mapping[str, Any], home: Home) -> Record:
    empty: dict[str, Any] = {c.name: [] if c.type == "list" else "" for c in model.table.columns if is_never_null(c)}
    values = empty | {name: value for name, value in row.items() if value is not None}
    if len(model.table.key) > 1:
        values["key"] = record_id(model.table, row)
    return model(**values, owner_id=home.owner_id, place_id=home.place_id)
