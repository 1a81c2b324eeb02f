"""Teams for the joint challenges of a region: its tables and a finished run as what `team.form` takes.

docs/methods/team.md says what each choice rests on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from silian import tables
from silian.engines import match, team
from silian.errors import TeamError
from silian.pipeline.folder import full_disk_told
from silian.pipeline.indexes import index_of
from silian.pipeline.plan import Plan
from silian.pipeline.reading import read_usable
from silian.tables import district_centres, schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from silian.pipeline.job import Run
    from silian.tables import Region

JOINT: Final = ("coauthor", "cooperation")  # relations of two experts that mean joint work
PAIR: Final = {"expert_id": pl.String(), "other_id": pl.String()}


@dataclass(frozen=True, slots=True)
class Base:
    """What every challenge of a region is answered from."""

    region: Region  # as the run used it
    found: Mapping[str, pl.DataFrame]  # same_people, same, conflicts of the run
    plan: Plan
    index: match.Index  # of the experts


class Wishes(NamedTuple):
    """What somebody asks beyond the challenge; ids of any row of a person."""

    holding: Sequence[str] = ()  # must be in the team
    without: Sequence[str] = ()  # must not
    named: Sequence[str] = ()  # why are they not in it
    apart: Sequence[tuple[str, str]] = ()  # must not serve together


@dataclass(frozen=True, slots=True)
class Posed:
    """What `team.form` is asked; ids of experts are those that stand for a person."""

    need_id: str
    challenge: pl.DataFrame  # skill_id, title, wanted, level
    people: pl.DataFrame  # expert_id, cost (CNY), distance_km, org_id
    skills: pl.DataFrame  # expert_id, skill_id, level: the score of the match
    joint: pl.DataFrame  # expert_id, other_id
    apart: pl.DataFrame  # expert_id, other_id
    barred: pl.DataFrame  # expert_id, kind (of the conflict of interest, or veto, without or free), evidence
    groups: pl.DataFrame  # column, value, at_least, at_most
    named: tuple[str, ...]
    weights: team.TeamWeights


def challenges(region: Region) -> pl.DataFrame:
    """The joint challenges of a region: need_id, title, skills (a count); sorted by need_id."""
    counts = region["challenge_skills"].group_by("need_id").agg(skills=pl.len())
    return counts.join(region["needs"].select("need_id", "title"), on="need_id").select(
        "need_id", "title", "skills"
    ).sort("need_id")  # fmt: skip


def reopened(path: Path, run: Run, *, plan: Plan | None = None, index: match.Index | None = None) -> Base:
    """A region and a finished run of it, to ask for teams.

    Parameters
    ----------
    path, run : the region, and a run of it that found conflicts of interest
    plan : its `team` settings instead of those of the run
    index : of the region's experts; built as the run built it where None

    Raises
    ------
    RunError : run.missing where the run lacks the tables.
    TeamError : team.run where the region has experts that the run does not know.
    MatchError : match.empty where the region has no experts.
    """
    held = Plan.read(run.path / "plan.toml")
    found = {name: run.table(name) for name in ("same_people", "same", "conflicts")}
    region = read_usable(path, held)
    experts = region["experts"]["expert_id"]
    strange = experts.filter(~experts.is_in(found["same_people"]["expert_id"].implode()))
    if strange.len():
        raise TeamError("team.run", count=strange.len(), shown=", ".join(strange.head(3)), run=str(run.path))
    settings = replace(held, team=plan.team) if plan else held
    return Base(region, found, settings, index_of(region, "experts", held) if index is None else index)


def posed(base: Base, need_id: str, *, wishes: Wishes | None = None) -> Posed:
    """The team that a challenge asks for.

    Raises
    ------
    TeamError : team.need, team.skills, team.expert where an id is not known or the need states no skill.
    """
    region, plan, wishes = base.region, base.plan.team, wishes or Wishes()
    stated = _stated(region, need_id)
    persons = base.found["same_people"].select("expert_id", person="canonical_id")
    person = dict(persons.rows())
    holding, without, named = (_known(ids, person, region) for ids in wishes[:3])
    bonds = [tuple(_known(pair, person, region)) for pair in wishes.apart]
    skills = _skills(base, stated, persons, [*holding, *named])
    ids = pl.concat([skills["expert_id"], pl.Series([*holding, *named], dtype=pl.String)]).unique().sort()
    apart = pl.concat([_apart(base, persons), pl.DataFrame(bonds, schema=PAIR, orient="row")])
    return Posed(
        need_id=need_id,
        challenge=stated.select(
            "skill_id",
            pl.col("title").fill_null(""),
            pl.col("wanted").fill_null(1),
            level=pl.lit(plan.min_score, pl.Float64),
        ),
        people=_people(base, need_id, ids),
        skills=skills,
        joint=_joint(region, persons),
        apart=apart.filter(pl.all_horizontal(pl.col(*PAIR).is_in(ids.implode()))),
        barred=_barred(base, need_id, persons, without=without, holding=holding),
        groups=_groups(plan.per_organisation, holding),
        named=tuple(named),
        weights=team.TeamWeights(per_km=plan.km_cny, per_pair=plan.stranger_cny, far=plan.far),
    )


def formed(
    asked: Posed,
    *,
    best: int = 3,
    largest: int | None = None,
    seconds: float | None = None,
    tell: Callable[[team.Stage], None] | None = None,
) -> team.Teams:
    """The best teams for what was posed; costs in CNY. Raises what `team.form` raises."""
    return team.form(
        asked.challenge.drop("title"),
        asked.people,
        asked.skills,
        groups=asked.groups,
        joint=asked.joint,
        apart=asked.apart,
        conflicts=asked.barred.select("expert_id").unique(),
        largest=largest,
        weights=asked.weights,
        top_k=best,
        named=asked.named,
        seconds=seconds,
        tell=tell,
    )


def write_teams(found: team.Teams, out: Path) -> None:
    """Write the tables of `schema.team()` as CSV into a folder.

    Raises
    ------
    RunError : run.disk where the disk is full.
    """
    names = ("teams", "members", "covers", "strangers", "reasons", "blocks", "proof")
    with full_disk_told(out):
        out.mkdir(parents=True, exist_ok=True)
        for name, table in zip(schema.team().values(), names, strict=True):
            (out / f"{name.name}.csv").write_bytes(tables.to_csv(getattr(found, table), name))


# ── what is asked ───────────────────────────────────────────────────────────────────────────────────────────────────


def _stated(region: Region, need_id: str) -> pl.DataFrame:
    """The skills of a need, sorted by id."""
    known = region["needs"]["need_id"].to_list()
    able = challenges(region)["need_id"].to_list()
    if need_id not in known:
        near = get_close_matches(need_id, able or known, n=3, cutoff=0.0)
        raise TeamError("team.need", need=need_id, near=", ".join(near))
    stated = region["challenge_skills"].filter(need_id=need_id).sort("skill_id")
    if stated.is_empty():
        raise TeamError(
            "team.skills", need=need_id, count=len(able), shown=", ".join(able[:5]) + " …" * (len(able) > 5)
        )
    return stated


def _known(ids: Iterable[str], person: Mapping[str, str], region: Region) -> list[str]:
    """The ids that stand for these persons, each once."""
    asked = list(ids)
    unknown = sorted({name for name in asked if name not in person})
    if unknown:
        near = get_close_matches(unknown[0], region["experts"]["expert_id"].to_list(), n=3, cutoff=0.0)
        raise TeamError("team.expert", count=len(unknown), shown=", ".join(unknown[:3]), near=", ".join(near))
    return list(dict.fromkeys(person[name] for name in asked))


def _groups(per_organisation: int, holding: Sequence[str]) -> pl.DataFrame:
    rows: list[tuple[str, str | None, int, int | None]] = [("expert_id", name, 1, None) for name in holding]
    if per_organisation:
        rows.append(("org_id", None, 0, per_organisation))
    names = {"column": pl.String(), "value": pl.String(), "at_least": pl.Int64(), "at_most": pl.Int64()}
    return pl.DataFrame(rows, schema=names, orient="row")


# ── who can, what they cost, where they are ─────────────────────────────────────────────────────────────────────────


def _skills(base: Base, stated: pl.DataFrame, persons: pl.DataFrame, also: Sequence[str]) -> pl.DataFrame:
    """expert_id, skill_id, level: the score of the best candidates of each skill, and of those in also.

    Who states qualifications and lacks one that the skill wants holds it not.
    """
    rows = stated.select(need_id="skill_id", title="title", text="text", qualifications_wanted="qualifications_wanted")
    qualified = match.Conditions(qualified=True)
    ranked = match.rank(rows, base.index, top_k=base.plan.team.candidates, conditions=qualified, why=False)
    own = persons.filter(pl.col("person").is_in(list(also)), pl.col("expert_id").is_in(base.index.target_ids.implode()))
    pairs = rows.select("need_id").join(own.select(target_id="expert_id"), how="cross")
    kept_out = match.why_not(pairs, rows, base.index, conditions=qualified)
    pairs = pairs.join(kept_out, on=["need_id", "target_id"], how="anti")
    pair = ["need_id", "target_id", "score"]
    scored = pl.concat([ranked.select(pair), match.score(pairs, rows, base.index).select(pair)])
    return (
        scored.join(persons, left_on="target_id", right_on="expert_id")
        .group_by(expert_id="person", skill_id="need_id")
        .agg(level=pl.col("score").max())
        .sort("expert_id", "skill_id")
    )


def _people(base: Base, need_id: str, ids: pl.Series) -> pl.DataFrame:
    """expert_id, cost, distance_km, org_id (the body), by the row that stands for the person.

    An unknown distance counts as the largest known, so that nobody gains by not telling; where none is known, as 0.
    """
    region, plan = base.region, base.plan.team
    places = {"organisations": region["organisations"], "districts": district_centres(region)}
    need = match.locate(region["needs"].filter(need_id=need_id), **places)
    rows = match.locate(region["experts"].filter(pl.col("expert_id").is_in(ids.implode())), **places)
    ends = [(side["longitude"].to_numpy(), side["latitude"].to_numpy()) for side in (need, rows)]
    distance = pl.Series(match.kilometres(*ends)).fill_nan(None)
    body = base.found["same"].select("org_id", body="canonical_id")
    return (
        rows.with_columns(distance_km=distance)
        .with_columns(pl.col("distance_km").fill_null(pl.col("distance_km").max()).fill_null(0.0))
        .join(body, on="org_id", how="left", maintain_order="left")
        .select(
            "expert_id",
            "distance_km",
            cost=pl.col("fee_cny").fill_null(0.0) * plan.days,
            org_id=pl.coalesce("body", "org_id"),
        )
        .sort("expert_id")
    )


# ── who with whom ───────────────────────────────────────────────────────────────────────────────────────────────────


def _joint(region: Region, persons: pl.DataFrame) -> pl.DataFrame:
    """Persons who share a work, or a relation that means joint work, of any time."""
    written = region["works"].select("work_id", "expert_id")
    written = written.join(written, on="work_id", suffix="_other").select("expert_id", other_id="expert_id_other")
    related = region["relations"].filter(
        pl.col("kind").is_in(JOINT), pl.col("left_noun") == "expert", pl.col("right_noun") == "expert"
    )
    return _as_persons(pl.concat([written, related.select(expert_id="left_id", other_id="right_id")]), persons)


def _apart(base: Base, persons: pl.DataFrame) -> pl.DataFrame:
    """Persons whom a rule of the region keeps apart, and rows that may be one person but for who is known."""
    rules = base.region["assignment_rules"].filter(kind="apart").select(*PAIR)
    likely = base.found["same_people"].drop_nulls("likely_id").select("expert_id", "likely_id", "is_known")
    both = likely.join(likely, on="likely_id", suffix="_other").filter(~(pl.col("is_known") & pl.col("is_known_other")))
    return _as_persons(pl.concat([rules, both.select("expert_id", other_id="expert_id_other")]), persons)


def _as_persons(pairs: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    """Pairs of different persons, each once: expert_id < other_id, sorted."""
    named = pairs.drop_nulls().join(persons, on="expert_id").join(
        persons, left_on="other_id", right_on="expert_id", suffix="_other"
    )  # fmt: skip
    both = named.select(
        expert_id=pl.min_horizontal("person", "person_other"), other_id=pl.max_horizontal("person", "person_other")
    )
    return both.filter(pl.col("expert_id") != pl.col("other_id")).unique().sort("expert_id", "other_id")


def _barred(
    base: Base, need_id: str, persons: pl.DataFrame, *, without: Sequence[str], holding: Sequence[str]
) -> pl.DataFrame:
    """expert_id, kind, evidence: persons in conflict with the need, vetoed by a rule of the region, or not wanted.

    And those who state that they can take no need, but for those who must be in.
    """
    conflicts = base.found["conflicts"].filter(need_id=need_id).select("expert_id", "kind", "evidence")
    vetoes = base.region["assignment_rules"].filter(kind="veto", need_id=need_id)
    busy = base.region["experts"].filter(pl.col("free") == 0).join(persons, on="expert_id", maintain_order="left")
    busy = busy.filter(~pl.col("person").is_in(list(holding)))
    parts = [
        conflicts,
        vetoes.select(
            "expert_id", "kind", evidence=pl.concat_str("rule_id", "reason", separator=" ", ignore_nulls=True)
        ),
        pl.DataFrame({"expert_id": pl.Series(without, dtype=pl.String)}).with_columns(
            kind=pl.lit("without"), evidence=pl.lit("")
        ),
        busy.select("expert_id", kind=pl.lit("free"), evidence=pl.lit("")),
    ]
    found = pl.concat(parts).join(persons, on="expert_id", maintain_order="left")
    return found.select("kind", "evidence", expert_id="person").select("expert_id", "kind", "evidence").unique(
        maintain_order=True
    )  # fmt: skip
