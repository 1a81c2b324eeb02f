"""The best allocation where linear rules stand beside the network: at least, at most, over any set of pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from silian.engines.allocate.problem import Problem

    Whole = NDArray[np.int64]
    Real = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Tell = Callable[[float, str], None]

# HiGHS stops at a gap of 1e-6 of its own objective: with the largest score read as so much, 1e-8 of the largest score.
SCALE: Final = 100.0
# An answer counts as the best when it is so near its bound, per pair that it holds, as parts of the largest score.
TOLERANCE: Final = 1e-6
# HiGHS takes 0.999999 for 1, so that a rule with large weights can be passed: such a choice is cut off, so often.
_TRIES: Final = 50


class Sides(NamedTuple):
    """Linear rules beside the network: low[k] <= Σ weight[p] · chosen[pair[p]] <= high[k], ptr[k] <= p < ptr[k + 1]."""

    ptr: Whole  # (rules + 1,)
    pair: Whole  # places in problem.pairs
    weight: Real
    low: Real  # (rules,), -inf: none
    high: Real  # (rules,), inf: none


class Within(NamedTuple):
    """The best choice within the rules, or the best that was found in the time."""

    chosen: Flags  # (pairs,); none where nothing was found
    bound: float  # no choice within the rules has a larger total, in score
    price: (
        Real  # (rules,) what one more of high[k] would add to the total (> 0), or one less of low[k] (as a number < 0)
    )
    is_feasible: bool  # chosen keeps every rule; with is_proved, False means that no choice does
    is_proved: bool


def best_within(
    problem: Problem,
    sides: Sides,
    *,
    seconds: float | None = None,
    nodes: int | None = None,
    gap: float = 0.0,
    tell: Tell | None = None,
) -> Within:
    """The choice of pairs with the best total within rooms and rules.

    seconds : the longest that it may take; then the best that was found, with the bound as far as it is proved
    nodes : the most branches that are looked at: a limit that gives the same answer on every machine
    gap : part of the total within which the search may stop
    tell : told the part that is done, and what goes on

    The linear program gives the prices of the rules and a first bound, branch and bound the choice (scipy's HiGHS).
    The choice is checked in whole numbers where a rule's weights are whole; with other weights a rule may be passed
    by 1e-9 of the weights that it adds up. Proved means: within 1e-6 of the largest score of the best total.
    """
    if problem.gain.size == 0:
        return _without_pairs(sides)
    if tell is not None:
        tell(0.0, "prices of the rules")
    rows, low, high = network_rows(problem, sides)
    cost = problem.gain * (-SCALE / problem.gain.max())
    score = problem.gain.max() / problem.unit / SCALE
    bound, price = _relaxed(cost, rows, low, high)
    rules = sides.low.size
    price = price[-rules:] / scale_of(sides) * score if rules else np.zeros(0)
    none = np.zeros(problem.gain.size, np.bool_)
    if not np.isfinite(bound):
        return Within(none, -np.inf, np.zeros(rules), is_feasible=False, is_proved=True)
    if tell is not None:
        tell(0.3, "branch and bound")
    options = _options(seconds, nodes, gap)
    chosen, best, is_closed = branched(sides, cost, (rows, low, high), options)
    bound = min(bound, best)
    if chosen is None:
        return Within(none, bound * score, price, is_feasible=False, is_proved=is_closed)
    total = -float(cost[chosen].sum())
    is_proved = bound - total <= TOLERANCE * SCALE
    return Within(chosen, max(bound, total) * score, price, is_feasible=True, is_proved=is_proved)


def keeps(sides: Sides, chosen: Flags) -> Flags:
    """Which rules a choice keeps: exactly where weights are whole numbers, else within 1e-9 of what they add up."""
    kept: Flags = _excess(sides, chosen) == 0
    return kept


def _excess(sides: Sides, chosen: Flags) -> Real:
    """By how much a choice passes each rule, 0 where it keeps it."""
    rule = rule_of(sides)
    held = np.where(chosen[sides.pair], sides.weight, 0.0)
    added = np.bincount(rule, held, sides.low.size)
    is_whole = np.bincount(rule, sides.weight != np.rint(sides.weight), sides.low.size) == 0
    slack = np.where(is_whole, 0.0, 1e-9 * np.bincount(rule, np.abs(held), sides.low.size))
    excess = np.maximum(sides.low - added, added - sides.high)
    return np.where(excess > slack, excess, 0.0)


def inside(sides: Sides, is_in: Flags) -> Sides:
    """The rules over some of the pairs, numbered anew."""
    place, held = np.cumsum(is_in) - 1, is_in[sides.pair]
    size = np.bincount(rule_of(sides)[held], minlength=sides.low.size)
    ptr = np.concatenate([[0], np.cumsum(size)])
    return Sides(ptr, place[sides.pair[held]], sides.weight[held], sides.low, sides.high)


def rule_of(sides: Sides) -> Whole:
    """The rule of each entry."""
    return np.repeat(np.arange(sides.low.size), np.diff(sides.ptr))


def scale_of(sides: Sides) -> Real:
    """The largest weight of each rule: HiGHS reads tolerances in the unit of a row."""
    largest = np.zeros(sides.low.size)
    np.maximum.at(largest, rule_of(sides), np.abs(sides.weight))
    return np.where(largest > 0, largest, 1.0)


def _without_pairs(sides: Sides) -> Within:
    is_feasible = bool(((sides.low <= 0) & (sides.high >= 0)).all())
    bound = 0.0 if is_feasible else -np.inf
    return Within(np.zeros(0, np.bool_), bound, np.zeros(sides.low.size), is_feasible, is_proved=True)


def network_rows(problem: Problem, sides: Sides) -> tuple[csr_array, Real, Real]:
    """Rooms of needs, rooms of experts, then the rules, as rows of a matrix over the pairs with their low and high."""
    from scipy.sparse import csr_array, vstack

    count = problem.gain.size
    at, one = np.arange(count), np.ones(count)
    rule, scale = rule_of(sides), scale_of(sides)
    needs = csr_array((one, (problem.row, at)), shape=(problem.row_room.size, count))
    experts = csr_array((one, (problem.column, at)), shape=(problem.column_room.size, count))
    rules = csr_array((sides.weight / scale[rule], sides.pair, sides.ptr), shape=(sides.low.size, count))
    room = np.concatenate([problem.row_room, problem.column_room]).astype(np.float64)
    low = np.concatenate([np.full(room.size, -np.inf), sides.low / scale])
    return vstack([needs, experts, rules], format="csr"), low, np.concatenate([room, sides.high / scale])


def _relaxed(cost: Real, rows: csr_array, low: Real, high: Real) -> tuple[float, Real]:
    """The linear program's best total (-inf: none) and the price of each row, in the scale of the cost."""
    from scipy.optimize import linprog
    from scipy.sparse import vstack

    has_low, has_high = np.isfinite(low), np.isfinite(high)
    matrix = vstack([rows[has_high], -rows[has_low]], format="csr")
    found = linprog(cost, A_ub=matrix, b_ub=np.concatenate([high[has_high], -low[has_low]]), bounds=(0, 1))
    price = np.zeros(low.size)
    if found.status != 0:
        return (-np.inf if found.status == 2 else np.inf), price
    price[has_high] -= found.ineqlin.marginals[: has_high.sum()]
    price[has_low] += found.ineqlin.marginals[has_high.sum() :]
    return -found.fun, price


def _options(seconds: float | None, nodes: int | None, gap: float) -> dict[str, float]:
    limits = {"time_limit": seconds, "node_limit": nodes}
    return {"mip_rel_gap": gap} | {name: limit for name, limit in limits.items() if limit is not None}


def branched(
    sides: Sides, cost: Real, rows: tuple[csr_array, Real, Real], options: dict[str, float]
) -> tuple[Flags | None, float, bool]:
    """A choice that keeps every rule (None: none was found), the bound that was proved, whether the search is over.

    cost : (columns,) to be least; rows : a matrix over the columns with its low and high limits, which holds the rules
    Columns that no rule knows may follow the pairs.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import vstack

    matrix, low, high = rows
    bound = np.inf
    for _ in range(_TRIES):
        constraints = LinearConstraint(matrix, low, high)
        whole = np.ones(cost.size)
        found = milp(cost, integrality=whole, bounds=Bounds(0, 1), constraints=constraints, options=options)
        if found.mip_dual_bound is not None:
            bound = min(bound, -found.mip_dual_bound)
        if found.x is None:
            return None, bound, found.status == 2
        chosen = found.x > 0.5
        cuts = _cuts(sides, chosen)
        if cuts.shape[0] == 0:
            return chosen, bound, found.status == 0
        held = cuts.maximum(0).sum(axis=1) - 1
        matrix = vstack([matrix, cuts], format="csr")
        low, high = np.concatenate([low, np.full(held.size, -np.inf)]), np.concatenate([high, held])
    return None, bound, False


def _cuts(sides: Sides, chosen: Flags) -> csr_array:
    """For each rule that a choice breaks, a row that holds it off and no choice that keeps the rule.

    Of the pairs that push the sum over its end one must go, or one that pulls it back must come.
    """
    from scipy.sparse import csr_array

    excess = _excess(sides, chosen)
    parts = [np.arange(sides.ptr[k], sides.ptr[k + 1]) for k in np.flatnonzero(excess)]
    at = np.concatenate(parts) if parts else np.zeros(0, np.int64)
    row = np.repeat(np.arange(len(parts)), [part.size for part in parts])
    rule, pair = rule_of(sides)[at], sides.pair[at]
    added = np.bincount(rule_of(sides), np.where(chosen[sides.pair], sides.weight, 0.0), sides.low.size)
    push = np.sign(sides.weight[at]) * np.where(added > sides.high, 1, -1)[rule]
    row_cut = np.where(chosen[pair], np.maximum(push, 0), np.minimum(push, 0))
    return csr_array((row_cut, (row, pair)), shape=(len(parts), chosen.size))
