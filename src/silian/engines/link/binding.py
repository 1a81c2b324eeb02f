"""Rows that hang together through shared keys."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

PLACE: Final = "@"  # before the place in a key; name_key leaves no such sign


def merged(rows: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """Rows with the bodies that the links (body, key) bind made one; a body is known by its first row."""
    return rows.with_columns(body=joined(links, rows.height).gather(rows["body"]))


def joined(links: pl.DataFrame, count: int) -> pl.Series:
    """For each of `count` bodies the smallest body that it hangs together with through shared keys."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    keys = links["key"].rank("dense").cast(pl.Int64).to_numpy() - 1 + count
    size = count + links["key"].n_unique()
    graph = coo_array((np.ones(links.height, np.int8), (links["body"].to_numpy(), keys)), shape=(size, size))
    _, label = connected_components(graph, directed=False)
    bodies = pl.DataFrame({"body": pl.int_range(count, dtype=pl.Int64, eager=True), "label": label[:count]})
    return bodies.select(pl.col("body").min().over("label"))["body"]


def codes(rows: pl.DataFrame) -> pl.DataFrame:
    """body, code: the one code of a body, null where it has none."""
    return rows.group_by("body").agg(pl.col("code").drop_nulls().first())
