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
_ROUNDS_LARGE: Final = 20
_MIDDLE: Final = 200_000  # pairs up to which all rounds are made
# Where mending leaves more than this part of what it left the last time, a floor will hardly be reached.
_SLOW: Final = 0.8
_MEND_EVERY: Final = 10
# Columns that have a price are made dearer by this part of the largest score before a choice is mended: fewer wishes
# clash, chains are short, and the room that is left is filled afterwards.
_DEARER: Final = 1e-3
# A choice where more of the places are wished for twice is not worth mending yet.
_UNRIPE: Final = 0.03
_FEW_CLASHES: Final = 5e-4  # ... nor is one of places alone, where a lower floor is tried next
# A gap that is near enough where HiGHS cannot close it: of the total, and of the floor.
_NEAR: Final = 1e-4
_NEAR_FLOOR: Final = 9e-4
_BACK: Final = 5  # a floor that fails though the bound stays: the next lies so many times as far below the bound
_NEAR_FIRST: Final = 4e-3  # of the bound that counting at untuned prices gives
# Prices of places alone: so much on average, and how they move (parts of that where wishes are twice the room).
_PLACE: Final = 1 << 20
_PLACE_STEP: Final = 0.3
_PLACE_DECAY: Final = 0.95
_PLACE_ROUNDS: Final = 10
_PATIENCE: Final = 5
_TUNINGS: Final = 3
# Negotiation: see `_bundles.negotiate`; a total is hurt least where prices rise gently.
_GROW: Final = 1.03
_SWEEPS: Final = 50
_PARTS: Final = 4
# Where the prices of places are put on those of the network: at most half the largest score on average, found in so
# many halvings. Where places still lack, these parts of it come on top.
_MOST_RAISED: Final = 0.5
_RAISINGS: Final = 7
_DEARER_PLACES: Final = (0.0, 0.03, 0.06, 0.12, 0.24)
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
    place: Whole  # (experts,) how dear places are to the floors alone, _PLACE on average

    @property
    def is_impossible(self) -> bool:
        return self.bound < 0


class _Limit(NamedTuple):
    """What is known of the largest floor under the active needs while all others keep theirs."""

    least: Whole  # (needs,)
    active: Flags  # (needs,)
    low: int  # a choice reaches it
    bound: int  # none reaches more
    place: Whole  # (experts,) the prices of places that prove the bound


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
    known = _Reached(
        start.chosen,
        _total(field, start.chosen),
        0,
        start.expert_price,
        np.zeros_like(pinned),
        np.full(start.expert_price.size, _PLACE),
    )
    protected = _protected(field, known)
    if not protected.any():
        return start, Floors(0, 0, protected, np.zeros_like(pinned))
    if floor is not None:
        asked = int(np.rint(floor * field.problem.unit))
        least = np.where(protected, asked, 0)
        if not field.is_small:
            known = known._replace(place=_cheapest(field, _needed(field, least), known))
        found = _above(field, least, known, is_enough=False)
        return _answer(field, found), Floors(asked, asked, protected, least)
    least, active = np.zeros_like(pinned), protected.copy()
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


def _protected(field: _Field, known: _Reached) -> Flags:
    """A largest set of needs that can all be served at once: of the largest the one whose first places are best."""
    problem = field.problem
    can = (problem.row_room[problem.row] > 0) & (problem.column_room[problem.column] > 0)
    count = problem.row_room.size
    can_be = (np.bincount(problem.row[can], minlength=count) > 0) | (field.pinned > 0)
    if (field.scores(_chosen(known))[can_be] > 0).all():
        return can_be
    one = _needed(field, can_be.astype(np.int64))
    if _settled(field, one, known.place)[0] is not None:
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
    alone = np.where(active, _alone(field.problem, field.pinned), np.iinfo(np.int64).max)
    limit = _Limit(least, active, low, int(alone.min()), known.place)
    limit = _lowered(field, limit, (known.place, _scaled(known.price)), near=_NEAR_FIRST)
    if field.is_small or field.sides.low.size:
        return _halved(field, limit, known._replace(place=limit.place))
    return _negotiated(field, limit, known)


def _halved(field: _Field, limit: _Limit, known: _Reached) -> tuple[int, int, _Reached]:
    """Try floors between the one that is held and the bound, each by prices, and by HiGHS where few pairs are left."""
    least, active, low, bound, _ = limit
    cap, tries = bound, 0  # no try above the cap has come out, whether or not it was refuted
    near = 0 if field.is_small else int(_NEAR_FLOOR * bound)
    while cap > low + near and not field.is_late and (field.is_small or tries < _TRIES):
        middle = low + 1 if cap - low <= _NEAR * cap else (low + cap + 1) // 2
        wish = cap - near if tries == 0 else middle
        tries += 1
        found = _above(field, np.where(active, wish, least), known, is_enough=True)
        if found.chosen is not None:
            known = found
            low = int(field.scores(found.chosen)[active].min())
        else:
            cap = wish - 1
            if found.is_impossible:
                bound = min(bound, cap)
    return low, max(bound, low), known


def _negotiated(field: _Field, limit: _Limit, known: _Reached) -> tuple[int, int, _Reached]:
    """Step back from the bound until a floor is reached; what a failure asked for its places often lowers the bound."""
    near = int(_NEAR_FLOOR * limit.bound)
    for _ in range(_TUNINGS):
        tuned = _lowered(field, limit, (_tuned(field, _floor_at(field, limit, limit.bound), limit.place),))
        is_still = limit.bound - tuned.bound < near >> 2
        limit = tuned
        if is_still or field.is_late:
            break
    back = near
    while limit.bound - back > limit.low and not field.is_late:
        wish = limit.bound - back
        field.tell(0.0, f"floor {wish / field.problem.unit:.4g}")
        chosen, asked = _settled(field, _floor_at(field, limit, wish), limit.place)
        if chosen is not None:
            low = int(field.scores(chosen)[limit.active].min())
            return low, limit.bound, known._replace(chosen=chosen, total=_total(field, chosen), place=asked)
        lower = _lowered(field, limit, (asked, _rounded(asked)))
        back = near if limit.bound - lower.bound > near >> 1 else _BACK * back
        limit = lower
    return limit.low, limit.bound, known._replace(place=limit.place)


def _floor_at(field: _Field, limit: _Limit, floor: int) -> Whole:
    """What each need must get beside its pins where the active ones get so much."""
    return _needed(field, np.where(limit.active, floor, limit.least))


def _lowered(field: _Field, limit: _Limit, trials: tuple[Whole, ...], *, near: float = _NEAR) -> _Limit:
    """The bound that counting places at these prices gives, by steps that double and then halve."""
    fine = max(int(near * limit.bound), 1)
    for place in trials:
        bound, step = limit.bound + 1, fine
        while bound - step > limit.low and _is_refuted(field, limit, place, bound - step):
            bound, step = bound - step, 2 * step
        if bound > limit.bound:
            continue
        while step > fine:
            step //= 2
            if bound - step > limit.low and _is_refuted(field, limit, place, bound - step):
                bound -= step
        limit = limit._replace(bound=bound - 1, place=place)
    return limit


def _is_refuted(field: _Field, limit: _Limit, place: Whole, floor: int) -> bool:
    """Whether the cheapest bundles above a floor cost more than all places bring (Farkas)."""
    bound: int = _bundles.choose(field.market, _floor_at(field, limit, floor), place, 0)[0]
    return bound < 0


def _tuned(field: _Field, floor: Whole, place: Whole) -> Whole:
    """Prices of places at which the bundles above a floor cost more of what all places bring."""
    room = field.problem.column_room
    real, drift, step = place / _PLACE, np.zeros(place.size), _PLACE_STEP
    best, least, since = place, np.inf, 0
    for _ in range(_PLACE_ROUNDS):
        asked = _scaled(real)
        bound, _, used, _ = _bundles.choose(field.market, floor, asked, 0)
        share = bound / max(float(room @ asked), 1.0)
        since = 0 if share < least else since + 1
        if share < least:
            best, least = asked, share
        if since == _PATIENCE or field.is_late:
            break
        drift = _DRIFT * drift + (1 - _DRIFT) * (used - room) / np.maximum(room, 1)
        real = np.maximum(real + step * drift, 0)
        step *= _PLACE_DECAY
    return best


def _cheapest(field: _Field, floor: Whole, known: _Reached) -> Whole:
    """Prices of places for a floor that is asked: all alike or those of the network, which of them refutes more."""
    room, market = field.problem.column_room, field.market

    def share(place: Whole) -> float:
        return float(_bundles.choose(market, floor, place, 0)[0]) / max(float(room @ place), 1.0)

    return _tuned(field, floor, min((known.place, _scaled(known.price)), key=share))


def _settled(field: _Field, floor: Whole, place: Whole) -> tuple[Flags | None, Whole]:
    """A choice above a floor by negotiation over places alone, None if there is none; and what places then ask."""
    asked, chosen = place.copy(), np.zeros(field.problem.gain.size, np.bool_)
    over = _negotiate(field, floor, asked, chosen, scale=0)
    if 0 < over <= _FEW_CLASHES * field.problem.column_room.sum():
        dear = (asked * (4 * field.problem.gain.max() / _PLACE)).astype(np.int64)
        over = _bundles.mend(field.market, floor, dear, chosen)
    return (chosen if over == 0 else None), _scaled(asked)


def _negotiate(field: _Field, floor: Whole, price: Whole, chosen: Flags, *, scale: int) -> int:
    """Negotiate until places suffice, hardly any way is made, or time is up; returns how many are lacking."""
    press, rise, least = (0.05, 0.02, int(field.problem.gain.max()) // 100) if scale else (0.2, 0.05, _PLACE // 100)
    last = 1 << 62
    for part in range(_PARTS):
        over: int = _bundles.negotiate(
            field.market,
            floor,
            price,
            chosen,
            scale=scale,
            least=least,
            press=press * _GROW ** (_SWEEPS * part),
            grow=_GROW,
            rise=rise,
            sweeps=_SWEEPS,
        )
        if over <= 0 or over > _SLOW * last or field.is_late:
            break
        last = over
    return over


def _scaled(price: Whole | Real) -> Whole:
    """Prices of places in whole numbers, _PLACE on average; where none has a price, all have the same."""
    mean = price.mean() if price.size else 0.0
    if mean <= 0:
        return np.full(price.size, _PLACE)
    return np.rint(price * (_PLACE / mean)).astype(np.int64)


def _rounded(price: Whole) -> Whole:
    """Prices as small multiples of the middle one: where places are alike, the best bound counts them so."""
    return np.rint(price / max(float(np.median(price)), 1.0)).astype(np.int64) * _PLACE


def _above(field: _Field, least: Whole, known: _Reached, *, is_enough: bool) -> _Reached:
    """The best total where each need has at least so much; is_enough: any choice that keeps that will do."""
    floor = _needed(field, least)
    reached = _priced(field, floor, known, is_enough=is_enough)
    if reached.is_impossible or (is_enough and reached.chosen is not None):
        return reached
    return _closed(field, floor, reached)


def _priced(field: _Field, floor: Whole, known: _Reached, *, is_enough: bool) -> _Reached:
    """Prices of the experts by rounds of wishes, bounds from them, and choices that are mended on the way."""
    market, room = field.market, field.problem.column_room
    top = int(field.problem.gain.max(initial=1))
    start = known.price if field.is_small else _raised(field, floor, known)
    real, drift, step = start.astype(np.float64), np.zeros(start.size), _STEP * top
    best = known._replace(chosen=None, total=-1, bound=np.iinfo(np.int64).max, worth=np.zeros_like(floor))
    last = market.gain.size + 1
    every = _MEND_EVERY if field.is_small else _ROUNDS_LARGE
    rounds = _ROUNDS if field.problem.gain.size <= _MIDDLE else _ROUNDS_LARGE
    for turn in range(rounds):
        asked = np.rint(real).astype(np.int64)
        bound, _, used, worth = _bundles.choose(market, floor, asked, 1)
        if bound < best.bound:
            best = best._replace(bound=int(bound), price=asked, worth=worth)
        if bound < int(floor.sum()):  # each need would have at least its floor
            return best._replace(bound=-1)
        if turn % every == every - 1 or field.is_late:
            best, clashes = _tried(field, floor, best, asked)
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


def _raised(field: _Field, floor: Whole, known: _Reached) -> Whole:
    """The prices of experts and, on top, those of places, by the part that brings the bound down most."""
    top = float(field.problem.gain.max())

    def raised(part: float) -> Whole:
        price: Whole = known.price + np.rint(known.place * (part * top / _PLACE)).astype(np.int64)
        return price

    def bound(part: float) -> int:
        found: int = _bundles.choose(field.market, floor, raised(part), 1)[0]
        return found

    part = _MOST_RAISED / 2
    steps = 0.5 ** np.arange(1, _RAISINGS) * part
    least = bound(part)
    for step in steps:
        for other in (part - step, part + step):
            here = bound(other)
            if here < least:
                part, least = other, here
                break
    return raised(part)


def _tried(field: _Field, floor: Whole, best: _Reached, asked: Whole) -> tuple[_Reached, int]:
    """The choice at these prices, mended and filled, if it is the best so far; and how many clashes are left in it."""
    top, clashes = int(field.problem.gain.max()), 1
    for dearer in _DEARER_PLACES if not field.is_small else _DEARER_PLACES[:1]:
        raised = asked + (best.place * (dearer * top / _PLACE)).astype(np.int64)
        chosen, clashes = _mended(field, floor, np.where(raised > 0, raised + int(_DEARER * top), 0))
        if clashes == 0:
            break
    if clashes > 0:
        return best, clashes
    _bundles.fill(field.market, floor, best.price, chosen)
    total = _total(field, chosen)
    if total <= best.total or not constrained.keeps(field.sides, chosen).all():
        return best, 0
    return best._replace(chosen=chosen, total=total), 0


def _mended(field: _Field, floor: Whole, price: Whole) -> tuple[Flags, int]:
    """The choice at these prices, brought into the rooms; and how many clashes are left in it."""
    room = field.problem.column_room
    _, chosen, used, _ = _bundles.choose(field.market, floor, price, 1)
    clashes = int(np.maximum(used - room, 0).sum())
    if not field.is_small:
        clashes = _negotiate(field, floor, price, chosen, scale=1)
    if 0 < clashes <= _UNRIPE * room.sum():
        clashes = _bundles.mend(field.market, floor, price, chosen)
    return chosen, clashes


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
    found = _above(field, least, known, is_enough=False)
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
