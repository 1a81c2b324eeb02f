"""Indexes and graders kept in files: saved whole, opened by mapping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from silian.engines.match.keep import (
    GRADER_VERSION,
    INDEX_VERSION,
    from_arrays,
    grader_from_arrays,
    grader_to_arrays,
    to_arrays,
)
from silian.errors import StoreError
from silian.tables.array_file import open_arrays, write_arrays
from silian.tables.packing import Packed

if TYPE_CHECKING:
    from pathlib import Path

    from silian.engines.match import Grader, Index
    from silian.text import Encoder

INDEX: Final = "index"  # kinds of files
GRADER: Final = "grader"


def save_index(index: Index, path: Path) -> None:
    """Keep an index in one file, which appears whole or not at all.

    Parameters
    ----------
    index : of `match.build`, `match.build_experts`, or one that was opened and extended
    path : the file; one that stands there is replaced, and who has opened it keeps what was

    Raises
    ------
    StoreError : store.unwritable where the disk is full or the place is closed; store.type where the encoder is of a
        class of the caller's own.

    Notes
    -----
    Cost: a disk's time for the file, 0.4 GB for 200,000 targets (bench_store).

    Examples
    --------
    >>> import polars as pl
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from silian.engines import match
    >>> targets = pl.DataFrame({"target_id": ["a"], "title": ["锂电池隔膜"], "text": [""]})
    >>> with TemporaryDirectory() as folder:
    ...     save_index(match.build(targets, encoder="words"), Path(folder) / "achievements.index")
    ...     index = open_index(Path(folder) / "achievements.index")
    >>> len(index)
    1
    """
    packed = to_arrays(index)
    write_arrays(path, packed.arrays, kind=INDEX, version=INDEX_VERSION, header=packed.header)


def open_index(path: Path, *, verify: bool = True) -> Index:
    """The index that was saved: mapped into memory, shared with every process that opens the same file.

    Parameters
    ----------
    path : the file
    verify : whether every byte is compared with its checksum, some 5 GB/s; without, a broken byte goes unnoticed

    Raises
    ------
    StoreError : store.missing, store.unreadable, store.foreign, store.kind, store.version, store.length, store.header,
        store.broken, store.content.
    MatchError : match.encoder where the encoder's model is not the one that made the vectors.
    TextError : where the encoder's model is not there.

    Notes
    -----
    It ranks, scores and answers as the index that was saved, to the last bit. Cost: docs/methods/match.md.
    """
    file = open_arrays(path, kind=INDEX, version=INDEX_VERSION, verify=verify)
    return from_arrays(Packed(file.header, file.arrays))


def check_replaceable(path: Path) -> None:
    """Raise StoreError store.foreign or store.kind where another thing than an index stands at a path.

    An index that cannot be opened (broken, of another version) may be replaced, and so may what is not there.
    """
    try:
        open_arrays(path, kind=INDEX, version=INDEX_VERSION, verify=False)
    except StoreError as error:
        if error.code in ("store.foreign", "store.kind", "store.unreadable"):
            raise


def save_grader(grader: Grader, path: Path) -> None:
    """Keep a grader in one file, with the hash of what it learnt from and its measured quality.

    Parameters
    ----------
    grader : of `match.learn`
    path : the file; one that stands there is replaced

    Raises
    ------
    StoreError : as for `save_index`.

    Examples
    --------
    >>> import polars as pl
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from silian.engines import match
    >>> needs = pl.DataFrame({"need_id": ["n"], "title": ["锂电池防爆"], "text": [""]})
    >>> targets = pl.DataFrame({"target_id": ["a"], "title": ["锂电池隔膜"], "text": [""]})
    >>> labels = pl.DataFrame({"need_id": ["n"], "target_id": ["a"], "level": [4]})
    >>> with TemporaryDirectory() as folder:
    ...     save_grader(match.learn(labels, needs, targets, encoder="words"), Path(folder) / "levels.grader")
    ...     grader = open_grader(Path(folder) / "levels.grader")
    >>> grader.quality.labels
    1
    """
    packed = grader_to_arrays(grader)
    write_arrays(path, packed.arrays, kind=GRADER, version=GRADER_VERSION, header=packed.header)


def open_grader(path: Path, *, encoder: Encoder | None = None) -> Grader:
    """The grader that was saved; it grades alike to the last bit.

    Parameters
    ----------
    path : the file
    encoder : of the index whose pairs it shall grade: a grader that learnt with another one is refused

    Raises
    ------
    StoreError : as for `open_index`.
    MatchError : match.encoder where the encoder is not the one that the grader learnt with.
    TextError : where the encoder's model is not there.
    """
    file = open_arrays(path, kind=GRADER, version=GRADER_VERSION)
    return grader_from_arrays(Packed(file.header, file.arrays), encoder=encoder)
