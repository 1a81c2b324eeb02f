from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian.report import chain_layout, views
from silian.report.tests import small

REGION, RESULTS = small.region(), small.results()


def test_needs_by_field_counts_needs_with_and_without_an_achievement():
    table = views.needs_by_field(REGION["needs"], RESULTS["achievement_pairs"])

    assert table.rows() == [("", 1, 0, 1), ("battery", 1, 1, 0), ("laser", 1, 1, 0), ("sensor", 1, 1, 0)]


def test_best_scores_counts_only_the_first_of_each_need_and_every_bin_is_there():
    table = views.best_scores(RESULTS["achievement_pairs"], RESULTS["expert_pairs"])

    assert table.height == 40
    filled = table.filter(pl.col("needs") > 0)
    # a score of 0.15 opens the bar from 0.15: the borders belong to the upper bar
    assert filled.select("noun", "bin_from", "needs").rows() == [
        ("achievement", 0.15, 1),
        ("achievement", 0.55, 1),
        ("achievement", 0.8, 1),
        ("expert", 0.3, 1),
        ("expert", 0.65, 1),
        ("expert", 0.7, 1),
    ]


def test_with_grades_puts_each_grade_beside_the_score_of_its_own_match():
    grades = RESULTS["grades"][::-1]

    table = views.with_grades(RESULTS["achievement_pairs"], grades)

    assert table.columns == ["need_id", "target_id", "rank", "score", "level", "p1", "p2", "p3", "p4", "why"]
    assert table.select("target_id", "level", "p4").rows() == [
        ("a1", 4, 0.6),
        ("a2", 1, 0.02),
        ("a2", None, None),
        ("a1", None, None),
    ]
    assert_frame_equal(table.select(RESULTS["achievement_pairs"].columns), RESULTS["achievement_pairs"])


def test_with_grades_leaves_matches_as_they_are_where_nothing_was_graded():
    pairs = RESULTS["achievement_pairs"]

    assert_frame_equal(views.with_grades(pairs, RESULTS["grades"].clear()), pairs)


@given(scores=st.lists(st.floats(0, 1), max_size=50))
def test_best_scores_puts_every_need_into_one_bar(scores):
    pairs = pl.DataFrame(
        {"need_id": [f"n{i}" for i in range(len(scores))], "rank": [1] * len(scores), "score": scores},
        schema={"need_id": pl.String, "rank": pl.Int64, "score": pl.Float64},
    )

    table = views.best_scores(pairs, pairs.clear()).filter(noun="achievement")

    assert table["needs"].sum() == len(scores)
    for low, high, needs in table.select("bin_from", "bin_to", "needs").rows():
        inside = sum(low - 1e-7 <= s < high + 1e-7 for s in scores)
        assert needs <= inside


def test_served_between_counts_assignments_by_the_districts_of_need_and_expert():
    table = views.served_between(REGION["needs"], REGION["experts"], RESULTS["assigned"])

    assert table.rows() == [("d1", "d1", 1), ("d1", "d2", 1), ("d2", "d2", 1)]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=40))
def test_served_between_equals_counting_one_by_one(pairs):
    needs = pl.DataFrame({"need_id": [f"n{i}" for i in range(4)], "district_id": ["a", "b", "a", None]})
    experts = pl.DataFrame({"expert_id": [f"e{i}" for i in range(4)], "district_id": ["b", None, "c", "c"]})
    assigned = pl.DataFrame(
        {"need_id": [f"n{n}" for n, _ in pairs], "expert_id": [f"e{e}" for _, e in pairs]},
        schema={"need_id": pl.String, "expert_id": pl.String},
    )

    table = views.served_between(needs, experts, assigned)

    of_need = dict(zip(needs["need_id"], ["a", "b", "a", ""], strict=True))
    of_expert = dict(zip(experts["expert_id"], ["b", "", "c", "c"], strict=True))
    slow = Counter((of_need.get(f"n{n}", ""), of_expert.get(f"e{e}", "")) for n, e in pairs)
    assert table.rows() == [(*k, slow[k]) for k in sorted(slow)]


def test_load_spread_tells_full_experts_from_those_with_room():
    assert views.load_spread(RESULTS["loads"]).rows() == [(0, "room", 1), (1, "full", 1), (2, "full", 1)]


def test_busiest_experts_leaves_out_those_who_serve_nobody():
    assert views.busiest_experts(RESULTS["loads"]).rows() == [("e2", 2, 2), ("e3", 1, 1)]


def test_worst_served_begins_with_the_smallest_share_and_leaves_out_whom_nobody_matched():
    table = views.worst_served(RESULTS["served"])

    assert table.select("rank", "need_id", "reached_share").rows() == [(1, "n2", 0.75), (2, "n1", 0.6 / 0.7)]


def test_worst_served_puts_the_larger_loss_first_where_shares_are_equal():
    rows = [(f"n{i}", 2, 0, 0.0, score, 0.0) for i, score in enumerate((0.2, 0.9, 0.9, 0.5))]
    served = pl.DataFrame(rows, schema=RESULTS["served"].schema, orient="row")

    assert views.worst_served(served, most=3)["need_id"].to_list() == ["n1", "n2", "n3"]


@pytest.mark.parametrize(("floor", "place"), [(None, 0), (0.4, 2)])
def test_fairness_curve_marks_where_the_run_stands(floor, place):
    proof = RESULTS["proof"].with_columns(floor=pl.lit(floor, pl.Float64))

    table = views.fairness_curve(RESULTS["fairness_curve"], proof)

    assert table["is_run"].to_list() == [n == place for n in range(3)]
    assert table["worst"].to_list() == [0.0, 0.3, 0.4]


def test_unmet_by_field_sums_the_experts_missing():
    table = views.unmet_by_field(REGION["needs"], RESULTS["unmet"])

    assert table.rows() == [("", "no_candidate", 1, 1), ("battery", "conflict", 1, 1)]


def test_product_states_takes_a_product_as_made_here_if_a_kind_of_it_is():
    table = views.product_states(REGION["products"], REGION["makes"], REGION["product_links"], RESULTS["gaps"])

    assert table.select("product_id", "state", "makers", "rank").rows() == [
        ("p1", "made", 2, None),
        ("p2", "break", 0, 1),
        ("p3", "made", 1, None),
        ("p4", "made", 1, None),
        ("p5", "other", 0, None),
    ]


def test_makers_ends_on_kinds_that_form_a_circle():
    makes = pl.DataFrame({"org_id": ["o1"], "product_id": ["a"]})
    links = pl.DataFrame({"upstream_id": ["a", "b"], "downstream_id": ["b", "a"], "kind": ["kind_of", "kind_of"]})

    assert views.makers(makes, links).rows() == [("a", 1), ("b", 1)]


def test_segments_run_from_upstream_to_downstream():
    states = views.product_states(REGION["products"], REGION["makes"], REGION["product_links"], RESULTS["gaps"])

    table = views.segments(states, chain_layout.depths(views.inputs(REGION["product_links"]), states=states))

    assert table.rows() == [
        ("动力电池", "材料", 1, 1, 1, 0, 0, 0, 0, 0),
        ("动力电池", "部件", 2, 1, 0, 0, 1, 0, 0, 0),
        ("动力电池", "整件", 3, 2, 2, 0, 0, 0, 0, 0),
        ("", "", 1, 1, 0, 0, 0, 0, 0, 1),
    ]


def test_problems_by_code_puts_grave_ones_first():
    table = views.problems_by_code(RESULTS["problems"])

    assert table.select("code", "grave", "rows", "tables", "remedy_zh").rows() == [
        ("check.grave", True, 1, "needs", "请修复。"),
        ("check.range", False, 2, "experts, needs", "请更正。"),
        ("check.empty", False, 1, "needs", "请填写。"),
    ]


def test_balance_puts_the_worst_served_first_and_those_who_want_nothing_last():
    nothing_wanted = (
        RESULTS["district_balance"]
        .head(1)
        .with_columns(district_id=pl.lit("d0"), served_share=pl.lit(None, dtype=pl.Float64))
    )

    table = views.balance(pl.concat([nothing_wanted, RESULTS["district_balance"].reverse()]))

    assert table["district_id"].to_list() == ["d1", "d2", "d0"]


@pytest.mark.parametrize("name", ["needs", "experts"])
def test_views_leave_their_input_as_it_was(name):
    before = REGION[name].clone()
    views.served_between(REGION["needs"], REGION["experts"], RESULTS["assigned"])

    assert_frame_equal(REGION[name], before)


def test_makers_of_names_who_makes_a_kind_too_and_stops_at_most():
    makes = pl.DataFrame({"org_id": ["o3", "o1", "o2"], "product_id": ["spur", "gear", "spur"]})
    links = pl.DataFrame({"upstream_id": ["spur"], "downstream_id": ["gear"], "kind": ["kind_of"]})

    assert views.makers_of(makes, links, most=2).rows() == [
        ("gear", "o1"),
        ("gear", "o2"),
        ("spur", "o2"),
        ("spur", "o3"),
    ]
