"""The measures of the leader's page: declared once in `measures.csv`."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from silian.tables.schema import Language

How = Literal["count", "sum", "mean", "median", "ratio", "gini"]
# What the figures of a snapshot look like: one row for each place and measure.
FIGURES: Final = pl.Schema(
    {
        "place_id": pl.String(),
        "measure": pl.String(),
        "value": pl.Float64(),  # null: cannot be told, and `note` says why
        "of": pl.Float64(),  # the whole of which it is a part, or null
        "missing": pl.Int64(),  # rows that are not in it because what it needs is not known of them
        "note": pl.String(),  # empty, or one of NOTES
    }
)
# Why a value is not there, or what to know of one that is.
NOTES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "": ("", ""),
        "no_run": ("还没有现行运行结果", "No run is in force yet"),
        "no_step": ("现行运行没有做这一步", "The run in force did not do this step"),
        "no_dates": ("没有可用的日期", "No days to compute it from"),
        "no_data": ("没有可用的数据", "No data to compute it from"),
        "past": ("登记表没有留下过去的情况，无法补算", "The registry does not tell how it was in the past"),
        "some_missing": ("部分记录缺少所需信息，未计入", "Some records lack what it needs and are not in it"),
    }
)


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure."""

    code: str
    chain: str  # innovation, industry, capital, talent, funnel, time, cooperation, loss, gaps, assignment, balance, …
    order: int
    how: How
    noun: str  # of the rows behind it
    of: str  # the measure that is its whole; empty: none
    top: str  # of a ratio or a Gini coefficient: the measure that is shared out
    bottom: str  # and by which
    scale: float
    unit: str
    direction: str  # up: more is better; down: less is; none: neither
    period: str  # stock: on the day; month: in the month up to the day
    is_past: bool  # whether the records' own dates tell it for a day that is past
    label: str
    label_zh: str
    definition: str
    definition_zh: str

    def name(self, language: Language) -> str:
        """What it is called."""
        return self.label_zh if language == "zh" else self.label

    def meaning(self, language: Language) -> str:
        """What it counts."""
        return self.definition_zh if language == "zh" else self.definition

    @property
    def rows_of(self) -> str:
        """The measure whose rows stand behind it."""
        return self.top or self.code


@cache
def measures() -> Mapping[str, Measure]:
    """Every measure by its code, in their order."""
    text = files("silian.web.runs.dashboards").joinpath("measures.csv").read_text(encoding="utf-8")
    made = {}
    for row in csv.DictReader(text.splitlines()):
        order, scale, is_past = int(row.pop("order")), float(row.pop("scale") or 1), row.pop("past") == "yes"
        made[row["code"]] = Measure(order=order, scale=scale, is_past=is_past, **row)  # type: ignore[arg-type]
    return MappingProxyType(made)


def table() -> pl.DataFrame:
    """The measures as a table, as a snapshot keeps them: a later change of a definition leaves it as it was.

    Returns
    -------
    code, chain, order, how, noun, of, top, bottom, unit, direction, period, label, label_zh, definition, definition_zh
    """
    names = (
        "code", "chain", "order", "how", "noun", "of", "top", "bottom", "unit", "direction", "period", "label",
        "label_zh", "definition", "definition_zh",
    )  # fmt: skip
    return pl.DataFrame([{name: getattr(m, name) for name in names} for m in measures().values()])
