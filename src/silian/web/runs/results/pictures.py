"""Pictures of a run, each with the table that it shows: drawn from what is stored, in the language of the page."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlencode

import polars as pl
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from silian.report import svg, views
from silian.report._words import say
from silian.tables import schema
from silian.web.base.languages import page_language
from silian.web.runs.results.names import labels, named
from silian.web.runs.results.reasons import Open
from silian.web.runs.results.stored import NONE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from silian.web.runs.results.rules import Seat

MOST: Final = 14  # rows of a picture of bars, rows and columns of a matrix; its table has all
ROWS: Final = 200  # of the table beside a picture
SIGNS: Final = {  # of reasons why a need is unmet, for eyes that miss colours; their words do not fit beside a bar
    "no_candidate": "×", "capacity": "○", "conflict": "△", "at_most": "□", "apart": "◇", "veto": "▽", "cap": "◐",
}  # fmt: skip
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would take for one


class Cell(NamedTuple):
    """What a table beside a picture says."""

    text: str
    href: str = ""
    is_figure: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture and the table that it shows."""

    name: str
    title: str
    note: str
    drawn: str  # SVG; empty where there is nothing to draw
    heads: tuple[str, ...]
    rows: list[list[Cell]]
    query: str = ""  # of the addresses of its files

    def body(self) -> str:
        """The rows of the table as HTML, each cell with the head that it says on a phone."""
        return "".join(f"<tr>{self._row(row)}</tr>" for row in self.rows[:ROWS])

    def _row(self, row: Sequence[Cell]) -> str:
        made = []
        for place, (head, cell) in enumerate(zip(self.heads, row, strict=True)):
            text = escape(cell.text)
            told = f'<a href="{escape(cell.href)}">{text}</a>' if cell.href else text
            kind = ' class="figure"' if cell.is_figure else ""
            if place:
                made.append(f'<td data-label="{escape(str(head))}"{kind}>{told}</td>')
            else:
                made.append(f'<th scope="row">{told}</th>')
        return "".join(made)

    def csv(self) -> bytes:
        """The table as CSV that a spreadsheet opens: UTF-8 with its mark, no text taken for a formula."""
        out = io.StringIO()
        write = csv.writer(out, lineterminator="\r\n")
        write.writerow(self.heads)
        for row in self.rows:
            write.writerow([_plain(cell) for cell in row])
        return b"\xef\xbb\xbf" + out.getvalue().encode()


def _plain(cell: Cell) -> str:
    text = cell.text.replace(",", "").replace("\u00a0", "") if cell.is_figure else cell.text
    return f"'{text}" if not cell.is_figure and text.startswith(FORMULA) else text


def figure(number: float | None, href: str = "", *, digits: int = 0) -> Cell:
    """A number of a table, and the list that it counts."""
    return Cell(told(number, digits), href if number else "", is_figure=True)


def told(number: float | None, digits: int = 0) -> str:
    """A number as people read it; a dash where it is not known."""
    if number is None:
        return "–"
    return f"{number:.{digits}f}" if digits else str(number_format(round(number), use_l10n=True, force_grouping=True))


def percent(share: float | None) -> str:
    """A share as people read it."""
    return "–" if share is None else f"{100 * share:.0f}%"


def share_of(share: float | None, href: str = "") -> Cell:
    """A share of a table, and the page that it leads to."""
    return Cell(percent(share), href, is_figure=True)


def code(of: str, value: str | None) -> str:
    """The name of a code."""
    pair = schema.codes()[of].get(value or "")
    return pair[page_language() == "en"] if pair else value or say("not_stated", page_language())


def district(names: Mapping[str, str], one: str | None) -> str:
    """The name of a district; its id where it is no longer there."""
    return names.get(one, one) if one else say("not_stated", page_language())


def made(name: str, drawn: str, heads: Sequence[str], rows: list[list[Cell]], *, query: str = "") -> Picture:
    """A picture with the title and note of the report."""
    language = page_language()
    title, note = say(f"chart.{name}", language), say(f"chart.{name}.note", language)
    return Picture(name, title, note, drawn if rows else "", tuple(heads), rows, query)


def link(seat: Seat, name: str, **query: Any) -> str:
    """The address of a list of the run; an empty text asks for what is not stated."""
    asked = urlencode({key: NONE if value == "" else value for key, value in query.items() if value is not None})
    return seat.url(name) + (f"?{asked}" if asked else "")


# ── assignment ──


def load_spread(seat: Seat, _asked: Mapping[str, str]) -> Picture:
    """How many experts serve no need, one need and so on."""
    experts_of = seat.own(seat.stored.ready("experts"))
    table = experts_of.group_by("assigned").agg(experts=pl.len()).sort("assigned").collect()
    rows, bars = [], []
    for assigned, experts in table.rows():
        href = link(seat, "loads", assigned=assigned)
        name = _("服务 %(count)s 项") % {"count": told(assigned)}
        bars.append(svg.Bar(name, experts, told(experts), href=href))
        rows.append([Cell(name), figure(experts, href)])
    drawn = svg.bars(bars[:MOST], label=say("chart.load_spread", page_language()))
    return made("load_spread", drawn, (_("服务的需求"), _("专家数")), rows)


def served_between(seat: Seat, _asked: Mapping[str, str]) -> Picture:
    """Assignments from the district of the expert to that of the need."""
    table = seat.stored.ready("served_between").collect()
    if seat.districts is not None:
        table = table.filter(pl.col("need_district_id").is_in(sorted(seat.districts)))
    names = labels("districts", {*table["need_district_id"], *table["expert_district_id"]})
    down, across = (_busiest(table, c, "assigned") for c in ("need_district_id", "expert_district_id"))
    rows, cells = [], {}
    for need, expert, count in table.rows():
        href = link(seat, "served", district_id=need, expert_district_id=expert)
        pair = f"{district(names, need)} ← {district(names, expert)}"
        if need in down and expert in across:
            cells[down.index(need), across.index(expert)] = svg.Mark(pair, told(count), count, href)
        rows.append([Cell(district(names, need)), Cell(district(names, expert)), figure(count, href)])
    shown = ([district(names, d) for d in down], [district(names, d) for d in across])
    drawn = svg.matrix(*shown, cells, label=say("chart.served_between", page_language()))
    return made("served_between", drawn, (_("需求所在区县"), _("专家所在区县"), _("人次")), rows)


def unmet(seat: Seat, _asked: Mapping[str, str]) -> Picture:
    """Needs that lack experts, by field and reason."""
    table = seat.stored.ready("unmet_by_field").collect()
    if seat.districts is not None:  # of the needs that the person looks after
        own = seat.own(seat.stored.ready("eased")).with_columns(pl.col("field").fill_null(""))
        counts = own.group_by("field", "reason").agg(needs=pl.len(), missing=pl.col("missing").sum())
        table = counts.sort("needs", "field", "reason", descending=[True, False, False]).collect()
    rows, bars = [], []
    for field, reason, needs, missing in table.select("field", "reason", "needs", "missing").rows():
        href = link(seat, "unmet", field=field, reason=reason)
        state = "break" if reason == "no_candidate" else "blank"
        name = f"{SIGNS.get(reason, '·')} {code('field', field)}"
        bars.append(svg.Bar(name, needs, told(needs), href=href, state=state))
        rows.append(
            [Cell(code("field", field)), Cell(code("unmet_reason", reason)), figure(needs, href), figure(missing)]
        )
    drawn = svg.bars(bars[:MOST], label=say("chart.unmet", page_language()))
    found = made("unmet", drawn, (_("技术领域"), _("原因"), _("需求数"), _("尚缺专家")), rows)
    key = "".join(
        f"；{SIGNS.get(reason, '·')} {code('unmet_reason', reason)}"
        for reason in table["reason"].unique(maintain_order=True)
    )
    return replace(found, note=found.note + (key if page_language() == "zh" else key.replace("；", "; ")))


def worst_served(seat: Seat, _asked: Mapping[str, str]) -> Picture:
    """The ten needs that got the smallest share of what they could get alone, and what stands in the way."""
    served = seat.stored.result("served").join(
        seat.stored.ready("needs").select("need_id", "district_id"), on="need_id"
    )
    table = views.worst_served(seat.own(served).collect())
    needs = named(seat.actor, "needs", table["need_id"].to_list(), seat.taken_at)
    reasons = dict(seat.stored.ready("eased").select("need_id", "reason").collect().rows())
    rows, bars, read = [], [], Open(seat.actor, ("needs",), ())
    for row in table.to_dicts():
        need, href = needs[row["need_id"]], seat.url("match", row["need_id"])
        share, reason = percent(row["reached_share"]), reasons.get(row["need_id"])
        why = code("unmet_reason", reason) if reason else _("更合适的专家服务了其他需求")
        bars.append(svg.Bar(need.name, row["score"], share, outer=row["reachable"], href=href))
        wanted = row["wanted"] if "experts_wanted" in read.of(need.record) else None
        counts = [figure(wanted), figure(row["assigned"]), figure(row["score"], digits=2)]
        rows.append(
            [
                Cell(need.name, href),
                *counts,
                figure(row["reachable"], digits=2),
                share_of(row["reached_share"]),
                Cell(why),
            ]
        )
    drawn = svg.bars(bars, label=say("chart.worst_served", page_language()))
    heads = (_("需求"), _("所需专家"), _("已派专家"), _("所得得分"), _("单独可得"), _("达成率"), _("原因"))
    return made("worst_served", drawn, heads, rows)


def fairness_curve(seat: Seat, _asked: Mapping[str, str]) -> Picture:
    """What a floor under the score of every need costs in total score."""
    table = seat.stored.ready("fairness").collect()
    language = page_language()
    points, rows = [], []
    for row in table.to_dicts():
        cost = percent(row["price_share"])
        words = f"{row['worst']:.2f} → {row['total']:.2f} (−{cost})"
        points.append((row["worst"], row["total"], row["is_run"], words))
        here = say("here.run", language) if row["is_run"] else ""
        scores = [figure(row["worst"], digits=2), figure(row["total"], digits=2)]
        rows.append([*scores, share_of(row["price_share"]), Cell(here)])
    axes = {"across": say("axis.worst_score", language), "up": say("axis.total_score", language)}
    drawn = svg.curve(points, label=say("chart.fairness_curve", language), **axes)
    heads = (_("最低得分"), _("总得分"), _("减少"), _("位置"))
    return made("fairness_curve", drawn, heads, rows)


def district_balance(seat: Seat, _asked: Mapping[str, str]) -> Picture:
    """What the needs of each district wanted and got, the worst served first."""
    table = views.balance(seat.own(seat.stored.result("district_balance")).collect())
    names = labels("districts", table["district_id"].to_list())
    rows, bars = [], []
    for row in table.to_dicts():
        one, share = row["district_id"], percent(row["served_share"])
        name, href = district(names, one), link(seat, "matches", noun="experts", district_id=one)
        words = f"{told(row['experts_assigned'])} / {told(row['experts_wanted'])} · {share}"
        bars.append(svg.Bar(name, row["experts_assigned"], words, outer=row["experts_wanted"], href=href))
        got = figure(row["experts_assigned"], link(seat, "served", district_id=one))
        rows.append([Cell(name, href), figure(row["experts_wanted"]), got, share_of(row["served_share"])])
    drawn = svg.bars(bars[:MOST], label=say("chart.district_balance", page_language()))
    return made("district_balance", drawn, (_("区县"), _("所需专家"), _("已派专家"), _("满足率")), rows)


def _busiest(table: pl.DataFrame, column: str, count: str) -> list[str]:
    """The values of a column with most, in the order of their ids."""
    most = table.group_by(column).agg(pl.col(count).sum()).sort([count, column], descending=[True, False])
    return sorted(most[column].head(MOST).to_list())


ASSIGNMENT: Final[Mapping[str, Callable[[Seat, Mapping[str, str]], Picture]]] = {
    "unmet": unmet,
    "worst_served": worst_served,
    "district_balance": district_balance,
    "served_between": served_between,
    "load_spread": load_spread,
    "fairness_curve": fairness_curve,
}
