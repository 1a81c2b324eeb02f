"""What is packed in a workbook, measured before anything opens it.

The reader of sheets trusts the file: it would unpack a bomb, lay out a million columns for one far cell, and copy a
shared text into every cell that names it. So the parts are unpacked here first, a block at a time and within bounds.
"""

from __future__ import annotations

import html
import posixpath
import re
import struct
import zipfile
import zlib
from array import array
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from silian.errors import ReadError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from silian.tables.limits import Limits

BLOCK: Final = 1 << 20
KEPT: Final = 4 << 20  # bytes of a small part that are kept whole
PENDING: Final = 64 << 20  # bytes without the end of a row or text
SMALL_RATIO_BYTES: Final = 64 << 20  # below this any ratio passes: an empty sheet packs to nothing
DENSE_CELLS: Final = 30_000_000  # cells of the smallest rectangle around a sheet that always pass (32 bytes each)
MOST_CELLS: Final = 100_000_000
SPREAD: Final = 30  # cells of that rectangle for each cell with a value
SHEET_ROWS: Final = 1_048_576
BAD_CELLS: Final = 100_000
COPIED_BYTES: Final = 2 << 30  # of shared texts, each counted once for every cell that names it
_OLD_OFFICE: Final = b"\xd0\xcf\x11\xe0"  # compound file: an old .xls, or an encrypted .xlsx
_VALUE: Final = rb"""(?:[^>]*[^/>])?>"""  # the rest of a cell's tag that does not close at once: it has a value
# size of a sheet, as classes: (a reference beyond the class, columns or rows of the next class)
_COLUMNS: Final = ((rb"[A-Z]{3,}", 16_384), (rb"(?:I[W-Z]|[J-Z][A-Z])", 702), (rb"[C-Z][A-Z]", 256), (rb"[A-Z]{2}", 78))
_ROWS: Final = ((rb"\d{7,}", 1_048_576), (rb"\d{6}", 1_000_000), (rb"\d{5}", 100_000))
# Every program writes r="A1"; another spelling is looked for with slower patterns.
_USUAL, _UNUSUAL = rb'r="', rb"""\br\s*=\s*["']"""
_IS_UNUSUAL: Final = re.compile(rb"""r(?:\s+=|=[\s']|="[^A-Z0-9])""")


def _beyond(
    start: bytes, flags: re.RegexFlag
) -> tuple[list[tuple[re.Pattern[bytes], int]], list[tuple[re.Pattern[bytes], int]]]:
    columns = [(re.compile(start + place + rb"\d+[\"']" + _VALUE, flags), size) for place, size in _COLUMNS]
    rows = [(re.compile(start + rb"[A-Z]+" + place + rb"[\"']" + _VALUE, flags), size) for place, size in _ROWS]
    return columns, rows


_BEYOND: Final = {False: _beyond(_USUAL, re.NOFLAG), True: _beyond(_UNUSUAL, re.IGNORECASE)}
_ROW: Final = re.compile(rb"""<(?:\w+:)?row\b[^>]*?\br\s*=\s*["'](\d+)["']""" + _VALUE)
_TEXTS: Final = re.compile(rb"<(?:\w+:)?sst\b([^>]*)>")
_COUNT: Final = re.compile(rb"""ount\s*=\s*["']\s*\+?(\d+)""")
_CELL: Final = re.compile(rb"<(?:\w+:)?c[\s/>]")
_SHARED: Final = re.compile(rb"""\st\s*=\s*["']s["']""")
_SHARED_INDEX: Final = re.compile(rb"""\st\s*=\s*["']s["'][^>]*>\s*<(?:\w+:)?v>(\d{1,9})<""")
_FORMULA: Final = re.compile(rb"<c\b([^>]*)>\s*<f\b[^>]*(?:/>|>([^<]*)</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>")
_ERROR: Final = re.compile(rb"""<c\b([^>]*\bt="e"[^>]*)>\s*(?:<f\b[^>]*(?:/>|>[^<]*</f>))?\s*<v>([^<]*)</v>""")
_PLACE: Final = re.compile(rb"""\br\s*=\s*["']([A-Z]{1,3})(\d{1,7})["']""")
_TAG: Final = re.compile(rb"<(?:\w+:)?(sheet|Relationship)\s([^>]*)>")
_ATTRIBUTE: Final = re.compile(rb"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


@dataclass(frozen=True, slots=True)
class BadCell:
    """A cell whose value the file does not hold."""

    sheet: str
    row: int
    place: str
    found: str


@dataclass(slots=True)
class Inspection:
    """What the look at the parts of a workbook found."""

    formulas: list[BadCell] = field(default_factory=list)
    errors: list[BadCell] = field(default_factory=list)


@dataclass(slots=True)
class _Sheet:
    """Counts of one sheet part."""

    cells: int = 0
    shared: int = 0  # cells that name a shared text
    columns: int = 26
    loose: int = 0  # cells of one row that may stand without a reference
    rows: int = 10_000
    formulas: list[tuple[int, str, str]] = field(default_factory=list)
    errors: list[tuple[int, str, str]] = field(default_factory=list)

    def see(self, piece: bytes) -> None:
        """Count one piece that ends with a row."""
        cells = len(_CELL.findall(piece))
        self.cells += cells
        self.shared += len(_SHARED.findall(piece))
        columns, rows = _BEYOND[_IS_UNUSUAL.search(piece) is not None]
        self.columns = max(self.columns, next((size for far, size in columns if far.search(piece)), 26))
        self.rows = max(self.rows, next((size for far, size in rows if far.search(piece)), 10_000))
        self.rows = max(self.rows, *(int(row[:9]) for row in _ROW.findall(piece)), 0)
        if piece.count(b'<c r="') != cells:  # cells may stand without a reference, each after the one before
            self.loose = max(self.loose, *(len(_CELL.findall(row)) for row in piece.split(b"</row>")))
        for pattern, bad in ((_FORMULA, self.formulas), (_ERROR, self.errors)):
            if b"<f" in piece or b't="e"' in piece:
                for match in pattern.finditer(piece):
                    place = _PLACE.search(match[1])
                    if place is not None and len(bad) < BAD_CELLS:
                        text = html.unescape((match[2] or b"").decode("utf-8", "replace"))
                        sign = "=" if pattern is _FORMULA else ""
                        bad.append((int(place[2]), (place[1] + place[2]).decode(), sign + text))


def column_letters(index: int) -> str:
    """The letters of a column of a sheet; 0 is A.

    Examples
    --------
    >>> column_letters(0), column_letters(27)
    ('A', 'AB')
    """
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def inspect(path: Path, *, file: str, limits: Limits) -> Inspection:
    """Unpack every part of a workbook, a block at a time, and refuse it where it would grow beyond the limits.

    Raises
    ------
    ReadError : read.password, read.workbook, read.zip_bomb, read.sheet_far.
    """
    with path.open("rb") as opened:
        if opened.read(4) == _OLD_OFFICE:
            raise ReadError("read.password", file=file)
        try:
            with zipfile.ZipFile(opened) as packed:
                parts = packed.infolist()
            _refuse_large(parts, path.stat().st_size, file, limits)
            return _Parts(file=file, limits=limits, packed=path.stat().st_size).look(opened, parts)
        except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError) as error:
            raise ReadError("read.workbook", file=file, found=str(error)[:200] or type(error).__name__) from error


def _refuse_large(parts: list[zipfile.ZipInfo], packed: int, file: str, limits: Limits) -> None:
    """Refuse by what the directory of the file itself says, before a byte is unpacked."""
    if len(parts) > limits.files:
        raise ReadError("read.zip_bomb", file=file, found=f"{len(parts)} parts", limit=f"{limits.files} parts")
    _refuse_size(sum(part.file_size for part in parts), packed, file, limits)
    for part in parts:
        if part.flag_bits & 1:
            raise ReadError("read.password", file=file)
        if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ReadError("read.workbook", file=file, found=f"packed with method {part.compress_type}")


def _refuse_size(unpacked: int, packed: int, file: str, limits: Limits) -> None:
    if unpacked > limits.unpacked_bytes:
        raise ReadError("read.zip_bomb", file=file, found=f"{unpacked} bytes", limit=f"{limits.unpacked_bytes} bytes")
    if unpacked > SMALL_RATIO_BYTES and unpacked > packed * limits.unpacked_ratio:
        found, limit = f"{unpacked // max(packed, 1)} times its size", f"{limits.unpacked_ratio} times"
        raise ReadError("read.zip_bomb", file=file, found=found, limit=limit)


@dataclass(slots=True)
class _Parts:
    file: str
    limits: Limits
    packed: int
    unpacked: int = 0
    sheets: dict[str, _Sheet] = field(default_factory=dict)
    kept: dict[str, bytes] = field(default_factory=dict)  # workbook.xml and its relations
    texts: array[int] = field(default_factory=lambda: array("I"))  # bytes of each shared text

    def look(self, opened: BinaryIO, parts: list[zipfile.ZipInfo]) -> Inspection:
        for part in parts:
            name = part.filename.lower()
            blocks = self._counted(_unpacked(opened, part))
            if name.endswith("sharedstrings.xml"):
                self._see_texts(blocks)
            elif name in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels"):
                self.kept[name] = b"".join(blocks)[:KEPT]
            elif name.endswith(".xml") and not name.startswith(("xl/theme", "xl/styles", "docprops")):
                sheet = _Sheet()
                for piece in self._pieces(blocks, b"</row>"):
                    sheet.see(piece)
                self.sheets[name] = sheet
            else:
                for _ in blocks:
                    pass
        self._refuse_wide()
        self._refuse_copies(opened, parts)
        return self._result()

    def _counted(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self.unpacked += len(block)
            _refuse_size(self.unpacked, self.packed, self.file, self.limits)
            yield block

    def _pieces(self, blocks: Iterator[bytes], end: bytes) -> Iterator[bytes]:
        """The blocks cut after the last `end` in each, so that nothing that is looked for is torn."""
        pending = b""
        for block in blocks:
            pending += block
            at = pending.rfind(end)
            if at >= 0:
                yield pending[: at + len(end)]
                pending = pending[at + len(end) :]
            elif len(pending) > PENDING:
                raise ReadError("read.workbook", file=self.file, found=f"no {end.decode()} in {len(pending)} bytes")
        yield pending

    def _see_texts(self, blocks: Iterator[bytes]) -> None:
        for piece in self._pieces(blocks, b"</si>"):
            claimed = max((int(c[:12]) for tag in _TEXTS.findall(piece) for c in _COUNT.findall(tag)), default=0)
            if claimed > MOST_CELLS:  # the reader of sheets would set aside room for all of them
                limit = f"{MOST_CELLS} texts"
                raise ReadError("read.zip_bomb", file=self.file, found=f"{claimed} texts", limit=limit)
            ends = [0, *(match.end() for match in re.finditer(rb"</si>", piece))]
            self.texts.extend(end - start for start, end in pairwise(ends))

    def _refuse_wide(self) -> None:
        for sheet in self.sheets.values():
            around = sheet.rows * (sheet.columns + sheet.loose)
            is_spread = around > MOST_CELLS or around > max(DENSE_CELLS, SPREAD * sheet.cells)
            if is_spread or sheet.rows > SHEET_ROWS:
                found = f"row {min(sheet.rows, 10**9)} or column {column_letters(sheet.columns + sheet.loose - 1)}"
                raise ReadError("read.sheet_far", file=self.file, found=found)

    def _refuse_copies(self, opened: BinaryIO, parts: list[zipfile.ZipInfo]) -> None:
        """Refuse texts that would fill the memory by being named from very many cells."""
        most = sum(sheet.shared for sheet in self.sheets.values()) * max(self.texts, default=0)
        if most <= COPIED_BYTES:
            return
        lengths, copied = np.array(self.texts, dtype=np.int64), 0
        for part in parts:
            if self.sheets.get(part.filename.lower(), _Sheet()).shared:
                for piece in self._pieces(_unpacked(opened, part), b"</row>"):
                    named = np.array([int(i) for i in _SHARED_INDEX.findall(piece)], dtype=np.int64)
                    copied += int(lengths[named[named < len(lengths)]].sum())
        if copied > COPIED_BYTES:
            limit = f"{COPIED_BYTES} bytes"
            raise ReadError("read.zip_bomb", file=self.file, found=f"{copied} bytes of repeated text", limit=limit)

    def _result(self) -> Inspection:
        result = Inspection()
        for name, part in self._sheet_parts().items():
            sheet = self.sheets.get(part.lower(), _Sheet())
            result.formulas += [BadCell(name, *cell) for cell in sheet.formulas]
            result.errors += [BadCell(name, *cell) for cell in sheet.errors]
        return result

    def _sheet_parts(self) -> dict[str, str]:
        """Name of each sheet → name of the part that holds it."""
        named = _tags(self.kept.get("xl/workbook.xml", b""), b"sheet")
        related = _tags(self.kept.get("xl/_rels/workbook.xml.rels", b""), b"Relationship")
        targets = {
            tag.get("Id", ""): posixpath.normpath(posixpath.join("/xl", tag.get("Target", ""))) for tag in related
        }
        ids = ((tag.get("name", ""), next((v for k, v in tag.items() if k.endswith(":id")), "")) for tag in named)
        return {name: targets[key].lstrip("/") for name, key in ids if key in targets}


def _tags(text: bytes, kind: bytes) -> list[dict[str, str]]:
    found = []
    for match in _TAG.finditer(text):
        if match[1] == kind:
            values = ((k, a or b) for k, a, b in _ATTRIBUTE.findall(match[2]))
            found.append({k.decode(): html.unescape(v.decode("utf-8", "replace")) for k, v in values})
    return found


def _unpacked(opened: BinaryIO, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """The bytes of a part, as they really unpack, whatever size the directory claims."""
    opened.seek(part.header_offset)
    local = opened.read(30)
    if local[:4] != b"PK\x03\x04":
        message = f"no part at byte {part.header_offset}"
        raise zipfile.BadZipFile(message)
    opened.seek(sum(struct.unpack("<HH", local[26:30])), 1)
    left = part.compress_size
    unpack = zlib.decompressobj(-15) if part.compress_type == zipfile.ZIP_DEFLATED else None
    while left > 0:
        block = opened.read(min(BLOCK, left))
        if not block:
            message = f"{part.filename} is cut off"
            raise zipfile.BadZipFile(message)
        left -= len(block)
        if unpack is None:
            yield block
            continue
        while block and not unpack.eof:
            yield unpack.decompress(block, BLOCK)
            block = unpack.unconsumed_tail
    if unpack is not None and not unpack.eof:
        message = f"{part.filename} is cut off"
        raise zipfile.BadZipFile(message)
