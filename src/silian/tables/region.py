"""A region in memory: one table per noun, where each row came from, and its map."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import polars as pl

from silian.tables.schema import results, tables

if TYPE_CHECKING:
    from collections.abc import Mapping

PROBLEM_SCHEMA = results()["problems"].polars


@dataclass(frozen=True, slots=True)
class Source:
    """A run of rows of one table that came from one file, in order."""

    file: str  # relative to the region; "book.xlsx#sheet" for a sheet
    first_row: int  # number in the file of the first data row (2 where row 1 is the heading)
    rows: int


@dataclass(frozen=True, slots=True)
class Region:
    """A region's data, frozen: every noun is there, empty where the region has no such table.

    Examples
    --------
    >>> region = Region.of({"districts": pl.DataFrame({"district_id": ["d1"], "name": ["东区"]})})
    >>> region["districts"]["name"].to_list(), region["needs"].height
    (['东区'], 0)
    """

    tables: Mapping[str, pl.DataFrame]
    sources: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)
    columns: Mapping[str, frozenset[str]] = field(default_factory=dict)  # that the files of a table had
    geojson: Mapping[str, Any] | None = None  # FeatureCollection; properties.district_id names the district
    problems: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=PROBLEM_SCHEMA))  # found while reading

    def __getitem__(self, name: str) -> pl.DataFrame:
        return self.tables[name]

    @classmethod
    def of(cls, given: Mapping[str, pl.DataFrame], *, geojson: Mapping[str, Any] | None = None) -> Region:
        """A region from tables that may lack optional nouns and optional columns (they are filled with nulls)."""
        whole = {name: _filled(given.get(name), table.polars) for name, table in tables().items()}
        return cls(tables=MappingProxyType(whole), geojson=geojson)


def _filled(given: pl.DataFrame | None, schema: pl.Schema) -> pl.DataFrame:
    if given is None or given.is_empty():  # of a table without rows, literals alone would make one
        return pl.DataFrame(schema=schema)
    columns = [
        pl.col(name).cast(kind) if name in given.columns else pl.lit(None, dtype=kind).alias(name)
        for name, kind in schema.items()
    ]
    return given.select(columns)
