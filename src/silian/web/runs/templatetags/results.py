"""Numbers and addresses of results in templates."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from django import template
from django.utils.formats import number_format

from silian.tables import schema
from silian.web.base.languages import page_language

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from silian.web.runs.dashboards.page import Shown
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


@register.filter
def called(noun: str) -> str:
    """What the records of a table are called, in the language of the page."""
    return schema.tables()[noun].label(page_language())


@register.filter
def beside(heads: Sequence[str], row: Sequence[Any]) -> list[tuple[str, Any]]:
    """The head of each cell of a row, with the cell; where there is no row, with nothing."""
    return list(zip_longest(heads, row))


@register.filter
def absent(figures: Iterable[Shown | None]) -> list[str]:
    """Why some figures are not there, each reason once."""
    return list(dict.fromkeys(one.note for one in figures if one is not None and not one.value and one.note))


@register.simple_tag
def results_url(seat: Seat, name: str, *parts: Any) -> str:
    """The address of a page of results of the same run."""
    return seat.url(name, *parts)
