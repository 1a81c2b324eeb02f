"""The fair assignment: the largest floor under every need's score, then the best total above it, with proof."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from silian.engines.allocate import _bundles, _flow, constrained
from silian.engines.allocate.constrained import Sides
from silian.engines.allocate.solving import Answer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from silian.engines.allocate.problem import Problem
    from silian.engines.allocate.rules import Case, Network
    from silian.engines.allocate.solving import Tell

    Whole = NDArray[np.int64]
    Real = NDArray[np.float64]
    Flags = NDArray[np.bool_]

# Prices move by so much of the largest score where wishes are twice the room, a little less in every round, and keep
# some of their way (heavy ball); measured on 20,000 x 5,000 x 50, where 30 rounds bring the bound within 1e-5.
_STEP: Final = 0.02
_DECAY: Final = 0.985
_DRIFT: Final = 0.7
_ROUNDS: Final = 60
# Where mending leaves more than this part of what it left the last time, a floor will hardly be reached.
_SLOW: Final = 0.8
_MEND_EVERY: Final = 10
# Columns that have a price are made dearer by this part of the largest score before a choice is mended: fewer wishes
# clash, chains are short, and the room that is left is filled afterwards.
_DEARER: Final = 1e-3
# A choice where more of the places are wished for twice is not worth mending yet.
_UNRIPE: Final = 0.03
# A gap that is near enough where HiGHS cannot close it: of the total, and of the floor.
_NEAR: Final = 1e-4
_NEAR_FLOOR: Final = 5e-3
# HiGHS decides up to so many pairs that are left open, in so many nodes.
_SMALL: Final = 20_000
_NODES: Final = 20_000
_TRIES: Final = 7  # floors that are tried where HiGHS cannot decide


class Floors(NamedTuple):
    """What a fair choice promises to the worst-served, in the problem's whole numbers."""

    floor: int  # every protected need has a score of at least this
    bound: int  # no choice gives all protected needs more
    protected: Flags  # (needs,)
    least: Whole  # (needs,) what each need is sure of: the floor, for those set aside what held it down, else 0


@dataclass(frozen=True, slots=True)
class _Field:
    """A network with what the search for floors needs again and again."""

    problem: Problem
    market: _bundles.Market
    sides: Sides
    pinned: Whole  # (needs,) score that pins bring
    end: float | None  # by the monotonic clock
    tell: Tell

    @property
    def is_small(self) -> bool:
        return self.problem.gain.size <= _SMALL

    @property
    def left(self) -> float | None:
        """Seconds that are left."""
        return None if self.end is None else max(self.end - time.monotonic(), 0.0)

    @property
    def is_late(self) -> bool:
        return self.left == 0

    def scores(self, chosen: Flags) -> Whole:
        """The score of each need."""
        return self.pinned + _sum_by(self.problem.row[chosen], self.problem.gain[chosen], self.pinned.size)


class _Reached(NamedTuple):
    """The best choice found above a floor, and what is known of others."""

    chosen: Flags | None
    total: int
    bound: int  # of the total; below 0: no choice keeps the floors
    price: Whole  # (experts,) that proves the bound
    worth: Whole  # (needs,) of the best bundles at that price

    @property
    def is_impossible(self) -> bool:
        return self.bound < 0


def fair_choice(
    network: Network,
    pinned: Whole,
    start: Answer,
    *,
    floor: float | None = None,
    depth: int = 1,
    seconds: float | None = None,
    tell: Tell | None = None,
) -> tuple[Answer, Floors]:
    """The largest floor under the needs' scores, or the one that is asked, and the best total above it.

    pinned : int64 (needs,), the score that pins bring to each need, in the problem's whole numbers
    start : the best choice without a floor
    floor : in score; None: the largest that can be reached
    depth : how many floors are lifted, one above the other: whoever holds one down is set aside for the next
    seconds : the longest that it may take, about; then the best that was found, with its bounds
    tell : told the part that is done, and what goes on

    The answer's prices prove its bound: bound = Σ free · price of experts + Σ price of needs, where the price of a
    need is the worth of its best bundle above the floor. Feasible is false where a floor that was asked for was not
    reached, and proved then means that none can.
    """
    field = _field(network, pinned, seconds, tell)
    chosen, price = start.chosen, start.expert_price
    protected = _protected(field, chosen, price)
    if not protected.any():
        return start, Floors(0, 0, protected, np.zeros_like(pinned))
    if floor is not None:
        asked = int(np.rint(floor * field.problem.unit))
        least = np.where(protected, asked, 0)
        found = _above(field, least, price, is_enough=False)
        return _answer(field, found), Floors(asked, asked, protected, least)
    least, active = np.zeros_like(pinned), protected.copy()
    known = _Reached(chosen, _total(field, chosen), 0, price, np.zeros_like(pinned))
    floors = Floors(0, 0, protected, least)
    for level in range(depth):
        if not active.any():
            break
        field.tell(level / (depth + 1), f"floor {level + 1}")
        lifted, bound, known = _lift(field, least, active, known)
        least = np.where(active, lifted, least)
        if level == 0:
            floors = Floors(lifted, bound, protected, least)
        known = _finished(field, least, known)
        score = field.scores(_chosen(known))
        active &= score > score[active].min()
    field.tell(1.0, "done")
    return _answer(field, known), floors._replace(least=least)


def pinned_score(case: Case, unit: float) -> Whole:
    """The score that pins bring to each need, in whole numbers."""
    pinned = case.pinned
    gain = np.rint(pinned["score"].to_numpy() * unit).astype(np.int64)
    return _sum_by(pinned["need"].to_numpy(), gain, case.demand.height)


def _field(network: Network, pinned: Whole, seconds: float | None, tell: Tell | None) -> _Field:
    end = None if seconds is None else time.monotonic() + seconds
    return _Field(
        problem=network.problem,
        market=_bundles.market_of(network.problem),
        sides=network.sides,
        pinned=pinned,
        end=end,
        tell=tell or (lambda _done, _words: None),
    )


def _protected(field: _Field, chosen: Flags, price: Whole) -> Flags:
    """A largest set of needs that can all be served at once: of the largest the one whose first places are best."""
    problem = field.problem
    can = (problem.row_room[problem.row] > 0) & (problem.column_room[problem.column] > 0)
    count = problem.row_room.size
    can_be = (np.bincount(problem.row[can], minlength=count) > 0) | (field.pinned > 0)
    if (field.scores(chosen)[can_be] > 0).all() or _priced(
        field, can_be.astype(np.int64), price, is_enough=True
    ).chosen is not None:
        return can_be
    coarse = problem.gain >> max(int(problem.gain.max()).bit_length() - 20, 0)
    more = (count + 1) << 20  # one need more is worth more than all scores
    room = np.where(field.pinned > 0, 0, np.minimum(problem.row_room, 1))
    p = problem
    served, _, _ = _flow.best(_flow.Graph(p.start, p.column, p.row, coarse + more, room, p.column_room))
    return (field.pinned > 0) | (np.bincount(problem.row[served], minlength=count) > 0)


def _lift(field: _Field, least: Whole, active: Flags, known: _Reached) -> tuple[int, int, _Reached]:
    """The largest floor under the active needs while all others keep theirs: the floor, its bound, and a choice."""
    low = int(field.scores(_chosen(known))[active].min())
    bound = _refuted_above(field, least, active, low, known.price)
    cap, tries = bound, 0  # no try above the cap has come out, whether or not it was refuted
    near = 0 if field.is_small else int(_NEAR_FLOOR * bound)
    price = known.price
    while cap > low + near and not field.is_late and (field.is_small or tries < _TRIES):
        middle = low + 1 if cap - low <= _NEAR * cap else (low + cap + 1) // 2
        wish = cap - near if tries == 0 else middle
        tries += 1
        found = _above(field, np.where(active, wish, least), price, is_enough=True)
        if found.chosen is not None:
            known, price = found, found.price
            low = int(field.scores(found.chosen)[active].min())
        else:
            cap = wish - 1
            if found.is_impossible:
                bound = min(bound, cap)
    return low, max(bound, low), known


def _refuted_above(field: _Field, least: Whole, active: Flags, low: int, price: Whole) -> int:
    """No floor above this can be reached: by what a need gets alone, and by counting the places that bundles fill."""
    market, problem = field.market, field.problem
    alone = np.where(active, _alone(problem, field.pinned), np.iinfo(np.int64).max)
    high = int(alone.min())
    top = int(problem.gain.max())
    trials = (np.full(price.size, top), price)

    def is_refuted(floor: int) -> bool:
        need = _needed(field, np.where(active, floor, least))
        return any(_bundles.choose(market, need, trial, 0)[0] < 0 for trial in trials)

    if not is_refuted(high):
        return high
    while high - low > max(_NEAR * high, 1):
        middle = (low + high) // 2
        if is_refuted(middle):
            high = middle
        else:
            low = middle
    return high - 1


def _above(field: _Field, least: Whole, price: Whole, *, is_enough: bool) -> _Reached:
    """The best total where each need has at least so much; is_enough: any choice that keeps that will do."""
    floor = _needed(field, least)
    reached = _priced(field, floor, price, is_enough=is_enough)
    if reached.is_impossible or (is_enough and reached.chosen is not None):
        return reached
    return _closed(field, floor, reached)


def _priced(field: _Field, floor: Whole, price: Whole, *, is_enough: bool) -> _Reached:
    """Prices of the experts by rounds of wishes, bounds from them, and choices that are mended on the way."""
    market, room = field.market, field.problem.column_room
    top = int(field.problem.gain.max(initial=1))
    real, drift, step = price.astype(np.float64), np.zeros(price.size), _STEP * top
    best, last = _Reached(None, -1, np.iinfo(np.int64).max, price, np.zeros_like(floor)), market.gain.size + 1
    for turn in range(_ROUNDS):
        asked = np.rint(real).astype(np.int64)
        bound, _, used, worth = _bundles.choose(market, floor, asked, 1)
        if bound < best.bound:
            best = best._replace(bound=int(bound), price=asked, worth=worth)
        if bound < int(floor.sum()):  # each need would have at least its floor
            return best._replace(bound=-1)
        if turn % _MEND_EVERY == _MEND_EVERY - 1:
            best, clashes = _tried(field, floor, asked, best)
            is_near = best.chosen is not None and best.bound - best.total <= _NEAR * best.bound
            if (is_enough and best.chosen is not None) or is_near or field.is_late:
                return best
            if is_enough and clashes > _SLOW * last:
                break
            last = clashes
        drift = _DRIFT * drift + (1 - _DRIFT) * (used - room) / np.maximum(room, 1)
        real = np.maximum(real + step * drift, 0)
        step *= _DECAY
    is_refuted = best.chosen is None and _bundles.choose(market, floor, best.price, 0)[0] < 0
    return best._replace(bound=-1) if is_refuted else best


def _tried(field: _Field, floor: Whole, price: Whole, best: _Reached) -> tuple[_Reached, int]:
    """The choice at these prices, mended and filled, if it is the best so far; and how many clashes are left in it."""
    dearer, room = np.where(price > 0, price + int(_DEARER * field.problem.gain.max()), 0), field.problem.column_room
    _, chosen, used, _ = _bundles.choose(field.market, floor, dearer, 1)
    clashes = int(np.maximum(used - room, 0).sum())
    if clashes <= _UNRIPE * room.sum():
        clashes = _bundles.mend(field.market, floor, dearer, chosen)
    if clashes > 0:
        return best, clashes
    _bundles.fill(field.market, floor, price, chosen)
    total = _total(field, chosen)
    if total <= best.total or not constrained.keeps(field.sides, chosen).all():
        return best, 0
    return best._replace(chosen=chosen, total=total), 0


def _closed(field: _Field, floor: Whole, reached: _Reached) -> _Reached:
    """Close the gap by HiGHS over the pairs that a better choice can hold, where these are few."""
    problem, sides = field.problem, field.sides
    fall = _bundles.limits(field.market, floor, reached.price)
    kept = reached.bound - fall > reached.total
    if reached.total >= reached.bound or kept.sum() > _SMALL or field.is_late:
        return reached
    part, rules = _part(problem, sides, floor, kept)
    within = constrained.best_within(part, rules, seconds=field.left, nodes=_NODES)
    if not within.is_feasible:
        is_over = within.is_proved
        bound = (reached.total if reached.chosen is not None else -1) if is_over else reached.bound
        return reached._replace(bound=bound)
    chosen = np.zeros_like(kept)
    chosen[np.flatnonzero(kept)[within.chosen]] = True
    total = _total(field, chosen)
    if total <= reached.total and reached.chosen is not None:
        chosen, total = reached.chosen, reached.total
    bound = total if within.is_proved else min(reached.bound, max(total, int(within.bound * problem.unit) + 1))
    return reached._replace(chosen=chosen, total=total, bound=bound)


def _finished(field: _Field, least: Whole, known: _Reached) -> _Reached:
    """The best total above the floors that were reached."""
    found = _above(field, least, known.price, is_enough=False)
    if found.chosen is None or (known.chosen is not None and known.total > found.total):
        return found._replace(chosen=known.chosen, total=known.total, bound=max(found.bound, known.total))
    return found


def _part(problem: Problem, sides: Sides, floor: Whole, kept: Flags) -> tuple[Problem, Sides]:
    """The problem of some of the pairs, with the rules and the floors as rules over them."""
    place = np.cumsum(kept) - 1
    row = problem.row[kept]
    start = np.searchsorted(row, np.arange(problem.row_room.size + 1)).astype(np.int64)
    part = replace(
        problem, start=start, row=row, column=problem.column[kept], gain=problem.gain[kept], pairs=problem.pairs.clear()
    )
    held = kept[sides.pair]
    rule = np.repeat(np.arange(sides.low.size), np.diff(sides.ptr))[held]
    needs = np.flatnonzero(floor > 0)
    size = np.concatenate([np.bincount(rule, minlength=sides.low.size), np.diff(start)[needs]])
    of_needs = [np.arange(start[r], start[r + 1]) for r in needs]
    pair = np.concatenate([place[sides.pair[held]], *of_needs]).astype(np.int64)
    weight = np.concatenate([sides.weight[held], *(part.gain[at] for at in of_needs)]).astype(np.float64)
    low = np.concatenate([sides.low, floor[needs]])
    high = np.concatenate([sides.high, np.full(needs.size, np.inf)])
    return part, Sides(np.concatenate([[0], np.cumsum(size)]), pair, weight, low, high)


def _alone(problem: Problem, pinned: Whole) -> Whole:
    """The score that each need could have if it were the only one."""
    usable = np.where(problem.column_room[problem.column] > 0, problem.gain, 0)
    order = np.lexsort((-usable, problem.row))
    rank = np.arange(order.size) - problem.start[problem.row[order]]
    taken = order[rank < problem.row_room[problem.row[order]]]
    return pinned + _sum_by(problem.row[taken], usable[taken], pinned.size)


def _needed(field: _Field, least: Whole) -> Whole:
    """What each need must get beside its pins."""
    needed: Whole = np.maximum(least - field.pinned, 0)
    return needed


def _sum_by(row: Whole, gain: Whole, rows: int) -> Whole:
    """Exact sums by row."""
    summed: Whole = np.zeros(rows, np.int64)
    np.add.at(summed, row, gain)
    return summed


def _total(field: _Field, chosen: Flags) -> int:
    return int(field.problem.gain[chosen].sum())


def _chosen(reached: _Reached) -> Flags:
    if reached.chosen is None:
        msg = "a choice was found before"
        raise AssertionError(msg)
    return reached.chosen


def _answer(field: _Field, found: _Reached) -> Answer:
    problem, rules = field.problem, field.sides.low.size
    is_feasible = found.chosen is not None
    chosen = np.zeros(problem.gain.size, np.bool_) if found.chosen is None else found.chosen
    bound = max(found.bound, found.total) / problem.unit
    is_proved = found.is_impossible or (is_feasible and found.bound <= found.total)
    return Answer(chosen, found.worth, found.price, np.zeros(rules), bound, is_feasible, is_proved)
