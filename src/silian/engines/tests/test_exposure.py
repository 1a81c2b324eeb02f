"""Exposure: how the places in the lists are spread."""

from math import log2

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian.engines import match
from silian.errors import ArgumentError, SilianError, TableError

TARGETS = pl.DataFrame({"target_id": ["a", "b", "c", "d"], "org_id": ["o1", "o1", "o2", None]})
PAIRS = pl.DataFrame(
    {
        "need_id": ["n1", "n1", "n2", "n2", "n3"],
        "target_id": ["a", "b", "a", "d", "a"],
        "rank": [1, 2, 1, 2, 3],
    }
)


def test_exposure_counts_places_first_places_and_their_discount():
    counts = match.exposure(PAIRS, TARGETS).counts

    wanted = {
        "id": ["a", "b", "d", "c"],
        "targets": [1, 1, 1, 1],
        "shown": [3, 1, 1, 0],
        "first": [2, 0, 0, 0],
        "exposure": [2 + 1 / log2(4), 1 / log2(3), 1 / log2(3), 0.0],
    }
    assert_frame_equal(counts, pl.DataFrame(wanted))


def test_exposure_sums_up_by_hand():
    summary = match.exposure(PAIRS, TARGETS).summary.row(0, named=True)

    # 0, 1, 1, 3 in rising order: 2 · (2·1 + 3·1 + 4·3) / (4 · 5) − 5 / 4 = 0.45
    assert summary["gini"] == pytest.approx(0.45)
    assert (summary["total"], summary["never"], summary["never_share"]) == (4, 1, 0.25)
    assert (summary["top_1_share"], summary["top_10_share"]) == (0.6, 0.6)


def test_exposure_of_organisations_adds_up_what_they_hold():
    found = match.exposure(PAIRS, TARGETS, by="org_id")

    assert found.counts.select("id", "targets", "shown", "first").rows() == [("o1", 2, 4, 2), ("o2", 1, 0, 0)]
    assert found.summary["gini"].item() == 0.5


def test_exposure_counts_the_first_places_only():
    found = match.exposure(PAIRS, TARGETS, top_k=1)

    assert found.counts.filter(pl.col("shown") > 0)["id"].to_list() == ["a"]
    assert found.summary["gini"].item() == 0.75


def test_exposure_of_empty_lists_has_no_gini():
    summary = match.exposure(PAIRS.clear(), TARGETS).summary.row(0, named=True)

    assert (summary["never_share"], summary["gini"], summary["top_10_share"]) == (1.0, None, None)
    assert match.exposure(PAIRS.clear(), TARGETS.clear()).summary["never_share"].item() is None


def test_exposure_draws_the_curve_from_nothing_to_all():
    curve = match.exposure(PAIRS, TARGETS).curve

    assert curve.rows() == [(0.0, 0.0), (0.25, 0.0), (0.5, 0.2), (0.75, 0.4), (1.0, 1.0)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=30).filter(any))
def test_gini_equals_the_mean_difference_of_all_pairs(amounts):
    values = np.asarray(amounts, dtype=float)
    slow = np.abs(values[:, None] - values[None, :]).mean() / (2 * values.mean())

    assert match.gini(amounts) == pytest.approx(slow)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6)), max_size=25, unique=True), st.integers(1, 4))
def test_exposure_equals_counting_one_by_one(places, top_k):
    pairs = pl.DataFrame(
        [(f"n{n}", f"t{t}") for n, t in sorted(places)], schema={"need_id": pl.String, "target_id": pl.String},
        orient="row",
    ).with_columns(rank=pl.int_range(1, pl.len() + 1).over("need_id"))  # fmt: skip
    targets = pl.DataFrame({"target_id": [f"t{t}" for t in range(7)]})

    counts = match.exposure(pairs, targets, top_k=top_k).counts

    kept = [row for row in pairs.rows() if row[2] <= top_k]
    for found in counts.iter_rows(named=True):
        ranks = [rank for _, target, rank in kept if target == found["id"]]
        assert (found["shown"], found["first"]) == (len(ranks), ranks.count(1))
        assert found["exposure"] == pytest.approx(sum(1 / log2(1 + r) for r in ranks))
    assert counts["shown"].sum() == len(kept)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: match.exposure(PAIRS.drop("rank"), TARGETS), r"table\.columns.*rank"),
        (lambda: match.exposure(PAIRS.with_columns(rank=pl.lit("1")), TARGETS), r"table\.type.*rank"),
        (lambda: match.exposure(PAIRS.with_columns(rank=pl.lit(0)), TARGETS), r"table\.value.*rank.*below 1"),
        (lambda: match.exposure(pl.concat([PAIRS, PAIRS]), TARGETS), r"table\.duplicate"),
        (lambda: match.exposure(PAIRS, TARGETS[1:]), r"table\.unknown.*'a'"),
        (lambda: match.exposure(PAIRS, TARGETS.drop("org_id"), by="org_id"), r"table\.columns.*org_id"),
    ],
)
def test_exposure_names_what_is_wrong_with_a_table(call, message):
    with pytest.raises(TableError, match=message):
        call()


@pytest.mark.parametrize("wrong", [{"by": "expert_id"}, {"top_k": 0}])
def test_exposure_names_the_argument_that_is_out_of_range(wrong):
    with pytest.raises(ArgumentError, match=r"argument\.value") as caught:
        match.exposure(PAIRS, TARGETS, **wrong)
    assert isinstance(caught.value, SilianError)
