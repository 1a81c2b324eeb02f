"""Vectors kept on disk by the hash of what they were made from, so that a word or text is encoded once."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SLICE = 500  # keys in one question: below the limit of any SQLite
BLOCK = 5_000  # texts that are encoded, and then kept, together


def cache_folder() -> Path:
    """Where vectors are kept: SILIAN_CACHE if set, else the user's cache folder."""
    from platformdirs import user_cache_path

    named = os.environ.get("SILIAN_CACHE")
    return Path(named) if named else user_cache_path("silian", appauthor=False)


class VectorCache:
    """Vectors of one model by text, in one SQLite file.

    Several processes may read and write it at once: a vector is written whole or not at all, and two that write the
    same key write the same bytes. A vector with a broken byte counts as absent; a broken file is begun anew; a folder
    that cannot be written means that nothing is kept. None of this changes a result, only its speed.

    Parameters
    ----------
    model : what the vectors depend on besides the text
    dimensions : numbers in a vector
    """

    def __init__(self, model: str, dimensions: int, *, folder: Path | None = None) -> None:
        self.dimensions = dimensions
        name = hashlib.sha256(model.encode()).hexdigest()[:16]
        self.path = (folder or cache_folder()) / f"vectors-{name}.sqlite"

    def vectors(self, texts: Sequence[str], encode: Callable[[list[str]], np.ndarray]) -> np.ndarray:
        """float32 (texts, dimensions); `encode` is asked only for what is not kept, each text once.

        It is asked for at most BLOCK texts at a time, short ones first, and each block is kept before the next: what a
        run that was broken off has read is not read again. Cost: 2e5 vectors of 384 numbers are written in 3 s and read
        in 2 s of one core, 405 MiB on disk (bench_text).
        """
        keys = [hashlib.sha256(t.encode()).digest() for t in texts]
        made = np.zeros((len(texts), self.dimensions), np.float32)
        first: dict[bytes, int] = {}
        same = np.asarray([first.setdefault(k, i) for i, k in enumerate(keys)], np.int64)
        self._read(first, made)
        absent = sorted(first.values(), key=lambda i: (len(texts[i]), texts[i]))
        for at in range(0, len(absent), BLOCK):
            block = absent[at : at + BLOCK]
            made[block] = encode([texts[i] for i in block])
            self._write([keys[i] for i in block], made[block])
        return made if len(same) == len(np.unique(same)) else made[same]

    def _read(self, wanted: dict[bytes, int], made: np.ndarray) -> None:
        """Fill the rows whose keys are kept and take them out of what is wanted."""
        keys = sorted(wanted)
        with contextlib.suppress(sqlite3.Error, OSError), self._open() as book:
            for start in range(0, len(keys), SLICE):
                part = keys[start : start + SLICE]
                marks = ",".join("?" * len(part))
                asked = f"SELECT key, sum, vector FROM vectors WHERE key IN ({marks})"  # noqa: S608 (only marks)
                for key, total, blob in book.execute(asked, part):
                    if len(blob) == 4 * self.dimensions and zlib.crc32(key + blob) == total:
                        made[wanted.pop(key)] = np.frombuffer(blob, dtype="<f4")

    def _write(self, keys: list[bytes], rows: np.ndarray) -> None:
        blobs = [row.tobytes() for row in rows.astype("<f4")]
        entries = [(k, zlib.crc32(k + b), b) for k, b in zip(keys, blobs, strict=True)]
        with contextlib.suppress(sqlite3.Error, OSError), self._open() as book, book:
            book.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", entries)

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            book = self._connect()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:  # not a database any more
            self.path.unlink(missing_ok=True)
            book = self._connect()
        try:
            yield book
        finally:
            book.close()

    def _connect(self) -> sqlite3.Connection:
        book = sqlite3.connect(self.path, timeout=30)
        try:
            book.execute("PRAGMA synchronous = OFF")  # a vector that a power cut breaks is found by its sum
            book.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, sum INTEGER, vector BLOB)")
        except sqlite3.Error:
            book.close()
            raise
        return book
