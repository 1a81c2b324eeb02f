"""How far chances can be trusted, as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from silian.errors import TableError
from silian.report._spec import PALETTE, WIDTH, Spec, spec, tips
from silian.report._words import check_language, say

if TYPE_CHECKING:
    from silian.tables.schema import Language

COLUMNS = ("predicted", "observed", "low", "high", "pairs")


def reliability(table: pl.DataFrame, *, language: Language = "zh") -> Spec:
    """Reliability diagram: the chance that was predicted across, the share that came up; the diagonal is honest.

    Parameters
    ----------
    table : predicted, observed, low, high (shares), pairs (count); one row per bin
    language : zh or en

    Raises
    ------
    TableError : table.columns if the table lacks columns
    ArgumentError : argument.value if the language is another

    Examples
    --------
    >>> row = {"predicted": [0.2], "observed": [0.25], "low": [0.1], "high": [0.4], "pairs": [20]}
    >>> reliability(pl.DataFrame(row), language="en")["title"]["text"]
    'Reliability of the chances (levels 3 and 4)'
    """
    check_language(language)
    missing = [c for c in COLUMNS if c not in table.columns]
    if missing:
        raise TableError("table.columns", table="reliability", missing=missing, present=table.columns)
    rows = table.select(pl.col(COLUMNS).round(4)).to_dicts()
    share = {"type": "quantitative", "scale": {"domain": [0, 1]}}
    axis = {"format": ".0%", "tickCount": 6, "domain": False, "ticks": False}
    across = {"x": share | {"field": "predicted", "title": say("axis.predicted", language), "axis": axis}}
    up = share | {"title": say("axis.observed", language), "axis": axis}
    hover = tips("predicted", "observed", "pairs", language=language)
    for tip in hover["tooltip"][:2]:
        tip["format"] = ".0%"
    ends = {"values": [{"predicted": 0, "observed": 0}, {"predicted": 1, "observed": 1}]}
    size = {
        "field": "pairs",
        "type": "quantitative",
        "scale": {"range": [30, 600]},
        "title": say("tip.pairs", language),
        "legend": {"title": say("tip.pairs", language), "symbolType": "circle", "tickCount": 3},
    }
    layer = [
        {
            "data": ends,
            "mark": {"type": "line", "color": PALETTE["neutral"], "strokeDash": [4, 4], "strokeWidth": 1.5},
            "encoding": across | {"y": up | {"field": "observed"}},
        },
        {
            "mark": {"type": "rule", "color": PALETTE["muted"], "strokeWidth": 1.5},
            "encoding": across | {"y": up | {"field": "low"}, "y2": {"field": "high"}},
        },
        {
            "mark": {"type": "point", "filled": True, "opacity": 1, "color": PALETTE["main"]},
            "encoding": across | {"y": up | {"field": "observed"}, "size": size} | hover,
        },
    ]
    return spec("reliability", language, rows=rows, height=WIDTH // 2, width=WIDTH // 2 + 80, layer=layer)
