"""Pages of matches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from silian.report._words import say
from silian.tables import schema
from silian.web.base.languages import page_language
from silian.web.base.log import log
from silian.web.catalog.records.reading import seen_or_404
from silian.web.runs.results import matching
from silian.web.runs.results.rules import Seat, seat_of
from silian.web.runs.results.stored import NONE

if TYPE_CHECKING:
    from django.http import HttpResponse

    from silian.web.base.requests import SignedIn


def opened(request: SignedIn, number: int | None, page: str) -> Seat:
    """What somebody sees of a run, and a line in the log that they looked."""
    seat = seat_of(request.actor, number)
    if seat.run is not None:
        log(request.actor, "runs.read", detail={"run": seat.run.pk, "page": page})
    return seat


def waiting_page(request: SignedIn, seat: Seat, title: str) -> HttpResponse | None:
    """What stands in the place of a page while there is no run, or it is not ready; None where there is."""
    if seat.run is not None and seat.stored.is_ready:
        return None
    return render(request, "runs/results/waiting.html", {"seat": seat, "title": title})


@login_required
@require_GET
def matches_page(request: SignedIn, number: int | None = None) -> HttpResponse:
    """Needs with the best answers to each."""
    seat = opened(request, number, "matches")
    if waiting := waiting_page(request, seat, _("需求匹配")):
        return waiting
    asked = matching.asked_of(request.GET)
    needs, count = matching.page_of_needs(seat, asked)
    offered = matching.facets(seat)
    shared: dict[str, Any] = {
        "seat": seat, "asked": asked, "rows": matching.rows_of(seat, asked.noun, needs), "count": count,
        "facets": [(name, _label(name), values, dict(asked.chosen).get(name, "")) for name, values in offered.items()],
        "is_run": seat.stored.has(f"{asked.noun.removesuffix('s')}_pairs"), "pages": -(-count // matching.PAGE),
        "states": [(s, _state(s), s == asked.state) for s in matching.STATES],
        "tabs": [(n, _noun(n), address(asked, noun=n), n == asked.noun) for n in matching.NOUNS],
        "chips": _chips(asked, offered), "query": address(asked),
        "previous": address(asked, page=asked.page - 1), "next": address(asked, page=asked.page + 1),
    }  # fmt: skip
    return render(request, "runs/results/matches.html", shared)


@login_required
@require_GET
def need_page(request: SignedIn, record_id: str, number: int | None = None) -> HttpResponse:
    """One need with all its answers."""
    seat = opened(request, number, "need")
    if waiting := waiting_page(request, seat, _("需求匹配")):
        return waiting
    need = seat.own(seat.stored.ready("needs")).filter(need_id=record_id).collect().to_dicts()
    if not need:
        raise Http404
    record = seen_or_404(request.actor, "needs", record_id)
    sides = [(noun, _noun(noun), matching.rows_of(seat, noun, need, most=None)[0]) for noun in matching.NOUNS]
    missing = [n for n in matching.NOUNS if not seat.stored.has(f"{n.removesuffix('s')}_pairs")]
    shared = {"seat": seat, "need": need[0], "record": record, "sides": sides, "missing": missing}
    return render(request, "runs/results/need.html", shared)


def address(asked: matching.Asked, *, but: str = "", noun: str = "", page: int = 1) -> str:
    """The query of a page of matches: what `matching.asked_of` reads.

    Examples
    --------
    >>> address(matching.Asked("experts", (("field", "food"),), score=0.2), but="field", page=2)
    'noun=experts&score=0.2&page=2'
    """
    told: dict[str, Any] = {"noun": noun or asked.noun, **dict(asked.chosen), "state": asked.state}
    told |= {"score": f"{asked.score:g}" if asked.score else "", "page": page if page > 1 else ""}
    told.pop(but, None)
    return urlencode({name: value for name, value in told.items() if value})


def _noun(noun: str) -> str:
    return schema.tables()[noun].label(page_language())


def _label(name: str) -> str:
    return {"district_id": _("区县"), "field": _("技术领域"), "industry": _("行业"), "kind": _("需求类型")}[name]


def _state(state: str) -> str:
    return {
        "matched": _("有匹配"), "unmatched": _("尚无匹配"), "unmet": _("尚缺专家"), "served": _("专家已足"),
    }[state]  # fmt: skip


def _chips(asked: matching.Asked, offered: dict[str, list[tuple[str, str]]]) -> list[tuple[str, str, str]]:
    """What is filtered by, each with the way out of it."""
    empty = {NONE: say("not_stated", page_language())}
    made = [
        (_label(n), (empty | dict(offered[n])).get(v, v), address(asked, but=n))
        for n, v in asked.chosen
        if n in offered
    ]
    if asked.state:
        made.append((_("状态"), _state(asked.state), address(asked, but="state")))
    if asked.score:
        made.append((_("得分不低于"), f"{asked.score:g}", address(asked, but="score")))
    return made
