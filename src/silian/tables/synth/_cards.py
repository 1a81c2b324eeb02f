"""What the cards of needs and achievements say of the other side: what would please, which partner is sought."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from silian.tables.synth._dice import Dice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from silian.tables.synth._subjects import Demand
    from silian.tables.synth._vocabulary import Vocabulary

WISHING_SHARE: Final = 0.25  # of the needs for a technology, product or service
SEEKING_SHARE: Final = 0.45  # of the achievements
PEOPLE_OR_MONEY: Final = ("talent", "funding")  # needs whose answer is no technology


def complete(
    seed: int, vocabulary: Vocabulary, demand: Demand, tables: Mapping[str, pl.DataFrame]
) -> dict[str, pl.DataFrame]:
    """The tables with nice_to_have of the needs and partners_wanted of the achievements."""
    dice = Dice(seed, "cards")
    needs, achievements = tables["needs"], tables["achievements"]
    wishes = [
        dice.sample(vocabulary.phrases["nice", nature], dice.between(1, 2))
        if kind not in PEOPLE_OR_MONEY and dice.chance(WISHING_SHARE)
        else None
        for kind, nature in zip(needs["kind"], _natures(vocabulary, demand.needs.kind.tolist()), strict=True)
    ]
    partners = [
        dice.pick(vocabulary.phrases[f"partner.{offer}", nature]) if dice.chance(SEEKING_SHARE) else None
        for offer, nature in zip(
            achievements["offer_kind"], _natures(vocabulary, demand.achievements.kind.tolist()), strict=True
        )
    ]
    return dict(tables) | {
        "needs": needs.with_columns(pl.Series("nice_to_have", wishes, dtype=pl.List(pl.String))),
        "achievements": achievements.with_columns(pl.Series("partners_wanted", partners, dtype=pl.String)),
    }


def _natures(vocabulary: Vocabulary, kinds: list[int]) -> list[str]:
    """The nature of the object of each kind."""
    return [vocabulary.family(vocabulary.kinds[kind].thing).nature for kind in kinds]
