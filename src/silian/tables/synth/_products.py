"""The product graph of industrial chains, who makes what, and what nobody here makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from silian.tables.synth._dice import Dice
from silian.tables.synth._frames import frame
from silian.tables.synth._vocabulary import Vocabulary, rows

if TYPE_CHECKING:
    from silian.tables.synth._organisations import Organisations
    from silian.tables.synth._sizes import Size

LINKS: Final = {"m": "material", "c": "component", "e": "equipment"}
BREAK_SHARE: Final = 0.07  # of the products
BLANK_SHARE: Final = 0.3  # of the chains; a chain that stands alone has a blank for certain
SOURCES: Final = ("企业年报", "企业官网", "行业协会名录", "走访调研", "经营范围登记")

Link = tuple[int, int, str, float | None]  # upstream, downstream, kind, weight


@dataclass(slots=True)
class _Node:
    name: str
    name_en: str
    chain: str
    segment: str
    industry: str
    field: str
    base: int  # number of the node that it is a kind of, or its own
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Graph:
    """Products and links by number, and which of them are made here."""

    nodes: list[_Node]
    links: list[Link]
    made: np.ndarray  # bool (products,)
    ids: list[str]
    missing: dict[int, str]  # product → break | blank

    @property
    def absent(self) -> frozenset[str]:
        """Names of the products that nobody here makes."""
        return frozenset(n.name for n, made in zip(self.nodes, self.made.tolist(), strict=True) if not made)

    @property
    def id_of(self) -> dict[str, str]:
        """Id of each product by name."""
        return {n.name: i for n, i in zip(self.nodes, self.ids, strict=True)}


@dataclass(frozen=True, slots=True)
class Products:
    """The tables of products, and what other tables need of them."""

    products: pl.DataFrame
    links: pl.DataFrame
    makes: pl.DataFrame
    missing: pl.DataFrame  # product_id, kind (break | blank)
    buyers: dict[str, list[str]]  # name of a missing product → organisations that make something of it


def graph(size: Size, seed: int, vocabulary: Vocabulary, asked: frozenset[str]) -> Graph:
    """The product graph of a region; products that needs ask for are somewhat more often missing."""
    dice = Dice(seed, "products")
    nodes, links = _nodes(size, dice, vocabulary)
    made = _made(dice, nodes, links, asked)
    width = max(3, len(str(len(nodes))))
    ids = [f"P{i + 1:0{width}d}" for i in range(len(nodes))]
    return Graph(nodes, links, made, ids, _missing(nodes, links, made))


def products(drawn: Graph, seed: int, organisations: Organisations) -> Products:
    """Tables of products, links and makers."""
    dice = Dice(seed, "makers")
    nodes, ids = drawn.nodes, drawn.ids
    makers = _makers(dice, drawn, organisations)
    below: dict[int, list[int]] = {}
    for up, down, kind, _ in drawn.links:
        if kind != "kind_of":
            below.setdefault(up, []).append(down)
    buyers = {nodes[p].name: [organisations.ids[o] for d in below.get(p, []) for o in makers[d]] for p in drawn.missing}
    return Products(
        products=pl.DataFrame(
            {
                "product_id": ids,
                "name": [n.name for n in nodes],
                "name_en": [n.name_en or None for n in nodes],
                "aliases": [list(n.aliases) or None for n in nodes],
                "chain": [n.chain for n in nodes],
                "segment": [n.segment for n in nodes],
                "industry": [n.industry for n in nodes],
            },
            schema_overrides={"aliases": pl.List(pl.String)},
        ),
        links=_link_table(dice, drawn),
        makes=_make_table(dice, makers, ids, organisations),
        missing=pl.DataFrame(
            {"product_id": [ids[p] for p in drawn.missing], "kind": list(drawn.missing.values())},
            schema={"product_id": pl.String, "kind": pl.String},
        ),
        buyers={name: orgs for name, orgs in buyers.items() if orgs},
    )


def _nodes(size: Size, dice: Dice, vocabulary: Vocabulary) -> tuple[list[_Node], list[Link]]:
    chains = [r["chain"] for r in rows("chains") if not size.fields or r["field"] in size.fields]
    listed = [r for r in rows("products") if r["chain"] in chains and (not size.fields or r["in_tiny"])]
    nodes = [
        _Node(r["product"], r["name_en"], r["chain"], r["segment"], r["industry"], r["field"], i)
        for i, r in enumerate(listed)
    ]
    number = {n.name: i for i, n in enumerate(nodes)}
    links: list[Link] = []
    for i, r in enumerate(listed):
        for text in filter(None, r["inputs"].split(";")):
            name, kind, weight = text.split(":")
            if name in number or not size.fields:
                links.append((number[name], i, LINKS[kind], float(weight)))
    own = list(links)
    for node in _kinds(size, dice, listed, nodes, vocabulary):
        at = len(nodes)
        nodes.append(node)
        links.append((at, node.base, "kind_of", None))
        links += [(up, at, kind, weight) for up, down, kind, weight in own if down == node.base]
        # a base's makers take what they need in any kind: how much of each is not known
        links += [(at, down, kind, None) for up, down, kind, _ in own if up == node.base]
    return nodes, links


def _kinds(
    size: Size,
    dice: Dice,
    listed: list[dict[str, str]],
    nodes: list[_Node],
    vocabulary: Vocabulary,
) -> list[_Node]:
    """Kinds of the listed products, by grade, then by use, up to the size."""
    thing = {t.name: t for t in vocabulary.things}
    taken = {n.name for n in nodes}
    kinds: list[_Node] = []
    rounds: list[list[_Node]] = [[], []]
    for i, r in enumerate(listed):
        n = nodes[i]
        own = thing.get(n.name)
        names = [vocabulary.kinds[k].name for k in own.kinds] if own else [g for g in r["grades"].split(";") if g]
        aliases = {vocabulary.kinds[k].name: vocabulary.kinds[k].lab_name for k in own.kinds} if own else {}
        uses = vocabulary.families[own.family].settings if own else ()
        used = [f"{use}用{name}" for name in (n.name, *names) for use in uses]
        for round_, added in ((0, names), (1, used)):
            for name in added:
                if name not in taken:
                    taken.add(name)
                    alias = aliases.get(name, name)
                    rounds[round_].append(
                        _Node(name, "", n.chain, n.segment, n.industry, n.field, i, (alias,) if alias != name else ())
                    )
    for candidates in rounds:
        room = size.products - len(nodes) - len(kinds)
        kinds += candidates if len(candidates) <= room else dice.sample(candidates, max(0, room))
    return kinds


def _made(dice: Dice, nodes: list[_Node], links: list[Link], asked: frozenset[str]) -> np.ndarray:
    """Which products are made here: all but some planted ones. bool (products,)."""
    made = np.ones(len(nodes), dtype=bool)
    above, below = _around(nodes, links)
    segments: dict[tuple[str, str], list[int]] = {}
    for i, n in enumerate(nodes):
        segments.setdefault((n.chain, n.segment), []).append(i)
    chains = list(dict.fromkeys(n.chain for n in nodes))
    for chain in chains:
        # only a segment at an end of its chain: nothing of it stands above, or nothing of it below
        ends = [
            own
            for (c, _), own in segments.items()
            if c == chain and len(own) > 1 and (not any(above[i] for i in own) or not any(below[i] for i in own))
        ]
        if ends and (len(chains) == 1 or dice.chance(BLANK_SHARE)):
            made[dice.pick(ends)] = False
    middle = [i for i in range(len(nodes)) if above[i] and below[i] and made[i]]
    wanted = [i for i in middle if nodes[i].name in asked]
    planted: set[int] = set()
    goal = max(1, round(BREAK_SHARE * len(nodes)))
    for i in [*dice.sample(wanted, goal // 2), *dice.sample(middle, 2 * goal)]:
        if len(planted) >= goal:
            break
        own = [j for j in range(i, len(nodes)) if j == i or (nodes[j].base == i and nodes[j].base != j)]
        near = set(above[i]) | set(below[i])
        if i in planted or near & planted or not (made[above[i]].any() and made[below[i]].any()):
            continue
        planted |= set(own)
        made[own] = False
    return made


def _around(nodes: list[_Node], links: list[Link]) -> tuple[list[list[int]], list[list[int]]]:
    """Products above and below each product, kinds left out."""
    above: list[list[int]] = [[] for _ in nodes]
    below: list[list[int]] = [[] for _ in nodes]
    for up, down, kind, _ in links:
        if kind != "kind_of":
            above[down].append(up)
            below[up].append(down)
    return above, below


def _missing(nodes: list[_Node], links: list[Link], made: np.ndarray) -> dict[int, str]:
    """Every missing product, a break where both sides of it are made, else a blank where its whole segment is unmade.

    In the order of the products.
    """
    above, below = _around(nodes, links)
    live = {(n.chain, n.segment) for n, is_made in zip(nodes, made.tolist(), strict=True) if is_made}
    missing = {}
    for i, n in enumerate(nodes):
        if made[i]:
            continue
        if made[above[i]].any() and made[below[i]].any():
            missing[i] = "break"
        elif (n.chain, n.segment) not in live:
            missing[i] = "blank"
    return missing


def _makers(dice: Dice, drawn: Graph, organisations: Organisations) -> list[list[int]]:
    """Rows of the organisations that make each product: every product that is made has one."""
    nodes, made = drawn.nodes, drawn.made.tolist()
    firms = organisations.rows_of("enterprise").tolist()
    makers: list[list[int]] = [[] for _ in nodes]
    group: dict[int, list[int]] = {}
    by_field: dict[str, list[int]] = {}
    for i, n in enumerate(nodes):
        if made[i]:
            group.setdefault(n.base, []).append(i)
            by_field.setdefault(n.field, []).append(i)
    number = {n.name: i for i, n in enumerate(nodes)}
    field_firms: dict[str, list[int]] = {}
    for firm in firms:
        field = str(organisations.field[firm])
        field_firms.setdefault(field, []).append(firm)
        own = group.get(number.get(organisations.thing_name[firm], -1), [])
        among = own or by_field.get(field, [])
        chosen = dice.sample(among, dice.between(1, 3)) if among and (own or dice.chance(0.5)) else []
        if own and dice.chance(0.15):
            chosen.append(dice.pick(by_field[field]))
        for product in dict.fromkeys(chosen):
            makers[product].append(firm)
    _give_makers(dice, drawn, makers, field_firms, firms)
    return makers


def _give_makers(
    dice: Dice, drawn: Graph, makers: list[list[int]], field_firms: dict[str, list[int]], firms: list[int]
) -> None:
    """A maker for each product that should have one: who makes another kind of it, its segment, or is of the field."""
    busy: dict[int, int] = {}
    segment: dict[tuple[str, str], list[int]] = {}
    for n, own in zip(drawn.nodes, makers, strict=True):
        segment.setdefault((n.chain, n.segment), []).extend(own)
        for firm in own:
            busy[firm] = busy.get(firm, 0) + 1
    for i, n in enumerate(drawn.nodes):
        if not drawn.made[i] or makers[i]:
            continue
        among = makers[n.base] or segment[n.chain, n.segment] or field_firms.get(n.field) or firms
        chosen = min(dice.sample(among, 3), key=lambda firm: busy.get(firm, 0))
        makers[i].append(chosen)
        busy[chosen] = busy.get(chosen, 0) + 1


def _make_table(dice: Dice, makers: list[list[int]], ids: list[str], organisations: Organisations) -> pl.DataFrame:
    by_firm: dict[int, list[int]] = {}
    for product, firms in enumerate(makers):
        for firm in firms:
            by_firm.setdefault(firm, []).append(product)
    made: list[dict[str, Any]] = []
    for firm, own in sorted(by_firm.items()):
        parts = [0.2 + dice.random() for _ in own]
        whole = sum(parts) / (0.7 + 0.3 * dice.random())  # the rest is other income
        for product, part in zip(own, parts, strict=True):
            made.append(
                {
                    "org_id": organisations.ids[firm],
                    "product_id": ids[product],
                    "share": int(100 * part / whole) / 100 if dice.chance(0.8) else None,
                    "since_year": dice.between(2002, 2025) if dice.chance(0.7) else None,
                    "source": dice.pick(SOURCES),
                }
            )
    return frame("makes", made)


def _link_table(dice: Dice, drawn: Graph) -> pl.DataFrame:
    made = [
        {
            "upstream_id": drawn.ids[up],
            "downstream_id": drawn.ids[down],
            "kind": kind,
            "weight": weight,
            "source": dice.pick(("产业链图谱", "专家访谈", "企业供应商清单")) if kind != "kind_of" else "产品分类",
        }
        for up, down, kind, weight in drawn.links
    ]
    return frame("product_links", made)
