"""What a reader of one file form hands on: cells as they stand, with their place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class RawTable:
    """The cells of one file or sheet before anything is believed of them."""

    file: str  # relative to the region; "book.xlsx#sheet" for a sheet
    cells: pl.DataFrame  # columns "0", "1", …: text; from Parquet: named and typed
    rows: pl.Series  # number in the file of each row
    problems: tuple[pl.DataFrame, ...] = ()  # found on the way; `table` is filled in by who knows it
    is_text: bool = False  # from a text file, where a leading ' guards against formulas
    is_typed: bool = False  # from Parquet: the columns have names and types, there is no heading row
