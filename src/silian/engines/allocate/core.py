"""The best choice within rules over many pairs: prices over all of them, branch and bound over those that are near."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import polars as pl

from silian.engines.allocate.constrained import Sides, Within, best_within
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


class Prices(NamedTuple):
    """The linear programme over all pairs: its bound, and what each pair earns beyond the prices of ends and rules."""

    bound: float  # in parts of the largest score; -inf: not even fractions keep the rules
    left: Real  # (pairs,) reduced score
    rule: Real  # (rules,)
    held: Real  # (pairs,) the part of each pair that it takes


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
    prices = _generated(problem, sides, near, scale)
    rules = sides.low.size
    if not np.isfinite(prices.bound):
        nobody = np.zeros(problem.gain.size, np.bool_)
        return Within(nobody, -np.inf, np.zeros(rules), is_feasible=False, is_proved=True)
    unit = scale / problem.unit
    order = np.argsort(-prices.left - (prices.held > _ZERO) * scale, kind="stable")
    size = max(int(_CORE * prices.held.sum()), 1000)
    while True:
        core = np.zeros(problem.gain.size, np.bool_)
        core[order[:size]] = True
        outside = prices.left[order[size]] if size < order.size else -np.inf
        inner = _within_core(problem, sides, core, seconds, tell)
        bound = max(inner.bound, (prices.bound + min(outside, 0.0)) * unit)
        total = float(problem.pairs["score"].to_numpy()[inner.chosen].sum()) if inner.is_feasible else -np.inf
        lack = prices.bound - total / unit * (1 + GAP)  # a pair that lacks more cannot belong to a better choice
        needed = int((prices.left >= -lack).sum()) if inner.is_feasible else 2 * size
        if size >= order.size or (inner.is_feasible and (needed <= size or needed > _MOST * size or seconds)):
            is_proved = inner.is_proved and inner.bound >= bound
            return inner._replace(bound=min(bound, prices.bound * unit), price=prices.rule * unit, is_proved=is_proved)
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
    inside = _inside(sides, core)
    most = np.bincount(_rule_of(inside), inside.weight, inside.low.size)
    binds = (inside.low > 0) | (most > inside.high)
    found = best_within(part, part_of(inside, binds), seconds=seconds, gap=GAP, tell=tell)
    chosen = np.zeros(core.size, np.bool_)
    chosen[np.flatnonzero(core)[found.chosen]] = True
    return found._replace(chosen=chosen)


def _generated(problem: Problem, sides: Sides, near: Real, scale: float) -> Prices:
    """Column generation over the linear programme; in parts of the largest score."""
    rule = _rule_of(sides)
    count = int(_START * min(problem.row_room.sum(), problem.column_room.sum()))
    is_in = near >= np.partition(near, -count)[-count] if count < near.size else np.ones(near.size, np.bool_)
    order = np.lexsort((-near[sides.pair], rule))
    rank = np.arange(order.size) - sides.ptr[rule[order]]
    asked = rank < 2 * np.maximum(sides.low, 0.0)[rule[order]] + 2
    is_in[sides.pair[order[asked & (sides.low > 0)[rule[order]]]]] = True
    gain = problem.gain / scale
    while True:
        found = _linear(problem, sides, gain, is_in)
        if found is None and is_in.all():
            return Prices(-np.inf, gain, np.zeros(sides.low.size), np.zeros(gain.size))
        if found is None:
            is_in[:] = True
            continue
        bound, ends, price, held = found
        paid = np.bincount(sides.pair, price[rule] * sides.weight, gain.size)
        left = gain - paid - ends[problem.row] - ends[problem.row_room.size + problem.column]
        new = ~is_in & (left > _ZERO)
        more = float(left[new].sum())  # a pair comes at most once: the prices prove the bound with so much more
        if more <= _ENOUGH * bound:
            return Prices(bound + more, np.minimum(left, 0.0), price, held)
        is_in |= new


def _linear(problem: Problem, sides: Sides, gain: Real, is_in: Flags) -> tuple[float, Real, Real, Real] | None:
    """Bound, prices of rooms and of rules, and the part of each pair, over some of the pairs; None: cannot be kept."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, vstack

    inside = _inside(sides, is_in)
    rule = _rule_of(inside)
    most = np.bincount(rule, inside.weight, inside.low.size)
    binds = (inside.low > 0) | (most > inside.high)
    rules = part_of(inside, binds)
    count, at = int(is_in.sum()), np.arange(int(is_in.sum()))
    one, ends = np.ones(count), problem.row_room.size + problem.column_room.size
    row = np.concatenate([problem.row[is_in], problem.row_room.size + problem.column[is_in]])
    rooms = csr_array((np.concatenate([one, one]), (row, np.concatenate([at, at]))), shape=(ends, count))
    sign = np.where(rules.low > -np.inf, -1.0, 1.0)
    scale = np.ones(rules.low.size)
    np.maximum.at(scale, _rule_of(rules), rules.weight)
    weight = rules.weight * (sign / scale)[_rule_of(rules)]
    matrix = vstack([rooms, csr_array((weight, rules.pair, rules.ptr), shape=(rules.low.size, count))], format="csr")
    limit = np.where(sign < 0, -rules.low, rules.high) / scale
    room = np.concatenate([problem.row_room, problem.column_room]).astype(np.float64)
    found = linprog(-gain[is_in], A_ub=matrix, b_ub=np.concatenate([room, limit]), bounds=(0, 1), method="highs-ds")
    if found.status != 0:
        return None
    dual = -found.ineqlin.marginals
    price = np.zeros(sides.low.size)
    price[binds] = dual[ends:] * sign / scale
    held = np.zeros(gain.size)
    held[is_in] = found.x
    return -found.fun, dual[:ends], price, held


def _rule_of(sides: Sides) -> Whole:
    return np.repeat(np.arange(sides.low.size), np.diff(sides.ptr))


def _inside(sides: Sides, is_in: Flags) -> Sides:
    """The rules over some of the pairs, numbered anew."""
    place = np.cumsum(is_in) - 1
    held = is_in[sides.pair]
    size = np.bincount(_rule_of(sides)[held], minlength=sides.low.size)
    ptr = np.concatenate([[0], np.cumsum(size)])
    return Sides(ptr, place[sides.pair[held]], sides.weight[held], sides.low, sides.high)
