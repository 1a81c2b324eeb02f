"""What a run has left in its folder, read lazily: result tables in `out/`, what was made ready for pages in `site/`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from silian.tables import schema

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

READY: Final = "site"  # the folder of what was made ready, beside `out`
NONE: Final = "~"  # in an address: what is not stated


@dataclass(frozen=True, slots=True)
class Stored:
    """The folder of a finished run. Nothing is read before it is asked for."""

    folder: Path

    @property
    def is_ready(self) -> bool:
        """Whether the run was made ready for pages."""
        return (self.folder / READY / "needs.parquet").is_file()

    def has(self, *names: str) -> bool:
        """Whether the run has made some result tables: a run of one engine makes a few."""
        return all((self.folder / "out" / f"{name}.parquet").is_file() for name in names)

    def result(self, name: str) -> pl.LazyFrame:
        """A result table, empty where the run did not make it; columns as the schema says."""
        path = self.folder / "out" / f"{name}.parquet"
        return pl.scan_parquet(path) if path.is_file() else schema.results()[name].empty().lazy()

    def ready(self, name: str) -> pl.LazyFrame:
        """A table that was made ready.

        Raises
        ------
        FileNotFoundError : where it was not: ask `is_ready` first
        """
        return pl.scan_parquet(self.folder / READY / f"{name}.parquet")

    def drawn(self, name: str) -> Any:
        """A picture's places: chains, districts; an empty dict where there is none."""
        path = self.folder / READY / f"{name}.json"
        return _read(str(path), path.stat().st_mtime_ns) if path.is_file() else {}

    @staticmethod
    def where(column: str, value: str, *, is_text: bool = True) -> pl.Expr:
        """Whether a column has a value that an address names; NONE: it is empty."""
        read = pl.col(column) if is_text else pl.col(column).cast(pl.String)
        return read.is_null() | (read == "") if value == NONE else read == value

    def of_needs(self, name: str, needs: Collection[str]) -> pl.DataFrame:
        """The rows of a result table that tell of some needs."""
        return self.result(name).filter(pl.col("need_id").is_in(list(needs))).collect()


@lru_cache(maxsize=16)
def _read(path: str, _changed: int) -> Any:
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 – the key of the cache is a text
        return json.load(file)
