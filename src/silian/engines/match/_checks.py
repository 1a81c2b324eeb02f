"""What the tables handed to matching must be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from silian.errors import ArgumentError, TableError

if TYPE_CHECKING:
    from collections.abc import Sequence


def check_table(given: pl.DataFrame, name: str, *, key: Sequence[str], text: Sequence[str]) -> None:
    """Raise table.columns, table.type, table.value or table.duplicate where a table breaks its promise."""
    missing = [c for c in (*key, *text) if c not in given.columns]
    if missing:
        raise TableError("table.columns", table=name, missing=missing, present=given.columns)
    for column in (*key, *text):
        kind = given.schema[column]
        if kind not in (pl.String, pl.Null):
            raise TableError("table.type", table=name, column=column, found=kind, wanted=pl.String())
    for column in key:
        empty = given.filter(pl.col(column).is_null() | (pl.col(column) == ""))
        if empty.height:
            shown = "null" if empty[column][0] is None else "''"
            raise TableError(
                "table.value", problems=empty, count=empty.height, table=name, column=column,
                found="empty", shown=shown, wanted="an id in every row",
            )  # fmt: skip
    if not key:
        return
    twice = given.filter(given.select(key).is_duplicated())
    if twice.height:
        examples = twice.select(key).unique(maintain_order=True).head(3).rows()
        keys = twice.select(key).n_unique()
        raise TableError(
            "table.duplicate", problems=twice, count=keys, table=name, column=", ".join(key),
            shown=[r[0] if len(r) == 1 else r for r in examples],
        )  # fmt: skip


def check_number(given: pl.DataFrame, name: str, column: str) -> None:
    """Raise table.type where a column is no number, table.value where a value is NaN or infinite."""
    kind = given.schema[column]
    if kind == pl.Null:
        return
    if not kind.is_numeric():
        raise TableError("table.type", table=name, column=column, found=kind, wanted="a number")
    wrong = given.filter(~pl.col(column).cast(pl.Float64).is_finite())
    if wrong.height:
        raise TableError(
            "table.value", problems=wrong, count=wrong.height, table=name, column=column,
            found="no number", shown=wrong[column].head(3).to_list(), wanted="finite numbers or null",
        )  # fmt: skip


def check_known(given: pl.DataFrame, name: str, column: str, known: pl.Series, where: str) -> None:
    """Raise table.unknown where ids are not in `known`."""
    ghosts = given.filter(~pl.col(column).is_in(known.implode()))
    if ghosts.height:
        raise TableError(
            "table.unknown", problems=ghosts, count=ghosts[column].n_unique(), table=name, column=column,
            where=where, shown=sorted(set(ghosts[column]))[:3],
        )  # fmt: skip


def check_range(name: str, value: float, *, low: float, high: float | None, wanted: str) -> None:
    """Raise argument.value where a number lies outside [low, high]."""
    if not (low <= value and (high is None or value <= high)):
        raise ArgumentError("argument.value", name=name, found=value, wanted=wanted)
