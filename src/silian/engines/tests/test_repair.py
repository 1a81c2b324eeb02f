"""Facts of repair and edit: nobody moves who need not, a lost expert is replaced, hand-made moves cost what is said."""

from __future__ import annotations

import itertools
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian.engines.allocate import assign, edit, reopen, repair
from silian.engines.tests.small_tables import capacity_of, changes_of, demand_of, ids_of, moves_of, pairs_of
from silian.errors import ArgumentError, TableError


def pair_set(table):
    return set(table.select("need_id", "expert_id").rows())


# ── by hand ─────────────────────────────────────────────────────────────────────────────────────────────────────────

LINE = pairs_of([("n1", "e1", 0.9), ("n1", "e2", 0.5), ("n2", "e2", 0.8), ("n2", "e3", 0.3), ("n3", "e3", 0.7)])


def test_repair_replaces_a_lost_expert_through_the_shortest_exchange():
    demand, capacity = demand_of(n1=1, n2=1), capacity_of(e1=1, e2=1, e3=1)
    standing = reopen(ids_of([("n1", "e1"), ("n2", "e2")]), LINE[:4], demand, capacity)

    result = repair(standing, changes_of(("free", None, "e1", 0)))

    assert result.changes.rows() == [
        ("n1", "e1", "removed", "free", 0.9),
        ("n1", "e2", "added", "replacement", 0.5),
        ("n2", "e2", "removed", "exchange", 0.8),
        ("n2", "e3", "added", "exchange", 0.3),
    ]
    assert result.unmet.is_empty()
    assert result.figures.row(0) == (1.7, 0.8, -0.9, 0, 2, 2, True, 0.0)


def test_repair_moves_nobody_for_a_better_total():
    demand, capacity = demand_of(n1=1, n2=1), capacity_of(e1=2, e2=1, e3=1)
    by_hand = ids_of([("n1", "e2"), ("n2", "e3")])  # .8 where .9 + .8 could be

    result = repair(reopen(by_hand, LINE[:4], demand, capacity), changes_of(("free", None, "e1", 3)))

    assert result.changes.is_empty()
    assert result.figures.row(0) == (0.8, 0.8, 0.0, 2, 0, 0, True, 0.0)


def test_repair_does_not_fill_an_old_gap_by_moving_others_until_it_is_named():
    pairs, demand, capacity = (
        pairs_of([("n1", "e1", 0.9), ("n1", "e2", 0.1), ("n2", "e1", 0.1)]),
        demand_of(n1=1, n2=1),
        capacity_of(e1=1, e2=1),
    )
    standing = reopen(ids_of([("n1", "e1")]), pairs, demand, capacity)  # .9 is more than .1 + .1

    assert repair(standing, changes_of(("free", None, "e2", 2))).changes.is_empty()
    named = repair(standing, changes_of(("wanted", "n2", None, 1)))
    assert named.assigned.select("need_id", "expert_id").rows() == [("n1", "e2"), ("n2", "e1")]


def test_repair_uses_a_place_that_came_free():
    demand, capacity = demand_of(n1=1, n2=1), capacity_of(e1=0, e2=1)
    standing = reopen(ids_of([("n2", "e2")]), LINE[:3], demand, capacity)

    result = repair(standing, changes_of(("free", None, "e1", 1)))

    assert result.changes.rows() == [("n1", "e1", "added", "free_place", 0.9)]


def test_repair_keeps_the_pairs_that_lose_least_where_places_are_cut():
    pairs = pairs_of([("n1", "e1", 0.9), ("n2", "e1", 0.8), ("n2", "e2", 0.7), ("n3", "e1", 0.6)])
    standing = reopen(pairs[[0, 1, 3]], pairs, demand_of(n1=1, n2=1, n3=1), capacity_of(e1=3, e2=1))

    result = repair(standing, changes_of(("free", None, "e1", 2)))

    assert result.changes.rows() == [  # n3 has nobody else: its place would stay empty
        ("n2", "e1", "removed", "free", 0.8),
        ("n2", "e2", "added", "replacement", 0.7),
    ]


def test_repair_withdraws_a_need_and_adds_another():
    standing = reopen(
        ids_of([("n1", "e1"), ("n2", "e2")]), LINE[:4], demand_of(n1=1, n2=1), capacity_of(e1=1, e2=1, e3=1)
    )

    result = repair(
        standing,
        changes_of(
            ("wanted", "n2", None, 0),
            ("wanted", "n15", None, 2),
            ("score", "n15", "e2", 0.4),
            ("score", "n15", "e9", 0.6),
            ("free", None, "e9", 1),
        ),
    )

    assert result.changes.rows() == [
        ("n15", "e2", "added", "wanted", 0.4),
        ("n15", "e9", "added", "wanted", 0.6),
        ("n2", "e2", "removed", "wanted", 0.8),
    ]
    assert result.standing.problem.demand.rows() == [("n1", 1), ("n15", 2), ("n2", 0)]


def test_repair_never_brings_a_vetoed_or_conflicting_pair_back():
    conflicts = ids_of([("n3", "e3"), ("n1", "e7")])
    standing = reopen(
        ids_of([("n1", "e1")]), LINE, demand_of(n1=1, n2=0, n3=1), capacity_of(e1=1, e2=0, e3=1), conflicts=conflicts
    )

    vetoed = repair(standing, changes_of(("veto", "n1", "e1", None), ("score", "n3", "e3", 1.0)))
    again = repair(vetoed.standing, changes_of(("score", "n1", "e1", 1.0), ("free", None, "e1", 5)))

    assert vetoed.changes.rows() == [("n1", "e1", "removed", "veto", 0.9)]
    assert again.assigned.is_empty()
    assert again.unmet.rows() == [("n1", 1, "capacity"), ("n3", 1, "conflict")]  # e2 matches n1, but has no place


def test_repair_drops_a_pair_that_lost_its_score_and_takes_it_up_again():
    standing = reopen(ids_of([("n1", "e1")]), LINE[:1], demand_of(n1=1), capacity_of(e1=1))

    without = repair(standing, changes_of(("score", "n1", "e1", 0)))
    again = repair(without.standing, changes_of(("score", "n1", "e1", 12.5)))

    assert without.changes.rows() == [("n1", "e1", "removed", "score", 0.9)]
    assert without.unmet.rows() == [("n1", 1, "no_candidate")]
    assert again.assigned.rows() == [("n1", "e1", 12.5)]


def test_edit_shows_what_a_move_costs_and_whom_it_moves():
    demand, capacity = demand_of(n1=1, n2=1), capacity_of(e1=1, e2=1, e3=1)
    standing = reopen(ids_of([("n1", "e1"), ("n2", "e2")]), LINE[:4], demand, capacity)

    preview = edit(standing, moves_of(("add", "n1", "e2")))

    assert preview.verdict.rows() == [("add", "n1", "e2", True, "")]
    assert preview.changes.rows() == [
        ("n1", "e1", "removed", "exchange", 0.9),
        ("n1", "e2", "added", "by_hand", 0.5),
        ("n2", "e2", "removed", "exchange", 0.8),
        ("n2", "e3", "added", "exchange", 0.3),
    ]
    assert preview.figures["difference"].item() == -0.9
    assert standing.assigned.rows() == [("n1", "e1", 0.9), ("n2", "e2", 0.8)]


def test_edit_swaps_two_pairs_and_moves_nobody_else():
    pairs = pairs_of([("n1", "e1", 0.9), ("n1", "e2", 0.5), ("n2", "e1", 0.4), ("n2", "e2", 0.8), ("n2", "e3", 0.7)])
    standing = reopen(pairs[[0, 3]], pairs, demand_of(n1=1, n2=1), capacity_of(e1=1, e2=1, e3=1))

    swap = moves_of(("remove", "n1", "e1"), ("add", "n1", "e2"), ("remove", "n2", "e2"), ("add", "n2", "e1"))
    preview = edit(standing, swap)

    assert set(preview.changes["because"]) == {"by_hand"}
    assert preview.standing.assigned.rows() == [("n1", "e2", 0.5), ("n2", "e1", 0.4)]


def test_edit_removes_without_filling_and_repair_keeps_it_out_until_put_back():
    standing = reopen(ids_of([("n1", "e1")]), LINE[:2], demand_of(n1=1), capacity_of(e1=1, e2=1))

    removed = edit(standing, moves_of(("remove", "n1", "e1")))
    repaired = repair(removed.standing, changes_of())
    back = edit(repaired.standing, moves_of(("add", "n1", "e1")))

    assert removed.standing.unmet.rows() == [("n1", 1, "capacity")]
    assert repaired.assigned.rows() == [("n1", "e2", 0.5)]
    assert back.standing.assigned.rows() == [("n1", "e1", 0.9)]


def test_edit_pins_what_it_adds_against_later_repairs():
    pairs = pairs_of([("n1", "e1", 0.1), ("n2", "e1", 0.9)])
    standing = reopen(ids_of([("n2", "e1")]), pairs, demand_of(n1=1, n2=1), capacity_of(e1=1))

    pinned = edit(standing, moves_of(("add", "n1", "e1"))).standing
    later = repair(pinned, changes_of(("wanted", "n2", None, 1)))
    gone = repair(later.standing, changes_of(("free", None, "e1", 0)))

    assert later.assigned.rows() == [("n1", "e1", 0.1)]
    assert gone.assigned.is_empty()


@pytest.mark.parametrize(
    ("move", "reason"),
    [
        (("add", "n1", "e3"), "conflict"),
        (("add", "n1", "e4"), "veto"),
        (("add", "n2", "e1"), "no_score"),
        (("add", "n3", "e1"), "not_wanted"),
        (("add", "n1", "e5"), "no_place"),
        (("add", "n2", "e2"), "pinned"),
        (("remove", "n1", "e2"), "not_chosen"),
    ],
)
def test_edit_says_why_a_move_may_not_be_made(move, reason):
    pairs = pairs_of(
        [("n1", f"e{k}", 0.5) for k in range(1, 6)] + [("n2", "e2", 0.5), ("n2", "e6", 0.5), ("n3", "e1", 0.5)]
    )
    demand, capacity = demand_of(n1=1, n2=1, n3=0), capacity_of(e1=1, e2=1, e3=1, e4=1, e5=0, e6=1)
    standing = reopen(ids_of([("n1", "e1"), ("n2", "e6")]), pairs, demand, capacity, conflicts=ids_of([("n1", "e3")]))
    standing = repair(standing, changes_of(("veto", "n1", "e4", None))).standing
    standing = edit(standing, moves_of(("add", "n2", "e6"))).standing

    refused = edit(standing, moves_of(move))

    assert refused.verdict.rows() == [(*move, False, reason)]
    assert refused.changes.is_empty()
    assert refused.standing is standing
    assert refused.figures["difference"].item() == 0


# ── beside slow sure methods ────────────────────────────────────────────────────────────────────────────────────────


def exhaustive(pairs, wanted, free, had, named, pinned):
    """The best choice in the order that `repair` states, by trying all; pairs: score by (need, expert), if allowed."""
    rows = sorted(pairs)
    due = {n: wanted[n] if n in named else min(sum(m == n for m, _ in had), wanted[n]) for n in wanted}
    best, found = None, []
    for mask in itertools.product((True, False), repeat=len(rows)):
        taken = list(itertools.compress(rows, mask))
        got = {n: sum(m == n for m, _ in taken) for n in wanted}
        load = {e: sum(m == e for _, m in taken) for e in free}
        if any(got[n] > wanted[n] for n in wanted) or any(load[e] > free[e] for e in free):
            continue
        key = (
            len(pinned & set(taken)),
            sum(min(got[n], due[n]) for n in wanted),
            len(had & set(taken)),
            sum(round(pairs[p] * 10**12) for p in taken),
        )
        if best is None or key > best:
            best, found = key, taken
    return found


TIED = st.integers(1, 6).map(lambda k: k / 10)


@st.composite
def stories(draw):
    """A small case that stands in some way, and a few rounds of changes."""
    needs, experts = ([f"{c}{i}" for i in range(draw(st.integers(1, 4)))] for c in "ne")
    every = list(itertools.product(needs, experts))
    kept = draw(st.lists(st.sampled_from(every), unique=True, max_size=9))
    scores = {p: draw(TIED) for p in kept}
    wanted, free = ({k: draw(st.integers(0, 3)) for k in ids} for ids in (needs, experts))
    conflicts = set(draw(st.lists(st.sampled_from(every), unique=True, max_size=2)))
    stands = set()
    for n, e in sorted(scores) if draw(st.booleans()) else draw(st.permutations(kept)):
        full = sum(m == n for m, _ in stands) >= wanted[n] or sum(m == e for _, m in stands) >= free[e]
        if not full and (n, e) not in conflicts and draw(st.integers(0, 3)):
            stands.add((n, e))
    rounds = []
    for _ in range(draw(st.integers(1, 3))):
        rows = {}
        for _ in range(draw(st.integers(0, 3))):
            kind = draw(st.sampled_from(["free", "wanted", "score", "veto"]))
            n, e = draw(st.sampled_from(every))
            n, e = (None if kind == "free" else n), (None if kind == "wanted" else e)
            value = (
                None if kind == "veto" else draw(TIED | st.just(0.0)) if kind == "score" else draw(st.integers(0, 3))
            )
            rows[n, e] = (kind, n, e, value)
        rounds.append(list(rows.values()))
    return scores, wanted, free, conflicts, stands, rounds


def tables_of(scores, wanted, free):
    pairs = pairs_of([(n, e, s) for (n, e), s in scores.items()])
    return pairs, demand_of(**wanted), capacity_of(**free)


@settings(max_examples=120, deadline=None)
@given(stories())
def test_repair_equals_exhaustive_search_over_a_story_of_changes(story):
    scores, wanted, free, conflicts, stands, rounds = story
    standing = reopen(ids_of(sorted(stands)), *tables_of(scores, wanted, free), conflicts=ids_of(sorted(conflicts)))
    barred = set(conflicts)

    for rows in rounds:
        result = repair(standing, changes_of(*rows))
        for kind, n, e, value in rows:
            if kind == "free":
                free[e] = value
            elif kind == "wanted":
                wanted[n] = value
            elif kind == "veto":
                barred.add((n, e))
            else:
                scores[n, e] = value
        allowed = {p: s for p, s in scores.items() if s > 0 and p not in barred}
        named = {n for kind, n, _, _ in rows if kind == "wanted"}
        expected = exhaustive(allowed, wanted, free, stands, named, set())

        assert result.assigned.rows() == [(n, e, scores[n, e]) for n, e in expected]
        moved = {what: pair_set(result.changes.filter(what=what)) for what in ("removed", "added")}
        assert moved == {"removed": stands - set(expected), "added": set(expected) - stands}
        assert result.figures["kept"].item() == len(stands & set(expected))
        missing = {n: w - sum(m == n for m, _ in expected) for n, w in wanted.items()}
        assert dict(result.unmet.select("need_id", "missing").rows()) == {n: k for n, k in missing.items() if k}
        stands, standing = set(expected), result.standing


@settings(max_examples=100, deadline=None)
@given(stories(), st.data())
def test_edit_equals_exhaustive_search_where_only_what_must_move_moves(story, data):
    scores, wanted, free, conflicts, stands, _ = story
    allowed = {p: s for p, s in scores.items() if p not in conflicts and wanted[p[0]] and free[p[1]]}
    standing = reopen(ids_of(sorted(stands)), *tables_of(scores, wanted, free), conflicts=ids_of(sorted(conflicts)))
    choices = [("remove", *p) for p in sorted(stands)] + [("add", *p) for p in sorted(allowed)]
    moves = (
        data.draw(st.lists(st.sampled_from(choices), unique_by=lambda m: m[1:], min_size=1, max_size=2))
        if choices
        else []
    )
    result = edit(standing, moves_of(*moves))
    if not result.verdict["is_allowed"].all():
        assert set(result.verdict["reason"]) <= {"", "pinned"}
        return

    added, removed = ({(n, e) for what, n, e in moves if what == w} for w in ("add", "remove"))
    count = {n: sum(m == n for m, _ in stands - removed | added) for n in wanted}
    count = {n: min(k, wanted[n]) for n, k in count.items()}
    left = {p: s for p, s in scores.items() if p not in conflicts | removed}
    expected = exhaustive(left, count, free, stands | added, set(count), added)

    assert result.standing.assigned.select("need_id", "expert_id").rows() == expected
    before, after = (math.fsum(scores[p] for p in pairs) for pairs in (stands, expected))
    assert result.figures["difference"].item() == pytest.approx(after - before, abs=1e-12)


def weighted_optimum(pairs, demand, capacity, had, due):
    """The best of (due places, held pairs, total) by scipy's HiGHS, one after the other."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, eye_array, hstack, vstack

    code = [{v: i for i, v in enumerate(t[c])} for t, c in ((demand, "need_id"), (capacity, "expert_id"))]
    at = [np.array([c[v] for v in pairs[k]]) for c, k in zip(code, ("need_id", "expert_id"), strict=True)]
    count, needs = pairs.height, demand.height
    row, column = (
        csr_array((np.ones(count), (a, np.arange(count))), shape=(len(c), count)) for a, c in zip(at, code, strict=True)
    )
    empty = csr_array((capacity.height, needs))
    sides = [hstack([row, csr_array((needs, needs))]), hstack([column, empty]), hstack([-row, eye_array(needs)])]
    room = [demand["wanted"].to_numpy(), capacity["free"].to_numpy(), np.zeros(needs)]
    held = np.array([p in had for p in pairs.select("need_id", "expert_id").rows()], float)
    none, bounds = np.zeros(needs), [(0, 1)] * count + [(0, int(d)) for d in due]
    goals = [
        np.concatenate([np.zeros(count), np.ones(needs)]),
        np.concatenate([held, none]),
        np.concatenate([pairs["score"].to_numpy(), none]),
    ]
    values = []
    for goal in goals:
        matrix, limit = vstack(sides), np.concatenate(room)
        found = linprog(-goal, A_ub=matrix, b_ub=limit, bounds=bounds, method="highs")
        values.append(-found.fun)
        sides.append(csr_array(-goal[None, :]))
        room.append(np.array([np.round(found.fun) + 1e-6]))  # the first two are whole numbers
    return values


@pytest.mark.parametrize("seed", range(6))
def test_repair_equals_the_linear_programs_on_larger_cases(seed):
    rng = np.random.default_rng(seed)
    rows = [
        (f"n{i:02}", f"e{j:02}", float(np.round(rng.random() + 0.01, 3)))
        for i in range(60)
        for j in rng.choice(25, 6, replace=False)
    ]
    pairs, demand = pairs_of(rows), demand_of(**{f"n{i:02}": int(rng.integers(0, 4)) for i in range(60)})
    capacity = capacity_of(**{f"e{j:02}": int(rng.integers(0, 5 + 2 * (seed % 3))) for j in range(25)})
    first = assign(pairs, demand, capacity)
    standing = reopen(first.assigned, pairs, demand, capacity, prices=first.prices)
    assert repair(standing, changes_of()).assigned.equals(first.assigned)

    for step in range(3):
        had = pair_set(standing.assigned)
        out, cut, more = (int(k) for k in rng.choice(25, 3, replace=False))
        gone, new = (f"n{k:02}" for k in rng.choice(60, 2, replace=False))
        told = [
            ("free", None, f"e{out:02}", 0),
            ("free", None, f"e{cut:02}", 1),
            ("free", None, f"e{more:02}", 6),
            ("wanted", gone, None, 0),
            ("wanted", new, None, 4),
        ]
        vetoed = sorted(had)[step * 7]
        result = repair(standing, changes_of(*told, ("veto", *vetoed, None)))
        pairs = pairs.filter(~((pl.col("need_id") == vetoed[0]) & (pl.col("expert_id") == vetoed[1])))
        problem = result.standing.problem
        count = {n: sum(m == n for m, _ in had) for n in problem.demand["need_id"]}
        due = [w if n == new else min(count[n], w) for n, w in problem.demand.rows()]
        filled, held, total = weighted_optimum(pairs, problem.demand, problem.capacity, had, due)

        got = dict(result.assigned.group_by("need_id").len().rows())
        assert sum(min(got.get(n, 0), d) for n, d in zip(problem.demand["need_id"], due, strict=True)) == round(filled)
        assert len(had & pair_set(result.assigned)) == round(held)
        assert result.figures["total"].item() == pytest.approx(total, abs=1e-5)
        assert (np.array([got.get(n, 0) for n in problem.demand["need_id"]]) <= problem.row_room).all()
        standing = result.standing


@settings(max_examples=40, deadline=None)
@given(stories())
def test_repair_does_not_depend_on_prices_or_the_order_of_rows(story):
    scores, wanted, free, conflicts, stands, rounds = story
    pairs, demand, capacity = tables_of(scores, wanted, free)
    prices = pl.DataFrame({"side": ["expert"] * len(free), "id": list(free), "price": [0.3] * len(free)})
    changes, given_conflicts = changes_of(*rounds[0]), ids_of(sorted(conflicts))

    one = repair(reopen(ids_of(sorted(stands)), pairs, demand, capacity, conflicts=given_conflicts), changes)
    other = repair(
        reopen(
            ids_of(sorted(stands)[::-1]),
            pairs[::-1],
            demand[::-1],
            capacity[::-1],
            conflicts=given_conflicts,
            prices=prices,
        ),
        changes[::-1],
    )

    for name in ("assigned", "unmet", "changes", "figures"):
        assert_frame_equal(getattr(one, name), getattr(other, name))


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────────────────────

HERE = (LINE, demand_of(n1=1, n2=1, n3=1), capacity_of(e1=1, e2=1, e3=1))


@pytest.mark.parametrize(
    ("assigned", "code"),
    [
        ([("n1", "e9")], r"table\.unknown.*assigned\.expert_id"),
        ([("n9", "e1")], r"table\.unknown.*assigned\.need_id"),
        ([("n1", "e1"), ("n1", "e1")], r"table\.duplicate.*assigned"),
        ([("n3", "e1")], r"allocate\.pair.*n3"),
        ([("n2", "e3")], r"allocate\.pair.*n2"),
        ([("n1", "e1"), ("n1", "e2")], r"allocate\.room.*need.*n1"),
        ([("n1", "e2"), ("n2", "e2")], r"allocate\.room.*expert.*e2"),
    ],
)
def test_reopen_refuses_an_allocation_that_does_not_fit(assigned, code):
    with pytest.raises(TableError, match=code):
        reopen(ids_of(assigned), *HERE, conflicts=ids_of([("n2", "e3")]))


def test_reopen_refuses_prices_below_0():
    prices = pl.DataFrame({"side": ["expert"], "id": ["e1"], "price": [-1.0]})

    with pytest.raises(TableError, match=r"table\.value.*prices\.price"):
        reopen(ids_of([]), *HERE, prices=prices)


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([("drop", None, "e1", 0)], r"table\.value.*changes\.kind"),
        ([("free", None, None, 0)], r"table\.value.*changes\.expert_id.*empty"),
        ([("free", "n1", "e1", 0)], r"table\.value.*changes\.need_id.*filled"),
        ([("wanted", "n1", None, None)], r"table\.value.*changes\.value.*empty"),
        ([("veto", "n1", "e1", 1.0)], r"table\.value.*changes\.value.*filled"),
        ([("free", None, "e1", -1)], r"table\.value.*changes\.value.*below 0"),
        ([("wanted", "n1", None, 1.5)], r"table\.value.*changes\.value.*not whole"),
        ([("score", "n1", "e1", math.nan)], r"table\.value.*changes\.value.*not finite"),
        ([("free", None, "e1", 0), ("free", None, "e1", 1)], r"table\.duplicate.*changes"),
        ([("veto", "n1", "e1", None), ("score", "n1", "e1", 1.0)], r"table\.duplicate.*changes"),
        ([("free", None, "e9", 0)], r"table\.unknown.*changes\.expert_id.*e9"),
        ([("wanted", "n9", None, 2)], r"table\.unknown.*changes\.need_id.*n9"),
        ([("score", "n9", "e1", 0.5)], r"table\.unknown.*changes\.need_id.*n9"),
        ([("veto", "n1", "e9", None)], r"table\.unknown.*changes\.expert_id.*e9"),
    ],
)
def test_repair_refuses_changes_that_make_no_sense(rows, code):
    with pytest.raises(TableError, match=code):
        repair(reopen(ids_of([("n1", "e1")]), *HERE), changes_of(*rows))


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([("move", "n1", "e1")], r"table\.value.*moves\.what"),
        ([("add", "n9", "e1")], r"table\.unknown.*moves\.need_id"),
        ([("add", "n1", "e1"), ("remove", "n1", "e1")], r"table\.duplicate.*moves"),
    ],
)
def test_edit_refuses_moves_that_make_no_sense(rows, code):
    with pytest.raises(TableError, match=code):
        edit(reopen(ids_of([("n1", "e1")]), *HERE), moves_of(*rows))


def test_repair_refuses_no_time_at_all():
    with pytest.raises(ArgumentError, match=r"argument\.value.*seconds"):
        repair(reopen(ids_of([]), *HERE), changes_of(), seconds=0)
