"""The best assignment, its prices, its proof, and why a need is unmet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from silian.engines import _inputs
from silian.engines.allocate.clashes import refuse_clash
from silian.engines.allocate.problem import room
from silian.engines.allocate.reasons import reasons_of
from silian.engines.allocate.rules import case_of, network_of
from silian.engines.allocate.solving import best_choice
from silian.errors import ArgumentError, TableError

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
    proof: pl.DataFrame  # one row: total, bound, gap, is_optimal, assigned, wanted, smallest_score


def assign(
    pairs: pl.DataFrame,
    demand: pl.DataFrame,
    capacity: pl.DataFrame,
    *,
    conflicts: pl.DataFrame | None = None,
    rules: Rules | None = None,
    seconds: float | None = None,
    tell: Tell | None = None,
) -> Allocation:
    """Choose the pairs with the best total score within demand, capacity and rules.

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
    seconds : > 0; the longest that a search beside the network may take, where rules need one; None: to the end
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
        proof (one row: total and bound in score, gap = bound - total, is_optimal, assigned and wanted as counts,
        smallest_score: the smallest sum of scores of one need that wants somebody, null if none does).

    Raises
    ------
    TableError : table.columns, table.type, table.value (nulls, a count below 0, a score that is not finite),
        table.duplicate (a pair, need or expert given twice), table.unknown (pairs names a need or expert that
        demand or capacity lacks), the same of the tables of rules; allocate.pin_absent, allocate.pin_conflict,
        allocate.pin_vetoed; allocate.clash where the rules cannot all be kept, with the smallest set that clashes and
        the cheapest way out; allocate.time where nothing that keeps them was found in the time
    ArgumentError : argument.value if seconds is not above 0

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
    An empty table of pairs leaves every need unmet; an empty demand gives four empty answers but for the proof.
    The order of the rows does not matter. Deterministic. Splits: no, it sees all pairs.
    Cost: 4e4 pairs 0.03 s, 1e6 pairs 0.3 to 1.0 s and 460 MiB, 5e6 pairs 4.3 s and 1.2 GiB, on 2 cores
    (bench_allocate); the first call on a machine compiles for about 8 s.
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
    case = case_of(pairs, demand, capacity, conflicts=conflicts, rules=rules)
    network = network_of(case)
    answer = _answered(case, network, seconds, tell)
    held = case.pairs["pin"].to_numpy().copy()
    held[network.problem.pairs["pair"].filter(pl.Series(answer.chosen))] = True
    assigned = case.pairs.filter(pl.Series(held)).select("need_id", "expert_id", "score")
    reasons = reasons_of(case, held)
    return Allocation(
        assigned=assigned,
        unmet=_unmet(case, assigned, reasons),
        prices=_prices(network.problem, answer.need_price, answer.expert_price),
        reasons=reasons,
        proof=_proof(case, assigned, answer),
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


def _answered(case: Case, network: Network, seconds: float | None, tell: Tell | None) -> Answer:
    """The best choice; an error where no choice keeps the rules, or none was found in the time."""
    if seconds is not None and not seconds > 0:
        raise ArgumentError("argument.value", name="seconds", found=seconds, wanted="a number above 0")
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


def _proof(case: Case, assigned: pl.DataFrame, answer: Answer) -> pl.DataFrame:
    """Total against the bound that the prices prove, both from the scores as they were given."""
    total = math.fsum(assigned["score"])
    bound = math.fsum([answer.bound, *case.pinned["score"]])
    served = case.demand.filter(pl.col("wanted") > 0).select("need_id")
    scores = served.join(assigned, on="need_id", how="left", maintain_order="left")
    smallest = scores.group_by("need_id").agg(pl.col("score").sort().sum())["score"].min()
    return pl.DataFrame(
        {
            "total": [total],
            "bound": [bound],
            "gap": [max(0.0, bound - total)],
            "is_optimal": [answer.is_proved],
            "assigned": [assigned.height],
            "wanted": [int(case.demand["wanted"].sum())],
            "smallest_score": pl.Series([smallest], dtype=pl.Float64),
        }
    )
