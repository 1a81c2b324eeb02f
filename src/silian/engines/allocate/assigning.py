"""The best assignment, its prices, its proof, and why a need is unmet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from silian.engines import _inputs
from silian.engines.allocate.problem import Problem, barred_pairs, checked, problem_of, room, whole_sum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Allocation:
    """Who got what, what stayed open, what a place is worth, and how we know that it is the best."""

    assigned: pl.DataFrame  # need_id, expert_id, score; sorted by the two ids
    unmet: pl.DataFrame  # need_id, missing, reason; sorted by need_id
    prices: pl.DataFrame  # side, id, price; needs, then experts, each sorted by id
    proof: pl.DataFrame  # one row: total, bound, gap, is_optimal, assigned, wanted, smallest_score


def assign(
    pairs: pl.DataFrame, demand: pl.DataFrame, capacity: pl.DataFrame, *, conflicts: pl.DataFrame | None = None
) -> Allocation:
    """Choose the pairs with the best total score within demand and capacity.

    Parameters
    ----------
    pairs : need_id, expert_id, score; one row per possible pair
        score has no unit, in [0, 1] by the schema, though any finite number is taken. A pair whose score is 0 or
        less (or below 1e-12 of the largest) adds nothing and is never chosen.
    demand : need_id, wanted; one row per need
        wanted is a count of experts, >= 0: at most so many are assigned, each at most once.
    capacity : expert_id, free; one row per expert
        free is a count of needs that the expert may still take, >= 0.
    conflicts : need_id, expert_id; pairs that must not come out, whatever their score
        Pairs and ids that do not occur elsewhere are allowed: the table may be that of the whole region.

    Returns
    -------
    Allocation : assigned (need_id, expert_id, score);
        unmet (need_id, missing: count of experts; reason: no_candidate where no other expert matched, conflict where
        others did but are all in conflict, capacity where others matched but serve nearer needs or have no place);
        prices (side, id, price in score: of an expert what one more free place would add to the total, of a need what
        one wanted expert less would take away; of a need that wants none, the least that fits the experts' prices);
        proof (one row: total and bound in score, gap = bound - total, is_optimal, assigned and wanted as counts,
        smallest_score: the smallest sum of scores of one need that wants somebody, null if none does).

    Raises
    ------
    TableError : table.columns, table.type, table.value (nulls, a count below 0, a score that is not finite),
        table.duplicate (a pair, need or expert given twice), table.unknown (pairs names a need or expert that
        demand or capacity lacks)

    Notes
    -----
    A transportation problem: its matrix is totally unimodular, so the best whole numbers are also the best of the
    linear program, and its dual prices prove it. Successive shortest paths in whole numbers: scores are read to 12
    decimal places of the power of ten at or above the largest one, so the total is within 1e-12 of that per pair of
    the best, and ties are exact. Of several allocations with the best total, the one that is first by id: go through
    the pairs by need_id, expert_id and take each that some best allocation holds together with those taken before.
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
    given, demand, capacity = checked(pairs, demand, capacity)
    barred = barred_pairs(given, conflicts)
    problem = problem_of(given.filter(~barred), demand, capacity)
    chosen, need_price, expert_price = _solved(problem)
    taken = problem.pairs.filter(pl.Series(chosen))
    assigned = taken.select(
        need_id=demand["need_id"].gather(taken["need"]),
        expert_id=capacity["expert_id"].gather(taken["expert"]),
        score="score",
    )
    unmet = _unmet(given.with_columns(barred=barred), assigned, demand)
    prices = _prices(problem, need_price, expert_price)
    return Allocation(assigned, unmet, prices, _proof(problem, assigned, chosen, need_price, expert_price))


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


def _solved(problem: Problem) -> tuple[NDArray[np.bool_], Whole, Whole]:
    """Which pairs are chosen, and the prices of needs and experts in whole numbers."""
    from silian.engines.allocate import _flow

    p = problem
    return _flow.best(_flow.Graph(p.start, p.column, p.row, p.gain, p.row_room, p.column_room))


def _unmet(pairs: pl.DataFrame, assigned: pl.DataFrame, demand: pl.DataFrame) -> pl.DataFrame:
    """Needs that lack experts, and why. pairs: need_id, score, barred."""
    helpful = pl.col("score") > 0
    offers = pairs.group_by("need_id").agg(
        allowed=(helpful & ~pl.col("barred")).sum().cast(pl.Int64), barred=(helpful & pl.col("barred")).any()
    )
    counts = assigned.group_by("need_id").agg(got=pl.len().cast(pl.Int64))
    joined = demand.join(offers, on="need_id", how="left").join(counts, on="need_id", how="left")
    got = pl.col("got").fill_null(0)
    reason = (
        pl.when(pl.col("allowed").fill_null(0) > got)
        .then(pl.lit("capacity"))
        .when(pl.col("barred").fill_null(value=False))
        .then(pl.lit("conflict"))
        .otherwise(pl.lit("no_candidate"))
    )
    told = joined.select("need_id", missing=pl.col("wanted") - got, reason=reason)
    return told.filter(pl.col("missing") > 0).sort("need_id")


def _prices(problem: Problem, need_price: Whole, expert_price: Whole) -> pl.DataFrame:
    sides = (("need", problem.demand["need_id"], need_price), ("expert", problem.capacity["expert_id"], expert_price))
    tables = [
        pl.DataFrame({"id": ids, "price": price / problem.unit}).select(pl.lit(side).alias("side"), "id", "price")
        for side, ids, price in sides
    ]
    return pl.concat(tables)


def _proof(
    problem: Problem, assigned: pl.DataFrame, chosen: NDArray[np.bool_], need_price: Whole, expert_price: Whole
) -> pl.DataFrame:
    """Total against the bound that the prices prove (weak duality), both from the scores as they were given."""
    left = problem.gain - need_price[problem.row] - expert_price[problem.column]
    room = np.concatenate([problem.row_room, problem.column_room])
    price = np.concatenate([need_price, expert_price])
    whole = sum(int(r) * int(p) for r, p in zip(room[price > 0], price[price > 0], strict=True))
    whole += whole_sum(left[left > 0])
    total = math.fsum(assigned["score"])
    rest = problem.pairs["score"].to_numpy() - (need_price[problem.row] + expert_price[problem.column]) / problem.unit
    bound = math.fsum([*(room * (price / problem.unit)), *rest[rest > 0]])
    served = problem.demand.filter(pl.col("wanted") > 0).select("need_id")
    scores = served.join(assigned, on="need_id", how="left", maintain_order="left")
    smallest = scores.group_by("need_id").agg(pl.col("score").sort().sum())["score"].min()
    return pl.DataFrame(
        {
            "total": [total],
            "bound": [bound],
            "gap": [max(0.0, bound - total)],
            "is_optimal": [whole == whole_sum(problem.gain[chosen])],
            "assigned": [assigned.height],
            "wanted": [int(problem.demand["wanted"].sum())],
            "smallest_score": pl.Series([smallest], dtype=pl.Float64),
        }
    )
