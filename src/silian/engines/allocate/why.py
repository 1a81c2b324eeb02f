"""Why a pair was chosen, and why not: at which score it would go or come, and who would take the place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from silian.engines import _inputs
from silian.engines.allocate.standing import PINNED, REMOVED, UNSCORED, Standing, codes, hindrance, places, select
from silian.errors import TableError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from silian.engines.allocate._flow import Best

    Whole = NDArray[np.int64]
    Flags = NDArray[np.bool_]


def why(standing: Standing, pairs: pl.DataFrame) -> pl.DataFrame:
    """Of each pair: is it chosen, why or why not, and from which score on it would be.

    Parameters
    ----------
    standing : from `reopen`, `repair` or `edit`
    pairs : need_id, expert_id; one row per pair to ask about
        Any need and expert of the problem, whether they matched or not.

    Returns
    -------
    need_id, expert_id, is_chosen, because, score, threshold, margin, need_price, expert_price, rival_need_id,
    rival_expert_id; one row per pair, in the order given

        score: empty where the pair has none, or is in conflict. threshold: with a score above it the pair is in every
        best allocation, below it in none, all else as it is; empty for pins, and where need or expert has no place
        beside its pins. margin = score - threshold: of a chosen pair how far its score may fall before it goes, of
        another one, below 0, how much better it would have to be. Prices: as `assign` gives them; what the places are
        worth. rival_need_id: of a chosen pair the need that would get the expert, of another one the need that would
        have to give the expert up (it took the place); empty: the place would be, or is, free. rival_expert_id: the
        expert that would serve the need instead, or that the need would have to give up; likewise.
        because, if chosen: best; pinned (by hand or by rule); kept (below its threshold: kept by the order of
        `repair`). If not: conflict, veto, removed (taken out by hand), no_score, not_wanted, no_place (as in `edit`);
        full (pins hold all places); taken (the expert serves needs that gain more), served (the expert has a place;
        the need has better ones), tie (an equally good allocation holds it), left_out (above its threshold: left out
        by the order of `repair`).

    Raises
    ------
    TableError : table.columns, table.type, table.value (nulls), table.duplicate (a pair twice), table.unknown (an id
        that demand or capacity lacks), allocate.limits (the allocation stands under rules other than pins, vetoes and
        places taken elsewhere)

    Notes
    -----
    Thresholds, prices and rivals are those of the allocation with the best total, which is that of `assign` if the
    standing one is: threshold = best total without the pair - best total of the rest with the pair put in. With
    optimal prices u, v and d the length of the shortest alternating path in reduced costs: u + v - d for a chosen
    pair, from its need to its expert, u + v + d for another one, from its expert to its need (sensitivity analysis of
    network flows). Exact in whole numbers of 1e-12 of the scale, as `assign`. The path names the rivals; where there
    are several it is one of them. Pins stay, vetoed and removed pairs are barred.
    Deterministic. Splits: no. Cost: the best allocation once, from the last prices, then one search per need of a
    chosen pair and per expert of another one: 1e6 pairs 0.1 s and 1 ms per 10 to 100 searches (bench_repair).
    Source: R. K. Ahuja, T. L. Magnanti, J. B. Orlin (1993), Network Flows, ch. 9.11.

    Examples
    --------
    >>> from silian.engines.allocate import reopen
    >>> pairs = pl.DataFrame({"need_id": ["n1", "n2"], "expert_id": ["e1", "e1"], "score": [0.9, 0.4]})
    >>> demand = pl.DataFrame({"need_id": ["n1", "n2"], "wanted": [1, 1]})
    >>> capacity = pl.DataFrame({"expert_id": ["e1"], "free": [1]})
    >>> asked = why(reopen(pairs[:1], pairs, demand, capacity), pairs)
    >>> asked.select("is_chosen", "because", "threshold", "margin", "rival_need_id").rows()
    [(True, 'best', 0.4, 0.5, 'n2'), (False, 'taken', 0.9, -0.5, 'n1')]
    """
    from silian.engines.allocate import _flow

    asked = _inputs.columns(pairs, "pairs", {"need_id": "id", "expert_id": "id"})
    _inputs.refuse_duplicates(asked, "pairs", ["need_id", "expert_id"])
    p = standing.problem
    row, column = codes(asked, "pairs", p)
    _refuse_rules(standing)
    place, kept = places(p, row, column), np.flatnonzero(standing.mark == 0)
    pinned = np.flatnonzero(standing.mark == PINNED)
    row_room = p.row_room - np.bincount(p.row[pinned], minlength=p.row_room.size)
    column_room = p.column_room - np.bincount(p.column[pinned], minlength=p.column_room.size)
    start = np.searchsorted(kept, p.start)
    graph = _flow.Graph(start, p.column[kept], p.row[kept], p.gain[kept], row_room, column_room)
    best = _flow.resume(graph, standing.chosen[kept], standing.price)
    is_best = np.zeros(p.row.size + 1, np.bool_)  # the last one for pairs that are none
    is_best[kept[best.chosen]] = True
    is_open = (row_room[row] > 0) & (column_room[column] > 0) & (np.append(standing.mark, 0)[place] != PINNED)
    asks = np.flatnonzero(is_open)
    threshold, rivals = np.zeros(row.size, np.int64), np.full((2, row.size), -1)
    threshold[asks], rivals[:, asks] = _thresholds(best, row[asks], column[asks], is_best[place[asks]])
    over = np.append(p.gain, 0)[place] - threshold
    is_chosen = np.append(standing.chosen, False)[place]
    has_score = np.append(standing.mark > UNSCORED, False)[place]
    because = _because(standing, asked, place, over, is_open=is_open, is_taken=rivals[0] >= 0)
    score = np.append(p.pairs["score"].to_numpy(), 0.0)[place]
    return asked.select(
        "need_id",
        "expert_id",
        is_chosen=pl.Series(is_chosen),
        because=pl.Series(because, dtype=pl.String),
        score=_where(has_score, score),
        threshold=_where(is_open, threshold / p.unit),
        margin=_where(has_score & is_open, over / p.unit),
        need_price=pl.Series(best.row_price[row] / p.unit),
        expert_price=pl.Series(best.column_price[column] / p.unit),
        rival_need_id=_where(rivals[0] >= 0, p.demand["need_id"].gather(rivals[0].clip(0))),
        rival_expert_id=_where(rivals[1] >= 0, p.capacity["expert_id"].gather(rivals[1].clip(0))),
    )


def _refuse_rules(standing: Standing) -> None:
    """Limits beside demand and capacity move thresholds in ways that no path shows."""
    names = standing.ruled.case().limits.names if standing.ruled else None
    if names is not None and names.height:
        shown = names.select("rule", "name").unique(maintain_order=True).head(3).rows()
        raise TableError("allocate.limits", what="why", count=names.height, shown=shown)


def _thresholds(best: Best, row: Whole, column: Whole, is_best: Flags) -> tuple[Whole, Whole]:
    """Of each pair its threshold, and the need and expert that make room (-1: none); by as few searches as can be."""
    from silian.engines.allocate import _flow

    rows = best.row_used.size
    ways = [np.where(is_best, row, rows + column), np.where(is_best, rows + column, row)]
    is_turned = np.unique(ways[1]).size < np.unique(ways[0]).size
    order = np.argsort(ways[int(is_turned)], kind="stable")
    if is_turned:
        found = _flow.margins(_flow.turn(best), column, row, is_best, order)
        return found.threshold, np.stack([found.column, found.row])
    found = _flow.margins(best, row, column, is_best, order)
    return found.threshold, np.stack([found.row, found.column])


def _where(is_there: Flags, values: pl.Series | NDArray[np.float64]) -> pl.Series:
    """The values, empty where they are not there."""
    return pl.Series(values).zip_with(pl.Series(is_there), pl.Series([None], dtype=pl.Series(values).dtype))


def _because(
    standing: Standing, asked: pl.DataFrame, place: Whole, over: Whole, *, is_open: Flags, is_taken: Flags
) -> NDArray[np.object_]:
    """Why a pair is chosen or not; over: by how much it gains more than its threshold."""
    is_chosen, mark = np.append(standing.chosen, False)[place], np.append(standing.mark, 0)[place]
    barred = hindrance(standing, asked, place)
    reasons = [
        (mark == PINNED, "pinned"),
        (is_chosen, np.where(over >= 0, "best", "kept")),
        (barred != "", barred),
        (mark == REMOVED, "removed"),
        (~is_open, "full"),
        (over == 0, "tie"),
        (over > 0, "left_out"),
        (is_taken, "taken"),
    ]
    return select(reasons, "served")
