"""What stands between an unmet need and each expert who could still serve it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from silian.engines.allocate.rules import Case

    Flags = NDArray[np.bool_]

# In the order of what would have to change first.
_REASONS: Final = ["capacity", "at_most", "apart", "veto", "conflict", "no_candidate"]
_SCHEMA: Final = {
    "need_id": pl.String(),
    "reason": pl.String(),
    "name": pl.String(),
    "need": pl.String(),
    "expert": pl.String(),
    "limit": pl.Float64(),
    "experts": pl.Int64(),
}
_SLACK: Final = 1e-9  # sums of money are floats: a limit is full when the next one would pass it by more than this part


def reasons_of(case: Case, held: Flags) -> pl.DataFrame:
    """Why each need that lacks experts does not get those who matched.

    held : bool (pairs of the case,), the pairs that came out

    Returns
    -------
    need_id, reason, name, need, expert, limit, experts; sorted by need_id, then reason in the order below
        experts counts the candidates of the need that the reason keeps away; one may be kept away by several.
        capacity: they have no place left. at_most: a quota is full: its name, its group of needs and of experts, its
        limit. apart: they may not serve together with `expert`, who serves the need. veto, conflict: the pair is not
        allowed. no_candidate: nobody (else) matched; experts is 0.
    """
    pairs = case.pairs
    need, expert = (pairs[side].to_numpy() for side in ("need", "expert"))
    missing = case.demand["wanted"].to_numpy() - np.bincount(need[held], minlength=case.demand.height)
    is_full = case.capacity["free"].to_numpy() <= np.bincount(expert[held], minlength=case.capacity.height)
    is_wished = ~held & (missing > 0)[need] & (pairs["score"] > 0).to_numpy()
    conflict, veto = (pairs[flag].to_numpy() for flag in ("conflict", "veto"))
    is_open = is_wished & ~conflict & ~veto
    ruled, by_rule = _full_limits(case, held, is_open)
    by_room = is_open & (is_full[expert] | ~by_rule)
    found = [_counted(pairs.filter(pl.Series(is_wished & conflict)), "conflict")]
    found.append(_counted(pairs.filter(pl.Series(is_wished & veto & ~conflict)), "veto"))
    found += [_counted(pairs.filter(pl.Series(by_room)), "capacity"), ruled]
    seen = pl.concat(found)
    alone = case.demand.filter(pl.Series(missing > 0)).select("need_id").join(seen, on="need_id", how="anti")
    seen = pl.concat([seen, _shaped(alone.with_columns(experts=0), "no_candidate")])
    order = pl.col("reason").cast(pl.Enum(_REASONS))
    return seen.sort("need_id", order, "name", "need", "expert")


def _full_limits(case: Case, held: Flags, is_open: Flags) -> tuple[pl.DataFrame, Flags]:
    """The upper limits that one candidate more would pass, and which candidates those are."""
    sides, names = case.limits.sides, case.limits.names
    rule = np.repeat(np.arange(sides.low.size), np.diff(sides.ptr))
    held_weight = np.where(held[sides.pair], sides.weight, 0.0)
    added = np.bincount(rule, held_weight, sides.low.size)[rule] + sides.weight
    is_full = is_open[sides.pair] & (added > sides.high[rule] * (1 + _SLACK))
    at, pair = rule[is_full], sides.pair[is_full]
    met = names[at].with_columns(case.pairs[pair].select("need_id", "expert_id"), reason="rule")
    is_apart = pl.col("rule") == "apart"
    partner = pl.when(pl.col("expert") == pl.col("expert_id")).then("other").otherwise("expert")
    met = met.with_columns(
        expert=pl.when(is_apart).then(partner).otherwise("expert"), limit=pl.when(~is_apart).then("limit")
    )
    key = [column for column in _SCHEMA if column != "experts"]
    by_rule = np.zeros(is_open.size, np.bool_)
    by_rule[pair] = True
    counted = met.group_by(key).agg(experts=pl.len().cast(pl.Int64))
    return counted.select(list(_SCHEMA)), by_rule


def _counted(pairs: pl.DataFrame, reason: str) -> pl.DataFrame:
    return _shaped(pairs.group_by("need_id").agg(experts=pl.len()), reason)


def _shaped(table: pl.DataFrame, reason: str) -> pl.DataFrame:
    """need_id and experts, with the reason and what it does not name."""
    table = table.with_columns(reason=pl.lit(reason))
    given = set(table.columns)
    return table.select((pl.col(c) if c in given else pl.lit(None).alias(c)).cast(kind) for c, kind in _SCHEMA.items())
