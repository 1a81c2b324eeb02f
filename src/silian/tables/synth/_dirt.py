"""A few faults as they stand in real lists; none of them grave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from silian.tables.schema import tables
from silian.tables.synth._dice import Dice

if TYPE_CHECKING:
    from collections.abc import Mapping

SHARE: Final = 0.0005  # of the rows, but at least one
_LAST: Final = pl.when(pl.col("value").str.ends_with("1")).then(pl.lit("2")).otherwise(pl.lit("1"))
_SLIP: Final = pl.col("value").str.head(-1) + _LAST  # a wrong last character
# table, column that is spoiled, rows that may be, what comes in, and the column and code that the check gives it
FAULTS: Final = (
    ("organisations", "uscc", pl.col("uscc").is_unique(), _SLIP, "uscc", "check.uscc_check"),
    ("experts", "orcid", pl.lit(value=True), _SLIP, "orcid", "check.orcid"),
    ("organisations", "industry", pl.col("kind") == "enterprise", pl.lit("C99"), "industry", "check.gbt4754"),
    (
        "needs",
        "deadline_on",
        pl.col("posted_on").is_not_null(),
        pl.col("posted_on").dt.offset_by("-20d"),
        "posted_on",
        "check.order",
    ),
)


def soil(seed: int, given: Mapping[str, pl.DataFrame]) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """The tables with faults, and where they are: table, id, column, code."""
    dice = Dice(seed, "faults")
    soiled, listed = dict(given), []
    for name, spoiled, may_be, wrong, column, code in FAULTS:
        table = soiled[name].with_row_index("row").with_columns(value=spoiled)
        able = table.filter(pl.col("value").is_not_null() & may_be)["row"].to_list()
        hit = pl.col("row").is_in(sorted(dice.sample(able, max(1, int(SHARE * table.height)))))
        new = table.with_columns(pl.when(hit).then(wrong).otherwise("value").alias(spoiled))
        soiled[name] = new.drop("row", "value")
        listed += [(name, i, column, code) for i in table.filter(hit)[tables()[name].key[0]].to_list()]
    schema = dict.fromkeys(("table", "id", "column", "code"), pl.String)
    return soiled, pl.DataFrame(listed, schema=schema, orient="row")
