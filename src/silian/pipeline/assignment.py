"""The assignment of a region as tables for the engine: who wants how many, who can take how many, who fits whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from silian import tables
from silian.engines import allocate
from silian.pipeline.folder import full_disk_told
from silian.pipeline.plan import Plan
from silian.pipeline.reading import read_usable
from silian.tables.schema import repair, results

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    from silian.pipeline.job import Run
    from silian.pipeline.plan import AllocatePlan
    from silian.tables import Region

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


def posed(region: Region, found: Mapping[str, pl.DataFrame], plan: AllocatePlan, on: date | None) -> Posed:
    """The assignment that a region, its matches and its plan pose on a day.

    A need whose deadline has passed asks for nobody. Rows of experts that are one person have one load: the least that
    any of them states. Organisations count as bodies, so branches of one enterprise share its limits.
    """
    person = found["same_people"].select("expert_id", person="canonical_id")
    body = found["same"].select("org_id", body="canonical_id")
    pairs = (
        found["expert_pairs"]
        .join(person, left_on="target_id", right_on="expert_id")
        .group_by("need_id", expert_id="person")
        .agg(pl.col("score").max())
        .sort("need_id", "expert_id")
    )
    is_over = (pl.col("deadline_on") < on).fill_null(value=False)
    wanted = pl.col("experts_wanted").fill_null(plan.wanted)
    needs = region["needs"].join(body, on="org_id", how="left", maintain_order="left")
    demand = needs.select(
        "need_id", "district_id", "field", "kind",
        wanted=pl.when(is_over).then(0).otherwise(wanted), org_id=pl.coalesce("body", "org_id"),
    )  # fmt: skip
    rows = region["experts"].join(person, on="expert_id", how="left", maintain_order="left")
    least = rows.group_by("person").agg(least=pl.col("free").min().fill_null(plan.free))
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
            "fee_cny",
            free="least",
            org_id=pl.coalesce("body", "org_id"),
        )
        .sort("expert_id")
    )
    return Posed(pairs, demand, capacity, found["conflicts"], rules_of(region, person, plan))


def reopened(path: Path, run: Run) -> allocate.Standing:
    """The assignment of a finished run of the region at path, to be repaired, changed by hand or asked about.

    The rules that held hold on.

    Raises
    ------
    RunError : run.missing where the run assigned nobody.
    TableError : table.unknown, allocate.pair, allocate.room where the region is no longer that of the run.
    """
    plan = Plan.read(run.path / "plan.toml")
    region = read_usable(path, plan)
    found = {name: run.table(name) for name in ("expert_pairs", "same_people", "same", "conflicts")}
    asked = posed(region, found, plan.allocate, plan.day or region["needs"]["posted_on"].max())  # type: ignore[arg-type]
    return allocate.reopen(
        run.table("assigned"), asked.pairs, asked.demand, asked.capacity,
        conflicts=asked.conflicts, rules=asked.rules, prices=run.table("prices"),
    )  # fmt: skip


def repaired(
    standing: allocate.Standing, changes: list[dict[str, object]], *, seconds: float | None = None
) -> allocate.Repair:
    """The assignment after some changes, each a row of what `allocate.repair` takes.

    seconds : the longest that a search may take where rules need one; to the end where None
    """
    types = {"kind": pl.String, "need_id": pl.String, "expert_id": pl.String, "value": pl.Float64}
    return allocate.repair(standing, pl.DataFrame(changes, schema=types), seconds=seconds)


def edited(standing: allocate.Standing, moves: list[tuple[str, str, str]]) -> allocate.Edit:
    """The assignment after moves made by hand: what (add or remove), need_id, expert_id."""
    names = dict.fromkeys(("what", "need_id", "expert_id"), pl.String)
    return allocate.edit(standing, pl.DataFrame(moves, schema=names, orient="row"))


def reasons_for(standing: allocate.Standing, need_id: str, expert_id: str | None) -> pl.DataFrame:
    """Why a pair is assigned or not; without an expert: of every candidate, the assigned ones first."""
    p, pair = standing.problem, ["need_id", "expert_id"]
    places = pl.DataFrame(
        {"need_id": p.demand["need_id"].gather(p.row), "expert_id": p.capacity["expert_id"].gather(p.column)}
    )
    known = standing.barred.select(pair).filter(pl.col("expert_id").is_in(p.capacity["expert_id"].implode()))
    candidates = pl.concat([places, known]).filter(need_id=need_id).unique(maintain_order=True)
    if expert_id is not None or candidates.is_empty():
        named = p.capacity["expert_id"][0] if expert_id is None else expert_id
        candidates = pl.DataFrame({"need_id": [need_id], "expert_id": [named]})
    found = allocate.why(standing, candidates)
    return found.sort("is_chosen", "margin", "expert_id", descending=[True, True, False], nulls_last=True)


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
    with full_disk_told(out):
        out.mkdir(parents=True, exist_ok=True)
        for name, (table, schema) in found.items():
            (out / f"{name}.csv").write_bytes(tables.to_csv(table, schema))


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
