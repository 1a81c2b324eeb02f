"""From rules to the best teams: which sizes are searched, in which order, until when."""

from __future__ import annotations

import math
from functools import cache
from itertools import combinations
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from silian.engines.team import _search
from silian.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.typing import NDArray

    from silian.engines.team._search import Best, Path, Pool
    from silian.engines.team.case import Case, Rule

    Whole = NDArray[np.int64]
    Tell = Callable[["Stage"], None]

PEOPLE: Final = 20_000  # candidates at most: every pair of them takes a byte
_BITS: Final = 58  # that the dearest team may take as a whole number
_DIGITS: Final = 12  # of the largest cost that are read, or as many as fit
_DIVE: Final = 200  # passes that each size gets before one is searched to its end: a good limit spares much
_PASSES: Final = 400  # between two looks at the clock


class Watch:
    """Says when the time is over. The clock decides only where a search stops."""

    def __init__(self, seconds: float | None) -> None:
        self._until = math.inf if seconds is None else monotonic() + seconds

    def is_over(self) -> bool:
        """Whether the time is over."""
        return monotonic() >= self._until


class Stage(NamedTuple):
    """How far forming teams has come; told at least once for each size, and while one is searched."""

    doing: str  # "search": for the best teams; "reasons": what they would cost without a member or with a person
    at: int  # members of the teams that are searched, or whose reason is looked for, from 1
    of: int  # the largest size, or persons
    cost: float | None  # of the best team so far
    bound: float | None  # no team costs less


class Arena(NamedTuple):
    """The candidates of a case under some rules, as whole numbers."""

    pool: Pool
    person: Whole  # (candidates,): who it is in the case
    pools: dict[int, Pool]  # the same for each size of team that there may be, with its rewards
    unit: float  # a cost is cost · unit · place; what is below place breaks ties
    place: int

    def back(self, whole: int) -> float:
        """A whole number as a cost."""
        return whole // self.place / self.unit


class Found(NamedTuple):
    """What a search gives."""

    cost: list[int]  # ascending
    teams: list[list[int]]  # persons, ascending
    bound: int  # no team costs less; NONE: there is no team
    is_proved: bool  # these are the best, and all that there are if they are fewer than asked for
    passes: int


@cache
def compile_kernels() -> None:
    """Compile what the search needs, so that no time limit pays for it; once a process, kept on disk by numba."""
    zero, two = np.zeros(2, np.int64), np.full(2, 1)
    near, ends = np.zeros((2, 2), np.uint8), np.zeros(0, np.int64)
    pool = _search.Pool(
        np.full(2, 2), two, near, np.zeros(3, np.int64), ends, ends, zero, np.zeros((2, 0), np.int64), ends,
        np.ones(1, np.int64), 1, np.zeros(1, np.int64),
    )  # fmt: skip
    arena = Arena(pool, np.arange(2), {1: pool, 2: pool}, 1.0, 2)
    search(arena, 1, Watch(None), holding=0)


def arena_of(case: Case, rules: Collection[Rule], *, counts: str = "cost") -> Arena:
    """The candidates under these rules.

    counts : "cost": what the case says; "heads": one a member; "nothing": any team will do
    """
    count = {kind: {rule.code: rule.members for rule in rules if rule.kind == kind} for kind in {r.kind for r in rules}}
    wants = count.get("skill", {}) | count.get("at_least", {})
    wanted = np.zeros(1 + max(r.code for r in case.rules if r.kind in ("skill", "at_least")), np.int64)
    wanted[list(wants)] = list(wants.values())
    smallest = count.get("smallest", {0: 1})[0]
    person = _candidates(case, wanted, count, is_anybody=smallest > 1)
    largest = min([max(smallest, int(wanted.sum())), person.size, *count.get("largest", {}).values()])
    cost, charge, unit, place = _whole(case, person, largest, counts)
    most = np.full(sum(rule.kind == "at_most" for rule in case.rules), person.size + 1, np.int64)
    for group, limit in count.get("at_most", {}).items():
        most[group] = limit
    near, pairs = _pairs(case, person, sorted(count.get("apart", {})), charge.size - 1)
    pool = _search.Pool(
        cost=cost,
        items=case.items[person],
        near=near,
        start=np.searchsorted(pairs[:, 0], np.arange(person.size + 1)).astype(np.int64),
        other=pairs[:, 1].copy(),
        step=pairs[:, 2].copy(),
        charge=charge,
        groups=np.ascontiguousarray(case.groups[person]),
        most=most,
        wanted=wanted,
        smallest=smallest,
        reward=np.zeros(wanted.size, np.int64),
    )
    pools = {m: sized for m in range(smallest, largest + 1) if (sized := _rewarded(pool, m)) is not None}
    return Arena(pool, person, pools, unit, place)


def search(
    arena: Arena,
    k: int,
    watch: Watch,
    *,
    holding: int | None = None,
    without: int | None = None,
    limit: int | None = None,
    is_any_enough: bool = False,
    tell: Tell | None = None,
) -> Found:
    """The k best teams, or the best that were found in the time.

    holding, without : a candidate who must be in, or out
    limit : teams that cost more, in whole numbers, are not looked for
    is_any_enough : the first team that is found will do
    """
    pool, pools = arena.pool, arena.pools
    levels = max(pools, default=0) + 2
    best = _search.Best(
        np.full(k, _search.NONE),
        np.full((k, levels), -1, np.int64),
        np.array([_search.NONE // 2 - 1 if limit is None else limit]),
    )
    path = _search.new_path(pool.cost.size, pool.wanted.size, pool.most.size, levels)
    start = _Start(() if holding is None else (holding,), without)
    bounds = {m: _opened(sized, path, best, m, start)[1] for m, sized in pools.items()}

    def told(m: int, bound: int) -> None:
        bounds[m] = max(bounds[m], bound)
        if tell is not None:
            first = int(best.cost[0])
            least = min(first, *bounds.values())
            cost, bound_ = (None if whole >= _search.NONE else arena.back(whole) for whole in (first, least))
            tell(Stage("search", m, max(bounds), cost, bound_))

    for passes in (_DIVE, None):
        for m in sorted(bounds, key=lambda m: (bounds[m], m)):
            if is_any_enough and best.cost[0] < _search.NONE:
                break
            if bounds[m] <= best.limit[0] and not watch.is_over():
                told(m, _searched(pools[m], path, best, m, start, passes, watch, told))
        if passes is not None and min(bounds.values(), default=_search.NONE) <= best.limit[0] and not is_any_enough:
            _improve(pools, path, best, start, watch)
    least = min(bounds.values(), default=_search.NONE)
    kept = [row for row in range(k) if best.cost[row] < _search.NONE]
    teams = [[int(arena.person[code]) for code in best.team[row] if code >= 0] for row in kept]
    cost = [int(best.cost[row]) for row in kept]
    return Found(cost, teams, min([least, *cost[:1]]), least > best.limit[0], int(path.passes[0]))


class _Start(NamedTuple):
    """Candidates who are in, and one who is out."""

    holding: tuple[int, ...]
    without: int | None


def _improve(pools: dict[int, Pool], path: Path, best: Best, start: _Start, watch: Watch) -> None:
    """Better the best team: let two of it go, search for who had better come, as long as that helps."""
    tried: set[_Start] = set()
    while best.cost[0] < _search.NONE:
        team = best.team[0][best.team[0] >= 0].tolist()
        free = [person for person in team if person not in start.holding]
        kept = (tuple(p for p in team if p not in out) for out in combinations(free, min(2, len(free))))
        fresh = [_Start(start.holding + tuple(p for p in k if p not in start.holding), start.without) for k in kept]
        before = best.cost[0]
        for near in (near for near in fresh if near not in tried):
            tried.add(near)
            for m in (size for size in pools if abs(size - len(team)) <= 1 and size >= len(near.holding)):
                _searched(pools[m], path, best, m, near, _DIVE, watch)
            if watch.is_over() or best.cost[0] < before:
                break
        else:
            return
        if watch.is_over():
            return


def _searched(
    pool: Pool, path: Path, best: Best, m: int, start: _Start, passes: int | None, watch: Watch,
    told: Callable[[int, int], None] | None = None,
) -> int:  # fmt: skip
    """Search the teams of m, for so many passes or to the end; what no team that is left costs less than.

    told : told m and that bound while it is searched to the end
    """
    first, _ = _opened(pool, path, best, m, start)
    levels = np.array([first, first])
    while not _search.advance(pool, path, best, m, levels, passes or _PASSES):
        bound = min(_next_bound(path, level) for level in range(first, levels[1] + 1))
        if passes is not None or watch.is_over():
            return bound
        if told is not None:
            told(m, bound)
    return _search.NONE


def _opened(pool: Pool, path: Path, best: Best, m: int, start: _Start) -> tuple[int, int]:
    """Set up the root of the search for teams of m; its level, and what no team of m costs less than."""
    codes = np.arange(pool.cost.size)
    codes = codes[codes != start.without] if start.without is not None else codes
    path.people[0, : codes.size] = codes
    path.cost[0, : codes.size] = pool.cost[codes]
    path.left[0] = codes.size
    path.open[0] = pool.wanted
    path.held[0] = 0
    level = 0
    for level, person in enumerate(start.holding, 1):
        place = int(np.flatnonzero(path.people[level - 1, : path.left[level - 1]] == person)[0])
        path.gone[level - 1, : path.left[level - 1]] = False
        _search.choose(pool, path, level - 1, place)
    _search.visit(pool, path, best, level, m)
    return level, _next_bound(path, level)


def _next_bound(path: Path, level: int) -> int:
    place = path.place[level]
    if place == path.children[level]:
        return _search.NONE
    return int(path.bound[level, path.child[level, place]])


def _rewarded(pool: Pool, m: int) -> Pool | None:
    """The pool with a reward for items beyond what the table of the search asks; None: there is no team of m.

    The table wants an item once, and only so many items. What is wanted more often is rewarded as the linear program
    values it. Any reward gives true bounds; this one makes them tight.
    """
    from scipy.optimize import linprog

    bits = np.arange(pool.wanted.size)
    is_beyond = (pool.wanted > 1) | (pool.wanted.size > _search.WIDEST)
    if not is_beyond.any():
        return pool
    holds = (pool.items >> bits[:, None] & 1).astype(np.float64)
    scale = max(1.0, float(pool.cost.max()))
    one, sides = np.ones((1, pool.cost.size)), (-holds, -pool.wanted)
    found = linprog(pool.cost / scale, A_ub=sides[0], b_ub=sides[1], A_eq=one, b_eq=[m], bounds=(0, 1))
    if found.status == 2:
        return None
    if found.status != 0:
        return pool
    return pool._replace(reward=np.where(is_beyond, np.rint(-found.ineqlin.marginals * scale), 0).astype(np.int64))


def _candidates(case: Case, wanted: Whole, count: dict[str, dict[int, int]], *, is_anybody: bool) -> Whole:
    """Persons who may be members: who holds something wanted, or anybody, but for those who are barred."""
    useful = sum(1 << item for item in np.flatnonzero(wanted).tolist())
    is_in = (case.items & useful > 0) | is_anybody
    is_in[list(count.get("conflict", {}))] = False
    for group, limit in count.get("at_most", {}).items():
        if limit == 0:
            is_in &= (case.groups != group).all(axis=1)
    person = np.flatnonzero(is_in)
    if person.size > PEOPLE:
        found = f"a table with {person.size} candidates"
        raise ArgumentError("argument.value", name="people", found=found, wanted=f"at most {PEOPLE}: narrow it")
    return person


def _whole(case: Case, person: Whole, largest: int, counts: str) -> tuple[Whole, Whole, float, int]:
    """Cost of each candidate and of a pair at each step in whole numbers, unit, place."""
    far = case.weights.far
    if counts != "cost":
        each = 1 if counts == "heads" else 0
        return np.full(person.size, 2 * each, np.int64), np.zeros(far, np.int64), 1.0, 2
    own = case.own[person]
    charge = case.weights.per_pair * np.arange(far) / (far - 1)
    place = 1 << (case.own.size * largest + 1).bit_length()
    top = max(own.max(initial=0.0), charge[-1])
    fitting = math.floor(math.log10((1 << _BITS) / (place * (largest + 1) * (largest + 2) / 2)))
    unit = 10.0 ** (min(_DIGITS, fitting) - math.ceil(math.log10(top))) if top > 0 else 1.0
    cost = np.rint(own * unit).astype(np.int64) * place + person + 1
    return cost, np.rint(charge * unit).astype(np.int64) * place, unit, place


def _pairs(case: Case, person: Whole, apart: list[int], last: int) -> tuple[NDArray[np.uint8], Whole]:
    """The step of every pair of candidates, and the pairs nearer than the last step: candidate, other, step."""
    code = np.full(case.own.size, -1)
    code[person] = np.arange(person.size)
    pairs = np.column_stack([code[case.near[:, 0]], code[case.near[:, 1]], case.near[:, 2]])
    pairs = pairs[(pairs[:, :2] >= 0).all(axis=1)]
    near = np.full((person.size, person.size), last, np.uint8)
    near[pairs[:, 0], pairs[:, 1]] = pairs[:, 2]
    bonds = code[case.apart[apart]]
    bonds = bonds[(bonds >= 0).all(axis=1)]
    near[bonds[:, 0], bonds[:, 1]] = near[bonds[:, 1], bonds[:, 0]] = _search.APART
    return near, pairs[near[pairs[:, 0], pairs[:, 1]] != _search.APART]
