"""An allocation that stands, together with its problem: what can be repaired, edited and asked about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from silian.engines import _inputs
from silian.engines.allocate.problem import problem_of
from silian.engines.allocate.ruled import held_of, refuse_broken, ruled_of
from silian.engines.allocate.rules import case_of
from silian.errors import TableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from silian.engines.allocate.problem import Problem
    from silian.engines.allocate.ruled import Ruled
    from silian.engines.allocate.rules import Rules

    Whole = NDArray[np.int64]
    Flags = NDArray[np.bool_]
    Marks = NDArray[np.int8]

# What people decided about a pair. Below 0 it must not come out; 1 it must stay as long as it can.
PINNED: Final = 1
REMOVED: Final = -1  # taken out by hand; may be put back by hand
VETOED: Final = -2
UNSCORED: Final = -3  # its score fell to 0 or less
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Standing:
    """An allocation that stands, ready to be changed: see `reopen`. Functions give a new one, never change it."""

    problem: Problem
    turned: tuple[Whole, Whole, Whole]  # the pairs from the experts' side: start, need, place in problem.pairs
    chosen: Flags  # (pairs,)
    mark: Marks  # (pairs,)
    price: Whole  # (experts,), >= 0, in units of problem.gain; a hint that shortens the next solve
    barred: pl.DataFrame  # need_id, expert_id, because: conflict or veto; pairs that must not come out
    is_blocked: Flags  # (needs,): somebody who would help is in conflict
    ruled: Ruled | None  # the tables, where there are rules beside demand and capacity

    @property
    def assigned(self) -> pl.DataFrame:
        """need_id, expert_id, score; sorted by the two ids."""
        return rows_of(self.problem, np.flatnonzero(self.chosen))

    @property
    def unmet(self) -> pl.DataFrame:
        """need_id, missing (count of experts), reason; sorted by need_id. Reasons as in `assign`."""
        return unmet_of(self.problem, self.chosen, self.mark, self.is_blocked)


def reopen(
    assigned: pl.DataFrame,
    pairs: pl.DataFrame,
    demand: pl.DataFrame,
    capacity: pl.DataFrame,
    *,
    conflicts: pl.DataFrame | None = None,
    rules: Rules | None = None,
    prices: pl.DataFrame | None = None,
) -> Standing:
    """Take up an allocation again, with the tables that it was made from, to change it or to ask about it.

    Parameters
    ----------
    assigned : need_id, expert_id; one row per pair that stands
        From `assign`, or made or changed by hand: it need not be the best.
    pairs, demand, capacity, conflicts, rules : as they were given to `assign`
        Places taken elsewhere (rules.taken) are taken off for good: changes of `free` count what is left.
    prices : side, id, price (in score); those that `assign` gave
        Only a hint, which saves the solve that looks for them; an id that is not there counts as 0.

    Returns
    -------
    Standing : for `repair`, `edit` and `why`; has the tables `assigned` and `unmet`

    Raises
    ------
    TableError : those of `assign`; table.duplicate (a pair stands twice), table.unknown (assigned names a need or
        expert that demand or capacity lacks), allocate.pair (a pair stands that is no possible pair, is in conflict or
        vetoed, or has a score of 0 or less), allocate.room (a need or expert has more than it wants or than its
        places), allocate.rules (the pairs break a rule or lack a pin)

    Notes
    -----
    Deterministic. Splits: no. Cost: as `assign`, with prices about half (bench_repair).

    Examples
    --------
    >>> pairs = pl.DataFrame({"need_id": ["n1", "n1"], "expert_id": ["e1", "e2"], "score": [0.9, 0.4]})
    >>> demand = pl.DataFrame({"need_id": ["n1"], "wanted": [1]})
    >>> capacity = pl.DataFrame({"expert_id": ["e1", "e2"], "free": [1, 1]})
    >>> by_hand = pl.DataFrame({"need_id": ["n1"], "expert_id": ["e2"]})
    >>> reopen(by_hand, pairs, demand, capacity).assigned.rows()
    [('n1', 'e2', 0.4)]
    """
    from silian.engines.allocate import _flow

    case = case_of(pairs, demand, capacity, conflicts=conflicts, rules=rules)
    needs, experts = case.demand.select("need_id", "wanted"), case.capacity.select("expert_id", "free")
    problem = problem_of(case.pairs.filter(~pl.col("conflict")), needs, experts)
    veto, pin = (problem.pairs[flag].to_numpy() for flag in ("veto", "pin"))
    mark = np.where(veto, VETOED, np.where(pin, PINNED, 0)).astype(np.int8)
    chosen = _chosen(assigned, problem, mark)
    refuse_broken(case, held_of(case, rows_of(problem, np.flatnonzero(chosen))))
    is_blocked = np.zeros(needs.height, np.bool_)
    is_blocked[case.pairs.filter("conflict", pl.col("score") > 0)["need"].to_numpy()] = True
    vetoes = None if rules is None else rules.vetoes
    barred = [_barred(conflicts, "conflicts", "conflict"), _barred(vetoes, "rules.vetoes", "veto")]
    return Standing(
        problem=problem,
        turned=_flow.transpose(problem.start, problem.column, experts.height),
        chosen=chosen,
        mark=mark,
        price=_price(problem, prices),
        barred=pl.concat(barred).unique(["need_id", "expert_id"], maintain_order=True),
        is_blocked=is_blocked,
        ruled=ruled_of(case, pairs, demand, capacity, conflicts, rules),
    )


def _barred(table: pl.DataFrame | None, name: str, because: str) -> pl.DataFrame:
    """need_id, expert_id, because; of a table of pairs that must not come out."""
    if table is None:
        table = pl.DataFrame(schema={"need_id": pl.String, "expert_id": pl.String})
    ids = _inputs.columns(table, name, {"need_id": "id", "expert_id": "id"})
    return ids.with_columns(because=pl.lit(because))


def _chosen(assigned: pl.DataFrame, problem: Problem, mark: Marks) -> Flags:
    """Which pairs stand, checked against the problem."""
    assigned = _inputs.columns(assigned, "assigned", {"need_id": "id", "expert_id": "id"})
    _inputs.refuse_duplicates(assigned, "assigned", ["need_id", "expert_id"])
    row, column = codes(assigned, "assigned", problem)
    place = places(problem, row, column)
    cannot = (place < 0) | (np.append(mark, 0)[place] < 0)
    if cannot.any():
        wrong = assigned.filter(pl.Series(cannot))
        raise TableError("allocate.pair", count=wrong.height, shown=wrong.head(_SHOWN).rows(), problems=wrong)
    for side, key, code, room in (
        ("need", "need_id", row, problem.row_room),
        ("expert", "expert_id", column, problem.column_room),
    ):
        count = np.bincount(code, minlength=room.size)
        if (count > room).any():
            wrong = assigned.filter(pl.Series((count > room)[code])).sort("need_id", "expert_id")
            shown = wrong[key].unique(maintain_order=True).head(_SHOWN).to_list()
            raise TableError("allocate.room", count=int((count > room).sum()), side=side, shown=shown, problems=wrong)
    chosen = np.zeros(problem.row.size, np.bool_)
    chosen[place] = True
    return chosen


def codes(table: pl.DataFrame, name: str, problem: Problem) -> tuple[Whole, Whole]:
    """Need and expert of each row as codes; refuses ids that the problem lacks."""
    _inputs.refuse_unknown(table, name, "need_id", problem.demand["need_id"], "demand")
    _inputs.refuse_unknown(table, name, "expert_id", problem.capacity["expert_id"], "capacity")
    row, column = table["need_id"], table["expert_id"]
    return code_of(problem.demand["need_id"], row), code_of(problem.capacity["expert_id"], column)


def hindrance(standing: Standing, pairs: pl.DataFrame, place: Whole) -> NDArray[np.object_]:
    """Why each pair (need_id, expert_id; of known ids) cannot stand at all; empty where it could."""
    p = standing.problem
    row, column = code_of(p.demand["need_id"], pairs["need_id"]), code_of(p.capacity["expert_id"], pairs["expert_id"])
    joined = pairs.join(standing.barred, on=["need_id", "expert_id"], how="left", maintain_order="left")
    barred = joined["because"].fill_null("").to_numpy()
    checks = [
        (barred != "", barred),
        (np.append(standing.mark, UNSCORED)[place] == UNSCORED, "no_score"),
        (p.row_room[row] == 0, "not_wanted"),
        (p.column_room[column] == 0, "no_place"),
    ]
    return select(checks, "")


def select(cases: Sequence[tuple[Flags, object]], otherwise: str) -> NDArray[np.object_]:
    """Of each place the text of the first case that holds there."""
    shape = cases[0][0].shape
    texts = [np.broadcast_to(np.array(text, object), shape) for _, text in cases]
    return np.select([holds for holds, _ in cases], texts, otherwise)


def unmet_of(problem: Problem, chosen: Flags, mark: Marks, is_blocked: Flags) -> pl.DataFrame:
    """need_id, missing, reason of the needs that lack experts; is_blocked: somebody who would help is in conflict."""
    needs = problem.row_room.size
    got = np.bincount(problem.row[np.flatnonzero(chosen)], minlength=needs)
    barred = np.flatnonzero(mark < 0)
    allowed = np.diff(problem.start) - np.bincount(problem.row[barred], minlength=needs)
    is_vetoed = np.bincount(problem.row[barred[mark[barred] > UNSCORED]], minlength=needs) > 0
    short = np.flatnonzero(problem.row_room > got)
    reason = np.where(allowed > got, 0, np.where(is_vetoed, 1, np.where(is_blocked, 2, 3)))[short]
    return pl.DataFrame(
        {
            "need_id": problem.demand["need_id"].gather(short),
            "missing": (problem.row_room - got)[short],
            "reason": pl.Series(["capacity", "veto", "conflict", "no_candidate"]).gather(reason),
        }
    )


def rows_of(problem: Problem, place: Whole) -> pl.DataFrame:
    """need_id, expert_id, score of the pairs at these places of problem.pairs."""
    return pl.DataFrame(
        {
            "need_id": problem.demand["need_id"].gather(problem.row[place]),
            "expert_id": problem.capacity["expert_id"].gather(problem.column[place]),
            "score": problem.pairs["score"].gather(place),
        }
    )


def code_of(known: pl.Series, ids: pl.Series) -> Whole:
    """Where each id stands among the known ones, which are sorted and hold it."""
    return np.atleast_1d(known.search_sorted(ids, "left")).astype(np.int64)


def places(problem: Problem, row: Whole, column: Whole) -> Whole:
    """Where each pair stands in problem.pairs; -1 where it does not."""
    if not problem.row.size:
        return np.full(row.size, -1)
    width = problem.column_room.size
    key = problem.row * width + problem.column
    place = np.searchsorted(key, row * width + column)
    found: Whole = np.where(key[np.minimum(place, key.size - 1)] == row * width + column, place, -1)
    return found


def _price(problem: Problem, prices: pl.DataFrame | None) -> Whole:
    """Prices of the experts in whole numbers: as handed in, or those of the best total."""
    from silian.engines.allocate import _flow

    p = problem
    if prices is None:
        return _flow.best(_flow.Graph(p.start, p.column, p.row, p.gain, p.row_room, p.column_room))[2]
    prices = _inputs.columns(prices, "prices", {"side": "id", "id": "id", "price": "number"})
    bad = ~(pl.col("price").is_finite() & (pl.col("price") >= 0))
    _inputs.refuse(prices, "prices", "price", bad, found="below 0 or not finite", wanted="a number of 0 or more")
    _inputs.refuse_duplicates(prices, "prices", ["side", "id"])
    told = prices.filter(side="expert").select(expert_id="id", price="price")
    joined = p.capacity.join(told, on="expert_id", how="left", maintain_order="left")
    price = joined["price"].fill_null(0.0).to_numpy() * p.unit
    whole: Whole = np.minimum(np.rint(price), p.gain.max(initial=0)).astype(np.int64)
    return whole
