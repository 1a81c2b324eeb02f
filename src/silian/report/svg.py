"""Pictures as SVG text: shapes carry classes, a style sheet gives colours, so one drawing is right light and dark.

What a picture shows is placed before (rows of a table, `chain_map.graph_rows`, shapes of districts); here it becomes
marks with their names. Every text is escaped: names come from files of users. A mark with an address is a link, which
the keyboard reaches; what it says is also its title.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

WIDTH: Final = 560  # units of a picture; a unit is a pixel where there is room
BAR: Final = 30  # units of a row of bars
TEXT: Final = 13  # size of letters
MANY: Final = 12  # districts, from which on their names are smaller
SHADES: Final = 5  # steps of a colour scale
STYLE: Final = """
.p-text{fill:#1d2730;font:13px "Noto Sans CJK SC","Source Han Sans SC","PingFang SC","Microsoft YaHei",sans-serif}
.p-quiet{fill:#56626e}.p-end{text-anchor:end}.p-middle{text-anchor:middle}.p-on{fill:#fff}.p-small{font-size:11px}.p-large{font-size:22px}.p-middling{font-size:15px}
.p-bar{fill:#14607a}.p-wide{fill:#dde3e7}.p-line{fill:none;stroke:#14607a;stroke-width:2}.p-axis{stroke:#dde3e7}
.p-dot{fill:#14607a}.p-here{fill:#b5382a}.p-box{fill:#fff;stroke-width:1.5}.p-cell{fill:#f1f3f4}
.p-edge{fill:none;stroke-width:1.2;opacity:.5}.p-shape{stroke:#fff;stroke-width:1.5}.p-bold{font-weight:600}
.p-made{stroke:#14607a;fill:#14607a}.p-single{stroke:#14607a;fill:#7fb0c2}.p-break{stroke:#b5382a;fill:#b5382a}
.p-blank{stroke:#7d4f0b;fill:#c98f2e}.p-outflow{stroke:#17694a;fill:#17694a}.p-other{stroke:#8796a3;fill:#c3ccd3}
.p-box.p-made,.p-box.p-single,.p-box.p-break,.p-box.p-blank,.p-box.p-outflow,.p-box.p-other{fill:#fff}
.p-edge.p-made,.p-edge.p-single,.p-edge.p-break,.p-edge.p-blank,.p-edge.p-outflow,.p-edge.p-other{fill:none}
.p-0{fill:#e4eff3}.p-1{fill:#b3d3de}.p-2{fill:#72abc0}.p-3{fill:#357f99}.p-4{fill:#14607a}.p-none{fill:#dde3e7}
"""


class Bar(NamedTuple):
    """A row of a picture of bars."""

    label: str
    value: float
    told: str  # the value in words
    outer: float | None = None  # a wider, paler bar behind
    href: str = ""
    state: str = "bar"  # class of its colour: bar, break, blank, outflow, single, made


class Mark(NamedTuple):
    """What a shape or a cell of a matrix says."""

    name: str
    told: str
    value: float | None = None
    href: str = ""


def framed(inner: str, *, width: float, height: float, label: str) -> str:
    """A picture with its name.

    Examples
    --------
    >>> framed("", width=10, height=5, label="<a>")
    '<svg xmlns="http://www.w3.org/2000/svg" class="picture" viewBox="0 0 10 5" width="10" height="5" role="group" \
aria-label="&lt;a&gt;"></svg>'
    """
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="picture" {size} role="group" aria-label={_quoted(label)}>'
        f"{inner}</svg>"
    )


def standalone(picture: str) -> str:
    """The same picture as a file of its own, with its colours on white and without links."""
    start = picture.index(">") + 1
    bare = re.sub(r"<a [^>]*>", "<g>", picture[start:]).replace("</a>", "</g>")
    ground = f'<style>{STYLE}</style><rect width="100%" height="100%" fill="#fff"/>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{picture[:start]}{ground}{bare}'


def bars(rows: Sequence[Bar], *, label: str) -> str:
    """Bars from the left, one a row, longest label first measured; values at their ends.

    Examples
    --------
    >>> "12 项" in bars([Bar("食品 & 饮料", 12, "12 项")], label="按领域")
    True
    """
    left = min(220.0, max((wide(row.label) for row in rows), default=0.0) + 12)
    right = max((wide(row.told) for row in rows), default=0.0) + 14
    top = max((max(row.value, row.outer or 0.0) for row in rows), default=0.0) or 1.0
    scale = (WIDTH - left - right) / top
    drawn = []
    for place, row in enumerate(rows):
        y = place * BAR
        behind = "" if row.outer is None else _rect(left, y + 6, row.outer * scale, BAR - 12, "p-wide")
        inset = 6 if row.outer is None else 10
        own = _rect(left, y + inset, row.value * scale, BAR - 2 * inset, f"p-{row.state}")
        end = left + max(row.value, row.outer or 0.0) * scale + 6
        told = _text(end, y + BAR / 2, row.told, "p-quiet")
        name = _text(left - 8, y + BAR / 2, fitted(row.label, left - 12), "p-end")
        hit = _rect(0, y, WIDTH, BAR, "p-hit") if row.href else ""
        drawn.append(_linked(f"{hit}{behind}{own}{told}{name}", row.href, f"{row.label} · {row.told}"))
    return framed("".join(drawn), width=WIDTH, height=max(BAR, len(rows) * BAR), label=label)


def matrix(down: Sequence[str], across: Sequence[str], cells: Mapping[tuple[int, int], Mark], *, label: str) -> str:
    """Cells by row and column, coloured by their value; an empty one is left white."""
    left = min(200.0, max((wide(name) for name in down), default=0.0) + 12)
    step = max(52.0, min(110.0, (WIDTH - left) / max(1, len(across))))
    top = max((mark.value or 0.0 for mark in cells.values()), default=0.0) or 1.0
    tilted = any(wide(name) > step - 6 for name in across)
    head = 74.0 if tilted else 28.0
    drawn = [_text(left - 8, head + y * BAR + BAR / 2, fitted(n, left - 12), "p-end") for y, n in enumerate(down)]
    for x, name in enumerate(across):
        at, shown = left + (x + 0.5) * step, fitted(name, 96)
        turn = f' transform="rotate(-38 {at:g} {head - 8:g})"' if tilted else ""
        anchor = "" if tilted else " p-middle"
        drawn.append(f'<text class="p-text{anchor}" x="{at:g}" y="{head - 8:g}"{turn}>{escape(shown)}</text>')
    for (y, x), mark in sorted(cells.items()):
        level = shade((mark.value or 0.0) / top)
        own = _rect(left + x * step + 1, head + y * BAR + 1, step - 2, BAR - 2, f"p-{level}")
        ink = "p-middle p-on" if level > 2 else "p-middle"
        told = _text(left + (x + 0.5) * step, head + (y + 0.5) * BAR, mark.told, ink)
        drawn.append(_linked(own + told, mark.href, f"{mark.name} · {mark.told}"))
    width = left + step * len(across) + (60 if tilted else 0)
    return framed("".join(drawn), width=width, height=head + BAR * len(down), label=label)


def curve(points: Sequence[tuple[float, float, bool, str]], *, label: str, across: str, up: str) -> str:
    """A line through points: x, y, whether the run stands here, what the point says."""
    height, left, below, above = 300.0, 70.0, 44.0, 26.0
    xs, ys = [p[0] for p in points] or [0.0], [p[1] for p in points] or [0.0]
    x_end, y_low, y_high = max(*xs, 1e-9), min(ys), max(ys)
    spread = (y_high - y_low) or max(abs(y_high), 1e-9) * 0.1
    y_low, y_high = y_low - 0.1 * spread, y_high + 0.1 * spread

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            left + (WIDTH - left - 30) * x / x_end,
            above + (height - below - above) * (y_high - y) / (y_high - y_low),
        )

    drawn = []
    for y in (tick for tick in steps([y_low, y_high]) if y_low <= tick <= y_high):
        _, at = place(0, y)
        drawn.append(f'<line class="p-axis" x1="{left:g}" x2="{WIDTH - 20:g}" y1="{at:g}" y2="{at:g}"/>')
        drawn.append(_text(left - 8, at, f"{y:g}", "p-end p-quiet"))
    drawn += [
        _text(place(x, y_low)[0], height - below + 16, f"{x:g}", "p-middle p-quiet")
        for x in steps([0.0, x_end])
        if x <= x_end
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(p[0], p[1]) for p in points))
    drawn.append(f'<polyline class="p-line" points="{line}"/>')
    for x, y, is_here, told in points:
        at_x, at_y = place(x, y)
        kind, size = ("p-here", 7) if is_here else ("p-dot", 4)
        dot = f'<circle class="{kind}" cx="{at_x:.1f}" cy="{at_y:.1f}" r="{size}"/>'
        drawn.append(_linked(dot, "", told))
    drawn.append(_text((left + WIDTH) / 2, height - 8, across, "p-middle p-quiet"))
    drawn.append(_text(4, 12, up, "p-quiet"))
    return framed("".join(drawn), width=WIDTH, height=height, label=label)


def shapes(
    drawn: Mapping[str, Any], marks: Mapping[str, Mark], *, label: str,
    told: Callable[[float], str] = "{:g}".format, least: float = 0.0,
) -> str:  # fmt: skip
    """Districts as shapes, coloured by their value, with the key of the colours; those without a value are grey.

    Parameters
    ----------
    drawn : width, height, shapes (id → d of a path, digits and M L Z alone), labels (id → x, y)
    told : a value in words, for the key
    least : the finest difference that the words can tell
    """
    known = [mark.value for mark in marks.values() if mark.value is not None and math.isfinite(mark.value)]
    limits = steps(known, least=least)
    own, names = [], []
    size = "p-large" if len(drawn["shapes"]) <= MANY else "p-middling"
    for one, path in drawn["shapes"].items():
        mark = marks.get(one, Mark(one, "–"))
        level = "none" if mark.value is None else str(step_of(mark.value, limits))
        shape = f'<path class="p-shape p-{level}" d={_quoted(path)}/>'
        own.append(_linked(shape, mark.href, f"{mark.name} · {mark.told}"))
        x, y = drawn["labels"][one]
        ink = f"p-middle {size} p-on" if level in ("3", "4") else f"p-middle {size}"
        names.append(_text(x, y - 18, fitted(mark.name, 320, size=22), ink) + _text(x, y + 20, mark.told, ink))
    inner = "".join(own) + f'<g class="p-names" aria-hidden="true">{"".join(names)}</g>'
    ends = [*limits[:-1], max(known)] if known else []
    key, deep = _key(ends, told, least=least, width=drawn["width"], top=drawn["height"])
    return framed(inner + key, width=drawn["width"], height=drawn["height"] + deep, label=label)


def _key(
    limits: Sequence[float], told: Callable[[float], str], *, least: float, width: float, top: float
) -> tuple[str, float]:
    """The key of a colour scale in rows below a picture, and how high they are; nothing where there is one colour."""
    row, size = 56.0, 34  # of letters on a phone, where they are largest
    x, y, drawn = 0.0, top + 24, []
    for place, (low, high) in enumerate(pairwise(limits)):
        is_last = place == len(limits) - 2
        end = high - least if least >= 1 and not is_last else high  # counts: 10–19, not 10–20
        words = told(low) if end <= low else f"{told(low)}–{told(end)}"
        room = 80 + 1.25 * wide(words, size)  # signs such as % are wider than letters
        if x and x + room > width:
            x, y = 0.0, y + row
        shaded = shade_of(place, len(limits) - 1)
        drawn.append(_rect(x, y, 40, 30, f"p-{shaded}") + _text(x + 50, y + 15, words, "p-large p-quiet"))
        x += room
    if len(drawn) < 2:
        return "", 0.0
    return f'<g class="p-key">{"".join(drawn)}</g>', y + row - top


def segments(
    cells: Sequence[Mapping[str, Any]], parts: Sequence[Mapping[str, Any]], words: Mapping[str, str],
    href: Mapping[str, str], *, label: str,
) -> str:  # fmt: skip
    """Chains as rows of segments from upstream to downstream: a bar of what is made, counts of what is lacking.

    Parameters
    ----------
    cells, parts : what `chain_map.segment_rows` places
    words : the names of the states by their code, and "" for what is not stated
    href : chain → address of its graph
    """
    left, step, row = 150.0, 170.0, 64.0
    drawn = []
    of_row: dict[Any, list[Mapping[str, Any]]] = {}
    for part in parts:
        of_row.setdefault(part["y"], []).append(part)
    for cell in cells:
        x, y = left + cell["x"] * step, cell["y"] * row
        width = 0.94 * step
        inner = _rect(x, y + 3, width, row - 8, "p-cell")
        inner += _text(x + 8, y + 17, fitted(cell["segment_id"] or words[""], width - 14), "p-bold")
        inner += _text(x + 8, y + 50, cell["marks"] or "", "p-small")
        inner += _text(x + width - 8, y + 50, f"{cell['products']:,}", "p-end p-quiet p-small")
        for part in (p for p in of_row.get(cell["y"], ()) if cell["x"] <= p["x"] < cell["x2"]):
            start, end = left + part["x"] * step, left + part["x2"] * step
            inner += _rect(start, y + 29, end - start, 9, f"p-{part['code']}")
        counted = ", ".join(f"{words[s]} {cell[s]}" for s in words if s and cell.get(s))
        told = f"{cell['chain_id'] or words['']} · {cell['segment_id'] or words['']} · {counted}"
        drawn.append(_linked(inner, href.get(cell["chain_id"], ""), told))
        if cell["first"]:
            name = fitted(cell["chain_id"] or words[""], left - 16)
            drawn.append(_text(left - 12, y + 22, name, "p-end p-bold"))
    columns = max((cell["x2"] for cell in cells), default=1.0)
    rows = max((cell["y"] for cell in cells), default=0) + 1
    return framed("".join(drawn), width=left + columns * step + 8, height=rows * row, label=label)


def graph(
    boxes: Sequence[Mapping[str, Any]], curves: Sequence[Mapping[str, Any]], names: Mapping[str, str],
    words: Mapping[str, str], href: Mapping[str, str], *, label: str,
) -> str:  # fmt: skip
    """Products of a chain from raw materials to what is made of them.

    Parameters
    ----------
    boxes : what `chain_map.graph_rows` places: product_id, code (state), sign, makers, x, x2, y, y2
    curves : touches (state), points (four, from box to box)
    names, href : product → what it is called, where it leads
    words : the names of the states by their code
    """
    step, row = 190.0, 36.0
    low = min((b["y"] for b in boxes), default=0.0)

    def at(x: float, y: float) -> tuple[float, float]:
        return 6 + x * step, 6 + (y - low) * row

    drawn = []
    for one in curves:
        a, b, c, d = (at(*point) for point in one["points"])
        path = f"M{a[0]:.1f} {a[1]:.1f}C{b[0]:.1f} {b[1]:.1f} {c[0]:.1f} {c[1]:.1f} {d[0]:.1f} {d[1]:.1f}"
        drawn.append(f'<path class="p-edge p-{one["touches"]}" d="{path}"/>')
    for box in boxes:
        (x, y), (x2, y2) = at(box["x"], box["y"]), at(box["x2"], box["y2"])
        name = names.get(box["product_id"], box["product_id"])
        inner = f'<rect class="p-box p-{box["code"]}" x="{x:.1f}" y="{y:.1f}" width="{x2 - x:.1f}" '
        inner += f'height="{y2 - y:.1f}" rx="4"/>'
        inner += _text(x + 8, (y + y2) / 2, box["sign"], "p-bold")
        inner += _text(x + 24, (y + y2) / 2, fitted(name, x2 - x - 30), "")
        told = f"{name} · {words[box['code']]} ({box['makers']})"
        drawn.append(_linked(inner, href.get(box["product_id"], ""), told))
    width, height = (max((b[k] for b in boxes), default=1.0) for k in ("x2", "y2"))
    return framed("".join(drawn), width=12 + width * step, height=12 + (height - low) * row, label=label)


def steps(values: Sequence[float], *, least: float = 0.0) -> list[float]:
    """Where the steps of a colour scale over some values begin, and where the last one ends: round numbers.

    Examples
    --------
    >>> steps([0.94, 0.96, 1.0], least=0.01), steps([3, 41], least=1), steps([2, 2]), steps([])
    ([0.94, 0.96, 0.98, 1.0, 1.02], [0.0, 10.0, 20.0, 30.0, 40.0, 50.0], [2.0, 3.0], [])
    """
    if not values:
        return []
    low, high = min(values), max(values)
    if high - low <= 1e-12 * max(abs(high), 1.0):
        return [float(low), float(low) + 1.0]
    power = math.floor(math.log10((high - low) / SHADES))
    for step in (times * 10.0**more for more in range(power, power + 3) for times in (1, 2, 5)):
        first = math.floor(low / step + 1e-9)
        count = math.floor(high / step + 1e-9) - first + 1
        if count <= SHADES and step >= least:
            break
    return [round((first + place) * step, 10) for place in range(count + 1)]


def step_of(value: float, limits: Sequence[float]) -> int:
    """The colour of a value on a scale of `steps`.

    Examples
    --------
    >>> [step_of(value, [0.94, 0.96, 0.98, 1.0, 1.02]) for value in (0.94, 0.96, 1.0)], step_of(2.0, [2.0, 3.0])
    ([0, 1, 4], 2)
    """
    return shade_of(max(0, bisect_right(limits, value + 1e-9) - 1), len(limits) - 1)


def shade_of(place: int, count: int) -> int:
    """The shade of a step among some: the palest to the deepest; the middle one where there is one alone."""
    return SHADES // 2 if count < 2 else round(min(place, count - 1) * (SHADES - 1) / (count - 1))


def shade(share: float) -> int:
    """The step of the colour scale of a share of the largest value.

    Examples
    --------
    >>> [shade(share) for share in (0.0, 0.19, 0.2, 1.0, 2.0)], shade(float("nan"))
    ([0, 0, 1, 4, 4], 0)
    """
    return 0 if math.isnan(share) else min(SHADES - 1, max(0, int(share * SHADES + 1e-9)))


def wide(text: str, size: float = TEXT) -> float:
    """About how wide a text is: a Chinese character is as wide as it is high, a Latin one a good half.

    Examples
    --------
    >>> wide("电池"), wide("ab") < wide("电池")
    (26, True)
    """
    return sum(size if ord(sign) > 0x2E7F else size * 0.58 for sign in text)


def fitted(text: str, width: float, size: float = TEXT) -> str:
    r"""A text cut to a width, with a mark where it was cut; signs that are none or turn the direction are left out.

    Examples
    --------
    >>> fitted("新能源汽车动力电池", 60), fitted("a\u202eb", 60)
    ('新能源…', 'ab')
    """
    clean = "".join(sign for sign in text if sign.isprintable())
    if wide(clean, size) <= width:
        return clean
    kept, used = [], size  # room for the mark
    for sign in clean:
        used += wide(sign, size)
        if used > width:
            break
        kept.append(sign)
    return "".join(kept) + "…"


def _rect(x: float, y: float, width: float, height: float, kind: str) -> str:
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{max(0.0, width):.1f}" height="{height:.1f}" rx="3"/>'


def _text(x: float, y: float, text: str, kind: str) -> str:
    shown = escape(_printable(text))
    return f'<text class="p-text {kind}" x="{x:.1f}" y="{y:.1f}" dominant-baseline="central">{shown}</text>'


def _linked(inner: str, href: str, told: str) -> str:
    title = f"<title>{escape(_printable(told))}</title>"
    if not href:
        return f"<g>{title}{inner}</g>"
    return f"<a href={_quoted(href)} aria-label={_quoted(_printable(told))}>{title}{inner}</a>"


def _printable(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable())


def _quoted(text: str) -> str:
    return quoteattr(_printable(text))
