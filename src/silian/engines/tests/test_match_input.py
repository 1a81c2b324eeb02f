"""Matching on texts as they come: empty, endless, broken, of any script."""

import polars as pl
import pytest

from silian import text
from silian.engines import match
from silian.errors import TableError, TextError

TARGETS = pl.DataFrame(
    {
        "target_id": ["t1", "t2", "t3"],
        "title": ["锂电池隔膜", "bearing steel", "轴承振动监测"],
        "text": ["", None, "振动传感器"],
    }
)
NO_WORD = [
    "",
    " \n\t",
    "。",
    "，，！？",
    "12345",
    "3.14 100 2020",
    "x",
    "的",
    "😀🎉",
    "\x00\x01\x02",
    "\ufffd\ufffd",
]
LONG = {
    "sentences": "锂电池隔膜的制备。" * 22_223,
    "no_mark": "锂电池隔膜制备" * 28_572,
    "one_character": "锂" * 200_000,
    "rare_characters": "㐀" * 200_000,
    "one_word": "a" * 200_000,
    "hyphens": "ab-" * 66_667,
    "digits": "1" * 200_000,
    "emoji": "😀" * 200_000,
    "brackets": "（" * 200_000,
    "marks_on_one_letter": "\u0f71\u0f72" * 100_000,
    "broken": "\ufffd\x00" * 100_000,
}


def needs_of(*titles):
    return pl.DataFrame({"need_id": [f"n{i}" for i in range(len(titles))], "title": titles, "text": [""] * len(titles)})


@pytest.fixture(scope="module")
def index():
    return match.build(TARGETS, encoder="words")


@pytest.mark.parametrize("told", NO_WORD)
def test_a_text_without_words_matches_nothing_through_every_door(index, told):
    needs, pairs = needs_of(told), pl.DataFrame({"need_id": ["n0"], "target_id": ["t1"]})

    assert match.rank(needs, index).is_empty()
    assert index.ask(told).is_empty()
    assert match.score(pairs, needs, index)["score"].to_list() == [0.0]


@pytest.mark.parametrize("told", NO_WORD)
def test_a_target_without_words_is_never_found_and_harms_nobody(index, told):
    blank = pl.DataFrame({"target_id": ["t0"], "title": [told], "text": [told]})

    found = match.build(pl.concat([TARGETS, blank]), encoder="words").ask("锂电池隔膜")

    assert found["target_id"].to_list() == ["t1"]
    assert found["score"][0] == pytest.approx(1.0)


@pytest.mark.parametrize("told", NO_WORD)
def test_an_index_of_texts_without_words_finds_nothing(told):
    targets = pl.DataFrame({"target_id": ["t0", "t1"], "title": [told, None], "text": [told, told]})

    for encoder in ("words", "corpus"):
        assert match.build(targets, encoder=encoder).ask("锂电池隔膜").is_empty()


def test_a_null_counts_as_an_empty_text(index):
    needs = pl.DataFrame({"need_id": ["n0", "n1"], "title": [None, "锂电池隔膜"], "text": [None, None]})

    assert match.rank(needs, index).select("need_id", "target_id").rows() == [("n1", "t1")]


def test_one_character_is_a_word(index):
    assert match.build(TARGETS.with_columns(title=pl.lit("钢")), encoder="words").ask("钢").height == 3
    assert match.rank(needs_of("锂"), index)["target_id"].to_list() == ["t1"]


@pytest.mark.parametrize("kind", LONG)
def test_a_text_of_200000_characters_is_asked_for_and_found(kind):
    long = LONG[kind]
    targets = pl.concat([TARGETS, pl.DataFrame({"target_id": ["t0"], "title": ["轴承钢"], "text": [long]})])
    whole = match.build(targets, encoder="words")

    found = match.rank(needs_of("轴承钢", long), whole, top_k=3)

    assert set(found.filter(need_id="n0")["target_id"][:2]) == {"t0", "t2"}
    assert found["score"].is_between(0, 1).all()
    parts = found["why"].list.eval(pl.element().struct.field("part")).list.sum()
    assert (parts - found["score"]).abs().max() < 1e-6


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ("Стальной подшипник", "подшипник"),
        ("محامل من الفولاذ", "الفولاذ"),
        ("ベアリング鋼の研究", "ベアリング"),
        ("베어링 강철", "베어링"),
        ("Lagerstähle für Getriebe", "Lagerstähle"),
        ("轴承🔩bearing подшипник", "подшипник 轴承"),
    ],
)
def test_texts_of_other_scripts_are_found_by_their_words(told, wanted):
    targets = pl.concat([TARGETS, pl.DataFrame({"target_id": ["t0"], "title": [told], "text": [""]})])

    assert match.build(targets, encoder="words").ask(wanted)["target_id"][0] == "t0"


@pytest.mark.parametrize("damaged", ["锂电池\ufffd隔膜", "\x00锂电池\x07隔膜\x00", "锂电池隔膜\ufeff\u200b"])
def test_damage_parts_words_and_does_no_more(index, damaged):
    found = match.rank(needs_of(damaged), index)

    assert found["target_id"].to_list() == ["t1"]
    assert found["score"][0] > 0.5


def test_half_a_sign_in_a_question_is_passed_over(index):
    assert index.ask("锂电池\ud83d隔膜", title="\ud800")["target_id"].to_list() == ["t1"]


def test_a_need_in_english_finds_the_chinese_achievement_and_the_reverse(index):
    assert index.ask("separators of lithium batteries")["target_id"].to_list() == ["t1"]
    assert index.ask("轴承钢")["target_id"][0] == "t2"


def test_an_english_index_reads_chinese_needs_as_english():
    english = pl.DataFrame(
        {"target_id": ["a", "b"], "title": ["Separators for lithium-ion batteries", "Bearing steel"], "text": ["", ""]}
    )

    index = match.build(english, encoder="words")

    assert index.terms.into == "en"
    assert index.ask("锂离子电池隔膜")["target_id"].to_list() == ["a"]
    assert match.build(english, encoder="words", terms=None).ask("锂离子电池隔膜").is_empty()


def test_own_terms_are_read_beside_the_others():
    own = text.Terms.made([text.Concept("轴承", ("kugellager",))])

    index = match.build(TARGETS, encoder="words", terms=own.over(text.Terms.shipped()))

    assert index.ask("Kugellager")["target_id"].to_list() == ["t2", "t3"]


def test_ids_that_stand_twice_are_named(index):
    twice = needs_of("锂电池", "轴承").with_columns(need_id=pl.lit("n0"))

    with pytest.raises(TableError, match=r"table\.duplicate.*needs \(need_id\).*n0") as caught:
        match.rank(twice, index)
    assert caught.value.problems.height == 2
    with pytest.raises(TableError, match=r"table\.duplicate.*targets \(target_id\)"):
        match.build(pl.concat([TARGETS, TARGETS]), encoder="words")


def test_what_is_no_text_is_named(index):
    with pytest.raises(TableError, match=r"table\.type.*needs\.title is Int64"):
        match.rank(needs_of("a").with_columns(title=pl.lit(5, pl.Int64)), index)
    with pytest.raises(TextError, match=r"text\.type"):
        index.ask(5)
