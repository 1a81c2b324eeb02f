"""Why a pair has its score: the words that both texts share, and meaning, each with its part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

from silian.engines.match._kernels import Lists, Parts, Sets
from silian.text import grams, stack

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from silian.engines.match.index import Index
    from silian.text import Bags

MOST_TERMS: Final = 8
LONGEST_PHRASE: Final = 6  # words
REST: Final = "…"  # term of what words share beyond the terms shown


class Touches(NamedTuple):
    """Which words touch each other in the units of an index."""

    keys: np.ndarray  # int64, sorted: place of the first word × number of words + place of the second
    units: Sets  # per unit: places in keys


class Wording(NamedTuple):
    """The words of needs as codes, what they are made of, and the terms that may be shown for them.

    A term of a word is the word itself or a shorter word inside it (氮化硼 in 立方氮化硼) that occurs as a word in
    a need or a target. It is shared where the unit holds all its characters in a row (a word of one character: as
    a word); a run of characters that belongs to no shared term counts as the rest. Words that touch each other in
    the need and in the unit are shown as one term.
    """

    words: Lists  # per need: its words and their counts
    grams: Lists  # per word: its features and how often they stand in it
    covers: Lists  # per gram of a word: the terms that hold it, longest first
    tests: Lists  # per term: the features that a unit must have, -1 where it cannot
    longer: Lists  # per term: the terms that hold it, longest first
    phrases: Lists  # per need: its runs of touching words, most words first
    phrase_term: np.ndarray  # per phrase: its term
    members: Lists  # per phrase: the terms of its words
    seams: Lists  # per phrase: the touches that a unit must have
    is_character: np.ndarray  # per term: whether it is one Chinese character
    features: int  # of the index


def wording_of(title: Bags, body: Bags, index: Index) -> tuple[tuple[str, ...], Wording]:
    """The terms that may be shown for needs, sorted, and their wording in codes."""
    both = stack(title, body)
    counts, vocabulary, place = folded(both), both.vocabulary, index.space.place
    known = index.place.keys() | set(vocabulary)
    inside = [_terms_inside(w, known) for w in vocabulary]
    per_need, runs = _phrases(both, index)
    spelled = ["".join(vocabulary[w] for w in words) for words in runs]
    terms = sorted({t for row in inside for t in row}.union(spelled))
    code = {t: i for i, t in enumerate(terms)}
    made = [_made_of(w, row, place, code) for w, row in zip(vocabulary, inside, strict=True)]
    length = [len(words) for words in runs]
    wording = Wording(
        words=Lists(counts.indptr.astype(np.int64), counts.indices.astype(np.int64), counts.data.astype(np.float64)),
        grams=_lists([[f for f, _, _ in row] for row in made], [n for row in made for _, n, _ in row]),
        covers=_lists([held for row in made for _, _, held in row]),
        tests=_lists([[place.get(g, -1) for g in tests_of(t)] for t in terms]),
        longer=_lists(_holders(terms, code)),
        phrases=_lists([sorted(row, key=lambda p: (-length[p], spelled[p])) for row in per_need]),
        phrase_term=np.asarray([code[t] for t in spelled], dtype=np.int64),
        members=_lists([[code[vocabulary[w]] for w in words] for words in runs]),
        seams=_lists(list(runs.values())),
        is_character=np.asarray([len(t) == 1 and t in place for t in terms], dtype=np.bool_),
        features=len(index.space.features),
    )
    return tuple(terms), wording


def marks_of(read: Sequence[tuple[Bags, Bags]], features: Mapping[str, int]) -> tuple[dict[str, int], Sets, Touches]:
    """Of units that were read in blocks (titles, texts): their words and places, words of one character, touches."""
    words = sorted({w for block in read for bags in block for w in bags.vocabulary})
    place = {w: i for i, w in enumerate(words)}
    alone, touches = [], []
    for title, body in read:
        both = stack(title, body)
        alone.append(_characters_alone(both, features))
        touches.append(_touches_of(both, place))
    keys = np.unique(np.concatenate([t.keys for t in touches]))
    units = [t.units._replace(code=np.searchsorted(keys, t.keys).astype(np.int32)[t.units.code]) for t in touches]
    return place, _one_under_other(alone), Touches(keys, _one_under_other(units))


def _one_under_other(parts: Sequence[Sets]) -> Sets:
    before = np.cumsum([0, *(len(p.code) for p in parts)])
    ptr = np.concatenate([[0], *(p.ptr[1:] + at for p, at in zip(parts, before, strict=False))])
    return Sets(ptr, np.concatenate([p.code for p in parts]))


def _touches_of(both: Bags, place: Mapping[str, int]) -> Touches:
    """Which words touch in each unit; both: titles, and under them the texts of the same units."""
    units, words = len(both) // 2, max(len(place), 1)
    number = np.asarray([*(place[w] for w in both.vocabulary), -1], dtype=np.int64)
    at, rows = _touching(both)
    keys, code = np.unique(number[both.order[at]] * words + number[both.order[at + 1]], return_inverse=True)
    each = np.sort((rows % max(units, 1)) * max(len(keys), 1) + code)
    once = each[np.diff(each, prepend=-1) > 0]
    unit, held = np.divmod(once, max(len(keys), 1))
    ends = np.concatenate([[0], np.cumsum(np.bincount(unit, minlength=units))]).astype(np.int64)
    return Touches(keys, Sets(ends, held.astype(np.int32)))


def _characters_alone(both: Bags, place: Mapping[str, int]) -> Sets:
    """The features of each unit that are words of one character in it; both: as for `_touches_of`."""
    counts = folded(both)
    feature = np.asarray([place[w] if len(w) == 1 else -1 for w in both.vocabulary], dtype=np.int64)
    columns = feature[counts.indices]
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))[columns >= 0]
    ends = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=counts.shape[0]))]).astype(np.int64)
    return Sets(ends, columns[columns >= 0].astype(np.int32))  # ascending: words and features are sorted alike


def folded(both: Bags) -> Any:
    """Counts of titles and of the texts under them added, row by row: csr_array, indices sorted."""
    n = len(both) // 2
    counts = (both.counts[:n] + both.counts[n:]).tocsr()
    counts.sort_indices()
    return counts


def why_column(terms: Sequence[str], found: Parts) -> pl.Series:
    """The parts of each pair as a column `why`."""
    n = len(found.rest)
    names = pl.Series([*terms, REST, ""], dtype=pl.String)
    last = np.broadcast_to([len(names) - 2, len(names) - 1], (n, 2))
    term = np.concatenate([np.maximum(found.term, 0), last], axis=1)
    part = np.concatenate([found.part, found.rest[:, None], found.meaning[:, None]], axis=1)
    kept = part > 0.0
    is_meaning = np.broadcast_to(np.arange(part.shape[1]) == part.shape[1] - 1, kept.shape)
    kinds = pl.Series(["word", "meaning"]).gather(pl.Series(is_meaning[kept]).cast(pl.UInt32))
    columns = {"kind": kinds, "term": names.gather(term[kept]), "part": pl.Series(part[kept])}
    ends = pl.Series(np.concatenate([[0], np.cumsum(kept.sum(axis=1))]), dtype=pl.Int64)
    # by way of Arrow, which takes the ends as they are; given an array of numpy it would load pandas if that is there
    flat = pa.StructArray.from_arrays([c.to_arrow() for c in columns.values()], names=list(columns))
    return pl.Series("why", pl.from_arrow(pa.LargeListArray.from_arrays(ends.to_arrow(), flat)))


def _touching(bags: Bags) -> tuple[np.ndarray, np.ndarray]:
    """Where in `order` a word touches the next one, and the text it stands in."""
    rows = np.repeat(np.arange(len(bags)), np.diff(np.concatenate([[0], bags.ends])))
    touch = (bags.order[:-1] >= 0) & (bags.order[1:] >= 0) & (rows[:-1] == rows[1:])
    at = np.flatnonzero(touch)
    return at, rows[at]


def _phrases(both: Bags, index: Index) -> tuple[list[list[int]], dict[tuple[int, ...], list[int]]]:
    """Runs of touching words of each need that touch in some unit too, and each run's touches in the index."""
    needs, words = len(both) // 2, max(len(index.place), 1)
    there = np.asarray([index.place.get(w, -1) for w in both.vocabulary] or [-1], dtype=np.int64)
    at, rows = _touching(both)
    left, right = there[both.order[at]], there[both.order[at + 1]]
    wanted, keys = left * words + right, index.touches.keys
    place = np.searchsorted(keys, wanted)
    known = (left >= 0) & (right >= 0) & (place < len(keys))
    known[known] = keys[place[known]] == wanted[known]
    at, rows, place = at[known], rows[known] % max(needs, 1), place[known]
    runs: dict[tuple[int, ...], list[int]] = {}
    number: dict[tuple[int, ...], int] = {}
    per_need: list[dict[int, None]] = [{} for _ in range(needs)]
    order = both.order.tolist()
    for i, (start, row) in enumerate(zip(at.tolist(), rows.tolist(), strict=True)):
        for n in range(1, LONGEST_PHRASE):
            if i + n > len(at) or at[i + n - 1] != start + n - 1 or rows[i + n - 1] != row:
                break
            run = tuple(order[start : start + n + 1])
            runs.setdefault(run, place[i : i + n].tolist())
            per_need[row][number.setdefault(run, len(number))] = None
    return [list(row) for row in per_need], runs


def _terms_inside(word: str, known: Iterable[str]) -> list[str]:
    """The word and the known words of two or more characters inside it, longest first, then by place."""
    if grams(word) == [word]:
        return [word]
    inside = [word[i : i + n] for n in range(len(word) - 1, 1, -1) for i in range(len(word) - n + 1)]
    return [word, *dict.fromkeys(t for t in inside if t in known)]


def tests_of(term: str) -> list[str]:
    """The features that show a term: the longest runs it has."""
    runs = grams(term)
    longest = max(map(len, runs))
    return [r for r in runs if len(r) == longest]


def _holders(terms: Sequence[str], code: Mapping[str, int]) -> list[list[int]]:
    """Per term of two or more characters: the terms that hold it, longest first."""
    held: list[list[int]] = [[] for _ in terms]
    for term in sorted(terms, key=lambda t: (-len(t), t)):
        inside = {term[i : i + n] for n in range(2, len(term)) for i in range(len(term) - n + 1)}
        for shorter in inside & code.keys():
            held[code[shorter]].append(code[term])
    return held


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
