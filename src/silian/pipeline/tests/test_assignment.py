"""Facts of the assignment of a region: what is asked of the engine, and which rules of the region it keeps."""

from __future__ import annotations

import shutil
from datetime import date

import polars as pl
import pytest

from silian import pipeline
from silian.compute.local import Local
from silian.engines import allocate
from silian.errors import RunError, TableError
from silian.pipeline import Run, steps
from silian.pipeline.assignment import elsewhere, known, posed, reasons_for, reopened
from silian.pipeline.plan import AllocatePlan, Plan
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
    asked = posed(region, results_of(region, **others), plan or Plan(), DAY)
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
    plan = Plan.of({"allocate": {"per_organisation": 1, "contacts": 2, "wanted": 3}})

    asked, assigned = solved(MADE, plan)

    told = assigned.join(asked.demand.select("need_id", firm="org_id"), on="need_id").join(
        asked.capacity.select("expert_id", "org_id"), on="expert_id"
    )
    assert (told.group_by("need_id", "org_id").len()["len"] == 1).all()
    assert told.group_by("firm").len()["len"].max() == 2
    assert asked.rules.quotas["name"].to_list() == ["per_organisation", "contacts"]


@pytest.mark.parametrize(("steps_", "floors"), [(0, 0), (3, 4)])
def test_fairness_step_prices_as_many_floors_as_the_plan_asks_for(steps_, floors):
    plan = Plan(allocate=AllocatePlan(curve=steps_, seconds=60.0))
    scarce = MADE["experts"].with_columns(free=1)
    region = region_with(experts=scarce)
    work = steps.Work(region, plan, DAY, results_of(region), Local(), [].append, [].append, [].append)

    curve = steps.fairness_step(work)["fairness_curve"]

    assert curve.height == floors
    assert curve["floor"].is_sorted()
    assert (curve["price"] >= 0).all()


def test_rules_that_clash_are_told_with_a_way_out():
    need, expert = MADE["needs"]["need_id"][0], MADE["experts"]["expert_id"][0]
    rules = rows(
        "assignment_rules",
        {"rule_id": "r1", "kind": "pin", "need_id": need, "expert_id": expert},
        {"rule_id": "r2", "kind": "quota", "name": "nobody", "at_most": 0.0},
    )

    with pytest.raises(TableError, match=r"allocate\.clash.*nobody"):
        solved(region_with(assignment_rules=rules))


@pytest.fixture(scope="module")
def visits(tmp_path_factory):
    """A finished run of the tiny region: the other programme."""
    folder = tmp_path_factory.mktemp("beside")
    synth.write(synth.make("tiny"), folder / "region")
    return pipeline.run(folder / "region", folder / "visits", only=("allocate",))


def beside(visits, **settings):
    """The same region again, beside that run."""
    plan = Plan.of({"allocate": {"beside": [str(visits.path)], **settings}})
    return pipeline.run(visits.path.parent / "region", visits.path.parent / "second", plan=plan, only=("allocate",))


def test_places_that_another_programme_took_are_gone(visits):
    second = beside(visits)

    taken, loads = visits.table("loads"), second.table("loads")
    assert loads["elsewhere"].to_list() == taken["assigned"].to_list()
    assert (loads["assigned"] + loads["elsewhere"] <= loads["free"]).all()
    assert second.table("assigned").height < visits.table("assigned").height


def test_experts_that_another_programme_sent_count_in_the_contact_budget(visits):
    second = beside(visits, contacts=3)

    told = second.table("contacts")
    assert told["elsewhere"].sum() == visits.table("contacts")["assigned"].sum() > 0
    limit = pl.max_horizontal(3 - pl.col("elsewhere"), 0)
    assert told.select((pl.col("assigned") <= limit).all()).item()


def test_a_person_who_is_one_there_or_here_is_one_for_both(visits):
    first, second = visits.table("assigned")["expert_id"].unique().sort()[:2]
    persons = visits.table("same_people").with_columns(pl.col("canonical_id").replace({second: first}))
    counts = visits.table("loads")

    found = elsewhere([visits], {"same_people": persons, "same": visits.table("same")})

    both = counts.filter(pl.col("expert_id").is_in([first, second]))["assigned"].sum()
    assert found.experts.filter(expert_id=first)["assigned"].item() == both
    assert second not in found.experts["expert_id"]


def test_receipt_lists_the_other_programmes_and_their_change_where_they_lie_does_not_matter(visits):
    first = beside(visits)

    plan = Plan.read(first.path / "plan.toml")
    again = pipeline.run(visits.path.parent / "region", first.path, plan=plan, only=("allocate",))

    assert {name.rpartition("/")[2] for name in again.receipt["inputs"] if "visits" in name} == {
        "assigned.parquet", "contacts.parquet", "same.parquet", "same_people.parquet",
    }  # fmt: skip
    assert (first.path / "plan.toml").read_text(encoding="utf-8").count('beside = ["../visits"]') == 1
    assert {step["name"] for step in again.receipt["steps"] if step["resumed"]} >= {"experts"}


def test_reopened_assignment_keeps_what_other_programmes_took(visits):
    second = beside(visits)

    standing = reopened(visits.path.parent / "region", second)

    left = second.table("loads").select("expert_id", free=(pl.col("free") - pl.col("elsewhere")).clip(0))
    assert standing.problem.capacity.equals(left.sort("expert_id"))


def test_a_programme_that_is_not_finished_or_the_run_itself_is_refused(visits, tmp_path):
    region = visits.path.parent / "region"
    for path, code in ((tmp_path / "nowhere", r"run\.missing.*nowhere"), (tmp_path / "own", r"run\.beside.*own")):
        plan = Plan.of({"allocate": {"beside": [str(path)]}})
        with pytest.raises(RunError, match=code):
            pipeline.run(region, tmp_path / "own", plan=plan, only=("allocate",))


def test_known_gives_the_id_of_the_person_and_names_the_nearest_where_there_is_none(visits, tmp_path):
    copy = Run.open(shutil.copytree(visits.path, tmp_path / "copy"))
    first, second, *_ = copy.table("same_people")["expert_id"]
    persons = copy.table("same_people").with_columns(pl.col("canonical_id").replace({second: first}))
    persons.write_parquet(copy.path / "same_people.parquet")

    assert known(copy, experts=[second])[second] == first
    with pytest.raises(RunError, match=r"run\.unknown.*need 'N0199'.*nearest: .*N01"):
        known(copy, needs=["N0199"])


def test_whoever_has_more_elsewhere_than_places_here_gets_nothing_here(visits, tmp_path):
    other = shutil.copytree(visits.path, tmp_path / "other")
    plan = Plan.of({"allocate": {"beside": [str(visits.path), str(other), f"{other}/../other"]}})
    run = pipeline.run(visits.path.parent / "region", tmp_path / "third", plan=plan, only=("allocate",))

    loads = run.table("loads").filter(pl.col("elsewhere") > pl.col("free"))
    assert run.table("loads")["elsewhere"].sum() == 2 * visits.table("assigned").height
    assert loads.height
    assert (loads["assigned"] == 0).all()


def test_reasons_under_quotas_tell_who_is_assigned_without_thresholds(visits):
    second = beside(visits, per_organisation=1, contacts=50)
    need, expert, score = second.table("assigned").row(0)

    told = reasons_for(reopened(visits.path.parent / "region", second), need, expert)

    assert told.select("is_chosen", "because", "score", "threshold").row(0) == (True, "rules", score, None)
