"""Kernels of the assignment: exact flow on a bipartite graph in whole numbers, its prices, its first optimum.

The graph has rows (needs) and columns (experts). An edge may be taken once and gains a whole number >= 1. A row has
room for so many edges, a column too. Everything is int64, so equal means equal: there is no tolerance here.

Prices (row and column, >= 0) prove a choice of edges to be the best when
    an edge that is not chosen has gain <= row price + column price,
    a chosen one has gain >= row price + column price,
    a row or column with room left has price 0.
Method, from the side that has less to place: an auction whose increment shrinks finds prices and a choice that nearly
fit; what does not fit is taken back; shortest augmenting paths then place it exactly. See docs/methods/allocate.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from silian.engines.allocate._flow.auction import auction, settle
from silian.engines.allocate._flow.changing import BARRED, PINNED, least_change
from silian.engines.allocate._flow.graph import Graph, transpose
from silian.engines.allocate._flow.margins import Best, margins
from silian.engines.allocate._flow.paths import augment, extreme_prices
from silian.engines.allocate._flow.rounding import rounded
from silian.engines.allocate._flow.ties import Face, first_optimum

__all__ = [
    "BARRED",
    "PINNED",
    "Best",
    "Graph",
    "best",
    "least_change",
    "margins",
    "resume",
    "rounded",
    "transpose",
    "turn",
]

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]
    Flags = NDArray[np.bool_]

# The auction's increments, as parts of the largest gain: 1/128, 1/1024, 1/8192. Finer costs more bids than it saves
# paths (measured on 20,000 x 5,000 x 50, capacity scarce, equal and ample; benchmarks/bench_allocate.py).
_STEPS: Final = (7, 10, 13)
# Before each finer auction prices fall by so many of the last increments: a coarse auction overshoots, and a column
# that stays dear and unfilled costs a long way afterwards.
_BACK: Final = 2


def best(graph: Graph) -> tuple[Flags, Whole, Whole]:
    """The first of the best choices, and its extreme prices.

    Returns
    -------
    chosen : bool (edges,), see `first_optimum`
    row_price, column_price : int64, see `extreme_prices`
    """
    columns = graph.column_room.size
    first, row, edge = transpose(graph.start, graph.column, columns)
    turned = Graph(first, row, graph.column[edge], graph.gain[edge], graph.column_room, graph.row_room)
    in_rows = np.minimum(graph.row_room, np.diff(graph.start)).sum()
    in_columns = np.minimum(graph.column_room, np.diff(first)).sum()
    if in_rows <= in_columns:
        chosen, row_price, column_price = _solved(graph, turned, edge)
    else:
        back = np.empty_like(edge)
        back[edge] = np.arange(edge.size)
        found, column_price, row_price = _solved(turned, graph, back)
        chosen = found[back]
    row_price, column_price = extreme_prices(graph, turned, edge, chosen, row_price, column_price)
    _first(graph, turned, edge, chosen, row_price, column_price)
    return chosen, row_price, column_price


def _solved(graph: Graph, turned: Graph, edge: Whole) -> tuple[Flags, Whole, Whole]:
    """A best choice with prices that prove it; edge: of each edge of the turned graph its number here."""
    floor = np.zeros(graph.column_room.size, np.int64)
    is_shut = graph.column_room[graph.column] == 0
    np.maximum.at(floor, graph.column[is_shut], graph.gain[is_shut])  # nobody bids where there is no room
    column_price, last = floor, 0
    chosen = np.zeros(graph.gain.size, np.bool_)
    for step in _STEPS if graph.gain.size else ():
        column_price = np.maximum(column_price - _BACK * last, floor)
        last = max(int(graph.gain.max()) >> step, 1)
        chosen = auction(graph, column_price, last)
    return chosen, _completed(graph, turned, edge, chosen, column_price), column_price


def _completed(graph: Graph, turned: Graph, edge: Whole, chosen: Flags, column_price: Whole) -> Whole:
    """Make a choice within the rooms, and any column prices >= 0, the best ones, in place; returns the row prices."""
    row_price = settle(graph, chosen, column_price)
    augment(graph, chosen, row_price, column_price)
    seen = chosen[edge]
    augment(turned, seen, column_price, row_price)
    chosen[edge] = seen
    return row_price


def resume(graph: Graph, chosen: Flags, column_price: Whole) -> Best:
    """A best choice, from one within the rooms and prices that may have been the best before; of equal ones any."""
    first, row, edge = transpose(graph.start, graph.column, graph.column_room.size)
    turned = Graph(first, row, graph.column[edge], graph.gain[edge], graph.column_room, graph.row_room)
    chosen, column_price = chosen.copy(), column_price.copy()
    row_price = _completed(graph, turned, edge, chosen, column_price)
    return _at_extreme(graph, turned, edge, chosen, row_price, column_price)


def turn(best: Best) -> Best:
    """The same choice seen from the columns: they become rows, and their prices the greatest."""
    graph, edge = best.graph, best.edge
    row, back = graph.row[edge], np.empty_like(edge)
    back[edge] = np.arange(edge.size)
    turned = Graph(best.first, row, graph.column[edge], graph.gain[edge], graph.column_room, graph.row_room)
    return _at_extreme(turned, graph, back, best.chosen[edge], best.column_price, best.row_price)


def _at_extreme(graph: Graph, turned: Graph, edge: Whole, chosen: Flags, row_price: Whole, column_price: Whole) -> Best:
    """A best choice with its extreme prices."""
    row_price, column_price = extreme_prices(graph, turned, edge, chosen, row_price, column_price)
    at = np.flatnonzero(chosen)
    row_used = np.bincount(graph.row[at], minlength=row_price.size)
    column_used = np.bincount(graph.column[at], minlength=column_price.size)
    return Best(graph, turned.start, edge, chosen, row_price, column_price, row_used, column_used)


def _first(graph: Graph, turned: Graph, edge: Whole, chosen: Flags, row_price: Whole, column_price: Whole) -> None:
    """Turn the choice into the first of the best ones, in place."""
    is_tight = graph.gain == row_price[graph.row] + column_price[graph.column]
    if not (is_tight & ~chosen).any():
        return
    rows, columns = row_price.size, column_price.size
    used = np.bincount(graph.row[chosen], minlength=rows), np.bincount(graph.column[chosen], minlength=columns)
    face = Face(
        start=graph.start,
        column=graph.column,
        row_of=graph.row,
        first=turned.start,
        row=turned.column,
        edge=edge,
        is_loose=is_tight,
        chosen=chosen,
        row_left=graph.row_room - used[0],
        row_over=np.where(row_price == 0, used[0], 0),
        column_left=graph.column_room - used[1],
        column_over=np.where(column_price == 0, used[1], 0),
    )
    first_optimum(face)
