"""Numbers and addresses of results in templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template
from django.utils.formats import number_format

if TYPE_CHECKING:
    from silian.web.runs.results.rules import Seat

register = template.Library()


@register.filter
def score(number: float | None) -> str:
    """A score as people read it: two digits, nothing where there is none."""
    return "" if number is None else f"{number:.2f}"


@register.filter
def plain(number: float) -> str:
    """A number as HTML reads it."""
    return f"{number:.6g}"


@register.filter
def count(number: int | None) -> str:
    """A count with its thousands parted; a dash where it is not known."""
    return "–" if number is None else str(number_format(number, use_l10n=True, force_grouping=True))


@register.simple_tag
def results_url(seat: Seat, name: str, *parts: Any) -> str:
    """The address of a page of results of the same run."""
    return seat.url(name, *parts)
