"""The best choice in a network within rules: the network alone where no rule binds, else those rules that do."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from silian.engines.allocate import _flow, constrained
from silian.engines.allocate.core import best_in_core
from silian.engines.allocate.problem import Problem, whole_sum
from silian.engines.allocate.rules import part_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from silian.engines.allocate.rules import Network

    Whole = NDArray[np.int64]
    Real = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Tell = Callable[[float, str], None]


_FEW: Final = 5_000  # pairs up to which the rules that bind are searched for one by one, to the very best


class Answer(NamedTuple):
    """A choice of pairs, what proves it, and the prices of rooms and rules."""

    chosen: Flags  # (pairs,)
    need_price: Whole  # in the problem's whole numbers
    expert_price: Whole
    rule_price: Real  # (sides,) in score: of an upper limit >= 0, of a lower one <= 0
    bound: float  # no choice within rooms and rules has a larger total
    is_feasible: bool  # chosen keeps every rule; with is_proved, False means that no choice does
    is_proved: bool


def best_choice(network: Network, *, seconds: float | None = None, tell: Tell | None = None) -> Answer:
    """The choice with the best total within rooms and rules.

    seconds : the longest that the search beside the network may take; then the best found, with its bound
    tell : told the part that is done, and what goes on

    The network is solved first. If its answer keeps every rule, it is the best there is. Otherwise the rules that it
    breaks join the search, and those that the next answer breaks, until none is broken (cutting planes: each answer
    is the best of fewer rules, so the first that keeps all is the best of all). With a limit of time all rules join
    at once, so that whatever is found in time keeps them. With many pairs, the search is that of `best_in_core`.
    """
    problem, sides = network.problem, network.sides
    graph = _flow.Graph(problem.start, problem.column, problem.row, problem.gain, problem.row_room, problem.column_room)
    chosen, need_price, expert_price = _flow.best(graph)
    broken = ~constrained.keeps(sides, chosen)
    if not broken.any():
        bound, is_proved = _proved(problem, chosen, need_price, expert_price)
        return Answer(chosen, need_price, expert_price, np.zeros(sides.low.size), bound, True, is_proved)  # noqa: FBT003
    if problem.gain.size > _FEW:
        near = problem.gain - need_price[problem.row] - expert_price[problem.column]
        found = best_in_core(problem, sides, near / problem.gain.max(), seconds=seconds, tell=tell)
        return _priced(network, np.ones_like(broken), found)
    active = broken if seconds is None else np.ones_like(broken)
    while True:
        found = constrained.best_within(problem, part_of(sides, active), seconds=seconds, tell=tell)
        broken = ~constrained.keeps(sides, found.chosen) & ~active
        if not found.is_feasible or not broken.any():
            return _priced(network, active, found)
        active |= broken


def _priced(network: Network, active: Flags, found: constrained.Within) -> Answer:
    """The answer with the prices of the rooms when each pair pays for the rules that it fills (Lagrange)."""
    problem, sides = network.problem, network.sides
    rule_price = np.zeros(sides.low.size)
    rule_price[active] = found.price
    rule = np.repeat(np.arange(sides.low.size), np.diff(sides.ptr))
    paid = np.bincount(sides.pair, rule_price[rule] * sides.weight, problem.gain.size)
    gain = problem.gain - np.rint(paid * problem.unit).astype(np.int64)
    worth = np.flatnonzero(gain > 0)
    row = problem.row[worth]
    start = np.searchsorted(row, np.arange(problem.row_room.size + 1)).astype(np.int64)
    graph = _flow.Graph(start, problem.column[worth], row, gain[worth], problem.row_room, problem.column_room)
    _, need_price, expert_price = _flow.best(graph)
    return Answer(found.chosen, need_price, expert_price, rule_price, found.bound, found.is_feasible, found.is_proved)


def _proved(problem: Problem, chosen: Flags, need_price: Whole, expert_price: Whole) -> tuple[float, bool]:
    """The bound that the prices prove (weak duality), and whether the choice reaches it in whole numbers."""
    left = problem.gain - need_price[problem.row] - expert_price[problem.column]
    room = np.concatenate([problem.row_room, problem.column_room])
    price = np.concatenate([need_price, expert_price])
    whole = sum(int(r) * int(p) for r, p in zip(room[price > 0], price[price > 0], strict=True))
    whole += whole_sum(left[left > 0])
    rest = problem.pairs["score"].to_numpy() - (need_price[problem.row] + expert_price[problem.column]) / problem.unit
    bound = math.fsum([*(room * (price / problem.unit)), *rest[rest > 0]])
    return bound, whole == whole_sum(problem.gain[chosen])
