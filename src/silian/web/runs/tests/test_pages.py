"""Pages of runs: for whom they are, what they say of a run under way, done, failed, gone; files; two runs compared."""

import io
import json

import openpyxl
import polars as pl
import pytest
from django.urls import reverse

from silian.web.base.models import LogEntry, Place
from silian.web.runs import computing, starting
from silian.web.runs.models import Run

SMALL = "[report]\ncharts = false\n"


@pytest.fixture(scope="module")
def computed(django_db_setup, django_db_blocker, tmp_path_factory):
    """The folder of a run, computed once."""
    from django.conf import settings
    from django.db import transaction

    folder, kept = tmp_path_factory.mktemp("runs"), (settings.RUNS_FOLDER, settings.DISTRICTS_FILE)
    settings.RUNS_FOLDER, settings.DISTRICTS_FILE = folder, folder / "none.geojson"
    with django_db_blocker.unblock(), transaction.atomic():
        run = Run.objects.create(name="a", place=Place.root(), plan=SMALL, state=Run.State.RUNNING)
        computing.compute(run.pk)
        made = run.folder
        transaction.set_rollback(True)
    settings.RUNS_FOLDER, settings.DISTRICTS_FILE = kept
    return made


@pytest.fixture
def done(people, settings, tmp_path, computed):
    """A run that is done."""
    settings.RUNS_FOLDER = tmp_path
    return finished(computed, name="甲<b>\u202e乙")


def usual(page):
    """What the form sends when nothing is changed."""
    return {name: f.initial for name, f in page.context["form"].fields.items() if f.initial not in (None, "")}


def finished(computed, **more):
    run = Run.objects.create(place=Place.root(), plan=SMALL, state=Run.State.DONE, **more)
    run.folder.symlink_to(computed, target_is_directory=True)
    return run


def test_runs_are_for_those_who_look_after_places(people, done):
    addresses = [
        reverse("runs"), reverse("run_new"), reverse("run", args=[done.pk]),
        reverse("run_file", args=[done.pk, "report.html"]),
    ]  # fmt: skip
    expected = {
        "visitor": [302] * 4, "broker": [200] * 4, "administrator": [200] * 4,
        "officer": [200, 200, 404, 404],  # of a county: a trial of those above is not shown
    }  # fmt: skip
    for role, person in people.items():
        found = []
        for address in addresses:
            answer = person.client.get(address)
            answer.getvalue()  # a file is closed once it is read
            found.append(answer.status_code)
        assert found == expected.get(role, [403, 403, 404, 404]), role


def test_a_run_is_started_from_the_form_once(people, settings, tmp_path):
    settings.RUNS_FOLDER = tmp_path
    client = people["administrator"].client
    page = client.get(reverse("run_new"))
    given = {
        name: field.initial for name, field in page.context["form"].fields.items() if field.initial not in (None, "")
    }
    given |= {"place": Place.ROOT, "name": "十月", "match.top_k": 4, "more": "[chain]\nfillers = 8"}

    first = client.post(reverse("run_new"), given)
    again = client.post(reverse("run_new"), given)

    run = Run.objects.get()
    assert first["Location"] == again["Location"] == reverse("run", args=[run.pk])
    assert run.plan == "[match]\ntop_k = 4\n[chain]\nfillers = 8"
    assert (run.name, run.state, run.adopts) == ("十月", "waiting", False)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("place", "elsewhere"), ("name", "名" * 101), ("match.top_k", "0"), ("match.top_k", "three"),
        ("steps", "teleport"), ("allocate.goal", "luck"), ("more", "[match"), ("more", "#" * 20_000),
        ("more", "[allocate]\nbeside = ['/etc']"), ("more", "[match]\nencoder = 'folder:/etc'"), ("more", "\x00"),
    ],
)  # fmt: skip
def test_what_is_typed_wrong_starts_nothing_and_stays_on_the_page(people, field, value):
    client = people["administrator"].client
    page = client.get(reverse("run_new"))
    given = usual(page)

    answer = client.post(reverse("run_new"), given | {"place": Place.ROOT} | {field: value})

    assert answer.status_code == 422
    assert answer.context["form"].errors
    assert not Run.objects.exists()


def test_an_officer_starts_runs_of_the_own_places_only(people):
    client = people["officer"].client
    own = people["officer"].user.posts.get().place
    offered = set(client.get(reverse("run_new")).context["form"].fields["place"].queryset)

    assert offered == set(Place.objects.filter(path__startswith=own.path))
    answer = client.post(reverse("run_new"), {"place": Place.ROOT})
    assert answer.status_code == 422
    assert not Run.objects.exists()


def test_a_broker_starts_runs_but_does_not_say_which_holds(people, done):
    client = people["broker"].client
    page = client.get(reverse("run_new"))
    given = usual(page)

    assert client.post(reverse("run_new"), given | {"place": Place.ROOT, "adopts": "on"}).status_code == 422
    assert client.post(reverse("run_adopt", args=[done.pk]), {"adopt": "yes"}).status_code == 403
    assert client.post(reverse("run_new"), given | {"place": Place.ROOT}).status_code == 302


def test_a_run_under_way_tells_how_far_it_is(people, settings, tmp_path):
    settings.RUNS_FOLDER = tmp_path
    over = [{"name": "load", "rows": 1200, "seconds": 0.5, "resumed": False}]
    progress = {"step": "experts", "done": 30, "total": 120, "words": "", "steps": over}
    run = Run.objects.create(name="a", place=Place.root(), state="running", progress=progress)

    page = people["broker"].client.get(reverse("run", args=[run.pk]))
    text = page.content.decode()

    assert 'hx-trigger="every 1s"' in text
    assert "第 7 步，共 14 步：匹配专家" in text
    assert "30 / 120" in text
    assert "1,200" in text
    part = people["broker"].client.get(reverse("run", args=[run.pk]), headers={"hx-request": "true"})
    assert b"<html" not in part.content
    people["broker"].client.post(reverse("run_cancel", args=[run.pk]))
    assert Run.objects.get().is_cancelled


@pytest.mark.parametrize(("state", "progress"), [("waiting", {}), ("running", {"step": "start"})])
def test_a_run_that_has_said_nothing_yet_is_asked_about_more_often(people, settings, tmp_path, state, progress):
    settings.RUNS_FOLDER = tmp_path
    run = Run.objects.create(name="a", place=Place.root(), state=state, progress=progress)
    behind = Run.objects.create(name="b", place=Place.root(), state="waiting")

    assert 'hx-trigger="every 400ms"' in people["broker"].client.get(reverse("run", args=[run.pk])).content.decode()
    assert 'hx-trigger="every 1s"' in people["broker"].client.get(reverse("run", args=[behind.pk])).content.decode()


def test_a_failed_run_says_why_and_what_to_do(people, settings, tmp_path):
    settings.RUNS_FOLDER = tmp_path
    found = {"count": 3, "found": "SIGKILL"}
    run = Run.objects.create(name="a", place=Place.root(), state="failed", code="web.run_fell", found=found)
    run.folder.mkdir(parents=True)
    (run.folder / "out.problems.csv").write_text("table\n", encoding="utf-8")

    text = people["broker"].client.get(reverse("run", args=[run.pk])).content.decode()

    assert "多为内存不足" in text
    assert "web.run_fell" in text
    listed = people["broker"].client.get(reverse("run_file", args=[run.pk, "problems.csv"]))
    assert listed.getvalue() == b"table\n"


def test_a_run_that_is_done_shows_its_receipt_and_names_nothing_unsafe(people, done):
    text = people["administrator"].client.get(reverse("run", args=[done.pk])).content.decode()

    assert "甲&lt;b&gt;" in text
    assert "report.charts" in text
    assert "needs.parquet" in text


def test_the_report_runs_in_a_sandbox_and_the_read_is_logged(people, done):
    answer = people["broker"].client.get(reverse("run_file", args=[done.pk, "report.html"]))
    policy = answer["Content-Security-Policy"]

    assert b"<html" in answer.getvalue()
    assert policy.startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy
    assert LogEntry.objects.filter(action="runs.read", record_id=str(done.pk)).exists()


def test_files_of_a_run_are_what_lies_in_its_folder_and_nothing_else(people, done):
    client = people["broker"].client

    def fetched(name):
        answer = client.get(f"/runs/{done.pk}/files/{name}")
        return answer.getvalue() if answer.status_code == 200 else b"", answer.status_code

    book = openpyxl.load_workbook(io.BytesIO(fetched("results.xlsx")[0]), read_only=True)
    assert len(book.sheetnames) > 5
    book.close()
    assert fetched("assigned.csv")[0].decode("utf-8-sig").startswith("need_id,")
    assert fetched("assigned.parquet")[0][:4] == b"PAR1"
    for name in (
        "..",
        "../region/needs.parquet",
        "%2e%2e%2fplan.toml",
        "needs.parquet",
        "assigned.exe",
        "x" * 300,
        "assigned",
    ):
        assert fetched(name)[1] == 404, name


def test_adopting_is_undone_by_a_click(people, done):
    client = people["administrator"].client
    client.post(reverse("run_adopt", args=[done.pk]), {"adopt": "yes"})
    assert Run.objects.get(pk=done.pk).adopted_at
    assert client.get(reverse("matches")).status_code == 200
    client.post(reverse("run_adopt", args=[done.pk]), {"adopt": "no"})
    assert Run.objects.get(pk=done.pk).adopted_at is None


def test_a_run_whose_results_are_gone_says_so_and_is_not_adopted(people, settings, tmp_path):
    settings.RUNS_FOLDER = tmp_path
    run = Run.objects.create(name="a", place=Place.root(), state="done")
    client = people["administrator"].client

    assert "结果已清理" in client.get(reverse("run", args=[run.pk])).content.decode()
    client.post(reverse("run_adopt", args=[run.pk]), {"adopt": "yes"})
    assert Run.objects.get().adopted_at is None


def test_a_run_compared_with_itself_differs_in_nothing(people, done, computed):
    other = finished(computed, name="乙")
    told = people["broker"].client.get(reverse("run_compare", args=[done.pk]), {"with": other.pk}).context["told"]

    assert (told.plan, told.inputs, told.needs, told.changed) == ([], [], [], 0)
    assert all(a == b for _name, a, b in told.figures)
    assert {name: a for name, a, _b in told.figures}["需求"] > 0


@pytest.mark.parametrize("asked", ["", "0", "999999", "x", "9" * 40, "-1"])
def test_a_run_is_compared_only_with_one_that_is_there(people, done, asked):
    assert people["broker"].client.get(reverse("run_compare", args=[done.pk]), {"with": asked}).status_code == 404


def test_the_list_asks_as_many_questions_of_one_run_as_of_fifty(
    people, settings, tmp_path, django_assert_max_num_queries
):
    settings.RUNS_FOLDER = tmp_path
    client = people["broker"].client
    for many in (1, 49):
        Run.objects.bulk_create(Run(name=str(n), place=Place.root(), state="failed") for n in range(many))
        with django_assert_max_num_queries(12):
            client.get(reverse("runs"))


def test_a_cancelled_run_can_be_started_again_with_its_plan(people, settings, tmp_path):
    settings.RUNS_FOLDER = tmp_path
    client, actor = people["administrator"].client, people["administrator"].actor
    plan = "[match]\ntop_k = 4\n[chain]\nfillers = 8"
    run, _is_new = starting.start(actor, place=Place.root(), plan=plan, steps=("link",))
    starting.cancel(actor, run)

    form = client.get(reverse("run_new"), {"like": run.pk}).context["form"]

    assert form.fields["match.top_k"].initial == 4
    assert form.fields["more"].initial == "[chain]\nfillers = 8"
    assert form.initial["steps"] == ["link"]


@pytest.mark.parametrize("noun", ["achievement", "expert"])
def test_the_pairs_of_a_run_are_taken_away_as_csv_with_the_parts_of_each_score(people, done, noun):
    answer = people["administrator"].client.get(reverse("run_file", args=[done.pk, f"{noun}_pairs.csv"]))
    rows = pl.read_csv(io.BytesIO(answer.content))

    assert rows.height == pl.read_parquet(done.folder / "out" / f"{noun}_pairs.parquet").height
    for row in rows.to_dicts():
        assert sum(part["part"] for part in json.loads(row["why"])) == pytest.approx(row["score"], abs=1e-5)
