"""Kernel of team forming: branch and bound over the teams of one size, in whole numbers.

A team of m people costs what each costs and what each pair costs. Items (a skill, "an enterprise", …) are bits;
each wants so many members that hold it. At a node of the search some members are chosen and q are to come.

Prices: a candidate's price is its cost with the chosen, and half of its pairs with q - 1 others. Which others is open,
so the cheapest count; but a cheap pair with a dear person is no bargain. Hence part of each cost is laid upon the pairs
of that person (their extra): the sum over a team stays what it was, and the cheapest pairs become dearer.
Bounds: a table over the sets of open items holds the least price of so many members that cover a set. From it comes
a bound of each candidate: no team that holds the chosen and the candidate costs less. Candidates above the limit go.
The next extras are made of the bounds: who can only come in a dear team is dear.
Branching: one of those who hold the scarcest open item must come.

Everything is int64, so equal means equal. See docs/methods/team.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]

NONE: Final = 1 << 60  # above every cost; the sum of two is still a number
APART: Final = 255  # in place of the step of a pair that must not serve together
# The table has a row for each set of so many open items, the scarcest. Items beyond are left to rewards and branching.
WIDEST: Final = 13
WIDE: Final = 11  # below the root, where a table is made at every node
TURNS: Final = 8  # a node is bounded with new extras while its least bound grows, so often at most


class Pool(NamedTuple):
    """The candidates in order of id, and what a team wants."""

    cost: Whole  # (people,)
    items: Whole  # (people,): bit i: holds item i
    near: NDArray[np.uint8]  # (people, people): step of the pair, or APART
    start: Whole  # (people + 1,): the pairs nearer than the last step, by person
    other: Whole
    step: Whole  # of such a pair
    charge: Whole  # (steps,): what a pair costs, even numbers, ascending
    groups: Whole  # (people, columns): a group with a limit, or -1
    most: Whole  # (groups,)
    wanted: Whole  # (items,): members who must hold it
    smallest: int  # least members of a team
    reward: Whole  # (items,): what covering an item once more takes off a price; any numbers >= 0 give bounds


class Best(NamedTuple):
    """The best teams so far, the best first."""

    cost: Whole  # (k,), NONE: not yet
    team: Whole  # (k, largest), ascending, then -1
    limit: Whole  # (1,): a team that costs more is not wanted


class Path(NamedTuple):
    """What the search keeps; level d holds the node at which d members are chosen."""

    chosen: Whole  # (levels,): the member chosen at level d
    spent: Whole  # (levels,)
    open: Whole  # (levels, items): members still wanted
    held: Whole  # (levels, groups): members in each group
    people: Whole  # (levels, people): the candidates
    left: Whole  # (levels,): candidates
    cost: Whole  # (levels, people): with the pairs with the chosen
    bound: Whole  # (levels, people)
    child: Whole  # (levels, people): places in people, the least bound first
    children: Whole  # (levels,)
    place: Whole  # (levels,): children that were taken
    gone: NDArray[np.bool_]  # (levels, people): children that were taken, by place in people
    seen: Whole  # (people,): the last pass that saw a person
    passes: Whole  # (1,)
    price: Whole  # (people,), by place in people
    extra: Whole  # (people,): laid upon each pair of a person
    cheapest: Whole  # (sets,)
    table: Whole  # (levels, sets)


@njit(cache=True)
def new_path(people: int, items: int, groups: int, levels: int) -> Path:
    wide = (levels, people)
    sets = 1 << min(items, WIDEST)
    return Path(
        np.zeros(levels, np.int64),
        np.zeros(levels, np.int64),
        np.zeros((levels, items), np.int64),
        np.zeros((levels, groups), np.int64),
        np.zeros(wide, np.int64),
        np.zeros(levels, np.int64),
        np.zeros(wide, np.int64),
        np.zeros(wide, np.int64),
        np.zeros(wide, np.int64),
        np.zeros(levels, np.int64),
        np.zeros(levels, np.int64),
        np.zeros(wide, np.bool_),
        np.zeros(people, np.int64),
        np.zeros(1, np.int64),
        np.zeros(people, np.int64),
        np.zeros(people, np.int64),
        np.zeros(sets, np.int64),
        np.zeros((levels, sets), np.int64),
    )


@njit(cache=True)
def advance(pool: Pool, path: Path, best: Best, m: int, levels: Whole, passes: int) -> bool:
    """Search on for so many passes; True when nothing is left. levels: the first level, and where the search stands."""
    first, d = levels[0], levels[1]
    until = path.passes[0] + passes
    while d >= first and path.passes[0] < until:
        at = path.place[d]
        if at == path.children[d] or path.bound[d, path.child[d, at]] > best.limit[0]:
            d -= 1
            continue
        path.place[d] += 1
        path.gone[d, path.child[d, at]] = True
        choose(pool, path, d, path.child[d, at])
        d += 1
        visit(pool, path, best, d, m)
    levels[1] = d
    return bool(d < first)


@njit(cache=True)
def choose(pool: Pool, path: Path, d: int, x: int) -> None:
    """Open level d + 1: the candidate at place x of level d joins; those who cannot serve beside them go."""
    person = path.people[d, x]
    path.chosen[d] = person
    path.spent[d + 1] = path.spent[d] + path.cost[d, x]
    for i in range(pool.wanted.size):
        path.open[d + 1, i] = path.open[d, i] - (pool.items[person] >> i & 1)
    for group in range(pool.most.size):
        path.held[d + 1, group] = path.held[d, group]
    for column in range(pool.groups.shape[1]):
        if pool.groups[person, column] >= 0:
            path.held[d + 1, pool.groups[person, column]] += 1
    kept = 0
    for y in range(path.left[d]):
        other = path.people[d, y]
        is_free = not path.gone[d, y] and other != person and pool.near[person, other] != APART
        for column in range(pool.groups.shape[1]):
            group = pool.groups[other, column]
            is_free = is_free and (group < 0 or path.held[d + 1, group] < pool.most[group])
        if is_free:
            path.people[d + 1, kept] = other
            path.cost[d + 1, kept] = path.cost[d, y] + pool.charge[pool.near[person, other]]
            kept += 1
    path.left[d + 1] = kept


@njit(cache=True)
def visit(pool: Pool, path: Path, best: Best, d: int, m: int) -> None:
    """Bound the node at level d and set its children, or close the teams that need at most one member more."""
    path.children[d] = 0
    path.place[d] = 0
    path.passes[0] += 1
    if m <= d + 1:
        _close(pool, path, best, d, m)
        return
    for x in range(path.left[d]):
        path.extra[path.people[d, x]] = 0
        path.bound[d, x] = 0
        path.gone[d, x] = False
    before = -NONE
    for _ in range(TURNS):
        least = _weigh(pool, path, best, d, m - d)
        if least <= before or path.left[d] == 0 or pool.charge[-1] == 0:
            break
        before = least
        for x in range(path.left[d]):
            path.extra[path.people[d, x]] += (path.price[x] - least) // (2 * (m - d - 1))
    _branch(pool, path, d)


@njit(cache=True)
def _weigh(pool: Pool, path: Path, best: Best, d: int, q: int) -> int:
    """Bound every candidate at level d, keep those within the limit, return the least bound of this pass."""
    _price(pool, path, d, q)
    width = WIDEST if d == 0 else WIDE
    bits, is_loose = _table_bits(pool, path, d, width)
    is_loose = is_loose or d + q == pool.smallest
    width = bits.size
    every = (1 << width) - 1
    path.cheapest[: every + 1] = NONE
    for x in range(path.left[d]):
        held = _held(pool.items[path.people[d, x]], bits)
        path.cheapest[held] = min(path.cheapest[held], path.price[x])
    _cover(path, width, q - 1, is_loose)
    paid = path.spent[d]
    for i in range(pool.wanted.size):
        paid += max(0, path.open[d, i]) * pool.reward[i]
    kept, least = 0, NONE
    for x in range(path.left[d]):
        person = path.people[d, x]
        price = paid + path.price[x] + path.table[q - 1, every & ~_held(pool.items[person], bits)]
        bound = max(price, path.bound[d, x])
        if bound <= best.limit[0] and bound < NONE // 2:
            path.people[d, kept], path.cost[d, kept] = person, path.cost[d, x]
            path.bound[d, kept], path.price[kept] = bound, price
            least = min(least, price)
            kept += 1
    path.left[d] = kept
    return least


@njit(cache=True)
def _price(pool: Pool, path: Path, d: int, q: int) -> None:
    """The price of each candidate: cost - extra + the least that pairs with q - 1 others take, less the rewards."""
    path.passes[0] += 1
    for x in range(path.left[d]):
        path.seen[path.people[d, x]] = path.passes[0]
    stranger = pool.charge[-1] // 2
    gains = np.zeros(q, np.int64)  # the largest q - 1, descending: what a nearer pair spares
    for x in range(path.left[d]):
        person = path.people[d, x]
        price = path.cost[d, x]
        if stranger > 0:
            gains[:] = 0
            for e in range(pool.start[person], pool.start[person + 1]):
                gain = stranger - pool.charge[pool.step[e]] // 2 - path.extra[pool.other[e]]
                if path.seen[pool.other[e]] == path.passes[0] and gain > gains[q - 2]:
                    at = q - 2
                    while at > 0 and gains[at - 1] < gain:
                        gains[at] = gains[at - 1]
                        at -= 1
                    gains[at] = gain
            price += (stranger - path.extra[person]) * (q - 1)
            for at in range(q - 1):
                price -= gains[at]
        for i in range(pool.wanted.size):
            if path.open[d, i] > 0 and pool.items[person] >> i & 1:
                price -= pool.reward[i]
        path.price[x] = price


@njit(cache=True)
def _table_bits(pool: Pool, path: Path, d: int, width: int) -> tuple[Whole, bool]:
    """The open items that the table is made for, the scarcest, and whether a member may come who adds none of them."""
    holders = np.full(pool.wanted.size, NONE, np.int64)
    wanted, kinds = 0, 0
    for i in range(pool.wanted.size):
        if path.open[d, i] > 0:
            wanted += path.open[d, i]
            kinds += 1
            holders[i] = 0
            for x in range(path.left[d]):
                holders[i] += pool.items[path.people[d, x]] >> i & 1
    order = np.arange(pool.wanted.size)
    _sort(order, holders)
    bits = order[: min(kinds, width)]
    return bits, wanted > bits.size


@njit(cache=True)
def _held(items: int, bits: Whole) -> int:
    """The items among the table's, as one of its sets."""
    held = 0
    for b in range(bits.size):
        held |= (items >> bits[b] & 1) << b
    return held


@njit(cache=True)
def _cover(path: Path, width: int, members: int, is_loose: bool) -> None:  # noqa: FBT001 - compiled code has no names
    """Fill table[0 … members]: the least price of so many members who together hold a set of items."""
    cheapest, table = path.cheapest, path.table
    sets = 1 << width
    for bit in range(width):  # from who holds just this to who holds at least this
        for held in range(sets):
            if held >> bit & 1 == 0:
                cheapest[held] = min(cheapest[held], cheapest[held | 1 << bit])
    table[0, :sets] = NONE
    table[0, 0] = 0
    for c in range(1, members + 1):
        table[c, 0] = min(NONE, table[c - 1, 0] + cheapest[0]) if is_loose else NONE
        for held in range(1, sets):
            # whoever takes the lowest item takes some of the rest with it; nobody is counted for an item twice
            low = held & -held
            rest = held ^ low
            least = min(NONE, cheapest[0] + table[c - 1, held]) if is_loose else NONE
            sub = rest
            while sub >= 0:
                least = min(least, cheapest[sub | low] + table[c - 1, rest ^ sub])
                sub = (sub - 1) & rest if sub > 0 else -1
            table[c, held] = least


@njit(cache=True)
def _branch(pool: Pool, path: Path, d: int) -> None:
    """Set the children of level d: who holds the scarcest open item, the least bound first."""
    scarcest, fewest = -1, NONE
    for i in range(pool.wanted.size):
        if path.open[d, i] > 0:
            holders = 0
            for x in range(path.left[d]):
                holders += pool.items[path.people[d, x]] >> i & 1
            if holders < path.open[d, i]:
                return
            if holders < fewest:
                scarcest, fewest = i, holders
    taken = 0
    for x in range(path.left[d]):
        if scarcest < 0 or pool.items[path.people[d, x]] >> scarcest & 1:
            path.child[d, taken] = x
            taken += 1
    _sort(path.child[d, :taken], path.bound[d])
    path.children[d] = taken


@njit(cache=True)
def _close(pool: Pool, path: Path, best: Best, d: int, m: int) -> None:
    """Note the teams of m that the chosen make, with one candidate where one is missing."""
    missing = 0
    for i in range(pool.wanted.size):
        if path.open[d, i] > m - d:
            return
        if path.open[d, i] == 1:
            missing |= 1 << i
    if m == d:
        _note(pool, path, best, m, path.spent[d])
        return
    for x in range(path.left[d]):
        if missing & ~pool.items[path.people[d, x]] == 0:
            path.chosen[d] = path.people[d, x]
            _note(pool, path, best, m, path.spent[d] + path.cost[d, x])


@njit(cache=True)
def _note(pool: Pool, path: Path, best: Best, m: int, cost: int) -> None:
    """Keep the chosen team if it is among the best."""
    if cost > best.limit[0] or not _is_needed(pool, path.chosen[:m]):
        return
    team = np.full(best.team.shape[1], -1, np.int64)
    team[:m] = path.chosen[:m]
    for x in range(1, m):
        for y in range(x, 0, -1):
            if team[y - 1] > team[y]:
                team[y - 1], team[y] = team[y], team[y - 1]
    at = best.cost.size
    while at > 0 and (cost < best.cost[at - 1] or (cost == best.cost[at - 1] and _is_first(team, best.team[at - 1]))):
        at -= 1
    if at > 0 and cost == best.cost[at - 1] and not _is_first(best.team[at - 1], team):
        return  # it is known already
    for k in range(best.cost.size - 1, at, -1):
        best.cost[k] = best.cost[k - 1]
        best.team[k] = best.team[k - 1]
    if at < best.cost.size:
        best.cost[at] = cost
        best.team[at] = team
        best.limit[0] = min(best.limit[0], best.cost[-1])


@njit(cache=True)
def _is_needed(pool: Pool, team: Whole) -> bool:
    """Whether nobody of the team can be left out: each holds an item of which there is nobody to spare."""
    if team.size == pool.smallest:
        return True
    tight = 0
    for i in range(pool.wanted.size):
        holders = 0
        for person in team:
            holders += pool.items[person] >> i & 1
        if holders == pool.wanted[i]:
            tight |= 1 << i
    spare = 0
    for person in team:
        spare += pool.items[person] & tight == 0
    return spare == 0


@njit(cache=True)
def _is_first(team: Whole, other: Whole) -> bool:
    for x in range(team.size):
        if team[x] != other[x]:
            return bool(team[x] < other[x])
    return False


@njit(cache=True)
def _sort(codes: Whole, keys: Whole) -> None:
    """Put codes in order of their keys, then of themselves (Shell's sort: it compiles in no time)."""
    gap = 1
    while gap < codes.size:
        gap = 3 * gap + 1
    while gap > 0:
        for at in range(gap, codes.size):
            code = codes[at]
            to = at
            while to >= gap:
                other = codes[to - gap]
                if keys[other] < keys[code] or (keys[other] == keys[code] and other < code):
                    break
                codes[to] = other
                to -= gap
            codes[to] = code
        gap //= 3
