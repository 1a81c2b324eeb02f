"""The main job on other runners: the same bytes, also when a worker is killed, and steps taken over from each other."""

import signal
import threading
import time

import psutil
import pytest
from places import TINY

from silian import compute, pipeline
from silian.pipeline import Plan
from silian.tables import synth

pytestmark = pytest.mark.cluster

PLAN = Plan.of(Plan.read(TINY / "plan.toml").as_dict() | {"report": {"charts": False}})


@pytest.fixture(scope="module")
def cluster():
    """A Ray cluster of two workers on this machine."""
    with compute.runner("ray:local:2") as opened:
        yield opened


def contents(run) -> dict[str, bytes]:
    """Every file of a run but the receipt, which holds the seconds and where it ran."""
    files = [p for p in run.path.rglob("*") if p.is_file() and p.name != "receipt.json"]
    return {p.relative_to(run.path).as_posix(): p.read_bytes() for p in files}


def resumed(run) -> set[str]:
    return {step["name"] for step in run.receipt["steps"] if step["resumed"]}


def kill_a_worker(killed):
    """Kill the first process that works on a block."""
    while not killed:
        for process in psutil.Process().children(recursive=True):
            if "ray::_work" in " ".join(process.cmdline()[:1]):
                process.send_signal(signal.SIGKILL)
                killed.append(process.pid)
                return
        time.sleep(0.005)


def test_run_gives_the_same_bytes_on_a_cluster(cluster, tmp_path):
    here = pipeline.run(TINY, tmp_path / "here", plan=PLAN)
    there = pipeline.run(TINY, tmp_path / "there", plan=PLAN, runner=cluster)

    assert contents(there) == contents(here)
    assert here.receipt["ran"] == {"where": "local", "machines": 1, "workers": 1}
    assert there.receipt["ran"] == {"where": "ray:local:2", "machines": 1, "workers": 2}


def test_run_takes_over_what_was_done_elsewhere(cluster, tmp_path):
    steps = ("achievements", "experts")
    pipeline.run(TINY, tmp_path / "one", plan=PLAN, only=steps)
    pipeline.run(TINY, tmp_path / "other", plan=PLAN, only=steps, runner=cluster)

    assert set(steps) <= resumed(pipeline.run(TINY, tmp_path / "one", plan=PLAN, only=steps, runner=cluster))
    assert set(steps) <= resumed(pipeline.run(TINY, tmp_path / "other", plan=PLAN, only=steps))


def test_run_of_a_county_gives_the_same_bytes_when_a_worker_is_killed(cluster, tmp_path):
    region, only = tmp_path / "region", ("achievements", "experts")
    synth.write(synth.make("county", seed=7), region)
    plan, small_blocks = (Plan.of({"match": {"encoder": "corpus", "block_rows": rows}}) for rows in (250, 7))
    killed: list[int] = []

    here = pipeline.run(region, tmp_path / "here", plan=plan, only=only)
    killer = threading.Thread(target=kill_a_worker, args=(killed,))
    killer.start()
    there = pipeline.run(region, tmp_path / "there", plan=small_blocks, only=only, runner=cluster)
    killer.join()

    assert len(killed) == 1
    for name in ("achievement_pairs", "expert_pairs"):
        assert here.table(name).height > 1000
        assert (there.path / f"{name}.parquet").read_bytes() == (here.path / f"{name}.parquet").read_bytes()
