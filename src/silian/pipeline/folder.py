"""A run folder: written aside, appears whole or not at all, and resumes after a kill.

While a run works, everything lies in `.<name>.work` beside the folder it will become. Each finished step leaves a
marker there with a key over all that the step depends on; a later run takes a step over when the key is the same.
At the end the new folder and the old one change places in one system call, then the old one is removed.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import hashlib
import io
import json
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import polars as pl

from silian.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RECEIPT = "receipt.json"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}
_EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2)
_AT_FDCWD = -100


def digest(*parts: object) -> str:
    """SHA-256 over the canonical JSON of the parts.

    Examples
    --------
    >>> digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
    True
    """
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of the bytes of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class WorkFolder:
    """The place where a run is written before it appears."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.path = out.parent / f".{out.name}.work"

    @contextmanager
    def opened(self) -> Iterator[WorkFolder]:
        """Hold the folder for this process alone; finished steps stay there if the run stops early."""
        with full_disk_told(self.path):
            self.out.parent.mkdir(parents=True, exist_ok=True)
            lock = (self.out.parent / f".{self.out.name}.lock").open("w")
        try:
            self._hold(lock)
            try:
                self._refuse_what_is_not_a_run()
                with full_disk_told(self.path):
                    (self.path / "steps").mkdir(parents=True, exist_ok=True)
                yield self
            finally:
                self._tidy(Path(lock.name))
        finally:
            lock.close()

    def finished(self, step: str, key: str) -> bool:
        """Whether the step was done under the same key and its files are whole, here or in the earlier run.

        Files of the earlier run are taken over into this folder.
        """
        if self._marked(step) == key:
            return True
        return self._take_over(step, key)

    def finish(self, step: str, key: str, *, files: list[str]) -> None:
        """Leave the marker of a finished step."""
        marker = {"key": key, "files": {name: file_digest(self.path / name) for name in files}}
        self.write_bytes(f"steps/{step}.json", json.dumps(marker, ensure_ascii=False).encode())

    def write_table(self, name: str, table: pl.DataFrame) -> str:
        """Write one result as Parquet; returns the file's name in the folder."""
        content = io.BytesIO()  # in memory first: a full disk is then always an OSError of our own write
        table.write_parquet(content, compression="zstd", statistics=False)
        return self.write_bytes(f"{name}.parquet", content.getvalue())

    def read_table(self, name: str) -> pl.DataFrame:
        """Read one result back."""
        return pl.read_parquet(self.path / f"{name}.parquet", memory_map=False)

    def write_bytes(self, name: str, content: bytes) -> str:
        """Write one file whole; returns its name in the folder."""
        target = self.path / name
        with full_disk_told(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = target.with_name(target.name + ".partial")
            partial.write_bytes(content)
            _settle(partial, target)
        return name

    def appear(self, keep: set[str]) -> None:
        """Become the run folder: only the files in `keep` stay, the old run gives way in one step."""
        for path in sorted(self.path.rglob("*"), reverse=True):
            if path.is_file() and path.relative_to(self.path).as_posix() not in keep:
                path.unlink()
            elif path.is_dir() and not any(path.iterdir()):
                path.rmdir()
        if self.out.exists():
            _exchange(self.path, self.out)
            shutil.rmtree(self.path)
        else:
            self.path.rename(self.out)

    def _marked(self, step: str) -> str | None:
        try:
            marker = json.loads((self.path / "steps" / f"{step}.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return marker["key"] if _are_whole(self.path, marker["files"]) else None

    def _take_over(self, step: str, key: str) -> bool:
        try:
            receipt = json.loads((self.out / RECEIPT).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return False
        steps = {done["name"]: done for done in receipt.get("steps", [])}
        if steps.get(step, {}).get("key") != key:
            return False
        shas = {f"{name}.parquet": receipt["files"][f"{name}.parquet"] for name in steps[step]["rows"]}
        if not _are_whole(self.out, shas):
            return False
        for name in shas:
            self.write_bytes(name, (self.out / name).read_bytes())
        self.finish(step, key, files=list(shas))
        return True

    def _hold(self, lock: TextIO) -> None:
        """Take the lock, and see that the file still stands there: whoever held it may just have removed it."""
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_held = Path(lock.name).stat().st_ino == os.fstat(lock.fileno()).st_ino
        except (BlockingIOError, FileNotFoundError):
            is_held = False
        if not is_held:
            raise RunError("run.busy", out=str(self.out))

    def _tidy(self, lock: Path) -> None:
        """Leave only what a later run can use: finished steps."""
        if not any((self.path / "steps").glob("*.json")):
            shutil.rmtree(self.path, ignore_errors=True)
        lock.unlink(missing_ok=True)

    def _refuse_what_is_not_a_run(self) -> None:
        if self.out.exists() and not (self.out / RECEIPT).is_file() and (self.out.is_file() or any(self.out.iterdir())):
            raise RunError("run.not_a_run", out=str(self.out))


def _are_whole(folder: Path, shas: Mapping[str, str]) -> bool:
    return all((folder / name).is_file() and file_digest(folder / name) == sha for name, sha in shas.items())


@contextmanager
def full_disk_told(path: Path) -> Iterator[None]:
    """Turn a full or closed disk into an error that says where and what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL or "No space left" in str(error):
            raise RunError("run.disk", path=str(path), found=error.strerror or str(error)) from error
        raise


def _settle(partial: Path, target: Path) -> None:
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(target)


def _exchange(one: Path, other: Path) -> None:
    """Let two folders change names in one system call (Linux); elsewhere in two, the old one never deleted first."""
    libc = ctypes.CDLL(None, use_errno=True)
    rename = getattr(libc, "renameat2", None)
    if rename is not None and rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _EXCHANGE) == 0:
        return
    aside = other.with_name(f".{other.name}.old")
    shutil.rmtree(aside, ignore_errors=True)
    other.rename(aside)
    one.rename(other)
    aside.rename(one)
