"""The monthly report from the page: whose it is, that it tells what the page tells, that it is the same each time."""

from __future__ import annotations

import io

import openpyxl
import pytest
from docx import Document

from silian.report.official._texts import words
from silian.web.base.models import LogEntry, Place, Post
from silian.web.conftest import ROLES
from silian.web.runs.dashboards import freezing, reports
from silian.web.runs.dashboards.editions import edition_of
from silian.web.runs.dashboards.measures import measures
from silian.web.runs.dashboards.reading import desk_of, figures_of
from silian.web.runs.models import Snapshot

pytestmark = pytest.mark.once

FILES = ("/dashboard/report.docx", "/dashboard/report.xlsx")


@pytest.fixture
def live(run):
    return freezing.renew()


@pytest.mark.parametrize("file", FILES)
def test_who_reads_the_page_may_have_the_report_and_nobody_else(people, live, file):
    answers = {role: people[role].client.get(file).status_code for role in ROLES}

    assert {role for role, status in answers.items() if status == 200} == {"leader", "officer", "administrator"}
    assert answers["visitor"] == 302
    assert answers["enterprise"] == 403


@pytest.mark.parametrize("file", FILES)
def test_an_officer_gets_the_report_of_the_own_place_alone(people, live, file):
    own = Post.objects.get(user=people["officer"].user).place
    other = Place.objects.filter(level="county").exclude(pk=own.pk).first()

    answer = people["officer"].client.get(file)
    assert f"silian-{own.pk}-{live.month}-v{live.version}." in answer["Content-Disposition"]
    assert people["officer"].client.get(f"{file}?place={other.pk}").status_code == 404


def test_without_a_snapshot_there_is_no_report(people, registry, folders):
    assert people["leader"].client.get(FILES[0]).status_code == 404
    assert people["leader"].client.get(f"{FILES[0]}?month=1999-01").status_code == 404


def test_both_files_tell_every_measure_and_the_workbook_its_value(people, live):
    client = people["leader"].client
    word = Document(io.BytesIO(client.get(FILES[0]).content))
    book = openpyxl.load_workbook(io.BytesIO(client.get(FILES[1]).content))

    names = {table.cell(at, 0).text for table in word.tables for at in range(len(table.rows))}
    assert {m.label_zh for m in measures().values()} <= names
    rows = {row[-1]: row for sheet in book for row in sheet.iter_rows(min_row=2, values_only=True) if len(row) == 10}
    told = figures_of(live, Place.ROOT)
    for code, measure in measures().items():
        if measure.how == "count" and told[code].value is not None:
            assert rows[code][2] == told[code].value, code
        if told[code].value is None:
            assert (rows[code][2], bool(rows[code][8])) == ("—", True), code


def test_the_report_of_a_frozen_month_is_the_same_each_time_and_names_its_digest(people, run):
    freezing.catch_up(is_demo=True)
    snapshot = Snapshot.objects.filter(kind=Snapshot.Kind.MONTH).order_by("-month")[0]
    client = people["leader"].client

    for file in FILES:
        first, second = (client.get(f"{file}?month={snapshot.month}").content for _ in range(2))
        assert first == second
    edition = edition_of(desk_of(people["leader"].actor, {"month": snapshot.month}), snapshot)
    assert (edition.digest, edition.version, edition.is_frozen) == (snapshot.digest, snapshot.version, True)
    assert edition.before is not None
    assert edition.year is not None


@pytest.mark.parametrize("file", FILES)
def test_what_was_handed_on_stays_though_names_change_and_a_changed_file_is_refused(people, run, settings, file):
    freezing.catch_up(is_demo=True)
    snapshot = Snapshot.objects.filter(kind=Snapshot.Kind.MONTH).order_by("-month")[0]
    client, asked = people["leader"].client, f"{file}?month={snapshot.month}"
    first = client.get(asked).content

    settings.SILIAN_PUBLISHER = "江城市科学技术局|"
    Place.objects.filter(level="county").update(name="改名区")
    assert client.get(asked).content == first

    kept = next((snapshot.folder / "reports").glob(f"*{file[-5:]}"))
    kept.write_bytes(first + b"x")
    assert client.get(asked).status_code == 503


def test_a_report_that_was_cut_off_is_made_anew(tmp_path):
    path = tmp_path / "reports" / "a.docx"
    path.parent.mkdir()
    path.with_name("a.docx.sha256").write_text("of a process that was killed", encoding="ascii")

    reports._keep(path, b"whole")
    reports._keep(path, b"of a second one")

    assert reports._checked(path) == b"whole"
    assert sorted(p.name for p in path.parent.iterdir()) == ["a.docx", "a.docx.sha256"]


def test_the_issuer_is_who_publishes_or_else_the_place(people, live, settings):
    desk = desk_of(people["leader"].actor, {})
    settings.SILIAN_PUBLISHER = ""
    assert edition_of(desk, live).issuer == str(desk.place)
    settings.SILIAN_PUBLISHER = "江城市科学技术局|Jiangcheng Bureau of Science|a@example.org|"
    assert edition_of(desk, live).issuer == "江城市科学技术局"


def test_every_unit_and_group_of_the_measures_has_words(db):
    own = measures().values()
    known = words()

    assert {m.chain for m in own if f"group.{m.chain}" not in known} == set()
    money = {"CNY"}
    assert {m.unit for m in own if m.unit and m.unit not in money and f"unit.{m.unit}" not in known} == set()
    assert {m.noun for m in own if not m.unit and f"unit.of.{m.noun}" not in known} == set()


def test_taking_a_report_is_logged(people, live):
    people["leader"].client.get(FILES[0])

    detail = LogEntry.objects.filter(action="figures.export").get().detail
    assert (detail["form"], detail["digest"], detail["place"]) == ("docx", live.digest, Place.ROOT)


def test_a_changed_snapshot_gives_no_report(people, live):
    (live.folder / "figures.parquet").write_bytes(b"changed")

    assert people["leader"].client.get(FILES[0]).status_code == 503
