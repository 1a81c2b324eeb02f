"""Conflicts of interest: which pairs of need and expert must not come together."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian.engines.allocate import ConflictRules, conflicts
from silian.errors import ArgumentError, TableError
from silian.tables import synth
from silian.tables.schema import results


def table(**columns):
    return pl.DataFrame(columns)


ON = date(2026, 3, 1)
NEEDS = table(need_id=["n1", "n2"], org_id=["firm", None])


def relations_of(*rows):
    names = ["relation_id", "kind", "left_noun", "left_id", "right_noun", "right_id", "until_on"]
    schema = dict.fromkeys(names, pl.String) | {"until_on": pl.Date}
    return pl.DataFrame([(*row, *[None] * (7 - len(row))) for row in rows], schema=schema, orient="row")


def found(experts, relations=None, **settings):
    rows = conflicts(NEEDS, experts, relations_of() if relations is None else relations, on=ON, **settings)
    assert rows.schema == results()["conflicts"].polars
    return [row[1:] for row in rows.rows()]


def test_conflicts_finds_the_same_employer():
    assert found(table(expert_id=["e2", "e1", "e3"], org_id=["firm", None, "other"])) == [
        ("e2", "employment", "employment firm")
    ]


@pytest.mark.parametrize("kind", ["employment", "shareholding", "contract"])
def test_conflicts_counts_a_direct_relation_from_either_side(kind):
    experts = table(expert_id=["e1", "e2"], org_id=["school", "school"])
    relations = relations_of(
        ("r1", kind, "expert", "e1", "organisation", "firm"), ("r2", kind, "organisation", "firm", "expert", "e2")
    )

    assert found(experts, relations) == [("e1", kind, f"{kind} r1 firm"), ("e2", kind, f"{kind} r2 firm")]


def test_conflicts_forgets_what_ended_before_the_years():
    experts = table(expert_id=["e1", "e2", "e3"], org_id=[None, None, None]).with_columns(
        pl.col("org_id").cast(pl.String)
    )
    relations = relations_of(
        ("r1", "contract", "expert", "e1", "organisation", "firm", date(2023, 2, 28)),
        ("r2", "contract", "expert", "e2", "organisation", "firm", date(2023, 3, 1)),
        ("r3", "contract", "expert", "e3", "organisation", "firm", None),
    )

    assert [row[0] for row in found(experts, relations)] == ["e2", "e3"]
    assert [row[0] for row in found(experts, relations, years=4)] == ["e1", "e2", "e3"]
    assert [row[0] for row in found(experts, relations, years=0)] == ["e3"]
    assert conflicts(NEEDS, experts, relations)["expert_id"].to_list() == ["e1", "e2", "e3"]


@pytest.mark.parametrize("kind", ["family", "adviser", "coauthor"])
def test_conflicts_counts_a_near_person_employed_there(kind):
    experts = table(expert_id=["e1", "e2", "e3"], org_id=["school", "firm", "school"])
    relations = relations_of(("r1", kind, "expert", "e2", "expert", "e1"), ("r2", kind, "expert", "e3", "expert", "e1"))

    assert found(experts, relations) == [
        ("e1", kind, f"{kind} r1 e2 > employment firm"),
        ("e2", "employment", "employment firm"),
    ]


def test_conflicts_counts_shares_between_organisations_but_no_contract_and_no_cooperation():
    experts = table(expert_id=["e1", "e2", "e3"], org_id=["a", "b", "c"])
    relations = relations_of(
        ("r1", "shareholding", "organisation", "a", "organisation", "firm"),
        ("r2", "contract", "organisation", "b", "organisation", "firm"),
        ("r3", "cooperation", "expert", "e3", "organisation", "firm"),
    )

    assert found(experts, relations) == [("e1", "shareholding", "employment a > shareholding r1 firm")]
    wide = ConflictRules(direct=("cooperation",), corporate=("contract",))
    assert [row[0] for row in found(experts, relations, rules=wide)] == ["e2", "e3"]


def test_conflicts_takes_branch_parent_and_merged_rows_for_one_body():
    organisations = table(
        org_id=["firm", "branch", "desk", "twin", "other"],
        parent_org_id=[None, "firm", "branch", None, None],
        canonical_id=["firm", "branch", "desk", "firm", "other"],
    )
    experts = table(expert_id=["e1", "e2", "e3"], org_id=["desk", "twin", "other"])

    assert found(experts, organisations=organisations) == [
        ("e1", "employment", "employment desk > body branch"),
        ("e2", "employment", "employment twin > body branch"),
    ]
    assert found(experts, organisations=organisations, rules=ConflictRules(one_body=False)) == []


def test_conflicts_lists_every_reason_and_names_the_gravest():
    experts = table(expert_id=["e1", "e2"], org_id=["school", "firm"])
    relations = relations_of(
        ("r1", "coauthor", "expert", "e1", "expert", "e2"),
        ("r2", "contract", "expert", "e1", "organisation", "firm"),
        ("r3", "shareholding", "expert", "e1", "organisation", "firm"),
    )

    assert found(experts, relations)[0] == (
        "e1",
        "shareholding",
        "shareholding r3 firm; contract r2 firm; coauthor r1 e2 > employment firm",
    )


def test_conflicts_of_empty_tables_is_empty():
    nobody = pl.DataFrame(schema={"expert_id": pl.String, "org_id": pl.String})

    assert found(nobody) == []
    assert conflicts(NEEDS.clear(), table(expert_id=["e1"], org_id=["firm"]), relations_of()).is_empty()


def slow_conflicts(needs, experts, relations, years, works=()):
    """Pairs by looking at every need, expert and relation. experts: id, employer, person, likely, is known."""
    people = experts.rows()
    oldest = ON.replace(year=ON.year - years)
    live = [r for r in relations.rows() if r[6] is None or r[6] >= oldest]
    both = [(k, *a, *b) for _, k, an, ai, bn, bi, _ in live for a, b in (((an, ai), (bn, bi)), ((bn, bi), (an, ai)))]
    known = {e for e, *_ in people}
    written = [(e, w) for e, w, year in works if year is None or year >= ON.year - years]
    pairs = [(e, o) for e, w in written for o, v in written if w == v and e != o]
    both += [("coauthor", "expert", e, "expert", o) for e, o in pairs]
    own = {e: {o} - {None} for e, o, *_ in people}
    for kind, an, a, bn, b in both:
        if kind == "employment" and (an, bn) == ("expert", "organisation"):
            own.setdefault(a, set()).add(b)
    person = {e: p for e, _, p, _, _ in people}
    works_at = {e: {o for f in own if person.get(f, f) == person.get(e, e) for o in own[f]} for e in own}

    def is_bound(e, org):
        reasons = [org in own.get(e, ())]
        for kind, an, a, bn, b in both:
            if (an, a) == ("expert", e):
                reasons.append((bn, b) == ("organisation", org) and kind in ("employment", "shareholding", "contract"))
                personal = kind in ("family", "adviser", "coauthor")
                reasons.append(bn == "expert" and personal and org in works_at.get(b, ()))
            is_held = (an, bn, b) == ("organisation", "organisation", org) and kind == "shareholding" and a != org
            reasons.append(is_held and a in own.get(e, ()))
        return any(reasons)

    def may_be(e, f):
        (_, _, p, maybe, sure), (_, _, q, perhaps, certain) = (next(r for r in people if r[0] == x) for x in (e, f))
        return p == q or (maybe is not None and maybe == perhaps and not (sure and certain))

    hits = {(n, e) for n, org in needs.rows() for e in known for f in known if may_be(e, f) and is_bound(f, org)}
    return sorted(hits)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_conflicts_equals_looking_at_everything(data):
    orgs, people = ["o1", "o2", "o3"], ["e1", "e2", "e3", "e4"]
    ends = st.sampled_from([("expert", e) for e in people] + [("organisation", o) for o in orgs])
    kinds = st.sampled_from(["employment", "shareholding", "contract", "family", "adviser", "coauthor", "cooperation"])
    until = st.sampled_from([None, date(2020, 1, 1), date(2025, 1, 1)])
    rows = data.draw(st.lists(st.tuples(kinds, ends, ends, until), max_size=6))
    relations = relations_of(*[(f"r{i}", k, *a, *b, u) for i, (k, a, b, u) in enumerate(rows)])
    employers = st.sampled_from([*orgs, None])
    persons = st.sampled_from(people[:2])
    likely, flags = st.sampled_from(["l1", None]), st.booleans()
    rows = [
        (e, data.draw(employers), data.draw(persons) if e in people[:2] else e, data.draw(likely), data.draw(flags))
        for e in people
    ]
    names = ("expert_id", "org_id", "canonical_id", "likely_id", "is_known")
    experts = pl.DataFrame(rows, schema=dict(zip(names, [pl.String] * 4 + [pl.Boolean], strict=True)), orient="row")
    year = st.sampled_from([2022, 2023, None])
    works = data.draw(st.lists(st.tuples(st.sampled_from(people), st.sampled_from(["w1", "w2"]), year), max_size=4))
    written = pl.DataFrame(works, schema={"expert_id": pl.String, "work_id": pl.String, "year": pl.Int64}, orient="row")
    needs = table(need_id=["n1", "n2"], org_id=["o1", "o2"])

    pairs = conflicts(needs, experts, relations, on=ON, works=written).select("need_id", "expert_id").rows()

    assert pairs == slow_conflicts(needs, experts, relations, 3, works)


def test_conflicts_counts_the_authors_of_one_work_for_some_years():
    experts = table(expert_id=["e1", "e2", "e3", "e4"], org_id=["school", "firm", "school", "school"])
    works = pl.DataFrame(
        [("e1", "w1", 2024), ("e2", "w1", 2024), ("e3", "w2", 2022), ("e2", "w2", 2022), ("e4", "w3", 2025)],
        schema=["expert_id", "work_id", "year"], orient="row",
    )  # fmt: skip

    assert found(experts, works=works) == [
        ("e1", "coauthor", "coauthor w1 e2 > employment firm"),
        ("e2", "employment", "employment firm"),
    ]
    without = ConflictRules(personal=("family", "adviser"))
    assert [row[0] for row in found(experts, works=works, rules=without)] == ["e2"]


def test_conflicts_binds_every_row_of_a_person():
    experts = table(expert_id=["e1", "e2", "e3"], org_id=["school", "firm", "school"], canonical_id=["e1", "e1", "e3"])
    relations = relations_of(("r1", "family", "expert", "e3", "expert", "e1"))

    assert found(experts, relations) == [
        ("e1", "employment", "same e2 > employment firm"),
        ("e2", "employment", "employment firm"),
        ("e3", "family", "family r1 e1 > same e2 > employment firm"),
    ]


def test_conflicts_counts_an_identity_that_nobody_has_resolved():
    experts = table(
        expert_id=["e1", "e2", "e3"], org_id=["firm", "school", "school"], likely_id=["e1", "e1", "e1"],
        is_known=[True, False, True],
    )  # fmt: skip

    assert found(experts) == [
        ("e1", "employment", "employment firm"),
        ("e2", "identity", "identity e1 > employment firm"),
    ]
    assert [row[0] for row in found(experts, rules=ConflictRules(unresolved=False))] == ["e1"]


@pytest.mark.parametrize(("size", "seed"), [("tiny", 7), ("tiny", 8), ("county", 7), ("county", 8)])
def test_conflicts_finds_the_planted_ones_and_nothing_else(size, seed):
    made = synth.make(size, seed=seed)
    region = made.region
    organisations = region["organisations"].join(made.truth["same"], on="org_id")

    pairs = conflicts(
        region["needs"],
        region["experts"],
        region["relations"],
        organisations=organisations,
        on=date(2026, 9, 1),  # the day that the synthetic region is told on
    )

    assert_frame_equal(pairs.drop("evidence"), made.truth["conflicts"])


def test_conflicts_refuses_years_below_0_and_unknown_kinds():
    experts = table(expert_id=["e1"], org_id=["firm"])
    with pytest.raises(ArgumentError, match=r"argument\.value.*years is -1"):
        found(experts, years=-1)
    with pytest.raises(ArgumentError, match=r"argument\.value.*rules is 'friend'"):
        found(experts, rules=ConflictRules(direct=("friend",)))


def test_conflicts_names_missing_columns_and_double_ids():
    experts = table(expert_id=["e1", "e1"], org_id=["firm", "firm"])
    with pytest.raises(TableError, match=r"table\.columns.*experts.*org_id"):
        found(experts.drop("org_id"))
    with pytest.raises(TableError, match=r"table\.duplicate.*experts"):
        found(experts)
