"""Where products stand in a picture of a chain: layers from raw materials to final products, rows within a layer."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, Final

import polars as pl

from silian.report import views

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SWEEPS: Final = 4  # passes of the crossing reduction; more no longer change small pictures
MIN_COLUMNS: Final = 5  # of the rows of products without a link


def layers(ids: Sequence[str], links: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Layer of every product: 0 for raw materials, otherwise one more than its deepest input.

    Parameters
    ----------
    ids : product ids
    links : (upstream id, downstream id); those that name other products are passed over

    Returns
    -------
    id → layer. Within products that are inputs of each other, round about, only links from a smaller id to a larger
    one count, so the result depends only on the arguments.

    Examples
    --------
    >>> layers(["ore", "steel", "gear"], [("ore", "steel"), ("steel", "gear")])
    {'ore': 0, 'steel': 1, 'gear': 2}
    """
    depth = dict.fromkeys(ids, 0)
    known = {(a, b) for a, b in links if a in depth and b in depth and a != b}
    circle = _circles(list(depth), known)
    down: dict[str, list[str]] = defaultdict(list)
    waiting = dict.fromkeys(depth, 0)
    for up, to in sorted(known):
        if circle[up] != circle[to] or up < to:
            down[up].append(to)
            waiting[to] += 1
    ready = deque(i for i in depth if waiting[i] == 0)
    while ready:
        here = ready.popleft()
        for to in down[here]:
            depth[to] = max(depth[to], depth[here] + 1)
            waiting[to] -= 1
            if waiting[to] == 0:
                ready.append(to)
    return depth


def _circles(ids: Sequence[str], links: Iterable[tuple[str, str]]) -> dict[str, int]:
    """A number for every id; two ids share it exactly if each is, round about, an input of the other."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    place = {i: k for k, i in enumerate(ids)}
    pairs = sorted(links)
    rows, columns = [place[a] for a, _ in pairs], [place[b] for _, b in pairs]
    if not ids:
        return {}
    graph = coo_array(([1] * len(pairs), (rows, columns)), shape=(len(ids), len(ids)))
    _, numbers = connected_components(graph, directed=True, connection="strong")
    return dict(zip(ids, numbers.tolist(), strict=True))


def depths(inputs: pl.DataFrame, *, states: pl.DataFrame) -> dict[str, int]:
    """Layer of every product of a segment that has an input or is one.

    Examples
    --------
    >>> links = pl.DataFrame({"upstream_id": ["ore", "ore"], "downstream_id": ["steel", "odd"]})
    >>> depths(links, states=pl.DataFrame({"product_id": ["ore", "steel", "odd"], "segment": ["raw", "part", ""]}))
    {'ore': 0, 'steel': 1}
    """
    placed = states.filter(pl.col("segment") != "")["product_id"].implode()
    inside = inputs.filter(pl.col("upstream_id").is_in(placed), pl.col("downstream_id").is_in(placed))
    links = inside.select("upstream_id", "downstream_id").rows()
    return layers(sorted({i for link in links for i in link}), links)


def layout(ids: Sequence[str], links: Sequence[tuple[str, str]]) -> dict[str, tuple[int, float]]:
    """Place of every product: (layer, row); rows are centred on 0 and ordered so that few links cross.

    Products without a link stand in rows of their own below the rest.

    Examples
    --------
    >>> layout(["a", "b", "c"], [("a", "c"), ("b", "c")])
    {'a': (0, -0.5), 'b': (0, 0.5), 'c': (1, 0.0)}
    """
    linked = {i for link in links for i in link}
    tied = [i for i in sorted(ids) if i in linked]
    depth = _drawn_near(layers(tied, links), links)
    rows: dict[int, list[str]] = defaultdict(list)
    for i in tied:
        rows[depth[i]].append(i)
    _uncross(rows, links, depth)
    places = {i: (d, k - (len(row) - 1) / 2) for d, row in rows.items() for k, i in enumerate(row)}
    columns = max(MIN_COLUMNS, len(rows))
    below = max((p[1] for p in places.values()), default=-1.0) + 1.0
    alone = [i for i in sorted(ids) if i not in linked]
    places.update({i: (k % columns, below + k // columns) for k, i in enumerate(alone)})
    return {i: places[i] for i in ids}


def _drawn_near(depth: dict[str, int], links: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Products without inputs stand just before the first that is made of them, not all at the far left."""
    nearest: dict[str, int] = {}
    has_input: set[str] = set()
    for a, b in links:
        if a in depth and b in depth and depth[a] < depth[b]:
            nearest[a] = min(nearest.get(a, depth[b]), depth[b])
            has_input.add(b)
    return {i: nearest[i] - 1 if i in nearest and i not in has_input else d for i, d in depth.items()}


def _uncross(rows: dict[int, list[str]], links: Iterable[tuple[str, str]], depth: Mapping[str, int]) -> None:
    """Order each layer by the mean row of its neighbours, forth and back."""
    up, down = _neighbours(links, depth)
    order = {i: k - (len(row) - 1) / 2 for row in rows.values() for k, i in enumerate(row)}
    for sweep in range(SWEEPS):
        side = down if sweep % 2 else up
        for layer in sorted(rows, reverse=bool(sweep % 2)):
            mean = {i: _mean([order[j] for j in side[i]], order[i]) for i in rows[layer]}
            rows[layer].sort(key=lambda i, mean=mean: (mean[i], i))  # type: ignore[misc]
            order.update({i: k - (len(rows[layer]) - 1) / 2 for k, i in enumerate(rows[layer])})


def graph(states: pl.DataFrame, inputs: pl.DataFrame, *, most: int) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """The products and links of one picture, placed.

    Parameters
    ----------
    states : product_id, state, rank (and anything more, which is kept); what `views.product_states` gives
    inputs : upstream_id, downstream_id; what `views.inputs` gives
    most : how many products the picture can hold; beyond, a third is for gaps, by rank, then come
        what neighbours them, other gaps and the rest

    Returns
    -------
    nodes (columns of states and layer, row), links (upstream_id, downstream_id; both among the nodes),
    and how many products were left out.
    """
    among = pl.Series(states["product_id"]).implode()
    inside = inputs.filter(pl.col("upstream_id").is_in(among), pl.col("downstream_id").is_in(among))
    chosen = _first(states, inside, most)
    links = [(a, b) for a, b in inside.rows() if a in chosen and b in chosen]
    kept = [i for i in states["product_id"].to_list() if i in chosen]
    places = layout(kept, links)
    nodes = states.filter(pl.col("product_id").is_in(kept)).with_columns(
        layer=pl.col("product_id").replace_strict({i: p[0] for i, p in places.items()}, return_dtype=pl.Int64),
        row=pl.col("product_id").replace_strict({i: p[1] for i, p in places.items()}, return_dtype=pl.Float64),
    )
    shown = pl.DataFrame(links, schema={"upstream_id": pl.String(), "downstream_id": pl.String()}, orient="row")
    return nodes, shown, states.height - nodes.height


def _first(states: pl.DataFrame, links: pl.DataFrame, most: int) -> set[str]:
    """The ids that fit: the first gaps, what touches most of them, then other gaps, linked products and the rest."""
    ids, state = states["product_id"].to_list(), states["state"].to_list()
    if len(ids) <= most:
        return set(ids)
    rank = dict(zip(ids, states["rank"].fill_null(len(ids)).to_list(), strict=True))
    gaps = sorted((i for i, s in zip(ids, state, strict=True) if s in views.MISSING), key=lambda i: (rank[i], i))
    linked = set(links["upstream_id"]) | set(links["downstream_id"])
    first = set([i for i in gaps if i in linked][: most // 3])
    touches: dict[str, int] = dict.fromkeys(ids, 0)
    for a, b in links.rows():
        touches[a] += b in first
        touches[b] += a in first
    classes = (first, {i for i in ids if touches[i]}, set(gaps), linked)
    turn = {i: next((k for k, members in enumerate(classes) if i in members), len(classes)) for i in ids}
    return set(sorted(ids, key=lambda i: (turn[i], -touches[i], rank[i], i))[:most])


def _neighbours(
    links: Iterable[tuple[str, str]], depth: Mapping[str, int]
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    up: dict[str, list[str]] = defaultdict(list)
    down: dict[str, list[str]] = defaultdict(list)
    for a, b in links:
        if a in depth and b in depth and depth[a] != depth[b]:
            low, high = (a, b) if depth[a] < depth[b] else (b, a)
            up[high].append(low)
            down[low].append(high)
    return up, down


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
