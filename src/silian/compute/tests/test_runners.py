"""The contract of runners: a table gives the same rows however it is cut, wherever it runs and whoever is killed."""

import os
import signal
import sys
import threading
import time

import numpy as np
import polars as pl
import psutil
import pytest
from polars.testing import assert_frame_equal

from silian import compute
from silian.compute.tests import verbs
from silian.errors import ArgumentError, ComputeError, TableError

NUMBERS = pl.DataFrame({"n": range(100)})
pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def cluster():
    """A Ray cluster of two workers on this machine."""
    with compute.runner("ray:local:2") as opened:
        yield opened


@pytest.fixture(params=["local", "ray:local:2"])
def runner(request):
    """Every runner in turn."""
    if request.param == "local":
        with compute.runner() as opened:
            yield opened
    else:
        yield request.getfixturevalue("cluster")


@pytest.mark.parametrize("rows", [1, 7, 10_000])
def test_map_blocks_equals_one_block(runner, rows):
    assert_frame_equal(runner.map_blocks(verbs.double, NUMBERS, rows=rows), verbs.double(NUMBERS))


@pytest.mark.parametrize("rows", [7, 10_000])
def test_map_blocks_keeps_every_kind_of_column(runner, rows):
    assert_frame_equal(runner.map_blocks(verbs.unlike, NUMBERS, rows=rows), verbs.unlike(NUMBERS))


def test_map_blocks_of_an_empty_table_has_the_columns(runner):
    split = runner.map_blocks(verbs.double, NUMBERS.clear(), rows=10)

    assert_frame_equal(split, verbs.double(NUMBERS.clear()))


def test_map_blocks_hands_over_what_is_shared_by_name(runner):
    shared = {"table": NUMBERS.with_columns(square=pl.col("n") ** 2), "by": 3}

    split = runner.map_blocks(verbs.beside, NUMBERS, rows=9, shared=shared)

    assert_frame_equal(split, verbs.beside(NUMBERS, **shared))


def test_map_blocks_takes_a_function_that_has_no_name(runner):
    more = 5

    split = runner.map_blocks(lambda block: block + more, NUMBERS, rows=30)

    assert_frame_equal(split, NUMBERS + 5)


def test_map_blocks_tells_the_rows_done(runner):
    told: list[int] = []

    runner.map_blocks(verbs.double, NUMBERS, rows=40, on_block=told.append)

    assert sorted(told) == [20, 40, 40]


def test_map_blocks_refuses_blocks_without_rows(runner):
    with pytest.raises(ArgumentError, match=r"argument\.value.*rows is 0"):
        runner.map_blocks(verbs.double, NUMBERS, rows=0)


def test_map_blocks_lets_an_error_of_silian_come_out_as_it_is(runner):
    with pytest.raises(TableError, match=r"table\.value.*numbers\.n are wrong, e\.g\. \[42\]") as caught:
        runner.map_blocks(verbs.refuse, NUMBERS, rows=5, shared={"wrong": 42})

    assert type(caught.value) is TableError
    assert caught.value.problems["n"].to_list() == [42]
    assert caught.value.message("zh").startswith("numbers.n 有 1 个值")


def test_map_blocks_lets_a_mistake_come_out_as_it_is(runner):
    with pytest.raises(ZeroDivisionError):
        runner.map_blocks(verbs.divide, NUMBERS, rows=4)


def test_map_blocks_works_again_after_an_error(runner):
    with pytest.raises(ZeroDivisionError):
        runner.map_blocks(verbs.divide, NUMBERS, rows=1)

    assert_frame_equal(runner.map_blocks(verbs.double, NUMBERS, rows=1), verbs.double(NUMBERS))


def test_map_blocks_leaves_what_is_shared_as_it_was(runner):
    array = np.arange(1000.0)

    runner.map_blocks(lambda block, array: block + array[0], NUMBERS, rows=50, shared={"array": array})

    assert array.flags.writeable
    assert array.sum() == 499_500


@pytest.mark.parametrize("name", ["", "Local", "ray", "ray:local:0", "ray:local:two", "ray://host", "http://a:1"])
def test_runner_refuses_a_name_that_nothing_has(name):
    with pytest.raises(ComputeError, match=r"compute\.name.*ray:local:<workers>"), compute.runner(name):
        pass


# ── on a cluster ──


def test_map_blocks_gives_the_same_when_a_worker_kills_itself(cluster, tmp_path):
    mark = tmp_path / "killed"

    split = cluster.map_blocks(verbs.die_once, NUMBERS, rows=5, shared={"mark": mark})

    assert mark.exists()
    assert_frame_equal(split, verbs.double(NUMBERS))


def test_map_blocks_gives_the_same_when_a_worker_is_killed(cluster, tmp_path):
    killed: list[int] = []

    def kill_the_first():
        while not (found := list(tmp_path.iterdir())):
            time.sleep(0.01)
        os.kill(int(found[0].name), signal.SIGKILL)
        killed.append(int(found[0].name))

    killer = threading.Thread(target=kill_the_first)
    killer.start()
    split = cluster.map_blocks(verbs.write_pid, NUMBERS, rows=10, shared={"folder": tmp_path})
    killer.join()

    assert_frame_equal(split, verbs.double(NUMBERS))
    assert len({int(path.name) for path in tmp_path.iterdir()} - set(killed)) >= 2  # another one took its place


def test_map_blocks_names_the_block_whose_worker_always_dies(cluster):
    with pytest.raises(ComputeError, match=r"compute\.worker.*Block 5 failed 4 times"):
        cluster.map_blocks(verbs.die_always, NUMBERS[:8], rows=1)


def test_map_blocks_holds_what_is_shared_once_for_all_workers(cluster, tmp_path):
    shared = {"array": np.ones((500, 1000)), "folder": tmp_path, "workers": 2}

    seen = cluster.map_blocks(verbs.look, NUMBERS, rows=1, shared=shared).unique()

    assert seen["pid"].n_unique() == 2
    assert seen["place"].n_unique() == 1
    assert seen["place"][0] != "nowhere"
    assert not seen["owned"].any()
    assert not seen["writeable"].any()


def test_map_blocks_gives_a_worker_one_thread_and_the_same_rank_among_processes(cluster):
    used = cluster.map_blocks(verbs.threads, NUMBERS, rows=50).unique()

    assert used.rows() == [(1, 1, 1, os.nice(0))]


def test_map_blocks_has_few_blocks_under_way(cluster, tmp_path):
    told: list[int] = []
    under_way: list[int] = []

    def tell(rows):
        told.append(rows)
        under_way.append(len(list(tmp_path.iterdir())) - len(told))

    cluster.map_blocks(verbs.begin, NUMBERS, rows=1, shared={"folder": tmp_path}, on_block=tell)

    assert len(told) == 100
    assert max(under_way) <= 2 * cluster.workers


def test_runner_leaves_the_environment_as_it_was(cluster):
    assert "NUMBA_NUM_THREADS" not in os.environ
    assert not {name for name in os.environ if name.startswith("RAY_AUTH")}


def test_runner_listens_on_this_machine_alone(cluster):
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]

    heard = {c.laddr.ip for p in processes for c in p.net_connections("inet") if c.status == psutil.CONN_LISTEN}

    assert heard
    assert heard <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


def test_runner_refuses_a_second_cluster_in_one_process(cluster):
    with pytest.raises(ComputeError, match=r"compute\.connected"), compute.runner("ray:local:1"):
        pass


def test_runner_says_when_nothing_answers():
    with pytest.raises(ComputeError, match=r"compute\.unreachable.*refused"), compute.runner("ray://127.0.0.1:9"):
        pass


@pytest.mark.parametrize("package", ["ray", "grpc"])
def test_runner_says_which_package_is_missing(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed

    with (
        pytest.raises(ComputeError, match=rf"compute\.package.*package {package},.*silian\[ray\]"),
        compute.runner("ray:local"),
    ):
        pass
