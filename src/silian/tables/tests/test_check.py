"""What is wrong inside a region: one fact a rule, one test a code, and a slow check beside the fast one."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian.errors import MESSAGES
from silian.tables import Region, Source, check, drop_problem_rows
from silian.tables.region import PROBLEM_SCHEMA
from silian.tables.schema import tables

DAY = dt.date(2026, 9, 1)
GOOD = {
    "districts": {"district_id": ["d1"], "name": ["东区"], "region": ["110101"]},
    "organisations": {
        "org_id": ["o1", "o2"],
        "name": ["甲厂", "乙大学"],
        "kind": ["enterprise", "university"],
        "uscc": ["91110000600037341L", None],
        "district_id": ["d1", None],
    },
    "experts": {"expert_id": ["e1", "e2"], "name": ["王", "李"], "org_id": ["o2", None]},
    "works": {
        "expert_id": ["e1", "e2"],
        "work_id": ["w1", "w1"],
        "kind": ["paper", "paper"],
        "title": ["论文", "论文"],
    },
    "needs": {
        "need_id": ["n1", "n2"],
        "title": ["降噪", "寿命"],
        "kind": ["technology", "talent"],
        "org_id": ["o1", "o1"],
    },
    "achievements": {"achievement_id": ["a1"], "title": ["齿形"], "expert_ids": [["e1", "e2"]]},
    "products": {"product_id": ["p1", "p2"], "name": ["齿轮", "钢"]},
    "makes": {"org_id": ["o1", "o1"], "product_id": ["p1", "p2"], "share": [0.5, 0.5]},
    "product_links": {"upstream_id": ["p2"], "downstream_id": ["p1"], "kind": ["material"]},
    "relations": {
        "relation_id": ["r1"],
        "kind": ["employment"],
        "left_noun": ["expert"],
        "left_id": ["e1"],
        "right_noun": ["organisation"],
        "right_id": ["o2"],
    },
}


def region_with(table=None, **columns):
    """The good region with some columns of one table replaced."""
    given_tables = {name: pl.DataFrame(values, strict=False) for name, values in GOOD.items()}
    if table:
        schema = tables()[table].polars
        fresh = [pl.Series(name, values, dtype=schema[name]) for name, values in columns.items()]
        base = given_tables.get(table, pl.DataFrame(fresh))
        height = max(base.height, *map(len, fresh))
        base = pl.concat([base, *[base.tail(1)] * (height - base.height)])
        given_tables[table] = base.with_columns(fresh)
    return Region.of(given_tables)


def found(region, **options):
    return check(region, **options).select("table", "row", "column", "code", "found", "grave").rows()


def test_check_finds_nothing_in_a_good_region():
    assert check(region_with(), on=DAY).is_empty()
    assert check(region_with()).schema == PROBLEM_SCHEMA


def test_check_wants_the_needed_tables():
    region = Region.of({})

    assert found(region) == [
        (name, None, None, "check.table", None, True) for name in ("achievements", "needs", "organisations")
    ]
    assert "needs.csv" in check(region)["remedy"][1]


def test_check_wants_rows_in_the_needed_tables():
    region = Region(tables=Region.of({}).tables, sources={"needs": (Source("需求.xlsx#需求", 2, 0),)})

    assert ("needs", None, None, "check.rows", "0", True) in found(region)
    assert check(region).filter(pl.col("code") == "check.rows")["file"].to_list() == ["需求.xlsx#需求"]


def test_check_wants_needed_columns_once_not_cell_by_cell():
    assert found(region_with("needs", title=[None, None])) == [("needs", None, "title", "check.column", None, True)]


def test_check_wants_needed_cells_and_is_grave_in_keys():
    assert found(region_with("needs", title=["x", None])) == [("needs", 3, "title", "check.empty", None, False)]
    assert found(region_with("achievements", achievement_id=["a1", None], title=["x", "y"])) == [
        ("achievements", 3, "achievement_id", "check.empty", None, True)
    ]


@pytest.mark.parametrize(
    ("table", "column", "value", "wanted"),
    [
        ("needs", "trl_wanted", 10, "1 … 9"),
        ("needs", "trl_wanted", 0, "1 … 9"),
        ("needs", "budget_cny", -1.0, "≥ 0"),
        ("makes", "share", 1.5, "0 … 1"),
        ("makes", "since_year", 20_26_01, "1900 … 2100"),
        ("organisations", "latitude", 91.0, "-90 … 90"),
        ("needs", "budget_cny", float("inf"), "≥ 0"),
        ("makes", "share", float("nan"), "0 … 1"),
    ],
)
def test_check_wants_values_in_range(table, column, value, wanted):
    problems = check(region_with(table, **{column: [None, value]})).filter(pl.col("code") == "check.range")

    assert problems.select("table", "row", "column", "grave").rows() == [(table, 3, column, False)]
    assert wanted in problems["remedy"][0]


def test_check_wants_codes_of_the_list_in_cells_and_lists():
    assert found(region_with("needs", kind=["technology", "别的"])) == [
        ("needs", 3, "kind", "check.code", "别的", False)
    ]
    funds = region_with("funds", fund_id=["f1"], name=["基金"], kind=["loan"], fields=[["battery", "麻将", "扑克"]])
    assert found(funds) == [("funds", 2, "fields", "check.code", name, False) for name in ("麻将", "扑克")]


@pytest.mark.parametrize(
    ("table", "column", "value", "code"),
    [
        ("organisations", "uscc", "9111000060003734", "check.uscc_length"),
        ("organisations", "uscc", "91110000600037341I", "check.uscc_alphabet"),
        ("organisations", "uscc", "B1110000600037341L", "check.uscc_department"),
        ("organisations", "uscc", "91999999600037341L", "check.uscc_region"),
        ("organisations", "uscc", "91110000600037342L", "check.uscc_inner"),
        ("organisations", "uscc", "91110000600037341M", "check.uscc_check"),
        ("organisations", "region", "999999", "check.gbt2260"),
        ("organisations", "industry", "A39", "check.gbt4754"),
        ("works", "ipc", ["H01M", "??"], "check.ipc"),
        ("experts", "orcid", "0000-0002-1825-0098", "check.orcid"),
        ("works", "doi", "doi", "check.doi"),
        ("policies", "url", "javascript:x", "check.url"),
    ],
)
def test_check_wants_the_format(table, column, value, code):
    rest = {"policy_id": ["l1"], "title": ["政策"], "level": ["city"]} if table == "policies" else {}
    values = [value] if table == "policies" else [None, value]

    problems = check(region_with(table, **{column: values}, **rest)).filter(pl.col("code") == code)

    assert problems.select("table", "row", "column", "found").rows() == [
        (table, len(values) + 1, column, value[1] if isinstance(value, list) else value)
    ]


def test_check_wants_ids_that_exist_in_cells_lists_and_either_table():
    assert found(region_with("needs", org_id=["o1", "o9"])) == [("needs", 3, "org_id", "check.unknown", "o9", False)]
    assert found(region_with("achievements", expert_ids=[["e1", "e8", "e9"]])) == [
        ("achievements", 2, "expert_ids", "check.unknown", "e8", False),
        ("achievements", 2, "expert_ids", "check.unknown", "e9", False),
    ]
    assert found(region_with("relations", left_id=["x"])) == [("relations", 2, "left_id", "check.unknown", "x", False)]


def test_check_looks_for_the_side_of_a_relation_in_the_table_that_it_names():
    region = region_with("relations", left_noun=["organisation"])  # e1 is an expert, no organisation

    assert found(region) == [("relations", 2, "left_id", "check.unknown", "e1", False)]


def test_check_is_grave_about_a_key_of_two_different_rows_only():
    assert found(region_with("needs", need_id=["n1", "n1"])) == [("needs", 3, "need_id", "check.duplicate", "n1", True)]
    twice = region_with("products", product_id=["p1", "p2", "p2"], name=["齿轮", "钢", "钢"])
    assert found(twice) == [("products", 4, "product_id", "check.duplicate", "p2", False)]
    pairs = region_with("makes", org_id=["o1"] * 3, product_id=["p1", "p2", "p1"], share=[0.1, 0.2, 0.3])
    assert found(pairs) == [("makes", 4, "org_id, product_id", "check.duplicate", "o1, p1", False)]


def test_check_wants_days_in_order_and_in_the_past():
    later = {"posted_on": [None, dt.date(2026, 10, 2)], "deadline_on": [None, dt.date(2026, 10, 1)]}

    assert found(region_with("needs", **later)) == [("needs", 3, "posted_on", "check.order", "2026-10-02", False)]
    assert [f[3] for f in found(region_with("needs", **later), on=DAY)] == ["check.future", "check.order"]
    funds = region_with("funds", fund_id=["f1"], name=["基金"], kind=["loan"], trl_min=[7], trl_max=[3])
    assert found(funds) == [("funds", 2, "trl_min", "check.order", "7", False)]


def test_check_wants_every_part_of_an_assignment_rule():
    given = {
        "kind": ["pin", "veto", "apart", "quota", "quota"], "need_id": ["n1", None, None, None, None],
        "expert_id": [None, "e1", "e1", None, None], "other_id": [None, None, "e2", None, None],
        "at_least": [None] * 5, "at_most": [None, None, None, None, 2.0],
    }  # fmt: skip

    rules = region_with("assignment_rules", rule_id=[f"r{i}" for i in range(5)], **given)

    told = [problem for problem in found(rules) if problem[3] == "check.rule"]
    assert [(row, column, grave) for _, row, column, _, _, grave in told] == [
        (2, "expert_id", True), (3, "need_id", True), (5, "at_most", True),
    ]  # fmt: skip


def test_check_wants_a_level_or_a_verdict_of_each_label():
    given = {"level": [3, None, None], "verdict": [None, "too_dear", None]}

    labels = region_with("labels", need_id=["n1"] * 3, target_id=["a1", "a2", "a3"], **given)

    assert ("labels", 4, "level", "check.ungraded", None, False) in found(labels)
    assert [f[3] for f in found(labels)].count("check.ungraded") == 1


def test_check_wants_no_more_than_the_whole_of_a_maker():
    assert found(region_with("makes", share=[0.51, 0.51])) == []
    assert found(region_with("makes", share=[0.6, 0.6])) == [("makes", 2, "share", "check.share_sum", "o1: 1.2", False)]


def test_check_wants_two_different_sides():
    assert found(region_with("product_links", upstream_id=["p1"])) == [
        ("product_links", 2, "downstream_id", "check.self", "p1", False)
    ]
    assert found(region_with("organisations", parent_org_id=["o1", None])) == [
        ("organisations", 2, "parent_org_id", "check.self", "o1", False)
    ]


def test_check_finds_parents_in_a_circle_and_not_those_that_lead_into_it():
    orgs = {
        "org_id": ["a", "b", "c", "d", "o1", "o2"],
        "name": ["x"] * 6,
        "kind": ["branch"] * 6,
        "uscc": [None] * 6,
        "parent_org_id": ["b", "c", "b", "a", None, "o1"],
    }

    assert [(f[1], f[3]) for f in found(region_with("organisations", **orgs))] == [
        (3, "check.circle"),
        (4, "check.circle"),
    ]


def test_check_gives_rows_as_the_files_number_them_and_keeps_what_reading_found():
    region = region_with("needs", org_id=["o1", "o9"])
    sources = {"needs": (Source("a.csv", 5, 1), Source("b.csv", 9, 1))}
    read = check(Region.of({})).head(1)
    region = Region(tables=region.tables, sources=sources, problems=read)

    problems = check(region)

    assert problems.filter(pl.col("table") == "needs").select("file", "row").rows() == [("b.csv", 9)]
    assert_frame_equal(problems.head(1), read)


def test_check_says_nothing_twice_of_a_needed_cell_that_could_not_be_read(tmp_path):
    from silian.tables import read_region

    (tmp_path / "indicators.csv").write_text(
        "district_id,year,indicator,value\nd1,2024,gdp_cny,很多\nd1,2023,gdp_cny,\n"
    )
    problems = check(read_region(tmp_path)).filter((pl.col("table") == "indicators") & (pl.col("column") == "value"))

    assert problems.select("row", "code").rows() == [(2, "check.type"), (3, "check.empty")]


def test_check_is_sorted_grave_first_and_speaks_both_languages():
    region = region_with("needs", need_id=["n1", "n1"], kind=["x", "y"])

    problems = check(region)

    assert problems["grave"].to_list() == [True, False, False]
    assert problems["remedy"].str.contains("[a-z]").all()
    assert problems["remedy_zh"].str.contains("请").all()
    assert set(problems["code"]) <= set(MESSAGES)


def region_of_makes(rows):
    makes = pl.DataFrame(rows, schema=["org_id", "product_id", "share"], orient="row")
    return Region.of({**{name: pl.DataFrame(values, strict=False) for name, values in GOOD.items()}, "makes": makes})


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["o1", "o2", "o9", None]),
        st.sampled_from(["p1", "p2", "p9", None]),
        st.sampled_from([None, 0.3, 0.8, 1.4]),
    ),
    min_size=1,
    max_size=12,
)


@given(ROWS)
@settings(deadline=None, max_examples=40)
def test_check_equals_the_rules_read_row_by_row(rows):
    region = region_of_makes(rows)
    expected = set()
    seen, total = set(), {}
    for number, (org, product, share) in enumerate(rows, start=2):
        for column, value, known in (("org_id", org, ("o1", "o2")), ("product_id", product, ("p1", "p2"))):
            if value is None:
                expected.add((number, column, "check.empty"))
            elif value not in known:
                expected.add((number, column, "check.unknown"))
        if org is not None and product is not None:
            if (org, product) in seen:
                expected.add((number, "org_id, product_id", "check.duplicate"))
            seen.add((org, product))
        if share is not None and share > 1:
            expected.add((number, "share", "check.range"))
        total.setdefault(org, [number, 0.0])[1] += share or 0
    for column, at in (("org_id", 0), ("product_id", 1)):
        if all(row[at] is None for row in rows):
            expected = {e for e in expected if e[1:] != (column, "check.empty")} | {(None, column, "check.column")}
    expected |= {
        (number, "share", "check.share_sum")
        for org, (number, share) in total.items()
        if share > 1.02 and any(r[2] for r in rows)
    }

    problems = check(region).filter(pl.col("table") == "makes")

    assert set(problems.select("row", "column", "code").rows()) == expected


@given(ROWS)
@settings(deadline=None, max_examples=25)
def test_drop_leaves_nothing_that_the_check_would_drop_again(rows):
    region = region_of_makes(rows)

    left = drop_problem_rows(region, check(region))

    again = check(left).filter(pl.col("code").is_in(["check.unknown", "check.duplicate", "check.empty", "check.self"]))
    assert again.is_empty()
    expected = list(
        {row[:2]: row for row in reversed(rows) if row[0] in ("o1", "o2") and row[1] in ("p1", "p2")}.values()
    )
    assert sorted(left["makes"].select("org_id", "product_id", "share").rows(), key=str) == sorted(expected, key=str)


def test_drop_takes_rows_along_where_the_id_is_needed_and_empties_the_others():
    region = region_with("needs", need_id=["n1", "n2"], org_id=["o9", "o1"])
    orgs = region["organisations"].filter(pl.col("org_id") == "o1")
    region = Region.of({**region.tables, "organisations": orgs})

    left = drop_problem_rows(region, check(region))

    assert left["needs"]["org_id"].to_list() == [None, "o1"]
    assert left["experts"]["org_id"].to_list() == [None, None]  # of o2, which is gone
    assert left["relations"].height == 0  # its right side is o2
    assert left["makes"].height == 2


def test_drop_goes_on_until_nothing_refers_to_what_is_gone():
    region = region_with("experts", expert_id=["e1", None])

    left = drop_problem_rows(region, check(region))

    assert left["experts"]["expert_id"].to_list() == ["e1"]
    assert left["works"]["expert_id"].to_list() == ["e1"]
    assert left["achievements"]["expert_ids"].to_list() == [["e1"]]


def test_drop_empties_a_list_that_loses_every_id_and_keeps_the_order_of_the_rest():
    region = region_with(
        "achievements",
        achievement_id=["a1", "a2", "a3"],
        title=["x"] * 3,
        expert_ids=[["e9"], ["e2", "e9", "e1", "e1"], None],
    )

    assert drop_problem_rows(region, check(region))["achievements"]["expert_ids"].to_list() == [
        None,
        ["e2", "e1", "e1"],
        None,
    ]


def test_check_and_drop_of_the_skills_of_a_challenge():
    skills = region_with(
        "challenge_skills",
        need_id=["n1", "n9", "n1", "n1"],
        skill_id=["s1", "s1", "s1", "s2"],
        title=["a", "b", "c", None],
        wanted=[1, 1, 1, 21],
    )

    problems = check(skills).select("row", "column", "code").rows()
    assert set(problems) == {
        (3, "need_id", "check.unknown"),
        (4, "need_id, skill_id", "check.duplicate"),
        (5, "title", "check.empty"),
        (5, "wanted", "check.range"),
    }
    left = drop_problem_rows(skills, check(skills))["challenge_skills"]
    assert left.select("need_id", "skill_id", "title").rows() == [("n1", "s1", "a"), ("n1", "s2", None)]


def test_drop_cuts_links_to_itself_and_circles_of_parents():
    loops = region_with("product_links", upstream_id=["p1", "p2"], downstream_id=["p1", "p1"])
    assert drop_problem_rows(loops, check(loops))["product_links"]["upstream_id"].to_list() == ["p2"]

    circle = region_with("organisations", parent_org_id=["o2", "o1"])
    left = drop_problem_rows(circle, check(circle))
    assert left["organisations"]["parent_org_id"].to_list() == [None, None]
    assert check(left).is_empty()


def test_drop_keeps_the_place_of_every_row_and_a_good_region_as_it_is():
    region = region_with("needs", need_id=["n1", "n2", "n1", "n4"])
    sources = {"needs": (Source("a.csv", 2, 3), Source("b.csv", 2, 1))}
    region = Region(tables=region.tables, sources=sources)

    left = drop_problem_rows(region, check(region))

    assert left["needs"]["need_id"].to_list() == ["n1", "n2", "n4"]
    assert left.sources == {"needs": (Source("a.csv", 2, 2), Source("b.csv", 2, 1))}
    good = region_with()
    assert drop_problem_rows(good, check(good)) is good


def test_check_lists_no_more_than_its_share_of_one_kind():
    makes = pl.select(org_id=pl.int_range(150_000).cast(pl.String), product_id=pl.lit("p1"), share=pl.lit(2.0))

    problems = check(Region.of({"makes": makes})).filter(pl.col("column") == "share")

    assert problems.filter(pl.col("code") == "check.range").height == 100_000
    assert "50000 × check.range" in problems.filter(pl.col("code") == "read.more")["found"].to_list()
