"""Texts into vectors: several encoders behind one protocol, chosen by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from silian.errors import TextError
from silian.text.encoders.base import Encoder, encode_fields
from silian.text.encoders.corpus import Corpus, WordsOnly
from silian.text.encoders.folder import Folder
from silian.text.encoders.sentence import Sentence
from silian.text.encoders.static import Static, WordPieces
from silian.text.encoders.together import Together

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEFAULT: Final = "static"  # docs/decisions/0002-default-encoder.md
NAMES: Final = ("words", "corpus", "static", "sentence", "folder:<path>")


def encoder(name: str = "default", *, seed: int = 7, **settings: Any) -> Encoder:
    """The encoder of that name, not yet fitted.

    Parameters
    ----------
    name : "words" (no vectors: words alone), "corpus" (LSA of the corpus itself), "static" (mean of distilled word
        vectors), "sentence" (a multilingual sentence encoder), "folder:<path>" (a sentence encoder from a local
        folder) or "default", which is "static" on every machine; several with + between them stand side by side,
        e.g. "static+sentence"
    seed : of the encoder that draws at random ("corpus")
    **settings : fields of the encoder, e.g. limit=2000 for static, dimensions=100 for corpus

    Raises
    ------
    TextError : text.encoder for another name; text.package where the encoder's package is not installed;
        text.folder where the folder is missing or holds no sound model; text.reader where reading it needs
        sentence-transformers. Nothing is ever downloaded.

    Notes
    -----
    Quality and speed of each: docs/decisions/0002-default-encoder.md, measured by benchmarks/bench_match.py and
    bench_experts.py.

    Examples
    --------
    >>> fitted = encoder("corpus", dimensions=2).fit(["锂电池 隔膜", "锂电池 电解液", "轴承 钢", "轴承 磨损"])
    >>> fitted.encode(["电池"]).shape
    (1, 2)
    """
    chosen = DEFAULT if name == "default" else name
    if "+" in chosen and not chosen.startswith("folder:"):
        return Together(tuple(encoder(part, seed=seed) for part in chosen.split("+")))
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


__all__ = [
    "Corpus",
    "Encoder",
    "Folder",
    "Sentence",
    "Static",
    "Together",
    "WordPieces",
    "WordsOnly",
    "encode_fields",
    "encoder",
]
