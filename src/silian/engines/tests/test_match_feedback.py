"""What a tap on a button says."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from silian.engines import match
from silian.errors import TableError

NEEDS = pl.DataFrame(
    {"need_id": ["n"], "title": ["锂电池隔膜"], "text": [""], "trl_wanted": [4], "budget_cny": [900_000.0]}
)
TARGETS = pl.DataFrame(
    {
        "target_id": ["a", "b", "c"],
        "title": ["锂电池隔膜", "锂电池隔膜涂覆", "隔膜设备"],
        "text": ["", "", ""],
        "trl": [5, 8, None],
        "price_cny": [800_000.0, 400_000.0, None],
    }
)
STRICT = match.Conditions(max_trl_gap=0, within_budget=True)


def taps(**said):
    return pl.DataFrame({"need_id": "n", "target_id": list(said), "verdict": list(said.values())})


def test_feedback_labels_says_that_too_early_is_the_right_field():
    labels = match.feedback_labels(taps(a="fits", b="wrong_field", c="too_early", d="too_dear"))

    assert labels["level"].to_list() == [4, 1, 3, 3]
    assert labels["weight"].to_list() == [1.0, 1.0, 0.5, 0.5]


@pytest.mark.parametrize("verdict", ["too_early", "too_dear"])
def test_tighten_keeps_out_the_target_by_one_tap(verdict):
    index = match.build(TARGETS, encoder="words")
    before = match.rank(NEEDS, index, conditions=STRICT)["target_id"].to_list()

    after = match.rank(match.tighten(taps(a=verdict), NEEDS, TARGETS), index, conditions=STRICT)["target_id"].to_list()

    assert before == ["a", "b", "c"]
    assert after == ["b", "c"]


def test_tighten_asks_for_nothing_where_the_fact_is_not_stated():
    same = match.tighten(taps(c="too_early"), NEEDS, TARGETS)

    assert_frame_equal(same, NEEDS.cast({"trl_wanted": pl.Float64}))


def test_tighten_never_softens_a_wish():
    wishes = NEEDS.with_columns(trl_wanted=pl.lit(9), budget_cny=pl.lit(1.0))

    found = match.tighten(
        taps(a="too_early", b="too_dear"), wishes, TARGETS
    ).select("trl_wanted", "budget_cny")  # fmt: skip

    assert found.row(0) == (9.0, 1.0)


def test_tighten_adds_the_wishes_that_a_need_lacks():
    bare = NEEDS.drop("trl_wanted", "budget_cny")

    found = match.tighten(taps(a="too_dear"), bare, TARGETS)

    assert found.columns == ["need_id", "title", "text", "trl_wanted", "budget_cny"]
    assert found.row(0)[3:] == (None, 799_999.99)


def test_reorder_puts_what_was_found_wrong_last():
    ranked = match.rank(NEEDS, match.build(TARGETS, encoder="words"))
    grader = match.learn(match.feedback_labels(taps(a="wrong_field", b="fits")), NEEDS, TARGETS, encoder="words")

    found = match.reorder(ranked, match.grade(ranked, NEEDS, TARGETS, grader))

    assert ranked["target_id"].to_list()[0] == "a"
    assert found["target_id"].to_list()[0] == "b"
    assert found["rank"].to_list() == [1, 2, 3]
    assert found["expected_level"].is_sorted(descending=True)


def test_reorder_breaks_ties_by_score_then_id_and_keeps_the_order_of_needs():
    ranked = pl.DataFrame(
        {
            "need_id": ["z", "z", "z", "b"],
            "target_id": ["c", "a", "b", "a"],
            "rank": [1, 2, 3, 1],
            "score": [0.5, 0.5, 0.9, 0.1],
        }
    )
    grades = ranked.select("need_id", "target_id", p1=0.0, p2=0.5, p3=0.5, p4=0.0)

    found = match.reorder(ranked, grades)

    assert found.select("need_id", "target_id", "rank").rows() == [
        ("z", "b", 1), ("z", "a", 2), ("z", "c", 3), ("b", "a", 1),
    ]  # fmt: skip
    assert found["expected_level"].to_list() == [2.5] * 4


def test_feedback_labels_refuses_another_verdict():
    with pytest.raises(TableError, match=r"table\.value.*feedback\.verdict.*fits, wrong_field"):
        match.feedback_labels(taps(a="perhaps"))


def test_tighten_names_the_unknown_target():
    with pytest.raises(TableError, match=r"table\.unknown.*feedback\.target_id.*ghost"):
        match.tighten(taps(ghost="fits"), NEEDS, TARGETS)


def test_reorder_names_the_pair_without_a_grade():
    ranked = pl.DataFrame({"need_id": ["n"], "target_id": ["a"], "rank": [1], "score": [0.5]})
    with pytest.raises(TableError, match=r"table\.unknown.*ranked.*grades"):
        match.reorder(ranked, ranked[:0].select("need_id", "target_id", p1=0.0, p2=0.0, p3=0.0, p4=0.0))
    with pytest.raises(TableError, match=r"table\.columns.*grades.*p1"):
        match.reorder(ranked, ranked)
