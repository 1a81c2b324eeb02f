"""Rows to tables of the schema, fast also where a column holds lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from silian.tables.schema import tables

if TYPE_CHECKING:
    from collections.abc import Sequence


def frame(name: str, made: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """A table of the schema from rows that may leave columns out; lists hold no semicolons."""
    schema = tables()[name].polars
    lists = [column for column, kind in schema.items() if kind == pl.List(pl.String)]
    columns = {
        column: [";".join(row[column]) if row.get(column) else None for row in made]
        if column in lists
        else [row.get(column) for row in made]
        for column in schema
    }
    flat = {column: pl.String() if column in lists else kind for column, kind in schema.items()}
    return pl.DataFrame(columns, schema=flat).with_columns(pl.col(column).str.split(";") for column in lists)
