"""Every result table as one Excel workbook: headings in words, readable names beside ids, nothing that can run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from silian.errors import ArgumentError, ReportError
from silian.report import views
from silian.report._words import check_language, check_results, code_label, names, say, words
from silian.tables.schema import results as result_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

    from silian.tables.region import Region
    from silian.tables.schema import Column, Language, Table

MAX_ROWS: Final = 1_000_000  # of one sheet; Excel holds 1,048,576 with the heading
MAX_CHARS: Final = 16_000  # of one cell; Excel holds 32,767, where a rare letter or an emoji counts as two
# Places in texts and points of a curve: for programs, and in a city more rows than all the rest.
LEFT_OUT: Final = ("achievement_terms", "expert_terms", "exposure_curve")
MADE_ON: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - a constant, so that equal results give equal bytes
WIDTHS: Final[Mapping[str, int]] = {
    "id": 16,
    "code": 18,
    "count": 11,
    "share": 11,
    "number": 12,
    "flag": 8,
    "parts": 60,
}
WIDE: Final = 40  # characters of a column of names or texts
NUMBERS: Final = ("count", "year", "share", "percent", "number", "money")
HEAD: Final = "#1f6f8b"


def sheets(
    results: Mapping[str, pl.DataFrame],
    path: Path,
    *,
    region: Region,
    language: Language = "zh",
    rows_per_sheet: int = MAX_ROWS,
) -> None:
    """Write the result tables of a run into one workbook, all but those that only programs read (LEFT_OUT).

    Parameters
    ----------
    results : every table of `tables.schema.results()`; any may be empty
    path : the .xlsx file; one that is there is replaced
    region : where the readable names of ids come from
    language : zh or en; of headings, codes and the list of contents
    rows_per_sheet : a longer table goes on in a further sheet; 1 to 1,000,000

    Raises
    ------
    ReportError : report.results if a result table is absent; report.write if the file cannot be written
    TableError : table.columns if a table lacks columns
    ArgumentError : argument.value if the language is another or rows_per_sheet is not within its range

    Notes
    -----
    Every text is written as text, so that nothing in the data can become a formula; it is cut to 16,000 letters. The
    same tables give the same bytes. Cost: a city (40,000 pairs) about 3 s, on 2 cores.
    """
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    check_language(language)
    check_results(results)
    if not 1 <= rows_per_sheet <= MAX_ROWS:
        raise ArgumentError("argument.value", name="rows_per_sheet", found=rows_per_sheet, wanted=f"1 to {MAX_ROWS:,}")
    _reserve(path)
    # constant_memory: rows go to disk as they are written; no text is read as a formula, a number or an address
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(str(path), options)
    book.set_properties({"title": say("sheets.title", language), "created": MADE_ON})
    look = _formats(book)
    _contents(book, results, look, language=language)
    labels = _Labels(region, language)
    for name, noun in _written():
        told, table = _with_grades(noun, results) if name == "achievement_pairs" else (noun, results[name])
        _write(book, told, table, labels, look, rows_per_sheet=rows_per_sheet)
    try:
        book.close()
    except FileCreateError as error:
        raise error.args[0] from error  # a full disk: the pipeline tells it


def _written() -> list[tuple[str, Table]]:
    return [(name, noun) for name, noun in result_tables().items() if name not in LEFT_OUT]


def _with_grades(noun: Table, results: Mapping[str, pl.DataFrame]) -> tuple[Table, pl.DataFrame]:
    """The matches with their grades beside the scores, where there are any, and what all their columns mean."""
    table = views.with_grades(results[noun.name], results["grades"])
    known = {column.name: column for column in (*result_tables()["grades"].columns, *noun.columns)}
    return replace(noun, columns=tuple(known[name] for name in table.columns)), table


def _reserve(path: Path) -> None:
    """Raise ReportError report.write where no file can be, before any work is done."""
    try:
        path.open("wb").close()
    except (PermissionError, FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise ReportError("report.write", path=str(path), found=error.strerror) from error


class _Labels:
    """Readable names of ids and codes in one language, looked up once."""

    def __init__(self, region: Region, language: Language) -> None:
        self.language = language
        self.region = region
        self.known: dict[str, dict[str, str]] = {}

    def of(self, column: Column, ids: pl.Series) -> pl.Series | None:
        """The names of a column of ids, or None where it refers to nothing that has a name."""
        targets = [table for table, _ in column.targets]
        if not targets and column.name == "id":
            targets = ["needs", "experts"]
        if not targets:
            return None
        found: dict[str, str] = {}
        for table in reversed(targets):
            if table not in self.known:
                self.known[table] = names(self.region[table], self.language)
            found |= self.known[table]
        return ids.replace_strict(found, default=None, return_dtype=pl.String())

    def codes(self, column: Column, values: pl.Series) -> pl.Series:
        """The labels of a column of codes; codes that the list lacks stay as they are, empty ones empty."""
        values = values.cast(pl.String())
        shown = {v: code_label(str(column.codes), v, self.language) for v in values.unique().to_list() if v}
        return values.replace_strict(shown, default=values, return_dtype=pl.String())


def _formats(book: Workbook) -> dict[str, Format]:
    font = {"font_name": "Microsoft YaHei", "font_size": 10, "valign": "top"}
    formats: dict[str, dict[str, object]] = {
        "text": {},
        "count": {"num_format": "#,##0"},
        "year": {"num_format": "0"},
        "share": {"num_format": "0.000"},
        "percent": {"num_format": "0.0%"},
        "number": {"num_format": "#,##0.00"},
        "money": {"num_format": "#,##0.00"},
        "date": {"num_format": "yyyy-mm-dd"},
        "head": {"bold": True, "font_color": "#ffffff", "bg_color": HEAD, "text_wrap": True, "valign": "vcenter"},
        "title": {"bold": True, "font_size": 14},
    }
    return {name: book.add_format(font | extra) for name, extra in formats.items()}


def _contents(
    book: Workbook, results: Mapping[str, pl.DataFrame], look: Mapping[str, Format], *, language: Language
) -> None:
    """The first sheet: what the workbook holds."""
    sheet = book.add_worksheet(say("sheets.contents", language))
    for column, width in enumerate((24, 12, 80)):
        sheet.set_column(column, column, width)
    sheet.write_string(0, 0, say("sheets.title", language), look["title"])
    for column, key in enumerate(("sheets.table", "sheets.rows", "sheets.meaning")):
        sheet.write_string(2, column, say(key, language), look["head"])
    for row, (name, noun) in enumerate(_written(), start=3):
        sheet.write_string(row, 0, noun.label(language), look["text"])
        sheet.write_number(row, 1, results[name].height, look["count"])
        sheet.write_string(row, 2, noun.meaning_zh if language == "zh" else noun.meaning, look["text"])


@dataclass(frozen=True, slots=True)
class _SheetColumn:
    """A column as a sheet shows it."""

    head: str
    kind: str  # text, code, flag, parts, date or one of NUMBERS
    width: int
    values: pl.Series


def _write(
    book: Workbook,
    noun: Table,
    table: pl.DataFrame,
    labels: _Labels,
    look: Mapping[str, Format],
    *,
    rows_per_sheet: int,
) -> None:
    """One result table, on as many sheets as it needs."""
    columns = _columns(noun, table, labels)
    count = max(1, -(-table.height // rows_per_sheet))
    for part in range(count):
        title = noun.label(labels.language)[:26] + (f" {part + 1}" if count > 1 else "")
        sheet = book.add_worksheet(title)
        start, rows = part * rows_per_sheet, min(rows_per_sheet, table.height - part * rows_per_sheet)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, max(rows, 1), len(columns) - 1)
        for at, column in enumerate(columns):
            sheet.set_column(at, at, column.width)
            sheet.write_string(0, at, column.head, look["head"])
        pieces = [
            (_writer(sheet, c.kind), look.get(c.kind, look["text"]), c.values.slice(start, rows)) for c in columns
        ]
        cells = [(at, write, form, values.to_list()) for at, (write, form, values) in enumerate(pieces)]
        for row in range(rows):
            for at, write, form, values in cells:
                if values[row] is not None:
                    write(row + 1, at, values[row], form)


def _writer(sheet: Worksheet, kind: str) -> Callable[[int, int, Any, Format], Any]:
    if kind in NUMBERS:
        return sheet.write_number  # type: ignore[no-any-return]
    return sheet.write_datetime if kind == "date" else sheet.write_string  # type: ignore[no-any-return]


def _columns(noun: Table, table: pl.DataFrame, labels: _Labels) -> list[_SheetColumn]:
    """Every column of a sheet; names stand right of their ids."""
    columns: list[_SheetColumn] = []
    for column in noun.columns:
        values = table[column.name]
        columns.append(_column(column, values, labels))
        named = labels.of(column, values) if column.type == "id" else None
        if named is not None:
            head = say("sheets.name", labels.language, of=column.label(labels.language))
            columns.append(_SheetColumn(head, "text", WIDE, named.str.slice(0, MAX_CHARS)))
    return columns


def _column(column: Column, values: pl.Series, labels: _Labels) -> _SheetColumn:
    language, head = labels.language, _head(column, labels.language)
    if column.type == "parts":
        return _SheetColumn(head, "parts", WIDTHS["parts"], _why(values, language=language))
    if column.codes:
        return _SheetColumn(head, "code", WIDTHS["code"], labels.codes(column, values))
    if column.type == "flag":
        shown = {True: say("yes", language), False: say("no", language)}
        return _SheetColumn(head, "flag", WIDTHS["flag"], values.replace_strict(shown, return_dtype=pl.String()))
    if column.type in (*NUMBERS, "date"):
        kind = "percent" if column.name.endswith("_share") else column.type
        return _SheetColumn(head, kind, WIDTHS.get(column.type, 14), _finite(values))
    text = values.cast(pl.String()).str.slice(0, MAX_CHARS)
    return _SheetColumn(head, "text", WIDTHS["id"] if column.type == "id" else WIDE, text)


def _head(column: Column, language: Language) -> str:
    """The heading of a column with its unit, where it has one of its own."""
    label = column.label(language)
    if column.unit in ("", "1", "by name"):
        return label
    return f"{label} ({column.unit})" if language == "en" else f"{label}（{_unit(column.unit)}）"


def _finite(values: pl.Series) -> pl.Series:
    """Numbers that a cell can hold: what is not finite is left empty."""
    if not values.dtype.is_float():
        return values
    return values.replace_strict([float("nan"), float("inf"), float("-inf")], [None] * 3, default=values)


def _unit(unit: str) -> str:
    return words().get(f"unit.{unit}", (unit, unit))[0]


def _why(parts: pl.Series, *, language: Language) -> pl.Series:
    """The parts of a score as text, the largest first: 轴承 0.210；语义接近 0.180."""
    meaning, rest = say("part.meaning", language), say("part.rest", language)
    between = "；" if language == "zh" else "; "
    named = pl.when(pl.col("term") != "…").then(pl.col("term")).otherwise(pl.lit(rest))
    term = pl.when(pl.col("kind") == "meaning").then(pl.lit(meaning)).otherwise(named)
    lines = (
        pl.DataFrame({"why": parts})
        .with_row_index("pair")
        .explode("why", empty_as_null=False, keep_nulls=False)
        .unnest("why")
        .sort(["pair", "part", "term"], descending=[False, True, False])
        .select("pair", line=pl.format("{} {}", term, pl.col("part").round(3)))
        .group_by("pair", maintain_order=True)
        .agg(pl.col("line").str.join(between))
    )
    whole = pl.DataFrame({"pair": pl.int_range(parts.len(), dtype=pl.UInt32(), eager=True)})
    return whole.join(lines, on="pair", how="left", maintain_order="left")["line"].str.slice(0, MAX_CHARS)
