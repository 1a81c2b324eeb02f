"""Rows and vectors as whole numbers: how the fast pass sees units and needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from silian.engines.match._dots import HIGH, LANES, STEP, WIDE
from silian.engines.match._kernels import Lists, Vectors
from silian.engines.match._topk import Asking, Codes

if TYPE_CHECKING:
    from collections.abc import Iterator

FINE: Final = 32767  # the largest code of a stored vector
COARSE: Final = 127  # of one in the fast pass
COMMON: Final = 1 / 16  # share of the units from which a feature is a column instead of a list
MOST_COMMON: Final = 128  # columns
ROWS: Final = LANES * 512  # that are coded together
ROUNDING: Final = 1.2e-7  # relative, of one step in single precision


def sealed(arrays: Any) -> Any:
    """The same arrays behind views that cannot be written to, in the same tuples.

    An index that lies in a file is read-only, and loops are compiled for each kind of array: so there is one kind.
    """
    if isinstance(arrays, tuple):
        made = [sealed(part) for part in arrays]
        return type(arrays)(*made) if hasattr(arrays, "_fields") else tuple(made)
    if isinstance(arrays, np.ndarray):
        arrays = np.ascontiguousarray(arrays).view()
        arrays.flags.writeable = False
    return arrays


def lists(rows: Any) -> Lists:
    """Sparse rows as arrays for kernels."""
    return Lists(rows.indptr.astype(np.int64, copy=False), rows.indices.astype(np.int32, copy=False), rows.data)


def whole(rows: np.ndarray) -> Vectors:
    """Rows of any length as Vectors; rows without direction become zeros. Error of a cosine: about 0.000002."""
    largest = np.abs(rows).max(axis=1, initial=0.0).astype(np.float64)
    largest[largest < 1e-9] = np.inf
    codes = np.rint(rows * (FINE / largest)[:, None].astype(np.float32)).astype(np.int16)
    lengths = np.sqrt(np.einsum("ij,ij->i", codes, codes, dtype=np.float64))
    lengths[lengths == 0] = np.inf
    return Vectors(codes, 1 / lengths)


def decoded(vectors: Vectors) -> np.ndarray:
    """float32 (texts, dimensions), rows of length 1."""
    return np.asarray(vectors.codes * vectors.scale[:, None], dtype=np.float32)


def codes_of(rows: Any, vectors: Vectors) -> Codes:
    """Units made ready for the fast pass. rows: csr_array float32 (units, features), indices sorted."""
    common = _common(rows) if vectors.codes.shape[1] else np.zeros(0, np.int64)
    posts = rows.T.tocsr()
    posts.sort_indices()
    steps = np.asarray([posts.data[posts.indptr[f] : posts.indptr[f + 1]].max() / 255 for f in common], np.float32)
    columns = np.zeros((rows.shape[0], _padded(len(common))), np.uint8)
    for place, f in enumerate(common):
        part = slice(posts.indptr[f], posts.indptr[f + 1])
        columns[posts.indices[part], place] = np.minimum(np.ceil(posts.data[part] / steps[place]), 255)
    coarse, step, error = _coarse(vectors)
    moved = ((start, (codes.view(np.uint8) ^ 128)) for start, codes in coarse)
    listed = _without(lists(posts), common)
    return Codes(
        posts=listed, most=_largest(listed), common=common, common_step=steps,
        common_codes=_tiles(iter([(0, columns)]), *columns.shape), vector_codes=_tiles(moved, *vectors.codes.shape),
        step=step, error=error,
    )  # fmt: skip


def asking_of(rows: Any, vectors: Vectors, codes: Codes, meaning: float) -> Asking:
    """Needs made ready for the fast pass."""
    n = rows.shape[0]
    padded = -(-n // HIGH) * HIGH
    place = np.full(rows.shape[1], -1, np.int64)
    place[codes.common] = np.arange(len(codes.common))
    own = np.repeat(np.arange(n), np.diff(rows.indptr))
    column = place[rows.indices]
    value = (rows.data * np.float32(1 - meaning)).astype(np.float32)
    listed = np.flatnonzero(column < 0)
    most = value[listed] * codes.most[rows.indices[listed]] * np.float32(1 + ROUNDING)
    order = np.lexsort((-most, own[listed]))
    listed, most = listed[order], most[order]
    used, code = np.unique(rows.indices[listed], return_inverse=True)
    ptr = np.concatenate([[0], np.cumsum(np.bincount(own[listed], minlength=n))]).astype(np.int64)
    worth, among = np.zeros((padded, _padded(len(codes.common))), np.float32), column >= 0
    worth[own[among], column[among]] = value[among] * codes.common_step[column[among]]
    common_step = worth.max(axis=1, initial=0.0) / COARSE
    scaled = worth / np.where(common_step > 0, common_step, 1)[:, None]
    coarse, step, error = _coarse(vectors)
    near = np.zeros((padded, _padded(vectors.codes.shape[1])), np.int8)
    for start, part in coarse:
        near[start : start + len(part), : part.shape[1]] = part
    return Asking(
        lists=Lists(ptr, code.astype(np.int32), value[listed]), most=most,
        start=codes.posts.ptr[used].astype(np.int64), stop=codes.posts.ptr[used + 1].astype(np.int64),
        common_codes=np.minimum(np.ceil(scaled), COARSE).astype(np.int8),
        common_step=(common_step[:n] * (1 + ROUNDING)).astype(np.float32),
        vector_codes=near, shift=(-128 * near.sum(axis=1, dtype=np.int64)).astype(np.int32),
        step=(meaning * step).astype(np.float32), error=(meaning * error).astype(np.float32),
        growth=(meaning * (1 + error)).astype(np.float32),
        slack=(2e-6 + ROUNDING * np.diff(rows.indptr)).astype(np.float32),
    )  # fmt: skip


def _common(rows: Any) -> np.ndarray:
    """The features that most units have, at most MOST_COMMON, ascending."""
    held = np.bincount(rows.indices, minlength=rows.shape[1])
    often = np.flatnonzero(held > max(COMMON * rows.shape[0], LANES))
    return np.sort(often[np.argsort(-held[often], kind="stable")[:MOST_COMMON]])


def _largest(given: Lists) -> np.ndarray:
    """float32: the largest value of each row, 0 where it is empty."""
    largest, filled = np.zeros(len(given.ptr) - 1, np.float32), np.diff(given.ptr) > 0
    largest[filled] = np.maximum.reduceat(given.value, given.ptr[:-1][filled]) if filled.any() else 0
    return largest


def _without(given: Lists, rows: np.ndarray) -> Lists:
    """The lists, those of some rows emptied."""
    number = np.diff(given.ptr)
    kept = np.ones(len(number), np.bool_)
    kept[rows] = False
    if kept.all():
        return given
    each = np.repeat(kept, number)
    ptr = np.concatenate([[0], np.cumsum(np.where(kept, number, 0))]).astype(np.int64)
    return Lists(ptr, given.code[each], given.value[each])


def _coarse(vectors: Vectors) -> tuple[Iterator[tuple[int, np.ndarray]], np.ndarray, np.ndarray]:
    """Vectors as bytes, some rows at a time; what a step of each row stands for, and how far off each row is."""
    step = (vectors.scale * (FINE / COARSE)).astype(np.float32)
    error = np.zeros(len(step), np.float32)
    for start, part in _bytes(vectors.codes):
        here = slice(start, start + len(part))
        off = vectors.codes[here] * vectors.scale[here, None] - part * step[here, None].astype(np.float64)
        error[here] = np.sqrt((off * off).sum(axis=1)) * (1 + ROUNDING) + ROUNDING
    return _bytes(vectors.codes), step, error


def _bytes(codes: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    for start in range(0, len(codes), ROWS):
        part = codes[start : start + ROWS] * np.float32(COARSE / FINE)
        yield start, np.rint(part).astype(np.int8)


def _tiles(parts: Iterator[tuple[int, np.ndarray]], rows: int, width: int) -> np.ndarray:
    """Bytes in tiles: uint8 (tiles, width / 4, 64), four numbers of each of 16 rows; room for WIDE more at the end."""
    steps = _padded(width) // STEP
    tiles = np.zeros((-(-rows // LANES) + WIDE, steps, LANES * STEP), np.uint8)
    for start, part in parts:
        whole_tiles = np.zeros((-(-len(part) // LANES) * LANES, steps * STEP), np.uint8)
        whole_tiles[: len(part), : part.shape[1]] = part
        cut = whole_tiles.reshape(len(whole_tiles) // LANES, LANES, steps, STEP).transpose(0, 2, 1, 3)
        tiles[start // LANES : start // LANES + len(cut)] = cut.reshape(len(cut), steps, LANES * STEP)
    return tiles


def _padded(width: int) -> int:
    return -(-width // STEP) * STEP
