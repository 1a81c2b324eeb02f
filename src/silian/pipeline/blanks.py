"""Complexity and forecasts of blanks for the command line: where the rows come from, where the tables go.

docs/methods/complexity.md and docs/methods/chain-forecast.md say what each choice rests on.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import polars as pl

from silian import tables
from silian.engines import chain
from silian.errors import RunError, TableError
from silian.pipeline.folder import full_disk_told
from silian.pipeline.plan import Plan
from silian.pipeline.reading import read_usable
from silian.tables import schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

Activities = Literal["industries", "products"]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of `presence`, and how many had no year."""

    presence: pl.DataFrame
    without_year: int


def read_presence(path: Path, *, of: Activities = "industries") -> pl.DataFrame:
    """Who has what: from a table, or from a region's organisations and what they make.

    Parameters
    ----------
    path : a file with the columns of `presence`, or the folder of a region
    of : what counts as an activity of a region: the industries of its organisations, from the year of foundation, or
        the products that they make, from the first year of production; places are its districts

    Returns
    -------
    place, activity, and those of year, value, present that hold anything

    Raises
    ------
    RunError : run.table with the problems by row
    ReadError : of `tables.read_table`
    """
    if path.is_dir():
        return _of_region(path, of)
    rows = _read(path, "presence")
    return rows.select("place", "activity", *(c for c in ("year", "value", "present") if rows[c].count()))


def dated(presence: pl.DataFrame) -> Rows:
    """The rows that a forecast can use: those with a year."""
    if "year" not in presence.columns:
        presence = presence.with_columns(year=pl.lit(None, pl.Int64))
    rows = presence.select("place", "activity", "year").drop_nulls("year")
    return Rows(rows, presence.height - rows.height)


def placed(presence: pl.DataFrame) -> pl.DataFrame:
    """The rows that complexity can use: with a place; without amounts each place and activity of a year once."""
    rows = presence.drop_nulls("place")
    if "year" in rows.columns and rows["year"].null_count():
        rows = rows.drop("year")
    return rows if {"value", "present"} & set(rows.columns) else rows.unique(maintain_order=True)


def read_links(path: Path | None, activities: pl.Series, digits: Sequence[int]) -> pl.DataFrame | None:
    """Links from a file, and groups by the first characters of the activities' codes; None where there is neither.

    Raises
    ------
    RunError, ReadError : as `read_presence`.
    """
    found = [] if path is None else [_read(path, "activity_links")]
    if digits:
        found.append(chain.code_groups(activities, digits=digits))
    return pl.concat(found, how="diagonal_relaxed") if found else None


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    """Say in a code of its own why a place cannot be written."""
    with full_disk_told(out):
        try:
            yield
        except (FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
            raise TableError("write.failed", path=str(out), found=error.strerror or str(error)) from error


def write_tables(made: Mapping[str, pl.DataFrame], out: Path) -> None:
    """Write tables of `schema.chain()` as CSV into a folder.

    Raises
    ------
    RunError : run.disk where the disk is full
    TableError : write.failed where the place cannot be written, such as a folder that is a file
    """
    with _writing(out):
        out.mkdir(parents=True, exist_ok=True)
        for name, table in made.items():
            (out / f"{name}.csv").write_bytes(tables.to_csv(table, schema.chain()[name]))


def write_table(name: str, table: pl.DataFrame, out: Path) -> None:
    """Write one table of `schema.chain()` as Parquet or CSV, as the file's name ends.

    Raises
    ------
    RunError : run.disk where the disk is full
    TableError : write.failed where the place cannot be written, such as a folder that is a file
    """
    with _writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.suffix.lower() == ".parquet":
            table.write_parquet(out)
        else:
            out.write_bytes(tables.to_csv(table, schema.chain()[name]))


def _read(path: Path, name: str) -> pl.DataFrame:
    """A table handed in as a file; a cell that cannot be read stops, and is named."""
    table = schema.chain()[name]
    region = tables.read_table(path, table, beside=tables.Region.of({}))
    found = tables.check_table(region, table)
    wrong = found.filter(~pl.col("code").str.starts_with("read.") | pl.col("grave"))
    if wrong.height:
        raise RunError("run.table", problems=wrong, count=wrong.height, path=str(path))
    return region[name]


def _of_region(path: Path, of: Activities) -> pl.DataFrame:
    region = read_usable(path, Plan())
    bodies = region["organisations"].select("org_id", place="district_id", activity="industry", founded_on="founded_on")
    if of == "industries":
        rows = bodies.with_columns(year=pl.col("founded_on").dt.year().cast(pl.Int64))
    else:
        made = region["makes"].select("org_id", "product_id", year="since_year")
        rows = bodies.drop("activity").join(made, on="org_id").rename({"product_id": "activity"})
    return rows.select("place", "activity", "year").drop_nulls("activity").sort("place", "activity", "year")
