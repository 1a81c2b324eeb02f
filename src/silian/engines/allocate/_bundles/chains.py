"""Chains of exchanges: take a choice back into the rooms of the columns, and fill room that is left; floors are kept.

A chain goes from column to column: a row gives up its edge to one and takes an edge to the next. Its cost is counted
at the prices of the columns, where a best bundle loses nothing, so that the cheapest chain is a shortest path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numba import njit

from silian.engines.allocate._bundles.bundles import NONE, Desk, best_bundle, new_desk, value
from silian.engines.allocate._flow.graph import FAR, Search, nearest, new_search, reach

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from silian.engines.allocate._bundles.market import Market

    Whole = NDArray[np.int64]
    Flags = NDArray[np.bool_]

# Where searches have walked over so many columns for each that there is, the prices are not ripe yet.
_WALKS: Final = 10
# A column that a row was made to leave asks this part (a power of two) of the row's largest gain on top.
_RAISE: Final = 13


class Held(NamedTuple):
    """Who holds what: the chosen edges listed from both sides."""

    chosen: Flags  # (edges,)
    gained: Whole  # (rows,)
    of_row: Whole  # the chosen edges of row r are of_row[start[r]] … of_row[start[r] + taken[r]]
    taken: Whole  # (rows,) how many
    of_column: Whole  # those of column c are of_column[first[c]] … of_column[first[c] + used[c]]
    used: Whole  # (columns,)
    place_in_row: Whole  # (edges,)
    place_in_column: Whole  # (edges,)


@njit(cache=True)
def held_by(market: Market, chosen: Flags) -> Held:
    edges, rows, columns = chosen.size, market.row_room.size, market.column_room.size
    held = Held(
        chosen,
        np.zeros(rows, np.int64),
        np.empty(edges, np.int64),
        np.zeros(rows, np.int64),
        np.empty(edges, np.int64),
        np.zeros(columns, np.int64),
        np.empty(edges, np.int64),
        np.empty(edges, np.int64),
    )
    for e in range(edges):
        if chosen[e]:
            take(market, held, e)
    return held


@njit(cache=True)
def take(market: Market, held: Held, e: int) -> None:
    r, c = market.row[e], market.column[e]
    held.chosen[e] = True
    held.gained[r] += market.gain[e]
    held.place_in_row[e] = market.start[r] + held.taken[r]
    held.of_row[held.place_in_row[e]] = e
    held.taken[r] += 1
    held.place_in_column[e] = market.first[c] + held.used[c]
    held.of_column[held.place_in_column[e]] = e
    held.used[c] += 1


@njit(cache=True)
def give(market: Market, held: Held, e: int) -> None:
    r, c = market.row[e], market.column[e]
    held.chosen[e] = False
    held.gained[r] -= market.gain[e]
    held.taken[r] -= 1
    last = held.of_row[market.start[r] + held.taken[r]]
    held.of_row[held.place_in_row[e]], held.place_in_row[last] = last, held.place_in_row[e]
    held.used[c] -= 1
    last = held.of_column[market.first[c] + held.used[c]]
    held.of_column[held.place_in_column[e]], held.place_in_column[last] = last, held.place_in_column[e]


@njit(cache=True)
def _is_on(market: Market, came: Whole, gave: Whole, c: int, source: int, r: int) -> bool:
    """Whether the chain that leads to column c passes row r."""
    while c != source:
        if market.row[came[c]] == r:
            return True
        c = market.column[gave[c]] if market.column[came[c]] == c else market.column[came[c]]
    return False


@njit(cache=True)
def _clear(search: Search) -> None:
    for k in range(search.sizes[1]):
        search.distance[search.touched[k]] = FAR
        search.at[search.touched[k]] = -1
    search.sizes[:] = 0


class Chains(NamedTuple):
    """A search for chains: how each column was reached, see search.came for the edge that a row takes to it."""

    search: Search
    gave: Whole  # (columns,): the edge that the row gives for it
    beside: Whole  # (columns,): one more edge that the row takes to keep its floor, or -1
    walked: Whole  # (1,): columns that were looked at, in all searches


@njit(cache=True)
def _beside(market: Market, held: Held, price: Whole, r: int) -> tuple[int, int]:
    """The two edges that row r could best take beside another: in columns with room left, -1 where there is none."""
    first, second, loss, next_loss = -1, -1, FAR, FAR
    if held.taken[r] < market.row_room[r]:
        for g in range(market.start[r], market.start[r + 1]):
            c = market.column[g]
            if held.chosen[g] or held.used[c] >= market.column_room[c]:
                continue
            to = price[c] - market.gain[g]
            if to < loss:
                first, second, loss, next_loss = g, first, to, loss
            elif to < next_loss:
                second, next_loss = g, to
    return first, second


@njit(cache=True)
def _spread(
    market: Market, held: Held, floor: Whole, price: Whole, chains: Chains, source: int, c: int, e: int
) -> None:
    """The columns that the row of edge e can change to when it gives up e."""
    search, r = chains.search, market.row[e]
    far = search.distance[c]
    spare = held.gained[r] - market.gain[e] - floor[r]
    first, second = -2, -2
    for f in range(market.start[r], market.start[r + 1]):
        d = market.column[f]
        if held.chosen[f] or market.column_room[d] == 0 or d == c:
            continue
        to, g = far + (market.gain[e] - price[c]) - (market.gain[f] - price[d]), -1
        if spare + market.gain[f] < 0:
            if first == -2:
                first, second = _beside(market, held, price, r)
            g = first if first != f else second
            if g < 0 or spare + market.gain[f] + market.gain[g] < 0:
                continue
            to += price[market.column[g]] - market.gain[g]
        to = max(to, far)
        if to < search.distance[d] and not _is_on(market, search.came, chains.gave, c, source, r):
            chains.gave[d], chains.beside[d] = e, g
            reach(search, d, to, f)


@njit(cache=True)
def _way_out(
    market: Market, held: Held, floor: Whole, price: Whole, chains: Chains, source: int, dear: int
) -> tuple[int, int]:
    """The cheapest chain that takes one edge off a column: the column where it ends, and the edge given up there.

    (-1, -1): there is none; an edge of -1: the column has room. dear : what an edge that is only given up costs more
    """
    best, end, drop = FAR, -1, -1
    search = chains.search
    reach(search, source, 0, -1)
    while search.sizes[0] > 0 and search.distance[search.heap[0]] < best:
        c = nearest(search)
        chains.walked[0] += 1
        if held.used[c] < market.column_room[c]:
            return c, -1
        for k in range(market.first[c], market.first[c] + held.used[c]):
            e = held.of_column[k]
            r = market.row[e]
            loss = search.distance[c] + market.gain[e] - price[c] + dear
            is_free = held.gained[r] - market.gain[e] >= floor[r] and loss < best
            if is_free and not _is_on(market, search.came, chains.gave, c, source, r):
                best, end, drop = loss, c, e
            _spread(market, held, floor, price, chains, source, c, e)
    return end, drop


@njit(cache=True)
def _dearest(market: Market, held: Held, price: Whole) -> int:
    """The greatest price of a column with room left."""
    dearest = 0
    for c in range(price.size):
        if held.used[c] < market.column_room[c]:
            dearest = max(dearest, price[c])
    return dearest


@njit(cache=True)
def _yield(market: Market, held: Held, floor: Whole, asked: Whole, desk: Desk, source: int) -> bool:
    """Of a column's rows let the one that loses least take its best bundle without it; others' columns may overflow.

    The column then asks what it lost, so that rows do not come back in turn. False: no row can do without it.
    """
    least, leaves = FAR, -1
    for k in range(market.first[source], market.first[source] + held.used[source]):
        e = held.of_column[k]
        r = market.row[e]
        gain = value(market, desk, r, asked, 1)
        loss = 0
        for i in range(market.start[r], market.start[r] + held.taken[r]):
            loss += desk.worth[held.of_row[i] - market.start[r]]
        best, _ = _without(desk, gain, market.row_room[r], floor[r], e - market.start[r])
        if best != NONE and loss - best < least:
            least, leaves = loss - best, e
    if leaves < 0:
        return False
    r = market.row[leaves]
    gain = value(market, desk, r, asked, 1)
    _, size = _without(desk, gain, market.row_room[r], floor[r], leaves - market.start[r])
    while held.taken[r] > 0:
        give(market, held, held.of_row[market.start[r]])
    for i in range(size):
        take(market, held, market.start[r] + desk.best[i])
    asked[source] += max(least, 0) + max(gain.max() >> _RAISE, 1)
    return True


@njit(cache=True)
def _without(desk: Desk, gain: Whole, room: int, floor: int, out: int) -> tuple[int, int]:
    """Worth (NONE: out of reach) and size of the best bundle of a row without one of its edges; it is in desk.best."""
    desk.worth[out] = NONE >> 2
    _, best, size, _ = best_bundle(desk, gain, min(room, gain.size), floor)
    return best, size


@njit(cache=True)
def _follow(market: Market, held: Held, chains: Chains, source: int, end: int, drop: int) -> None:
    """Make the exchanges of a chain."""
    if drop >= 0:
        give(market, held, drop)
    c = end
    while c != source:
        e, beside = chains.gave[c], chains.beside[c]
        give(market, held, e)
        take(market, held, chains.search.came[c])
        if beside >= 0 and not held.chosen[beside]:
            take(market, held, beside)
        c = market.column[e]


@njit(cache=True)
def mend(market: Market, floor: Whole, price: Whole, chosen: Flags) -> int:
    """Bring a choice that keeps rows' rooms and floors back into the columns' rooms, in place.

    Returns
    -------
    0 where it is mended, else a count of edges that are still too many for their columns
    """
    columns = price.size
    held, asked, desk = held_by(market, chosen), price.copy(), new_desk(market.start)
    none = np.full(columns, -1, np.int64)
    chains = Chains(new_search(columns), none, none.copy(), np.zeros(1, np.int64))
    most = _WALKS * columns + 10_000
    over = 1
    while over > 0 and chains.walked[0] < most:
        over = 0
        for source in range(columns):
            while held.used[source] > market.column_room[source] and chains.walked[0] < most:
                end, drop = _way_out(market, held, floor, asked, chains, source, _dearest(market, held, asked))
                if end >= 0:
                    _follow(market, held, chains, source, end, drop)
                _clear(chains.search)
                if end < 0 and not _yield(market, held, floor, asked, desk, source):
                    return 1
        for c in range(columns):
            over += max(held.used[c] - market.column_room[c], 0)
    return over


@njit(cache=True)
def _way_in(
    market: Market, held: Held, floor: Whole, price: Whole, search: Search, gave: Whole, source: int
) -> tuple[int, int]:
    """The cheapest chain that uses one place of a column: the column where it ends, and the edge taken there.

    (-1, -1): none gains; an edge of -1: the place that gets free at the end stays free.
    """
    best, end, add = price[source], -1, -1
    reach(search, source, 0, -1)
    while search.sizes[0] > 0 and search.distance[search.heap[0]] < best:
        c = nearest(search)
        far = search.distance[c]
        if far + price[c] < best:
            best, end, add = far + price[c], c, -1
        for k in range(market.first[c], market.first[c + 1]):
            f = market.edge[k]
            r = market.row[f]
            if held.chosen[f] or market.row_room[r] == 0:
                continue
            loss = far + price[c] - market.gain[f]
            is_free = held.taken[r] < market.row_room[r] and loss < best
            if is_free and not _is_on(market, search.came, gave, c, source, r):
                best, end, add = loss, c, f
            for i in range(market.start[r], market.start[r] + held.taken[r]):
                e = held.of_row[i]
                d = market.column[e]
                if held.gained[r] - market.gain[e] + market.gain[f] < floor[r]:
                    continue
                to = max(loss + market.gain[e] - price[d], far)
                if to < search.distance[d] and to < best and not _is_on(market, search.came, gave, c, source, r):
                    gave[d] = f
                    reach(search, d, to, e)
    return end, add


@njit(cache=True)
def fill(market: Market, floor: Whole, price: Whole, chosen: Flags) -> None:
    """Use the room that columns have left and that has a price, in place, as long as the total grows."""
    columns = price.size
    held, search, took = held_by(market, chosen), new_search(columns), np.full(columns, -1, np.int64)
    for source in range(columns):
        while held.used[source] < market.column_room[source] and price[source] > 0:
            c, add = _way_in(market, held, floor, price, search, took, source)
            gained = market.gain[add] if add >= 0 else 0
            at = c
            while c >= 0 and at != source:
                gained += market.gain[took[at]] - market.gain[search.came[at]]
                at = market.column[took[at]]
            if c < 0 or gained <= 0:
                _clear(search)
                break
            if add >= 0:
                take(market, held, add)
            while c != source:
                e, f = search.came[c], took[c]
                give(market, held, e)
                take(market, held, f)
                c = market.column[f]
            _clear(search)
