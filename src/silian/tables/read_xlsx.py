"""Workbooks (.xlsx): the packed file is measured before it is opened, then each sheet is read as text."""

from __future__ import annotations

import datetime as dt
from itertools import islice
from typing import TYPE_CHECKING, Final

import polars as pl
import python_calamine as calamine

from silian.errors import ReadError
from silian.tables.problems import problem, problems
from silian.tables.raw import RawTable
from silian.tables.xlsx_parts import Inspection, column_letters, inspect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from silian.tables.limits import Limits

    _Range = tuple[tuple[int, int], tuple[int, int]]  # first and last row and column

BLOCK: Final = 50_000  # rows turned from objects into columns at a time


def read_workbook(path: Path, *, file: str, wanted: Callable[[list[str]], list[str]], limits: Limits) -> list[RawTable]:
    """Read sheets of a workbook as text, in the order of the workbook.

    Parameters
    ----------
    wanted : names of the visible sheets → names of those to read

    Returns
    -------
    One RawTable a sheet, `file` being "book.xlsx#sheet". The value of merged cells stands in every cell that they
    cover; the stored value of a formula is read, a formula without one and an error value are empty and listed.
    Sheets that are hidden are not read (read.sheet_hidden); names that begin with _ are the template's lists.

    Raises
    ------
    ReadError : read.password, read.workbook, read.zip_bomb, read.sheet_far, read.too_many_rows,
        read.too_many_columns.
    """
    found = inspect(path, file=file, limits=limits)
    try:
        with calamine.CalamineWorkbook.from_path(path) as book:
            visible = [m.name for m in book.sheets_metadata if m.visible == calamine.SheetVisibleEnum.Visible]
            tables = [_sheet(book, name, file, found, limits) for name in wanted(visible)]
            hidden = [name for name in book.sheet_names if name not in visible and not name.startswith("_")]
    except calamine.PasswordError as error:
        raise ReadError("read.password", file=file) from error
    except (calamine.CalamineError, OSError) as error:
        raise ReadError("read.workbook", file=file, found=str(error)[:200]) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # what the reader, written in Rust, gives up with
            raise
        raise ReadError("read.workbook", file=file, found=str(error)[:200]) from error
    notes = [problem("read.sheet_hidden", table="", file=f"{file}#{name}", found=name) for name in hidden]
    return [*tables, *(RawTable(n["file"][0], pl.DataFrame(), _no_rows(), (n,)) for n in notes)]


def _no_rows() -> pl.Series:
    return pl.Series("row", [], dtype=pl.Int64)


def _sheet(book: calamine.CalamineWorkbook, name: str, file: str, found: Inspection, limits: Limits) -> RawTable:
    sheet = book.get_sheet_by_name(name)
    shown = f"{file}#{name}"
    first_column = sheet.start[1] if sheet.start else 0
    if sheet.width > limits.columns:
        raise ReadError("read.too_many_columns", file=shown, found=sheet.width, limit=limits.columns)
    blocks = list(_blocks(sheet, shown, limits))
    cells = pl.concat(blocks) if blocks else pl.DataFrame()
    cells, notes = _unmerged(cells, sheet.merged_cell_ranges or [], first_column, shown, limits)
    notes += _bad_cells(found, name, shown)
    rows = pl.int_range(1, cells.height + 1, eager=True, dtype=pl.Int64).alias("row")
    return RawTable(file=shown, cells=cells, rows=rows, problems=tuple(notes))


def _blocks(sheet: calamine.CalamineSheet, shown: str, limits: Limits) -> Iterator[pl.DataFrame]:
    given, height = sheet.iter_rows(), 0
    while block := list(islice(given, BLOCK)):
        height += len(block)
        if height > limits.rows:
            raise ReadError("read.too_many_rows", file=shown, limit=limits.rows)
        columns = zip(*block, strict=True)
        yield pl.DataFrame([pl.Series(str(i), _texts(column), dtype=pl.String) for i, column in enumerate(columns)])


def _texts(column: tuple[object, ...]) -> list[str]:
    if all(type(value) is str for value in column):
        return list(column)  # type: ignore[arg-type]
    return [value if type(value) is str else _text(value) for value in column]


def _text(value: object) -> str:
    """A cell as a person would type it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ", timespec="seconds")
    return str(value)


def _unmerged(
    cells: pl.DataFrame, ranges: list[_Range], first_column: int, shown: str, limits: Limits
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """The cells with the value of each merged range in all of it, and a problem per range."""
    height, width = cells.shape
    inside = [
        ((top, left - first_column), (min(bottom, height - 1), min(right - first_column, width - 1)))
        for (top, left), (bottom, right) in sorted(ranges)
        if top < height and 0 <= left - first_column < width
    ]
    covered = sum((bottom - top + 1) * (right - left + 1) for (top, left), (bottom, right) in inside)
    if (
        len(ranges) > limits.merged_ranges or covered > height * width
    ):  # more than all: they overlap, as Excel never does
        words = {"count": len(ranges), "limit": limits.merged_ranges}
        return cells, [problem("read.merged_all", table="", file=shown, words=words, grave=True)]
    columns = cells.to_dict(as_series=True)
    rows: dict[str, list[int]] = {}
    values: dict[str, list[str]] = {}
    places: list[tuple[int, str]] = []
    for (top, left), (bottom, right) in inside:
        value = columns[str(left)][top]
        if not value:
            continue
        for at in range(left, right + 1):
            rows.setdefault(str(at), []).extend(range(top, bottom + 1))
            values.setdefault(str(at), []).extend([value] * (bottom - top + 1))
        first, last = column_letters(left + first_column), column_letters(right + first_column)
        places.append((top + 1, f"{first}{top + 1}:{last}{bottom + 1}"))
    for name, at_rows in rows.items():
        columns[name] = columns[name].scatter(at_rows, pl.Series(values[name], dtype=pl.String))
    if not places:
        return cells, []
    listed = pl.DataFrame({"file": shown, "row": [p[0] for p in places], "found": [p[1] for p in places]})
    return pl.DataFrame(columns), [problems("read.merged", listed, table="")]


def _bad_cells(found: Inspection, name: str, shown: str) -> list[pl.DataFrame]:
    """Problems of the formulas without a stored value and of the error values of a sheet."""
    notes = []
    for code, bad in (("read.formula", found.formulas), ("read.error_value", found.errors)):
        cells = [cell for cell in bad if cell.sheet == name]
        if cells:
            listed = pl.DataFrame(
                {"file": shown, "row": [c.row for c in cells], "found": [f"{c.place} {c.found}".strip() for c in cells]}
            )
            notes.append(problems(code, listed, table=""))
    return notes
