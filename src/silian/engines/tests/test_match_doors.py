"""Matching: one scorer behind every door, both directions, and lists that no organisation fills."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian.engines import match
from silian.errors import ArgumentError, MatchError, TableError, TextError

SUBJECTS = [
    "锂离子电池隔膜",
    "立方氮化硼单晶",
    "轴承钢热处理",
    "小麦新品种选育",
    "废水脱氮",
    "氧化铝陶瓷",
    "battery separator",
    "",
]
TEXTS = st.lists(st.sampled_from(SUBJECTS), min_size=0, max_size=3).map("，".join)
ORGANISATIONS = st.sampled_from(["o1", "o2", "o3", None])


def achievements(texts, encoder="corpus", **columns):
    ids = [f"t{i:02d}" for i in range(len(texts))]
    titles = {"target_id": ids, "title": [a for a, _ in texts], "text": [b for _, b in texts]}
    return match.build(pl.DataFrame(titles | columns, schema_overrides={"org_id": pl.String}), encoder=encoder)


def experts(texts, encoder="corpus"):
    works = {"expert_id": [f"e{i % 4}" for i in range(len(texts))], "work_id": [f"w{i}" for i in range(len(texts))],
             "title": [a for a, _ in texts], "text": [b for _, b in texts]}  # fmt: skip
    return match.build_experts(pl.DataFrame(works), encoder=encoder)


def needs_of(texts):
    ids = [f"n{i:02d}" for i in range(len(texts))]
    return pl.DataFrame({"need_id": ids, "title": [a for a, _ in texts], "text": [b for _, b in texts]},
                        schema={"need_id": pl.String, "title": pl.String, "text": pl.String})  # fmt: skip


def every_pair(needs, index):
    return needs.select("need_id").join(pl.DataFrame({"target_id": index.target_ids}), how="cross")


MANY = [("，".join(np.random.default_rng(i).choice(SUBJECTS, 2)), SUBJECTS[i % 8]) for i in range(24)]


# ── the same pair has the same score through every door ─────────────────────────────────────────────────────


@pytest.mark.parametrize("index", [achievements(MANY), experts(MANY)], ids=["achievements", "experts"])
def test_ask_gives_the_scores_of_rank_and_score(index):
    needs = needs_of(MANY[:7])

    ranked = match.rank(needs, index, top_k=30)
    asked = [index.ask(text, 30, title=title).with_columns(need_id=pl.lit(n)) for n, title, text in needs.iter_rows()]

    assert_frame_equal(pl.concat(asked), ranked)
    assert_frame_equal(match.score(ranked.select("need_id", "target_id"), needs, index), ranked.drop("rank"))


def test_ask_reads_a_question_as_the_text_of_a_need():
    index, question = achievements(MANY), "立方氮化硼 陶瓷"

    asked = index.ask(question, 3)

    same = match.rank(needs_of([("", question)]), index, top_k=3)
    title = match.rank(needs_of([(question, "")]), index, top_k=3)
    assert asked["need_id"].unique().to_list() == ["question"]
    assert_frame_equal(asked.drop("need_id"), same.drop("need_id"))
    assert_frame_equal(asked.drop("need_id"), title.drop("need_id"))  # a text alone counts as much as a title alone


def test_ask_looks_at_conditions_and_leaves_out_what_it_is_told():
    index = achievements([("轴承", "")] * 4, encoder="words", trl=[3, 5, 7, None])

    found = index.ask("轴承", facts={"trl_wanted": 6}, conditions=match.Conditions(max_trl_gap=1), excluded=["t03"])

    assert found["target_id"].to_list() == ["t01", "t02"]


@pytest.mark.parametrize("question", ["", " ", "。", "2018", "😀", "\x00"])
def test_ask_finds_nothing_for_a_question_without_words(question):
    assert achievements(MANY).ask(question).is_empty()


def test_ask_answers_a_very_long_question():
    index = achievements(MANY)

    found = index.ask("锂离子电池隔膜，" * 25_000, 3)

    assert found["target_id"].to_list() == index.ask("锂离子电池隔膜", 3)["target_id"].to_list()


def test_rank_without_why_is_rank_without_that_column():
    index, needs = achievements(MANY), needs_of(MANY[:5])

    assert_frame_equal(match.rank(needs, index, why=False), match.rank(needs, index).drop("why"))


# ── from targets to needs ───────────────────────────────────────────────────────────────────────────────────


def slow_needs(needs, index, top_k, **given):
    """`rank` with every target, turned round."""
    whole = match.rank(needs, index, top_k=len(index), **given).drop("rank")
    turned = whole.sort(["target_id", "score", "need_id"], descending=[False, True, False])
    place = (pl.int_range(pl.len()).over("target_id") + 1).alias("rank")
    return (
        turned.with_columns(place)
        .filter(pl.col("rank") <= top_k)
        .select("target_id", "need_id", "rank", "score", "why")
    )


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=9), st.lists(st.tuples(TEXTS, TEXTS), max_size=9),
       st.integers(1, 4), st.sampled_from([achievements, experts]))  # fmt: skip
def test_rank_needs_is_rank_turned_round(texts, asked, top_k, build):
    index, needs = build([("轴承", ""), *texts]), needs_of(asked)

    assert_frame_equal(match.rank_needs(needs, index, top_k=top_k), slow_needs(needs, index, top_k))


def test_rank_needs_of_some_targets_is_a_part_of_all():
    index, needs, some = experts(MANY), needs_of(MANY[::-1]), ["e3", "e1"]

    found = match.rank_needs(needs, index, targets=some, top_k=5)

    assert_frame_equal(found, match.rank_needs(needs, index, top_k=5).filter(pl.col("target_id").is_in(some)))
    assert found["target_id"].unique(maintain_order=True).to_list() == ["e1", "e3"]


def test_rank_needs_obeys_conditions_and_exclusions():
    index = achievements(MANY, trl=[i % 9 + 1 for i in range(24)])
    needs = needs_of(MANY[:9]).with_columns(trl_wanted=pl.lit(6))
    given = {"conditions": match.Conditions(max_trl_gap=1), "excluded": match.rank(needs, index, top_k=1)[:3]}

    assert_frame_equal(match.rank_needs(needs, index, top_k=3, **given), slow_needs(needs, index, 3, **given))


def test_rank_needs_of_nothing_is_empty():
    columns = ["target_id", "need_id", "rank", "score", "why"]

    assert match.rank_needs(needs_of([]), achievements(MANY)).columns == columns
    assert match.rank_needs(needs_of(MANY[:2]), achievements(MANY), targets=[], why=False).columns == columns[:-1]


# ── a limit per organisation ────────────────────────────────────────────────────────────────────────────────


def slow_limit(whole, organisation, top_k, most):
    """Walk the whole ranking of each need and pass over what is one too many."""
    rows = []
    for need in whole["need_id"].unique(maintain_order=True):
        seen, taken = {}, []
        for row in whole.filter(pl.col("need_id") == need).iter_rows(named=True):
            body = organisation[row["target_id"]]
            if body is not None and seen.get(body, 0) >= most:
                continue
            seen[body] = seen.get(body, 0) + 1
            taken.append(row | {"rank": len(taken) + 1})
        rows += taken[:top_k]
    return pl.DataFrame(rows, schema=whole.schema)


@settings(max_examples=30, deadline=None)
@given(st.lists(ORGANISATIONS, min_size=24, max_size=24), st.integers(1, 3), st.integers(1, 6))
def test_rank_walks_past_organisations_that_are_full(owners, most, top_k):
    index, needs = achievements(MANY, org_id=owners), needs_of(MANY[:4])
    whole = match.rank(needs, index, top_k=24)

    found = match.rank(needs, index, top_k=top_k, per_organisation=most)

    assert_frame_equal(found, slow_limit(whole, dict(zip(index.target_ids, owners, strict=True)), top_k, most))


def test_rank_limits_experts_by_their_organisation():
    works = pl.DataFrame(
        {"expert_id": ["e1", "e2", "e3"], "work_id": ["w"] * 3, "title": ["轴承"] * 3, "text": [""] * 3}
    )
    people = pl.DataFrame({"expert_id": ["e3", "e2", "e1"], "org_id": ["o", "o", "o"]})

    found = match.build_experts(works, people, encoder="words").ask("轴承", per_organisation=2)

    assert found["target_id"].to_list() == ["e1", "e2"]


# ── experts that only their works name ──────────────────────────────────────────────────────────────────────


def test_build_experts_takes_the_experts_of_works():
    works = pl.DataFrame({"expert_id": ["e2", "e1", "e2"], "work_id": ["w", "w", "v"], "title": ["轴承", "", "电池"],
                          "text": [""] * 3})  # fmt: skip

    alone = match.build_experts(works, encoder="words")

    assert alone.basis.rows() == [("e1", "nothing", 0), ("e2", "works", 2)]
    assert_frame_equal(
        alone.ask("轴承"), match.build_experts(works, works.select("expert_id").unique(), encoder="words").ask("轴承")
    )


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "call",
    [
        lambda: match.rank(needs_of(MANY[:1]), achievements(MANY), per_organisation=0),
        lambda: match.rank_needs(needs_of(MANY[:1]), achievements(MANY), top_k=0),
        lambda: achievements(MANY).ask("轴承", 0),
    ],
)
def test_doors_name_the_argument_that_is_out_of_range(call):
    with pytest.raises(ArgumentError, match=r"argument\.value"):
        call()


@pytest.mark.parametrize("given", [{"question": 7}, {"question": "轴承", "title": 7}])
def test_ask_refuses_what_is_no_text(given):
    with pytest.raises(TextError, match=r"text\.type.*int"):
        achievements(MANY).ask(**given)


def test_rank_needs_names_the_target_that_the_index_lacks():
    with pytest.raises(TableError, match=r"table\.unknown.*targets\.target_id.*the index.*ghost"):
        match.rank_needs(needs_of(MANY[:1]), achievements(MANY), targets=["t01", "ghost"])


def test_ask_names_the_fact_that_is_of_another_type():
    with pytest.raises(TableError, match=r"table\.type.*needs\.trl_wanted"):
        achievements(MANY).ask("轴承", facts={"trl_wanted": "six"})


def test_build_names_the_organisation_that_is_no_text():
    with pytest.raises(TableError, match=r"table\.type.*targets\.org_id"):
        match.build(pl.DataFrame({"target_id": ["a"], "title": ["轴承"], "text": [""], "org_id": [1]}))


def test_build_experts_refuses_to_match_with_no_works():
    with pytest.raises(MatchError, match=r"match\.empty.*works has no row"):
        match.build_experts(
            pl.DataFrame(schema={"expert_id": pl.String, "work_id": pl.String, "title": pl.String, "text": pl.String})
        )


def test_conditions_hold_where_no_target_states_a_fact():
    index = achievements(MANY[:3])

    assert index.ask("锂离子电池隔膜", conditions=match.Conditions(same_district=True)).height
