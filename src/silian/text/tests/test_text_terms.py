"""Terms: forms of one thing read as one."""

import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from silian import text
from silian.errors import ArgumentError, TableError
from silian.text import Concept, Terms
from silian.text.words import pieces

SMALL = Terms.made(
    (
        Concept("电池", ("battery",)),
        Concept("锂离子电池", ("lithium-ion battery",), ("LIB",)),
        Concept("隔膜", ("separator",)),
        Concept("电机", ("electric motor", "motor"), ("马达",)),
        Concept("荷电状态", ("state of charge",)),
        Concept("轴承", ("bearing",)),
        Concept("承载力", ("bearing capacity",)),
    )
)


def spelled(given, terms=SMALL):
    """The words of one text in order, "|" where two do not touch, runs of "|" as one."""
    bags = text.segment([given], terms=terms)
    whole = " ".join(bags.vocabulary[i] if i >= 0 else "|" for i in bags.order)
    return re.sub(r"\|(?: \|)+", "|", whole).strip("| ")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("Lithium-Ion Batteries", "锂离子 电池"),
        ("lithium ion battery separators", "锂离子 电池 | 隔膜"),
        ("battery, separator", "电池 | 隔膜"),
        ("LIB隔膜", "锂离子 电池 隔膜"),
        ("the state of charge", "荷电 状态"),
        ("state, charge", "state | charge"),
        ("bearing capacity of bearings", "承载力 | 轴承"),
        ("马达轴承", "电机 轴承"),
        ("motorway", "motorway"),
        ("", ""),
        ("。!", ""),
    ],
)
def test_segment_reads_whole_words_of_a_form_as_its_term(given, wanted):
    assert spelled(given) == wanted


@pytest.mark.parametrize(
    ("given", "wanted"),
    [("锂离子电池隔膜", "lithium | ion | battery | separator"), ("LIB", "lithium | ion | battery"), ("钢", "钢")],
)
def test_segment_reads_chinese_as_english_where_the_terms_face_english(given, wanted):
    assert spelled(given, SMALL.facing("en")) == wanted


def test_segment_makes_the_same_words_of_a_text_in_two_languages():
    bags = text.segment(["锂离子电池的隔膜", "Separators for lithium-ion batteries"], terms=SMALL)

    assert np.array_equal(*bags.counts.toarray())


def test_segment_does_not_look_for_a_form_across_two_texts():
    bags = text.segment(["lithium-ion", "battery"], terms=SMALL)

    assert bags.vocabulary == ("ion", "lithium", "电池")


def test_a_form_that_two_concepts_claim_is_left_alone():
    terms = Terms.made((Concept("电池", ("cell",)), Concept("细胞", ("cell", "living cell"))))

    assert spelled("cell and living cell", terms) == "cell | 细胞"


def test_a_preferred_form_is_not_read_as_another_concept():
    terms = Terms.made((Concept("电机", ("motor",), ("马达",)), Concept("马达", ("hydraulic motor",))))

    assert spelled("马达 motor", terms) == "马达 | 电机"


def test_a_longer_preferred_form_guards_the_forms_inside_it():
    terms = Terms.made((Concept("电机", ("motor",)), Concept("Motor Yacht"), Concept("游艇", ("yacht",))))

    assert spelled("motor yacht, motor", terms) == "motor | yacht | 电机"


def test_a_chinese_form_that_shares_a_character_with_its_term_stays():
    assert spelled("机械手", Terms.made((Concept("机械臂", (), ("机械手",)),))) == "机械手"


def test_a_concept_whose_term_has_no_word_is_left_out():
    assert spelled("research", Terms.made((Concept("研究", ("inquiry",)),))) == ""
    assert spelled("inquiry", Terms.made((Concept("研究", ("inquiry",)),))) == "inquiry"


def test_swap_tells_what_stood_in_the_text():
    clean = [text.normalise("马达和Lithium-Ion  Batteries"), "电池"]
    cut, swaps = SMALL.swap(pieces(clean), clean)

    assert swaps.forms == ("马达", "Lithium-Ion Batteries")
    assert [cut.table[c] for c in cut.codes[swaps.at]] == ["电机", "锂离子"]
    assert swaps.words.tolist() == [1, 2]
    assert cut.lengths.sum() == sum(map(len, clean))


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.sampled_from(["lithium", "ion", "battery", "motor", "bearing", "capacity", "马达", "，", "-", "of"]))
)
def test_segment_equals_looking_for_the_longest_form_at_every_word(tokens):
    forms = {f: c.zh for c in SMALL.concepts for f in map(str.lower, c.forms)}
    told = [t for t in tokens if t != "-"]
    slow, at = [], 0
    while at < len(told):
        lengths = [n for n in (3, 2, 1) if " ".join(told[at : at + n]) in {f.replace("-", " ") for f in forms}]
        n = lengths[0] if lengths else 1
        joined = " ".join(told[at : at + n])
        slow.append({f.replace("-", " "): zh for f, zh in forms.items()}.get(joined, joined))
        at += n

    bags = text.segment([" ".join(told)], terms=SMALL)
    counted = text.segment([" ".join(slow)])

    assert bags.vocabulary == counted.vocabulary
    assert np.array_equal(bags.counts.toarray(), counted.counts.toarray())


def test_over_keeps_ones_own_forms_where_two_lists_disagree():
    own = Terms.made((Concept("马达", ("motor",), ("电机",)),))

    both = own.over(SMALL)

    assert both.concepts[0] == Concept("马达", ("motor", "electric motor"), ("电机",))
    assert spelled("electric motors", both) == "马达"
    assert spelled("battery", both) == "电池"


def test_terms_of_a_table_come_back():
    table = SMALL.table()

    assert Terms.of(table) == SMALL
    assert Terms.of(table.with_columns(source=pl.lit("own"))) == SMALL


def test_terms_of_a_table_join_rows_of_one_chinese_form():
    table = pl.DataFrame({"zh": ["电机", "电机"], "en": [["motor"], None], "synonyms": [None, ["马达"]]})

    assert Terms.of(table).concepts == (Concept("电机", ("motor",), ("马达",)),)


def test_digest_differs_with_the_list_and_its_language():
    digests = {t.digest for t in (SMALL, SMALL.facing("en"), Terms.made(SMALL.concepts[1:]), Terms.shipped())}

    assert len(digests) == 4
    assert Terms.made(SMALL.concepts).digest == SMALL.digest


def test_terms_name_the_column_that_is_missing():
    with pytest.raises(TableError, match=r"table\.columns.*terms lacks.*synonyms"):
        Terms.of(pl.DataFrame({"zh": ["电机"], "en": [["motor"]]}))


def test_terms_name_the_column_of_another_type():
    with pytest.raises(TableError, match=r"table\.type.*terms\.en is String"):
        Terms.of(pl.DataFrame({"zh": ["电机"], "en": ["motor"], "synonyms": [None]}))


def test_terms_name_the_row_without_a_chinese_form():
    with pytest.raises(TableError, match=r"table\.value.*terms\.zh") as caught:
        Terms.of(pl.DataFrame({"zh": ["电机", " "], "en": [None, ["motor"]], "synonyms": [None, None]}))
    assert caught.value.problems["en"].to_list() == [["motor"]]


def test_facing_names_the_language_that_it_does_not_know():
    with pytest.raises(ArgumentError, match=r"argument\.value.*into is 'fr'"):
        SMALL.facing("fr")


def test_main_language_is_that_of_most_texts():
    assert text.main_language(["battery of steel", "电池 cell", None, "", "123"]) == "zh"
    assert text.main_language(["battery of steel", "motor", "电池"]) == "en"
    assert text.main_language([]) == "zh"


# ── the list that comes with the project ────────────────────────────────────────────────────────────────────


def test_the_shipped_list_is_large_sorted_and_says_nothing_twice():
    concepts = Terms.shipped().concepts
    forms = [f.lower() for c in concepts for f in c.forms]

    assert len(concepts) >= 1_500
    assert [c.zh for c in concepts] == sorted({c.zh for c in concepts})
    assert all(c.en for c in concepts)
    assert sorted(f for f in set(forms) if forms.count(f) > 1) == []
    assert all(f == f.strip() for f in forms)


def test_the_shipped_list_has_no_form_that_means_two_things():
    owners = {}
    for c in Terms.shipped().concepts:
        for form in c.forms:
            cut = pieces([text.normalise(form)])
            owners.setdefault(tuple(cut.table[i] for i in cut.codes), set()).add(c.zh)

    assert {form: zh for form, zh in owners.items() if len(zh) > 1} == {}
