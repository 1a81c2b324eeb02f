"""Equity between groups of needs: the largest floor under every group's score for each expert that it wants."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from silian.engines.allocate.constrained import Sides
from silian.engines.allocate.fairness import Floors
from silian.engines.allocate.solving import best_choice

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from silian.engines.allocate.problem import Problem
    from silian.engines.allocate.rules import Network
    from silian.engines.allocate.solving import Answer, Tell

    Whole = NDArray[np.int64]
    Real = NDArray[np.float64]
    Flags = NDArray[np.bool_]

_NEAR: Final = 1e-3  # of the bound: nearer floors are one to people, and each costs an integer programme
_TRIES: Final = 12


def fair_to_groups(
    network: Network,
    pinned: Whole,
    start: Answer,
    *,
    group: Whole,
    wanted: Whole,
    floor: float | None = None,
    seconds: float | None = None,
    tell: Tell | None = None,
) -> tuple[Answer, Floors]:
    """The largest floor under the groups' mean scores, or the one that is asked, and the best total above it.

    pinned : int64 (needs,), the score that pins bring, in whole numbers
    start : the best choice without a floor
    group : int64 (needs,), the group of each need from 0, -1: none
    wanted : int64 (needs,), experts that each need wants, pins and all
    floor : in score for each expert wanted; None: the largest, within 1e-3 of its bound where one is near enough

    A group's mean is the score of its needs by the experts that they want. It counts where a need of the group can be
    served. Floors are rules over the pairs of a group; the bound of the largest is that of the linear programme.
    """
    problem = network.problem
    inside = group >= 0
    count = int(group.max(initial=-1)) + 1
    size: Real = np.bincount(group[inside], wanted[inside], count).astype(np.float64)
    brought: Real = np.bincount(group[inside], pinned[inside], count).astype(np.float64)
    can = (problem.row_room[problem.row] > 0) & (problem.column_room[problem.column] > 0) & inside[problem.row]
    counts = (np.bincount(group[problem.row[can]], minlength=count) > 0) & (size > 0)
    protected = inside & counts[group]
    none = np.zeros_like(pinned)
    if not counts.any():
        return start, Floors(0, 0, protected, none)

    def above(mean: float) -> Answer:
        low = np.where(counts, np.ceil(mean * size) - brought, -np.inf)
        answer = best_choice(_joined(network, group, low), seconds=seconds, tell=tell)
        return answer._replace(rule_price=answer.rule_price[: network.sides.low.size])

    if floor is not None:
        asked = floor * problem.unit
        return above(asked), Floors(round(asked), round(asked), protected, none)
    bound = _linear_mean(problem, network.sides, group, counts, size, brought)
    best, low, cap = start, _mean(problem, start, group, counts, size, brought), bound
    for attempt in range(_TRIES):
        if cap - low <= _NEAR * bound:
            break
        wish = cap if attempt == 0 else (low + cap) / 2
        found = above(wish)
        if found.is_feasible:
            best, low = found, max(wish, _mean(problem, found, group, counts, size, brought))
        else:
            cap = wish
            bound = min(bound, wish) if found.is_proved else bound
    if best is start:
        best = above(low)
    return best, Floors(math.floor(low), math.floor(max(bound, low)), protected, none)


def _joined(network: Network, group: Whole, low: Real) -> Network:
    """The rules of the network, and one for each group: the gains of its pairs, at least so much."""
    problem, sides = network.problem, network.sides
    code = group[problem.row]
    order = np.argsort(code, kind="stable")[(code < 0).sum() :]
    size = np.bincount(code[order], minlength=low.size)
    joined = Sides(
        np.concatenate([sides.ptr, sides.ptr[-1] + np.cumsum(size)]),
        np.concatenate([sides.pair, order]),
        np.concatenate([sides.weight, problem.gain[order].astype(np.float64)]),
        np.concatenate([sides.low, low]),
        np.concatenate([sides.high, np.full(low.size, np.inf)]),
    )
    return network._replace(sides=joined, limit=np.concatenate([network.limit, np.full(low.size, -1)]))


def _mean(problem: Problem, answer: Answer, group: Whole, counts: Flags, size: Real, brought: Real) -> float:
    """The smallest mean of a group that counts."""
    code = group[problem.row[answer.chosen]]
    score = np.bincount(code[code >= 0], problem.gain[answer.chosen][code >= 0], counts.size) + brought
    return float((score[counts] / size[counts]).min())


def _linear_mean(problem: Problem, sides: Sides, group: Whole, counts: Flags, size: Real, brought: Real) -> float:
    """The largest floor under the groups' means in the linear relaxation."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, hstack, vstack

    from silian.engines.allocate.constrained import network_rows

    rows, low, high = network_rows(problem, sides)
    count, top = problem.gain.size, float(problem.gain.max())
    code = np.cumsum(counts) - 1
    at = np.flatnonzero((group[problem.row] >= 0) & counts[group[problem.row]])
    of_group = csr_array((problem.gain[at] / top, (code[group[problem.row[at]]], at)), shape=(counts.sum(), count))
    has_low, has_high = np.isfinite(low), np.isfinite(high)
    matrix = vstack([rows[has_high], -rows[has_low], -of_group])
    most = np.concatenate([high[has_high], -low[has_low], brought[counts] / top])
    lift = np.concatenate([np.zeros(has_high.sum() + has_low.sum()), size[counts]])
    goal = np.concatenate([np.zeros(count), [-1.0]])
    bounds = np.array([(0, 1)] * count + [(0, np.inf)])
    found = linprog(goal, A_ub=hstack([matrix, csr_array(lift[:, None])]), b_ub=most, bounds=bounds)
    return float(-found.fun * top) if found.status == 0 else float(top)
