"""Repair where rules stand beside the network: the tables with their changes, what is kept, and the choice within."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from silian.engines.allocate.clashes import refuse_clash
from silian.engines.allocate.constrained import keeps
from silian.engines.allocate.rules import Rules, case_of
from silian.errors import TableError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from silian.engines.allocate.rules import Case

    Whole = NDArray[np.int64]
    Real = NDArray[np.float64]
    Flags = NDArray[np.bool_]

_PAIR = ["need_id", "expert_id"]


@dataclass(frozen=True, slots=True)
class Ruled:
    """The tables of an allocation under rules, as `assign` takes them, but capacity less what is taken elsewhere."""

    pairs: pl.DataFrame
    demand: pl.DataFrame
    capacity: pl.DataFrame
    conflicts: pl.DataFrame | None
    rules: Rules

    def case(self) -> Case:
        """The tables, checked against each other."""
        return case_of(self.pairs, self.demand, self.capacity, conflicts=self.conflicts, rules=self.rules)

    def changed(self, changes: pl.DataFrame) -> Ruled:
        """The tables with the changes made (kind, need_id, expert_id, value; checked)."""
        told = {kind: changes.filter(kind=kind) for kind in ("free", "wanted", "score", "veto")}
        vetoes = [told["veto"].select(_PAIR)]
        if self.rules.vetoes is not None:
            vetoes.append(self.rules.vetoes.select(pl.col(_PAIR).cast(pl.String)))
        return replace(
            self,
            pairs=_updated(self.pairs, told["score"], _PAIR, "score"),
            demand=_counted(self.demand, told["wanted"], "need_id", "wanted"),
            capacity=_counted(self.capacity, told["free"], "expert_id", "free"),
            rules=replace(self.rules, vetoes=pl.concat(vetoes).unique(maintain_order=True)),
        )


def ruled_of(
    case: Case,
    pairs: pl.DataFrame,
    demand: pl.DataFrame,
    capacity: pl.DataFrame,
    conflicts: pl.DataFrame | None,
    rules: Rules | None,
) -> Ruled | None:
    """The tables, where any rule could be broken by a change; None where there is none."""
    if not case.limits.names.height and not case.pinned.height:
        return None
    free = case.capacity.select("expert_id", "free")
    capacity = capacity.with_columns(pl.col("expert_id").cast(pl.String)).drop("free").join(free, on="expert_id")
    return Ruled(pairs, demand, capacity, conflicts, replace(rules or Rules(), taken=None))


def broken(case: Case, held: Flags) -> pl.DataFrame:
    """The rules that these pairs of the case break, named as `limits.NAMES` says; of a lost pin the rule is `pin`."""
    names = case.limits.names
    lost = case.pairs.filter(pl.col("pin") & ~pl.Series(held)).select(
        rule=pl.lit("pin"), name=pl.lit(""), need="need_id", expert="expert_id"
    )
    return pl.concat([names.filter(pl.Series(~keeps(case.limits.sides, held))), lost], how="diagonal")


def held_of(case: Case, assigned: pl.DataFrame) -> Flags:
    """Which pairs of the case stand."""
    marked = assigned.select(*_PAIR, stands=pl.lit(value=True))
    joined = case.pairs.select(_PAIR).join(marked, on=_PAIR, how="left", maintain_order="left")
    held: Flags = joined["stands"].fill_null(value=False).to_numpy()
    return held


def refuse_broken(case: Case, held: Flags) -> None:
    """An allocation that is taken up again must keep the rules that it is said to have been made under."""
    wrong = broken(case, held)
    if wrong.height:
        shown = [" ".join(filter(None, row)) for row in wrong.select("rule", "name", "need", "expert").head(3).rows()]
        raise TableError("allocate.rules", count=wrong.height, shown=shown, problems=wrong)


def choose(
    case: Case, had: Flags, due: Whole, *, must: Flags, may: Flags, most_filled: int, seconds: float | None
) -> tuple[Flags, bool]:
    """The best choice within the rules in the order of `repair`: due places and held pairs, then the total.

    had, must, may : bool (pairs of the case,); due : (needs of the case,)
    most_filled : no choice fills more due places (the network alone tells)
    seconds : the longest that each programme may take

    Returns
    -------
    chosen : bool (pairs of the case,), and whether it is proved to be the best

    Mixed-integer programmes (scipy's HiGHS). First with all pairs held that have a place still: if that fills as many
    due places as can be, nothing is better in the order, and little is left to choose. Else with all pairs free.
    """
    pairs, needs = case.pairs, case.demand.height
    need, expert = (pairs[side].to_numpy().astype(np.int64) for side in ("need", "expert"))
    wanted, free = case.demand["wanted"].to_numpy(), case.capacity["free"].to_numpy()
    allowed = may & ~pairs.select(pl.any_horizontal("conflict", "veto")).to_series().to_numpy()
    fixed = must | pairs["pin"].to_numpy()
    allowed &= (pairs["score"] > 0).to_numpy() | fixed
    firm = allowed & (fixed | (had & (wanted[need] > 0) & (free[expert] > 0)))
    model = Model(
        worth=np.concatenate([had.astype(float), np.full(needs, float(had.sum() + 1))]),
        score=np.concatenate([pairs["score"].to_numpy(), np.zeros(needs)]),
        low=np.concatenate([firm.astype(float), np.zeros(needs)]),
        high=np.concatenate([allowed.astype(float), np.minimum(due, wanted)]),
        limits=_limits(case, need, expert),
        pairs=need.size,
    )
    found, is_proved = _best(model, seconds)
    if found is not None and np.rint(found[need.size :]).sum() >= most_filled:
        return found[: need.size] > 0.5, is_proved
    low = np.concatenate([(allowed & fixed).astype(float), np.zeros(needs)])
    found, is_proved = _best(model._replace(low=low), seconds)
    if found is not None:
        return found[: need.size] > 0.5, is_proved
    if not is_proved:
        raise TableError("allocate.time", seconds=seconds, bound=float(pairs["score"].sum()))
    by_hand = int((must & ~pairs["pin"].to_numpy()).sum() + (~may).sum())
    raise TableError("allocate.by_hand", count=by_hand) if by_hand else refuse_clash(case)


class Model(NamedTuple):
    """Pairs and, after them, the due places of each need that are filled."""

    worth: Real  # what each adds to the first goal: due places, then held pairs
    score: Real  # to the second one
    low: Real
    high: Real
    limits: tuple[csr_array, Real, Real]
    pairs: int


def _best(model: Model, seconds: float | None) -> tuple[Real | None, bool]:
    """The best by the first goal, then by the second, and whether it is proved; None as in `_solved`."""
    from scipy.sparse import csr_array, vstack

    found, is_proved = _solved(model, model.worth, model.limits, seconds)
    if found is None:
        return None, is_proved
    matrix, least, most = model.limits
    value = np.rint(found) @ model.worth
    rows = vstack([matrix, csr_array(model.worth[None, :])]).tocsr()
    limits = rows, np.append(least, value - 0.5), np.append(most, np.inf)
    better, is_best = _solved(model, model.score, limits, seconds)
    return found if better is None else better, is_proved and is_best


def _limits(case: Case, need: Whole, expert: Whole) -> tuple[csr_array, Real, Real]:
    """Rooms, rules and due places: matrix, lower and upper limits."""
    from scipy.sparse import csr_array, eye_array, hstack, vstack

    needs, experts, count = case.demand.height, case.capacity.height, need.size
    sides = case.limits.sides
    every = np.arange(count)
    row = csr_array((np.ones(count), (need, every)), shape=(needs, count))
    column = csr_array((np.ones(count), (expert, every)), shape=(experts, count))
    rules = csr_array((sides.weight, sides.pair, sides.ptr), shape=(sides.low.size, count))
    blank = csr_array((needs + experts + sides.low.size, needs))
    upper = hstack([vstack([row, column, rules]), blank])
    matrix = vstack([upper, hstack([row, -eye_array(needs)])]).tocsr()
    rooms = np.concatenate([case.demand["wanted"].to_numpy(), case.capacity["free"].to_numpy()]).astype(float)
    least = np.concatenate([np.full(rooms.size, -np.inf), sides.low, np.zeros(needs)])
    return matrix, least, np.concatenate([rooms, sides.high, np.full(needs, np.inf)])


def _solved(
    model: Model, goal: Real, limits: tuple[csr_array, Real, Real], seconds: float | None
) -> tuple[Real | None, bool]:
    """The best values, and whether they are proved to be it; None: there are none (proved), or none were found."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    found = milp(
        -goal,
        integrality=np.arange(goal.size) < model.pairs,
        bounds=Bounds(model.low, model.high),
        constraints=LinearConstraint(*limits),
        options={"mip_rel_gap": 1e-9} | ({} if seconds is None else {"time_limit": seconds}),
    )
    return found.x, found.status != 1


def _updated(table: pl.DataFrame, told: pl.DataFrame, keys: list[str], column: str) -> pl.DataFrame:
    """A table with new values of a column, and new rows."""
    if not told.height:
        return table
    values = told.select(*keys, pl.col("value").cast(table.schema[column]).alias(column))
    return table.with_columns(pl.col(keys).cast(pl.String)).update(values, on=keys, how="full")


def _counted(table: pl.DataFrame, told: pl.DataFrame, key: str, count: str) -> pl.DataFrame:
    """A table of counts with the changes made; who wants or may do less need not do more than that."""
    table = _updated(table, told, [key], count)
    if "at_least" in table.columns:
        table = table.with_columns(pl.min_horizontal("at_least", count))
    return table
