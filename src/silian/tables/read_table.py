"""One table from the raw cells of a file: its heading found, its columns named and typed, every loss listed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import polars as pl

from silian.errors import ReadError
from silian.tables.cast import WANTED, cast, cast_list, cleaned
from silian.tables.headings import headings
from silian.tables.problems import listed, names_near, problem

if TYPE_CHECKING:
    from silian.tables.headings import Headings
    from silian.tables.limits import Limits
    from silian.tables.raw import RawTable
    from silian.tables.schema import Column, Table

HEADING_ROWS: Final = 10  # a heading is looked for in this many rows; titles may stand above it


@dataclass(slots=True)
class TypedTable:
    """The typed pieces of one table, with the place of each row."""

    table: Table
    file: str  # the first one
    parts: list[pl.DataFrame] = field(default_factory=list)
    places: list[pl.DataFrame] = field(default_factory=list)  # file, row
    problems: list[pl.DataFrame] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)  # that a heading named
    height: int = 0

    def add(self, raw: RawTable, limits: Limits) -> None:
        """Type the cells of one file and add them; rows without any known cell are passed over.

        Raises
        ------
        ReadError : read.cell, read.too_many_rows.
        """
        self.problems += [rows.with_columns(table=pl.lit(self.table.name)) for rows in raw.problems]
        heading = _Heading.of(raw, headings(self.table.name))
        self.problems += heading.problems(self.table)
        if not heading.columns:
            return
        self.columns |= heading.columns.keys()
        cells, rows = heading.data()
        if not raw.is_typed:
            cells = cells.select(cleaned(column, guarded=raw.is_text) for column in cells)
        filled = cells.select(filled=~pl.all_horizontal(pl.all().is_null())).to_series()
        if not filled.all():
            cells, rows = cells.filter(filled), rows.filter(filled)
        self.height += cells.height
        if self.height > limits.rows:
            raise ReadError("read.too_many_rows", file=raw.file, limit=limits.rows)
        places = pl.DataFrame({"file": pl.repeat(raw.file, len(rows), eager=True), "row": rows})
        typed, notes = _typed(cells, self.table, places, limits, is_typed=raw.is_typed)
        self.parts.append(typed)
        self.places.append(places)
        self.problems += notes


def cells_of(raw: RawTable, table: Table) -> pl.DataFrame:
    """The cells under a heading as they stand: file, row, and as text a column for each that the heading names."""
    cells, rows = _Heading.of(raw, headings(table.name)).data()
    file = pl.repeat(raw.file, len(rows), eager=True).alias("file")
    return cells.select(file, rows.alias("row"), pl.all().cast(pl.String, strict=False))


@dataclass(slots=True)
class _Heading:
    """The heading of raw cells: which cell names which column."""

    raw: RawTable
    cells: list[str]  # as they stand; empty where there is no heading at all
    start: int  # index of the first row of data
    columns: dict[str, str]  # column → its name among the raw cells
    twice: list[str]
    unknown: list[tuple[str, str]]  # heading, its name among the raw cells

    @classmethod
    def of(cls, raw: RawTable, known: Headings) -> _Heading:
        cells, start = _heading_row(raw, known)
        columns: dict[str, str] = {}
        twice: list[str] = []
        unknown: list[tuple[str, str]] = []
        for text, own in zip(cells, raw.cells.columns, strict=False):
            name = known.column(text)
            if name is None:
                unknown.append((text, own))
            elif name in columns:
                twice.append(text)
            else:
                columns[name] = own
        return cls(raw=raw, cells=cells, start=start, columns=columns, twice=twice, unknown=unknown)

    def data(self) -> tuple[pl.DataFrame, pl.Series]:
        """The cells under the heading by column name, and their row numbers."""
        below = self.raw.cells.slice(self.start)
        return below.select(pl.col(own).alias(name) for name, own in self.columns.items()), self.raw.rows.slice(
            self.start
        )

    def problems(self, table: Table) -> list[pl.DataFrame]:
        """No heading, or headings that stand twice or for nothing."""
        raw, place = self.raw, {"table": table.name, "file": self.raw.file}
        if not self.columns:
            if not any(self.cells):
                is_note = bool(raw.problems) and raw.cells.is_empty()  # a hidden sheet: its problem says enough
                return [] if is_note else [problem("read.empty_file", found="0", **place)]
            words = {"rows": HEADING_ROWS, "wanted": ", ".join(c.label_zh for c in table.columns[:3])}
            found = " ".join(filter(None, self.cells))
            return [problem("read.heading", row=1, found=found, words=words, grave=True, **place)]
        line = raw.rows[self.start - 1] if self.start else 1
        names = [c.label_zh for c in table.columns] + [c.name for c in table.columns]
        notes = [
            problem("read.heading_twice", row=line, column=text[:80], found=text, grave=True, **place)
            for text in self.twice
        ]
        for text, own in self.unknown:
            shown = text.strip()[:80] or f"({int(own) + 1})"
            if text.strip() or bool((raw.cells[own].slice(self.start).str.strip_chars() != "").any()):
                hint = names_near(text, names)
                words = {"hint": hint}
                notes.append(problem("read.column_unknown", row=line, column=shown, found=text, words=words, **place))
        return notes


def _heading_row(raw: RawTable, known: Headings) -> tuple[list[str], int]:
    """The row of the first few that names most columns, and the index of the first row of data."""
    if raw.is_typed:
        return list(raw.cells.columns), 0
    first = raw.cells.head(HEADING_ROWS).rows()
    if not first:
        return [], 0
    at = max(range(len(first)), key=lambda i: known.count(first[i]))
    names = [known.column(cell) for cell in first[at]]
    start = at + 1
    # a second heading may follow: in the other language, or with the names of the columns
    for row in raw.cells.slice(start, 2).rows():
        same = all(not cell or known.column(cell) == name for cell, name in zip(row, names, strict=True))
        if not (any(row) and same):
            break
        start += 1
    return [cell or "" for cell in first[at]], start


def _typed(
    named: pl.DataFrame, table: Table, places: pl.DataFrame, limits: Limits, *, is_typed: bool
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Every column of the schema in its type; absent columns are empty."""
    columns: list[pl.Series] = []
    notes: list[pl.DataFrame] = []
    for column in table.columns:
        if column.name not in named.columns:
            columns.append(pl.Series(column.name, [None], dtype=column.polars).new_from_index(0, named.height))
            continue
        cells = named[column.name]
        _refuse_long_cell(cells, places, limits)
        made, wrong = _from_typed(cells, column) if is_typed else cast(cells, column)
        columns.append(made)
        notes += _wrong_cells(cells, wrong, made, column, places)
    return pl.DataFrame(columns), notes


def _refuse_long_cell(cells: pl.Series, places: pl.DataFrame, limits: Limits) -> None:
    if cells.dtype == pl.String and (cells.str.len_bytes().max() or 0) > limits.cell_bytes:  # type: ignore[operator]
        at = cells.str.len_bytes().arg_max() or 0
        file, row = places.row(at)
        raise ReadError("read.cell", file=file, limit=limits.cell_bytes, row=row)


def _from_typed(cells: pl.Series, column: Column) -> tuple[pl.Series, pl.Series]:
    """A column of Parquet in the type of the schema: as it is where it fits, else through its text."""
    never = pl.Series("wrong", [False]).new_from_index(0, len(cells))
    if cells.dtype == column.polars and column.type not in ("id", "text", "code", "list"):
        if cells.dtype == pl.Float64:
            wrong = (cells.is_nan() | cells.is_infinite()).fill_null(value=False)
            return cells.set(wrong, None).alias(column.name), wrong.rename("wrong")
        return cells, never
    if isinstance(cells.dtype, pl.List):
        parts = cells.cast(pl.List(pl.String), strict=False)
        if column.type == "list":
            return cast_list(parts, column).alias(column.name), never
        cells = parts.list.join(";", ignore_nulls=True)
    if cells.dtype.is_temporal() and column.type == "date":
        return cells.cast(pl.Date, strict=False), never
    try:
        text = cells.cast(pl.String, strict=False)
    except pl.exceptions.PolarsError:
        return pl.Series(column.name, [None], dtype=column.polars).new_from_index(0, len(cells)), cells.is_not_null()
    return cast(cleaned(text, guarded=False), column)


def _wrong_cells(
    cells: pl.Series, wrong: pl.Series, made: pl.Series, column: Column, places: pl.DataFrame
) -> list[pl.DataFrame]:
    notes = []
    if wrong.any():
        english, chinese = WANTED.get(column.type, ("text", "文本"))
        bad = places.with_columns(found=cells.cast(pl.String, strict=False)).filter(wrong)
        words = ({"wanted": english}, {"wanted": chinese})
        notes.append(listed("check.type", bad, table=column.table, column=column.name, words=words))
    if made.dtype == pl.String and (damaged := made.str.contains("\ufffd|锟斤拷").fill_null(value=False)).any():
        bad = places.with_columns(found=made).filter(damaged)
        notes.append(listed("read.damaged_text", bad, table=column.table, column=column.name))
    return notes
