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
def reach(search: Search, node: int, far: int, edge: int) -> None:
    """Note a way to a node that is shorter than the one known (ask first: a call costs more than a look)."""
    distance, heap, at = search.distance, search.heap, search.at
    if distance[node] == FAR:
        search.touched[search.sizes[1]] = node
        search.sizes[1] += 1
    distance[node], search.came[node] = far, edge
    i = at[node]
    if i < 0:
        i = search.sizes[0]
        search.sizes[0] += 1
    while i > 0:
        up = heap[(i - 1) >> 1]
        if distance[up] < far or (distance[up] == far and up < node):
            break
        heap[i], at[up] = up, i
        i = (i - 1) >> 1
    heap[i], at[node] = node, i


@njit(cache=True)
def nearest(search: Search) -> int:
    """Take the nearest node out of the heap; of equal ones the first."""
    distance, heap, at = search.distance, search.heap, search.at
    node: int = heap[0]
    at[node] = -1
    search.sizes[0] -= 1
    size = search.sizes[0]
    if size > 0:
        last = heap[size]
        far = distance[last]
        i, child = 0, 1
        while child < size:
            down = heap[child]
            if child + 1 < size:
                other = heap[child + 1]
                if distance[other] < distance[down] or (distance[other] == distance[down] and other < down):
                    child, down = child + 1, other
            if far < distance[down] or (far == distance[down] and last < down):
                break
            heap[i], at[down] = down, i
            i, child = child, 2 * child + 1
        heap[i], at[last] = last, i
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
