"""The graph of an assignment, and the search for shortest ways on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]
    Flags = NDArray[np.bool_]

FAR: Final = np.iinfo(np.int64).max


class Graph(NamedTuple):
    """Edges in order of row, column; rows, columns: counts; edges: count of edges."""

    start: Whole  # (rows + 1,): the edges of row r are start[r] … start[r + 1]
    column: Whole  # (edges,)
    row: Whole  # (edges,)
    gain: Whole  # (edges,), >= 1
    row_room: Whole  # (rows,), >= 0
    column_room: Whole  # (columns,), >= 0


@njit(cache=True)
def transpose(start: Whole, column: Whole, columns: int) -> tuple[Whole, Whole, Whole]:
    """The same edges seen from the columns: start (columns + 1), row (edges), edge (edges), rows ascending."""
    first = np.zeros(columns + 1, np.int64)
    for c in column:
        first[c + 1] += 1
    for c in range(columns):
        first[c + 1] += first[c]
    at = first[:-1].copy()
    row = np.empty(column.size, np.int64)
    edge = np.empty(column.size, np.int64)
    for r in range(start.size - 1):
        for e in range(start[r], start[r + 1]):
            k = at[column[e]]
            row[k], edge[k] = r, e
            at[column[e]] = k + 1
    return first, row, edge


class Search(NamedTuple):
    """What a shortest-path search keeps; node n is row n, or column n - rows."""

    distance: Whole
    came: Whole  # the edge by which a node was reached
    heap: Whole  # nodes by distance, then number
    at: Whole  # where a node stands in the heap; -1: not yet, or not any more
    touched: Whole  # the nodes that were reached, in order
    sizes: Whole  # (2,): nodes in the heap, nodes touched


@njit(cache=True)
def _is_before(search: Search, a: int, b: int) -> bool:
    return search.distance[a] < search.distance[b] or (search.distance[a] == search.distance[b] and a < b)


@njit(cache=True)
def reach(search: Search, node: int, distance: int, edge: int) -> None:
    """Note a way to a node, if it is shorter than the one known."""
    if distance >= search.distance[node]:
        return
    if search.distance[node] == FAR:
        search.touched[search.sizes[1]] = node
        search.sizes[1] += 1
    search.distance[node], search.came[node] = distance, edge
    i = search.at[node]
    if i < 0:
        i = search.sizes[0]
        search.sizes[0] += 1
    while i > 0 and _is_before(search, node, search.heap[(i - 1) >> 1]):
        search.heap[i] = search.heap[(i - 1) >> 1]
        search.at[search.heap[i]] = i
        i = (i - 1) >> 1
    search.heap[i], search.at[node] = node, i


@njit(cache=True)
def nearest(search: Search) -> int:
    """Take the nearest node out of the heap."""
    node: int = search.heap[0]
    search.at[node] = -1
    search.sizes[0] -= 1
    size = search.sizes[0]
    if size > 0:
        last = search.heap[size]
        i = 0
        while 2 * i + 1 < size:
            child = 2 * i + 1
            if child + 1 < size and _is_before(search, search.heap[child + 1], search.heap[child]):
                child += 1
            if _is_before(search, last, search.heap[child]):
                break
            search.heap[i] = search.heap[child]
            search.at[search.heap[i]] = i
            i = child
        search.heap[i], search.at[last] = last, i
    return node


@njit(cache=True)
def new_search(nodes: int) -> Search:
    return Search(
        np.full(nodes, FAR, np.int64),
        np.empty(nodes, np.int64),
        np.empty(nodes, np.int64),
        np.full(nodes, -1, np.int64),
        np.empty(nodes, np.int64),
        np.zeros(2, np.int64),
    )
