"""Rows of the problems table (schema results/problems): where, what was found, what to do in both languages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from silian.errors import MESSAGES
from silian.tables.region import PROBLEM_SCHEMA, Region, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SHOWN: Final = 80  # characters of a cell that a problem shows; the rest is cut
# Problems of one kind in one column that are listed one by one; a file of nothing but errors must not fill the memory.
LISTED: Final = 100_000


def problem(code: str, *, table: str, file: str, words: object = None, **rest: object) -> pl.DataFrame:
    """One problem: `rest` may give row, column, found and grave; `words` the {names} of the wording."""
    row, column, found = (rest.get(name) for name in ("row", "column", "found"))
    cells = pl.DataFrame({"file": [file], "row": [row], "found": [found]}, schema=_CELLS)
    return problems(code, cells, table=table, column=column, grave=bool(rest.get("grave")), words=words)


_CELLS: Final = pl.Schema({"file": pl.String(), "row": pl.Int64(), "found": pl.String()})


def problems(
    code: str, cells: pl.DataFrame, *, table: str, column: object = None, grave: bool = False, words: object = None
) -> pl.DataFrame:
    """One problem per row of cells (file, row, found), all of one code, table and column.

    `words` are the {names} of the wording of the code: a mapping used for both languages, or a pair of mappings
    (English, Chinese).
    """
    english, chinese = words if isinstance(words, tuple) else (words or {}, words or {})
    remedy, remedy_zh = MESSAGES[code]
    whole = cells.select(
        pl.lit(table).alias("table"),
        "file",
        "row",
        pl.lit(column, dtype=pl.String).alias("column"),
        pl.lit(code).alias("code"),
        shown("found"),
        pl.lit(remedy.format(**english)).alias("remedy"),
        pl.lit(remedy_zh.format(**chinese)).alias("remedy_zh"),
        pl.lit(grave).alias("grave"),
    )
    return whole.select(pl.col(name).cast(kind) for name, kind in PROBLEM_SCHEMA.items())


def listed(
    code: str, cells: pl.DataFrame, *, table: str, column: str, grave: bool = False, words: object = None
) -> pl.DataFrame:
    """`problems`, but past LISTED rows only their number is given, as one row of read.more."""
    first = problems(code, cells.head(LISTED), table=table, column=column, grave=grave, words=words)
    if cells.height <= LISTED:
        return first
    more = problem(
        "read.more", table=table, file=cells["file"][LISTED], column=column, found=f"{cells.height - LISTED} × {code}",
        grave=grave,
    )  # fmt: skip
    return pl.concat([first, more])


def shown(column: str) -> pl.Expr:
    """A cell cut to SHOWN characters, on one line."""
    text = pl.col(column).cast(pl.String).str.head(SHOWN + 1).str.replace_all(r"\s+", " ")
    return pl.when(text.str.len_chars() > SHOWN).then(text.str.head(SHOWN - 1) + "…").otherwise(text).alias(column)


def gathered(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """All parts as one problems table, grave ones first, then by table, file, row, column and code."""
    whole = pl.concat([pl.DataFrame(schema=PROBLEM_SCHEMA), *parts])
    order = ["grave", "table", "file", "row", "column", "code"]
    return whole.sort(order, descending=[True, *[False] * 5], nulls_last=False, maintain_order=True)


def places(region: Region, table: str) -> pl.DataFrame:
    """The file and row of every row of a table: file, row.

    A region that was not read from files shows the table's name and the row that `write_region` would give it.
    """
    height = region[table].height
    sources = region.sources.get(table, ())
    if sum(source.rows for source in sources) != height:
        sources = (Source(file=table, first_row=2, rows=height),)
    runs = pl.DataFrame(
        {"file": [s.file for s in sources], "first_row": [s.first_row for s in sources],
         "rows": [s.rows for s in sources]},
        schema={"file": pl.String(), "first_row": pl.Int64(), "rows": pl.Int64()},
    )  # fmt: skip
    numbers = runs.with_columns(row=pl.int_ranges("first_row", pl.col("first_row") + pl.col("rows")))
    return numbers.filter(pl.col("rows") > 0).explode("row").select("file", "row")


def sources_of(cells: pl.DataFrame) -> tuple[Source, ...]:
    """The shortest runs of consecutive rows of one file that give these places (file, row), in order."""
    if cells.is_empty():
        return ()
    new_run = (pl.col("file") != pl.col("file").shift()) | (pl.col("row") != pl.col("row").shift() + 1)
    runs = cells.with_columns(run=new_run.fill_null(value=True).cast(pl.Int64).cum_sum())
    each = runs.group_by("run", maintain_order=True).agg(pl.col("file").first(), pl.col("row").first(), n=pl.len())
    return tuple(Source(file=f, first_row=r, rows=n) for _, f, r, n in each.iter_rows())


def names_near(name: str, known: Sequence[str]) -> str:
    """Up to three known names that are spelt most like this one."""
    from difflib import get_close_matches

    near = get_close_matches(name[:SHOWN], list(known), n=3, cutoff=0.5)
    return ", ".join(near or list(known)[:3])
