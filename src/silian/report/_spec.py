"""What every picture shares: colours, type, axes and the frame of a Vega-Lite spec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from silian.report._words import FONT, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from silian.tables.schema import Language

SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"
WIDTH: Final = 720  # px of a picture on its own; the page stretches it to its column
BAR: Final = 24  # px of a row of bars

# Told apart under the common kinds of colour blindness, and at least 3:1 against white (grid and pale are no data).
PALETTE: Final[Mapping[str, str]] = {
    "main": "#1f6f8b",
    "second": "#c8641b",
    "neutral": "#8796a3",
    "break": "#b5382a",
    "blank": "#b7791f",
    "outflow": "#6a4fa3",
    "single": "#4a98b0",
    "ink": "#1d2730",
    "muted": "#56626e",
    "grid": "#dde3e7",
    "paper": "#ffffff",
    "pale": "#eef2f4",
}
RAMP: Final = ("#e6f0f3", "#a9cdd8", "#5fa3b7", "#1f6f8c", "#0f4a60")  # of counts and shares, low to high

Spec = dict[str, Any]


def spec(
    name: str,
    language: Language,
    *,
    height: int,
    rows: list[dict[str, Any]] | None = None,
    sets: Mapping[str, Any] | None = None,
    width: int = WIDTH,
    **body: Any,
) -> Spec:
    title, note = say(f"chart.{name}", language), say(f"chart.{name}.note", language)
    return {
        "$schema": SCHEMA,
        "title": {"text": title, "subtitle": note},
        "description": f"{title}. {note}",
        "width": width,
        "height": height,
        "datasets": {"rows": rows} if sets is None else dict(sets),
        **({"data": {"name": "rows"}} if sets is None else {}),
        **body,
        "config": config(),
    }


def config() -> dict[str, Any]:
    text = {
        "labelColor": PALETTE["muted"],
        "titleColor": PALETTE["muted"],
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": 400,
    }
    quiet = {"domainColor": PALETTE["grid"], "tickColor": PALETTE["grid"], "gridColor": PALETTE["grid"]}
    return {
        "font": FONT,
        "background": PALETTE["paper"],
        "title": {
            "anchor": "start",
            "fontSize": 16,
            "fontWeight": 600,
            "color": PALETTE["ink"],
            "subtitleColor": PALETTE["muted"],
            "subtitleFontSize": 12,
            "subtitlePadding": 4,
            "offset": 14,
        },
        "axis": text | quiet | {"labelLimit": 220, "titlePadding": 8},
        "legend": text
        | {
            "orient": "top",
            "direction": "horizontal",
            "title": None,
            "symbolType": "square",
            "offset": 8,
            "labelLimit": 320,
        },
        "view": {"stroke": None},
        "text": {"fontSize": 12, "color": PALETTE["ink"]},
        "bar": {"cornerRadiusEnd": 2},
    }


def bars(row: str, value: str, order: Sequence[str], title: str, *, whole: bool = True) -> dict[str, Any]:
    axis = {"ticks": False, "domain": False, "labelPadding": 8, "labelLimit": 240}
    scale = {"paddingInner": 0.32, "paddingOuter": 0.16}
    length = (
        count(value, title)
        if whole
        else {"field": value, "type": "quantitative", "title": title, "axis": {"format": ".2f"}}
    )
    return {
        "y": {"field": row, "type": "nominal", "sort": list(order), "title": None, "axis": axis, "scale": scale},
        "x": length,
    }


def count(field: str, title: str) -> dict[str, Any]:
    # a count has no halves; tickMinStep alone lets them through where the largest is 2
    return {
        "field": field,
        "type": "quantitative",
        "title": title,
        "axis": {
            "format": ",d",
            "tickMinStep": 1,
            "labelExpr": "datum.value % 1 ? '' : datum.label",
            "tickCount": 6,
            "labelFlush": False,
            "domain": False,
            "ticks": False,
        },
    }


def colour(field: str, domain: list[str], colours: list[str]) -> dict[str, Any]:
    return {"field": field, "type": "nominal", "scale": {"domain": domain, "range": colours}, "title": None}


def totals(values: list[dict[str, Any]], bars: dict[str, Any], field: str) -> dict[str, Any]:
    text = {"text": {"field": field, "type": "quantitative", "format": ","}}
    mark = {"type": "text", "align": "left", "dx": 5, "color": PALETTE["muted"]}
    return {"data": {"values": values}, "mark": mark, "encoding": {"y": bars["y"], "x": bars["x"]} | text}


def tips(*fields: str, language: Language) -> dict[str, Any]:
    return {"tooltip": [{"field": f, "title": say(f"tip.{f}", language)} for f in fields]}
