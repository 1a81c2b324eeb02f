"""Hard conditions on what texts, qualifications and places say, and why a pair is kept out."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian.engines import match
from silian.engines.match.whereabouts import kilometres
from silian.errors import ArgumentError, TableError

OFFERS = pl.DataFrame(
    {
        "target_id": ["a", "b", "c", "d"],
        "title": ["轴承热处理", "轴承中试", "轴承氟化", "进口轴承"],
        "text": ["", "停产改造后使用", "无", "中試"],
        "qualifications": [["cma", "cnas"], ["cma"], None, []],
        "longitude": [108.0, 108.0, None, 109.0],
        "latitude": [26.0, 26.9, None, 26.0],
    }
)
ASKED = pl.DataFrame(
    {
        "need_id": ["n1", "n2"],
        "title": ["轴承"] * 2,
        "text": [""] * 2,
        "qualifications_wanted": [["cnas"], None],
        "longitude": [108.0, None],
        "latitude": [26.0, 26.0],
        "not_wanted": [["需停产改造", "进口产品"], ["中试"]],
    }
)
PAIRS = ASKED.select("need_id").join(OFFERS.select("target_id"), how="cross")


def shown(conditions, offers=OFFERS, asked=ASKED):
    found = match.rank(asked, match.build(offers, encoder="words"), conditions=conditions)
    return {n: "".join(sorted(found.filter(need_id=n)["target_id"])) for n in ("n1", "n2")}


@pytest.mark.parametrize(
    ("conditions", "first", "second"),
    [
        (match.Conditions(qualified=True), "acd", "abcd"),  # b states what it holds, and not this; c and d do not state
        (match.Conditions(max_km=100), "acd", "abcd"),
        (match.Conditions(max_km=99), "ac", "abcd"),  # one degree of longitude at 26° is 99.9 km
        (match.Conditions(max_km=0), "ac", "abcd"),
        (match.Conditions(not_wanted=True), "acd", "ac"),
    ],
)
def test_rank_keeps_out_what_does_not_meet_the_conditions(conditions, first, second):
    assert shown(conditions) == {"n1": first, "n2": second}


def test_not_wanted_reads_whole_words_and_terms():
    asked = ASKED.with_columns(not_wanted=pl.Series([["氟"], ["high temperature"]]))
    offers = OFFERS.with_columns(text=pl.Series(["", "", "含 氟 涂层", "耐高温"]))

    assert shown(match.Conditions(not_wanted=True), offers, asked)["n1"] == "abd"  # 氟 as a word, not inside 氟化


def test_not_wanted_keeps_no_expert_out():
    works = OFFERS.select(expert_id="target_id", work_id="target_id", title="title", text="text")
    index = match.build_experts(works, encoder="words")

    found = match.rank(ASKED, index, conditions=match.Conditions(not_wanted=True))

    assert found.group_by("need_id").len()["len"].to_list() == [4, 4]


def test_a_phrase_without_words_keeps_nobody_out():
    asked = ASKED.with_columns(not_wanted=pl.Series([["", "的", "！"], [None]], dtype=pl.List(pl.String)))

    assert shown(match.Conditions(not_wanted=True), asked=asked) == {"n1": "abcd", "n2": "abcd"}


def test_why_not_says_what_was_found_and_what_was_wanted():
    conditions = match.Conditions(qualified=True, max_km=50, not_wanted=True)

    found = match.why_not(PAIRS, ASKED, match.build(OFFERS, encoder="words"), conditions=conditions)

    assert found.rows() == [
        ("n1", "b", "qualification", "cma", "cnas"),
        ("n1", "b", "distance", "100.1", "<= 50"),
        ("n1", "b", "not_wanted", "需停产改造", None),
        ("n1", "d", "distance", "99.9", "<= 50"),
        ("n2", "b", "not_wanted", "中试", None),
        ("n2", "d", "not_wanted", "中试", None),
    ]


PLACES = st.tuples(st.sampled_from([None, 0.0, 108.0, 108.3, 180.0]), st.sampled_from([None, -90.0, 26.0, 26.2, 0.0]))


@settings(max_examples=40, deadline=None)
@given(st.lists(PLACES, min_size=2, max_size=2), st.lists(PLACES, min_size=4, max_size=4),
       st.sampled_from([None, 0.0, 25.0, 35.0, 12_000.0]), st.booleans(), st.booleans())  # fmt: skip
def test_why_not_and_rank_agree(here, there, max_km, qualified, not_wanted):
    conditions = match.Conditions(max_km=max_km, qualified=qualified, not_wanted=not_wanted)
    asked, offers = (
        table.with_columns(
            pl.Series(c, [p[k] for p in places], dtype=pl.Float64) for k, c in enumerate(("longitude", "latitude"))
        )
        for table, places in ((ASKED, here), (OFFERS, there))
    )
    index = match.build(offers, encoder="words")

    ranked = match.rank(asked, index, conditions=conditions).select("need_id", "target_id")
    out = match.why_not(PAIRS, asked, index, conditions=conditions).select("need_id", "target_id").unique()

    kept = PAIRS.join(out, on=["need_id", "target_id"], how="anti")
    assert_frame_equal(kept.sort("need_id", "target_id"), ranked.sort("need_id", "target_id"))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), min_size=2, max_size=2), st.floats(1, 19_000))
def test_max_km_equals_measuring_the_way(places, max_km):
    (x, y), (u, v) = places
    way = kilometres((np.array([x]), np.array([y])), (np.array([u]), np.array([v])))[0]
    asked = ASKED[:1].with_columns(longitude=pl.lit(x), latitude=pl.lit(y))
    offers = OFFERS[:1].with_columns(longitude=pl.lit(u), latitude=pl.lit(v))

    found = match.rank(asked, match.build(offers, encoder="words"), conditions=match.Conditions(max_km=max_km))

    assert found.height == (way <= max_km) or abs(way - max_km) < 1e-3


def test_locate_prefers_the_organisation_to_the_district():
    given = pl.DataFrame({"id": [1, 2, 3], "org_id": ["o1", "o2", None], "district_id": ["d1", "d1", "d2"]})
    organisations = pl.DataFrame({"org_id": ["o1", "o2"], "longitude": [1.0, None], "latitude": [2.0, 3.0]})
    districts = pl.DataFrame({"district_id": ["d1"], "longitude": [5.0], "latitude": [6.0]})

    found = match.locate(given, organisations=organisations, districts=districts)

    assert found.select("longitude", "latitude", "place_of").rows() == [
        (1.0, 2.0, "organisations"),
        (5.0, 6.0, "districts"),
        (None, None, None),
    ]


def test_holders_joins_what_organisation_and_person_hold():
    people = pl.DataFrame(
        {"expert_id": ["e1", "e2", "e3"], "org_id": ["o1", "o1", None], "qualifications": [["b"], None, None]}
    )
    organisations = pl.DataFrame({"org_id": ["o1"], "qualifications": [["a", "b"]]})

    found = match.holders(people, organisations)

    assert found["qualifications"].to_list() == [["a", "b"], ["a", "b"], None]
    assert found.columns == people.columns


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: match.build(OFFERS.with_columns(qualifications=pl.lit("cma"))), r"table\.type.*qualifications"),
        (lambda: match.build(OFFERS.with_columns(latitude=pl.lit(float("nan")))), r"table\.value.*latitude"),
        (
            lambda: match.rank(ASKED.with_columns(not_wanted=pl.lit("x")), match.build(OFFERS, encoder="words")),
            r"table\.type.*not_wanted",
        ),
        (lambda: match.holders(OFFERS, pl.DataFrame({"org_id": ["o", "o"]})), r"table\.duplicate.*org_id"),
        (
            lambda: match.locate(PAIRS.rename({"need_id": "district_id"}), districts=pl.DataFrame({"name": ["x"]})),
            r"table\.columns.*district_id",
        ),
    ],
)
def test_conditions_name_what_is_wrong_with_a_table(call, message):
    with pytest.raises(TableError, match=message):
        call()


@pytest.mark.parametrize("wrong", [{"max_km": -1}, {"max_km": float("nan")}, {"max_trl_gap": -1}])
def test_conditions_name_the_argument_that_is_out_of_range(wrong):
    with pytest.raises(ArgumentError, match=r"argument\.value.*0 or more"):
        match.Conditions(**wrong)
