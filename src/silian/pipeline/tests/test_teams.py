"""Facts of the teams of a region: who can do what at which cost, where, with whom, and what the rules leave."""

from __future__ import annotations

import dataclasses
import math

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from silian import pipeline, tables
from silian.engines import match
from silian.errors import RunError, TeamError
from silian.pipeline import Plan, Run, teams
from silian.tables import Region, schema, synth

BEARING, CELL = "轴承钢热处理", "锂电池隔膜涂布"
DEGREE_KM = math.radians(1) * 6371.0088  # of latitude


def rows(name, *given):
    """A table of the schema from dicts."""
    return pl.DataFrame(list(given), schema=schema.tables()[name].polars)


def work(expert, title, number, **more):
    return {"expert_id": expert, "work_id": f"w{number}", "kind": "paper", "title": title, **more}


MADE = {
    "districts": rows(
        "districts",
        {"district_id": "d1", "name": "甲区", "longitude": 108.0, "latitude": 26.0},
        {"district_id": "d2", "name": "乙区", "longitude": 108.0, "latitude": 27.0},
        {"district_id": "d3", "name": "丙区"},
    ),
    "organisations": rows(
        "organisations",
        {"org_id": "o1", "name": "甲厂", "kind": "enterprise", "district_id": "d1"},
        {"org_id": "o2", "name": "乙大学", "kind": "university", "district_id": "d2"},
    ),
    "experts": rows(
        "experts",
        {"expert_id": "e1", "name": "赵一", "org_id": "o2", "district_id": "d2", "fee_cny": 1000.0},
        {"expert_id": "e2", "name": "钱二", "org_id": "o2", "district_id": "d1"},
        {"expert_id": "e3", "name": "孙三", "district_id": "d3", "fee_cny": 100.0, "orcid": "0000-0002-1825-0097"},
        {"expert_id": "e4", "name": "李四", "org_id": "o1", "district_id": "d1"},
        {"expert_id": "e5", "name": "孙三", "district_id": "d1", "orcid": "0000-0002-1825-0097"},
        {"expert_id": "e6", "name": "吴六", "district_id": "d1", "fee_cny": 1.0, "qualifications": ["patent_attorney"]},
    ),
    "works": rows(
        "works",
        work("e1", BEARING, 1),
        work("e2", CELL, 2),
        work("e3", CELL, 3),
        work("e4", f"{BEARING}与{CELL}", 4),
        work("e5", BEARING, 5),
        work("e6", CELL, 6),
        work("e1", "合写的报告", 7),
        work("e5", "合写的报告", 7),
    ),
    "needs": rows(
        "needs",
        {"need_id": "n1", "org_id": "o1", "title": "电池轴承一体化", "kind": "technology", "district_id": "d1"},
        {"need_id": "n2", "org_id": "o1", "title": "别的事", "kind": "technology", "district_id": "d1"},
    ),
    "achievements": rows("achievements", {"achievement_id": "a1", "title": BEARING}),
    "challenge_skills": rows(
        "challenge_skills",
        {"need_id": "n1", "skill_id": "bearing", "title": BEARING},
        {"need_id": "n1", "skill_id": "cell", "title": CELL, "qualifications_wanted": ["registered_engineer"]},
    ),
}  # fmt: skip
PLAN = Plan.of(
    {
        "match": {"encoder": "words"},
        "team": {"days": 2, "km_cny": 1, "stranger_cny": 50, "min_score": 0.3, "per_organisation": 1},
    }
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A region and a run of it that found the conflicts of interest."""
    root = tmp_path_factory.mktemp("teams")
    tables.write_region(Region.of(MADE), root / "region")
    return root / "region", pipeline.run(root / "region", root / "run", plan=PLAN, only=("conflicts",))


@pytest.fixture(scope="module")
def base(folders):
    return teams.reopened(*folders)


def with_tables(base, **changed):
    return dataclasses.replace(base, region=Region.of({**base.region.tables, **changed}))


def asked(base, *arguments, **wishes):
    return teams.posed(base, "n1", wishes=teams.Wishes(*arguments, **wishes))


def team_of(found):
    return found.members.filter(rank=1)["expert_id"].to_list()


def test_challenges_are_the_needs_that_state_skills(base):
    assert teams.challenges(base.region).rows() == [("n1", "电池轴承一体化", 2)]


def test_posed_takes_the_days_of_the_plan_and_the_fee_of_a_person_who_may_ask_for_none(base):
    people = asked(base).people

    assert dict(people.select("expert_id", "cost").rows()) == {"e1": 2000.0, "e2": 0.0, "e3": 200.0, "e4": 0.0}


def test_posed_measures_from_the_place_of_the_need_and_takes_an_unknown_place_as_the_farthest(base):
    people = asked(base).people.select("expert_id", "distance_km").rows()

    # e2 works at o2, whose place is not known: the centre of the person's own district
    assert dict(people) == pytest.approx({"e1": DEGREE_KM, "e2": 0.0, "e3": DEGREE_KM, "e4": 0.0})


def test_posed_counts_no_distance_where_the_place_of_the_need_is_not_known(base):
    nowhere = MADE["needs"].with_columns(district_id=pl.lit(None, pl.String), org_id=pl.lit(None, pl.String))

    assert asked(with_tables(base, needs=nowhere)).people["distance_km"].sum() == 0


def test_posed_adds_up_what_the_rows_of_a_person_can(base):
    skills = asked(base).skills.filter(expert_id="e3")

    # e5 is the same person by ORCID iD
    assert skills["skill_id"].to_list() == ["bearing", "cell"]
    assert (skills["level"] > 0.3).all()
    assert "e5" not in asked(base).people["expert_id"]


def test_posed_leaves_out_who_lacks_a_stated_qualification(base):
    assert "e6" not in asked(base).people["expert_id"]
    assert asked(base, named=["e6"]).skills.filter(expert_id="e6", skill_id="cell").is_empty()


def test_posed_gives_the_scores_of_the_matcher(base):
    skill = pl.DataFrame({"need_id": ["cell"], "title": [CELL], "text": [""]})
    pairs = pl.DataFrame({"need_id": ["cell"], "target_id": ["e2"]})

    score = match.score(pairs, skill, base.index)["score"].item()

    assert asked(base).skills.filter(expert_id="e2", skill_id="cell")["level"].item() == score


def test_posed_knows_joint_works_and_relations_by_person(base):
    relations = rows(
        "relations",
        *(
            {"relation_id": f"r{i}", "kind": kind, "left_noun": "expert", "left_id": "e2", "right_noun": "expert",
             "right_id": other}
            for i, (kind, other) in enumerate([("cooperation", "e5"), ("adviser", "e1")])
        ),
    )  # fmt: skip

    assert asked(base).joint.rows() == [("e1", "e3")]
    assert asked(with_tables(base, relations=relations)).joint.rows() == [("e1", "e3"), ("e2", "e3")]


def test_posed_bars_those_in_conflict_and_those_that_a_rule_vetoes(base):
    rule = rows("assignment_rules", {"rule_id": "r1", "kind": "veto", "need_id": "n1", "expert_id": "e5"})

    assert asked(base).barred.rows() == [("e4", "employment", "employment o1")]
    barred = asked(with_tables(base, assignment_rules=rule), without=["e2"]).barred
    assert barred.select("expert_id", "kind").rows() == [("e4", "employment"), ("e3", "veto"), ("e2", "without")]


def test_posed_bars_who_can_take_no_need_unless_they_must_be_in(base):
    experts = MADE["experts"].with_columns(free=pl.when(pl.col("expert_id").is_in(["e2", "e5"])).then(0))
    busy = with_tables(base, experts=experts)

    assert set(asked(busy).barred.filter(kind="free")["expert_id"]) == {"e2", "e3"}
    assert asked(busy, holding=["e3"]).barred.filter(kind="free")["expert_id"].to_list() == ["e2"]


def test_posed_keeps_apart_those_of_a_rule_those_asked_for_and_those_who_may_be_one(base):
    rule = rows("assignment_rules", {"rule_id": "r1", "kind": "apart", "expert_id": "e1", "other_id": "e5"})
    likely = base.found["same_people"].with_columns(
        likely_id=pl.when(pl.col("expert_id").is_in(["e1", "e2"])).then(pl.lit("e1")), is_known=pl.lit(value=False)
    )
    doubted = dataclasses.replace(base, found={**base.found, "same_people": likely})

    assert asked(base).apart.is_empty()
    assert asked(with_tables(base, assignment_rules=rule)).apart.rows() == [("e1", "e3")]
    assert asked(base, apart=[("e2", "e5")]).apart.rows() == [("e2", "e3")]
    assert asked(doubted).apart.rows() == [("e1", "e2")]


def test_formed_finds_the_cheapest_team(base):
    found = teams.formed(asked(base))

    # e3 alone: 2 days at 100 and the farthest place known; e1 and e2 are of one university, which may send one
    assert found.teams.select("cost", "members").row(0) == pytest.approx((200 + DEGREE_KM, 1))
    assert team_of(found) == ["e3"]
    assert found.teams.height == 1


def test_formed_keeps_what_was_wished(base):
    assert team_of(teams.formed(asked(base, holding=["e1"]))) == ["e1", "e3"]
    none = teams.formed(asked(base, without=["e5"]))
    assert none.teams.is_empty()
    # e1 and e2 are of one university, e3 and e5 are one person, e4 is in conflict
    assert set(none.blocks.select("rule", "subject").rows()) == {
        ("skill", "bearing"), ("skill", "cell"), ("at_most", "org_id = o2"), ("conflict", "e3"), ("conflict", "e4"),
    }  # fmt: skip


def test_formed_says_why_a_named_person_is_not_in(base):
    reasons = teams.formed(asked(base, named=["e1", "e4", "e6"])).reasons.filter(asked="with")

    assert reasons.select("expert_id", "outcome").rows() == [("e1", "no_team"), ("e4", "conflict"), ("e6", "no_skill")]


def test_write_teams_writes_every_table_of_the_schema(base, tmp_path):
    teams.write_teams(teams.formed(asked(base)), tmp_path / "out")

    assert {path.stem for path in (tmp_path / "out").iterdir()} == set(schema.team())
    assert pl.read_csv(tmp_path / "out" / "team_members.csv")["expert_id"].to_list() == ["e3"]


def test_reopened_takes_the_team_settings_of_another_plan_and_a_kept_index(folders, base):
    other = Plan.of({"match": {"encoder": "default"}, "team": {"days": 5}})

    again = teams.reopened(*folders, plan=other, index=base.index)

    assert (again.plan.team.days, again.plan.match.encoder) == (5.0, "words")
    assert again.index is base.index


def test_every_challenge_of_a_synthetic_region_is_answered(tmp_path):
    synth.write(synth.make("tiny"), tmp_path / "region")
    run = pipeline.run(tmp_path / "region", tmp_path / "run", only=("conflicts",))
    base = teams.reopened(tmp_path / "region", run)

    for need_id in teams.challenges(base.region)["need_id"]:
        question = teams.posed(base, need_id)
        found = teams.formed(question)

        assert found.proof["is_optimal"].all()
        assert found.teams.is_empty() != found.blocks.is_empty()
        assert set(found.members["expert_id"]).isdisjoint(question.barred["expert_id"])


def test_posed_is_the_same_again(base):
    one, other = asked(base, named=["e6"]), asked(base, named=["e6"])

    for name in ("people", "skills", "joint", "apart", "barred", "groups"):
        assert_frame_equal(getattr(one, name), getattr(other, name))


# ── refusals ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_posed_names_an_unknown_need_and_those_that_are_near(base):
    with pytest.raises(TeamError, match=r"team\.need.*n9.*n1"):
        teams.posed(base, "n9")


def test_posed_names_a_need_without_skills_and_those_that_have_some(base):
    with pytest.raises(TeamError, match=r"team\.skills.*n2.*1 need\(s\).*n1"):
        teams.posed(base, "n2")


@pytest.mark.parametrize(
    "wish", [{"holding": ["e9"]}, {"without": ["e9"]}, {"named": ["e9"]}, {"apart": [("e1", "e9")]}]
)
def test_posed_names_an_unknown_expert(base, wish):
    with pytest.raises(TeamError, match=r"team\.expert.*e9.*Near: e"):
        asked(base, **wish)


def test_reopened_names_an_expert_who_came_after_the_run(folders, tmp_path):
    later = rows("experts", {"expert_id": "e7", "name": "郑七"})
    tables.write_region(Region.of({**MADE, "experts": pl.concat([MADE["experts"], later])}), tmp_path / "region")

    with pytest.raises(TeamError, match=r"team\.run.*1 expert.*e7"):
        teams.reopened(tmp_path / "region", folders[1])


def test_reopened_names_a_run_without_conflicts(folders, tmp_path):
    run = pipeline.run(folders[0], tmp_path / "run", plan=PLAN, only=("link",))

    with pytest.raises(RunError, match=r"run\.missing.*conflicts"):
        teams.reopened(folders[0], Run.open(run.path))
