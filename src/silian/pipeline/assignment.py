"""The assignment of a region as tables for the engine: who wants how many, who can take how many, who fits whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from silian.pipeline.plan import AllocatePlan
    from silian.tables import Region


class Posed(NamedTuple):
    """What `allocate.assign` is asked; ids of experts are those that stand for a person."""

    pairs: pl.DataFrame  # need_id, expert_id, score
    demand: pl.DataFrame  # need_id, wanted
    capacity: pl.DataFrame  # expert_id, free
    conflicts: pl.DataFrame


def posed(region: Region, results: Mapping[str, pl.DataFrame], plan: AllocatePlan, on: date | None) -> Posed:
    """The assignment that a region, its matches and its plan pose on a day.

    A need whose deadline has passed asks for nobody. Rows of experts that are one person have one load: the least that
    any of them states.
    """
    person = results["same_people"].select("expert_id", "canonical_id")
    pairs = (
        results["expert_pairs"]
        .join(person, left_on="target_id", right_on="expert_id")
        .group_by("need_id", expert_id="canonical_id")
        .agg(pl.col("score").max())
        .sort("need_id", "expert_id")
    )
    is_over = (pl.col("deadline_on") < on).fill_null(value=False)
    wanted = pl.col("experts_wanted").fill_null(plan.wanted)
    demand = region["needs"].select("need_id", wanted=pl.when(is_over).then(0).otherwise(wanted))
    capacity = (
        region["experts"]
        .join(person, on="expert_id")
        .group_by(expert_id="canonical_id")
        .agg(free=pl.col("free").min().fill_null(plan.free))
        .sort("expert_id")
    )
    return Posed(pairs, demand, capacity, results["conflicts"])
