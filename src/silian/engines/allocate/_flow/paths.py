"""Shortest augmenting paths: from a choice that fits its prices to the best one, and the extreme prices of that."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from silian.engines.allocate._flow.graph import FAR, Graph, Search, nearest, new_search, reach

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]
    Flags = NDArray[np.bool_]


class Slots(NamedTuple):
    """The chosen edges of each column, so that a column's few need no walk over its many edges."""

    start: Whole  # (columns + 1,)
    edge: Whole  # the edges of column c are edge[start[c]] … edge[start[c] + used[c]]
    place: Whole  # (edges,): where a chosen edge stands in `edge`
    used: Whole  # (columns,)


@njit(cache=True)
def _new_slots(graph: Graph, chosen: Flags) -> Slots:
    columns = graph.column_room.size
    start = np.zeros(columns + 1, np.int64)
    for c in graph.column:
        start[c + 1] += 1
    for c in range(columns):
        start[c + 1] = start[c] + min(start[c + 1], graph.column_room[c])
    slots = Slots(
        start, np.empty(start[-1], np.int64), np.empty(graph.column.size, np.int64), np.zeros(columns, np.int64)
    )
    for e in range(chosen.size):
        if chosen[e]:
            _put(slots, graph.column[e], e)
    return slots


@njit(cache=True)
def _put(slots: Slots, c: int, e: int) -> None:
    slots.place[e] = slots.start[c] + slots.used[c]
    slots.edge[slots.place[e]] = e
    slots.used[c] += 1


@njit(cache=True)
def _shortest(
    graph: Graph, chosen: Flags, row_price: Whole, column_price: Whole, slots: Slots, search: Search, source: int
) -> tuple[int, int]:
    """Search from a row with a unit to place to the nearest end: a column with room, or a row that would rather idle.

    Returns
    -------
    the length of the way, and the node at its end
    """
    rows = row_price.size
    best, end = row_price[source], source  # idling itself
    reach(search, source, 0, -1)
    while search.sizes[0] > 0 and search.distance[search.heap[0]] < best:
        n = nearest(search)
        far = search.distance[n]
        if n >= rows:
            c = n - rows
            for k in range(slots.start[c], slots.start[c] + slots.used[c]):
                e = slots.edge[k]
                r = graph.row[e]
                to = far + graph.gain[e] - row_price[r] - column_price[c]
                if to < best and to < search.distance[r]:
                    reach(search, r, to, e)
            continue
        far += row_price[n]
        if far < best:
            best, end = far, n
        for e in range(graph.start[n], graph.start[n + 1]):
            c = graph.column[e]
            to = far + column_price[c] - graph.gain[e]
            if to < best and to < search.distance[rows + c] and not chosen[e]:
                reach(search, rows + c, to, e)
                if slots.used[c] < graph.column_room[c]:
                    best, end = to, rows + c
    return best, end


@njit(cache=True)
def _reprice(search: Search, best: int, row_price: Whole, column_price: Whole) -> None:
    """Change the prices of the nodes nearer than the end, so that the way costs nothing; clear the search."""
    rows = row_price.size
    for k in range(search.sizes[1]):
        n = search.touched[k]
        gap = best - search.distance[n]
        if gap > 0:
            if n < rows:
                row_price[n] -= gap
            else:
                column_price[n - rows] += gap
        search.distance[n] = FAR
        search.at[n] = -1
    search.sizes[:] = 0


@njit(cache=True)
def _swap(graph: Graph, chosen: Flags, slots: Slots, came: Whole, source: int, end: int) -> None:
    """Turn over the edges on the way from source to end."""
    rows = graph.row_room.size
    at = end
    if at >= rows:
        e = came[at]
        chosen[e] = True
        _put(slots, at - rows, e)
        at = graph.row[e]
    while at != source:
        out = came[at]
        e = came[rows + graph.column[out]]
        chosen[out], chosen[e] = False, True
        slots.place[e] = slots.place[out]
        slots.edge[slots.place[e]] = e
        at = graph.row[e]


@njit(cache=True)
def augment(graph: Graph, chosen: Flags, row_price: Whole, column_price: Whole) -> None:
    """Place what the rows have left over, all in place, until every row is full or has price 0.

    Before and after, the prices fit the edges (see the top) and no room is exceeded. A column that has room left and
    a price is filled where a way leads there; what is left of it is a matter of the same call on the turned graph.
    """
    rows = row_price.size
    left = graph.row_room.copy()
    for e in range(chosen.size):
        left[graph.row[e]] -= chosen[e]
    slots, search = _new_slots(graph, chosen), new_search(rows + column_price.size)
    for source in range(rows):
        while left[source] > 0 and row_price[source] > 0:
            best, end = _shortest(graph, chosen, row_price, column_price, slots, search, source)
            _reprice(search, best, row_price, column_price)
            if end != source:
                left[source] -= 1
                if end < rows:
                    left[end] += 1
                _swap(graph, chosen, slots, search.came, source, end)


@njit(cache=True)
def _spread(
    graph: Graph,
    turned: Graph,
    edge: Whole,
    chosen: Flags,
    row_price: Whole,
    column_price: Whole,
    search: Search,
) -> None:
    """Shortest ways from the nodes that were reached to all that they lead to."""
    rows = row_price.size
    while search.sizes[0] > 0:
        n = nearest(search)
        far = search.distance[n]
        if n < rows:
            for e in range(graph.start[n], graph.start[n + 1]):
                c = graph.column[e]
                to = far + row_price[n] + column_price[c] - graph.gain[e]
                if to < search.distance[rows + c] and not chosen[e]:
                    reach(search, rows + c, to, e)
        else:
            for k in range(turned.start[n - rows], turned.start[n - rows + 1]):
                r = turned.column[k]
                to = far + turned.gain[k] - row_price[r] - column_price[n - rows]
                if to < search.distance[r] and chosen[edge[k]]:
                    reach(search, r, to, edge[k])


@njit(cache=True)
def extreme_prices(
    graph: Graph, turned: Graph, edge: Whole, chosen: Flags, row_price: Whole, column_price: Whole
) -> tuple[Whole, Whole]:
    """The prices that prove the choice and have the smallest column prices, which are those with the greatest of rows.

    Then a column's price is exactly what one more room of it would add to the total, and a row's price (room >= 1)
    exactly what one room less of it would take away. A row without room gets the least price that the column
    prices allow. turned, edge : the graph from the columns, and its edges' numbers here.
    """
    rows, columns = row_price.size, column_price.size
    used = np.zeros(rows, np.int64)
    for e in range(chosen.size):
        used[graph.row[e]] += chosen[e]
    search = new_search(rows + columns)
    for r in range(rows):
        if used[r] < graph.row_room[r]:
            reach(search, r, 0, -1)
    for c in range(columns):
        reach(search, rows + c, column_price[c], -1)
    _spread(graph, turned, edge, chosen, row_price, column_price, search)
    least, most = column_price - search.distance[rows:], row_price.copy()
    for r in range(rows):
        if graph.row_room[r] == 0:
            most[r] = 0
            for e in range(graph.start[r], graph.start[r + 1]):
                most[r] = max(most[r], graph.gain[e] - least[graph.column[e]])
        elif used[r] == graph.row_room[r]:
            most[r] += search.distance[r]
    return most, least
