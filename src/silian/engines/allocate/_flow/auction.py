"""An auction: prices and a choice of edges that nearly fit each other, fast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from silian.engines.allocate._flow.graph import Graph

    Whole = NDArray[np.int64]
    Flags = NDArray[np.bool_]


@njit(cache=True)
def _sift_in(bids: Whole, edges: Whole, size: int, bid: int, edge: int) -> None:
    """Add a bid to a heap of `size` bids; the lowest is first, of equal ones the earlier edge."""
    i = size
    while i > 0:
        up = (i - 1) >> 1
        if bids[up] < bid or (bids[up] == bid and edges[up] <= edge):
            break
        bids[i], edges[i] = bids[up], edges[up]
        i = up
    bids[i], edges[i] = bid, edge


@njit(cache=True)
def _sift_out(bids: Whole, edges: Whole, size: int) -> None:
    """Take the first of a heap of `size` bids out."""
    size -= 1
    bid, edge = bids[size], edges[size]
    i = 0
    while 2 * i + 1 < size:
        child = 2 * i + 1
        other = child + 1
        if other < size and (bids[other] < bids[child] or (bids[other] == bids[child] and edges[other] < edges[child])):
            child = other
        if bid < bids[child] or (bid == bids[child] and edge <= edges[child]):
            break
        bids[i], edges[i] = bids[child], edges[child]
        i = child
    bids[i], edges[i] = bid, edge


@njit(cache=True)
def _best_two(graph: Graph, r: int, chosen: Flags, price: Whole) -> tuple[int, int, int]:
    """The free edge of row r worth most at these prices (-1: idling is worth more), its worth, and that of the next."""
    first, second, edge = 0, 0, -1
    for e in range(graph.start[r], graph.start[r + 1]):
        worth = graph.gain[e] - price[graph.column[e]]
        if worth > second and not chosen[e]:
            if worth > first:
                first, second, edge = worth, first, e
            else:
                second = worth
    return edge, first, second


@njit(cache=True)
def auction(graph: Graph, price: Whole, increment: int) -> Flags:
    """A choice within the rooms where no row could do better by more than the increment; prices rise as bids come.

    Each row with room left bids for its best column what would make it no better than the second best, plus the
    increment; a full column lets its lowest bidder go. The price of a full column is its lowest bid.

    Returns
    -------
    chosen : bool (edges,). price (columns,) is changed in place; a column with room left keeps the price it had.
    """
    rows, columns = graph.row_room.size, graph.column_room.size
    start = np.zeros(columns + 1, np.int64)
    for c in graph.column:
        start[c + 1] += 1
    for c in range(columns):
        start[c + 1] = start[c] + min(start[c + 1], graph.column_room[c])
    bids, edges = np.empty(start[-1], np.int64), np.empty(start[-1], np.int64)
    used, left = np.zeros(columns, np.int64), graph.row_room.copy()
    chosen = np.zeros(graph.column.size, np.bool_)
    queue, is_waiting = np.arange(rows), np.ones(rows, np.bool_)
    head, waiting = 0, rows
    while waiting > 0:
        r = queue[head]
        head, waiting = (head + 1) % rows, waiting - 1
        is_waiting[r] = False
        while left[r] > 0:
            e, first, second = _best_two(graph, r, chosen, price)
            if e < 0:
                break
            c = graph.column[e]
            held, bidder = bids[start[c] : start[c + 1]], edges[start[c] : start[c + 1]]
            if used[c] == graph.column_room[c]:
                gone = graph.row[bidder[0]]
                chosen[bidder[0]] = False
                left[gone] += 1
                _sift_out(held, bidder, used[c])
                used[c] -= 1
                if not is_waiting[gone] and gone != r:
                    is_waiting[gone] = True
                    queue[(head + waiting) % rows] = gone
                    waiting += 1
            _sift_in(held, bidder, used[c], price[c] + first - second + increment, e)
            used[c] += 1
            chosen[e] = True
            left[r] -= 1
            if used[c] == graph.column_room[c]:
                price[c] = max(price[c], held[0])
    return chosen


@njit(cache=True)
def settle(graph: Graph, chosen: Flags, column_price: Whole) -> Whole:
    """The least row prices that fit the edges not chosen; chosen edges that do not fit them are given up, in place."""
    row_price = np.zeros(graph.row_room.size, np.int64)
    for r in range(row_price.size):
        for e in range(graph.start[r], graph.start[r + 1]):
            if not chosen[e]:
                row_price[r] = max(row_price[r], graph.gain[e] - column_price[graph.column[e]])
        for e in range(graph.start[r], graph.start[r + 1]):
            if chosen[e] and graph.gain[e] - column_price[graph.column[e]] < row_price[r]:
                chosen[e] = False
    return row_price
