"""The texts that pairs are explained by: the words of each with their places, terms found in them, their sentences."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import polars as pl

from silian import text
from silian.text import Bags, PlacedWords

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from silian.text import Terms

MOST_PLACES: Final = 20  # of one term in one text
MOST_SENTENCES: Final = 24  # of one need, achievement or work, from the first
LONGEST_SENTENCE: Final = 300  # characters; what is longer is cut there
LEAST_WORDS: Final = 3  # of a sentence that is no title: one or two words are soon near


class Where(NamedTuple):
    """A text in the tables: of which row, in which column, and which item of a list."""

    table: str
    id: str
    column: str
    item: int  # of a list, from 1; 0 for a text


@dataclass(frozen=True, slots=True)
class Readings:
    """Texts of owners (a need, an achievement, a work), cut into words with their places."""

    where: tuple[Where, ...]  # per text
    owner: np.ndarray  # int64 (texts,), rising: the owner of each text
    owners: int
    placed: PlacedWords
    streams: tuple[_Stream, ...]  # per text

    @classmethod
    def of(cls, rows: Sequence[tuple[int, Where, str]], *, owners: int, terms: Terms | None) -> Readings:
        """Read texts; rows: owner, where the text stands, the text; by owner."""
        placed = text.place_words([t for _, _, t in rows], terms=terms)
        bounds = np.concatenate([[0], placed.ends]).tolist()
        touches = placed.touches.tolist()
        streams = tuple(_Stream.of(placed.words, touches, a, b) for a, b in pairwise(bounds))
        owner = np.asarray([o for o, _, _ in rows], dtype=np.int64)
        return cls(tuple(w for _, w, _ in rows), owner, owners, placed, streams)

    def texts_of(self, owner: int) -> range:
        """The places of an owner's texts."""
        return range(*np.searchsorted(self.owner, [owner, owner + 1]).tolist())

    def find(self, place: int, term: str) -> Iterator[tuple[int, int]]:
        """Start and end of a term in a text, in the letters that it was given in."""
        stream, words = self.streams[place], self.placed.words
        for first, a, last, b in stream.find(term, words):
            start, end = self.placed.inside(place, first, a, len(words[first]) if last != first else b)
            yield start, end if last == first else self.placed.inside(place, last, 0, b)[1]

    def words_in(self, owner: int, term: str) -> list[str]:
        """The words that a term is put together from where an owner says it; empty where it is one word or absent."""
        for place in self.texts_of(owner):
            for first, _, last, _ in self.streams[place].find(term, self.placed.words):
                return list(dict.fromkeys(self.placed.words[first : last + 1])) if last > first else []
        return []


@dataclass(frozen=True, slots=True)
class _Stream:
    """The words of a text in a row, a line end between two that do not touch."""

    text: str
    first: int  # word
    starts: tuple[int, ...]  # of the words in the stream

    @classmethod
    def of(cls, words: Sequence[str], touches: Sequence[bool], first: int, after: int) -> _Stream:
        pieces: list[str] = []
        starts: list[int] = []
        at = 0
        for w in range(first, after):
            if not touches[w]:
                pieces.append("\n")
                at += 1
            starts.append(at)
            pieces.append(words[w])
            at += len(words[w])
        return cls("".join(pieces), first, tuple(starts))

    def find(self, term: str, words: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
        """First word and offset, last word and offset behind: whole words, or inside one Chinese word."""
        at, found = self.text.find(term), 0
        while at >= 0 and found < MOST_PLACES:
            after = at + len(term)
            i, j = bisect_right(self.starts, at) - 1, bisect_right(self.starts, after - 1) - 1
            word, last = self.first + i, self.first + j
            a, b = at - self.starts[i], after - self.starts[j]
            is_whole = a == 0 and b == len(words[last])
            is_inside = i == j and len(term) > 1 and len(text.grams(words[word])) > 1
            if is_whole or is_inside:
                yield word, a, last, b
                found += 1
                at = self.text.find(term, after)
            else:
                at = self.text.find(term, at + 1)


@dataclass(frozen=True, slots=True)
class Sentences:
    """Sentences of owners with their words."""

    start: np.ndarray  # int64 (owners + 1,): the sentences of each owner
    text: np.ndarray  # int64 (sentences,): the text that it stands in
    said: tuple[str, ...]
    bags: Bags


def sentences_of(readings: Readings) -> Sentences:
    """The sentences of each owner that hold words: titles, and others of three words or more, at most 24."""
    cut = _cut(readings)
    key = _keys(cut["text"].to_numpy(), cut["start"].to_numpy())
    placed = readings.placed
    of_word = np.repeat(np.arange(len(placed.texts)), np.diff(np.concatenate([[0], placed.ends])))
    sentence = np.searchsorted(key, _keys(of_word, placed.start), side="right") - 1
    number = np.bincount(sentence, minlength=cut.height)
    is_kept = pl.col("words") >= pl.when("is_title").then(1).otherwise(LEAST_WORDS)
    kept = (
        cut.with_columns(words=pl.Series(number, dtype=pl.Int64))
        .with_row_index("sentence")
        .filter(is_kept)
        .filter(pl.int_range(pl.len()).over("owner") < MOST_SENTENCES)
    )
    at = np.full(cut.height, -1, dtype=np.int64)
    at[kept["sentence"].to_numpy()] = np.arange(kept.height)
    start = np.searchsorted(kept["owner"].to_numpy(), np.arange(readings.owners + 1))
    said = tuple(kept["said"].to_list())
    return Sentences(start.astype(np.int64), kept["text"].to_numpy(), said, _bags(placed, at[sentence], said))


def _cut(readings: Readings) -> pl.DataFrame:
    """owner, text, start, said, is_title of every sentence, in order."""
    rows: list[tuple[int, int, int, str, bool]] = []
    for i, (owner, where) in enumerate(zip(readings.owner.tolist(), readings.where, strict=True)):
        given = readings.placed.texts[i]
        for a, b in text.sentences(given):
            for start in range(a, b, LONGEST_SENTENCE):
                said = given[start : min(start + LONGEST_SENTENCE, b)].strip()
                rows.append((owner, i, start, said, where.column == "title"))
    schema = {"owner": pl.Int64, "text": pl.Int64, "start": pl.Int64, "said": pl.String, "is_title": pl.Boolean}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _keys(of: np.ndarray, start: np.ndarray) -> np.ndarray:
    return of.astype(np.int64) << 32 | start.astype(np.int64)


def _bags(placed: PlacedWords, sentence: np.ndarray, said: tuple[str, ...]) -> Bags:
    """The words of the kept sentences, counted (-1: of no kept sentence); what has been cut is not cut again."""
    import scipy.sparse as sp

    kept = np.flatnonzero(sentence >= 0)
    rows = sentence[kept]
    words = [placed.words[w] for w in kept.tolist()]
    vocabulary = tuple(sorted(set(words)))
    place = {w: i for i, w in enumerate(vocabulary)}
    codes = np.asarray([place[w] for w in words], dtype=np.int64)
    counts: Any = sp.csr_array((np.ones(len(codes), np.float32), (rows, codes)), shape=(len(said), len(vocabulary)))
    counts.sum_duplicates()
    gaps = np.flatnonzero(~placed.touches[kept])
    order = np.insert(codes, gaps, -1)
    ends = np.cumsum(np.bincount(rows, minlength=len(said)) + np.bincount(rows[gaps], minlength=len(said)))
    return Bags(tuple(text.normalise_all(said)), vocabulary, counts, order, ends.astype(np.int64))
