"""Who holds which qualification, and which needs ask for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from silian.tables.synth._dice import Dice

if TYPE_CHECKING:
    from collections.abc import Mapping

# How often a kind of organisation holds a qualification; the others are known by none.
HELD: Final[Mapping[str, Mapping[str, float]]] = {
    "enterprise": {"quality_system": 0.35, "safety_licence": 0.12, "design_licence": 0.04, "secrecy": 0.02},
    "university": {"cma": 0.4, "cnas": 0.5, "secrecy": 0.4, "design_licence": 0.2},
    "institute": {"cma": 0.5, "cnas": 0.6, "quality_system": 0.4, "design_licence": 0.25, "secrecy": 0.2},
    "hospital": {"gcp": 0.6, "cma": 0.2},
    "platform": {"cma": 0.3, "cnas": 0.2},
}
OF_EXPERTS: Final[Mapping[str, float]] = {
    "registered_engineer": 0.08,
    "technology_broker": 0.05,
    "patent_attorney": 0.01,
}
# What a need of a kind may ask for.
ASKED: Final[Mapping[str, tuple[str, ...]]] = {
    "technology": ("cnas", "cma", "design_licence", "quality_system"),
    "equipment": ("quality_system", "safety_licence"),
    "achievement": ("quality_system", "cnas"),
    "digital": ("secrecy", "quality_system"),
    "cooperation": ("cnas", "design_licence"),
    "talent": ("registered_engineer",),
}
ASKING_SHARE: Final = 0.06  # of the needs


def qualify(seed: int, tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The tables with the qualifications that organisations and experts hold and that needs want."""
    dice = Dice(seed, "qualifications")
    firms = [_some(dice, HELD.get(kind, {})) for kind in tables["organisations"]["kind"].to_list()]
    people = [_some(dice, OF_EXPERTS) for _ in range(tables["experts"].height)]
    asked = [
        [dice.pick(ASKED[kind])] if kind in ASKED and dice.chance(ASKING_SHARE) else None
        for kind in tables["needs"]["kind"].to_list()
    ]
    return dict(tables) | {
        "organisations": _with(tables["organisations"], "qualifications", firms),
        "experts": _with(tables["experts"], "qualifications", people),
        "needs": _with(tables["needs"], "qualifications_wanted", asked),
    }


def _some(dice: Dice, shares: Mapping[str, float]) -> list[str] | None:
    return [name for name, share in shares.items() if dice.chance(share)] or None


def _with(table: pl.DataFrame, column: str, values: list[list[str] | None]) -> pl.DataFrame:
    return table.with_columns(pl.Series(column, values, dtype=pl.List(pl.String)))
