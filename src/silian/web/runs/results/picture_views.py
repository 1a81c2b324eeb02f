"""Pages of the assignment, the chains and the districts: pictures with their tables, and the lists behind numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import polars as pl
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from silian.report import svg
from silian.report._words import say
from silian.tables import schema
from silian.web.base.languages import page_language
from silian.web.runs.results import lists, pictures, products
from silian.web.runs.results.chain_pictures import CHAINS, FIGURES, PICTURES, district_map, ranking
from silian.web.runs.results.names import labels
from silian.web.runs.results.stored import NONE
from silian.web.runs.results.views import opened, waiting_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from silian.web.base.requests import SignedIn
    from silian.web.runs.results.rules import Seat

# result tables without which a picture has nothing to show
RESTS_ON: Final = {
    "unmet": "unmet", "worst_served": "served", "district_balance": "district_balance", "served_between": "assigned",
    "load_spread": "loads", "fairness_curve": "fairness_curve", "chain_map": "gaps", "gap_ranking": "gaps",
}  # fmt: skip


@login_required
@require_GET
def assignment_page(request: SignedIn, number: int | None = None) -> HttpResponse:
    """The assignment of experts in short, in pictures, and where to read more."""
    seat = opened(request, number, "assignment")
    if waiting := waiting_page(request, seat, _("专家指派")):
        return waiting
    is_run = seat.stored.has("assigned", "proof")
    shared = {
        "seat": seat, "is_run": is_run, "tallies": _tallies(seat) if is_run else [],
        "proof": _proof(seat) if is_run else "",
        "drawn": _drawn(seat, pictures.ASSIGNMENT, request.GET) if is_run else [],
    }  # fmt: skip
    return render(request, "runs/results/assignment.html", shared)


@login_required
@require_GET
def gaps_page(request: SignedIn, number: int | None = None) -> HttpResponse:
    """The chains: their map, the ranking of gaps, where the firms are."""
    seat = opened(request, number, "gaps")
    if waiting := waiting_page(request, seat, _("产业链缺口")):
        return waiting
    is_run, at = seat.stored.has("gaps"), request.GET.get("district_id", "")[: lists.LONGEST]
    listed = lists.gaps_of_district(lists.GAPS, at) if at else lists.GAPS
    page = lists.page_of_list(seat, listed, request.GET)
    graphs = seat.stored.drawn("chains").get("graphs", {})
    chain = page.chosen.get("chain", "")
    kinds = [(k, words[page_language() == "en"]) for k, words in schema.codes()["gap_kind"].items()]
    shared = {
        "seat": seat, "is_run": is_run, "page": page, "heads": listed.heads(), "kinds": kinds, "chain": chain,
        "chains": sorted(one for one in graphs if one), "drawn": _drawn(seat, CHAINS, request.GET) if is_run else [],
        "kind": page.chosen.get("kind", ""), "at": at, "place": labels("districts", [at]).get(at, at) if at else "",
        **_paged(page, request.GET, (*listed.filters, "district_id")),
    }  # fmt: skip
    return render(request, "runs/results/gaps.html", shared)


@login_required
@require_GET
def product_page(request: SignedIn, record_id: str, number: int | None = None) -> HttpResponse:
    """One product of the chains, and its gap."""
    seat = opened(request, number, "product")
    if waiting := waiting_page(request, seat, _("产业链缺口")):
        return waiting
    product = products.product_of(seat, record_id)
    if product is None:
        raise Http404
    shared = {
        "seat": seat, "product": product, "name": labels("products", [record_id]).get(record_id, record_id),
        "state": say(f"state.{product['state']}", page_language()), "sections": products.sections_of(seat, record_id),
        "figures": products.figures_of(product["gap"]) if product["gap"] else [],
    }  # fmt: skip
    return render(request, "runs/results/product.html", shared)


@login_required
@require_GET
def districts_page(request: SignedIn, number: int | None = None) -> HttpResponse:
    """The districts on the region's own map, coloured by a figure."""
    seat = opened(request, number, "districts")
    if waiting := waiting_page(request, seat, _("区县地图")):
        return waiting
    picture = district_map(seat, request.GET)
    at = request.GET.get("at", "")[: lists.LONGEST]
    row = next((r for r in picture.rows if at and r[0].href.endswith(urlencode({"at": at}))), None)
    chosen = request.GET.get("figure", "") if request.GET.get("figure") in FIGURES else "served"
    shared = {
        "seat": seat, "picture": _shown(seat, picture), "chosen": chosen, "at": at,
        "figures": [(name, one.name) for name, one in FIGURES.items()],
        "panel": list(zip(picture.heads[1:], row[1:], strict=True)) if row else [], "place": row[0].text if row else "",
        "ranking": [] if row else ranking(seat, chosen),
        "is_run": seat.stored.has("district_balance"), "has_map": bool(seat.stored.drawn("districts")),
    }  # fmt: skip
    return render(request, "runs/results/districts.html", shared)


def listed_page(request: SignedIn, name: str, number: int | None = None) -> HttpResponse:
    """A list behind a number."""
    seat = opened(request, number, name)
    listed = lists.LISTS[name]
    if waiting := waiting_page(request, seat, str(listed.title)):
        return waiting
    page = lists.page_of_list(seat, listed, request.GET)
    shared = {
        "seat": seat, "listed": listed, "page": page, "heads": listed.heads(), "is_run": seat.stored.has(*listed.needs),
        "chips": _chips(page), "is_firms": name == "firms", "name": name, **_paged(page, request.GET, listed.filters),
    }  # fmt: skip
    return render(request, "runs/results/list.html", shared)


@login_required
@require_GET
def served_list(request: SignedIn, number: int | None = None) -> HttpResponse:
    """Who serves whom."""
    return listed_page(request, "served", number)


@login_required
@require_GET
def loads_list(request: SignedIn, number: int | None = None) -> HttpResponse:
    """How much each expert serves."""
    return listed_page(request, "loads", number)


@login_required
@require_GET
def unmet_list(request: SignedIn, number: int | None = None) -> HttpResponse:
    """Needs that lack experts, and what would help."""
    return listed_page(request, "unmet", number)


@login_required
@require_GET
def firms_list(request: SignedIn, number: int | None = None) -> HttpResponse:
    """Firms of a chain."""
    return listed_page(request, "firms", number)


@login_required
@require_GET
def picture_file(request: SignedIn, name: str, form: str, number: int | None = None) -> HttpResponse:
    """A picture as SVG, or its table as CSV."""
    seat = opened(request, number, "file")
    if name not in PICTURES or form not in ("svg", "csv") or seat.run is None or not seat.stored.is_ready:
        raise Http404
    picture = PICTURES[name](seat, request.GET)
    if form == "csv":
        content, kind = picture.csv(), "text/csv; charset=utf-8"
    elif picture.drawn:
        content, kind = svg.standalone(picture.drawn).encode(), "image/svg+xml"
    else:
        raise Http404
    answer = HttpResponse(content, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}-{seat.run.pk}.{form}"'
    return answer


def _drawn(seat: Seat, which: Mapping[str, Any], asked: Mapping[str, str]) -> list[dict[str, Any]]:
    """Pictures with what their frame needs; of a step that was not run, the words instead."""
    found = []
    for name, draw in which.items():
        if name in RESTS_ON and not seat.stored.has(RESTS_ON[name]):
            title = say(f"chart.{name}", page_language())
            found.append({"name": name, "title": title, "is_run": False})
        else:
            found.append(_shown(seat, draw(seat, asked)))
    return found


def _shown(seat: Seat, picture: pictures.Picture) -> dict[str, Any]:
    files = {form: seat.url("picture", picture.name, form) for form in ("svg", "csv")}
    asked = f"?{picture.query}" if picture.query else ""
    return {
        "name": picture.name, "title": picture.title, "note": picture.note, "is_run": True,
        "heads": [(head, bool(picture.rows) and picture.rows[0][n].is_figure) for n, head in enumerate(picture.heads)],
        "svg": mark_safe(picture.drawn),  # noqa: S308 – `report.svg` escapes every text
        "rows": bool(picture.rows), "body": mark_safe(picture.body()),  # noqa: S308 – every text is escaped there
        "left": max(0, len(picture.rows) - pictures.ROWS),
        "svg_file": files["svg"] + asked, "csv_file": files["csv"] + asked,
    }  # fmt: skip


def _tallies(seat: Seat) -> list[tuple[str, pictures.Cell]]:
    """The figures that matter first: of the whole run, or of the needs that the person looks after."""
    needs = seat.own(seat.stored.ready("needs"))
    asked = needs.select(
        pl.col("wanted").fill_null(0).sum().alias("wanted"), pl.col("assigned").fill_null(0).sum().alias("assigned"),
        (pl.col("missing") > 0).sum().alias("unmet"),
    ).collect().row(0, named=True)  # fmt: skip
    share = asked["assigned"] / asked["wanted"] if asked["wanted"] else None
    return [
        (_("所需专家人次"), pictures.figure(asked["wanted"], seat.url("matches") + "?noun=experts")),
        (_("已派专家人次"), pictures.figure(asked["assigned"], seat.url("served"))),
        (_("满足率"), pictures.share_of(share, seat.url("districts") + "?figure=served")),
        (_("尚缺专家的需求"), pictures.figure(asked["unmet"], seat.url("unmet"))),
        (schema.tables()["experts"].label(page_language()), pictures.figure(
            seat.own(seat.stored.ready("experts")).select(pl.len()).collect().item(), seat.url("loads")
        )),
    ]  # fmt: skip


def _proof(seat: Seat) -> str:
    """What was sought and what is proved, in sentences."""
    row, language = seat.stored.result("proof").collect().row(0, named=True), page_language()
    said = []
    if row["floor"] is None:
        said.append(say("proof.total", language))
    else:
        values = {"protected": row["protected"] or 0, "floor": f"{row['floor']:.2f}"}
        said.append(say("proof.fair", language, **values))
    if row["is_optimal"]:
        key = "proof.best" if row["floor"] is None else "proof.best_above"
        said.append(say(key, language, total=f"{row['total']:.2f}"))
    else:
        values = {n: f"{row[n]:.2f}" for n in ("total", "bound", "gap")}
        said.append(say("proof.gap", language, **values, share=pictures.percent(row["gap"] / (row["total"] or 1.0))))
    if row["smallest_score"]:
        said.append(say("proof.smallest", language, score=f"{row['smallest_score']:.2f}"))
    return (" " if language == "en" else "").join(said)


def _chips(page: lists.Page) -> list[tuple[str, str, str]]:
    """What a list is filtered by, each with the way out of it."""
    made = []
    for name, value in page.chosen.items():
        rest = urlencode({other: own for other, own in page.chosen.items() if other != name})
        made.append((_filter_name(name), _filter_value(name, value), rest))
    return made


def _filter_name(name: str) -> str:
    return {
        "district_id": _("区县"), "expert_district_id": _("专家区县"), "field": _("技术领域"), "expert_id": _("专家"),
        "assigned": _("服务的需求"), "reason": _("原因"), "chain": _("产业链"), "kind": _("类型"),
    }[name]  # fmt: skip


def _filter_value(name: str, value: str) -> str:
    if name in ("district_id", "expert_district_id") and value != NONE:
        return labels("districts", [value]).get(value, value)
    if value == NONE:
        return say("not_stated", page_language())
    of = {"field": "field", "reason": "unmet_reason", "kind": "gap_kind"}.get(name)
    return pictures.code(of, value) if of else value


def _paged(page: lists.Page, given: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """The queries of the pages before and after."""
    kept = {name: given[name][: lists.LONGEST] for name in names if given.get(name)}
    return {
        "query": urlencode(kept), "previous": urlencode({**kept, "page": page.page - 1}),
        "next": urlencode({**kept, "page": page.page + 1}),
    }  # fmt: skip
