"""A sentence encoder from a local folder: read by our own forward pass, or by sentence-transformers."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from silian.errors import TextError
from silian.text.cache import VectorCache
from silian.text.encoders.base import digest_of, fit_centre, plain, read_centred, unit
from silian.text.encoders.tokens import read_tokens
from silian.text.encoders.transformer import read_weights, transformer_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from silian.text.encoders.tokens import Tokens
    from silian.text.encoders.transformer import Transformer
    from silian.text.words import Bags

OWN_KINDS: Final = ("bert", "roberta", "xlm-roberta", "camembert")  # model_type of config.json
BATCH: Final = 64  # texts that sentence-transformers reads at once
# What the files of a broken or strange model make the readers raise.
_BROKEN: Final = (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Folder:
    """A sentence encoder from a local folder, as sentence-transformers writes it; centred on the corpus.

    A folder with `model.safetensors` of a BERT-type encoder (BERT, RoBERTa, XLM-RoBERTa: all-MiniLM, bge, gte, e5,
    text2vec, multilingual-e5 and most others) is read by numpy on every machine. Any other is read by
    sentence-transformers where that is installed, and else refused with the reason; `reader` says which, and `digest`
    holds it. Nothing is downloaded. Of a long text the first tokens are read, as many as the model's settings say.

    Cost: all-MiniLM-L6-v2 reads 1,000 abstracts of 1,100 characters in 77 s of one core, 1,000 titles in 5 s
    (bench_text); each text is read once and kept on disk.
    """

    path: Path
    sample: int = 1000  # texts that the centre is taken from
    centre: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))

    def __post_init__(self) -> None:
        _check(self.path)
        _reader(self.path)

    @property
    def name(self) -> str:
        """folder:<path>."""
        return f"folder:{self.path}"

    @property
    def reader(self) -> str:
        """What reads the folder: "numpy", or "sentence-transformers" with its version."""
        return _reader(self.path).name

    @property
    def digest(self) -> str:
        """Hash of the model's files, of what reads them, and of the centre."""
        return digest_of(_folder_hash(self.path), self.reader, self.centre)

    @property
    def share(self) -> float:
        """0.6: beside texts that are read whole, words tell less."""
        return 0.6

    @property
    def title_share(self) -> None:
        """Title and text are read as one."""

    def fit(self, corpus: Sequence[str | None] | Bags) -> Folder:
        """Learn the centre."""
        return Folder(self.path, self.sample, fit_centre(plain(corpus), self.sample, self._read))

    def encode(self, texts: Sequence[str | None] | Bags) -> np.ndarray:
        """Centred rows of length 1."""
        return read_centred(plain(texts), self.centre, self._read, self.name)

    def _read(self, texts: list[str]) -> np.ndarray:
        reader = _reader(self.path)
        return VectorCache(f"{_folder_hash(self.path)} {reader.name}", reader.dimensions).vectors(texts, reader.read)


class _Reader(Protocol):
    @property
    def name(self) -> str:
        """What Folder.reader tells."""

    @property
    def dimensions(self) -> int:
        """Numbers in a vector."""

    def read(self, texts: list[str]) -> np.ndarray:
        """float32 (texts, dimensions), of length 1."""


@dataclass(frozen=True, slots=True)
class _Own:
    tokens: Tokens
    model: Transformer
    limit: int
    prompt: str
    name: str = "numpy"

    @property
    def dimensions(self) -> int:
        return int(self.model.words.shape[1])

    def read(self, texts: list[str]) -> np.ndarray:
        made = self.model.encode(self.tokens.cut([self.prompt + t for t in texts], self.limit))
        return unit(made)


class _Foreign:
    def __init__(self, path: Path) -> None:
        from sentence_transformers import SentenceTransformer

        self.name = f"sentence-transformers {version('sentence-transformers')}"
        self._model: Any = SentenceTransformer(str(path), device="cpu", local_files_only=True)
        self.dimensions = self.read(["。"]).shape[1]

    def read(self, texts: list[str]) -> np.ndarray:
        made = self._model.encode(texts, batch_size=BATCH, show_progress_bar=False, normalize_embeddings=True)
        return np.asarray(made, dtype=np.float32)


def _check(path: Path) -> None:
    if not (path.is_dir() and (path / "config.json").is_file()):
        raise TextError("text.folder", path=path, found="is no folder" if not path.is_dir() else "holds no config.json")


@cache
def _reader(path: Path) -> _Reader:
    _check(path)
    try:
        own = _own_reader(path)
    except _BROKEN as wrong:
        raise TextError("text.folder", path=path, found=f"cannot be read as a model ({_told(wrong)})") from wrong
    if not isinstance(own, str):
        return own
    if find_spec("sentence_transformers") is None:
        raise TextError("text.reader", path=path, found=own)
    try:
        return _Foreign(path)
    except _BROKEN as wrong:
        raise TextError("text.folder", path=path, found=f"cannot be read as a model ({_told(wrong)})") from wrong


def _told(wrong: BaseException) -> str:
    said = str(wrong) if not isinstance(wrong, KeyError) else f"{wrong} is missing"
    return (said.splitlines() or [type(wrong).__name__])[0][:200]


def _own_reader(path: Path) -> _Own | str:
    """Our own reader, or why the folder needs another."""
    config = _json(path / "config.json")
    kind = config.get("model_type")
    if kind not in OWN_KINDS:
        return f"is a model of kind {kind!r}"
    for setting, usual in (("hidden_act", "gelu"), ("position_embedding_type", "absolute")):
        if config.get(setting, usual) != usual:
            return f"has {setting} {config[setting]!r}"
    pooling = _pooling(path)
    if pooling not in ("mean", "first"):
        return pooling
    if not (path / "model.safetensors").is_file():
        return "holds no model.safetensors"
    tokens = read_tokens(path)
    if isinstance(tokens, str):
        return tokens
    first = 0 if kind == "bert" else int(config["pad_token_id"]) + 1
    model = transformer_of(
        read_weights(path / "model.safetensors"), config, first_place=first,
        pooling="mean" if pooling == "mean" else "first",
    )  # fmt: skip
    settings = _json(path / "sentence_bert_config.json")
    limit = min(int(settings.get("max_seq_length") or len(model.places)), len(model.places))
    if tokens.size > len(model.words):
        wrong = f"its vocabulary has {tokens.size} tokens, the model {len(model.words)}"
        raise ValueError(wrong)
    return _Own(tokens, model, limit, _prompt(path))


def _pooling(path: Path) -> str:
    """What a text's vector is, mean or first; else why the folder needs another reader."""
    if not (path / "modules.json").is_file():
        return "mean"  # as sentence-transformers reads a bare model
    modules = json.loads((path / "modules.json").read_text(encoding="utf-8"))
    kinds = [str(m["type"]).rpartition(".")[2] for m in modules]
    if kinds[:2] != ["Transformer", "Pooling"] or kinds[2:] not in ([], ["Normalize"]):
        return f"has the modules {', '.join(kinds)}"
    if modules[0]["path"]:
        return f"keeps its model in {modules[0]['path']}"
    told = _json(path / modules[1]["path"] / "config.json")
    modes = [k for k, v in told.items() if k.startswith("pooling_mode_") and v is True]
    known = {"pooling_mode_mean_tokens": "mean", "mean": "mean", "pooling_mode_cls_token": "first", "cls": "first"}
    named = modes[0] if len(modes) == 1 else told.get("pooling_mode", ", ".join(modes))
    return known.get(named, f"joins tokens by {named}")


def _prompt(path: Path) -> str:
    """What the model wants to stand before each text."""
    told = _json(path / "config_sentence_transformers.json")
    name = told.get("default_prompt_name")
    return str(told["prompts"][name]) if name else ""


def _json(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    told = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(told, dict):
        wrong = f"{path.name} holds no settings"
        raise TypeError(wrong)
    return told


@cache
def _folder_hash(path: Path) -> str:
    whole = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        whole.update(file.relative_to(path).as_posix().encode() + b"\0")
        with file.open("rb") as opened:
            while part := opened.read(1 << 20):
                whole.update(part)
    return whole.hexdigest()
