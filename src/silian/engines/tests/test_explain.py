"""Why a pair: places that can be read in the texts as given, sentences, and what the tables say."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian import text
from silian.engines import match
from silian.errors import MatchError, TableError

TARGETS = pl.DataFrame(
    {
        "target_id": ["a1", "a2", "a3"],
        "title": ["鋰離子電池隔膜的陶瓷塗覆", "轴承钢热处理工艺", "Separators for Batteries"],
        "text": [
            "😀面向動力電池；耐熱溫度達到１８０℃。可提供中試樣品，已在兩家企業使用。",
            None,
            "Ceramic coating of a separator. It holds 3.5 V; cheap and safe.",
        ],
    }
)
NEEDS = pl.DataFrame(
    {
        "need_id": ["n1", "n2"],
        "title": ["锂离子电池隔膜耐热性不足", "battery separator with ceramic coatings"],
        "text": ["我公司生产动力电池，隔膜１８０℃下收缩。希望合作开发陶瓷涂覆。", None],
        "must_have": [["耐热温度达到180℃", "国产陶瓷"], None],
    }
)
PAIRS = pl.DataFrame({"need_id": ["n1", "n2", "n1"], "target_id": ["a1", "a3", "a2"]})
SUBJECTS = ["锂离子电池隔膜", "氮化硼", "立方氮化硼單晶", "轴承钢热处理。", "廢水脱氮；", "Batteries", "a separator. ",
            "６０６１-T6铝合金", "😀", "１８０℃", "，", "\n"]  # fmt: skip
TEXTS = st.lists(st.sampled_from(SUBJECTS), max_size=5).map("".join)


def written(terms, tables):
    """Each place of a term in the letters that it was written in."""
    found = []
    for row in terms.iter_rows(named=True):
        value = tables[row["in_table"]].row(by_predicate=pl.col(KEYS[row["in_table"]]) == row["in_id"], named=True)
        said = value[row["in_column"]]
        said = said[row["item"] - 1] if row["item"] else said
        found.append((row["term"], said[row["start"] : row["end"]]))
    return found


KEYS = {"needs": "need_id", "achievements": "target_id", "works": "work_id", "experts": "expert_id"}


@pytest.fixture(scope="module")
def index():
    return match.build(TARGETS, encoder="words")


# ── terms ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_explain_finds_terms_in_traditional_full_width_and_emoji_texts(index):
    terms = match.explain(PAIRS[:1], NEEDS, index, TARGETS).terms

    found = written(terms, {"needs": NEEDS, "achievements": TARGETS})
    assert ("180°c", "１８０℃") in found
    assert ("180°c", "180℃") in found
    assert {w for _, w in found} >= {"鋰離子電池隔膜", "锂离子电池隔膜", "陶瓷塗覆", "陶瓷涂覆", "動力電池"}


def test_explain_finds_english_plurals():
    terms = match.explain(PAIRS[1:2], NEEDS, match.build(TARGETS, encoder="words", terms=None), TARGETS).terms

    found = written(terms, {"needs": NEEDS, "achievements": TARGETS})
    assert {w for t, w in found if t == "battery"} == {"battery", "Batteries"}
    assert {w for t, w in found if t == "separator"} == {"separator", "Separators"}
    assert {w for t, w in found if t == "coating"} == {"coatings", "coating"}


def test_explain_finds_a_term_in_the_language_that_each_side_has(index):
    pairs = pl.DataFrame({"need_id": ["n1"], "target_id": ["a3"]})

    terms = match.explain(pairs, NEEDS, index, TARGETS).terms

    found = written(terms, {"needs": NEEDS, "achievements": TARGETS})
    assert {w for t, w in found if t == "隔膜"} == {"隔膜", "Separators", "separator"}
    assert terms.filter(term="隔膜", in_table="achievements", in_column="title")["start"].to_list() == [0]


def test_explain_says_where_a_term_stands(index):
    terms = match.explain(PAIRS[:1], NEEDS, index, TARGETS).terms

    where = terms.filter(term="180°c").select("in_table", "in_id", "in_column", "item", "start", "end").rows()
    assert where == [
        ("needs", "n1", "text", 0, 12, 16),
        ("needs", "n1", "must_have", 1, 6, 10),
        ("achievements", "a1", "text", 0, 14, 18),
    ]


def test_explain_gives_each_term_the_part_that_the_score_has(index):
    scored = match.score(PAIRS, NEEDS, index)

    terms = match.explain(scored, NEEDS, index, TARGETS).terms

    parts = scored.explode("why", empty_as_null=False, keep_nulls=False).unnest("why").filter(kind="word")
    parts = parts.filter(pl.col("term") != "…")
    shown = terms.select("need_id", "target_id", "term", "part").unique()
    same = {"check_row_order": False, "check_column_order": False}
    assert_frame_equal(shown, parts.select(shown.columns), **same)
    assert_frame_equal(match.explain(PAIRS, NEEDS, index, TARGETS).terms, terms)


def test_explain_marks_a_short_word_inside_a_longer_one_only_there():
    targets = pl.DataFrame({"target_id": ["a"], "title": ["立方氮化硼刀具"], "text": ["硼化工艺"]})
    needs = pl.DataFrame({"need_id": ["n"], "title": ["氮化硼"], "text": [""]})
    index = match.build(targets, encoder="words")

    terms = match.explain(pl.DataFrame({"need_id": ["n"], "target_id": ["a"]}), needs, index, targets).terms

    assert terms.filter(in_table="achievements").select("in_column", "start", "end").rows() == [("title", 2, 5)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4), st.lists(st.tuples(TEXTS, TEXTS), max_size=3))
def test_explain_places_hold_their_term(targets, needs):
    given_targets = pl.DataFrame(
        [(f"t{i}", *row) for i, row in enumerate(targets)], schema=["target_id", "title", "text"], orient="row"
    )
    schema = dict.fromkeys(("need_id", "title", "text"), pl.String)
    given_needs = pl.DataFrame([(f"n{i}", *row) for i, row in enumerate(needs)], schema=schema, orient="row")
    index = match.build(given_targets, encoder="words", terms=None)
    pairs = match.rank(given_needs, index, top_k=3)

    terms = match.explain(pairs, given_needs, index, given_targets).terms

    for term, letters in written(terms, {"needs": given_needs, "achievements": given_targets}):
        spelt = text.normalise(letters).lower().replace(" ", "")
        assert term in spelt or term in "".join(text.words([letters])[0]) or spelt in term
    shared = pairs.explode("why", empty_as_null=False, keep_nulls=False).unnest("why")
    shared = shared.filter((pl.col("kind") == "word") & (pl.col("term") != "…"))
    in_needs = terms.filter(in_table="needs")
    assert shared.join(in_needs, on=["need_id", "target_id", "term"], how="anti").is_empty()


# ── experts ──────────────────────────────────────────────────────────────────────────────────────────────────

WORKS = pl.DataFrame(
    {
        "expert_id": ["e1", "e1", "e1", "e1", "e2"],
        "work_id": ["w4", "w1", "w2", "w3", "w5"],
        "title": ["电池隔膜收缩", "锂电池隔膜", "隔膜涂覆方法", "小麦育种", "动力电池"],
        "text": ["", "陶瓷涂覆", "", "", "隔膜"],
        "ipc": [["H01M50/449"], ["H01M50/403"], None, ["A01H1/04"], None],
    }
)
EXPERTS = pl.DataFrame({"expert_id": ["e2", "e3", "e1", "e4"], "profile": [None, "研究电池隔膜", "小麦", None]})


@pytest.fixture(scope="module")
def people():
    return match.build_experts(WORKS, EXPERTS, encoder="words")


def test_explain_finds_terms_in_the_works_that_the_score_rests_on(people):
    pairs = pl.DataFrame({"need_id": ["n1", "n1"], "target_id": ["e1", "e3"]})

    terms = match.explain(pairs, NEEDS, people, EXPERTS, works=WORKS).terms

    theirs = terms.filter(pl.col("in_table") != "needs")
    of_first = theirs.filter(target_id="e1")
    assert set(of_first["in_table"]) == {"works"}
    assert set(of_first["in_id"]) == {"w1", "w2", "w4"}  # the three best; w3 is wheat
    assert theirs.filter(target_id="e3").select("in_table", "in_id", "in_column").unique().rows() == [
        ("experts", "e3", "profile")
    ]
    found = written(of_first.filter(in_id="w2"), {"works": WORKS})
    assert found == [("电池隔膜", "隔膜"), ("陶瓷涂覆", "涂覆")]  # it has these words of the longer terms


def test_explain_of_an_expert_with_nothing_is_silent(people):
    pairs = pl.DataFrame({"need_id": ["n1"], "target_id": ["e4"]})

    found = match.explain(pairs, NEEDS, people, EXPERTS, works=WORKS)

    assert found.terms.is_empty()
    assert found.facts.is_empty()


# ── sentences ────────────────────────────────────────────────────────────────────────────────────────────────


def test_explain_shows_the_nearest_sentences(index):
    facts = match.explain(PAIRS, NEEDS, index, TARGETS).facts.filter(fact="sentence")

    first = facts.row(0, named=True)
    assert first["need_says"] == "耐热温度达到180℃"
    assert first["target_says"] == "耐熱溫度達到１８０℃。"
    assert (first["in_table"], first["in_id"]) == ("achievements", "a1")
    assert 0.3 < first["value"] <= 1
    assert facts.filter(target_id="a2").is_empty()  # nothing near enough


@pytest.mark.parametrize("encoder", ["words", "corpus"])
def test_explain_nearest_sentences_equal_trying_all(encoder):
    index = match.build(TARGETS, encoder=encoder)
    facts = match.explain(PAIRS, NEEDS, index, TARGETS).facts.filter(fact="sentence")

    for row in facts.iter_rows(named=True):
        left = _sentences(index, NEEDS.row(by_predicate=pl.col("need_id") == row["need_id"], named=True))
        right = _sentences(index, TARGETS.row(by_predicate=pl.col("target_id") == row["target_id"], named=True))
        near = _nearness(index, left) @ _nearness(index, right).T
        assert row["value"] == pytest.approx(near.max(), abs=1e-6)
        i, j = np.unravel_index(near.argmax(), near.shape)
        assert (row["need_says"], row["target_says"]) == (left[i], right[j])


def _sentences(index, row):
    said = [row["title"]]
    for body in (row["text"], *(row.get("must_have") or ())):
        cut = [body[a:b].strip() for a, b in text.sentences(body or "")]
        said += [s for s in cut if len(text.place_words([s], terms=index.terms).words) >= 3]
    return said


def _nearness(index, said):
    """Rows whose products are the nearness of sentences (the vectors of these never point away from each other)."""
    bags = text.segment(said, terms=index.terms)
    words = index.space.rows(bags).toarray() * np.sqrt(1 - index.meaning)
    return np.hstack([words, index.encoder.encode(bags) * np.sqrt(index.meaning)])


def test_explain_takes_a_very_long_text():
    targets = TARGETS.with_columns(text=pl.lit("轴承钢的热处理工艺很好；" * 20_000))
    index = match.build(targets, encoder="words")

    found = match.explain(PAIRS, NEEDS, index, targets)

    assert found.terms.group_by("target_id", "term", "in_id", "in_column", "item").len()["len"].max() <= 20
    assert found.facts["target_says"].str.len_chars().max() <= 300


# ── facts ────────────────────────────────────────────────────────────────────────────────────────────────────

HERE = {
    "organisations": pl.DataFrame(
        {
            "org_id": ["o1", "o2"],
            "longitude": [108.0, None],
            "latitude": [26.0, None],
            "industry": ["C3914", "C39"],
            "industry_edition": ["2017", None],
        }
    ),
    "districts": pl.DataFrame({"district_id": ["d1", "d2"], "longitude": [108.5, 108.0], "latitude": [26.5, 27.0]}),
    "makes": pl.DataFrame({"org_id": ["o2", "o1"], "product_id": ["p1", "p1"]}),
    "projects": pl.DataFrame(
        {
            "project_id": ["x1", "x2", "x3"],
            "need_id": ["n1", None, None],
            "achievement_id": ["a1", "a1", "a3"],
            "org_id": ["o1", "o2", "o9"],
            "partner_org_id": ["o2", "o1", "o2"],
            "expert_ids": [["e1", "e2"], ["e1"], None],
            "stage": ["outcome", "lost", "outcome"],
        }
    ),
    "outcomes": pl.DataFrame(
        {
            "outcome_id": ["y1", "y2"],
            "project_id": ["x1", "x1"],
            "measured_on": [date(2025, 1, 1), date(2026, 1, 1)],
            "sales_cny": [1e6, 3e6],
        }
    ),
}
ASKING = NEEDS.with_columns(
    org_id=pl.lit("o1"),
    district_id=pl.lit("d1"),
    field=pl.lit("battery"),
    product_id=pl.lit("p1"),
    trl_wanted=pl.lit(7),
    ipc=pl.lit(["H01M10/0525", "H01M50/409"], dtype=pl.List(pl.String)),
    nice_to_have=pl.lit(["两家企业使用", "质保期"], dtype=pl.List(pl.String)),
    not_wanted=pl.lit(["中试", "进口隔膜"], dtype=pl.List(pl.String)),
)
OFFERING = TARGETS.with_columns(
    org_id=pl.lit("o2"),
    district_id=pl.lit("d2"),
    field=pl.Series(["battery", "steel", None]),
    trl=pl.Series([5, 9, None]),
    ipc=pl.Series([["H01M50/403"], ["C21D9/40"], None]),
)


def facts_of(pairs, **given):
    index = match.build(OFFERING, encoder="words")
    return match.explain(pairs, ASKING, index, OFFERING, **given).facts


def test_explain_gives_the_facts_of_a_pair_by_hand():
    facts = facts_of(PAIRS[:1], **HERE)

    shown = facts.select("fact", "place", "need_says", "target_says", "shared", "value").filter(
        ~pl.col("fact").is_in(["sentence", "distance"])
    )
    assert shown.rows() == [
        ("field", 1, "battery", "battery", "battery", None),
        ("product", 1, "p1", "o2", "p1", None),
        ("industry", 1, "C3914", "C39", "C39", 2.0),
        ("ipc", 1, "H01M50/409", "H01M50/403", "H01M50", 4.0),
        ("trl", 1, "7", "5", None, -2.0),
        ("past_pair", 1, "o1", "o2", "outcome", 1.0),
        ("past_target", 1, "o1", "o2", "lost", 1.0),
        ("past_target", 2, "o1", "o2", "outcome", 1.0),
        ("past_organisations", 1, "o1", "o2", "lost", 1.0),
        ("past_organisations", 2, "o1", "o2", "outcome", 1.0),
        ("past_sales", 1, None, None, None, 3e6),
        ("nice_to_have", 1, "两家企业使用", "可提供中試樣品，已在兩家企業使用。", None, None),
        ("not_wanted", 1, "中试", "可提供中試樣品，已在兩家企業使用。", None, None),
    ]
    # o1 lies at 108 E 26 N, o2 is known by its district alone: one degree of latitude
    distance = facts.filter(fact="distance").row(0, named=True)
    assert distance["value"] == pytest.approx(111.195, abs=1e-3)
    assert (distance["need_says"], distance["target_says"]) == ("organisations", "districts")


def test_explain_finds_the_past_of_an_expert_and_the_class_of_the_works(people):
    pairs = pl.DataFrame({"need_id": ["n1"], "target_id": ["e1"]})

    facts = match.explain(pairs, ASKING, people, EXPERTS, works=WORKS, projects=HERE["projects"]).facts

    assert facts.filter(fact="past_pair").select("shared", "value").rows() == [("outcome", 1.0)]
    assert facts.filter(fact="past_target").select("shared", "value").rows() == [("lost", 1.0), ("outcome", 1.0)]
    assert facts.filter(fact="ipc").select("shared", "value", "in_table", "in_id").rows() == [
        ("H01M50", 4.0, "works", "w1")
    ]


def test_explain_does_not_take_a_denial_for_what_is_not_wanted():
    targets = OFFERING.with_columns(text=pl.lit("无需中试即可使用"))
    index = match.build(targets, encoder="words")

    facts = match.explain(PAIRS[:1], ASKING, index, targets).facts

    assert facts.filter(fact="not_wanted").is_empty()


def test_what_is_nice_to_have_moves_no_score():
    index = match.build(OFFERING, encoder="words")

    with_wish = match.score(PAIRS, ASKING, index)
    without = match.score(PAIRS, ASKING.drop("nice_to_have"), index)

    assert_frame_equal(with_wish, without)


def test_explain_lists_the_labelled_examples_of_a_grade():
    examples = pl.DataFrame(
        {
            "need_id": ["n1", "n1"],
            "target_id": ["a1", "a1"],
            "example_need_id": ["m1", "m2"],
            "example_target_id": ["b1", "b2"],
            "level": [4, 2],
            "likeness": [0.8, 0.5],
        }
    )

    facts = facts_of(PAIRS, examples=examples).filter(fact="example")

    assert facts.select("need_id", "place", "need_says", "target_says", "shared", "value").rows() == [
        ("n1", 1, "m1", "b1", "4", 0.8),
        ("n1", 2, "m2", "b2", "2", 0.5),
    ]


def test_explain_does_not_compare_industries_of_two_editions():
    other = HERE["organisations"].with_columns(industry_edition=pl.Series(["2017", "2011"]))

    assert facts_of(PAIRS, organisations=other).filter(fact="industry").is_empty()


def test_explain_keeps_the_order_of_the_pairs_and_leaves_its_tables_unchanged():
    before = ASKING.clone(), OFFERING.clone()

    facts = facts_of(PAIRS, **HERE)

    assert facts.select("need_id", "target_id").unique(maintain_order=True).rows() == PAIRS.rows()
    assert_frame_equal(ASKING, before[0])
    assert_frame_equal(OFFERING, before[1])


def test_explain_of_no_pairs_has_no_rows():
    index = match.build(OFFERING, encoder="words")

    found = match.explain(PAIRS.clear(), ASKING, index, OFFERING, **HERE)

    assert found.terms.is_empty()
    assert found.facts.is_empty()


@pytest.mark.parametrize(
    ("one", "other", "km"),
    [((108.0, 26.0), (108.0, 26.0), 0.0), ((0.0, 0.0), (180.0, 0.0), 20015.115), ((0.0, 90.0), (77.0, 90.0), 0.0),
     ((179.5, 0.0), (-179.5, 0.0), 111.195)],
)  # fmt: skip
def test_kilometres_by_hand(one, other, km):
    there, here = ((np.array([x]), np.array([y])) for x, y in (one, other))

    assert match.kilometres(there, here)[0] == pytest.approx(km, abs=1e-3)


# ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_explain_refuses_targets_of_another_index(index):
    with pytest.raises(MatchError, match=r"match\.targets.*targets.*a3") as caught:
        match.explain(PAIRS[:1], NEEDS, index, TARGETS[:2])
    assert caught.value.problems["target_id"].to_list() == ["a3"]


def test_explain_refuses_works_of_another_index(people):
    pairs = pl.DataFrame({"need_id": ["n1"], "target_id": ["e1"]})

    with pytest.raises(MatchError, match=r"match\.targets.*works.*e1"):
        match.explain(pairs, NEEDS, people, EXPERTS, works=WORKS[1:])
    with pytest.raises(MatchError, match=r"match\.targets"):
        match.explain(pairs, NEEDS, people, EXPERTS)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"organisations": pl.DataFrame({"longitude": [1.0]})}, r"table\.columns.*org_id"),
        ({"districts": pl.DataFrame({"district_id": ["d1", "d1"]})}, r"table\.duplicate.*d1"),
        (
            {"districts": pl.DataFrame({"district_id": ["d1"], "longitude": [500.0], "latitude": [1.0]})},
            r"table\.value.*longitude.*out of range",
        ),
        ({"projects": pl.DataFrame({"project_id": ["x1"]})}, r"table\.columns.*stage"),
        ({"examples": pl.DataFrame({"need_id": ["n1"]})}, r"table\.columns.*example_need_id"),
        ({"makes": pl.DataFrame({"org_id": [1], "product_id": ["p"]})}, r"table\.type.*org_id"),
    ],
)
def test_explain_names_what_is_wrong_with_a_table(given, message):
    with pytest.raises(TableError, match=message):
        facts_of(PAIRS, **given)


def test_explain_names_a_pair_that_is_unknown(index):
    ghost = pl.DataFrame({"need_id": ["n1"], "target_id": ["ghost"]})

    with pytest.raises(TableError, match=r"table\.unknown.*target_id.*ghost"):
        match.explain(ghost, NEEDS, index, TARGETS)
