"""Word vectors that a sentence encoder gave once, averaged."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from silian.errors import TextError
from silian.text.encoders.base import bags_of, centre_of, centred, digest_of, even, signed, unit
from silian.text.encoders.sentence import model_name, read_words
from silian.text.space import unit_rows
from silian.text.words import grams, is_han

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from silian.text.words import Bags

FEW_WORDS: Final = 30  # of a script: half of their mean is that of all words
BLOCK: Final = 20_000  # texts that are averaged together


@dataclass(frozen=True, slots=True)
class Static:
    """Mean of word vectors, weighted by idf; the vectors come from a sentence encoder that read each word alone.

    Only the `limit` words that matter most to the corpus (document frequency × idf) are read by the sentence encoder,
    once, and kept on disk; the vector of any other word is composed from its character runs by ridge regression on
    those. Words are centred by script and turned onto their first `dimensions` principal axes; texts are centred again.
    Chinese and English words of one meaning lie near each other.
    Source: the idea of Model2Vec (Tulkens, van Dongen 2024); composing rare words as in Pinter et al. (2017).
    """

    limit: int = 2000
    ridge: float = 0.3
    dimensions: int = 192
    sample: int = 10_000  # texts that the centre is taken from
    words: tuple[str, ...] = ()
    place: Mapping[str, int] = field(default_factory=dict)  # word → row of vectors
    vectors: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))  # of the words read
    pieces: WordPieces | None = None
    idf: Mapping[str, float] | None = None
    idf_unseen: float = 1.0
    centre: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))  # of texts
    name: str = "static"

    @property
    def digest(self) -> str:
        """Hash of the word vectors and weights."""
        idf = self.idf or {}
        weights = np.asarray([idf[w] for w in sorted(idf)])
        return digest_of(self.name, model_name(), "\n".join(self.words), self.vectors, weights, self.centre)

    @property
    def share(self) -> float:
        """0.3: beside words, means of words tell the less the longer a text is."""
        return 0.3

    @property
    def title_share(self) -> float:
        """Title and text apart: a mean of few words says more."""
        return 0.6

    def fit(self, corpus: Sequence[str | None] | Bags) -> Static:
        """Choose and read the words that matter most, learn how the others are composed."""
        bags = bags_of(corpus)
        n = int(np.count_nonzero(np.diff(bags.counts.indptr)))
        df = np.bincount(bags.counts.indices, minlength=len(bags.vocabulary))
        idf = np.log((1 + n) / (1 + df)) + 1
        candidates = [i for i, w in enumerate(bags.vocabulary) if not _has_digit(w)]
        candidates.sort(key=lambda i: (-df[i] * idf[i], bags.vocabulary[i]))
        chosen = tuple(sorted(bags.vocabulary[i] for i in candidates[: self.limit]))
        vectors = _turned(_centred_by_script(read_words(chosen), chosen), self.dimensions)
        made = replace(
            self,
            words=chosen,
            place={w: i for i, w in enumerate(chosen)},
            vectors=vectors,
            pieces=WordPieces.fit(chosen, vectors, ridge=self.ridge) if chosen else None,
            idf=dict(zip(bags.vocabulary, idf.tolist(), strict=True)),
            idf_unseen=float(np.log(1 + n) + 1),
            centre=np.zeros(vectors.shape[1], np.float32),
        )
        some = even(np.flatnonzero(np.diff(bags.counts.indptr)), self.sample)
        return replace(made, centre=centre_of(unit(_sums(bags.counts[some], made.weighted(bags.vocabulary)))))

    def encode(self, texts: Sequence[str | None] | Bags) -> np.ndarray:
        """Weighted means of word vectors, centred, of length 1."""
        if self.idf is None:
            raise TextError("text.unfitted", name=self.name)
        bags = bags_of(texts)
        words = self.weighted(bags.vocabulary)
        made = np.empty((len(bags), words.shape[1]), np.float32)
        for at in range(0, len(bags), BLOCK):
            made[at : at + BLOCK] = centred(_sums(bags.counts[at : at + BLOCK], words), self.centre)
        return made

    def weighted(self, vocabulary: Sequence[str]) -> np.ndarray:
        """Vectors of words times their idf."""
        idf = np.asarray([(self.idf or {}).get(w, self.idf_unseen) for w in vocabulary], np.float32)
        return self.of_words(vocabulary) * idf[:, None]

    def of_words(self, vocabulary: Sequence[str]) -> np.ndarray:
        """float32 (words, dimensions): read where known, else composed; zeros for words with digits."""
        made = np.zeros((len(vocabulary), self.vectors.shape[1]), np.float32)
        known = [i for i, w in enumerate(vocabulary) if w in self.place]
        made[known] = self.vectors[[self.place[vocabulary[i]] for i in known]]
        other = [i for i, w in enumerate(vocabulary) if w not in self.place and not _has_digit(w)]
        if other and self.pieces is not None:
            made[other] = self.pieces.compose([vocabulary[i] for i in other])
        return made


@dataclass(frozen=True, slots=True)
class WordPieces:
    """How the vector of a word follows from its character runs: kernel ridge regression on words that were read."""

    place: Mapping[str, int]
    idf: np.ndarray
    axes: np.ndarray  # float32 (pieces, dimensions)

    @classmethod
    def fit(cls, words: Sequence[str], vectors: np.ndarray, *, ridge: float) -> WordPieces:
        """Learn from words and their centred vectors."""
        from scipy.linalg import cho_factor, cho_solve

        cut = [_pieces(w) for w in words]
        place = {p: i for i, p in enumerate(sorted({p for row in cut for p in row}))}
        df = np.bincount([place[p] for row in cut for p in set(row)], minlength=len(place))
        idf = np.log((1 + len(words)) / (1 + df)) + 1
        rows = _piece_rows(cut, place, idf)
        kernel = (rows @ rows.T).toarray().astype(np.float64)
        kernel[np.diag_indices_from(kernel)] += ridge
        dual = cho_solve(cho_factor(kernel, lower=True, overwrite_a=True), vectors.astype(np.float64))
        return cls(place=place, idf=idf, axes=np.asarray(rows.T @ dual).astype(np.float32))

    def compose(self, words: Sequence[str]) -> np.ndarray:
        """float32 (words, dimensions)."""
        return np.asarray(_piece_rows([_pieces(w) for w in words], self.place, self.idf) @ self.axes)


def _centred_by_script(read: np.ndarray, words: Sequence[str]) -> np.ndarray:
    """Vectors minus the mean of the words of their script: what is left tells the meaning, not the language.

    A script of few words has a mean that is drawn towards the mean of all.
    """
    rows = read.astype(np.float64)
    chinese = np.fromiter(map(is_han, words), np.bool_, len(words))
    for own in (chinese, ~chinese):
        if own.any():
            total, n = read[own].sum(axis=0, dtype=np.float64), int(own.sum())
            rows[own] -= (total + FEW_WORDS * read.mean(axis=0, dtype=np.float64)) / (n + FEW_WORDS)
    return rows


def _sums(counts: Any, words: np.ndarray) -> np.ndarray:
    """Sums of word vectors, each 1 + ln of its count times, float32. counts: csr (texts, words), as in Bags."""
    weights = counts.copy()
    weights.data = (1 + np.log(counts.data)).astype(np.float32)
    return np.asarray(weights @ words)


def _turned(read: np.ndarray, dimensions: int) -> np.ndarray:
    """Vectors of words on their first principal axes; float32."""
    if not len(read):
        return read
    rows = read.astype(np.float64)
    _, axes = np.linalg.eigh(rows.T @ rows)  # values ascend
    return np.asarray(rows @ signed(axes[:, ::-1][:, :dimensions]), dtype=np.float32)


def _has_digit(word: str) -> bool:
    return any(c.isdigit() for c in word)


def _pieces(word: str) -> list[str]:
    """Character runs of a Chinese word; of others the whole and its runs of 3 to 5 letters with the ends marked."""
    runs = grams(word)
    if runs != [word] or len(word) < 2:
        return runs
    marked = f"<{word}>"
    return [word] + [marked[i : i + n] for n in (3, 4, 5) for i in range(len(marked) - n + 1)]


def _piece_rows(cut: Sequence[Sequence[str]], place: Mapping[str, int], idf: np.ndarray) -> Any:
    import scipy.sparse as sp

    columns = [[place[p] for p in row if p in place] for row in cut]
    flat = np.asarray([c for row in columns for c in row], dtype=np.int64)
    ends = np.cumsum([0, *map(len, columns)])
    rows = sp.csr_array((idf[flat].astype(np.float32), flat, ends), shape=(len(cut), len(place)))
    rows.sum_duplicates()
    return unit_rows(rows)
