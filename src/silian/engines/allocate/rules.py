"""Rules beside demand and capacity: what must come out, what must not, and how much of what at most and at least."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from silian.engines import _inputs
from silian.engines.allocate import limits
from silian.engines.allocate.constrained import Sides
from silian.engines.allocate.problem import Problem, barred_pairs, checked, problem_of
from silian.errors import TableError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]
    Whole = NDArray[np.int64]

_PAIR: dict[str, _inputs.Kind] = {"need_id": "id", "expert_id": "id"}
_GROUPS = ("need_group", "need_value", "expert_group", "expert_value", "sum_of")


@dataclass(frozen=True, slots=True)
class Rules:
    """What an allocation must keep beside demand and capacity. Every rule is a row of a table and holds without fail.

    Parameters
    ----------
    pins : need_id, expert_id; pairs that must come out, whatever their score
        Each stands in the table of pairs, and neither in conflict nor among the vetoes.
    vetoes : need_id, expert_id; pairs that must not come out
    apart : expert_id, other_id; two people who never serve one need together
    quotas : name, and at_least or at_most or both; [need_group, need_value, expert_group, expert_value, sum_of]
        A limit on how many pairs come out between a group of needs and a group of experts, or on the sum of a cost.
        name is how people call the rule, for reasons and clashes. need_group names a column of demand: the rule holds
        for each of its values, or for need_value alone; empty: for all needs together. expert_group and
        expert_value likewise, for columns of capacity. A column may hold lists: an expert with two labels counts for
        both; a need or expert without a value belongs to no group. sum_of names a column of pairs or capacity, >= 0,
        whose sum is limited instead of the count; the limits are then in its unit.
        at_least is a hard bound: it holds for every group of needs that wants somebody and of experts with a place.
    taken : expert_id, assigned (count of needs); places already taken in other programmes, as `loads` gives them
        Rows of one expert are added up and people who are not in capacity are left out: one person, one load.

    Examples
    --------
    At most two experts of one school and at least one senior for each need, 20,000 CNY in all, and no enterprise is
    bothered by more than three experts over all its needs:

    >>> quotas = pl.DataFrame([
    ...     {"name": "school", "need_group": "need_id", "expert_group": "school", "at_most": 2.0},
    ...     {"name": "senior", "need_group": "need_id", "expert_group": "title", "expert_value": "professor",
    ...      "at_least": 1.0},
    ...     {"name": "budget", "sum_of": "fee_cny", "at_most": 20_000.0},
    ...     {"name": "contacts", "need_group": "org_id", "at_most": 3.0},
    ... ])
    >>> Rules(quotas=quotas).pins is None
    True
    """

    pins: pl.DataFrame | None = None
    vetoes: pl.DataFrame | None = None
    apart: pl.DataFrame | None = None
    quotas: pl.DataFrame | None = None
    taken: pl.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """The tables of an assignment with its rules, checked."""

    pairs: pl.DataFrame  # pair (its row), need, expert (codes), the ids, score, conflict, veto, pin; by need, expert
    demand: pl.DataFrame  # need_id, wanted, at_least; sorted by id
    capacity: pl.DataFrame  # expert_id, free (less what is taken), at_least; sorted by id
    limits: limits.Limits  # over the rows of pairs

    @property
    def pinned(self) -> pl.DataFrame:
        """The pairs that must come out."""
        return self.pairs.filter("pin")


class Network(NamedTuple):
    """What is left to choose when the pins are placed: a network, and the limits that could bind in it."""

    problem: Problem
    sides: Sides  # over problem.pairs
    limit: Whole  # of each side the row of the limits of the case that it comes from


def case_of(
    pairs: pl.DataFrame,
    demand: pl.DataFrame,
    capacity: pl.DataFrame,
    *,
    conflicts: pl.DataFrame | None,
    rules: Rules | None,
) -> Case:
    """The tables of `assign`, checked against each other and the rules."""
    rules = rules or Rules()
    given, needs, experts = checked(pairs, demand, capacity)
    needs = needs.with_columns(at_least=_least(demand, "demand", "need_id", "wanted"))
    experts = experts.with_columns(at_least=_least(capacity, "capacity", "expert_id", "free"))
    if rules.taken is not None:
        experts = experts.with_columns(free=_left(experts, rules.taken))
    conflict = barred_pairs(given, conflicts)
    veto, pin = (_marked(given, table, name, needs, experts) for name, table in _named(rules))
    given = given.with_row_index("pair").with_columns(pl.Series(conflict).alias("conflict"), veto=veto, pin=pin)
    _check_pins(given, conflicts)
    parts = [*limits.least(given, needs, experts)]
    if rules.apart is not None:
        parts.append(limits.apart(given, _checked_apart(rules.apart, experts)))
    if rules.quotas is not None:
        tables = limits.Tables(given, needs, experts, pairs, demand, capacity)
        parts += limits.quotas(tables, _checked_quotas(rules.quotas))
    return Case(given, needs, experts, limits.joined(parts))


def network_of(case: Case) -> Network:
    """The network of the pairs that are open, with the rooms that the pins leave (below 0: the pins do not fit)."""
    pairs, pinned = case.pairs, case.pinned
    pins_of = {side: np.bincount(pinned[side], minlength=table.height) for side, table in _sides_of(case)}
    is_open = ~pairs.select(pl.any_horizontal("conflict", "veto", "pin")).to_series() & _affordable(
        case.limits.sides, pairs
    )
    problem = problem_of(
        pairs.filter(is_open),
        case.demand.with_columns(wanted=pl.col("wanted") - pl.Series(pins_of["need"])),
        case.capacity.with_columns(free=pl.col("free") - pl.Series(pins_of["expert"])),
    )
    place = np.full(pairs.height, -1, np.int64)
    place[problem.pairs["pair"]] = np.arange(problem.pairs.height)
    sides, limit = _open_sides(case.limits.sides, place, pairs["pin"].to_numpy())
    is_sum = case.limits.names["is_sum"].to_numpy()[limit]
    return Network(problem, *_covered(sides, limit, is_sum))


def _affordable(sides: Sides, pairs: pl.DataFrame) -> pl.Series:
    """Which pairs keep every rule when they come alone beside the pins."""
    rule = np.repeat(np.arange(sides.low.size), np.diff(sides.ptr))
    pin = pairs["pin"].to_numpy()
    filled = np.bincount(rule, np.where(pin[sides.pair], sides.weight, 0.0), sides.low.size)
    high = sides.high + 1e-9 * np.abs(sides.high)
    beyond = np.zeros(pairs.height, np.bool_)
    beyond[sides.pair[filled[rule] + sides.weight > high[rule]]] = True
    return pl.Series(~beyond)


def part_of(sides: Sides, kept: Flags) -> Sides:
    """Some of the rules."""
    size = np.diff(sides.ptr)
    held = np.repeat(kept, size)
    ptr = np.concatenate([[0], np.cumsum(size[kept])])
    return Sides(ptr, sides.pair[held], sides.weight[held], sides.low[kept], sides.high[kept])


def _open_sides(sides: Sides, place: Whole, pin: Flags) -> tuple[Sides, Whole]:
    """The rules over the open pairs, less what the pins fill; those that can never be broken are left out."""
    count = sides.low.size
    rule = np.repeat(np.arange(count), np.diff(sides.ptr))
    filled = np.bincount(rule, np.where(pin[sides.pair], sides.weight, 0.0), count)
    is_open = place[sides.pair] >= 0
    rule, pair, weight = rule[is_open], place[sides.pair[is_open]], sides.weight[is_open]
    most = np.bincount(rule, weight, count)
    low, high = sides.low - filled, sides.high - filled
    can_bind = (low > 0) | (most > high) | (high < 0)
    held = can_bind[rule]
    ptr = np.concatenate([[0], np.cumsum(np.bincount(rule, minlength=count)[can_bind])])
    kept = Sides(ptr, pair[held], weight[held], low[can_bind], high[can_bind])
    return kept, np.flatnonzero(can_bind)


def _covered(sides: Sides, limit: Whole, is_sum: Flags) -> tuple[Sides, Whole]:
    """The rules, and what upper limits of sums imply for counts: of pairs above 1 / (k + 1) of the limit at most k."""
    rule = np.repeat(np.arange(sides.low.size), np.diff(sides.ptr))
    parts, limits = [sides], [limit]
    for k in (1, 2, 3):
        is_large = is_sum[rule] & (sides.weight * (k + 1) > sides.high[rule] * (1 + 1e-9))
        size = np.bincount(rule[is_large], minlength=sides.low.size)
        held = is_large & (size > k)[rule]
        ptr = np.concatenate([[0], np.cumsum(size[size > k])])
        many = ptr.size - 1
        parts.append(
            Sides(ptr, sides.pair[held], np.ones(int(held.sum())), np.full(many, -np.inf), np.full(many, float(k)))
        )
        limits.append(limit[size > k])
    before = np.cumsum([0, *(part.pair.size for part in parts)])
    ptr = np.concatenate([[0], *(part.ptr[1:] + n for part, n in zip(parts, before[:-1], strict=True))])
    joined = Sides(ptr, *(np.concatenate([part[i] for part in parts]) for i in range(1, 5)))
    return joined, np.concatenate(limits)


def _sides_of(case: Case) -> tuple[tuple[str, pl.DataFrame], ...]:
    return ("need", case.demand), ("expert", case.capacity)


def _named(rules: Rules) -> tuple[tuple[str, pl.DataFrame | None], ...]:
    return ("rules.vetoes", rules.vetoes), ("rules.pins", rules.pins)


def _least(table: pl.DataFrame, name: str, key: str, count: str) -> pl.Series:
    """The column at_least (0 where it is absent or empty), in order of the ids."""
    read = _inputs.columns(table, name, {key: "id", count: "count"}, optional={"at_least": "count"}).sort(key)
    read = read.with_columns(pl.col("at_least").fill_null(0))
    least = pl.col("at_least")
    _inputs.refuse(read, name, "at_least", least < 0, found="below 0", wanted="a count of 0 or more")
    _inputs.refuse(read, name, "at_least", least > pl.col(count), found=f"above {count}", wanted=f"at most {count}")
    return read["at_least"]


def _left(experts: pl.DataFrame, taken: pl.DataFrame) -> pl.Series:
    """Places that are left when those taken elsewhere are gone."""
    name = "rules.taken"
    taken = _inputs.columns(taken, name, {"expert_id": "id", "assigned": "count"})
    _inputs.refuse(taken, name, "assigned", pl.col("assigned") < 0, found="below 0", wanted="a count of 0 or more")
    summed = taken.group_by("expert_id").agg(pl.col("assigned").sum())
    joined = experts.join(summed, on="expert_id", how="left", maintain_order="left")
    return joined.select((pl.col("free") - pl.col("assigned").fill_null(0)).clip(0).alias("free"))["free"]


def _marked(
    given: pl.DataFrame, table: pl.DataFrame | None, name: str, needs: pl.DataFrame, experts: pl.DataFrame
) -> pl.Series:
    """Which of the given pairs stand in the table of a rule."""
    if table is None:
        return pl.repeat(value=False, n=given.height, dtype=pl.Boolean, eager=True)
    asked = _inputs.columns(table, name, _PAIR)
    _inputs.refuse_unknown(asked, name, "need_id", needs["need_id"], "demand")
    _inputs.refuse_unknown(asked, name, "expert_id", experts["expert_id"], "capacity")
    if name == "rules.pins":
        absent = asked.join(given, on=list(_PAIR), how="anti")
        if absent.height:
            raise TableError("allocate.pin_absent", count=absent.height, shown=_told(absent), problems=absent)
    return barred_pairs(given, asked)


def _told(rows: pl.DataFrame) -> str:
    """The first few rows in words: need, expert, and what is known of a conflict."""
    return "; ".join(" ".join(str(value) for value in row if value is not None) for row in rows.head(3).rows())


def _check_pins(given: pl.DataFrame, conflicts: pl.DataFrame | None) -> None:
    """A pin may be neither in conflict, whose evidence is told, nor among the vetoes."""
    for against in ("conflict", "veto"):
        bad = given.filter("pin", against).select(list(_PAIR))
        if not bad.height:
            continue
        if against == "veto":
            raise TableError("allocate.pin_vetoed", count=bad.height, shown=_told(bad), problems=bad)
        known = [c for c in ("kind", "evidence") if conflicts is not None and c in conflicts.columns]
        if conflicts is not None and known:
            bad = bad.join(conflicts.select(*_PAIR, *known), on=list(_PAIR), how="left", maintain_order="left")
        raise TableError("allocate.pin_conflict", count=bad.height, shown=_told(bad), problems=bad)


def _checked_apart(table: pl.DataFrame, experts: pl.DataFrame) -> pl.DataFrame:
    """expert_id, other_id: each two people once, the smaller id first."""
    name = "rules.apart"
    table = _inputs.columns(table, name, {"expert_id": "id", "other_id": "id"})
    for column in table.columns:
        _inputs.refuse_unknown(table, name, column, experts["expert_id"], "capacity")
    same = pl.col("expert_id") == pl.col("other_id")
    _inputs.refuse(table, name, "other_id", same, found="the expert", wanted="another person")
    pair = pl.col("expert_id"), pl.col("other_id")
    return table.select(expert_id=pl.min_horizontal(pair), other_id=pl.max_horizontal(pair)).unique().sort(pl.all())


def _checked_quotas(table: pl.DataFrame) -> pl.DataFrame:
    """The quotas with all their columns, numbered by `quota`."""
    name = "rules.quotas"
    limit: dict[str, _inputs.Kind] = {"at_least": "number", "at_most": "number"}
    table = _inputs.columns(table, name, {"name": "id"}, optional={**dict.fromkeys(_GROUPS, "id"), **limit})
    neither = pl.col("at_least").is_null() & pl.col("at_most").is_null()
    _inputs.refuse(table, name, "at_most", neither, found="empty, and so is at_least", wanted="a limit in one of them")
    for column in limit:
        bad = ~pl.col(column).is_finite() | (pl.col(column) < 0)
        _inputs.refuse(table, name, column, bad, found="below 0 or not finite", wanted="a number of 0 or more")
    crossed = pl.col("at_least") > pl.col("at_most")
    _inputs.refuse(table, name, "at_least", crossed, found="above at_most", wanted="no more than at_most")
    for side in ("need", "expert"):
        lone = pl.col(f"{side}_value").is_not_null() & pl.col(f"{side}_group").is_null()
        _inputs.refuse(table, name, f"{side}_value", lone, found=f"without {side}_group", wanted="its column named")
    _inputs.refuse_duplicates(table.drop(limit), name, ["name", *_GROUPS])
    return table.sort("name", *_GROUPS).with_row_index("quota")
