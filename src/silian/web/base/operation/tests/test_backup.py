"""A backup brings a site back: every row of every table and every file, whatever goes on and whoever kills it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from silian.web.base.operation.tests.sites import FILL, SETUP, Site, drop_database, make_database, server

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.django_db, pytest.mark.long]
REMADE = ("catalog_unindexed", "catalog_indexstate")  # of the index, which a restore builds anew


@pytest.fixture(scope="module")
def full(tmp_path_factory, django_db_setup, django_db_blocker):
    """A site full of everything, and a backup of it; tests work on copies."""
    with django_db_blocker.unblock():
        home = tmp_path_factory.mktemp("full")
        url = make_database("silian_full") if server() else ""
        site = Site(home, url)
        site.script(FILL)
        site.do("backup", str(home / "backup.zip"))
        yield site
        if url:
            drop_database("silian_full")


@pytest.fixture
def backup(full) -> Path:
    return full.home / "backup.zip"


@pytest.fixture
def empty(tmp_path, full, django_db_blocker):
    """A site with nothing in it, of the same engine."""
    with django_db_blocker.unblock():
        home = tmp_path / "home"
        home.mkdir()
        yield Site(home, make_database("silian_empty") if server() else "")
        if server():
            drop_database("silian_empty")


@pytest.fixture
def other(full, empty, django_db_blocker):
    """The full site once more, to be worked on."""
    with django_db_blocker.unblock():
        if not server():
            shutil.copytree(full.home, empty.home, dirs_exist_ok=True)
            (empty.home / "backup.zip").unlink()
            return empty
        for name in ("files", "runs"):
            shutil.copytree(full.home / name, empty.home / name)
        return Site(empty.home, make_database("silian_empty", template="silian_full"))


def alike(one: dict[str, list[str]], two: dict[str, list[str]]) -> list[str]:
    return sorted(name for name in one.keys() | two.keys() if name not in REMADE and one.get(name) != two.get(name))


def test_destroyed_and_restored_a_site_has_every_row_and_every_file(full, empty, backup):
    said = empty.do("restore", str(backup))

    assert "已恢复并核对" in said
    assert alike(full.told(), empty.told()) == []
    assert empty.files() == full.files()
    assert (empty.home / "index" / "current").exists()
    assert not [each.name for each in empty.home.iterdir() if each.name.startswith(("restor", "before"))]


def test_a_site_moves_from_sqlite_into_the_engine_of_the_tests(full, empty, tmp_path):
    """On PostgreSQL this is how a site grows; on SQLite it is a restore like any other."""
    small = full
    if server():
        (tmp_path / "small").mkdir()
        small = Site(tmp_path / "small", "")
        small.script(FILL)
    small.do("backup", str(tmp_path / "small.zip"))

    said = empty.do("restore", str(tmp_path / "small.zip"))

    assert "已恢复并核对" in said
    assert alike(small.told(), empty.told()) == []
    assert empty.files() == small.files()
    new = "from silian.web.runs.models import Run; from silian.web.base.models import Place; "
    new += "print(Run.objects.create(name='next', place=Place.root()).pk > Run.objects.order_by('pk')[0].pk)"
    assert empty.script(new).strip() == "True"  # numbers go on where they were
    assert int(empty.do("audit", "verify").partition(":")[0]) > 0


def test_what_postgresql_holds_does_not_go_into_sqlite(full, backup, tmp_path):
    (tmp_path / "small").mkdir()
    small = Site(tmp_path / "small", "")

    if server():
        assert "backup.engine" in small.refuse("restore", str(backup))
        assert small.files() == {}
    else:
        assert "已恢复并核对" in small.do("restore", str(backup))


def test_what_would_open_again_is_left_out(full, empty, backup):
    empty.do("restore", str(backup))

    told = empty.script(
        "from django.contrib.sessions.models import Session as S; from django.core.cache import cache; "
        "print(S.objects.count(), cache.get('a'))"
    )
    assert told.split() == ["0", "None"]
    if not server():
        with zipfile.ZipFile(backup) as archive:
            assert b"open-session" not in archive.read("database.sqlite3")


def test_the_log_goes_on_as_it_was_sealed(full, empty, backup):
    empty.do("restore", str(backup))

    assert int(empty.do("audit", "verify").partition(":")[0]) > 0  # the restore itself is in it


def test_a_backup_without_its_key_tells_nothing_of_it(full, backup, tmp_path):
    said = full.do("backup", str(tmp_path / "a.zip"))
    full.do("backup", "--with-key", str(tmp_path / "b.zip"))

    assert "密钥不在备份中" in said
    with zipfile.ZipFile(tmp_path / "a.zip") as one, zipfile.ZipFile(tmp_path / "b.zip") as two:
        assert "secret-key" not in one.namelist()
        assert two.read("secret-key").startswith(b"k3J9")
        assert b"k3J9" not in one.read("manifest.json")
    assert (tmp_path / "a.zip").stat().st_mode & 0o077 == 0


WRITER = """
import os, sys, time
from pathlib import Path
from django.conf import settings
from django.db import transaction
from silian.web.base.models import Place, LogEntry
from silian.web.runs.models import Run
from django.core.files.storage import default_storage
home = Path(settings.HOME_FOLDER) / "files" / "written"
home.mkdir(parents=True)
place, number = Place.root(), 0
print("began", flush=True)
while True:
    number += 1
    kept = home / f"{number:05d}.txt"
    kept.write_text(str(number))  # the file, then its row
    with transaction.atomic():
        Run.objects.create(name=str(number), place=place, state="done", code=f"{number:05d}")
        LogEntry.objects.create(action="test.write", record_id=str(number))
    if number > 20:  # the row, then its file
        Run.objects.filter(name=str(number - 20)).delete()
        default_storage.delete(f"written/{number - 20:05d}.txt")
"""
WRITTEN = """
import json
from pathlib import Path
from django.conf import settings
from silian.web.base.models import LogEntry
from silian.web.runs.models import Run
home = Path(settings.HOME_FOLDER) / "files" / "written"
rows = sorted(int(n) for n in Run.objects.exclude(code="").values_list("name", flat=True))
logged = sorted(int(n) for n in LogEntry.objects.filter(action="test.write").values_list("record_id", flat=True))
lost = [n for n in rows if not (home / f"{n:05d}.txt").exists() or (home / f"{n:05d}.txt").read_text() != str(n)]
gaps = rows[-1] - rows[0] + 1 - len(rows) + logged[-1] - len(logged)
print(json.dumps({"rows": len(rows), "lost": lost, "gaps": gaps, "last": rows[-1], "logged": logged[-1]}))
"""


def test_a_backup_taken_while_others_write_is_of_one_moment_and_has_every_file(other, empty, tmp_path, full):
    with subprocess.Popen(
        [sys.executable, "-c", SETUP + WRITER], env=other.environment, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        other.do("backup", str(tmp_path / "b.zip"))
        writer.kill()

    other.do("restore", "--replace", str(tmp_path / "b.zip"))
    found = json.loads(other.script(WRITTEN))
    assert found["rows"] > 1
    assert found["lost"] == []
    assert found["gaps"] == found["logged"] - found["last"] == 0


def test_a_site_that_holds_data_is_put_aside_and_comes_back(other, backup):
    other.script("from silian.web.base.models import Place as P; P.objects.filter(pk='region').update(name='后来')")
    (other.home / "files" / "later.txt").write_text("later")
    before, files = other.told(), other.files()

    assert "backup.full" in other.refuse("restore", str(backup))
    said = other.do("restore", "--replace", str(backup))
    assert "before-restore-" in said
    assert "files/later.txt" not in other.files()
    assert alike(other.told(), before) == ["base_place"]

    other.do("restore", "--undo")
    assert alike(other.told(), before) == []
    assert other.files() == files
    other.do("restore", "--replace", str(backup))
    assert "before-restore-" in other.do("restore", "--forget")
    assert not list(other.home.glob("before-restore-*"))
    assert "backup.nothing" in other.refuse("restore", "--undo")


KILLS = """
import os, sys
from pathlib import Path
from django.db import connections
from silian.web.base.operation import digests, restoring
from silian.web.base.models import Place
backup = Path(sys.argv[1]); home = restoring._home()
Place.objects.filter(pk="region").update(name="before")
def seen():
    left = ("catalog_unindexed", "catalog_indexstate", "base_logentry")
    told = {name: t for name, t in digests.tell("default").items() if name not in left}
    found = (p for n in ("files", "runs") for p in (home / n).rglob("*") if p.is_file())
    return told, sorted((str(p.relative_to(home)), p.read_bytes()) for p in found)
wanted = seen()
events = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree", "subprocess.Popen", "os.posix_spawn")
number, step, ended, point = 0, int(sys.argv[2]), 0, 0
while True:
    connections.close_all()
    pid = os.fork()
    if not pid:
        def hook(event, _given):
            global number
            if event in events:
                number += 1
                if number > point:
                    os._exit(9)
        sys.addaudithook(hook)
        restoring.restore(backup, replace=True)
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0:
        break
    ended += 1
    restoring.settle()
    if restoring.asides():  # it was done but for the index, which the keeper builds
        assert seen() != wanted
        restoring.undo()
    assert seen() == wanted, point
    left = [p.name for p in home.iterdir() if p.name.startswith(("restor", "before"))]
    assert not left, (point, left)
    point += step
restoring.undo()
assert seen() == wanted
print(ended)
"""


def test_a_restore_that_is_killed_anywhere_leaves_the_old_site(other, backup):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SETUP + KILLS, str(backup), "1"],
        env=other.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout.split()[-1]) > 10
