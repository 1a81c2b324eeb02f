"""The product space and the matrix of places and activities as SVG, in light and dark."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from silian.report._words import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from silian.tables.schema import Language

WIDTH: Final = 1080  # px
HEIGHT: Final = 720  # px of a space of many nodes
EDGE: Final = 56  # px left free around it
SWEEPS: Final = 60  # of pushing circles apart
CLASSES: Final = 5  # of PCI, and of shares
NAMED: Final = 45  # columns of a matrix that can be named
WIDE: Final = 26  # letters of a name, a Chinese one counted twice
CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")  # XML cannot hold them


@dataclass(frozen=True, slots=True)
class Names:
    """Readable names by id; an id that has none stands for itself."""

    place: Mapping[str, str]
    activity: Mapping[str, str]
    language: Language

    def of_place(self, key: str) -> str:
        """The name of a place."""
        return self.place.get(key, key)

    def of_activity(self, key: str) -> str:
        """The name of an activity."""
        return self.activity.get(key, key)

    def node(self, row: Mapping[str, Any]) -> str:
        """The name of a node: its activity, and how many it stands for."""
        name = self.of_activity(row["activity"])
        return name if row["activities"] == 1 else say("space.label", self.language, name=name, count=row["activities"])

    def span(self, first: str, last: str, count: int) -> str:
        """The names of a bin: its first and its last, and how many."""
        return first if count == 1 else say("space.range", self.language, first=first, last=last, count=count)


def text(value: str) -> str:
    """A name as it may stand in HTML and in SVG."""
    return html.escape(CONTROL.sub(" ", value), quote=True)


def cut(name: str, most: int = WIDE) -> str:
    """A name cut to a width; Chinese letters are twice as wide.

    Examples
    --------
    >>> cut("集成电路制造设备", 9), cut("steel", 9)
    ('集成电路…', 'steel')
    """
    if _wide(name) <= most:
        return name
    kept = ""
    for letter in name:
        if _wide(kept + letter) >= most:
            break
        kept += letter
    return kept.rstrip() + "…"


def space_svg(nodes: pl.DataFrame, links: pl.DataFrame, names: Names, *, alone: bool = True) -> str:
    """The product space.

    Parameters
    ----------
    nodes, links : `space_nodes` and `space_links`
    names : of the activities
    alone : whether the picture carries its colours with it, or stands in a page that has them
    """
    rows = nodes.to_dicts()
    height = HEIGHT if len(rows) > 15 else 420
    sizes, grades = _sizes(nodes), _classes(nodes["pci"])
    at = _apart(nodes.select("x", "y").to_numpy(), sizes, height)
    number = {r["node"]: k for k, r in enumerate(rows)}
    lines = []
    for a, b, is_tree in reversed(links.select("node", "other_node", "is_tree").rows()):
        (x1, y1), (x2, y2) = at[number[a]], at[number[b]]
        lines.append(
            f'<line class="{"r" if is_tree else "w"}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
        )
    lines.sort(key=lambda line: 'class="r"' in line)
    circles = [_circle(r, (at[k, 0], at[k, 1]), sizes[k], grades[k], names) for k, r in enumerate(rows)]
    legend = _legend(height, names.language, has_here=bool(nodes["here"].count()), lacks=0 in grades)
    return _framed(height + 34, say("space.space", names.language), alone, [
        *lines, *circles, *_labels(rows, at, sizes, names), *legend,
    ])  # fmt: skip


def matrix_svg(cells: pl.DataFrame, names: Names, *, alone: bool = True) -> str:
    """The matrix of `space_cells`: places down, activities across."""
    rows, columns = int(cells["row"].max() or 0), int(cells["column"].max() or 0)  # type: ignore[arg-type]
    is_named = columns <= NAMED
    left, top = 200, (130 if is_named else 30)
    wide = min(26.0, (WIDTH - left - 60) / max(columns, 1))
    tall = 18.0 if rows <= 30 else 15.0
    drawn = [f'<rect class="s" x="{left}" y="{top}" width="{wide * columns:.1f}" height="{tall * rows:.1f}"/>']
    of_rows: dict[int, dict[str, Any]] = {}
    for cell in cells.iter_rows(named=True):
        head = of_rows.setdefault(cell["row"], {"present": 0, "cell": cell})
        head["present"] += cell["present"]
        if cell["present"]:
            drawn.append(_cell(cell, names, (left, top), (wide, tall)))
        if is_named and cell["row"] == 1:
            x = left + (cell["column"] - 0.35) * wide
            name = text(cut(_columns(cell, names), 20))
            drawn.append(f'<text transform="translate({x:.1f} {top - 6}) rotate(-52)">{name}</text>')
    for row, head in of_rows.items():
        y = top + (row - 0.5) * tall + 4
        drawn.append(f'<text class="e" x="{left - 8}" y="{y:.1f}">{text(cut(_rows(head["cell"], names)))}</text>')
        drawn.append(f'<text class="m" x="{left + wide * columns + 6:.1f}" y="{y:.1f}">{head["present"]:,}</text>')
    if not is_named:
        drawn.append(f'<text class="m" x="{left}" y="{top - 10}">{say("space.more_columns", names.language)}</text>')
    bottom = int(top + tall * rows)
    if cells.select((pl.col("places") * pl.col("activities")).max()).item() not in (None, 1):
        words = [f"≤{100 * k // CLASSES}%" for k in range(1, CLASSES + 1)]
        drawn += _keys(left, bottom + 24, say("space.share", names.language), words)
    return _framed(bottom + 44, say("space.matrix", names.language), alone, drawn)


def _framed(height: int, title: str, alone: bool, parts: Iterable[str]) -> str:  # noqa: FBT001 - one word of a frame
    style = files("silian.report.page").joinpath("space.css").read_text(encoding="utf-8") if alone else ""
    ground = f'<style>{style}</style><rect class="k" width="{WIDTH}" height="{height}"/>' if alone else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{text(title)}">'
        f"<title>{text(title)}</title>{ground}{''.join(parts)}</svg>"
    )


def _circle(row: Mapping[str, Any], at: tuple[float, float], size: float, grade: int, names: Names) -> str:
    x, y = at
    said = [names.node(row), f"PCI {row['pci']:.2f}" if row["pci"] is not None else say("space.no_pci", names.language)]
    ring = ""
    if row["here"]:
        share = 100 * row["here"] / row["activities"]
        said.append(say("space.of", names.language, present=row["here"], all=row["activities"]))
        ring = (
            f'<circle class="h" r="{size + 2:.1f}" pathLength="100" stroke-dasharray="{share:.1f} 100" '
            'transform="rotate(-90)"/>'
        )
    return (
        f'<g transform="translate({x:.1f} {y:.1f})"><title>{text(" · ".join(said))}</title>'
        f'<circle class="o c{grade}" r="{size:.1f}"/>{ring}</g>'
    )


def _sizes(nodes: pl.DataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Radii in px: areas go with the activities of a node, else with amounts, else with ubiquity."""
    if nodes["activities"].max() != 1:
        by, least, most = "activities", 8.0, 24.0
    else:
        by, least, most = "amount" if nodes["amount"].count() else "ubiquity", 4.0, 16.0
    value = nodes[by].cast(pl.Float64).fill_null(0.0).to_numpy()
    return np.asarray(least + (most - least) * np.sqrt(value / max(float(value.max(initial=0.0)), 1e-300)))


def _classes(pci: pl.Series) -> list[int]:
    """1 to 5 by fifths of the nodes that have a PCI, 0 without; equal values are of one class."""
    rank, known = pci.rank("min").to_list(), pci.count()
    return [0 if r is None else min(CLASSES, int((r - 1) * CLASSES / known) + 1) for r in rank]


def _apart(
    at: np.ndarray[Any, np.dtype[np.float64]], sizes: np.ndarray[Any, np.dtype[np.float64]], height: int
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Places in px, circles pushed apart until none lies on another, as far as the sweeps reach."""
    wide, high = WIDTH - 2 * EDGE, height - 2 * EDGE
    points = EDGE + at * (wide, high) if len(at) > 1 else np.array([[WIDTH / 2, height / 2]] * len(at))
    wanted = sizes[:, None] + sizes[None, :] + 9.0
    np.fill_diagonal(wanted, 0.0)
    turn = np.arange(len(at)) * 2.399963  # circles on one point part in all directions
    points = points + 0.01 * np.column_stack([np.cos(turn), np.sin(turn)])
    for _ in range(SWEEPS):
        gap = points[:, None, :] - points[None, :, :]
        length = np.sqrt((gap**2).sum(axis=2))
        push = np.divide(np.maximum(wanted - length, 0.0), length, out=np.zeros_like(length), where=length > 0)
        points = points + 0.3 * (gap * push[:, :, None]).sum(axis=1)
        points = np.clip(points, (EDGE / 2, EDGE / 2), (WIDTH - EDGE / 2, height - EDGE / 2))
    return points


def _labels(rows: Sequence[Mapping[str, Any]], at: Any, sizes: Any, names: Names) -> list[str]:
    """Names of the nodes, the largest first; one that would lie on a name or a circle is left to the table."""
    taken = [(x - s, y - s, x + s, y + s) for (x, y), s in zip(at.tolist(), sizes.tolist(), strict=True)]
    circles, said = len(taken), []
    for k in sorted(range(len(rows)), key=lambda i: (-sizes[i], rows[i]["node"])):
        name = cut(names.of_activity(rows[k]["activity"]), 18)
        if rows[k]["activities"] > 1:
            name = say("space.label", names.language, name=name, count=rows[k]["activities"])
        half = 3.4 * _wide(name)
        x, y = min(max(at[k][0], half + 4), WIDTH - half - 4), at[k][1]  # no name is cut off at the edge
        for drop in (sizes[k] + 14, -sizes[k] - 6):
            box = (x - half, y + drop - 11, x + half, y + drop + 3)
            others = (t for i, t in enumerate(taken) if i >= circles or i != k)
            if not any(_touch(box, t) for t in others):
                taken.append(box)
                said.append(f'<text class="n halo" x="{x:.1f}" y="{y + drop:.1f}">{text(name)}</text>')
                break
    return said


def _touch(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _legend(height: int, language: Language, *, has_here: bool, lacks: bool) -> list[str]:
    y = height + 12
    drawn = _keys(EDGE, y, say("space.pci", language), [""] * CLASSES)
    x = EDGE + 420
    if lacks:
        drawn.append(f'<circle class="o c0" cx="{x}" cy="{y}" r="7"/>')
        drawn.append(f'<text class="m" x="{x + 14}" y="{y + 4}">{say("space.no_pci", language)}</text>')
        x += 150
    if has_here:
        drawn.append(f'<circle class="h" cx="{x}" cy="{y}" r="7"/>')
        drawn.append(f'<text class="m" x="{x + 14}" y="{y + 4}">{say("space.here", language)}</text>')
    return drawn


def _keys(x: int, y: int, title: str, words: Sequence[str]) -> list[str]:
    drawn = [f'<text class="m" x="{x}" y="{y + 4}">{text(title)}</text>']
    start, step = x + int(6.6 * _wide(title)) + 14, 76 if any(words) else 24
    for k, word in enumerate(words):
        drawn.append(f'<rect class="o c{k + 1}" x="{start + k * step}" y="{y - 7}" width="20" height="14"/>')
        drawn.append(f'<text class="m" x="{start + k * step + 25}" y="{y + 4}">{word}</text>' if word else "")
    return drawn


def _cell(cell: Mapping[str, Any], names: Names, corner: tuple[int, int], size: tuple[float, float]) -> str:
    whole = cell["places"] * cell["activities"]
    grade = -(-cell["present"] * CLASSES // whole) if whole > 1 else 4
    x, y = corner[0] + (cell["column"] - 1) * size[0], corner[1] + (cell["row"] - 1) * size[1]
    said = f"{_rows(cell, names)} × {_columns(cell, names)}"
    if whole > 1:
        said += f": {say('space.of', names.language, present=cell['present'], all=whole)}"
    return (
        f'<rect class="c{grade}" x="{x:.1f}" y="{y:.1f}" width="{size[0] - 0.8:.1f}" height="{size[1] - 0.8:.1f}">'
        f"<title>{text(said)}</title></rect>"
    )


def _rows(cell: Mapping[str, Any], names: Names) -> str:
    return names.span(names.of_place(cell["first_place"]), names.of_place(cell["last_place"]), cell["places"])


def _columns(cell: Mapping[str, Any], names: Names) -> str:
    ends = names.of_activity(cell["first_activity"]), names.of_activity(cell["last_activity"])
    return names.span(*ends, cell["activities"])


def _wide(name: str) -> int:
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in name)
