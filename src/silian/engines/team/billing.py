"""What a team costs, in parts, and the tables that show it."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from silian.tables import schema

if TYPE_CHECKING:
    from silian.engines.team.case import Case


class Bill(NamedTuple):
    """What a team costs, in parts."""

    team: list[int]  # persons
    people: list[float]  # by member
    distance: list[float]
    strangers: list[tuple[int, int, int | None, float]]  # person, other, steps, cost of the pairs that cost something

    @property
    def cost(self) -> float:
        """The sum of all parts."""
        return math.fsum([*self.people, *self.distance, *(cost for *_, cost in self.strangers)])


def bill_of(case: Case, team: list[int]) -> Bill:
    """Add up what the case says of a team."""
    weights = case.weights
    rows = case.near[np.isin(case.near[:, 0], team) & np.isin(case.near[:, 1], team)]
    near = {(person, other): step for person, other, step in rows.tolist()}
    strangers = []
    for person, other in itertools.combinations(team, 2):
        step = near.get((person, other))
        cost = weights.per_pair if step is None else weights.per_pair * step / (weights.far - 1)
        if cost > 0:
            strangers.append((person, other, None if step is None else step + 1, cost))
    distance = case.people["distance_km"].gather(team).fill_null(0.0) * weights.per_km
    return Bill(team, case.people["cost"].gather(team).to_list(), distance.to_list(), strangers)


def listed(case: Case, bills: list[Bill]) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """teams, members, covers, strangers."""
    ids = case.people["expert_id"]
    teams: list[tuple[object, ...]] = []
    members: list[tuple[object, ...]] = []
    covers: list[tuple[object, ...]] = []
    strangers: list[tuple[object, ...]] = []
    for rank, bill in enumerate(bills, 1):
        history = math.fsum(cost for *_, cost in bill.strangers)
        teams.append((rank, bill.cost, math.fsum(bill.people), math.fsum(bill.distance), history, len(bill.team)))
        for person, cost, distance in zip(bill.team, bill.people, bill.distance, strict=True):
            half = math.fsum(cost / 2 for one, other, _, cost in bill.strangers if person in (one, other))
            members.append((rank, ids[person], math.fsum([cost, distance, half]), cost, distance, half))
        held = case.held.filter(pl.col("person").is_in(bill.team)).sort("skill_id", "person")
        covers += [(rank, skill, ids[person], level) for person, skill, level in held.rows()]
        strangers += [(rank, ids[one], ids[other], steps, cost) for one, other, steps, cost in bill.strangers]
    return (
        table("teams", teams),
        table("team_members", members),
        table("team_covers", covers),
        table("team_strangers", strangers),
    )


def table(name: str, rows: list[tuple[object, ...]]) -> pl.DataFrame:
    """Rows as a table of the schema."""
    return pl.DataFrame(rows, schema=schema.team()[name].polars, orient="row")
