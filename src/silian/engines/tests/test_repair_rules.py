"""Facts of repair and edit under rules: none is ever broken, and the order of repair holds within them."""

from __future__ import annotations

import itertools

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian.engines.allocate import Rules, assign, edit, fewest, reopen, repair
from silian.engines.tests.small_rules import ruled_case
from silian.engines.tests.small_tables import capacity_of, changes_of, demand_of, ids_of, moves_of, pairs_of
from silian.errors import TableError

ONE_OF_A_SCHOOL = pl.DataFrame(
    [{"name": "school", "need_group": "need_id", "expert_group": "school", "at_most": 1.0}],
)
PAIRS = pairs_of([("n1", "e1", 0.9), ("n1", "e2", 0.8), ("n1", "e3", 0.7), ("n1", "e4", 0.2), ("n2", "e4", 0.6)])
CAPACITY = capacity_of(e1=1, e2=1, e3=1, e4=1).with_columns(school=pl.Series(["a", "b", "b", "c"]))


def test_repair_replaces_by_the_best_whom_the_rules_allow():
    rules, demand = Rules(quotas=ONE_OF_A_SCHOOL), demand_of(n1=2, n2=1)
    standing = reopen(assign(PAIRS, demand, CAPACITY, rules=rules).assigned, PAIRS, demand, CAPACITY, rules=rules)

    result = repair(standing, changes_of(("free", None, "e1", 0)))

    # e3 is of e2's school: n1 gets e4 only if n2 gives it up, which fills no place more
    assert result.assigned.select("need_id", "expert_id").rows() == [("n1", "e2"), ("n2", "e4")]
    assert result.changes["what"].to_list() == ["removed"]


def test_repair_keeps_a_need_with_its_floor_and_lets_the_floor_sink_with_the_wish():
    demand = demand_of(n1=1, n2=1).with_columns(at_least=pl.Series([1, 0]))
    pairs = pairs_of([("n1", "e1", 0.1), ("n2", "e1", 0.9), ("n2", "e2", 0.8)])
    standing = reopen(ids_of([("n1", "e1"), ("n2", "e2")]), pairs, demand, capacity_of(e1=1, e2=1))

    assert repair(standing, changes_of(("free", None, "e2", 0))).assigned.rows() == [("n1", "e1", 0.1)]
    withdrawn = repair(standing, changes_of(("wanted", "n1", None, 0)))
    assert withdrawn.assigned.select("need_id", "expert_id").rows() == [("n2", "e2")]
    with pytest.raises(TableError, match=r"allocate\.clash"):
        repair(standing, changes_of(("free", None, "e1", 0)))


def test_repair_never_gives_a_pin_up_in_silence():
    rules = Rules(pins=ids_of([("n1", "e1")]))
    standing = reopen(ids_of([("n1", "e1")]), PAIRS, demand_of(n1=1, n2=1), CAPACITY, rules=rules)

    with pytest.raises(TableError, match=r"allocate\.clash"):
        repair(standing, changes_of(("free", None, "e1", 0)))
    assert edit(standing, moves_of(("remove", "n1", "e1"))).verdict["reason"].item() == "rule"


def test_edit_refuses_a_move_that_breaks_a_rule_and_names_it():
    rules = Rules(quotas=ONE_OF_A_SCHOOL, vetoes=ids_of([("n1", "e4")]))
    standing = reopen(ids_of([("n1", "e1"), ("n1", "e2")]), PAIRS, demand_of(n1=3, n2=0), CAPACITY, rules=rules)

    refused = edit(standing, moves_of(("add", "n1", "e3")))
    swapped = edit(standing, moves_of(("remove", "n1", "e2"), ("add", "n1", "e3")))

    assert refused.verdict.rows() == [("add", "n1", "e3", False, "rule")]
    assert refused.broken.select("name", "need", "expert").rows() == [("school", "n1", "b")]
    assert refused.standing is standing
    assert swapped.broken.is_empty()
    assert swapped.standing.assigned.select("expert_id").rows() == [("e1",), ("e3",)]
    assert edit(standing, moves_of(("add", "n1", "e4"))).verdict["reason"].item() == "veto"


def test_repair_says_that_hands_and_rules_do_not_go_together():
    demand = demand_of(n1=1, n2=1).with_columns(at_least=pl.Series([0, 1]))
    pairs = pairs_of([("n1", "e1", 0.5), ("n2", "e1", 0.5), ("n2", "e2", 0.5)])
    standing = reopen(ids_of([("n2", "e2")]), pairs, demand, capacity_of(e1=1, e2=1))
    by_hand = edit(standing, moves_of(("add", "n1", "e1"))).standing

    with pytest.raises(TableError, match=r"allocate\.by_hand"):
        repair(by_hand, changes_of(("free", None, "e2", 0)))


def test_reopen_counts_places_taken_elsewhere_and_refuses_broken_rules():
    taken = pl.DataFrame({"expert_id": ["e1"], "assigned": [1]})
    demand, both, vetoed = demand_of(n1=2, n2=1), ids_of([("n1", "e2"), ("n1", "e3")]), ids_of([("n1", "e4")])

    with pytest.raises(TableError, match=r"allocate\.room.*e1"):
        reopen(ids_of([("n1", "e1")]), PAIRS, demand, CAPACITY, rules=Rules(taken=taken))
    with pytest.raises(TableError, match=r"allocate\.rules.*school n1 b"):
        reopen(both, PAIRS, demand, CAPACITY, rules=Rules(quotas=ONE_OF_A_SCHOOL))
    with pytest.raises(TableError, match=r"allocate\.rules.*pin.*n1.*e1"):
        reopen(both, PAIRS, demand, CAPACITY, rules=Rules(pins=ids_of([("n1", "e1")])))
    with pytest.raises(TableError, match=r"allocate\.pair.*n1.*e4"):
        reopen(vetoed, PAIRS, demand, CAPACITY, rules=Rules(vetoes=vetoed))


@st.composite
def cases(draw):
    """Up to 3 needs and 4 experts of two schools, at most one or two of a school, and one change."""
    needs, experts = ([f"{c}{i}" for i in range(draw(st.integers(1, n)))] for c, n in (("n", 3), ("e", 4)))
    every = list(itertools.product(needs, experts))
    scores = {p: draw(st.integers(1, 6)) / 10 for p in draw(st.lists(st.sampled_from(every), unique=True, max_size=8))}
    wanted, free = ({k: draw(st.integers(0, 3)) for k in ids} for ids in (needs, experts))
    school = {e: draw(st.sampled_from("ab")) for e in experts}
    most = draw(st.integers(1, 2))
    kind = draw(st.sampled_from(["free", "wanted", "veto"]))
    n, e = draw(st.sampled_from(every))
    value = None if kind == "veto" else draw(st.integers(0, 3))
    change = (kind, None if kind == "free" else n, None if kind == "wanted" else e, value)
    return scores, wanted, free, school, most, change


@settings(max_examples=60, deadline=None)
@given(cases(), st.sampled_from([0, 5_000]))
def test_repair_under_rules_equals_exhaustive_search(case, few):
    scores, wanted, free, school, most, change = case
    capacity = capacity_of(**free).with_columns(school=pl.Series([school[e] for e in free]))
    rules = Rules(quotas=ONE_OF_A_SCHOOL.with_columns(at_most=pl.lit(float(most))))
    pairs, demand = pairs_of([(*p, s) for p, s in scores.items()]), demand_of(**wanted)
    first = assign(pairs, demand, capacity, rules=rules)
    had = set(first.assigned.select("need_id", "expert_id").rows())

    standing = reopen(first.assigned, pairs, demand, capacity, rules=rules)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fewest, "_FEW", few)  # 0: as with many pairs
        result = repair(standing, changes_of(change))

    assert result.figures["is_optimal"].item()
    kind, n, e, value = change
    due = {k: sum(m == k for m, _ in had) for k in wanted}
    if kind == "free":
        free[e] = value
    elif kind == "wanted":
        wanted[n] = due[n] = value
    allowed = sorted(p for p in scores if kind != "veto" or p != (n, e))
    assume(len(allowed) <= 8)
    best = None
    for mask in itertools.product((True, False), repeat=len(allowed)):
        taken = list(itertools.compress(allowed, mask))
        got = {k: sum(m == k for m, _ in taken) for k in wanted}
        load = {k: sum(m == k for _, m in taken) for k in free}
        by_school = [(m, school[k]) for m, k in taken]
        if any(got[k] > wanted[k] for k in wanted) or any(load[k] > free[k] for k in free):
            continue
        if any(by_school.count(k) > most for k in by_school):
            continue
        total = sum(round(scores[p] * 10) for p in taken)
        key = sum(min(got[k], due[k]) for k in wanted), len(had & set(taken)), total
        best = max(best or key, key)
    now = set(result.assigned.select("need_id", "expert_id").rows())
    filled = sum(min(sum(m == k for m, _ in now), due[k]) for k in wanted)
    assert (filled, len(had & now), sum(round(scores[p] * 10) for p in now)) == best
    counts = [(m, school[k]) for m, k in now]
    assert all(counts.count(k) <= most for k in counts)


@pytest.mark.parametrize("seed", range(3))
def test_repair_of_many_pairs_equals_the_search_over_all_of_them(seed, monkeypatch):
    pairs, demand, capacity, _, rules = ruled_case(seed)
    first = assign(pairs, demand, capacity, rules=rules)
    standing = reopen(first.assigned, pairs, demand, capacity, rules=rules)
    busiest = first.assigned["expert_id"].value_counts().sort("count", "expert_id")["expert_id"][-1]
    changes = changes_of(
        ("free", None, busiest, 1), ("wanted", "n003", None, 3), ("veto", *first.assigned.row(9)[:2], None)
    )

    plain = repair(standing, changes)
    monkeypatch.setattr(fewest, "_FEW", 0)
    core = repair(standing, changes)

    assert plain.figures["is_optimal"].item()
    assert core.figures["is_optimal"].item()
    figures = ["kept", "removed", "added"]
    assert core.figures.select(figures).row(0) == plain.figures.select(figures).row(0)
    assert core.figures["total"].item() == pytest.approx(plain.figures["total"].item(), abs=1e-6)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 3), st.randoms(use_true_random=False))
def test_repair_under_rules_does_not_depend_on_the_order_of_rows(seed, random):
    pairs, demand, capacity, _, rules = ruled_case(seed, needs=12, experts=8, candidates=5)
    pairs = pairs.with_columns(score=pl.col("score").round(1) + 0.1)  # many ties
    shuffled = [t.sample(fraction=1.0, shuffle=True, seed=random.randrange(99)) for t in (pairs, demand, capacity)]
    quotas = rules.quotas.sample(fraction=1.0, shuffle=True, seed=random.randrange(99))
    first = assign(pairs, demand, capacity, rules=rules)
    again = assign(*shuffled, rules=Rules(quotas=quotas))
    change = changes_of(("veto", *first.assigned.row(0)[:2], None))

    one = repair(reopen(first.assigned, pairs, demand, capacity, rules=rules), change)
    other = repair(reopen(again.assigned, *shuffled, rules=Rules(quotas=quotas)), change)

    assert_frame_equal(again.assigned, first.assigned)
    assert_frame_equal(other.assigned, one.assigned)
