"""The assignment of a region as tables for the engine: who wants how many, who can take how many, who fits whom."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from silian import tables
from silian.engines import allocate, match
from silian.errors import RunError, TableError
from silian.pipeline.folder import full_disk_told
from silian.pipeline.indexes import index_of
from silian.pipeline.plan import Plan
from silian.pipeline.reading import read_usable
from silian.pipeline.waiting import waited
from silian.tables.problems import names_near
from silian.tables.schema import repair, results

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from silian.errors import SilianError
    from silian.pipeline.job import Run
    from silian.pipeline.plan import AllocatePlan
    from silian.pipeline.replies import Replies
    from silian.tables import Region
    from silian.tables.schema import Table

PAIR: Final = ["need_id", "expert_id"]
LEAST: Final = 1e-6  # score of a pair that people name though nothing in it matches: above 0, so that it can stand

QUOTA = {
    "name": pl.String(), "need_group": pl.String(), "need_value": pl.String(), "expert_group": pl.String(),
    "expert_value": pl.String(), "sum_of": pl.String(), "at_least": pl.Float64(), "at_most": pl.Float64(),
}  # fmt: skip


class Posed(NamedTuple):
    """What `allocate.assign` is asked; ids of experts are those that stand for a person."""

    pairs: pl.DataFrame  # need_id, expert_id, score
    demand: pl.DataFrame  # need_id, wanted, and the columns of the code list need_group
    capacity: pl.DataFrame  # expert_id, free, fee_cny, and the columns of the code list expert_group
    conflicts: pl.DataFrame
    rules: allocate.Rules


class Elsewhere(NamedTuple):
    """What other programmes take: ids are those that stand for a person or body in this run."""

    experts: pl.DataFrame  # expert_id, assigned: count of needs
    bodies: pl.DataFrame  # org_id, assigned: count of experts


def elsewhere(runs: Sequence[Run], found: Mapping[str, pl.DataFrame]) -> Elsewhere:
    """What the assignments of other runs take of the experts and enterprises of this one.

    runs : finished runs, each up to its assignment
    found : same_people and same of this run

    Whoever is one person or body there or here is one for both.

    Raises
    ------
    RunError : run.missing where a run lacks one of the tables.
    """
    experts, bodies = [], []
    for run in runs:
        served = run.table("assigned").select("need_id", "expert_id", assigned=pl.lit(1, pl.Int64))
        experts.append(_known_here(served, run.table("same_people"), found["same_people"], "expert_id"))
        bodies.append(_known_here(run.table("contacts"), run.table("same"), found["same"], "org_id"))
    return Elsewhere(_summed(experts, "expert_id"), _summed(bodies, "org_id"))


def _known_here(taken: pl.DataFrame, there: pl.DataFrame, here: pl.DataFrame, key: str) -> pl.DataFrame:
    """The rows of `taken` under the ids of this run: through any row of the person or body that both runs know."""
    rows = there.select(key, there="canonical_id").join(here.select(key, here="canonical_id"), on=key)
    names = rows.select("there", "here").unique()
    return taken.join(names, left_on=key, right_on="there").drop(key, strict=False).rename({"here": key})


def _summed(parts: list[pl.DataFrame], key: str) -> pl.DataFrame:
    empty = pl.DataFrame(schema={key: pl.String, "assigned": pl.Int64})
    return pl.concat([empty, *(part.select(key, "assigned") for part in parts)]).group_by(key).sum().sort(key)


def posed(
    region: Region,
    found: Mapping[str, pl.DataFrame],
    plan: Plan,
    on: date | None,
    *,
    named: pl.DataFrame | None = None,
    taken: Elsewhere | None = None,
) -> Posed:
    """The assignment that a region, its matches and its plan pose on a day.

    A need whose deadline has passed asks for nobody. Rows of experts that are one person have one load: the least that
    any of them states. Organisations count as bodies, so branches of one enterprise share its limits. A pair that a
    pin or `named` (need_id, expert_id) asks for is possible though the expert is not among the best of the need.
    Places that are `taken` in other programmes are gone, and experts there count in the contact budget.
    """
    person = found["same_people"].select("expert_id", person="canonical_id")
    body = found["same"].select("org_id", body="canonical_id")
    rules = rules_of(region, person, plan.allocate)
    pairs = _of_persons(found["expert_pairs"], person)
    asked = [table.select(PAIR) for table in (rules.pins, named) if table is not None]
    if asked:
        pairs = pl.concat([pairs, _scored(pl.concat(asked).join(pairs, on=PAIR, how="anti"), region, person, plan)])
    is_over = (pl.col("deadline_on") < on).fill_null(value=False)
    wanted = pl.col("experts_wanted").fill_null(plan.allocate.wanted)
    needs = region["needs"].join(body, on="org_id", how="left", maintain_order="left")
    demand = needs.select(
        "need_id", "district_id", "field", "kind",
        wanted=pl.when(is_over).then(0).otherwise(wanted), org_id=pl.coalesce("body", "org_id"),
    )  # fmt: skip
    rows = region["experts"].join(person, on="expert_id", how="left", maintain_order="left")
    least = rows.group_by("person").agg(least=pl.col("free").min().fill_null(plan.allocate.free))
    capacity = (
        rows.filter(pl.col("expert_id") == pl.col("person"))
        .join(body, on="org_id", how="left", maintain_order="left")
        .join(least, on="person", maintain_order="left")
        .select(
            "expert_id",
            "title",
            "field",
            "district_id",
            "qualifications",
            pl.col("fee_cny").fill_null(0.0),  # empty: pro bono
            free="least",
            org_id=pl.coalesce("body", "org_id"),
        )
        .sort("expert_id")
    )
    if taken is not None:
        rules = dataclasses.replace(
            rules,
            taken=_some(taken.experts),
            quotas=_with_contacts(rules.quotas, taken, demand, plan.allocate.contacts),
        )
    return Posed(pairs.sort(PAIR), demand, capacity, found["conflicts"], rules)


def _with_contacts(
    quotas: pl.DataFrame | None, taken: Elsewhere, demand: pl.DataFrame, most: int
) -> pl.DataFrame | None:
    """The quotas, and of each enterprise that other programmes send experts to what is left of its contact budget."""
    sent = taken.bodies.join(demand, on="org_id", how="semi") if most else taken.bodies.clear()
    if quotas is None or sent.is_empty():
        return quotas
    left = sent.select(
        name=pl.lit("contacts"), need_group=pl.lit("org_id"), need_value="org_id",
        at_most=(most - pl.col("assigned")).clip(0).cast(pl.Float64),
    )  # fmt: skip
    return pl.concat([quotas, left], how="diagonal")


def contacts(assigned: pl.DataFrame, demand: pl.DataFrame, taken: Elsewhere) -> pl.DataFrame:
    """How many experts each enterprise gets over all its needs, here and in other programmes: schema results/contacts.

    demand : need_id, org_id; the enterprises are those of the needs
    """
    asked = demand.select("need_id", "org_id").drop_nulls()
    counts = assigned.join(asked, on="need_id").group_by("org_id").agg(assigned=pl.len().cast(pl.Int64))
    there = taken.bodies.rename({"assigned": "elsewhere"})
    joined = asked.select("org_id").unique().join(counts, on="org_id", how="left").join(there, on="org_id", how="left")
    return joined.with_columns(pl.col("assigned", "elsewhere").fill_null(0)).sort("org_id")


def loads(assigned: pl.DataFrame, capacity: pl.DataFrame, taken: Elsewhere) -> pl.DataFrame:
    """How many needs each expert serves, could take, and has in other programmes: schema results/loads."""
    there = taken.experts.rename({"assigned": "elsewhere"})
    joined = allocate.loads(assigned, capacity).join(there, on="expert_id", how="left", maintain_order="left")
    return joined.with_columns(pl.col("elsewhere").fill_null(0))


def _of_persons(pairs: pl.DataFrame, person: pl.DataFrame) -> pl.DataFrame:
    """need_id, expert_id, score: of all rows that are one person the best score."""
    named = pairs.join(person, left_on="target_id", right_on="expert_id")
    return named.group_by("need_id", expert_id="person").agg(pl.col("score").max())


def _scored(named: pl.DataFrame, region: Region, person: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """need_id, expert_id, score of pairs that people name; unknown ids are left to whoever says what is wrong."""
    rows = named.unique().join(person, left_on="expert_id", right_on="person").rename({"expert_id_right": "target_id"})
    rows = rows.filter(pl.col("need_id").is_in(region["needs"]["need_id"].implode()))
    if rows.is_empty():
        return named.clear().with_columns(score=pl.lit(None, pl.Float64))
    scored = match.score(rows.select("need_id", "target_id"), region["needs"], index_of(region, "experts", plan))
    return _of_persons(scored, person).with_columns(pl.max_horizontal("score", LEAST))


def reopened(path: Path, run: Run, *, named: list[tuple[str, str]] | None = None) -> allocate.Standing:
    """The assignment of a finished run of the region at path, to be repaired, changed by hand or asked about.

    The rules that held hold on. named: pairs (need_id, expert_id) that shall be possible, however the expert matched.

    Raises
    ------
    RunError : run.missing where the run assigned nobody.
    TableError : table.unknown, allocate.pair, allocate.room where the region is no longer that of the run.
    """
    asked = _posed_again(path, run, named or [])
    return allocate.reopen(
        run.table("assigned"), asked.pairs, asked.demand, asked.capacity,
        conflicts=asked.conflicts, rules=asked.rules, prices=run.table("prices"),
    )  # fmt: skip


def known(run: Run, *, needs: Iterable[str] = (), experts: Iterable[str] = ()) -> dict[str, str]:
    """The id under which a run's assignment knows each expert, for a person may have several; what is named is checked.

    Raises
    ------
    RunError : run.unknown for the first id that the run does not know.
    """
    prices, person = run.table("prices"), run.table("same_people")
    ids = {
        "need": {need: need for need in prices.filter(side="need")["id"]},
        "expert": dict(person.select("expert_id", "canonical_id").iter_rows()),
    }
    for noun, noun_zh, asked in (("need", "需求", needs), ("expert", "专家", experts)):
        for one in asked:
            if one not in ids[noun]:
                hint = names_near(one, list(ids[noun]))
                raise RunError("run.unknown", noun=noun, noun_zh=noun_zh, found=one, hint=hint)
    return ids["expert"]


def drawn(path: Path, run: Run, *, cap: float, seed: int) -> allocate.Lottery:
    """A draw of lots for what a finished run of the region at path was asked.

    Raises
    ------
    TableError : allocate.limits where rules stand that a draw would not keep; those of `reopened`.
    """
    asked = _posed_again(path, run, [])
    tables_ = asked.pairs, asked.demand, asked.capacity
    return waited(partial(allocate.lottery, *tables_, cap=cap, seed=seed, conflicts=asked.conflicts, rules=asked.rules))


def _posed_again(path: Path, run: Run, named: list[tuple[str, str]]) -> Posed:
    """What the run was asked."""
    plan = Plan.read(run.path / "plan.toml")
    region = read_usable(path, plan)
    found = {name: run.table(name) for name in ("expert_pairs", "same_people", "same", "conflicts")}
    pins = run.table("assigned").select("need_id", "score", target_id="expert_id")  # some are not in expert_pairs
    found["expert_pairs"] = pl.concat([found["expert_pairs"].select(pins.columns), pins])
    day: date | None = plan.day or region["needs"]["posted_on"].max()  # type: ignore[assignment]
    wished = pl.DataFrame(named, schema=dict.fromkeys(PAIR, pl.String), orient="row")
    return posed(region, found, plan, day, named=wished, taken=_taken(run))


def _taken(run: Run) -> Elsewhere:
    """What other programmes took when the run was made."""
    sides = (("loads", "expert_id"), ("contacts", "org_id"))
    tables_ = [run.table(name).select(key, assigned="elsewhere").filter(pl.col("assigned") > 0) for name, key in sides]
    return Elsewhere(*tables_)


def repaired(
    standing: allocate.Standing,
    changes: list[dict[str, object]],
    *,
    replies: Replies | None = None,
    seconds: float | None = None,
) -> allocate.Repair:
    """The assignment after some changes, each a row of what `allocate.repair` takes, and after replies of experts.

    seconds : the longest that a search may take where rules need one; to the end where None
    """
    if replies is not None:
        held = replies.accepted.select(pl.lit("add").alias("what"), *PAIR)
        standing = allocate.edit(standing, held).standing  # what stands already is held where it is
        changes = [*changes, *_answers(standing, replies)]
    types = {"kind": pl.String, "need_id": pl.String, "expert_id": pl.String, "value": pl.Float64}
    return waited(partial(allocate.repair, standing, pl.DataFrame(changes, schema=types), seconds=seconds))


def _answers(standing: allocate.Standing, replies: Replies) -> list[dict[str, object]]:
    """Pairs that are declined and places that are given back, as changes."""
    places = replies.fewer.join(standing.problem.capacity, on="expert_id", suffix="_now")
    fewer = places.filter(pl.col("free") < pl.col("free_now")).select("expert_id", kind=pl.lit("free"), value="free")
    return [*replies.declined.with_columns(kind=pl.lit("veto")).to_dicts(), *fewer.to_dicts()]


def edited(standing: allocate.Standing, moves: list[tuple[str, str, str]]) -> allocate.Edit:
    """The assignment after moves made by hand: what (add or remove), need_id, expert_id."""
    names = dict.fromkeys(("what", "need_id", "expert_id"), pl.String)
    return allocate.edit(standing, pl.DataFrame(moves, schema=names, orient="row"))


def reasons_for(standing: allocate.Standing, need_id: str, expert_id: str | None) -> pl.DataFrame:
    """Why a pair is assigned or not; without an expert: of every candidate, the assigned ones first, if it has any."""
    p, pair = standing.problem, ["need_id", "expert_id"]
    places = pl.DataFrame(
        {"need_id": p.demand["need_id"].gather(p.row), "expert_id": p.capacity["expert_id"].gather(p.column)}
    )
    known = standing.barred.select(pair).filter(pl.col("expert_id").is_in(p.capacity["expert_id"].implode()))
    candidates = pl.concat([places, known]).filter(need_id=need_id).unique(maintain_order=True)
    if expert_id is not None:
        candidates = pl.DataFrame({"need_id": [need_id], "expert_id": [expert_id]})
    try:
        found = allocate.why(standing, candidates)
    except TableError as error:
        if error.code != "allocate.limits":
            raise
        found = _without_thresholds(standing, candidates)
    return found.sort("is_chosen", "margin", "expert_id", descending=[True, True, False], nulls_last=True)


def _without_thresholds(standing: allocate.Standing, asked: pl.DataFrame) -> pl.DataFrame:
    """Who is assigned and who is barred: under quotas no threshold can be told. Schema repair/why."""
    p = standing.problem
    ids = {"need_id": p.demand["need_id"].gather(p.row), "expert_id": p.capacity["expert_id"].gather(p.column)}
    scores = pl.DataFrame({**ids, "score": p.pairs["score"], "is_chosen": standing.chosen})
    told = asked.join(scores, on=PAIR, how="left", maintain_order="left")
    told = told.join(standing.barred, on=PAIR, how="left", maintain_order="left")
    otherwise = pl.when(pl.col("score").is_null()).then(pl.lit("no_score")).otherwise(pl.lit("rules"))
    told = told.with_columns(pl.col("is_chosen").fill_null(value=False), because=pl.coalesce("because", otherwise))
    return told.select(
        pl.col(name).cast(kind) if name in told.columns else pl.lit(None, kind).alias(name)
        for name, kind in repair()["why"].polars.items()
    )


def write_repair(done: allocate.Repair | allocate.Edit, out: Path) -> None:
    """Write what stands after the changes and what moved as CSV into a folder.

    Raises
    ------
    RunError : run.disk where the disk is full.
    """
    standing = done.standing
    found = {
        "assigned": (standing.assigned, results()["assigned"]),
        "unmet": (standing.unmet, results()["unmet"]),
        "changes": (done.changes, repair()["changes"]),
        "figures": (done.figures, repair()["figures"]),
    }
    _write(found, out)


def write_draw(done: allocate.Lottery, out: Path, *, cap: float, seed: int) -> None:
    """Write a draw, the probabilities that it was made by and its figures as CSV into a folder.

    Raises
    ------
    RunError : run.disk where the disk is full.
    """
    figures = done.figures.with_columns(cap=pl.lit(cap), seed=pl.lit(seed))
    found = {
        "assigned": (done.assigned, results()["assigned"]),
        "unmet": (done.unmet, results()["unmet"]),
        "probabilities": (done.probabilities, repair()["probabilities"]),
        "draw": (figures, repair()["draw"]),
    }
    _write(found, out)


def clash_rows(error: SilianError) -> pl.DataFrame:
    """The rules of allocate.clash and the cheapest way out, in words: schema repair/clash."""
    schema = repair()["clash"]
    found = error.problems
    if found is None:
        return schema.empty()
    given = found.with_columns(pl.lit(None, pl.Float64).alias(name) for name in ("by", "cost") if name not in found)
    parts = []
    for part in ("clash", "relaxation"):
        rows = given.filter(pl.col("part") == part)
        told = rows.drop("by", "cost") if part == "clash" else rows
        said = {f"says_{lang}": allocate.worded(told, language=lang) for lang in ("zh", "en")}
        parts.append(rows.with_columns(**said))
    return pl.concat(parts).select(pl.col(name).cast(kind) for name, kind in schema.polars.items())


def _write(found: Mapping[str, tuple[pl.DataFrame, Table]], out: Path) -> None:
    """Each table as CSV into a folder; a file is there whole or not at all."""
    with full_disk_told(out):
        out.mkdir(parents=True, exist_ok=True)
        for name, (table, schema) in found.items():
            partial_file = out / f".{name}.csv.partial"
            partial_file.write_bytes(tables.to_csv(table, schema))
            partial_file.replace(out / f"{name}.csv")


def rules_of(region: Region, person: pl.DataFrame, plan: AllocatePlan) -> allocate.Rules:
    """The rules of a region and those that its plan states. person: expert_id, person (the id that stands for it)."""
    given, named = region["assignment_rules"], dict(person.iter_rows())
    given = given.with_columns(pl.col("expert_id", "other_id").replace(named))
    of = {kind: given.filter(pl.col("kind") == kind) for kind in ("pin", "veto", "apart", "quota")}
    stated = of["quota"].select(pl.coalesce("name", "rule_id").alias("name"), *list(QUOTA)[1:])
    return allocate.Rules(
        pins=_some(of["pin"].select("need_id", "expert_id")),
        vetoes=_some(of["veto"].select("need_id", "expert_id")),
        apart=_some(of["apart"].select("expert_id", "other_id")),
        quotas=_some(pl.concat([stated.cast(QUOTA), _planned(plan)])),  # type: ignore[arg-type]
    )


def _planned(plan: AllocatePlan) -> pl.DataFrame:
    """The quotas that a plan states, by the names of their settings."""
    per_body = {"name": "per_organisation", "need_group": "need_id", "expert_group": "org_id"}
    limits = [(per_body, plan.per_organisation), ({"name": "contacts", "need_group": "org_id"}, plan.contacts)]
    return pl.DataFrame([row | {"at_most": float(most)} for row, most in limits if most], schema=QUOTA)


def _some(table: pl.DataFrame) -> pl.DataFrame | None:
    return table.unique(maintain_order=True) if table.height else None
