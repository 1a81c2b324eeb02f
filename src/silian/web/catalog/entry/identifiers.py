"""Codes that are checked while they are typed: what is wrong, at which place, and who has them already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl
from django.utils.translation import gettext

from silian.errors import MESSAGES
from silian.tables import schema, uscc
from silian.tables.cast import cast, cleaned
from silian.tables.formats import failures
from silian.web.base.languages import page_language
from silian.web.catalog.models import MODELS
from silian.web.catalog.rules import shown, visible

if TYPE_CHECKING:
    from silian.web.base.actors import Actor
    from silian.web.catalog.models import Record

# Format → the noun and column that hold it.
CHECKED: Final = {"uscc": ("organisations", "uscc"), "orcid": ("experts", "orcid"), "doi": ("works", "doi")}


class Told(NamedTuple):
    """What is said of a code."""

    state: str  # empty | partial | wrong | right
    text: str = ""
    holder: Record | None = None  # that has the code already, as far as the person may know


def tell(actor: Actor, form: str, typed: str, *, but: str = "") -> Told:
    """What is to be said of a code while it is typed.

    Parameters
    ----------
    but : id of the record that is being changed
    """
    noun, name = CHECKED[form]
    column = schema.tables()[noun][name]
    cells, _ = cast(cleaned(pl.Series([typed]), guarded=False), column)
    code = cells[0]
    if not code:
        return Told("empty")
    if form == "uscc" and (told := _uscc(code)):
        return told
    problem = failures(pl.Series([code]), form)[0]
    if problem:
        english, chinese = MESSAGES[problem]
        return Told("wrong", english if page_language() == "en" else chinese)
    holder = holder_of(actor, form, code, but=but)
    if holder:  # one work is entered once for each of its experts, so that its DOI may stand twice
        state = "right" if form == "doi" else "wrong"
        return Told(state, gettext("这个代码已登记。"), holder)
    return Told("right", gettext("校验通过。"))


def holder_of(actor: Actor, form: str, code: str, *, but: str = "") -> Record | None:
    """The record that has a code already, where a person may see it and the code."""
    noun, name = CHECKED[form]
    others = visible(actor, MODELS[noun].objects.filter(**{name: code})).exclude(pk=but).select_related("place")
    return next((r for r in others.order_by("pk")[:5] if name in shown(actor, r)), None)


def _uscc(code: str) -> Told | None:
    """Which characters of a 统一社会信用代码 are wrong; None where it is right."""
    for place, letter in enumerate(code[: uscc.LENGTH], start=1):
        if letter not in uscc.ALPHABET:
            wrong = {"place": place, "letter": letter}
            return Told("wrong", gettext("第 %(place)s 位“%(letter)s”不对：不用字母 I、O、S、V、Z 和符号。") % wrong)
    if len(code) < uscc.LENGTH:
        return Told(
            "partial", gettext("已输入 %(n)s 位，还差 %(left)s 位。") % {"n": len(code), "left": 18 - len(code)}
        )
    if len(code) > uscc.LENGTH:
        found = {"n": len(code), "more": len(code) - uscc.LENGTH}
        return Told("wrong", gettext("已输入 %(n)s 位，多了 %(more)s 位。") % found)
    digits = next((i for i, c in enumerate(code[2:8], start=3) if not c.isdigit()), 0)
    if digits:
        return Told("wrong", gettext("第 %(place)s 位应为数字（行政区划代码）。") % {"place": digits})
    wanted = {
        "department": lambda: gettext("第 1–2 位“%(found)s”不是登记部门与机构类别的代码。") % {"found": code[:2]},
        "region": lambda: gettext("第 3–8 位“%(found)s”不是行政区划代码。") % {"found": code[2:8]},
        "inner": lambda: (
            gettext("第 9–17 位不符：若前面无误，第 17 位应为“%(wanted)s”。")
            % {"wanted": uscc.inner_check_character(code[8:16])}
        ),
        "check": lambda: (
            gettext("校验位不符：若前 17 位无误，第 18 位应为“%(wanted)s”。")
            % {"wanted": uscc.check_character(code[:17])}
        ),
    }
    reason = uscc.problem(code)
    return Told("wrong", wanted[reason]()) if reason in wanted else None
