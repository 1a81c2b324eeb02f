"""Old ids in a file: what was merged into another record is read as that one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import polars as pl

from silian.tables import schema
from silian.tables.problems import places, problems
from silian.tables.references import NOUN_TABLES, NOUNS
from silian.web.catalog.duplicates.merging import resolve
from silian.web.catalog.models import Alias

if TYPE_CHECKING:
    from silian.tables import Region
    from silian.tables.schema import Column

Merged = Mapping[str, Mapping[str, str]]  # noun → old id → the id of the record that it leads to


def merged_ids(region: Region) -> Merged:
    """The old ids of every noun that a file may name. Cost: one query where nothing was ever merged."""
    found: dict[str, set[str]] = {}
    for noun, old_id in Alias.objects.values_list("noun", "old_id"):
        found.setdefault(noun, set()).add(old_id)
    named = {text for noun in region.columns if found for text in _texts(region[noun], noun)}
    return {noun: into for noun, ids in found.items() if (into := resolve(noun, ids & named))}


def forwarded(region: Region, merged: Merged) -> Region:
    """The file with the ids of today wherever it refers to a record; the ids of its own rows stay."""
    if not merged:
        return region
    tables = dict(region.tables)
    for noun in region.columns:
        table = schema.tables()[noun]
        own = table.key if len(table.key) == 1 else ()
        columns = [c for c in table.columns if c.targets and c.name not in own and c.name in tables[noun].columns]
        tables[noun] = tables[noun].with_columns(expr for c in columns for expr in _today(c, merged))
    return replace(region, tables=MappingProxyType(tables))


def refused(region: Region, merged: Merged) -> list[pl.DataFrame]:
    """Problems of rows that would change a record under its old id."""
    made = []
    for noun in region.columns:
        key, into = schema.tables()[noun].key, merged.get(noun)
        if into and len(key) == 1:
            ids = region[noun][key[0]]
            told = {old: f"{old} → {new}" for old, new in into.items()}
            cells = places(region, noun).with_columns(found=ids.replace_strict(told, default=None))
            cells = cells.filter(pl.col("found").is_not_null())
            made.append(problems("web.import_merged", cells, table=noun, column=key[0]))
    return made


def _texts(frame: pl.DataFrame, noun: str) -> set[str]:
    """Everything in the key and the columns of a noun that refer to a record."""
    table = schema.tables()[noun]
    columns = [c for c in table.columns if (c.is_key or c.targets) and c.polars in (pl.String, pl.List(pl.String))]
    cells = (frame[c.name].explode() if c.type == "list" else frame[c.name] for c in columns if c.name in frame.columns)
    return {text for cell in cells for text in cell.drop_nulls().unique()}


def _today(column: Column, merged: Merged) -> list[pl.Expr]:
    cell = pl.col(column.name)
    if column.table == "relations" and column.name in NOUNS:
        for code, noun in NOUN_TABLES.items():
            into = dict(merged.get(noun, {}))
            is_its = pl.col(NOUNS[column.name]) == code
            cell = pl.when(is_its).then(cell.replace(into)).otherwise(cell) if into else cell
        return [cell.alias(column.name)]
    into = {old: new for noun, _ in reversed(column.targets) for old, new in merged.get(noun, {}).items()}
    if not into:
        return []
    if column.type == "list":
        return [cell.list.eval(pl.element().replace(into)).list.unique(maintain_order=True)]
    return [cell.replace(into)]
