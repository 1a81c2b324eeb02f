"""Places: every word of a normalised text is found again in the text as it was written."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from silian import text
from silian.errors import TextError

ODD = [
    *"锂電池隔膜髮乾幹，。；！\n\t\u3000abcDEF-123.３ｋＷ㎡é가ｶﾞ😀℃²①ﬁⅧ´kWkmh",
    *("é", "e\u0301", "\u200b", "\ufeff", "\ufffd", "\u1161", "\u11c2", "\x00", "\x85", "\ud800"),
    *("batteries", "deep-learning", "CBN-120", "300 kW", "國際標準"),
]
TEXTS = st.lists(st.sampled_from(ODD), max_size=30).map("".join)


def shown(texts):
    """Each word with the letters that it was written in, text by text."""
    placed = text.place_words(texts)
    first, found = 0, []
    for written, after in zip(placed.texts, placed.ends.tolist(), strict=True):
        words = zip(placed.words, placed.start.tolist(), placed.end.tolist(), strict=True)
        found.append([(w, written[a:b]) for w, a, b in list(words)[first:after]])
        first = after
    return found


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("３００ｋＷ電機，高效", [("300kw", "３００ｋＷ"), ("电机", "電機"), ("高效", "高效")]),
        ("😀鋰電池😀隔膜", [("锂电池", "鋰電池"), ("隔膜", "隔膜")]),
        ("Two  Batteries, deep-Learning", [("two", "Two"), ("battery", "Batteries"), ("deep", "deep"),
                                           ("learning", "Learning")]),
        ("300 kW的轴\u200b承", [("300kw", "300 kW"), ("轴承", "轴\u200b承")]),
        ("面积2㎡，25 ℃", [("面积", "面积"), ("2m2", "2㎡"), ("25°c", "25 ℃")]),
        ("café", [("café", "café")]),
        ("", []),
        (None, []),
    ],
)  # fmt: skip
def test_place_words_finds_the_letters_that_a_word_was_written_in(written, words):
    assert shown([written]) == [words]


def test_place_words_finds_the_form_that_a_term_stands_for():
    terms = text.Terms.made(
        [text.Concept("锂离子电池", ("lithium-ion battery",)), text.Concept("隔膜", ("separator",))]
    )
    written = "😀Ｓeparators of lithium-ion batteries，锂离子电池；隔膜"

    placed = text.place_words(["隔膜", written], terms=terms)

    spans = zip(placed.words, placed.start.tolist(), placed.end.tolist(), strict=True)
    assert [(w, written[a:b]) for w, a, b in list(spans)[1:]] == [
        ("隔膜", "Ｓeparators"),
        ("锂离子", "lithium-ion batteries"),
        ("电池", "lithium-ion batteries"),
        ("锂离子", "锂离子"),
        ("电池", "电池"),
        ("隔膜", "隔膜"),
    ]


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXTS, max_size=4))
def test_place_words_gives_the_words_of_segment(texts):
    terms = text.Terms.shipped()
    bags = text.segment(texts, terms=terms)

    placed = text.place_words(texts, terms=terms)

    order = bags.order[bags.order >= 0].tolist()
    assert placed.words == tuple(bags.vocabulary[w] for w in order)
    assert all(0 <= a < b for a, b in zip(placed.start.tolist(), placed.end.tolist(), strict=True))


def test_place_words_says_which_words_touch():
    placed = text.place_words(["储能集装箱，储能 集装箱"])

    assert placed.touches.tolist() == [False, True, False, False]


def test_place_words_finds_characters_inside_a_word():
    placed = text.place_words(["高強度鋼", "６０６１铝"])
    word = placed.words.index("铝")

    assert placed.inside(0, 0, 1, 2) == (1, 2)
    assert placed.inside(1, word, 0, 1) == (4, 5)


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, max_size=4))
def test_place_words_gives_the_words_of_words(texts):
    assert [[w for w, _ in row] for row in shown(texts)] == text.words(texts)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_place_signs_covers_the_normalised_text_in_order(written):
    clean, start, end = text.place_signs(written)

    assert clean == text.normalise(written)
    assert len(start) == len(end) == len(clean)
    assert all(0 <= a < b <= len(written) for a, b in zip(start.tolist(), end.tolist(), strict=True))
    assert sorted(start.tolist()) == start.tolist()


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=20))
def test_place_signs_takes_any_text(written):
    clean, start, _ = text.place_signs(written)

    assert clean == text.normalise(written)
    assert len(start) == len(clean)


def test_place_words_takes_a_very_long_text():
    placed = text.place_words(["電池；" * 70_000])

    assert len(placed.words) == 70_000
    assert placed.end[-1] == 209_999


@pytest.mark.parametrize(
    ("written", "cut"),
    [
        ("先做A。再做B；最后C", ["先做A。", "再做B；", "最后C"]),
        ("It is 3.5 mm thick. It works; well", ["It is 3.5 mm thick.", " It works;", " well"]),
        ("他说：“好。”然后\n\n走了……", ["他说：“好。”", "然后\n\n", "走了……"]),
        ("Use e.g. Batteries", ["Use e.g. Batteries"]),
        ("新工艺.效果好", ["新工艺.", "效果好"]),
        (" \n", []),
        ("", []),
    ],
)
def test_sentences_end_at_stops_semicolons_and_line_ends(written, cut):
    assert [written[a:b] for a, b in text.sentences(written)] == cut


def test_place_words_refuses_what_is_no_text():
    with pytest.raises(TextError, match=r"text\.type.*float"):
        text.place_words(["电池", 1.5])
