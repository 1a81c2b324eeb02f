"""What apps above the registry add to its pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template

from silian.web.catalog.records import elsewhere

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.utils.safestring import SafeString

    from silian.web.base.actors import Actor
    from silian.web.catalog.models import Record

register = template.Library()


@register.simple_tag
def record_head(record: Record) -> SafeString:
    """What stands in the head of the page of a record."""
    return elsewhere.head(record.noun, [record], is_list=False)


@register.simple_tag
def list_head(noun: str, records: Sequence[Record]) -> SafeString:
    """What stands in the head of a list."""
    return elsewhere.head(noun, records, is_list=True)


@register.simple_tag
def deeds(actor: Actor, record: Record) -> list[elsewhere.Deed]:
    """What more a person can do with a record."""
    return elsewhere.deeds(actor, record)
