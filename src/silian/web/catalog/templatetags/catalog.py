"""Words of the schema and values of records in the language of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template

from silian.web.base.languages import first_clause, page_language
from silian.web.catalog import wording
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
    return wording.as_read(get(record, column), column)


@register.filter
def measured(record: Any, column: Column) -> str:
    """The value of a column with its unit."""
    return wording.measured(get(record, column), column)


@register.filter
def told(found: Any, column: Column) -> str:
    """A plain value of a column with its unit."""
    return wording.measured(found, column)


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
def kind(column: Column) -> str:
    """How the cells of a column of a list are set: numbers under each other, words that stay on one line, or text."""
    if column.type in wording.FIGURES:
        return "figure"
    if column.type == "flag":
        return "flag"
    is_word = column.type == "code" or column.targets[:1] == (("districts", "district_id"),)
    return "word" if is_word else "text"


@register.filter
def read(found: Any, column: Column) -> str:
    """A value of a column as a list shows it."""
    return wording.in_list(found, column)


@register.filter
def head(column: Column) -> str:
    """The head of a column of a list."""
    return wording.head(column)


@register.filter
def column_label(table: Table, name: str) -> str:
    """The name of a column of a table for people."""
    return table[name].label(page_language())
