"""The tables of a region's chains as the engines want them: one row a body, here apart from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from silian.tables import Region

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
