"""A Vega-Lite spec drawn to bytes, with no network and no browser."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

from silian.errors import ArgumentError, ReportError

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION: Final = "6.4"  # of Vega-Lite in vl-convert; fixed, so that an upgrade is seen in the tests
SCALE: Final = 2  # pixels per unit of length of a PNG, for sharp print
IDS: Final = re.compile(r'\bid="([a-z_]+\d+)"')
NUMBERED: Final = re.compile(r"\d+$")
REFERENCES: Final = re.compile(r"""(\bid="|url\(#|href="#)([a-z_]+\d+)(["')])""")
NOWHERE: Final = ["https://nowhere.invalid/"]  # the only address that a spec may load: no spec loads anything


def render(spec: Mapping[str, Any], form: Literal["svg", "png"] = "svg") -> bytes:
    """Draw one chart.

    Parameters
    ----------
    spec : a Vega-Lite spec that carries its own rows; addresses in it are never fetched
    form : svg or png

    Returns
    -------
    The picture; the same spec gives the same bytes on the same machine (fonts are the machine's).

    Raises
    ------
    ArgumentError : argument.value if the form is another
    ReportError : report.draw if the spec cannot be drawn

    Examples
    --------
    >>> bar = {"data": {"values": [{"n": 3}]}, "mark": "bar", "encoding": {"x": {"field": "n", "type": "quantitative"}}}
    >>> render(bar)[:4]
    b'<svg'
    """
    import vl_convert

    if form not in ("svg", "png"):
        raise ArgumentError("argument.value", name="form", found=repr(form), wanted="'svg' or 'png'")
    if _names_outside(spec):
        raise ReportError("report.draw", form=form, found="it names outside data (data.url)")
    try:
        svg = _svg(json.dumps(spec, ensure_ascii=False))
        return svg.encode() if form == "svg" else bytes(vl_convert.svg_to_png(svg, scale=SCALE))
    except ValueError as error:
        raise ReportError("report.draw", form=form, found=str(error).splitlines()[0]) from error


@lru_cache(maxsize=2)  # a chart is asked for as SVG and then as PNG
def _svg(text: str) -> str:
    import vl_convert

    drawn = str(vl_convert.vegalite_to_svg(text, vl_version=VERSION, allowed_base_urls=NOWHERE))
    return _numbered_anew(drawn)


def _numbered_anew(svg: str) -> str:
    """Ids counted from 0 in each picture: Vega counts on through all pictures of a process."""
    ids = {name: f"{NUMBERED.sub('', name)}{i}" for i, name in enumerate(dict.fromkeys(IDS.findall(svg)))}
    return REFERENCES.sub(lambda found: found[1] + ids.get(found[2], found[2]) + found[3], svg)


def _names_outside(part: object) -> bool:
    """Whether any data of a spec stands elsewhere."""
    if isinstance(part, dict):
        data = part.get("data")
        return (isinstance(data, dict) and "url" in data) or any(_names_outside(v) for v in part.values())
    return isinstance(part, list) and any(_names_outside(v) for v in part)
