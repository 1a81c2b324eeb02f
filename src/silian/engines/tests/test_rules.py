"""Facts of rules: none is ever broken, the total is the best under them, and what cannot be is said in words."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian.engines.allocate import Rules, assign, loads
from silian.engines.tests.small_rules import best_total, is_kept, limits_of, pairs_table, quotas, small_case
from silian.engines.tests.small_tables import capacity_of, demand_of, pairs_of
from silian.errors import ArgumentError, TableError

APART = {"expert_id": pl.String, "other_id": pl.String}


def solved(case, **more):
    pairs, demand, capacity, conflicts, rules = case
    return assign(pairs, demand, capacity, conflicts=conflicts, rules=rules, **more)


FULL = pairs_of([(n, e, s) for n in ("n1", "n2") for e, s in (("e1", 0.9), ("e2", 0.8), ("e3", 0.5), ("e4", 0.2))])
WANTED, FREE = demand_of(n1=2, n2=2), capacity_of(e1=2, e2=2, e3=2, e4=2)


def ids(result):
    return result.assigned.select("need_id", "expert_id").rows()


# ── small enough to check by hand ───────────────────────────────────────────────────────────────────────────────────


def test_assign_with_no_rules_is_assign():
    plain, ruled = assign(FULL, WANTED, FREE), assign(FULL, WANTED, FREE, rules=Rules())

    for name in ("assigned", "unmet", "prices", "reasons", "proof"):
        assert_frame_equal(getattr(plain, name), getattr(ruled, name))


def test_assign_brings_out_a_pin_and_keeps_out_a_veto():
    rules = Rules(pins=pairs_table([("n1", "e4")]), vetoes=pairs_table([("n2", "e1"), ("n1", "e2")]))

    result = assign(FULL, WANTED, FREE, rules=rules)

    assert ids(result) == [("n1", "e1"), ("n1", "e4"), ("n2", "e2"), ("n2", "e3")]
    assert result.proof.select("total", "bound", "is_optimal").rows() == [
        (pytest.approx(0.9 + 0.2 + 0.8 + 0.5), pytest.approx(2.4), True)
    ]


def test_assign_pins_a_pair_that_adds_nothing():
    result = assign(
        pairs_of([("n1", "e1", -0.5), ("n1", "e2", 0.3)]),
        demand_of(n1=1),
        capacity_of(e1=1, e2=1),
        rules=Rules(pins=pairs_table([("n1", "e1")])),
    )

    assert result.assigned.rows() == [("n1", "e1", -0.5)]


def test_assign_takes_at_most_two_of_one_school():
    capacity = FREE.with_columns(school=pl.Series(["A", "A", "A", "B"]))
    rules = Rules(quotas=quotas({"name": "school", "need_group": "need_id", "expert_group": "school", "at_most": 1.0}))

    result = assign(FULL, WANTED, capacity, rules=rules)

    assert ids(result) == [("n1", "e1"), ("n1", "e4"), ("n2", "e1"), ("n2", "e4")]
    assert result.proof["is_optimal"].all()
    assert result.proof["gap"][0] < 1e-6


def test_assign_gives_each_need_a_senior():
    capacity = FREE.with_columns(title=pl.Series(["lecturer", "lecturer", "professor", "professor"]))
    senior = {"name": "senior", "need_group": "need_id", "expert_group": "title", "expert_value": "professor"}

    result = assign(FULL, WANTED, capacity, rules=Rules(quotas=quotas(senior | {"at_least": 1.0})))

    assert ids(result) == [("n1", "e1"), ("n1", "e3"), ("n2", "e1"), ("n2", "e3")]


def test_assign_counts_an_expert_for_each_of_their_labels():
    labels = pl.Series([["ai"], ["ai", "law"], ["law"], []], dtype=pl.List(pl.String))
    quota = {"name": "field", "need_group": "need_id", "expert_group": "labels", "at_most": 1.0}

    result = assign(FULL, demand_of(n1=3, n2=0), FREE.with_columns(labels=labels), rules=Rules(quotas=quotas(quota)))

    assert ids(result) == [("n1", "e1"), ("n1", "e3"), ("n1", "e4")]  # e2 is both


def test_assign_stays_within_the_money_of_a_need_and_of_all():
    capacity = FREE.with_columns(fee_cny=pl.Series([1000.0, 400.0, 300.0, 0.0]))
    each = {"name": "budget", "need_group": "need_id", "need_value": "n1", "sum_of": "fee_cny", "at_most": 1000.0}

    one = assign(FULL, WANTED, capacity, rules=Rules(quotas=quotas(each)))
    both = assign(
        FULL,
        WANTED,
        capacity,
        rules=Rules(quotas=quotas(each, {"name": "all", "sum_of": "fee_cny", "at_most": 1400.0})),
    )

    assert ids(one) == [("n1", "e2"), ("n1", "e3"), ("n2", "e1"), ("n2", "e2")]
    assert ids(both) == [("n1", "e2"), ("n1", "e3"), ("n2", "e2"), ("n2", "e3")]


def test_assign_reads_a_cost_of_pairs_before_one_of_experts():
    pairs = FULL.with_columns(fee_cny=pl.Series([9.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0]))
    capacity = FREE.with_columns(fee_cny=100.0)

    result = assign(
        pairs, WANTED, capacity, rules=Rules(quotas=quotas({"name": "all", "sum_of": "fee_cny", "at_most": 3.0}))
    )

    assert ids(result) == [("n1", "e2"), ("n1", "e3"), ("n2", "e1"), ("n2", "e2")]


def test_assign_bothers_an_enterprise_no_more_than_allowed():
    demand = demand_of(n1=2, n2=2, n3=2).with_columns(org_id=pl.Series(["o1", "o1", None]))
    pairs = pl.concat([FULL, FULL[:4].with_columns(need_id=pl.lit("n3"))])

    result = assign(
        pairs,
        demand,
        capacity_of(e1=3, e2=3, e3=3, e4=3),
        rules=Rules(quotas=quotas({"name": "contacts", "need_group": "org_id", "at_most": 3.0})),
    )

    counts = result.assigned.group_by("need_id").len().sort("need_id").rows()
    assert sum(n for need, n in counts if need != "n3") == 3
    assert dict(counts)["n3"] == 2  # nobody knows its enterprise, so no budget holds for it


def test_assign_keeps_two_people_apart():
    rules = Rules(apart=pl.DataFrame({"expert_id": ["e2"], "other_id": ["e1"]}))

    result = assign(FULL, WANTED, FREE, rules=rules)

    assert ids(result) == [("n1", "e1"), ("n1", "e3"), ("n2", "e1"), ("n2", "e3")]


def test_assign_counts_the_load_of_other_programmes():
    first = assign(FULL, demand_of(n1=2, n2=0), FREE)

    result = assign(
        FULL,
        WANTED,
        FREE,
        rules=Rules(
            taken=pl.concat([loads(first.assigned, FREE)] * 2).vstack(
                pl.DataFrame({"expert_id": ["elsewhere"], "assigned": [3], "free": [3]})
            )
        ),
    )

    assert set(result.assigned["expert_id"]) == {"e3", "e4"}  # e1 and e2 serve twice already
    assert result.proof["is_optimal"][0]


def test_assign_of_at_least_takes_from_a_better_total():
    pairs = pairs_of([("n1", "e1", 0.9), ("n2", "e1", 0.1), ("n2", "e2", 0.0)])
    demand = demand_of(n1=1, n2=1)

    free = assign(pairs, demand, capacity_of(e1=1, e2=1))
    bound = assign(pairs, demand.with_columns(at_least=pl.Series([None, 1])), capacity_of(e1=1, e2=1))

    assert ids(free) == [("n1", "e1")]
    assert ids(bound) == [("n2", "e1")]
    assert bound.proof["is_optimal"][0]


def test_assign_gives_an_expert_at_least_what_they_are_promised():
    pairs = pairs_of([("n1", "e1", 0.9), ("n1", "e2", 0.1)])

    result = assign(pairs, demand_of(n1=1), capacity_of(e1=1, e2=1).with_columns(at_least=pl.Series([0, 1])))

    assert ids(result) == [("n1", "e2")]


def test_assign_asks_for_a_group_only_where_somebody_is_wanted_and_has_a_place():
    capacity = FREE.with_columns(free=pl.Series([2, 2, 2, 0]), school=pl.Series(["A", "A", "B", "C"]))
    asked = {"need_group": "need_id", "expert_group": "school", "at_least": 1.0}

    result = assign(FULL, demand_of(n1=2, n2=0), capacity, rules=Rules(quotas=quotas(asked | {"name": "every school"})))

    assert ids(result) == [("n1", "e1"), ("n1", "e3")]


def test_assign_tells_which_rule_keeps_a_need_short():
    capacity = FREE.with_columns(free=pl.Series([2, 2, 0, 2]), school=pl.Series(["A", "A", "B", "A"]))
    rules = Rules(
        vetoes=pairs_table([("n2", "e4")]),
        apart=pl.DataFrame({"expert_id": ["e1"], "other_id": ["e4"]}),
        quotas=quotas({"name": "school", "need_group": "need_id", "expert_group": "school", "at_most": 1.0}),
    )

    result = assign(FULL, WANTED, capacity, conflicts=pairs_table([("n2", "e2")]), rules=rules)

    assert ids(result) == [("n1", "e1"), ("n2", "e1")]
    assert result.reasons.rows() == [
        ("n1", "capacity", None, None, None, None, 1),
        ("n1", "at_most", "school", "n1", "A", 1.0, 2),
        ("n1", "apart", None, "n1", "e1", None, 1),
        ("n2", "capacity", None, None, None, None, 1),
        ("n2", "veto", None, None, None, None, 1),
        ("n2", "conflict", None, None, None, None, 1),
    ]
    assert result.unmet.rows() == [("n1", 1, "capacity"), ("n2", 1, "capacity")]


def test_assign_reads_half_an_expert_as_nobody():
    rules = Rules(quotas=quotas({"name": "all", "at_most": 1.5}))

    assert assign(FULL, WANTED, FREE, rules=rules).assigned.height == 1


@pytest.mark.parametrize("empty", [0, 1, 2])
def test_assign_of_empty_tables_keeps_rules_that_ask_for_nothing(empty):
    tables = [FULL, WANTED, FREE]
    tables[0] = tables[0].clear()
    tables[empty] = tables[empty].clear()
    rules = Rules(pairs_table([]), pairs_table([]), pairs_table([], APART), quotas({"name": "all", "at_most": 1.0}))

    assert assign(*tables, rules=rules).assigned.is_empty()


def test_assign_holds_a_rule_over_a_million_pairs_of_one_need():
    count = 1_000_000
    expert = pl.select("e" + pl.int_range(count).cast(pl.String).str.zfill(7)).to_series()
    score = np.random.default_rng(7).random(count)
    pairs = (
        pl.DataFrame({"need_id": ["n1"], "score": [0.0]})
        .select("need_id")
        .join(pl.DataFrame({"expert_id": expert, "score": score}), how="cross")
    )
    capacity = pl.DataFrame({"expert_id": expert, "free": 1, "school": np.arange(count) % 1000}).with_columns(
        pl.col("free").cast(pl.Int64)
    )
    each = {"name": "school", "need_group": "need_id", "expert_group": "school", "at_most": 2.0}

    result = assign(pairs, demand_of(n1=3), capacity, rules=Rules(quotas=quotas(each)))

    assert result.proof["total"][0] == pytest.approx(np.sort(score)[-3:].sum())
    assert result.proof["is_optimal"][0]


# ── against slow sure methods ───────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=120, deadline=None)
@given(small_case())
def test_assign_under_rules_is_the_best_by_exhaustive_search(case):
    best = best_total(case)
    if best is None:
        with pytest.raises(TableError, match=r"allocate\.clash"):
            solved(case)
        return

    result = solved(case)

    taken = set(ids(result))
    assert result.assigned.height == len(taken)
    assert result.proof["total"][0] == pytest.approx(best, abs=1e-6)
    assert result.proof["is_optimal"][0]
    assert result.proof["bound"][0] >= best - 1e-9
    assert [kind for kind, *rest in limits_of(case) if not is_kept((kind, *rest), taken)] == []
    assert not taken & set(case[3].rows())


@settings(max_examples=30, deadline=None)
@given(small_case(lower=False), st.randoms(use_true_random=False))
def test_assign_under_rules_does_not_depend_on_the_order_of_rows(case, random):
    def shuffled(table):
        return table[random.sample(range(table.height), table.height)]

    first = solved(case)
    rules = Rules(**{name: shuffled(getattr(case[4], name)) for name in Rules.__slots__})
    second = solved((*map(shuffled, case[:4]), rules))

    for name in ("assigned", "unmet", "prices", "reasons", "proof"):
        assert_frame_equal(getattr(first, name), getattr(second, name))


@settings(max_examples=30, deadline=None)
@given(small_case(lower=False))
def test_assign_names_a_reason_for_every_candidate_of_an_unmet_need(case):
    result = solved(case)

    taken, missing = set(ids(result)), dict(result.unmet.select("need_id", "missing").rows())
    left = dict.fromkeys(missing, 0)
    for n, e, score in case[0].select("need_id", "expert_id", "score").rows():
        if n in missing and (n, e) not in taken and score > 0:
            left[n] += 1
    counted = dict(result.reasons.group_by("need_id").agg(pl.col("experts").sum()).rows())
    assert all(counted[n] >= left[n] for n in missing)
    assert set(counted) == set(missing)
    alone = result.reasons.filter(pl.col("reason") == "no_candidate")
    assert all(left[n] == 0 for n in alone["need_id"])


@settings(max_examples=30, deadline=None)
@given(small_case(lower=False))
def test_assign_with_a_limit_of_time_keeps_the_rules(case):
    result = solved(case, seconds=20.0)

    assert result.proof["total"][0] == pytest.approx(best_total(case), abs=1e-6)


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def refused(code, rules=None, *, pairs=FULL, demand=WANTED, capacity=FREE, kind=TableError, **more):
    with pytest.raises(kind, match=code) as caught:
        assign(pairs, demand, capacity, rules=rules, **more)
    return caught.value


def test_assign_refuses_a_pin_in_conflict_and_tells_the_evidence():
    evidence = pl.DataFrame({"need_id": ["n1"], "expert_id": ["e1"], "evidence": ["employment o7"]})

    error = refused(
        r"allocate\.pin_conflict.*employment o7", Rules(pins=pairs_table([("n1", "e1")])), conflicts=evidence
    )

    assert error.problems.rows() == [("n1", "e1", "employment o7")]
    refused(r"allocate\.pin_conflict.*n1", Rules(pins=pairs_table([("n1", "e1")])), conflicts=evidence.drop("evidence"))


def test_assign_refuses_a_pin_that_is_vetoed():
    both = pairs_table([("n1", "e1")])

    assert refused(r"allocate\.pin_vetoed.*n1.*e1", Rules(pins=both, vetoes=both)).problems.rows() == [("n1", "e1")]


def test_assign_refuses_a_pin_that_is_no_pair():
    error = refused(r"allocate\.pin_absent", Rules(pins=pairs_table([("n1", "e4")])), pairs=FULL[:3])

    assert error.problems.rows() == [("n1", "e4")]


@pytest.mark.parametrize("name", ["pins", "vetoes"])
def test_assign_refuses_ids_of_rules_that_nobody_knows(name):
    refused(rf"table\.unknown.*rules\.{name}\.need_id.*ghost", Rules(**{name: pairs_table([("ghost", "e1")])}))
    refused(rf"table\.unknown.*rules\.{name}\.expert_id.*ghost", Rules(**{name: pairs_table([("n1", "ghost")])}))
    refused(r"table\.unknown.*rules\.apart\.other_id.*ghost", Rules(apart=pairs_table([("e1", "ghost")], APART)))


def test_assign_refuses_to_keep_somebody_apart_from_themselves():
    refused(r"table\.value.*rules\.apart\.other_id", Rules(apart=pairs_table([("e1", "e1")], APART)))


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"at_most": -1.0}, r"table\.value.*at_most.*below 0"),
        ({"at_least": float("nan")}, r"table\.value.*at_least.*finite"),
        ({}, r"table\.value.*at_most.*empty"),
        ({"at_least": 2.0, "at_most": 1.0}, r"table\.value.*at_least.*above at_most"),
        ({"need_value": "n1", "at_most": 1.0}, r"table\.value.*need_value.*without need_group"),
        ({"need_group": "org", "at_most": 1.0}, r"table\.columns.*demand.*org"),
        ({"expert_group": "school", "at_most": 1.0}, r"table\.columns.*capacity.*school"),
        ({"sum_of": "fee", "at_most": 1.0}, r"table\.columns.*capacity.*fee"),
        ({"need_group": "need_id", "need_value": "ghost", "at_most": 1.0}, r"table\.unknown.*need_value.*demand"),
        ({"expert_group": "free", "expert_value": "ghost", "at_most": 1.0}, r"table\.unknown.*expert_value.*capacity"),
    ],
)
def test_assign_refuses_a_quota_that_makes_no_sense(row, code):
    refused(code, Rules(quotas=quotas({"name": "odd"} | row)))


def test_assign_refuses_a_quota_given_twice():
    refused(r"table\.duplicate.*rules\.quotas.*odd", Rules(quotas=quotas(*[{"name": "odd", "at_most": 1.0}] * 2)))


@pytest.mark.parametrize("fee", [-1.0, float("nan"), None])
def test_assign_refuses_costs_that_are_none(fee):
    capacity = FREE.with_columns(fee=pl.Series([fee, 1.0, 1.0, 1.0]))

    refused(
        r"table\.value.*capacity\.fee",
        Rules(quotas=quotas({"name": "all", "sum_of": "fee", "at_most": 1.0})),
        capacity=capacity,
    )


def test_assign_refuses_at_least_below_0_or_above_the_room():
    refused(r"table\.value.*demand\.at_least.*below 0", demand=WANTED.with_columns(at_least=-1))
    refused(r"table\.value.*demand\.at_least.*above wanted", demand=WANTED.with_columns(at_least=3))
    refused(r"table\.value.*capacity\.at_least.*above free", capacity=FREE.with_columns(at_least=3))


def test_assign_refuses_loads_below_0():
    taken = pl.DataFrame({"expert_id": ["e1"], "assigned": [-1]})

    refused(r"table\.value.*rules\.taken\.assigned.*below 0", Rules(taken=taken))


@pytest.mark.parametrize("seconds", [0, -1.0, float("nan")])
def test_assign_refuses_seconds_that_are_none(seconds):
    refused(r"argument\.value.*seconds", seconds=seconds, kind=ArgumentError)


def test_assign_says_when_the_time_was_too_short():
    rng = np.random.default_rng(7)
    needs, experts = [f"n{i:02}" for i in range(40)], [f"e{i:02}" for i in range(30)]
    pairs = pairs_of([(n, e, float(rng.random())) for n in needs for e in experts])
    capacity = capacity_of(**dict.fromkeys(experts, 3)).with_columns(fee=pl.Series(rng.random(30)))
    rules = Rules(
        quotas=quotas(
            {"name": "low", "need_group": "need_id", "sum_of": "fee", "at_least": 0.80},
        )
    )

    error = refused(
        r"allocate\.time.*1e-09 s",
        rules,
        pairs=pairs,
        demand=demand_of(**dict.fromkeys(needs, 3)),
        capacity=capacity,
        seconds=1e-9,
    )

    assert "1e-09 秒" in error.message("zh")
