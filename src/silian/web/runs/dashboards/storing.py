"""A snapshot on disk: tables, a list of their digests, and a check of them before anything is read."""

from __future__ import annotations

import hashlib
import json
import shutil
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from silian.errors import WebError
from silian.web.base.operation.holding import deleting
from silian.web.runs.dashboards.measures import table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from silian.web.runs.dashboards.figures import Figures

FORM: Final = 1  # of the files: raised when they change
LIST: Final = "snapshot.json"  # what the snapshot is, and the digest of each of its files
TABLES: Final = ("figures", "members", "measures", "places")


def write(folder: Path, made: Figures, places: pl.DataFrame, told: Mapping[str, Any]) -> str:
    """Write the tables of a snapshot into a folder that is not there yet.

    Parameters
    ----------
    told : what the list says of the snapshot beside its files: plain values that follow from its inputs, no time of day

    Returns
    -------
    The digest of the list, which holds those of all files: equal inputs give equal bytes, so an equal digest.
    """
    folder.mkdir(parents=True)
    tables = {"figures": made.figures, "members": made.members, "measures": table(), "places": places}
    for name in TABLES:
        tables[name].write_parquet(folder / f"{name}.parquet", compression="zstd", row_group_size=50_000)
    text = json.dumps(made.figures.to_dicts(), ensure_ascii=False, allow_nan=False, indent=0)
    (folder / "figures.json").write_text(text, encoding="utf-8")
    return close(folder, told)


def close(folder: Path, told: Mapping[str, Any]) -> str:
    """Write the list of what lies in a folder; nothing is added after."""
    files = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name != LIST):
        found = path.read_bytes()
        name = path.relative_to(folder).as_posix()
        files[name] = {"sha256": hashlib.sha256(found).hexdigest(), "bytes": len(found)}
    text = json.dumps({"form": FORM, **told, "files": files}, ensure_ascii=False, indent=1, sort_keys=True)
    (folder / LIST).write_text(text, encoding="utf-8")
    return hashlib.sha256(text.encode()).hexdigest()


def read(folder: Path, digest: str, name: str) -> bytes:
    """A file of a snapshot, after it was checked.

    Parameters
    ----------
    digest : of the list, as the database keeps it
    name : of the file, such as figures.parquet

    Raises
    ------
    WebError : snapshot.changed if the list or the file is not what was frozen, or is gone
    """
    listed = _listed(str(folder), digest, _stamp(folder / LIST))["files"]
    try:
        found = (folder / name).read_bytes()
    except OSError as error:
        raise WebError("snapshot.changed", found=f"{folder.name}/{name}") from error
    if name not in listed or hashlib.sha256(found).hexdigest() != listed[name]["sha256"]:
        raise WebError("snapshot.changed", found=f"{folder.name}/{name}")
    return found


def told(folder: Path, digest: str) -> Mapping[str, Any]:
    """What the list of a snapshot says, after it was checked."""
    return _listed(str(folder), digest, _stamp(folder / LIST))


def table_of(folder: Path, digest: str, name: str) -> pl.DataFrame:
    """A table of a snapshot, checked; kept while its file is as it was. Raises as `read` does."""
    return _table(folder, digest, name, _stamp(folder / f"{name}.parquet"))


@lru_cache(maxsize=32)
def _table(folder: Path, digest: str, name: str, _stamp: tuple[int, int]) -> pl.DataFrame:
    return pl.read_parquet(read(folder, digest, f"{name}.parquet"))


@lru_cache(maxsize=64)
def _listed(folder: str, digest: str, _stamp: tuple[int, int]) -> Mapping[str, Any]:
    path = f"{folder}/{LIST}"
    try:
        with open(path, "rb") as file:  # noqa: PTH123 – the key of the cache is a text
            text = file.read()
    except OSError as error:
        raise WebError("snapshot.changed", found=path.rpartition("snapshots/")[2]) from error
    if hashlib.sha256(text).hexdigest() != digest:
        raise WebError("snapshot.changed", found=path.rpartition("snapshots/")[2])
    made: Mapping[str, Any] = json.loads(text)
    return made


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_size)


def digest_of(folder: Path) -> str:
    """The digest of the list of a folder that was just written."""
    return hashlib.sha256((folder / LIST).read_bytes()).hexdigest()


def drop(folder: Path) -> None:
    """Take a folder away that no snapshot owns; never while a backup takes the files."""
    with deleting():
        shutil.rmtree(folder, ignore_errors=True)
