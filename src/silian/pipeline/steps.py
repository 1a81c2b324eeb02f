"""What each step of the main job does: the engine call between what it needs and what it gives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

import polars as pl

from silian.engines import allocate, chain, link, match
from silian.pipeline.assignment import contacts, elsewhere, loads, posed
from silian.pipeline.chains import chained, matched, with_body
from silian.pipeline.grading import WIDER, as_tapped, graded
from silian.pipeline.indexes import index_of
from silian.pipeline.summary import district_balance, summary
from silian.pipeline.waiting import waited
from silian.tables import district_centres
from silian.tables.schema import results as result_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from silian.compute import Runner
    from silian.pipeline.job import Run
    from silian.pipeline.plan import Plan
    from silian.tables import Region

Tables = dict[str, pl.DataFrame]


class Progress(Protocol):
    """Who is told how far a run has come."""

    def step(self, name: str, total: int) -> None:
        """A step begins; it has `total` units of work (0: unknown)."""

    def advance(self, units: int) -> None:
        """So many units of the present step are done."""

    def doing(self, words: str) -> None:
        """What goes on in the present step, in the words of the engine."""

    def done(self, name: str, rows: int, seconds: float, *, resumed: bool) -> None:
        """A step has ended, or was taken over from an earlier run."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a step may see: the region after the check, the plan, the reference day, the results so far."""

    region: Region
    plan: Plan
    on: date | None
    results: Mapping[str, pl.DataFrame]
    runner: Runner  # where blocks are worked on; changes no result
    step: Callable[[int], None]  # begins a bar of so many units
    advance: Callable[[int], None]  # so many units are done
    doing: Callable[[str], None]  # what goes on
    beside: tuple[Run, ...] = ()  # finished runs of other programmes


def link_step(work: Work) -> Tables:
    """Which rows of organisations are one body, which rows of experts one person."""
    region = work.region
    same = link.same(region["organisations"])
    people = link.people(with_body(region["experts"], same), region["works"])
    return {"same": same, "same_people": people}


def conflict_step(work: Work) -> Tables:
    """Which experts must not serve which needs."""
    region, years = work.region, work.plan.allocate.conflict_years
    persons = work.results["same_people"].select("expert_id", "canonical_id", "likely_id", "is_known")
    found = allocate.conflicts(
        region["needs"],
        region["experts"].join(persons, on="expert_id", how="left", maintain_order="left"),
        region["relations"],
        works=region["works"],
        organisations=with_canonical(region["organisations"], work.results["same"]),
        on=work.on,
        years=years,
    )
    return {"conflicts": found}


def achievement_step(work: Work) -> Tables:
    """The best achievements for each need, and why."""
    plan = work.plan.match
    index = index_of(work.region, "achievements", work.plan)
    needs, conditions = as_tapped(work.region["needs"], work.region, _conditions(work))
    wider = plan.top_k * (1 if work.region["labels"].is_empty() else WIDER)
    pairs = _ranked(work, index, needs, conditions, top_k=wider, floor=plan.min_score)
    found = graded(pairs, work.region, index, top_k=plan.top_k, explained=plan.explain, seed=work.plan.seed)
    targets = work.region["achievements"].rename({"achievement_id": "target_id"})
    told = _explained(work, found.pairs, index, targets, examples=found.examples)
    return {
        "achievement_pairs": found.pairs,
        "grades": found.grades,
        "achievement_terms": told.terms,
        "achievement_facts": told.facts,
    }


def expert_step(work: Work) -> Tables:
    """The best experts for each need, without those in conflict, and why."""
    region, plan = work.region, work.plan.match
    names = ("expert_pairs", "expert_terms", "expert_facts")
    if region["experts"].is_empty():
        return {name: result_tables()[name].empty() for name in names}
    index = index_of(region, "experts", work.plan)
    excluded = work.results["conflicts"].select("need_id", target_id="expert_id")
    pairs = _ranked(
        work, index, region["needs"], _conditions(work),
        top_k=plan.experts, floor=plan.min_expert_score, excluded=excluded,
    )  # fmt: skip
    told = _explained(work, pairs, index, region["experts"])
    return dict(zip(names, (pairs, told.terms, told.facts), strict=True))


def exposure_step(work: Work) -> Tables:
    """How evenly the places in the lists are spread over achievements, experts and their organisations."""
    found: dict[str, list[pl.DataFrame]] = {"exposure": [], "exposure_summary": [], "exposure_curve": []}
    for noun, top_k in (("achievement", work.plan.match.top_k), ("expert", work.plan.match.experts)):
        pairs = work.results[f"{noun}_pairs"]
        targets = work.region[f"{noun}s"].select("org_id", target_id=f"{noun}_id")
        for by, column in (("target", "target_id"), ("organisation", "org_id")):
            told = match.exposure(pairs, targets, by=column, top_k=top_k)  # type: ignore[arg-type]
            for name, table in zip(found, (told.counts, told.summary, told.curve), strict=True):
                found[name].append(table.with_columns(noun=pl.lit(noun), by=pl.lit(by)))
    return {name: pl.concat(tables) for name, tables in found.items()}


def allocate_step(work: Work) -> Tables:
    """Which expert serves which need: the best total within demand and capacity."""
    taken = elsewhere(work.beside, work.results)
    asked = posed(work.region, work.results, work.plan, work.on, taken=taken)
    given = waited(
        partial(
            allocate.assign,
            asked.pairs,
            asked.demand,
            asked.capacity,
            conflicts=asked.conflicts,
            rules=asked.rules,
            goal="fair" if work.plan.allocate.goal == "fair" else "total",
            seconds=work.plan.allocate.seconds or None,
            tell=_teller(work),
        )
    )
    held = loads(given.assigned, asked.capacity, taken)
    left = held.select("expert_id", free=(pl.col("free") - pl.col("elsewhere")).clip(0))
    vetoes = asked.rules.vetoes
    barred = [asked.conflicts] if vetoes is None else [asked.conflicts, vetoes]
    return {
        "assigned": given.assigned,
        "unmet": given.unmet,
        "unmet_reasons": given.reasons,
        "prices": given.prices,
        "proof": given.proof,
        "loads": held,
        "contacts": contacts(given.assigned, asked.demand, taken),
        "served": allocate.served(given.assigned, asked.pairs, asked.demand, left, barred=barred),
    }


def fairness_step(work: Work) -> Tables:
    """What floors under every need's score cost in total."""
    plan = work.plan.allocate
    asked = posed(work.region, work.results, work.plan, work.on, taken=elsewhere(work.beside, work.results))
    if not plan.curve or asked.pairs.is_empty():
        return {"fairness_curve": result_tables()["fairness_curve"].empty()}
    curve = waited(
        partial(
            allocate.fairness_curve,
            asked.pairs,
            asked.demand,
            asked.capacity,
            conflicts=asked.conflicts,
            rules=asked.rules,
            steps=plan.curve,
            seconds=plan.seconds / (plan.curve + 1) or None,  # each its share, so that all take as long as the search
            tell=_teller(work),
        )
    )
    return {"fairness_curve": curve}


def chain_step(work: Work) -> Tables:
    """What the chains lack or hold by one thread, and who could fill it."""
    region, results = work.region, work.results
    posed = chained(region, results["same"])
    found = chain.gaps(
        posed.makes, posed.links, region["needs"], products=region["products"], elsewhere=posed.elsewhere
    )  # fmt: skip
    fillers = chain.fillers(
        found.gaps,
        posed.makes,
        posed.links,
        needs=region["needs"],
        products=region["products"],
        elsewhere=posed.elsewhere,
        matches=matched(region, found.gaps, work.plan) if work.plan.chain.match else None,
        achievement_pairs=results["achievement_pairs"],
        expert_pairs=results["expert_pairs"],
        top_k=work.plan.chain.fillers,
    )
    return {"gaps": found.gaps, "gap_parts": found.parts, "gap_evidence": found.evidence, "gap_fillers": fillers}


def summary_step(work: Work) -> Tables:
    """Counts of the run and the balance between districts."""
    return {
        "summary": summary(work.region, work.results),
        "district_balance": district_balance(work.region, work.results),
    }


WORK: Final[Mapping[str, Callable[[Work], Tables]]] = {
    "link": link_step,
    "conflicts": conflict_step,
    "achievements": achievement_step,
    "experts": expert_step,
    "exposure": exposure_step,
    "allocate": allocate_step,
    "fairness": fairness_step,
    "chain": chain_step,
    "summary": summary_step,
}


def with_canonical(organisations: pl.DataFrame, same: pl.DataFrame) -> pl.DataFrame:
    """Organisations with the column canonical_id: the id that stands for the body."""
    return organisations.join(same.select("org_id", "canonical_id"), on="org_id", how="left", maintain_order="left")


def _teller(work: Work) -> Callable[[float, str], None]:
    """What an engine tells of a search, as a bar of a hundred units."""
    told = 0

    def tell(part: float, words: str) -> None:
        nonlocal told
        if not told:
            work.step(100)
        units = max(1, int(100 * part))
        work.advance(max(0, units - told))
        told = max(told, units)
        work.doing(words)

    return tell


def _explained(
    work: Work, pairs: pl.DataFrame, index: match.Index, targets: pl.DataFrame, examples: pl.DataFrame | None = None
) -> match.Explanation:
    """Why the best pairs of each need."""
    region = work.region
    return match.explain(
        pairs.filter(pl.col("rank") <= work.plan.match.explain),
        region["needs"],
        index,
        targets,
        works=region["works"],
        organisations=region["organisations"],
        districts=district_centres(region),
        makes=region["makes"],
        projects=region["projects"],
        outcomes=region["outcomes"],
        examples=examples,
    )


def _conditions(work: Work) -> match.Conditions:
    plan = work.plan.match
    return match.Conditions(
        max_trl_gap=plan.max_trl_gap if plan.max_trl_gap < 9 else None,
        on=work.on,
        same_district=plan.same_district,
        within_budget=plan.within_budget,
        qualified=plan.qualified,
        max_km=plan.max_km or None,
        not_wanted=plan.not_wanted,
    )


def _ranked(
    work: Work, index: match.Index, needs: pl.DataFrame, conditions: match.Conditions, *, top_k: int, floor: float,
    excluded: pl.DataFrame | None = None,
) -> pl.DataFrame:  # fmt: skip
    plan, region = work.plan.match, work.region
    needs = match.locate(needs, organisations=region["organisations"], districts=district_centres(region))
    work.step(needs.height)
    ranked = work.runner.map_blocks(
        partial(match.rank, top_k=top_k, conditions=conditions, per_organisation=plan.per_organisation or None),
        needs,
        rows=plan.block_rows,
        shared={"index": index, "excluded": excluded},
        on_block=work.advance,
    )
    return ranked.filter(pl.col("score") >= floor)
