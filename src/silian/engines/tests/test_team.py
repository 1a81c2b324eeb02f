"""Facts of team forming: the cheapest teams within the rules, in order, and why nobody else."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian.engines.team import Teams, TeamWeights, form
from silian.engines.tests.small_teams import (
    BOTH,
    NOBODY,
    answer,
    challenge_of,
    lists_of,
    pairs_of,
    people_of,
    skills_of,
)
from silian.tables.schema import team as schema

# ── a slow sure method ──────────────────────────────────────────────────────────────────────────────────────────────


def is_kept(team, case):
    """Whether a team keeps every rule of a small case."""
    held, people = case["skills"].rows(), {r["expert_id"]: r for r in case["people"].to_dicts()}
    rules = case["rules"]
    for skill, wanted in case["challenge"].rows():
        if sum((person, skill) in held for person in team) < wanted:
            return False
    for column, value, at_least, at_most in rules["groups"].rows() if "groups" in rules else []:
        members = sum(people[person][column] == value for person in team)
        if members < (at_least or 0) or (at_most is not None and members > at_most):
            return False
    for one, other in rules["apart"].rows() if "apart" in rules else []:
        if one in team and other in team:
            return False
    if "conflicts" in rules and set(team) & set(rules["conflicts"]["expert_id"]):
        return False
    return rules.get("smallest", 1) <= len(team) <= rules.get("largest", len(people))


def steps_between(joint, names):
    """Steps in the graph of joint works, by breadth-first search from everybody."""
    near = {}
    for one, other in joint.rows():
        near.setdefault(one, set()).add(other)
        near.setdefault(other, set()).add(one)
    steps = {}
    for start in names:
        seen, edge, step = {start}, {start}, 0
        while edge:
            step += 1
            edge = {n for e in edge for n in near.get(e, ())} - seen
            steps |= {(start, n): step for n in edge}
            seen |= edge
    return steps


def exhaustive(case):
    """Every team that keeps the rules and in which nobody can be left out: (cost, sum of places, ids), in order."""
    names = sorted(case["people"]["expert_id"])
    people = {r["expert_id"]: r for r in case["people"].to_dicts()}
    weights = case["rules"].get("weights", TeamWeights())
    steps = steps_between(case["rules"].get("joint", NOBODY), names)
    found = []
    for size in range(1, len(names) + 1):
        for team in itertools.combinations(names, size):
            without = [[m for m in team if m != out] for out in team]
            if not is_kept(team, case) or any(is_kept(rest, case) for rest in without):
                continue
            cost = sum(people[m]["cost"] + weights.per_km * people[m].get("distance_km", 0) for m in team)
            for pair in itertools.combinations(team, 2):
                cost += weights.per_pair * (min(steps.get(pair, weights.far), weights.far) - 1) / (weights.far - 1)
            found.append((round(cost, 9), sum(names.index(m) + 1 for m in team), team))
    return sorted(found)


@st.composite
def small(draw):
    """A case of at most 8 people and 4 skills with any rules, and many ties."""
    names = [f"e{i}" for i in range(draw(st.integers(1, 8)))]
    skills = [f"s{i}" for i in range(draw(st.integers(1, 4)))]
    every = list(itertools.product(names, skills))
    held = draw(st.lists(st.sampled_from(every), unique=True, min_size=min(6, len(every))))
    people = pl.DataFrame(
        {
            "expert_id": names,
            "cost": [draw(st.integers(0, 6)) / 10 for _ in names],
            "distance_km": [float(draw(st.integers(0, 3))) for _ in names],
            "kind": [draw(st.sampled_from(["firm", "school", None])) for _ in names],
        }
    )
    pair = st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda p: p[0] != p[1])
    pairs = st.lists(pair, max_size=5) if len(names) > 1 else st.just([])
    rules = {
        "weights": TeamWeights(
            draw(st.sampled_from([0, 0.1])), draw(st.sampled_from([0, 0.3])), draw(st.integers(2, 4))
        ),
        "joint": pairs_of(*draw(pairs)),
    }
    if draw(st.booleans()):
        rules["apart"] = pairs_of(*draw(pairs))
    if draw(st.booleans()):
        rules["conflicts"] = pl.DataFrame({"expert_id": draw(st.lists(st.sampled_from(names), max_size=2))})
        rules["conflicts"] = rules["conflicts"].cast(pl.String)
    if draw(st.booleans()):
        at_least = draw(st.integers(0, 2))
        at_most = draw(st.one_of(st.none(), st.integers(at_least, 3)))
        rows = [("kind", "firm", at_least, at_most), ("kind", "school", draw(st.integers(0, 1)), None)]
        columns = {"column": pl.String, "value": pl.String, "at_least": pl.Int64, "at_most": pl.Int64}
        rules["groups"] = pl.DataFrame(rows, schema=columns, orient="row")
    if draw(st.booleans()):
        rules["smallest"] = draw(st.integers(1, 4))
    if draw(st.booleans()):
        rules["largest"] = draw(st.integers(rules.get("smallest", 1), 6))
    return {
        "challenge": challenge_of(**{skill: draw(st.sampled_from([1, 1, 1, 2])) for skill in skills}),
        "people": people,
        "skills": pl.DataFrame(held, schema={"expert_id": pl.String, "skill_id": pl.String}, orient="row"),
        "rules": rules,
    }


@given(small(), st.integers(1, 6))
@settings(max_examples=120, deadline=None)
def test_form_equals_exhaustive_search(case, k):
    found, slow = answer(case, top_k=k), exhaustive(case)

    assert [(pytest.approx(c), *team) for c, _, team in slow[:k]] == lists_of(found)
    assert found.proof["is_optimal"][0]
    assert found.blocks.is_empty() == bool(slow)


@given(small())
@settings(max_examples=50, deadline=None)
def test_reasons_equal_exhaustive_search(case):
    names = sorted(case["people"]["expert_id"])

    found, slow = answer(case, named=names, top_k=2), exhaustive(case)

    for row in found.reasons.to_dicts():
        left = [t for t in slow if (row["expert_id"] in t[2]) == (row["asked"] == "with")]
        if left:
            assert (row["outcome"], row["members"]) == ("proved", list(left[0][2]))
            assert row["extra"] == pytest.approx(left[0][0] - slow[0][0])
        else:
            assert row["outcome"] in ("no_team", "no_skill", "conflict")
            assert row["cost"] is None
    asked = found.reasons.filter(asked="with")["expert_id"].to_list()
    assert asked == (names if slow else [])


@given(small())
@settings(max_examples=60, deadline=None)
def test_blocks_clash_and_none_can_be_left_out(case):
    found = answer(case)

    rules = [tuple(row) for row in found.blocks.select("rule", "subject").rows()]
    assert bool(rules) == found.teams.is_empty()
    if rules:
        alone = [[rule] for rule in rules] if all(kind in ("skill", "at_least") for kind, _ in rules) else [rules]
        for clash in alone:
            assert not exhaustive(only(case, clash))
            for out in clash:
                rest = [rule for rule in clash if rule != out]
                asks_nothing = all(kind not in ("skill", "at_least", "smallest") for kind, _ in rest)
                assert asks_nothing or exhaustive(only(case, rest))


def only(case, rules):
    """The case with these rules alone."""
    kinds = {kind: [subject for other, subject in rules if other == kind] for kind, _ in rules}
    kept = {name: value for name, value in case["rules"].items() if name in kinds}
    if "groups" in case["rules"]:
        subject = pl.format("{} = {}", "column", "value")
        least, most = (subject.is_in(kinds.get(kind, [])) for kind in ("at_least", "at_most"))
        kept["groups"] = case["rules"]["groups"].with_columns(
            at_least=pl.when(least).then("at_least").otherwise(0), at_most=pl.when(most).then("at_most")
        )
    if "apart" in kinds:
        kept["apart"] = pairs_of(*(subject.split(", ") for subject in kinds["apart"]))
    if "conflict" in kinds:
        kept["conflicts"] = pl.DataFrame({"expert_id": kinds["conflict"]})
    challenge = case["challenge"].filter(pl.col("skill_id").is_in(kinds.get("skill", [])))
    return case | {"challenge": challenge, "rules": kept}


# ── by hand ─────────────────────────────────────────────────────────────────────────────────────────────────────────

# one who can do both for 6, or two for 3 + 2


def test_form_lists_the_best_teams_in_order():
    found = answer(BOTH)

    assert lists_of(found) == [(5.0, "e1", "e2"), (6.0, "e3")]
    assert found.proof.row(0) == (5.0, 5.0, 0.0, True, 2, 3, found.proof["passes"][0])


def test_form_says_who_covers_what():
    covers = answer(BOTH).covers

    assert covers.rows() == [
        (1, "cells", "e1", None),
        (1, "control", "e2", None),
        (2, "cells", "e3", None),
        (2, "control", "e3", None),
    ]


def test_form_pays_distance_and_missing_history():
    people = BOTH["people"].with_columns(distance_km=pl.Series([10.0, 0.0, 30.0]))
    weights = TeamWeights(per_km=0.1, per_pair=1.5)

    found = form(BOTH["challenge"], people, BOTH["skills"], joint=NOBODY, weights=weights)

    assert found.teams.rows() == [(1, 7.5, 5.0, 1.0, 1.5, 2), (2, 9.0, 6.0, 3.0, 0.0, 1)]
    assert found.members.filter(rank=1).rows() == [(1, "e1", 4.75, 3.0, 1.0, 0.75), (1, "e2", 2.75, 2.0, 0.0, 0.75)]
    assert found.strangers.rows() == [(1, "e1", "e2", None, 1.5)]


def test_form_takes_a_common_partner_as_half_a_stranger():
    joint = pairs_of(("e1", "x"), ("x", "e2"))

    found = answer(BOTH, joint=joint, weights=TeamWeights(per_pair=1.0, far=3))

    assert found.strangers.rows() == [(1, "e1", "e2", 2, 0.5)]


def test_form_prefers_people_who_worked_together():
    people = people_of(e1=3, e2=2, e4=2.5)
    skills = skills_of(e1=["cells"], e2=["control"], e4=["control"])

    found = form(BOTH["challenge"], people, skills, joint=pairs_of(("e4", "e1")), weights=TeamWeights(per_pair=1))

    assert lists_of(found) == [(5.5, "e1", "e4"), (6.0, "e1", "e2")]


def test_reasons_give_the_cost_without_each_member_and_with_who_was_named():
    found = answer(BOTH, named=["e3"], top_k=1)

    assert found.reasons.rows() == [
        ("e1", "without", "proved", 6.0, 1.0, ["e3"], 6.0),
        ("e2", "without", "proved", 6.0, 1.0, ["e3"], 6.0),
        ("e3", "with", "proved", 6.0, 1.0, ["e3"], 6.0),
    ]


def test_reasons_name_those_who_cannot_be_replaced_or_taken():
    people = people_of(e1=3, e2=2, e5=1, e6=1)
    skills = skills_of(e1=["cells"], e2=["control"], e5=["ore"], e6=["control"])
    conflicts = pl.DataFrame({"expert_id": ["e6", "elsewhere"]})

    found = form(BOTH["challenge"], people, skills, conflicts=conflicts, named=["e5", "e6", "e2"])

    assert found.reasons.select("expert_id", "asked", "outcome", "extra").rows() == [
        ("e1", "without", "no_team", None),
        ("e2", "without", "no_team", None),
        ("e2", "with", "proved", 0.0),
        ("e5", "with", "no_skill", None),
        ("e6", "with", "conflict", None),
    ]


def test_form_wants_the_level():
    challenge = BOTH["challenge"].with_columns(level=pl.Series([3.0, None]))
    skills = BOTH["skills"].with_columns(level=pl.Series([3.0, 1.0, 2.9, None]))

    found = form(challenge, BOTH["people"], skills)

    assert lists_of(found) == [(5.0, "e1", "e2"), (9.0, "e1", "e3")]


def test_form_keeps_at_most_of_each_value():
    people = BOTH["people"].with_columns(school=pl.Series(["a", "a", "b"]))
    groups = pl.DataFrame({"column": ["school"], "at_most": [1]})

    found = form(BOTH["challenge"], people, BOTH["skills"], groups=groups)

    assert lists_of(found) == [(6.0, "e3")]


def test_form_fills_up_to_the_smallest_size_with_anybody():
    people = people_of(e1=3, e2=2, e3=6, e4=0.5)

    found = form(BOTH["challenge"], people, BOTH["skills"], smallest=3)

    assert lists_of(found)[0] == (5.5, "e1", "e2", "e4")


def test_form_breaks_ties_by_the_places_of_the_ids():
    people = people_of(e1=1, e2=1, e3=1, e4=1)
    skills = skills_of(e1=["cells"], e2=["control"], e3=["cells"], e4=["control"])

    found = form(BOTH["challenge"], people, skills, top_k=9)

    # places 1 + 2, then 1 + 4 and 2 + 3 by their first, then 3 + 4
    assert lists_of(found) == [(2.0, "e1", "e2"), (2.0, "e1", "e4"), (2.0, "e2", "e3"), (2.0, "e3", "e4")]


def test_form_reads_a_tenth_twice_as_two_tenths():
    people = people_of(e1=0.1, e2=0.2, e3=0.3)

    found = form(BOTH["challenge"], people, BOTH["skills"])

    assert [team for _, *team in lists_of(found)] == [["e1", "e2"], ["e3"]]


def test_form_does_not_depend_on_the_order_of_rows():
    case = region(1)
    turned = {name: value.reverse() if isinstance(value, pl.DataFrame) else value for name, value in case.items()}
    turned["rules"] = {k: v.reverse() if isinstance(v, pl.DataFrame) else v for k, v in case["rules"].items()}

    for one, other in zip(tables_of(answer(case)), tables_of(answer(turned)), strict=True):
        assert_frame_equal(one, other)


def tables_of(found: Teams):
    names = ("teams", "members", "covers", "strangers", "reasons", "blocks", "proof")
    return [getattr(found, name) for name in names]


def test_tables_are_as_the_schema_says():
    for found in (answer(region(2), named=["e001"]), answer(BOTH, largest=1, named=["e1"])):
        for table, noun in zip(tables_of(found), schema().values(), strict=True):
            assert table.schema == noun.polars
            if noun.key:
                assert not table.select(noun.key).is_duplicated().any()
            for column in noun.columns:
                assert not (column.is_required and table[column.name].null_count())


def region(seed, people=60, skills=6):
    """A case too large for exhaustive search."""
    rng = np.random.default_rng(seed)
    names = [f"e{i:03}" for i in range(people)]
    rows = [(n, f"s{s}") for n in names for s in rng.choice(skills, rng.integers(1, 4), replace=False)]
    joint = [(names[a], names[b]) for a, b in rng.integers(0, people, (people * 2, 2)) if a != b]
    return {
        "challenge": challenge_of(**{f"s{s}": 1 for s in range(skills)}),
        "people": pl.DataFrame({"expert_id": names, "cost": rng.integers(10, 90, people) / 10}),
        "skills": pl.DataFrame(rows, schema={"expert_id": pl.String, "skill_id": pl.String}, orient="row"),
        "rules": {"joint": pairs_of(*joint), "weights": TeamWeights(per_pair=1.5)},
    }


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("wanted", [1, 2])
def test_form_without_history_equals_highs(seed, wanted):
    from scipy.optimize import Bounds, LinearConstraint, milp

    case = region(seed, people=200, skills=8)
    held = case["skills"].with_columns(one=1).pivot("skill_id", index="expert_id", values="one").sort("expert_id")
    holds = held.drop("expert_id").fill_null(0).to_numpy()
    cost = case["people"]["cost"].to_numpy()
    slow = milp(
        cost,
        integrality=np.ones(cost.size),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(holds.T, wanted, np.inf),
        options={"mip_rel_gap": 0},
    )

    challenge = case["challenge"].with_columns(wanted=pl.lit(wanted))
    found = form(challenge, case["people"], case["skills"], top_k=1)

    assert found.teams["cost"][0] == pytest.approx(slow.fun)


@pytest.mark.parametrize("seed", range(3))
def test_form_with_history_equals_highs_on_products(seed):
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array, vstack

    case = region(seed, people=24, skills=5)
    n = 24
    worked = {frozenset(pair) for pair in case["rules"]["joint"].rows()}
    ids = case["people"]["expert_id"]
    pairs = [(a, b) for a, b in itertools.combinations(range(n), 2) if frozenset((ids[a], ids[b])) not in worked]
    cost = np.concatenate([case["people"]["cost"].to_numpy(), np.full(len(pairs), 1.5)])
    held = case["skills"].with_columns(one=1).pivot("skill_id", index="expert_id", values="one").sort("expert_id")
    holds = held.drop("expert_id").fill_null(0).to_numpy().T
    at = np.arange(len(pairs))
    both = coo_array(  # y >= x_a + x_b - 1
        (
            np.concatenate([np.ones(2 * len(pairs)), -np.ones(len(pairs))]),
            (np.tile(at, 3), np.concatenate([*np.transpose(pairs), n + at])),
        ),
        shape=(len(pairs), cost.size),
    )
    cover = coo_array(np.hstack([holds, np.zeros((holds.shape[0], len(pairs)))]))
    within = LinearConstraint(
        vstack([cover, both]),
        np.concatenate([np.ones(holds.shape[0]), np.full(len(pairs), -np.inf)]),
        np.concatenate([np.full(holds.shape[0], np.inf), np.ones(len(pairs))]),
    )
    slow = milp(
        cost, integrality=np.ones(cost.size), bounds=Bounds(0, 1), constraints=within, options={"mip_rel_gap": 0}
    )

    found = answer(case, top_k=1)

    assert found.teams["cost"][0] == pytest.approx(slow.fun)


def test_form_stops_in_time_with_its_gap():
    case = region(5, people=900, skills=12)
    weights = {"weights": TeamWeights(per_pair=3.0)}

    found = form(
        case["challenge"], case["people"], case["skills"], **case["rules"] | weights, seconds=1e-6, named=["e001"]
    )

    proof = found.proof.row(0, named=True)
    assert not proof["is_optimal"]
    assert proof["bound"] > 0
    assert found.blocks.is_empty()
    assert proof["cost"] is None or proof["gap"] == pytest.approx(proof["cost"] - proof["bound"])
    assert set(found.reasons["outcome"]) <= {"time"}


def test_form_tells_how_far_it_is():
    told = []

    found = answer(region(3), named=["e001"], tell=told.append)

    searched = [stage for stage in told if stage.doing == "search"]
    assert searched[0] == told[0]
    assert all(1 <= stage.at <= stage.of for stage in told)
    assert all(stage.bound <= stage.cost for stage in told if None not in (stage.bound, stage.cost))
    assert searched[-1].cost == pytest.approx(found.teams["cost"][0])
    reasons = [stage.at for stage in told if stage.doing == "reasons"]
    assert reasons == list(range(1, found.reasons.height + 1))
