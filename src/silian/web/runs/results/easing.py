"""Needs that lack experts, and for each the cheapest rule that would let somebody serve it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from silian.web.runs.results.stored import Stored

# What may be eased, from what costs least to bend: a limit that somebody set, the places of a person, two who were
# kept apart, a veto. A conflict of interest is never offered. Nobody who matches: win somebody of the field.
ORDER: Final = ("at_most", "cap", "capacity", "apart", "veto", "no_candidate")


def eased(stored: Stored, needs: pl.DataFrame) -> pl.DataFrame:
    """The unmet needs of a run with what would help each.

    Parameters
    ----------
    needs : need_id, district_id, field, org_id

    Returns
    -------
    need_id, missing, reason, district_id, field, org_id, and of the cheapest way: easing (one of ORDER, or conflict:
    nothing can be eased), rule (name of the quota), limit (now), keeps_away (candidates that it keeps away), expert_id
    and expert_score (for capacity: the best candidate whose places are all taken). Most missing first, then need_id.
    """
    unmet = stored.result("unmet").collect().join(needs, on="need_id", how="left")
    rank = {reason: place for place, reason in enumerate(ORDER)}
    order = pl.col("reason").replace_strict(rank, default=len(ORDER), return_dtype=pl.Int64)
    cheapest = (
        stored.result("unmet_reasons")
        .select("need_id", "reason", rule="name", limit="limit", keeps_away="experts")
        .with_columns(order=order)
        .sort(["need_id", "order", "keeps_away"], descending=[False, False, True])
        .unique("need_id", keep="first", maintain_order=True)
        .select("need_id", "rule", "limit", "keeps_away", easing="reason")
        .collect()
    )
    told = unmet.join(cheapest, on="need_id", how="left").join(_full(stored, unmet), on="need_id", how="left")
    by_capacity = pl.col("easing") == "capacity"
    told = told.with_columns(
        easing=pl.coalesce("easing", "reason"),
        expert_id=pl.when(by_capacity).then("expert_id"),
        expert_score=pl.when(by_capacity).then("expert_score"),
    )
    return told.sort(["missing", "need_id"], descending=[True, False])


def _full(stored: Stored, unmet: pl.DataFrame) -> pl.DataFrame:
    """Of each unmet need the best candidate who serves others with all their places: need_id, expert_id, expert_score.

    Candidates are known by the id that stands for the person.
    """
    person = stored.result("same_people").select("expert_id", person="canonical_id").collect()
    full = (
        stored.result("loads")
        .filter(pl.col("assigned") + pl.col("elsewhere") >= pl.col("free"), pl.col("free") > 0)
        .select("expert_id")
        .collect()
    )
    pairs = stored.of_needs("expert_pairs", unmet["need_id"].to_list())
    named = pairs.join(person, left_on="target_id", right_on="expert_id", how="left").select(
        "need_id", expert_id=pl.coalesce("person", "target_id"), expert_score="score"
    )
    free = named.join(full, on="expert_id", how="semi").join(
        stored.result("assigned").select("need_id", "expert_id").collect(), on=["need_id", "expert_id"], how="anti"
    )
    best = free.sort(["need_id", "expert_score", "expert_id"], descending=[False, True, False])
    return best.unique("need_id", keep="first", maintain_order=True)
