"""Negotiated places: rows that meet in a full column choose again, one after the other, while it grows dearer.

Each row sees at once what those before it took, so that rows do not change places in step, as they do where all answer
the same prices. What columns come to ask says where places are short. The method routes wires through scarce channels:
L. McMurchie, C. Ebeling (1995), PathFinder, FPGA.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from silian.engines.allocate._bundles.bundles import NONE, best_bundle, new_desk, value
from silian.engines.allocate._bundles.chains import Held, give, held_by, take

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from silian.engines.allocate._bundles.market import Market

    Whole = NDArray[np.int64]
    Flags = NDArray[np.bool_]


@njit(cache=True)
def _ask(market: Market, held: Held, price: Whole, ask: Whole, c: int, least: int, press: float) -> None:
    """What a column asks of the next row: its price, and more for each place that it would lack."""
    lacks = held.used[c] + 1 - market.column_room[c]
    ask[c] = price[c] + (np.int64(max(price[c], least) * press * lacks) if lacks > 0 else 0)


@njit(cache=True)
def _is_settled(market: Market, held: Held, floor: Whole, r: int) -> bool:
    """Whether a row has its floor, and no column of its own too many rows."""
    for i in range(market.start[r], market.start[r] + held.taken[r]):
        c = market.column[held.of_row[i]]
        if held.used[c] > market.column_room[c]:
            return False
    is_kept: bool = held.gained[r] >= floor[r]
    return is_kept


@njit(cache=True)
def _dearer(market: Market, held: Held, price: Whole, least: int, rise: float) -> int:
    """Raise the prices of columns that lack places; returns how many places are lacking in all."""
    over = 0
    for c in range(price.size):
        lacks = held.used[c] - market.column_room[c]
        if lacks > 0:
            over += lacks
            price[c] += max(np.int64(max(price[c], least) * rise * lacks / max(market.column_room[c], 1)), 1)
    return over


@njit(cache=True)
def negotiate(
    market: Market,
    floor: Whole,
    price: Whole,
    chosen: Flags,
    *,
    scale: int,
    least: int,
    press: float,
    grow: float,
    rise: float,
    sweeps: int,
) -> int:
    """Bring a choice into the columns' rooms while rows keep their floors; chosen and price are changed in place.

    scale : 1: rows choose by gain less price; 0: by price alone
    least : > 0; what a column of no price counts as where parts of its price are added
    press : what a column asks of the next row for each place that it lacks, as a part of its price
    grow : press grows by this factor after every sweep
    rise : the price of a column that lacks as many places as it has rises by this part in a sweep
    sweeps : how often all rows are looked at

    Returns
    -------
    how many places are still lacking, 0: the choice keeps rooms and floors; -1 where a row's floor is out of its reach
    """
    held, desk, ask, over = held_by(market, chosen), new_desk(market.start), price.copy(), 0
    for _ in range(sweeps):
        for c in range(price.size):
            _ask(market, held, price, ask, c, least, press)
        for r in range(floor.size):
            if _is_settled(market, held, floor, r):
                continue
            while held.taken[r] > 0:
                e = held.of_row[market.start[r]]
                give(market, held, e)
                _ask(market, held, price, ask, market.column[e], least, press)
            gain = value(market, desk, r, ask, scale)
            most, _, size, _ = best_bundle(desk, gain, min(market.row_room[r], gain.size), floor[r])
            if most == NONE:
                return -1
            for i in range(size):
                e = market.start[r] + desk.best[i]
                take(market, held, e)
                _ask(market, held, price, ask, market.column[e], least, press)
        over = _dearer(market, held, price, least, rise)
        if over == 0:
            break
        press *= grow
    return over
