"""Text files of a table: encoding and separator found, cells as text, nothing of it believed."""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

import polars as pl

from silian.errors import ReadError
from silian.tables.problems import SHOWN, problems
from silian.tables.raw import RawTable

if TYPE_CHECKING:
    from pathlib import Path

    from silian.tables.headings import Headings
    from silian.tables.limits import Limits

BLOCK: Final = 4 << 20
HEAD_BYTES: Final = 1 << 20  # in which the separator is looked for
HEAD_ROWS: Final = 20
SEPARATORS: Final = (",", "\t", ";", "|")
# Six Chinese characters of UTF-8 in a row; in real GB18030 text these bytes meet by chance once in 10^11 places.
UTF8_RUN: Final = re.compile(rb"(?:[\xe4-\xe9][\x80-\xbf]{2}){6}")
_RUN_BYTES: Final = 18


def read_csv(path: Path, *, file: str, headings: Headings, limits: Limits) -> RawTable:
    """Read a text file of separated cells: UTF-8 with or without its mark, GB18030, or UTF-16 with its mark.

    Parameters
    ----------
    headings : of the table, by which the separator (comma, tab, semicolon, bar) is chosen

    Raises
    ------
    ReadError : read.encoding, read.nul, read.cell, read.quote, read.too_many_rows, read.too_many_columns,
        read.ragged_all.

    Notes
    -----
    A row that lacks cells at its end is filled up (spreadsheets leave them out); a row with too many is left out and
    listed as read.ragged. No more than two rows of `limits.row_bytes` are held at once beyond what has been read.
    """
    encoding = encoding_of(path, file=file)
    separator, width = _shape(_head(path, encoding), headings)
    if not width:
        return RawTable(file=file, cells=pl.DataFrame(), rows=pl.Series("row", [], dtype=pl.Int64))
    if width > limits.columns:
        raise ReadError("read.too_many_columns", file=file, found=width, limit=limits.columns)
    odd = _OddRows(separator=separator, width=width, most=limits.ragged_rows)
    cells = _parse(path, encoding, odd, file, limits)
    rows = odd.numbers(cells.height)
    _refuse_open_quote(path, cells, file, rows, odd)
    cells, rows = odd.filled_up(cells, rows)
    return RawTable(file=file, cells=cells, rows=rows, problems=odd.problems(file), is_text=True)


def encoding_of(path: Path, *, file: str) -> str:
    """The encoding of a text file, after a look at all of it: "utf-8-sig", "utf-16" or "gb18030".

    Raises
    ------
    ReadError : read.encoding if it is none of them throughout (also: half the one, half the other), read.nul if it
        holds a NUL byte.
    """
    with path.open("rb") as opened:
        mark = opened.read(2)
    if mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        wrong = _first_wrong(path, "utf-16")
        if wrong is None:
            return "utf-16"
        raise ReadError("read.encoding", file=file, byte=wrong, row=_line(path, wrong), found="UTF-16")
    nul = _find(path, re.compile(rb"\x00"))
    if nul is not None:
        raise ReadError("read.nul", file=file, byte=nul, row=_line(path, nul))
    wrong = _first_wrong(path, "utf-8")
    if wrong is None:
        return "utf-8-sig"
    if _find(path, UTF8_RUN, end=wrong) is None:
        wrong_gb = _first_wrong(path, "gb18030")
        mixed = _find(path, UTF8_RUN) if wrong_gb is None else None
        if wrong_gb is None and mixed is None:
            return "gb18030"
        wrong = max(wrong, wrong_gb or 0) if mixed is None else mixed
    with path.open("rb") as opened:
        opened.seek(wrong)
        found = opened.read(4).hex(" ")
    raise ReadError("read.encoding", file=file, byte=wrong, row=_line(path, wrong), found=found)


def _first_wrong(path: Path, encoding: str) -> int | None:
    """Offset of the first byte that the encoding does not allow."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    at = 0
    with path.open("rb") as opened:
        while True:
            block = opened.read(BLOCK)
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return at - pending + error.start
            if not block:
                return None
            at += len(block)


def _find(path: Path, pattern: re.Pattern[bytes], *, end: int | None = None) -> int | None:
    """Offset of the first match (of at most _RUN_BYTES bytes) that begins before `end`."""
    at, kept = 0, b""
    with path.open("rb") as opened:
        while (end is None or at < end) and (block := opened.read(BLOCK)):
            match = pattern.search(kept + block)
            if match is not None:
                found = at - len(kept) + match.start()
                return found if end is None or found < end else None
            at += len(block)
            kept = (kept + block)[-(_RUN_BYTES - 1) :]
    return None


def _line(path: Path, offset: int) -> int:
    """Number of the line that holds the byte at an offset."""
    lines, left = 1, offset
    with path.open("rb") as opened:
        while left > 0 and (block := opened.read(min(BLOCK, left))):
            lines += block.count(b"\n")
            left -= len(block)
    return lines


def _head(path: Path, encoding: str) -> str:
    with path.open("rb") as opened:
        block = opened.read(HEAD_BYTES)
    return codecs.getincrementaldecoder(encoding)("ignore").decode(block)


def _shape(head: str, headings: Headings) -> tuple[str, int]:
    """The separator under which most headings are known (then: most cells), and the number of cells of a row."""
    best = (-1, -1, ",", 0)
    for order, separator in enumerate(SEPARATORS):
        first = _first_rows(head, separator)
        known = max((headings.count(row) for row in first), default=0)
        width = max((len(row) for row in first), default=0)
        heading = max(first, key=headings.count, default=[])
        best = max(best, (known, -order, separator, len(heading) if known else width))
    return best[2], best[3]


def _first_rows(head: str, separator: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in islice(csv.reader(io.StringIO(head, newline=""), delimiter=separator), HEAD_ROWS):
            rows.append(row)  # noqa: PERF402  what stands before the error is kept
    except csv.Error:
        pass  # a very long cell: the rows before it are enough
    return rows


@dataclass(slots=True)
class _OddRows:
    """Rows with another number of cells than the heading, by their number in the file."""

    separator: str
    width: int
    most: int
    short: dict[int, list[str]] = field(default_factory=dict)
    ends: dict[int, str] = field(default_factory=dict)  # the last cell of each short row
    long: dict[int, str] = field(default_factory=dict)

    def __call__(self, row: object) -> str:
        """Keep one row that pyarrow could not fit (its handler of invalid rows)."""
        number, text = int(row.number), str(row.text)  # type: ignore[attr-defined]
        found = next(csv.reader(io.StringIO(text, newline=""), delimiter=self.separator), [])
        if any(cell.strip() for cell in found[self.width :]):
            self.long[number] = text[: 2 * SHOWN]
            return "skip" if len(self.long) <= self.most else "error"
        self.ends[number] = found[-1] if found else ""
        self.short[number] = (found + [""] * self.width)[: self.width]
        return "skip"

    def numbers(self, height: int) -> pl.Series:
        """Row number in the file of each whole row; the first row of the file is 1."""
        odd = pl.Series([*self.short, *self.long], dtype=pl.Int64)
        every = pl.int_range(1, height + len(odd) + 1, eager=True, dtype=pl.Int64).alias("row")
        return every.filter(~every.is_in(odd.implode())) if len(odd) else every

    def filled_up(self, cells: pl.DataFrame, rows: pl.Series) -> tuple[pl.DataFrame, pl.Series]:
        """The whole rows and the short ones together, in the order of the file."""
        if not self.short:
            return cells, rows
        names = [str(i) for i in range(self.width)]
        schema = dict.fromkeys(names, pl.String())
        short = pl.DataFrame(list(self.short.values()), schema=schema, orient="row")
        both = pl.concat([cells.with_columns(rows), short.with_columns(pl.Series("row", list(self.short), pl.Int64))])
        both = both.sort("row")
        return both.drop("row"), both["row"]

    def problems(self, file: str) -> tuple[pl.DataFrame, ...]:
        """One problem per row that was left out."""
        if not self.long:
            return ()
        cells = pl.DataFrame({"file": file, "row": list(self.long), "found": list(self.long.values())})
        return (problems("read.ragged", cells, table="", words={"wanted": self.width}),)


def _parse(path: Path, encoding: str, odd: _OddRows, file: str, limits: Limits) -> pl.DataFrame:
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    names = [str(i) for i in range(odd.width)]
    # one thread: only then does pyarrow know the numbers of the rows
    reading = pa_csv.ReadOptions(
        use_threads=False, block_size=limits.row_bytes, column_names=names,
        encoding="utf8" if encoding == "utf-8-sig" else encoding,
    )  # fmt: skip
    parsing = pa_csv.ParseOptions(
        delimiter=odd.separator, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=odd
    )
    converting = pa_csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.large_string()), strings_can_be_null=False, null_values=[]
    )
    batches: list[pa.RecordBatch] = []
    height = 0
    try:
        with pa_csv.open_csv(path, reading, parsing, converting) as reader:
            for batch in reader:
                batches.append(batch)
                height += batch.num_rows
                if height > limits.rows:
                    raise ReadError("read.too_many_rows", file=file, limit=limits.rows)
    except pa.ArrowInvalid as error:
        if len(odd.long) > odd.most:
            raise ReadError(
                "read.ragged_all", file=file, count=f"> {odd.most}", wanted=odd.width, found=repr(odd.separator)
            ) from error
        if "straddling" in str(error):
            raise ReadError("read.cell", file=file, limit=limits.row_bytes, row=height + 1) from error
        raise ReadError("read.failed", file=file, found=str(error)[:200]) from error
    if not batches:
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String()))
    return pl.DataFrame(pl.from_arrow(pa.Table.from_batches(batches)))


def _refuse_open_quote(path: Path, cells: pl.DataFrame, file: str, rows: pl.Series, odd: _OddRows) -> None:
    """Refuse a file whose last cell runs to its end because its quotation mark is never closed."""
    number, cell = (rows[-1], cells.row(-1)[-1]) if len(rows) else (0, "")
    short = max(odd.short, default=0)
    if short > number:
        number, cell = short, odd.ends[short]
    if "\n" not in (cell or "") and "\r" not in (cell or ""):
        return
    with path.open("rb") as opened:
        opened.seek(max(0, path.stat().st_size - 64))
        tail = opened.read().rstrip(b"\r\n\x00 ")
    if not tail.endswith(b'"'):
        raise ReadError("read.quote", file=file, row=number)
