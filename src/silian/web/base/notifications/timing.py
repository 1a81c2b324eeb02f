"""When letters may go: quiet hours, the hour of the digest. Pure functions over instants and a place's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from django.utils import timezone

if TYPE_CHECKING:
    from datetime import tzinfo

HOUR: Final = timedelta(hours=1)
SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class Hours:
    """When somebody wants to be reached, by the clock on their wall; whole hours from 0 to 23."""

    digest: int = 8
    week_day: int = 0  # of the weekly digest; 0: Monday
    quiet_from: int = 21
    quiet_until: int = 8  # the same as quiet_from: never quiet
    quiet_weekends: bool = False
    zone: tzinfo | None = None  # None: that of the site

    @property
    def clock(self) -> tzinfo:
        """The clock on the wall."""
        return self.zone or timezone.get_default_timezone()


def is_quiet(hours: Hours, at: datetime) -> bool:
    """Whether an instant is one at which nothing is sent.

    Examples
    --------
    >>> from zoneinfo import ZoneInfo
    >>> hours = Hours(zone=ZoneInfo("Asia/Shanghai"))
    >>> [is_quiet(hours, datetime(2026, 3, 2, h, tzinfo=UTC)) for h in (0, 12, 13, 23)]
    [False, False, True, True]
    """
    local = at.astimezone(hours.clock)
    if hours.quiet_weekends and local.weekday() >= SATURDAY:
        return True
    begins, ends = hours.quiet_from, hours.quiet_until
    if begins < ends:
        return begins <= local.hour < ends
    return begins > ends and (local.hour >= begins or local.hour < ends)


def next_open(hours: Hours, at: datetime) -> datetime:
    """The instant itself, or the first full hour after it that is not quiet."""
    found = at.astimezone(UTC)
    while is_quiet(hours, found):
        found = found.replace(minute=0, second=0, microsecond=0) + HOUR
    return found


def slot_after(hours: Hours, at: datetime, *, is_weekly: bool = False) -> datetime:
    """The first hour of the digest after an instant.

    Where the clock is put forward over it, the instant at which it goes on; where the clock shows it twice, the first.
    """
    day = at.astimezone(hours.clock).date()
    while True:
        slot = datetime.combine(day, time(hours.digest), tzinfo=hours.clock).astimezone(UTC)
        if slot > at and not (is_weekly and day.weekday() != hours.week_day):
            return slot
        day += timedelta(days=1)


def day_of(hours: Hours, at: datetime) -> tuple[datetime, datetime]:
    """The first instant of the day on the wall that holds an instant, and the first of the next."""
    day = at.astimezone(hours.clock).date()
    first, last = (
        datetime.combine(day + timedelta(days=n), time(0), tzinfo=hours.clock).astimezone(UTC) for n in (0, 1)
    )
    return first, last
