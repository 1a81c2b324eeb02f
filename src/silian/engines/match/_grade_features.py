"""What a grader looks at: how near need and target are, beside how near the need's other candidates are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import polars as pl

from silian import text
from silian.engines.match.index import fields, word_rows

if TYPE_CHECKING:
    from silian.text import Encoder, Terms, WordSpace

# What is compared, and what the nearness is divided by to be about as wide as the others (graded pairs, one by one).
NEARNESS: Final = {
    "words": 0.09, "words_title": 0.11, "words_text": 0.07, "meaning": 0.2, "meaning_title": 0.2, "meaning_text": 0.2,
    "covered": 0.12, "answered": 0.12,
}  # fmt: skip
BLENDED: Final = ("words", "words_title", "meaning", "covered")
CROWDED: Final = ("words", "words_title", "words_text", "meaning", "meaning_title", "blend", "company", "closest")
ALONE: Final = (0.03, 0.08)  # company expected of a blend (regression on graded pairs)
PLAIN: Final = ("need_length", "title_length", "target_length", "candidates", "copies")
COLUMNS: Final = (
    *NEARNESS, "blend", "company", "closest", *PLAIN,
    *(f"{name}_{what}" for name in CROWDED for what in ("rank", "beyond")),
    *(f"{name}_{what}" for name in ("words", "meaning", "blend") for what in ("mean", "best")),
)  # fmt: skip


class Reading(NamedTuple):
    """Texts as rows: their words (csr_array, unit rows), their vectors (unit rows), their lengths.

    Of `title` and `body` (and their vectors) targets have no rows: they are only read as a whole.
    """

    both: Any
    vector: np.ndarray  # float32 (texts, dimensions)
    lengths: np.ndarray  # float64 (texts, 2): ln(1 + characters) of title and text
    title: Any
    body: Any
    title_vector: np.ndarray
    body_vector: np.ndarray


class Pairs(NamedTuple):
    """Pairs as codes."""

    need: np.ndarray  # int64: row of the reading of needs
    target: np.ndarray  # int64: row of the reading of targets
    group: np.ndarray  # int64: needs of one wording are one group


def read(given: pl.DataFrame, encoder: Encoder, space: WordSpace, terms: Terms | None, *, parts: bool) -> Reading:
    """Read the titles and texts of a table, row by row; parts: title and text on their own too."""
    title, body = fields(given, terms)
    lengths = np.stack([np.log1p([len(t) for t in bags.texts]) for bags in (title, body)], axis=1)
    both, vector = word_rows(space, title, body), text.encode_fields(encoder, title, body)
    if not parts:
        return Reading(both, vector, lengths, both[:0], both[:0], vector[:0], vector[:0])
    return Reading(
        both, vector, lengths, space.rows(title), space.rows(body), encoder.encode(title), encoder.encode(body)
    )


def join(one: Reading, other: Reading) -> Reading:
    """The rows of two readings, one under the other."""
    import scipy.sparse as sp

    return Reading(
        *(
            np.concatenate(p) if isinstance(p[0], np.ndarray) else sp.vstack(p, "csr")
            for p in zip(one, other, strict=True)
        )
    )


def take(given: Reading, rows: np.ndarray) -> Reading:
    """Some rows of a reading."""
    return Reading(*(part[rows] if part.shape[0] == len(given.lengths) else part for part in given))


def features(pairs: Pairs, needs: Reading, targets: Reading) -> np.ndarray:
    """float64 (pairs, COLUMNS), finite. The candidates of a need are all pairs of its group that are given."""
    near = _nearness(pairs, needs, targets)
    found = {name: near[name] / wide for name, wide in NEARNESS.items()}
    found["blend"] = np.mean([found[name] for name in BLENDED], axis=0)
    found["company"] = _company(pairs, targets, _beyond(pairs.group, found["blend"]), found["blend"], sharp=1.0)
    found["closest"] = _company(pairs, targets, _beyond(pairs.group, found["blend"]), found["blend"], sharp=3.0)
    found["need_length"], found["title_length"] = needs.lengths[pairs.need, 1], needs.lengths[pairs.need, 0]
    found["target_length"] = targets.lengths[pairs.target].max(axis=1, initial=0.0)
    found["candidates"] = np.log(np.bincount(pairs.group)[pairs.group])
    found["copies"] = _copies(pairs)
    for name in CROWDED:
        found[f"{name}_rank"] = rank_share(pairs.group, found[name])
        found[f"{name}_beyond"] = _beyond(pairs.group, found[name])
    for name in ("words", "meaning", "blend"):
        found[f"{name}_mean"] = _mean(pairs.group, found[name])
        found[f"{name}_best"] = _best(pairs.group, found[name])
    return np.stack([found[name] for name in COLUMNS], axis=1)


def _nearness(pairs: Pairs, needs: Reading, targets: Reading) -> dict[str, np.ndarray]:
    n, t = pairs.need, pairs.target
    words, seen = targets.both, (needs.title + needs.body).tocsr()
    return {
        "words": _dot(needs.both, n, words, t),
        "words_title": _dot(needs.title, n, words, t),
        "words_text": _dot(needs.body, n, words, t),
        "meaning": _dot(needs.vector, n, targets.vector, t),
        "meaning_title": _dot(needs.title_vector, n, targets.vector, t),
        "meaning_text": _dot(needs.body_vector, n, targets.vector, t),
        "covered": _covered(words, t, seen, n),
        "answered": _covered(needs.title, n, words, t),
    }


def _dot(left: Any, i: np.ndarray, right: Any, j: np.ndarray) -> np.ndarray:
    """Row i of left · row j of right, pair by pair."""
    if isinstance(left, np.ndarray):
        return np.asarray(np.einsum("pd,pd->p", left[i], right[j], dtype=np.float64))
    return np.asarray(left[i].multiply(right[j]).sum(axis=1), dtype=np.float64).ravel()


def _covered(left: Any, i: np.ndarray, right: Any, j: np.ndarray) -> np.ndarray:
    """Share of the weight of row i of left whose features row j of right has too."""
    has = right.copy()
    has.data = np.ones_like(has.data)
    whole = np.asarray(left.sum(axis=1), dtype=np.float64).ravel()
    return np.asarray(_dot(left, i, has, j) / np.where(whole > 0, whole, 1.0)[i])


def _company(pairs: Pairs, targets: Reading, beyond: np.ndarray, blend: np.ndarray, *, sharp: float) -> np.ndarray:
    """How near a target is to the need's other candidates, those weighed most that are themselves near to the need.

    What the officers' candidates have in common says what the need is about (pseudo-relevance feedback, Rocchio 1971).
    Copies of the target itself do not count; without others it is what the nearness to the need leads to expect. The
    weighted sum of unit rows stands for all candidates of a group.
    """
    import scipy.sparse as sp

    weight = np.exp(sharp * np.clip(beyond, -4.0, 4.0))
    groups = int(pairs.group.max(initial=-1)) + 1
    own = pl.DataFrame({"g": pairs.group, "t": pairs.target, "w": weight})
    alike = own.select(pl.col("w").sum().over("g", "t")).to_series().to_numpy()
    whole = np.bincount(pairs.group, weight, minlength=groups)
    spread = sp.csr_array((weight, (pairs.group, pairs.target)), shape=(groups, targets.vector.shape[0]))
    near = 0.5 * _dot((spread @ targets.both).tocsr(), pairs.group, targets.both, pairs.target)
    near += 0.5 * _dot(np.asarray(spread @ targets.vector), pairs.group, targets.vector, pairs.target)
    length = 0.5 * _length(targets.both)[pairs.target] + 0.5 * _length(targets.vector)[pairs.target]
    others = whole[pairs.group] - alike
    return np.where(others > 1e-9, (near - alike * length) / np.maximum(others, 1e-9), ALONE[0] + ALONE[1] * blend)


def _length(rows: Any) -> np.ndarray:
    """Square of the length of each row: 1, or 0 where a row is empty."""
    if isinstance(rows, np.ndarray):
        return np.asarray(np.einsum("pd,pd->p", rows, rows, dtype=np.float64))
    return np.asarray(rows.multiply(rows).sum(axis=1), dtype=np.float64).ravel()


def _copies(pairs: Pairs) -> np.ndarray:
    both = pl.DataFrame({"g": pairs.group, "t": pairs.target})
    return both.select(pl.len().over("g", "t").cast(pl.Float64).log1p()).to_series().to_numpy()


def rank_share(group: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Rank within the group as a share of it, equal values by their mean rank: 0.5 where a group has one row."""
    both = pl.DataFrame({"g": group, "v": np.round(value, 9)})
    share = (pl.col("v").rank("average").over("g") - 0.5) / pl.len().over("g")
    return both.select(share).to_series().to_numpy()


def _mean(group: np.ndarray, value: np.ndarray) -> np.ndarray:
    number = np.maximum(np.bincount(group), 1)
    return np.asarray((np.bincount(group, value) / number)[group])


def _best(group: np.ndarray, value: np.ndarray) -> np.ndarray:
    best = np.full(int(group.max(initial=-1)) + 1, -np.inf)
    np.maximum.at(best, group, value)
    return np.asarray(best[group])


def _beyond(group: np.ndarray, value: np.ndarray) -> np.ndarray:
    """By how many deviations a value lies above the mean of its group."""
    off = value - _mean(group, value)
    return np.asarray(off / (np.sqrt(_mean(group, off**2)) + 0.2))
