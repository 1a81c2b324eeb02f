"""Boxes of other rooms on the page of a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template
from django.utils.safestring import mark_safe

from silian.web.catalog.records.boxes import boxes_of

if TYPE_CHECKING:
    from silian.web.catalog.models import Record

register = template.Library()


@register.simple_tag(takes_context=True)
def boxes(context: Any, record: Record) -> str:
    """What rooms above the registry have to tell of a record."""
    request, engine = context["request"], context.template.engine
    made = [
        engine.get_template(box.template).render(context.new({**context.flatten(), **box.told, "request": request}))
        for box in boxes_of(context["actor"], record)
    ]
    return mark_safe("".join(made))  # noqa: S308 – rendered by templates, which escape
