"""The tables of an assignment, checked, and as a graph in whole numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from silian.engines import _inputs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]

# Scores are read to so many decimal places of the power of ten at or above the largest one: 0.1 + 0.2 and 0.3 are
# then one number, sums are exact in 64 bits up to 9 million pairs, and nobody can tell 1e-12 of a score anyway.
DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Problem:
    """Pairs as a graph in whole numbers: rows are needs, columns experts, both in order of their ids."""

    demand: pl.DataFrame
    capacity: pl.DataFrame
    pairs: pl.DataFrame  # need, expert (codes), score, gain; sorted by the two codes
    unit: float  # gain = score · unit
    start: Whole
    row: Whole
    column: Whole
    gain: Whole
    row_room: Whole
    column_room: Whole


def room(table: pl.DataFrame, name: str, key: str, count: str) -> pl.DataFrame:
    """A table of ids and counts, checked and sorted by id."""
    table = _inputs.columns(table, name, {key: "id", count: "count"})
    _inputs.refuse(table, name, count, pl.col(count) < 0, found="below 0", wanted="a count of 0 or more")
    _inputs.refuse_duplicates(table, name, [key])
    return table.sort(key)


def checked(
    pairs: pl.DataFrame, demand: pl.DataFrame, capacity: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Pairs with their codes (need, expert), demand and capacity, all sorted by id."""
    pairs = _inputs.columns(pairs, "pairs", {"need_id": "id", "expert_id": "id", "score": "number"})
    demand = room(demand, "demand", "need_id", "wanted")
    capacity = room(capacity, "capacity", "expert_id", "free")
    _inputs.refuse(pairs, "pairs", "score", ~pl.col("score").is_finite(), found="not finite", wanted="a finite number")
    coded = pairs.join(demand.select("need_id").with_row_index("need"), on="need_id", how="left").join(
        capacity.select("expert_id").with_row_index("expert"), on="expert_id", how="left"
    )
    if coded["need"].null_count():
        _inputs.refuse_unknown(pairs, "pairs", "need_id", demand["need_id"], "demand")
    if coded["expert"].null_count():
        _inputs.refuse_unknown(pairs, "pairs", "expert_id", capacity["expert_id"], "capacity")
    coded = coded.sort("need", "expert")
    if coded.select(is_twice=(pl.col("need").diff() == 0) & (pl.col("expert").diff() == 0))["is_twice"].any():
        _inputs.refuse_duplicates(pairs, "pairs", ["need_id", "expert_id"])
    return coded, demand, capacity


def barred_pairs(pairs: pl.DataFrame, conflicts: pl.DataFrame | None) -> pl.Series:
    """Which pairs are in conflict."""
    if conflicts is None:
        return pl.repeat(value=False, n=pairs.height, dtype=pl.Boolean, eager=True)
    barred = _inputs.columns(conflicts, "conflicts", {"need_id": "id", "expert_id": "id"}).unique()
    marked = pairs.join(
        barred.with_columns(barred=True), on=["need_id", "expert_id"], how="left", maintain_order="left"
    )
    return marked["barred"].fill_null(value=False)


def unit_of(largest: float) -> float:
    """How many whole units a score of 1 has, where `largest` > 0 is the largest score."""
    return float(10.0 ** (DIGITS - math.ceil(math.log10(largest))))


def problem_of(pairs: pl.DataFrame, demand: pl.DataFrame, capacity: pl.DataFrame) -> Problem:
    """The pairs that can add something, as a graph in whole numbers."""
    largest = pairs["score"].max() if pairs.height else None
    unit = unit_of(largest) if isinstance(largest, float) and largest > 0 else 1.0
    gains = (pl.col("score") * unit).round(mode="half_to_even").cast(pl.Int64)
    worth = pairs.filter(pl.col("score") > 0).with_columns(gain=gains).filter(pl.col("gain") > 0)
    row = worth["need"].cast(pl.Int64).to_numpy()
    return Problem(
        demand=demand,
        capacity=capacity,
        pairs=worth,
        unit=unit,
        start=np.searchsorted(row, np.arange(demand.height + 1)).astype(np.int64),
        row=row,
        column=worth["expert"].cast(pl.Int64).to_numpy(),
        gain=worth["gain"].to_numpy(),
        row_room=demand["wanted"].to_numpy(),
        column_room=capacity["free"].to_numpy(),
    )


def whole_sum(values: Whole) -> int:
    """Exact sum of whole numbers >= 0, however many."""
    return (int((values >> 32).sum()) << 32) + int((values & 0xFFFFFFFF).sum())
