"""How much of what is made here depends on each product, directly and round about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from silian.engines.chain import given

if TYPE_CHECKING:
    from scipy.sparse import csr_array

PASSED_ON: Final = 0.5  # of a product's worth lies in its inputs; input-output tables say about half to two thirds
STEPS: Final = 52  # halvings after which nothing is left of a double


def flows(makes: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """product_id, flow: how many organisations' worth of what is made here hangs on each product as an input.

    Every organisation is worth 1, spread over its products by their share of its revenue. A product passes half of its
    worth on to its inputs by weight, these half of that to theirs, and so on; flow is what arrives at a product, at
    most 1 for each organisation in all. Cycles end by themselves, as every step halves.
    """
    shares = _inputs_by_share(links)
    worth = _worth(makes)
    ids = pl.concat([worth["product_id"], shares["product_id"], shares["other_id"]]).unique().sort()
    if shares.is_empty():
        return pl.DataFrame(schema={"product_id": pl.String, "flow": pl.Float64})
    start = np.zeros(ids.len())
    start[ids.search_sorted(worth["product_id"]).to_numpy()] = worth["worth"].to_numpy()
    step = _step(shares, ids)
    arrived, moving = np.zeros(ids.len()), start
    for _ in range(STEPS):
        moving = step @ moving
        if not moving.any():
            break
        arrived += moving
    return pl.DataFrame({"product_id": ids, "flow": arrived}).filter(pl.col("flow") > 0)


def _worth(makes: pl.DataFrame) -> pl.DataFrame:
    """product_id, worth: how many organisations' worth of each product is made, by shares of revenue; sorted."""
    by = "org_id"
    share = pl.col("share").fill_null(pl.col("share").mean().over(by)).fill_null(1.0)
    known = makes.sort("org_id", "product_id").with_columns(share=share)
    known = known.with_columns(share=pl.when(pl.col("share").sum().over(by) > 0).then("share").otherwise(1.0))
    part = known.with_columns(worth=pl.col("share") / pl.col("share").sum().over(by))
    return part.group_by("product_id", maintain_order=True).agg(pl.col("worth").sum()).sort("product_id")


def _inputs_by_share(links: pl.DataFrame) -> pl.DataFrame:
    """product_id, other_id, share: the inputs of every product; they sum to 1.

    A product without recorded inputs takes those of what it is a kind of, over as few steps as possible.
    """
    own = given.sides(links).filter(side="upstream").select("product_id", "other_id", "weight")
    own = given.with_share(own.sort("product_id", "other_id"), "product_id")
    kinds = links.filter(kind="kind_of").select(product_id="upstream_id", to="downstream_id").unique()
    named = own.select("product_id", source="product_id").unique()
    while True:
        new = kinds.join(named, left_on="to", right_on="product_id").select("product_id", "source").unique()
        new = new.join(named, on="product_id", how="anti")
        if new.is_empty():
            break
        named = pl.concat([named, new])
    taken = named.filter(pl.col("product_id") != pl.col("source"))
    several = taken.with_columns(part=1 / pl.len().over("product_id")).sort("product_id", "source")
    lent = several.join(own.rename({"product_id": "source"}), on="source").select(
        "product_id", "other_id", share=pl.col("part") * pl.col("share")
    )
    both = pl.concat([own.select("product_id", "other_id", "share"), lent]).sort("product_id", "other_id", "share")
    return both.group_by("product_id", "other_id", maintain_order=True).agg(pl.col("share").sum())


def _step(shares: pl.DataFrame, ids: pl.Series) -> csr_array:
    """What one unit of each product (column) passes on to each of its inputs (row)."""
    from scipy.sparse import csr_array

    row = ids.search_sorted(shares["other_id"]).to_numpy().astype(np.int64)
    column = ids.search_sorted(shares["product_id"]).to_numpy().astype(np.int64)
    return csr_array((PASSED_ON * shares["share"].to_numpy(), (row, column)), shape=(ids.len(), ids.len()))
