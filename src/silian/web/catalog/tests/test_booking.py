"""Facilities by the hour: nobody is there twice, and who is there is for those concerned alone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import connection, connections
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from silian.errors import WebError
from silian.web.base.actors import Actor
from silian.web.base.models import LogEntry, Membership, Place
from silian.web.catalog.beside import booking as bookings
from silian.web.catalog.models import Booking, Facility, Organisation


@pytest.fixture
def facility(people):
    """An open facility of the manager's organisation, 200 yuan an hour."""
    found = Facility.objects.select_related("place").order_by("pk")[0]
    org = Organisation.objects.get(pk=next(iter(people["manager"].actor.orgs)))
    Facility.objects.filter(pk=found.pk).update(org=org, owner_id=org.pk, is_open=True, fee_cny=200.0, tiers={})
    return Facility.objects.select_related("place").get(pk=found.pk)


def at(day, hour, minute=0):
    return bookings.instant(timezone.localdate() + timedelta(days=day), time(hour, minute))


def asked(person, facility, begins, ends, purpose="测试样品"):
    return bookings.ask(person.actor, facility, from_at=begins, until_at=ends, purpose=purpose)


def typed(**changed):
    on = (timezone.localdate() + timedelta(days=3)).isoformat()
    return {"on": on, "begins": "09:00", "ends": "11:30", "purpose": "做拉伸试验", **changed}


def test_ask_counts_the_fee_by_the_hour_and_is_logged(people, facility):
    answer = people["enterprise"].client.post(reverse("booking", args=[facility.pk]), typed())

    made = Booking.objects.get()
    assert answer.status_code == 302
    assert (made.state, made.fee_cny) == ("asked", 500.0)
    assert timezone.localtime(made.from_at).strftime("%H:%M") == "09:00"
    assert LogEntry.objects.filter(action="bookings.ask", record_id=facility.pk).exists()


def test_ask_twice_is_one_request(people, facility):
    for _ in range(2):
        people["enterprise"].client.post(reverse("booking", args=[facility.pk]), typed())

    assert Booking.objects.count() == 1


def test_ask_for_the_same_hours_for_something_else_is_another_request(people, facility):
    for purpose in ("做拉伸试验", "做疲劳试验"):
        people["enterprise"].client.post(reverse("booking", args=[facility.pk]), typed(purpose=purpose))

    assert sorted(Booking.objects.values_list("purpose", flat=True)) == ["做拉伸试验", "做疲劳试验"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"on": "2020-01-01"}, {"on": "9999-12-31"}, {"on": "0001-01-01"}, {"on": "昨天"}, {"begins": "09:15"},
        {"ends": "08:00"}, {"ends": "09:00"}, {"until_on": "2099-01-01"}, {"purpose": ""}, {"purpose": "长" * 1001},
        {"org_id": "another"}, {"ends": "24:30"},
    ],
)  # fmt: skip
def test_ask_keeps_what_was_typed_and_says_what_is_wrong(people, facility, wrong):
    answer = people["enterprise"].client.post(reverse("booking", args=[facility.pk]), typed(**wrong))

    assert answer.status_code == 400
    assert "有几处需要修改" in answer.content.decode()
    assert not Booking.objects.exists()


def test_ask_refuses_times_off_the_half_hour_or_too_long(people, facility):
    for begins, ends in ((at(2, 9, 15), at(2, 10)), (at(2, 9), at(17, 9)), (at(2, 9), at(2, 9))):
        with pytest.raises(WebError, match=r"booking\.times"):
            asked(people["enterprise"], facility, begins, ends)


def test_ask_for_a_facility_that_is_not_open_is_for_its_own_people(people, facility):
    Facility.objects.filter(pk=facility.pk).update(is_open=False)
    address = reverse("booking", args=[facility.pk])

    assert people["enterprise"].client.post(address, typed()).status_code == 403
    assert people["visitor"].client.post(address, typed()).status_code == 403
    assert people["manager"].client.post(address, typed()).status_code == 302


def test_ask_in_the_name_of_another_organisation_is_refused(people, facility):
    other = Organisation.objects.exclude(pk__in=people["enterprise"].actor.orgs).order_by("pk")[0]

    made = bookings.ask(
        people["enterprise"].actor, facility, from_at=at(2, 9), until_at=at(2, 10), purpose="测", org_id=other.pk
    )

    assert made.org_id == ""


def test_ask_stops_at_twenty_open_requests(people, facility):
    for hour in range(20):
        asked(people["enterprise"], facility, at(2, hour), at(2, hour, 30))

    with pytest.raises(WebError, match=r"booking\.many"):
        asked(people["enterprise"], facility, at(3, 9), at(3, 10))


@pytest.mark.parametrize(
    ("begins", "ends"), [((2, 8), (2, 10)), ((2, 9), (2, 12)), ((2, 11), (2, 13)), ((1, 9), (3, 9)), ((2, 10), (2, 11))]
)
def test_confirm_refuses_what_overlaps_and_takes_what_touches(people, facility, begins, ends):
    first = asked(people["enterprise"], facility, at(2, 9), at(2, 12))
    second = asked(people["researcher"], facility, at(*begins), at(*ends))
    before, after = (asked(people["researcher"], facility, at(2, a), at(2, b)) for a, b in ((8, 9), (12, 13)))
    bookings.confirm(people["manager"].actor, first)

    with pytest.raises(WebError, match=r"booking\.taken"):
        bookings.confirm(people["manager"].actor, second)
    with pytest.raises(WebError, match=r"booking\.taken"):
        asked(people["researcher"], facility, at(2, 9, 30), at(2, 10))
    bookings.confirm(people["manager"].actor, before)
    bookings.confirm(people["manager"].actor, after)

    assert Booking.objects.filter(state="confirmed").count() == 3


@pytest.mark.parametrize(
    ("role", "verb", "status"),
    [
        ("visitor", "confirm", 302), ("judge", "confirm", 404), ("researcher", "cancel", 404),
        ("enterprise", "confirm", 403), ("enterprise", "refuse", 403), ("enterprise", "finish", 403),
        ("manager", "steal", 404),
    ],
)  # fmt: skip
def test_turn_is_for_those_concerned(people, facility, role, verb, status):
    made = asked(people["enterprise"], facility, at(2, 9), at(2, 12))

    answer = people[role].client.post(reverse("booking_turn", args=[made.key, verb]), {"note": "理由"})

    made.refresh_from_db()
    assert answer.status_code == status
    assert made.state == "asked"
    assert people["manager"].client.get(reverse("booking_turn", args=[made.key, "confirm"])).status_code == 405


def test_refusal_needs_a_reason_that_the_asker_reads(people, facility):
    made = asked(people["enterprise"], facility, at(2, 9), at(2, 12))
    address = reverse("booking_turn", args=[made.key, "refuse"])

    people["manager"].client.post(address)
    without = Booking.objects.get().state
    people["manager"].client.post(address, {"note": "设备检修<b>"})

    assert without == "asked"
    assert Booking.objects.get().state == "refused"
    assert "设备检修&lt;b&gt;" in people["enterprise"].client.get(reverse("bookings")).content.decode()


def test_every_booking_is_on_some_page_of_mine(people, facility, monkeypatch):
    monkeypatch.setattr("silian.web.catalog.beside.booking_views.PAGE", 2)
    words = [f"第{chr(ord('甲') + k)}次试验" for k in range(3)]
    for day, purpose in enumerate(words, start=2):
        asked(people["enterprise"], facility, at(day, 9), at(day, 12), purpose)

    client = people["enterprise"].client
    pages = [client.get(reverse("bookings"), {"page": number}).content.decode() for number in (1, 2)]
    assert [[word for word in words if word in page] for page in pages] == [words[1:], words[:1]]
    calendar = client.get(reverse("bookings_calendar")).content.decode()
    assert calendar.count("BEGIN:VEVENT") == 3


@pytest.mark.parametrize("role", ["enterprise", "manager", "broker"])
def test_either_side_cancels_until_the_start(people, facility, role):
    made = asked(people["enterprise"], facility, at(2, 9), at(2, 12))
    begun = asked(people["enterprise"], facility, at(3, 9), at(3, 12))
    bookings.confirm(people["manager"].actor, made)
    Booking.objects.filter(pk=begun.pk).update(from_at=timezone.now() - timedelta(minutes=1))

    for one in (made, begun, made):
        people[role].client.post(reverse("booking_turn", args=[one.key, "cancel"]))

    assert Booking.objects.get(pk=made.pk).state == "cancelled"
    assert Booking.objects.get(pk=begun.pk).state == "asked"


def test_finish_is_for_what_was_confirmed_and_has_begun(people, facility):
    made = asked(people["enterprise"], facility, at(2, 9), at(2, 12))
    with pytest.raises(WebError, match=r"booking\.state"):
        bookings.finish(people["manager"].actor, made)
    bookings.confirm(people["manager"].actor, made)
    with pytest.raises(WebError, match=r"booking\.state"):
        bookings.finish(people["manager"].actor, made)
    Booking.objects.update(from_at=timezone.now() - timedelta(hours=1))

    people["manager"].client.post(reverse("booking_turn", args=[made.key, "finish"]))

    assert Booking.objects.get().state == "done"


def test_others_see_when_a_facility_is_taken_and_not_by_whom(people, facility):
    made = asked(people["enterprise"], facility, at(2, 9), at(2, 12), purpose="秘密试验")
    waiting = asked(people["enterprise"], facility, at(3, 15), at(3, 16))
    bookings.confirm(people["manager"].actor, made)
    name = people["enterprise"].user.name
    address = reverse("booking", args=[facility.pk]) + f"?week={(timezone.localdate() + timedelta(days=2)).isoformat()}"

    for role in ("visitor", "judge", "auditor"):
        body = people[role].client.get(address).content.decode()
        assert "09:00–12:00" in body
        assert f"{name}</span>" not in body
        assert "秘密试验" not in body
        assert "15:00–16:00" not in body
    assert f"{name}</span>" in people["manager"].client.get(address).content.decode()
    assert people["judge"].client.get(reverse("booking_calendar", args=[waiting.key])).status_code == 404


def test_a_fee_that_is_not_public_shows_itself_once_agreed(people, facility):
    Facility.objects.filter(pk=facility.pk).update(tiers={"fee_cny": "mutual"})
    made = asked(people["enterprise"], facility, at(2, 9), at(2, 11, 30))
    page, calendar = reverse("bookings"), reverse("booking", args=[facility.pk])

    before = people["enterprise"].client.get(page).content.decode()
    seen = people["visitor"].client.get(calendar).content.decode()
    bookings.confirm(people["manager"].actor, made)

    assert "500" not in before
    assert "200" not in seen.split("<dl")[1].split("</dl>")[0]
    assert ">500<" in people["enterprise"].client.get(page).content.decode()


@given(st.integers(0, 47), st.integers(1, 96), st.integers(1, 300))
def test_hours_of_the_place_are_the_hours_between(half, halves, day):
    on = date(2027, 1, 1) + timedelta(days=day)
    begins = bookings.instant(on, time(half // 2, 30 * (half % 2)))

    assert bookings.hours(begins, begins + halves * bookings.GRID) == halves / 2


def test_instant_refuses_a_time_that_the_clock_skips_or_shows_twice():
    with timezone.override("Europe/Berlin"):
        for on in (date(2027, 3, 28), date(2027, 10, 31)):
            with pytest.raises(WebError, match=r"booking\.clock"):
                bookings.instant(on, time(2, 30))
        day = bookings.instant(date(2027, 3, 28), time(0)), bookings.instant(date(2027, 3, 28), None)

    assert bookings.hours(*day) == 23
    assert bookings.instant(date(2027, 3, 28), time(9)).astimezone(UTC) == datetime(2027, 3, 28, 1, tzinfo=UTC)


def test_calendar_holds_its_form_whatever_people_type(people, facility):
    made = asked(people["enterprise"], facility, at(2, 9), at(2, 12), purpose="甲;乙,丙\r\nEND:VEVENT\n𠮷" + "长" * 200)

    one = people["enterprise"].client.get(reverse("booking_calendar", args=[made.key]))
    body = people["enterprise"].client.get(reverse("bookings_calendar")).content

    assert one.content == body
    assert body.count(b"\r\nEND:VEVENT\r\n") == 1
    assert max(len(line) for line in body.split(b"\r\n")) <= 75
    unfolded = body.decode().replace("\r\n ", "")
    assert "DESCRIPTION:甲\\;乙\\,丙\\nEND:VEVENT\\n𠮷长" in unfolded
    assert f"DTSTART:{made.from_at.astimezone(UTC):%Y%m%dT%H%M%SZ}\r\n" in unfolded


@pytest.mark.parametrize("week", ["", "2026-11-25", "0001-01-01", "9999-12-31", "x", "2026-02-30", "1" * 99])
def test_the_calendar_opens_on_any_week(people, facility, week):
    assert people["visitor"].client.get(reverse("booking", args=[facility.pk]), {"week": week}).status_code == 200


@pytest.mark.parametrize("many", [2, 18])
def test_pages_of_bookings_take_a_fixed_number_of_queries(people, facility, django_assert_max_num_queries, many):
    org = next(iter(people["enterprise"].actor.orgs))
    for hour in range(many):
        for person in (people["enterprise"], people["researcher"]):
            bookings.ask(
                person.actor, facility, from_at=at(2, hour), until_at=at(2, hour + 1), purpose="测", org_id=org
            )

    for role, address in (("manager", reverse("booking", args=[facility.pk])), ("enterprise", reverse("bookings"))):
        people[role].client.get(address)
        with django_assert_max_num_queries(14):
            assert people[role].client.get(address).status_code == 200


@pytest.fixture
def committed(django_db_setup, django_db_blocker):
    """A facility with twelve requests for the same hour, in the database for every connection; gone afterwards."""
    with django_db_blocker.unblock():
        Facility.objects.create(facility_id="F-race", name="争", kind="instrument", is_open=True, place=Place.root())
        begins = timezone.now() + timedelta(days=1)
        own = {"facility_id": "F-race", "until_at": begins + timedelta(hours=1), "purpose": "争"}
        made = [Booking.objects.create(from_at=begins + timedelta(minutes=n), **own) for n in range(12)]
        yield made
        Booking.objects.filter(facility_id="F-race").delete()
        LogEntry.objects.filter(record_id="F-race").delete()
        Facility.objects.filter(pk="F-race").delete()


def test_of_many_that_are_confirmed_at_once_one_is(committed):
    def confirm(one):
        try:
            bookings.confirm(Actor(user_id=None, pseudonym="race"), one)
        except WebError as error:
            return error.code
        finally:
            connections.close_all()
        return "confirmed"

    if connection.vendor == "postgresql":
        with ThreadPoolExecutor(6) as threads:
            told = list(threads.map(confirm, committed))
    else:  # a database in memory is one connection's own: one after another
        told = []
        for one in committed:
            try:
                bookings.confirm(Actor(pseudonym="race"), one)
                told.append("confirmed")
            except WebError as error:
                told.append(error.code)

    assert sorted(told) == ["booking.taken"] * 11 + ["confirmed"]
    assert Booking.objects.filter(facility_id="F-race", state="confirmed").count() == 1


def test_a_colleague_sees_and_cancels_what_was_asked_for_the_organisation(people, facility):
    org = next(iter(people["enterprise"].actor.orgs))
    made = bookings.ask(
        people["enterprise"].actor, facility, from_at=at(2, 9), until_at=at(2, 10), purpose="测", org_id=org
    )
    Membership.objects.create(user=people["judge"].user, org_id=org)

    people["judge"].client.post(reverse("booking_turn", args=[made.key, "cancel"]))

    assert Booking.objects.get().state == "cancelled"
