"""What a backup refuses to be made of and to be: no room, no tools, archives that are damaged, hostile or of others."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
import zipfile

import pytest

from silian.errors import WebError
from silian.web.base.operation import archive, backing, digests, postgres, restoring
from silian.web.base.operation.archive import Manifest
from silian.web.base.operation.backing import Asked
from silian.web.base.operation.beats import beating
from silian.web.base.operation.digests import Told


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.HOME_FOLDER = tmp_path / "home"
    settings.HOME_FOLDER.mkdir()
    return settings.HOME_FOLDER


@pytest.fixture
def made(tmp_path):
    """An archive with a small database and a file."""
    place = tmp_path / "made.zip"
    with archive.written(place, Manifest("sqlite", "2026-01-01T00:00:00+00:00", key=archive.print_of_key())) as writer:
        writer.add("database.sqlite3", io.BytesIO(b"rows" * 1000), step=lambda _: None)
        writer.add("files/a/图纸.pdf", io.BytesIO(b"%PDF"), step=lambda _: None)
    return place


def again(made, *, change=lambda _, text: text, more=(), signed=False):
    """The archive with other contents; signed: by somebody who has the key."""
    with zipfile.ZipFile(made) as old:
        members = [(name, old.read(name)) for name in old.namelist()]
    place = made.with_name("again.zip")
    parts = {name: change(name, text) for name, text in members}
    if signed:
        parts["signature"] = archive.sign(parts["manifest.json"]).encode()
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as new:
        for name, text in parts.items():
            if text is not None:
                new.writestr(name, text)
        for name, text in more:
            new.writestr(name, text)
    return place


def refused(place):
    with pytest.raises(WebError) as caught:
        restoring.check(place)
    return caught.value.code


def test_an_archive_is_what_it_says(made):
    manifest = restoring.check(made)

    assert [part.name for part in manifest.parts] == ["database.sqlite3", "files/a/图纸.pdf"]
    assert made.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "name",
    [
        "../evil", "/etc/passwd", "files/../../evil", "files//evil", "files/./evil", "C:/evil", "files\\..\\evil",
        "index/evil", "evil", "files/", "static/evil.js", "files/a\x00b", "files/..", "secret-key/x",
    ],
)  # fmt: skip
def test_names_that_no_backup_has_are_refused_and_nothing_is_unpacked(made, home, name):
    code = refused(again(made, more=[(name, b"x")]))

    assert code in ("backup.hostile", "backup.broken")
    assert list(home.iterdir()) == []


def test_links_are_refused(made):
    link = zipfile.ZipInfo("files/link")
    link.external_attr = 0o120777 << 16

    assert refused(again(made, more=[(link, b"/etc/passwd")])) == "backup.hostile"


def test_a_name_twice_is_refused(made):
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = again(made, more=[("files/a/图纸.pdf", b"other")])

    assert refused(twice) == "backup.hostile"


def test_a_file_that_the_manifest_does_not_name_is_refused(made):
    assert refused(again(made, more=[("files/more", b"x")])) == "backup.broken"


def test_a_part_that_is_missing_is_refused(made):
    assert refused(again(made, change=lambda n, t: None if n == "files/a/图纸.pdf" else t)) == "backup.broken"


@pytest.mark.parametrize("text", [b"%PDX", b"%PDF" + b"\0" * 100_000_000])
def test_a_part_that_is_not_as_it_was_is_refused_and_a_bomb_is_not_unpacked(made, text):
    assert refused(again(made, change=lambda n, t: text if n.startswith("files") else t)) == "backup.changed"


def test_a_manifest_that_was_changed_is_refused_by_its_signature(made):
    def change(name, text):
        return text.replace(b"2026-01-01", b"2026-01-02") if name == "manifest.json" else text

    assert refused(again(made, change=change)) == "backup.signature"
    assert restoring.check(again(made, change=change, signed=True)).made_at.startswith("2026-01-02")


def test_an_archive_of_another_key_is_read_but_not_believed(made, settings):
    settings.SECRET_KEY = "another" * 10

    with archive.read(made) as reader:
        assert not reader.is_own


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told.update(format=99, version="9.0"),
    ],
)
def test_a_newer_archive_is_refused(made, change):
    def newer(name, text):
        told = json.loads(text) if name == "manifest.json" else {}
        change(told)
        return json.dumps(told).encode() if name == "manifest.json" else text

    assert refused(again(made, change=newer, signed=True)) == "backup.newer"


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b'{"format": 1}', b'{"format": "x"}', b"\xff", b"null", b"[" * 9999]
)
def test_a_manifest_that_is_none_is_refused(made, text):
    assert refused(again(made, change=lambda n, t: text if n == "manifest.json" else t)) == "backup.broken"


def test_a_damaged_archive_is_refused_wherever_it_is_damaged(tmp_path):
    place = tmp_path / "a.zip"
    with archive.written(place, Manifest("sqlite", "2026", key=archive.print_of_key())) as writer:
        writer.add("database.sqlite3", io.BytesIO(bytes(range(256)) * 8), step=lambda _: None)
    whole = place.read_bytes()

    for at in range(0, len(whole), 3):
        for spoilt in (whole[:at], whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :]):
            place.write_bytes(spoilt)
            try:
                found = restoring.check(place)
            except WebError as error:
                assert error.code.startswith("backup.")  # noqa: PT017
            else:  # what was hit says nothing, such as the day of a part
                assert len(spoilt) == len(whole)
                assert found.parts[0].bytes == 2048


@pytest.mark.parametrize("text", [b"", b"no zip", b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_archive_is_refused(tmp_path, text):
    (tmp_path / "x.zip").write_bytes(text)

    assert refused(tmp_path / "x.zip") == "backup.broken"
    assert refused(tmp_path / "none.zip") == "backup.broken"


def test_a_write_that_fails_leaves_nothing(tmp_path):
    place = tmp_path / "half.zip"
    with pytest.raises(RuntimeError), archive.written(place, Manifest("sqlite", "2026")):
        raise RuntimeError

    assert [each.name for each in tmp_path.iterdir()] == ["home"]


def test_a_backup_needs_room_before_it_begins(db, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9 - 5, 5))

    with pytest.raises(WebError, match=r"backup\.space"):
        backing.make(Asked(tmp_path))


def test_a_backup_is_never_written_over_something(db, tmp_path):
    (tmp_path / "a.zip").write_bytes(b"precious")

    for place in (tmp_path / "a.zip", tmp_path / "none" / "a.zip"):
        with pytest.raises(WebError, match=r"backup\.failed"):
            backing.make(Asked(place))
    assert (tmp_path / "a.zip").read_bytes() == b"precious"


def test_one_backup_at_a_time(db, tmp_path):
    with backing.alone(), pytest.raises(WebError, match=r"backup\.busy"):
        backing.make(Asked(tmp_path))


def test_a_restore_waits_for_a_site_that_runs(made):
    with beating("worker-here"), pytest.raises(WebError, match=r"backup\.running.*worker-here"):
        restoring.restore(made)


def test_a_damaged_database_is_not_backed_up_as_if_it_were_whole(tmp_path):
    live = tmp_path / "live.sqlite3"
    with sqlite3.connect(live) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.executemany("INSERT INTO t VALUES (?)", [("x" * 3000,)] * 50)
    spoilt = bytearray(live.read_bytes())
    spoilt[5000:9000] = b"\xff" * 4000
    live.write_bytes(spoilt)

    with pytest.raises(WebError, match=r"backup\.database"), sqlite3.connect(live) as connection:
        backing._clean(connection)


def test_a_missing_or_older_tool_of_postgresql_is_named(db, monkeypatch):
    class Cursor:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def execute(self, _):
            pass

        def fetchone(self):
            return ("990000",)

    monkeypatch.setattr(postgres, "connection", type("C", (), {"cursor": lambda _: Cursor()})())

    with pytest.raises(WebError, match=r"backup\.tools.*pg_dump.*PostgreSQL 99"):
        postgres.tool("pg_dump")


def test_a_backup_of_postgresql_does_not_fit_sqlite(db, made, monkeypatch):
    with archive.read(made) as reader:
        reader.manifest.engine = "postgresql"
        monkeypatch.setattr(restoring, "connection", type("C", (), {"vendor": "sqlite"})())
        with pytest.raises(WebError, match=r"backup\.engine"):
            restoring._check_fits(reader, replace=True)


def test_a_database_with_migrations_of_tomorrow_is_refused(db, made):
    with archive.read(made) as reader:
        reader.manifest.migrations = {"base": ["0001_initial", "0999_of_tomorrow"]}
        with pytest.raises(WebError, match=r"backup\.newer.*0999_of_tomorrow"):
            restoring._check_fits(reader, replace=True)


def test_a_site_that_holds_data_is_not_overwritten(db, made):
    with archive.read(made) as reader, pytest.raises(WebError, match=r"backup\.full.*database"):
        restoring._check_fits(reader, replace=False)


def test_differences_name_the_table_and_know_that_columns_change():
    one = Told(2, "aa" * 32, ("id", "name"))

    assert digests.differences({"t": one}, {"t": one}) == []
    assert digests.differences({"t": one}, {"t": replace_told(one, rows=3)}) == ["t: 2 ≠ 3"]
    assert digests.differences({"t": one}, {"t": replace_told(one, digest="bb" * 32)})[0].startswith("t: aaaa")
    assert digests.differences({"t": one}, {"t": replace_told(one, digest="bb" * 32, columns=("id",))}) == []


def replace_told(told, **more):
    return told._replace(**more)


def test_what_differs_after_a_restore_is_refused(db, made):
    manifest = Manifest("sqlite", "2026", migrations=backing.migrations_of("default"), tables=digests.tell("default"))
    restoring._compare(manifest, "default", backing.Silent())
    name = "base_place"
    manifest.tables[name] = manifest.tables[name]._replace(digest="0" * 64)

    with pytest.raises(WebError, match=r"backup\.differs.*base_place"):
        restoring._compare(manifest, "default", backing.Silent())


def test_digests_are_the_same_in_any_order_and_change_with_any_value(registry):
    from silian.web.base.models import Place

    before = digests.tell_of(Place, "default")
    place = Place.objects.order_by("pk").first()
    Place.objects.filter(pk=place.pk).update(name="别处")
    other = digests.tell_of(Place, "default")
    Place.objects.filter(pk=place.pk).update(name=place.name)

    assert other.digest != before.digest
    assert digests.tell_of(Place, "default") == before


def test_the_oldest_backups_of_a_folder_go_and_nothing_else(tmp_path):
    for name in ("silian-20260101-000000.zip", "silian-20260102-000000.zip", "silian-20260103-000000.zip", "mine.zip"):
        (tmp_path / name).touch()

    backing._rotate(tmp_path, 2)

    assert {each.name for each in tmp_path.iterdir() if each.is_file()} == {
        "silian-20260102-000000.zip", "silian-20260103-000000.zip", "mine.zip",
    }  # fmt: skip


def test_there_is_nothing_to_bring_back_where_nothing_was_put_aside(home):
    with pytest.raises(WebError, match=r"backup\.nothing"):
        restoring.undo()


def test_what_a_killed_backup_left_goes_with_the_next(home, tmp_path):
    (tmp_path / ".silian-20260101-000000.zip.77.partial").touch()
    (home / "backing-abcd").mkdir()

    backing._sweep(tmp_path)

    assert [each.name for each in tmp_path.iterdir()] == ["home"]
    assert list(home.iterdir()) == []
