"""What needs choose from: edges seen from both sides, rooms and floors."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from silian.engines.allocate._flow.graph import transpose

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from silian.engines.allocate.problem import Problem

    Whole = NDArray[np.int64]


class Market(NamedTuple):
    """Edges in order of row, column; the edges of a row are start[r] … start[r + 1]."""

    start: Whole  # (rows + 1,)
    row: Whole  # (edges,)
    column: Whole  # (edges,)
    gain: Whole  # (edges,), >= 1
    row_room: Whole  # (rows,)
    column_room: Whole  # (columns,)
    first: Whole  # (columns + 1,): the edges of column c are edge[first[c]] … edge[first[c + 1]]
    edge: Whole  # (edges,)


def market_of(problem: Problem) -> Market:
    """The problem's graph, seen from both sides."""
    p = problem
    first, _, edge = transpose(p.start, p.column, p.column_room.size)
    return Market(p.start, p.row, p.column, p.gain, p.row_room, p.column_room, first, edge)
