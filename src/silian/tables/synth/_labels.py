"""Levels and verdicts that officers gave to some pairs of a synthetic region, not without mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from silian.tables.synth._dice import Dice
from silian.tables.synth._frames import frame
from silian.tables.synth._needs import TODAY

if TYPE_CHECKING:
    from silian.tables.synth._sizes import Size

GRADED_SHARE: Final = 0.25  # of the needs
MOST: Final = 8  # graded pairs of a need
MISTAKEN_SHARE: Final = 0.12  # of the levels, by one
VERDICT_SHARE: Final = 0.3  # of the pairs: a tap on a button, with no level


def labels(
    size: Size, seed: int, matches: pl.DataFrame, needs: pl.DataFrame, achievements: pl.DataFrame
) -> pl.DataFrame:
    """The table of labels: some pairs of `matches`, graded as a person would."""
    dice = Dice(seed, "labels")
    least = 4 if size.is_tiny else 1
    chosen = dice.sample(needs["need_id"].to_list(), max(least, int(GRADED_SHARE * needs.height)))
    wanted = needs.select("need_id", "trl_wanted", "budget_cny")
    known = achievements.select("achievement_id", "trl", "price_cny")
    pairs = (
        matches.filter(pl.col("need_id").is_in(chosen))
        .join(wanted, on="need_id")
        .join(known, on="achievement_id")
        .sort("need_id", "achievement_id")
    )
    made: list[dict[str, Any]] = []
    for _, own in pairs.group_by("need_id", maintain_order=True):
        rows = dice.sample(own.to_dicts(), dice.between(2, MOST))
        made += [_graded(dice, row) for row in sorted(rows, key=lambda r: r["achievement_id"])]
    return frame("labels", made)


def _graded(dice: Dice, pair: dict[str, Any]) -> dict[str, Any]:
    level = int(pair["level"])
    if dice.chance(MISTAKEN_SHARE):
        level = min(4, max(1, level + dice.pick((-1, 1))))
    row: dict[str, Any] = {"need_id": pair["need_id"], "target_id": pair["achievement_id"]}
    row["given_on"] = (TODAY - dice.between(0, 400)).astype(object)
    said = _verdict(level, pair) if dice.chance(VERDICT_SHARE) else None
    return row | ({"verdict": said} if said else {"level": level})


def _verdict(level: int, pair: dict[str, Any]) -> str | None:
    """What an officer would tap; None where no button says it."""
    if level == 1:
        return "wrong_field"
    if level < 3:
        return None
    if None not in (pair["trl"], pair["trl_wanted"]) and pair["trl"] < pair["trl_wanted"] - 1:
        return "too_early"
    if None not in (pair["price_cny"], pair["budget_cny"]) and pair["price_cny"] > pair["budget_cny"]:
        return "too_dear"
    return "fits"
