"""Facts of the assignment of a region: what is asked of the engine, and which rules of the region it keeps."""

from __future__ import annotations

import dataclasses
from datetime import date

import polars as pl
import pytest

from silian.engines import allocate
from silian.errors import TableError
from silian.pipeline.assignment import posed
from silian.pipeline.plan import AllocatePlan
from silian.tables import Region, synth
from silian.tables.schema import codes, tables

DAY = date(2026, 9, 1)
MADE = synth.make("tiny").region


def rows(name, *given):
    """A table of the schema from dicts."""
    return pl.DataFrame(list(given), schema=tables()[name].polars)


def region_with(**tables):
    return Region.of({**MADE.tables, **tables})


def results_of(region, *, persons=None):
    experts = region["experts"]["expert_id"]
    people = pl.DataFrame({"expert_id": experts, "canonical_id": [(persons or {}).get(e, e) for e in experts]})
    organisations = region["organisations"].select("org_id", canonical_id="org_id")
    scores = region["needs"].select("need_id").join(region["experts"].select(target_id="expert_id"), how="cross")
    scores = scores.with_columns(score=0.2 + pl.int_range(pl.len()) * 0.37 % 0.7)
    none = pl.DataFrame(schema={"need_id": pl.String, "expert_id": pl.String})
    return {"same_people": people, "same": organisations, "expert_pairs": scores, "conflicts": none}


def solved(region, plan=None, **others):
    asked = posed(region, results_of(region, **others), plan or AllocatePlan(), DAY)
    return asked, allocate.assign(
        asked.pairs, asked.demand, asked.capacity, conflicts=asked.conflicts, rules=asked.rules
    ).assigned


def test_posed_asks_for_nobody_where_the_deadline_has_passed():
    needs = MADE["needs"].with_columns(deadline_on=pl.Series([date(2026, 8, 31), *[DAY] * (MADE["needs"].height - 1)]))

    asked, _ = solved(region_with(needs=needs))

    assert asked.demand["wanted"][0] == 0
    assert (asked.demand["wanted"][1:] > 0).all()


def test_posed_gives_a_person_under_two_ids_one_load_the_least_that_is_stated():
    first, second, *_ = MADE["experts"]["expert_id"]
    experts = MADE["experts"].with_columns(
        free=pl.when(pl.col("expert_id") == first).then(4).when(pl.col("expert_id") == second).then(1).otherwise("free")
    )

    asked, assigned = solved(region_with(experts=experts), persons={second: first})

    assert second not in asked.capacity["expert_id"]
    assert asked.capacity.filter(expert_id=first)["free"].item() == 1
    assert assigned.filter(expert_id=first).height == 1
    assert second not in assigned["expert_id"]


def test_posed_has_a_column_for_every_group_that_a_rule_may_name():
    asked, _ = solved(MADE)

    assert set(codes()["need_group"]) <= set(asked.demand.columns)
    assert set(codes()["expert_group"]) | set(codes()["sum_of"]) <= set(asked.capacity.columns)


def test_rules_of_a_region_hold():
    _, free = solved(MADE)
    taken = free.row(0)
    other = free.filter((pl.col("need_id") == taken[0]) & (pl.col("expert_id") != taken[1])).row(0)
    outside = next(e for e in MADE["experts"]["expert_id"] if e not in free.filter(need_id=taken[0])["expert_id"])
    rules = rows(
        "assignment_rules",
        {"rule_id": "r1", "kind": "veto", "need_id": taken[0], "expert_id": taken[1]},
        {"rule_id": "r2", "kind": "pin", "need_id": taken[0], "expert_id": outside},
        {"rule_id": "r3", "kind": "apart", "expert_id": outside, "other_id": other[1]},
        {"rule_id": "r4", "kind": "quota", "need_group": "field", "at_most": 2.0},
    )

    asked, assigned = solved(region_with(assignment_rules=rules))

    served = set(assigned.filter(need_id=taken[0])["expert_id"])
    assert outside in served
    assert not served & {taken[1], other[1]}
    fields = assigned.join(asked.demand, on="need_id").group_by("field").len()
    assert (fields["len"] <= 2).all()


def test_limits_of_the_plan_hold():
    plan = dataclasses.replace(AllocatePlan(), per_organisation=1, contacts=2, wanted=3)

    asked, assigned = solved(MADE, plan)

    told = assigned.join(asked.demand.select("need_id", firm="org_id"), on="need_id").join(
        asked.capacity.select("expert_id", "org_id"), on="expert_id"
    )
    assert (told.group_by("need_id", "org_id").len()["len"] == 1).all()
    assert told.group_by("firm").len()["len"].max() == 2
    assert asked.rules.quotas["name"].to_list() == ["per_organisation", "contacts"]


def test_rules_that_clash_are_told_with_a_way_out():
    need, expert = MADE["needs"]["need_id"][0], MADE["experts"]["expert_id"][0]
    rules = rows(
        "assignment_rules",
        {"rule_id": "r1", "kind": "pin", "need_id": need, "expert_id": expert},
        {"rule_id": "r2", "kind": "quota", "name": "nobody", "at_most": 0.0},
    )

    with pytest.raises(TableError, match=r"allocate\.clash.*nobody"):
        solved(region_with(assignment_rules=rules))
