"""The checklist as a file: a document to print and sign, or a table."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

from django.utils import timezone
from docx import Document

from silian import __version__
from silian.web.base.languages import page_language
from silian.web.base.operation.checklist import NOT_ASSESSED, Line, Said

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADINGS: Final = tuple(
    Said(*pair)
    for pair in (
        ("控制点", "control"), ("条款", "clause"), ("要求", "wanted"), ("结果", "result"), ("现状", "as it is"),
        ("建议", "to do"),
    )
)  # fmt: skip
TITLE: Final = Said("等级保护自查表", "Protection checklist")
FURTHER: Final = Said("进一步", "further")


def cells(line: Line) -> list[str]:
    """A line as the cells of a table."""
    clause = f"{line.clause}（{FURTHER}）" if line.is_further else line.clause
    return [str(line.group), clause, str(line.wanted), str(line.mark), str(line.answer.found), str(line.answer.todo)]


def as_csv(lines: Sequence[Line]) -> bytes:
    """A table that a spreadsheet opens."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([str(heading) for heading in HEADINGS])
    writer.writerows(cells(line) for line in lines)
    writer.writerow([_under()])
    return out.getvalue().encode("utf-8-sig")


def as_docx(lines: Sequence[Line]) -> bytes:
    """A document for Word."""
    document = Document()
    document.add_heading(str(TITLE), level=1)
    document.add_paragraph(str(Said(*NOT_ASSESSED)))
    table = document.add_table(rows=1, cols=len(HEADINGS), style="Table Grid")
    for cell, heading in zip(table.rows[0].cells, HEADINGS, strict=True):
        cell.text = str(heading)
    for line in lines:
        for cell, text in zip(table.add_row().cells, cells(line), strict=True):
            cell.text = text
    document.add_paragraph(_under())
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _under() -> str:
    """What stands under it."""
    now = f"{timezone.localtime():%Y-%m-%d %H:%M}"
    return f"silian {__version__}, {now}. {NOT_ASSESSED[page_language() == 'en']}"
