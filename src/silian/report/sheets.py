"""Every result table as one Excel workbook: headings in words, readable names beside ids, nothing that can run."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from silian.errors import ReportError
from silian.report._words import check_language, check_results, code_label, names, say, words
from silian.tables.schema import results as result_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook

    from silian.tables.region import Region
    from silian.tables.schema import Column, Language, Table

MAX_ROWS: Final = 1_000_000  # of one sheet; Excel holds 1,048,576 with the heading
MAX_CHARS: Final = 32_000  # of one cell; Excel holds 32,767
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
HEAD: Final = "#1f6f8b"


def sheets(results: Mapping[str, pl.DataFrame], path: Path, *, region: Region, language: Language = "zh") -> None:
    """Write every result table of a run into one workbook.

    Parameters
    ----------
    results : every table of `tables.schema.results()`; any may be empty
    path : the .xlsx file; one that is there is replaced
    region : where the readable names of ids come from
    language : zh or en; of headings, codes and the list of contents

    Raises
    ------
    ReportError : report.results if a result table is absent; report.write if the file cannot be written
    TableError : table.columns if a table lacks columns
    ArgumentError : argument.value if the language is another

    Notes
    -----
    Every text is written as text, so that nothing in the data can become a formula. A table longer than MAX_ROWS goes
    on in a further sheet. The same tables give the same bytes. Cost: 40,000 pairs about 4 s, on 2 cores.
    """
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    check_language(language)
    check_results(results)
    # constant_memory: rows go to disk as they are written; no text is read as a formula, a number or an address
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(str(path), options)
    book.set_properties({"title": say("sheets.title", language), "created": MADE_ON})
    look = _formats(book)
    _contents(book, results, look, language=language)
    labels = _Labels(region, language)
    for name, noun in result_tables().items():
        _write(book, noun, results[name], labels, look)
    try:
        book.close()
    except (FileCreateError, OSError) as error:
        raise ReportError("report.write", path=str(path), found=str(error)) from error


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
    for row, (name, noun) in enumerate(result_tables().items(), start=3):
        sheet.write_string(row, 0, noun.label(language), look["text"])
        sheet.write_number(row, 1, results[name].height, look["count"])
        sheet.write_string(row, 2, noun.meaning_zh if language == "zh" else noun.meaning, look["text"])


def _write(book: Workbook, noun: Table, table: pl.DataFrame, labels: _Labels, look: Mapping[str, Format]) -> None:
    """One result table, on as many sheets as it needs."""
    columns = _columns(noun, table, labels)
    count = max(1, -(-table.height // MAX_ROWS))
    for part in range(count):
        title = noun.label(labels.language)[:26] + (f" {part + 1}" if count > 1 else "")
        sheet = book.add_worksheet(title)
        rows = min(MAX_ROWS, table.height - part * MAX_ROWS)
        sheet.freeze_panes(1, sum(c.is_key for c in noun.columns[:2]))
        sheet.autofilter(0, 0, max(rows, 1), len(columns) - 1)
        writers: list[Callable[[int, int, Any, Format], Any]] = []
        for at, (head, kind, width, _) in enumerate(columns):
            sheet.set_column(at, at, width)
            sheet.write_string(0, at, head, look["head"])
            writers.append(
                {"date": sheet.write_datetime}.get(
                    kind, sheet.write_number if kind in look and kind != "text" else sheet.write_string
                )
            )
        piece = [values.slice(part * MAX_ROWS, rows).to_list() for *_, values in columns]
        formats = [look.get(kind, look["text"]) for _, kind, _, _ in columns]
        for row in range(rows):
            for at, values in enumerate(piece):
                value = values[row]
                if value is not None:
                    writers[at](row + 1, at, value, formats[at])


def _columns(noun: Table, table: pl.DataFrame, labels: _Labels) -> Sequence[tuple[str, str, int, pl.Series]]:
    """Heading, kind, width and values of every column of a sheet; names stand right of their ids."""
    language = labels.language
    columns: list[tuple[str, str, int, pl.Series]] = []
    for column in noun.columns:
        values, head = table[column.name], column.label(language)
        if column.unit and column.unit not in ("1", "by name"):
            head = f"{head} ({column.unit})" if language == "en" else f"{head}（{_unit(column.unit)}）"
        if column.type == "parts":
            columns.append((head, "parts", WIDTHS["parts"], _why(values, language=language)))
        elif column.codes:
            columns.append((head, "code", WIDTHS["code"], labels.codes(column, values)))
        elif column.type == "flag":
            shown = pl.select(
                pl.when(values).then(pl.lit(say("yes", language))).otherwise(pl.lit(say("no", language)))
            ).to_series()
            columns.append((head, "flag", WIDTHS["flag"], shown))
        elif column.type in ("count", "year", "share", "number", "money", "date"):
            kind = "percent" if column.name.endswith("_share") else column.type
            columns.append((head, kind, WIDTHS.get(column.type, 14), _finite(values)))
        else:
            text = values.cast(pl.String()).str.slice(0, MAX_CHARS)
            columns.append((head, "text", WIDTHS["id"] if column.type == "id" else WIDE, text))
        named = labels.of(column, values) if column.type == "id" else None
        if named is not None:
            columns.append(
                (say("sheets.name", language, of=column.label(language)), "text", WIDE, named.str.slice(0, MAX_CHARS))
            )
    return columns


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
