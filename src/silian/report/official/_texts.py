"""What an official report says in either language, and texts from elsewhere made fit for a page."""

from __future__ import annotations

import csv
import unicodedata
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from silian.tables.schema import Language

DASH: Final = "—"  # no value
DIGITS: Final = "〇一二三四五六七八九"
# Letters that turn the direction of a text about, and one that is nothing: a name could hide behind them.
TURNING: Final = frozenset("\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")


@cache
def words() -> Mapping[str, tuple[str, str]]:
    """Every text by key: Chinese, English."""
    text = files("silian.report.official").joinpath("words.csv").read_text(encoding="utf-8")
    return MappingProxyType({row["key"]: (row["zh"], row["en"]) for row in csv.DictReader(text.splitlines())})


def say(key: str, language: Language, **values: object) -> str:
    """A text with its values filled in.

    Examples
    --------
    >>> say("number", "zh", year=2026, month=10)
    '2026年第10期'
    """
    return words()[key][language != "zh"].format(**values)


def line(text: str, longest: int = 200) -> str:
    """A text as one line of a document: no control letters, none that turn the direction, not longer than it may be.

    Examples
    --------
    >>> line("新能源" + chr(7) + "电池" + chr(0x202E)), line("abcdef", 4)
    ('新能源 电池', 'abc…')
    """
    kept = "".join(_sign(sign) for sign in text[: 8 * longest])
    made = " ".join(kept.split())
    return made if len(made) <= longest else made[: longest - 1] + "…"


def _sign(sign: str) -> str:
    if sign in TURNING or unicodedata.category(sign) in ("Cs", "Cn"):
        return ""
    return " " if unicodedata.category(sign) == "Cc" else sign


def rounded(value: float, digits: int) -> Decimal:
    """A value with so many digits behind the point, half to even (GB/T 8170)."""
    return Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN) + 0


def shown(value: Decimal | None, *, is_change: bool = False) -> str:
    """A value as it stands in a table; a dash where there is none.

    Examples
    --------
    >>> shown(Decimal("1204")), shown(Decimal("-3.5")), shown(Decimal("2"), is_change=True), shown(None)
    ('1,204', '−3.5', '+2', '—')
    """
    if value is None:
        return DASH
    if is_change and not value:
        return "0"
    return f"{value:+,}".replace("-", "−") if is_change else f"{value:,}".replace("-", "−")


def wide(text: str) -> float:
    """How many Chinese letters wide a text is, about; others count half.

    Examples
    --------
    >>> wide("四链"), round(wide("chain"), 2)
    (2.0, 2.75)
    """
    return sum(1.0 if unicodedata.east_asian_width(sign) in "WF" else 0.55 for sign in text)


def ordinal(number: int) -> str:
    """A number in Chinese, up to 99.

    Examples
    --------
    >>> [ordinal(n) for n in (1, 10, 12, 20, 31)]
    ['一', '十', '十二', '二十', '三十一']
    """
    tens, ones = divmod(number, 10)
    front = "" if not tens else "十" if tens == 1 else f"{DIGITS[tens]}十"
    return front + (DIGITS[ones] if ones or not tens else "")


def day_text(day: date, language: Language) -> str:
    """A day as a sentence says it.

    Examples
    --------
    >>> day_text(date(2026, 3, 1), "zh"), day_text(date(2026, 3, 1), "en")
    ('2026年3月1日', '1 March 2026')
    """
    return say("day", language, year=day.year, month=day.month, day=day.day, name=month_name(day.month))


def month_name(month: int) -> str:
    """The name of a month in English."""
    return words()[f"month.{month:02d}"][1]


def last_day(month: str) -> date:
    """The last day of a month such as 2026-10."""
    first = date.fromisoformat(f"{month}-01")
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
