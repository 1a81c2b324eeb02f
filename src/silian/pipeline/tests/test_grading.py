"""A list that learns: labels change its order, taps keep out what they were about."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from silian.engines import match
from silian.pipeline.grading import as_tapped, graded, labels_of
from silian.tables import Region
from silian.tables.schema import tables

NEEDS = {
    "need_id": ["n1", "n2"],
    "title": ["锂电池隔膜涂覆", "轴承降噪"],
    "trl_wanted": [None, 8],
    "kind": ["technology"] * 2,
}
ACHIEVEMENTS = {
    "achievement_id": ["a1", "a2", "a3", "a4"],
    "title": ["锂电池隔膜涂覆工艺", "锂电池隔膜陶瓷涂层", "锂电池电解液", "轴承降噪齿形"],
    "trl": [4, 7, 8, 3],
    "price_cny": [None, 800_000.0, None, None],
}


def region_with(**labels):
    given = {"needs": pl.DataFrame(NEEDS), "achievements": pl.DataFrame(ACHIEVEMENTS)}
    if labels:
        schema = tables()["labels"].polars
        given["labels"] = pl.DataFrame({k: pl.Series(v, dtype=schema[k]) for k, v in labels.items()})
    return Region.of(given)


def index_of(region):
    return match.build(region["achievements"].rename({"achievement_id": "target_id"}), encoder="words")


def test_labels_of_takes_levels_as_given_and_verdicts_as_levels():
    region = region_with(
        need_id=["n1", "n1", "n1", "n1", "ghost", "n2"],
        target_id=["a1", "a2", "a3", "a4", "a1", "e9"],
        level=[3, None, None, None, 4, 4],
        verdict=["too_dear", "fits", "sideways", "too_early", None, None],
    )

    assert labels_of(region).rows() == [("n1", "a1", 3, 1.0), ("n1", "a2", 4, 1.0), ("n1", "a4", 3, 0.5)]


def test_graded_leaves_the_list_as_it_is_where_nobody_graded():
    region = region_with()
    index = index_of(region)
    wide = match.rank(region["needs"], index, top_k=3)

    found = graded(wide, region, index, top_k=2, explained=1, seed=7)

    assert_frame_equal(found.pairs, match.rank(region["needs"], index, top_k=2))
    assert found.grades.is_empty()
    assert found.examples is None


def test_graded_lifts_what_was_found_to_fit_and_lowers_what_was_not():
    region = region_with(need_id=["n1", "n1"], target_id=["a1", "a3"], level=[1, 4], verdict=[None, None])
    index = index_of(region)
    wide = match.rank(region["needs"], index, top_k=3)
    assert wide.filter(pl.col("need_id") == "n1")["target_id"][0] == "a1"

    found = graded(wide, region, index, top_k=2, explained=1, seed=7)

    pairs, grades = found.pairs, found.grades
    own = pairs.filter(pl.col("need_id") == "n1")
    assert own["target_id"][0] == "a3"
    assert own["rank"].to_list() == [1, 2]
    assert set(grades.select("need_id", "target_id").rows()) == set(pairs.select("need_id", "target_id").rows())
    total = grades.select(pl.sum_horizontal("p1", "p2", "p3", "p4")).to_series()
    assert total.to_list() == pytest.approx([1.0] * grades.height)
    nearest = found.examples.filter((pl.col("target_id") == "a3") & (pl.col("rank") == 1))
    assert nearest.select("example_target_id", "level").rows() == [("a3", 4)]


def test_as_tapped_holds_a_need_only_to_what_was_tapped_for_it():
    region = region_with(need_id=["n1"], target_id=["a1"], level=[None], verdict=["too_early"])

    needs, conditions = as_tapped(region["needs"], region, match.Conditions())

    # n1 wants more than a1's TRL 4; n2's own wish for TRL 8 was no condition and is none now
    assert needs.select("need_id", "trl_wanted").rows() == [("n1", 5.0), ("n2", None)]
    found = match.rank(needs, index_of(region), conditions=conditions)
    assert found.filter(pl.col("need_id") == "n1")["target_id"].to_list() == ["a2", "a3"]
    assert found.filter(pl.col("need_id") == "n2")["target_id"].to_list() == ["a4"]


def test_as_tapped_keeps_the_conditions_of_the_plan():
    region = region_with(need_id=["n1"], target_id=["a2"], level=[None], verdict=["too_dear"])

    needs, conditions = as_tapped(region["needs"], region, match.Conditions(max_trl_gap=1))

    assert (conditions.max_trl_gap, conditions.within_budget) == (1, True)
    assert needs.select("trl_wanted", "budget_cny").rows() == [(None, 799_999.99), (8.0, None)]
    found = match.rank(needs, index_of(region), conditions=conditions)
    assert set(found["target_id"]) == {"a1", "a3"}  # a2 is too dear for n1, a4 too early for n2


def test_as_tapped_changes_nothing_where_nobody_tapped():
    region = region_with(need_id=["n1"], target_id=["a1"], level=[4], verdict=[None])

    needs, conditions = as_tapped(region["needs"], region, match.Conditions())

    assert_frame_equal(needs, region["needs"])
    assert conditions.is_open
