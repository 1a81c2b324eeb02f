"""Facts of column generation: the best value over all columns, and a bound that holds whatever the prices are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array

from silian.engines.allocate import columns


def program_of(seed, groups=12, size=8):
    """Groups that take two columns each, a dozen limits of one or more, and a lower limit."""
    rng = np.random.default_rng(seed)
    count = groups * size
    group = np.repeat(np.arange(groups), size)
    rooms = np.equal.outer(np.arange(groups), group)
    others = rng.random((12, count)) < 0.2
    rows = np.concatenate([rooms, others, [rng.random(count) < 0.3]]).astype(float)
    low = np.concatenate([np.full(groups + 12, -np.inf), [5.0]])
    high = np.concatenate([np.full(groups, 2.0), rng.integers(1, 4, 12), [np.inf]])
    return columns.Program(rng.random(count) - 0.1, csr_array(rows), low, high)


def by_highs(program):
    matrix = program.rows.toarray()
    above, below = np.isfinite(program.high), np.isfinite(program.low)
    limit = np.concatenate([program.high[above], -program.low[below]])
    return linprog(-program.worth, A_ub=np.concatenate([matrix[above], -matrix[below]]), b_ub=limit, bounds=(0, 1))


@pytest.mark.parametrize("seed", range(8))
def test_priced_finds_the_best_value_from_few_columns(seed):
    program = program_of(seed)
    start = np.zeros(program.worth.size, np.bool_)
    start[:3] = True

    found = columns.priced(program, start, enough=1e-9)

    best = -by_highs(program).fun
    assert found.bound == pytest.approx(best, abs=1e-6)
    assert program.worth @ found.held == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_priced_bounds_every_value_also_where_rounds_run_out(rounds, monkeypatch):
    monkeypatch.setattr(columns, "_ROUNDS", rounds)
    monkeypatch.setattr(columns, "_NEAR", -0.3)  # columns that hardly gain stay out
    program = program_of(3)._replace(low=np.full(25, -np.inf))
    start = np.zeros(program.worth.size, np.bool_)
    start[0] = True

    assert columns.priced(program, start, enough=0.0).bound >= -by_highs(program).fun - 1e-9


def test_priced_tells_that_a_lower_limit_cannot_be_reached():
    program = program_of(0)
    program = program._replace(low=np.append(program.low[:-1], 1_000.0))

    assert columns.priced(program, np.zeros(program.worth.size, np.bool_), enough=0.0).bound == -np.inf
