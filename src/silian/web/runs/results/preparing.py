"""After a run: what pages will show is put together once and stored beside its results, so that no page computes."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from django.conf import settings

from silian.pipeline import Plan
from silian.pipeline.reading import read_usable
from silian.report import chain_layout, chain_map, views
from silian.report.chain_charts import makers_by_district
from silian.tables import schema
from silian.tables.limits import LIMITS
from silian.tables.read_geojson import GEOJSON, read_geojson
from silian.web.runs.results import easing, outlines
from silian.web.runs.results.stored import READY, Stored

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from silian.tables import Region

LOST: Final = ("break", "blank", "outflow")  # kinds of gaps of what is not made here
WORST: Final = 10


def prepare(folder: Path) -> None:
    """Make the results of a finished run ready for pages; doing it again gives the same and replaces it whole.

    Parameters
    ----------
    folder : of the run: `region/` it read, `out/` it wrote; `site/` appears beside them

    Raises
    ------
    ReadError : where the region can no longer be read

    Notes
    -----
    Cost: reads the region once; 3 s at 20,000 needs and 100,000 pairs. Call it before the run counts as done.
    """
    stored, made = Stored(folder), folder / f".{READY}-{os.getpid()}"
    plan = folder / "out" / "plan.toml"
    region = read_usable(folder / "region", Plan.read(plan) if plan.is_file() else Plan())
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    try:
        for name, table in _tables(region, stored).items():
            table.write_parquet(made / f"{name}.parquet")
        for name, drawn in (("chains", _chains(region, stored)), ("districts", _outlines(region))):
            text = json.dumps(drawn, ensure_ascii=False, allow_nan=False, sort_keys=True)
            (made / f"{name}.json").write_text(text, encoding="utf-8")
        old = folder / f".{READY}-old-{os.getpid()}"
        if (folder / READY).exists():
            (folder / READY).rename(old)
        made.rename(folder / READY)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _tables(region: Region, stored: Stored) -> dict[str, pl.DataFrame]:
    needs = needs_of(region, stored)
    of_expert = region["experts"].select("expert_id", "district_id", "field", "org_id")
    experts = stored.result("loads").collect().join(of_expert, on="expert_id", how="left", maintain_order="left")
    priced = stored.result("prices").filter(side="expert").select(expert_id="id", price="price").collect()
    where = needs.select("need_id", "district_id", "org_id", "field")
    assigned = stored.result("assigned").collect()
    served = assigned.join(where, on="need_id", how="left", maintain_order="left").join(
        of_expert.select("expert_id", expert_district_id="district_id"),
        on="expert_id",
        how="left",
        maintain_order="left",
    )
    states = views.product_states(
        region["products"], region["makes"], region["product_links"], stored.result("gaps").collect()
    )
    firms = views.makers_of(region["makes"], region["product_links"], most=10**9)
    firms = firms.join(region["organisations"].select("org_id", "district_id"), on="org_id", how="left").join(
        region["products"].select("product_id", "chain"), on="product_id", how="left"
    )
    return {
        "needs": needs,
        "experts": experts.join(priced, on="expert_id", how="left", maintain_order="left"),
        "served": served,
        "eased": easing.eased(stored, where),
        "served_between": views.served_between(region["needs"], region["experts"], assigned),
        "unmet_by_field": views.unmet_by_field(region["needs"], stored.result("unmet").collect()),
        "fairness": views.fairness_curve(
            stored.result("fairness_curve").collect(), stored.result("proof").select("floor").collect()
        ),
        "products": states,
        "links": views.inputs(region["product_links"]),
        "firms": firms.sort("product_id", "org_id"),
        "chain_districts": makers_by_district(region["makes"], region["organisations"], region["products"]),
        "gap_districts": gap_districts(region, stored),
        "districts": districts_of(region, stored),
    }


def needs_of(region: Region, stored: Stored) -> pl.DataFrame:
    """Every need of a run with what lists filter by and what was found for it.

    Returns
    -------
    need_id, org_id, district_id, field, kind, industry (division of GB/T 4754, two digits), wanted (experts),
    achievements, experts (counts of pairs), best_achievement, best_expert (score), assigned (experts), missing,
    reason, reached_share; what a step would have told that was not run is empty. By need_id.
    """
    division = pl.col("industry").str.strip_chars_start("ABCDEFGHIJKLMNOPQRST").str.head(2)
    bodies = region["organisations"].select("org_id", industry=pl.when(division != "").then(division))
    made = region["needs"].select("need_id", "org_id", "district_id", "field", "kind")
    made = made.join(bodies, on="org_id", how="left")
    for noun in ("achievement", "expert"):
        best = (
            stored.result(f"{noun}_pairs")
            .group_by("need_id")
            .agg(pl.len().cast(pl.Int64).alias(f"{noun}s"), pl.col("score").max().alias(f"best_{noun}"))
            .collect()
        )
        count = pl.col(f"{noun}s").fill_null(0) if stored.has(f"{noun}_pairs") else pl.lit(None, pl.Int64)
        made = made.join(best, on="need_id", how="left").with_columns(count.alias(f"{noun}s"))
    served = stored.result("served").select("need_id", "wanted", "assigned", "reached_share").collect()
    unmet = stored.result("unmet").select("need_id", "missing", "reason").collect()
    return made.join(served, on="need_id", how="left").join(unmet, on="need_id", how="left").sort("need_id")


def gap_districts(region: Region, stored: Stored) -> pl.DataFrame:
    """Which districts a gap touches: product_id, district_id; by a need that names it or a firm that may buy it."""
    sides = (
        ("need", region["needs"].select(other_id="need_id", district_id="district_id")),
        ("buyer", region["organisations"].select(other_id="org_id", district_id="district_id")),
    )
    evidence = stored.result("gap_evidence").collect()
    lost = stored.result("gaps").filter(pl.col("kind").is_in(LOST)).select("product_id").collect()
    found = [
        evidence.filter(side=side).join(lost, on="product_id", how="semi").join(table, on="other_id")
        for side, table in sides
    ]
    whole = pl.concat([one.select("product_id", "district_id") for one in found]).drop_nulls()
    return whole.unique().sort("product_id", "district_id")


def districts_of(region: Region, stored: Stored) -> pl.DataFrame:
    """Every district with its figures: those of results/district_balance, and unmet, short, gaps, population."""
    told = stored.result("district_balance").collect()
    if told.is_empty():
        empty = schema.results()["district_balance"].polars
        told = region["districts"].select(
            "district_id", *(pl.lit(None, kind).alias(n) for n, kind in empty.items() if n != "district_id")
        )
    short = stored.result("unmet").collect().join(region["needs"].select("need_id", "district_id"), on="need_id")
    unmet = short.group_by("district_id").agg(unmet=pl.len().cast(pl.Int64))
    gaps = gap_districts(region, stored).group_by("district_id").agg(gaps=pl.len().cast(pl.Int64))
    people = region["districts"].select("district_id", "population")
    made = told.join(unmet, on="district_id", how="left").join(gaps, on="district_id", how="left")
    zero = {"unmet": "unmet", "gaps": "gaps"}
    known = [pl.col(n).fill_null(0) if stored.has(of) else pl.lit(None, pl.Int64).alias(n) for n, of in zero.items()]
    return made.with_columns(known).join(people, on="district_id", how="left").sort("district_id")


def _chains(region: Region, stored: Stored) -> dict[str, Any]:
    """Where the map of segments and the graph of each chain put what they show."""
    gaps = stored.result("gaps").collect()
    states = views.product_states(region["products"], region["makes"], region["product_links"], gaps)
    links = views.inputs(region["product_links"])
    table = views.segments(states, chain_layout.depths(links, states=states))
    cells, parts = chain_map.segment_rows(table, language="zh")
    graphs = {}
    for chain in sorted({cell["chain_id"] for cell in cells}):
        own = states.filter(chain=chain)
        boxes, curves = chain_map.graph_rows(own, links, {}, language="zh")
        graphs[chain] = {"boxes": boxes, "curves": _joined(curves), "of": own.height}
    return {"cells": cells, "parts": parts, "graphs": graphs}


def _joined(curves: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The curves of a graph, each with its four points: touches, points."""
    found: dict[int, dict[str, Any]] = {}
    for point in curves:
        own = found.setdefault(point["edge"], {"touches": point["touches"], "points": []})
        own["points"].append((point["x"], point["y"]))
    return list(found.values())


def _outlines(region: Region) -> Mapping[str, Any]:
    """The districts as shapes of one picture: of the region's own file, else of the file of the site."""
    borders = region.geojson
    own = settings.DISTRICTS_FILE
    if borders is None and own.is_file():
        borders, _wrong = read_geojson(own, file=GEOJSON, limits=LIMITS)
    return outlines.drawn(borders, region["districts"])
