"""Facilities by the hour: asked for, confirmed or refused, cancelled, done; no two confirmed at one time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from silian.errors import WebError
from silian.web.base.log import log
from silian.web.catalog import notifying
from silian.web.catalog.models import Booking, Facility, Organisation
from silian.web.catalog.rules import is_own, may, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import QuerySet

    from silian.web.base.actors import Actor

GRID: Final = timedelta(minutes=30)
LONGEST: Final = timedelta(days=14)
FARTHEST: Final = timedelta(days=365)  # ahead
MOST_OPEN: Final = 20  # requests of one person for one facility that nobody has answered yet
PARTS: Final = (time(0), time(12), time(18))  # where the night and morning, the afternoon and the evening begin
STATE = Booking.State
OPEN: Final = (STATE.ASKED, STATE.CONFIRMED)


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch of a part of a day, as somebody may see it."""

    begins: str  # local time of the day
    ends: str
    state: str  # busy, asked
    whose: str  # and what for; empty: the person may not know


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a week: what is taken in its parts."""

    on: date
    parts: tuple[list[Slot], ...]
    is_past: bool


def may_ask(actor: Actor, facility: Facility) -> bool:
    """Whether a person may ask for a facility: it is open to others, or run by their own organisation."""
    return not actor.is_visitor and may(actor, "see", facility) and (_is_open(facility) or is_own(actor, facility))


def may_decide(actor: Actor, facility: Facility) -> bool:
    """Whether a person answers requests for a facility: who may edit it."""
    return not actor.is_visitor and may(actor, "edit", facility)


def is_asker(actor: Actor, booking: Booking) -> bool:
    """Whether a person, or their organisation, asked for a booking."""
    if actor.is_visitor:
        return False
    return booking.by_id == actor.user_id or (bool(booking.org_id) and booking.org_id in actor.orgs)


def instant(on: date, at: time | None) -> datetime:
    """A day and a time of the place as an instant; no time: the end of the day.

    Raises
    ------
    WebError : booking.clock if the clock was put forward over this time, or shows it twice
    """
    local = datetime.combine(on + timedelta(days=at is None), at or time(0))
    zone = timezone.get_current_timezone()
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() != second.utcoffset():
        raise WebError("booking.clock", found=f"{local:%Y-%m-%d %H:%M}")
    return first


def hours(from_at: datetime, until_at: datetime) -> float:
    """Hours between two instants, whatever the clocks on the wall did."""
    return (until_at.astimezone(UTC) - from_at.astimezone(UTC)) / timedelta(hours=1)


@transaction.atomic
def ask(
    actor: Actor, facility: Facility, *, from_at: datetime, until_at: datetime, purpose: str, org_id: str = ""
) -> Booking:
    """Ask for a facility; the same request twice is one.

    Raises
    ------
    WebError : booking.times, booking.taken, booking.many
    """
    now, org_id = timezone.now(), org_id if org_id in actor.orgs else ""
    on_grid = all((t.minute % 30, t.second, t.microsecond) == (0, 0, 0) for t in (from_at, until_at))
    if not on_grid or not now < from_at <= now + FARTHEST or not from_at < until_at <= from_at + LONGEST:
        raise WebError("booking.times", days=LONGEST.days, ahead=FARTHEST.days)
    _hold(facility.pk)
    if _confirmed(facility.pk, from_at, until_at).exists():
        raise WebError("booking.taken")
    mine = Booking.objects.filter(facility_id=facility.pk, by_id=actor.user_id, state=STATE.ASKED)
    if same := mine.filter(from_at=from_at, until_at=until_at, org_id=org_id, purpose=purpose).first():
        return same
    if mine.count() >= MOST_OPEN:
        raise WebError("booking.many", most=MOST_OPEN)
    by_hour: float | None = getattr(facility, "fee_cny", None)
    fee = None if by_hour is None else round(by_hour * hours(from_at, until_at), 2)
    made = Booking.objects.create(
        facility_id=facility.pk, by_id=actor.user_id, org_id=org_id,
        from_at=from_at, until_at=until_at, purpose=purpose, fee_cny=fee,
    )  # fmt: skip
    _log(actor, "ask", made)
    notifying.booking_asked(actor, made, facility)
    return made


@transaction.atomic
def confirm(actor: Actor, booking: Booking) -> Booking:
    """Say yes.

    Raises
    ------
    WebError : booking.state if it waits for no answer or has begun; booking.taken if another was confirmed meanwhile
    """
    _hold(booking.facility_id)
    fresh = _fresh(booking, (STATE.ASKED,), before_start=True)
    if _confirmed(fresh.facility_id, fresh.from_at, fresh.until_at).exists():
        raise WebError("booking.taken")
    return _turned(actor, fresh, STATE.CONFIRMED, "confirm")


@transaction.atomic
def refuse(actor: Actor, booking: Booking, *, note: str) -> Booking:
    """Say no, and why.

    Raises
    ------
    WebError : booking.state if it waits for no answer
    """
    _hold(booking.facility_id)
    return _turned(actor, _fresh(booking, (STATE.ASKED,)), STATE.REFUSED, "refuse", note=note)


@transaction.atomic
def cancel(actor: Actor, booking: Booking, *, note: str) -> Booking:
    """Take a booking back, from either side, until it begins.

    Raises
    ------
    WebError : booking.state if it was refused, cancelled or has begun
    """
    _hold(booking.facility_id)
    return _turned(actor, _fresh(booking, OPEN, before_start=True), STATE.CANCELLED, "cancel", note=note)


@transaction.atomic
def finish(actor: Actor, booking: Booking) -> Booking:
    """Say that a confirmed booking that has begun took place.

    Raises
    ------
    WebError : booking.state if it was not confirmed or has not begun
    """
    _hold(booking.facility_id)
    fresh = _fresh(booking, (STATE.CONFIRMED,))
    if fresh.from_at > timezone.now():
        raise WebError("booking.state", state=fresh.get_state_display())
    return _turned(actor, fresh, STATE.DONE, "finish")


def week_of(actor: Actor, facility: Facility, monday: date) -> list[Day]:
    """Seven days of a facility: when it is taken, and by whom as far as a person may know. Cost: two queries."""
    begins, ends = instant_or_next(monday), instant_or_next(monday + timedelta(days=7))
    taken = Q(state__in=(STATE.CONFIRMED, STATE.DONE))
    decides = may_decide(actor, facility)
    if decides:
        taken |= Q(state=STATE.ASKED)
    elif not actor.is_visitor:
        taken |= Q(state=STATE.ASKED, by_id=actor.user_id)
    found = Booking.objects.filter(taken, facility_id=facility.pk, until_at__gt=begins, from_at__lt=ends)
    taken_by = list(found.select_related("by").order_by("from_at", "pk"))
    names = whose([b for b in taken_by if decides or is_asker(actor, b)])
    those = [(b, names.get(b.pk, "")) for b in taken_by]
    now = timezone.now()
    days = []
    for number in range(7):
        on = monday + timedelta(days=number)
        edges = [instant_or_next(on, t) for t in PARTS] + [instant_or_next(on + timedelta(days=1))]
        parts = tuple(list(_slots(those, a, b)) for a, b in pairwise(edges))
        days.append(Day(on, parts, edges[-1] <= now))
    return days


def whose(bookings: Sequence[Booking]) -> dict[int, str]:
    """For whom each booking is: the organisation, else the person. Cost: one query."""
    asked = {b.org_id for b in bookings if b.org_id}
    names = {o.pk: str(o) for o in Organisation.objects.filter(pk__in=asked)} if asked else {}
    return {b.pk: names.get(b.org_id) or (b.by.name if b.by else "") or gettext("已注销的账户") for b in bookings}


def instant_or_next(on: date, at: time = time(0)) -> datetime:
    """A time of a day for a calendar: where the clock jumps over it, the instant at which it goes on."""
    return datetime.combine(on, at, tzinfo=timezone.get_current_timezone())


def mine(actor: Actor) -> QuerySet[Booking]:
    """What a person or their organisations asked for, the latest first."""
    asked = Q(by_id=actor.user_id) | Q(org_id__in=sorted(actor.orgs))
    return Booking.objects.filter(asked).order_by("-from_at", "-pk")


def to_decide(facilities: Iterable[str]) -> list[Booking]:
    """Requests for some facilities that wait for an answer and have not begun, the earliest first."""
    waiting = Booking.objects.filter(facility_id__in=list(facilities), state=STATE.ASKED, from_at__gt=timezone.now())
    return list(waiting.select_related("by").order_by("from_at", "pk")[:100])


def may_see_fee(actor: Actor, facility: Facility, booking: Booking) -> bool:
    """Whether a person may see what a booking costs: as the fee of the facility; once agreed, both sides."""
    agreed = booking.state in (STATE.CONFIRMED, STATE.DONE) and is_asker(actor, booking)
    return "fee_cny" in shown(actor, facility, is_mutual=agreed)


def calendar(bookings: Iterable[Booking], names: dict[str, str]) -> str:
    """Bookings as an iCalendar file (RFC 5545) that every calendar opens.

    Parameters
    ----------
    names : facility id → name
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Silian//Facility bookings//ZH", "METHOD:PUBLISH"]
    for booking in bookings:
        status = {STATE.ASKED: "TENTATIVE", STATE.CONFIRMED: "CONFIRMED", STATE.DONE: "CONFIRMED"}
        lines += [
            "BEGIN:VEVENT", f"UID:{booking.key}@silian", f"DTSTAMP:{_stamp(booking.decided_at or booking.at)}",
            f"DTSTART:{_stamp(booking.from_at)}", f"DTEND:{_stamp(booking.until_at)}",
            f"SUMMARY:{_escaped(names.get(booking.facility_id, booking.facility_id))}",
            f"DESCRIPTION:{_escaped(booking.purpose)}",
            f"STATUS:{status.get(STATE(booking.state), 'CANCELLED')}", "END:VEVENT",
        ]  # fmt: skip
    return "".join(_folded(line) + "\r\n" for line in [*lines, "END:VCALENDAR"])


def _slots(those: list[tuple[Booking, str]], begins: datetime, ends: datetime) -> Iterable[Slot]:
    for booking, name in those:
        a, b = max(booking.from_at, begins), min(booking.until_at, ends)
        if a < b:
            until = timezone.localtime(b).strftime("%H:%M")
            state = "asked" if booking.state == STATE.ASKED else "busy"
            yield Slot(timezone.localtime(a).strftime("%H:%M"), "24:00" if until == "00:00" else until, state, name)


def _is_open(facility: Facility) -> bool:
    return bool(getattr(facility, "is_open", None))


def _hold(facility_id: str) -> None:
    """Let one writer at a time look at the bookings of a facility and add to them; SQLite has one writer anyway."""
    if connection.features.has_select_for_update:
        list(Facility.objects.select_for_update().filter(pk=facility_id).values_list("pk"))


def _confirmed(facility_id: str, from_at: datetime, until_at: datetime) -> QuerySet[Booking]:
    firm = Booking.objects.filter(facility_id=facility_id, state__in=(STATE.CONFIRMED, STATE.DONE))
    return firm.filter(from_at__lt=until_at, until_at__gt=from_at)


def _fresh(booking: Booking, states: tuple[str, ...], *, before_start: bool = False) -> Booking:
    """The booking as it is now, if it is of one of some states."""
    fresh = Booking.objects.get(pk=booking.pk)
    if fresh.state not in states or (before_start and fresh.from_at <= timezone.now()):
        raise WebError("booking.state", state=fresh.get_state_display())
    return fresh


def _turned(actor: Actor, booking: Booking, state: str, verb: str, *, note: str = "") -> Booking:
    booking.state, booking.note, booking.decided_at = state, note, timezone.now()
    booking.save(update_fields=["state", "note", "decided_at"])
    _log(actor, verb, booking)
    notifying.booking_turned(actor, booking)
    return booking


def _log(actor: Actor, verb: str, booking: Booking) -> None:
    detail = {"booking": booking.pk}
    log(actor, f"bookings.{verb}", noun="facilities", record_id=booking.facility_id, detail=detail)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    r"""A text of a calendar.

    Examples
    --------
    >>> _escaped("甲；乙;c, d\r\nEND:VEVENT")
    '甲；乙\\;c\\, d\\nEND:VEVENT'
    """
    plain = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return "".join(c for c in plain.replace("\r\n", "\n").replace("\n", "\\n") if c >= " ")


def _folded(line: str) -> str:
    """Lines of at most 75 bytes; what goes on begins with a space. No character is cut."""
    made, size = [""], 0
    for character in line:
        length = len(character.encode())
        if size + length > 74:
            made.append(" ")
            size = 1
        made[-1] += character
        size += length
    return "\r\n".join(made)
