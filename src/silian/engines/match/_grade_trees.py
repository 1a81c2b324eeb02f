"""Boosted trees for grading, kept as arrays: loops over binned features, and their own predictor."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

BINS = 64


class Trees(NamedTuple):
    """Trees added up on the scale of log-odds; a node of column -1 is a leaf, and a tree begins at node 0."""

    column: np.ndarray  # int32 (trees, nodes)
    cut: np.ndarray  # float64 (trees, nodes): a value up to the cut goes to `left`, others to `left` + 1
    left: np.ndarray  # int32 (trees, nodes)
    value: np.ndarray  # float64 (trees, nodes): of leaves, the rate included


class Rows(NamedTuple):
    """Rows to part: their bins, uint8 (columns, rows); slope and bend of the loss, and weight, float64 (rows,)."""

    bins: np.ndarray
    slope: np.ndarray
    bend: np.ndarray
    weight: np.ndarray


class Growth(NamedTuple):
    """How trees grow."""

    trees: int = 120
    leaves: int = 8
    least: float = 20.0  # weight of the rows of a leaf
    rate: float = 0.05
    ridge: float = 5.0  # added to the curvature of a leaf
    share: float = 0.25  # of the columns that a tree may look at


def grow(
    values: np.ndarray, wanted: np.ndarray, weight: np.ndarray, start: np.ndarray, *, growth: Growth, seed: int
) -> Trees:
    """Trees of the log-odds of `wanted` beyond `start`, by Newton steps (Friedman 2001; histograms as in LightGBM).

    values : float64 (rows, columns), finite
    wanted : float64 (rows,), 0 or 1, or a share between
    weight : float64 (rows,), > 0
    start : float64 (rows,), log-odds to begin from
    """
    rows, columns = values.shape
    edges = np.full((columns, BINS - 1), np.inf)
    bins = np.zeros((columns, rows), np.uint8)
    for j in range(columns):
        cuts = np.unique(np.quantile(values[:, j], np.linspace(0, 1, BINS + 1)[1:-1], method="inverted_cdf"))
        edges[j, : len(cuts)] = cuts
        bins[j] = np.searchsorted(cuts, values[:, j], side="left")
    looked = max(1, round(growth.share * columns))
    drawn = np.random.default_rng(seed).random((growth.trees, columns)).argsort(axis=1)[:, :looked]
    return Trees(*_grow(bins, edges, wanted, weight, start.copy(), np.sort(drawn, axis=1), growth))


@njit(cache=True, nogil=True)
def log_odds(trees, values):  # type: ignore[no-untyped-def]
    """Sum of the trees for each row, float64 (rows,). values: float64 (rows, columns)."""
    out = np.zeros(values.shape[0])
    for i in range(values.shape[0]):
        for t in range(trees.column.shape[0]):
            node = 0
            while trees.column[t, node] >= 0:
                after = values[i, trees.column[t, node]] > trees.cut[t, node]
                node = trees.left[t, node] + (1 if after else 0)
            out[i] += trees.value[t, node]
    return out


@njit(cache=True, nogil=True)
def _grow(bins, edges, wanted, weight, odds, drawn, growth):  # type: ignore[no-untyped-def]
    number, nodes = drawn.shape[0], 2 * growth.leaves - 1
    column = np.full((number, nodes), -1, np.int32)
    cut = np.zeros((number, nodes))
    left = np.zeros((number, nodes), np.int32)
    value = np.zeros((number, nodes))
    rows = bins.shape[1]
    slope, bend = np.zeros(rows), np.zeros(rows)
    for t in range(number):
        for i in range(rows):
            share = 0.5 + 0.5 * np.tanh(0.5 * odds[i])
            slope[i] = weight[i] * (wanted[i] - share)
            bend[i] = weight[i] * max(share * (1.0 - share), 1e-6)
        rows_of = Rows(bins, slope, bend, weight)
        _grow_one(rows_of, edges, odds, drawn[t], growth, Trees(column[t], cut[t], left[t], value[t]))
    return column, cut, left, value


@njit(cache=True, nogil=True)
def _grow_one(rows, edges, odds, columns, growth, tree):  # type: ignore[no-untyped-def]
    """Fill in one tree, the leaf that gains most parted first; adds it to odds."""
    nodes = len(tree.column)
    order = np.arange(len(rows.slope))
    first, last = np.zeros(nodes, np.int64), np.zeros(nodes, np.int64)
    gain, at_bin, at_column = np.zeros(nodes), np.zeros(nodes, np.int64), np.zeros(nodes, np.int64)
    last[0] = len(order)
    used = 1
    gain[0], at_column[0], at_bin[0] = _best_split(rows, order, columns, growth)
    while used + 1 < nodes:
        node = int(np.argmax(gain[:used]))
        if gain[node] <= 0.0:
            break
        j, b = at_column[node], at_bin[node]
        middle = _part(order, first[node], last[node], rows.bins[j], b)
        tree.column[node], tree.cut[node], tree.left[node], gain[node] = j, edges[j, b], used, 0.0
        first[used], last[used], first[used + 1], last[used + 1] = first[node], middle, middle, last[node]
        for side in (used, used + 1):
            part = order[first[side] : last[side]]
            gain[side], at_column[side], at_bin[side] = _best_split(rows, part, columns, growth)
        used += 2
    for node in range(used):
        if tree.column[node] < 0:
            part = order[first[node] : last[node]]
            up, down = growth.ridge, 0.0
            for i in part:
                up += rows.bend[i]
                down += rows.slope[i]
            tree.value[node] = growth.rate * down / up
            for i in part:
                odds[i] += tree.value[node]


@njit(cache=True, nogil=True)
def _best_split(rows, part, columns, growth):  # type: ignore[no-untyped-def]
    """Gain, column and bin of the best cut of these rows; the first of equals; gain 0 where none is allowed."""
    slope, bend, weight = rows.slope[part], rows.bend[part], rows.weight[part]
    slopes, bends, weights = slope.sum(), bend.sum(), weight.sum()
    best, best_column, best_bin = 0.0, 0, 0
    if weights < 2.0 * growth.least:
        return best, best_column, best_bin
    whole = slopes**2 / (bends + growth.ridge) + 1e-9
    sums = np.zeros((BINS, 3))
    for j in columns:
        sums[:] = 0.0
        bins = rows.bins[j]
        for i in range(len(part)):
            b = bins[part[i]]
            sums[b, 0] += slope[i]
            sums[b, 1] += bend[i]
            sums[b, 2] += weight[i]
        s, h, w = 0.0, 0.0, 0.0
        for b in range(BINS - 1):
            s += sums[b, 0]
            h += sums[b, 1]
            w += sums[b, 2]
            if w < growth.least or weights - w < growth.least:
                continue
            gain = s**2 / (h + growth.ridge) + (slopes - s) ** 2 / (bends - h + growth.ridge) - whole
            if gain > best:
                best, best_column, best_bin = gain, j, b
    return best, best_column, best_bin


@njit(cache=True, nogil=True)
def _part(order, first, last, bins, cut):  # type: ignore[no-untyped-def]
    """Put the rows up to the cut before the others, in their order; where the others begin."""
    kept = order[first:last].copy()
    at = first
    for i in kept:
        if bins[i] <= cut:
            order[at] = i
            at += 1
    middle = at
    for i in kept:
        if bins[i] > cut:
            order[at] = i
            at += 1
    return middle
