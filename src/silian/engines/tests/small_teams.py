"""Small challenges and the people for them, written in a line."""

from __future__ import annotations

import polars as pl

from silian.engines.team import form

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


BOTH = {
    "challenge": challenge_of(cells=1, control=1),
    "people": people_of(e1=3, e2=2, e3=6),
    "skills": skills_of(e1=["cells"], e2=["control"], e3=["cells", "control"]),
    "rules": {},
}


def answer(case, **options):
    return form(case["challenge"], case["people"], case["skills"], **case["rules"], **options)
