"""Facts of clashes: none can spare a rule, the first is a smallest one, and the way out is the cheapest."""

from __future__ import annotations

import math
import pickle

import polars as pl
import pytest
from hypothesis import assume, given, settings

from silian.engines.allocate import Rules, assign, clashes, relax, worded
from silian.engines.tests.small_rules import (
    best_total,
    cheapest_relaxation,
    pairs_table,
    quotas,
    small_case,
    smallest_clash,
)
from silian.errors import ArgumentError, TableError

PAIRS = pl.DataFrame(
    [(n, e, 0.5) for n in ("n1", "n2", "n3") for e in ("e1", "e2")],
    schema={"need_id": pl.String, "expert_id": pl.String, "score": pl.Float64},
    orient="row",
)
DEMAND = pl.DataFrame({"need_id": ["n1", "n2", "n3"], "wanted": [1, 1, 1]})
CAPACITY = pl.DataFrame({"expert_id": ["e1", "e2"], "free": [1, 1]})


def asked(function, case, **more):
    pairs, demand, capacity, conflicts, rules = case
    return function(pairs, demand, capacity, conflicts=conflicts, rules=rules, **more)


# ── small enough to check by hand ───────────────────────────────────────────────────────────────────────────────────


def test_clashes_of_rules_that_can_be_kept_are_none():
    rules = Rules(pins=pairs_table([("n1", "e1")]))

    assert clashes(PAIRS, DEMAND, CAPACITY, rules=rules).is_empty()
    assert relax(PAIRS, DEMAND, CAPACITY, rules=rules).is_empty()


def test_clashes_of_two_pins_and_one_place():
    rules = Rules(pins=pairs_table([("n2", "e1"), ("n1", "e1"), ("n3", "e2")]))

    found = clashes(PAIRS, DEMAND, CAPACITY, rules=rules)

    assert found.select("clash", "rule", "need", "expert", "limit", "is_smallest").rows() == [
        (1, "free", None, "e1", 1.0, True),
        (1, "pin", "n1", "e1", 1.0, True),
        (1, "pin", "n2", "e1", 1.0, True),
    ]
    assert worded(found).to_list() == [
        "专家 e1 至多服务 1 项需求",
        "需求 n1 必须由专家 e1 服务",
        "需求 n2 必须由专家 e1 服务",
    ]


def test_relax_takes_the_rules_that_may_give_way():
    rules = Rules(pins=pairs_table([("n2", "e1"), ("n1", "e1"), ("n3", "e1")]))

    place = relax(PAIRS, DEMAND, CAPACITY, rules=rules)
    pins = relax(PAIRS, DEMAND, CAPACITY, rules=rules, costs={"free": math.inf})
    cheap = relax(PAIRS, DEMAND, CAPACITY, rules=rules, costs={"free": 3.0, "pin": 2.0})

    assert worded(place, language="en").to_list() == ["give e1 2 more place(s)"]
    assert place.select("by", "cost").rows() == [(2.0, 2.0)]
    assert pins["rule"].to_list() == ["pin", "pin"]
    assert cheap["rule"].to_list() == ["pin", "pin"]
    assert cheap["cost"].to_list() == [2.0, 2.0]


def test_clashes_lists_every_need_that_cannot_have_a_senior():
    capacity = CAPACITY.with_columns(title=pl.Series(["professor", "engineer"]))
    senior = {"name": "senior", "need_group": "need_id", "expert_group": "title", "expert_value": "professor"}
    rules = Rules(quotas=quotas(senior | {"at_least": 1.0}))

    found = clashes(PAIRS.filter(pl.col("expert_id") == "e2"), DEMAND, capacity, rules=rules)

    assert found.select("clash", "rule", "name", "need", "expert").rows() == [
        (k, "at_least", "senior", f"n{k}", "professor") for k in (1, 2, 3)
    ]
    assert worded(found[:1], language="en").to_list() == ["“senior” (n1 · professor) at least 1"]


def test_relax_counts_money_in_experts():
    capacity = CAPACITY.with_columns(fee=pl.Series([100.0, 300.0]))
    rules = Rules(
        pins=pairs_table([("n1", "e1"), ("n2", "e2")]),
        quotas=quotas({"name": "budget", "sum_of": "fee", "at_most": 300.0}),
    )

    found = relax(PAIRS, DEMAND, capacity, rules=rules)

    # 100 CNY more are half an expert of 200 CNY: cheaper than to drop a pin
    assert found.select("rule", "by", "cost").rows() == [("at_most", 100.0, pytest.approx(0.5))]
    assert worded(found, language="en").to_list() == ["raise “budget” (all) by 100"]


def test_clashes_sees_what_only_whole_pairs_break():
    # any two of three are apart: fractions of a half would do, people do not come in halves
    pairs = pl.DataFrame({"need_id": ["n1"] * 3, "expert_id": ["e1", "e2", "e3"], "score": [0.5] * 3})
    demand = pl.DataFrame({"need_id": ["n1"], "wanted": [3], "at_least": [2]})
    capacity = pl.DataFrame({"expert_id": ["e1", "e2", "e3"], "free": [1, 1, 1]})
    apart = pl.DataFrame({"expert_id": ["e1", "e1", "e2"], "other_id": ["e2", "e3", "e3"]})

    found = clashes(pairs, demand, capacity, rules=Rules(apart=apart))

    assert found["rule"].to_list() == ["need_at_least", "apart", "apart", "apart"]
    assert relax(pairs, demand, capacity, rules=Rules(apart=apart))["by"].to_list() == [1.0]


def test_relax_never_lifts_a_conflict():
    demand = DEMAND.with_columns(at_least=pl.Series([1, 0, 0]))
    barred = pairs_table([("n1", "e1"), ("n1", "e2")])

    found = relax(PAIRS, demand, CAPACITY, conflicts=barred)

    assert worded(found).to_list() == ["需求 n1 的下限减少 1 位专家"]


def test_assign_raises_the_clash_with_its_relaxation_in_both_languages():
    with pytest.raises(TableError, match=r"allocate\.clash.*n1 must get e1.*give e1 1 more place") as caught:
        assign(PAIRS, DEMAND, CAPACITY, rules=Rules(pins=pairs_table([("n2", "e1"), ("n1", "e1")])))

    assert "需求 n1 必须由专家 e1 服务" in caught.value.message("zh")
    assert caught.value.problems["part"].to_list() == ["clash"] * 3 + ["relaxation"]
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


# ── against slow sure methods ───────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=80, deadline=None)
@given(small_case(sums=False))
def test_clashes_finds_a_smallest_clash_by_exhaustive_search(case):
    found = asked(clashes, case)

    size = smallest_clash(case)
    first = found.filter(clash=1)
    assert first.height == size
    assert first["is_smallest"].all()
    assert found.is_empty() == (best_total(case) is not None)


@settings(max_examples=80, deadline=None)
@given(small_case(sums=False))
def test_relax_costs_the_least_by_exhaustive_search(case):
    found = asked(relax, case)

    assert found["cost"].sum() == pytest.approx(cheapest_relaxation(case), abs=1e-3)


@settings(max_examples=30, deadline=None)
@given(small_case())
def test_relaxed_rules_can_be_kept(case):
    found = asked(relax, case)
    assume(found.filter(pl.col("rule").is_in(["free", "wanted"]), pl.col("limit") == 0).is_empty())  # opens groups

    assert asked(clashes, _relaxed(case, found)).is_empty()


def _relaxed(case, found):
    """The case with its rules changed as `relax` says."""
    pairs, demand, capacity, conflicts, rules = case
    for row in found.to_dicts():
        whole = math.ceil(row["by"])
        need, expert = (pl.col(f"{side}_id").eq_missing(pl.lit(row[side])) for side in ("need", "expert"))
        if row["rule"] == "free":
            place = pl.when(expert).then(max(0, int(row["limit"])) + whole).otherwise("free")
            capacity, taken = capacity.with_columns(free=place), rules.taken.filter(~expert)
            rules = _with(rules, taken=taken)
        elif row["rule"] == "wanted":
            demand = demand.with_columns(wanted=pl.when(need).then(pl.col("wanted") + whole).otherwise("wanted"))
        elif row["rule"] == "need_at_least":
            demand = demand.with_columns(at_least=pl.when(need).then(pl.col("at_least") - whole).otherwise("at_least"))
        elif row["rule"] == "expert_at_least":
            less = pl.col("at_least") - whole
            capacity = capacity.with_columns(at_least=pl.when(expert).then(less).otherwise("at_least"))
        elif row["rule"] in ("pin", "veto"):
            name = f"{row['rule']}s".replace("vetos", "vetoes")
            rules = _with(rules, **{name: getattr(rules, name).filter(~(need & expert))})
        elif row["rule"] == "apart":
            kept = ~(expert & (pl.col("other_id") == row["other"]))
            rules = _with(rules, apart=rules.apart.filter(kept))
        else:  # the whole quota: its groups cannot differ
            kept = pl.col("name") != row["name"]
            rules = _with(rules, quotas=rules.quotas.filter(kept))
    return pairs, demand, capacity, conflicts, rules


def _with(rules, **changed):
    return Rules(**({name: getattr(rules, name) for name in Rules.__slots__} | changed))


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("costs", [{"pins": 1.0}, {"pin": 0.0}, {"pin": float("nan")}])
def test_relax_refuses_costs_that_are_none(costs):
    with pytest.raises(ArgumentError, match=r"argument\.value.*costs"):
        relax(PAIRS, DEMAND, CAPACITY, costs=costs)


def test_relax_says_when_nothing_may_give_way():
    rules = Rules(pins=pairs_table([("n2", "e1"), ("n1", "e1")]))

    with pytest.raises(TableError, match=r"allocate\.clash.*e1 serves at most 1"):
        relax(PAIRS, DEMAND, CAPACITY, rules=rules, costs={"free": math.inf, "pin": math.inf})
