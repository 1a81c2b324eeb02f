"""Lists of the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.http import Http404
from django.shortcuts import render

from silian.tables import schema
from silian.web.base.languages import page_language
from silian.web.catalog.queries import FACES, PAGE, Asked, listed

if TYPE_CHECKING:
    from django.http import HttpResponse

    from silian.web.base.requests import Request


def list_page(request: Request, noun: str) -> HttpResponse:
    """The records of a noun."""
    face = FACES.get(noun)
    if face is None:
        raise Http404
    actor = request.actor
    chosen = {name: request.GET[name] for name in face.facets if request.GET.get(name)}
    number = request.GET.get("page", "1")
    asked = Asked(chosen, request.GET.get("q", "").strip()[:200], max(1, int(number)) if number.isdecimal() else 1)
    found = listed(actor, face, asked, page_language())
    table = schema.tables()[noun]
    shared = {
        "table": table, "face": face, "found": found, "asked": asked, "page_size": PAGE,
        "columns": [table[name] for name in face.columns], "heading": table[face.heading],
        "query": urlencode({"q": asked.words, **chosen}), "previous": asked.after - 1, "next": asked.after + 1,
    }  # fmt: skip
    return render(request, "catalog/list.html", shared)
