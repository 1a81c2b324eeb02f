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
from silian.errors import ArgumentError, TableError
from silian.tables.schema import team as schema

NOBODY = pl.DataFrame(schema={"expert_id": pl.String, "other_id": pl.String})


def challenge_of(**wanted):
    return pl.DataFrame({"skill_id": list(wanted), "wanted": list(wanted.values())})


def people_of(**cost):
    return pl.DataFrame({"expert_id": list(cost), "cost": [float(c) for c in cost.values()]})


def skills_of(**held):
    rows = [(expert, skill) for expert, several in held.items() for skill in several]
    return pl.DataFrame(rows, schema={"expert_id": pl.String, "skill_id": pl.String}, orient="row")


def pairs_of(*pairs):
    return pl.DataFrame(list(pairs), schema=NOBODY.schema, orient="row")


def teams_of(found, rank=1):
    return found.members.filter(rank=rank)["expert_id"].to_list()


def lists_of(found):
    return [(c, *teams_of(found, rank)) for rank, c in found.teams.select("rank", "cost").rows()]


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


def answer(case, **options):
    return form(case["challenge"], case["people"], case["skills"], **case["rules"], **options)


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
        "weights": TeamWeights(draw(st.sampled_from([0, 0.1])), draw(st.sampled_from([0, 0.3])), draw(st.integers(2, 4))),
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
@settings(max_examples=400, deadline=None)
def test_form_equals_exhaustive_search(case, k):
    found, slow = answer(case, top_k=k), exhaustive(case)

    assert [(pytest.approx(c), *team) for c, _, team in slow[:k]] == lists_of(found)
    assert found.proof["is_optimal"][0]
    assert found.blocks.is_empty() == bool(slow)


@given(small())
@settings(max_examples=150, deadline=None)
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
