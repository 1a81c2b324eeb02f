"""Letters of notifications: made when they may go, noted before they are sent, tried again when they fail.

A letter is a row first and is sent then. A kill between the sending and its note leaves the row waiting: the letter is
sent once more after LEASE, with the same Message-ID, by which mail programs know it for the same. Nothing else can
double it: a letter is sent by whoever moves its next try ahead, and a person has one digest a day.
"""

from __future__ import annotations

import logging
import secrets
from datetime import timedelta
from smtplib import SMTPException, SMTPRecipientsRefused
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.mail import get_connection
from django.db import connection, transaction
from django.db.models import Min, Q

from silian.web.base import consents
from silian.web.base.actors import actor_of
from silian.web.base.log import log
from silian.web.base.models import Letter, Notification, User
from silian.web.base.notifications.choices import desk_of, hours_of, how
from silian.web.base.notifications.kinds import KINDS
from silian.web.base.notifications.planning import Item, look_again, plan
from silian.web.base.notifications.timing import day_of, is_quiet, next_open
from silian.web.base.notifications.writing import written

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.core.mail.backends.base import BaseEmailBackend

    from silian.web.base.models import Desk
    from silian.web.base.notifications.kinds import How

PEOPLE: Final = 500  # for whom letters are made in one go
LETTERS: Final = 200  # sent in one go: the worker has other work as well
MOST: Final = 2000  # notifications of one person looked at in one go
LEASE: Final = timedelta(minutes=10)  # a letter that was begun and neither sent nor failed is tried again after this
GAPS: Final = tuple(timedelta(minutes=n) for n in (5, 15, 60, 240, 720, 1440))  # between the tries of a letter
_LOG = logging.getLogger(__name__)


def post(now: datetime) -> int:
    """Make the letters that may go now, and send those that wait; how many were sent."""
    due = Notification.objects.filter(mail=Notification.Mail.WAITING, due_at__lte=now).order_by()
    people = due.values("user_id").annotate(first=Min("due_at")).order_by("first", "user_id")
    for row in people[:PEOPLE]:
        make_for(row["user_id"], now)
    return send_due(now)


# ── making ──


@transaction.atomic
def make_for(user_id: int, now: datetime) -> Letter | None:
    """Settle what becomes of what waits for a person; the letter that was made, if one was."""
    users = User.objects.filter(pk=user_id)  # one at a time settles for a person; SQLite has one writer anyway
    user = (users.select_for_update() if connection.features.has_select_for_update else users).first()
    if user is None:
        return None
    desk = desk_of(user)
    hours, ways = hours_of(desk), _ways(user, desk)
    rows = list(user.notifications.filter(mail=Notification.Mail.WAITING).order_by("pk")[:MOST])
    items = [Item(r.pk, ways(r), r.queued_at, is_read=r.read_at is not None) for r in rows]
    day = f"digest:{now.astimezone(hours.clock):%Y-%m-%d}"
    has_digest = user.letters.filter(slot=day).exists()
    made = plan(items, hours, now, free=desk.cap - _spent(user, desk, now), has_digest=has_digest)
    own = Notification.objects.filter(user=user, mail=Notification.Mail.WAITING)
    own.filter(pk__in=made.site).update(mail=Notification.Mail.NONE)
    own.filter(pk__in=made.over).update(is_over=True, queued_at=now)
    letter = None
    if numbers := made.digest or made.once:
        letter = _noted(user, day if made.digest else f"once:{numbers[0]}", now)
        own.filter(pk__in=numbers).update(mail=Notification.Mail.POSTED, letter=letter)
    gone = {*made.site, *numbers, *made.over}
    seen = own.filter(pk__in=[row.pk for row in rows])  # what has come since is looked at in the next round
    seen.update(due_at=now if made.over else look_again([i for i in items if i.number not in gone], hours, now))
    return letter


def _ways(user: User, desk: Desk) -> _Ways:
    is_agreed = user.is_active and user.pk in consents.holders(consents.Purpose.LETTERS, [user.pk])
    return _Ways(user, desk, is_agreed=is_agreed)


class _Ways:
    """How notifications reach one person, as chosen by now."""

    def __init__(self, user: User, desk: Desk, *, is_agreed: bool) -> None:
        self.user, self.desk, self.is_agreed = user, desk, is_agreed

    def __call__(self, row: Notification) -> How:
        kind = KINDS.get(row.kind)
        if kind is None or not self.user.is_active:
            return "never"
        return how(self.desk, kind, is_agreed=self.is_agreed, is_over=row.is_over)


def _spent(user: User, desk: Desk, now: datetime) -> int:
    """How many letters at once a person got today or may still get: those that wait may all be sent today."""
    begins, ends = day_of(hours_of(desk), now)
    at_once = user.letters.filter(slot__startswith="once:")
    sent = Q(state=Letter.State.SENT, sent_at__gte=begins, sent_at__lt=ends)
    return at_once.filter(sent | Q(state=Letter.State.WAITING)).count()


def _noted(user: User, slot: str, now: datetime) -> Letter:
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("<> ") or "localhost"
    name = f"<silian.{secrets.token_hex(16)}@{domain}>"
    return Letter.objects.create(user=user, slot=slot, message_id=name, made_at=now, next_at=now)


# ── sending ──


def send_due(now: datetime) -> int:
    """Send the letters whose time has come; how many were sent. A server that does not answer ends the round."""
    waiting = Letter.objects.filter(state=Letter.State.WAITING, next_at__lte=now).order_by("next_at", "pk")
    server = get_connection()
    count = 0
    for number in list(waiting.values_list("pk", flat=True)[:LETTERS]):
        try:
            count += send(number, now, server)
        except OSError:
            break
    server.close()
    return count


def send(number: int, now: datetime, server: BaseEmailBackend) -> bool:
    """Send one letter, if it may go now; whether it was sent.

    Raises
    ------
    OSError : if the server of letters does not answer; the letter waits for its next try
    """
    letter = _begun(number, now)
    if letter is None:
        return False
    user, desk = letter.user, desk_of(letter.user)
    rows = _still_wanted(letter, _ways(user, desk))
    message = written(user, letter, rows) if rows else None
    if message is None:
        Letter.objects.filter(pk=letter.pk).update(state=Letter.State.VOID)
        return False
    try:
        message.connection = server
        message.send()
    except SMTPException as error:
        _failed(letter, now, error)
        return False
    except OSError as error:
        _failed(letter, now, error)
        raise
    with transaction.atomic():
        Letter.objects.filter(pk=letter.pk).update(state=Letter.State.SENT, sent_at=now)
        log(actor_of(user), "notifications.letter", detail={"letter": letter.pk, "rows": len(rows)})
    return True


@transaction.atomic
def _begun(number: int, now: datetime) -> Letter | None:
    """The letter, taken up: nobody else sends it before LEASE is over. None: it may not go now."""
    letter = Letter.objects.select_related("user").filter(pk=number, state=Letter.State.WAITING).first()
    if letter is None or letter.next_at > now:
        return None
    own = Letter.objects.filter(pk=number, state=Letter.State.WAITING, next_at=letter.next_at)
    desk = desk_of(letter.user)
    hours = hours_of(desk)
    begins, ends = day_of(hours, now)
    if is_quiet(hours, now):
        own.update(next_at=next_open(hours, now))
        return None
    at_once = letter.user.letters.filter(slot__startswith="once:", state=Letter.State.SENT)
    if letter.slot.startswith("once:") and at_once.filter(sent_at__gte=begins, sent_at__lt=ends).count() >= desk.cap:
        own.update(next_at=next_open(hours, ends))
        return None
    if not own.update(tries=letter.tries + 1, next_at=now + LEASE):
        return None  # another worker was quicker
    letter.tries += 1
    return letter


def _still_wanted(letter: Letter, ways: _Ways) -> list[Notification]:
    """What the letter tells of by now: what was read on the site meanwhile, or is not wanted any more, goes out."""
    rows = list(letter.notifications.order_by("pk"))
    out = [row.pk for row in rows if row.read_at is not None or ways(row) == "never"]
    Notification.objects.filter(pk__in=out).update(mail=Notification.Mail.NONE, letter=None)
    return [row for row in rows if row.pk not in set(out)]


def _failed(letter: Letter, now: datetime, error: Exception) -> None:
    """Wait for the next try, longer each time; after the last one the site says so, and shows what was to be told."""
    _LOG.warning("letter %s: %s", letter.pk, type(error).__name__)
    if letter.tries <= len(GAPS) and not _is_final(error):
        Letter.objects.filter(pk=letter.pk).update(next_at=now + GAPS[letter.tries - 1])
        return
    with transaction.atomic():
        Letter.objects.filter(pk=letter.pk).update(state=Letter.State.FAILED)
        letter.notifications.update(mail=Notification.Mail.FAILED, on_site=True)


def _is_final(error: Exception) -> bool:
    """Whether the server has said that the address is none."""
    told: Sequence[tuple[int, bytes]] = ()
    if isinstance(error, SMTPRecipientsRefused):
        told = list(error.recipients.values())
    return bool(told) and all(code >= 500 for code, _text in told)
