"""Facts of the best choice within linear rules: exact, within every rule, with a bound that holds."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from silian.engines.allocate.constrained import Sides, best_within, keeps
from silian.engines.allocate.problem import Problem, checked, problem_of


def problem(rows, wanted, free):
    pairs = pl.DataFrame(rows, schema={"need_id": pl.String, "expert_id": pl.String, "score": pl.Float64}, orient="row")
    demand = pl.DataFrame({"need_id": list(wanted), "wanted": list(wanted.values())})
    capacity = pl.DataFrame({"expert_id": list(free), "free": list(free.values())})
    return problem_of(*checked(pairs, demand, capacity))


def sides(rules):
    """rules: (places, weights, low, high)."""
    return Sides(
        np.cumsum([0, *(len(places) for places, _, _, _ in rules)]),
        np.array([p for places, _, _, _ in rules for p in places], np.int64),
        np.array([w for _, weights, _, _ in rules for w in weights], np.float64),
        np.array([low for _, _, low, _ in rules], np.float64),
        np.array([high for _, _, _, high in rules], np.float64),
    )


def exhaustive(case: Problem, rules):
    """The largest total in whole numbers, None where no choice keeps every rule."""
    best = None
    for taken in itertools.product((False, True), repeat=case.gain.size):
        chosen = np.array(taken, np.bool_)
        used = np.bincount(case.row[chosen], minlength=case.row_room.size)
        held = np.bincount(case.column[chosen], minlength=case.column_room.size)
        if (used > case.row_room).any() or (held > case.column_room).any():
            continue
        sums = [sum(w for p, w in zip(places, weights, strict=True) if taken[p]) for places, weights, _, _ in rules]
        if all(low <= s <= high for s, (_, _, low, high) in zip(sums, rules, strict=True)):
            total = int(case.gain[chosen].sum())
            best = total if best is None else max(best, total)
    return best


@st.composite
def ruled(draw):
    """At most 9 pairs, at most 3 rules with small whole weights."""
    needs, experts = ([f"{k}{i}" for i in range(draw(st.integers(1, 3)))] for k in "ne")
    kept = draw(st.lists(st.sampled_from(list(itertools.product(needs, experts))), unique=True, min_size=1))
    rows = [(n, e, draw(st.integers(1, 6)) / 10) for n, e in kept]
    wanted = {n: draw(st.integers(0, 3)) for n in needs}
    free = {e: draw(st.integers(0, 3)) for e in experts}
    rules = []
    for _ in range(draw(st.integers(0, 3))):
        places = draw(st.lists(st.integers(0, len(rows) - 1), unique=True))
        weights = [draw(st.integers(-2, 3)) for _ in places]
        low = draw(st.one_of(st.just(-np.inf), st.integers(-2, 3)))
        high = draw(st.one_of(st.just(np.inf), st.integers(0, 5)))
        rules.append((places, weights, low, high))
    return problem(rows, wanted, free), rules


def test_best_within_takes_the_next_pair_where_a_rule_forbids_two():
    case = problem(
        [("n1", "e1", 0.9), ("n2", "e2", 0.8), ("n2", "e3", 0.3)],
        {"n1": 1, "n2": 1},
        dict.fromkeys(["e1", "e2", "e3"], 1),
    )

    found = best_within(case, sides([([0, 1], [1, 1], -np.inf, 1)]))

    assert found.chosen.tolist() == [True, False, True]
    assert found.bound == pytest.approx(1.2)
    assert found.price.tolist() == pytest.approx([0.5])  # of one more place under the rule: n2 gets e2, not e3
    assert (found.is_feasible, found.is_proved) == (True, True)


def test_best_within_tells_that_no_choice_keeps_the_rules():
    case = problem([("n1", "e1", 0.9)], {"n1": 1}, {"e1": 1})

    found = best_within(case, sides([([0], [1], 2, np.inf)]))

    assert (found.is_feasible, found.is_proved) == (False, True)
    assert not found.chosen.any()


def test_best_within_keeps_a_budget_that_rounding_would_pass():
    case = problem([("n1", "e1", 0.9), ("n2", "e1", 0.8)], {"n1": 1, "n2": 1}, {"e1": 2})

    found = best_within(case, sides([([0, 1], [10**9, 10**9 + 1], -np.inf, 2 * 10**9)]))

    assert found.chosen.tolist() == [True, False]
    assert (found.is_feasible, found.is_proved) == (True, True)


@pytest.mark.parametrize("low", [0.0, 1.0])
def test_best_within_of_no_pairs_is_an_answer(low):
    found = best_within(problem([], {"n1": 1}, {"e1": 1}), sides([([], [], low, np.inf)]))

    assert found.chosen.size == 0
    assert (found.is_feasible, found.is_proved) == (low == 0, True)


@settings(max_examples=150, deadline=None)
@given(ruled())
def test_best_within_equals_exhaustive_search(case):
    graph, rules = case

    found = best_within(graph, sides(rules))

    best = exhaustive(graph, rules)
    assert found.is_proved
    assert found.is_feasible == (best is not None)
    if best is not None:
        assert int(graph.gain[found.chosen].sum()) == best
        assert found.bound * graph.unit == pytest.approx(best, rel=1e-6)
        assert keeps(sides(rules), found.chosen).all()


@settings(max_examples=50, deadline=None)
@given(ruled())
def test_best_within_gives_the_same_answer_twice(case):
    graph, rules = case

    first, second = (best_within(graph, sides(rules)) for _ in range(2))

    assert first.chosen.tolist() == second.chosen.tolist()
    assert first.price.tolist() == second.price.tolist()
