"""Why a pair has its score: the words that both texts share, and meaning, each with its part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

from silian.engines.match._kernels import Lists, Parts
from silian.text import grams, stack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from silian.engines.match.index import Index
    from silian.text import Bags

MOST_TERMS: Final = 8
REST: Final = "…"  # term of what words share beyond the terms shown


class Wording(NamedTuple):
    """The words of needs as codes, what they are made of, and the terms that may be shown for them.

    A term of a word is the word itself or a shorter word inside it (氮化硼 in 立方氮化硼) that occurs as a word in
    a need or a target. It is shared where the unit holds all its characters in a row (a word of one character: as
    a word); a run of characters that belongs to no shared term counts as the rest.
    """

    words: Lists  # per need: its words and their counts
    grams: Lists  # per word: its features and how often they stand in it
    covers: Lists  # per gram of a word: the terms that hold it, longest first
    tests: Lists  # per term: the features that a unit must have, -1 where it cannot
    longer: Lists  # per term: the terms that hold it, longest first
    is_character: np.ndarray  # per term: whether it is one Chinese character
    features: int  # of the index


def wording_of(title: Bags, body: Bags, index: Index) -> tuple[tuple[str, ...], Wording]:
    """The terms that may be shown for needs, sorted, and their wording in codes."""
    vocabulary, counts = _together(title, body)
    known = index.vocabulary.union(vocabulary)
    place = index.space.place
    inside = [_terms_inside(w, known) for w in vocabulary]
    terms = sorted({t for row in inside for t in row})
    code = {t: i for i, t in enumerate(terms)}
    made = [_made_of(w, row, place, code) for w, row in zip(vocabulary, inside, strict=True)]
    longer: list[dict[int, None]] = [{} for _ in terms]
    for row in sorted(inside, key=lambda row: (-len(row[0]), row[0])):
        for at, term in enumerate(row):
            longer[code[term]] |= {code[other]: None for other in row[:at] if term in other}
    wording = Wording(
        words=Lists(counts.indptr.astype(np.int64), counts.indices.astype(np.int64), counts.data.astype(np.float64)),
        grams=_lists([[f for f, _, _ in row] for row in made], [n for row in made for _, n, _ in row]),
        covers=_lists([held for row in made for _, _, held in row]),
        tests=_lists([[place.get(g, -1) for g in _tests(t)] for t in terms]),
        longer=_lists([sorted(row, key=lambda c: (-len(terms[c]), c)) for row in longer]),
        is_character=np.asarray([len(t) == 1 and t in place for t in terms], dtype=np.bool_),
        features=len(index.space.features),
    )
    return tuple(terms), wording


def characters_alone(title: Bags, body: Bags, place: Mapping[str, int]) -> Lists:
    """The features of each text that are words of one character in it."""
    vocabulary, counts = _together(title, body)
    feature = np.asarray([place[w] if len(w) == 1 else -1 for w in vocabulary], dtype=np.int64)
    columns = feature[counts.indices]
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))[columns >= 0]
    ends = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=counts.shape[0]))]).astype(np.int64)
    kept = columns[columns >= 0]  # ascending in a row: words and features are sorted alike
    return Lists(ends, kept, np.ones(len(kept)))


def why_column(terms: Sequence[str], found: Parts) -> pl.Series:
    """The parts of each pair as a column `why`."""
    n = len(found.rest)
    names = np.asarray([*terms, REST, ""], dtype=object)
    last = np.broadcast_to([len(names) - 2, len(names) - 1], (n, 2))
    term = np.concatenate([np.maximum(found.term, 0), last], axis=1)
    part = np.concatenate([found.part, found.rest[:, None], found.meaning[:, None]], axis=1)
    kept = part > 0.0
    is_meaning = np.broadcast_to(np.arange(part.shape[1]) == part.shape[1] - 1, kept.shape)
    kinds = np.where(is_meaning[kept], "meaning", "word").astype(object)
    columns = [
        pa.array(kinds, pa.large_string()),
        pa.array(names[term[kept]], pa.large_string()),
        pa.array(part[kept], pa.float64()),
    ]
    ends = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    flat = pa.StructArray.from_arrays(columns, names=["kind", "term", "part"])
    return pl.Series("why", pl.from_arrow(pa.LargeListArray.from_arrays(pa.array(ends, pa.int64()), flat)))


def _together(title: Bags, body: Bags) -> tuple[tuple[str, ...], Any]:
    """Words of both fields, row by row."""
    both = stack(title, body)
    n = len(title)
    counts = (both.counts[:n] + both.counts[n:]).tocsr()
    counts.sort_indices()
    return both.vocabulary, counts


def _terms_inside(word: str, known: frozenset[str]) -> list[str]:
    """The word and the known words of two or more characters inside it, longest first, then by place."""
    if grams(word) == [word]:
        return [word]
    inside = [word[i : i + n] for n in range(len(word) - 1, 1, -1) for i in range(len(word) - n + 1)]
    return [word, *dict.fromkeys(t for t in inside if t in known)]


def _tests(term: str) -> list[str]:
    """The features that show a term: the longest runs it has."""
    runs = grams(term)
    longest = max(map(len, runs))
    return [r for r in runs if len(r) == longest]


def _made_of(
    word: str, terms: Sequence[str], place: Mapping[str, int], code: Mapping[str, int]
) -> list[tuple[int, int, list[int]]]:
    """Features of a word: which, how often, and the terms that hold it."""
    times: dict[str, int] = {}
    for g in grams(word):
        if g in place:
            times[g] = times.get(g, 0) + 1
    return [(place[g], n, [code[t] for t in terms if g in t]) for g, n in times.items()]


def _lists(rows: Sequence[Sequence[int]], values: Sequence[float] = ()) -> Lists:
    ends = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    codes = np.asarray([c for row in rows for c in row], dtype=np.int64)
    return Lists(ends, codes, np.asarray(values, dtype=np.float64) if len(values) else np.ones(len(codes)))
