"""Words of the schema and values of records in the language of the page."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from django import template
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from silian.tables import schema
from silian.web.base.languages import first_clause, page_language
from silian.web.catalog.duplicates import likely
from silian.web.catalog.duplicates.blocking import HEADINGS
from silian.web.catalog.models import AGAINST

if TYPE_CHECKING:
    from silian.tables.schema import Column, Table

register = template.Library()
register.filter(first_clause)


@register.filter
def label(named: Column | Table) -> str:
    """The name of a column or table for people."""
    return named.label(page_language())


@register.filter
def unit(column: Column) -> str:
    """The unit of a column for people; empty where it counts nothing."""
    return column.unit_label(page_language())


@register.filter
def meaning(named: Column | Table) -> str:
    """What a column or table means."""
    return named.meaning if page_language() == "en" else named.meaning_zh


@register.filter
def get(record: Any, column: Column) -> Any:
    """The value of a column: of a reference the record that it names."""
    name = column.name.removesuffix("_id") if column.type == "id" and len(column.targets) == 1 else column.name
    return getattr(record, name)


@register.filter
def value(record: Any, column: Column) -> str:
    """The value of a column as people read it; nothing where it is not known."""
    return as_read(get(record, column), column)


@register.filter
def told(found: Any, column: Column) -> str:
    """A plain value of a column as people read it."""
    return as_read(found, column)


def as_read(found: Any, column: Column) -> str:
    """A plain value of a column as people read it; nothing where it is not known."""
    if found in (None, "", []):
        return ""
    if column.codes:
        names = schema.codes()[column.codes]
        parts = found if isinstance(found, list) else [found]
        return _("、").join(names[p][page_language() == "en"] if p in names else p for p in parts)
    if isinstance(found, bool):
        return _("是") if found else _("否")
    if isinstance(found, list):
        return _("；").join(str(part) for part in found)
    if column.type in ("money", "number", "count"):
        places = 0 if float(found).is_integer() else None
        return str(number_format(found, decimal_pos=places, use_l10n=True, force_grouping=True))
    return date_format(found, "Y-m-d") if isinstance(found, date) else str(found)


@register.filter
def watched(noun: str) -> tuple[str, ...]:
    """The columns whose change may bring a likely duplicate to light; none where a noun is not looked through."""
    return likely.watched(noun) if noun in HEADINGS else ()


@register.filter
def percent(number: float) -> str:
    """A share as people read it, in whole percent."""
    return f"{100 * number:.0f}%"


@register.filter
def against(reason: str) -> bool:
    """Whether a reason speaks against two records being one."""
    return reason in AGAINST


@register.filter
def is_figure(column: Column) -> bool:
    """Whether a column holds numbers that stand under each other."""
    return column.type in ("count", "number", "share", "money", "year", "date")


@register.filter
def read(found: Any, column: Column) -> str:
    """A value of a column as people read it, of a reference the name of the record."""
    return as_read(found, column)


@register.filter
def column_label(table: Table, name: str) -> str:
    """The name of a column of a table for people."""
    return table[name].label(page_language())
