"""The tables of a region's chains as the engines want them: one row a body, here apart from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from silian import tables
from silian.engines import chain, link, match
from silian.pipeline.folder import full_disk_told
from silian.pipeline.indexes import index_of
from silian.report import gap_briefs, render
from silian.report.chain_map import chain_map
from silian.tables import schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from silian.pipeline.indexes import Of
    from silian.pipeline.job import Run
    from silian.pipeline.plan import Plan
    from silian.tables import Region
    from silian.tables.schema import Language

PREFECTURE: Final = 4  # digits of a GB/T 2260 code that name the prefecture-level city


@dataclass(frozen=True, slots=True)
class Chained:
    """Who makes what here and elsewhere, and what is made of what."""

    makes: pl.DataFrame
    elsewhere: pl.DataFrame | None  # None where the region lists nobody outside it
    links: pl.DataFrame


def chained(region: Region, same: pl.DataFrame) -> Chained:
    """The chains of a region, two rows of one body being one supplier.

    An organisation is elsewhere if it has no district of the region and its region code names another prefecture-level
    city than those of all districts; where no district has a code, everybody is here.
    """
    makes = canonical_makes(region["makes"], same)
    outside = with_body(_outside(region), same)["org_id"].unique()
    is_outside = pl.col("org_id").is_in(outside.implode())
    far = makes.filter(is_outside)
    return Chained(makes.filter(~is_outside), far if far.height else None, region["product_links"])


def _outside(region: Region) -> pl.DataFrame:
    """org_id of the organisations that are registered outside the region."""
    city = pl.col("region").str.slice(0, PREFECTURE)
    own = region["districts"].drop_nulls("region").select(city)["region"].unique()
    if own.is_empty():
        return region["organisations"].head(0).select("org_id")
    is_far = pl.col("district_id").is_null() & ~city.is_in(own.implode())
    return region["organisations"].filter(is_far.fill_null(value=False)).select("org_id")


def with_body(rows: pl.DataFrame, same: pl.DataFrame) -> pl.DataFrame:
    """Rows whose org_id is the id that stands for the body."""
    names = same.select("org_id", "canonical_id")
    joined = rows.join(names, on="org_id", how="left", maintain_order="left")
    return joined.with_columns(org_id=pl.coalesce("canonical_id", "org_id")).drop("canonical_id")


def canonical_makes(makes: pl.DataFrame, same: pl.DataFrame) -> pl.DataFrame:
    """Who makes what, one row per body and product: two rows of one body are not two suppliers."""
    return with_body(makes, same).unique(["org_id", "product_id"], keep="first", maintain_order=True)


def matched(region: Region, gaps: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """product_id, noun, target_id, score: the achievements and experts that match each gap by its name.

    A gap is asked for like a need whose title is the product and whose text are its other names.
    """
    asked = region["products"].join(gaps, on="product_id", how="semi").select(
        need_id="product_id", title="name", text=pl.col("aliases").list.join("；").fill_null("")
    )  # fmt: skip
    kinds: tuple[tuple[Of, str, float], ...] = (
        ("achievements", "achievement", plan.match.min_score),
        ("experts", "expert", plan.match.min_expert_score),
    )
    found = [
        pl.DataFrame(schema={"product_id": pl.String, "noun": pl.String, "target_id": pl.String, "score": pl.Float64})
    ]
    for of, noun, least in kinds:
        if asked.is_empty() or region[of].is_empty():
            continue
        pairs = match.rank(asked, index_of(region, of, plan), top_k=plan.chain.fillers, why=False)
        found.append(
            pairs.filter(pl.col("score") >= least).select(
                pl.col("need_id").alias("product_id"), pl.lit(noun).alias("noun"), "target_id", "score"
            )
        )
    return pl.concat(found)


def cleaned(region: Region) -> chain.Cleaned:
    """The region's product links made fit for use, and all that was done to them."""
    return chain.cleaned(region["product_links"], products=region["products"], makes=region["makes"])


def what_if(region: Region, *, fill: Sequence[tuple[str, str]] = (), lose: Sequence[str] = ()) -> chain.WhatIf:
    """What it would do to the gaps if organisations made more products, or left.

    Raises
    ------
    ArgumentError, TableError : as `chain.what_if`
    """
    posed = chained(region, link.same(region["organisations"]))
    new = pl.DataFrame(list(fill), schema={"org_id": pl.String, "product_id": pl.String}, orient="row")
    return chain.what_if(
        posed.makes,
        posed.links,
        region["needs"],
        products=region["products"],
        elsewhere=posed.elsewhere,
        fill=new,
        lose=list(lose),
    )


def write_briefs(
    region: Region, run: Run, out: Path, *, products: Sequence[str] = (), most: int = 20, language: Language = "zh"
) -> None:
    """Write a page for each gap of a run as one HTML file.

    Raises
    ------
    RunError : run.missing where the run has no gaps; run.disk where the disk is full.
    ArgumentError : as `gap_briefs.briefs`.
    """
    found = {name: run.table(name) for name in ("gaps", "gap_parts", "gap_evidence", "gap_fillers")}
    text = gap_briefs.briefs(region, found, products=list(products) or None, most=most, language=language)
    with full_disk_told(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")


def write_map(region: Region, out: Path, *, language: Language = "zh") -> chain.Levels:
    """Write the map of a region's chains (SVG and PNG) and the levels of its products (CSV) into a folder.

    Raises
    ------
    RunError : run.disk where the disk is full.
    """
    posed = chained(region, link.same(region["organisations"]))
    found = chain.gaps(
        posed.makes, posed.links, region["needs"], products=region["products"], elsewhere=posed.elsewhere
    )  # fmt: skip
    level = chain.levels(posed.links)
    drawn = chain_map(region["products"], posed.makes, posed.links, found.gaps, language=language)
    write_tables({"chain_levels": level.products, "chain_parts": level.parts}, out)
    with full_disk_told(out):
        for form in ("svg", "png"):
            (out / f"chain_map.{form}").write_bytes(render.render(drawn, form))
    return level


def write_tables(found: Mapping[str, pl.DataFrame], out: Path) -> None:
    """Write tables of `schema.chain()`, of a run or of a region as CSV into a folder.

    Raises
    ------
    RunError : run.disk where the disk is full.
    """
    known = {**schema.tables(), **schema.results(), **schema.chain()}
    with full_disk_told(out):
        out.mkdir(parents=True, exist_ok=True)
        for name, table in found.items():
            wanted = known[name]
            lacking = [pl.lit(None, t).alias(c) for c, t in wanted.polars.items() if c not in table.columns]
            (out / f"{name}.csv").write_bytes(tables.to_csv(table.with_columns(lacking), wanted))
