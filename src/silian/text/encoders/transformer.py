"""The forward pass of a BERT-type sentence encoder in numpy, and its weights from a safetensors file."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

PACK_TOKENS: Final = 2048  # texts of about one length are read together, without padding, up to this many tokens
_NUMBERS: Final = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}  # of safetensors, and as what they are seen first
_ONE_READS: Final = threading.Lock()  # the number of threads of the linear algebra belongs to the whole process
Norm = tuple[np.ndarray, np.ndarray]  # weight, bias


@dataclass(frozen=True, slots=True)
class Layer:
    """Weights of one layer, float32; matrices are (out, in)."""

    attend: np.ndarray  # (3 × width, width): query, key and value, one under the other
    attend_bias: np.ndarray
    join: np.ndarray  # (width, width)
    join_bias: np.ndarray
    join_norm: Norm
    widen: np.ndarray  # (inner, width)
    widen_bias: np.ndarray
    narrow: np.ndarray  # (width, inner)
    narrow_bias: np.ndarray
    narrow_norm: Norm


@dataclass(frozen=True, slots=True)
class Transformer:
    """A BERT-type encoder: token ids in, one vector a text out.

    Source: Devlin et al. (2019), BERT; Reimers, Gurevych (2019), Sentence-BERT (a text is the mean of the last layer,
    or its first row).
    """

    words: np.ndarray  # float32 (vocabulary, width)
    places: np.ndarray  # float32 (longest text, width), the mark of the only segment added
    first_norm: Norm
    layers: tuple[Layer, ...]
    heads: int
    epsilon: float
    pooling: Literal["mean", "first"]

    def encode(self, tokens: Sequence[Sequence[int]]) -> np.ndarray:
        """float32 (texts, width), not scaled; each text holds 1 to len(places) tokens.

        Runs on as many threads as the linear algebra is allowed, a pack of texts each: small products gain nothing
        from several threads. The same to about 1e-6 whatever else is read with a text.
        """
        from threadpoolctl import threadpool_info, threadpool_limits

        made = np.zeros((len(tokens), self.words.shape[1]), np.float32)

        def read(pack: list[int]) -> None:
            made[pack] = self._read([tokens[i] for i in pack])

        with _ONE_READS:
            threads = max((p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"), default=1)
            with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
                list(pool.map(read, _packs(tokens)))
        return made

    def _read(self, tokens: Sequence[Sequence[int]]) -> np.ndarray:
        length = np.asarray([len(t) for t in tokens])
        start = np.cumsum(length) - length
        place = np.arange(length.sum()) - np.repeat(start, length)
        ids = np.concatenate([np.asarray(t, np.int64) for t in tokens])
        rows = self._normed(self.words[ids] + self.places[place], self.first_norm)
        for layer in self.layers:
            seen = self._attend(rows @ layer.attend.T + layer.attend_bias, length)
            rows = self._normed(rows + (seen @ layer.join.T + layer.join_bias), layer.join_norm)
            inner = _gelu(rows @ layer.widen.T + layer.widen_bias)
            rows = self._normed(rows + (inner @ layer.narrow.T + layer.narrow_bias), layer.narrow_norm)
        if self.pooling == "first":
            return np.asarray(rows[start])
        return np.asarray(np.add.reduceat(rows, start) / length[:, None].astype(np.float32))

    def _attend(self, mixed: np.ndarray, length: np.ndarray) -> np.ndarray:
        """What each token takes from the tokens of its own text; texts of equal length together."""
        width = mixed.shape[1] // 3
        seen = np.empty((len(mixed), width), np.float32)
        at = 0
        for size, number in _runs(length):
            block = slice(at, at + size * number)
            by_head = mixed[block].reshape(number, size, 3, self.heads, -1).transpose(2, 0, 3, 1, 4)
            query, key, value = np.ascontiguousarray(by_head)
            near = query @ key.swapaxes(-1, -2)
            near *= np.float32(1 / np.sqrt(query.shape[-1]))
            near -= near.max(axis=-1, keepdims=True)
            np.exp(near, out=near)
            near /= near.sum(axis=-1, keepdims=True)
            seen[block] = (near @ value).transpose(0, 2, 1, 3).reshape(-1, width)
            at = block.stop
        return seen

    def _normed(self, rows: np.ndarray, norm: Norm) -> np.ndarray:
        rows -= rows.mean(axis=1, keepdims=True)
        spread = np.einsum("ij,ij->i", rows, rows) / np.float32(rows.shape[1])
        rows /= np.sqrt(spread + np.float32(self.epsilon))[:, None]
        rows *= norm[0]
        rows += norm[1]
        return rows


def _packs(tokens: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Texts by length, longest first, in packs of at most PACK_TOKENS tokens (a longer one alone)."""
    pack: list[int] = []
    held = 0
    for i in sorted(range(len(tokens)), key=lambda i: (-len(tokens[i]), i)):
        if pack and held + len(tokens[i]) > PACK_TOKENS:
            yield pack
            pack, held = [], 0
        pack.append(i)
        held += len(tokens[i])
    if pack:
        yield pack


def _runs(length: np.ndarray) -> Iterator[tuple[int, int]]:
    """Each length, and how many texts in a row have it."""
    for part in np.split(length, np.flatnonzero(np.diff(length)) + 1):
        yield int(part[0]), len(part)


def _gelu(rows: np.ndarray) -> np.ndarray:
    from scipy.special import erf

    inner = erf(rows * np.float32(1 / np.sqrt(2)))
    inner += 1
    inner *= rows
    inner *= np.float32(0.5)
    return np.asarray(inner)


def transformer_of(weights: Mapping[str, np.ndarray], config: Mapping[str, Any], *, first_place: int,
                   pooling: Literal["mean", "first"]) -> Transformer:  # fmt: skip
    """The encoder of a file's tensors, named as BERT names them (whatever stands before `embeddings`).

    Parameters
    ----------
    weights, config : as `read_weights` and config.json give them
    first_place : of the positions; RoBERTa's begin after its padding

    Raises
    ------
    KeyError, ValueError : a tensor or setting is missing, or shapes do not fit each other.
    """
    key = "embeddings.word_embeddings.weight"
    before = min((name.removesuffix(key) for name in weights if name.endswith(key)), key=len, default="")

    def of(name: str) -> np.ndarray:
        return weights[before + name]

    def norm(name: str) -> Norm:
        return of(f"{name}.weight"), of(f"{name}.bias")

    def layer(i: int) -> Layer:
        at = f"encoder.layer.{i}"
        three = [f"{at}.attention.self.{part}" for part in ("query", "key", "value")]
        return Layer(
            np.concatenate([of(f"{t}.weight") for t in three]), np.concatenate([of(f"{t}.bias") for t in three]),
            *norm(f"{at}.attention.output.dense"), norm(f"{at}.attention.output.LayerNorm"),
            *norm(f"{at}.intermediate.dense"), *norm(f"{at}.output.dense"), norm(f"{at}.output.LayerNorm"),
        )  # fmt: skip

    places = of("embeddings.position_embeddings.weight") + of("embeddings.token_type_embeddings.weight")[0]
    made = Transformer(
        of(key), places[first_place:], norm("embeddings.LayerNorm"),
        tuple(layer(i) for i in range(int(config["num_hidden_layers"]))), int(config["num_attention_heads"]),
        float(config.get("layer_norm_eps", 1e-12)), pooling,
    )  # fmt: skip
    _check_shapes(made)
    return made


def _check_shapes(made: Transformer) -> None:
    width = made.words.shape[1]
    fits = made.places.shape[1] == width and width % made.heads == 0 and len(made.places) > 0
    for layer in made.layers:
        inner = len(layer.widen)
        fits &= layer.attend.shape == (3 * width, width) and layer.join.shape == (width, width)
        fits &= layer.widen.shape == (inner, width) and layer.narrow.shape == (width, inner)
    if not fits:
        raise ValueError("its tensors do not fit each other")


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a safetensors file by name, float32; those that are not of 16- or 32-bit floats are left out.

    The file begins with the length of a JSON heading (8 bytes); then come the heading, which tells type, shape and
    place of each tensor, and the numbers.

    Raises
    ------
    OSError, ValueError, KeyError, TypeError : it is not such a file, or not a whole one.
    """
    size_of_file = path.stat().st_size
    with path.open("rb") as opened:
        size = int.from_bytes(opened.read(8), "little")
        if not 2 <= size <= size_of_file - 8:
            wrong = f"{path.name} is cut short, or not in the safetensors format"
            raise ValueError(wrong)
        heading = json.loads(opened.read(size))
    numbers = np.memmap(path, dtype=np.uint8, mode="r", offset=8 + size) if size_of_file > 8 + size else np.zeros(0)
    found = {}
    for name, told in heading.items():
        if name == "__metadata__" or told["dtype"] not in _NUMBERS:
            continue
        first, last = told["data_offsets"]
        if not 0 <= first <= last <= len(numbers):
            wrong = f"{path.name} is cut short"
            raise ValueError(wrong)
        found[name] = _float32(numbers[first:last].view(_NUMBERS[told["dtype"]]).reshape(told["shape"]), told["dtype"])
    return found


def _float32(raw: np.ndarray, kind: str) -> np.ndarray:
    if kind == "BF16":  # the upper half of a float32
        return (raw.astype(np.uint32) << np.uint32(16)).view(np.float32)
    return np.asarray(raw, dtype=np.float32)
