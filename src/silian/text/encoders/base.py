"""What every encoder promises, and what several of them share."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

import numpy as np

from silian.errors import TextError
from silian.text.words import Bags, normalise_all, segment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PRIOR_ROWS: Final = 20  # as if as many rows had no direction: two texts are not opposites for being all there are


@runtime_checkable
class Encoder(Protocol):
    """Turns texts into vectors. `fit` learns from a corpus and returns a fitted encoder; the first one is unchanged.

    `digest` names the encoder with everything it has learnt: vectors of equal digest may be compared.
    """

    @property
    def name(self) -> str:
        """The name that `encoder` knows it by."""

    @property
    def digest(self) -> str:
        """Hash of the encoder, its model and what it has learnt."""

    @property
    def share(self) -> float:
        """The share of a score that its vectors deserve beside words, 0–1 (decisions/0002)."""

    @property
    def title_share(self) -> float | None:
        """The share of a title's vector in title and body, each encoded alone; None: both are read as one text."""

    def fit(self, corpus: Sequence[str | None] | Bags) -> Encoder:
        """Learn from a corpus; deterministic."""

    def encode(self, texts: Sequence[str | None] | Bags) -> np.ndarray:
        """float32 (texts, dimensions), rows of length 1; a text without words is a row of zeros."""


def bags_of(texts: Sequence[str | None] | Bags) -> Bags:
    """The texts cut into words, if they are not yet."""
    return texts if isinstance(texts, Bags) else segment(texts)


def plain(texts: Sequence[str | None] | Bags) -> list[str]:
    """The texts normalised."""
    return list(texts.texts) if isinstance(texts, Bags) else normalise_all(texts)


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows scaled to length 1, float32; one without direction becomes zeros."""
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
    lengths[lengths < 1e-9] = np.inf
    return np.asarray(rows * (1 / lengths)[:, None].astype(np.float32), dtype=np.float32)


def digest_of(*parts: object) -> str:
    """Hash of arrays and of whatever else has a wording."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(np.ascontiguousarray(part).tobytes() if isinstance(part, np.ndarray) else str(part).encode())
        whole.update(b"\0")
    return whole.hexdigest()


def even(places: np.ndarray, number: int) -> np.ndarray:
    """At most `number` of the places, spread evenly."""
    return np.asarray(places[np.unique(np.linspace(0, len(places) - 1, min(number, len(places))).astype(np.int64))])


def signed(axes: np.ndarray) -> np.ndarray:
    """Columns turned so that the largest number of each is positive."""
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    return np.asarray(axes * np.where(signs == 0, 1, signs))


def centre_of(rows: np.ndarray) -> np.ndarray:
    """What unit rows have in common, float32; few rows tell little of it, so it grows with their number."""
    return np.asarray((rows.sum(axis=0, dtype=np.float64) / (len(rows) + PRIOR_ROWS)).astype(np.float32))


def centred(rows: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Rows of length 1 less the centre, again of length 1; a row of zeros stays one."""
    made = unit(rows)
    empty = ~made.any(axis=1)
    made -= centre
    made[empty] = 0
    return unit(made)


def fit_centre(texts: list[str], sample: int, read: Callable[[list[str]], np.ndarray]) -> np.ndarray:
    """The centre of at most `sample` texts, spread evenly; `read` gives unit rows."""
    filled = np.asarray([i for i, t in enumerate(texts) if t], np.int64)
    if not len(filled):
        raise TextError("text.corpus", count=len(texts))
    return centre_of(read([texts[i] for i in even(filled, sample)]))


def read_centred(
    texts: list[str], centre: np.ndarray, read: Callable[[list[str]], np.ndarray], name: str
) -> np.ndarray:
    """Unit rows of texts that a sentence encoder reads; empty texts are rows of zeros."""
    if not centre.size:
        raise TextError("text.unfitted", name=name)
    made = np.zeros((len(texts), len(centre)), np.float32)
    filled = [i for i, t in enumerate(texts) if t]
    if filled:
        made[filled] = centred(read([texts[i] for i in filled]), centre)
    return made


def encode_fields(encoder: Encoder, title: Bags, body: Bags) -> np.ndarray:
    """Unit rows of texts that have a title and a body, float32 (texts, dimensions).

    Encoded apart and mixed by the encoder's `title_share`; an empty field leaves all to the other. Where that is None
    the encoder reads both as one text.
    """
    share = encoder.title_share
    if share is None:
        both = [f"{t}\n{b}" if t and b else t or b for t, b in zip(title.texts, body.texts, strict=True)]
        return encoder.encode(both)
    return unit(share * encoder.encode(title) + (1 - share) * encoder.encode(body))


def need_package(package: str, *, name: str, install: str) -> None:
    """Raise text.package where a package is not installed."""
    if find_spec(package) is None:
        raise TextError("text.package", name=name, package=install)
