"""Pages and files of the open data: what is offered, tables, the catalogue, records as linked data, EEN profiles."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_safe
from lxml import etree

from silian.tables import schema
from silian.web.base.actors import VISITOR
from silian.web.base.languages import first_clause, page_language
from silian.web.base.log import log
from silian.web.catalog.records.reading import seen_or_404
from silian.web.catalog.rules import may
from silian.web.standards import catalogue, een, forms, identity, linked, open_data, public, rdf
from silian.web.standards.oai import sources

if TYPE_CHECKING:
    from silian.web.base.requests import Request, SignedIn
    from silian.web.catalog.models import Record
    from silian.web.standards.public import Facts

Answer = TypeVar("Answer", HttpResponse, StreamingHttpResponse, JsonResponse)
ORIGINALS: Final = ("title", "text", "partners_wanted")  # what a profile tells in English
VALID: Final = timedelta(days=365)  # of a profile


class Offered(NamedTuple):
    """A table of the open data on the page that lists them."""

    noun: str
    name: str
    meaning: str
    number: int


@require_safe
def standards_page(request: Request) -> HttpResponse:
    """What is offered to other systems, where, and how much of it. Cost: one query a noun."""
    language, tables = page_language(), schema.tables()
    rows = []
    for noun in public.OPEN:
        table = tables[noun]
        meaning = table.meaning if language == "en" else table.meaning_zh
        rows.append(Offered(noun, table.label(language), first_clause(meaning), public.records(noun).count()))
    oai = identity.address(reverse("oai"))
    first = public.records("organisations").order_by("pk").values_list("pk", flat=True).first()
    shared: dict[str, Any] = {
        "rows": rows, "total": sum(row.number for row in rows), "oai": oai, "publisher": identity.publisher(),
        "licence": identity.licence(), "sets": sources.SETS,
        "asked": (
            f"{oai}?verb=Identify", f"{oai}?verb=ListRecords&metadataPrefix=oai_dc&set=openaire_cris_orgunits",
            f"{oai}?verb=ListRecords&metadataPrefix=oai_cerif_openaire&from={timezone.now():%Y-%m-%d}",
        ),
        "catalogues": [(form, identity.address(reverse("dcat", args=[form]))) for form in rdf.FORMS],
        "sample": identity.address(reverse("record_jsonld", args=["organisations", first])) if first else "",
    }  # fmt: skip
    return render(request, "standards/standards.html", shared)


@require_safe
def dcat(request: Request, form: str) -> HttpResponse:
    """The catalogue of the open data."""
    del request
    if form not in rdf.FORMS:
        raise Http404
    media, write = rdf.FORMS[form]
    return _open_to_all(HttpResponse(write(catalogue.catalogue()), content_type=media))


@require_safe
def open_csv(request: Request, noun: str) -> StreamingHttpResponse:
    """The open part of a noun, whole."""
    del request
    if noun not in public.OPEN:
        raise Http404
    response = StreamingHttpResponse(open_data.csv_of(noun), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{noun}.csv"'
    about = reverse("open_documentation", args=[noun])
    response["Link"] = f'<{about}>; rel="describedby"; type="application/csvm+json"'
    return _open_to_all(response)


@require_safe
def open_documentation(request: Request, noun: str) -> JsonResponse:
    """What the columns of the open part of a noun mean."""
    del request
    if noun not in public.OPEN:
        raise Http404
    told = open_data.documentation(noun)
    return _open_to_all(JsonResponse(told, json_dumps_params={"ensure_ascii": False, "indent": 1},
                                     content_type="application/csvm+json"))  # fmt: skip


@require_safe
def record_jsonld(request: Request, noun: str, record_id: str) -> HttpResponse:
    """A published record as linked data: the same for whoever asks."""
    del request
    if noun not in linked.NOUNS:
        raise Http404
    record = seen_or_404(VISITOR, noun, record_id)
    if record.record_id != record_id:
        return redirect("record_jsonld", noun, record.record_id)
    return forms.alone(record)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def een_page(request: SignedIn, noun: str, record_id: str) -> HttpResponse:
    """The profile of a need or achievement: what the record says of it, what is lacking; sent, its XML."""
    record = _kept(request, noun, record_id)
    facts = public.facts_of(record)
    form = een.Profile(request.POST or None, initial=een.initial(facts))
    shared: dict[str, Any] = {
        "form": form, "record": record, "noun": noun, "fits": bool(een.type_of(facts)),
        "originals": _originals(facts),
        "is_published": forms.is_open(record), "lacking": een.lacking(form) if not form.is_bound else [],
    }  # fmt: skip
    if request.method == "POST" and shared["is_published"] and form.is_valid():
        return _profile(request, record, facts, form.cleaned_data)
    return render(request, "standards/een.html", shared, status=422 if form.errors else 200)


def _originals(facts: Facts) -> list[tuple[str, str]]:
    """What is to be said in English, as it stands in the record."""
    table, language = schema.tables()[facts.noun], page_language()
    return [(table[name].label(language), facts.get(name)) for name in ORIGINALS if facts.get(name)]


def _kept(request: SignedIn, noun: str, record_id: str) -> Record:
    if noun not in ("needs", "achievements"):
        raise Http404
    record = seen_or_404(request.actor, noun, record_id)
    if not may(request.actor, "edit", record):
        raise PermissionDenied
    return record


def _profile(request: SignedIn, record: Record, facts: Facts, given: dict[str, Any]) -> HttpResponse:
    owner = facts.get("org_id")
    found = public.records("organisations").filter(pk=owner).select_related("place").first() if owner else None
    organisation = public.facts_of(found) if found else None
    written = een.profile(facts, given, organisation=organisation, until=timezone.localdate() + VALID)
    een.schema_of_profiles().assertValid(etree.fromstring(written))
    log(
        request.actor,
        f"{record.noun}.een",
        noun=record.noun,
        record_id=record.record_id,
        detail={"type": given["type"]},
    )
    response = HttpResponse(written, content_type="application/xml")
    name = content_disposition_header(as_attachment=True, filename=f"EEN-{record.record_id}.xml")
    response["Content-Disposition"] = name or "attachment"
    return response


def _open_to_all(response: Answer) -> Answer:
    response["Access-Control-Allow-Origin"] = "*"  # what is public here is public everywhere
    return response
