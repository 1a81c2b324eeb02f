"""A few faults as they stand in real lists; none of them grave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from silian.tables.schema import tables
from silian.tables.synth._dice import Dice

if TYPE_CHECKING:
    from collections.abc import Mapping

SHARE: Final = 0.0005  # of the rows, but at least one
FAULTS: Final = (  # table, column, code of the check that finds it
    ("organisations", "uscc", "check.uscc_check"),
    ("experts", "orcid", "check.orcid"),
    ("needs", "posted_on", "check.order"),
    ("organisations", "industry", "check.gbt4754"),
)


def soil(seed: int, given: Mapping[str, pl.DataFrame]) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """The tables with faults, and where they are: table, id, column, code."""
    dice = Dice(seed, "faults")
    soiled, listed = dict(given), []
    for name, column, code in FAULTS:
        table = soiled[name].with_row_index("row")
        key = tables()[name].key[0]
        able = table.filter(pl.col(column).is_not_null() & pl.col(column).is_unique())
        if name == "needs":
            able = table.filter(pl.col("posted_on").is_not_null() & pl.col("deadline_on").is_not_null())
        if column == "industry":
            able = table.filter(pl.col("kind") == "enterprise")
        rows = sorted(dice.sample(able["row"].to_list(), max(1, int(SHARE * table.height))))
        hit = pl.col("row").is_in(rows)
        soiled[name] = table.with_columns(pl.when(hit).then(_wrong(column)).otherwise(column).alias(column)).drop("row")
        listed += [(name, i, column, code) for i in table.filter(hit)[key].to_list()]
    schema = dict.fromkeys(("table", "id", "column", "code"), pl.String)
    return soiled, pl.DataFrame(listed, schema=schema, orient="row")


def _wrong(column: str) -> pl.Expr:
    """A slip of the hand in a cell."""
    if column == "posted_on":  # the two dates in each other's cell, near enough
        return pl.col("deadline_on").dt.offset_by("20d")
    if column == "industry":
        return pl.lit("C99")
    last = pl.col(column).str.slice(-1)
    return pl.col(column).str.head(-1) + pl.when(last == "1").then(pl.lit("2")).otherwise(pl.lit("1"))
