"""The topics of an expert on the expert's page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template

from silian.web.catalog.topics.striking import similar_to, topics_of

if TYPE_CHECKING:
    from silian.web.catalog.models import Record

register = template.Library()


@register.inclusion_tag("catalog/topics.html", takes_context=True)
def topics(context: dict[str, Any], record: Record) -> dict[str, Any]:
    """What an expert works on, and who works on the same. Cost: three queries; none for other nouns."""
    if record.noun != "experts":
        return {}
    may_strike = bool(context.get("may_edit"))
    found, struck = topics_of(record)
    similar = similar_to(context["actor"], record)
    return {
        "record": record, "topics": found, "struck": struck if may_strike else [], "similar": similar,
        "may_strike": may_strike, "csrf_token": context.get("csrf_token"),
    }  # fmt: skip
