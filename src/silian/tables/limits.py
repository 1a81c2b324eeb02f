"""How much a region's files may hold before they are refused: against mistakes and against hostile files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what is read; generous for a province, small against a machine's memory."""

    file_bytes: int = 4 << 30
    cell_bytes: int = 1 << 20  # one cell; a need or abstract has some thousands
    row_bytes: int = 16 << 20  # one row of a CSV file; also how much of an unclosed quotation is read
    rows: int = 20_000_000  # of one file
    files: int = 10_000
    unpacked_bytes: int = 1 << 30  # of one workbook
    unpacked_ratio: int = 300  # unpacked to packed, of a workbook of more than 64 MiB unpacked; real ones have < 100
    columns: int = 256
    geojson_bytes: int = 64 << 20
    parquet_bytes: int = 8 << 30  # uncompressed
    merged_ranges: int = 10_000
    ragged_rows: int = 10_000


LIMITS = Limits()
