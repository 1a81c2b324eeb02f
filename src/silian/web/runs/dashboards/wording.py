"""Figures and their changes as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from silian.web.base.languages import page_language
from silian.web.runs.dashboards.measures import NOTES

if TYPE_CHECKING:
    from silian.web.runs.dashboards.measures import Measure
    from silian.web.runs.dashboards.reading import Told

DIGITS: Final = {"per_10k": 2, "per_100": 1, "gini": 3, "days": 0}
MYRIAD, HUNDRED_MILLION = 1e4, 1e8


class Change(NamedTuple):
    """How a figure has changed: never by colour alone."""

    arrow: str
    words: str
    kind: str  # good, bad, or empty


def number(value: float, measure: Measure) -> str:
    """A value of a measure with what it is counted in, where that is not said by its name."""
    if measure.unit == "share":
        return f"{100 * value:.1f}%"
    if measure.unit == "CNY":
        return _money(value)
    digits = DIGITS.get(measure.unit, 1 if measure.how in ("mean", "median") else 0)
    return str(number_format(round(value, digits), decimal_pos=digits, use_l10n=True, force_grouping=True))


def _money(value: float) -> str:
    if page_language() == "en":
        return f"CNY {value / 1e9:,.2f} bn" if value >= 1e9 else f"CNY {value / 1e6:,.2f} m"
    if value >= HUNDRED_MILLION:
        return f"{value / HUNDRED_MILLION:,.2f} 亿元"
    return f"{value / MYRIAD:,.1f} 万元"


def share(told: Told) -> str:
    """A part of its whole in percent; empty where there is none."""
    return f"{100 * told.value / told.of:.0f}%" if told.value is not None and told.of else ""


def note(code: str) -> str:
    """Why there is no value, or what to know of it."""
    chinese, english = NOTES[code]
    return english if page_language() == "en" else chinese


def change(measure: Measure, now: Told, then: Told | None, *, is_year: bool) -> Change | None:
    """How a figure stands against one before; None where either is not known."""
    if now.value is None or then is None or then.value is None:
        return None
    digits = 4 if measure.unit in ("share", "gini", "per_10k") else 1
    step = round(now.value - then.value, digits)
    if not step:
        return Change("＝", _("与上年同月持平") if is_year else _("与上月持平"), "")
    shown = f"{abs(100 * step):.1f}%" if measure.unit == "share" else number(abs(step), measure)
    more = _("比上年同月多 %(step)s") if is_year else _("比上月多 %(step)s")
    less = _("比上年同月少 %(step)s") if is_year else _("比上月少 %(step)s")
    is_good = (step > 0) == (measure.direction == "up")
    kind = "" if measure.direction == "none" else "good" if is_good else "bad"
    return Change("↑" if step > 0 else "↓", (more if step > 0 else less) % {"step": shown}, kind)
