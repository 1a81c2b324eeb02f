"""Months as people choose them: 2026-10."""

from __future__ import annotations

import re
from datetime import date, timedelta


def month_of(day: date) -> str:
    """The month of a day.

    Examples
    --------
    >>> month_of(date(2026, 3, 9))
    '2026-03'
    """
    return f"{day:%Y-%m}"


def first_day(month: str) -> date:
    """The first day of a month."""
    return date.fromisoformat(f"{month}-01")


def last_day(month: str) -> date:
    """The last day of a month.

    Examples
    --------
    >>> last_day("2024-02"), last_day("2026-12")
    (datetime.date(2024, 2, 29), datetime.date(2026, 12, 31))
    """
    return first_day(earlier(month, -1)) - timedelta(days=1)


def earlier(month: str, count: int = 1) -> str:
    """The month some months before.

    Examples
    --------
    >>> earlier("2026-01"), earlier("2026-10", 12), earlier("2026-12", -1)
    ('2025-12', '2025-10', '2027-01')
    """
    year, number = divmod(int(month[:4]) * 12 + int(month[5:]) - 1 - count, 12)
    return f"{year:04d}-{number + 1:02d}"


def is_month(text: str) -> bool:
    """Whether a text is a month of this or the last century.

    Examples
    --------
    >>> is_month("2026-10"), is_month("2026-13"), is_month("２０２６-10")
    (True, False, False)
    """
    return bool(re.fullmatch(r"(19|20)[0-9]{2}-(0[1-9]|1[0-2])", text, re.ASCII))
