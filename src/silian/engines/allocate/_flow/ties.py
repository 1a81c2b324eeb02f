"""Ties: of all best choices the one that comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]
    Flags = NDArray[np.bool_]


class Face(NamedTuple):
    """What the search for the first optimum walks on; chosen and the four counts change as it goes."""

    start: Whole
    column: Whole
    row_of: Whole
    first: Whole  # the same edges from the columns: see transpose
    row: Whole
    edge: Whole
    is_loose: Flags
    chosen: Flags
    row_left: Whole  # so many more edges the row may have at no loss
    row_over: Whole  # so many fewer
    column_left: Whole
    column_over: Whole


@njit(cache=True)
def _backward(face: Face, e: int, target: int, went: Whole, stamp: Whole, search: int, queue: Whole) -> int:
    """What leads to the row `target` in the residual graph of the edges after e, as seen backward from it.

    The column of e if it does; else a node that staying idle can be exchanged for; else -1: then nothing leads there.
    """
    rows = face.row_left.size
    source = rows + face.column[e]
    queue[0] = target
    stamp[target] = search
    head, tail = 0, 1
    while head < tail:
        n: int = queue[head]
        head += 1
        if n < rows:
            if face.row_left[n] > 0:
                return n
            for f in range(max(face.start[n], e + 1), face.start[n + 1]):
                to: int = rows + face.column[f]
                if face.is_loose[f] and face.chosen[f] and stamp[to] != search:
                    stamp[to], went[to], queue[tail] = search, f, to
                    tail += 1
                    if to == source:
                        return to
        else:
            c = n - rows
            if face.column_over[c] > 0:
                return n
            for k in range(face.first[c], face.first[c + 1]):
                f = face.edge[k]
                to = face.row[k]
                if f > e and face.is_loose[f] and not face.chosen[f] and stamp[to] != search:
                    stamp[to], went[to], queue[tail] = search, f, to
                    tail += 1
    return -1


@njit(cache=True)
def _forward(face: Face, e: int, target: int, came: Whole, stamp: Whole, search: int, queue: Whole) -> int:
    """The row `target` if the residual graph leads there from the column of e, else a node that may idle, else -1."""
    rows = face.row_left.size
    queue[0] = rows + face.column[e]
    stamp[queue[0]] = search
    head, tail = 0, 1
    while head < tail:
        n: int = queue[head]
        head += 1
        if n < rows:
            if face.row_over[n] > 0:
                return n
            for f in range(max(face.start[n], e + 1), face.start[n + 1]):
                to: int = rows + face.column[f]
                if face.is_loose[f] and not face.chosen[f] and stamp[to] != search:
                    stamp[to], came[to], queue[tail] = search, f, to
                    tail += 1
        else:
            c = n - rows
            if face.column_left[c] > 0:
                return n
            for k in range(face.first[c], face.first[c + 1]):
                f = face.edge[k]
                to = face.row[k]
                if f > e and face.is_loose[f] and face.chosen[f] and stamp[to] != search:
                    stamp[to], came[to], queue[tail] = search, f, to
                    tail += 1
                    if to == target:
                        return to
    return -1


@njit(cache=True)
def _swap_back(face: Face, node: int, stop: int, came: Whole) -> None:
    """Turn over the edges on the path from the node `stop` to `node`, as `came` tells them."""
    rows = face.row_left.size
    while node != stop:
        f = came[node]
        face.chosen[f] = not face.chosen[f]
        node = rows + face.column[f] if node < rows else face.row_of[f]


@njit(cache=True)
def _join(face: Face, source: int, leave: int, enter: int, target: int, came: Whole, went: Whole) -> None:
    """Push one unit along source … leave, idle, enter … target; where the two halves meet, straight on from there."""
    rows = face.row_left.size
    meet, node = -1, enter
    while True:
        on, is_on = leave, node == leave
        while not is_on and on != source:
            on = rows + face.column[came[on]] if on < rows else face.row_of[came[on]]
            is_on = on == node
        if is_on:
            meet = node
        if node == target:
            break
        node = rows + face.column[went[node]] if node < rows else face.row_of[went[node]]
    if meet < 0:
        for end, by in ((leave, 1), (enter, -1)):
            if end < rows:
                face.row_left[end] += by
                face.row_over[end] -= by
            else:
                face.column_left[end - rows] -= by
                face.column_over[end - rows] += by
    _swap_back(face, leave if meet < 0 else meet, source, came)
    _swap_back(face, enter if meet < 0 else meet, target, went)


@njit(cache=True)
def _exchange(face: Face) -> None:
    """Take each loose edge that can come in, in order.

    An edge can come in when the residual graph of the tight edges after it has a path from its column back to its
    row. Staying idle is one more node of that graph, joined to every row and column that may have one edge more or
    fewer at no loss: the search goes forward to it and backward to it, so its many arcs are never listed.
    """
    rows, columns = face.row_left.size, face.column_left.size
    came, went = np.empty(rows + columns, np.int64), np.empty(rows + columns, np.int64)
    stamp, queue = np.zeros(rows + columns, np.int64), np.empty(rows + columns, np.int64)
    search = 0
    for r in range(rows):
        for e in range(face.start[r], face.start[r + 1]):
            if face.chosen[e] or not face.is_loose[e]:
                continue
            source = rows + face.column[e]
            search += 1
            enter = _backward(face, e, r, went, stamp, search, queue)
            if enter < 0:
                continue
            if enter == source:
                _swap_back(face, source, r, went)
                face.chosen[e] = True
                continue
            search += 1
            leave = _forward(face, e, r, came, stamp, search, queue)
            if leave < 0:
                continue
            if leave == r:
                _swap_back(face, r, source, came)
            else:
                _join(face, source, leave, enter, r, came, went)
            face.chosen[e] = True


def first_optimum(face: Face) -> None:
    """Of all optima the one that comes first: edges in order, each taken if some optimum holds it and those before.

    face.is_loose : the tight edges (gain = price + price); two optima can differ only in those of them whose two ends
        lie in one strong component of the residual graph, so only these are looked at
    face.chosen : any optimum; it becomes the first one
    """
    if (face.is_loose & ~face.chosen).any():
        _exchange(face._replace(is_loose=_in_a_cycle(face)))


def _in_a_cycle(face: Face) -> Flags:
    """Which loose edges have both ends in one strong component of the residual graph of the tight edges."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows, columns = face.row_left.size, face.column_left.size
    tight = np.flatnonzero(face.is_loose)
    above, below, back = face.row_of[tight], rows + face.column[tight], face.chosen[tight]
    leaving = [np.flatnonzero(face.row_over > 0), rows + np.flatnonzero(face.column_left > 0)]
    entering = [np.flatnonzero(face.row_left > 0), rows + np.flatnonzero(face.column_over > 0)]
    idle = rows + columns
    out, into = np.concatenate(leaving), np.concatenate(entering)
    source = np.concatenate([np.where(back, below, above), out, np.full(into.size, idle)])
    target = np.concatenate([np.where(back, above, below), np.full(out.size, idle), into])
    graph = coo_array((np.ones(source.size, np.int8), (source, target)), shape=(idle + 1, idle + 1))
    _, label = connected_components(graph, directed=True, connection="strong")
    together = np.zeros(face.is_loose.size, np.bool_)
    together[tight] = label[above] == label[below]
    return together
