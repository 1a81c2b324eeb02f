"""From which gain on an edge is in the best choice, and who has to make room for it: one search per row or column."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from silian.engines.allocate._flow.graph import FAR, Graph, Search, nearest, new_search, reach

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]
    Flags = NDArray[np.bool_]


class Best(NamedTuple):
    """A best choice with its extreme prices (see `extreme_prices`), and the graph from both sides."""

    graph: Graph
    first: Whole  # the edges of column c are edge[first[c]] … edge[first[c + 1]]
    edge: Whole
    chosen: Flags
    row_price: Whole
    column_price: Whole
    row_used: Whole
    column_used: Whole


class Margins(NamedTuple):
    """Of each pair: where it comes in, and who makes room; -1: nobody has to."""

    threshold: Whole  # with a larger gain it is in every best choice, with a smaller one in none
    row: Whole  # the row at the column that goes if the pair comes, or comes if it goes
    column: Whole  # likewise the column at the row


@njit(cache=True)
def _from_idle(best: Best) -> Whole:
    """How idling leads to each node at no cost, which it does at extreme prices: the last edge, -1 where directly."""
    graph = best.graph
    rows, columns = best.row_used.size, best.column_used.size
    came, queue, is_seen = (
        np.full(rows + columns, -1),
        np.empty(rows + columns, np.int64),
        np.zeros(rows + columns, np.bool_),
    )
    head, tail = 0, 0
    for n in range(rows + columns):
        if (best.row_used[n] < graph.row_room[n]) if n < rows else (best.column_price[n - rows] == 0):
            queue[tail], is_seen[n] = n, True
            tail += 1
    while head < tail:
        n = queue[head]
        head += 1
        c = n - rows
        low, high = (graph.start[n], graph.start[n + 1]) if n < rows else (best.first[c], best.first[c + 1])
        for k in range(low, high):
            e = k if n < rows else best.edge[k]
            to = rows + graph.column[e] if n < rows else graph.row[e]
            if best.chosen[e] == (n < rows) or is_seen[to]:
                continue
            if graph.gain[e] == best.row_price[graph.row[e]] + best.column_price[graph.column[e]]:
                queue[tail], is_seen[to], came[to] = to, True, e
                tail += 1
    return came


@njit(cache=True)
def _to_idle(best: Best, search: Search, source: int) -> tuple[int, int]:
    """Shortest ways from the source to all that is nearer than idling.

    Returns
    -------
    the distance of idling, and the node from which it is reached
    """
    graph = best.graph
    rows = best.row_used.size
    idle, end = FAR, source
    reach(search, source, 0, -1)
    while search.sizes[0] > 0 and search.distance[search.heap[0]] < idle:
        n = nearest(search)
        far = search.distance[n]
        if n < rows:
            if far + best.row_price[n] < idle:
                idle, end = far + best.row_price[n], n
            for e in range(graph.start[n], graph.start[n + 1]):
                c = graph.column[e]
                to = far + best.row_price[n] + best.column_price[c] - graph.gain[e]
                if to < idle and to < search.distance[rows + c] and not best.chosen[e]:
                    reach(search, rows + c, to, e)
            continue
        c = n - rows
        if best.column_used[c] < graph.column_room[c] and far + best.column_price[c] < idle:
            idle, end = far + best.column_price[c], n
        for k in range(best.first[c], best.first[c + 1]):
            e = best.edge[k]
            if best.chosen[e]:
                r = graph.row[e]
                to = far + graph.gain[e] - best.row_price[r] - best.column_price[c]
                if to < idle and to < search.distance[r]:
                    reach(search, r, to, e)
    return idle, end


@njit(cache=True)
def _first_step(best: Best, search: Search, source: int, node: int) -> int:
    """The first edge on the way from the source to a node; -1 if it is the source itself."""
    rows = best.row_used.size
    e = -1
    while node != source:
        e = search.came[node]
        node = rows + best.graph.column[e] if node < rows else best.graph.row[e]
    return e


@njit(cache=True)
def _step_again(best: Best, came: Whole, source: int, node: int, step: int) -> int:
    """The first step from the source where the way on from idling comes back to it: the way is cut short there."""
    rows = best.row_used.size
    while came[node] >= 0:
        e: int = came[node]
        node = rows + best.graph.column[e] if node < rows else best.graph.row[e]
        if node == source:
            return e
    return step


@njit(cache=True)
def _clear(search: Search) -> None:
    for n in search.touched[: search.sizes[1]]:
        search.distance[n], search.at[n] = FAR, -1
    search.sizes[:] = 0


@njit(cache=True)
def margins(best: Best, row: Whole, column: Whole, is_chosen: Flags, order: Whole) -> Margins:
    """Of each pair the gain at which it comes in or goes.

    row, column : int64 (pairs,), with room both
    order : int64 (pairs,): the pairs so that equal sources (the row of a chosen one, else the column) stand together
    """
    rows = best.row_used.size
    graph, came = best.graph, _from_idle(best)
    search = new_search(rows + best.column_used.size)
    found = Margins(np.empty(row.size, np.int64), np.empty(row.size, np.int64), np.empty(row.size, np.int64))
    source, idle, end = -1, 0, -1
    for p in order:
        r, c = row[p], column[p]
        out, into = (r, rows + c) if is_chosen[p] else (rows + c, r)
        if out != source:
            _clear(search)
            source = out
            idle, end = _to_idle(best, search, source)
        is_by_idling = search.distance[into] > idle
        far = idle if is_by_idling else search.distance[into]
        there = best.row_price[r] + best.column_price[c]
        step = _first_step(best, search, source, end if is_by_idling else into)
        step = _step_again(best, came, source, into, step) if is_by_idling else step
        last = came[into] if is_by_idling else search.came[into]
        if is_chosen[p]:  # out of the row, at last into the column
            found.threshold[p] = there - far
            found.column[p] = graph.column[step] if step >= 0 else -1
            found.row[p] = graph.row[last] if last >= 0 else -1
        else:  # out of the column, at last into the row
            found.threshold[p] = there + far
            found.row[p] = graph.row[step] if step >= 0 else -1
            found.column[p] = graph.column[last] if last >= 0 else -1
    return found
