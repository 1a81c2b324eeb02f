"""Pictures of the chains and of the districts."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlencode

import polars as pl
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from silian.report import chain_map as places
from silian.report import svg, views
from silian.report._words import say
from silian.web.base.languages import page_language
from silian.web.runs.results.names import labels
from silian.web.runs.results.pictures import (
    ASSIGNMENT,
    MOST,
    Cell,
    Picture,
    code,
    district,
    figure,
    link,
    made,
    percent,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from silian.web.runs.results.rules import Seat

TEN_THOUSAND: Final = 10_000


class Figure(NamedTuple):
    """A figure of a district: its name, its value from a row of `districts`, and the list that it counts."""

    name: Any
    value: Callable[[Mapping[str, Any]], float | None]
    is_share: bool = False
    digits: int = 0
    list: str = ""  # name of the address
    asked: tuple[tuple[str, str], ...] = ()

    @property
    def least(self) -> float:
        """The finest difference that its words can tell."""
        return 0.01 if self.is_share else 10.0**-self.digits


def _over(one: str, other: str) -> Callable[[Mapping[str, Any]], float | None]:
    return lambda row: row[one] / row[other] if row[one] is not None and row[other] else None


def _heads(column: str) -> Callable[[Mapping[str, Any]], float | None]:
    """Of ten thousand people."""
    share = _over(column, "population")
    return lambda row: None if share(row) is None else TEN_THOUSAND * (share(row) or 0.0)


FIGURES: Final[Mapping[str, Figure]] = {
    "needs": Figure(gettext_lazy("需求数"), lambda r: r["needs"], list="matches"),
    "matched": Figure(gettext_lazy("有匹配成果的需求占比"), _over("needs_matched", "needs"), is_share=True,
                      list="matches", asked=(("state", "matched"),)),
    "served": Figure(gettext_lazy("专家满足率"), lambda r: r["served_share"], is_share=True, list="served"),
    "unmet": Figure(gettext_lazy("尚缺专家的需求"), lambda r: r["unmet"], list="unmet"),
    "experts": Figure(gettext_lazy("专家数"), lambda r: r["experts"], list="loads"),
    "achievements": Figure(gettext_lazy("成果数"), lambda r: r["achievements"]),
    "enterprises": Figure(gettext_lazy("企业数"), lambda r: r["enterprises"]),
    "gaps": Figure(gettext_lazy("触及的产业链缺口"), lambda r: r["gaps"], list="gaps"),
    "needs_heads": Figure(gettext_lazy("每万人需求数"), _heads("needs"), digits=2, list="matches"),
    "assigned_heads": Figure(gettext_lazy("每万人已派专家"), _heads("experts_assigned"), digits=2, list="served"),
    "experts_heads": Figure(gettext_lazy("每万人专家数"), _heads("experts"), digits=2, list="loads"),
}  # fmt: skip


def words_of_states() -> dict[str, str]:
    """The names of the states of a product by code, and of what is not stated."""
    language = page_language()
    return {state: say(f"state.{state}", language) for state in views.STATES} | {"": say("not_stated", language)}


def chain_map(seat: Seat, asked: Mapping[str, str]) -> Picture:
    """The chains by segment, or the products of one chain."""
    drawn, chain = seat.stored.drawn("chains"), asked.get("chain", "")
    graphs = drawn.get("graphs", {})
    if not chain and len(graphs) == 1:
        chain = next(iter(graphs))
    if chain in graphs and graphs[chain]["boxes"]:
        return chain_graph(seat, chain, graphs[chain])
    words, heads = words_of_states(), views.STATES
    cells = drawn.get("cells", [])
    to = {one: link(seat, "gaps", chain=one) for one in graphs}
    rows = [
        [
            Cell(c["chain_id"] or words[""], to.get(c["chain_id"], "")), Cell(c["segment_id"] or words[""]),
            *(figure(c[s], link(seat, "gaps", chain=c["chain_id"], kind=s) if s in KINDS else "") for s in heads),
        ]
        for c in cells
    ]  # fmt: skip
    label = say("chart.chain_map", page_language())
    picture = svg.segments(cells, drawn.get("parts", []), words, to, label=label) if cells else ""
    return made("chain_map", picture, (_("产业链"), _("环节"), *(words[s] for s in heads)), rows)


KINDS: Final = ("break", "blank", "outflow", "single")


def chain_graph(seat: Seat, chain: str, graph: Mapping[str, Any]) -> Picture:
    """The products of one chain, what is made of what, what is lacking."""
    words, boxes = words_of_states(), graph["boxes"]
    ids = [box["product_id"] for box in boxes]
    names, to = labels("products", ids), {one: seat.url("product", one) for one in ids}
    rows = [
        [
            Cell(names.get(b["product_id"], b["product_id"]), to[b["product_id"]]), Cell(b["segment"] or words[""]),
            Cell(f"{b['sign']} {words[b['code']]}"), figure(b["makers"], to[b["product_id"]]),
        ]
        for b in boxes
    ]  # fmt: skip
    label = f"{say('chart.chain_map', page_language())} · {chain or words['']}"
    picture = svg.graph(boxes, graph["curves"], names, words, to, label=label)
    found = made(
        "chain_map", picture, (_("产品"), _("环节"), _("状态"), _("本地企业")), rows, query=_query(chain=chain)
    )
    note = found.note
    if graph["of"] > len(boxes):
        note += _("。图中 %(shown)s 种，共 %(all)s 种：缺口及其上下游优先") % {"shown": len(boxes), "all": graph["of"]}
    return Picture(found.name, label, note, found.drawn, found.heads, found.rows, found.query)


def _query(**asked: str) -> str:
    return urlencode({name: value for name, value in asked.items() if value})


def district_chains(seat: Seat, _asked: Mapping[str, str]) -> Picture:
    """Firms of each chain by district."""
    table = seat.stored.ready("chain_districts").collect()
    names = labels("districts", table["district_id"].to_list())
    chains = table["chain"].unique(maintain_order=True).to_list()[:MOST]
    most = table.group_by("district_id").agg(pl.col("makers").sum()).sort("makers", "district_id", descending=True)
    across = sorted(most["district_id"].head(MOST).to_list())
    rows, cells = [], {}
    for chain, one, count in table.select("chain", "district_id", "makers").rows():
        href = link(seat, "firms", chain=chain, district_id=one)
        if chain in chains and one in across:
            mark = svg.Mark(f"{chain} · {district(names, one)}", told(count), count, href)
            cells[chains.index(chain), across.index(one)] = mark
        rows.append([Cell(chain, link(seat, "gaps", chain=chain)), Cell(district(names, one)), figure(count, href)])
    label = say("chart.district_chains", page_language())
    drawn = svg.matrix(chains, [district(names, d) for d in across], cells, label=label)
    return made("district_chains", drawn, (_("产业链"), _("区县"), _("生产企业")), rows)


def gap_ranking(seat: Seat, asked: Mapping[str, str]) -> Picture:
    """The most pressing gaps."""
    rows_of = seat.stored.result("gaps")
    if asked.get("chain"):
        rows_of = rows_of.filter(chain=asked["chain"])
    table = rows_of.sort("rank", "product_id").head(MOST).collect()
    names = labels("products", table["product_id"].to_list())
    rows, bars = [], []
    for row in table.to_dicts():
        one, kind = row["product_id"], code("gap_kind", row["kind"])
        href, name = seat.url("product", one), names.get(one, one)
        sign = places.SIGNS[row["kind"]]
        bars.append(svg.Bar(f"{sign} {name}", row["score"], f"{row['score']:.2f}", href=href, state=row["kind"]))
        rows.append(
            [Cell(name, href), Cell(f"{sign} {kind}"), Cell(row["chain"] or ""), figure(row["score"], digits=2)]
        )
    drawn = svg.bars(bars, label=say("chart.gap_ranking", page_language()))
    heads = (_("产品"), _("类型"), _("产业链"), _("得分"))
    return made("gap_ranking", drawn, heads, rows, query=_query(chain=asked.get("chain", "")))


def district_map(seat: Seat, asked: Mapping[str, str]) -> Picture:
    """The districts, coloured by a figure that is chosen; its table has all figures."""
    chosen = asked.get("figure", "") if asked.get("figure") in FIGURES else "served"
    of = FIGURES[chosen]
    table = seat.stored.ready("districts").collect().to_dicts()
    names = labels("districts", [row["district_id"] for row in table])
    marks, rows = {}, []
    for row in table:
        one = row["district_id"]
        name, value = district(names, one), of.value(row)
        marks[one] = svg.Mark(name, _told(of, value), value, link(seat, "districts", figure=chosen, at=one))
        cells = [_figure(seat, f, f.value(row), one) for f in FIGURES.values()]
        rows.append([Cell(name, marks[one].href), *cells])
    drawn = seat.stored.drawn("districts")
    picture = svg.shapes(drawn, marks, label=str(of.name), told=partial(_told, of), least=of.least) if drawn else ""
    heads = (_("区县"), *(str(f.name) for f in FIGURES.values()))
    note = _("颜色见图例；灰色为没有数据。点选一个区县查看它的数字与名单。")
    return Picture("district_map", str(of.name), note, picture, heads, rows, _query(figure=chosen))


def ranking(seat: Seat, chosen: str) -> list[tuple[Cell, str]]:
    """The districts by a figure, the largest first, those without it last: each with its value in words."""
    of, table = FIGURES[chosen], seat.stored.ready("districts").collect().to_dicts()
    names = labels("districts", [row["district_id"] for row in table])
    values = {row["district_id"]: of.value(row) for row in table}
    order = sorted(values, key=lambda one: -math.inf if values[one] is None else values[one] or 0.0, reverse=True)
    to = {one: link(seat, "districts", figure=chosen, at=one) for one in order}
    return [(Cell(district(names, one), to[one]), _told(of, values[one])) for one in order]


def _told(of: Figure, value: float | None) -> str:
    return percent(value) if of.is_share else told(value, of.digits)


def _figure(seat: Seat, of: Figure, value: float | None, one: str) -> Cell:
    is_own = seat.districts is None or one in seat.districts
    href = link(seat, of.list, district_id=one, **dict(of.asked)) if of.list and value and is_own else ""
    return Cell(_told(of, value), href, is_figure=True)


CHAINS: Final[Mapping[str, Callable[[Seat, Mapping[str, str]], Picture]]] = {
    "chain_map": chain_map,
    "gap_ranking": gap_ranking,
    "district_chains": district_chains,
}
PICTURES: Final[Mapping[str, Callable[[Seat, Mapping[str, str]], Picture]]] = {
    **ASSIGNMENT, **CHAINS, "district_map": district_map,
}  # fmt: skip
