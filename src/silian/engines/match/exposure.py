"""Exposure: how often each target comes out in the lists, and how evenly the places are spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import polars as pl

from silian.engines import _inputs
from silian.engines.match._checks import check_known, check_range, check_table
from silian.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

BY: Final = ("target_id", "org_id")
POINTS: Final = 100  # steps of the Lorenz curve at most
FIGURES: Final = {
    "total": pl.Int64(),
    "never": pl.Int64(),
    "never_share": pl.Float64(),
    "gini": pl.Float64(),
    "exposure_gini": pl.Float64(),
    "top_1_share": pl.Float64(),
    "top_10_share": pl.Float64(),
}


@dataclass(frozen=True, slots=True)
class Exposure:
    """Who comes out how often, and what that says of the whole."""

    counts: pl.DataFrame  # id, targets, shown, first, exposure; the most shown first
    summary: pl.DataFrame  # one row: total, never, never_share, gini, exposure_gini, top_1_share, top_10_share
    curve: pl.DataFrame  # share, shown_share: the Lorenz curve from (0, 0) to (1, 1), the least shown first


def exposure(
    pairs: pl.DataFrame, targets: pl.DataFrame, *, by: Literal["target_id", "org_id"] = "target_id", top_k: int = 10
) -> Exposure:
    """How the places in the lists of needs are spread over targets, or over the organisations that hold them.

    Parameters
    ----------
    pairs : need_id, target_id, rank (1 is the best); one row per place in a list, as `rank` gives them
    targets : target_id, and org_id where by is org_id; everything that could have come out
        Targets without an organisation are left out where by is org_id.
    by : what is counted
    top_k : places of a list that count, from the first

    Returns
    -------
    Exposure :
        counts : id, targets (held), shown (places), first (places of rank 1), exposure (sum of 1 / log2(1 + rank)); the
            most shown first, then by id.
        summary : total (ids), never (ids that are never shown), never_share, gini (of shown), exposure_gini (of
            exposure), top_1_share and top_10_share (share of the places that the most shown 1 % and 10 % of ids hold,
            at least one id). Shares and Gini are null where nothing is shown, never_share where there is no id.
        curve : share (of ids, the least shown first), shown_share (of places that they hold), at most 101 points.

    Raises
    ------
    TableError : table.columns, table.type, table.value, table.duplicate; table.unknown where pairs names a target that
        targets lacks.
    ArgumentError : argument.value where by is another or top_k is below 1.

    Notes
    -----
    Gini: G = 2 Σ i·x(i) / (n Σ x) − (n + 1) / n over the n counts x in rising order; 0 where all are shown alike,
    (n − 1) / n where one holds every place. Deterministic. Splits: no, it sees all pairs.
    Source: A. Singh, T. Joachims (2018), Fairness of exposure in rankings (the discount); C. Gini (1912).

    Examples
    --------
    >>> pairs = pl.DataFrame({"need_id": ["n1", "n2"], "target_id": ["a", "a"], "rank": [1, 1]})
    >>> found = exposure(pairs, pl.DataFrame({"target_id": ["a", "b"]}))
    >>> found.counts.rows()
    [('a', 1, 2, 2, 2.0), ('b', 1, 0, 0, 0.0)]
    >>> found.summary.select("never_share", "gini").row(0)
    (0.5, 0.5)
    """
    if by not in BY:
        raise ArgumentError("argument.value", name="by", found=repr(by), wanted=" or ".join(map(repr, BY)))
    check_range("top_k", top_k, low=1, high=None, wanted="1 or more")
    check_table(targets, "targets", key=["target_id"], text=["org_id"] if by == "org_id" else [])
    check_table(pairs, "pairs", key=["need_id", "target_id"], text=[])
    check_known(pairs, "pairs", "target_id", targets["target_id"], "targets")
    ranks = _inputs.columns(pairs, "pairs", {"need_id": "id", "target_id": "id", "rank": "count"})
    _inputs.refuse(ranks, "pairs", "rank", pl.col("rank") < 1, found="below 1", wanted="1 or more")
    held = targets.select("target_id", id=by).drop_nulls("id")
    counts = _counts(ranks.filter(pl.col("rank") <= top_k), held)
    return Exposure(counts, _summary(counts), _curve(counts["shown"].to_numpy()))


def gini(amounts: Sequence[float] | np.ndarray) -> float | None:
    """Gini coefficient of amounts, each 0 or more: 0 is even, near 1 is one for all; None where their sum is 0.

    Examples
    --------
    >>> gini([1, 1, 1]), gini([0, 0, 3])
    (0.0, 0.6666666666666667)
    """
    rising = np.sort(np.asarray(amounts, dtype=np.float64))
    n, total = len(rising), rising.sum()
    if not total:
        return None
    places = np.arange(1, n + 1)
    return float(max(2 * (places * rising).sum() / (n * total) - (n + 1) / n, 0.0))


def _counts(ranks: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    shown = (
        ranks.join(held, on="target_id")
        .group_by("id")
        .agg(
            shown=pl.len().cast(pl.Int64),
            first=(pl.col("rank") == 1).sum().cast(pl.Int64),
            # summed in the order of the ranks, so that the last digit does not depend on the order of the rows
            exposure=(1 / (1 + pl.col("rank").sort()).log(2)).sum(),
        )
    )
    return (
        held.group_by("id")
        .agg(targets=pl.len().cast(pl.Int64))
        .join(shown, on="id", how="left")
        .with_columns(pl.col("shown", "first").fill_null(0), pl.col("exposure").fill_null(0.0))
        .sort(["shown", "id"], descending=[True, False])
    )


def _summary(counts: pl.DataFrame) -> pl.DataFrame:
    n, never = counts.height, counts.filter(shown=0).height
    row = {
        "total": n,
        "never": never,
        "never_share": never / n if n else None,
        "gini": gini(counts["shown"].to_numpy()),
        "exposure_gini": gini(counts["exposure"].to_numpy()),
        "top_1_share": _top_share(counts["shown"], 0.01),
        "top_10_share": _top_share(counts["shown"], 0.10),
    }
    return pl.DataFrame([row], schema=FIGURES)


def _top_share(shown: pl.Series, share: float) -> float | None:
    """Share of the places that the most shown hold; `shown` falls."""
    places = shown.to_numpy()
    most = max(1, int(np.ceil(share * len(places) - 1e-9)))
    return float(places[:most].sum() / places.sum()) if places.sum() else None


def _curve(shown: np.ndarray) -> pl.DataFrame:
    rising = np.concatenate([[0], np.cumsum(np.sort(shown))])
    n, total = len(rising) - 1, rising[-1]
    if not total:
        return pl.DataFrame(schema={"share": pl.Float64, "shown_share": pl.Float64})
    places = np.unique(np.linspace(0, n, min(n, POINTS) + 1).round().astype(np.int64))
    return pl.DataFrame({"share": places / n, "shown_share": rising[places] / total})
