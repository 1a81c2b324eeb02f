"""An index that grows and shrinks equals one that is built at once of the same records with what the first learnt."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian import text
from silian.engines import match
from silian.engines.match import keep
from silian.engines.match.index import Way, of_targets, of_works
from silian.errors import MatchError, TableError
from silian.tables.packing import Packed

SUBJECTS = ["锂离子电池隔膜", "立方氮化硼单晶", "轴承钢热处理", "小麦新品种选育", "废水脱氮", "机器人减速器", "钢",
            "氧化铝陶瓷", "battery separator", "6061-T6铝合金", "5G基站天线", "的", ""]  # fmt: skip
NEEDS = pl.DataFrame(
    {
        "need_id": ["n1", "n2", "n3", "n4"],
        "title": ["锂电池隔膜耐热", "氮化硼刀具", "钢的热处理 battery", "5G天线"],
        "text": ["", "立方氮化硼单晶合成", "6061-T6 废水", "机器人减速器轴承"],
    }
)
ROW = st.tuples(st.integers(0, 30), st.sampled_from(SUBJECTS), st.sampled_from(SUBJECTS))
RECORDS = st.lists(ROW, min_size=1, max_size=8)
TABLES = ("target_ids", "facts", "organisation", "basis")


def targets_of(rows):
    """Rows of (number, title, text); of one number the last row."""
    last = {f"t{i:02d}": (title, body, float(i)) for i, title, body in rows}
    return pl.DataFrame(
        [(i, *row) for i, row in last.items()], orient="row",
        schema={"target_id": pl.String, "title": pl.String, "text": pl.String, "trl": pl.Float64},
    )  # fmt: skip


def arrays(index):
    """All that an index holds, in a form that can be compared: header, bytes of arrays, rows of tables."""
    packed = keep.to_arrays(index)
    found = {n: (a.dtype, a.shape, a.tobytes()) for n, a in packed.arrays.items() if n not in TABLES}
    return packed.header, found, [getattr(index, name).to_frame().rows() if name in ("target_ids", "organisation")
                                  else getattr(index, name).rows() for name in TABLES]  # fmt: skip


def without_learnt(whole):
    """Without what tells old from later: the slow build takes all for learnt."""
    header, found, tables = whole
    header["index"]["fields"].pop("learnt")
    return header, {name: array for name, array in found.items() if not name.startswith("learnt.")}, tables


def slow_space(base, records):
    """The features of what was learnt and of the records; those not learnt weigh as one that one unit had."""
    learnt = [f for f, k in zip(base.space.features, base.learnt.features, strict=True) if k]
    idf = dict(zip(base.space.features, base.space.idf.tolist(), strict=True))
    words = text.segment([*records["title"], *records["text"]], terms=base.terms).vocabulary
    features = sorted({*learnt, *(g for w in words for g in text.grams(w))})
    once = np.log((1 + base.learnt.units) / 2) + 1
    weights = np.asarray([idf[f] if f in learnt else once for f in features])
    return text.WordSpace(tuple(features), weights, {f: i for i, f in enumerate(features)})


def slow(base, records):
    """How to build of all records at once, with the base's encoder, terms and idf: no feature is left to be added."""
    space = slow_space(base, records)
    learnt = replace(base.learnt, features=np.ones(len(space.features), np.bool_))
    return Way.of(replace(base, space=space, learnt=learnt))


def slow_targets(base, targets):
    return of_targets(targets, way=slow(base, targets))


def asked(index):
    pairs = NEEDS.select("need_id").join(pl.DataFrame({"target_id": index.target_ids}), how="cross")
    return match.score(pairs, NEEDS, index), match.rank(NEEDS, index), index.facts, index.basis


def assert_answers_alike(left, right):
    for found, wanted in zip(asked(left), asked(right), strict=True):
        assert_frame_equal(found, wanted, check_exact=True)


# ── equal to a slow build ──


@pytest.mark.parametrize("encoder", ["words", "corpus"])
@settings(max_examples=15, deadline=None)
@given(first=RECORDS, second=RECORDS)
def test_extend_by_new_ids_equals_building_at_once_array_by_array(encoder, first, second):
    base = match.build(targets_of(first), encoder=encoder)
    second = [(i + 31 if i % 2 else i - 31, *row) for i, *row in second]  # before and behind the first
    new = targets_of([r for r in second if r[0] not in {i for i, *_ in first}])

    found = match.extend(base, new)

    wanted = slow_targets(base, pl.concat([targets_of(first), new]))
    assert without_learnt(arrays(found)) == without_learnt(arrays(wanted))
    assert found.learnt.is_later.tolist() == found.target_ids.is_in(new["target_id"].implode()).to_list()


@settings(max_examples=25, deadline=None)
@given(first=RECORDS, steps=st.lists(st.tuples(RECORDS, st.lists(st.integers(0, 30), max_size=4)), max_size=3))
def test_any_edits_equal_building_what_is_left_at_once(first, steps):
    base = index = match.build(targets_of(first), encoder="corpus")
    records = {r[0]: r for r in targets_of(first).rows()}
    for added, removed in steps:
        index = match.extend(index, targets_of(added))
        records |= {r[0]: r for r in targets_of(added).rows()}
        gone = [t for t in (f"t{i:02d}" for i in removed) if t in records][: len(records) - 1]
        index = match.shorten(index, gone)
        records = {t: r for t, r in records.items() if t not in gone}

    left = pl.DataFrame(list(records.values()), schema=targets_of(first).schema, orient="row")
    wanted = slow_targets(base, left)
    assert index.space.features == wanted.space.features
    assert index.space.idf.tolist() == wanted.space.idf.tolist()
    assert index.codes.posts.code.tolist() == wanted.codes.posts.code.tolist()
    assert_answers_alike(index, wanted)


WORKS = pl.DataFrame(
    {
        "expert_id": ["e1", "e1", "e1", "e1", "e2", "e5", "e5"],
        "work_id": ["w1", "w2", "w3", "w4", "w1", "w1", "w2"],
        "title": ["锂电池隔膜", "隔膜涂覆", "轴承钢", "电池管理", "氮化硼单晶", "5G天线", "废水"],
        "text": ["", "耐热", None, "", "", "基站", ""],
        "year": [2020, 2010, None, 2014, 2012, 2025, 2001],
        "role": ["first", None, "member", "leader", "first", "first", "member"],
    }
)
EXPERTS = pl.DataFrame(
    {"expert_id": ["e3", "e2", "e1", "e4", "e5"], "profile": ["轴承钢热处理", None, "电池", None, "天线"]}
)


@pytest.mark.parametrize("later", [["e5"], ["e4"], ["e3", "e5"], ["e1"]])
def test_extend_experts_equals_building_at_once_with_the_first_year(later):
    new, old = (pl.col("expert_id").is_in(later)), (~pl.col("expert_id").is_in(later))
    base = match.build_experts(WORKS.filter(old), EXPERTS.filter(old), encoder="corpus")

    found = match.extend_experts(base, WORKS.filter(new), EXPERTS.filter(new))

    texts = pl.concat(
        [WORKS.select("title", "text"), EXPERTS.filter(expert_id="e3").select(title="profile", text="profile")]
    )
    wanted = of_works(WORKS, EXPERTS, year=base.learnt.year, way=slow(base, texts))
    assert without_learnt(arrays(found)) == without_learnt(arrays(wanted))
    assert found.learnt.year == WORKS.filter(old)["year"].max()


def test_extend_experts_without_a_table_takes_those_of_the_works():
    base = match.build_experts(WORKS[:5], encoder="words")

    found = match.extend_experts(base, WORKS[5:])

    assert found.basis.rows() == [("e1", "works", 4), ("e2", "works", 1), ("e5", "works", 2)]


@pytest.mark.parametrize("encoder", ["words", "corpus"])
@settings(max_examples=15, deadline=None)
@given(first=RECORDS, second=RECORDS)
def test_changes_names_as_same_what_extend_would_leave_as_it_is(encoder, first, second):
    base, now = match.build(targets_of(first), encoder=encoder), targets_of(second)

    found = dict(match.changes(base, now).rows())

    assert list(found) == sorted({*base.target_ids, *now["target_id"]})
    for target, change in found.items():
        alone = now.filter(target_id=target)
        known, there = target in base.target_ids, alone.height == 1
        is_same = known and there and without_learnt(arrays(match.extend(base, alone))) == without_learnt(arrays(base))
        wanted = "gone" if not there else "new" if not known else "same" if is_same else "edited"
        assert change == wanted


# ── facts small enough to check by hand ──

FIRST = targets_of([(1, "锂电池隔膜", ""), (2, "轴承钢热处理", ""), (3, "小麦选育", "")])


def test_new_word_weighs_as_one_that_a_single_target_had():
    found = match.extend(match.build(FIRST, encoder="words"), targets_of([(4, "天线", "")]))

    weights = dict(zip(found.space.features, found.space.idf.tolist(), strict=True))
    assert weights["天线"] == weights["小麦"] == np.log(4 / 2) + 1
    assert found.ask("天线")["target_id"].to_list() == ["t04"]


def test_known_id_is_replaced():
    found = match.extend(match.build(FIRST, encoder="words"), targets_of([(2, "天线", "")]))

    assert found.target_ids.to_list() == ["t01", "t02", "t03"]
    assert found.ask("天线")["target_id"].to_list() == ["t02"]
    assert found.ask("轴承钢").is_empty()


@pytest.mark.parametrize(
    "edit",
    [
        {"title": "轴承钢的热处理"},
        {"title": "热处理轴承钢"},  # the same words in another order: others touch
        {"text": "微点蚀"},
        {"trl": 3.0},
        {"org_id": "o2"},
    ],
)
def test_changes_sees_an_edit_of_words_order_and_facts(edit):
    given = FIRST.with_columns(org_id=pl.lit("o1"))
    base = match.build(given, encoder="words")
    now = pl.concat([given[:1], given[1:2].with_columns(**{k: pl.lit(v) for k, v in edit.items()}), given[2:]])

    assert match.changes(base, now[::-1])["change"].to_list() == ["same", "edited", "same"]


def test_expert_changes_sees_works_that_came_and_profiles_that_changed():
    base = match.build_experts(WORKS, EXPERTS, encoder="corpus")
    more = WORKS[-1:].with_columns(work_id=pl.lit("w99"), year=pl.lit(2020, pl.Int64))
    profile = pl.when(pl.col("expert_id") == "e3").then(pl.lit("焊接")).otherwise("profile").alias("profile")

    assert set(match.expert_changes(base, WORKS, EXPERTS)["change"]) == {"same"}
    found = match.expert_changes(base, pl.concat([WORKS, more]), EXPERTS.with_columns(profile))
    assert found.filter(pl.col("change") != "same").rows() == [("e3", "edited"), (more["expert_id"].item(), "edited")]


def test_adding_and_removing_leaves_what_was():
    base = match.build(FIRST, encoder="corpus")

    found = match.shorten(match.extend(base, targets_of([(4, "天线", "钢"), (0, "电池", "")])), ["t00", "t04", "t04"])

    assert_answers_alike(found, base)
    for part in (
        "rows.indices",
        "rows.data",
        "codes.posts.code",
        "codes.posts.ptr",
        "alone.code",
        "space.idf",
        "vectors.codes",
    ):
        assert arrays(found)[1][part] == arrays(base)[1][part]
    assert match.growth(found).share == 0


def test_order_of_additions_does_not_matter():
    base, a, b = match.build(FIRST, encoder="corpus"), targets_of([(4, "天线", "钢")]), targets_of([(0, "废水", "")])

    wanted = arrays(match.extend(base, pl.concat([a, b])))

    assert arrays(match.extend(match.extend(base, a), b)) == wanted
    assert arrays(match.extend(match.extend(base, b), a)) == wanted


def test_given_index_stays_as_it_is():
    base = match.build(FIRST, encoder="corpus")
    before = arrays(base)

    match.shorten(match.extend(base, targets_of([(2, "天线", "钢")])), ["t03"])

    assert arrays(base) == before


def test_index_that_was_kept_grows_alike():
    base, new = match.build(FIRST, encoder="corpus"), targets_of([(2, "天线", "钢"), (9, "废水", "")])
    packed = keep.to_arrays(base)
    opened = keep.from_arrays(
        Packed(
            packed.header, {n: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape) for n, a in packed.arrays.items()}
        )
    )

    assert arrays(match.shorten(match.extend(opened, new), ["t01"])) == arrays(
        match.shorten(match.extend(base, new), ["t01"])
    )


def test_nothing_more_and_nothing_less_is_the_same_index():
    base = match.build(FIRST, encoder="words")

    assert match.extend(base, FIRST[:0]) is base
    assert arrays(match.shorten(base, [])) == arrays(base)


def test_growth_counts_what_is_later_and_what_is_gone():
    index = match.build(FIRST, encoder="words")
    assert match.growth(index) == (3, 0, 0)

    index = match.extend(index, targets_of([(2, "天线", ""), (4, "废水", "")]))  # one replaced, one added
    assert match.growth(index) == (3, 2, 1)
    assert match.growth(index).share == pytest.approx(3 / 5)

    index = match.shorten(index, ["t01", "t03"])
    assert match.growth(index) == (3, 2, 3)
    assert match.growth(index).share == 1


# ── errors ──


def test_extend_of_experts_names_the_other_function():
    experts = match.build_experts(WORKS, encoder="words")

    with pytest.raises(
        MatchError, match=r"match\.kind.*extend wants an index of achievements.*holds experts.*match\.build"
    ):
        match.extend(experts, FIRST)
    with pytest.raises(MatchError, match=r"match\.kind.*extend_experts wants an index of experts"):
        match.extend_experts(match.build(FIRST, encoder="words"), WORKS)


def test_changes_names_the_other_function():
    with pytest.raises(MatchError, match=r"match\.kind.*changes wants an index of achievements"):
        match.changes(match.build_experts(WORKS, encoder="words"), FIRST)
    with pytest.raises(MatchError, match=r"match\.kind.*expert_changes wants an index of experts"):
        match.expert_changes(match.build(FIRST, encoder="words"), WORKS)


def test_shorten_names_the_id_that_is_not_there():
    with pytest.raises(TableError, match=r"table\.unknown.*target_ids\.target_id do not exist in the index.*ghost"):
        match.shorten(match.build(FIRST, encoder="words"), ["t01", "ghost"])


def test_shorten_to_nothing_is_refused():
    with pytest.raises(MatchError, match=r"match\.nothing_left.*all 3 targets"):
        match.shorten(match.build(FIRST, encoder="words"), FIRST["target_id"])


def test_extend_refuses_a_table_that_breaks_its_promise():
    base = match.build(FIRST, encoder="words")

    with pytest.raises(TableError, match=r"table\.duplicate.*t01"):
        match.extend(base, pl.concat([FIRST, FIRST[:1]]))
    with pytest.raises(TableError, match=r"table\.columns"):
        match.extend(base, FIRST.drop("title"))
