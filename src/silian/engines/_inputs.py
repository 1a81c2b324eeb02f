"""What the engines ask of a table that is handed to them: columns, types, values, keys, references."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import polars as pl

from silian.errors import TableError

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["id", "count", "number", "date", "list", "flag"]

_TYPES = {
    "id": pl.String(),
    "count": pl.Int64(),
    "number": pl.Float64(),
    "date": pl.Date(),
    "list": pl.List(pl.String()),
    "flag": pl.Boolean(),
}
_SHOWN = 3  # bad values quoted in an error; the whole rows ride along


def columns(
    table: pl.DataFrame,
    name: str,
    required: Mapping[str, Kind],
    *,
    nullable: Mapping[str, Kind] = MappingProxyType({}),
    optional: Mapping[str, Kind] = MappingProxyType({}),
) -> pl.DataFrame:
    """These columns of a table, in this order, cast to the kind's type.

    Parameters
    ----------
    table : any; more columns are left out, a column of a table without rows may have any type
    name : how the caller knows the table, for the wording of errors
    required : column → kind, without nulls
    nullable : column → kind; must be there, may hold nulls
    optional : column → kind; all null where it is not there

    Raises
    ------
    TableError : table.columns, table.type, table.value (nulls)
    """
    missing = [column for column in (*required, *nullable) if column not in table.columns]
    if missing:
        raise TableError("table.columns", table=name, missing=missing, present=table.columns)
    wanted = {**required, **nullable, **optional}
    lacking = [pl.lit(None).alias(column) for column in optional if column not in table.columns]
    table = table.with_columns(lacking).select(list(wanted))
    for column, kind in wanted.items():
        if table.height and not _fits(table.schema[column], kind):
            found, want = str(table.schema[column]), str(_TYPES[kind])
            raise TableError("table.type", table=name, column=column, found=found, wanted=want)
    taken = table.select(pl.col(column).cast(_TYPES[kind]) for column, kind in wanted.items())
    for column in required:
        refuse(taken, name, column, pl.col(column).is_null(), found="empty", wanted="a value")
    return taken


def refuse(table: pl.DataFrame, name: str, column: str, bad: pl.Expr, *, found: str, wanted: str) -> None:
    """Raise table.value, naming `column`, if any row is bad."""
    rows = table.filter(bad)
    if rows.height:
        shown = rows[column].head(_SHOWN).to_list()
        raise TableError(
            "table.value",
            table=name,
            column=column,
            count=rows.height,
            found=found,
            shown=shown,
            wanted=wanted,
            problems=rows,
        )


def refuse_duplicates(table: pl.DataFrame, name: str, key: list[str]) -> None:
    """Raise table.duplicate if a key stands more than once."""
    rows = table.filter(table.select(key).is_duplicated()).sort(key)
    if rows.height:
        keys = rows.select(key).unique(maintain_order=True)
        shown = keys.head(_SHOWN).rows() if len(key) > 1 else keys[key[0]].head(_SHOWN).to_list()
        joined = ", ".join(key)
        raise TableError("table.duplicate", table=name, column=joined, count=keys.height, shown=shown, problems=rows)


def refuse_unknown(table: pl.DataFrame, name: str, column: str, known: pl.Series, where: str) -> None:
    """Raise table.unknown if a value of the column, nulls aside, is not among the known."""
    rows = table.filter(pl.col(column).is_not_null() & ~pl.col(column).is_in(known.implode()))
    if rows.height:
        values = rows[column].unique(maintain_order=True)
        shown = values.head(_SHOWN).to_list()
        raise TableError(
            "table.unknown", table=name, column=column, count=values.len(), where=where, shown=shown, problems=rows
        )


def _fits(found: pl.DataType, kind: Kind) -> bool:
    fits = {
        "id": found in (pl.String, pl.Categorical, pl.Enum),
        "count": found.is_integer(),
        "number": found.is_numeric(),
        "date": found == pl.Date,
        "list": found in (pl.List(pl.String), pl.List(pl.Null)),
        "flag": found == pl.Boolean,
    }
    return found == pl.Null or fits[kind]
