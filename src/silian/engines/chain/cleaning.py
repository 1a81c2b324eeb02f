"""A graph of products made fit for use: every link that is left out or changed, by which rule, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from silian.engines import _inputs
from silian.engines.chain import given
from silian.engines.chain.levels import heights, matrix, placed, rings
from silian.tables.schema import chain as chain_tables
from silian.tables.schema import codes

# What stands at the end of the name of work done, of a dish, and of a thing for cooking, which is no dish.
WORK: Final = (
    "加工|工艺|服务|技术|工程|处理|设计|维修|维护|方法|安装|检测|检验|运输|管理|业务|项目|开发|施工|销售|贸易|租赁|"
    "咨询|培训|代理|经营|建设|改造"
)
DISH: Final = "[汤粥羹]|[炒炖烩焖拌盖煲浇]饭|沙拉|沙律|火锅|小炒"
COOKED: Final = r"\p{Han}(?:炒|炖|烩|焖|熘|凉拌|红烧|清蒸|糖醋)\p{Han}"
TOOL: Final = "[锅机炉杯器勺铲壶盅盆碗箱]|设备|装置|生产线|[粉料剂酱油精包罐]"
PERCENT: Final = (50.0, 150.0)  # weights above 1 whose sum lies between are per cent
SURE: Final = 0.5  # of a level, that the ends of a link must lie apart to say which way it runs
ROUND: Final = 1e-6  # by which shares may exceed 1

_KEY: Final = ("upstream_id", "downstream_id", "kind")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A graph of products fit for use, and all that was done to it."""

    product_links: pl.DataFrame  # upstream_id, downstream_id, kind, weight; in the order of the rows that are left
    changes: (
        pl.DataFrame
    )  # row, rule, action, ...: every link that a rule met; sorted by row, in the order of the rules
    rules: pl.DataFrame  # rule, action, links, products; every rule, in the order in which they work


def cleaned(
    product_links: pl.DataFrame,
    *,
    products: pl.DataFrame | None = None,
    makes: pl.DataFrame | None = None,
) -> Cleaned:
    """Make the links of products fit for `gaps`: nothing is dropped or changed without a row that says so.

    Parameters
    ----------
    product_links : upstream_id, downstream_id, kind[, weight]; ids and kinds may be empty, weights any number
    products : product_id, name; without it no rule looks at names
    makes : org_id, product_id; a product that somebody makes is neither a process nor a dish, whatever its name

    Returns
    -------
    Cleaned : product_links that `gaps` takes; changes (row: 1 is the first row given; rule, action: dropped, changed or
        kept, upstream_id, downstream_id, kind as given, weight_before, weight_after, because); rules (rule, action,
        links, products: counts). Cleaning its result once more drops and changes nothing.

    Raises
    ------
    TableError : table.columns, table.type; table.value (an empty id in products or makes); table.duplicate

    Notes
    -----
    The rules, in the order in which they work; each sees what those before it left:
    empty (an id or the kind is missing), unknown_kind, loop (a product of itself): dropped.
    process, recipe (an end is work done or a dish by its name, and nobody makes it): dropped.
    twice (the same link): the first with the largest weight stays.
    kind_or_input (two products joined by both): the name decides; where the name of one ends in that of the other it
    is a kind of it, as Chinese compounds end in their head, and the input is dropped, else the kind is.
    not_its_head (the name of a kind holds that of the whole, but ends otherwise: a phone film is no phone): dropped.
    both_ways (inputs of each other): the link that climbs stays if the levels of the graph without such pairs, see
    `levels`, lie half a level apart or more; else both stay and are noted. Again until nothing more is decided.
    kind_ring (kinds of each other, round about): noted.
    weight_not_share (negative or no number): unknown from now on. weight_percent (weights of the inputs of one product
    above 1 that sum to 50 to 150): divided by 100. weight_above (still above 1): unknown. weight_sum (inputs of one
    product that sum to more than 1): divided by their sum, parallel links counted once, with the largest weight.
    Deterministic. Cost: 110,000 links 0.9 s (bench_chain). Splits: no.
    Source: docs/methods/chain.md.

    Examples
    --------
    >>> links = pl.DataFrame({"upstream_id": ["钢", "钢", "手机膜", "钢"], "downstream_id": ["钢", "轴", "手机", "轴"],
    ...                       "kind": ["material", "material", "kind_of", "kind_of"]})
    >>> names = pl.DataFrame({"product_id": ["钢", "轴", "手机膜", "手机"], "name": ["钢", "轴", "手机膜", "手机"]})
    >>> done = cleaned(links, products=names)
    >>> done.product_links.select("upstream_id", "downstream_id", "kind").rows()
    [('钢', '轴', 'material')]
    >>> done.changes.select("row", "rule", "action").rows()
    [(1, 'loop', 'dropped'), (3, 'not_its_head', 'dropped'), (4, 'kind_or_input', 'dropped')]
    """
    free: dict[str, _inputs.Kind] = dict.fromkeys(_KEY, "id")
    table = _inputs.columns(product_links, "product_links", {}, nullable=free, optional={"weight": "number"})
    links = table.with_columns(row=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
    named = _named(products)
    met: list[pl.DataFrame] = []
    links = _well_formed(links, met)
    links = _of_goods(links, named, given.checked_makes(makes, None) if makes is not None else None, met)
    links = _once(links, met)
    links = _kind_or_input(links, named, met)
    links = _by_head(links, named, met)
    links = _one_way(links, met)
    _note_kind_rings(links, met)
    links = _shares(links, met)
    changes = _changes(met, table)
    return Cleaned(links.sort("row").select(*_KEY, "weight"), changes, _counted(changes))


def _named(products: pl.DataFrame | None) -> pl.DataFrame | None:
    """product_id, name without spaces and brackets, or None."""
    if products is None:
        return None
    table = _inputs.columns(products, "products", {"product_id": "id"}, nullable={"name": "id"})
    _inputs.refuse_duplicates(table, "products", ["product_id"])
    bare = pl.col("name").str.replace_all(r"[（(\[【][^）)\]】]*[）)\]】]|\s", "")
    return table.with_columns(name=bare).filter(pl.col("name").str.len_chars() > 0)


def _take(
    links: pl.DataFrame, met: list[pl.DataFrame], rule: str, bad: pl.Expr, *, action: str = "dropped",
    after: pl.Expr | None = None, because: pl.Expr | None = None,
) -> pl.DataFrame:  # fmt: skip
    """The links after one rule, which met those that are `bad`; `after` is their new weight."""
    weight = pl.col("weight") if after is None else after
    found = links.filter(bad.fill_null(value=False))
    met.append(
        found.select(
            "row",
            rule=pl.lit(rule),
            action=pl.lit(action),
            weight_before="weight",
            weight_after=weight,
            because=pl.lit(None, pl.String) if because is None else because,
        )
    )
    if action == "dropped":
        return links.join(found.select("row"), on="row", how="anti", maintain_order="left")
    return links.with_columns(weight=pl.when(bad.fill_null(value=False)).then(weight).otherwise("weight"))


def _well_formed(links: pl.DataFrame, met: list[pl.DataFrame]) -> pl.DataFrame:
    empty = pl.any_horizontal(pl.col(c).is_null() | (pl.col(c) == "") for c in _KEY)
    links = _take(links, met, "empty", empty)
    known = [*given.INPUT_KINDS, "kind_of"]
    links = _take(links, met, "unknown_kind", ~pl.col("kind").is_in(known), because=pl.col("kind"))
    return _take(links, met, "loop", pl.col("upstream_id") == pl.col("downstream_id"))


def _of_goods(
    links: pl.DataFrame, named: pl.DataFrame | None, makes: pl.DataFrame | None, met: list[pl.DataFrame]
) -> pl.DataFrame:
    """Links between goods: an end that is work done or a dish takes its links with it."""
    if named is None:
        named = pl.DataFrame(schema={"product_id": pl.String, "name": pl.String})
    if makes is not None:
        named = named.join(makes, on="product_id", how="anti")
    name = pl.col("name")
    is_cooked = (name.str.contains(f"(?:{DISH})$") | name.str.contains(COOKED)) & ~name.str.contains(f"(?:{TOOL})$")
    tests = {
        "process": name.str.contains(f"(?:{WORK})$"),
        "recipe": is_cooked & (name.str.len_chars() > 1),
    }
    for rule, test in tests.items():
        aside = named.filter(test)["product_id"].implode()
        ends = [pl.when(pl.col(c).is_in(aside)).then(c) for c in _KEY[:2]]
        links = _take(links, met, rule, pl.coalesce(ends).is_not_null(), because=pl.coalesce(ends))
    return links


def _once(links: pl.DataFrame, met: list[pl.DataFrame]) -> pl.DataFrame:
    best = links.sort(["weight", "row"], descending=[True, False], nulls_last=True).unique(list(_KEY), keep="first")
    first = best.select(*_KEY, kept="row")
    links = links.join(first, on=list(_KEY), how="left", maintain_order="left")
    stays = pl.format("row {}", "kept")
    return _take(links, met, "twice", pl.col("row") != pl.col("kept"), because=stays).drop("kept")


def _with_names(pairs: pl.DataFrame, named: pl.DataFrame | None) -> pl.DataFrame:
    """The links with up_name and down_name, empty where unknown."""
    if named is None:
        return pairs.with_columns(up_name=pl.lit(None, pl.String), down_name=pl.lit(None, pl.String))
    for side, column in (("upstream_id", "up_name"), ("downstream_id", "down_name")):
        names = named.select(pl.col("product_id").alias(side), pl.col("name").alias(column))
        pairs = pairs.join(names, on=side, how="left", maintain_order="left")
    return pairs


def _kind_or_input(links: pl.DataFrame, named: pl.DataFrame | None, met: list[pl.DataFrame]) -> pl.DataFrame:
    """Two products joined by a kind and by an input keep the one that their names speak for."""
    kinds = _with_names(links.filter(kind="kind_of"), named)
    is_kind = pl.col("up_name").str.ends_with(pl.col("down_name")).fill_null(value=False)
    kinds = kinds.select("upstream_id", "downstream_id", is_kind=is_kind)
    back = kinds.select(upstream_id="downstream_id", downstream_id="upstream_id", is_kind="is_kind")
    both = pl.concat([kinds, back]).group_by("upstream_id", "downstream_id").agg(pl.col("is_kind").any())
    inputs = links.filter(pl.col("kind") != "kind_of").select("upstream_id", "downstream_id")
    turned = inputs.select(upstream_id="downstream_id", downstream_id="upstream_id")
    doubled = pl.concat([inputs, turned]).unique().join(both, on=["upstream_id", "downstream_id"])
    links = links.join(doubled, on=["upstream_id", "downstream_id"], how="left", maintain_order="left")
    loses = pl.col("is_kind") != (pl.col("kind") == "kind_of")
    told = pl.when("is_kind").then(pl.lit("kind")).otherwise(pl.lit("input"))
    return _take(links, met, "kind_or_input", loses, because=told).drop("is_kind")


def _by_head(links: pl.DataFrame, named: pl.DataFrame | None, met: list[pl.DataFrame]) -> pl.DataFrame:
    links = _with_names(links, named)
    whole = pl.col("down_name")
    holds = pl.col("up_name").str.contains(whole, literal=True) & ~pl.col("up_name").str.ends_with(whole)
    bad = (pl.col("kind") == "kind_of") & holds & whole.str.contains(r"^\p{Han}+$")
    told = pl.format("{} – {}", "up_name", "down_name")
    return _take(links, met, "not_its_head", bad, because=told).drop("up_name", "down_name")


def _one_way(links: pl.DataFrame, met: list[pl.DataFrame]) -> pl.DataFrame:
    """Of inputs of each other the link that climbs; those that the levels cannot tell apart are noted."""
    rule = "both_ways"
    while True:
        inputs = links.filter(pl.col("kind") != "kind_of").select("upstream_id", "downstream_id").unique()
        turned = inputs.select(upstream_id="downstream_id", downstream_id="upstream_id")
        double = inputs.join(turned, on=["upstream_id", "downstream_id"], how="semi")
        rest = inputs.join(double, on=["upstream_id", "downstream_id"], how="anti")
        falls = _falls(double, rest).filter(pl.col("climbs") <= -SURE)
        if falls.is_empty():
            break
        links = links.join(falls, on=["upstream_id", "downstream_id"], how="left", maintain_order="left")
        bad = pl.col("climbs").is_not_null() & (pl.col("kind") != "kind_of")
        because = pl.format("level {}", pl.col("climbs").round(2))
        links = _take(links, met, rule, bad, because=because).drop("climbs")
    undecided = double.with_columns(open=pl.lit(value=True))
    links = links.join(undecided, on=["upstream_id", "downstream_id"], how="left", maintain_order="left")
    return _take(links, met, rule, pl.col("open") & (pl.col("kind") != "kind_of"), action="kept").drop("open")


def _falls(double: pl.DataFrame, rest: pl.DataFrame) -> pl.DataFrame:
    """upstream_id, downstream_id, climbs: by how many levels each link of `double` rises in the graph `rest`.

    Only pairs whose ends lie in one connected part of `rest` have levels that can be compared.
    """
    from scipy.sparse.csgraph import connected_components

    ids = pl.concat([rest["upstream_id"], rest["downstream_id"]]).unique().sort()
    known = double.filter(pl.all_horizontal(pl.col(c).is_in(ids.implode()) for c in _KEY[:2])).sort(_KEY[:2])
    if known.is_empty():
        return known.with_columns(climbs=pl.lit(None, pl.Float64))
    order = rest.sort(_KEY[:2])
    up, down = placed(order["upstream_id"], ids), placed(order["downstream_id"], ids)
    level = heights(up, down, ids.len())
    _, part = connected_components(matrix(up, down, ids.len()), directed=False)
    a, b = placed(known["upstream_id"], ids), placed(known["downstream_id"], ids)
    climbs = np.where(part[a] == part[b], level[b] - level[a], 0.0)
    return known.with_columns(climbs=pl.Series(climbs))


def _note_kind_rings(links: pl.DataFrame, met: list[pl.DataFrame]) -> None:
    kinds = links.filter(kind="kind_of").sort(_KEY[:2])
    ids = pl.concat([kinds["upstream_id"], kinds["downstream_id"]]).unique().sort()
    ring = np.zeros(0, dtype=np.int64)
    if kinds.height:
        up, down = placed(kinds["upstream_id"], ids), placed(kinds["downstream_id"], ids)
        circle = rings(up, down, ids.len())
        ring = np.where(circle[up] == circle[down], circle[up], 0)
    _take(kinds.with_columns(ring=pl.Series(ring)), met, "kind_ring", pl.col("ring") > 0, action="kept")


def _shares(links: pl.DataFrame, met: list[pl.DataFrame]) -> pl.DataFrame:
    """Weights that are shares of a product's inputs, or unknown."""
    weight, none = pl.col("weight"), pl.lit(None, pl.Float64)
    no_share = weight.is_not_null() & ~((weight >= 0) & weight.is_finite())
    links = _take(links, met, "weight_not_share", no_share, action="changed", after=none)
    links = _with_sum(links)
    percent = (weight > 1).any().over("downstream_id") & pl.col("sum").is_between(*PERCENT) & (weight > 0)
    links = _take(
        links, met, "weight_percent", percent & (pl.col("kind") != "kind_of"), action="changed", after=weight / 100
    )  # fmt: skip
    links = _take(links.drop("sum"), met, "weight_above", weight > 1, action="changed", after=none)
    links = _with_sum(links)
    over = (pl.col("sum") > 1 + ROUND) & (weight > 0) & (pl.col("kind") != "kind_of")
    return _take(links, met, "weight_sum", over, action="changed", after=weight / pl.col("sum")).drop("sum")


def _with_sum(links: pl.DataFrame) -> pl.DataFrame:
    """The links with the sum of the weights of their downstream product's inputs."""
    inputs = links.filter(pl.col("kind") != "kind_of").group_by("upstream_id", "downstream_id").agg(pl.max("weight"))
    sums = inputs.sort(_KEY[:2]).group_by("downstream_id", maintain_order=True).agg(sum=pl.col("weight").sum())
    return links.join(sums, on="downstream_id", how="left", maintain_order="left")


def _changes(met: list[pl.DataFrame], table: pl.DataFrame) -> pl.DataFrame:
    schema = chain_tables()["link_changes"].polars
    order = pl.DataFrame({"rule": list(codes()["link_rule"])}).with_row_index("place")
    rows = table.select(*_KEY).with_columns(row=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
    found = pl.concat(met, how="vertical_relaxed").join(rows, on="row").join(order, on="rule")
    return found.sort("row", "place").select(pl.col(c).cast(t) for c, t in schema.items())


def _counted(changes: pl.DataFrame) -> pl.DataFrame:
    """Every rule with every action that it can end in, those that met nothing too."""
    actions = {"both_ways": ("dropped", "kept"), "kind_ring": ("kept",)}
    usual = {True: ("changed",), False: ("dropped",)}
    every = [(r, a) for r in codes()["link_rule"] for a in actions.get(r, usual[r.startswith("weight")])]
    ends = pl.concat_list("upstream_id", "downstream_id")
    found = changes.with_columns(end=ends).group_by("rule", "action").agg(
        links=pl.len().cast(pl.Int64), products=pl.col("end").explode().drop_nulls().n_unique().cast(pl.Int64)
    )  # fmt: skip
    table = pl.DataFrame(every, schema=["rule", "action"], orient="row")
    joined = table.join(found, on=["rule", "action"], how="left", maintain_order="left")
    return joined.with_columns(pl.col("links", "products").fill_null(0))
