"""The fewest changes, then the best total, within rules: which pairs stand after a repair."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from silian.engines.allocate.columns import Prices, Program, priced
from silian.engines.allocate.constrained import SCALE, TOLERANCE, branched, inside, keeps, network_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from silian.engines.allocate.constrained import Sides
    from silian.engines.allocate.problem import Problem

    Whole = NDArray[np.int64]
    Real = NDArray[np.float64]
    Flags = NDArray[np.bool_]

_FEW: Final = 5_000  # pairs up to which the search sees all of them
_ENOUGH: Final = 0.3  # parts of the largest score that prices may leave to branch and bound
_CORE: Final = 2.0  # pairs of the first core, per pair whose prices leave it open
_MOST: Final = 12_000  # pairs: a larger core takes too long
_ZERO: Final = 1e-9
_ROOM: Final = 1e-6  # what sums in floating point may be off, in pairs


class Fewest(NamedTuple):
    """What stands after a repair, and how far it is from the best one."""

    chosen: Flags | None  # (pairs,); None: nothing was found
    gap: float  # parts of the largest score that a repair with as few changes could be better; inf: or with fewer
    is_proved: bool  # chosen is the best; with none chosen: nothing keeps the rules


class Wanted(NamedTuple):
    """A repair as a programme: its pairs and, after them, the due places that stay open, and what is added up."""

    program: Program  # in parts of the largest score: a held pair is worth `stay`, an open place -`open`
    sides: Sides  # the rules over the pairs
    need: Whole  # (pairs,) place of the need among those that `due` counts for
    due: Whole  # (needs,)
    score: Real  # (columns,) in parts of the largest score
    had: Real  # (columns,) 1: the pair stood
    lack: Real  # (columns,) 1: an open place
    stay: float
    open: float


def fewest_changes(problem: Problem, sides: Sides, had: Flags, due: Whole, *, seconds: float | None) -> Fewest:
    """As few due places open as can be, then as many held pairs as can be, then the best total, within the rules.

    had : (pairs,) the pairs that stood; due : (needs,) places that should be filled
    seconds : the longest that each of up to three searches of branch and bound may take

    One linear programme holds the three goals in the order of their weights: no sum of scores outweighs a held pair,
    and no number of these an open place. Its bound, rounded, says how many places stay open and how many pairs can be
    held at best, and what the total can be then. Branch and bound looks for a choice that reaches the first two, with
    the best total, among the pairs that the prices leave open; where it finds one, no repair changes less, and the
    better ones can only hold pairs that lack no more than the gap that is left.
    """
    if not problem.gain.size:
        return Fewest(had, 0.0, is_proved=True) if keeps(sides, had).all() else Fewest(None, 0.0, is_proved=True)
    wanted = _wanted(problem, sides, had, due)
    prices, open_places, held = _bounds(wanted, _start(wanted, problem.gain.size))
    if not np.isfinite(prices.bound):
        return Fewest(None, 0.0, is_proved=True)
    best = prices.bound + wanted.open * open_places - wanted.stay * held
    count = problem.gain.size
    whole, gap = _whole(wanted, prices.held[:count], (open_places, held)), math.inf
    if whole is not None:
        gap = max(best - float(wanted.score[:count][whole].sum()), 0.0)
    if gap <= TOLERANCE:
        return Fewest(whole, 0.0, is_proved=True)
    size = _size(prices.left[:count], gap)
    while True:
        core = _core(prices.left[:count], size)
        chosen, is_closed = _branched(wanted, core, (open_places, held), seconds)
        if chosen is None and whole is None:
            return _otherwise(wanted, prices, seconds, is_whole=bool(core.all()))
        if chosen is None:
            return Fewest(whole, gap, is_proved=False)
        gap = max(best - float(wanted.score[:count][chosen].sum()), 0.0)
        needed = int((prices.left[:count] >= -gap).sum())
        if needed <= size or needed > _MOST or not is_closed:
            is_proved = gap <= TOLERANCE or (is_closed and needed <= size)
            return Fewest(chosen, 0.0 if is_proved else gap, is_proved=is_proved)
        size = needed


def _wanted(problem: Problem, sides: Sides, had: Flags, due: Whole) -> Wanted:
    """The programme: rooms and rules over the pairs; each need gets its due places, or leaves them open."""
    from scipy.sparse import csr_array, hstack, vstack

    count, needs = problem.gain.size, problem.row_room.size
    rows, low, high = network_rows(problem, sides)
    place = np.repeat(np.arange(needs), due)
    serves = csr_array((np.ones(count), (problem.row, np.arange(count))), shape=(needs, count))
    opens = csr_array((np.ones(place.size), (place, np.arange(place.size))), shape=(needs, place.size))
    matrix = vstack([hstack([rows, csr_array((rows.shape[0], place.size))]), hstack([serves, opens])], format="csr")
    score = np.concatenate([problem.gain / max(problem.gain.max(initial=0), 1), np.zeros(place.size)])
    held = np.concatenate([had.astype(np.float64), np.zeros(place.size)])
    lack = np.concatenate([np.zeros(count), np.ones(place.size)])
    stay = float(problem.row_room.sum() + 1)  # more than all scores together
    more = 4 * stay * float(had.sum() + 1)  # more than all held pairs: an open place and a half is an open place
    program = Program(
        worth=score + stay * held - more * lack,
        rows=matrix,
        low=np.concatenate([low, due.astype(np.float64)]),
        high=np.concatenate([high, np.full(needs, np.inf)]),
    )
    return Wanted(program, sides, problem.row, due, score, held, lack, stay, more)


def _start(wanted: Wanted, pairs: int) -> Flags:
    """The held pairs, which know what they are worth; all pairs where there are few."""
    if pairs <= _FEW:
        return np.ones(wanted.had.size, np.bool_)
    return (wanted.had + wanted.lack) > 0


def _bounds(wanted: Wanted, start: Flags) -> tuple[Prices, int, int]:
    """Prices of the programme, how many places must stay open, and how many pairs can be held at most then.

    Where the programme cuts a place or a pair into fractions, its whole number is put in as one more row.
    """
    program, had = wanted.program, int(wanted.had.sum())
    prices = priced(program, start, enough=_ENOUGH)
    if not np.isfinite(prices.bound):
        return prices, 0, 0
    open_places = max(math.ceil(-prices.bound / wanted.open - _ROOM), 0)
    if prices.held @ wanted.lack < open_places - _ROOM:
        program = _with_row(program, wanted.lack, low=open_places)
        prices = priced(program, prices.is_in, enough=_ENOUGH)
    held = min(math.floor((prices.bound + wanted.open * open_places) / wanted.stay + _ROOM), had)
    if prices.held @ wanted.had > held + _ROOM:
        program = _with_row(program, wanted.had, high=held)
        prices = priced(program, prices.is_in, enough=_ENOUGH)
    return prices, open_places, held


def _with_row(program: Program, row: Real, *, low: float = -np.inf, high: float = np.inf) -> Program:
    from scipy.sparse import csr_array, vstack

    rows = vstack([program.rows, csr_array(row[None, :])], format="csr")
    return program._replace(rows=rows, low=np.append(program.low, low), high=np.append(program.high, high))


def _whole(wanted: Wanted, held: Real, fixed: tuple[int, int]) -> Flags | None:
    """The choice of the linear programme, where it is one: no pair is cut, every rule is kept, and it changes least."""
    chosen: Flags = held > 0.5
    is_whole = np.abs(held - chosen).max() <= _ROOM and keeps(wanted.sides, chosen).all()
    reached = _open_places(wanted, chosen), int(wanted.had[: held.size][chosen].sum())
    return chosen if is_whole and reached == fixed else None


def _size(left: Real, gap: float) -> int:
    """How many pairs the first core has: enough for a gap that is known."""
    if left.size <= _FEW:
        return left.size
    known = int((left >= -gap).sum()) if gap < math.inf else 0
    return min(max(int(_CORE * (left > -_ZERO).sum()), known if known <= _MOST else 0), left.size)


def _core(left: Real, size: int) -> Flags:
    """The pairs that earn most beyond the prices."""
    core = np.zeros(left.size, np.bool_)
    core[np.argsort(-left, kind="stable")[:size]] = True
    return core


def _branched(wanted: Wanted, core: Flags, fixed: tuple[int, int], seconds: float | None) -> tuple[Flags | None, bool]:
    """The best total among the pairs of the core with so many places open and pairs held; whether the search is over.

    None: there is no such choice, or none was found in the time.
    """
    open_places, held = fixed
    program = _with_row(wanted.program, wanted.lack, high=open_places)
    program = _with_row(program, wanted.had, low=held)
    return _searched(wanted, program, wanted.score, core, seconds)


def _searched(
    wanted: Wanted, program: Program, worth: Real, core: Flags, seconds: float | None
) -> tuple[Flags | None, bool]:
    """The best choice by `worth` among the pairs of the core, and whether the search is over."""
    columns = np.append(core, np.ones(worth.size - core.size, np.bool_))
    rows = program.rows[:, np.flatnonzero(columns)]
    push = rows.sum(axis=1)
    binds = (program.low > 0) | (push > program.high)
    options = {"mip_rel_gap": 0.0, "presolve": False} | ({} if seconds is None else {"time_limit": seconds})
    limits = rows[np.flatnonzero(binds)], program.low[binds], program.high[binds]
    found, _, is_closed = branched(inside(wanted.sides, core), -SCALE * worth[columns], limits, options)
    if found is None:
        return None, is_closed
    chosen = np.zeros(core.size, np.bool_)
    chosen[np.flatnonzero(core)[found[: int(core.sum())]]] = True
    return chosen, is_closed


def _otherwise(wanted: Wanted, prices: Prices, seconds: float | None, *, is_whole: bool) -> Fewest:
    """Where the bound of changes is not reached: the fewest among the pairs that the prices looked at, or all."""
    count = prices.left.size - int(wanted.lack.sum())
    held = int(wanted.had.sum())
    worth = wanted.had - (held + 1) * wanted.lack
    cores = [np.ones(count, np.bool_)] if is_whole else [prices.is_in[:count], np.ones(count, np.bool_)]
    chosen, is_closed = None, False
    for core in cores:
        chosen, is_closed = _searched(wanted, wanted.program, worth, core, seconds)
        if chosen is not None:
            break
    if chosen is None:
        return Fewest(None, 0.0, is_proved=is_closed)
    kept = int(wanted.had[:count][chosen].sum())
    better, is_best = _branched(wanted, core, (_open_places(wanted, chosen), kept), seconds)
    is_proved = bool(core.all()) and is_closed and is_best
    return Fewest(chosen if better is None else better, 0.0 if is_proved else math.inf, is_proved=is_proved)


def _open_places(wanted: Wanted, chosen: Flags) -> int:
    """How many due places a choice leaves open."""
    served = np.bincount(wanted.need[chosen], minlength=wanted.due.size)
    return int(np.maximum(wanted.due - served, 0).sum())
