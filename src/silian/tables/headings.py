"""Which column of a table a heading names: its name or its label in either language, however it is spaced."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from silian.tables.schema import chain, repair, tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from silian.tables.schema import Table

READ_ME = ("说明", "Read me")  # names of the first sheet of the template, which holds no data
_UNIT = re.compile(r"[(\[【].*?[)\]】]\s*$")


def heading_key(text: str) -> str:
    """A heading without what people change: case, width, spaces, underscores, the star of needed columns.

    Examples
    --------
    >>> heading_key(" 需求名称＊ ") == heading_key("需求名称"), heading_key("Need ID") == heading_key("need_id")
    (True, True)
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\s_*\u200b\ufeff]+", "", plain)


@dataclass(frozen=True, slots=True)
class Headings:
    """The headings of one table."""

    table: str
    columns: Mapping[str, str]  # heading_key → column name

    def column(self, heading: str | None) -> str | None:
        """The column that a heading names; bilingual headings may have a line for each language."""
        if heading is None or len(heading) > 200:
            return None
        spelt = [heading, *heading.splitlines(), _UNIT.sub("", unicodedata.normalize("NFKC", heading))]
        found = (self.columns.get(heading_key(text)) for text in spelt if text.strip())
        return next((name for name in found if name), None)

    def count(self, row: Iterable[str | None]) -> int:
        """How many different columns the cells of a row name."""
        return len({self.column(cell) for cell in row} - {None})


@cache
def headings(table: str) -> Headings:
    """The headings of a table by its name.

    Examples
    --------
    >>> headings("needs").column("预算（元）"), headings("needs").column("Need id"), headings("needs").column("电话")
    ('budget_cny', 'need_id', None)
    """
    columns: dict[str, str] = {}
    declared = (
        tables().get(table) or {**repair(), **chain()}[table]
    )  # a region's own, or one that is handed in beside it
    for column in declared.columns:
        for text in (column.name, column.label_zh, column.label_en, column.label_zh + column.label_en):
            columns.setdefault(heading_key(text), column.name)
    return Headings(table=table, columns=columns)


@cache
def _table_names() -> Mapping[str, str]:
    names: dict[str, str] = {}
    for table in tables().values():
        for text in (table.name, table.label_zh, table.label_en, table.label_zh + table.label_en):
            names.setdefault(heading_key(text), table.name)
    return names


def table_named(text: str) -> Table | None:
    """The table that a file or sheet is named after, if any.

    Examples
    --------
    >>> table_named("需求").name, table_named("Product links").name, table_named("notes")
    ('needs', 'product_links', None)
    """
    name = _table_names().get(heading_key(text))
    return tables()[name] if name else None
