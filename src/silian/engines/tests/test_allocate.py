"""Facts of the assignment: best total, first by id, prices that mean what they say, no pair in conflict."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian.engines.allocate import Allocation, assign, loads
from silian.engines.tests.small_tables import capacity_of, demand_of, pairs_of
from silian.errors import TableError
from silian.tables.schema import results

MIDL = Path(__file__).parents[5] / "shared" / "data" / "assignment_midl"


def table(**columns):
    return pl.DataFrame(columns)


TIED = st.integers(1, 6).map(lambda k: k / 10)


@st.composite
def small(draw, scores=TIED):
    """A case of at most 4 needs, 4 experts and 10 pairs, with many ties."""
    needs = [f"n{i}" for i in range(draw(st.integers(1, 4)))]
    experts = [f"e{i}" for i in range(draw(st.integers(1, 4)))]
    every = list(itertools.product(needs, experts))
    kept = draw(st.lists(st.sampled_from(every), unique=True, max_size=10))
    pairs = pairs_of([(n, e, draw(scores)) for n, e in kept])
    demand = demand_of(**{n: draw(st.integers(0, 3)) for n in needs})
    capacity = capacity_of(**{e: draw(st.integers(0, 3)) for e in experts})
    return pairs, demand, capacity


def random_case(seed, needs=30, experts=20, candidates=6, digits=2):
    rng = np.random.default_rng(seed)
    rows = [
        (f"n{i:02}", f"e{j:02}", float(np.round(rng.random() + 0.01, digits)))
        for i in range(needs)
        for j in rng.choice(experts, candidates, replace=False)
    ]
    demand = pl.DataFrame({"need_id": [f"n{i:02}" for i in range(needs)], "wanted": rng.integers(0, 4, needs)})
    capacity = pl.DataFrame({"expert_id": [f"e{j:02}" for j in range(experts)], "free": rng.integers(0, 5, experts)})
    return pairs_of(rows), demand, capacity


def exhaustive(pairs, demand, capacity):
    """The best total, and of the best choices the first by (need_id, expert_id), by trying all."""
    rows = pairs.filter(pl.col("score") > 0).sort("need_id", "expert_id").rows()
    wanted, free = dict(demand.rows()), dict(capacity.rows())
    best, chosen = -1, []
    for mask in itertools.product((True, False), repeat=len(rows)):  # the first by id comes first
        taken = list(itertools.compress(rows, mask))
        needs, experts = [n for n, _, _ in taken], [e for _, e, _ in taken]
        if any(needs.count(n) > wanted[n] for n in needs) or any(experts.count(e) > free[e] for e in experts):
            continue
        total = sum(round(s * 10**12) for _, _, s in taken)
        if total > best:
            best, chosen = total, taken
    return best / 10**12, chosen


def linear_bound(pairs, demand, capacity):
    """The optimum of the linear program, by scipy's HiGHS."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, vstack

    pairs = pairs.filter(pl.col("score") > 0)
    count = pairs.height
    sides = []
    for column, other, room in (("need_id", demand, "wanted"), ("expert_id", capacity, "free")):
        code = {v: i for i, v in enumerate(other[column])}
        at = [code[v] for v in pairs[column]]
        sides.append((csr_array((np.ones(count), (at, np.arange(count))), shape=(len(code), count)), other[room]))
    matrix, room = vstack([m for m, _ in sides]), np.concatenate([r.to_numpy() for _, r in sides])
    return -linprog(-pairs["score"].to_numpy(), A_ub=matrix, b_ub=room, bounds=(0, 1), method="highs").fun


def flow_optimum(pairs, demand, capacity):
    """The best total by OR-tools, scores in whole millionths."""
    from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

    solver = SimpleMinCostFlow()
    needs = {n: i for i, n in enumerate(demand["need_id"])}
    experts = {e: len(needs) + i for i, e in enumerate(capacity["expert_id"])}
    source, sink = len(needs) + len(experts), len(needs) + len(experts) + 1
    for n, e, s in pairs.rows():
        solver.add_arc_with_capacity_and_unit_cost(needs[n], experts[e], 1, -round(s * 10**6))
    for n, wanted in demand.rows():
        solver.add_arc_with_capacity_and_unit_cost(source, needs[n], wanted, 0)
        solver.add_arc_with_capacity_and_unit_cost(needs[n], sink, wanted, 0)
    for e, free in capacity.rows():
        solver.add_arc_with_capacity_and_unit_cost(experts[e], sink, free, 0)
    total = int(demand["wanted"].sum())
    solver.set_node_supply(source, total)
    solver.set_node_supply(sink, -total)
    assert solver.solve() == solver.OPTIMAL
    return -solver.optimal_cost() / 10**6


def assert_valid(result: Allocation, pairs, demand, capacity):
    """Within demand and capacity, no pair twice, unmet and schema as promised."""
    assigned = result.assigned
    assert assigned.select("need_id", "expert_id").is_unique().all()
    assert_frame_equal(assigned, assigned.sort("need_id", "expert_id"))
    assert_frame_equal(assigned.join(pairs, on=["need_id", "expert_id", "score"], how="anti"), assigned.clear())
    got = demand.join(assigned.group_by("need_id").agg(got=pl.len()), on="need_id", how="left").fill_null(0)
    assert (got["got"] <= got["wanted"]).all()
    missing = got.filter(pl.col("got") < pl.col("wanted")).sort("need_id")
    assert result.unmet["need_id"].to_list() == missing["need_id"].to_list()
    assert result.unmet["missing"].to_list() == (missing["wanted"] - missing["got"]).to_list()
    assert (loads(assigned, capacity).select(pl.col("assigned") <= pl.col("free"))["assigned"]).all()
    for name in ("assigned", "unmet", "prices", "proof"):
        assert getattr(result, name).schema == results()[name].polars


# ── small enough to check by hand ───────────────────────────────────────────────────────────────────────────────────


def test_assign_prefers_total_score_over_greedy_choice():
    pairs = pairs_of([("n1", "e1", 0.9), ("n1", "e2", 0.8), ("n2", "e1", 0.7)])

    result = assign(pairs, demand_of(n1=1, n2=1), capacity_of(e1=1, e2=1))

    # greedy takes n1-e1 and leaves n2 open: 0.9 < 0.8 + 0.7
    assert_frame_equal(result.assigned, pairs[1:])
    assert result.unmet.is_empty()
    assert result.proof.rows() == [(1.5, 1.5, 0.0, True, 2, 2, 0.7, "total", None, None, None)]


def test_assign_never_gives_one_expert_twice_to_one_need():
    result = assign(pairs_of([("n1", "e1", 0.9)]), demand_of(n1=2), capacity_of(e1=5))

    assert result.assigned.height == 1
    assert result.unmet.rows() == [("n1", 1, "no_candidate")]


def test_assign_breaks_ties_by_need_then_expert():
    pairs = pairs_of([(n, e, 0.5) for n in ("n2", "n1") for e in ("e3", "e1", "e2")])

    result = assign(pairs, demand_of(n2=1, n1=1), capacity_of(e3=1, e2=1, e1=1))

    assert result.assigned.select("need_id", "expert_id").rows() == [("n1", "e1"), ("n2", "e2")]


def test_assign_sees_a_tie_of_sums_that_floats_do_not():
    # 0.1 + 0.2 == 0.3 for people; in floats it is 0.30000000000000004
    pairs = pairs_of([("n1", "e1", 0.1), ("n2", "e2", 0.2), ("n1", "e2", 0.3)])

    result = assign(pairs, demand_of(n1=1, n2=1), capacity_of(e1=1, e2=1))

    assert result.assigned.select("need_id", "expert_id").rows() == [("n1", "e1"), ("n2", "e2")]


def test_assign_leaves_out_pairs_that_add_nothing():
    pairs = pairs_of([("n1", "e1", 0.0), ("n2", "e1", -0.5), ("n3", "e1", 0.2)])

    result = assign(pairs, demand_of(n1=1, n2=1, n3=1), capacity_of(e1=3))

    assert result.assigned.rows() == [("n3", "e1", 0.2)]
    assert result.unmet.rows() == [("n1", 1, "no_candidate"), ("n2", 1, "no_candidate")]


def test_assign_tells_why_a_need_is_unmet():
    pairs = pairs_of(
        [
            ("full", "e1", 0.4),
            ("shut", "e0", 0.9),
            ("win", "e1", 0.9),
            ("torn", "e2", 0.9),
            ("half", "e3", 0.5),
            ("half", "e2", 0.5),
        ]
    )
    barred = table(need_id=["torn", "half", "elsewhere"], expert_id=["e2", "e2", "e9"])
    demand = demand_of(full=1, shut=1, win=1, torn=1, half=2, alone=3, nothing=0)

    result = assign(pairs, demand, capacity_of(e0=0, e1=1, e2=9, e3=9), conflicts=barred)

    assert result.unmet.rows() == [
        ("alone", 3, "no_candidate"),
        ("full", 1, "capacity"),
        ("half", 1, "conflict"),
        ("shut", 1, "capacity"),
        ("torn", 1, "conflict"),
    ]


def test_assign_prices_are_what_a_place_or_a_wish_is_worth():
    pairs = pairs_of([("n1", "e1", 0.9), ("n1", "e2", 0.6), ("n2", "e1", 0.8), ("n3", "e0", 0.3)])

    prices = assign(pairs, demand_of(n1=1, n2=1, n3=1), capacity_of(e0=0, e1=1, e2=1)).prices

    # e1 serves n2, n1 falls back on e2: one more place of e1 gains 0.9 - 0.6, one of e0 0.3
    assert prices.filter(side="expert").select("id", "price").rows() == [("e0", 0.3), ("e1", 0.3), ("e2", 0.0)]
    assert prices.filter(side="need").select("id", "price").rows() == [("n1", 0.6), ("n2", 0.5), ("n3", 0.0)]


@pytest.mark.parametrize("empty", ["pairs", "demand", "capacity"])
def test_assign_of_an_empty_table_is_an_answer(empty):
    pairs = pairs_of([])
    demand = demand_of(**({} if empty == "demand" else {"n1": 2}))
    capacity = capacity_of(**({} if empty == "capacity" else {"e1": 1}))

    result = assign(pairs, demand, capacity)

    assert result.assigned.is_empty()
    assert result.unmet.rows() == ([] if empty == "demand" else [("n1", 2, "no_candidate")])
    assert result.proof.select("total", "bound", "gap", "is_optimal").rows() == [(0.0, 0.0, 0.0, True)]
    assert result.prices.height == demand.height + capacity.height


def test_assign_takes_columns_without_a_type_when_they_are_empty():
    result = assign(
        table(need_id=[], expert_id=[], score=[]), table(need_id=[], wanted=[]), table(expert_id=[], free=[])
    )

    assert result.proof["smallest_score"].to_list() == [None]


def test_assign_keeps_scores_as_they_were_given():
    score = 0.123456789012345678

    assert assign(pairs_of([("n1", "e1", score)]), demand_of(n1=1), capacity_of(e1=1)).assigned["score"][0] == score


@pytest.mark.parametrize("scale", [1e-9, 1.0, 7.0, 1e9])
def test_assign_is_the_same_at_any_scale_of_scores(scale):
    pairs, demand, capacity = random_case(3)

    scaled = assign(pairs.with_columns(pl.col("score") * scale), demand, capacity)

    plain = assign(pairs, demand, capacity)
    assert scaled.proof["is_optimal"][0]
    assert scaled.proof["total"][0] == pytest.approx(plain.proof["total"][0] * scale, rel=1e-12)


def test_assign_of_demand_beyond_all_pairs_takes_every_pair():
    pairs, demand, capacity = random_case(5, needs=5)
    plenty = 10**15

    result = assign(pairs, demand.with_columns(wanted=plenty), capacity.with_columns(free=plenty))

    assert result.assigned.height == pairs.height


# ── against slow sure methods ───────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=150, deadline=None)
@given(small())
def test_assign_is_the_first_of_the_best_by_exhaustive_search(case):
    pairs, demand, capacity = case

    result = assign(*case)

    best, chosen = exhaustive(*case)
    assert result.assigned.rows() == chosen
    assert result.proof["total"][0] == pytest.approx(best, abs=1e-12)
    assert_valid(result, pairs, demand, capacity)


@settings(max_examples=60, deadline=None)
@given(small(), st.data())
def test_assign_prices_equal_the_change_of_the_total(case, data):
    pairs, demand, capacity = case
    expert = data.draw(st.sampled_from(capacity["expert_id"].to_list()))
    need = data.draw(st.sampled_from(demand["need_id"].to_list()))
    prices = {(side, i): p for side, i, p in assign(*case).prices.rows()}
    total = exhaustive(*case)[0]

    more = capacity.with_columns(free=pl.col("free") + (pl.col("expert_id") == expert).cast(pl.Int64))
    less = demand.with_columns(wanted=pl.col("wanted") - (pl.col("need_id") == need).cast(pl.Int64))

    assert exhaustive(pairs, demand, more)[0] - total == pytest.approx(prices["expert", expert], abs=1e-11)
    if less["wanted"].min() >= 0:
        assert total - exhaustive(pairs, less, capacity)[0] == pytest.approx(prices["need", need], abs=1e-11)


@settings(max_examples=100, deadline=None)
@given(small())
def test_assign_prices_and_choice_are_complementary(case):
    pairs, _, capacity = case
    result = assign(*case)
    price = {(side, i): p for side, i, p in result.prices.rows()}
    taken = set(result.assigned.select("need_id", "expert_id").rows())

    assert result.prices["price"].min() >= 0
    for n, e, score in pairs.rows():
        worth = score - price["need", n] - price["expert", e]
        assert worth >= -1e-11 if (n, e) in taken else worth <= 1e-11
    for n in result.unmet["need_id"]:
        assert price["need", n] == 0
    for e, assigned, free in loads(result.assigned, capacity).rows():
        assert assigned == free or price["expert", e] == 0


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("digits", [1, 8])
def test_assign_equals_the_linear_program(seed, digits):
    case = random_case(seed, digits=digits)

    proof = assign(*case).proof

    assert proof["total"][0] == pytest.approx(linear_bound(*case), abs=1e-9)
    assert proof["is_optimal"][0]
    assert 0 <= proof["gap"][0] < 1e-9


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("wanted", "free"), [(2, 1), (2, 9), (3, 6)])
def test_assign_equals_min_cost_flow(wanted, free):
    pairs, demand, capacity = random_case(1, needs=200, experts=100, candidates=12, digits=6)
    demand, capacity = demand.with_columns(wanted=wanted), capacity.with_columns(free=free)

    result = assign(pairs, demand, capacity)

    assert result.proof["total"][0] == pytest.approx(flow_optimum(pairs, demand, capacity), abs=1e-9)
    assert_valid(result, pairs, demand, capacity)


@settings(max_examples=60, deadline=None)
@given(small(), st.randoms(use_true_random=False))
def test_assign_does_not_depend_on_the_order_of_rows(case, random):
    shuffled = [t[random.sample(range(t.height), t.height)] for t in case]

    first, second = assign(*case), assign(*shuffled)

    for name in ("assigned", "unmet", "prices", "proof"):
        assert_frame_equal(getattr(first, name), getattr(second, name))


@settings(max_examples=80, deadline=None)
@given(
    small(),
    st.lists(
        st.tuples(st.sampled_from(["n0", "n1", "n2", "n3", "n9"]), st.sampled_from(["e0", "e1", "e2", "e3", "e9"]))
    ),
)
def test_assign_never_gives_a_pair_in_conflict(case, barred):
    pairs, demand, capacity = case
    conflict = pl.DataFrame(barred, schema={"need_id": pl.String, "expert_id": pl.String}, orient="row")

    result = assign(*case, conflicts=conflict)

    assert not set(result.assigned.select("need_id", "expert_id").rows()) & set(barred)
    without = assign(pairs.join(conflict, on=["need_id", "expert_id"], how="anti"), demand, capacity)
    assert_frame_equal(result.assigned, without.assigned)
    assert_frame_equal(result.unmet.drop("reason"), without.unmet.drop("reason"))


@pytest.mark.real
def test_assign_reaches_the_published_optimum():
    if not MIDL.exists():
        pytest.skip(f"{MIDL} is not there")
    scores, wanted, free = (np.load(MIDL / f"{name}.npy") for name in ("scores", "covs", "loads"))
    reviewer, paper = np.nonzero(np.ones_like(scores))
    pairs = pl.DataFrame({"need_id": paper, "expert_id": reviewer, "score": scores[reviewer, paper]})
    pairs = pairs.with_columns(pl.col("need_id", "expert_id").cast(pl.String))
    demand = (
        pl.DataFrame({"wanted": wanted.astype(np.int64)})
        .with_row_index("need_id")
        .with_columns(pl.col("need_id").cast(pl.String))
    )
    capacity = (
        pl.DataFrame({"free": free.astype(np.int64)})
        .with_row_index("expert_id")
        .with_columns(pl.col("expert_id").cast(pl.String))
    )

    proof = assign(pairs, demand, capacity).proof

    assert proof["total"][0] == pytest.approx(201.885, abs=5e-4)
    assert proof["is_optimal"][0]
    assert proof["smallest_score"][0] == pytest.approx(0.9033, abs=5e-5)


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────

PAIRS, DEMAND, CAPACITY = pairs_of([("n1", "e1", 0.5)]), demand_of(n1=1), capacity_of(e1=1)


def test_assign_names_the_missing_column():
    with pytest.raises(TableError, match=r"table\.columns.*capacity.*free"):
        assign(PAIRS, DEMAND, CAPACITY.drop("free"))


def test_assign_names_the_wrong_type():
    with pytest.raises(TableError, match=r"table\.type.*demand\.wanted.*Float64.*Int64"):
        assign(PAIRS, DEMAND.with_columns(pl.col("wanted").cast(pl.Float64)), CAPACITY)


@pytest.mark.parametrize("score", [float("nan"), float("inf"), float("-inf")])
def test_assign_refuses_a_score_that_is_not_finite(score):
    with pytest.raises(TableError, match=r"table\.value.*pairs\.score.*finite"):
        assign(pairs_of([("n1", "e1", score)]), DEMAND, CAPACITY)


def test_assign_refuses_counts_below_0():
    with pytest.raises(TableError, match=r"table\.value.*demand\.wanted.*below 0"):
        assign(PAIRS, demand_of(n1=-1), CAPACITY)
    with pytest.raises(TableError, match=r"table\.value.*capacity\.free.*below 0"):
        assign(PAIRS, DEMAND, capacity_of(e1=-1))


def test_assign_refuses_nulls():
    with pytest.raises(TableError, match=r"table\.value.*pairs\.need_id.*empty"):
        assign(pairs_of([(None, "e1", 0.5)]), DEMAND, CAPACITY)
    with pytest.raises(TableError, match=r"table\.value.*pairs\.score.*empty"):
        assign(pairs_of([("n1", "e1", None)]), DEMAND, CAPACITY)


def test_assign_names_the_unknown_need_and_expert():
    with pytest.raises(TableError, match=r"table\.unknown.*pairs\.expert_id.*capacity.*ghost") as caught:
        assign(pairs_of([("n1", "ghost", 0.5)]), DEMAND, CAPACITY)
    assert caught.value.problems["expert_id"].to_list() == ["ghost"]
    with pytest.raises(TableError, match=r"table\.unknown.*pairs\.need_id.*demand.*ghost"):
        assign(pairs_of([("ghost", "e1", 0.5)]), DEMAND, CAPACITY)


def test_assign_refuses_a_key_that_stands_twice():
    with pytest.raises(TableError, match=r"table\.duplicate.*pairs \(need_id, expert_id\).*n1.*e1"):
        assign(pl.concat([PAIRS, PAIRS]), DEMAND, CAPACITY)
    with pytest.raises(TableError, match=r"table\.duplicate.*demand \(need_id\).*n1"):
        assign(PAIRS, pl.concat([DEMAND, DEMAND]), CAPACITY)


def test_loads_names_the_unknown_expert():
    with pytest.raises(TableError, match=r"table\.unknown.*assigned\.expert_id.*ghost"):
        loads(table(need_id=["n1"], expert_id=["ghost"]), CAPACITY)
