"""Nodes whose names have most characters in common with a phrase."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

_BLOCK: Final = 1_000  # phrases compared at once; bounds the memory
_LONGEST: Final = 60  # characters of a phrase that are compared, from its end: there stands its head


def nearest(keys: Sequence[str], nodes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """For each key the node with the largest cosine of character pairs, and the cosine; -1 and 0 where none is shared.

    Pairs count by how rare they are among the nodes; the pair of a name's last character and its end stands for the
    head. Ties go to the first node.
    """
    place = np.full(len(keys), -1, np.int64)
    cosine = np.zeros(len(keys))
    if not keys or not nodes:
        return place, cosine
    known: dict[str, int] = {}
    right = _weighed(_counts(nodes, known, grow=True), known, None)
    weights = right[1]
    across = right[0].T.tocsr()
    for start in range(0, len(keys), _BLOCK):
        left = _weighed(_counts(keys[start : start + _BLOCK], known, grow=False), known, weights)[0]
        both = (left @ across).tocsr()
        both.sort_indices()
        for row in range(both.shape[0]):
            begin, end = both.indptr[row], both.indptr[row + 1]
            if end > begin:
                best = int(np.argmax(np.round(both.data[begin:end], 9)))
                place[start + row], cosine[start + row] = both.indices[begin + best], both.data[begin + best]
    return place, np.clip(cosine, 0.0, 1.0)


def _counts(keys: Sequence[str], known: dict[str, int], *, grow: bool) -> tuple[list[int], list[int], int]:
    rows, columns = [], []
    unknown = -1
    for row, key in enumerate(keys):
        marked = f"^{key[-_LONGEST:]}$"
        for gram in sorted({marked[i : i + 2] for i in range(len(marked) - 1)}):
            column = known.setdefault(gram, len(known)) if grow else known.get(gram, unknown)
            rows.append(row)
            columns.append(column)
    return rows, columns, len(keys)


def _weighed(counts: tuple[list[int], list[int], int], known: dict[str, int], weights: Any) -> tuple[Any, Any]:
    """Unit rows; a pair that no node has counts in the length with the weight of the rarest."""
    import scipy.sparse as sp

    row, column, height = np.asarray(counts[0], np.int64), np.asarray(counts[1], np.int64), counts[2]
    if weights is None:
        seen = np.bincount(column, minlength=len(known))
        weights = np.log(1 + height / np.maximum(seen, 1))
    value = np.where(column >= 0, weights[np.maximum(column, 0)], log(1 + height) if height else 0.0)
    value = np.where(column >= 0, value, weights.max())
    length = np.sqrt(np.bincount(row, value**2, minlength=height))
    kept = column >= 0
    unit = (value / length[row])[kept]
    return sp.csr_array((unit, (row[kept], column[kept])), shape=(height, len(known))), weights
