"""Facts of the fair assignment: the largest floor, the best total above it, nobody dragged down, proof."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian.engines.allocate import Rules, assign, fairness_curve, loads
from silian.engines.tests.small_tables import capacity_of, demand_of, pairs_of
from silian.errors import ArgumentError

MIDL = Path(__file__).parents[5] / "shared" / "data" / "assignment_midl"


@st.composite
def small(draw):
    """A case of at most 4 needs, 4 experts and 9 pairs."""
    needs = [f"n{i}" for i in range(draw(st.integers(1, 4)))]
    experts = [f"e{i}" for i in range(draw(st.integers(1, 4)))]
    kept = draw(st.lists(st.sampled_from(list(itertools.product(needs, experts))), unique=True, max_size=9))
    pairs = pairs_of([(n, e, draw(st.integers(1, 99)) / 100) for n, e in kept])
    demand = demand_of(**{n: draw(st.integers(0, 3)) for n in needs})
    capacity = capacity_of(**{e: draw(st.integers(0, 2)) for e in experts})
    return pairs, demand, capacity


def random_case(seed, needs=40, experts=15, candidates=6, free=5):
    rng = np.random.default_rng(seed)
    rows = [
        (f"n{i:02}", f"e{j:02}", float(np.round(rng.random() + 0.01, 6)))
        for i in range(needs)
        for j in rng.choice(experts, candidates, replace=False)
    ]
    demand = pl.DataFrame({"need_id": [f"n{i:02}" for i in range(needs)], "wanted": rng.integers(1, 4, needs)})
    capacity = pl.DataFrame({"expert_id": [f"e{j:02}" for j in range(experts)], "free": rng.integers(1, free, experts)})
    return pairs_of(rows), demand, capacity


def choices(pairs, demand, capacity):
    """Every choice within the rooms, as the score of each need in hundredths."""
    rows = pairs.rows()
    wanted, free = dict(demand.rows()), dict(capacity.rows())
    for mask in itertools.product((True, False), repeat=len(rows)):
        taken = list(itertools.compress(rows, mask))
        needs, experts = [n for n, _, _ in taken], [e for _, e, _ in taken]
        if all(needs.count(n) <= wanted[n] for n in needs) and all(experts.count(e) <= free[e] for e in experts):
            score = dict.fromkeys(wanted, 0)
            for n, _, s in taken:
                score[n] += round(100 * s)
            yield score


def exhaustive(pairs, demand, capacity, protected):
    """The largest floor of the protected needs and the best total above it, in hundredths."""
    found = [(min(score[n] for n in protected), sum(score.values())) for score in choices(pairs, demand, capacity)]
    floor = max(least for least, _ in found)
    return floor, max(total for least, total in found if least == floor)


def scores(result, demand):
    """need_id → sum of scores."""
    summed = result.assigned.group_by("need_id").agg(pl.col("score").sum())
    return dict(demand.join(summed, on="need_id", how="left").select("need_id", pl.col("score").fill_null(0)).rows())


def linear_floor(pairs, demand, capacity):
    """The largest floor of the linear relaxation, by scipy's HiGHS."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, hstack, vstack

    count, parts = pairs.height, []
    for column, other in (("need_id", demand), ("expert_id", capacity)):
        code = {v: i for i, v in enumerate(other[column])}
        at = [code[v] for v in pairs[column]]
        parts.append(csr_array((np.ones(count), (at, np.arange(count))), shape=(len(code), count)))
    room = np.concatenate([demand["wanted"].to_numpy(), capacity["free"].to_numpy(), np.zeros(demand.height)])
    matrix = vstack([*parts, -parts[0] * pairs["score"].to_numpy()])
    lift = np.concatenate([np.zeros(demand.height + capacity.height), np.ones(demand.height)])
    goal = np.concatenate([np.zeros(count), [-1.0]])
    bounds = [(0, 1)] * count + [(0, None)]
    return -linprog(goal, A_ub=hstack([matrix, csr_array(lift[:, None])]), b_ub=room, bounds=bounds).fun


# ── small enough to check by hand ───────────────────────────────────────────────────────────────────────────────────


def test_assign_fair_gives_the_second_expert_to_the_need_that_would_get_nobody():
    pairs = pairs_of([("n1", "e1", 0.9), ("n1", "e2", 0.8), ("n2", "e2", 0.3)])
    demand, capacity = demand_of(n1=2, n2=1), capacity_of(e1=1, e2=1)

    fair = assign(pairs, demand, capacity, goal="fair")

    assert assign(pairs, demand, capacity).proof["smallest_score"].to_list() == [0.0]
    assert fair.assigned.rows() == [("n1", "e1", 0.9), ("n2", "e2", 0.3)]
    proof = fair.proof.row(0, named=True)
    assert (proof["goal"], proof["floor"], proof["floor_bound"], proof["protected"]) == ("fair", 0.3, 0.3, 2)
    assert (proof["is_optimal"], proof["gap"]) == (True, 0)


def test_assign_fair_is_not_dragged_down_by_needs_that_nobody_can_serve():
    pairs = pairs_of([("n1", "e1", 0.9), ("n1", "e2", 0.8), ("n2", "e2", 0.3), ("shut", "e0", 0.9)])
    demand, capacity = demand_of(n1=2, n2=1, alone=1, shut=1, nothing=0), capacity_of(e0=0, e1=1, e2=1)

    proof = assign(pairs, demand, capacity, goal="fair").proof

    assert proof.select("floor", "protected", "smallest_score").rows() == [(0.3, 2, 0.0)]


def test_assign_fair_protects_as_many_as_can_be_served_at_once():
    pairs = pairs_of([("n1", "e1", 0.9), ("n2", "e1", 0.5), ("n3", "e2", 0.4)])

    fair = assign(pairs, demand_of(n1=1, n2=1, n3=1), capacity_of(e1=1, e2=1), goal="fair")

    assert fair.proof.select("floor", "protected").rows() == [(0.4, 2)]
    assert fair.unmet.rows() == [("n2", 1, "capacity")]


def test_assign_takes_the_best_total_above_a_floor_that_is_asked():
    pairs = pairs_of([("n1", "e1", 0.9), ("n1", "e2", 0.5), ("n2", "e1", 0.8), ("n2", "e2", 0.3)])
    demand, capacity = demand_of(n1=1, n2=1), capacity_of(e1=1, e2=1)

    totals = [assign(pairs, demand, capacity, floor=f).proof["total"][0] for f in (0.2, 0.3, 0.31, 0.5)]

    assert totals == pytest.approx([1.3, 1.3, 1.3, 1.3])  # 0.5 + 0.8 beats 0.9 + 0.3 already
    capacity = capacity_of(e1=1, e2=2)
    assert assign(pairs.with_columns(pl.Series("score", [0.9, 0.5, 0.6, 0.3])), demand, capacity).assigned.rows() == [
        ("n1", "e1", 0.9),
        ("n2", "e2", 0.3),
    ]
    above = assign(pairs.with_columns(pl.Series("score", [0.9, 0.5, 0.6, 0.3])), demand, capacity, floor=0.4)
    assert above.assigned.rows() == [("n1", "e2", 0.5), ("n2", "e1", 0.6)]


def test_assign_fair_at_depth_2_lifts_the_second_worst_too():
    # n0 gets 0.1 whatever happens; above that the best total is 0.9 + 0.2, but 0.6 + 0.4 is fairer
    pairs = pairs_of([("n0", "e0", 0.1), ("n1", "e1", 0.9), ("n1", "e2", 0.4), ("n2", "e1", 0.6), ("n2", "e2", 0.2)])
    demand, capacity = demand_of(n0=1, n1=1, n2=1), capacity_of(e0=1, e1=1, e2=1)

    one, two = (scores(assign(pairs, demand, capacity, goal="fair", depth=d), demand) for d in (1, 2))

    assert one == {"n0": 0.1, "n1": 0.9, "n2": 0.2}
    assert two == {"n0": 0.1, "n1": 0.4, "n2": 0.6}


def test_assign_fair_counts_what_pins_bring():
    pairs = pairs_of([("n1", "e1", 0.5), ("n1", "e2", 0.4), ("n2", "e2", 0.3), ("n2", "e3", 0.2)])
    pins = pl.DataFrame({"need_id": ["n1"], "expert_id": ["e1"]})

    fair = assign(
        pairs,
        demand_of(n1=2, n2=1),
        capacity_of(e1=1, e2=1, e3=1),
        goal="fair",
        rules=Rules(pins=pins),
    )

    assert fair.assigned.select("need_id", "expert_id").rows() == [("n1", "e1"), ("n2", "e2")]
    assert fair.proof.select("total", "floor", "bound").rows() == [(0.8, 0.3, 0.8)]


def test_assign_fair_keeps_the_rules():
    pairs = pairs_of([("n1", "e1", 0.9), ("n1", "e2", 0.2), ("n2", "e1", 0.5), ("n2", "e2", 0.4)])
    demand = demand_of(n1=1, n2=1).with_columns(org_id=pl.lit("o1"))
    capacity = capacity_of(e1=2, e2=2).with_columns(fee_cny=pl.Series([700.0, 300.0]))
    quotas = pl.DataFrame({"name": ["budget"], "sum_of": ["fee_cny"], "at_most": [1000.0]})

    fair = assign(pairs, demand, capacity, goal="fair", rules=Rules(quotas=quotas))

    # 0.9 and 0.5 would cost 1,400; 0.9 and 0.4 cost 1,000
    assert fair.proof.select("floor", "total", "is_optimal").rows() == [(0.4, 1.3, True)]


@pytest.mark.parametrize("empty", ["pairs", "demand", "capacity"])
def test_assign_fair_of_an_empty_table_is_an_answer(empty):
    demand = demand_of(**({} if empty == "demand" else {"n1": 2}))
    capacity = capacity_of(**({} if empty == "capacity" else {"e1": 1}))

    proof = assign(pairs_of([]), demand, capacity, goal="fair").proof

    assert proof.select("total", "is_optimal", "floor", "protected").rows() == [(0.0, True, 0.0, 0)]


def test_fairness_curve_tells_what_each_floor_costs():
    pairs = pairs_of([("n1", "e1", 0.9), ("n1", "e2", 0.8), ("n2", "e2", 0.3)])

    curve = fairness_curve(pairs, demand_of(n1=2, n2=1), capacity_of(e1=1, e2=1), steps=2)

    assert curve["floor"].to_list() == [0.0, 0.15, 0.3]
    assert curve["smallest_score"].to_list() == [0.0, 0.3, 0.3]
    assert curve["total"].to_list() == pytest.approx([1.7, 1.2, 1.2])
    assert curve["price"].to_list() == pytest.approx([0.0, 0.5, 0.5])
    assert curve["price_share"].to_list() == pytest.approx([0.0, 0.5 / 1.7, 0.5 / 1.7])


def test_fairness_curve_tells_how_far_it_is():
    pairs = pairs_of([("n1", "e1", 0.9), ("n1", "e2", 0.8), ("n2", "e2", 0.3)])
    heard = []

    fairness_curve(
        pairs, demand_of(n1=2, n2=1), capacity_of(e1=1, e2=1), tell=lambda done, words: heard.append((done, words))
    )

    parts = [done for done, _ in heard]
    assert parts == sorted(parts)
    assert heard[-1] == (1.0, "done")


@pytest.mark.parametrize("seed", range(4))
def test_fairness_curve_equals_each_floor_solved_for_itself(seed):
    case = random_case(seed, needs=20, experts=25)

    curve = fairness_curve(*case)

    asked = [assign(*case, floor=f).proof["total"][0] if f > 0 else None for f in curve["floor"][1:]]
    assert curve["total"][1:].to_list() == pytest.approx(asked, abs=1e-6)
    assert curve["floor"].is_sorted()


def test_assign_fair_to_groups_gives_each_district_its_share():
    pairs = pairs_of([("a1", "e1", 0.9), ("a2", "e2", 0.8), ("b1", "e1", 0.4), ("b2", "e2", 0.3), ("c1", "e9", 0.7)])
    demand = demand_of(a1=1, a2=1, b1=1, b2=1, c1=1).with_columns(district_id=pl.Series(["a", "a", "b", "b", None]))
    capacity = capacity_of(e1=1, e2=1, e9=0)

    fair = assign(pairs, demand, capacity, goal="fair", group="district_id")

    # a with e1 and b with e2 are 0.45 and 0.15 for each expert wanted, a with e2 and b with e1 0.40 and 0.20
    assert fair.assigned.select("need_id", "expert_id").rows() == [("a2", "e2"), ("b1", "e1")]
    assert fair.proof["floor"][0] == pytest.approx(0.2)
    assert fair.proof["floor_bound"][0] == pytest.approx(0.2, rel=1e-3)
    assert fair.proof["protected"][0] == 4
    assert assign(pairs, demand, capacity).proof["total"][0] == pytest.approx(1.7)


# ── against slow sure methods ───────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=150, deadline=None)
@given(small())
def test_assign_fair_equals_exhaustive_search(case):
    demand = case[1]

    result = assign(*case, goal="fair")

    got = scores(result, demand)
    served = max(sum(s > 0 for s in score.values()) for score in choices(*case))
    proof = result.proof.row(0, named=True)
    assert proof["protected"] == served
    assert sum(s > 0 for s in got.values()) >= served
    if served:
        protected = [n for n, s in got.items() if s >= proof["floor"] - 1e-9 and s > 0]
        floor, total = max(exhaustive(*case, chosen) for chosen in itertools.combinations(protected, served) if chosen)
        assert proof["floor"] == pytest.approx(floor / 100, abs=1e-9)
        assert proof["floor_bound"] == pytest.approx(floor / 100, abs=1e-9)
        assert proof["total"] == pytest.approx(total / 100, abs=1e-6)
    assert proof["is_optimal"]
    assert proof["bound"] >= proof["total"] - 1e-9


@settings(max_examples=60, deadline=None)
@given(small(), st.randoms(use_true_random=False))
def test_assign_fair_stays_within_the_rooms_and_is_deterministic(case, random):
    pairs, demand, capacity = case
    barred = pl.DataFrame(random.sample(pairs.rows(), pairs.height // 3), schema=pairs.schema, orient="row")
    shuffled = [t[random.sample(range(t.height), t.height)] for t in case]

    fair, again = (assign(*tables, goal="fair", conflicts=barred.drop("score")) for tables in (case, shuffled))

    for name in ("assigned", "unmet", "prices", "proof"):
        assert_frame_equal(getattr(fair, name), getattr(again, name))
    assert fair.assigned.select("need_id", "expert_id").is_unique().all()
    assert fair.assigned.join(barred, on=["need_id", "expert_id"], how="semi").is_empty()
    assert loads(fair.assigned, capacity).select(pl.col("assigned") <= pl.col("free"))["assigned"].all()
    counts = fair.assigned.group_by("need_id").agg(got=pl.len()).join(demand, on="need_id")
    assert (counts["got"] <= counts["wanted"]).all()
    assert fair.proof["total"][0] <= assign(*case, conflicts=barred.drop("score")).proof["total"][0] + 1e-9


@pytest.mark.parametrize("seed", range(8))
def test_assign_fair_lies_between_the_best_total_and_the_linear_floor(seed):
    case = random_case(seed)

    fair, best = (assign(*case, goal=goal).proof.row(0, named=True) for goal in ("fair", "total"))

    if fair["protected"] == case[1].height:
        assert best["smallest_score"] <= fair["floor"] + 1e-9 <= linear_floor(*case) + 2e-9
    assert fair["floor"] <= fair["floor_bound"]
    assert fair["total"] <= min(best["total"], fair["bound"]) + 1e-9
    assert fair["is_optimal"]


@pytest.mark.parametrize("seed", range(4))
def test_assign_above_a_floor_equals_the_integer_programme(seed):
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array, vstack

    pairs, demand, capacity = random_case(seed, needs=25, experts=20, free=6)
    pairs = pairs.sort("need_id", "expert_id")
    count, floor = pairs.height, 0.5
    at = [pairs[c].rank("dense").to_numpy() - 1 for c in ("need_id", "expert_id")]
    needs, experts = (csr_array((np.ones(count), (a, np.arange(count)))) for a in at)
    free = capacity.join(pairs, on="expert_id", how="semi").sort("expert_id")["free"].to_numpy()
    scored = needs * pairs["score"].to_numpy()
    low = np.concatenate([np.zeros(needs.shape[0] + experts.shape[0]), np.full(needs.shape[0], floor)])
    high = np.concatenate([demand["wanted"].to_numpy(), free, np.full(needs.shape[0], np.inf)])
    rows = LinearConstraint(vstack([needs, experts, scored]), low, high)
    sure = milp(-pairs["score"].to_numpy(), integrality=np.ones(count), bounds=Bounds(0, 1), constraints=rows)

    if sure.x is None:
        with pytest.raises(ArgumentError, match=r"allocate\.floor"):
            assign(pairs, demand, capacity, floor=floor)
    else:
        proof = assign(pairs, demand, capacity, floor=floor).proof
        assert proof["total"][0] == pytest.approx(-sure.fun, abs=1e-3)
        assert proof["bound"][0] >= -sure.fun - 1e-6


@settings(max_examples=40, deadline=None)
@given(small(), st.randoms(use_true_random=False))
def test_assign_fair_to_groups_is_within_a_thousandth_of_exhaustive_search(case, random):
    pairs, demand, capacity = case
    demand = demand.with_columns(district_id=pl.Series([random.choice("ab") for _ in range(demand.height)]))
    free = capacity.filter(pl.col("free") > 0)
    served = pairs.join(free, on="expert_id", how="semi").join(demand.filter(pl.col("wanted") > 0), on="need_id")
    counted = set(served["district_id"])

    proof = assign(pairs, demand, capacity, goal="fair", group="district_id").proof.row(0, named=True)

    district = dict(demand.select("need_id", "district_id").rows())
    wanted = dict(demand.group_by("district_id").agg(pl.col("wanted").sum()).rows())
    means = [
        min((sum(s for n, s in score.items() if district[n] == d) / wanted[d] for d in counted), default=0.0)
        for score in choices(pairs, demand.select("need_id", "wanted"), capacity)
    ]
    assert proof["floor"] <= max(means) / 100 + 1e-9 <= proof["floor_bound"] + 2e-9
    assert proof["floor"] >= max(means) / 100 * (1 - 2e-3) - 1e-9


@pytest.mark.real
def test_assign_fair_reaches_the_published_case():
    if not MIDL.exists():
        pytest.skip(f"{MIDL} is not there")
    scored, wanted, free = (np.load(MIDL / f"{name}.npy") for name in ("scores", "covs", "loads"))
    reviewer, paper = np.nonzero(np.ones_like(scored))
    tables = (
        pl.DataFrame({"need_id": paper, "expert_id": reviewer, "score": scored[reviewer, paper]}),
        pl.DataFrame({"need_id": np.arange(wanted.size), "wanted": wanted.astype(np.int64)}),
        pl.DataFrame({"expert_id": np.arange(free.size), "free": free.astype(np.int64)}),
    )
    named = [t.with_columns(pl.col("^.*_id$").cast(pl.String)) for t in tables]

    proof = assign(*named, goal="fair").proof.row(0, named=True)

    assert proof["floor"] == proof["floor_bound"] == pytest.approx(0.9448, abs=5e-5)
    assert proof["total"] == pytest.approx(201.769, abs=5e-4)
    assert proof["is_optimal"]


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────

CASE = pairs_of([("n1", "e1", 0.9), ("n2", "e1", 0.4)]), demand_of(n1=1, n2=1), capacity_of(e1=2)


def test_assign_names_the_largest_floor_of_groups_where_more_was_asked():
    pairs, demand, capacity = CASE
    with pytest.raises(ArgumentError, match=r"allocate\.floor.*0\.5.*0\.4"):
        assign(pairs, demand.with_columns(district_id=pl.Series(["a", "b"])), capacity, floor=0.5, group="district_id")


def test_assign_names_the_largest_floor_where_more_was_asked():
    with pytest.raises(ArgumentError, match=r"allocate\.floor.*0\.5.*0\.4"):
        assign(*CASE, floor=0.5)


@pytest.mark.parametrize(
    "wrong", [{"goal": "best"}, {"floor": 0.0}, {"floor": float("nan")}, {"depth": 0}, {"seconds": 0}]
)
def test_assign_refuses_what_is_no_goal_or_limit(wrong):
    with pytest.raises(ArgumentError, match=rf"argument\.value.*{next(iter(wrong))}"):
        assign(*CASE, **wrong)


def test_assign_fair_in_hardly_any_time_is_valid_and_tells_its_gap():
    case = random_case(1)

    proof = assign(*case, goal="fair", seconds=1e-9).proof.row(0, named=True)

    assert proof["floor"] <= proof["floor_bound"]
    assert proof["total"] <= proof["bound"]
