"""The best teams for a joint challenge, what each costs, and why these people and not others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from silian.engines import _inputs
from silian.engines.team.billing import bill_of, listed, table
from silian.engines.team.case import TeamWeights, case_of, check_arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from silian.engines.team.billing import Bill
    from silian.engines.team.case import Case
    from silian.engines.team.searching import Arena, Found, Stage, Watch


@dataclass(frozen=True, slots=True)
class Teams:
    """The best teams, who covers what at which cost, why nobody else, and how we know."""

    teams: pl.DataFrame  # rank, cost, people_cost, distance_cost, history_cost, members; sorted by rank
    members: pl.DataFrame  # rank, expert_id, cost, people_cost, distance_cost, history_cost
    covers: pl.DataFrame  # rank, skill_id, expert_id, level
    strangers: pl.DataFrame  # rank, expert_id, other_id, steps, cost
    reasons: pl.DataFrame  # expert_id, asked, outcome, cost, extra, members, bound
    blocks: pl.DataFrame  # rule, subject, wanted, found, nearest_id, nearest_level; empty where there is a team
    proof: pl.DataFrame  # one row: cost, bound, gap, is_optimal, teams, candidates, passes


def form(
    challenge: pl.DataFrame,
    people: pl.DataFrame,
    skills: pl.DataFrame,
    *,
    groups: pl.DataFrame | None = None,
    joint: pl.DataFrame | None = None,
    apart: pl.DataFrame | None = None,
    conflicts: pl.DataFrame | None = None,
    smallest: int = 1,
    largest: int | None = None,
    weights: TeamWeights | None = None,
    top_k: int = 3,
    named: Sequence[str] = (),
    seconds: float | None = None,
    tell: Callable[[Stage], None] | None = None,
) -> Teams:
    """Find the cheapest teams that cover the skills of a challenge.

    cost of a team = Σ cost + per_km · Σ distance + per_pair · Σ missing history of its pairs

    A team keeps every rule: enough members for each skill and group, its size, nobody in conflict, no two who must
    stay apart. And nobody is in it who could be left out: without any one member it would break a rule.

    Parameters
    ----------
    challenge : skill_id[, wanted, level]; one row per skill that the challenge needs, at most 24 with the groups that
        want somebody; wanted is a count of members who must hold it (1 where empty), level the least that counts
    people : expert_id, cost[, distance_km][, group columns]; one row per person
        cost >= 0 in any one unit, such as CNY; distance_km >= 0 to the challenge's place, wanted where per_km is not 0
    skills : expert_id, skill_id[, level]; who holds what; a level that is not known meets no wanted level
    groups : column[, value, at_least, at_most]; how many members of one value of a column of people there must or may
        be, such as org_kind, enterprise, 1; with an empty value at_most holds for each value that has no own row
    joint : expert_id, other_id; people who worked together, in either order, others than those in people too;
        needed where per_pair is not 0
    apart : expert_id, other_id; people who must not serve together
    conflicts : expert_id; people in conflict with the challenge; ids that people lacks are allowed
    smallest, largest : count of members
    weights : what distance and missing history cost
    top_k : so many teams, >= 1
    named : expert_ids that shall be told why they are not in the best team
    seconds : the longest that it may take, nearly; then the best that was found, with the gap that is left
    tell : told how far it has come, again and again, as a `Stage`

    Returns
    -------
    Teams : teams (rank 1 is the best; members is a count), members (a pair's cost falls half on each),
        covers (who holds which wanted skill), strangers (the pairs that cost something; steps in the graph of joint
        works, null: `far` or more),
        reasons (of each member of the best team the best team without them: asked "without"; of each named person the
        best team that holds them: asked "with"; extra is what it costs more than the best; outcome: proved, time (the
        best found, or none), no_team, or for a named person no_skill or conflict),
        blocks (where there is no team: rules that cannot be kept together, none of which can be left out),
        proof (bound: no team costs less; is_optimal: all teams of the list are proved; teams: how many are listed)

    Raises
    ------
    TableError : table.columns, table.type, table.value (nulls, costs, distances or levels that are negative or not
        finite, counts out of range, a person apart from themselves), table.duplicate (a person, skill, group or pair
        of person and skill twice), table.unknown (skills, apart or named hold a person whom people lacks)
    ArgumentError : argument.value (a challenge without a skill, more than 24 items, 20,000 candidates or 120 members
        wanted by all skills and groups together, largest below smallest, weights, top_k or seconds out of range)

    Notes
    -----
    Exact. Branch and bound for each size of team; a table over the sets of skills (dynamic programming) bounds what a
    candidate's best team can cost; missing history enters it as half of each pair, with costs shifted between members
    and pairs until the bound no longer grows. Costs are read to about 10 digits of the largest one, so ties are exact;
    of equal costs the team whose members' places in order of id add up to least comes first, then the first by id.
    An empty table of people gives no team and its blocks. Deterministic, unless `seconds` stops it. Splits: no.
    Cost: 12 skills and 2,000 candidates 0.03 to 0.8 s for the best and its proof, 0.1 to 6 s for three and all reasons
    (bench_team). Where history is as dear as people and many must come it may take long: give seconds. The first call
    on a machine compiles for about 20 s.
    Source: T. Lappas, K. Liu, E. Terzi (2009), Finding a team of experts in social networks, KDD; M. Kargar, A. An
    (2011), Discovering top-k teams of experts with/without a leader in social networks, CIKM (sum of distances).

    Examples
    --------
    >>> challenge = pl.DataFrame({"skill_id": ["cells", "control"]})
    >>> people = pl.DataFrame({"expert_id": ["e1", "e2", "e3"], "cost": [3.0, 2.0, 6.0]})
    >>> skills = pl.DataFrame({"expert_id": ["e1", "e2", "e3", "e3"],
    ...                        "skill_id": ["cells", "control", "cells", "control"]})
    >>> found = form(challenge, people, skills)
    >>> found.teams.select("rank", "cost", "members").rows()
    [(1, 5.0, 2), (2, 6.0, 1)]
    >>> found.reasons.select("expert_id", "asked", "extra", "members").rows()
    [('e1', 'without', 1.0, ['e3']), ('e2', 'without', 1.0, ['e3'])]
    >>> none = pl.DataFrame(schema={"expert_id": pl.String, "other_id": pl.String})
    >>> form(challenge, people, skills, joint=none, weights=TeamWeights(per_pair=2.0)).teams["cost"].to_list()
    [6.0, 7.0]
    """
    from silian.engines.team.blocking import blocks_of
    from silian.engines.team.searching import Watch, arena_of, compile_kernels, search

    weights = weights or TeamWeights()
    check_arguments((smallest, largest), weights, top_k, seconds)
    case = case_of(
        challenge,
        people,
        skills,
        groups=groups,
        joint=joint,
        apart=apart,
        conflicts=conflicts,
        sizes=(smallest, largest),
        weights=weights,
    )
    asked = pl.DataFrame({"expert_id": pl.Series(list(named), dtype=pl.String)}).unique().sort("expert_id")
    _inputs.refuse_unknown(asked, "named", "expert_id", case.people["expert_id"], "people")
    compile_kernels()
    watch = Watch(seconds)
    arena = arena_of(case, case.rules)
    found = search(arena, top_k, watch, tell=tell)
    is_impossible = found.is_proved and not found.teams
    blocks = blocks_of(case, watch) if is_impossible else table("team_blocks", [])
    reasons = _reasons(case, arena, found, asked["expert_id"], watch, tell)
    bills = [bill_of(case, team) for team in found.teams]
    return Teams(*listed(case, bills), reasons=reasons, blocks=blocks, proof=_proof(arena, found, bills))


def _reasons(
    case: Case, arena: Arena, found: Found, named: pl.Series, watch: Watch, tell: Callable[[Stage], None] | None
) -> pl.DataFrame:
    """What the best team would cost without each of its members, and with each person that was named."""
    from silian.engines.team.searching import Stage, search

    if not found.teams:
        return table("team_reasons", [])
    ids = case.people["expert_id"]
    barred = {rule.code for rule in case.rules if rule.kind == "conflict"}
    places = {person: place for place, person in enumerate(arena.person.tolist())}
    questions = [("without", person) for person in found.teams[0]]
    questions += [("with", person) for person in ids.is_in(named.implode()).arg_true().to_list()]
    best = bill_of(case, found.teams[0]).cost
    rows: list[tuple[object, ...]] = []
    for done, (asked, person) in enumerate(sorted(questions, key=lambda question: question[1]), start=1):
        if tell is not None:
            tell(Stage("reasons", done, len(questions), best, arena.back(found.bound)))
        if person not in places:
            outcome = "conflict" if person in barred else "no_skill"
            rows.append((ids[person], asked, outcome, None, None, [], None))
            continue
        if watch.is_over():
            rows.append((ids[person], asked, "time", None, None, [], None))
            continue
        is_with = asked == "with"
        known = [cost for cost, team in zip(found.cost, found.teams, strict=True) if (person in team) == is_with]
        answer = search(
            arena,
            1,
            watch,
            holding=places[person] if is_with else None,
            without=None if is_with else places[person],
            limit=min(known) if known else None,
        )
        rows.append((ids[person], asked, *_answer(case, arena, answer, best)))
    return table("team_reasons", rows)


def _answer(case: Case, arena: Arena, answer: Found, best: float) -> tuple[object, ...]:
    """outcome, cost, extra, members, bound of the best team under a condition."""
    if not answer.teams:
        return (
            ("no_team", None, None, [], None)
            if answer.is_proved
            else ("time", None, None, [], arena.back(answer.bound))
        )
    cost = bill_of(case, answer.teams[0]).cost
    members = case.people["expert_id"].gather(answer.teams[0]).to_list()
    bound = cost if answer.is_proved else min(cost, arena.back(answer.bound))
    return "proved" if answer.is_proved else "time", cost, cost - best, members, bound


def _proof(arena: Arena, found: Found, bills: list[Bill]) -> pl.DataFrame:
    cost = bills[0].cost if bills else None
    bound = None if found.is_proved and not bills else arena.back(found.bound)
    if cost is not None and bound is not None:
        bound = cost if found.cost[0] <= found.bound else min(cost, bound)
    gap = None if cost is None or bound is None else cost - bound
    row = (cost, bound, gap, found.is_proved, len(bills), arena.person.size, found.passes)
    return table("team_proof", [row])
