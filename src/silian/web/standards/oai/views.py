"""The address of OAI-PMH."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import StreamingHttpResponse
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from silian.web.standards.identity import address
from silian.web.standards.oai.protocol import answer

if TYPE_CHECKING:
    from silian.web.base.requests import Request


@csrf_exempt  # harvesters post forms and have no session; nothing is changed
@require_http_methods(["GET", "HEAD", "POST"])
def harvest(request: Request) -> StreamingHttpResponse:
    """Answer a harvester."""
    given = request.POST if request.method == "POST" else request.GET
    parts = answer({name: given.getlist(name) for name in given}, address(reverse("oai")))
    return StreamingHttpResponse(parts, content_type="text/xml; charset=utf-8")
