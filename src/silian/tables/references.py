"""Ids that name a row of another table: which of them name nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from silian.tables.schema import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from silian.tables.schema import Column

EITHER: Final = " | "
# The sides of a relation say in another column which table they name.
NOUNS: Final = {"left_id": "left_noun", "right_id": "right_noun"}
NOUN_TABLES: Final = {"expert": "experts", "organisation": "organisations"}

# (table, left, right): two ids that must differ.
PAIRS: Final = (
    ("product_links", "upstream_id", "downstream_id"),
    ("organisations", "org_id", "parent_org_id"),
    ("relations", "left_id", "right_id"),
)


def ids_of(frames: Mapping[str, pl.DataFrame]) -> dict[tuple[str, str], pl.Series]:
    """The ids that exist, for every column that another one refers to."""
    targets = {target for table in tables().values() for column in table.columns for target in column.targets}
    return {(table, name): frames[table][name].drop_nulls() for table, name in sorted(targets)}


def broken(frame: pl.DataFrame, column: Column, ids: Mapping[tuple[str, str], pl.Series]) -> pl.Series:
    """The values of each cell that name nothing: a list a row, empty or null where all is well."""
    cells = frame.select(pl.col(column.name).alias("value")).with_row_index("index")
    noun = NOUNS.get(column.name) if column.table == "relations" else None
    if noun is not None:
        cells = cells.with_columns(frame[noun].alias("noun"))
    if column.type == "list":
        cells = cells.filter(pl.col("value").list.len() > 0).explode("value")
    cells = cells.filter(pl.col("value").is_not_null())
    if noun is None:
        known = pl.concat([ids[target] for target in column.targets])
        bad = cells.filter(~pl.col("value").is_in(known.implode()))
    else:
        parts = []
        for code, name in NOUN_TABLES.items():
            known = next(ids[target] for target in column.targets if target[0] == name)
            parts.append(cells.filter((pl.col("noun") == code) & ~pl.col("value").is_in(known.implode())))
        bad = pl.concat(parts)
    lists = bad.group_by("index", maintain_order=True).agg(pl.col("value"))
    rows = frame.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("index"))
    return rows.join(lists, on="index", how="left", maintain_order="left")["value"]


def in_circle(organisations: pl.DataFrame) -> pl.Series:
    """Whether following the parents of each organisation leads back to it."""
    parents = organisations.filter(pl.col("org_id").is_not_null()).unique("org_id", keep="first", maintain_order=True)
    parent = dict(parents.filter(pl.col("parent_org_id").is_not_null()).select("org_id", "parent_org_id").iter_rows())
    seen: set[str] = set()
    circle: set[str] = set()
    for start in parent:
        path: dict[str, int] = {}
        at: str | None = start
        while at is not None and at not in seen and at not in path:
            path[at] = len(path)
            at = parent.get(at)
        if at is not None and at in path:
            circle |= {name for name, place in path.items() if place >= path[at]}
        seen |= set(path)
    return organisations["org_id"].is_in(sorted(circle)).fill_null(value=False)
