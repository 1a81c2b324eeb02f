"""Where the industrial chains of a region stand: firms of each chain by district."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from silian.report._spec import PALETTE, RAMP, Spec, spec, tips
from silian.report._words import names, say

if TYPE_CHECKING:
    from silian.tables.schema import Language

MOST: Final = 30  # chains, and districts, of a picture: those with most firms


def makers_by_district(makes: pl.DataFrame, organisations: pl.DataFrame, products: pl.DataFrame) -> pl.DataFrame:
    """How many organisations of each district make something of each chain.

    Parameters
    ----------
    makes : org_id, product_id
    organisations : org_id, district_id
    products : product_id, chain

    Returns
    -------
    chain, district_id (empty where not stated), makers (count of organisations); the chain with most makers first,
    within it the district with most. Products without a chain are left out.

    Examples
    --------
    >>> makes = pl.DataFrame({"org_id": ["o1", "o1"], "product_id": ["p1", "p2"]})
    >>> bodies = pl.DataFrame({"org_id": ["o1"], "district_id": ["d1"]})
    >>> products = pl.DataFrame({"product_id": ["p1", "p2"], "chain": ["steel", "steel"]})
    >>> makers_by_district(makes, bodies, products).rows()
    [('steel', 'd1', 1)]
    """
    pairs = (
        makes.join(products.select("product_id", "chain").drop_nulls(), on="product_id")
        .join(organisations.select("org_id", "district_id"), on="org_id", how="left")
        .select("chain", pl.col("district_id").fill_null(""), "org_id")
        .unique()
    )
    counted = pairs.group_by("chain", "district_id").agg(makers=pl.len().cast(pl.Int64))
    total = counted.group_by("chain").agg(total=pl.col("makers").sum())
    order = counted.join(total, on="chain").sort(
        ["total", "chain", "makers", "district_id"], descending=[True, False, True, False]
    )
    return order.drop("total")


def district_chains(
    makes: pl.DataFrame,
    organisations: pl.DataFrame,
    products: pl.DataFrame,
    districts: pl.DataFrame,
    *,
    language: Language = "zh",
) -> Spec:
    """Matrix of place and activity: organisations that make something of a chain (down), by district (across)."""
    table = makers_by_district(makes, organisations, products)
    chains = table["chain"].unique(maintain_order=True).to_list()[:MOST]
    busiest = table.group_by("district_id").agg(pl.col("makers").sum()).sort("makers", "district_id", descending=True)
    kept = set(busiest["district_id"].head(MOST))
    order = [d for d in districts["district_id"].to_list() if d in kept]
    order += sorted(kept - set(order))
    shown = names(districts, language) | {"": say("not_stated", language)}
    label = {d: shown.get(d, d) for d in order}
    values = [
        {"chain": r["chain"], "district": label[r["district_id"]], "makers": r["makers"]}
        for r in table.to_dicts()
        if r["chain"] in chains and r["district_id"] in label
    ]
    top = max((v["makers"] for v in values), default=1)
    quiet: dict[str, Any] = {"domain": False, "ticks": False}
    is_short = sum(len(name) * (7 if name.isascii() else 13) + 16 for name in label.values()) < 560
    across = {"labelAngle": 0 if is_short else -40, "orient": "top", "labelLimit": 110}
    down = {"labelLimit": 180}
    place = {
        "x": {"field": "district", "type": "ordinal", "sort": list(label.values()), "title": None,
              "axis": across | quiet},
        "y": {"field": "chain", "type": "ordinal", "sort": chains, "title": None, "axis": down | quiet},
    }  # fmt: skip
    shade = {"field": "makers", "type": "quantitative", "scale": {"range": list(RAMP), "domain": [0, top]}}
    ink = {"condition": {"test": f"datum.makers > {0.6 * top:g}", "value": PALETTE["paper"]}, "value": PALETTE["ink"]}
    layer = [
        {
            "mark": {"type": "rect", "cornerRadius": 2},
            "encoding": {"color": shade | {"legend": None}} | tips("chain", "district", "makers", language=language),
        },
        {
            "mark": {"type": "text", "fontSize": 12},
            "encoding": {"text": {"field": "makers", "format": ","}, "color": ink},
        },
    ]
    height = max(2, len(chains)) * 28
    body = spec("district_chains", language, rows=values, height=height, encoding=place, layer=layer)
    return body | {"usermeta": {"min_width": 52 * len(label) + 190}}
