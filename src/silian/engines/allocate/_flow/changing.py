"""The choice that changes least: shortest augmenting paths whose lengths are pairs of whole numbers.

A length is (what is given up, gain), compared in this order, so no weight has to be large enough. In the first part an
edge that is held (it was chosen before) counts 1, a pinned one PINNED, a barred one BARRED, and a due place that stays
empty costs DUE. An exchange fills one due place more at most, so a pin outweighs it, and a barred edge outweighs both.
Near and far are the two sides of the graph; the same search runs from needs, then, turned, from experts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numba import njit

from silian.engines.allocate._flow.graph import FAR, Graph
from silian.engines.allocate._flow.ties import Face, first_optimum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]
    Flags = NDArray[np.bool_]

# What a due place is worth in the first part of a length: more than any number of held edges.
DUE: Final = 1 << 40
PINNED: Final = 2 * DUE
BARRED: Final = -4 * DUE


class Side(NamedTuple):
    """One side of the graph: its nodes' edges, rooms and prices."""

    start: Whole  # (nodes + 1,)
    other: Whole  # (edges,): the node at the other end
    edge: Whole  # (edges,): the edge's number
    room: Whole  # (nodes,)
    due: Whole  # (nodes,): so many of its places must not stay empty if that can be helped
    used: Whole  # (nodes,): edges chosen; changes
    high: Whole  # (nodes,): the price, first part; changes
    low: Whole  # (nodes,): the price, second part; changes


class Choice(NamedTuple):
    """The edges: what each gains, in two parts, and whether it is chosen."""

    held: Whole
    gain: Whole
    chosen: Flags


class Search(NamedTuple):
    """What a search keeps; node n is near n, or far n - nears. The heap is by (high, low, node)."""

    high: Whole
    low: Whole
    came: Whole
    heap: Whole
    at: Whole
    touched: Whole
    sizes: Whole  # (2,): nodes in the heap, nodes touched


@njit(cache=True)
def _new_search(nodes: int) -> Search:
    return Search(
        np.full(nodes, FAR, np.int64),
        np.full(nodes, FAR, np.int64),
        np.empty(nodes, np.int64),
        np.empty(nodes, np.int64),
        np.full(nodes, -1, np.int64),
        np.empty(nodes, np.int64),
        np.zeros(2, np.int64),
    )


@njit(cache=True)
def _less(high: int, low: int, than_high: int, than_low: int) -> bool:
    return high < than_high or (high == than_high and low < than_low)


@njit(cache=True)
def _least(high: int, low: int, other_high: int, other_low: int) -> tuple[int, int]:
    return (other_high, other_low) if _less(other_high, other_low, high, low) else (high, low)


@njit(cache=True)
def _before(search: Search, a: int, b: int) -> bool:
    if search.high[a] != search.high[b]:
        return bool(search.high[a] < search.high[b])
    if search.low[a] != search.low[b]:
        return bool(search.low[a] < search.low[b])
    return a < b


@njit(cache=True)
def _reach(search: Search, node: int, high: int, low: int, edge: int) -> None:
    """Note a shorter way to a node."""
    heap, at = search.heap, search.at
    if search.high[node] == FAR:
        search.touched[search.sizes[1]] = node
        search.sizes[1] += 1
    search.high[node], search.low[node], search.came[node] = high, low, edge
    i = at[node]
    if i < 0:
        i = search.sizes[0]
        search.sizes[0] += 1
    while i > 0 and _before(search, node, heap[(i - 1) >> 1]):
        heap[i] = heap[(i - 1) >> 1]
        at[heap[i]] = i
        i = (i - 1) >> 1
    heap[i], at[node] = node, i


@njit(cache=True)
def _nearest(search: Search) -> int:
    """Take the nearest node out of the heap; of equal ones the first."""
    heap, at = search.heap, search.at
    node: int = heap[0]
    at[node] = -1
    search.sizes[0] -= 1
    size = search.sizes[0]
    if size > 0:
        last = heap[size]
        i, child = 0, 1
        while child < size:
            if child + 1 < size and _before(search, heap[child + 1], heap[child]):
                child += 1
            if _before(search, last, heap[child]):
                break
            heap[i] = heap[child]
            at[heap[i]] = i
            i, child = child, 2 * child + 1
        heap[i], at[last] = last, i
    return node


@njit(cache=True)
def _idle(side: Side, node: int, place: int) -> int:
    """What it is worth, in the first part, that this place of the node stays empty (places count from 1)."""
    return -DUE if place <= side.due[node] else 0


@njit(cache=True)
def _dear(side: Side, node: int) -> tuple[int, int]:
    """By how much the next place of a node that has room is worth more empty than the node's price says."""
    idle = _idle(side, node, side.used[node] + 1)
    if _less(side.high[node], side.low[node], idle, 0):
        return idle - side.high[node], -side.low[node]
    return 0, 0


@njit(cache=True)
def _step_back(near: Side, far: Side, choice: Choice, search: Search, c: int, high: int, low: int) -> None:
    """From a far node to the near nodes that it is chosen with, where that is nearer than the end."""
    to = near.used.size + c
    for k in range(far.start[c], far.start[c + 1]):
        e, r = far.edge[k], far.other[k]
        if choice.chosen[e]:
            h = search.high[to] + choice.held[e] - near.high[r] - far.high[c]
            g = search.low[to] + choice.gain[e] - near.low[r] - far.low[c]
            if _less(h, g, high, low) and _less(h, g, search.high[r], search.low[r]):
                _reach(search, r, h, g, e)


@njit(cache=True)
def _shortest(near: Side, far: Side, choice: Choice, search: Search, source: int) -> tuple[int, int, int]:
    """Search from a near node with a place to fill to the nearest end.

    Ends are: leaving the place empty, a far node with room, a near node that can spare one of its own.

    Returns
    -------
    the length of the way (two parts), and the node at its end
    """
    nears = near.used.size
    high, low = near.high[source] - _idle(near, source, near.used[source] + 1), near.low[source]
    end = source
    _reach(search, source, 0, 0, -1)
    while search.sizes[0] > 0:
        n = search.heap[0]
        if not _less(search.high[n], search.low[n], high, low):
            break
        _nearest(search)
        if n >= nears:
            _step_back(near, far, choice, search, n - nears, high, low)
            continue
        to_high, to_low = search.high[n] + near.high[n], search.low[n] + near.low[n]
        spare = to_high - _idle(near, n, near.used[n])
        if n != source and _less(spare, to_low, high, low):
            high, low, end = spare, to_low, n
        for k in range(near.start[n], near.start[n + 1]):
            e, c = near.edge[k], near.other[k]
            h, g = to_high + far.high[c] - choice.held[e], to_low + far.low[c] - choice.gain[e]
            if choice.chosen[e] or not _less(h, g, search.high[nears + c], search.low[nears + c]):
                continue
            if _less(h, g, high, low):
                _reach(search, nears + c, h, g, e)
                if far.used[c] < far.room[c]:
                    dear_high, dear_low = _dear(far, c)
                    if _less(h + dear_high, g + dear_low, high, low):
                        high, low, end = h + dear_high, g + dear_low, nears + c
    return high, low, end


@njit(cache=True)
def _reprice(near: Side, far: Side, search: Search, high: int, low: int) -> None:
    """Change the prices of the nodes nearer than the end, so that the way costs nothing; clear the search."""
    nears = near.used.size
    for k in range(search.sizes[1]):
        n = search.touched[k]
        if _less(search.high[n], search.low[n], high, low):
            if n < nears:
                near.high[n] -= high - search.high[n]
                near.low[n] -= low - search.low[n]
            else:
                far.high[n - nears] += high - search.high[n]
                far.low[n - nears] += low - search.low[n]
        search.high[n] = search.low[n] = FAR
        search.at[n] = -1
    search.sizes[:] = 0


@njit(cache=True)
def _swap(near: Side, far: Side, choice: Choice, ends: tuple[Whole, Whole], came: Whole, source: int, end: int) -> None:
    """Turn over the edges on the way from source to end; ends: of each edge its near and its far node."""
    nears = near.used.size
    near.used[source] += 1
    if end < nears:
        near.used[end] -= 1
    else:
        far.used[end - nears] += 1
    at = end
    while at != source:
        e = came[at]
        choice.chosen[e] = not choice.chosen[e]
        at = ends[0][e] if at >= nears else nears + ends[1][e]


@njit(cache=True)
def _queue_back(far: Side, choice: Choice, queue: Whole, at: Whole, tail: int, c: int) -> int:
    """Append the near nodes that a far node is chosen with and that were not seen yet."""
    for k in range(far.start[c], far.start[c + 1]):
        if choice.chosen[far.edge[k]] and at[far.other[k]] < 0:
            queue[tail], at[far.other[k]] = far.other[k], 1
            tail += 1
    return tail


@njit(cache=True)
def _give_up(near: Side, far: Side, choice: Choice, search: Search, source: int) -> None:
    """Where no way from the source fills one due place more, lower the price of all that it reaches at once.

    A search by length would go through the same nodes in order of their distance, many times as slowly.
    """
    nears, queue, at = near.used.size, search.heap, search.at
    high, low = near.high[source] + DUE, near.low[source]
    queue[0], at[source] = source, 1
    head, tail, is_lost = 0, 1, True
    while head < tail and is_lost:
        n = queue[head]
        head += 1
        if n >= nears:
            tail = _queue_back(far, choice, queue, at, tail, n - nears)
            continue
        if n != source:
            is_lost = near.used[n] <= near.due[n]
            high, low = _least(high, low, near.high[n] - _idle(near, n, near.used[n]), near.low[n])
        for k in range(near.start[n], near.start[n + 1]):
            e, c = near.edge[k], near.other[k]
            if at[nears + c] >= 0 or choice.chosen[e]:
                continue
            if choice.held[e] < 0 or far.high[c] > DUE // 2:  # barred, or found before to lead nowhere
                to_high = near.high[n] + far.high[c] - choice.held[e]
                high, low = _least(high, low, to_high, near.low[n] + far.low[c] - choice.gain[e])
                continue
            is_lost = is_lost and far.used[c] == far.room[c]
            queue[tail], at[nears + c] = nears + c, 1
            tail += 1
    if not is_lost:
        high, low = 0, 0
    for n in queue[:tail]:
        at[n] = -1
        if n < nears:
            near.high[n] -= high
            near.low[n] -= low
        else:
            far.high[n - nears] += high
            far.low[n - nears] += low


@njit(cache=True)
def _improve(near: Side, far: Side, choice: Choice, ends: tuple[Whole, Whole]) -> None:
    """Fill the places of near nodes whose price says that they should not be empty; all in place.

    Before and after, no room is exceeded, edges fit their prices (not chosen: held, gain <= price + price; chosen: >=),
    and no near node would rather be without one of its edges.
    """
    search = _new_search(near.used.size + far.used.size)
    for source in range(near.used.size):
        while near.used[source] < near.room[source]:
            if not _less(_idle(near, source, near.used[source] + 1), 0, near.high[source], near.low[source]):
                break
            if near.used[source] < near.due[source] and near.high[source] > -DUE // 2:
                _give_up(near, far, choice, search, source)
            high, low, end = _shortest(near, far, choice, search, source)
            _reprice(near, far, search, high, low)
            if end != source:
                _swap(near, far, choice, ends, search.came, source, end)


@njit(cache=True)
def _fit(graph: Graph, choice: Choice, column_price: Whole) -> Whole:
    """The least prices >= 0 of rows that fit the edges not chosen (barred ones fit any)."""
    price = np.zeros(graph.row_room.size, np.int64)
    for r in range(price.size):
        for e in range(graph.start[r], graph.start[r + 1]):
            worth = graph.gain[e] - column_price[graph.column[e]]
            if worth > price[r] and not choice.chosen[e] and choice.held[e] >= 0:
                price[r] = worth
    return price


@njit(cache=True)
def _trim(side: Side, other: Side, choice: Choice) -> None:
    """Let edges of nodes over their room go, those that gain least at the prices first, and price the rest so."""
    for n in range(side.used.size):
        while side.used[n] > side.room[n]:
            worst, high, low = -1, FAR, FAR
            for k in range(side.start[n], side.start[n + 1]):
                e = side.edge[k]
                if choice.chosen[e]:
                    h, g = choice.held[e] - other.high[side.other[k]], choice.gain[e] - other.low[side.other[k]]
                    if _less(h, g, high, low):
                        worst, high, low = k, h, g
            choice.chosen[side.edge[worst]] = False
            side.used[n] -= 1
            other.used[side.other[worst]] -= 1
            side.high[n], side.low[n] = high, low


def least_change(
    graph: Graph, turned: tuple[Whole, Whole, Whole], held: Whole, due: Whole, chosen: Flags, price: Whole
) -> tuple[Flags, Whole]:
    """From a choice that stands to the best one, where best means: due places, then held edges, then gain.

    turned : start, row and edge of each column's edges, see `transpose`
    held : int64 (edges,): 1 for an edge that was chosen before, PINNED, BARRED, or 0
    due : int64 (rows,), <= row_room: so many places of a row come first
    chosen : the choice to begin with: the edges with held > 0, though rooms may be exceeded
    price : int64 (columns,), >= 0, a hint; the better it fits, the shorter the ways

    Returns
    -------
    chosen : bool (edges,), of the best choices the first, see `first_optimum`; independent of `price`
    price : int64 (columns,), a hint for the next call
    """
    first, row, edge = turned
    rows, columns = graph.row_room.size, graph.column_room.size
    choice = Choice(held, graph.gain, chosen.copy())
    none = np.zeros(columns, np.int64)
    at = np.flatnonzero(chosen)
    used = np.bincount(graph.row[at], minlength=rows), np.bincount(graph.column[at], minlength=columns)
    every, row_price = np.arange(chosen.size), _fit(graph, choice, price)
    needs = Side(graph.start, graph.column, every, graph.row_room, due, used[0], np.zeros(rows, np.int64), row_price)
    experts = Side(first, row, edge, graph.column_room, none, used[1], none.copy(), price.copy())
    _trim(experts, needs, choice)
    _trim(needs, experts, choice)
    _improve(needs, experts, choice, (graph.row, graph.column))
    _improve(experts, needs, choice, (graph.column, graph.row))
    spare = (count for side in (needs, experts) for count in _spare(side))
    face = (graph.start, graph.column, graph.row, experts.start, experts.other, experts.edge)
    first_optimum(Face(*face, _tight(graph, held, needs, experts), choice.chosen, *spare))
    return choice.chosen, np.where(experts.high == 0, experts.low, price)


@njit(cache=True)
def _tight(graph: Graph, held: Whole, needs: Side, experts: Side) -> Flags:
    """The edges that gain exactly their prices."""
    tight = np.zeros(held.size, np.bool_)
    for r in range(needs.used.size):
        for e in range(graph.start[r], graph.start[r + 1]):
            if graph.gain[e] == needs.low[r] + experts.low[graph.column[e]]:
                tight[e] = held[e] == needs.high[r] + experts.high[graph.column[e]]
    return tight


def _spare(side: Side) -> tuple[Whole, Whole]:
    """How many more and how many fewer edges each node may have at no loss."""
    is_free, is_lost = (side.high == 0) & (side.low == 0), (side.high == -DUE) & (side.low == 0)
    most = np.where((side.high < 0) | ((side.high == 0) & (side.low < 0)), side.due, side.room)
    least = np.where(is_free, side.due, np.where(is_lost, 0, most))
    return most - side.used, side.used - least
