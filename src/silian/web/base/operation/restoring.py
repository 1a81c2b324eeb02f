"""A backup put in the place of a site, at once or not at all.

Everything is unpacked and verified beside the site first. Then a journal is written that says what will be moved, the
site is put aside, the new one put in its place, brought up to this version and compared with what the backup says of
itself. Only then does the journal go. Whoever finds a journal (`serve` when it starts, the next restore) knows that a
restore was killed, and puts everything back as the journal says.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.color import no_style
from django.db import DatabaseError, connection, connections, transaction
from django.utils import timezone

from silian import __version__
from silian.errors import WebError
from silian.web.base.actors import VISITOR
from silian.web.base.log import log
from silian.web.base.operation import archive, beats, digests, postgres
from silian.web.base.operation.archive import DATABASES, FOLDERS, KEY, sync_folder
from silian.web.base.operation.backing import Shown, Silent, alone, migrations_of
from silian.web.base.operation.parts import known_migrations, size

if TYPE_CHECKING:
    from django.db.models import Model

    from silian.web.base.operation.archive import Manifest, Reader

STAGED, ASIDE = "restoring-", "before-restore-"  # and a time: folders of SILIAN_HOME
JOURNAL: Final = "restore.json"
OTHER_FILES: Final = ("-wal", "-shm")  # of SQLite, beside its database


@dataclass(frozen=True, slots=True)
class Move:
    """Something that is put in the place of something else."""

    live: str
    staged: str  # empty: nothing comes in its place
    aside: str
    had: bool  # whether there was something to put aside


@dataclass(slots=True)
class Journal:
    """What a restore does to a site, so that it can be put back."""

    stamp: str
    moves: list[Move] = field(default_factory=list)
    schema: str = ""  # of PostgreSQL, where the tables were put

    @classmethod
    def at(cls, place: Path) -> Journal | None:
        """The journal that lies somewhere."""
        try:
            told = json.loads(place.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return cls(told["stamp"], [Move(**move) for move in told["moves"]], told["schema"])

    def write(self, place: Path) -> None:
        """Write it so that it outlasts a power cut."""
        beside = place.with_suffix(".new")
        with beside.open("w", encoding="utf-8") as out:
            out.write(json.dumps(asdict(self)))
            out.flush()
            os.fsync(out.fileno())
        beside.replace(place)
        sync_folder(place.parent)


@dataclass(frozen=True, slots=True)
class Restored:
    """What stands after a restore."""

    manifest: Manifest
    is_own: bool  # made with the key of this site
    aside: str  # where the old site lies; empty: there was none
    key: str  # where the key of the backup was put; empty: it holds none


def check(place: Path, *, shown: Shown | None = None) -> Manifest:
    """Read a backup from end to end and compare it with what it says of itself.

    Raises
    ------
    WebError : backup.broken, backup.hostile, backup.changed, backup.signature, backup.newer
    """
    told = shown or Silent()
    with archive.read(place) as reader:
        told.begin("files", reader.manifest.size)
        for part in reader.manifest.parts:
            reader.copy(part, None, step=told.step)
        return reader.manifest


def restore(place: Path, *, replace: bool = False, shown: Shown | None = None) -> Restored:
    """Put a backup in the place of this site.

    Parameters
    ----------
    replace : whether a site that holds data may be put aside

    Raises
    ------
    WebError : those of `check`; backup.busy, backup.running, backup.engine, backup.full, backup.space, backup.tools,
        backup.failed, backup.differs: the site is as it was
    """
    told = shown or Silent()
    with alone():
        settle()
        _check_stopped()
        with archive.read(place) as reader:
            _check_fits(reader, replace=replace)
            stamp = f"{timezone.localtime():%Y%m%d-%H%M%S}"
            staged = _home() / f"{STAGED}{stamp}"
            staged.mkdir(mode=0o700)
            try:
                _unpack(reader, staged, told)
                done = _put_in_place(reader, staged, stamp, told)
            finally:
                shutil.rmtree(staged, ignore_errors=True)
    return done


def _home() -> Path:
    return Path(settings.HOME_FOLDER)


def _check_stopped() -> None:
    if running := beats.running():
        raise WebError("backup.running", found=", ".join(running))


def _check_fits(reader: Reader, *, replace: bool) -> None:
    """Whether this version and this database can take the backup, and there is room for it."""
    manifest, name = reader.manifest, reader.place.name
    known = known_migrations()
    apps = {app for app, _ in known}
    unknown = [
        f"{app}.{m}" for app, own in manifest.migrations.items() for m in own if app in apps and (app, m) not in known
    ]
    if unknown:
        raise WebError("backup.newer", file=name, found=f"{manifest.version}: {unknown[0]}", own=__version__)
    if manifest.engine == "postgresql" and connection.vendor != "postgresql":
        raise WebError("backup.engine", file=name, own="SQLite")
    if manifest.engine == "postgresql":
        postgres.tool("pg_restore")
    if (found := _what_is_here()) and not replace:
        raise WebError("backup.full", found=", ".join(found))
    free, wanted = shutil.disk_usage(_home()).free, manifest.size
    if free < wanted:
        raise WebError("backup.space", where=_home(), free=size(free), wanted=size(wanted))


def _what_is_here() -> list[str]:
    """What the site holds already."""
    found = [name for name in FOLDERS if any((_home() / name).rglob("*"))]
    return (["database"] if connection.introspection.table_names() else []) + found


def _unpack(reader: Reader, staged: Path, shown: Shown) -> None:
    """Unpack into a folder of our own; what is there is as the manifest says."""
    shown.begin("files", reader.manifest.size)
    for part in reader.manifest.parts:
        place = staged / part.name
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            with archive.created(place) as out:
                reader.copy(part, out, step=shown.step)
                out.flush()
                os.fsync(out.fileno())
        except OSError as error:
            raise WebError("backup.failed", found=f"{place}: {error.strerror or error}.") from error
    for name in FOLDERS:
        (staged / name).mkdir(exist_ok=True)


def _put_in_place(reader: Reader, staged: Path, stamp: str, shown: Shown) -> Restored:
    manifest = reader.manifest
    database = staged / DATABASES[manifest.engine]
    if manifest.engine == "sqlite":
        with digests.opened(database) as alias:
            _compare(manifest, alias, shown)
    had_site = bool(_what_is_here())
    _check_stopped()
    journal = _plan(staged, stamp)
    connections.close_all()
    journal.write(_home() / JOURNAL)
    try:
        _switch(journal)
        _fill(manifest, database, shown)
        call_command("migrate", verbosity=0)
        call_command("createcachetable", verbosity=0)
    except BaseException as error:
        settle()
        if isinstance(error, DatabaseError | OSError | CommandError):
            raise WebError("backup.failed", found=f"{type(error).__name__}: {error}.") from error
        raise
    aside = _keep(journal) if had_site else _forget_empty(journal)
    key = _put_key(staged)
    shown.begin("index", 1)
    call_command("reindex", stdout=io.StringIO())
    shown.step()
    told = {"rows": manifest.rows, "files": len(manifest.files), "made_at": manifest.made_at}
    log(VISITOR, "operation.restore", detail=told)
    return Restored(manifest, reader.is_own, aside, key)


def _plan(staged: Path, stamp: str) -> Journal:
    """What will be moved. The index goes too: it is of the old database, and is built anew."""
    aside = _home() / f"{ASIDE}{stamp}"
    moves = [_move(_home() / name, staged / name, aside / name) for name in FOLDERS]
    moves.append(_move(_home() / "index", None, aside / "index"))
    if connection.vendor == "sqlite":
        live = Path(connection.settings_dict["NAME"])
        moves.append(_move(live, staged / DATABASES["sqlite"], aside / live.name))
        moves += [_move(live.with_name(live.name + end), None, aside / (live.name + end)) for end in OTHER_FILES]
        return Journal(stamp, moves)
    return Journal(stamp, moves, f"{postgres.ASIDE}{stamp.replace('-', '_')}")


def _move(live: Path, staged: Path | None, aside: Path) -> Move:
    return Move(str(live), str(staged or ""), str(aside), had=live.exists())


def _switch(journal: Journal) -> None:
    """Put the site aside and what is staged in its place."""
    if journal.schema:
        postgres.put_aside(journal.schema)
    for move in journal.moves:
        Path(move.aside).parent.mkdir(mode=0o700, exist_ok=True)
        if move.had and Path(move.live).exists():
            shutil.move(move.live, move.aside)
        if move.staged:
            Path(move.live).parent.mkdir(parents=True, exist_ok=True)
            shutil.move(move.staged, move.live)


def _fill(manifest: Manifest, database: Path, shown: Shown) -> None:
    """Bring the rows into PostgreSQL, and compare what stands there; SQLite was compared before it was moved."""
    if connection.vendor != "postgresql":
        return
    if manifest.engine == "postgresql":
        postgres.load(database)
        _compare(manifest, "default", shown)
        return
    call_command("migrate", verbosity=0)
    with digests.opened(database) as alias:
        call_command("migrate", database=alias, verbosity=0)
        _copy_rows(alias, shown)
        wanted = digests.tell(alias)
    if wrong := digests.differences(wanted, digests.tell("default")):
        raise WebError("backup.differs", found="; ".join(wrong[:5]))


@transaction.atomic
def _copy_rows(alias: str, shown: Shown) -> None:
    """Copy every row of one database into another kind of database, as it is."""
    models = digests.kept_models()
    shown.begin("rows", len(models))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        names = ", ".join(connection.ops.quote_name(model._meta.db_table) for model in models)
        cursor.execute(f"TRUNCATE {names} CASCADE")  # what `migrate` put there
        for model in models:
            batch: list[Model] = []
            for row in model._base_manager.using(alias).order_by().iterator(chunk_size=1000):
                batch.append(row)
                if len(batch) == 1000:
                    _insert(model, batch)
                    batch = []
            _insert(model, batch)
            shown.step()
        for told in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(told)


def _insert(model: type[Model], rows: list[Model]) -> None:
    """Write rows with all their values, even those that a save would set."""
    if rows:
        fields = list(model._meta.concrete_fields)
        model._base_manager.using("default").all()._insert(  # type: ignore[attr-defined]
            rows, fields=fields, using="default", raw=True
        )


def _compare(manifest: Manifest, alias: str, shown: Shown) -> None:
    """Raises backup.differs where a table is not as the backup says it was."""
    if manifest.migrations != migrations_of(alias):
        raise WebError("backup.differs", found="django_migrations")
    if {name: set(own) for name, own in _known_by_app().items()} != {
        name: set(own) for name, own in manifest.migrations.items()
    }:
        return  # of an older version: its tables have other columns, and only `migrate` can read them
    shown.begin("rows", len(digests.kept_models()))
    found = digests.tell(alias, step=lambda _: shown.step())
    if wrong := digests.differences(manifest.tables, found):
        raise WebError("backup.differs", found="; ".join(wrong[:5]))


def _known_by_app() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for app, name in sorted(known_migrations()):
        found.setdefault(app, []).append(name)
    return found


def _keep(journal: Journal) -> str:
    """The restore is done: the journal goes beside what was put aside."""
    aside = _home() / f"{ASIDE}{journal.stamp}"
    aside.mkdir(mode=0o700, exist_ok=True)
    (_home() / JOURNAL).replace(aside / JOURNAL)
    sync_folder(_home())
    return str(aside)


def _forget_empty(journal: Journal) -> str:
    """The restore is done, and there was nothing before it."""
    if journal.schema:
        postgres.drop_aside(journal.schema)
    (_home() / JOURNAL).unlink()
    shutil.rmtree(_home() / f"{ASIDE}{journal.stamp}", ignore_errors=True)
    return ""


def _put_key(staged: Path) -> str:
    """Put the key of the backup where the operator finds it: a site in production reads it from its environment."""
    if not (staged / KEY).exists():
        return ""
    place = _home() / "restored-secret-key"
    shutil.move(staged / KEY, place)
    return str(place)


def settle() -> bool:
    """Put back what a killed restore left; whether there was anything to put back."""
    journal = Journal.at(_home() / JOURNAL)
    if journal is not None:
        _put_back(journal)
        (_home() / JOURNAL).unlink()
    (_home() / JOURNAL).with_suffix(".new").unlink(missing_ok=True)
    for half in _home().glob(f"{STAGED}*"):
        shutil.rmtree(half, ignore_errors=True)
    return journal is not None


def _put_back(journal: Journal) -> None:
    """Undo a switch, however far it came; done twice, it changes nothing."""
    connections.close_all()
    if journal.schema:
        postgres.bring_back(journal.schema)
    for move in reversed(journal.moves):
        live, aside = Path(move.live), Path(move.aside)
        if aside.exists():
            _remove(live)
            shutil.move(aside, live)
        elif not move.had:
            _remove(live)  # it came with the restore
    with contextlib.suppress(OSError):
        (_home() / f"{ASIDE}{journal.stamp}").rmdir()
    connections.close_all()


def _remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def asides() -> list[Path]:
    """Sites that were put aside, the newest first."""
    return sorted((each for each in _home().glob(f"{ASIDE}*") if (each / JOURNAL).is_file()), reverse=True)


def undo() -> str:
    """Bring back the site that was put aside last; what was restored, and written since, goes.

    Raises
    ------
    WebError : backup.nothing, backup.running, backup.busy
    """
    with alone():
        settle()
        _check_stopped()
        if not asides():
            raise WebError("backup.nothing")
        aside = asides()[0]
        (aside / JOURNAL).replace(_home() / JOURNAL)  # a kill from here on is settled by the next start
        settle()
        return aside.name


def forget() -> list[str]:
    """Delete all sites that were put aside for good.

    Raises
    ------
    WebError : backup.busy
    """
    with alone():
        gone = []
        for aside in asides():
            journal = Journal.at(aside / JOURNAL)
            if journal and journal.schema:
                postgres.drop_aside(journal.schema)
            shutil.rmtree(aside)
            gone.append(aside.name)
        return gone
