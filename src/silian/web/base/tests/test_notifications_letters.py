"""Letters: when and how often they go, what they say, what a kill or a failing server does to them, how they stop."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected

import pytest
from django.core import mail, signing
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from django.urls import reverse

from silian.web.base import consents
from silian.web.base.models import Desk, Letter, LogEntry, Notification, User
from silian.web.base.notifications import Ref, choices, letters, notify, stopping
from silian.web.base.notifications.tasks import KEPT, drop_old, keep_notifying, notifications_task
from silian.web.catalog.models import Need

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)  # 08:00 in Shanghai
NOON = MONDAY + timedelta(hours=4)
NIGHT = MONDAY + timedelta(hours=14)  # 22:00


def tell(person, code="claims.decided", *, at=NOON, key="1", **facts):
    """Tell somebody something at an instant."""
    facts = facts or {"record": Ref("needs", Need.objects.filter(state="published").order_by("pk")[0].pk), "state": "x"}
    notify(code, [person.user], about="/claims/", key=key, **facts)
    Notification.objects.filter(kind=code, key=key).update(made_at=at, queued_at=at, due_at=at)


def choose(person, **values):
    choices.keep(person.actor, person.user, **values)


@pytest.fixture
def reader(people):
    """Somebody who has agreed to get letters."""
    person = people["enterprise"]
    consents.give(person.actor, person.user, consents.Purpose.LETTERS)
    return person


def fates():
    return sorted(Notification.objects.values_list("key", "mail"))


def test_digest_comes_once_at_its_hour_and_holds_what_was_told_before(reader):
    tell(reader, key="before", at=NOON)
    tell(reader, key="after", at=MONDAY + timedelta(days=1, minutes=1))

    assert letters.post(NOON) == 0
    assert letters.post(MONDAY + timedelta(hours=23, minutes=59)) == 0
    assert letters.post(MONDAY + timedelta(days=1)) == 1
    assert letters.post(MONDAY + timedelta(days=1, minutes=5)) == 0
    assert fates() == [("after", "waiting"), ("before", "posted")]
    assert letters.post(MONDAY + timedelta(days=2)) == 1
    assert [len(m.to) for m in mail.outbox] == [1, 1]


def test_digest_of_a_day_without_anything_is_no_letter(reader):
    assert letters.post(MONDAY + timedelta(days=1)) == 0


def test_at_once_goes_at_once_and_in_one_letter_however_much_it_is(reader):
    for n in range(9):
        tell(reader, "bookings.answered", key=str(n), at=NOON)

    assert letters.post(NOON) == 1
    assert Letter.objects.get().notifications.count() == 9


def test_at_once_waits_for_the_end_of_quiet_hours_and_goes_with_the_digest(reader):
    tell(reader, "bookings.answered", key="night", at=NIGHT)
    tell(reader, key="day", at=NOON)

    assert letters.post(NIGHT) == 0
    assert letters.post(MONDAY + timedelta(days=1)) == 1
    assert fates() == [("day", "posted"), ("night", "posted")]


def test_what_is_over_the_cap_goes_into_the_digest_and_the_letter_says_so(reader):
    choose(reader, cap=2)
    for n in range(4):
        tell(reader, "bookings.answered", key=str(n), at=NOON + timedelta(hours=n))
        letters.post(NOON + timedelta(hours=n))

    assert len(mail.outbox) == 2
    assert letters.post(MONDAY + timedelta(days=1)) == 1
    assert "其中 2 条并入这封摘要" in mail.outbox[-1].body
    assert {fate for _key, fate in fates()} == {"posted"}


def test_cap_of_none_sends_digests_alone(reader):
    choose(reader, cap=0)
    tell(reader, "bookings.answered", at=NOON)

    assert letters.post(NOON) == 0
    assert letters.post(MONDAY + timedelta(days=1)) == 1


def test_weekly_comes_on_its_day(reader):
    tell(reader, "records.due", at=NOON, count=3)

    assert sum(letters.post(MONDAY + timedelta(days=n)) for n in range(1, 7)) == 0
    assert letters.post(MONDAY + timedelta(days=7)) == 1


def test_what_was_read_on_the_site_needs_no_letter(reader):
    tell(reader, at=NOON)
    Notification.objects.update(read_at=NOON)

    assert letters.post(MONDAY + timedelta(days=1)) == 0
    assert fates() == [("1", "none")]


def test_who_has_not_agreed_to_letters_gets_what_is_required_alone(people):
    person = people["enterprise"]
    tell(person, "bookings.answered", key="free", at=NOON)
    tell(person, "account.new_device", key="required", at=NOON)

    assert letters.post(NOON) == 1
    assert mail.outbox[0].subject == "[四链] 您的账户在新设备上登录"
    assert "List-Unsubscribe" not in mail.outbox[0].extra_headers
    assert "必须送达" in mail.outbox[0].body
    assert fates() == [("free", "none"), ("required", "posted")]


def test_bulk_sends_no_letter_unless_it_is_asked_for(reader):
    tell(reader, "exports.ready", key="a", at=NOON, state="ready")
    assert letters.post(MONDAY + timedelta(days=1)) == 0

    choose(reader, choices={"exports.ready": {"mail": "daily"}})
    tell(reader, "exports.ready", key="b", at=NOON + timedelta(days=1), state="ready")
    assert letters.post(MONDAY + timedelta(days=2)) == 1


def test_a_choice_counts_when_the_letter_goes_not_when_it_was_told(reader):
    tell(reader, at=NOON)
    choose(reader, choices={"claims.decided": {"mail": "never"}})

    assert letters.post(MONDAY + timedelta(days=1)) == 0
    assert fates() == [("1", "none")]


def test_nothing_goes_to_an_account_that_is_shut(reader):
    tell(reader, "account.new_device", at=NOON)
    User.objects.filter(pk=reader.user.pk).update(is_active=False)

    assert letters.post(NOON) == 0


# ── what a letter says ──


def test_letter_says_why_it_came_and_how_to_stop_it_in_two_forms(reader):
    tell(reader, "bookings.answered", at=NOON)
    letters.post(NOON)

    (letter,) = mail.outbox
    stop = re.search(r"https?://\S+/notifications/stop/\S+/", letter.body)[0]
    assert letter.extra_headers["List-Unsubscribe"] == f"<{stop}>"
    assert letter.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert letter.extra_headers["Auto-Submitted"] == "auto-generated"
    assert "因为这类通知设为立即发送：预约有变" in letter.body
    (html,) = letter.alternatives
    assert html[1] == "text/html"
    for part in (letter.body, html[0]):
        assert reverse("notification_kinds") in part
        assert str(Need.objects.filter(state="published").order_by("pk")[0]) in part


def test_letter_is_in_the_language_of_its_person(reader):
    User.objects.filter(pk=reader.user.pk).update(language="en")
    tell(reader, "bookings.answered", at=NOON)
    letters.post(NOON)

    assert 'lang="en"' in mail.outbox[0].alternatives[0][0]


@pytest.mark.parametrize("name", ["甲\r\nBcc: x@y.invalid", "<script>alert(1)</script>", "乙\u202e丙", "𠮷🧪"])
def test_names_break_no_head_no_line_and_no_markup(reader, name):
    need = Need.objects.filter(state="published").order_by("pk")[0]
    Need.objects.filter(pk=need.pk).update(title=name)
    User.objects.filter(pk=reader.user.pk).update(name=name)
    tell(reader, "bookings.answered", at=NOON)

    assert letters.post(NOON) == 1

    (letter,) = mail.outbox
    raw = letter.message()
    assert raw["Bcc"] is None
    assert not any(line.startswith("Bcc") for line in letter.body.splitlines())
    assert "<script>" not in letter.alternatives[0][0]
    assert "\u202e" not in letter.body + letter.alternatives[0][0]


def test_letter_names_no_record_that_was_closed_since_and_leads_nowhere(people):
    person = people["researcher"]
    consents.give(person.actor, person.user, consents.Purpose.LETTERS)
    need = Need.objects.filter(state="published").order_by("pk")[0]
    address = reverse("detail", args=["needs", need.pk])
    notify("interests.answered", [person.user], about=address, key="1", record=Ref("needs", need.pk), state="agreed")
    Notification.objects.update(queued_at=NOON, due_at=NOON)
    Need.objects.filter(pk=need.pk).update(state="withdrawn")

    assert letters.post(MONDAY + timedelta(days=1)) == 1

    (letter,) = mail.outbox
    for part in (letter.body, letter.alternatives[0][0]):
        assert str(need) not in part
        assert address not in part
    assert "一条已不对您公开的记录" in letter.body


# ── failures and kills ──


class Failing(EmailBackend):
    """A server of letters that answers with an error."""

    error: Exception = SMTPServerDisconnected("gone")

    def send_messages(self, messages):
        del messages
        raise self.error


@pytest.fixture
def failing(settings):
    settings.EMAIL_BACKEND = f"{__name__}.Failing"
    Failing.error = SMTPServerDisconnected("gone")
    return Failing


def test_letter_that_fails_is_tried_again_with_growing_gaps_and_given_up_where_it_stands_on_the_site(reader, failing):
    choose(reader, quiet_from=0, quiet_until=0, choices={"bookings.answered": {"site": False}})
    tell(reader, "bookings.answered", at=NOON)
    now, tried = NOON, []
    while Letter.objects.filter(state="waiting").exists() or not tried:
        assert letters.post(now) == 0
        tried.append(now)
        now = Letter.objects.get().next_at

    gaps = [b - a for a, b in pairwise(tried)]
    assert gaps == sorted(gaps)
    assert len(tried) == len(letters.GAPS) + 1
    assert Letter.objects.get().state == "failed"
    row = Notification.objects.get()
    assert (row.mail, row.on_site) == ("failed", True)
    Letter.objects.update(made_at=datetime.now(UTC))
    assert "多次未能送达" in reader.client.get(reverse("notifications")).content.decode()


def test_address_that_is_none_is_not_tried_again(reader, failing):
    failing.error = SMTPRecipientsRefused({reader.user.email: (550, b"no such user")})
    tell(reader, "bookings.answered", at=NOON)

    letters.post(NOON)

    assert Letter.objects.get().state == "failed"


def test_server_that_does_not_answer_ends_the_round(people, failing):
    failing.error = ConnectionRefusedError()
    for role in ("enterprise", "broker"):
        tell(people[role], "account.new_device", at=NOON)

    assert letters.post(NOON) == 0
    assert sorted(Letter.objects.values_list("tries", flat=True)) == [0, 1]


def test_kill_between_sending_and_noting_sends_the_same_letter_once_more(reader, monkeypatch, settings):
    tell(reader, "bookings.answered", at=NOON)

    def killed(*_args, **_more):
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(letters, "log", killed)
        with pytest.raises(SystemExit):
            letters.post(NOON)
    assert Letter.objects.get().state == "waiting"
    assert letters.post(NOON + timedelta(minutes=1)) == 0  # somebody may be about it
    assert letters.post(NOON + letters.LEASE) == 1
    assert letters.post(NOON + letters.LEASE * 2) == 0

    first, second = mail.outbox
    assert first.extra_headers["Message-ID"] == second.extra_headers["Message-ID"]


def test_letter_that_was_made_and_not_sent_before_a_kill_goes_out_once(reader):
    tell(reader, "bookings.answered", at=NOON)
    assert letters.make_for(reader.user.pk, NOON) is not None  # and the worker is killed here
    assert letters.make_for(reader.user.pk, NOON) is None

    assert letters.post(NOON) == 1
    assert letters.post(NOON) == 0


def test_two_workers_make_one_digest_and_send_it_once(reader):
    tell(reader, at=NOON)
    morning = MONDAY + timedelta(days=1)
    letters.make_for(reader.user.pk, morning)
    tell(reader, key="2", at=NOON)
    letters.make_for(reader.user.pk, morning)
    (letter,) = Letter.objects.all()

    assert letters._begun(letter.pk, morning) is not None
    assert letters._begun(letter.pk, morning) is None


def test_waiting_letters_do_not_go_at_night(reader, failing, settings):
    tell(reader, "bookings.answered", at=NOON)
    letters.post(MONDAY + timedelta(hours=12, minutes=58))  # 20:58: fails, to be tried again at 21:03
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

    assert letters.post(MONDAY + timedelta(hours=13, minutes=10)) == 0
    assert letters.post(MONDAY + timedelta(days=1)) == 1


# ── stopping ──


def stop_link(letter):
    return re.search(r"/notifications/stop/\S+/", letter.body)[0]


def test_one_click_stops_that_kind_without_a_session_and_a_look_stops_nothing(reader):
    tell(reader, "bookings.answered", at=NOON)
    letters.post(NOON)
    link, client = stop_link(mail.outbox[0]), Client(enforce_csrf_checks=True)

    assert "预约有变" in client.get(link).content.decode()
    assert choices.desk_of(reader.user).choices == {}
    for _ in range(2):  # replayed, it stops what is stopped
        assert client.post(link, {"List-Unsubscribe": "One-Click"}).status_code == 200
        assert choices.desk_of(reader.user).choices == {"bookings.answered": {"mail": "never"}}
    tell(reader, "bookings.answered", key="2", at=NOON)
    assert letters.post(NOON + timedelta(hours=1)) == 0
    assert LogEntry.objects.filter(action="notifications.choose", who=reader.user.pseudonym).exists()


def test_link_of_a_digest_stops_digests_alone(reader):
    tell(reader, at=NOON)
    letters.post(MONDAY + timedelta(days=1))

    Client().post(stop_link(mail.outbox[0]))

    assert Desk.objects.get(user=reader.user).letters == "once"
    tell(reader, key="2", at=NOON)
    tell(reader, "bookings.answered", at=NOON + timedelta(days=1))
    assert letters.post(NOON + timedelta(days=1)) == 1
    assert letters.post(MONDAY + timedelta(days=2)) == 0


def test_forged_links_and_links_of_others_open_nothing(reader, people):
    good = stopping.key_of(reader.user, ["bookings.answered"])
    other = stopping.key_of(people["broker"].user, ["bookings.answered"])
    for key in (
        "x", good[:-2], other.split(":")[0] + good[good.index(":") :], signing.dumps([1, []], salt="another"),
        stopping.key_of(reader.user, ["account.new_device"]),  # what is required has no such link
    ):  # fmt: skip
        assert Client().post(reverse("notifications_stop", args=[key])).status_code == 404
    assert not Desk.objects.filter(user=reader.user).exclude(choices={}).exists()


# ── keeping ──


def test_old_notifications_go_after_half_a_year_and_waiting_letters_stay(reader):
    now = datetime.now(UTC)
    tell(reader, key="old", at=now - KEPT - timedelta(days=1))
    tell(reader, key="new", at=now - KEPT + timedelta(days=1))

    assert drop_old(now) == 1
    assert [key for key, _ in fates()] == ["new"]


def test_round_asks_for_the_next_once(reader):
    from django_tasks_db.models import DBTaskResult

    for _ in range(2):
        keep_notifying()
        notifications_task.call()

    assert DBTaskResult.objects.filter(task_path=notifications_task.module_path, status="READY").count() == 1
