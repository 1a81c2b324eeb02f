"""Dependent rounding: a random choice of edges that keeps every expectation and exceeds no room."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]
    Flags = NDArray[np.bool_]


class _Open(NamedTuple):
    """The edges that are neither in nor out yet, by node; rows first, then columns."""

    start: Whole  # (nodes + 1,)
    edge: Whole  # node n's open edges are edge[start[n]] … edge[start[n] + size[n]]
    size: Whole  # (nodes,)
    place: Whole  # (2, edges): where an edge stands in `edge`, at its row and at its column
    ends: Whole  # (2, edges): its row, and its column as a node


@njit(cache=True)
def _new_open(row: Whole, column: Whole, rows: int, columns: int, share: Whole, parts: int) -> _Open:
    nodes = rows + columns
    ends = np.empty((2, row.size), np.int64)
    start, count = np.zeros(nodes + 1, np.int64), np.zeros(nodes, np.int64)
    for e in range(row.size):
        ends[0, e], ends[1, e] = row[e], rows + column[e]
        if 0 < share[e] < parts:
            start[ends[0, e] + 1] += 1
            start[ends[1, e] + 1] += 1
    for n in range(nodes):
        start[n + 1] += start[n]
    edge, place = np.empty(start[nodes], np.int64), np.empty((2, row.size), np.int64)
    for e in range(row.size):
        if 0 < share[e] < parts:
            for side in range(2):
                n = ends[side, e]
                place[side, e] = start[n] + count[n]
                edge[place[side, e]] = e
                count[n] += 1
    return _Open(start, edge, count, place, ends)


@njit(cache=True)
def _close(open_: _Open, e: int) -> None:
    """Take an edge out of the lists of its two nodes."""
    for side in range(2):
        n = open_.ends[side, e]
        open_.size[n] -= 1
        last = open_.edge[open_.start[n] + open_.size[n]]
        at = open_.place[side, e]
        open_.edge[at] = last
        open_.place[side, last] = at


@njit(cache=True)
def _walk(open_: _Open, source: int, way: Whole, at: Whole) -> tuple[int, int, int]:
    """Go from node to node until one comes again (a cycle) or leads nowhere else (an end).

    Returns
    -------
    from, to : the cycle, or the way from the source to its end, is way[from] … way[to - 1]
    node : where the walk ended
    """
    n, e, steps = source, -1, 0
    while at[n] < 0:
        at[n] = steps
        if open_.size[n] == (0 if e < 0 else 1):
            break
        first = open_.edge[open_.start[n]]
        e = open_.edge[open_.start[n] + 1] if first == e else first
        way[steps] = e
        steps += 1
        n = open_.ends[1, e] if open_.ends[0, e] == n else open_.ends[0, e]
    low = at[n] if at[n] < steps else 0
    at[source] = -1
    for k in range(steps):
        at[open_.ends[0, way[k]]] = at[open_.ends[1, way[k]]] = -1
    return low, steps, n


@njit(cache=True)
def rounded(row: Whole, column: Whole, sizes: tuple[int, int], share: Whole, parts: int, draws: Whole) -> Flags:
    """Draw a choice of edges in which edge e stands with the chance share[e] / parts, exactly.

    Each node has as many edges as its expectation, rounded up or down. Again and again a cycle, or a way between two
    ends, of open edges is taken; its edges go up and down in turn by as much as the first one to be in or out allows,
    either way about, with the chances that keep all expectations.

    row, column : int64 (edges,); sizes : counts of rows and columns; share : int64 (edges,), 0 … parts
    draws : int64 (edges,), random whole numbers in 0 … 2**63 - 1
    """
    rows, columns = sizes
    share = share.copy()
    open_ = _new_open(row, column, rows, columns, share, parts)
    way, at = np.empty(rows + columns + 1, np.int64), np.full(rows + columns, -1)
    turn = 0
    for source in range(rows + columns):
        while open_.size[source] > 0:
            low, high, end = _walk(open_, source, way, at)
            if low == 0 and end != source:  # an end: the way must begin at one, too
                low, high, _ = _walk(open_, end, way, at)
            up, down = parts, parts
            for k in range(low, high):
                s = share[way[k]]
                is_even = (k - low) % 2 == 0
                up, down = min(up, parts - s if is_even else s), min(down, s if is_even else parts - s)
            by = up if draws[turn] % (up + down) < down else -down
            turn += 1
            for k in range(low, high):
                e = way[k]
                share[e] += by if (k - low) % 2 == 0 else -by
                if share[e] in (0, parts):
                    _close(open_, e)
    is_in: Flags = share == parts
    return is_in
