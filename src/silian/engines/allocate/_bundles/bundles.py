"""The best bundle of each need at given prices: exact, by the hull of two goals and a short search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from silian.engines.allocate._bundles.market import Market

    Whole = NDArray[np.int64]
    Real = NDArray[np.float64]
    Flags = NDArray[np.bool_]

# Bundles looked at for one need before its worth is only bounded; a few hundred are usual where two must be combined.
_LOOKS: Final = 20_000
NONE: Final = np.iinfo(np.int64).min


class Desk(NamedTuple):
    """What the choice of one need is worked out on; sized for the longest row."""

    worth: Whole  # gain less price
    pull: Real  # worth + weight · gain
    order: Whole
    most_worth: Whole  # of the edges from here on, in order
    most_gain: Whole
    path: Whole
    best: Whole  # the best bundle that was found, as places in the row
    trial: Whole


@njit(cache=True)
def new_desk(start: Whole) -> Desk:
    n = 1
    for r in range(start.size - 1):
        n = max(n, start[r + 1] - start[r])
    return Desk(
        np.empty(n, np.int64),
        np.empty(n, np.float64),
        np.empty(n, np.int64),
        np.empty(n + 1, np.int64),
        np.empty(n + 1, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
    )


@njit(cache=True)
def _top(pull: Real, size: int, room: int, out: Whole) -> int:
    """The places of the greatest pulls above 0, at most `room`, of equal ones the first; returns how many."""
    k = 0
    for j in range(size if room > 0 else 0):
        if pull[j] <= 0 or (k == room and pull[j] <= pull[out[k - 1]]):
            continue
        if k < room:
            k += 1
        i = k - 1
        while i > 0 and pull[out[i - 1]] < pull[j]:
            out[i] = out[i - 1]
            i -= 1
        out[i] = j
    return k


@njit(cache=True)
def _sums(desk: Desk, gain: Whole, out: Whole, k: int) -> tuple[int, int]:
    """Worth and gain of a bundle."""
    worth, gained = 0, 0
    for i in range(k):
        worth += desk.worth[out[i]]
        gained += gain[out[i]]
    return worth, gained


@njit(cache=True)
def value(market: Market, desk: Desk, r: int, price: Whole, scale: int) -> Whole:
    """Work out the worth of the edges of a row; returns their gains."""
    at, size = market.start[r], market.start[r + 1] - market.start[r]
    for j in range(size):
        c = market.column[at + j]
        desk.worth[j] = scale * market.gain[at + j] - price[c] if market.column_room[c] > 0 else NONE >> 2
    return market.gain[at : at + size]


@njit(cache=True)
def _hull(desk: Desk, gain: Whole, room: int, floor: int) -> tuple[float, int, int, bool]:
    """Walk the hull of (worth, gain) to the floor.

    Returns
    -------
    weight of gain where the hull meets the floor, worth and size of the best bundle met (in desk.best; worth NONE:
    no bundle reaches the floor), and whether it is surely the best of all
    """
    size = gain.size
    desk.pull[:size] = desk.worth[:size]
    k = _top(desk.pull, size, room, desk.best)
    low_worth, low_gain = _sums(desk, gain, desk.best, k)
    if low_gain >= floor:
        return 0.0, low_worth, k, True
    for j in range(size):
        desk.pull[j] = gain[j] if desk.worth[j] > NONE >> 2 else 0.0
    k = _top(desk.pull, size, room, desk.best)
    high_worth, high_gain = _sums(desk, gain, desk.best, k)
    if high_gain < floor:
        return 0.0, NONE, 0, True
    best = high_worth
    while True:
        weight = (low_worth - high_worth) / (high_gain - low_gain)
        for j in range(size):
            desk.pull[j] = desk.worth[j] + weight * gain[j]
        count = _top(desk.pull, size, room, desk.trial)
        worth, gained = _sums(desk, gain, desk.trial, count)
        if worth + weight * gained <= low_worth + weight * low_gain + 1.0 or gained in (low_gain, high_gain):
            return weight, best, k, False
        if gained >= floor:
            high_worth, high_gain = worth, gained
            if worth > best:
                best, k = worth, count
                desk.best[:k] = desk.trial[:k]
        else:
            low_worth, low_gain = worth, gained


@njit(cache=True)
def _sort(desk: Desk, gain: Whole) -> None:
    """Put the edges in order of pull, with the most that those from here on have."""
    size = gain.size
    desk.order[:size] = np.argsort(-desk.pull[:size], kind="mergesort")
    desk.most_worth[size], desk.most_gain[size] = NONE >> 2, 0
    for p in range(size - 1, -1, -1):
        j = desk.order[p]
        desk.most_worth[p] = max(desk.most_worth[p + 1], desk.worth[j])
        desk.most_gain[p] = max(desk.most_gain[p + 1], gain[j])


@njit(cache=True)
def _is_open(desk: Desk, size: int, slots: int, p: int, spare: int, ahead: int, weight: float) -> bool:
    """Whether up to `slots` edges from the place p on can bring a bundle to the floor and above the best.

    spare : gain of the bundle so far less the floor; ahead : its worth less that of the best
    """
    if slots <= 0 or p >= size or spare + slots * desk.most_gain[p] < 0:
        return False
    if ahead + desk.most_worth[p] + (slots - 1) * max(desk.most_worth[p], 0) <= 0:
        return False
    bound = ahead + weight * spare + desk.pull[desk.order[p]]
    for q in range(p + 1, min(size, p + slots)):
        bound += max(desk.pull[desk.order[q]], 0.0)
    is_open: bool = bound > 0
    return is_open


@njit(cache=True)
def _search(desk: Desk, gain: Whole, room: int, floor: int, weight: float, best: int, k: int) -> tuple[int, int, int]:
    """Depth first over bundles, in order of pull; returns the bound, and worth and size of the best bundle."""
    _sort(desk, gain)
    depth, p, worth, gained = 0, 0, 0, 0
    for _ in range(_LOOKS):
        if _is_open(desk, gain.size, room - depth, p, gained - floor, worth - best, weight):
            j = desk.order[p]
            desk.path[depth] = p
            depth, p, worth, gained = depth + 1, p + 1, worth + desk.worth[j], gained + gain[j]
            if gained >= floor and worth > best:
                best, k = worth, depth
                for i in range(depth):
                    desk.best[i] = desk.order[desk.path[i]]
        elif depth == 0:
            return best, best, k
        else:
            depth -= 1
            p = desk.path[depth]
            j = desk.order[p]
            p, worth, gained = p + 1, worth - desk.worth[j], gained - gain[j]
    bound = -weight * floor
    for q in range(min(gain.size, room)):
        bound += max(desk.pull[desk.order[q]], 0.0)
    return max(best, int(bound) + gain.size), best, k


@njit(cache=True)
def best_bundle(desk: Desk, gain: Whole, room: int, floor: int) -> tuple[int, int, int, float]:
    """The bundle of a row that is worth most, in desk.best.

    Returns
    -------
    bound of the worth, worth (both NONE where no bundle reaches the floor), size, weight of gain at the floor
    """
    weight, best, k, is_best = _hull(desk, gain, room, floor)
    if best == NONE or is_best:
        return best, best, k, weight
    bound, best, k = _search(desk, gain, room, floor, weight, best, k)
    return bound, best, k, weight


@njit(cache=True)
def choose(market: Market, floor: Whole, price: Whole, scale: int) -> tuple[int, Flags, Whole, Whole]:
    """The best bundle of each row at these prices of the columns.

    scale : 1: worth is gain less price; 0: the price alone counts (which prices prove that floors cannot be reached?)

    Returns
    -------
    bound : Σ room · price + Σ worth of the best bundles (NONE where a row's floor is out of reach by itself)
    chosen : bool (edges,)
    used : int64 (columns,), how often each column was chosen
    worth : int64 (rows,), of each row's bundle; a bound of it where the search was cut
    """
    rows = market.row_room.size
    desk = new_desk(market.start)
    chosen, used = np.zeros(market.gain.size, np.bool_), np.zeros(price.size, np.int64)
    worth = np.zeros(rows, np.int64)
    bound = 0
    for c in range(price.size):
        bound += market.column_room[c] * price[c]
    for r in range(rows):
        gain = value(market, desk, r, price, scale)
        room = min(market.row_room[r], gain.size)
        most, _, k, _ = best_bundle(desk, gain, room, floor[r])
        if most == NONE:
            return NONE, chosen, used, worth
        worth[r] = most
        bound += most
        for i in range(k):
            e = market.start[r] + desk.best[i]
            chosen[e] = True
            used[market.column[e]] += 1
    return bound, chosen, used, worth


@njit(cache=True)
def _falls(desk: Desk, size: int, room: int, spare: float, fall: Whole) -> None:
    """By how much the worth falls short of `spare` + the best pulls when an edge is forced among them."""
    count = _top(desk.pull, size, room, desk.trial)
    rest = spare
    for i in range(min(count, room - 1)):
        rest += desk.pull[desk.trial[i]]
    last = desk.pull[desk.trial[room - 1]] if count == room else 0.0
    for j in range(size):
        fall[j] = max(int(-rest - desk.pull[j]) - size, 0)
    for i in range(min(count, room - 1)):
        fall[desk.trial[i]] = max(int(-rest - last) - size, 0)


@njit(cache=True)
def limits(market: Market, floor: Whole, price: Whole) -> Whole:
    """By how much the bound of `choose` falls, at least, if an edge is taken: int64 (edges,), 0 or more.

    An edge whose fall is more than the gap is in no better choice: it can be left out before a slower solver closes.
    """
    desk = new_desk(market.start)
    fall = np.zeros(market.gain.size, np.int64)
    for r in range(market.row_room.size):
        gain = value(market, desk, r, price, 1)
        room = min(market.row_room[r], gain.size)
        if room == 0:
            continue
        most, _, _, weight = best_bundle(desk, gain, room, floor[r])
        if most == NONE:
            continue
        for j in range(gain.size):
            desk.pull[j] = desk.worth[j] + weight * gain[j]
        _falls(desk, gain.size, room, -weight * floor[r] - most, fall[market.start[r] : market.start[r + 1]])
    return fall
