"""Facts of the search in the core: it keeps every rule, and what it claims to be a bound is one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from silian.engines.allocate import Rules, assign, constrained, core, solving
from silian.engines.allocate.rules import case_of, network_of
from silian.engines.tests.small_rules import best_total, quotas, ruled_case, small_case


def searched(case, **more):
    """The answer in the core, its total with that of the pins, and the network."""
    pairs, demand, capacity, conflicts, rules = case
    found = case_of(pairs, demand, capacity, conflicts=conflicts, rules=rules)
    network = network_of(found)
    near = network.problem.gain / max(1, network.problem.gain.max(initial=0))
    within = core.best_in_core(network.problem, network.sides, near, **more)
    pinned = found.pinned["score"].sum()
    return within, network.problem.pairs["score"].to_numpy()[within.chosen].sum() + pinned, pinned, network


@settings(max_examples=60, deadline=None)
@given(small_case())
def test_best_in_core_is_near_the_best_by_exhaustive_search(case):
    pairs, demand, capacity, conflicts, rules = case
    network = network_of(case_of(pairs, demand, capacity, conflicts=conflicts, rules=rules))
    rooms = np.concatenate([network.problem.row_room, network.problem.column_room])
    if not network.problem.gain.size or rooms.min() < 0:
        return

    within, total, pinned, network = searched(case)

    best = best_total(case)
    assert within.is_feasible == (best is not None)
    if best is not None:
        assert best - 1e-6 <= within.bound + pinned
        assert total >= best - core.GAP * abs(within.bound) - 1e-6
        assert constrained.keeps(network.sides, within.chosen).all()


@pytest.mark.parametrize("seed", range(3))
def test_best_in_core_is_near_the_answer_of_plain_highs(seed, monkeypatch):
    case = ruled_case(seed)
    monkeypatch.setattr(core, "_CORE", 1)  # so that the core has to grow
    within, total, _, network = searched(case)

    plain = constrained.best_within(network.problem, network.sides)

    best = network.problem.pairs["score"].to_numpy()[plain.chosen].sum()
    assert plain.is_proved
    assert constrained.keeps(network.sides, within.chosen).all()
    assert best * (1 - 3 * core.GAP) <= total <= best + 1e-6 <= within.bound + 2e-6


def test_assign_of_many_pairs_states_how_far_it_can_be_from_the_best(monkeypatch):
    pairs, demand, capacity, _, rules = ruled_case(7)
    exact = assign(pairs, demand, capacity, rules=rules).proof.row(0, named=True)
    monkeypatch.setattr(solving, "_FEW", 100)

    near = assign(pairs, demand, capacity, rules=rules).proof.row(0, named=True)

    assert exact["is_optimal"]
    assert near["total"] <= exact["total"] + 1e-6 <= near["bound"] + 2e-6
    assert near["gap"] <= 5 * core.GAP * near["total"]


def test_best_in_core_of_rules_that_clash_is_none():
    pairs, demand, capacity, *_ = ruled_case(0)
    impossible = quotas({"name": "all", "expert_group": "school", "at_least": 10_000.0})

    within, *_ = searched((pairs, demand, capacity, None, Rules(quotas=impossible)))

    assert not within.is_feasible
    assert within.is_proved
