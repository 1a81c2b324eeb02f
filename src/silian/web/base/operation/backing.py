"""A backup of a site that goes on: its database as it was at one moment, and every file that a row of it names.

A file is written before its row, and deleted after it. So at the moment of the database every file of its rows is
there; from before that moment on nobody deletes one (`holding`), until there is a hard link to each, which takes about
a second and no room. Only then are database and files copied, which may take long. Files that no row names yet may be
in the backup; the site sweeps those away.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import shutil
import sqlite3
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from django.conf import settings
from django.db import connection, connections, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from silian.errors import WebError
from silian.web.base.actors import VISITOR
from silian.web.base.log import log
from silian.web.base.operation import archive, digests, postgres
from silian.web.base.operation.archive import DATABASES, FOLDERS, KEY, Manifest, Writer
from silian.web.base.operation.digests import LEFT_OUT
from silian.web.base.operation.holding import held
from silian.web.base.operation.kept import Kept, remember
from silian.web.base.operation.parts import size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAMED: Final = re.compile(r"silian-\d{8}-\d{6}\.zip")
PAGES: Final = 2000  # of SQLite that are copied between two looks of who waits
TAKEN: Final = "backing-"  # and a number: the folder of what is being taken


class Shown(Protocol):
    """Who is told how far it is."""

    def begin(self, what: str, total: int) -> None:
        """Something begins, of so many steps."""
        ...

    def step(self, count: int = 1) -> None:
        """So many of them are done."""
        ...


class Silent:
    """Nobody is told."""

    def begin(self, what: str, total: int) -> None:
        """Nothing."""

    def step(self, count: int = 1) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How a backup is wanted."""

    out: Path  # a file, or a folder in which it gets a name of its own
    with_key: bool = False
    keep: int = 0  # backups in that folder, the oldest go; 0: all
    shown: Shown = field(default_factory=Silent)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Be the only backup or restore; the lock goes with the process, however it ends.

    Raises
    ------
    WebError : backup.busy if another one is under way
    """
    home = Path(settings.HOME_FOLDER)
    home.mkdir(parents=True, exist_ok=True)
    with (home / "one-backup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WebError("backup.busy") from None
        yield


def make(asked: Asked) -> Kept:
    """Make a backup while the site goes on.

    Raises
    ------
    WebError : backup.busy, backup.space, backup.failed, backup.tools (no pg_dump), backup.database (damaged)
    """
    began, now = time.monotonic(), timezone.now()
    with alone():
        place = _named(asked.out, f"{timezone.localtime(now):%Y%m%d-%H%M%S}")
        _sweep(place.parent)
        _check_room(place.parent)
        manifest = Manifest(connection.vendor, now.isoformat(), key=archive.print_of_key())
        home = Path(settings.HOME_FOLDER)
        taken = home / f"{TAKEN}{secrets.token_hex(4)}"
        taken.mkdir(mode=0o700)
        try:
            with archive.written(place, manifest) as writer:
                _take_all(home, taken, writer, asked)
        finally:
            shutil.rmtree(taken, ignore_errors=True)
        if asked.keep and asked.out.is_dir():
            _rotate(place.parent, asked.keep)
        seconds = round(time.monotonic() - began, 1)
        made = Kept(now.isoformat(), str(place), place.stat().st_size, seconds, manifest.rows, len(manifest.files))
        remember(made)
        log(VISITOR, "operation.backup", detail={"rows": made.rows, "files": made.files, "bytes": made.bytes})
    return made


def _named(out: Path, stamp: str) -> Path:
    """Where the backup goes: a backup is never written over something else."""
    place = (out / f"silian-{stamp}.zip" if out.is_dir() else out).resolve()
    if not place.parent.is_dir() or place.exists():
        found = f"{place}: there is a file already." if place.exists() else f"{place.parent}: no such folder."
        raise WebError("backup.failed", found=found)
    return place


def _sweep(folder: Path) -> None:
    """Take away what a killed backup left; the lock says that none is under way."""
    for half in folder.glob(".*.partial"):
        if re.fullmatch(r"\..+\.zip\.\d+\.partial", half.name):
            half.unlink(missing_ok=True)
    for half in Path(settings.HOME_FOLDER).glob(f"{TAKEN}*"):
        shutil.rmtree(half, ignore_errors=True)


def _check_room(folder: Path) -> None:
    """Raises backup.space where the largest that the backup can become would not fit."""
    home = Path(settings.HOME_FOLDER)
    files = sum(each.stat().st_size for name in FOLDERS for each in _files(home / name))
    wanted, beside = files + database_size(), database_size()
    for where, needed in ((folder, wanted), (home, beside)):
        free = shutil.disk_usage(where).free
        if free < needed:
            raise WebError("backup.space", where=where, free=size(free), wanted=size(needed))


def database_size() -> int:
    """Bytes of the database."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        else:
            cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def _files(folder: Path) -> Iterator[Path]:
    """The plain files below a folder."""
    for place, _folders, names in os.walk(folder):
        for name in sorted(names):
            each = Path(place) / name
            if each.is_file() and not each.is_symlink():
                yield each


def _take_all(home: Path, taken: Path, writer: Writer, asked: Asked) -> None:
    """The database at one moment and the files that are there at that moment; then all of it into the archive."""
    database = taken / DATABASES[connection.vendor]
    take = _take_sqlite if connection.vendor == "sqlite" else _take_postgres
    take(database, writer.manifest, asked.shown, partial(_take_files, home, taken))
    found = [(each.relative_to(taken).as_posix(), each) for name in FOLDERS for each in _files(taken / name)]
    asked.shown.begin("files", database.stat().st_size + sum(each.stat().st_size for _, each in found))
    for name, each in [(database.name, database), *found]:
        writer.add_file(name, each, step=asked.shown.step)
    if asked.with_key:
        key = taken / KEY
        key.write_text(settings.SECRET_KEY, encoding="utf-8")
        writer.add_file(KEY, key, step=asked.shown.step)


def _take_files(home: Path, taken: Path) -> None:
    """Hard links to all files as they are now; copies where the folder lies on another disk."""
    for name in FOLDERS:
        for each in _files(home / name):
            beside = taken / each.relative_to(home)
            beside.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):  # not one of a row: those stay
                try:
                    os.link(each, beside)
                except OSError:
                    shutil.copy2(each, beside)


def _take_sqlite(copy: Path, manifest: Manifest, shown: Shown, take_files: Callable[[], None]) -> None:
    """Copy the database as it is at one moment; who writes does not wait.

    The reading transaction holds the moment: without it, every write of another process would start the copy anew.
    """

    def step(_status: int, remaining: int, total: int) -> None:
        if remaining + PAGES >= total:
            shown.begin("database", total)
        shown.step(PAGES)

    live = Path(connection.settings_dict["NAME"])
    try:
        with contextlib.closing(sqlite3.connect(live, isolation_level=None, timeout=30)) as source:
            with held():
                source.execute("BEGIN")
                source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on it sees this moment
                take_files()
            with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as target:
                source.backup(target, pages=PAGES, progress=step, sleep=0)
                _clean(target)
    except sqlite3.DatabaseError as error:
        raise WebError("backup.database", found=str(error)) from error
    with digests.opened(copy) as alias:
        _tell(manifest, alias, shown)


def _clean(copy: sqlite3.Connection) -> None:
    """Take out what a backup leaves out, so that no page of the file holds it any more; look whether it is whole."""
    copy.execute("PRAGMA journal_mode=DELETE")
    copy.execute("PRAGMA secure_delete=ON")
    there = {name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for name in there & set(LEFT_OUT):
        copy.execute(f"DELETE FROM {name}")  # noqa: S608 - names of our own
    found = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise WebError("backup.database", found=found)


def _take_postgres(place: Path, manifest: Manifest, shown: Shown, take_files: Callable[[], None]) -> None:
    """Dump the database and tell what stands in it, both as of one snapshot."""
    connections["default"].close()
    with transaction.atomic(), connection.cursor() as cursor:
        with held():
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT pg_export_snapshot()")
            snapshot = cursor.fetchone()[0]
            take_files()
        postgres.dump(place, snapshot)
        _tell(manifest, "default", shown)


def _tell(manifest: Manifest, alias: str, shown: Shown) -> None:
    shown.begin("rows", len(digests.kept_models()))
    manifest.tables = digests.tell(alias, step=lambda _: shown.step())
    manifest.migrations = migrations_of(alias)


def migrations_of(alias: str) -> dict[str, list[str]]:
    """The migrations that a database has, by app."""
    found: dict[str, list[str]] = {}
    for app, name in sorted(MigrationRecorder(connections[alias]).applied_migrations()):
        found.setdefault(app, []).append(name)
    return found


def _rotate(folder: Path, keep: int) -> None:
    """Delete all but the newest backups that have names of their own."""
    own = sorted((each for each in folder.iterdir() if NAMED.fullmatch(each.name)), reverse=True)
    for old in own[keep:]:
        old.unlink(missing_ok=True)
