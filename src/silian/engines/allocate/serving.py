"""How well each need is served: what it got of what it would get alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from silian.engines import _inputs
from silian.engines.allocate.problem import barred_pairs, checked

if TYPE_CHECKING:
    from collections.abc import Sequence


def served(
    assigned: pl.DataFrame,
    pairs: pl.DataFrame,
    demand: pl.DataFrame,
    capacity: pl.DataFrame,
    *,
    barred: Sequence[pl.DataFrame] = (),
) -> pl.DataFrame:
    """What each need got, and what it would get if nobody else asked.

    Parameters
    ----------
    assigned : need_id, expert_id, score; one row per pair that was chosen
    pairs : need_id, expert_id, score; one row per pair that matched
    demand : need_id, wanted (count of experts)
    capacity : expert_id, free (count of needs)
    barred : tables of need_id, expert_id; pairs that must not come out, such as conflicts and vetoes

    Returns
    -------
    need_id, wanted, assigned (counts of experts), score (sum of its pairs), reachable (sum of the scores of the
        `wanted` best of those who matched, are not barred and have a place), reached_share (score / reachable, at most
        1; empty where nothing is reachable); one row per need that wants somebody, sorted by need_id

    Raises
    ------
    TableError : table.columns, table.type, table.value, table.duplicate, table.unknown as in `assign`

    Notes
    -----
    Further rules are not looked at: what they cost a need shows as a smaller share. Pinned pairs may lie outside of
    the reachable ones, so the share is cut at 1.
    Deterministic. Splits: by need. Cost: one sort of the pairs, 4e4 pairs 10 ms.

    Examples
    --------
    >>> pairs = pl.DataFrame({"need_id": ["n1", "n2"], "expert_id": ["e1", "e1"], "score": [0.9, 0.4]})
    >>> demand = pl.DataFrame({"need_id": ["n1", "n2"], "wanted": [1, 1]})
    >>> capacity = pl.DataFrame({"expert_id": ["e1"], "free": [1]})
    >>> served(pairs.head(1), pairs, demand, capacity).select("need_id", "score", "reached_share").rows()
    [('n1', 0.9, 1.0), ('n2', 0.0, 0.0)]
    """
    assigned = _inputs.columns(assigned, "assigned", {"need_id": "id", "expert_id": "id", "score": "number"})
    _inputs.refuse_duplicates(assigned, "assigned", ["need_id", "expert_id"])
    pairs, demand, capacity = checked(pairs, demand, capacity)
    for column, known, name in (("need_id", demand, "demand"), ("expert_id", capacity, "capacity")):
        _inputs.refuse_unknown(assigned, "assigned", column, known[column], name)
    barred_ids = pl.concat([t.select("need_id", "expert_id") for t in barred]) if barred else None
    wanting = demand.filter(pl.col("wanted") > 0)
    could = (
        pairs.filter(~barred_pairs(pairs, barred_ids), pl.col("score") > 0)
        .join(capacity.filter(pl.col("free") > 0), on="expert_id", how="semi")
        .join(wanting, on="need_id")
        .filter(pl.col("score").rank("ordinal", descending=True).over("need_id") <= pl.col("wanted"))
        .sort("need_id", "score")
        .group_by("need_id", maintain_order=True)
        .agg(reachable=pl.col("score").sum())
    )
    got = (
        assigned.sort("need_id", "score")
        .group_by("need_id", maintain_order=True)
        .agg(assigned=pl.len().cast(pl.Int64), score=pl.col("score").sum())
    )
    share = pl.when(pl.col("reachable") > 0).then((pl.col("score") / pl.col("reachable")).clip(0, 1))
    return (
        wanting.join(got, on="need_id", how="left", maintain_order="left")
        .join(could, on="need_id", how="left", maintain_order="left")
        .with_columns(pl.col("assigned").fill_null(0), pl.col("score", "reachable").fill_null(0.0))
        .select("need_id", "wanted", "assigned", "score", "reachable", reached_share=share)
    )
