"""Changes to an allocation that stands: the problem changed, or somebody moves a pair by hand."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from silian.engines import _inputs
from silian.engines.allocate.limits import NAMES
from silian.engines.allocate.problem import Problem, unit_of, whole_sum
from silian.engines.allocate.ruled import broken, choose, held_of
from silian.engines.allocate.standing import (
    PINNED,
    REMOVED,
    UNSCORED,
    VETOED,
    Standing,
    code_of,
    codes,
    hindrance,
    places,
    rows_of,
    select,
)
from silian.errors import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Whole = NDArray[np.int64]
    Flags = NDArray[np.bool_]

# Which ids and whether a value each kind of change has.
_KINDS: Final = {
    "free": (False, True, True),
    "wanted": (True, False, True),
    "score": (True, True, True),
    "veto": (True, True, False),
}


@dataclass(frozen=True, slots=True)
class Repair:
    """What stands after the changes, what moved and why, in figures, and all that the next change needs."""

    assigned: pl.DataFrame  # need_id, expert_id, score; sorted by the two ids
    unmet: pl.DataFrame  # need_id, missing, reason; sorted by need_id
    changes: pl.DataFrame  # need_id, expert_id, what, because, score; sorted by the two ids
    figures: pl.DataFrame  # one row: total_before, total, difference, kept, removed, added, is_optimal, gap
    standing: Standing


@dataclass(frozen=True, slots=True)
class Edit:
    """A preview of moves made by hand: may they be made, what else moves, what it costs; and what would stand."""

    verdict: pl.DataFrame  # what, need_id, expert_id, is_allowed, reason; as in the moves
    broken: pl.DataFrame  # rule, name, need, expert, other, limit, is_sum; the rules that the moves would break
    changes: pl.DataFrame  # need_id, expert_id, what, because, score; sorted by the two ids
    figures: pl.DataFrame  # one row: total_before, total, difference, kept, removed, added, is_optimal, gap
    standing: Standing


def repair(standing: Standing, changes: pl.DataFrame, *, seconds: float | None = None) -> Repair:
    """Make the changes with as few re-assignments as can be, and replace whom they took away.

    Parameters
    ----------
    standing : from `reopen`, or from an earlier `repair` or `edit`
    changes : kind, need_id, expert_id, value; one row per change, the order does not matter
        free: expert_id has `value` places from now on (a count; 0: drops out).
        wanted: need_id wants `value` experts from now on (a count; 0: withdrawn).
        score: the pair is possible from now on with the score `value` (0 or less: it is not any more).
        veto: the pair must not be.
        What a kind does not name stays empty. A new need or expert comes with `wanted` or `free` and at least one
        `score`. No expert, need or pair may be named twice. No changes: places that are free are filled, no more.
    seconds : the longest that each of up to four searches may take where rules bind (see below); above 0

    Returns
    -------
    Repair : assigned and unmet as in `assign`; changes (what: removed or added; because, of a removed pair: veto,
        score, free, wanted as above, or exchange where it made room; of an added pair: replacement where the need lost
        an expert to the changes, wanted where they name the need, exchange where it lost one to make room, free_place
        otherwise); figures (totals in score, difference = total - total_before, counts of pairs: kept, removed,
        added; is_optimal; gap: by how much a repair with as few changes could be better at most, in score; empty
        where fewer changes are not ruled out); standing.

    Raises
    ------
    TableError : table.columns, table.type, table.value (an unknown kind, a value missing, not whole or below 0, an id
        where the kind has none), table.duplicate (changes that name the same thing twice), table.unknown (an id that
        is not there, unless it is new as said above), allocate.clash (the rules cannot be kept any more),
        allocate.by_hand (nor with what was put in or taken out by hand), allocate.time (nothing was found in time)
    ArgumentError : argument.value (seconds not above 0)

    Notes
    -----
    The order, strictly one after the other:

    1. pairs put in by hand (see `edit`) that can stay, stay;
    2. as many due places filled as can be: a need that the changes name with `wanted` is due all it wants, any other
       as many experts as it had;
    3. as few pairs given up as can be, of those that were there and may still be;
    4. the best total score, over every pair that may be, so that free places are used;
    5. of equal ones the first by id, as in `assign`.

    So nobody is re-assigned who need not be, a lost expert is replaced wherever some exchange allows it, and a gap
    that was accepted before is not a reason to move others; to have it filled, name the need with `wanted`.
    Where the allocation was reopened with rules and the answer breaks one, the best in the same order that keeps them
    all is sought by column generation and branch and bound, see `fewest.fewest_changes`; equal totals are then not
    told apart by id, but the order of the rows does not matter. at_least of a need or expert sinks with what it wants
    or may.
    Exact in whole numbers: shortest augmenting paths from the standing pairs, whose lengths are pairs (given up,
    score) compared in this order, started with the last prices. A pair in conflict never comes out, nor does one that
    was vetoed before, whatever the scores. Deterministic; the answer does not depend on the prices. Splits: no.
    Cost: one change on 1e6 pairs 0.03 to 0.06 s, a fresh `assign` 0.3 to 0.9 s (bench_repair).
    Source: R. K. Ahuja, T. L. Magnanti, J. B. Orlin (1993), Network Flows, ch. 9 (re-optimisation by shortest paths).

    Examples
    --------
    >>> from silian.engines.allocate import reopen
    >>> pairs = pl.DataFrame({"need_id": ["n1", "n1", "n2"], "expert_id": ["e1", "e2", "e2"], "score": [0.9, 0.5, 0.8]})
    >>> demand = pl.DataFrame({"need_id": ["n1", "n2"], "wanted": [1, 1]})
    >>> capacity = pl.DataFrame({"expert_id": ["e1", "e2"], "free": [1, 2]})
    >>> standing = reopen(pairs[[0, 2]], pairs, demand, capacity)
    >>> gone = pl.DataFrame({"kind": ["free"], "need_id": [None], "expert_id": ["e1"], "value": [0]})
    >>> repair(standing, gone).changes.rows()
    [('n1', 'e1', 'removed', 'free', 0.9), ('n1', 'e2', 'added', 'replacement', 0.5)]
    """
    if seconds is not None and not seconds > 0:
        raise ArgumentError("argument.value", name="seconds", found=seconds, wanted="a number above 0")
    changes = _read(changes, standing.problem)
    before = standing.problem
    changed = _changed(standing, changes)
    problem = changed.problem
    had = np.zeros(problem.row_room.size, np.int64)
    stood = np.bincount(before.row[np.flatnonzero(standing.chosen)], minlength=before.row_room.size)
    had[code_of(problem.demand["need_id"], before.demand["need_id"])] = stood
    is_named = np.zeros(had.size, np.bool_)
    is_named[code_of(problem.demand["need_id"], changes.filter(kind="wanted")["need_id"])] = True
    due = np.where(is_named, problem.row_room, np.minimum(had, problem.row_room))
    after, gap = _within_rules(changed, _solved(changed, due, problem.row_room), due, seconds)
    table = _table(changed, after, is_by_hand=np.zeros(problem.row.size, np.bool_), is_named=is_named)
    figures = _figures(standing, after, table, gap=gap)
    return Repair(after.assigned, after.unmet, table, figures, after)


def edit(standing: Standing, moves: pl.DataFrame) -> Edit:
    """What moves made by hand cost, what else would have to move, and whether they may be made.

    Parameters
    ----------
    standing : from `reopen`, or from an earlier `repair` or `edit`
    moves : what (add or remove), need_id, expert_id; one row per move, all made together
        A swap is two rows: remove one pair, add the other. To add a pair that stands already holds it.

    Returns
    -------
    Edit : verdict (the moves, is_allowed, reason: empty where allowed, else conflict, veto, no_score where the pair is
        no possible pair, not_wanted where the need wants nobody, no_place where the expert has no place at all,
        pinned where all places are held by pairs put in by hand, not_chosen where nothing is there to remove, rule
        where the moves would break one); broken (the rules that they would break, named as in `clashes`); changes
        (as in `repair`; because is by_hand for the moves themselves); figures (as in `repair`); standing: what
        stands if the moves are made. Nothing changes unless every move is allowed.

    Raises
    ------
    TableError : table.columns, table.type, table.value (what is neither add nor remove), table.duplicate (a pair
        moved twice), table.unknown (an id that demand or capacity lacks)

    Notes
    -----
    Only what must move does: no free place is filled. Where the expert or the need that gets a pair is full, one of
    its pairs goes, and the need that loses it is given another expert if some exchange allows it; which, by the order
    of `repair`. A pair put in by hand stays in later repairs as long as it can; one taken out by hand stays out until
    it is put back by hand. The difference is that of the two totals, to the last digit of the scores.
    Deterministic. Splits: no. Cost: as `repair`.

    Examples
    --------
    >>> from silian.engines.allocate import reopen
    >>> pairs = pl.DataFrame({"need_id": ["n1", "n1"], "expert_id": ["e1", "e2"], "score": [0.9, 0.5]})
    >>> demand = pl.DataFrame({"need_id": ["n1"], "wanted": [1]})
    >>> capacity = pl.DataFrame({"expert_id": ["e1", "e2"], "free": [1, 1]})
    >>> standing = reopen(pairs[:1], pairs, demand, capacity)
    >>> preview = edit(standing, pl.DataFrame({"what": ["add"], "need_id": ["n1"], "expert_id": ["e2"]}))
    >>> preview.changes.rows()
    [('n1', 'e1', 'removed', 'exchange', 0.9), ('n1', 'e2', 'added', 'by_hand', 0.5)]
    >>> preview.figures["difference"].to_list()
    [-0.4]
    """
    moves = _inputs.columns(moves, "moves", {"what": "id", "need_id": "id", "expert_id": "id"})
    bad = ~pl.col("what").is_in(["add", "remove"])
    _inputs.refuse(moves, "moves", "what", bad, found="no kind of move", wanted="add or remove")
    _inputs.refuse_duplicates(moves, "moves", ["need_id", "expert_id"])
    problem = standing.problem
    row, column = codes(moves, "moves", problem)
    place, is_add = places(problem, row, column), (moves["what"] == "add").to_numpy()
    reason = _reason(standing, moves, place, is_add)
    verdict = moves.with_columns(is_allowed=pl.Series(reason == ""), reason=pl.Series(reason, dtype=pl.String))
    is_by_hand, is_named = np.zeros(problem.row.size, np.bool_), np.zeros(problem.row_room.size, np.bool_)
    nothing = _table(standing, standing, is_by_hand=is_by_hand, is_named=is_named)
    if not (reason == "").all():
        return Edit(verdict, _broken(standing), nothing, _figures(standing, standing, nothing), standing)
    is_by_hand[place] = True
    mark, due = (
        standing.mark.copy(),
        np.bincount(problem.row[np.flatnonzero(standing.chosen)], minlength=problem.row_room.size),
    )
    due += np.bincount(row[is_add & ~standing.chosen[place]], minlength=due.size)
    due -= np.bincount(row[~is_add], minlength=due.size)
    due = np.minimum(due, problem.row_room)
    mark[place] = np.where(is_add, PINNED, REMOVED)
    after = _solved(replace(standing, mark=mark), due, due)
    wrong = _broken(after)
    if wrong.height:
        verdict = verdict.with_columns(is_allowed=pl.lit(value=False), reason=pl.lit("rule"))
        return Edit(verdict, wrong, nothing, _figures(standing, standing, nothing), standing)
    table = _table(standing, after, is_by_hand=is_by_hand, is_named=is_named)
    return Edit(verdict, wrong, table, _figures(standing, after, table), after)


def _read(changes: pl.DataFrame, problem: Problem) -> pl.DataFrame:
    """The changes, checked."""
    ids: dict[str, _inputs.Kind] = {"need_id": "id", "expert_id": "id", "value": "number"}
    changes = _inputs.columns(changes, "changes", {"kind": "id"}, optional=ids)
    kind, value = pl.col("kind"), pl.col("value")
    is_count = kind.is_in(["free", "wanted"])
    checks = [("kind", ~kind.is_in(list(_KINDS)), "no kind of change", " or ".join(_KINDS))]
    for column, needed in zip(ids, zip(*_KINDS.values(), strict=True), strict=True):
        those = [name for name, is_needed in zip(_KINDS, needed, strict=True) if is_needed]
        is_needed, is_empty, where = kind.is_in(those), pl.col(column).is_null(), " or ".join(those)
        checks.append((column, is_needed & is_empty, "empty", f"a value where kind is {where}"))
        checks.append((column, ~is_needed & ~is_empty, "filled", f"nothing unless kind is {where}"))
    checks.append(("value", ~value.is_finite(), "not finite", "a finite number"))
    is_odd = (value < 0) | (value != value.floor())
    checks.append(("value", is_count & is_odd, "below 0 or not whole", "a count of 0 or more"))
    is_wrong = changes.select(bad.any().alias(str(k)) for k, (_, bad, _, _) in enumerate(checks)).row(0)
    for (column, bad, found, wanted), is_bad in zip(checks, is_wrong, strict=True):
        if is_bad:
            _inputs.refuse(changes, "changes", column, bad, found=found, wanted=wanted)
    _inputs.refuse_duplicates(changes, "changes", ["need_id", "expert_id"])
    scored = changes.filter(kind="score")
    for column, known, where, name in (
        ("need_id", problem.demand["need_id"], "demand", "wanted"),
        ("expert_id", problem.capacity["expert_id"], "capacity", "free"),
    ):
        counted = changes.filter(kind=name)[column]
        may_be = pl.concat([known, counted.filter(counted.is_in(scored[column].implode()))])
        _inputs.refuse_unknown(changes, "changes", column, may_be, where)
    return changes


def _changed(standing: Standing, changes: pl.DataFrame) -> Standing:
    """The standing pairs in the changed problem, where they may exceed rooms; marks say which must not come out."""
    old = standing.problem
    demand = _counts(old.demand, changes.filter(kind="wanted"), "need_id", "wanted")
    capacity = _counts(old.capacity, changes.filter(kind="free"), "expert_id", "free")
    wanted, free = demand["wanted"].to_numpy(), capacity["free"].to_numpy()
    problem = replace(old, demand=demand, capacity=capacity, row_room=wanted, column_room=free)
    ruled = standing.ruled and standing.ruled.changed(changes)
    changed = _marked(replace(standing, problem=problem, ruled=ruled), old, changes.filter(kind="veto"))
    return _scored(changed, old, changes.filter(kind="score"))


def _counts(table: pl.DataFrame, changes: pl.DataFrame, key: str, count: str) -> pl.DataFrame:
    """A table of ids and counts with the changes made, sorted by id."""
    if not changes.height:
        return table
    told = changes.select(key, pl.col("value").cast(pl.Int64).alias(count))
    return table.update(told, on=key, how="full").sort(key)


def _marked(standing: Standing, old: Problem, vetoes: pl.DataFrame) -> Standing:
    """The pairs with more vetoes; the pairs are still those of the old problem."""
    if not vetoes.height:
        return standing
    known = vetoes.filter(vetoes["need_id"].is_in(old.demand["need_id"].implode()))
    known = known.filter(known["expert_id"].is_in(old.capacity["expert_id"].implode()))
    place = places(old, *codes(known, "changes", old))
    mark = standing.mark.copy()
    mark[place[place >= 0]] = VETOED
    keys = ["need_id", "expert_id"]
    barred = pl.concat([standing.barred, vetoes.select(*keys, because=pl.lit("veto"))])
    return replace(standing, mark=mark, barred=barred.unique(keys, keep="first", maintain_order=True))


def _scored(standing: Standing, old: Problem, scored: pl.DataFrame) -> Standing:
    """The pairs with new scores, and new pairs, whose needs and experts may be new as well."""
    from silian.engines.allocate import _flow

    if not scored.height:
        return standing
    new = standing.problem
    needs, experts = new.demand["need_id"], new.capacity["expert_id"]
    need, expert = code_of(needs, old.demand["need_id"]), code_of(experts, old.capacity["expert_id"])
    old = replace(new, row=need[old.row], column=expert[old.column])
    row, column = codes(scored, "changes", new)
    place, value = places(old, row, column), scored["value"].to_numpy()
    joined = scored.join(standing.barred, on=["need_id", "expert_id"], how="left", maintain_order="left")
    is_barred = joined["because"].is_not_null().to_numpy()
    unit = unit_of(float(value.max())) if value.max() > 0 else old.unit
    unit = min(unit, old.unit) if old.row.size else unit
    helps, is_known = np.rint(value * unit) > 0, place >= 0
    is_blocked, price = np.zeros(needs.len(), np.bool_), np.zeros(experts.len(), np.int64)
    is_blocked[need], price[expert] = standing.is_blocked, np.rint(standing.price * (unit / old.unit))
    is_blocked[row[helps & is_barred]] = True
    mark, score = standing.mark.copy(), old.pairs["score"].to_numpy().copy()
    rated, lost = place[is_known & helps], place[is_known & ~helps]
    score[rated], mark[rated] = value[is_known & helps], np.where(mark[rated] == UNSCORED, 0, mark[rated])
    mark[lost] = np.where(mark[lost] >= 0, UNSCORED, mark[lost])
    fresh = np.flatnonzero(~is_known & helps & ~is_barred)
    fresh = fresh[np.lexsort((column[fresh], row[fresh]))]
    width = experts.len()
    at = np.searchsorted(old.row * width + old.column, row[fresh] * width + column[fresh])
    ids = np.insert(old.row, at, row[fresh]), np.insert(old.column, at, column[fresh])
    problem = _graph(new, *ids, np.insert(score, at, value[fresh]), unit)
    mark = np.insert(mark, at, 0)
    mark[(problem.gain <= 0) & (mark >= 0)] = UNSCORED
    return replace(
        standing,
        problem=problem,
        turned=_flow.transpose(problem.start, problem.column, width),
        chosen=np.insert(standing.chosen, at, values=False),
        mark=mark,
        price=price,
        is_blocked=is_blocked,
    )


def _graph(problem: Problem, row: Whole, column: Whole, score: NDArray[np.float64], unit: float) -> Problem:
    """The problem with these pairs, which are sorted by row and column."""
    gain = np.rint(score * unit).astype(np.int64)
    codes_of = {"need": row.astype(np.uint32), "expert": column.astype(np.uint32)}
    pairs = pl.DataFrame({**codes_of, "score": score, "gain": gain})
    start = np.searchsorted(row, np.arange(problem.row_room.size + 1)).astype(np.int64)
    return replace(problem, pairs=pairs, unit=unit, start=start, row=row, column=column, gain=gain)


def _solved(standing: Standing, due: Whole, room: Whole) -> Standing:
    """The best choice in the order of `repair`, with these rooms of the needs."""
    from silian.engines.allocate import _flow

    p = standing.problem
    marked = np.flatnonzero(standing.mark)
    pinned, barred = marked[standing.mark[marked] == PINNED], marked[standing.mark[marked] < 0]
    first, held = standing.chosen.copy(), np.zeros(p.row.size, np.int64)
    first[pinned], first[barred] = True, False
    held[np.flatnonzero(first)], held[pinned], held[barred] = 1, _flow.PINNED, _flow.BARRED
    graph = _flow.Graph(p.start, p.column, p.row, p.gain, room, p.column_room)
    chosen, price = _flow.least_change(graph, standing.turned, held, due, first, standing.price)
    mark = standing.mark.copy()
    mark[pinned[~chosen[pinned]]] = 0
    return replace(standing, chosen=chosen, mark=mark, price=price)


def _broken(standing: Standing) -> pl.DataFrame:
    """The rules that the standing pairs break."""
    if standing.ruled is None:
        return pl.DataFrame(schema=NAMES)
    case = standing.ruled.case()
    return broken(case, held_of(case, standing.assigned))


def _within_rules(before: Standing, after: Standing, due: Whole, seconds: float | None) -> tuple[Standing, float]:
    """What stands after a repair, if it keeps the rules; else the best choice in the same order that does.

    Also how much better another with as few changes could be; inf: one with fewer changes could be.
    """
    if after.ruled is None:
        return after, 0.0
    case, p = after.ruled.case(), after.problem
    if not broken(case, held_of(case, after.assigned)).height:
        return after, 0.0
    had, must, removed = (
        held_of(case, rows_of(p, np.flatnonzero(those)))
        for those in (before.chosen & (before.mark >= 0), after.mark == PINNED, after.mark == REMOVED)
    )
    chosen, gap = choose(case, had, due, must=must, may=~removed, seconds=seconds)
    taken = case.pairs.filter(pl.Series(chosen))
    place = places(p, *(taken[side].to_numpy().astype(np.int64) for side in ("need", "expert")))
    flags = np.zeros(p.row.size, np.bool_)
    flags[place] = True
    return replace(after, chosen=flags), gap


def _reason(standing: Standing, moves: pl.DataFrame, place: Whole, is_add: Flags) -> NDArray[np.object_]:
    """Of each move why it may not be made; empty where it may."""
    p = standing.problem
    is_pinned = np.append(standing.mark == PINNED, False)
    is_pinned[place] = is_add
    is_pinned = is_pinned[:-1]
    row, column = codes(moves, "moves", p)
    is_over = [
        (np.bincount(code[is_pinned], minlength=room.size) > room)[at]
        for code, room, at in ((p.row, p.row_room, row), (p.column, p.column_room, column))
    ]
    barred = hindrance(standing, moves, place)
    stands = np.append(standing.chosen, False)[place]
    cases = [
        (~is_add & ~stands, "not_chosen"),
        (~is_add, ""),
        (barred != "", barred),
        (is_over[0] | is_over[1], "pinned"),
    ]
    return select(cases, "")


def _table(before: Standing, after: Standing, *, is_by_hand: Flags, is_named: Flags) -> pl.DataFrame:
    """Pairs removed and added, each with its reason. Both stand on the same pairs.

    is_by_hand : (pairs,), the moves; is_named : (needs,), whose wishes changed
    """
    p = after.problem
    removed, added = np.flatnonzero(before.chosen & ~after.chosen), np.flatnonzero(~before.chosen & after.chosen)
    stood = np.flatnonzero(before.chosen)
    is_over = [
        np.bincount(at[stood], minlength=room.size) > room
        for at, room in ((p.row, p.row_room), (p.column, p.column_room))
    ]
    causes = {
        "by_hand": is_by_hand[removed],
        "veto": after.mark[removed] == VETOED,
        "score": after.mark[removed] == UNSCORED,
        "free": is_over[1][p.column[removed]],
        "wanted": is_over[0][p.row[removed]],
    }
    out = np.select(list(causes.values()), list(causes), "exchange")
    has_lost, has_given = (np.zeros(p.row_room.size, np.bool_) for _ in range(2))
    has_lost[p.row[removed[(out != "exchange") & (out != "wanted")]]] = True
    has_given[p.row[removed[out == "exchange"]]] = True
    at = p.row[added]
    causes = {
        "by_hand": is_by_hand[added],
        "replacement": has_lost[at],
        "wanted": is_named[at],
        "exchange": has_given[at],
    }
    into = np.select(list(causes.values()), list(causes), "free_place")
    moved = rows_of(p, np.concatenate([removed, added])).select(
        "need_id",
        "expert_id",
        what=pl.Series(np.repeat(["removed", "added"], [removed.size, added.size]), dtype=pl.String),
        because=pl.Series(np.concatenate([out, into]), dtype=pl.String),
        score="score",
    )
    return moved.sort("need_id", "expert_id")


def _figures(before: Standing, after: Standing, table: pl.DataFrame, *, gap: float = 0.0) -> pl.DataFrame:
    """Totals and counts; scores are added as whole numbers, so .9 less .8 is .1."""
    was, now = (_total(standing) for standing in (before, after))
    added = int((table["what"] == "added").sum())
    return pl.DataFrame(
        {
            "total_before": [float(was)],
            "total": [float(now)],
            "difference": [float(now - was)],
            "kept": [int(after.chosen.sum()) - added],
            "removed": [table.height - added],
            "added": [added],
            "is_optimal": [gap == 0],
            "gap": pl.Series([gap if math.isfinite(gap) else None], dtype=pl.Float64),
        }
    )


def _total(standing: Standing) -> Fraction:
    gains = standing.problem.gain[np.flatnonzero(standing.chosen)]
    return Fraction(whole_sum(gains)) / Fraction(standing.problem.unit)
