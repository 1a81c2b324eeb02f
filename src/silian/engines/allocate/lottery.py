"""The allocation drawn by lot: no pair is certain, every draw is valid, and the expected total is the best there is."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from silian.engines import _inputs
from silian.engines.allocate.problem import Problem, problem_of, whole_sum
from silian.engines.allocate.rules import case_of
from silian.engines.allocate.standing import rows_of, unmet_of
from silian.errors import ArgumentError, TableError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from silian.engines.allocate.rules import Case, Rules

    Whole = NDArray[np.int64]
    Real = NDArray[np.float64]
    Flags = NDArray[np.bool_]

# Probabilities are whole numbers of parts: as few parts as give every cap exactly, at most so many.
_PARTS: Final = 100
# Up to so many parts a pair is as many edges of the network as its cap has parts; with more, HiGHS is quicker (measured
# on 1,000 x 300 x 50: 0.04 s with 2 parts, 0.2 s with 10, 11 s with 100; HiGHS 0.4 s, 0.4 s and 0.2 s).
_EDGES: Final = 10


@dataclass(frozen=True, slots=True)
class Lottery:
    """How probable each pair is, one draw, and what the randomness costs."""

    probabilities: pl.DataFrame  # need_id, expert_id, score, probability; those above 0, sorted by the two ids
    assigned: pl.DataFrame  # need_id, expert_id, score; one draw, sorted by the two ids
    unmet: pl.DataFrame  # need_id, missing, reason; of the draw, sorted by need_id
    prices: pl.DataFrame  # side, id, price; what one more place adds to the expected total
    figures: pl.DataFrame  # one row: expected_total, best_total, cost, cost_share, total, parts, largest_probability


def lottery(
    pairs: pl.DataFrame,
    demand: pl.DataFrame,
    capacity: pl.DataFrame,
    *,
    cap: float = 0.5,
    seed: int = 0,
    conflicts: pl.DataFrame | None = None,
    rules: Rules | None = None,
) -> Lottery:
    """Draw an allocation in which no pair is more probable than its cap, with the best expected total.

    Parameters
    ----------
    pairs : need_id, expert_id, score[, cap]; one row per possible pair, as in `assign`
        cap: the largest probability of this pair, in [0, 1]; empty: that of all.
    demand, capacity, conflicts : as in `assign`
    rules : vetoes and places taken elsewhere are kept; pins, quotas and people who are kept apart are refused
    cap : in (0, 1], the largest probability of any pair
        Caps are kept in parts: as few as give each exactly, 100 at most; then they are rounded down.
    seed : >= 0; another seed, another draw; the probabilities stay

    Returns
    -------
    Lottery : probabilities; assigned and unmet, those of the draw (reason: as in `assign`, but cap where the caps of
        all who may come do not add up to what is wanted); prices (side, id, price in score: what one more place adds
        to the expected total, at the margin); figures (expected_total, best_total without caps, cost = best_total -
        expected_total, cost_share = cost / best_total, total of the draw, parts, largest_probability).

    Raises
    ------
    TableError : those of `assign`; table.value (a cap outside [0, 1]), allocate.limits (at_least above 0, pins,
        quotas, people kept apart: a draw would not keep them)
    ArgumentError : argument.value (cap outside (0, 1], seed below 0)

    Notes
    -----
    Whoever wants to serve a certain need, to do it a favour, cannot count on it: with a cap of .5 the pair comes out
    in half of the draws at most, whatever its score. The probabilities solve

        maximise  Σ s_ij p_ij   with  Σ_j p_ij ≤ a_i,   Σ_i p_ij ≤ b_j,   0 ≤ p_ij ≤ cap_ij

    in whole numbers of 1 / parts, as a network with parts · a_i and parts · b_j places in which a pair is as many edges
    as its cap has parts: exact, like `assign`. With more than 10 parts it is a linear programme (HiGHS), within 1e-7 of
    the largest score a pair of the best. The draw is a dependent rounding along cycles and ways of the pairs
    that are open: every pair stands with exactly its probability (to 1e-17), every need and expert has its expected
    count rounded up or down, so each draw keeps demand and capacity; and of one need or one expert, pairs are never
    positively correlated. Deterministic for a seed. Splits: no.
    Cost: see docs/methods/allocate.md (bench_repair).
    Source: S. Jecmen et al. (2020), Mitigating manipulation in peer review via randomized reviewer assignments,
    NeurIPS 33; R. Gandhi, S. Khuller, S. Parthasarathy, A. Srinivasan (2006), Dependent rounding and its applications
    to approximation algorithms, Journal of the ACM 53(3); E. Budish, Y.-K. Che, F. Kojima, P. Milgrom (2013),
    Designing random allocation mechanisms, American Economic Review 103(2).

    Examples
    --------
    >>> pairs = pl.DataFrame({"need_id": ["n1", "n1"], "expert_id": ["e1", "e2"], "score": [0.9, 0.5]})
    >>> demand = pl.DataFrame({"need_id": ["n1"], "wanted": [1]})
    >>> capacity = pl.DataFrame({"expert_id": ["e1", "e2"], "free": [1, 1]})
    >>> result = lottery(pairs, demand, capacity, cap=0.6)
    >>> result.probabilities["probability"].to_list(), result.assigned.height
    ([0.6, 0.4], 1)
    >>> result.figures.select("expected_total", "cost").row(0)
    (0.74, 0.16)
    """
    from silian.engines.allocate import _flow

    if not 0 < cap <= 1:
        raise ArgumentError("argument.value", name="cap", found=cap, wanted="a number above 0, at most 1")
    if seed < 0:
        raise ArgumentError("argument.value", name="seed", found=seed, wanted="a whole number of 0 or more")
    case = case_of(pairs, demand, capacity, conflicts=conflicts, rules=rules)
    _refuse_limits(case)
    given, demand, capacity = case.pairs, case.demand, case.capacity
    is_barred = given["conflict"] | given["veto"]
    problem = problem_of(_capped(given, pairs, cap).filter(~is_barred), demand, capacity)
    most, parts = _parts(problem.pairs["cap"].to_numpy())
    share, prices = _shares(problem, most, parts)
    draws = np.random.default_rng(seed).integers(0, 2**63, share.size, dtype=np.uint64).astype(np.int64)
    sizes = problem.row_room.size, problem.column_room.size
    drawn = _flow.rounded(problem.row, problem.column, sizes, share, parts, draws)
    blocked = np.zeros(demand.height, np.bool_)
    blocked[given.filter(given["conflict"] & (given["score"] > 0))["need"].to_numpy()] = True
    place = np.flatnonzero(share)
    return Lottery(
        probabilities=rows_of(problem, place).with_columns(probability=pl.Series(share[place] / parts)),
        assigned=rows_of(problem, np.flatnonzero(drawn)),
        unmet=_unmet(problem, drawn, most, parts, blocked),
        prices=prices,
        figures=_figures(problem, share, drawn, parts),
    )


def _refuse_limits(case: Case) -> None:
    """A draw keeps rooms, conflicts and vetoes, and nothing beside them."""
    pins = case.pinned.select(rule=pl.lit("pin"), name=pl.lit(None, pl.String), need="need_id", expert="expert_id")
    limits = pl.concat([pins, case.limits.names.select(pins.columns)])
    if limits.height:
        first = limits.unique(["rule", "name"], maintain_order=True).head(3).rows()
        shown = "; ".join(" ".join(filter(None, row)) for row in first)
        raise TableError("allocate.limits", what="lottery", count=limits.height, shown=shown)


def _capped(given: pl.DataFrame, pairs: pl.DataFrame, cap: float) -> pl.DataFrame:
    """The pairs, coded and sorted, with the cap of each."""
    if "cap" not in pairs.columns:
        return given.with_columns(cap=pl.lit(cap))
    keys: dict[str, _inputs.Kind] = {"need_id": "id", "expert_id": "id"}
    caps = _inputs.columns(pairs, "pairs", keys, nullable={"cap": "number"})
    bad = ~(pl.col("cap").is_finite() & pl.col("cap").is_between(0, 1))
    _inputs.refuse(caps, "pairs", "cap", bad, found="outside [0, 1]", wanted="a probability, or nothing")
    joined = given.join(caps, on=["need_id", "expert_id"], how="left", maintain_order="left")
    return joined.with_columns(pl.min_horizontal(pl.col("cap"), pl.lit(cap)))


def _parts(cap: NDArray[np.float64]) -> tuple[Whole, int]:
    """The caps in whole parts, and how many parts are 1."""
    levels = np.unique(cap)
    fits = (q for q in range(1, _PARTS) if (np.abs(levels * q - np.rint(levels * q)) < 1e-9).all())
    parts = next(fits, _PARTS)
    most = np.floor(cap * parts + 1e-9).astype(np.int64)
    return most, parts


def _shares(problem: Problem, most: Whole, parts: int) -> tuple[Whole, pl.DataFrame]:
    """The probability of each pair in parts, and the prices of the places."""
    share, need_price, expert_price = (_by_flow if parts <= _EDGES else _by_program)(problem, most, parts)
    sides = (("need", problem.demand["need_id"], need_price), ("expert", problem.capacity["expert_id"], expert_price))
    tables = [
        pl.DataFrame({"id": ids, "price": price}).select(pl.lit(side).alias("side"), "id", "price")
        for side, ids, price in sides
    ]
    return share, pl.concat(tables)


def _by_flow(problem: Problem, most: Whole, parts: int) -> tuple[Whole, Real, Real]:
    """The best shares and prices, exactly: each part of a pair is an edge of the network."""
    from silian.engines.allocate import _flow

    p = problem
    edge = np.repeat(np.arange(p.row.size), most)
    row = p.row[edge]
    start = np.searchsorted(row, np.arange(p.row_room.size + 1)).astype(np.int64)
    graph = _flow.Graph(start, p.column[edge], row, p.gain[edge], p.row_room * parts, p.column_room * parts)
    chosen, need_price, expert_price = _flow.best(graph)
    return np.bincount(edge[chosen], minlength=p.row.size), need_price / p.unit, expert_price / p.unit


def _by_program(problem: Problem, most: Whole, parts: int) -> tuple[Whole, Real, Real]:
    """The same as a linear programme: a vertex of it is whole parts, because the matrix is totally unimodular."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, vstack

    p = problem
    ones, every = np.ones(p.row.size), np.arange(p.row.size)
    needs, experts = p.row_room.size, p.column_room.size
    matrix = vstack(
        [
            csr_array((ones, (p.row, every)), shape=(needs, every.size)),
            csr_array((ones, (p.column, every)), shape=(experts, every.size)),
        ]
    )
    room, score = np.concatenate([p.row_room, p.column_room]) * parts, p.gain / p.unit
    bounds = np.column_stack([np.zeros(every.size), most])
    found = linprog(-score, A_ub=matrix, b_ub=room, bounds=bounds, method="highs-ds")
    price = np.maximum(-found.ineqlin.marginals, 0.0)
    return np.rint(found.x).astype(np.int64), price[:needs], price[needs:]


def _unmet(problem: Problem, drawn: Flags, most: Whole, parts: int, blocked: Flags) -> pl.DataFrame:
    """Needs that lack experts in this draw, and why."""
    unmet = unmet_of(problem, drawn, np.zeros(drawn.size, np.int8), blocked)
    allowed = np.bincount(problem.row, most, minlength=problem.row_room.size)
    capped = problem.demand["need_id"].filter(pl.Series(allowed < parts * problem.row_room))
    is_capped = (pl.col("reason") == "capacity") & pl.col("need_id").is_in(capped.implode())
    return unmet.with_columns(reason=pl.when(is_capped).then(pl.lit("cap")).otherwise("reason"))


def _figures(problem: Problem, share: Whole, drawn: Flags, parts: int) -> pl.DataFrame:
    """What is to be expected, what could be without chance, and what was drawn."""
    from silian.engines.allocate import _flow

    p = problem
    chosen, _, _ = _flow.best(_flow.Graph(p.start, p.column, p.row, p.gain, p.row_room, p.column_room))
    unit = Fraction(p.unit)
    some = share > 0
    expected = Fraction(sum(map(operator.mul, share[some].tolist(), p.gain[some].tolist())), parts) / unit
    best, total = (Fraction(whole_sum(p.gain[those])) / unit for those in (chosen, drawn))
    return pl.DataFrame(
        {
            "expected_total": [float(expected)],
            "best_total": [float(best)],
            "cost": [float(best - expected)],
            "cost_share": [float((best - expected) / best) if best else 0.0],
            "total": [float(total)],
            "parts": [parts],
            "largest_probability": [int(share.max(initial=0)) / parts],
        }
    )
