"""The tables of a chain as they come in, checked, and what follows from them at once."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any, Final

import polars as pl

from silian.engines import _inputs
from silian.errors import ArgumentError

INPUT_KINDS: Final = ("material", "component", "equipment")  # kind_of is no input: makers carries it


def check_weights(name: str, weights: Any) -> None:
    """Refuse weights that are negative or do not add up to 1."""
    values = astuple(weights)
    if min(values) < 0 or abs(sum(values) - 1) > 1e-9:
        raise ArgumentError("argument.value", name=name, found=weights, wanted="parts >= 0 that add up to 1")


def checked_products(products: pl.DataFrame) -> pl.DataFrame:
    """The catalogue by product_id: product_id, chain, segment."""
    catalogue = _inputs.columns(products, "products", {"product_id": "id"}, optional={"chain": "id", "segment": "id"})
    _inputs.refuse_duplicates(catalogue, "products", ["product_id"])
    return catalogue.sort("product_id")


def checked_links(product_links: pl.DataFrame, catalogue: pl.DataFrame | None) -> pl.DataFrame:
    """Links of known kinds, without loops: upstream_id, downstream_id, kind, weight."""
    key: dict[str, _inputs.Kind] = {"upstream_id": "id", "downstream_id": "id", "kind": "id"}
    links = _inputs.columns(product_links, "product_links", key, optional={"weight": "number"})
    outside = ~pl.col("weight").is_between(0, 1)  # null stays null, NaN is outside
    _inputs.refuse(links, "product_links", "weight", outside, found="outside 0 to 1", wanted="a share, or empty")
    _inputs.refuse_duplicates(links, "product_links", list(key))
    if catalogue is not None:
        for side in ("upstream_id", "downstream_id"):
            _inputs.refuse_unknown(links, "product_links", side, catalogue["product_id"], "products")
    return links.filter(
        pl.col("upstream_id") != pl.col("downstream_id"), pl.col("kind").is_in([*INPUT_KINDS, "kind_of"])
    )


def checked_makes(makes: pl.DataFrame, catalogue: pl.DataFrame | None, name: str = "makes") -> pl.DataFrame:
    """Who makes what, each pair once: org_id, product_id, share."""
    key: dict[str, _inputs.Kind] = {"org_id": "id", "product_id": "id"}
    pairs = _inputs.columns(makes, name, key, optional={"share": "number"})
    outside = ~pl.col("share").is_between(0, 1)
    _inputs.refuse(pairs, name, "share", outside, found="outside 0 to 1", wanted="a share, or empty")
    _inputs.refuse_duplicates(pairs, name, list(key))
    if catalogue is not None:
        _inputs.refuse_unknown(pairs, name, "product_id", catalogue["product_id"], "products")
    return pairs


def checked_supplies(supplies: pl.DataFrame | None, catalogue: pl.DataFrame) -> pl.DataFrame:
    """Who buys what from whom: org_id, product_id, supplier_id, value."""
    key: dict[str, _inputs.Kind] = {"org_id": "id", "product_id": "id", "supplier_id": "id"}
    if supplies is None:
        supplies = pl.DataFrame(schema=dict.fromkeys(key, pl.String))
    bought = _inputs.columns(supplies, "supplies", key, optional={"value_cny": "number"})
    below = ~((pl.col("value_cny") >= 0) & pl.col("value_cny").is_finite())
    _inputs.refuse(bought, "supplies", "value_cny", below, found="no amount", wanted="0 or more, or empty")
    _inputs.refuse_duplicates(bought, "supplies", list(key))
    _inputs.refuse_unknown(bought, "supplies", "product_id", catalogue["product_id"], "products")
    return bought


def checked_needs(needs: pl.DataFrame, catalogue: pl.DataFrame | None) -> pl.DataFrame:
    """Needs that name a product: need_id, product_id."""
    asked = _inputs.columns(needs, "needs", {"need_id": "id"}, optional={"product_id": "id"})
    _inputs.refuse_duplicates(asked, "needs", ["need_id"])
    if catalogue is not None:
        _inputs.refuse_unknown(asked, "needs", "product_id", catalogue["product_id"], "products")
    return asked.drop_nulls("product_id")


def closure(pairs: pl.DataFrame, kinds: pl.DataFrame) -> pl.DataFrame:
    """Pairs (who, product_id) and all that follow by steps (product_id → to); cycles end where nothing is new."""
    known = new = pairs.unique()
    while new.height:
        stepped = new.join(kinds, on="product_id").select("who", product_id="to").unique()
        new = stepped.join(known, on=["who", "product_id"], how="anti")
        known = pl.concat([known, new])
    return known


def makers(makes: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """org_id, product_id: who makes a product or a kind of it."""
    kinds = links.filter(kind="kind_of").select(product_id="upstream_id", to="downstream_id")
    made = makes.select("product_id", who="org_id").select("who", "product_id")
    return closure(made, kinds).rename({"who": "org_id"})


def sides(links: pl.DataFrame) -> pl.DataFrame:
    """Every product with each neighbour: product_id, side, other_id, weight; parallel links are one."""
    inputs = links.filter(pl.col("kind").is_in(INPUT_KINDS))
    inputs = inputs.group_by("upstream_id", "downstream_id").agg(pl.col("weight").max())
    upstream = inputs.select("weight", product_id="downstream_id", side=pl.lit("upstream"), other_id="upstream_id")
    downstream = inputs.select("weight", product_id="upstream_id", side=pl.lit("downstream"), other_id="downstream_id")
    return pl.concat([upstream, downstream])


def with_share(sides: pl.DataFrame, *group: str) -> pl.DataFrame:
    """Neighbours with their share of the group by weight; an unknown weight is the mean of the known, or 1."""
    weight = pl.col("weight").fill_null(pl.col("weight").mean().over(group)).fill_null(1.0)
    known = sides.with_columns(share=weight)
    known = known.with_columns(share=pl.when(pl.col("share").sum().over(group) > 0).then("share").otherwise(1.0))
    return known.with_columns(share=pl.col("share") / pl.col("share").sum().over(group))
