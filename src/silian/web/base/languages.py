"""The language of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import get_language

if TYPE_CHECKING:
    from silian.tables.schema import Language


def page_language() -> Language:
    """The language of the page in the words of the schema: zh or en."""
    return "en" if get_language() == "en" else "zh"
