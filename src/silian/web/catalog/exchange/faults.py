"""The rows of a file that have problems, handed back so that just these are repaired and brought again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from silian import tables
from silian.tables import schema
from silian.web.catalog.exchange.comparing import heading_of
from silian.web.catalog.exchange.workbooks import CELL, Sheet, write_book

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST: Final = 100_000  # rows of a sheet
REPAIRED: Final = "read-"


def write_faulty(folder: Path, problems: pl.DataFrame, path: Path, *, language: schema.Language) -> bool:
    """Write a workbook of the rows that were left out, as they stand, and what is wrong in each; whether there are any.

    Parameters
    ----------
    folder : the tables as they were brought
    problems : of `compare`; those that are blocking say which rows
    """
    told = _told(problems, language)
    if told.is_empty():
        return False
    cells = tables.read_cells(folder)
    sheets = []
    for noun in told["table"].unique(maintain_order=True):
        table, own = schema.tables()[noun], told.filter(pl.col("table") == noun)
        rows = cells[noun].join(own.select("file", "row", "told"), on=["file", "row"], how="inner").head(MOST)
        names = [c.name for c in table.columns if c.name in rows.columns]
        heading = [*(table[name].label(language) for name in names), heading_of(table, language)]
        sheets.append(Sheet(table.label(language), heading, _cut(rows.select(*names, "told"))))
    write_book(path, sheets)
    return True


def _told(problems: pl.DataFrame, language: schema.Language) -> pl.DataFrame:
    """table, file, row and, in one text, what is wrong there."""
    blocking = problems.filter(pl.col("is_blocking") & pl.col("row").is_not_null())
    labels = {f"{t.name}.{c.name}": c.label(language) for t in schema.tables().values() for c in t.columns}
    remedy = pl.col("remedy" if language == "en" else "remedy_zh")
    place = pl.concat_str("table", "column", separator=".").replace_strict(labels, default=pl.col("column"))
    text = pl.concat_str(place.fill_null(""), pl.lit(": " if language == "en" else "："), remedy)
    lines = blocking.with_columns(told=text).group_by("table", "file", "row", maintain_order=True)
    return lines.agg(pl.col("told").unique(maintain_order=True).str.join("\n"))


def _cut(rows: pl.DataFrame) -> Iterator[tuple[Any, ...]]:
    for row in rows.iter_rows():
        yield tuple(value[:CELL] if isinstance(value, str) else value for value in row)
