"""The language of a page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from django.utils.translation import get_language

if TYPE_CHECKING:
    from silian.tables.schema import Language

_CLAUSES: Final = re.compile("[；;]")


def page_language() -> Language:
    """The language of the page in the words of the schema: zh or en."""
    return "en" if get_language() == "en" else "zh"


def first_clause(meaning: str) -> str:
    """What a meaning says first; the rest is for who fills in the table.

    Examples
    --------
    >>> first_clause("企业提出的需求；每项一行"), first_clause("What an enterprise asks for; one row each")
    ('企业提出的需求', 'What an enterprise asks for')
    """
    return _CLAUSES.split(meaning, maxsplit=1)[0]
