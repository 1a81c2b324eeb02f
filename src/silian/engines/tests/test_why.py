"""Facts of why and why not: thresholds that hold when the case is solved again, and rivals that really make room."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian.engines.allocate import Rules, assign, edit, reopen, repair, why
from silian.engines.tests.small_tables import capacity_of, changes_of, demand_of, ids_of, pairs_of
from silian.errors import TableError

PAIRS = pairs_of([("n1", "e1", 0.9), ("n1", "e2", 0.5), ("n2", "e1", 0.7), ("n2", "e3", 0.6), ("n3", "e1", 0.2)])
DEMAND, CAPACITY = demand_of(n1=1, n2=1, n3=1), capacity_of(e1=1, e2=1, e3=1)


def reopened(pairs=PAIRS, demand=DEMAND, capacity=CAPACITY, conflicts=None):
    first = assign(pairs, demand, capacity, conflicts=conflicts)
    return reopen(first.assigned, pairs, demand, capacity, conflicts=conflicts, prices=first.prices)


def test_why_names_margin_price_and_rivals():
    answer = why(reopened(), PAIRS)  # n1-e1 and n2-e3 are chosen

    rows = {(r["need_id"], r["expert_id"]): r for r in answer.to_dicts()}
    kept = rows["n1", "e1"]  # if it goes, n1 gets e2 and n3 gets e1: .5 + .2
    assert (kept["because"], kept["threshold"], kept["margin"]) == ("best", 0.7, 0.2)
    assert (kept["rival_need_id"], kept["rival_expert_id"]) == ("n3", "e2")
    taken = rows["n2", "e1"]  # n1 would go over to e2, and n2 let e3 go: .9 - .5 + .6
    assert (taken["because"], taken["threshold"], taken["margin"]) == ("taken", 1.0, -0.3)
    assert (taken["rival_need_id"], taken["rival_expert_id"]) == ("n1", "e3")
    served = rows["n1", "e2"]  # e2 is free; n1 would let e1 go, which n3 would get: .9 - .2
    assert (served["because"], served["threshold"], served["margin"]) == ("served", 0.7, -0.2)
    assert (served["rival_need_id"], served["rival_expert_id"]) == (None, "e1")
    assert rows["n3", "e1"]["expert_price"] == assign(PAIRS, DEMAND, CAPACITY).prices.filter(id="e1")["price"].item()


def test_why_says_what_stands_in_the_way_and_from_which_score_it_would_matter():
    pairs = pl.concat([PAIRS, pairs_of([("n3", "e2", 0.4), ("n4", "e1", 0.5), ("n1", "e4", 0.5), ("n2", "e2", 0.1)])])
    standing = reopened(
        pairs, demand_of(n1=1, n2=1, n3=1, n4=0), capacity_of(e1=1, e2=1, e3=1, e4=0), ids_of([("n3", "e2")])
    )
    standing = repair(standing, changes_of(("veto", "n2", "e2", None))).standing
    standing = edit(standing, pl.DataFrame({"what": ["remove"], "need_id": ["n2"], "expert_id": ["e3"]})).standing

    asked = ids_of([("n3", "e2"), ("n2", "e2"), ("n2", "e3"), ("n3", "e3"), ("n4", "e1"), ("n1", "e4")])
    answer = why(standing, asked)

    assert answer["because"].to_list() == ["conflict", "veto", "removed", "no_score", "not_wanted", "no_place"]
    assert answer["threshold"].null_count() == 2
    assert answer["score"].to_list() == [None, 0.1, 0.6, None, 0.5, 0.5]


def test_why_tells_what_hands_and_repairs_kept_apart_from_the_best():
    by_hand = reopen(ids_of([("n1", "e2"), ("n2", "e1")]), PAIRS, DEMAND, CAPACITY)
    pinned = edit(by_hand, pl.DataFrame({"what": ["add"], "need_id": ["n1"], "expert_id": ["e2"]})).standing

    answer = why(by_hand, PAIRS)

    assert answer["because"].to_list() == ["left_out", "kept", "kept", "left_out", "taken"]
    assert answer["margin"].to_list() == [0.2, -0.2, -0.3, 0.3, -0.2]
    assert why(pinned, PAIRS)["because"].to_list()[1] == "pinned"


def test_why_answers_a_tie():
    pairs = pairs_of([("n1", "e1", 0.3), ("n2", "e1", 0.3)])

    answer = why(reopened(pairs, demand_of(n1=1, n2=1), capacity_of(e1=1)), pairs)

    assert answer["because"].to_list() == ["best", "tie"]
    assert answer["margin"].to_list() == [0.0, 0.0]


@st.composite
def small(draw):
    """Up to 4 needs, 4 experts, 10 pairs with many ties, and whether they stand as the best or otherwise."""
    needs, experts = ([f"{c}{i}" for i in range(draw(st.integers(1, 4)))] for c in "ne")
    every = list(itertools.product(needs, experts))
    kept = draw(st.lists(st.sampled_from(every), unique=True, min_size=1, max_size=10))
    pairs = pairs_of([(n, e, draw(st.integers(1, 6)) / 10) for n, e in kept])
    demand = demand_of(**{n: draw(st.integers(0, 3)) for n in needs})
    capacity = capacity_of(**{e: draw(st.integers(0, 3)) for e in experts})
    conflicts = ids_of(draw(st.lists(st.sampled_from(every), unique=True, max_size=2)))
    return pairs, demand, capacity, conflicts, draw(st.sampled_from(every))


@settings(max_examples=80, deadline=None)
@given(small())
def test_why_says_the_score_at_which_a_pair_comes_or_goes(case):
    pairs, demand, capacity, conflicts, (need, expert) = case
    standing = reopened(pairs, demand, capacity, conflicts)
    answer = why(standing, ids_of([(need, expert)])).row(0, named=True)
    is_here = (pl.col("need_id") == need) & (pl.col("expert_id") == expert)
    others = pairs.filter(~is_here)
    is_open = dict(demand.rows())[need] > 0 and dict(capacity.rows())[expert] > 0
    assert (answer["threshold"] is not None) == is_open
    if not is_open:
        return

    freed = conflicts.filter(~is_here)
    for step in (-1e-6, 1e-6):
        pair = pairs_of([(need, expert, answer["threshold"] + step)])
        again = assign(pl.concat([others, pair]), demand, capacity, conflicts=freed)
        assert (again.assigned.filter(is_here).height == 1) == (step > 0)
    first = assign(pairs, demand, capacity, conflicts=conflicts)
    assert answer["is_chosen"] == (first.assigned.filter(is_here).height == 1)
    if answer["margin"] is not None:
        assert answer["margin"] == pytest.approx(answer["score"] - answer["threshold"], abs=1e-12)
        assert (answer["because"] == "best") == answer["is_chosen"]
    price = dict(zip(first.prices["id"], first.prices["price"], strict=True))
    assert answer["expert_price"] == price[expert]


@pytest.mark.parametrize("seed", range(6))
def test_why_names_the_rivals_that_make_room(seed):
    rng = np.random.default_rng(seed)
    rows = [(f"n{i:02}", f"e{j:02}", float(rng.random())) for i in range(20) for j in rng.choice(12, 5, replace=False)]
    pairs, demand = pairs_of(rows), demand_of(**{f"n{i:02}": int(rng.integers(1, 4)) for i in range(20)})
    capacity = capacity_of(**{f"e{j:02}": int(rng.integers(1, 5 + seed)) for j in range(12)})
    standing = reopened(pairs, demand, capacity)
    before = set(standing.assigned.select("need_id", "expert_id").rows())

    for told in why(standing, pairs).sample(25, seed=seed).to_dicts():
        pair = told["need_id"], told["expert_id"]
        others = pairs.filter((pl.col("need_id") != pair[0]) | (pl.col("expert_id") != pair[1]))
        new = told["threshold"] + (-1e-9 if told["is_chosen"] else 1e-9)
        again = assign(pl.concat([others, pairs_of([(*pair, new)])]), demand, capacity).assigned
        after = set(again.select("need_id", "expert_id").rows())
        here, there = (before, after) if told["is_chosen"] else (after, before)

        assert pair in here - there
        assert {e for n, e in there - here if n == pair[0]} == {told["rival_expert_id"]} - {None}
        assert {n for n, e in there - here if e == pair[1]} == {told["rival_need_id"]} - {None}


@pytest.mark.parametrize("side", ["need_id", "expert_id"])
def test_why_answers_one_need_or_one_expert_as_it_answers_all(side):
    rng = np.random.default_rng(5)
    rows = [(f"n{i:02}", f"e{j:02}", float(rng.random())) for i in range(20) for j in rng.choice(12, 5, replace=False)]
    pairs, demand = pairs_of(rows), demand_of(**{f"n{i:02}": int(rng.integers(1, 4)) for i in range(20)})
    standing = reopened(pairs, demand, capacity_of(**{f"e{j:02}": int(rng.integers(1, 5)) for j in range(12)}))

    answers = why(standing, pairs)

    for key, asked in pairs.group_by(side):
        assert_frame_equal(why(standing, asked), answers.filter(pl.col(side) == key[0]))


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([("n9", "e1")], r"table\.unknown.*pairs\.need_id"),
        ([("n1", "e9")], r"table\.unknown.*pairs\.expert_id"),
        ([("n1", "e1"), ("n1", "e1")], r"table\.duplicate"),
        ([("n1", None)], r"table\.value.*pairs\.expert_id"),
    ],
)
def test_why_refuses_pairs_that_it_does_not_know(rows, code):
    with pytest.raises(TableError, match=code):
        why(reopened(), ids_of(rows))


def test_why_answers_nothing_for_nothing():
    assert why(reopened(), ids_of([])).is_empty()


def test_why_keeps_pins_in_place():
    pins = ids_of([("n3", "e1")])
    first = assign(PAIRS, DEMAND, CAPACITY, rules=Rules(pins=pins))
    standing = reopen(first.assigned, PAIRS, DEMAND, CAPACITY, rules=Rules(pins=pins))

    answer = why(standing, PAIRS)

    assert answer["because"].to_list() == ["full", "best", "full", "best", "pinned"]
    assert answer["margin"].to_list() == [None, 0.5, None, 0.6, None]


def test_why_refuses_to_answer_under_further_rules():
    quotas = pl.DataFrame({"name": ["budget"], "at_most": [2.0]})
    first = assign(PAIRS, DEMAND, CAPACITY, rules=Rules(quotas=quotas))

    with pytest.raises(TableError, match=r"allocate\.limits.*why.*budget"):
        why(reopen(first.assigned, PAIRS, DEMAND, CAPACITY, rules=Rules(quotas=quotas)), PAIRS)
