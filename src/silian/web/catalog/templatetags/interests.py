"""The box of mutual interest on the page of a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template

from silian.web.catalog.beside import interests
from silian.web.catalog.models import Organisation

if TYPE_CHECKING:
    from silian.web.catalog.models import Record

register = template.Library()


@register.inclusion_tag("catalog/interest_box.html", takes_context=True)
def interest_box(context: dict[str, Any], record: Record) -> dict[str, Any]:
    """What a person can say about a record: nothing where nobody can. Cost: two queries at most."""
    actor = context["actor"]
    may_ask = interests.may_ask(actor, record)
    return {
        "record": record, "may_ask": may_ask, "own": interests.own(actor, record) if may_ask else None,
        "orgs": Organisation.objects.filter(pk__in=sorted(actor.orgs)) if may_ask and len(actor.orgs) > 1 else [],
        "only": next(iter(actor.orgs)) if len(actor.orgs) == 1 else "", "csrf_token": context.get("csrf_token"),
    }  # fmt: skip
