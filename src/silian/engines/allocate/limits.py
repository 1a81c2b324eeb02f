"""Rules as linear limits over the pairs, each with the names of what it binds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import polars as pl

from silian.engines import _inputs
from silian.engines.allocate.constrained import Sides
from silian.errors import TableError

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a limit is about: the kind of the rule, how people call it, the need or group of needs, the expert or group of
# experts, the second expert of two who are apart, the limit itself, and whether it counts pairs or adds up a cost.
NAMES: Final = {
    "rule": pl.String(),
    "name": pl.String(),
    "need": pl.String(),
    "expert": pl.String(),
    "other": pl.String(),
    "limit": pl.Float64(),
    "is_sum": pl.Boolean(),
}
_LOW: Final = ("need_at_least", "expert_at_least", "at_least")  # the rules whose limit is a lower one
_SIDES: Final = ("need", "expert")


class Limits(NamedTuple):
    """Every rule as a limit over the pairs: one row of names for one of sides."""

    names: pl.DataFrame  # NAMES
    sides: Sides  # over the pairs of the case


class Part(NamedTuple):
    """Limits of one kind."""

    names: pl.DataFrame  # NAMES
    entries: pl.DataFrame  # limit (row of names), pair, weight; sorted by the first two


class Tables(NamedTuple):
    """What quotas look at: the checked tables and those that were given, with their further columns."""

    pairs: pl.DataFrame  # pair, need, expert, the ids
    needs: pl.DataFrame  # need_id, wanted
    experts: pl.DataFrame  # expert_id, free
    given_pairs: pl.DataFrame
    demand: pl.DataFrame
    capacity: pl.DataFrame


def joined(parts: list[Part]) -> Limits:
    """All limits, one after another."""
    empty = Part(pl.DataFrame(schema=NAMES), _entries(pl.DataFrame(schema={"limit": pl.Int64, "pair": pl.Int64})))
    parts = [empty, *parts]
    before = np.cumsum([0, *(p.names.height for p in parts)])
    entries = pl.concat(
        p.entries.with_columns(pl.col("limit") + int(n)) for p, n in zip(parts, before[:-1], strict=True)
    )
    names = pl.concat(p.names for p in parts)
    is_low = names["rule"].is_in(_LOW).to_numpy()
    counted = pl.when("is_sum").then("limit").when(pl.Series(is_low)).then(pl.col("limit").ceil())
    limit = names.select(counted.otherwise(pl.col("limit").floor()))["limit"].to_numpy()  # half an expert is nobody
    ptr = np.searchsorted(entries["limit"].to_numpy(), np.arange(names.height + 1)).astype(np.int64)
    low, high = np.where(is_low, limit, -np.inf), np.where(is_low, np.inf, limit)
    return Limits(names, Sides(ptr, entries["pair"].to_numpy(), entries["weight"].to_numpy(), low, high))


def least(pairs: pl.DataFrame, needs: pl.DataFrame, experts: pl.DataFrame) -> Iterator[Part]:
    """The columns at_least of demand and capacity."""
    for side, table in (("need", needs), ("expert", experts)):
        asked = (
            table.with_row_index("code").filter(pl.col("at_least") > 0).with_row_index("limit")
        )  # fmt: skip
        if not asked.height:
            continue
        found = pairs.join(asked.select("limit", "code"), left_on=side, right_on="code", how="inner")
        names = _names(asked, f"{side}_at_least", limit="at_least", **{side: f"{side}_id"})
        yield Part(names, _entries(found))


def apart(pairs: pl.DataFrame, couples: pl.DataFrame) -> Part:
    """Two people who may not serve one need together, for every need that could get both."""
    first = pairs.select("need", "need_id", "expert_id", pair="pair")
    met = first.join(couples, on="expert_id").join(
        first.select("need", other_id="expert_id", other_pair="pair"), on=["need", "other_id"]
    )
    met = met.sort("need", "expert_id", "other_id").with_row_index("limit").with_columns(limit_of=1.0)
    entries = pl.concat([met.select("limit", "pair"), met.select("limit", pair="other_pair")])
    names = _names(met, "apart", limit="limit_of", need="need_id", expert="expert_id", other="other_id")
    return Part(names, _entries(entries))


def quotas(tables: Tables, rows: pl.DataFrame) -> list[Part]:
    """The quotas of each group of needs and experts that they name."""
    parts = []
    shape = ["need_group", "expert_group", "sum_of"]
    for (need_group, expert_group, sum_of), same in rows.group_by(shape, maintain_order=True):
        members = {
            "need": _members(tables.demand, "demand", tables.needs, need_group, "wanted"),
            "expert": _members(tables.capacity, "capacity", tables.experts, expert_group, "free"),
        }
        for side in _SIDES:
            known = members[side][f"{side}_value"].unique()
            _inputs.refuse_unknown(same, "rules.quotas", f"{side}_value", known, _where(side, same[f"{side}_group"][0]))
        weights = tables.pairs.select("pair", "need", "expert", weight=_weights(tables, sum_of))
        entries = weights.join(members["need"].drop("is_open"), on="need").join(
            members["expert"].drop("is_open"), on="expert"
        )
        values = ["need_value", "expert_value"]
        upper = same.filter(pl.col("at_most").is_not_null())
        lower = same.filter(pl.col("at_least").is_not_null())
        if upper.height:
            groups = entries.select(values).unique().with_columns(need_open=True, expert_open=True)
            parts.append(_of_groups(_instances(upper, groups), entries, "at_most"))
        if lower.height:
            need, expert = (_groups(members[side], side) for side in _SIDES)
            parts.append(_of_groups(_instances(lower, need.join(expert, how="cross")), entries, "at_least"))
    return parts


def _of_groups(found: pl.DataFrame, entries: pl.DataFrame, kind: str) -> Part:
    """Limits of one kind for the groups found. found: quota, name, the two values, at_least, at_most, sum_of."""
    values = ["need_value", "expert_value"]
    found = found.sort("quota", *values).with_row_index("limit")
    held = entries.join(found.select("limit", *values), on=values, nulls_equal=True)
    names = _names(found, kind, limit=kind, name="name", need="need_value", expert="expert_value")
    return Part(names.with_columns(is_sum=found["sum_of"].is_not_null()), _entries(held))


def _instances(rows: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """Each quota with each group that it holds for: the one that it names, or every one that is open."""
    found = []
    asked = {side: pl.col(f"{side}_value").is_not_null() for side in _SIDES}
    plain = rows.select("quota", "name", "sum_of", "at_least", "at_most", "need_value", "expert_value")
    for has_need in (True, False):
        for has_expert in (True, False):
            part = plain.filter(asked["need"] == has_need, asked["expert"] == has_expert)
            named = [f"{side}_value" for side, has in zip(_SIDES, (has_need, has_expert), strict=True) if has]
            free = [f"{side}_value" for side in _SIDES if f"{side}_value" not in named]
            is_open = [pl.col(column.replace("_value", "_open")) for column in free]
            groups_here = groups.filter(*is_open) if is_open else groups
            part = part.drop(free)
            met = part.join(groups_here, on=named) if named else part.join(groups_here, how="cross")
            found.append(met.select(plain.columns))
    return pl.concat(found)


def _members(table: pl.DataFrame, name: str, checked: pl.DataFrame, group: str | None, room: str) -> pl.DataFrame:
    """Which need or expert (code) belongs to which group (value), and whether it has room at all."""
    side = "need" if name == "demand" else "expert"
    key = checked.columns[0]
    coded = checked.with_row_index(side).select(key, side, is_open=pl.col(room) > 0)
    if group is None:
        return coded.select(side, "is_open", pl.lit(None, pl.String).alias(f"{side}_value"))
    if group not in table.columns:
        raise TableError("table.columns", table=name, missing=[group], present=table.columns)
    values = table.select(pl.col(key).cast(pl.String), value=pl.col(group)).with_columns(pl.col(key).alias(key))
    if isinstance(values.schema["value"], pl.List):
        values = values.explode("value")
    values = values.with_columns(pl.col("value").cast(pl.String)).drop_nulls("value").unique(maintain_order=True)
    return coded.join(values, on=key).select(side, "is_open", pl.col("value").alias(f"{side}_value"))


def _groups(members: pl.DataFrame, side: str) -> pl.DataFrame:
    """Each group, and whether somebody in it has room."""
    return members.group_by(f"{side}_value").agg(pl.col("is_open").any().alias(f"{side}_open"))


def _weights(tables: Tables, sum_of: str | None) -> pl.Series:
    """What each pair adds to a sum: 1 for a count, else its cost, which is read from pairs, or from capacity."""
    if sum_of is None:
        return pl.repeat(1.0, tables.pairs.height, eager=True)
    ids, name = (
        (["need_id", "expert_id"], "pairs") if sum_of in tables.given_pairs.columns else (["expert_id"], "capacity")
    )
    wanted: dict[str, _inputs.Kind] = {**dict.fromkeys(ids, "id"), sum_of: "number"}
    costs = _inputs.columns(tables.given_pairs if name == "pairs" else tables.capacity, name, wanted)
    bad = ~pl.col(sum_of).is_finite() | (pl.col(sum_of) < 0)
    _inputs.refuse(costs, name, sum_of, bad, found="below 0 or not finite", wanted="a number of 0 or more")
    return tables.pairs.select(ids).join(costs, on=ids, how="left", maintain_order="left")[sum_of]


def _where(side: str, group: str | None) -> str:
    return f"{'demand' if side == 'need' else 'capacity'}.{group}"


def _names(table: pl.DataFrame, rule: str, *, limit: str, **columns: str) -> pl.DataFrame:
    """The names of limits from columns of a table; what is not named is null."""
    told = {key: pl.col(columns[key]) if key in columns else pl.lit(None, kind) for key, kind in NAMES.items()}
    told |= {"rule": pl.lit(rule), "limit": pl.col(limit).cast(pl.Float64), "is_sum": pl.lit(value=False)}
    return table.select(**told)


def _entries(table: pl.DataFrame) -> pl.DataFrame:
    """limit, pair, weight (1 where there is none), sorted."""
    weight = pl.col("weight") if "weight" in table.columns else pl.lit(1.0)
    cast = table.select(pl.col("limit", "pair").cast(pl.Int64), weight=weight.cast(pl.Float64))
    return cast.sort("limit", "pair")
