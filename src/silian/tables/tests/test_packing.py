"""Objects as arrays and back: the same, or refused."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal, assert_series_equal

from silian.errors import StoreError
from silian.tables.packing import Packed, check_lists, pack, unpack


class Lists(NamedTuple):
    ends: np.ndarray
    codes: np.ndarray


@dataclasses.dataclass(frozen=True)
class Space:
    words: tuple[str, ...]
    place: dict[str, int]
    idf: np.ndarray
    name: str = "space"


@dataclasses.dataclass(frozen=True, slots=True)
class Whole:
    a: Any = None
    b: Any = None


CLASSES = [Lists, Space, Whole]
WORDS = ("", "电池", "cbn-120", "a\nb\0c", "🔋")


def through(thing):
    """Packed, written as JSON and read, unpacked."""
    packed = pack(thing, classes=CLASSES)
    told = json.loads(json.dumps(packed.header, allow_nan=False))
    return unpack(Packed(told, packed.arrays), classes=CLASSES)


@pytest.mark.parametrize(
    "thing",
    [None, True, 0, -(2**70), 0.1, float("inf"), "", "电池", (), (1, "a", None), ("a", "b"), {}, {"a": 1},
     {"b": 0, "a": 1}, {"x": 0.5, "y": float("inf")}, {"n": None, "t": ("a",)}, {"z": True},
     Path("/a/模型"), Whole("a", Whole(1, ()))],
    ids=repr,
)  # fmt: skip
def test_unpack_gives_what_was_packed(thing):
    found = through(Whole(thing))

    assert found == Whole(thing)
    assert type(found.a) is type(thing)
    if isinstance(thing, dict):
        assert list(found.a) == list(thing)


def test_nan_stays_nan():
    assert np.isnan(through(float("nan")))


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@settings(max_examples=60, deadline=None)
@given(words=st.lists(texts, unique=True), numbers=st.lists(st.floats(allow_nan=False)))
def test_any_texts_and_numbers_come_back(words, numbers):
    thing = Whole(tuple(words), (dict(zip(words, numbers, strict=False)), {w: i for i, w in enumerate(words)}))

    assert through(thing) == thing


def test_texts_that_are_also_keys_are_kept_once_and_shared():
    place = {w: i for i, w in enumerate(WORDS)}
    packed = pack(Whole(Space(WORDS, place, np.ones(5)), Space(WORDS, dict(place), np.zeros(5))), classes=CLASSES)

    found = unpack(packed, classes=CLASSES)

    assert sorted(packed.arrays) == ["a.idf", "a.words", "a.words.ends", "b.idf"]
    assert found.a.words == WORDS
    assert found.a.place == place
    assert found.a.place is found.b.place


def test_an_array_that_stands_twice_is_kept_once():
    row = np.arange(5)

    assert list(pack(Whole(row, (row, Lists(row, row[:3]))), classes=CLASSES).arrays) == ["a", "b.1.codes"]


def test_arrays_keep_the_order_of_their_axes_in_memory():
    turned = np.arange(6.0).reshape(2, 3).T

    found = through(Whole(turned, np.arange(6.0).reshape(2, 3)))

    assert np.array_equal(found.a, turned)
    assert found.a.flags.f_contiguous
    assert found.b.flags.c_contiguous


def test_rows_come_back_without_a_copy():
    rows = sp.random_array((20, 30), density=0.2, rng=np.random.default_rng(1), dtype=np.float32).tocsr()
    packed = pack(Whole(rows), classes=CLASSES)

    found = unpack(packed, classes=CLASSES).a

    assert found.shape == rows.shape
    assert found.dtype == rows.dtype
    assert (found != rows).nnz == 0
    assert np.shares_memory(found.data, packed.arrays["a.data"])
    assert np.shares_memory(found.indices, packed.arrays["a.indices"])
    assert np.shares_memory(found.indptr, packed.arrays["a.indptr"])
    assert (found @ np.ones(30, np.float32)).shape == (20,)


def test_tables_come_back_with_their_types():
    frame = pl.DataFrame(
        {"id": ["a", None], "n": [1.5, None], "on": [None, "2026-01-02"], "parts": [[{"term": "电", "part": 0.5}], []]}
    ).with_columns(pl.col("on").str.to_date())

    found = through(Whole(frame, frame["id"]))

    assert_frame_equal(found.a, frame)
    assert_series_equal(found.b, frame["id"])


def test_empty_tables_come_back():
    frame = pl.DataFrame(schema={"id": pl.String(), "on": pl.Date()})

    assert_frame_equal(through(Whole(frame)).a, frame)


@pytest.mark.parametrize(
    "thing",
    [{1, 2}, object(), b"x", [1], {1: "a"}, np.float64(0.5), Exception()],
    ids=lambda thing: type(thing).__name__,
)
def test_what_no_file_should_hold_is_refused_by_name(thing):
    with pytest.raises(StoreError, match=r"store\.type.*b\.x is a.*cannot be kept"):
        pack(Whole(None, {"x": thing}), classes=CLASSES)


def test_class_that_is_not_allowed_is_not_packed():
    with pytest.raises(StoreError, match=r"store\.type.*a is a Lists.*one of Whole"):
        pack(Whole(Lists(np.zeros(1), np.zeros(0))), classes=[Whole])


WRONG = {
    "class": {"is": "object", "class": "Popen", "fields": {}},
    "fields": {"is": "object", "class": "Whole", "fields": {"a": 1}},
    "more fields": {"is": "object", "class": "Whole", "fields": {"a": 1, "b": 1, "c": 1}},
    "no fields": {"is": "object", "class": "Whole"},
    "kind": {"is": "pickle", "name": "x"},
    "kind of method": {"is": {}, "name": "x"},
    "no kind": {"name": "x"},
    "list": [1, 2],
    "array": {"is": "array", "name": "y"},
    "array name": {"is": "array", "name": {}},
    "texts": {"is": "texts", "name": "x"},
    "far texts": {"is": "texts", "name": "far"},
    "falling texts": {"is": "texts", "name": "falling"},
    "half a sign": {"is": "texts", "name": "half"},
    "texts of another type": {"is": "texts", "name": "wide"},
    "numbers": {"is": "numbers", "keys": "ok", "values": "x"},
    "frame": {"is": "frame", "name": "x"},
    "rows": {"is": "rows", "shape": [2, 3], "data": "x", "indices": "x", "indptr": "x"},
    "rows outside": {"is": "rows", "shape": [1, 2], "data": "one", "indices": "seven", "indptr": "from0to1"},
    "shape": {"is": "rows", "shape": [1], "data": "one", "indices": "seven", "indptr": "from0to1"},
    "float": {"is": "float", "value": "half"},
    "path": {"is": "path", "value": 5},
}
ARRAYS = {
    "x": np.arange(3), "one": np.ones(1), "seven": np.asarray([7]), "from0to1": np.asarray([0, 1]),
    "ok": np.frombuffer(b"abc", np.uint8), "ok.ends": np.asarray([0, 1, 2]),
    "far": np.frombuffer(b"abc", np.uint8), "far.ends": np.asarray([0, 1 << 40]),
    "falling": np.frombuffer(b"abc", np.uint8), "falling.ends": np.asarray([0, 3, 1]),
    "half": np.frombuffer("电".encode()[:2], np.uint8), "half.ends": np.asarray([0, 2]),
    "wide": np.arange(4), "wide.ends": np.asarray([0, 2]),
}  # fmt: skip


@pytest.mark.parametrize("told", WRONG.values(), ids=WRONG)
def test_header_of_another_hand_is_refused(told):
    header = {"is": "object", "class": "Whole", "fields": {"a": told, "b": None}}

    with pytest.raises(StoreError, match=r"store\.content.*a of what was kept is"):
        unpack(Packed(header, ARRAYS), classes=CLASSES)


def test_endless_header_is_refused():
    told: Any = 1
    for _ in range(100_000):
        told = {"is": "tuple", "items": [told]}

    with pytest.raises(StoreError, match=r"store\.content.*RecursionError"):
        unpack(Packed(told, {}), classes=CLASSES)


ENDS, CODES, VALUES = np.asarray([0, 1, 3]), np.asarray([2, 0, 1]), np.ones(3)


def test_check_lists_lets_whole_lists_through():
    check_lists(ENDS, CODES, VALUES, rows=2, codes_below=3, where="posts")
    check_lists(np.asarray([0]), CODES[:0], VALUES[:0], rows=0, codes_below=0, where="posts")


@pytest.mark.parametrize(
    "change",
    [{"rows": 3}, {"codes_below": 2}, {"codes": -CODES}, {"codes": CODES[:2]}, {"values": VALUES[:2]},
     {"ends": ENDS[1:]}, {"ends": np.asarray([0, 4, 3])}, {"ends": np.asarray([0, 1, 2])},
     {"ends": ENDS.astype(float)}, {"codes": CODES[:, None]}],
    ids=str,
)  # fmt: skip
def test_check_lists_refuses_codes_that_point_outside(change):
    lists = {"ends": ENDS, "codes": CODES, "values": VALUES, "rows": 2, "codes_below": 3} | change

    with pytest.raises(StoreError, match=r"store\.content.*posts"):
        check_lists(lists["ends"], lists["codes"], lists["values"], rows=lists["rows"],
                    codes_below=lists["codes_below"], where="posts")  # fmt: skip
