"""Runs: started once, computed in a process of their own with the result of the command line, ended, adopted."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.http import Http404

from silian import pipeline
from silian import tables as region_tables
from silian.errors import PlanError, WebError
from silian.pipeline import Plan
from silian.web.base.actors import VISITOR
from silian.web.base.models import LogEntry, Notification, Place, Post
from silian.web.base.operation import holding
from silian.web.catalog.models import Expert, Need
from silian.web.runs import computing, executing, processes, queries, reading, starting, tasks
from silian.web.runs.models import Run
from silian.web.runs.plans import read_plan
from silian.web.runs.regions import write_region

SMALL = "[report]\ncharts = false\n"


@pytest.fixture
def folder(settings, tmp_path):
    settings.RUNS_FOLDER, settings.DISTRICTS_FILE = tmp_path / "runs", tmp_path / "none.geojson"
    return settings.RUNS_FOLDER


@pytest.fixture
def begun(people, folder):
    """A run of the whole region, as the worker begins it."""
    run, _is_new = starting.start(people["administrator"].actor, place=Place.root(), name="甲", plan=SMALL)
    Run.objects.filter(pk=run.pk).update(state=Run.State.RUNNING)
    return run


def fresh(run):
    return Run.objects.get(pk=run.pk)


# ── plans ──


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[match", "plan.syntax"),
        ("[match]\ntop_j = 3", "plan.unknown"),
        ("[match]\ntop_k = 'three'", "plan.type"),
        ("[match]\ntop_k = 0", "plan.value"),
        ("on = '30.02.2026'", "plan.day"),
        ("[allocate]\nbeside = ['/etc']", "web.run_path"),
        ("[match]\nencoder = 'folder:/etc'", "web.run_path"),
        ("[match]\nencoder = 'static+folder:/etc'", "web.run_path"),
        ("#" * 10_001, "web.run_long"),
        ("a = " + "[" * 5000, "plan.syntax"),
    ],
)  # fmt: skip
def test_a_plan_of_the_site_is_refused_with_a_code_and_reads_no_file(text, code):
    with pytest.raises((PlanError, WebError)) as caught:
        read_plan(text)
    assert caught.value.code == code


def test_a_plan_of_the_site_is_that_of_the_command_line():
    assert read_plan("[match]\r\ntop_k = 3\r\nencoder = 'static+words'") == Plan.of(
        {"match": {"top_k": 3, "encoder": "static+words"}}
    )


# ── starting ──


def test_the_same_run_is_started_once(people, folder):
    actor, place = people["administrator"].actor, Place.root()
    first, is_new = starting.start(actor, place=place, plan=SMALL, steps=("experts", "link"))
    again, is_again = starting.start(actor, place=place, plan=SMALL, steps=("link", "experts"))
    other, _is_new = starting.start(actor, place=place, plan="", steps=("link",))

    assert (again.pk, is_new, is_again) == (first.pk, True, False)
    assert (other.pk, first.steps, first.pseudonym) == (first.pk + 1, "link experts", actor.pseudonym)
    assert LogEntry.objects.filter(action="runs.start").count() == 2


def test_no_more_than_a_few_runs_of_a_place_wait(people, folder):
    actor, place = people["administrator"].actor, Place.root()
    for top in range(starting.MOST):
        starting.start(actor, place=place, plan=f"[match]\ntop_k = {top + 1}")

    with pytest.raises(WebError) as caught:
        starting.start(actor, place=place, plan="")
    assert caught.value.code == "web.run_many"


def test_an_unknown_step_starts_nothing(people, folder):
    with pytest.raises(ValueError, match="teleport"):
        starting.start(people["administrator"].actor, place=Place.root(), steps=("teleport",))


# ── the region of a run ──


def test_the_region_of_a_county_has_its_needs_and_everybodys_experts(registry, folder, tmp_path):
    county = Place.objects.filter(level="county", place_id__in=Need.objects.values("place_id")).first()
    write_region(county, tmp_path / "region")

    region = region_tables.read_region(tmp_path / "region")
    inside = set(
        Need.objects.filter(place__path__startswith=county.path, state="published").values_list("pk", flat=True)
    )
    assert set(region["needs"]["need_id"]) == inside
    assert region["experts"].height == Expert.objects.filter(state="published").count()
    whole = region_tables.check(region)
    assert whole.filter(code="value.reference").height == 0
    projects = region["projects"]["need_id"].drop_nulls()
    assert set(projects) <= inside


def test_a_place_without_needs_is_told_so(registry, folder, tmp_path):
    park = Place.objects.create(place_id="p-1", level="park", name="空园区", parent=Place.root())
    with pytest.raises(WebError) as caught:
        write_region(park, tmp_path / "region")
    assert caught.value.code == "web.run_empty"
    assert not (tmp_path / "region").exists()


# ── computing ──


def test_a_run_gives_what_the_command_line_gives(begun, tmp_path):
    computing.compute(begun.pk)

    run = fresh(begun)
    plan = Plan.of({"report": {"charts": False, "title": Place.root().name}})
    by_hand = pipeline.run(run.folder / "region", tmp_path / "out", plan=plan)
    assert (run.state, run.code) == ("done", "")
    assert reading.receipt_of(run)["files"] == by_hand.receipt["files"]
    assert [step["name"] for step in run.progress["steps"]][-1] == "report"
    assert (run.folder / "site" / "needs.parquet").is_file()
    assert f">{Place.root().name}<span" in (run.folder / "out" / "report.html").read_text()


def test_a_run_of_one_engine_gives_its_tables_alone(people, folder):
    run, _is_new = starting.start(people["administrator"].actor, place=Place.root(), steps=("link",), plan=SMALL)
    Run.objects.update(state=Run.State.RUNNING)
    computing.compute(run.pk)

    assert fresh(run).state == "done"
    assert sorted(path.stem for path in (run.folder / "out").glob("s*.parquet")) == ["same", "same_people"]
    assert not (run.folder / "out" / "report.html").exists()


def test_a_run_that_fails_says_why_and_tells_who_started_it(begun, people):
    Run.objects.filter(pk=begun.pk).update(plan="[match]\ntop_k = 0")
    computing.compute(begun.pk)

    run = fresh(begun)
    assert (run.state, run.code) == ("failed", "plan.value")
    assert run.ended_at is not None
    assert Notification.objects.filter(kind="runs.ended", user=people["administrator"].user).count() == 1


def test_a_fault_of_the_program_is_told_as_one(begun, monkeypatch, caplog):
    monkeypatch.setattr(computing, "prepare", lambda _: {}["nothing"])
    computing.compute(begun.pk)

    assert (fresh(begun).state, fresh(begun).code, fresh(begun).found) == (
        "failed",
        "web.run_broken",
        {"found": "KeyError"},
    )
    assert "KeyError" in caplog.text


def test_a_thread_that_tells_how_far_a_run_is_keeps_no_connection(begun):
    told = computing.Told(begun)

    def tell():
        told.step("match", 1)
        return connection.connection

    with ThreadPoolExecutor(1) as thread:
        kept = thread.submit(tell).result()

    assert kept is None or connection.vendor == "sqlite"  # the tests' is in memory: it stays


def test_a_run_that_shall_hold_does_so_when_it_is_done(begun):
    Run.objects.filter(pk=begun.pk).update(adopts=True)
    computing.compute(begun.pk)

    assert queries.current_run(Place.root()) == begun
    county = Place.objects.filter(level="county").first()
    assert queries.current_run(county) == begun


# ── cancel, adopt ──


def test_a_waiting_run_is_cancelled_at_once_and_never_computed(people, folder):
    actor = people["administrator"].actor
    run, _is_new = starting.start(actor, place=Place.root(), plan=SMALL)

    assert starting.cancel(actor, run)
    assert not starting.cancel(actor, fresh(run))
    executing.execute(run.pk)
    assert fresh(run).state == "cancelled"
    assert not run.folder.exists()


def test_only_a_finished_run_is_adopted(people, begun):
    with pytest.raises(WebError) as caught:
        starting.adopt(people["administrator"].actor, begun)
    assert caught.value.code == "web.run_unfinished"


def test_the_run_adopted_last_holds_and_leaving_it_brings_the_one_before_back(people, folder):
    actor, root = people["administrator"].actor, Place.root()
    one, two = (Run.objects.create(name=name, place=root, state="done") for name in "ab")
    starting.adopt(actor, one)
    starting.adopt(actor, two)

    assert queries.current_run(root) == two
    assert starting.leave(actor, two)
    assert queries.current_run(root) == one
    assert not starting.leave(actor, fresh(two))


# ── who sees which ──


def test_a_run_is_seen_by_those_who_look_after_its_place_or_live_by_it(people, folder):
    officer = Post.objects.select_related("place").get(user=people["officer"].user)
    other = Place.objects.filter(level="county").exclude(pk=officer.place_id).first()
    root, own, strange = (
        Run.objects.create(name=p.name, place=p, state="done") for p in (Place.root(), officer.place, other)
    )

    def seen(role):
        return set(queries.visible_runs(people[role].actor))

    assert seen("administrator") == seen("broker") == {root, own, strange}
    assert seen("officer") == {own}
    assert all(seen(role) == set() for role in ("visitor", "enterprise", "researcher", "manager", "judge", "auditor"))
    starting.adopt(people["administrator"].actor, root)
    assert seen("officer") == {own, root}
    with pytest.raises(Http404):
        queries.seen_or_404(people["officer"].actor, strange.pk)
    assert not queries.may_start(people["officer"].actor, other)
    assert set(queries.places_of(VISITOR)) == set()


# ── folders ──


def test_folders_of_old_runs_go_but_those_adopted_and_the_newest(people, folder):
    root = Place.root()
    made = [Run.objects.create(name=str(n), place=root, state="done") for n in range(reading.KEPT + 3)]
    for run in made:
        (run.folder / "out").mkdir(parents=True)
    starting.adopt(people["administrator"].actor, made[0])

    assert tasks.drop_old_runs() == 2
    assert [run.folder.exists() for run in made[:4]] == [True, False, False, True]
    with pytest.raises(WebError) as caught:
        reading.out_of(made[1])
    assert caught.value.code == "web.run_gone"


def waited_for(lock: int) -> bool:
    """Whether a process waits for the lock of a file with an inode."""
    return any("->" in row and f":{lock} " in row for row in Path("/proc/locks").read_text().splitlines())


def test_folders_of_old_runs_wait_for_a_backup_that_takes_them(people, folder):
    made = [Run.objects.create(name=str(n), place=Place.root(), state="done") for n in range(reading.KEPT + 1)]
    for run in made:
        (run.folder / "out").mkdir(parents=True)
    begun, over, seen = threading.Event(), threading.Event(), []

    def take():
        """A backup: it ends when somebody waits for it, and says what was there until then."""
        with holding.held():
            lock = (Path(settings.HOME_FOLDER) / holding.LOCK).stat().st_ino
            begun.set()
            while not over.wait(0.01) and not waited_for(lock):
                pass
            seen.append(made[0].folder.exists())

    taking = threading.Thread(target=take)
    taking.start()
    begun.wait()
    gone = tasks.drop_old_runs()
    over.set()
    taking.join()

    assert (gone, seen) == (1, [True])
    assert not made[0].folder.exists()


# ── time ──


def test_a_run_that_lasts_too_long_is_ended(people, folder, monkeypatch):
    run, _is_new = starting.start(people["administrator"].actor, place=Place.root(), plan=SMALL)
    monkeypatch.setattr(executing, "LONGEST", 0)
    monkeypatch.setattr(processes, "COMMAND", ("sleep",))
    executing.execute(run.pk)

    assert (fresh(run).state, fresh(run).code) == ("failed", "web.run_overdue")
