"""Kernels of the assignment: exact flow on a bipartite graph in whole numbers, its prices, its first optimum.

The graph has rows (needs) and columns (experts). An edge may be taken once and gains a whole number >= 1. A row has
room for so many edges, a column too. Everything is int64, so equal means equal: there is no tolerance here.

Arrays of one graph, the same in every kernel: `start` (rows + 1) and `column` (edges) give each row's edges, a row's
columns ascending; `gain` (edges) >= 1; `row_room`, `column_room` >= 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

_FAR = np.iinfo(np.int64).max


@njit(cache=True)
def transpose(start, column, columns):
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


@njit(cache=True)
def _push(key, node, size, k, n):
    """Add (k, n) to the binary heap in key/node[:size]; the caller counts. Smaller key, then smaller node, is first."""
    i = size
    while i > 0:
        parent = (i - 1) >> 1
        if key[parent] < k or (key[parent] == k and node[parent] <= n):
            break
        key[i], node[i] = key[parent], node[parent]
        i = parent
    key[i], node[i] = k, n


@njit(cache=True)
def _pop(key, node, size):
    """Take the first of the heap away; the new size is size - 1, the caller has read key[0], node[0]."""
    last = size - 1
    k, n = key[last], node[last]
    i = 0
    while True:
        child = 2 * i + 1
        if child >= last:
            break
        if child + 1 < last and (
            key[child + 1] < key[child] or (key[child + 1] == key[child] and node[child + 1] < node[child])
        ):
            child += 1
        if k < key[child] or (k == key[child] and n <= node[child]):
            break
        key[i], node[i] = key[child], node[child]
        i = child
    key[i], node[i] = k, n


@njit(cache=True)
def _grown(array):
    bigger = np.empty(2 * array.size, array.dtype)
    bigger[: array.size] = array
    return bigger


@njit(cache=True)
def solve(start, column, gain, row_room, column_room):
    """The edges with the greatest total gain within the rooms, and prices that prove it.

    Successive shortest augmenting paths: each unit of each row takes the best path to a column with room left, or
    to staying idle; reduced costs are kept >= 0 by the prices (Dijkstra with potentials). It is fastest where the
    rows are the scarce side: then a free column is near.

    Returns
    -------
    chosen : bool (edges,)
    row_price, column_price : int64, >= 0, optimal duals: for an edge not chosen price + price >= gain, for a chosen
        one <= gain; a row or column with room left has price 0
    """
    rows, columns = row_room.size, column_room.size
    row_price = np.zeros(rows, np.int64)
    column_price = np.zeros(columns, np.int64)
    chosen = np.zeros(column.size, np.bool_)
    row_of = np.empty(column.size, np.int64)
    slots = np.zeros(columns + 1, np.int64)
    for r in range(rows):
        for e in range(start[r], start[r + 1]):
            row_of[e] = r
            slots[column[e] + 1] += 1
            row_price[r] = max(row_price[r], gain[e])
    for c in range(columns):
        slots[c + 1] = slots[c] + min(slots[c + 1], column_room[c])
    slot = np.empty(slots[-1], np.int64)  # chosen edges of each column
    used = np.zeros(columns, np.int64)
    place = np.empty(column.size, np.int64)  # where a chosen edge stands in slot
    distance = np.full(rows + columns, _FAR, np.int64)
    is_settled = np.zeros(rows + columns, np.bool_)
    came = np.empty(rows + columns, np.int64)  # the edge by which a node was reached
    touched = np.empty(rows + columns, np.int64)
    key, node = np.empty(1024, np.int64), np.empty(1024, np.int64)

    for source in range(rows):
        for _unit in range(min(row_room[source], start[source + 1] - start[source] + 1)):  # one more: it must idle
            best, end = row_price[source], source  # staying idle
            distance[source] = 0
            touched[0] = source
            n_touched = 1
            _push(key, node, 0, 0, source)
            size = 1
            while size > 0 and key[0] < best:
                d, n = key[0], node[0]
                _pop(key, node, size)
                size -= 1
                if is_settled[n] or d > distance[n]:
                    continue
                is_settled[n] = True
                if n < rows:
                    base = d + row_price[n]
                    if base < best:
                        best, end = base, n
                    for e in range(start[n], start[n + 1]):
                        c = column[e]
                        to = base + column_price[c] - gain[e]
                        if to >= best or chosen[e] or to >= distance[rows + c]:
                            continue
                        if distance[rows + c] == _FAR:
                            touched[n_touched] = rows + c
                            n_touched += 1
                        distance[rows + c] = to
                        came[rows + c] = e
                        if used[c] < column_room[c]:
                            best, end = to, rows + c
                        else:
                            if size + 1 >= key.size:
                                key, node = _grown(key), _grown(node)
                            _push(key, node, size, to, rows + c)
                            size += 1
                else:
                    c = n - rows
                    for k in range(slots[c], slots[c] + used[c]):
                        e = slot[k]
                        r = row_of[e]
                        to = d + gain[e] - row_price[r] - column_price[c]
                        if to >= best or to >= distance[r]:
                            continue
                        if distance[r] == _FAR:
                            touched[n_touched] = r
                            n_touched += 1
                        distance[r] = to
                        came[r] = e
                        if size + 1 >= key.size:
                            key, node = _grown(key), _grown(node)
                        _push(key, node, size, to, r)
                        size += 1
            for k in range(n_touched):
                n = touched[k]
                if is_settled[n] and distance[n] < best:
                    if n < rows:
                        row_price[n] -= best - distance[n]
                    else:
                        column_price[n - rows] += best - distance[n]
                distance[n] = _FAR
                is_settled[n] = False
            # walk back from the end: each column on the way swaps one edge for another
            if end == source:
                break  # this row's price is 0 now: its other units stay idle too
            at = end
            if at >= rows:
                c = at - rows
                e = came[at]
                chosen[e] = True
                place[e] = slots[c] + used[c]
                slot[place[e]] = e
                used[c] += 1
                at = row_of[e]
            while at != source:
                out = came[at]
                c = column[out]
                e = came[rows + c]
                chosen[out] = False
                chosen[e] = True
                place[e] = place[out]
                slot[place[e]] = e
                at = row_of[e]
    return chosen, row_price, column_price


@njit(cache=True)
def extreme_prices(start, column, gain, row_room, column_room, chosen, row_price, column_price):
    """The optimal prices with the smallest column prices, which are also those with the greatest row prices.

    Then a column's price is exactly what one more room of it would add to the total, and a row's price (room >= 1)
    exactly what one room less of it would take away. A row without room gets the least price that the column
    prices allow.
    """
    rows, columns = row_room.size, column_room.size
    first, row, edge = transpose(start, column, columns)
    used = np.zeros(rows, np.int64)
    distance = np.full(rows + columns, _FAR, np.int64)
    size = 0
    key, node = np.empty(rows + columns + 1024, np.int64), np.empty(rows + columns + 1024, np.int64)
    for r in range(rows):
        for e in range(start[r], start[r + 1]):
            used[r] += chosen[e]
        if used[r] < row_room[r]:
            distance[r] = 0
            _push(key, node, size, 0, r)
            size += 1
    for c in range(columns):
        distance[rows + c] = column_price[c]
        _push(key, node, size, column_price[c], rows + c)
        size += 1
    while size > 0:
        d, n = key[0], node[0]
        _pop(key, node, size)
        size -= 1
        if d > distance[n]:
            continue
        if size + max(start[n + 1] - start[n] if n < rows else first[n - rows + 1] - first[n - rows], 1) >= key.size:
            grown = max(2 * key.size, key.size + rows + columns)
            bigger_key, bigger_node = np.empty(grown, np.int64), np.empty(grown, np.int64)
            bigger_key[:size], bigger_node[:size] = key[:size], node[:size]
            key, node = bigger_key, bigger_node
        if n < rows:
            for e in range(start[n], start[n + 1]):
                to = d + row_price[n] + column_price[column[e]] - gain[e]
                if not chosen[e] and to < distance[rows + column[e]]:
                    distance[rows + column[e]] = to
                    _push(key, node, size, to, rows + column[e])
                    size += 1
        else:
            c = n - rows
            for k in range(first[c], first[c + 1]):
                e, r = edge[k], row[k]
                to = d + gain[e] - row_price[r] - column_price[c]
                if chosen[e] and to < distance[r]:
                    distance[r] = to
                    _push(key, node, size, to, r)
                    size += 1
    least = column_price - distance[rows:]
    most = row_price.copy()
    for r in range(rows):
        if used[r] > 0 and used[r] == row_room[r]:
            most[r] += distance[r]
        elif row_room[r] == 0:
            most[r] = 0
            for e in range(start[r], start[r + 1]):
                most[r] = max(most[r], gain[e] - least[column[e]])
    return most, least


class Face(NamedTuple):
    """What the search for the first optimum walks on; chosen, row_left and column_left change as it goes."""

    start: np.ndarray
    column: np.ndarray
    first: np.ndarray  # the same edges from the columns: see transpose
    row: np.ndarray
    edge: np.ndarray
    is_loose: np.ndarray
    row_price: np.ndarray
    column_price: np.ndarray
    column_room: np.ndarray
    chosen: np.ndarray
    row_left: np.ndarray
    column_left: np.ndarray


@njit(cache=True)
def _forward(face, e, target, may_idle, came, stamp, search, queue):
    """The row `target` if the residual graph leads there from the column of e, else a node that may idle, else -1."""
    rows = face.row_price.size
    queue[0] = rows + face.column[e]
    stamp[queue[0]] = search
    head, tail = 0, 1
    while head < tail:
        n = queue[head]
        head += 1
        if n < rows:
            if may_idle and face.row_price[n] == 0:
                return n
            for f in range(max(face.start[n], e + 1), face.start[n + 1]):
                to = rows + face.column[f]
                if face.is_loose[f] and not face.chosen[f] and stamp[to] != search:
                    stamp[to], came[to], queue[tail] = search, f, to
                    tail += 1
        else:
            c = n - rows
            if may_idle and face.column_left[c] > 0:
                return n
            for k in range(face.first[c], face.first[c + 1]):
                f, to = face.edge[k], face.row[k]
                if f > e and face.is_loose[f] and face.chosen[f] and stamp[to] != search:
                    stamp[to], came[to], queue[tail] = search, f, to
                    tail += 1
                    if to == target:
                        return to
    return -1


@njit(cache=True)
def _backward(face, e, target, went, stamp, search, queue):
    """A node that idles now (or could, for a column) and from which the residual graph leads to `target`, else -1."""
    rows = face.row_price.size
    queue[0] = target
    stamp[target] = search
    head, tail = 0, 1
    while head < tail:
        n = queue[head]
        head += 1
        if n < rows:
            if face.row_left[n] > 0:
                return n
            for f in range(max(face.start[n], e + 1), face.start[n + 1]):
                to = rows + face.column[f]
                if face.is_loose[f] and face.chosen[f] and stamp[to] != search:
                    stamp[to], went[to], queue[tail] = search, f, to
                    tail += 1
        else:
            c = n - rows
            if face.column_price[c] == 0 and face.column_left[c] < face.column_room[c]:
                return n
            for k in range(face.first[c], face.first[c + 1]):
                f, to = face.edge[k], face.row[k]
                if f > e and face.is_loose[f] and not face.chosen[f] and stamp[to] != search:
                    stamp[to], went[to], queue[tail] = search, f, to
                    tail += 1
    return -1


@njit(cache=True)
def _swap_back(face, row_of, node, stop, came):
    """Turn over the edges on the path from the node `stop` to `node`, as `came` tells them."""
    rows = face.row_price.size
    while node != stop:
        f = came[node]
        face.chosen[f] = not face.chosen[f]
        node = rows + face.column[f] if node < rows else row_of[f]


@njit(cache=True)
def _join(face, row_of, source, leave, enter, target, came, went):
    """Push one unit along source … leave, idle, enter … target; where the two halves meet, straight on from there."""
    rows = face.row_price.size
    meet, node = -1, enter
    while True:
        on, is_on = leave, node == leave
        while not is_on and on != source:
            on = rows + face.column[came[on]] if on < rows else row_of[came[on]]
            is_on = on == node
        if is_on:
            meet = node
        if node == target:
            break
        node = rows + face.column[went[node]] if node < rows else row_of[went[node]]
    if meet < 0:
        for end, by in ((leave, 1), (enter, -1)):
            if end < rows:
                face.row_left[end] += by
            else:
                face.column_left[end - rows] -= by
    _swap_back(face, row_of, leave if meet < 0 else meet, source, came)
    _swap_back(face, row_of, enter if meet < 0 else meet, target, went)


@njit(cache=True)
def first_optimum(face):
    """Of all optima the one that comes first: edges in order, each taken if some optimum holds it and those before.

    face.is_loose : True for at least the edges in which two optima can differ (gain = price + price, and both ends
        in one strong component of the residual graph); only these are looked at
    face.chosen : any optimum; it becomes the first one

    An edge can come in when the residual graph of the tight edges after it has a path from its column back to its
    row. Staying idle is one more node of that graph, joined to every row of price 0 and every column of price 0: the
    search goes forward to it and backward to it, so its many arcs are never listed.
    """
    rows, columns = face.row_price.size, face.column_price.size
    row_of = np.empty(face.column.size, np.int64)
    came, went = np.empty(rows + columns, np.int64), np.empty(rows + columns, np.int64)
    stamp, queue = np.zeros(rows + columns, np.int64), np.empty(rows + columns, np.int64)
    for r in range(rows):
        row_of[face.start[r] : face.start[r + 1]] = r
    search = 0
    for r in range(rows):
        for e in range(face.start[r], face.start[r + 1]):
            if face.chosen[e] or not face.is_loose[e]:
                continue
            source = rows + face.column[e]
            search += 1
            leave = _forward(face, e, r, True, came, stamp, search, queue)
            if leave >= 0 and leave != r:
                search += 1
                enter = _backward(face, e, r, went, stamp, search, queue)
                if enter >= 0:
                    _join(face, row_of, source, leave, enter, r, came, went)
                    face.chosen[e] = True
                    continue
                search += 1
                leave = _forward(face, e, r, False, came, stamp, search, queue)
            if leave == r:
                _swap_back(face, row_of, r, source, came)
                face.chosen[e] = True


def best(start, column, gain, row_room, column_room):
    """The first optimum and its extreme prices, from the side that has less to place.

    Returns
    -------
    chosen : bool (edges,), see `first_optimum`
    row_price, column_price : int64, see `extreme_prices`
    """
    rows, columns = row_room.size, column_room.size
    first, row, edge = transpose(start, column, columns)
    in_rows = np.minimum(row_room, np.diff(start)).sum()
    in_columns = np.minimum(column_room, np.diff(first)).sum()
    if in_rows <= in_columns:
        chosen, row_price, column_price = solve(start, column, gain, row_room, column_room)
    else:
        turned, column_price, row_price = solve(first, row, gain[edge], column_room, row_room)
        chosen = np.zeros(column.size, np.bool_)
        chosen[edge[turned]] = True
    row_price, column_price = extreme_prices(
        start, column, gain, row_room, column_room, chosen, row_price, column_price
    )
    row_of = np.repeat(np.arange(rows), np.diff(start))
    face = Face(
        start=start,
        column=column,
        first=first,
        row=row,
        edge=edge,
        is_loose=gain == row_price[row_of] + column_price[column],
        row_price=row_price,
        column_price=column_price,
        column_room=column_room,
        chosen=chosen,
        row_left=row_room - np.bincount(row_of[chosen], minlength=rows),
        column_left=column_room - np.bincount(column[chosen], minlength=columns),
    )
    if (face.is_loose & ~chosen).any():
        first_optimum(face._replace(is_loose=face.is_loose & _in_a_cycle(face, row_of)))
    return chosen, row_price, column_price


def _in_a_cycle(face, row_of):
    """Which edges have both ends in one strong component of the residual graph of the tight edges."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows, columns = face.row_price.size, face.column_price.size
    tight = np.flatnonzero(face.is_loose)
    above, below, back = row_of[tight], rows + face.column[tight], face.chosen[tight]
    leaving = [np.flatnonzero(face.row_price == 0), rows + np.flatnonzero(face.column_left > 0)]
    is_held = (face.column_price == 0) & (face.column_left < face.column_room)
    entering = [np.flatnonzero(face.row_left > 0), rows + np.flatnonzero(is_held)]
    idle = rows + columns
    out, into = np.concatenate(leaving), np.concatenate(entering)
    source = np.concatenate([np.where(back, below, above), out, np.full(into.size, idle)])
    target = np.concatenate([np.where(back, above, below), np.full(out.size, idle), into])
    graph = coo_array((np.ones(source.size, np.int8), (source, target)), shape=(idle + 1, idle + 1))
    _, label = connected_components(graph, directed=True, connection="strong")
    return label[row_of] == label[rows + face.column]
