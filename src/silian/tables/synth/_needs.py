"""Needs in the words of enterprises, of differing length, form and care."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from silian.tables.synth import _texts as texts
from silian.tables.synth._dice import Dice, generator
from silian.tables.synth._frames import frame
from silian.tables.synth._subjects import NONE

if TYPE_CHECKING:
    import polars as pl

    from silian.tables.synth._organisations import Organisations
    from silian.tables.synth._subjects import Subjects
    from silian.tables.synth._vocabulary import Problem, Vocabulary

KINDS: Final = ("technology", "achievement", "equipment", "digital", "talent", "cooperation")
KIND_SHARES: Final = (0.64, 0.11, 0.06, 0.04, 0.08, 0.07)
FORMS: Final = ("paragraph", "terse", "chat", "headed", "figures", "question", "long")
FORM_SHARES: Final = (0.30, 0.13, 0.14, 0.11, 0.12, 0.08, 0.12)
SHORT_FORMS: Final = ("terse", "chat", "question", "figures")
HEADS: Final = (
    ("一、企业概况：", "二、技术难题：", "三、技术指标：", "四、合作方式："),
    ("【背景】", "【难题】", "【指标】", "【合作】"),
    ("1.需求背景：", "2.拟解决的问题：", "3.预期目标：", "4.合作要求："),
    ("背景：", "问题：", "目标：", "其他："),
)
TODAY: Final = np.datetime64("2026-09-01")  # the day that the synthetic region is told on


class Writer:
    """Writes the title and text of one need after another."""

    def __init__(self, vocabulary: Vocabulary, dice: Dice) -> None:
        self.vocabulary, self.dice = vocabulary, dice

    def write(self, kind: int, problem: int, setting: int, *, asks_for: str, is_buyer: bool) -> tuple[str, str]:
        """Title and text of a need."""
        slots, nature = self._slots(kind, problem, setting)
        title = self._phrase(f"need.title_{asks_for}" if asks_for != "technology" else "need.title", nature)
        names_setting = bool(slots["s"]) and asks_for == "technology" and self.dice.chance(0.5)
        if names_setting:
            title = self._phrase("need.title_s", nature)
        if asks_for == "funding":
            text = self._open(slots, nature, is_buyer=False) + self._phrase("need.funding", nature)
        else:
            text = self._body(slots, nature, asks_for=asks_for, is_buyer=is_buyer)
        if slots["s"] and not names_setting and "{s}" not in text:
            text += self.dice.pick(("应用场景为{s}。", "产品用于{s}。", "主要面向{s}。", "（用于{s}）"))
        if "{k}" not in title + text:
            text += self.dice.pick(("涉及产品：{k}。", "产品为{k}。", "（{k}）"))
        return title.format_map(slots), texts.tidy(text.format_map(slots))

    def _slots(self, kind: int, problem: int, setting: int) -> tuple[dict[str, Any], str]:
        dice, vocabulary = self.dice, self.vocabulary
        k = vocabulary.kinds[kind]
        thing = vocabulary.things[k.thing]
        slots: dict[str, Any] = {
            "k": k.name,
            "b": thing.name,
            "s": texts.setting_name(vocabulary, k.thing, setting),
            "out": texts.output(dice, thing.output),
            "n": dice.pick((10, 20, 30, 40, 50, 60, 80)),
            "m": dice.between(2, 6),
            "years": dice.between(5, 22),
            "months": dice.pick((6, 8, 10, 12, 18)),
            "cost": dice.pick((3, 5, 8, 10)),
            "loss": dice.pick((30, 50, 60, 80, 100, 120, 150, 200, 300)),
            "money": dice.pick((500, 800, 1000, 1500, 2000, 3000, 5000)),
            "pay": dice.pick((20, 25, 30, 40, 50)),
            "days": dice.pick((20, 30, 40, 60)),
            "few": dice.between(1, 3),
        }
        if problem != NONE:
            p = vocabulary.problems[problem]
            slots |= {"p": p.name, "aim": p.aim, "w": dice.pick(p.wordings)}
            slots |= {"goal": texts.goal(dice, p), "fig": self._targets(p), "shift": texts.shift(dice, p)}
        return slots, vocabulary.family(k.thing).nature

    def _targets(self, problem: Problem) -> str:
        return texts.change(self.dice, problem) if self.dice.chance(0.7) else texts.goal(self.dice, problem)

    def _phrase(self, part: str, nature: str) -> str:
        return texts.phrase(self.dice, self.vocabulary, part, nature)

    def _open(self, slots: dict[str, Any], nature: str, *, is_buyer: bool) -> str:
        if is_buyer:
            return self._phrase("need.buyer", nature)
        return self._phrase("need.open_s" if slots["s"] and self.dice.chance(0.75) else "need.open", nature)

    def _body(self, slots: dict[str, Any], nature: str, *, asks_for: str, is_buyer: bool) -> str:
        dice = self.dice
        form = dice.weighted(FORMS, FORM_SHARES)
        opening = self._open(slots, nature, is_buyer=is_buyer)
        special = self._phrase(f"need.{asks_for}", nature) if asks_for != "technology" else ""
        figures = self._phrase("need.figs", nature) if dice.chance(0.75) else ""
        if asks_for == "talent":
            return opening + "{w}。" + special + (self._phrase("need.end", nature) if form == "chat" else "")
        if form == "headed":
            return self._headed(opening, special, nature)
        if form in SHORT_FORMS:
            return self._short(form, slots, nature, opening=opening, special=special, figures=figures)
        joint = self._phrase("need.join_buyer" if is_buyer else "need.join", nature)
        parts = [opening, joint + "{w}。"]
        if form == "long":
            parts += [self._phrase("need.harm", nature), self._phrase("need.try", nature)]
        elif dice.chance(0.5):
            parts.append(self._phrase(dice.pick(("need.harm", "need.try")), nature))
        parts += [special, figures, self._phrase("need.ask", nature)]
        if form == "long":
            parts.append(self._phrase("need.ask", nature))
        return "".join(dict.fromkeys(parts))

    def _short(self, form: str, slots: dict[str, Any], nature: str, *, opening: str, special: str, figures: str) -> str:
        end = self._phrase("need.end", nature)
        if form == "terse":
            return "{w}。" + (special or end)
        if form == "chat":
            start = self._phrase("need.chat_s" if slots["s"] else "need.chat", nature)
            return f"{start}{{w}}。{special or (figures if self.dice.chance(0.4) else '')}{end}"
        if form == "question":
            return f"{opening}{{w}}。{special}{self._phrase('need.question', nature)}{figures}"
        return f"{{w}}。{special}{self._phrase('need.figs', nature)}{self._phrase('need.ask', nature)}"

    def _headed(self, opening: str, special: str, nature: str) -> str:
        heads = self.dice.pick(HEADS)
        trouble, ask = "{w}。" + self._phrase("need.try", nature), special + self._phrase("need.ask", nature)
        joint = self.dice.pick(("", "\n"))
        return joint.join(head + body for head, body in zip(heads, (opening, trouble, "{fig}。", ask), strict=True))


def needs(
    subjects: Subjects,
    seed: int,
    vocabulary: Vocabulary,
    organisations: Organisations,
    *,
    products: dict[str, str],
    buyers: dict[int, tuple[str, str]],
) -> pl.DataFrame:
    """The table of needs.

    `products` names the product of an object; `buyers` the row of a need → (product_id, org_id) of a missing product
    that an enterprise wants to buy here.
    """
    dice = Dice(seed, "needs")
    classes = Dice(seed, "needs ipc")
    writer = Writer(vocabulary, dice)
    owners = _owners(subjects, seed, vocabulary, organisations)
    width = len(str(len(subjects)))
    district = organisations.table["district_id"].to_list()
    row_of = {org: i for i, org in enumerate(organisations.ids)}
    made = []
    for i, (kind, problem, setting) in enumerate(zip(*_lists(subjects), strict=True)):
        thing = vocabulary.kinds[kind].thing
        asks_for = "funding" if problem == NONE else dice.weighted(KINDS, KIND_SHARES)
        wanted = buyers.get(i)
        title, text = writer.write(kind, problem, setting, asks_for=asks_for, is_buyer=wanted is not None)
        owner = row_of[wanted[1]] if wanted else int(owners[i])
        product = wanted[0] if wanted else products.get(vocabulary.things[thing].name)
        family = vocabulary.family(thing)
        row: dict[str, Any] = {
            "need_id": f"N{i + 1:0{width}d}",
            "org_id": organisations.ids[owner],
            "title": title,
            "text": text,
        }
        row |= {"ipc": [vocabulary.things[thing].ipc[:4]] if classes.chance(0.2) else None}
        row |= {"kind": asks_for, "field": family.field if dice.chance(0.97) else None}
        if asks_for not in ("talent", "funding"):
            row |= _wishes(dice, vocabulary, family.nature)
        row |= _terms(dice, asks_for)
        row |= {"district_id": district[owner], "product_id": product if wanted or dice.chance(0.45) else None}
        made.append(row)
    return frame("needs", made)


def _lists(subjects: Subjects) -> tuple[list[int], list[int], list[int]]:
    return subjects.kind.tolist(), subjects.what.tolist(), subjects.setting.tolist()


def _owners(subjects: Subjects, seed: int, vocabulary: Vocabulary, organisations: Organisations) -> np.ndarray:
    """For each need an enterprise that makes its object, else one of its field, else any."""
    rng = generator(seed, "need owners")
    firms = organisations.rows_of("enterprise")
    by_thing: dict[int, list[int]] = {}
    by_field: dict[str, list[int]] = {}
    for row in firms.tolist():
        by_thing.setdefault(int(organisations.thing[row]), []).append(row)
        by_field.setdefault(str(organisations.field[row]), []).append(row)
    marks = rng.random(len(subjects))
    owners = np.empty(len(subjects), dtype=np.int64)
    for i, kind in enumerate(subjects.kind.tolist()):
        thing = vocabulary.kinds[kind].thing
        among = by_thing.get(thing) or by_field.get(vocabulary.field(thing)) or firms.tolist()
        owners[i] = among[int(marks[i] * len(among))]
    return owners


def _wishes(dice: Dice, vocabulary: Vocabulary, nature: str) -> dict[str, Any]:
    must = dice.sample(vocabulary.phrases["must", nature], dice.between(1, 3)) if dice.chance(0.3) else None
    avoid = dice.sample(vocabulary.phrases["avoid", nature], dice.between(1, 2)) if dice.chance(0.15) else None
    return {"must_have": must, "not_wanted": avoid}


def _terms(dice: Dice, asks_for: str) -> dict[str, Any]:
    posted = TODAY - dice.between(0, 500)
    has_end = dice.chance(0.8)
    budget = dice.pick((5, 8, 10, 15, 20, 30, 30, 50, 50, 80, 100, 150, 200, 300, 500)) * 10_000
    if asks_for in ("funding", "cooperation"):
        budget *= 10
    trl = {"achievement": (6, 8), "equipment": (7, 9), "digital": (6, 8)}.get(asks_for, (4, 8))
    has_trl = asks_for not in ("talent", "funding") and dice.chance(0.7)
    return {
        "trl_wanted": dice.between(*trl) if has_trl else None,
        "budget_cny": float(budget) if dice.chance(0.72) else None,
        "posted_on": posted.astype(object),
        "deadline_on": (max(posted, TODAY - 40) + dice.between(30, 330)).astype(object) if has_end else None,
        "experts_wanted": dice.weighted((1, 2, 3, 4), (0.45, 0.3, 0.2, 0.05)) if dice.chance(0.85) else None,
    }
