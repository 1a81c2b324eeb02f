"""An index as arrays and a header, and back; where they lie is not known here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from silian.engines.match._dots import LANES, STEP, WIDE
from silian.engines.match._kernels import Groups, Lists, Sets, Vectors
from silian.engines.match._topk import Codes
from silian.engines.match.index import Index, Learnt
from silian.engines.match.why import Touches
from silian.errors import MatchError, StoreError
from silian.tables.packing import Packed, check_lists, pack, unpack
from silian.text import Terms, WordSpace
from silian.text.encoders import Corpus, Encoder, Folder, Sentence, Static, WordPieces, WordsOnly

if TYPE_CHECKING:
    from collections.abc import Mapping

INDEX_VERSION: Final = 1  # goes up when the fields of a class below change, or how texts are cut into words
# What may stand in what is kept. A new encoder, or a class that becomes part of an index, is added here.
CLASSES: Final = (
    Index, Learnt, Terms, WordSpace, Vectors, Codes, Lists, Sets, Groups, Touches,
    WordsOnly, Corpus, Static, WordPieces, Sentence, Folder,
)  # fmt: skip


def to_arrays(index: Index) -> Packed:
    """What `from_arrays` makes the same index of. Arrays are not copied.

    Raises
    ------
    StoreError : store.type where the encoder is of a class of the caller's own.

    Examples
    --------
    >>> import polars as pl
    >>> from silian.engines.match import build
    >>> index = build(pl.DataFrame({"target_id": ["a"], "title": ["锂电池"], "text": [""]}), encoder="words")
    >>> packed = to_arrays(index)
    >>> packed.header["encoder"], packed.arrays["rows.data"].shape
    ({'name': 'words', 'digest': 'words'}, (6,))
    >>> from_arrays(packed).target_ids.to_list()
    ['a']
    """
    packed = pack(index, classes=CLASSES)
    return Packed({"encoder": _name(index.encoder), "index": packed.header}, packed.arrays)


def from_arrays(packed: Packed) -> Index:
    """The index that `to_arrays` was given: it ranks, scores and answers alike to the last bit.

    Raises
    ------
    StoreError : store.content where header and arrays are not those of an index of this version.
    MatchError : match.encoder where the encoder is no longer the one that made the vectors (another model).
    TextError : of the encoder, where its model is not there.

    Notes
    -----
    Cost: 0.1–0.3 s for 200,000 targets, most of it for the dictionaries of words and features (bench_store).
    """
    header: Mapping[str, Any] = packed.header
    index = unpack(Packed(header.get("index", {}), packed.arrays), classes=CLASSES)
    if not isinstance(index, Index):
        raise StoreError("store.content", where="index", found=f"a {type(index).__name__}", wanted="an Index")
    _check(index)
    check_encoder(index.encoder, header.get("encoder"), "index")
    return index


def check_encoder(encoder: Encoder, told: Any, what: str) -> None:
    """Raise match.encoder where an encoder is not the one that is told of: its vectors may not be compared."""
    if told != _name(encoder):
        raise MatchError("match.encoder", what=what, found=told, wanted=_name(encoder))


def _name(encoder: Encoder) -> dict[str, str]:
    return {"name": encoder.name, "digest": encoder.digest}


def _check(index: Index) -> None:
    """Raise store.content where the parts of an index do not fit each other: compiled loops would not notice."""
    units, features, targets = len(index.groups.weight), len(index.space.features), len(index.target_ids)
    keys, vectors = index.touches.keys, index.vectors
    whole = {
        "rows": index.rows.shape == (units, features),
        "vectors": vectors.codes.ndim == 2
        and vectors.codes.dtype == np.int16
        and len(vectors.codes) == len(vectors.scale) == units,
        "codes": _fit(index.codes, vectors),
        "facts": index.facts.height == targets,
        "organisation": len(index.organisation) == targets,
        "basis": index.basis.height == targets,
        "space": len(index.space.place) == len(index.space.idf) == features,
        "touches.keys": keys.ndim == 1 and bool((keys[1:] > keys[:-1]).all()),
        "groups": index.groups.best >= 1,
        "learnt.features": len(index.learnt.features) == features,
        "learnt.is_later": len(index.learnt.is_later) == targets,
    }
    for where, fits in whole.items():
        if not fits:
            raise StoreError("store.content", where=where, found="not of the index's shape", wanted="parts that fit")
    check_lists(*index.codes.posts, rows=features, codes_below=units, where="codes.posts")
    check_lists(*index.alone, rows=units, codes_below=features, where="alone")
    check_lists(*index.touches.units, rows=units, codes_below=len(keys), where="touches.units")
    check_lists(index.groups.start, np.arange(units), rows=targets, codes_below=units, where="groups")


def _fit(codes: Codes, vectors: Vectors) -> bool:
    """Whether what the fast pass walks over is as long as it must be."""
    units, dimensions = vectors.codes.shape
    tiles = -(-units // LANES) + WIDE
    bytes_of = {"common_codes": len(codes.common), "vector_codes": dimensions}
    shapes = [getattr(codes, name).shape == (tiles, -(-n // STEP), LANES * STEP) for name, n in bytes_of.items()]
    types = codes.common_codes.dtype == codes.vector_codes.dtype == np.uint8
    return all(shapes) and types and len(codes.step) == len(codes.error) == units
