"""Counts of a run: nothing but counting rows of results that are already there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from silian.tables.schema import results as result_tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from silian.tables import Region


def summary(region: Region, results: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The figures that head the report, one row each, in the order in which they are shown."""
    organisations, problems = region["organisations"], results["problems"]
    demand = results["assigned"].height + int(results["unmet"]["missing"].sum())
    figures = {
        "needs": region["needs"].height,
        "needs_matched": results["achievement_pairs"]["need_id"].n_unique(),
        "achievements": region["achievements"].height,
        "experts": region["experts"].height,
        "works": region["works"]["work_id"].n_unique(),
        "organisations": organisations.height,
        "enterprises": organisations.filter(pl.col("kind") == "enterprise").height,
        "same_organisations": results["same"].filter(pl.col("org_id") != pl.col("canonical_id")).height,
        "products": region["products"].height,
        "achievement_pairs": results["achievement_pairs"].height,
        "expert_pairs": results["expert_pairs"].height,
        "conflicts": results["conflicts"].height,
        "experts_wanted": demand,
        "experts_assigned": results["assigned"].height,
        "needs_unmet": results["unmet"].height,
        "score_total": results["assigned"]["score"].sum(),
        "breaks": results["gaps"].filter(pl.col("kind") == "break").height,
        "blanks": results["gaps"].filter(pl.col("kind") == "blank").height,
        "outflows": results["gaps"].filter(pl.col("kind") == "outflow").height,
        "singles": results["gaps"].filter(pl.col("kind") == "single").height,
        "problems": problems.height,
        "problems_grave": problems.filter("grave").height,
    }
    values = [float(value) for value in figures.values()]
    return pl.DataFrame({"name": list(figures), "value": values}, schema=result_tables()["summary"].polars)


def district_balance(region: Region, results: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """What each district has, asked for and got; one row per district of the region, sorted by id."""
    needs = region["needs"].select("need_id", "district_id")
    enterprises = region["organisations"].filter(pl.col("kind") == "enterprise")
    of_need = {
        "needs_matched": results["achievement_pairs"].select("need_id").unique(),
        "experts_assigned": results["assigned"].select("need_id"),
    }
    missing = results["unmet"].join(needs, on="need_id").group_by("district_id").agg(missing=pl.col("missing").sum())
    balance = region["districts"].select("district_id")
    balance = balance.join(_count(enterprises, "enterprises"), on="district_id", how="left")
    for name in ("achievements", "experts", "needs"):
        balance = balance.join(_count(region[name], name), on="district_id", how="left")
    for name, rows in of_need.items():
        balance = balance.join(_count(rows.join(needs, on="need_id"), name), on="district_id", how="left")
    balance = balance.join(missing, on="district_id", how="left").with_columns(pl.exclude("district_id").fill_null(0))
    wanted = pl.col("experts_assigned") + pl.col("missing")
    share = pl.when(wanted > 0).then(pl.col("experts_assigned") / wanted)
    balance = balance.with_columns(experts_wanted=wanted, served_share=share).sort("district_id")
    return _filled(balance)


def _count(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    return rows.group_by("district_id").agg(pl.len().cast(pl.Int64).alias(name))


def _filled(balance: pl.DataFrame) -> pl.DataFrame:
    schema = result_tables()["district_balance"].polars
    return balance.select(pl.col(name).cast(kind) for name, kind in schema.items())
