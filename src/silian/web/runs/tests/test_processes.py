"""Runs in real processes: killed, given up, taken up, cancelled. On SQLite, in a folder of their own."""

import json
import os
import shutil
import signal
import sqlite3
import time
from contextlib import closing

import psutil
import pytest

from silian.web.base.operation.tests.sites import Site

pytestmark = pytest.mark.long

LONG = "[match]\ntop_k = 50\n[chain]\nmatch = true\n"
FILL = (
    "call('migrate', verbosity=0); call('createcachetable', verbosity=0); "
    "from silian.web.catalog import demo; demo.fill('tiny', seed=7)"
)
START = (
    "from silian.web.runs.starting import start; from silian.web.base.actors import VISITOR; "
    "from silian.web.base.models import Place; "
    "start(VISITOR, place=Place.root(), name='a', steps={steps!r}, plan={plan!r})"
)
SHORT = ("experts",)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A site with a registry, made once."""
    made = Site(tmp_path_factory.mktemp("filled") / "home", "")
    made.home.mkdir()
    made.script(FILL)
    return made


@pytest.fixture
def site(filled, tmp_path):
    shutil.copytree(filled.home, tmp_path / "home")
    return Site(tmp_path / "home", "")


def begin(site, steps=()):
    """A run that waits, and a worker that takes it up."""
    site.script(START.format(plan=LONG, steps=steps))
    return site.start("work", "--queue", "runs", "--batch")


def asked(site, question):
    """The rows of an answer, read beside the site: starting it once more would take seconds."""
    with closing(sqlite3.connect(site.home / "silian.sqlite3")) as database:
        return database.execute(question).fetchall()


def state_of(site):
    [(state, code, found, progress)] = asked(site, "SELECT state, code, found, progress FROM runs_run")
    steps = json.loads(progress).get("steps", [])
    return {"state": state, "code": code, "found": json.loads(found), "resumed": [step["resumed"] for step in steps]}


def children_of(pid):
    return [p for p in psutil.Process(pid).children() if "compute" in p.cmdline()]


def wait_for(look, seconds=60):
    over = time.monotonic() + seconds
    while time.monotonic() < over:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError("nothing came")


def test_a_killed_process_is_started_anew_and_takes_over_what_was_done(site):
    worker = begin(site, SHORT)
    first = wait_for(lambda: children_of(worker.pid))[0]
    wait_for(lambda: list((site.home / "runs").glob("*/*/conflicts.parquet")))
    os.kill(first.pid, signal.SIGKILL)
    worker.communicate(timeout=120)

    found = state_of(site)
    assert (found["state"], found["code"]) == ("done", "")
    assert any(found["resumed"])


def test_a_process_that_falls_again_and_again_is_given_up_with_its_signal(site):
    worker = begin(site)
    killed = set()
    while worker.poll() is None:
        for child in children_of(worker.pid) if worker.poll() is None else ():
            if child.pid not in killed:
                killed.add(child.pid)
                os.kill(child.pid, signal.SIGKILL)
        time.sleep(0.05)
    worker.communicate()

    found = state_of(site)
    assert (found["state"], found["code"]) == ("failed", "web.run_fell")
    assert found["found"] == {"count": 3, "found": "SIGKILL"}
    assert len(killed) == 3


def test_a_killed_worker_takes_its_process_along_and_the_next_one_takes_the_run_up(site):
    worker = begin(site, SHORT)
    child = wait_for(lambda: children_of(worker.pid))[0]
    worker.kill()
    worker.communicate()
    wait_for(lambda: not child.is_running())

    assert state_of(site)["state"] == "running"
    site.do("work", "--queue", "runs", "--batch")
    assert state_of(site)["state"] == "done"


def test_a_worker_told_twice_to_end_leaves_its_run_to_the_next(site):
    worker = begin(site, SHORT)
    child = wait_for(lambda: children_of(worker.pid))[0]
    worker.terminate()
    time.sleep(0.1)  # or the two are one signal
    worker.send_signal(signal.SIGINT)
    worker.communicate(timeout=60)

    assert not child.is_running()
    assert state_of(site)["state"] == "running"
    tasks = "SELECT status FROM django_tasks_database_dbtaskresult WHERE queue_name = 'runs' ORDER BY status"
    assert asked(site, tasks) == [("READY",), ("SUCCESSFUL",)]
    site.do("work", "--queue", "runs", "--batch")
    assert state_of(site)["state"] == "done"


def test_a_running_run_is_cancelled_and_its_process_ends(site):
    worker = begin(site)
    child = wait_for(lambda: children_of(worker.pid))[0]
    site.script(
        "from silian.web.runs.starting import cancel; from silian.web.base.actors import VISITOR; "
        "from silian.web.runs.models import Run; cancel(VISITOR, Run.objects.get())",
    )
    worker.communicate(timeout=60)

    assert not child.is_running()
    assert state_of(site)["state"] == "cancelled"


def test_a_process_waits_for_the_next_run_and_another_for_the_one_after(site):
    worker = site.start("work", "--queue", "runs")
    ready = wait_for(lambda: children_of(worker.pid))[0]
    site.script(START.format(plan=LONG, steps=("link",)))
    wait_for(lambda: not ready.is_running())
    assert state_of(site)["state"] == "done"

    next_one = wait_for(lambda: children_of(worker.pid))[0]
    worker.kill()
    worker.communicate()
    wait_for(lambda: not next_one.is_running())


def test_a_process_killed_while_it_waits_costs_no_run(site):
    worker = site.start("work", "--queue", "runs")
    wait_for(lambda: children_of(worker.pid))[0].kill()
    site.script(START.format(plan=LONG, steps=("link",)))
    wait_for(lambda: state_of(site)["state"] not in ("waiting", "running"))
    worker.terminate()
    worker.communicate()

    assert worker.returncode == 0
    assert state_of(site)["state"] == "done"
