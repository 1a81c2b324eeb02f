"""Pictures of the monthly report, drawn for print: dark on white, values beside the bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from silian.report._spec import SCHEMA
from silian.report._words import FONT
from silian.report.render import render

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

WIDE: Final = 640
BAR: Final = 26  # high, with its gap
INK: Final = "#222222"
FILL: Final = "#7f8c9a"  # a grey that a black and white printer keeps
LONGEST: Final = 24  # letters of a name


def funnel(bars: Sequence[tuple[str, Decimal]]) -> tuple[bytes, float]:
    """Bars of counts with their names and values.

    Returns
    -------
    PNG : the same bars give the same bytes on the same machine
    height : of the picture over its width
    """
    rows = [{"at": at, "name": name[:LONGEST], "value": float(value), "text": f"{value:,}"}
            for at, (name, value) in enumerate(bars)]  # fmt: skip
    names = {"field": "at", "type": "ordinal", "axis": None}
    across = {"field": "value", "type": "quantitative", "axis": None, "scale": {"domainMin": 0}}
    text = {"font": FONT, "fontSize": 14, "color": INK}
    label = {"type": "text", "align": "right", "dx": -8, "baseline": "middle", **text}
    beside = {"type": "text", "align": "left", "dx": 6, "baseline": "middle", **text}
    spec = {
        "$schema": SCHEMA,
        "width": WIDE - 200, "height": BAR * len(rows), "padding": {"left": 120, "right": 80, "top": 4, "bottom": 4},
        "autosize": "none", "background": "white", "config": {"view": {"stroke": None}},
        "data": {"values": rows},
        "encoding": {"y": names},
        "layer": [
            {"mark": {"type": "bar", "color": FILL, "height": {"band": 0.7}}, "encoding": {"x": across}},
            {"mark": label, "encoding": {"x": {"value": 0}, "text": {"field": "name"}}},
            {"mark": beside, "encoding": {"x": across, "text": {"field": "text"}}},
        ],
    }  # fmt: skip
    return render(spec, "png"), (BAR * len(rows) + 8) / WIDE
