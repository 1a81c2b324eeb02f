"""Who serves which need: the best total within demand and capacity, without conflicts of interest.

See docs/methods/allocate.md for the formulas and docs/decisions/0003-exact-assignment.md for the choice of solver.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from silian.engines import _inputs
from silian.errors import ArgumentError
from silian.tables.schema import codes, results

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    Whole = NDArray[np.int64]

# Scores are read to so many decimal places of the power of ten at or above the largest one: 0.1 + 0.2 and 0.3 are
# then one number, sums are exact in 64 bits up to 9 million pairs, and nobody can tell 1e-12 of a score anyway.
DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Allocation:
    """Who got what, what stayed open, what a place is worth, and how we know that it is the best."""

    assigned: pl.DataFrame  # need_id, expert_id, score; sorted by the two ids
    unmet: pl.DataFrame  # need_id, missing, reason; sorted by need_id
    prices: pl.DataFrame  # side, id, price; needs, then experts, each sorted by id
    proof: pl.DataFrame  # one row: total, bound, gap, is_optimal, assigned, wanted, smallest_score


@dataclass(frozen=True, slots=True)
class ConflictRules:
    """Which relations count as a conflict of interest; the names are kinds of the table relations.

    An expert's own employer always counts. A contract between two organisations does not: it binds their offices,
    not the expert, and would shut a university out of every enterprise that it ever served. Earlier cooperation does
    not either: to bring it about is what a region wants.
    """

    direct: tuple[str, ...] = ("employment", "shareholding", "contract")  # expert – the need's organisation
    personal: tuple[str, ...] = ("family", "adviser", "coauthor")  # expert – a person employed there
    corporate: tuple[str, ...] = ("shareholding",)  # the expert's employer – the need's organisation
    one_body: bool = True  # branches, parents and merged rows of an organisation count as one body


@dataclass(frozen=True, slots=True)
class _Problem:
    """Pairs as a graph in whole numbers: rows are needs, columns experts, both in order of their ids."""

    demand: pl.DataFrame
    capacity: pl.DataFrame
    pairs: pl.DataFrame  # need, expert (codes), score, gain; sorted by the two codes
    unit: float  # gain = score · unit
    start: Whole
    row: Whole
    column: Whole
    gain: Whole
    row_room: Whole
    column_room: Whole


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
    given, demand, capacity = _checked(pairs, demand, capacity)
    barred = _barred(given, conflicts)
    problem = _problem(given.filter(~barred), demand, capacity)
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
    capacity = _room(capacity, "capacity", "expert_id", "free")
    _inputs.refuse_duplicates(assigned, "assigned", ["need_id", "expert_id"])
    _inputs.refuse_unknown(assigned, "assigned", "expert_id", capacity["expert_id"], "capacity")
    counts = assigned.group_by("expert_id").agg(assigned=pl.len().cast(pl.Int64))
    joined = capacity.join(counts, on="expert_id", how="left", maintain_order="left")
    return joined.select("expert_id", pl.col("assigned").fill_null(0), "free")


def conflicts(
    needs: pl.DataFrame,
    experts: pl.DataFrame,
    relations: pl.DataFrame,
    *,
    organisations: pl.DataFrame | None = None,
    on: date | None = None,
    years: int = 3,
    rules: ConflictRules | None = None,
) -> pl.DataFrame:
    """Every pair of need and expert with a conflict of interest, with its evidence.

    Parameters
    ----------
    needs : need_id, org_id (null where nobody is named: no conflict)
    experts : expert_id, org_id (main employer; null where none)
    relations : relation_id, kind, left_noun, left_id, right_noun, right_id[, until_on]
        The two sides are alike. A relation that starts later than `on` counts: it is known to come.
    organisations : org_id[, parent_org_id, canonical_id]; makes branch, parent and merged rows one body
    on : the day of the allocation; None counts relations whenever they ended
    years : a relation that ended before `on` minus so many years is no conflict; one without an end is
    rules : which kinds count, see ConflictRules

    Returns
    -------
    need_id, expert_id, kind, evidence; one row per pair, sorted by the two ids
        kind is the first of those that bind the two, in the order employment, shareholding, contract, family,
        adviser, coauthor, cooperation. evidence lists all, joined by "; ", each as steps from the expert to the
        need's organisation: kind, id of the relation (absent where the column org_id says it), id that it leads to.

    Raises
    ------
    TableError : table.columns, table.type, table.value (a null id), table.duplicate (an id given twice)
    ArgumentError : argument.value if years is below 0 or a kind of the rules does not exist

    Notes
    -----
    Cost: joins over relations and employees, then one row per pair found, not needs × experts: a city 0.02 s.
    Source: the kinds are those that research funders ask for, see docs/methods/allocate.md.

    Examples
    --------
    >>> needs = pl.DataFrame({"need_id": ["n1"], "org_id": ["o1"]})
    >>> experts = pl.DataFrame({"expert_id": ["e1", "e2"], "org_id": ["o1", None]})
    >>> relations = pl.DataFrame({"relation_id": ["r1"], "kind": ["shareholding"], "left_noun": ["expert"],
    ...     "left_id": ["e2"], "right_noun": ["organisation"], "right_id": ["o1"]})
    >>> for row in conflicts(needs, experts, relations).rows():
    ...     print(row)
    ('n1', 'e1', 'employment', 'employment o1')
    ('n1', 'e2', 'shareholding', 'shareholding r1 o1')
    """
    rules = rules or ConflictRules()
    _check_rules(rules, years)
    needs = _inputs.columns(needs, "needs", {"need_id": "id"}, nullable={"org_id": "id"})
    experts = _inputs.columns(experts, "experts", {"expert_id": "id"}, nullable={"org_id": "id"})
    _inputs.refuse_duplicates(needs, "needs", ["need_id"])
    _inputs.refuse_duplicates(experts, "experts", ["expert_id"])
    bonds = _bonds(_checked_relations(relations), on, years)
    bodies = _bodies(organisations) if rules.one_body else _bodies(None)
    ties = _ties(experts.drop_nulls("org_id"), bonds, bodies, rules)
    kinds = pl.Enum(_KINDS)
    bound = (
        ties.with_columns(kind=pl.col("kind").cast(kinds))
        .sort("expert_id", "body", "kind", "evidence")
        .group_by("expert_id", "body", maintain_order=True)
        .agg(pl.col("kind").first().cast(pl.String), pl.col("evidence").unique(maintain_order=True).str.join("; "))
    )
    asked = _with_body(needs.drop_nulls("org_id"), "org_id", bodies).select("need_id", "body")
    known = bound.join(experts.select("expert_id"), on="expert_id", how="semi")
    found = asked.join(known, on="body").select(list(results()["conflicts"].polars))
    return found.sort("need_id", "expert_id")


# ── assign ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _room(table: pl.DataFrame, name: str, key: str, count: str) -> pl.DataFrame:
    """A table of ids and counts, checked and sorted by id."""
    table = _inputs.columns(table, name, {key: "id", count: "count"})
    _inputs.refuse(table, name, count, pl.col(count) < 0, found="below 0", wanted="a count of 0 or more")
    _inputs.refuse_duplicates(table, name, [key])
    return table.sort(key)


def _checked(
    pairs: pl.DataFrame, demand: pl.DataFrame, capacity: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Pairs with their codes (need, expert), demand and capacity, all sorted by id."""
    pairs = _inputs.columns(pairs, "pairs", {"need_id": "id", "expert_id": "id", "score": "number"})
    demand = _room(demand, "demand", "need_id", "wanted")
    capacity = _room(capacity, "capacity", "expert_id", "free")
    _inputs.refuse(pairs, "pairs", "score", ~pl.col("score").is_finite(), found="not finite", wanted="a finite number")
    coded = pairs.join(demand.select("need_id").with_row_index("need"), on="need_id", how="left").join(
        capacity.select("expert_id").with_row_index("expert"), on="expert_id", how="left"
    )
    if coded["need"].null_count():
        _inputs.refuse_unknown(pairs, "pairs", "need_id", demand["need_id"], "demand")
    if coded["expert"].null_count():
        _inputs.refuse_unknown(pairs, "pairs", "expert_id", capacity["expert_id"], "capacity")
    coded = coded.sort("need", "expert")
    if coded.select(is_twice=(pl.col("need").diff() == 0) & (pl.col("expert").diff() == 0))["is_twice"].any():
        _inputs.refuse_duplicates(pairs, "pairs", ["need_id", "expert_id"])
    return coded, demand, capacity


def _barred(pairs: pl.DataFrame, conflicts: pl.DataFrame | None) -> pl.Series:
    """Which pairs are in conflict."""
    if conflicts is None:
        return pl.repeat(value=False, n=pairs.height, dtype=pl.Boolean, eager=True)
    barred = _inputs.columns(conflicts, "conflicts", {"need_id": "id", "expert_id": "id"}).unique()
    marked = pairs.join(
        barred.with_columns(barred=True), on=["need_id", "expert_id"], how="left", maintain_order="left"
    )
    return marked["barred"].fill_null(value=False)


def _problem(pairs: pl.DataFrame, demand: pl.DataFrame, capacity: pl.DataFrame) -> _Problem:
    """The pairs that can add something, as a graph in whole numbers."""
    largest = pairs["score"].max() if pairs.height else None
    unit = 10.0 ** (DIGITS - math.ceil(math.log10(largest))) if isinstance(largest, float) and largest > 0 else 1.0
    gains = (pl.col("score") * unit).round(mode="half_to_even").cast(pl.Int64)
    worth = pairs.filter(pl.col("score") > 0).with_columns(gain=gains).filter(pl.col("gain") > 0)
    row = worth["need"].cast(pl.Int64).to_numpy()
    return _Problem(
        demand=demand,
        capacity=capacity,
        pairs=worth,
        unit=unit,
        start=np.searchsorted(row, np.arange(demand.height + 1)).astype(np.int64),
        row=row,
        column=worth["expert"].cast(pl.Int64).to_numpy(),
        gain=worth["gain"].to_numpy(),
        row_room=demand["wanted"].to_numpy(),
        column_room=capacity["free"].to_numpy(),
    )


def _solved(problem: _Problem) -> tuple[NDArray[np.bool_], Whole, Whole]:
    """Which pairs are chosen, and the prices of needs and experts in whole numbers."""
    from silian.engines import _flow

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


def _prices(problem: _Problem, need_price: Whole, expert_price: Whole) -> pl.DataFrame:
    sides = (("need", problem.demand["need_id"], need_price), ("expert", problem.capacity["expert_id"], expert_price))
    tables = [
        pl.DataFrame({"id": ids, "price": price / problem.unit}).select(pl.lit(side).alias("side"), "id", "price")
        for side, ids, price in sides
    ]
    return pl.concat(tables)


def _proof(
    problem: _Problem, assigned: pl.DataFrame, chosen: NDArray[np.bool_], need_price: Whole, expert_price: Whole
) -> pl.DataFrame:
    """Total against the bound that the prices prove (weak duality), both from the scores as they were given."""
    left = problem.gain - need_price[problem.row] - expert_price[problem.column]
    room = np.concatenate([problem.row_room, problem.column_room])
    price = np.concatenate([need_price, expert_price])
    whole = sum(int(r) * int(p) for r, p in zip(room[price > 0], price[price > 0], strict=True))
    whole += _sum(left[left > 0])
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
            "is_optimal": [whole == _sum(problem.gain[chosen])],
            "assigned": [assigned.height],
            "wanted": [int(problem.demand["wanted"].sum())],
            "smallest_score": pl.Series([smallest], dtype=pl.Float64),
        }
    )


def _sum(values: Whole) -> int:
    """Exact sum of whole numbers >= 0, however many."""
    return (int((values >> 32).sum()) << 32) + int((values & 0xFFFFFFFF).sum())


# ── conflicts ───────────────────────────────────────────────────────────────────────────────────────────────────────

_KINDS: Final = ["employment", "shareholding", "contract", "family", "adviser", "coauthor", "cooperation"]


def _check_rules(rules: ConflictRules, years: int) -> None:
    if years < 0:
        raise ArgumentError("argument.value", name="years", found=years, wanted="0 or more")
    for kind in (*rules.direct, *rules.personal, *rules.corporate):
        if kind not in codes()["relation_kind"]:
            known = ", ".join(codes()["relation_kind"])
            raise ArgumentError("argument.value", name="rules", found=f"{kind!r}", wanted=f"kinds among {known}")


def _checked_relations(relations: pl.DataFrame) -> pl.DataFrame:
    sides = ("left_noun", "left_id", "right_noun", "right_id")
    wanted: dict[str, _inputs.Kind] = {"relation_id": "id", "kind": "id", **dict.fromkeys(sides, "id")}
    relations = _inputs.columns(relations, "relations", wanted, optional={"until_on": "date"})
    _inputs.refuse_duplicates(relations, "relations", ["relation_id"])
    return relations


def _bonds(relations: pl.DataFrame, on: date | None, years: int) -> pl.DataFrame:
    """Relations that count on the day, each from both sides: relation_id, kind, noun, id, other_noun, other_id."""
    if on is not None:
        oldest = pl.lit(on).dt.offset_by(f"-{years}y")
        relations = relations.filter(pl.col("until_on").is_null() | (pl.col("until_on") >= oldest))
    left = relations.select(
        "relation_id", "kind", noun="left_noun", id="left_id", other_noun="right_noun", other_id="right_id"
    )
    right = relations.select(
        "relation_id", "kind", noun="right_noun", id="right_id", other_noun="left_noun", other_id="left_id"
    )
    return pl.concat([left, right])


def _bodies(organisations: pl.DataFrame | None) -> pl.DataFrame:
    """org_id, body: rows bound by parent or canonical id, over any number of steps, share the smallest id."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if organisations is None:
        return pl.DataFrame(schema={"org_id": pl.String, "body": pl.String})
    rows = _inputs.columns(
        organisations, "organisations", {"org_id": "id"}, optional={"parent_org_id": "id", "canonical_id": "id"}
    )
    _inputs.refuse_duplicates(rows, "organisations", ["org_id"])
    links = pl.concat(rows.select("org_id", other=column) for column in ("parent_org_id", "canonical_id")).drop_nulls()
    names = pl.concat([rows["org_id"], links["other"]]).unique().sort()
    code = pl.DataFrame({"org_id": names}).with_row_index("code")
    ends = [
        links.join(code, left_on=side, right_on="org_id", how="left", maintain_order="left")["code"].to_numpy()
        for side in ("org_id", "other")
    ]
    graph = coo_array((np.ones(links.height), (ends[0], ends[1])), shape=(names.len(), names.len()))
    _, label = connected_components(graph, directed=False)
    return code.select("org_id", label=pl.Series(label)).select("org_id", body=pl.col("org_id").min().over("label"))


def _with_body(table: pl.DataFrame, column: str, bodies: pl.DataFrame) -> pl.DataFrame:
    """The table with a column `body`: of an organisation that is not listed, its own id."""
    joined = table.join(bodies, left_on=column, right_on="org_id", how="left", maintain_order="left")
    return joined.with_columns(body=pl.coalesce("body", column))


def _ties(experts: pl.DataFrame, bonds: pl.DataFrame, bodies: pl.DataFrame, rules: ConflictRules) -> pl.DataFrame:
    """expert_id, body, kind, evidence: every way in which an expert is bound to an organisation's body."""
    step = pl.format("{} {} {}", "kind", "relation_id", "other_id")
    of_expert = bonds.filter(pl.col("noun") == "expert")
    outward = of_expert.filter(pl.col("other_noun") == "organisation")
    direct = outward.select("kind", expert_id="id", org_id="other_id", evidence=step)
    employer = experts.select("expert_id", "org_id", kind=pl.lit("employment"), evidence=_employed("org_id"))
    staff = _reached(pl.concat([employer, direct.filter(kind="employment").select(employer.columns)]), bodies)

    people = of_expert.filter((pl.col("other_noun") == "expert") & pl.col("kind").is_in(rules.personal))
    personal = people.select("kind", expert_id="id", other="other_id", evidence=step).join(
        staff.select("body", other="expert_id", then="evidence"), on="other"
    )
    firms = bonds.filter(
        (pl.col("noun") == "organisation")
        & (pl.col("other_noun") == "organisation")
        & pl.col("kind").is_in(rules.corporate)
    )
    held = _reached(firms.select("kind", org_id="other_id", evidence=step, other="id"), bodies)
    owner = _with_body(held.rename({"body": "far"}), "other", bodies).filter(pl.col("body") != pl.col("far"))
    corporate = staff.select("expert_id", "body", then="evidence").join(owner, on="body")

    chained = pl.format("{} > {}", "evidence", "then")
    turned = pl.format("{} > {}", "then", "evidence")
    own = _reached(direct.filter(pl.col("kind").is_in(rules.direct)), bodies)
    order = ["expert_id", "body", "kind", "evidence"]
    return pl.concat(
        [
            _reached(employer, bodies).select(order),
            own.select(order),
            personal.select("expert_id", "body", "kind", evidence=chained),
            corporate.select("expert_id", "kind", body="far", evidence=turned).select(order),
        ]
    )


def _employed(column: str) -> pl.Expr:
    return pl.format("employment {}", column)


def _reached(ties: pl.DataFrame, bodies: pl.DataFrame) -> pl.DataFrame:
    """The ties with the body of org_id; where the body has another name, the evidence says so."""
    named = _with_body(ties, "org_id", bodies)
    further = (
        pl.when(pl.col("body") == pl.col("org_id"))
        .then("evidence")
        .otherwise(pl.format("{} > body {}", "evidence", "body"))
    )
    return named.with_columns(evidence=further)
