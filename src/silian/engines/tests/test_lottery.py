"""Facts of the lottery: probabilities within caps and best, draws that are valid and meet them."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from silian.engines.allocate import Rules, _flow, assign, lottery
from silian.engines.tests.small_tables import capacity_of, demand_of, pairs_of
from silian.errors import ArgumentError, TableError


def random_case(seed, needs=12, experts=9, candidates=4):
    rng = np.random.default_rng(seed)
    rows = [
        (f"n{i:02}", f"e{j:02}", float(np.round(rng.random() + 0.01, 2)))
        for i in range(needs)
        for j in rng.choice(experts, candidates, replace=False)
    ]
    demand = demand_of(**{f"n{i:02}": int(rng.integers(0, 4)) for i in range(needs)})
    return pairs_of(rows), demand, capacity_of(**{f"e{j:02}": int(rng.integers(0, 4)) for j in range(experts)})


def loads_of(table, key, of, count, weight=None):
    loads = table.group_by(key).agg((pl.len() if weight is None else pl.col(weight).sum()).alias("load"))
    joined = of.join(loads, on=key, how="left").with_columns(pl.col("load").fill_null(0))
    return joined.select("load", count)


def linear_optimum(pairs, demand, capacity, cap):
    """The best expected total, by scipy's HiGHS."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, vstack

    sides, room = [], []
    for key, table, count in (("need_id", demand, "wanted"), ("expert_id", capacity, "free")):
        code = {v: i for i, v in enumerate(table[key])}
        at = [code[v] for v in pairs[key]]
        sides.append(csr_array((np.ones(len(at)), (at, np.arange(len(at)))), shape=(len(code), len(at))))
        room.append(table[count].to_numpy())
    bounds = np.column_stack([np.zeros(pairs.height), np.broadcast_to(cap, pairs.height)])
    found = linprog(-pairs["score"].to_numpy(), A_ub=vstack(sides), b_ub=np.concatenate(room), bounds=bounds)
    return -found.fun


def test_lottery_shares_a_place_between_two_as_their_caps_allow():
    pairs = pairs_of([("n1", "e1", 0.9, None), ("n1", "e2", 0.5, 0.25), ("n1", "e3", 0.4, None)], cap=pl.Float64)

    result = lottery(pairs, demand_of(n1=1), capacity_of(e1=1, e2=1, e3=1), cap=0.5)

    assert result.probabilities.rows() == [("n1", "e1", 0.9, 0.5), ("n1", "e2", 0.5, 0.25), ("n1", "e3", 0.4, 0.25)]
    assert result.figures.row(0)[:4] == (0.675, 0.9, 0.225, 0.25)
    assert result.figures.row(0)[5:] == (4, 0.5)
    assert result.unmet.is_empty()


def test_lottery_with_cap_1_is_the_best_assignment():
    case = random_case(3)

    result = lottery(*case, cap=1.0)

    assert result.assigned.equals(assign(*case).assigned)
    assert result.figures["cost"].item() == 0


def test_lottery_says_that_caps_leave_a_need_open_and_that_a_conflict_does():
    pairs = pairs_of([("n1", "e1", 0.9), ("n2", "e2", 0.9)])
    case = pairs, demand_of(n1=1, n2=1), capacity_of(e1=1, e2=1)
    barred = pl.DataFrame({"need_id": ["n2"], "expert_id": ["e2"]})

    unmet = [lottery(*case, cap=0.5, seed=seed, conflicts=barred).unmet.rows() for seed in range(20)]

    assert {rows[-1] for rows in unmet} == {("n2", 1, "conflict")}
    assert {rows[0] for rows in unmet if len(rows) == 2} == {("n1", 1, "cap")}
    assert {len(rows) for rows in unmet} == {1, 2}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.3, 0.5, 0.75, 1 / 3, 0.123]), st.integers(0, 5))
def test_lottery_draws_are_valid_and_probabilities_the_best(seed, cap, draw):
    pairs, demand, capacity = random_case(seed)

    result = lottery(pairs, demand, capacity, cap=cap, seed=draw)

    chance = result.probabilities
    assert chance["probability"].max() <= cap + 1e-9
    kept = cap if cap != 0.123 else 0.12  # to hundredths, rounded down
    assert result.figures["expected_total"].item() == pytest.approx(
        linear_optimum(pairs, demand, capacity, kept), abs=1e-9
    )
    assert result.assigned.join(chance, on=["need_id", "expert_id"], how="anti").is_empty()
    for key, table, count in (("need_id", demand, "wanted"), ("expert_id", capacity, "free")):
        expected = loads_of(chance, key, table, count, "probability")["load"].to_numpy()
        got = loads_of(result.assigned, key, table, count)
        assert (got["load"] <= got[count]).all()
        assert (np.abs(got["load"].to_numpy() - expected) < 1 + 1e-9).all()
    missing = loads_of(result.assigned, "need_id", demand, "wanted").select(pl.col("wanted") - pl.col("load"))
    assert result.unmet["missing"].sum() == missing["wanted"].sum()
    assert lottery(pairs[::-1], demand, capacity[::-1], cap=cap, seed=draw).assigned.equals(result.assigned)


@pytest.mark.parametrize(("size", "parts", "lots"), [(3, 2, 2), (2, 3, 12)])
def test_rounding_meets_every_probability_exactly_over_all_draws(size, parts, lots):
    row, column = (code.ravel() for code in np.indices((size, size)))
    kept = np.arange(row.size) % 4 < 3 if size == 3 else np.full(row.size, fill_value=True)
    row, column = row[kept], column[kept]
    share = 1 + np.arange(row.size) % (parts - 1)
    draws = itertools.product(range(lots), repeat=row.size)  # `lots` is a multiple of every sum that a draw is taken by

    often, count = np.zeros(row.size, np.int64), 0
    for each in draws:
        often += _flow.rounded(row, column, (size, size), share, parts, np.array(each))
        count += 1

    assert (often * parts == share * count).all()


def test_lottery_draws_every_pair_as_often_as_it_says():
    pairs, demand, capacity = random_case(11, needs=6, experts=5, candidates=3)
    chance = lottery(pairs, demand, capacity, cap=0.4).probabilities
    keys, draws = ["need_id", "expert_id"], 300

    drawn = pl.concat(lottery(pairs, demand, capacity, cap=0.4, seed=seed).assigned for seed in range(draws))

    counts = chance.join(drawn.group_by(keys).len(), on=keys, how="left")["len"].fill_null(0).to_numpy()
    p = chance["probability"].to_numpy()
    deviation = (counts - draws * p) / np.sqrt(draws * p * (1 - p))
    assert np.abs(deviation).max() < 4
    assert (deviation**2).mean() < 2


def test_lottery_refuses_caps_and_seeds_that_make_no_sense():
    pairs, demand, capacity = pairs_of([("n1", "e1", 0.5)]), demand_of(n1=1), capacity_of(e1=1)
    for cap in (0.0, 1.5, float("nan")):
        with pytest.raises(ArgumentError, match=r"argument\.value.*cap"):
            lottery(pairs, demand, capacity, cap=cap)
    with pytest.raises(ArgumentError, match=r"argument\.value.*seed"):
        lottery(pairs, demand, capacity, seed=-1)
    with pytest.raises(TableError, match=r"table\.value.*pairs\.cap"):
        lottery(pairs.with_columns(cap=-0.5), demand, capacity)


def test_lottery_refuses_bounds_that_it_cannot_keep():
    demand = demand_of(n1=1).with_columns(at_least=1)

    with pytest.raises(TableError, match=r"allocate\.limits.*lottery.*n1"):
        lottery(pairs_of([("n1", "e1", 0.5)]), demand, capacity_of(e1=1))


def test_lottery_keeps_vetoes_and_places_taken_elsewhere():
    pairs, demand = pairs_of([("n1", "e1", 0.9), ("n1", "e2", 0.5), ("n2", "e3", 0.4)]), demand_of(n1=1, n2=1)
    taken = pl.DataFrame({"expert_id": ["e3"], "assigned": [1]})
    rules = Rules(vetoes=pairs[:1].select("need_id", "expert_id"), taken=taken)

    result = lottery(pairs, demand, capacity_of(e1=1, e2=1, e3=1), cap=1.0, rules=rules)

    assert result.probabilities.rows() == [("n1", "e2", 0.5, 1.0)]
    assert result.unmet.rows() == [("n2", 1, "capacity")]


def test_lottery_refuses_pins():
    pairs = pairs_of([("n1", "e1", 0.5)])

    with pytest.raises(TableError, match=r"allocate\.limits.*lottery.*pin n1 e1"):
        lottery(pairs, demand_of(n1=1), capacity_of(e1=1), rules=Rules(pins=pairs.select("need_id", "expert_id")))


def test_lottery_answers_empty_tables():
    result = lottery(pairs_of([]), demand_of(n1=1), capacity_of(e1=1))

    assert result.assigned.is_empty()
    assert result.unmet.rows() == [("n1", 1, "no_candidate")]
