"""Encoders that need no model: words alone, and latent semantic analysis of the corpus."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from silian.errors import TextError
from silian.text.encoders.base import bags_of, centre_of, centred, digest_of, even, signed, unit
from silian.text.space import WordSpace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from silian.text.words import Bags

POWER_STEPS: Final = 3  # of the randomised decomposition


@dataclass(frozen=True, slots=True)
class WordsOnly:
    """No vectors: what is matched is words alone."""

    name: str = "words"
    digest: str = "words"

    @property
    def share(self) -> float:
        """Nothing."""
        return 0.0

    @property
    def title_share(self) -> None:
        """There is nothing to share out."""

    def fit(self, corpus: Sequence[str | None] | Bags) -> WordsOnly:  # noqa: ARG002
        """Nothing to learn."""
        return self

    def encode(self, texts: Sequence[str | None] | Bags) -> np.ndarray:
        """float32 (texts, 0)."""
        return np.zeros((len(texts), 0), np.float32)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Latent semantic analysis of the corpus: TF-IDF rows on their first singular vectors, centred.

    Needs no model and learns the region's own words; knows nothing of words that the corpus lacks.
    Source: Deerwester et al. (1990), Indexing by latent semantic analysis; Halko, Martinsson, Tropp (2011) for the
    randomised decomposition (seeded, three power steps, at most `sample` texts spread evenly over the corpus).
    """

    dimensions: int = 150
    sample: int = 8000
    seed: int = 7
    space: WordSpace | None = None
    axes: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))  # (features, dimensions)
    centre: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))  # of texts
    name: str = "corpus"

    @property
    def digest(self) -> str:
        """Hash of the axes and the centre."""
        return digest_of(self.name, self.dimensions, self.axes, self.centre)

    @property
    def share(self) -> float:
        """0.3: its axes are made of words, which are told already."""
        return 0.3

    @property
    def title_share(self) -> float:
        """Title and text apart."""
        return 0.4

    def fit(self, corpus: Sequence[str | None] | Bags) -> Corpus:
        """Learn the axes."""
        bags = bags_of(corpus)
        space = WordSpace.fit(bags)
        rows = space.rows(bags)
        some = rows[even(np.flatnonzero(np.diff(rows.indptr)), self.sample)]
        axes = _singular_axes(some, self.dimensions, self.seed)
        return replace(self, space=space, axes=axes, centre=centre_of(unit(np.asarray(some @ axes))))

    def encode(self, texts: Sequence[str | None] | Bags) -> np.ndarray:
        """Rows on the axes, centred, of length 1."""
        if self.space is None:
            raise TextError("text.unfitted", name=self.name)
        return centred(np.asarray(self.space.rows(bags_of(texts)) @ self.axes), self.centre)


def _singular_axes(rows: Any, dimensions: int, seed: int) -> np.ndarray:
    """First right singular vectors of sparse rows by seeded subspace iteration; signs fixed."""
    wanted = min(dimensions, *rows.shape)
    if wanted == 0:
        return np.zeros((rows.shape[1], 0), np.float32)
    extra = min(wanted + 20, rows.shape[0])
    basis = np.random.default_rng(seed).standard_normal((rows.shape[0], extra)).astype(np.float32)
    columns = rows.T.tocsr()
    for _ in range(POWER_STEPS):
        basis, _ = np.linalg.qr(np.asarray(rows @ np.asarray(columns @ basis)))
    across = np.asarray(columns @ basis)  # (features, extra)
    values, turn = np.linalg.eigh(across.T.astype(np.float64) @ across)
    largest = np.argsort(-values, kind="stable")[:wanted]
    largest = largest[values[largest] > 1e-9 * values.max()]
    axes = across @ (turn[:, largest] / np.sqrt(values[largest])).astype(np.float32)
    return np.ascontiguousarray(signed(axes), dtype=np.float32)
