"""The indexes of a region's achievements and experts, made in one way wherever they are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from silian.engines import match
from silian.tables import district_centres
from silian.text import Terms

if TYPE_CHECKING:
    import polars as pl

    from silian.pipeline.plan import Plan
    from silian.tables import Region

Of = Literal["achievements", "experts"]


def index_of(region: Region, of: Of, plan: Plan) -> match.Index:
    """The index of a region's achievements, or of its experts by their works, read by the terms of the region.

    Raises
    ------
    MatchError : match.empty where the region has none.
    """
    if of == "experts":
        return match.build_experts(
            region["works"],
            _held(region, "experts"),
            encoder=plan.match.encoder,
            terms=terms_of(region),
            seed=plan.seed,
        )
    targets = _held(region, "achievements").rename({"achievement_id": "target_id"})
    return match.build(targets, encoder=plan.match.encoder, terms=terms_of(region), seed=plan.seed)


def _held(region: Region, of: Of) -> pl.DataFrame:
    """The table with where each row is and what its organisation is qualified for: what conditions look at."""
    organisations = region["organisations"]
    placed = match.locate(region[of], organisations=organisations, districts=district_centres(region))
    return match.holders(placed, organisations)


def terms_of(region: Region) -> Terms:
    """The region's own terms, and beside them the list that comes with the project."""
    return Terms.of(region["terms"].drop_nulls("zh")).over(Terms.shipped())
