"""A grader as arrays and back: the same grader, or a clear refusal."""

import json
from functools import cache

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from silian import pipeline, text
from silian.engines import match
from silian.engines.match import keep
from silian.errors import MatchError, StoreError
from silian.tables.packing import Packed

FIELDS = ["锂电池隔膜", "轴承钢热处理", "茶叶加工", "废水脱氮", "机器人减速器", "氧化铝陶瓷", "小麦育种", "5G天线"]


def texts(name, number):
    titles = [FIELDS[i % len(FIELDS)] + FIELDS[i * i % 5] for i in range(number)]
    return pl.DataFrame(
        {f"{name}_id": [f"{name}{i}" for i in range(number)], "title": titles, "text": FIELDS * (number // 8)}
    )


NEEDS, TARGETS = texts("need", 24), texts("target", 40)
PAIRS = NEEDS.select("need_id").join(TARGETS.select("target_id"), how="cross")


@cache
def learnt(name):
    """From many labels, few, or none."""
    number, encoder = {"many": (600, "corpus"), "few": (5, "words"), "none": (0, "words")}[name]
    alike = PAIRS.with_columns(level=(pl.int_range(pl.len()) * 7 % 4 + 1).cast(pl.Int64)).sample(number, seed=1)
    return match.learn(alike, NEEDS, TARGETS, encoder=encoder)


def through(grader):
    """Packed, its header written as JSON and read, made again of arrays that nobody can change."""
    packed = keep.grader_to_arrays(grader)
    arrays = {name: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape) for name, a in packed.arrays.items()}
    return Packed(json.loads(json.dumps(packed.header, allow_nan=False)), arrays)


@pytest.mark.parametrize("name", ["many", "few", "none"])
def test_grader_that_was_kept_grades_alike_to_the_last_bit(name):
    grader = learnt(name)

    found = keep.grader_from_arrays(through(grader))

    assert found.quality == grader.quality
    wanted = match.grade(PAIRS, NEEDS, TARGETS, grader)
    assert_frame_equal(match.grade(PAIRS, NEEDS, TARGETS, found), wanted, check_exact=True)
    assert_frame_equal(match.grade_examples(PAIRS[:9], NEEDS, TARGETS, found),
                       match.grade_examples(PAIRS[:9], NEEDS, TARGETS, grader), check_exact=True)  # fmt: skip


def test_header_tells_quality_and_what_the_grader_learnt_from():
    header = through(learnt("many")).header

    assert header["quality"] == learnt("many").quality._asdict()
    assert header["learnt_from"] == learnt("many").learnt_from
    assert header["encoder"]["digest"] == learnt("many").encoder.digest


def test_grader_is_saved_and_opened(tmp_path):
    grader = learnt("few")
    pipeline.save_grader(grader, tmp_path / "levels.grader")

    found = pipeline.open_grader(tmp_path / "levels.grader", encoder=text.encoder("words"))

    assert_frame_equal(match.grade(PAIRS, NEEDS, TARGETS, found), match.grade(PAIRS, NEEDS, TARGETS, grader))
    with pytest.raises(StoreError, match=r"store\.kind.*grader, wanted index"):
        pipeline.open_index(tmp_path / "levels.grader")


def test_grader_is_refused_for_an_index_of_another_encoder(tmp_path):
    pipeline.save_grader(learnt("few"), tmp_path / "levels.grader")
    index = match.build(TARGETS, encoder="corpus")

    with pytest.raises(MatchError, match=r"match\.encoder.*encoder of the grader was .*words.*corpus"):
        pipeline.open_grader(tmp_path / "levels.grader", encoder=index.encoder)


def test_header_without_a_grader_is_refused():
    with pytest.raises(StoreError, match=r"store\.content"):
        keep.grader_from_arrays(keep.to_arrays(match.build(TARGETS, encoder="words")))


def fewer(array):
    return array[:-1]


BROKEN = [("dual", fewer), ("figures", fewer), ("stage.slopes", fewer), ("stage.wide", fewer),
          ("need_rows.vector", fewer)]  # fmt: skip


@pytest.mark.parametrize(("name", "change"), BROKEN, ids=lambda x: x if isinstance(x, str) else x.__name__)
def test_arrays_that_do_not_fit_each_other_are_refused(name, change):
    packed = through(learnt("many"))
    arrays = {**packed.arrays, name: change(packed.arrays[name])}

    with pytest.raises(StoreError, match=r"store\.content"):
        keep.grader_from_arrays(Packed(packed.header, arrays))
