"""Pages of duplicates: what there is already while somebody types, reports, pairs and what is decided of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from silian.tables import schema
from silian.web.base.models import Place
from silian.web.catalog.changing import plain
from silian.web.catalog.duplicates import likely, reports
from silian.web.catalog.duplicates.blocking import HEADINGS
from silian.web.catalog.duplicates.merge_views import address
from silian.web.catalog.duplicates.merging import better
from silian.web.catalog.duplicates.reports import Asked
from silian.web.catalog.duplicates.tasks import ask_report
from silian.web.catalog.models import MODELS, DuplicatePair, DuplicateReport, Reason
from silian.web.catalog.rules import STEWARDS, may

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpResponse, QueryDict

    from silian.web.base.requests import SignedIn
    from silian.web.catalog.models import Record

PAGE: Final = 25
LATEST: Final = 10  # reports that are listed
LEAST: Final = (0.0, 0.75, 0.9)  # choices of the least confidence


@login_required
@require_POST  # it changes nothing, but what is typed has no place in an address
def likely_part(request: SignedIn, noun: str) -> HttpResponse:
    """Records that are likely the one that is being typed: a part of the form."""
    if noun not in HEADINGS:
        raise Http404
    actor = request.actor
    if not (actor.orgs or actor.expert_id or any(actor.holds(role) for role in STEWARDS)):
        raise PermissionDenied
    texts = {str(name): "；".join(map(str, values)) for name, values in request.POST.lists()}
    values = likely.typed(noun, texts)
    warned = likely.warn(actor, noun, values, but=request.POST.get("but", "").replace("\0", ""))
    return render(request, "catalog/duplicate_likely.html", {"noun": noun, "warned": warned})


@login_required
def report_list(request: SignedIn) -> HttpResponse:
    """Have a place looked through; how far reports are."""
    places = _places(request)
    if request.method == "POST":
        noun, place = request.POST.get("noun", ""), places.filter(pk=request.POST.get("place", "")[:40]).first()
        if noun in HEADINGS and place is not None:
            report = ask_report(request.actor, noun, place)
            return redirect("duplicate_report", report.pk)
        messages.error(request, _("请选择内容和范围。"))
        return redirect("duplicates")
    reports = DuplicateReport.objects.filter(place__in=places).select_related("place").order_by("-pk")[:LATEST]
    shared = {
        "nouns": [(noun, schema.tables()[noun]) for noun in HEADINGS], "places": places,
        "reports": [(report, schema.tables()[report.noun]) for report in reports],
    }  # fmt: skip
    return render(request, "catalog/duplicates.html", shared)


@login_required
def report_page(request: SignedIn, number: int) -> HttpResponse:
    """How far a report is; at its end its pairs."""
    report = DuplicateReport.objects.filter(pk=number, place__in=_places(request)).select_related("place").first()
    if report is None:
        raise Http404
    part = "catalog/duplicate_progress.html" if request.htmx else "catalog/duplicate_report.html"
    return render(request, part, {"report": report, "table": schema.tables()[report.noun]})


@login_required
def pair_list(request: SignedIn, noun: str) -> HttpResponse:
    """Pairs of a noun to decide."""
    places = _places(request)
    if noun not in HEADINGS:
        raise Http404
    asked = _asked(noun, request.GET)
    page = Paginator(reports.pairs_of(request.actor, asked), PAGE).get_page(request.GET.get("page"))
    wanted = {record_id for pair in page for record_id in (pair.left_id, pair.right_id)}
    records = MODELS[noun].objects.in_bulk(list(wanted))
    pairs = [(pair, records[pair.left_id], records[pair.right_id], _reasons(pair)) for pair in page]
    chosen = {"place": asked.place, "decision": asked.decision, "reason": asked.reason, "least": asked.least or ""}
    shared = {
        "noun": noun, "table": schema.tables()[noun], "asked": asked, "page": page, "pairs": pairs, "places": places,
        "decisions": DuplicatePair.Decision.choices, "reasons": Reason.choices, "levels": LEAST,
        "query": urlencode({name: value for name, value in chosen.items() if value}),
        "nouns": [(name, schema.tables()[name]) for name in HEADINGS],
    }  # fmt: skip
    return render(request, "catalog/duplicate_pairs.html", shared)


@login_required
def pair_page(request: SignedIn, number: int) -> HttpResponse:
    """Two records side by side; by POST what is decided of them."""
    pair = DuplicatePair.objects.filter(pk=number).first()
    records = MODELS[pair.noun].objects.select_related("place").in_bulk([pair.left_id, pair.right_id]) if pair else {}
    if pair is None or len(records) < 2 or not all(may(request.actor, "merge", record) for record in records.values()):
        raise Http404
    if request.method == "POST":
        decision = request.POST.get("decision", "")
        if decision in DuplicatePair.Decision.values:
            reports.decide(request.actor, pair, decision)
            messages.success(request, _("已记录。可在“不是同一个”或“以后再说”中改回。"))
        return redirect("duplicate_pairs", pair.noun)
    kept, gone = better(records[pair.left_id], records[pair.right_id])
    shared = {
        "pair": pair, "noun": pair.noun, "table": kept.table, "kept": kept, "gone": gone, "reasons": _reasons(pair),
        "lines": _lines(kept, gone), "merge": address(kept, gone), "group": _group(request, pair),
    }  # fmt: skip
    return render(request, "catalog/duplicate_pair.html", shared)


def _places(request: SignedIn) -> QuerySet[Place]:
    """The places whose records the person looks after, from above down."""
    paths = request.actor.paths(STEWARDS)
    if not paths:
        raise PermissionDenied
    inside = Q(pk__in=[])
    for path in paths:
        inside |= Q(path__startswith=path)
    return Place.objects.filter(inside).order_by("path")


def _asked(noun: str, given: QueryDict) -> Asked:
    decision, reason, least = given.get("decision", ""), given.get("reason", ""), given.get("least", "")
    return Asked(
        noun,
        place=given.get("place", "")[:40].replace("\0", ""),
        decision=decision if decision in DuplicatePair.Decision.values else DuplicatePair.Decision.OPEN,
        reason=reason if reason in Reason.values else "",
        least=next((level for level in LEAST if str(level) == least), 0.0),
    )


def _reasons(pair: DuplicatePair) -> list[Reason]:
    return [Reason(value) for value in pair.reasons if value in Reason.values]


def _lines(kept: Record, gone: Record) -> list[tuple[schema.Column, Any, Any, bool]]:
    """Columns of two records that either has filled, those that differ first."""
    mine, theirs = plain(kept), plain(gone)
    rows = [(c, mine[c.name], theirs[c.name], mine[c.name] != theirs[c.name]) for c in kept.table.columns]
    return sorted((row for row in rows if row[1] is not None or row[2] is not None), key=lambda row: not row[3])


def _group(request: SignedIn, pair: DuplicatePair) -> list[DuplicatePair]:
    """Other pairs to decide that hang together with this one."""
    open_ones = reports.pairs_of(request.actor, Asked(pair.noun))
    return list(open_ones.filter(group_id=pair.group_id).exclude(pk=pair.pk)[:PAGE])
