"""Sentences: phrases of `data/phrases.csv` filled with what a row is about."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from silian.tables.synth._subjects import NONE
from silian.tables.synth._vocabulary import rows

if TYPE_CHECKING:
    from silian.tables.synth._dice import Dice
    from silian.tables.synth._vocabulary import Method, Problem, Vocabulary

_NATURES: Final = ("material", "bio", "food")  # made by recipe and process rather than built


def phrase(dice: Dice, vocabulary: Vocabulary, part: str, nature: str) -> str:
    """One phrase of a part that suits the nature of an object."""
    return dice.pick(vocabulary.phrases[part, nature])


@cache
def named(method: str, word: str) -> str:
    """A method's name as a 技术 or 方法; one that ends in such a word (策略, 结构, 检测, …) is left as it is."""
    return method if method.endswith(_endings()) else method + word


@cache
def _endings() -> tuple[str, ...]:
    return tuple(r["text"] for r in rows("phrases") if r["part"] == "method.ending")


def is_recipe(nature: str) -> bool:
    """Whether objects of this nature are made by a recipe and a process rather than built."""
    return nature in _NATURES


def figure(dice: Dice, span: tuple[str, str]) -> str:
    """A number of a span, with as many decimals as its ends are written with; tens and hundreds stay round."""
    low, high = float(span[0]), float(span[1])
    decimals = max(len(end.partition(".")[2]) for end in span)
    value = low + dice.random() * (high - low)
    if decimals == 0 and high >= 100:
        step = 5 if high < 500 else 10 if high < 2000 else 100 if high < 20_000 else 1000
        value = min(high, max(low, round(value / step) * step))
    return f"{value:.{decimals}f}"


def goal(dice: Dice, problem: Problem) -> str:
    """A target in short: 热收缩率≤2.5%."""
    sign = dice.pick(("≤", "不高于", "降至") if problem.falls else ("≥", "不低于", "达到"))
    return f"{problem.figure}{sign}{figure(dice, problem.wanted)}{problem.unit}"


def change(dice: Dice, problem: Problem) -> str:
    """A target with where it stands: 热收缩率由6%降至2.5%以下."""
    now, wanted = figure(dice, problem.now), figure(dice, problem.wanted)
    u = problem.unit
    shapes = (
        ("{f}由{a}{u}降至{b}{u}以下", "{f}由目前的{a}{u}左右降到{b}{u}", "{f}不高于{b}{u}（现为{a}{u}）")
        if problem.falls
        else ("{f}由{a}{u}提高到{b}{u}以上", "{f}由目前的{a}{u}左右提升至{b}{u}", "{f}不低于{b}{u}（现为{a}{u}）")
    )
    return dice.pick(shapes).format(f=problem.figure, a=now, b=wanted, u=u)


def shift(dice: Dice, problem: Problem) -> str:
    """A target after 将: 热收缩率由6%降至2.5%以下."""
    verb, end = ("降至", "以下") if problem.falls else ("提高到", "以上")
    now, wanted = figure(dice, problem.now), figure(dice, problem.wanted)
    return f"{problem.figure}由{now}{problem.unit}{verb}{wanted}{problem.unit}{end}"


def effect(dice: Dice, problem: Problem, nature: str) -> str:
    """What a method reached."""
    now, wanted = figure(dice, problem.now), figure(dice, problem.wanted)
    verb = "降低到" if problem.falls else "提高到"
    before = "对照样" if is_recipe(nature) else "改进前"
    shapes = ("{f}由{a}{u}{v}{b}{u}", "{f}达到{b}{u}", "{f}为{b}{u}，{c}为{a}{u}", "{f}从{a}{u}{v}{b}{u}")
    return dice.pick(shapes).format(f=problem.figure, a=now, b=wanted, u=problem.unit, v=verb, c=before)


def plain_effect(dice: Dice, problem: Problem) -> str:
    """What a method does, without a figure."""
    shapes = ("{p}的情况明显改善", "{p}的问题得到有效缓解", "{a}效果显著")
    return dice.pick(shapes).format(p=problem.name, a=problem.aim)


def output(dice: Dice, text: str) -> str:
    """What an enterprise makes a year: 年产1.2万吨."""
    *verb, span, unit = text.split(" ")
    low, high = (float(end) for end in span.split("-"))
    value = low * (high / low) ** dice.random()
    digits = 10 ** max(0, len(str(int(value))) - 2)
    value = int(value / digits) * digits
    number = f"{value / 10_000:g}万" if value >= 10_000 and "万" not in unit else f"{value:g}"
    if value >= 10_000 and unit.startswith("万"):
        number, unit = f"{value / 10_000:g}亿", unit.removeprefix("万")
    return f"{verb[0] if verb else '年产'}{number}{unit}"


def setting_name(vocabulary: Vocabulary, thing: int, setting: int) -> str:
    """The setting of use, or nothing."""
    return "" if setting == NONE else vocabulary.family(thing).settings[setting]


def problem_of(dice: Dice, vocabulary: Vocabulary, method: Method, thing: int) -> Problem | None:
    """One of the problems of an object that a method answers."""
    own = [p for p in method.answers if p in vocabulary.problems_of[thing]]
    return vocabulary.problems[dice.pick(own)] if own else None


def tidy(text: str) -> str:
    """Punctuation as it should stand after phrases were put together."""
    for wrong, right in (
        ("，。", "。"),
        ("。。", "。"),
        ("。，", "，"),
        ("；。", "。"),
        ("，，", "，"),
        ("：。", "。"),
        ("。；", "；"),
        ("？。", "？"),
        ("、。", "。"),
    ):
        text = text.replace(wrong, right)
    return text
