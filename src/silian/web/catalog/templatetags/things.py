"""What hangs on a record beside its columns: history, attachments, bookings, claims."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template

from silian.web.catalog.beside.attachments import listed
from silian.web.catalog.beside.claims import may_claim
from silian.web.catalog.models import Expert
from silian.web.catalog.rules import may

if TYPE_CHECKING:
    from silian.web.catalog.models import Record

register = template.Library()


@register.inclusion_tag("catalog/things.html", takes_context=True)
def things(context: dict[str, Any], record: Record) -> dict[str, Any]:
    """Links to what hangs on a record, as far as a person may follow them."""
    actor = context["actor"]
    return {
        "record": record,
        "may_history": not actor.is_visitor and may(actor, "history", record),
        "may_edit": not actor.is_visitor and may(actor, "edit", record),
        "may_claim": isinstance(record, Expert) and may_claim(actor, record),
        "has_works": isinstance(record, Expert) and not actor.is_visitor and may(actor, "edit", record),
        "has_booking": record.noun == "facilities",
        "attachments": [a for a in listed(actor, record) if a.gone_at is None],
    }
