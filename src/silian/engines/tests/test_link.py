"""Facts of linking: which rows of organisations are one body, which of experts one person, and which stay apart."""

from __future__ import annotations

from itertools import combinations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian.engines.link import name_key, people, same
from silian.errors import TableError
from silian.tables import synth, uscc
from silian.tables.schema import results

CODES = [uscc.make("9", "1", "110105", f"A000000{i}") for i in range(4)]
SCHEMA = {
    "org_id": pl.String,
    "uscc": pl.String,
    "name": pl.String,
    "former_names": pl.List(pl.String),
    "kind": pl.String,
    "region": pl.String,
    "parent_org_id": pl.String,
}


def rows_of(*rows):
    """Rows of org_id, name and what else is given."""
    given = [{"org_id": org, "name": name, **rest} for org, name, rest in rows]
    return pl.DataFrame(given, schema=SCHEMA)


def bodies(table):
    """The bodies with more than one row, as sorted tuples of ids."""
    groups = same(table).group_by("canonical_id").agg(pl.col("org_id").sort())["org_id"].to_list()
    return sorted(tuple(g) for g in groups if len(g) > 1)


# ── small enough to check by hand ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("四链（苏州）科技有限公司", "四链(苏州)科技有限公司"),
        ("四链(苏州)科技有限公司", "四链苏州科技有限公司"),
        ("四鏈（蘇州）科技有限公司", "四链（苏州）科技有限公司"),
        ("  四链 科技\u3000有限公司", "四链科技有限公司"),
        ("四链科技有限责任公司", "四链科技有限公司"),
        ("四链科技股份公司", "四链科技股份有限公司"),
        ("四链·ＡＢＣ科技有限公司", "四链ABC科技有限公司"),
        ("ABC-Tech Co., Ltd.", "abc tech co ltd"),
    ],
)
def test_same_joins_spellings_of_one_name(left, right):
    assert bodies(rows_of(("o1", left, {}), ("o2", right, {}))) == [("o1", "o2")]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("四链科技有限公司", "四链科技股份有限公司"),
        ("四链（苏州）科技有限公司", "四链（杭州）科技有限公司"),
        ("四链科技有限公司", "四链科技有限公司苏州分公司"),
        ("四链科技有限公司", "四链科技集团有限公司"),
        ("第一机床厂", "第二机床厂"),
        ("", ""),
        ("（）", "——"),
    ],
)
def test_same_keeps_different_names_apart(left, right):
    assert bodies(rows_of(("o1", left, {}), ("o2", right, {}))) == []


def test_same_tells_by_what_rows_are_joined():
    table = rows_of(
        ("a", "甲公司", {"uscc": CODES[0]}),
        ("b", "甲有限公司", {"uscc": CODES[0].lower()}),
        ("c", "甲有限公司", {}),
        ("d", "丁公司", {"former_names": ["乙公司", "甲有限公司"]}),
        ("e", "戊公司", {}),
    )

    assert same(table).rows() == [
        ("a", "a", "uscc", CODES[0]),
        ("b", "a", "uscc", CODES[0]),
        ("c", "a", "name", "甲有限公司"),
        ("d", "a", "former_name", "甲有限公司"),
        ("e", "e", "none", None),
    ]
    assert same(table).schema == results()["same"].polars


def test_same_takes_the_row_with_a_code_then_the_fullest_then_the_first():
    coded = rows_of(
        ("a", "甲公司", {"kind": "enterprise", "former_names": ["乙"]}), ("b", "甲公司", {"uscc": CODES[0]})
    )
    fuller = rows_of(("a", "甲公司", {}), ("b", "甲公司", {"kind": "enterprise"}))
    equal = rows_of(("b", "甲公司", {}), ("a", "甲公司", {}))

    assert same(coded)["canonical_id"].unique().to_list() == ["b"]
    assert same(fuller)["canonical_id"].unique().to_list() == ["b"]
    assert same(equal)["canonical_id"].unique().to_list() == ["a"]


def test_same_never_joins_two_codes_by_name():
    table = rows_of(
        ("a", "甲公司", {"uscc": CODES[0]}),
        ("b", "甲公司", {"uscc": CODES[1]}),
        ("c", "甲公司", {}),
        ("d", "甲公司", {}),
    )

    # c and d may be a or b: nobody knows, so they are only joined with each other
    assert bodies(table) == [("c", "d")]


def test_same_never_joins_two_codes_through_a_former_name():
    direct = rows_of(
        ("a", "甲公司", {"uscc": CODES[0]}), ("b", "乙公司", {"uscc": CODES[1], "former_names": ["甲公司"]})
    )
    through = rows_of(
        ("a", "甲公司", {"uscc": CODES[0]}),
        ("b", "乙公司", {"uscc": CODES[1]}),
        ("c", "丙公司", {"former_names": ["甲公司", "乙公司"]}),
    )

    assert bodies(direct) == []
    assert bodies(through) == []


def test_same_does_not_trust_a_code_that_is_not_valid():
    wrong = CODES[0][:-1] + ("1" if CODES[0][-1] != "1" else "2")

    assert bodies(rows_of(("a", "甲公司", {"uscc": wrong}), ("b", "乙公司", {"uscc": wrong}))) == []
    assert bodies(rows_of(("a", "甲公司", {"uscc": wrong}), ("b", "甲公司", {"uscc": CODES[0]}))) == [("a", "b")]


def test_same_keeps_one_name_in_two_prefectures_apart():
    table = rows_of(
        ("a", "人民医院", {"region": "410102"}),
        ("b", "人民医院", {"region": "410105"}),
        ("c", "人民医院", {"region": "320500"}),
        ("d", "人民医院", {}),
        ("e", "中心医院", {"region": "320500", "former_names": ["人民医院"]}),
        ("f", "第一医院", {"region": "410102"}),
        ("g", "第一医院", {}),
    )

    # d may be any of the three; g can only be f; e was once called as c is now, in the same place
    assert bodies(table) == [("a", "b"), ("c", "e"), ("f", "g")]
    assert same(table).filter(org_id="e")["why"].to_list() == ["人民医院"]


def test_same_needs_one_of_two_names_to_be_present():
    table = rows_of(("a", "甲公司", {"former_names": ["丙公司"]}), ("b", "乙公司", {"former_names": ["丙公司"]}))

    # both were once called 丙公司: a freed name can be taken by another
    assert bodies(table) == []


def test_same_keeps_a_branch_apart_from_its_parent():
    table = rows_of(
        ("head", "甲公司", {"uscc": CODES[0]}),
        ("b1", "甲公司", {"kind": "branch", "parent_org_id": "head", "uscc": CODES[0]}),
        ("b2", "甲公司", {"kind": "branch"}),
    )

    assert bodies(table) == []


def test_same_joins_branches_of_one_parent_by_name_only():
    def branch(org, name, parent):
        return (org, name, {"kind": "branch", "parent_org_id": parent, "uscc": CODES[0]})

    table = rows_of(
        ("p1", "甲公司", {"uscc": CODES[0]}),
        ("p1x", "甲公司", {}),
        ("p2", "乙公司", {"uscc": CODES[1]}),
        branch("b1", "研发中心", "p1"),
        branch("b2", "研发中心", "p1x"),
        branch("b3", "研发中心", "p2"),
        branch("b4", "销售中心", "p1"),
    )

    assert bodies(table) == [("b1", "b2"), ("p1", "p1x")]


def test_same_of_no_rows_is_no_rows():
    assert same(rows_of()).is_empty()
    assert same(pl.DataFrame({"org_id": []})).schema == results()["same"].polars


def test_same_works_on_ids_alone():
    assert same(pl.DataFrame({"org_id": ["b", "a"]})).rows() == [("a", "a", "none", None), ("b", "b", "none", None)]


def test_name_key_keeps_letters_digits_and_han():
    assert name_key(["甲-2号（乙）", "Ａｂ 1", None]) == ["甲2号乙", "ab1", ""]


# ── against slow sure methods ───────────────────────────────────────────────────────────────────────────────────────


@st.composite
def organisations(draw):
    """Up to 7 rows over few names and codes, so that much is shared."""
    names = st.sampled_from(["甲公司", "乙公司", "丙公司", "甲（公司）", ""])
    rows = []
    for i in range(draw(st.integers(0, 7))):
        parent = draw(st.sampled_from([None, None, None, "o0", "o1", "gone"]))
        rest = {
            "uscc": draw(st.sampled_from([None, None, *CODES[:2], "wrong"])),
            "former_names": draw(st.none() | st.lists(names, max_size=2)),
            "kind": draw(st.sampled_from(["enterprise", "enterprise", "branch"])),
            "region": draw(st.sampled_from([None, "410102", "410105", "320500"])),
            "parent_org_id": None if parent == f"o{i}" else parent,
        }
        rows.append((f"o{i}", draw(names), rest))
    return rows_of(*rows)


def partition(rows, linked):
    """Groups of what is linked, directly or over others."""
    groups = [{r} for r in rows]
    for a, b in combinations(rows, 2):
        if linked(a, b):
            one, two = (next(g for g in groups if x in g) for x in (a, b))
            if one is not two:
                groups.remove(two)
                one |= two
    return groups


def slow_bodies(table):
    """Bodies by comparing every pair, stage by stage; first what is no branch, then branches by parent."""
    is_branch = table.select(b=(pl.col("kind") == "branch") | pl.col("parent_org_id").is_not_null())["b"]
    seen = [(key_of(n), r["region"]) for r in table.rows(named=True) for n in [r["name"], *(r["former_names"] or [])]]

    def placed(name, region):
        places = {place[:4] for key, place in seen if key == key_of(name) and place}
        return key_of(name) and (key_of(name), (region or "")[:4] if len(places) > 1 else "")

    heads = slow_space(table.filter(~is_branch), {}, placed, is_branch=False)
    return heads + slow_space(table.filter(is_branch), {o: min(g) for g in heads for o in g}, placed, is_branch=True)


def key_of(name):
    return name_key([name])[0]


def slow_space(table, canonical, placed, *, is_branch):
    rows = {r["org_id"]: r for r in table.rows(named=True)}
    code = {o: r["uscc"] if r["uscc"] in CODES else None for o, r in rows.items()}
    space = {o: canonical.get(r["parent_org_id"], r["parent_org_id"]) for o, r in rows.items()}
    name = {o: (space[o], k) if (k := placed(r["name"], r["region"])) else None for o, r in rows.items()}
    once = {
        o: {(space[o], k) for f in r["former_names"] or [] if (k := placed(f, r["region"]))} for o, r in rows.items()
    }

    def bound(a, b):
        together = code[a] is not None and code[a] == code[b]
        return together and (not is_branch or (space[a], name[a]) == (space[b], name[b]))

    groups = partition(rows, bound)

    def codes(members):
        return {code[o] for o in members if code[o]}

    def merge(keys_of, allowed):
        """Groups joined over shared keys, where `allowed` lets a group use a key."""
        users = {}
        for i, g in enumerate(groups):
            for k in keys_of(g):
                users.setdefault(k, []).append(i)
        edges = [(i, j) for k, us in users.items() for i, j in combinations([u for u in us if allowed(k, u, us)], 2)]
        parts = partition(range(len(groups)), lambda a, b: (a, b) in edges or (b, a) in edges)
        return [[groups[i] for i in part] for part in parts]

    def fits(key, user, users):
        return len(set().union(*(codes(groups[u]) for u in users))) <= 1 or not codes(groups[user])

    groups = [set().union(*p) for p in merge(lambda g: {name[o] for o in g if name[o]}, fits)]
    now = {name[o] for o in rows if name[o]}
    old = set().union(set(), *once.values())

    def renamed(g):
        return ({name[o] for o in g if name[o]} & old) | (set().union(*(once[o] for o in g)) & now)

    def clear(key, user, users):
        return len(set().union(*(codes(groups[u]) for u in users))) <= 1

    out = []
    for part in merge(renamed, clear):
        whole = set().union(*part)
        out += [whole] if len(codes(whole)) <= 1 else part
    return out


@settings(max_examples=150, deadline=None)
@given(organisations())
def test_same_equals_comparing_every_pair(table):
    assert bodies(table) == sorted(tuple(sorted(g)) for g in slow_bodies(table) if len(g) > 1)


@settings(max_examples=50, deadline=None)
@given(organisations(), st.randoms(use_true_random=False))
def test_same_does_not_depend_on_the_order_of_rows(table, random):
    shuffled = table[random.sample(range(table.height), table.height)]

    assert_frame_equal(same(shuffled), same(table))


@settings(max_examples=80, deadline=None)
@given(organisations())
def test_same_gives_each_body_one_code_one_canonical_row_and_a_reason(table):
    found = same(table).join(table, on="org_id")

    valid = found.with_columns(code=pl.when(pl.col("uscc").is_in(CODES)).then("uscc"))
    assert (valid.group_by("canonical_id").agg(pl.col("code").drop_nulls().n_unique())["code"] <= 1).all()
    ids = found.select("org_id", "canonical_id")
    again = ids.join(ids, left_on="canonical_id", right_on="org_id")  # the canonical row of a canonical row
    assert again.height == ids.height
    assert (again["canonical_id"] == again["canonical_id_right"]).all()
    alone = pl.len().over("canonical_id") == 1
    assert found.filter((pl.col("by") == "none") != alone).is_empty()
    assert found.filter(pl.col("why").is_null() != alone).is_empty()


@pytest.mark.parametrize(("size", "seed"), [("tiny", 7), ("tiny", 8), ("county", 7), ("county", 8)])
def test_same_finds_the_planted_duplicates_and_nothing_else(size, seed):
    made = synth.make(size, seed=seed)

    def together(table):
        pairs = table.join(table, on="canonical_id").filter(pl.col("org_id") < pl.col("org_id_right"))
        return set(pairs.select("org_id", "org_id_right").rows())

    assert together(same(made.region["organisations"]).select("org_id", "canonical_id")) == together(made.truth["same"])


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_same_names_the_missing_column():
    with pytest.raises(TableError, match=r"table\.columns.*organisations.*org_id"):
        same(pl.DataFrame({"name": ["甲公司"]}))


def test_same_refuses_an_id_given_twice_or_not_at_all():
    with pytest.raises(TableError, match=r"table\.duplicate.*organisations \(org_id\).*o1"):
        same(rows_of(("o1", "甲公司", {}), ("o1", "乙公司", {})))
    with pytest.raises(TableError, match=r"table\.value.*organisations\.org_id.*empty"):
        same(rows_of((None, "甲公司", {})))


def test_same_names_the_wrong_type():
    with pytest.raises(TableError, match=r"table\.type.*organisations\.former_names.*String"):
        same(pl.DataFrame({"org_id": ["o1"], "former_names": ["甲公司"]}))


def experts_of(*rows):
    names = ["expert_id", "name", "orcid", "org_id", "field"]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def works_of(*rows):
    return pl.DataFrame(rows, schema={"expert_id": pl.String, "work_id": pl.String}, orient="row")


ONE, OTHER = "0000-0002-1825-0097", "0000-0001-5109-3700"


def people_of(experts, works=None):
    found = people(experts, works)
    assert found.schema == results()["same_people"].polars
    return {row[0]: row[1:] for row in found.rows()}


def test_people_joins_rows_of_one_orcid_however_it_is_written():
    found = people_of(experts_of(
        ("e1", "王伟", f"https://orcid.org/{ONE}", "o1", None), ("e2", "Wang Wei", ONE, "o2", None),
        ("e3", "王伟", "0000-0002-1825-0098", "o1", None),
    ))  # fmt: skip

    assert found["e1"] == ("e1", "orcid", ONE, "e1", True)
    assert found["e2"] == ("e1", "orcid", ONE, "e1", True)
    assert found["e3"] == ("e3", "none", None, "e1", False)  # a check character that is wrong says nothing


def test_people_joins_rows_that_share_name_and_work_but_never_two_orcids():
    works = works_of(("e1", "w1"), ("e2", "w1"), ("e3", "w1"), ("e4", "w2"))
    rows = [("e1", "王伟", None, "o1", "x"), ("e2", "王 伟", None, "o2", "y"), ("e3", "李娜", None, "o1", "x"),
            ("e4", "王伟", None, "o3", "z")]  # fmt: skip

    found = people_of(experts_of(*rows), works)

    assert [found[e][0] for e in ("e1", "e2", "e3", "e4")] == ["e1", "e1", "e3", "e4"]
    assert found["e2"][1:3] == ("work", "w1")
    apart = people_of(experts_of((*rows[0][:2], ONE, "o1", "x"), (*rows[1][:2], OTHER, "o2", "y"), *rows[2:]), works)
    assert [apart[e][0] for e in ("e1", "e2", "e3", "e4")] == ["e1", "e2", "e3", "e4"]


def test_people_tells_namesakes_apart_by_employer_and_field_and_by_nothing_less():
    rows = [("e1", "王伟", None, "o1", "x"), ("e2", "王伟", None, "o2", "y"), ("e3", "李娜", None, "o1", "x"),
            ("e4", "李娜", None, "o1", "y"), ("e5", "张敏", None, None, "x"),
            ("e6", "张敏", None, "o2", "y")]  # fmt: skip

    found = people_of(experts_of(*rows))

    assert [found[e][3] for e in ("e1", "e2")] == [None, None]
    assert [found[e][3] for e in ("e3", "e4")] == ["e3", "e3"]  # one employer
    assert [found[e][3] for e in ("e5", "e6")] == ["e5", "e5"]  # an employer is not stated
    both = experts_of(("e3", "李娜", ONE, "o1", "x"), ("e4", "李娜", OTHER, "o1", "x"))
    assert [row[3] for row in people_of(both).values()] == [None, None]


@given(st.lists(st.tuples(st.sampled_from(["王伟", "李娜", None]), st.sampled_from([ONE, OTHER, None]),
                          st.sampled_from(["o1", "o2", None]), st.sampled_from(["x", "y", None])), max_size=7),
       st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["w1", "w2"])), max_size=6), st.randoms())  # fmt: skip
def test_people_never_joins_two_orcids_and_does_not_depend_on_the_order(rows, shared, random):
    experts = experts_of(*[(f"e{i}", *row) for i, row in enumerate(rows)])
    works = works_of(*[(f"e{i}", w) for i, w in shared if i < len(rows)])

    found = people(experts, works)

    told = found.join(experts, on="expert_id")
    ids = told.group_by("canonical_id").agg(pl.col("orcid").drop_nulls().n_unique())
    assert (ids["orcid"] <= 1).all()
    assert told.group_by("orcid").agg(pl.col("canonical_id").n_unique()).drop_nulls("orcid")["canonical_id"].eq(1).all()
    maybe = (
        told.drop_nulls("likely_id").group_by("likely_id").agg(pl.col("canonical_id").n_unique(), pl.col("is_known"))
    )
    assert (maybe["canonical_id"] > 1).all()
    assert not maybe["is_known"].list.all().any()
    shuffled = experts.sample(fraction=1, shuffle=True, seed=random.randrange(2**31))
    assert_frame_equal(people(shuffled, works), found)


def test_people_names_bad_input():
    with pytest.raises(TableError, match=r"table\.columns.*experts.*expert_id"):
        people(pl.DataFrame({"name": ["王伟"]}))
    with pytest.raises(TableError, match=r"table\.duplicate.*experts"):
        people(experts_of(("e1", "王伟", None, None, None), ("e1", "李娜", None, None, None)))
    with pytest.raises(TableError, match=r"table\.columns.*works.*work_id"):
        people(experts_of(), pl.DataFrame({"expert_id": ["e1"]}))
