"""Normalising and cutting texts."""

import re
import unicodedata

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from silian import text
from silian.errors import TextError

MIXED = st.text(
    st.sampled_from(list("锂电池隔膜的研制轴承鋼，。：（） \n\t０１２ａＢ３kW-+./%≥°CcmGgx5éテ😀\u200b\ud800\x01\x00")),
    max_size=40,
)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("３００ｋＷ", "300kW"),
        ("300 kW 電機", "300kW 电机"),
        ("密度≥１．８０ g/cm³", "密度≥1.80g/cm3"),
        ("25 ℃，湿度６０％", "25°C，湿度60%"),
        ("高温、高压；（見附圖）", "高温、高压；（见附图）"),
        ("软件體系 \u3000 後續", "软件体系 后续"),
        ("锂\u200b电\ufeff池", "锂电池"),
        ("锂\ud800电池\ufffd", "锂 电池"),
        ("  \n\t ", ""),
        ("", ""),
    ],
)
def test_normalise_gives_one_spelling(given, wanted):
    assert text.normalise(given) == wanted


@settings(max_examples=60, deadline=None)
@given(st.lists(MIXED, max_size=6))
def test_normalise_all_equals_one_by_one_and_is_stable(texts):
    once = text.normalise_all(texts)

    assert once == [text.normalise(t) for t in texts]
    assert text.normalise_all(once) == once


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=12))
def test_normalise_equals_the_compatible_form_of_every_clause(given):
    marks = "，。、；：？！（）【】《》〈〉「」『』〔〕“”‘’…—～·"
    slow = "".join(unicodedata.normalize("NFKC", p) if p not in marks else p for p in re.split(f"([{marks}])", given))

    assert text.normalise(given) == text.normalise(slow)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("300kW电机、CBN-120磨料", ["300kw", "电机", "cbn-120", "磨料"]),
        ("6061-T6铝合金；5G通信", ["6061-t6", "铝合金", "5g", "通信"]),
        ("密度≥1.80g/cm3，25℃", ["密度", "1.80g/cm3", "25°c"]),
        ("Deep-learning of LiFePO4 batteries", ["deep", "learning", "lifepo4", "battery"]),
        ("C++ 与 CBN/PCD", ["c++", "cbn", "pcd"]),
        ("的 和 了 我们", []),
        ("2018年 50 67", []),
        ("钢", ["钢"]),
        ("😀！？", []),
        ("привет テスト", ["привет", "テスト"]),
        ("signals, analyses, buses, gas", ["signal", "analyse", "buse", "gas"]),
    ],
)
def test_words_keep_models_and_units_whole_and_drop_fillers(given, wanted):
    assert text.words([given]) == [wanted]


@settings(max_examples=60, deadline=None)
@given(st.lists(MIXED, max_size=6))
def test_words_of_a_batch_equal_words_of_each_text(texts):
    assert text.words(texts) == [text.words([t])[0] for t in texts]


def test_words_counts_none_as_empty():
    assert text.words([None, "轴承"]) == [[], ["轴承"]]


def test_words_of_no_text_are_none():
    assert text.words([]) == []


def test_words_of_a_text_of_200000_characters_are_all_there():
    long = "轴承钢。" * 50_000

    assert len(text.words([long])[0]) == len(text.words(["轴承钢。"])[0]) * 50_000


def test_words_name_the_position_of_what_is_no_text():
    with pytest.raises(TextError, match=r"text\.type.*1 of 2.*position 1 holds float"):
        text.words(["轴承", float("nan")])


@settings(max_examples=40, deadline=None)
@given(st.lists(MIXED, max_size=6))
def test_segment_counts_the_words_of_each_text(texts):
    bags = text.segment(texts)

    counted = [{bags.vocabulary[i]: int(n) for i, n in zip(r.indices, r.data, strict=True)} for r in rows(bags.counts)]

    assert list(bags.vocabulary) == sorted(set(bags.vocabulary))
    assert counted == [{w: ws.count(w) for w in ws} for ws in text.words(texts)]


def test_segment_keeps_which_words_touch():
    bags = text.segment(["锂电池隔膜，轴承", "锂电池的轴承"])

    spelled = [bags.vocabulary[i] if i >= 0 else "|" for i in bags.order]

    assert "".join(spelled[: bags.ends[0]]) == "锂电池隔膜|轴承"
    assert "".join(spelled[bags.ends[0] :]).strip("|") == "锂电池|轴承"


@settings(max_examples=30, deadline=None)
@given(st.lists(MIXED, max_size=4), st.lists(MIXED, max_size=4))
def test_stack_equals_segmenting_all_at_once(left, right):
    stacked, whole = text.stack(text.segment(left), text.segment(right)), text.segment([*left, *right])

    assert stacked.vocabulary == whole.vocabulary
    assert np.array_equal(stacked.counts.toarray(), whole.counts.toarray())
    assert [g for g in stacked.order if g >= 0] == [g for g in whole.order if g >= 0]


def test_grams_do_not_cross_words():
    assert text.grams("氮化硼") == ["氮", "化", "硼", "氮化", "化硼", "氮化硼"]
    assert text.grams("cbn-120") == ["cbn-120"]


def test_word_space_equals_the_formula_by_hand():
    corpus = text.segment(["锂电 锂电 轴承", "轴承", ""])
    space = text.WordSpace.fit(corpus)
    row = dict(
        zip([space.features[i] for i in space.rows(corpus).indices[:6]], space.rows(corpus).data[:6], strict=True)
    )

    idf_rare, idf_common = np.log(4 / 2) + 1, np.log(4 / 3) + 1
    rare, common = (1 + np.log(2)) * idf_rare, idf_common
    length = np.sqrt(3 * rare**2 + 3 * common**2)

    assert row["锂电"] == pytest.approx(rare / length)
    assert row["轴承"] == pytest.approx(common / length)
    assert space.rows(text.segment([""])).nnz == 0


def test_words_takes_a_column():
    assert text.words(pl.Series(["轴承", None])) == [["轴承"], []]


def rows(counts):
    return [counts[[i]] for i in range(counts.shape[0])]
