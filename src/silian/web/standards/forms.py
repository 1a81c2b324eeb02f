"""What standards out adds to the pages of the registry: linked data in their heads, and records as linked data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from silian.web.catalog.records.elsewhere import Deed
from silian.web.catalog.rules import may
from silian.web.standards import linked, public
from silian.web.standards.identity import address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest

    from silian.web.base.actors import Actor
    from silian.web.catalog.models import Record

JSON_LD = "application/ld+json"


class Linked:
    """Linked data for the pages of records."""

    def head(self, noun: str, records: Sequence[Record], *, is_list: bool) -> SafeString:
        """A block of data, and where the same stands alone; nothing of what is not published.

        Cost: of a record one query for each noun that it names; of a list none beyond the list's.
        """
        if noun not in linked.NOUNS:
            return SafeString("")
        told = [public.facts_of(record) for record in records if is_open(record)]
        if not told:
            return SafeString("")
        if is_list:
            return linked.script(linked.item_list(noun, told, address(reverse("list", args=[noun]))))
        url = reverse("record_jsonld", args=[noun, told[0].key])
        link = format_html('<link rel="alternate" type="{}" href="{}">\n', JSON_LD, url)
        return SafeString(link + linked.script(linked.linked(told[0], public.Names(told))))

    def answer(self, request: HttpRequest, record: Record) -> HttpResponse | None:
        """The record as linked data, where the request asks for it rather than for a page."""
        if record.noun not in linked.NOUNS or not is_open(record) or JSON_LD not in request.headers.get("Accept", ""):
            return None
        preferred = request.get_preferred_type(["text/html", JSON_LD])
        return alone(record) if preferred == JSON_LD else None

    def deeds(self, actor: Actor, record: Record) -> list[Deed]:
        """The profile of a need or achievement, for who keeps it or looks after it."""
        if record.noun not in ("needs", "achievements") or actor.is_visitor or not may(actor, "edit", record):
            return []
        return [Deed(_("国际合作简介"), reverse("een", args=[record.noun, record.record_id]))]


def is_open(record: Record) -> bool:
    """Whether a record is one of those that everybody may have."""
    return record.state == record.State.PUBLISHED and record.noun in public.OPEN


def alone(record: Record) -> JsonResponse:
    """A record as linked data."""
    facts = public.facts_of(record)
    node = linked.linked(facts, public.Names([facts]))
    response = JsonResponse(node, json_dumps_params={"ensure_ascii": False, "indent": 1}, content_type=JSON_LD)
    response["Vary"] = "Accept"
    response["Access-Control-Allow-Origin"] = "*"  # what is public here is public everywhere
    return response
