"""Repair where rules stand beside the network: the tables with their changes, what is kept, and the choice within."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from silian.engines.allocate.clashes import refuse_clash
from silian.engines.allocate.constrained import keeps
from silian.engines.allocate.fewest import Fewest, fewest_changes
from silian.engines.allocate.rules import Rules, case_of, network_of
from silian.errors import TableError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from silian.engines.allocate.rules import Case

    Whole = NDArray[np.int64]
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
    case: Case, had: Flags, due: Whole, *, must: Flags, may: Flags, seconds: float | None
) -> tuple[Flags, float]:
    """The best choice within the rules in the order of `repair`: due places and held pairs, then the total.

    had, must, may : bool (pairs of the case,); due : (needs of the case,)
    seconds : the longest that each search of branch and bound may take

    Returns
    -------
    chosen : bool (pairs of the case,)
    gap : in score, how much better a choice with as few changes could be; 0: none is; inf: one with fewer could be
    """
    pairs = case.pairs.with_columns(veto=pl.col("veto") | ~pl.Series(may), pin=pl.col("pin") | pl.Series(must))
    network = network_of(replace(case, pairs=pairs))
    problem = network.problem
    chosen = pairs["pin"].to_numpy().copy()
    pinned = np.bincount(pairs["need"].to_numpy()[chosen], minlength=due.size)
    found = Fewest(None, 0.0, is_proved=True)
    if min(problem.row_room.min(initial=0), problem.column_room.min(initial=0)) >= 0:
        open_due = np.clip(due - pinned, 0, problem.row_room)
        place = problem.pairs["pair"].to_numpy()
        found = fewest_changes(problem, network.sides, had[place], open_due, seconds=seconds)
    if found.chosen is not None:
        chosen[place[found.chosen]] = True
        return chosen, found.gap * float(problem.gain.max(initial=0)) / problem.unit
    if not found.is_proved:
        raise TableError("allocate.time", seconds=seconds, bound=float(pairs["score"].sum()))
    by_hand = int((must & ~case.pairs["pin"].to_numpy()).sum() + (~may).sum())
    raise TableError("allocate.by_hand", count=by_hand) if by_hand else refuse_clash(case)


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
