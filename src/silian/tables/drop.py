"""A region without the rows and ids that cannot be used."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import polars as pl

from silian.tables.problems import places, sources_of
from silian.tables.references import PAIRS, broken, ids_of, in_circle
from silian.tables.region import Region
from silian.tables.schema import tables

if TYPE_CHECKING:
    from silian.tables.schema import Column

# The place of each row travels with it, under names that no column has.
PLACE: Final = {"file": "\x00file", "row": "\x00row"}
# Problems of rows, besides ids that refer to nothing, that keep a row or a link from being used.
DROPPED: Final = ("check.column", "check.empty", "check.duplicate", "check.self", "check.circle")


def drop_problem_rows(region: Region, problems: pl.DataFrame) -> Region:
    """The region without what cannot be used, so that the job can go on.

    Parameters
    ----------
    problems : of `check` on this region; it says whether there is anything to do

    Returns
    -------
    Region : rows with an empty key cell are gone; of rows with the same key the first stays; an id that refers to
        nothing takes its row along where the column is needed, and becomes empty where it is not (a list loses just
        that id); a link of a product to itself goes, and so does a parent that closes a circle. `problems` and the
        place of every row that stays are kept.

    Examples
    --------
    >>> from silian.tables import check
    >>> needs = pl.DataFrame({"need_id": ["n1", "n1"], "title": ["甲", "乙"], "kind": ["technology"] * 2})
    >>> region = Region.of({"needs": needs})
    >>> drop_problem_rows(region, check(region))["needs"]["title"].to_list()
    ['甲']
    """
    found = problems.filter(pl.col("code").is_in(DROPPED))
    named = set(found["table"].to_list())
    if not named and problems.filter(pl.col("code") == "check.unknown").is_empty():
        return region
    kept = {name: frame.with_columns(places(region, name).rename(PLACE)) for name, frame in region.tables.items()}
    for name in tables():
        if name in named:
            kept[name] = _without_loops(_with_one_key(kept[name], name), name)
    kept = _without_broken(kept)
    sources = {
        name: sources_of(frame.select(pl.col(place).alias(column) for column, place in PLACE.items()))
        for name, frame in kept.items()
        if region.sources.get(name)
    }
    whole = {name: kept[name].select(list(table.polars)) for name, table in tables().items()}
    return Region(
        tables=MappingProxyType(whole),
        sources=MappingProxyType(sources),
        geojson=region.geojson,
        problems=region.problems,
        columns=region.columns,
    )


def _with_one_key(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    key = list(tables()[name].key)
    filled = frame.filter(pl.all_horizontal(pl.col(column).is_not_null() for column in key))
    return filled.unique(key, keep="first", maintain_order=True)


def _without_loops(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """Without pairs of the same id, and without the parents that close a circle."""
    for table, left, right in PAIRS:
        differ = (pl.col(left) != pl.col(right)).fill_null(value=True)
        if table == name and tables()[name][right].is_required:
            frame = frame.filter(differ)
        elif table == name:
            frame = frame.with_columns(pl.when(differ).then(right).alias(right))
    if name == "organisations":
        frame = frame.with_columns(frame["parent_org_id"].set(in_circle(frame), None))
    return frame


def _without_broken(kept: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Without ids that refer to nothing; a row that goes may break others, so this runs until nothing changes."""
    changed = True
    while changed:
        changed = False
        for name, table in tables().items():
            for column in table.columns:
                if column.targets:
                    bad = broken(kept[name], column, ids_of(kept))
                    if (bad.list.len() > 0).any():
                        kept[name], changed = _cut(kept[name], column, bad), True
    return kept


def _cut(frame: pl.DataFrame, column: Column, bad: pl.Series) -> pl.DataFrame:
    is_bad = (bad.list.len() > 0).fill_null(value=False)
    if column.is_required:
        return frame.filter(~is_bad)
    cells = frame[column.name]
    if column.type != "list":
        return frame.with_columns(cells.set(is_bad, None))
    pairs = zip(cells.filter(is_bad).to_list(), bad.filter(is_bad).to_list(), strict=True)
    left = [[value for value in values if value not in gone] or None for values, gone in pairs]
    kept = cells.to_frame().with_row_index("index").join(
        pl.DataFrame({"index": is_bad.arg_true(), "left": pl.Series(left, dtype=column.polars)}),
        on="index", how="left", maintain_order="left",
    )  # fmt: skip
    lists = pl.when(pl.Series(is_bad)).then("left").otherwise(column.name).alias(column.name)
    return frame.with_columns(kept.select(lists).to_series())
