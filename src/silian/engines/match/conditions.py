"""Hard conditions: who may come out at all, apart from how near they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from silian.engines.match._checks import check_number
from silian.errors import ArgumentError, TableError

if TYPE_CHECKING:
    from datetime import date

# column of needs, of targets: what conditions look at; a table may lack any of them
NEED_FACTS: Final = {
    "trl_wanted": pl.Float64(),
    "budget_cny": pl.Float64(),
    "deadline_on": pl.Date(),
    "district_id": pl.String(),
}
TARGET_FACTS: Final = {
    "trl": pl.Float64(),
    "price_cny": pl.Float64(),
    "valid_until_on": pl.Date(),
    "district_id": pl.String(),
    "ip_status": pl.String(),
}
REASONS: Final = ("trl", "budget", "deadline", "validity", "district", "ip_status", "excluded")


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a target must meet for a need; the default asks for nothing.

    A fact that a need or target does not state meets every condition: conditions keep out what is known not to fit.

    Examples
    --------
    >>> from datetime import date
    >>> Conditions(on=date(2025, 6, 1), same_district=True).max_trl_gap is None
    True
    """

    max_trl_gap: int | None = None  # levels by which a target's TRL may fall short of trl_wanted; 0 is none
    within_budget: bool = False  # price_cny <= budget_cny
    on: date | None = None  # this day is neither after deadline_on of the need nor after valid_until_on of the target
    same_district: bool = False  # district_id is the same
    ip_status: tuple[str, ...] = ()  # allowed states; empty allows all

    def __post_init__(self) -> None:
        if self.max_trl_gap is not None and self.max_trl_gap < 0:
            raise ArgumentError(
                "argument.value", name="max_trl_gap", found=self.max_trl_gap, wanted="0 or more levels, or None"
            )

    @property
    def is_open(self) -> bool:
        """Whether nothing is asked."""
        return self == Conditions()


def facts(given: pl.DataFrame, name: str, wanted: dict[str, pl.DataType]) -> pl.DataFrame:
    """The columns that conditions look at, null where the table has none."""
    columns = []
    for column, kind in wanted.items():
        if column not in given.columns:
            columns.append(pl.repeat(None, given.height, dtype=kind).alias(column))
            continue
        found = given.schema[column]
        if kind.is_numeric():
            check_number(given, name, column)
        elif found not in (kind, pl.Null):
            raise TableError("table.type", table=name, column=column, found=found, wanted=kind)
        columns.append(pl.col(column).cast(kind))
    return given.select(columns)


def failing(conditions: Conditions, needs: pl.DataFrame, targets: pl.DataFrame) -> dict[str, np.ndarray]:
    """Reason → bool array (needs, targets), true where the condition is not met. Only reasons that are asked."""
    found: dict[str, np.ndarray] = {}
    if conditions.max_trl_gap is not None:
        wanted, has = _numbers(needs["trl_wanted"])[:, None], _numbers(targets["trl"])[None, :]
        found["trl"] = has < wanted - conditions.max_trl_gap
    if conditions.within_budget:
        found["budget"] = _numbers(targets["price_cny"])[None, :] > _numbers(needs["budget_cny"])[:, None]
    if conditions.on is not None:
        shape = (needs.height, targets.height)
        closed = (needs["deadline_on"] < conditions.on).fill_null(value=False).to_numpy()
        lapsed = (targets["valid_until_on"] < conditions.on).fill_null(value=False).to_numpy()
        found["deadline"] = np.broadcast_to(closed[:, None], shape)
        found["validity"] = np.broadcast_to(lapsed[None, :], shape)
    if conditions.same_district:
        left, right = _codes(needs["district_id"], targets["district_id"])
        found["district"] = (left[:, None] != right[None, :]) & (left >= 0)[:, None] & (right >= 0)[None, :]
    if conditions.ip_status:
        kept = targets["ip_status"].is_in(list(conditions.ip_status)).fill_null(value=True).to_numpy()
        found["ip_status"] = np.broadcast_to(~kept[None, :], (needs.height, targets.height))
    return found


def _numbers(column: pl.Series) -> np.ndarray:
    """Float64 with NaN for null: every comparison with NaN is false, so what is unknown fails nothing."""
    return column.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _codes(left: pl.Series, right: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    book = {d: i for i, d in enumerate(sorted({*left.drop_nulls(), *right.drop_nulls()}))}
    return tuple(np.asarray([book.get(d, -1) for d in side], dtype=np.int64) for side in (left, right))  # type: ignore[return-value]
