"""The nearest sentences of a pair: a loop over arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from silian.engines.match._kernels import Side, nearness, shared_words


class Said(NamedTuple):
    """Sentences of owners: owner i has the rows start[i] to start[i + 1] of side."""

    start: np.ndarray  # int64 (owners + 1,)
    side: Side


@njit(cache=True, nogil=True)
def nearest_sentences(need, unit, asked, answers, meaning):  # type: ignore[no-untyped-def]
    """The two sentences of each pair that are nearest to each other, and how near; -1 where no two share anything.

    need int64 (n,): owners in asked; unit int64 (n, most; -1: none): owners in answers. asked, answers: Said. Returns
    left and right, int64 (n,), and near, float64 (n,). Of equal ones the first.
    """
    n = len(need)
    left, right, near = np.full(n, -1, np.int64), np.full(n, -1, np.int64), np.zeros(n)
    for k in range(n):
        for i in range(asked.start[need[k]], asked.start[need[k] + 1]):
            for u in unit[k][unit[k] >= 0]:
                for j in range(answers.start[u], answers.start[u + 1]):
                    words = shared_words(asked.side.words, i, answers.side.words, j)
                    value = (1.0 - meaning) * words
                    # the vectors can add no more than their share: most sentences need not be compared at all
                    if meaning > 0.0 and value + meaning > near[k]:
                        value += meaning * nearness(
                            asked.side.vectors.codes, asked.side.vectors.scale, i,
                            answers.side.vectors.codes, answers.side.vectors.scale, j,
                        )  # fmt: skip
                    if value > near[k]:
                        left[k], right[k], near[k] = i, j, value
    return left, right, near
