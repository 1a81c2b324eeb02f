"""The lists behind the numbers: who serves whom, loads, unmet needs and what would help, gaps, firms of a chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from silian.report._words import say
from silian.web.base.languages import page_language
from silian.web.runs.results.matching import LONGEST, org_name, page_of
from silian.web.runs.results.names import Named, labels, named, org_of
from silian.web.runs.results.pictures import Cell, code, district, figure, told
from silian.web.runs.results.reasons import Open
from silian.web.runs.results.stored import Stored

__all__ = ["GAPS", "LISTS", "LONGEST", "Listed", "Page", "gaps_of_district", "page_of_list"]

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from silian.web.runs.results.rules import Seat

PAGE: Final = 25


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of a run: what it is called, what it is read from, what it is filtered by, how a page of it is told."""

    title: Any
    intro: Any
    needs: tuple[str, ...]  # result tables without which there is no such list
    rows: Callable[[Seat], pl.LazyFrame]
    filters: tuple[str, ...]
    heads: Callable[[], tuple[str, ...]]
    tell: Callable[[Seat, list[dict[str, Any]]], list[list[Any]]]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list."""

    rows: list[list[Any]]  # of Cell and Named
    count: int
    page: int
    chosen: dict[str, str]

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return -(-self.count // PAGE)


def page_of_list(seat: Seat, listed: Listed, given: Mapping[str, str], *, most: int = PAGE) -> Page:
    """A page of a list as a request asks for it. Cost: five queries at most."""
    chosen = {n: given[n][:LONGEST].replace("\0", "") for n in listed.filters if given.get(n)}
    rows = listed.rows(seat)
    schema = rows.collect_schema()
    for name, value in chosen.items():
        rows = rows.filter(Stored.where(name, value, is_text=schema[name] == pl.String))
    count = rows.select(pl.len()).collect().item()
    page = page_of(given.get("page", ""))
    shown = rows.slice((page - 1) * most, most).collect().to_dicts()
    return Page(listed.tell(seat, shown), count, page, chosen)


# ── who serves whom ──


def _served(seat: Seat, rows: list[dict[str, Any]]) -> list[list[Any]]:
    needs = named(seat.actor, "needs", [r["need_id"] for r in rows], seat.taken_at, beside=org_of("needs"))
    experts = named(seat.actor, "experts", [r["expert_id"] for r in rows], seat.taken_at, beside=org_of("experts"))
    names = labels("districts", [d for r in rows for d in (r["district_id"], r["expert_district_id"])])
    return [
        [
            needs[r["need_id"]], Cell(org_name(seat.actor, needs[r["need_id"]].record)),
            Cell(district(names, r["district_id"])), experts[r["expert_id"]],
            Cell(org_name(seat.actor, experts[r["expert_id"]].record)), Cell(district(names, r["expert_district_id"])),
            figure(r["score"], digits=2),
        ]
        for r in rows
    ]  # fmt: skip


def _loads(seat: Seat, rows: list[dict[str, Any]]) -> list[list[Any]]:
    """How many places an expert has is not for everybody: of whom it is closed, a dash."""
    experts = named(seat.actor, "experts", [r["expert_id"] for r in rows], seat.taken_at, beside=org_of("experts"))
    names, read = labels("districts", [r["district_id"] for r in rows]), Open(seat.actor, ("experts",), ())
    told_rows = []
    for r in rows:
        one = experts[r["expert_id"]]
        is_open = "free" in read.of(one.record)
        is_full = r["assigned"] + r["elsewhere"] >= r["free"]
        state = (_("名额已满") if is_full else _("还有名额")) if is_open else "–"
        serves = figure(r["assigned"], seat.url("served") + f"?expert_id={r['expert_id']}")
        free, elsewhere = (figure(r[n] if is_open else None) for n in ("free", "elsewhere"))
        cells = [Cell(org_name(seat.actor, one.record)), Cell(district(names, r["district_id"])), serves]
        told_rows.append([one, *cells, free, elsewhere, Cell(state), figure(r["price"] if is_open else None, digits=3)])
    return told_rows


def _unmet(seat: Seat, rows: list[dict[str, Any]]) -> list[list[Any]]:
    needs = named(seat.actor, "needs", [r["need_id"] for r in rows], seat.taken_at, beside=org_of("needs"))
    experts = named(seat.actor, "experts", [r["expert_id"] for r in rows], seat.taken_at)
    names = labels("districts", [r["district_id"] for r in rows])
    read, told_rows = Open(seat.actor, ("needs", "experts"), ()), []
    for r in rows:
        need, expert = needs[r["need_id"]], experts.get(r["expert_id"])
        missing = figure(r["missing"] if "experts_wanted" in read.of(need.record) else None)
        is_open = expert is not None and "free" in read.of(expert.record)
        cells = [Cell(org_name(seat.actor, need.record)), Cell(district(names, r["district_id"])), missing]
        help_ = Cell(eased(r, expert if is_open else None))
        told_rows.append([need, *cells, Cell(code("unmet_reason", r["reason"])), help_])
    return told_rows


def eased(row: Mapping[str, Any], expert: Named | None) -> str:
    """What would help a need, in words: the cheapest rule that keeps somebody away.

    Parameters
    ----------
    expert : the best whose places are all taken, where a person may know that they are
    """
    asked = {"count": told(row["keeps_away"] or 0), "rule": rule_name(row["rule"]), "limit": told(row["limit"])}
    if row["easing"] == "capacity" and expert is not None and expert.record is not None:
        return _("请%(name)s增加一个名额（匹配得分 %(score)s）") % {
            "name": expert.name, "score": f"{row['expert_score']:.2f}",
        }  # fmt: skip
    ways = {
        "at_most": _("放宽规则“%(rule)s”（现为 %(limit)s）：因此不能到位的专家 %(count)s 位"),
        "cap": _("放宽概率上限：因此不能到位的专家 %(count)s 位"),
        "capacity": _("请匹配的专家增加名额：名额已满的 %(count)s 位"),
        "apart": _("放宽“不得同组”：因此不能到位的专家 %(count)s 位"),
        "veto": _("复核否决：被否决的专家 %(count)s 位"),
        "conflict": _("匹配的专家均有利益冲突，规则不能放宽：动员其他专家"),
        "no_candidate": _("没有（其他）专家匹配：动员该领域的专家，或降低匹配得分下限"),
    }
    return ways.get(row["easing"], "–") % asked


def rule_name(rule: str | None) -> str:
    """The name of a rule: one of the plan's own in words."""
    return say(f"rule.{rule}", page_language()) if rule in ("per_organisation", "contacts") else rule or ""


# ── chains ──


def _gaps(seat: Seat, rows: list[dict[str, Any]]) -> list[list[Any]]:
    names = labels("products", [r["product_id"] for r in rows])
    return [
        [
            Cell(names.get(r["product_id"], r["product_id"]), seat.url("product", r["product_id"])),
            Cell(code("gap_kind", r["kind"])), Cell(r["chain"] or ""), Cell(r["segment"] or ""),
            figure(r["score"], digits=2), figure(r["buyers"], seat.url("product", r["product_id"]) + "#buyer"),
            figure(r["needs"], seat.url("product", r["product_id"]) + "#need"),
            figure(r["makers"], seat.url("product", r["product_id"]) + "#firms"),
        ]
        for r in rows
    ]  # fmt: skip


def _gap_rows(seat: Seat) -> pl.LazyFrame:
    gaps = seat.stored.result("gaps").with_columns(pl.col("chain", "segment").fill_null(""))
    return gaps.sort("rank", "product_id")


def _firms(seat: Seat, rows: list[dict[str, Any]]) -> list[list[Any]]:
    orgs = named(seat.actor, "organisations", [r["org_id"] for r in rows], seat.taken_at)
    names = labels("districts", [r["district_id"] for r in rows])
    return [[orgs[r["org_id"]], Cell(district(names, r["district_id"])), Cell(r["chain"] or "")] for r in rows]


def _firm_rows(seat: Seat) -> pl.LazyFrame:
    firms = seat.stored.ready("firms").select("org_id", "district_id", "chain").unique()
    return firms.with_columns(pl.col("chain", "district_id").fill_null("")).sort("org_id", "chain")


def _own(name: str, *order: str) -> Callable[[Seat], pl.LazyFrame]:
    def rows(seat: Seat) -> pl.LazyFrame:
        table = seat.own(seat.stored.ready(name))
        return table.sort(*order) if order else table

    return rows


def _loads_rows(seat: Seat) -> pl.LazyFrame:
    experts = seat.own(seat.stored.ready("experts"))
    return experts.sort(["assigned", "expert_id"], descending=[True, False])


LISTS: Final[Mapping[str, Listed]] = {
    "served": Listed(
        gettext_lazy("谁服务谁"), gettext_lazy("每一条专家指派。"), ("assigned",), _own("served"),
        ("district_id", "expert_district_id", "field", "expert_id"),
        lambda: (_("需求"), _("需求单位"), _("需求区县"), _("专家"), _("专家单位"), _("专家区县"), _("得分")), _served,
    ),
    "loads": Listed(
        gettext_lazy("专家负荷"), gettext_lazy("每位专家服务几项、能承接几项；再多一个名额可使总得分增加多少。"),
        ("loads",), _loads_rows, ("district_id", "field", "assigned"),
        lambda: (
            _("专家"), _("单位"), _("区县"), _("服务"), _("可承接"), _("别处已占"), _("名额"), _("多一个名额可增"),
        ), _loads,
    ),
    "unmet": Listed(
        gettext_lazy("未满足需求"), gettext_lazy("不是错误，而是答案：还需要动员哪些专家，放宽哪条规则最省。"),
        ("unmet",), _own("eased"), ("district_id", "field", "reason"),
        lambda: (_("需求"), _("单位"), _("区县"), _("尚缺专家"), _("原因"), _("最省的办法")), _unmet,
    ),
    "firms": Listed(
        gettext_lazy("产业链企业"), gettext_lazy("生产这条产业链上任一产品的本地企业。"), (), _firm_rows,
        ("chain", "district_id"), lambda: (_("企业"), _("区县"), _("产业链")), _firms,
    ),
}  # fmt: skip
GAPS: Final = Listed(
    gettext_lazy("产业链缺口"), "", ("gaps",), _gap_rows, ("kind", "chain"),
    lambda: (
        _("产品"), _("类型"), _("产业链"), _("环节"), _("得分"), _("可能采购企业"), _("点名需求"), _("本地企业"),
    ), _gaps,
)  # fmt: skip


def gaps_of_district(listed: Listed, one: str) -> Listed:
    """The list of gaps that touch a district."""

    def rows(seat: Seat) -> pl.LazyFrame:
        touching = seat.stored.ready("gap_districts").filter(district_id=one)
        return listed.rows(seat).join(touching.select("product_id"), on="product_id", how="semi", maintain_order="left")

    return Listed(listed.title, listed.intro, listed.needs, rows, listed.filters, listed.heads, listed.tell)
