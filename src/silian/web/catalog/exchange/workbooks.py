"""Workbooks of the site: every cell is what it is, nothing is read as a formula, a number or an address."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

from silian.errors import WebError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

CELL: Final = 32_767  # characters, two for an emoji
SHEET: Final = 1_048_575  # rows under the heading
OLDEST: Final = 1900  # Excel knows no day before
WIDE, NARROW = 36, 14


class Sheet:
    """One sheet to be written: its name, its heading and its rows."""

    def __init__(self, name: str, heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        self.name, self.heading, self.rows = name, heading, rows


def write_book(path: Path, sheets: Iterable[Sheet]) -> None:
    """Write a workbook, row by row, so that a large one needs no more memory than a small one.

    Raises
    ------
    WebError : web.sheet_small, web.cell_small if a table or a text is too long for Excel
    """
    import xlsxwriter

    options: dict[str, Any] = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    options |= {"strings_to_numbers": False, "default_date_format": "yyyy-mm-dd"}
    with xlsxwriter.Workbook(str(path), options) as book:
        bold = book.add_format({"bold": True, "bg_color": "#E4EFF3", "bottom": 1})
        for sheet in sheets:
            made = book.add_worksheet(sheet.name)
            made.freeze_panes(1, 0)
            for at, text in enumerate(sheet.heading):
                made.set_column(at, at, NARROW if at else WIDE // 2)
                made.write_string(0, at, text, bold)
            for number, row in enumerate(sheet.rows, start=1):
                if number > SHEET:
                    raise WebError("web.sheet_small", sheet=sheet.name, limit=f"{SHEET:,}")
                for at, value in enumerate(row):
                    _put(made, number, at, value)


def _put(sheet: Any, row: int, column: int, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, (int, float)):
        # of a whole number beyond 2**53 a cell would keep the first digits only
        large = isinstance(value, int) and abs(value) >= 2**53
        _ = sheet.write_string(row, column, str(value)) if large else sheet.write_number(row, column, value)
    elif isinstance(value, date) and value.year >= OLDEST:
        sheet.write_datetime(row, column, value)
    elif sheet.write_string(row, column, str(value)) == -2:
        raise WebError("web.cell_small", sheet=sheet.name, row=row + 1, limit=f"{CELL:,}")
