"""What labels say about related pairs: a Gaussian process over pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from silian.engines.match._grade_features import Reading

NOISE: Final = 0.45  # of one label, in the units of the kernel
# Parts of the kernel: pairs are alike where they share the need, where need and target are alike, where the figures are
# alike, and more so where the need is the same too.
SAME, ALIKE, FIGURES, SAME_FIGURES = 0.06, 0.3, 0.3, 0.24
TEXTS: Final = SAME + ALIKE + SAME_FIGURES  # of a pair with itself, by what is told of need and target
AT_ONCE: Final = 1_000  # rows of a block


class Known(NamedTuple):
    """Pairs as the process sees them; a reading has a row for each need (target) that a pair may name."""

    need: np.ndarray  # int64 (pairs,)
    target: np.ndarray  # int64 (pairs,)
    group: np.ndarray  # int64 (pairs,): needs of one wording
    figures: np.ndarray  # float64 (pairs, figures), about 1 wide
    needs: Reading
    targets: Reading


class Foreseen(NamedTuple):
    """What the other labels say of each labelled pair beyond what was expected, float64 (pairs, levels)."""

    known: np.ndarray  # all other labels
    unseen: np.ndarray  # the labels of other needs


def likeness(left: Reading, right: Reading) -> np.ndarray:
    """How alike two sets of texts are, 0 to 1: half words, half meaning; words alone where there are no vectors."""
    words = np.asarray((left.both @ right.both.T).todense(), dtype=np.float64)
    if not left.vector.shape[1]:
        return np.clip(words, 0.0, 1.0)
    return np.asarray(np.clip(0.5 * words + 0.5 * np.maximum(left.vector @ right.vector.T, 0.0), 0.0, 1.0))


def kernel(left: Known, right: Known) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
    """How much a label of a pair says about another: blocks of rows of left, twice float64 (rows, right).

    First by need and target alone, which a reader can follow, then in all, with figures that only happen to be alike.
    """
    needs, targets = likeness(left.needs, right.needs), likeness(left.targets, right.targets)
    for at in range(0, len(left.need), AT_ONCE):
        rows = slice(at, at + AT_ONCE)
        same = (left.group[rows, None] == right.group[None, :]).astype(np.float64)
        need = np.maximum(needs[left.need[rows, None], right.need[None, :]], same)
        target = targets[left.target[rows, None], right.target[None, :]]
        wide = -2 * max(right.figures.shape[1], 1)
        figures = np.exp(_distance(left.figures[rows], right.figures) / wide)
        told = same * (SAME + SAME_FIGURES * figures) + ALIKE * need * target
        yield rows, told, told + FIGURES * figures


def _distance(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None, :] - 2 * left @ right.T
    return np.asarray(np.maximum(squares, 0.0))


def settle(known: Known, rest: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, Foreseen]:
    """The dual weights of labelled pairs, float64 (pairs, levels), and what labels say of each other.

    rest : float64 (pairs, levels), label less expectation
    weight : float64 (pairs,), > 0; the noise is divided by it

    Leaving out a pair, or all pairs of a need, follows from one inverse (Rasmussen, Williams 2006, section 5.4.2):
    what the others say of the rows g is rest[g] − inverse[g, g]⁻¹ (inverse rest)[g].
    """
    from scipy.linalg import lapack

    if not len(rest):
        return rest, Foreseen(rest, rest)
    whole = np.empty((len(rest), len(rest)), order="F")
    for rows, _, block in kernel(known, known):
        whole[:, rows] = block.T
    whole[np.diag_indices_from(whole)] += NOISE / weight
    factor, _ = lapack.dpotrf(whole, lower=1, overwrite_a=1)
    inverse, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
    for at in range(0, len(rest), AT_ONCE):  # the upper half, block by block
        end = at + AT_ONCE
        inverse[at:end, at:end] = np.tril(inverse[at:end, at:end]) + np.tril(inverse[at:end, at:end], -1).T
        inverse[at:end, end:] = inverse[end:, at:end].T
    dual = inverse @ rest
    unseen = np.empty_like(rest)
    for group in np.unique(known.group):
        own = np.flatnonzero(known.group == group)
        unseen[own] = rest[own] - np.linalg.solve(inverse[np.ix_(own, own)], dual[own])
    return dual, Foreseen(rest - dual / np.diag(inverse)[:, None], unseen)


def foresee(asked: Known, known: Known, dual: np.ndarray) -> np.ndarray:
    """What labels say of pairs beyond what is expected, float64 (pairs, levels)."""
    said = np.zeros((len(asked.need), dual.shape[1]))
    if len(dual):
        for rows, _, block in kernel(asked, known):
            said[rows] = block @ dual
    return said
