"""The tables of a challenge, checked, as rules and arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import polars as pl

from silian.engines import _inputs
from silian.errors import ArgumentError, TableError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]
    Real = NDArray[np.float64]
    Flags = NDArray[np.bool_]

PLACES: Final = 120  # that skills and groups ask for, all together: each level of the search keeps all candidates
ITEMS: Final = 24  # skills and groups that want somebody, together: sets of them are bits, and all must be covered


@dataclass(frozen=True, slots=True)
class TeamWeights:
    """What distance and missing history cost, in the unit of people.cost.

    per_km is the cost of a kilometre of a member's distance, per_pair that of two strangers. Steps are counted in the
    graph of joint works: who worked together is one step apart and costs nothing, who is `far` steps apart or more is
    a stranger, and what lies between costs evenly between. With far = 2 only joint works count; with far = 3 a common
    partner halves the cost.
    """

    per_km: float = 0.0
    per_pair: float = 0.0
    far: int = 2


class Rule(NamedTuple):
    """One thing that a team must keep."""

    kind: str  # skill | at_least | largest | smallest | at_most | apart | conflict
    subject: str  # skill_id, "column = value", one expert_id, or two
    members: int  # wanted or allowed; 0 where the rule is about persons
    code: int  # item, group, place in Case.apart, or person


@dataclass(frozen=True, slots=True)
class Case:
    """Everybody who was named, in order of id, and the rules."""

    people: pl.DataFrame  # expert_id, cost, distance_km, group columns
    held: pl.DataFrame  # person, skill_id, level: who holds a wanted skill at the level wanted
    below: pl.DataFrame  # expert_id, skill_id, level: who holds a wanted skill below it
    rules: tuple[Rule, ...]
    own: Real  # (people,): cost and distance
    items: Whole  # (people,): bits
    groups: Whole  # (people, columns): group of the at_most rules, or -1
    apart: Whole  # (pairs, 2): persons
    near: Whole  # (pairs, 3): person, other, step - 1 for all nearer than far; from both sides, sorted
    weights: TeamWeights


def case_of(
    challenge: pl.DataFrame,
    people: pl.DataFrame,
    skills: pl.DataFrame,
    *,
    groups: pl.DataFrame | None,
    joint: pl.DataFrame | None,
    apart: pl.DataFrame | None,
    conflicts: pl.DataFrame | None,
    sizes: tuple[int, int | None],
    weights: TeamWeights,
) -> Case:
    """Check the tables and turn them into a case."""
    wanted, limits = _challenge(challenge), _groups(groups)
    people = _people(people, limits["column"].unique().sort().to_list(), weights)
    limits = _of_each_value(limits, people)
    least, most = limits.filter(pl.col("at_least") > 0), limits.drop_nulls("at_most")
    if wanted.height + least.height > ITEMS:
        found = f"{wanted.height} skills and {least.height} groups with at_least"
        raise ArgumentError("argument.value", name="challenge", found=found, wanted=f"at most {ITEMS} together")
    places = max(int(wanted["wanted"].sum()) + int(least["at_least"].sum()), sizes[0])
    if places > PLACES:
        raise ArgumentError("argument.value", name="challenge", found=f"{places} members", wanted=f"at most {PLACES}")
    known = _holders(wanted, skills, people)
    is_enough = pl.col("least").is_null() | (pl.col("level") >= pl.col("least")).fill_null(value=False)
    held, below = known.filter(is_enough), known.filter(~is_enough)
    bonds = _bonds(apart, "apart", people)
    rules = [
        *(Rule("skill", skill, count, item) for item, skill, count in wanted["item", "skill_id", "wanted"].rows()),
        *_group_rules("at_least", least, wanted.height),
        *([] if sizes[1] is None else [Rule("largest", "", sizes[1], 0)]),
        *([Rule("smallest", "", sizes[0], 0)] if sizes[0] > 1 else []),
        *_group_rules("at_most", most, 0),
        *_person_rules(people["expert_id"], bonds, conflicts),
    ]
    return Case(
        people=people,
        held=held.select("person", "skill_id", "level"),
        below=below.select("expert_id", "skill_id", "level"),
        rules=tuple(rules),
        own=people["cost"].to_numpy() + weights.per_km * people["distance_km"].fill_null(0.0).to_numpy(),
        items=_item_bits(people, held, least, wanted.height),
        groups=_group_codes(people, most),
        apart=bonds,
        near=_near(joint, people, weights),
        weights=weights,
    )


def check_arguments(sizes: tuple[int, int | None], weights: TeamWeights, top_k: int, seconds: float | None) -> None:
    """Refuse arguments outside what they may be."""
    smallest, largest = sizes
    bad: list[tuple[str, object, str]] = []
    if smallest < 1:
        bad.append(("smallest", smallest, "1 or more"))
    if largest is not None and largest < smallest:
        bad.append(("largest", largest, f"at least smallest ({smallest})"))
    for name in ("per_km", "per_pair"):
        value = getattr(weights, name)
        if not (math.isfinite(value) and value >= 0):
            bad.append((f"weights.{name}", value, "a finite number of 0 or more"))
    if not 2 <= weights.far <= 100:
        bad.append(("weights.far", weights.far, "2 to 100"))
    if top_k < 1:
        bad.append(("top_k", top_k, "1 or more"))
    if seconds is not None and not seconds > 0:
        bad.append(("seconds", seconds, "above 0"))
    for name, found, wanted in bad:
        raise ArgumentError("argument.value", name=name, found=found, wanted=wanted)


# ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _challenge(challenge: pl.DataFrame) -> pl.DataFrame:
    """skill_id, wanted, least (the level), item; sorted by skill_id."""
    table = _inputs.columns(challenge, "challenge", {"skill_id": "id"}, optional={"wanted": "count", "level": "number"})
    _inputs.refuse(table, "challenge", "wanted", pl.col("wanted") < 1, found="below 1", wanted="a count of 1 or more")
    _refuse_infinite(table, "challenge", "level")
    _inputs.refuse_duplicates(table, "challenge", ["skill_id"])
    if table.is_empty():
        raise ArgumentError("argument.value", name="challenge", found="without a row", wanted="one row a skill")
    table = table.sort("skill_id")
    return table.select(
        "skill_id",
        pl.col("wanted").fill_null(1),
        least=pl.col("level"),
        item=pl.int_range(pl.len(), dtype=pl.Int64),
    )


def _groups(groups: pl.DataFrame | None) -> pl.DataFrame:
    """column, value, at_least (0: none), at_most (null: none); sorted by column and value."""
    if groups is None:
        groups = pl.DataFrame(schema={"column": pl.String})
    counts: dict[str, _inputs.Kind] = {"at_least": "count", "at_most": "count"}
    table = _inputs.columns(groups, "groups", {"column": "id"}, optional={"value": "id", **counts})
    table = table.with_columns(pl.col("at_least").fill_null(0))
    for column in counts:
        _inputs.refuse(table, "groups", column, pl.col(column) < 0, found="below 0", wanted="a count of 0 or more")
    is_crossed = pl.col("at_most") < pl.col("at_least")
    _inputs.refuse(table, "groups", "at_most", is_crossed, found="below at_least", wanted="at_least or more")
    is_open = pl.col("value").is_null() & (pl.col("at_least") > 0)
    _inputs.refuse(table, "groups", "at_least", is_open, found="asked of every value", wanted="0 where value is empty")
    _inputs.refuse_duplicates(table, "groups", ["column", "value"])
    return table.sort("column", "value")


def _people(people: pl.DataFrame, columns: list[str], weights: TeamWeights) -> pl.DataFrame:
    """expert_id, cost, distance_km and the columns that groups name; sorted by expert_id."""
    number: dict[str, _inputs.Kind] = {"expert_id": "id", "cost": "number"}
    groups: dict[str, _inputs.Kind] = {column: "id" for column in columns if column != "expert_id"}
    if weights.per_km > 0:
        table = _inputs.columns(people, "people", {**number, "distance_km": "number"}, nullable=groups)
    else:
        table = _inputs.columns(people, "people", number, nullable=groups, optional={"distance_km": "number"})
    for column in ("cost", "distance_km"):
        _refuse_infinite(table, "people", column)
        _inputs.refuse(table, "people", column, pl.col(column) < 0, found="below 0", wanted="0 or more")
    _inputs.refuse_duplicates(table, "people", ["expert_id"])
    return table.sort("expert_id")


def _refuse_infinite(table: pl.DataFrame, name: str, column: str) -> None:
    _inputs.refuse(table, name, column, ~pl.col(column).is_finite(), found="not finite", wanted="a finite number")


def _holders(wanted: pl.DataFrame, skills: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """person, expert_id, skill_id, item, least, level: who holds a wanted skill, at any level; by item and person."""
    table = _inputs.columns(skills, "skills", {"expert_id": "id", "skill_id": "id"}, optional={"level": "number"})
    _refuse_infinite(table, "skills", "level")
    _inputs.refuse_duplicates(table, "skills", ["expert_id", "skill_id"])
    _inputs.refuse_unknown(table, "skills", "expert_id", people["expert_id"], "people")
    return table.join(wanted, on="skill_id").join(_codes(people), on="expert_id").sort("item", "person")


def _codes(people: pl.DataFrame) -> pl.DataFrame:
    return people.select("expert_id", person=pl.int_range(pl.len(), dtype=pl.Int64))


def _of_each_value(limits: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """The limits with one row for each value of the column where the value is left empty."""
    every = limits.filter(pl.col("value").is_null())
    tables = [limits.drop_nulls("value")]
    for column, at_most in every.select("column", "at_most").rows():
        values = people[column].drop_nulls().unique().sort()
        rows = pl.DataFrame({"value": values}).select(
            pl.lit(column).alias("column"), "value", at_least=pl.lit(0, pl.Int64), at_most=pl.lit(at_most, pl.Int64)
        )
        named = limits.filter(pl.col("column") == column, pl.col("at_most").is_not_null())
        tables.append(rows.join(named, on="value", how="anti"))
    return pl.concat(tables).sort("column", "value")


def _group_rules(kind: str, limits: pl.DataFrame, first: int) -> list[Rule]:
    rows = limits.select("column", "value", kind).rows()
    return [Rule(kind, f"{column} = {value}", count, first + i) for i, (column, value, count) in enumerate(rows)]


def _item_bits(people: pl.DataFrame, held: pl.DataFrame, least: pl.DataFrame, skills: int) -> Whole:
    bits = np.zeros(people.height, np.int64)
    np.bitwise_or.at(bits, held["person"].to_numpy(), np.int64(1) << held["item"].to_numpy())
    for item, (column, value) in enumerate(least.select("column", "value").rows(), skills):
        is_in = (people[column] == value).fill_null(value=False).to_numpy()
        bits[is_in] |= np.int64(1) << item
    return bits


def _group_codes(people: pl.DataFrame, most: pl.DataFrame) -> Whole:
    """Of each person the group of each column that at_most rules name, -1 where none does."""
    columns = most["column"].unique().sort().to_list()
    code = most.select("column", "value", group=pl.int_range(pl.len(), dtype=pl.Int64))
    codes = [
        people.select(value=column).join(code.filter(column=column), on="value", how="left", maintain_order="left")
        for column in columns
    ]
    found = [table["group"].fill_null(-1).to_numpy() for table in codes]
    return np.stack(found, axis=1) if found else np.zeros((people.height, 0), np.int64)


# ── people among each other ─────────────────────────────────────────────────────────────────────────────────────────


def _bonds(pairs: pl.DataFrame | None, name: str, people: pl.DataFrame) -> Whole:
    """Pairs of different people who are both named in people, each once, as codes, sorted."""
    if pairs is None:
        return np.zeros((0, 2), np.int64)
    table = _inputs.columns(pairs, name, {"expert_id": "id", "other_id": "id"})
    _inputs.refuse_unknown(table, name, "expert_id", people["expert_id"], "people")
    _inputs.refuse_unknown(table, name, "other_id", people["expert_id"], "people")
    is_self = pl.col("expert_id") == pl.col("other_id")
    _inputs.refuse(table, name, "other_id", is_self, found="expert_id itself", wanted="another person")
    codes = _codes(people)
    coded = table.join(codes, on="expert_id").join(codes, left_on="other_id", right_on="expert_id", suffix="_other")
    pair = coded.select(a=pl.min_horizontal("person", "person_other"), b=pl.max_horizontal("person", "person_other"))
    return pair.unique().sort("a", "b").to_numpy()


def _person_rules(ids: pl.Series, bonds: Whole, conflicts: pl.DataFrame | None) -> list[Rule]:
    rules = [Rule("apart", f"{ids[a]}, {ids[b]}", 0, i) for i, (a, b) in enumerate(bonds.tolist())]
    if conflicts is not None:
        barred = _inputs.columns(conflicts, "conflicts", {"expert_id": "id"})["expert_id"]
        places = ids.is_in(barred.implode()).arg_true().to_list()
        rules += [Rule("conflict", ids[place], 0, place) for place in places]
    return rules


def _near(joint: pl.DataFrame | None, people: pl.DataFrame, weights: TeamWeights) -> Whole:
    """Pairs of people nearer than far in the graph of joint works: person, other, step - 1; sorted."""
    from scipy.sparse import csr_array

    if weights.per_pair == 0:
        return np.zeros((0, 3), np.int64)
    if joint is None:
        raise TableError("table.columns", table="joint", missing=["expert_id", "other_id"], present=[])
    table = _inputs.columns(joint, "joint", {"expert_id": "id", "other_id": "id"})
    names = pl.concat([people["expert_id"], table["expert_id"], table["other_id"]]).unique(maintain_order=True)
    code = pl.DataFrame({"expert_id": names, "person": np.arange(names.len())})
    ends = [
        table.select(expert_id=side).join(code, on="expert_id", how="left", maintain_order="left")["person"].to_numpy()
        for side in ("expert_id", "other_id")
    ]
    shape = (names.len(), names.len())
    one_way = csr_array((np.ones(table.height, np.int64), (ends[0], ends[1])), shape=shape)
    graph = (one_way + one_way.T + csr_array((np.ones(shape[0]), (np.arange(shape[0]),) * 2), shape=shape)) > 0
    graph = graph.astype(np.int64)
    count = people.height
    reached, found = graph[:count], []
    for step in range(weights.far - 1):
        pairs = reached[:, :count].tocoo()
        found.append(np.stack([pairs.row, pairs.col, np.full(pairs.nnz, step)], axis=1).astype(np.int64))
        reached = ((reached @ graph) > 0).astype(np.int64)
    every = np.concatenate(found)
    every = every[every[:, 0] != every[:, 1]]
    every = every[np.lexsort((every[:, 2], every[:, 1], every[:, 0]))]
    is_first = np.ones(len(every), np.bool_)
    is_first[1:] = (every[1:, :2] != every[:-1, :2]).any(axis=1)
    kept: Whole = every[is_first]
    return kept
