"""Linear programmes with many columns, of which few matter: column generation, with a bound that holds for all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    Real = NDArray[np.float64]
    Flags = NDArray[np.bool_]

_ZERO: Final = 1e-9
_NEAR: Final = 0.2  # columns join that lack no more than this, too: prices move, and rounds cost more than columns
_ROUNDS: Final = 15  # then the bound is what the prices prove, and columns that are not looked at may add more
_PENALTY: Final = 10.0  # of the largest worth: what a lower limit that the columns do not reach costs a unit


class Program(NamedTuple):
    """Maximise worth · x with low <= rows · x <= high and 0 <= x <= 1. Every row has a finite low or a finite high."""

    worth: Real  # (columns,)
    rows: csr_array  # (rows, columns)
    low: Real  # (rows,), -inf: none
    high: Real  # (rows,), inf: none


class Prices(NamedTuple):
    """What proves the best value of a programme, and what each column earns beyond the prices."""

    bound: float  # no x has a larger value; -inf: there is no x
    price: Real  # (rows,) >= 0 of a high, <= 0 of a low
    left: Real  # (columns,) worth less the prices of its rows
    held: Real  # (columns,) the best x among those that were looked at
    is_in: Flags  # (columns,) those that were looked at


def priced(program: Program, start: Flags, *, enough: float) -> Prices:
    """The best x and the prices that bound every x.

    start : (columns,) the columns to begin with
    enough : what the columns that are not looked at may add to the bound

    The programme over some columns gives prices; columns that are worth more than their prices join, until they could
    add no more than `enough`: a column comes at most once, so any prices prove the bound with what the columns are
    worth beyond them. A row that lets one column come only is always there and takes the place of the bound 1 of its
    columns: then what a column that comes earns is a price of that row, which its rivals see before they join.
    """
    columns = program.rows.T.tocsr()
    lone = (program.high == 1) & (program.low <= 0)
    firm = program.rows[np.flatnonzero(lone)].tocoo()
    most = np.ones(program.worth.size)
    most[firm.coords[1][firm.data >= 1]] = np.inf
    is_in, penalty = start.copy(), _PENALTY * float(np.abs(program.worth).max(initial=0.0))
    best = Prices(np.inf, np.zeros(program.low.size), program.worth, np.zeros(program.worth.size), is_in)
    for number in range(_ROUNDS):
        found = _linear(program, is_in, most, lone, penalty)
        if found is None:
            return best._replace(bound=-np.inf)
        price, held, is_short = found
        here = _proved(program, columns, price, held, is_in)
        best = min(best, here, key=lambda one: one.bound)._replace(held=held, is_in=is_in)
        is_last = best.bound - float(program.worth @ held) <= enough
        if is_last and not is_short:
            break
        if is_last or (is_short and number == _ROUNDS - 2):
            is_in, penalty = np.ones_like(is_in), np.inf
        else:
            is_in = is_in | (here.left > -_NEAR)
    return best


def _proved(program: Program, columns: csr_array, price: Real, held: Real, is_in: Flags) -> Prices:
    """What any prices prove: their limits, and what each column is worth beyond them, for it comes at most once."""
    left = program.worth - columns @ price
    limit = np.where(price > 0, program.high, program.low)
    bound = float(price[price != 0] @ limit[price != 0] + left[left > 0].sum())
    return Prices(bound, price, left, held, is_in)


def _linear(program: Program, is_in: Flags, most: Real, lone: Flags, penalty: float) -> tuple[Real, Real, bool] | None:
    """The price of each row, the best x over some of the columns, whether lower limits lack something; None: no x.

    penalty : what a unit that a lower limit lacks costs; inf: none may lack any
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, eye_array, hstack, vstack

    kept = np.flatnonzero(is_in)
    rows = program.rows[:, kept]
    push = rows.sum(axis=1)
    above = np.flatnonzero(np.isfinite(program.high) & ((push > program.high) | (lone & (push > 0))))
    below = np.flatnonzero(program.low > 0)
    lacks = below.size if np.isfinite(penalty) else 0
    upper = hstack([rows[above], csr_array((above.size, lacks))])
    lower = hstack([-rows[below], -eye_array(below.size, lacks)])
    found = linprog(
        np.concatenate([-program.worth[kept], np.full(lacks, penalty)]),
        A_ub=vstack([upper, lower], format="csr"),
        b_ub=np.concatenate([program.high[above], -program.low[below]]),
        bounds=np.stack([np.zeros(kept.size + lacks), np.append(most[kept], np.full(lacks, np.inf))], axis=1),
        method="highs-ds",
    )
    if found.status != 0:
        return None
    dual = np.maximum(-found.ineqlin.marginals, 0.0)
    price, held = np.zeros(program.low.size), np.zeros(is_in.size)
    price[above] += dual[: above.size]
    price[below] -= dual[above.size :]
    held[kept] = found.x[: kept.size]
    return price, held, bool((found.x[kept.size :] > _ZERO).any())
