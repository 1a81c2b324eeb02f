"""Parquet files of a table: measured by their own description, then read by column name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from silian.errors import ReadError
from silian.tables.raw import RawTable

if TYPE_CHECKING:
    from pathlib import Path

    from silian.tables.headings import Headings
    from silian.tables.limits import Limits


def read_parquet(path: Path, *, file: str, headings: Headings, limits: Limits) -> RawTable:
    """Read the known columns of a Parquet file; other columns are named, not read.

    Raises
    ------
    ReadError : read.parquet if it is damaged, read.too_many_rows, read.too_many_columns, read.too_big by what it
        would unpack to.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        described = pq.read_metadata(path)
        if described.num_rows > limits.rows:
            raise ReadError("read.too_many_rows", file=file, limit=limits.rows)
        size = sum(described.row_group(i).total_byte_size for i in range(described.num_row_groups))
        if size > limits.parquet_bytes:
            raise ReadError("read.too_big", file=file, found=size, limit=limits.parquet_bytes, table=headings.table)
        names = list(pl.read_parquet_schema(path))
        if len(names) > limits.columns:
            raise ReadError("read.too_many_columns", file=file, found=len(names), limit=limits.columns)
        known = [name for name in names if headings.column(name)]
        cells = pl.read_parquet(path, columns=known, glob=False, memory_map=False)
    except (pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise ReadError("read.parquet", file=file, found=" ".join(str(error).split())[:200]) from error
    rows = pl.int_range(2, cells.height + 2, eager=True, dtype=pl.Int64).alias("row")
    unknown = [pl.lit(None, dtype=pl.String).alias(name) for name in names if name not in known]
    return RawTable(file=file, cells=cells.with_columns(unknown), rows=rows, is_typed=True)
