"""The price of fairness: what a floor under every need's score costs in points of the total."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import polars as pl

from silian.engines.allocate.assigning import assign
from silian.errors import ArgumentError

if TYPE_CHECKING:
    from silian.engines.allocate.rules import Rules
    from silian.engines.allocate.solving import Tell


def fairness_curve(
    pairs: pl.DataFrame,
    demand: pl.DataFrame,
    capacity: pl.DataFrame,
    *,
    conflicts: pl.DataFrame | None = None,
    rules: Rules | None = None,
    steps: int = 4,
    seconds: float | None = None,
    tell: Tell | None = None,
) -> pl.DataFrame:
    """What floors cost in total score: none, then from the smallest score of the best total to the largest floor.

    Parameters
    ----------
    pairs, demand, capacity, conflicts, rules : as `assign` takes them
    steps : >= 1; floors after none, evenly apart; the last is the largest
    seconds : > 0; the longest that one floor may take, about; None: to the end
    tell : told the part that is done (0 to 1) and what goes on

    Returns
    -------
    floor (score that every protected need has at least; 0: none asked), smallest_score (the smallest sum of scores of
        one need that wants somebody), total (score), bound (score; no allocation above the floor has more), price
        (score: the total without a floor less this one), price_share (of the total without a floor, 0 where that is
        0); one row per floor, ascending

    Raises
    ------
    ArgumentError : argument.value if steps is below 1; the errors of `assign`

    Notes
    -----
    Each floor is solved by `assign(..., floor=…)`, except where the best choice above a lower floor reaches it too:
    that is then the best above both. Cost: at most steps + 1 times `assign`; 2,000 needs x 3,000 experts x 20
    candidates 0.5 to 1.4 s for 5 points (bench_allocate).
    Source: D. Bertsimas, V. F. Farias, N. Trichakis (2011), The price of fairness, Operations Research 59(1).

    Examples
    --------
    >>> pairs = pl.DataFrame({"need_id": ["n1", "n1", "n2"], "expert_id": ["e1", "e2", "e2"], "score": [0.9, 0.8, 0.3]})
    >>> demand = pl.DataFrame({"need_id": ["n1", "n2"], "wanted": [2, 1]})
    >>> capacity = pl.DataFrame({"expert_id": ["e1", "e2"], "free": [1, 1]})
    >>> fairness_curve(pairs, demand, capacity, steps=1).select("floor", "total").rows()
    [(0.0, 1.7000000000000002), (0.3, 1.2)]
    """
    if steps < 1:
        raise ArgumentError("argument.value", name="steps", found=steps, wanted="a count of 1 or more")
    tables, turns = (pairs, demand, capacity), steps + 1

    def proof(turn: int, goal: Literal["total", "fair"], floor: float | None = None) -> pl.DataFrame:
        told = None if tell is None else lambda done, words: tell((turn + done) / turns, words)
        result = assign(*tables, conflicts=conflicts, rules=rules, goal=goal, floor=floor, seconds=seconds, tell=told)
        return result.proof

    best, fair = proof(0, "total"), proof(1, "fair")
    largest = fair["floor"][0]
    least = min(best["smallest_score"][0] or 0.0, largest)
    above: list[pl.DataFrame] = []
    for step in range(1, steps if largest > least else 0):
        floor = least + (largest - least) * step / steps
        last = above[-1] if above else best
        is_kept = last["is_optimal"][0] and last["smallest_score"][0] >= floor
        above.append(last.with_columns(floor=pl.lit(floor)) if is_kept else proof(step + 1, "fair", floor))
    rows = pl.concat([best, *above, *([fair] if largest > least else [])])
    if tell is not None:
        tell(1.0, "done")
    total = best["total"][0]
    share = pl.col("price") / total if total > 0 else pl.lit(0.0)
    return rows.select(
        pl.col("floor").fill_null(0.0), "smallest_score", "total", "bound", price=total - pl.col("total")
    ).with_columns(price_share=share)
