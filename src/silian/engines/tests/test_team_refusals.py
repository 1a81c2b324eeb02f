"""Facts of team forming: why there is no team, and what is refused."""

from __future__ import annotations

import polars as pl
import pytest

from silian.engines.team import TeamWeights, form
from silian.engines.tests.small_teams import BOTH, NOBODY, answer, challenge_of, pairs_of, people_of, skills_of
from silian.errors import ArgumentError, TableError

# ── where there is no team ──────────────────────────────────────────────────────────────────────────────────────────


def test_blocks_name_the_skill_that_nobody_has_and_who_is_nearest():
    challenge = challenge_of(cells=1, control=2, ore=1).with_columns(level=pl.Series([3.0, 1.0, None]))
    skills = BOTH["skills"].with_columns(level=pl.Series([2.0, 1.0, 2.5, None]))

    found = form(challenge, BOTH["people"], skills)

    assert found.blocks.rows() == [
        ("skill", "cells", 1, 0, "e3", 2.5),
        ("skill", "control", 2, 1, "e3", None),
        ("skill", "ore", 1, 0, None, None),
    ]
    assert found.teams.is_empty()
    assert found.proof.row(0, named=True)["is_optimal"]
    assert found.proof.row(0, named=True)["bound"] is None


def test_blocks_say_the_least_size_that_works():
    found = form(BOTH["challenge"], people_of(e1=3, e2=2), skills_of(e1=["cells"], e2=["control"]), largest=1)

    assert ("largest", "", 1, 2, None, None) in found.blocks.rows()


def test_blocks_are_told_where_many_more_are_wanted_than_may_come():
    names = [f"e{i:02}" for i in range(70)]
    people = pl.DataFrame({"expert_id": names, "cost": 1.0})
    skills = pl.DataFrame({"expert_id": names, "skill_id": ["cells", "control"] * 35})

    found = form(challenge_of(cells=35, control=35), people, skills, largest=10)

    assert found.blocks.select("rule", "subject", "found").rows() == [("skill", "cells", 35), ("largest", "", 70)]


def test_blocks_name_those_who_must_stay_apart():
    found = form(
        BOTH["challenge"],
        people_of(e1=3, e2=2, e4=1),
        skills_of(e1=["cells"], e2=["control"], e4=["control"]),
        apart=pairs_of(("e2", "e1"), ("e1", "e4"), ("e2", "e4")),
    )

    assert found.blocks.select("rule", "subject").rows() == [
        ("skill", "cells"),
        ("skill", "control"),
        ("apart", "e1, e2"),
        ("apart", "e1, e4"),
    ]


def test_blocks_name_the_conflict():
    found = answer(BOTH, largest=1, conflicts=pl.DataFrame({"expert_id": ["e1", "e3"]}))

    assert found.blocks.select("rule", "subject", "wanted", "found").rows() == [
        ("skill", "cells", 1, 0),
        ("conflict", "e1", None, None),
        ("conflict", "e3", None, None),
    ]


def test_blocks_name_the_group_nobody_is_in():
    people = BOTH["people"].with_columns(kind=pl.Series(["firm", "firm", None]))
    groups = pl.DataFrame({"column": ["kind"], "value": ["school"], "at_least": [1]})

    found = form(BOTH["challenge"], people, BOTH["skills"], groups=groups)

    assert found.blocks.rows() == [("at_least", "kind = school", 1, 0, None, None)]


def test_blocks_say_that_people_are_too_few():
    found = answer(BOTH, smallest=4)

    assert found.blocks.select("rule", "wanted", "found").rows() == [("smallest", 4, 3)]


def test_form_of_nobody_has_no_team():
    nobody = BOTH["people"].head(0)

    found = form(BOTH["challenge"], nobody, BOTH["skills"].head(0), groups=pl.DataFrame(schema={"column": pl.String}))

    assert found.blocks["subject"].to_list() == ["cells", "control"]


# ── bad input ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("table", "changed", "code"),
    [
        ("people", people_of(e1=-1, e2=2, e3=6), r"table\.value.*people\.cost.*below 0"),
        ("people", people_of(e1=float("nan"), e2=2, e3=6), r"table\.value.*people\.cost.*not finite"),
        ("people", people_of(e1=float("inf"), e2=2, e3=6), r"table\.value.*people\.cost.*not finite"),
        ("people", BOTH["people"].with_columns(distance_km=-1.0), r"table\.value.*distance_km"),
        ("people", pl.concat([BOTH["people"], BOTH["people"]]), r"table\.duplicate.*people"),
        ("people", BOTH["people"].drop("cost"), r"table\.columns.*people"),
        ("people", BOTH["people"].with_columns(cost=pl.lit("3")), r"table\.type.*people\.cost"),
        ("people", people_of(e1=3, e2=2), r"table\.unknown.*skills\.expert_id.*e3"),
        ("skills", pl.concat([BOTH["skills"], BOTH["skills"]]), r"table\.duplicate.*skills"),
        ("skills", BOTH["skills"].with_columns(level=float("nan")), r"table\.value.*skills\.level"),
        ("challenge", challenge_of(cells=0, control=1), r"table\.value.*challenge\.wanted.*below 1"),
        ("challenge", pl.concat([BOTH["challenge"], BOTH["challenge"]]), r"table\.duplicate.*challenge"),
    ],
)
def test_form_refuses_a_bad_table(table, changed, code):
    with pytest.raises(TableError, match=code):
        answer(BOTH | {table: changed})


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"apart": pairs_of(("e1", "e1"))}, r"table\.value.*apart.*itself"),
        ({"apart": pairs_of(("e1", "ghost"))}, r"table\.unknown.*apart\.other_id.*ghost"),
        ({"named": ["ghost"]}, r"table\.unknown.*named.*ghost"),
        ({"conflicts": NOBODY.drop("expert_id")}, r"table\.columns.*conflicts"),
        ({"weights": TeamWeights(per_pair=1)}, r"table\.columns.*joint"),
        ({"weights": TeamWeights(per_km=1)}, r"table\.columns.*distance_km"),
        ({"groups": pl.DataFrame({"column": ["kind"], "at_most": [1]})}, r"table\.columns.*kind"),
        ({"groups": pl.DataFrame({"column": ["cost"], "at_least": [1]})}, r"table\.value.*groups\.at_least"),
        (
            {"groups": pl.DataFrame({"column": ["c"], "value": ["x"], "at_least": [2], "at_most": [1]})},
            r"table\.value.*groups\.at_most.*below at_least",
        ),
        ({"groups": pl.DataFrame({"column": ["c"], "value": ["x"], "at_most": [-1]})}, r"table\.value.*at_most"),
    ],
)
def test_form_refuses_bad_rules(options, code):
    with pytest.raises(TableError, match=code):
        answer(BOTH, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"smallest": 0},
        {"smallest": 3, "largest": 2},
        {"smallest": 121},
        {"top_k": 0},
        {"seconds": 0.0},
        {"weights": TeamWeights(per_km=-1)},
        {"weights": TeamWeights(per_pair=float("nan"))},
        {"weights": TeamWeights(far=1)},
    ],
)
def test_form_refuses_arguments_out_of_range(options):
    people = people_of(**{f"e{i}": 1 for i in range(1, 70)})

    with pytest.raises(ArgumentError, match=r"argument\.value"):
        answer(BOTH | {"people": people}, **options)


def test_form_refuses_a_challenge_without_or_with_too_many_skills():
    with pytest.raises(ArgumentError, match=r"argument\.value.*challenge.*without a row"):
        answer(BOTH | {"challenge": BOTH["challenge"].head(0)})
    with pytest.raises(ArgumentError, match=r"argument\.value.*25 skills.*at most 24"):
        answer(BOTH | {"challenge": challenge_of(**{f"s{i}": 1 for i in range(25)})})
    with pytest.raises(ArgumentError, match=r"argument\.value.*challenge.*121 members.*at most 120"):
        answer(BOTH | {"challenge": challenge_of(cells=60, control=61)})


def test_form_refuses_more_candidates_than_pairs_can_be_kept_of():
    names = [f"e{i}" for i in range(20_001)]
    people = pl.DataFrame({"expert_id": names, "cost": 1.0})
    skills = pl.DataFrame({"expert_id": names, "skill_id": "cells"})

    with pytest.raises(ArgumentError, match=r"argument\.value.*20001.*at most 20000"):
        form(BOTH["challenge"], people, skills)
