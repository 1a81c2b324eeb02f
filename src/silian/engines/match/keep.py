"""An index or a grader as arrays and a header, and back; where they lie is not known here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from silian.engines.match._dots import LANES, STEP, WIDE
from silian.engines.match._grade_features import COLUMNS, Reading
from silian.engines.match._grade_levels import STEPS, Stage
from silian.engines.match._kernels import Groups, Lists, Sets, Vectors
from silian.engines.match._topk import Codes
from silian.engines.match.conditions import TARGET_FACTS
from silian.engines.match.grading import Grader, Quality
from silian.engines.match.index import Index, Learnt
from silian.engines.match.why import Touches
from silian.errors import MatchError, StoreError
from silian.tables.packing import Packed, check_lists, pack, unpack
from silian.text import Terms, WordSpace
from silian.text.encoders import Corpus, Encoder, Folder, Sentence, Static, Together, WordPieces, WordsOnly

if TYPE_CHECKING:
    from collections.abc import Mapping

# A version goes up when the fields of a class below change, or how texts are cut into words.
INDEX_VERSION: Final = 2
GRADER_VERSION: Final = 1
# What may stand in what is kept. A new encoder, or a class that becomes part of an index or grader, is added here.
CLASSES: Final = (
    Index, Learnt, Terms, WordSpace, Vectors, Codes, Lists, Sets, Groups, Touches,
    WordsOnly, Corpus, Static, WordPieces, Sentence, Folder, Together,
    Grader, Quality, Reading, Stage,
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
    Cost: 0.2 s for 200,000 targets, 0.5 s with a vocabulary of 300,000 words (bench_store).
    """
    index = _unpacked(packed, "index", Index)
    _check(index)
    check_encoder(index.encoder, packed.header.get("encoder"), "index")
    return index


def grader_to_arrays(grader: Grader) -> Packed:
    """What `grader_from_arrays` makes the same grader of; the header tells its quality and the hash of its data.

    Raises
    ------
    StoreError : as for `to_arrays`.

    Examples
    --------
    >>> import polars as pl
    >>> from silian.engines.match import learn
    >>> needs = pl.DataFrame({"need_id": ["n"], "title": ["锂电池防爆"], "text": [""]})
    >>> targets = pl.DataFrame({"target_id": ["a"], "title": ["锂电池隔膜"], "text": [""]})
    >>> labels = pl.DataFrame({"need_id": ["n"], "target_id": ["a"], "level": [4]})
    >>> packed = grader_to_arrays(learn(labels, needs, targets, encoder="words"))
    >>> packed.header["quality"]["labels"], len(packed.header["learnt_from"])
    (1, 64)
    """
    packed = pack(grader, classes=CLASSES)
    told = {"encoder": _name(grader.encoder), "learnt_from": grader.learnt_from, "quality": grader.quality._asdict()}
    return Packed({**told, "grader": packed.header}, packed.arrays)


def grader_from_arrays(packed: Packed, *, encoder: Encoder | None = None) -> Grader:
    """The grader that `grader_to_arrays` was given: it grades alike to the last bit.

    Parameters
    ----------
    packed : header and arrays
    encoder : of the index whose pairs it shall grade, where that must be the grader's own

    Raises
    ------
    StoreError : store.content where header and arrays are not those of a grader of this version.
    MatchError : match.encoder where the encoder is no longer the one that it learnt with, or is not the one given.
    TextError : of the encoder, where its model is not there.
    """
    grader = _unpacked(packed, "grader", Grader)
    _check_grader(grader)
    for one in (grader.encoder, encoder or grader.encoder):
        check_encoder(one, packed.header.get("encoder"), "grader")
    return grader


T = TypeVar("T", Index, Grader)


def _unpacked(packed: Packed, what: str, kind: type[T]) -> T:
    header: Mapping[str, Any] = packed.header
    thing = unpack(Packed(header.get(what, {}), packed.arrays), classes=CLASSES)
    if not isinstance(thing, kind):
        raise StoreError("store.content", where=what, found=f"a {type(thing).__name__}", wanted=f"{kind.__name__}")
    return thing


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
        "facts": index.facts.height == targets and dict(index.facts.schema) == TARGET_FACTS,
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
    features = len(codes.most) == len(codes.posts.ptr) - 1
    return all(shapes) and types and features and len(codes.step) == len(codes.error) == units


def _check_grader(grader: Grader) -> None:
    """Raise store.content where the parts of a grader do not fit each other."""
    labels, stage = grader.labels.height, grader.stage
    whole = {
        "labels": grader.figures.shape == (labels, len(COLUMNS)) and grader.dual.shape == (labels, len(STEPS)),
        "stage": stage.slopes.shape == (len(STEPS), 2) and stage.centre.shape == stage.wide.shape == (len(COLUMNS),),
        "need_rows": _reads(grader.need_rows, grader.needs.height),
        "target_rows": _reads(grader.target_rows, grader.targets.height),
    }
    for where, fits in whole.items():
        if not fits:
            raise StoreError("store.content", where=where, found="not of the grader's shape", wanted="parts that fit")


def _reads(rows: Reading, texts: int) -> bool:
    return bool(rows.both.shape[0] == len(rows.vector) == len(rows.lengths) == texts)
