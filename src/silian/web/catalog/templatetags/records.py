"""Words for the pages of one record: where a value comes from, in which language it is, who sees it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django import template
from django.utils.dateparse import parse_date

from silian.web.base.languages import page_language
from silian.web.catalog.entry.writing import may_begin
from silian.web.catalog.fields import is_reference
from silian.web.catalog.history.provenance import Origin, origin
from silian.web.catalog.records.queries import FACES
from silian.web.catalog.templatetags.catalog import get
from silian.web.catalog.wording import heading, measured

if TYPE_CHECKING:
    from django.forms.boundfield import BoundField

    from silian.tables.schema import Column
    from silian.web.catalog.entry.typed import EntryForm
    from silian.web.catalog.models import Record

register = template.Library()
WORD: Final = 16  # characters of a part of a list that still reads as one word among others
_HAN: Final = re.compile(r"[\u4e00-\u9fff]")


class Wording(NamedTuple):
    """A text of a record in the language of the page, or in the one that it has."""

    text: str
    language: str  # of the text, where it is not that of the page; else empty


@register.filter
def worded(record: Record, column: Column) -> Wording:
    """The value of a column as people read it, a text in the language of the page where it has it."""
    own, english = measured(get(record, column), column), record.translations.get(column.name, {}).get("en", "")
    if column.type != "text":
        return Wording(own, "")
    if page_language() == "en":
        return Wording(english, "") if english else Wording(own, "zh" if _HAN.search(own) else "")
    return Wording(own, "") if own else Wording(english, "en" if english else "")


@register.filter
def items(record: Record, column: Column) -> list[str]:
    """The parts of a list that stand under each other, for they are sentences and not words; else nothing."""
    parts = get(record, column) if column.type == "list" and not column.codes else []
    return parts if len(parts) > 1 and any(len(part) > WORD for part in parts) else []


@register.filter
def named(record: Record, column: Column) -> Record | None:
    """The record that a column names, where it has a page."""
    found = get(record, column) if is_reference(column) else None
    return found if found is not None and found.noun in FACES else None


register.filter(heading)


@register.filter
def source(record: Record, column: Column) -> Origin:
    """Where the value of a column comes from, and who has verified it."""
    return origin(record, column.name)


@register.filter
def told(found: Any, column: Column) -> str:
    """A plain value of a column, as it is kept in a change, as people read it."""
    day = parse_date(found) if column.type == "date" and isinstance(found, str) else None
    return measured(day or found, column)


@register.simple_tag(takes_context=True)
def may_make(context: dict[str, Any], noun: str) -> bool:
    """Whether the person may make records of a noun."""
    return may_begin(context["actor"], noun)


@register.filter
def anchor(field: BoundField) -> str:
    """The id of the control of a field, or of its first box."""
    return field.id_for_label or f"{field.auto_id}_0"


@register.filter
def has_errors(form: EntryForm, start: str) -> bool:
    """Whether a field whose name begins so is wrong."""
    return any(name.startswith(start) for name in form.errors)


@register.filter
def has_values(form: EntryForm, start: str) -> bool:
    """Whether a field whose name begins so is filled in."""
    return any(form[name].value() for name in form.fields if name.startswith(start))
