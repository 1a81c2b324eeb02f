"""A run folder appears whole or not at all, whatever happens on the way."""

import json
import os
import subprocess
import sys

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from silian.errors import RunError
from silian.pipeline.folder import RECEIPT, WorkFolder, full_disk_told

TABLE = pl.DataFrame({"need_id": ["n1", "n2"], "why": [[{"term": "轴承", "part": 0.5}], []]})


def finished_run(out, text="old"):
    out.mkdir()
    (out / RECEIPT).write_text(json.dumps({"text": text}), encoding="utf-8")
    return out


def test_folder_appears_with_only_the_files_that_are_kept(tmp_path):
    with WorkFolder(tmp_path / "run").opened() as folder:
        folder.write_table("pairs", TABLE)
        folder.write_bytes("charts/one.svg", b"<svg/>")
        folder.write_bytes("left-over.txt", b"x")
        folder.appear({"pairs.parquet", "charts/one.svg"})

    found = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file())
    assert found == ["run/charts/one.svg", "run/pairs.parquet"]
    assert_frame_equal(pl.read_parquet(tmp_path / "run" / "pairs.parquet"), TABLE)


def test_folder_replaces_the_old_run_whole(tmp_path):
    out = finished_run(tmp_path / "run")
    (out / "old.txt").write_text("old")

    with WorkFolder(out).opened() as folder:
        folder.write_bytes(RECEIPT, b"{}")
        folder.appear({RECEIPT})

    assert [p.name for p in out.iterdir()] == [RECEIPT]
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_folder_leaves_the_old_run_when_the_work_fails(tmp_path):
    out = finished_run(tmp_path / "run")

    with pytest.raises(OSError, match="No such file"), WorkFolder(out).opened() as folder:
        folder.finish("match", "key", files=["was never written"])

    assert json.loads((out / RECEIPT).read_text(encoding="utf-8")) == {"text": "old"}


def test_folder_knows_a_finished_step_by_its_key(tmp_path):
    with WorkFolder(tmp_path / "run").opened() as folder:
        folder.finish("match", "key", files=[folder.write_table("pairs", TABLE)])

    with WorkFolder(tmp_path / "run").opened() as folder:
        assert folder.finished("match", "key")
        assert not folder.finished("match", "another key")
        assert_frame_equal(folder.read_table("pairs"), TABLE)


def test_folder_forgets_a_finished_step_whose_file_has_a_broken_byte(tmp_path):
    with WorkFolder(tmp_path / "run").opened() as folder:
        folder.finish("match", "key", files=[folder.write_table("pairs", TABLE)])
    broken = tmp_path / ".run.work" / "pairs.parquet"
    content = bytearray(broken.read_bytes())
    content[len(content) // 2] ^= 1
    broken.write_bytes(content)

    with WorkFolder(tmp_path / "run").opened() as folder:
        assert not folder.finished("match", "key")


def test_folder_is_held_by_one_run_at_a_time(tmp_path):
    out = tmp_path / "run"

    with WorkFolder(out).opened(), pytest.raises(RunError, match=r"run\.busy"), WorkFolder(out).opened():
        pass


@pytest.mark.parametrize("make", [lambda p: p.write_text("a letter"), lambda p: (p.mkdir(), (p / "a.txt").touch())])
def test_folder_never_replaces_what_is_not_a_run(tmp_path, make):
    make(tmp_path / "mine")

    with pytest.raises(RunError, match=r"run\.not_a_run"), WorkFolder(tmp_path / "mine").opened():
        pass


def test_folder_says_when_the_disk_is_full(tmp_path):
    # a real kernel answer: a file size limit of 64 KiB in a process of its own
    script = """
import resource, signal, sys
from pathlib import Path
import numpy as np, polars as pl
from silian.errors import RunError
from silian.pipeline.folder import WorkFolder
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
out = Path(sys.argv[1])
with WorkFolder(out).opened() as folder:
    folder.finish("small", "key", files=[folder.write_table("small", pl.DataFrame({"n": [1]}))])
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
    try:
        if sys.argv[2] == "table":
            folder.write_table("big", pl.DataFrame({"x": np.random.default_rng(7).random(100_000)}))
        else:
            folder.write_bytes("big.html", bytes(1_000_000))
    except RunError as error:
        print(error.code, error.found["path"])
"""
    for kind in ("table", "page"):
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "run"), kind], capture_output=True, text=True, check=True
        )

        assert done.stdout.startswith("run.disk ")
        assert not (tmp_path / "run").exists()
        with WorkFolder(tmp_path / "run").opened() as folder:
            assert folder.finished("small", "key")  # what was finished is kept


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_folder_says_when_it_may_not_write(tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)

    with pytest.raises(RunError, match=r"run\.disk"), WorkFolder(tmp_path / "closed" / "run").opened():
        pass


def test_full_disk_told_lets_other_errors_through(tmp_path):
    with pytest.raises(FileNotFoundError), full_disk_told(tmp_path):
        (tmp_path / "nothing").read_bytes()
