"""The best assignment, its prices, its proof, and why a need is unmet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import polars as pl

from silian.engines import _inputs
from silian.engines.allocate.clashes import refuse_clash
from silian.engines.allocate.fairness import fair_choice, pinned_score
from silian.engines.allocate.groups import fair_to_groups
from silian.engines.allocate.problem import room
from silian.engines.allocate.reasons import reasons_of
from silian.engines.allocate.rules import case_of, network_of
from silian.engines.allocate.solving import best_choice
from silian.errors import ArgumentError, TableError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from silian.engines.allocate.fairness import Floors
    from silian.engines.allocate.problem import Problem
    from silian.engines.allocate.rules import Case, Network, Rules
    from silian.engines.allocate.solving import Answer, Tell

    Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Allocation:
    """Who got what, what stayed open, what a place is worth, and how we know that it is the best."""

    assigned: pl.DataFrame  # need_id, expert_id, score; sorted by the two ids
    unmet: pl.DataFrame  # need_id, missing, reason; sorted by need_id
    prices: pl.DataFrame  # side, id, price; needs, then experts, each sorted by id
    reasons: pl.DataFrame  # need_id, reason, name, need, expert, limit, experts; of the unmet needs, sorted by need_id
    proof: pl.DataFrame  # one row: total, bound, gap, is_optimal, assigned, wanted, smallest_score, goal, floor, …


def assign(
    pairs: pl.DataFrame,
    demand: pl.DataFrame,
    capacity: pl.DataFrame,
    *,
    conflicts: pl.DataFrame | None = None,
    rules: Rules | None = None,
    goal: Literal["total", "fair"] = "total",
    floor: float | None = None,
    depth: int = 1,
    group: str | None = None,
    seconds: float | None = None,
    tell: Tell | None = None,
) -> Allocation:
    """Choose the pairs with the best total score within demand, capacity and rules, above a floor for every need.

    Parameters
    ----------
    pairs : need_id, expert_id, score; one row per possible pair
        score has no unit, in [0, 1] by the schema, though any finite number is taken. A pair whose score is 0 or
        less (or below 1e-12 of the largest) adds nothing and is never chosen.
    demand : need_id, wanted[, at_least]; one row per need
        wanted is a count of experts, >= 0: at most so many are assigned, each at most once. at_least is a hard bound
        below, 0 where it is empty: so many come, or the rules clash. Further columns are groups for rules.
    capacity : expert_id, free[, at_least]; one row per expert
        free is a count of needs that the expert may still take, >= 0; at_least and further columns as for demand.
    conflicts : need_id, expert_id; pairs that must not come out, whatever their score
        Pairs and ids that do not occur elsewhere are allowed: the table may be that of the whole region.
    rules : pins, vetoes, people who are kept apart, quotas, loads taken elsewhere; see `Rules`
    goal : "total": the best total; "fair": first the largest floor under the score of every need (the sum of the
        scores that it gets), then the best total above it
    floor : in score; asks for this floor, whatever the goal, in place of the largest
        A floor holds for the needs that can be served at all; where not all of these can be served at once, for a
        largest set of them, chosen by the total of first places.
    depth : >= 1, of goal "fair": how many floors are lifted one above the other before the total counts. Who has the
        smallest score in the best allocation above a floor is set aside for the next, and keeps that floor.
    group : a column of demand, e.g. district_id: the floor is then one under the mean of every group, its score for
        each expert that it wants; needs without a group are in none, groups that cannot be served do not count
    seconds : > 0; the longest that a search beside the network may take, about; None: to the end
    tell : told the part that is done (0 to 1) and what goes on, in such a search

    Returns
    -------
    Allocation : assigned (need_id, expert_id, score);
        unmet (need_id, missing: count of experts; reason: no_candidate where no other expert matched, conflict where
        others did but are all in conflict, capacity where others matched but serve nearer needs or have no place;
        else the rule in the way: at_most, apart, veto);
        reasons (need_id, reason, name, need, expert, limit, experts: all that stands in the way of an unmet need, with
        the count of candidates that it keeps away; see `reasons.reasons_of`);
        prices (side, id, price in score: of an expert what one more free place would add to the total, of a need what
        one wanted expert less would take away; of a need that wants none, the least that fits the experts' prices);
        under a floor the prices prove a bound of the total above it, Σ free · price of experts + Σ price of needs: of
        a need the worth, at these prices, of the best experts that reach its floor;
        proof (one row: total and bound in score, gap = bound - total, is_optimal: the best total above the floor,
        assigned and wanted as counts, smallest_score: the smallest sum of scores of one need that wants somebody,
        null if none does; goal; null without a floor: floor in score, floor_bound: no allocation has a larger floor,
        protected: count of needs that it holds for).

    Raises
    ------
    TableError : table.columns, table.type, table.value (nulls, a count below 0, a score that is not finite),
        table.duplicate (a pair, need or expert given twice), table.unknown (pairs names a need or expert that
        demand or capacity lacks), the same of the tables of rules; allocate.pin_absent, allocate.pin_conflict,
        allocate.pin_vetoed; allocate.clash where the rules cannot all be kept, with the smallest set that clashes and
        the cheapest way out; allocate.time where nothing that keeps them was found in the time
    ArgumentError : argument.value if seconds is not above 0, depth below 1, goal unknown or floor not above 0;
        allocate.floor if no allocation was found that reaches the floor asked for

    Notes
    -----
    A transportation problem: its matrix is totally unimodular, so the best whole numbers are also the best of the
    linear program, and its dual prices prove it. Successive shortest paths in whole numbers: scores are read to 12
    decimal places of the power of ten at or above the largest one, so the total is within 1e-12 of that per pair of
    the best, and ties are exact. Of several allocations with the best total, the one that is first by id: go through
    the pairs by need_id, expert_id and take each that some best allocation holds together with those taken before.
    Rules: pins and vetoes leave a network. Where its answer keeps the other rules, it is the best. Else, up to 5,000
    pairs, those that it breaks join an integer programme (scipy's HiGHS) until none is broken: within 1e-6 of the
    largest score of the best. With more pairs, see `core.best_in_core`: is_optimal is false where the best is not
    proved, and gap says how far it can be. Equal totals are then not told apart by id, though the answer is the same
    for the same input. Prices are then those of the linear relaxation.
    Floors: expert prices by rounds in which each need takes its best bundle of experts above the floor, exactly; what
    clashes is mended by chains of exchanges; up to 20,000 pairs that could still better it go to HiGHS, which decides.
    Larger cases end at a gap of 1e-4 of the total above a floor within 0.5 % of its bound, or where no more is found.
    An empty table of pairs leaves every need unmet; an empty demand gives four empty answers but for the proof.
    The order of the rows does not matter. Deterministic. Splits: no, it sees all pairs.
    Cost: 4e4 pairs 0.03 s, 1e6 pairs 0.3 to 1.0 s and 460 MiB, 5e6 pairs 4.3 s and 1.2 GiB, on 2 cores
    (bench_allocate); the first call on a machine compiles for about 8 s. With a floor: 1e4 pairs 0.1 s, 1e6 pairs 7 to
    27 s.
    Source: C. J. Taylor (2008), On the optimal assignment of conference papers to reviewers, University of
    Pennsylvania, MS-CIS-08-30; R. K. Ahuja, T. L. Magnanti, J. B. Orlin (1993), Network Flows, ch. 9.

    Examples
    --------
    >>> pairs = pl.DataFrame({"need_id": ["n1", "n2"], "expert_id": ["e1", "e1"], "score": [0.9, 0.4]})
    >>> demand = pl.DataFrame({"need_id": ["n1", "n2"], "wanted": [1, 1]})
    >>> capacity = pl.DataFrame({"expert_id": ["e1"], "free": [1]})
    >>> result = assign(pairs, demand, capacity)
    >>> result.assigned.rows(), result.unmet.rows()
    ([('n1', 'e1', 0.9)], [('n2', 1, 'capacity')])
    >>> result.prices.rows()  # one more place of e1 would add 0.4; without n1's wish 0.9 - 0.4 would go
    [('need', 'n1', 0.5), ('need', 'n2', 0.0), ('expert', 'e1', 0.4)]
    """
    _check_arguments(goal, floor, depth, seconds)
    groups = None if group is None else _groups(demand, group)
    case = case_of(pairs, demand, capacity, conflicts=conflicts, rules=rules)
    network = network_of(case)
    answer, floors = _answered(case, network, seconds, tell), None
    if goal == "fair" or floor is not None:
        answer, floors = _fair(case, network, answer, _Goal(floor, depth, groups, seconds, tell))
    held = case.pairs["pin"].to_numpy().copy()
    held[network.problem.pairs["pair"].filter(pl.Series(answer.chosen))] = True
    assigned = case.pairs.filter(pl.Series(held)).select("need_id", "expert_id", "score")
    reasons = reasons_of(case, held)
    return Allocation(
        assigned=assigned,
        unmet=_unmet(case, assigned, reasons),
        prices=_prices(network.problem, answer.need_price, answer.expert_price),
        reasons=reasons,
        proof=_proof(case, assigned, answer, goal, floors, network.problem.unit),
    )


def loads(assigned: pl.DataFrame, capacity: pl.DataFrame) -> pl.DataFrame:
    """How many needs each expert serves, and how many they could take.

    Parameters
    ----------
    assigned : need_id, expert_id; one row per pair that was chosen
    capacity : expert_id, free; one row per expert, free is a count of needs >= 0

    Returns
    -------
    expert_id, assigned (count of needs), free (count of needs); one row per expert of capacity, sorted by id

    Raises
    ------
    TableError : table.columns, table.type, table.value, table.duplicate, table.unknown as in `assign`

    Notes
    -----
    Cost: one pass. Splits: no.

    Examples
    --------
    >>> assigned = pl.DataFrame({"need_id": ["n1", "n2"], "expert_id": ["e1", "e1"]})
    >>> loads(assigned, pl.DataFrame({"expert_id": ["e2", "e1"], "free": [1, 3]})).rows()
    [('e1', 2, 3), ('e2', 0, 1)]
    """
    assigned = _inputs.columns(assigned, "assigned", {"need_id": "id", "expert_id": "id"})
    capacity = room(capacity, "capacity", "expert_id", "free")
    _inputs.refuse_duplicates(assigned, "assigned", ["need_id", "expert_id"])
    _inputs.refuse_unknown(assigned, "assigned", "expert_id", capacity["expert_id"], "capacity")
    counts = assigned.group_by("expert_id").agg(assigned=pl.len().cast(pl.Int64))
    joined = capacity.join(counts, on="expert_id", how="left", maintain_order="left")
    return joined.select("expert_id", pl.col("assigned").fill_null(0), "free")


def _check_arguments(goal: str, floor: float | None, depth: int, seconds: float | None) -> None:
    if seconds is not None and not seconds > 0:
        raise ArgumentError("argument.value", name="seconds", found=seconds, wanted="a number above 0")
    if goal not in ("total", "fair"):
        raise ArgumentError("argument.value", name="goal", found=repr(goal), wanted="'total' or 'fair'")
    if floor is not None and not (floor > 0 and math.isfinite(floor)):
        raise ArgumentError("argument.value", name="floor", found=floor, wanted="a number above 0")
    if depth < 1:
        raise ArgumentError("argument.value", name="depth", found=depth, wanted="a count of 1 or more")


def _groups(demand: pl.DataFrame, group: str) -> Whole:
    """The group of each need in order of the ids, from 0 by value; -1: none."""
    table = _inputs.columns(demand, "demand", {"need_id": "id"}, nullable={group: "id"}).sort("need_id")
    codes = table[group].rank("dense").cast(pl.Int64) - 1
    return codes.fill_null(-1).to_numpy()


class _Goal(NamedTuple):
    floor: float | None
    depth: int
    group: Whole | None
    seconds: float | None
    tell: Tell | None


def _fair(case: Case, network: Network, start: Answer, goal: _Goal) -> tuple[Answer, Floors]:
    """The choice above a floor; an error where the floor that is asked was not reached."""
    unit, wanted = network.problem.unit, case.demand["wanted"].to_numpy()
    pinned, seconds, tell = pinned_score(case, unit), goal.seconds, goal.tell

    def search(floor: float | None, depth: int) -> tuple[Answer, Floors]:
        if goal.group is None:
            return fair_choice(network, pinned, start, floor=floor, depth=depth, seconds=seconds, tell=tell)
        sides = {"group": goal.group, "wanted": wanted}
        return fair_to_groups(network, pinned, start, **sides, floor=floor, seconds=seconds, tell=tell)

    answer, floors = search(goal.floor, goal.depth)
    if not answer.is_feasible:
        _, reached = search(None, 1)
        raise ArgumentError("allocate.floor", floor=goal.floor, most=reached.floor / unit, bound=reached.bound / unit)
    return answer, floors


def _answered(case: Case, network: Network, seconds: float | None, tell: Tell | None) -> Answer:
    """The best choice; an error where no choice keeps the rules, or none was found in the time."""
    rooms = np.concatenate([network.problem.row_room, network.problem.column_room])
    if rooms.size and rooms.min() < 0:
        raise refuse_clash(case)
    answer = best_choice(network, seconds=seconds, tell=tell)
    if not answer.is_feasible and answer.is_proved:
        raise refuse_clash(case)
    if not answer.is_feasible:
        raise TableError("allocate.time", seconds=seconds, bound=answer.bound)
    return answer


def _unmet(case: Case, assigned: pl.DataFrame, reasons: pl.DataFrame) -> pl.DataFrame:
    """Needs that lack experts, and what would have to change first."""
    counts = assigned.group_by("need_id").agg(got=pl.len().cast(pl.Int64))
    joined = case.demand.join(counts, on="need_id", how="left").with_columns(pl.col("got").fill_null(0))
    short = joined.select("need_id", missing=pl.col("wanted") - pl.col("got")).filter(pl.col("missing") > 0)
    first = reasons.group_by("need_id", maintain_order=True).agg(pl.col("reason").first())
    return short.join(first, on="need_id", how="left").sort("need_id")


def _prices(problem: Problem, need_price: Whole, expert_price: Whole) -> pl.DataFrame:
    sides = (("need", problem.demand["need_id"], need_price), ("expert", problem.capacity["expert_id"], expert_price))
    tables = [
        pl.DataFrame({"id": ids, "price": price / problem.unit}).select(pl.lit(side).alias("side"), "id", "price")
        for side, ids, price in sides
    ]
    return pl.concat(tables)


def _proof(
    case: Case, assigned: pl.DataFrame, answer: Answer, goal: str, floors: Floors | None, unit: float
) -> pl.DataFrame:
    """Total against the bound that the prices prove, both from the scores as they were given."""
    total = math.fsum(assigned["score"])
    bound = math.fsum([answer.bound, *case.pinned["score"]])
    served = case.demand.filter(pl.col("wanted") > 0).select("need_id")
    scores = served.join(assigned, on="need_id", how="left", maintain_order="left")
    smallest = scores.group_by("need_id").agg(pl.col("score").sort().sum())["score"].min()
    lifted = (floors.floor / unit, floors.bound / unit, int(floors.protected.sum())) if floors else (None, None, None)
    return pl.DataFrame(
        {
            "total": [total],
            "bound": [bound],
            "gap": [max(0.0, bound - total)],
            "is_optimal": [answer.is_proved],
            "assigned": [assigned.height],
            "wanted": [int(case.demand["wanted"].sum())],
            "smallest_score": pl.Series([smallest], dtype=pl.Float64),
            "goal": [goal],
            "floor": pl.Series([lifted[0]], dtype=pl.Float64),
            "floor_bound": pl.Series([lifted[1]], dtype=pl.Float64),
            "protected": pl.Series([lifted[2]], dtype=pl.Int64),
        }
    )
