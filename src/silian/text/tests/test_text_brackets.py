"""Terms that texts explain themselves."""

import pytest

from silian import text
from silian.errors import ArgumentError
from silian.text import Terms

FRAMES = ("采用{}的装置", "对{}进行分析", "研究了{}。", "高性能{}")


def explained(told):
    return [frame.format(told) for frame in FRAMES]


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ("锁相环（phase-locked loop，PLL）", ("锁相环", ["phase-locked loop"], ["PLL"])),
        ("锁相环(Phase-Locked Loop)", ("锁相环", ["phase-locked loop"], [])),
        ("科学技术协会（以下简称“科协”）", ("科学技术协会", [], ["科协"])),
        ("科学技术协会（科协）", ("科学技术协会", [], ["科协"])),
        ("聚四氟乙烯（俗称：铁氟龙）", ("聚四氟乙烯", [], ["铁氟龙"])),
        ("聚四氟乙烯又称铁氟龙，", ("聚四氟乙烯", [], ["铁氟龙"])),
    ],
)
def test_learn_terms_finds_what_brackets_explain(told, wanted):
    assert text.learn_terms(explained(told)).rows() == [(*wanted, 4)]


@pytest.mark.parametrize(
    "told",
    [
        "锁相环（见附图）",
        "锁相环（II）",
        "锁相环（x）",
        "锁相环（100kW）",
        "锁相环（the）",
        "锁相环（）",
        "（PLL）",
        "",
    ],
)
def test_learn_terms_passes_over_what_is_no_name(told):
    assert text.learn_terms(explained(told)).is_empty()


def test_learn_terms_wants_enough_different_texts():
    texts = explained("锁相环（PLL）")

    assert text.learn_terms(texts[:2]).is_empty()
    assert text.learn_terms([texts[0] + texts[0], texts[1]]).is_empty()
    assert text.learn_terms(texts[:2], least=2)["zh"].to_list() == ["锁相环"]


def test_learn_terms_leaves_a_form_out_that_means_several_things():
    texts = ["采用锁相环（PLL）", "研究了甲壳素（PLL）", "含聚赖氨酸（PLL）", "锁相环（PLL）"]

    assert text.learn_terms(texts).is_empty()


def test_learn_terms_does_not_depend_on_the_order_of_texts():
    texts = explained("锁相环（phase-locked loop，PLL）") + explained("科学技术协会（科协）")

    assert text.learn_terms(texts).equals(text.learn_terms(texts[::-1]))


def test_learn_terms_gives_terms_that_are_read():
    terms = Terms.of(text.learn_terms(explained("锁相环（phase-locked loop，PLL）")))

    assert (
        text.segment(["Phase-locked loops", "PLL", "锁相环"], terms=terms).vocabulary
        == text.segment(["锁相环"]).vocabulary
    )


def test_learn_terms_names_a_threshold_below_one():
    with pytest.raises(ArgumentError, match=r"argument\.value.*least is 0"):
        text.learn_terms([], least=0)
