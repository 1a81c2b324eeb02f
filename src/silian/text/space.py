"""Words as weighted vectors: TF-IDF over the character runs of Chinese words and over whole words of other scripts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from silian.text.words import Bags, grams

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class WordSpace:
    """Features (character runs and words) of a corpus with their inverse document frequency.

    A text's weight of a feature is (1 + ln count) × idf, rows have length 1, idf = ln((1 + n) / (1 + df)) + 1 over the
    n texts of the corpus. Features that the corpus lacks are dropped: they cannot be shared.

    Examples
    --------
    >>> from silian.text import segment
    >>> space = WordSpace.fit(segment(["锂电池隔膜", "轴承钢"]))
    >>> rows = space.rows(segment(["电池"]))
    >>> [space.features[i] for i in rows.indices], rows.data.round(3)
    (['池', '电', '电池'], array([0.577, 0.577, 0.577], dtype=float32))
    """

    features: tuple[str, ...]  # sorted
    idf: np.ndarray  # float64 (features,)
    place: Mapping[str, int]

    @classmethod
    def fit(cls, *bags: Bags) -> WordSpace:
        """Learn the features and their idf; the bags are fields of the same texts, row by row."""
        return cls.fit_blocks([bags] if bags else [])

    @classmethod
    def fit_blocks(cls, blocks: Sequence[Sequence[Bags]]) -> WordSpace:
        """As `fit`, from texts that were cut in blocks; only one block at a time is counted."""
        features = sorted({g for block in blocks for b in block for w in b.vocabulary for g in grams(w)})
        place = {f: i for i, f in enumerate(features)}
        df = np.zeros(len(features))
        for block in blocks:
            seen = sum((_spread(b, place) for b in block[1:]), start=_spread(block[0], place))
            df += np.bincount(seen.indices, minlength=len(features))
        n = sum(len(block[0]) for block in blocks)
        return cls(features=tuple(features), idf=idf_of(df, n), place=place)

    def widened(self, *bags: Bags, idf: float) -> WordSpace:
        """The space with the features of more texts; what was learnt stays, each new feature has the idf given."""
        new = {g for b in bags for w in b.vocabulary for g in grams(w)}.difference(self.place)
        if not new:
            return self
        features = sorted((*self.features, *new))
        wider = replace(self, features=tuple(features), place={f: i for i, f in enumerate(features)})
        weights = np.full(len(features), idf)
        weights[wider.places_of(self)] = self.idf
        return replace(wider, idf=weights)

    def narrowed(self, kept: np.ndarray) -> WordSpace:
        """The space with some of its features. kept: bool (features,)."""
        features = tuple(f for f, k in zip(self.features, kept.tolist(), strict=True) if k)
        return replace(self, features=features, idf=self.idf[kept], place={f: i for i, f in enumerate(features)})

    def places_of(self, other: WordSpace) -> np.ndarray:
        """Where the features of another space stand in this one, which must have them all: int64, ascending."""
        return np.fromiter(map(self.place.__getitem__, other.features), np.int64, len(other.features))

    def rows(self, bags: Bags) -> Any:
        """Unit rows of texts: scipy csr_array, float32, (texts, features), indices sorted."""
        counts = _spread(bags, self.place)
        weights = ((1 + np.log(counts.data)) * self.idf[counts.indices]).astype(np.float32)
        counts.data = weights
        return unit_rows(counts)


def idf_of(df: Any, n: int) -> Any:
    """Inverse document frequency of a feature that df of n texts hold: ln((1 + n) / (1 + df)) + 1, no unit."""
    return np.log((1 + n) / (1 + df)) + 1


def spell(vocabulary: Sequence[str], place: Mapping[str, int]) -> Any:
    """Which features each word is made of: scipy csr_array, float32, (words, features); a run may stand twice."""
    import scipy.sparse as sp

    columns = [[place[g] for g in grams(w) if g in place] for w in vocabulary]
    ends = np.cumsum([0, *map(len, columns)], dtype=np.int32)
    flat = np.asarray([c for row in columns for c in row], dtype=np.int32)
    made = sp.csr_array((np.ones(len(flat), np.float32), flat, ends), shape=(len(vocabulary), len(place)))
    made.sum_duplicates()
    return made


def unit_rows(rows: Any) -> Any:
    """Sparse rows scaled to length 1; empty rows stay empty."""
    lengths = np.sqrt(np.add.reduceat(np.append(rows.data.astype(np.float64) ** 2, 0.0), rows.indptr[:-1]))
    lengths[np.diff(rows.indptr) == 0] = 1.0
    rows.data = (rows.data / np.repeat(lengths, np.diff(rows.indptr))).astype(np.float32)
    return rows


def _spread(bags: Bags, place: Mapping[str, int]) -> Any:
    counts = bags.counts @ spell(bags.vocabulary, place)
    counts.sort_indices()
    return counts
