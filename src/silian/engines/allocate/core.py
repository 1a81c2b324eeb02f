"""The best choice within rules over many pairs: prices over all of them, branch and bound over those that are near."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from silian.engines.allocate.columns import Program, priced
from silian.engines.allocate.constrained import Sides, Within, best_within, inside, network_rows, rule_of, scale_of
from silian.engines.allocate.rules import part_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from silian.engines.allocate.problem import Problem

    Whole = NDArray[np.int64]
    Real = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Tell = Callable[[float, str], None]

GAP: Final = 1e-3  # of the total: branch and bound over the core stops here
_MOST: Final = 4  # the core grows no further than so many times: then fractions, not pairs left out, keep the gap open
_START: Final = 4  # pairs of the first linear programme, per pair that the network chose
_CORE: Final = 3  # pairs of the first core, per pair that the linear programme takes
_ZERO: Final = 1e-9
_ENOUGH: Final = 1e-6  # of the bound: what columns that are still called for may add to it


def best_in_core(
    problem: Problem, sides: Sides, near: Real, *, seconds: float | None = None, tell: Tell | None = None
) -> Within:
    """The choice with the best total within rooms and rules, within GAP of the best wherever that is found in time.

    near : (pairs,) how near each pair is to be chosen, by the prices of the network alone
    seconds, tell : as in `best_within`

    The linear programme over all pairs is solved by column generation: over the nearest pairs, then with those that
    its prices call for. Its prices bound what any choice with a pair outside the core can reach: the programme's bound
    less what the pair lacks. Branch and bound sees the core alone, and the larger of the two bounds holds for all.
    Where that is what keeps the gap open, the core takes in all pairs that could belong to a better choice, once.
    """
    scale = float(problem.gain.max())
    if tell is not None:
        tell(0.0, "prices of the rules")
    rows, low, high = network_rows(problem, sides)
    program = Program(problem.gain / scale, rows, low, high)
    prices = priced(program, _start(problem, sides, near), enough=_ENOUGH * float(problem.row_room.sum()))
    if not np.isfinite(prices.bound):
        nobody = np.zeros(problem.gain.size, np.bool_)
        return Within(nobody, -np.inf, np.zeros(sides.low.size), is_feasible=False, is_proved=True)
    unit = scale / problem.unit
    price = prices.price[low.size - sides.low.size :] / scale_of(sides) * unit
    order = np.argsort(-prices.left - (prices.held > _ZERO) * scale, kind="stable")
    size = max(int(_CORE * prices.held.sum()), 1000)
    while True:
        core = np.zeros(problem.gain.size, np.bool_)
        core[order[:size]] = True
        outside = min(prices.left[order[size]], 0.0) if size < order.size else -np.inf
        inner = _within_core(problem, sides, core, seconds, tell)
        bound = max(inner.bound, (prices.bound + outside) * unit)
        total = float(problem.pairs["score"].to_numpy()[inner.chosen].sum()) if inner.is_feasible else -np.inf
        lack = prices.bound - total / unit * (1 + GAP)  # a pair that lacks more cannot belong to a better choice
        needed = int((prices.left >= -lack).sum()) if inner.is_feasible else 2 * size
        if size >= order.size or (inner.is_feasible and (needed <= size or needed > _MOST * size or seconds)):
            is_proved = inner.is_proved and inner.bound >= bound
            return inner._replace(bound=min(bound, prices.bound * unit), price=price, is_proved=is_proved)
        size = needed


def _within_core(problem: Problem, sides: Sides, core: Flags, seconds: float | None, tell: Tell | None) -> Within:
    """The best choice among the pairs of the core."""
    row = problem.row[core]
    part = replace(
        problem,
        pairs=problem.pairs.filter(pl.Series(core)),
        start=np.searchsorted(row, np.arange(problem.row_room.size + 1)).astype(np.int64),
        row=row,
        column=problem.column[core],
        gain=problem.gain[core],
    )
    within = inside(sides, core)
    most = np.bincount(rule_of(within), within.weight, sides.low.size)
    binds = (sides.low > 0) | (most > sides.high)
    found = best_within(part, part_of(within, binds), seconds=seconds, gap=GAP, tell=tell)
    chosen = np.zeros(core.size, np.bool_)
    chosen[np.flatnonzero(core)[found.chosen]] = True
    return found._replace(chosen=chosen)


def _start(problem: Problem, sides: Sides, near: Real) -> Flags:
    """The nearest pairs, and for each lower limit those that could fill it."""
    rule = rule_of(sides)
    count = int(_START * min(problem.row_room.sum(), problem.column_room.sum()))
    is_in = near >= np.partition(near, -count)[-count] if count < near.size else np.ones(near.size, np.bool_)
    order = np.lexsort((-near[sides.pair], rule))
    rank = np.arange(order.size) - sides.ptr[rule[order]]
    asked = rank < 2 * np.maximum(sides.low, 0.0)[rule[order]] + 2
    is_in[sides.pair[order[asked & (sides.low > 0)[rule[order]]]]] = True
    return is_in
