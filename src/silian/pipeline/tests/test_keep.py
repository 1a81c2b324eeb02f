"""Indexes in files: opened as they were saved, refused where broken, whole while others write."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from silian import pipeline
from silian.engines import match
from silian.engines.match import keep
from silian.errors import StoreError
from silian.tables.array_file import open_arrays, write_arrays

SUBJECTS = ["锂离子电池隔膜", "立方氮化硼单晶", "轴承钢热处理", "小麦新品种选育", "机器人减速器", "氧化铝陶瓷"]
NEEDS = pl.DataFrame({"need_id": ["n1", "n2"], "title": ["锂电池隔膜耐热", "减速器"], "text": ["", "轴承磨损"]})


def targets(size):
    """`size` targets; the needs find others among more."""
    titles = [SUBJECTS[i % 6] + SUBJECTS[i * i % 5] for i in range(size)]
    return pl.DataFrame({"target_id": [f"t{i:03d}" for i in range(size)], "title": titles, "text": [""] * size})


@pytest.fixture
def saved(tmp_path):
    pipeline.save_index(match.build(targets(20), encoder="corpus"), tmp_path / "a.index")
    return tmp_path / "a.index"


def test_open_index_ranks_as_the_index_that_was_saved(saved):
    built, opened = match.build(targets(20), encoder="corpus"), pipeline.open_index(saved)

    assert_frame_equal(match.rank(NEEDS, opened), match.rank(NEEDS, built), check_exact=True)
    assert_frame_equal(opened.ask("减速器"), built.ask("减速器"), check_exact=True)


def test_same_index_makes_the_same_file(saved, tmp_path):
    pipeline.save_index(match.build(targets(20)[::-1], encoder="corpus"), tmp_path / "again")
    pipeline.save_index(pipeline.open_index(saved), tmp_path / "reopened")

    assert (tmp_path / "again").read_bytes() == saved.read_bytes()
    assert (tmp_path / "reopened").read_bytes() == saved.read_bytes()


def test_index_may_be_saved_where_it_was_opened(saved):
    opened = pipeline.open_index(saved)
    pipeline.save_index(opened, saved)

    assert_frame_equal(match.rank(NEEDS, pipeline.open_index(saved)), match.rank(NEEDS, opened), check_exact=True)


def test_broken_byte_in_the_vectors_is_named(saved):
    vectors = open_arrays(saved, kind="index", version=keep.INDEX_VERSION).arrays["vectors.codes"].tobytes()
    content = bytearray(saved.read_bytes())
    content[content.index(vectors) + 3] ^= 0x40
    saved.write_bytes(bytes(content))

    with pytest.raises(StoreError, match=r"store\.broken.*a\.index has a broken byte in vectors\.codes"):
        pipeline.open_index(saved)


def test_index_that_was_cut_short_is_refused_even_unverified(saved):
    saved.write_bytes(saved.read_bytes()[:-100])

    with pytest.raises(StoreError, match=r"store\.length.*a\.index"):
        pipeline.open_index(saved, verify=False)


def test_index_of_another_version_says_what_to_do(saved, tmp_path):
    packed = keep.to_arrays(pipeline.open_index(saved))
    later = keep.INDEX_VERSION + 1
    write_arrays(tmp_path / "later", packed.arrays, kind="index", version=later, header=packed.header)

    with pytest.raises(StoreError, match=rf"store\.version.*index of version {later};.*Build it again"):
        pipeline.open_index(tmp_path / "later")


def test_file_of_another_kind_is_no_index(saved, tmp_path):
    write_arrays(tmp_path / "other", {}, kind="grader", version=1, header={})

    with pytest.raises(StoreError, match=r"store\.kind.*grader, wanted index"):
        pipeline.open_index(tmp_path / "other")


# ── two runs at once ──

WRITER = """if True:
    import sys
    from pathlib import Path
    from silian import pipeline
    path = Path(sys.argv[1])
    both = [pipeline.open_index(Path(name)) for name in sys.argv[2:]]
    print("ready", flush=True)
    for i in range(30):
        pipeline.save_index(both[i % 2], path)
"""
READER = """if True:
    import io, json, sys
    from pathlib import Path
    import polars as pl
    from silian import pipeline
    from silian.engines import match
    needs = pl.read_json(io.StringIO(sys.argv[2]))
    print("ready", flush=True)
    sys.stdin.readline()
    found = []
    for i in range(15):
        index = pipeline.open_index(Path(sys.argv[1]))
        found.append((len(index), match.rank(needs, index, why=False).rows()))
    print(json.dumps(found), flush=True)
"""


def begun(code, *arguments):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_readers_of_an_index_that_is_written_again_and_again_get_a_whole_one(tmp_path):
    path, sizes = tmp_path / "a.index", (20, 33)
    wanted = {}
    for size in sizes:
        index = match.build(targets(size), encoder="corpus")
        wanted[size] = [list(row) for row in match.rank(NEEDS, index, why=False).rows()]
        pipeline.save_index(index, tmp_path / f"{size}.index")
        pipeline.save_index(index, path)
    assert wanted[20] != wanted[33]

    readers = [begun(READER, path, NEEDS.write_json()) for _ in range(2)]
    writers = [begun(WRITER, path, *(tmp_path / f"{size}.index" for size in sizes)) for _ in range(2)]
    for process in (*readers, *writers):
        assert process.stdout.readline() == "ready\n"
    answers = []
    for process in readers:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in (*readers, *writers):
        out, _ = process.communicate()
        assert process.returncode == 0
        answers += json.loads(out) if out else []

    assert len(answers) == 30
    assert all(rows == wanted[size] for size, rows in answers)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["20.index", "33.index", "a.index"]
