"""Matching: the ranking is exact, its reasons add up, conditions stand apart."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian import text
from silian.engines import match
from silian.engines.match import _topk, ranking, searching
from silian.engines.match import index as indexing
from silian.engines.match._coding import decoded
from silian.errors import ArgumentError, MatchError, SilianError, TableError
from silian.tables.schema import results

TARGETS = pl.DataFrame(
    {
        "target_id": ["a3", "a1", "a2", "a4"],
        "title": ["立方氮化硼单晶合成", "锂离子电池隔膜涂覆", "轴承钢热处理工艺", ""],
        "text": ["高温高压合成高韧性立方氮化硼单晶", "陶瓷涂覆提高隔膜耐热", None, None],
    }
)
NEEDS = pl.DataFrame(
    {
        "need_id": ["n2", "n1", "n0"],
        "title": ["高韧性立方氮化硼CBN单晶的研制", "锂电池隔膜耐热性不足", ""],
        "text": ["需要韧性好的氮化硼新牌号", None, None],
    }
)
SUBJECTS = ["锂离子电池隔膜", "立方氮化硼单晶", "轴承钢热处理", "小麦新品种选育", "废水脱氮", "机器人减速器",
            "氧化铝陶瓷", "battery separator", "6061-T6铝合金", "5G基站天线", "的", ""]  # fmt: skip
TEXTS = st.lists(st.sampled_from(SUBJECTS), min_size=0, max_size=4).map("，".join)


def targets_of(texts, **columns):
    ids = pl.Series([f"t{i}" for i in range(len(texts))], dtype=pl.String)
    return pl.DataFrame({"target_id": ids, "title": [a for a, _ in texts], "text": [b for _, b in texts], **columns},
                        schema_overrides={"title": pl.String, "text": pl.String})  # fmt: skip


def needs_of(texts, **columns):
    return (
        targets_of(texts, **columns)
        .rename({"target_id": "need_id"})
        .with_columns(pl.col("need_id").str.replace("t", "n"))
    )


def slow_scores(needs, index):
    """Every need with every target by dense arithmetic in double precision."""
    title, body = indexing.fields(needs, index.terms)
    words = ranking.word_rows(index.space, title, body).toarray().astype(float) @ index.rows.toarray().astype(float).T
    near = decoded(ranking.meaning_rows(index.encoder, title, body)) @ decoded(index.vectors).astype(float).T
    units = (1 - index.meaning) * words + index.meaning * np.maximum(near, 0)
    units = units * index.groups.weight
    scores = np.zeros((needs.height, len(index)))
    for t in range(len(index)):
        of_target = units[:, index.groups.start[t] : index.groups.start[t + 1]]
        best = -np.sort(-of_target, axis=1)[:, : index.groups.best]
        scores[:, t] = best.mean(axis=1) if best.shape[1] else 0
    return scores


def slow_rank(needs, index, top_k):
    rows = []
    for need_id, scores in zip(needs["need_id"], slow_scores(needs, index), strict=True):
        found = sorted(zip(-scores.round(12), index.target_ids, strict=True))
        found = [(t, -s) for s, t in found if -s >= _topk.LEAST]
        rows += [(need_id, t, r, s) for r, (t, s) in enumerate(found[:top_k], start=1)]
    return pl.DataFrame(rows, schema=ranking.PAIRS, orient="row")


def sums(table):
    return table["why"].list.eval(pl.element().struct.field("part")).list.sum().to_numpy()


# ── facts small enough to check by hand ─────────────────────────────────────────────────────────────────────


def test_rank_finds_the_target_of_the_same_subject():
    found = match.rank(NEEDS, match.build(TARGETS, encoder="words"), top_k=1)

    assert found.select("need_id", "target_id", "rank").rows() == [("n2", "a3", 1), ("n1", "a1", 1)]
    assert found.schema == results()["achievement_pairs"].polars


def test_score_of_a_text_with_itself_is_one():
    targets = TARGETS.filter(pl.col("title") != "")
    needs = targets.rename({"target_id": "need_id"})
    pairs = needs.select("need_id", target_id="need_id")

    assert match.score(pairs, needs, match.build(targets, encoder="corpus"))["score"].to_numpy() == pytest.approx(1)


def test_score_of_one_shared_word_is_its_squared_weight():
    targets = targets_of([("轴承磨损", ""), ("电池", "")])
    index = match.build(targets, encoder="words")
    needs = needs_of([("轴承", "")])
    pairs = pl.DataFrame({"need_id": ["n0"], "target_id": ["t0"]})

    # 轴承磨损 has two words of three runs each, all equally rare: half of its squared length is shared
    found = match.score(pairs, needs, index)

    assert found["score"][0] == pytest.approx(np.sqrt(0.5))
    assert [(p["kind"], p["term"]) for p in found["why"][0]] == [("word", "轴承")]


def test_why_shows_words_that_touch_as_one_term():
    index = match.build(targets_of([("储能集装箱消防", ""), ("储能电站", "")]), encoder="words")

    found = match.rank(needs_of([("液冷储能集装箱", "")]), index)

    assert [p["term"] for p in found["why"][0]] == ["储能集装箱"]


def test_why_shows_the_shared_word_inside_a_longer_one_and_no_fragment():
    index = match.build(targets_of([("氧化工艺", ""), ("不锈钢 化工", "")]), encoder="words")

    found = match.rank(needs_of([("硬化 化工厂", "")]), index)

    terms = {t: {p["term"] for p in why} for t, why in zip(found["target_id"], found["why"], strict=True)}
    assert "化" not in terms["t0"] | terms["t1"]
    assert "化工" in terms["t1"]
    assert "化工" not in terms["t0"]


def test_why_gives_what_the_vectors_add_as_meaning():
    texts = [("轴承 磨损", ""), ("轴承 润滑", ""), ("润滑 磨损", ""), ("电池", "")]
    index = match.build(targets_of(texts), encoder=text.encoder("corpus", dimensions=2).fit([a for a, _ in texts]))

    found = match.rank(needs_of([("润滑", "")]), index)
    far = found.filter(pl.col("target_id") == "t0")

    assert [(p["kind"], p["term"]) for p in far["why"][0]] == [("meaning", "")]


def test_rank_lists_ties_by_target_id():
    index = match.build(targets_of([("轴承", "")] * 12), encoder="words")

    found = match.rank(needs_of([("轴承", "")]), index, top_k=5)

    assert found["target_id"].to_list() == ["t0", "t1", "t10", "t11", "t2"]
    assert found["score"].n_unique() == 1


def test_rank_gives_needs_without_words_no_pair():
    found = match.rank(
        needs_of([("", ""), ("的", None), (None, None), ("😀", "2018")]), match.build(TARGETS, encoder="words")
    )

    assert found.is_empty()
    assert found.schema == results()["achievement_pairs"].polars


def test_rank_of_no_needs_is_empty():
    found = match.rank(NEEDS.clear(), match.build(TARGETS, encoder="words"))

    assert found.schema == results()["achievement_pairs"].polars


def test_rank_reads_must_have_as_part_of_the_text():
    needs = pl.DataFrame({"need_id": ["n"], "title": ["刀具"], "text": [None], "must_have": [["氮化硼", None]]},
                         schema_overrides={"text": pl.String})  # fmt: skip

    found = match.rank(needs, match.build(TARGETS, encoder="words"))

    assert found["target_id"].to_list() == ["a3"]


def test_rank_leaves_its_tables_unchanged():
    needs, targets = NEEDS.clone(), TARGETS.clone()

    match.rank(NEEDS, match.build(TARGETS, encoder="words"))

    assert_frame_equal(needs, NEEDS)
    assert_frame_equal(targets, TARGETS)


def test_build_does_not_depend_on_the_order_of_rows():
    left, right = match.build(TARGETS, encoder="corpus"), match.build(TARGETS[::-1], encoder="corpus")

    assert left.encoder.digest == right.encoder.digest
    assert_frame_equal(match.rank(NEEDS, left), match.rank(NEEDS, right))


def test_build_takes_an_encoder_that_has_learnt_elsewhere():
    learnt = text.encoder("corpus", dimensions=3).fit([*TARGETS["title"], *NEEDS["title"]])

    assert match.build(TARGETS, encoder=learnt).encoder is learnt


# ── experts ─────────────────────────────────────────────────────────────────────────────────────────────────

WORKS = pl.DataFrame(
    {
        "expert_id": ["e1"] * 4 + ["e2"],
        "work_id": ["w1", "w2", "w3", "w4", "w1"],
        "title": ["轴承磨损", "轴承", "电池", "小麦", "轴承"],
        "text": [""] * 5,
        "year": [2024, 2024, 2014, None, 2024],
        "role": ["first", "member", "leader", None, "first"],
    }
)
EXPERTS = pl.DataFrame({"expert_id": ["e3", "e1", "e2", "e4"], "profile": ["轴承", None, "小麦", ""]})


def test_build_experts_says_what_each_rests_on():
    index = match.build_experts(WORKS, EXPERTS, encoder="words")

    assert index.basis.rows() == [("e1", "works", 4), ("e2", "works", 1), ("e3", "profile", 1), ("e4", "nothing", 0)]


def test_build_experts_weighs_role_and_recency():
    index = match.build_experts(WORKS, EXPERTS, encoder="words")

    # 2014 is ten years before the latest work: two half-lives
    assert index.groups.weight.tolist() == pytest.approx([1, 0.85, 0.8 + 0.2 / 4, 0.9 * 0.9, 1, 0.8])


def test_rank_of_experts_is_the_mean_of_the_best_three_works():
    index = match.build_experts(WORKS, EXPERTS, encoder="words")

    found = match.rank(needs_of([("轴承", "")]), index)
    scores = dict(found.select("target_id", "score").iter_rows())

    alone = index.rows.toarray()[0] @ index.rows.toarray()[1]  # 轴承磨损 with 轴承
    assert scores == pytest.approx({"e1": (alone + 0.85 + 0) / 3, "e2": 1, "e3": 0.8})


def test_build_experts_works_without_works_years_and_roles():
    none = WORKS.clear().select("expert_id", "work_id", "title", "text")

    found = match.rank(needs_of([("轴承", "")]), match.build_experts(none, EXPERTS, encoder="words"))

    assert found.select("target_id", "score").rows() == [("e3", pytest.approx(0.8))]


# ── the slow sure method ────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=12), st.lists(st.tuples(TEXTS, TEXTS), max_size=5),
       st.sampled_from(["words", "corpus"]), st.integers(1, 4))  # fmt: skip
def test_rank_equals_scoring_every_pair(targets, needs, encoder, top_k):
    index, needs = match.build(targets_of(targets), encoder=encoder), needs_of(needs)

    found, slow = match.rank(needs, index, top_k=top_k), slow_rank(needs, index, top_k)

    assert found["need_id"].to_list() == slow["need_id"].to_list()
    assert found["score"].to_numpy() == pytest.approx(slow["score"].to_numpy(), abs=1e-5)
    assert found["score"].is_between(0, 1).all()
    assert sums(found) == pytest.approx(found["score"].to_numpy(), abs=1e-6)
    pairs = found.select("need_id", "target_id")
    assert_frame_equal(match.score(pairs, needs, index), found.drop("rank"))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), TEXTS), max_size=14), st.lists(st.tuples(TEXTS, TEXTS), max_size=4))
def test_rank_of_experts_equals_scoring_every_pair(works, needs):
    given_works = pl.DataFrame(
        [(f"e{e}", f"w{i}", t, "", 2000 + i) for i, (e, t) in enumerate(works)],
        schema={"expert_id": pl.String, "work_id": pl.String, "title": pl.String, "text": pl.String, "year": pl.Int64},
        orient="row",
    )
    experts = pl.DataFrame(
        {"expert_id": [f"e{i}" for i in range(6)], "profile": ["轴承钢热处理", None, "", *SUBJECTS[:3]]}
    )
    index, needs = match.build_experts(given_works, experts, encoder="corpus"), needs_of(needs)

    found, slow = match.rank(needs, index, top_k=4), slow_rank(needs, index, 4)

    assert found["score"].to_numpy() == pytest.approx(slow["score"].to_numpy(), abs=1e-5)
    assert sums(found) == pytest.approx(found["score"].to_numpy(), abs=1e-6)
    assert_frame_equal(match.score(found.select("need_id", "target_id"), needs, index), found.drop("rank"))


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_rank_does_not_depend_on_the_blocks(rows, monkeypatch):
    rng = np.random.default_rng(7)
    texts = [("，".join(rng.choice(SUBJECTS, 2)), "，".join(rng.choice(SUBJECTS, 3))) for _ in range(40)]
    index, needs = match.build(targets_of(texts), encoder="corpus"), needs_of(texts[:9])
    excluded = match.rank(needs, index, top_k=2).select("need_id", "target_id")
    whole = match.rank(needs, index, top_k=6, excluded=excluded)

    cut = pl.concat([match.rank(needs[i : i + rows], index, top_k=6, excluded=excluded) for i in range(0, 9, rows)])
    monkeypatch.setattr(ranking, "CELLS", rows * 40)
    monkeypatch.setattr(ranking, "NEEDS_AT_ONCE", 4)
    monkeypatch.setattr(searching, "CHUNK", 16 * rows)
    monkeypatch.setattr(searching, "WORTH_SHARING", 0)
    inner = match.rank(needs, index, top_k=6, excluded=excluded)

    assert whole.join(excluded, on=["need_id", "target_id"], how="semi").is_empty()
    assert_frame_equal(cut, whole)
    assert_frame_equal(inner, whole)


# ── conditions ──────────────────────────────────────────────────────────────────────────────────────────────

OFFERS = pl.DataFrame(
    {
        "target_id": ["a", "b", "c", "d"],
        "title": ["轴承"] * 4,
        "text": [""] * 4,
        "trl": [4, 8, None, 6],
        "price_cny": [2e5, None, 5e4, 1e5],
        "valid_until_on": [date(2025, 1, 31), None, date(2024, 12, 31), date(2025, 6, 1)],
        "district_id": ["d1", "d2", None, "d1"],
        "ip_status": ["granted", "expired", None, "pending"],
    }
)
ASKED = pl.DataFrame(
    {
        "need_id": ["n1", "n2"],
        "title": ["轴承"] * 2,
        "text": [""] * 2,
        "trl_wanted": [6, None],
        "budget_cny": [1e5, None],
        "deadline_on": [date(2025, 3, 1), date(2024, 1, 1)],
        "district_id": ["d1", None],
    }
)


@pytest.mark.parametrize(
    ("conditions", "first", "second"),
    [
        (match.Conditions(), "abcd", "abcd"),
        (match.Conditions(max_trl_gap=0), "bcd", "abcd"),
        (match.Conditions(max_trl_gap=2), "abcd", "abcd"),
        (match.Conditions(within_budget=True), "bcd", "abcd"),
        (match.Conditions(on=date(2025, 1, 31)), "abd", ""),
        (match.Conditions(same_district=True), "acd", "abcd"),
        (match.Conditions(ip_status=("granted", "pending")), "acd", "acd"),
    ],
)
def test_rank_keeps_out_what_does_not_meet_the_conditions(conditions, first, second):
    found = match.rank(ASKED, match.build(OFFERS, encoder="words"), conditions=conditions)

    by_need = {n: "".join(found.filter(pl.col("need_id") == n)["target_id"]) for n in ("n1", "n2")}
    assert by_need == {"n1": first, "n2": second}


def test_rank_keeps_excluded_pairs_out_and_fills_up():
    excluded = pl.DataFrame({"need_id": ["n1", "n1", "ghost"], "target_id": ["a", "a", "b"]})

    found = match.rank(ASKED, match.build(OFFERS, encoder="words"), top_k=2, excluded=excluded)

    assert found.select("need_id", "target_id").rows() == [("n1", "b"), ("n1", "c"), ("n2", "a"), ("n2", "b")]


def test_why_not_names_every_condition_that_fails():
    conditions = match.Conditions(max_trl_gap=1, within_budget=True, on=date(2025, 2, 1), ip_status=("pending",))
    pairs = pl.DataFrame({"need_id": ["n2", "n1", "n1"], "target_id": ["d", "a", "d"]})
    excluded = pl.DataFrame({"need_id": ["n1"], "target_id": ["d"]})

    found = match.why_not(pairs, ASKED, match.build(OFFERS, encoder="words"), conditions=conditions, excluded=excluded)

    assert found.rows() == [
        ("n2", "d", "deadline", "2024-01-01", ">= 2025-02-01"),
        ("n1", "a", "trl", "4", ">= 5"),
        ("n1", "a", "budget", "200000", "<= 100000"),
        ("n1", "a", "validity", "2025-01-31", ">= 2025-02-01"),
        ("n1", "a", "ip_status", "granted", "pending"),
        ("n1", "d", "excluded", None, None),
    ]


@settings(max_examples=20, deadline=None)
@given(st.booleans(), st.booleans(), st.sampled_from([None, 0, 3]), st.sampled_from([None, date(2025, 1, 31)]))
def test_why_not_and_rank_agree(budget, district, gap, on):
    conditions = match.Conditions(max_trl_gap=gap, within_budget=budget, on=on, same_district=district)
    index = match.build(OFFERS, encoder="words")
    every = ASKED.select("need_id").join(OFFERS.select("target_id"), how="cross")

    ranked = match.rank(ASKED, index, conditions=conditions).select("need_id", "target_id")
    kept_out = match.why_not(every, ASKED, index, conditions=conditions).select("need_id", "target_id").unique()

    assert_frame_equal(every.join(kept_out, on=["need_id", "target_id"], how="anti").sort("need_id", "target_id"),
                       ranked.sort("need_id", "target_id"))  # fmt: skip


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────

INDEX = match.build(TARGETS, encoder="words")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: match.build(TARGETS.drop("title")), r"table\.columns.*targets lacks.*title"),
        (lambda: match.build(TARGETS.with_columns(title=pl.lit(1))), r"table\.type.*targets\.title"),
        (lambda: match.build(pl.concat([TARGETS, TARGETS[:1]])), r"table\.duplicate.*targets.*a3"),
        (lambda: match.build(TARGETS.with_columns(target_id=pl.lit(""))), r"table\.value.*targets\.target_id"),
        (lambda: match.build(TARGETS.with_columns(trl=pl.lit(float("nan")))), r"table\.value.*targets\.trl"),
        (lambda: match.build(TARGETS.with_columns(trl=pl.lit("6"))), r"table\.type.*targets\.trl"),
        (lambda: match.build(TARGETS.with_columns(valid_until_on=pl.lit("x"))), r"table\.type.*valid_until_on"),
        (lambda: match.build_experts(WORKS.drop("work_id"), EXPERTS), r"table\.columns.*works lacks.*work_id"),
        (lambda: match.build_experts(WORKS, EXPERTS.drop("expert_id")), r"table\.columns.*experts lacks"),
        (lambda: match.build_experts(WORKS, EXPERTS[:1]), r"table\.unknown.*works\.expert_id.*experts.*e1"),
        (lambda: match.build_experts(pl.concat([WORKS, WORKS[:1]]), EXPERTS), r"table\.duplicate.*works.*e1.*w1"),
        (lambda: match.build_experts(WORKS.with_columns(year=float("inf")), EXPERTS), r"table\.value.*works\.year"),
        (lambda: match.rank(NEEDS.drop("text"), INDEX), r"table\.columns.*needs lacks.*text"),
        (lambda: match.rank(pl.concat([NEEDS, NEEDS]), INDEX), r"table\.duplicate.*3 key\(s\) of needs"),
        (lambda: match.rank(NEEDS.with_columns(budget_cny=float("nan")), INDEX), r"table\.value.*needs\.budget_cny"),
        (lambda: match.rank(NEEDS, INDEX, excluded=pl.DataFrame({"need_id": ["n1"]})), r"table\.columns.*excluded"),
        (lambda: match.score(pl.DataFrame({"need_id": ["x"], "target_id": ["a1"]}), NEEDS, INDEX),
         r"table\.unknown.*pairs\.need_id.*needs.*x"),
        (lambda: match.score(pl.DataFrame({"need_id": ["n1"], "target_id": ["x"]}), NEEDS, INDEX),
         r"table\.unknown.*pairs\.target_id.*the index.*x"),
    ],
)  # fmt: skip
def test_match_names_what_is_wrong_with_a_table(call, message):
    with pytest.raises(TableError, match=message):
        call()


@pytest.mark.parametrize(("name", "targets"), [("targets", TARGETS.clear()), ("experts", None)])
def test_build_refuses_to_match_with_nothing(name, targets):
    with pytest.raises(MatchError, match=rf"match\.empty.*{name} has no row"):
        match.build(targets) if targets is not None else match.build_experts(WORKS.clear(), EXPERTS.clear())


@pytest.mark.parametrize(
    "call",
    [
        lambda: match.rank(NEEDS, INDEX, top_k=0),
        lambda: match.build(TARGETS, meaning=1.5),
        lambda: match.build(TARGETS, meaning=float("nan")),
        lambda: match.Conditions(max_trl_gap=-1),
    ],
)
def test_match_names_the_argument_that_is_out_of_range(call):
    with pytest.raises(ArgumentError, match=r"argument\.value"):
        call()


def test_build_refuses_an_unknown_encoder():
    with pytest.raises(SilianError, match=r"text\.encoder"):
        match.build(TARGETS, encoder="bert")
