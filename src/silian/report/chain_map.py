"""The chain map: products from raw materials on the left to what is made of them on the right, gaps marked.

Up to MAX_NODES products are named one by one; a larger graph is shown by chain and segment, and the page opens each
chain as a graph of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from silian.report import chain_layout, views
from silian.report._spec import PALETTE, Spec, colour, spec, tips
from silian.report._words import names, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from silian.tables.schema import Language

MAX_NODES: Final = 48  # products that a picture can name one by one
MAX_CHAINS: Final = 30  # chains of a map of segments: those with most gaps
COLUMNS: Final = 7  # segments side by side; a longer chain goes on in the next row
COLOURS: Final[Mapping[str, str]] = {
    "made": PALETTE["main"],
    "single": PALETTE["single"],
    "break": PALETTE["break"],
    "blank": PALETTE["blank"],
    "outflow": PALETTE["outflow"],
    "other": PALETTE["neutral"],
}
SIGNS: Final[Mapping[str, str]] = {  # for eyes that miss colours
    "made": "●", "single": "◐", "break": "×", "blank": "○", "outflow": "→", "other": "·",
}  # fmt: skip
ROW: Final = 30  # px of a row of products
SEGMENT_ROW: Final = 58  # px of a row of segments
BOX: Final = (0.78, 0.68)  # share of a cell that a product's box fills, across and down


def chain_map(
    products: pl.DataFrame,
    makes: pl.DataFrame,
    product_links: pl.DataFrame,
    gaps: pl.DataFrame,
    *,
    language: Language = "zh",
) -> Spec:
    """Map of the industrial chains: what is made here, where a chain breaks, what is blank.

    Parameters
    ----------
    products : product_id, name, chain, segment
    makes : org_id, product_id
    product_links : upstream_id, downstream_id, kind; kinds of a product are not drawn, but count as made here
    gaps : product_id, kind, rank
    language : zh or en

    Returns
    -------
    A spec with the datasets nodes and edges (up to MAX_NODES products), else cells and parts (segments).
    """
    states, links = views.product_states(products, makes, product_links, gaps), views.inputs(product_links)
    if states.height <= MAX_NODES:
        nodes, edges = graph_rows(states, links, names(products, language), language=language)
        return graph_spec(nodes, edges, language=language)
    return _segments_spec(views.segments(states, chain_layout.depths(links, states=states)), language=language)


def graph_rows(
    states: pl.DataFrame, inputs: pl.DataFrame, shown: Mapping[str, str], *, language: Language
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The boxes and the curves of a graph of products, in units of columns and rows."""
    nodes, links, _ = chain_layout.graph(states, inputs, most=MAX_NODES)
    across, down = BOX
    boxes = [
        {
            "product_id": r["product_id"],
            "product": shown.get(r["product_id"], r["product_id"]),
            "sign": SIGNS[r["state"]],
            "code": r["state"],
            "state": say(f"state.{r['state']}", language),
            "makers": r["makers"],
            "chain": r["chain"],
            "segment": r["segment"],
            "x": r["layer"],
            "x2": r["layer"] + across,
            "y": r["row"],
            "y2": r["row"] + down,
        }
        for r in nodes.to_dicts()
    ]
    at = {b["product_id"]: b for b in boxes}
    state = dict(nodes.select("product_id", "state").rows())
    curves = []
    for edge, (up, to) in enumerate(links.rows()):
        touched = next((s for s in views.MISSING if s in (state[up], state[to])), "other")
        left, right = at[up]["x2"], at[to]["x"]
        from_y, to_y = at[up]["y"] + down / 2, at[to]["y"] + down / 2
        middle = (left + right) / 2
        points = ((left, from_y), (middle, from_y), (middle, to_y), (right, to_y))
        ends = {"edge": edge, "touches": touched}
        curves += [ends | {"k": k, "x": round(x, 4), "y": round(y, 4)} for k, (x, y) in enumerate(points)]
    return boxes, curves


def graph_spec(nodes: Sequence[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]], *, language: Language) -> Spec:
    """The spec of a graph whose rows `graph_rows` placed."""
    columns = max((n["x"] for n in nodes), default=0) + 1
    rows = max((n["y2"] for n in nodes), default=1.0) - min((n["y"] for n in nodes), default=0.0)
    plain = {"zero": False, "nice": False}
    x = {"field": "x", "type": "quantitative", "axis": None, "scale": plain | {"padding": 4}}
    y = {"field": "y", "type": "quantitative", "axis": None, "scale": plain | {"reverse": True, "padding": 4}}
    box = {"x": x, "x2": {"field": "x2"}, "y": y, "y2": {"field": "y2"}}
    states = [say(f"state.{s}", language) for s in views.STATES]
    shade = colour("state", states, list(COLOURS.values()))
    hover = tips("product", "state", "makers", "chain", "segment", language=language)
    line: dict[str, Any] = {"type": "line", "interpolate": "basis", "strokeWidth": 1.2, "opacity": {"expr": "ink"}}
    curve: dict[str, Any] = {"x": x, "y": y, "detail": {"field": "edge"}, "order": {"field": "k"}}
    name: dict[str, Any] = {"text": {"field": "product", "type": "nominal"}, "color": {"value": PALETTE["ink"]}}
    sign: dict[str, Any] = {"text": {"field": "sign", "type": "nominal"}, "color": shade | {"legend": None}}
    start = {"type": "text", "align": "left", "baseline": "middle"}
    middle: dict[str, Any] = {"x": x, "y": {"field": "middle", "type": "quantitative", "axis": None}}
    centre = [{"calculate": "(datum.y + datum.y2) / 2", "as": "middle"}]
    layer = [
        *(
            {
                "data": {"name": "edges"},
                "transform": [{"filter": f"datum.touches === '{s}'"}],
                "mark": line | {"stroke": COLOURS[s]},
                "encoding": curve,
            }
            for s in ("other", *reversed(views.MISSING))
        ),
        {
            "data": {"name": "nodes"},
            "mark": {
                "type": "rect",
                "fill": PALETTE["paper"],
                "strokeWidth": 1.4,
                "cornerRadius": 4,
                "cursor": "pointer",
            },
            "encoding": box | {"stroke": shade} | hover,
        },
        {
            "data": {"name": "nodes"},
            "transform": centre,
            "mark": start | {"dx": 7, "fontWeight": 700},
            "encoding": middle | sign,
        },
        {
            "data": {"name": "nodes"},
            "transform": centre,
            "mark": start | {"dx": 22, "limit": {"expr": "width / columns * 0.78 - 28"}},
            "encoding": middle | name,
        },
    ]
    width, height = max(720, columns * 146), max(2, round(rows + 0.5)) * ROW
    sets = {"nodes": list(nodes), "edges": list(edges)}
    body = spec("chain_map", language, sets=sets, layer=layer, width=width, height=height)
    # the page draws other chains with the same spec: it sets the rows, these two and the height
    params = [{"name": "columns", "value": columns}, {"name": "ink", "value": edge_ink(len(edges) // 4)}]
    return body | {"params": params, "usermeta": {"min_width": columns * 136}}


def edge_ink(edges: int) -> float:
    """Opacity of a curve: the more there are, the fainter each."""
    return round(min(0.6, max(0.12, 24 / max(1, edges))), 2)


def segment_rows(table: pl.DataFrame, *, language: Language) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The cells of a map of segments and the parts of the bar in each, in units of columns and rows."""
    cells: list[dict[str, Any]] = []
    parts: list[dict[str, Any]] = []
    row = -1
    for chain in table["chain"].unique(maintain_order=True).to_list()[:MAX_CHAINS]:
        for n, r in enumerate(table.filter(chain=chain).to_dicts()):
            row += n % COLUMNS == 0
            x, width = n % COLUMNS, 0.94
            cell = {
                "chain": chain or say("not_stated", language),
                "chain_id": chain,
                "segment": r["segment"] or say("not_stated", language),
                "segment_id": r["segment"],
                "products": r["products"],
            }
            cell |= {s: r[s] for s in views.STATES}
            marks = [f"{SIGNS[s]}{r[s]:,}" for s in (*views.MISSING, "single") if r[s]]
            cells.append(cell | {"x": x, "x2": x + width, "y": row, "marks": " ".join(marks), "first": n == 0})
            start = 0.0
            for s in views.STATES:
                share = r[s] / r["products"]
                if share:
                    ends = {"x": round(x + start * width, 4), "x2": round(x + (start + share) * width, 4), "y": row}
                    parts.append(cell | ends | {"state": say(f"state.{s}", language), "code": s, "count": r[s]})
                start += share
    return cells, parts


def _segments_spec(table: pl.DataFrame, *, language: Language) -> Spec:
    cells, parts = segment_rows(table, language=language)
    rows = cells[-1]["y"] + 1
    columns = min(COLUMNS, max(c["x"] for c in cells) + 1)
    left = -0.18 * columns  # room for the names of the chains
    x = {"field": "x", "type": "quantitative", "axis": None, "scale": {"domain": [left, columns], "nice": False}}
    y_scale = {"domain": [0, rows], "nice": False, "reverse": True}

    def y(offset: float) -> dict[str, Any]:
        return {"field": f"y_{round(offset * 100)}", "type": "quantitative", "axis": None, "scale": y_scale}

    offsets = (0.06, 0.28, 0.3, 0.56, 0.76, 0.92)
    moved = [{"calculate": f"datum.y + {o}", "as": f"y_{round(o * 100)}"} for o in offsets]
    states = [say(f"state.{s}", language) for s in views.STATES]
    hover = tips("chain", "segment", "products", *views.STATES, language=language)
    text = {"type": "text", "align": "left", "baseline": "middle"}
    mark = {"type": "rect", "fill": PALETTE["pale"], "cornerRadius": 4, "cursor": "pointer"}
    ends = {"x": x, "x2": {"field": "x2"}}
    inks = [{"test": f"datum['{s}'] > 0", "value": COLOURS[s]} for s in views.MISSING]
    several = {"test": "indexof(datum.marks, ' ') > 0", "value": PALETTE["muted"]}  # the signs tell them apart
    gap_ink = {"color": {"condition": [several, *inks], "value": PALETTE["main"]}}
    # what the width of a cell leaves beside its counts, and the width left of the first column
    beside, before = f"width / {columns * 1.18:g} * 0.94 - 56", f"width * {0.18 / 1.18:.3f} - 14"
    layer = [
        {"mark": mark, "encoding": ends | {"y": y(0.06), "y2": {"field": "y_92"}} | hover},
        {
            "data": {"name": "parts"},
            "mark": {"type": "rect", "cursor": "pointer"},
            "transform": moved,
            "encoding": ends
            | {"y": y(0.56), "y2": {"field": "y_76"}, "color": colour("state", states, list(COLOURS.values()))}
            | hover,
        },
        {
            "mark": text | {"dx": 6, "limit": {"expr": beside}},
            "encoding": {"x": x, "y": y(0.3), "text": {"field": "segment"}},
        },
        {
            "mark": text | {"align": "right", "dx": -6, "fontSize": 11},
            "encoding": {"x": x | {"field": "x2"}, "y": y(0.3), "text": {"field": "marks"}} | gap_ink,
        },
        {
            "transform": [{"filter": "datum.first"}],
            "mark": text | {"align": "right", "dx": -10, "fontWeight": 600, "fontSize": 13, "limit": {"expr": before}},
            "encoding": {"x": x, "y": y(0.3), "text": {"field": "chain"}},
        },
    ]
    body = spec(
        "chain_map", language, sets={"rows": cells, "parts": parts}, layer=layer, width=960, height=rows * SEGMENT_ROW
    )
    return body | {"data": {"name": "rows"}, "transform": moved, "usermeta": {"min_width": columns * 128}}
