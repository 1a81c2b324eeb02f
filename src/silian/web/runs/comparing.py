"""Two runs side by side: plans, inputs, figures, and the needs that got others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from silian.tables import schema
from silian.web.runs.reading import receipt_of
from silian.web.runs.results.stored import Stored

if TYPE_CHECKING:
    from silian.tables.schema import Language
    from silian.web.runs.models import Run

MOST: Final = 200  # needs that are listed


@dataclass(slots=True)
class Comparison:
    """What differs between two runs; each row: what, the one's, the other's."""

    plan: list[tuple[str, Any, Any]] = field(default_factory=list)
    inputs: list[tuple[str, int, int]] = field(default_factory=list)  # file → rows that went and came; 0, 0: other text
    figures: list[tuple[str, float | None, float | None]] = field(default_factory=list)
    needs: list[dict[str, Any]] = field(default_factory=list)  # need_id, gone, come: experts
    changed: int = 0  # how many needs there are of these


def compare(one: Run, other: Run, *, language: Language) -> Comparison:
    """What differs, from the receipts and tables that both have left.

    Raises
    ------
    WebError : web.run_gone where the results of one are no longer kept

    Notes
    -----
    Cost: reads the assignments and the summaries of both; 20 ms at 40,000 assignments.
    """
    receipts = receipt_of(one), receipt_of(other)
    made = Comparison()
    plans = [_flat(receipt["plan"]) for receipt in receipts]
    names = list(dict.fromkeys([*plans[0], *plans[1]]))
    made.plan = [(n, plans[0].get(n), plans[1].get(n)) for n in names if plans[0].get(n) != plans[1].get(n)]
    made.inputs = _inputs(*receipts)
    made.figures = _figures(Stored(one.folder), Stored(other.folder), language)
    differ = _needs(Stored(one.folder), Stored(other.folder))
    made.changed = differ.height
    made.needs = differ.head(MOST).to_dicts()
    return made


def _flat(plan: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in plan.items():
        if isinstance(value, dict):
            found |= {f"{name}.{key}": each for key, each in value.items()}
        else:
            found[name] = value
    return found


def _inputs(one: dict[str, Any], other: dict[str, Any]) -> list[tuple[str, int, int]]:
    """Tables that are not the same, with their rows in both."""
    rows: list[dict[str, int]] = [
        next((s["rows"] for s in receipt["steps"] if s["name"] == "load"), {}) for receipt in (one, other)
    ]
    names = sorted({*one["inputs"], *other["inputs"]})
    differ = [name for name in names if one["inputs"].get(name) != other["inputs"].get(name)]
    nouns = [name.rpartition(".")[0] for name in differ]
    return [(noun, rows[0].get(noun, 0), rows[1].get(noun, 0)) for noun in nouns]


def _figures(one: Stored, other: Stored, language: Language) -> list[tuple[str, float | None, float | None]]:
    """The figures of the summary of each, in their order."""
    rows = [dict(stored.result("summary").select("name", "value").collect().iter_rows()) for stored in (one, other)]
    labels = schema.codes()["summary"]
    names = dict.fromkeys([*rows[0], *rows[1]])
    return [(labels[n][language == "en"] if n in labels else n, rows[0].get(n), rows[1].get(n)) for n in names]


def _needs(one: Stored, other: Stored) -> pl.DataFrame:
    """The needs whose experts are not the same: need_id, gone, come (lists of experts)."""
    pairs = [stored.result("assigned").select("need_id", "expert_id").collect() for stored in (one, other)]
    gone = pairs[0].join(pairs[1], on=["need_id", "expert_id"], how="anti")
    come = pairs[1].join(pairs[0], on=["need_id", "expert_id"], how="anti")
    sides = [
        table.group_by("need_id").agg(pl.col("expert_id").sort().alias(name))
        for name, table in (("gone", gone), ("come", come))
    ]
    return sides[0].join(sides[1], on="need_id", how="full", coalesce=True).sort("need_id")
