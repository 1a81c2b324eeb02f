"""What becomes of what waits for a letter: nothing more, a letter at once, the digest, or waiting on. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from silian.web.base.notifications.timing import Hours, day_of, is_quiet, next_open, slot_after

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from silian.web.base.notifications.kinds import How


@dataclass(frozen=True, slots=True)
class Item:
    """A notification that waits."""

    number: int
    how: How  # as its person has chosen by now
    queued_at: datetime
    is_read: bool = False  # on the site, before any letter told of it


@dataclass(slots=True)
class Plan:
    """The numbers of the notifications of each fate; what stands nowhere waits on."""

    site: list[int] = field(default_factory=list)  # no letter tells of them
    once: list[int] = field(default_factory=list)  # one letter, now
    digest: list[int] = field(default_factory=list)  # the letter of the day, now
    over: list[int] = field(default_factory=list)  # too many letters today: for the next digest


def plan(items: Sequence[Item], hours: Hours, now: datetime, *, free: int, has_digest: bool) -> Plan:
    """What becomes of what waits for one person.

    Parameters
    ----------
    free : letters at once that may still go today
    has_digest : the digest of today was made already

    Notes
    -----
    What was read on the site needs no letter. What may go at once goes in one letter, however much it is; where the
    digest is due at the same time, in that. What is over the cap waits for the next digest.
    """
    made = Plan([item.number for item in items if item.how == "never" or item.is_read])
    if is_quiet(hours, now):
        return made
    settled = set(made.site)
    waiting = [item for item in items if item.number not in settled]
    at_once = [item.number for item in waiting if item.how == "once"]
    later = [item for item in waiting if item.how in ("daily", "weekly")]
    due = [i.number for i in later if slot_after(hours, i.queued_at, is_weekly=i.how == "weekly") <= now]
    if due and not has_digest:
        made.digest = at_once + due
    elif at_once and free > 0:
        made.once = at_once
    else:
        made.over = at_once
    return made


def look_again(items: Sequence[Item], hours: Hours, now: datetime) -> datetime:
    """When something may become of what waits on: nothing does before."""
    if is_quiet(hours, now):
        return next_open(hours, now)
    slots = [slot_after(hours, i.queued_at, is_weekly=i.how == "weekly") for i in items]
    return min((slot if slot > now else day_of(hours, now)[1] for slot in slots), default=now)
