"""When letters may go, by the clock on the wall, for instants that are fixed; and what becomes of what waits."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silian.web.base.notifications.planning import Item, look_again, plan
from silian.web.base.notifications.timing import Hours, day_of, is_quiet, next_open, slot_after
from silian.web.base.notifications.todo import due_after

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
HERE = Hours(zone=SHANGHAI)
START = datetime(2026, 3, 2, tzinfo=UTC)


def at(text, zone=SHANGHAI):
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("hours", "time", "is_so"),
    [
        (HERE, "2026-03-02T20:59:59", False), (HERE, "2026-03-02T21:00", True), (HERE, "2026-03-03T00:00", True),
        (HERE, "2026-03-03T07:59:59", True), (HERE, "2026-03-03T08:00", False), (HERE, "2026-03-07T12:00", False),
        (Hours(quiet_weekends=True, zone=SHANGHAI), "2026-03-07T12:00", True),
        (Hours(quiet_weekends=True, zone=SHANGHAI), "2026-03-09T08:00", False),
        (Hours(quiet_from=12, quiet_until=14, zone=SHANGHAI), "2026-03-02T13:59", True),
        (Hours(quiet_from=12, quiet_until=14, zone=SHANGHAI), "2026-03-02T23:00", False),
        (Hours(quiet_from=8, quiet_until=8, zone=SHANGHAI), "2026-03-02T03:00", False),
    ],
)  # fmt: skip
def test_quiet_hours_begin_and_end_on_the_hour(hours, time, is_so):
    assert is_quiet(hours, at(time)) is is_so


def test_quiet_weekend_ends_on_monday_after_the_night():
    hours = Hours(quiet_weekends=True, zone=SHANGHAI)

    assert next_open(hours, at("2026-03-06T21:30")) == at("2026-03-09T08:00")


@pytest.mark.parametrize(
    ("made", "digest", "weekly"),
    [
        ("2026-03-02T07:59:59", "2026-03-02T08:00", "2026-03-02T08:00"),  # a Monday
        ("2026-03-02T08:00", "2026-03-03T08:00", "2026-03-09T08:00"),
        ("2026-03-08T23:00", "2026-03-09T08:00", "2026-03-09T08:00"),
    ],
)
def test_what_is_told_comes_with_the_next_digest(made, digest, weekly):
    assert slot_after(HERE, at(made)) == at(digest)
    assert slot_after(HERE, at(made), is_weekly=True) == at(weekly)


def test_digest_hour_that_the_clock_jumps_over_is_when_it_goes_on():
    hours = Hours(digest=2, zone=BERLIN)  # 29 March 2026: 02:00 becomes 03:00

    assert slot_after(hours, datetime(2026, 3, 28, 12, tzinfo=UTC)) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_digest_hour_that_the_clock_shows_twice_is_the_first_and_comes_once():
    hours = Hours(digest=2, zone=BERLIN)  # 25 October 2026: 02:00–03:00 twice
    first = slot_after(hours, datetime(2026, 10, 24, 12, tzinfo=UTC))

    assert first == datetime(2026, 10, 25, 0, tzinfo=UTC)
    assert slot_after(hours, first) == datetime(2026, 10, 26, 1, tzinfo=UTC)


def test_quiet_hours_hold_on_the_day_of_a_clock_change():
    hours = Hours(quiet_from=21, quiet_until=8, zone=BERLIN)

    assert next_open(hours, datetime(2026, 3, 28, 22, tzinfo=UTC)) == datetime(2026, 3, 29, 6, tzinfo=UTC)
    assert next_open(hours, datetime(2026, 10, 24, 22, tzinfo=UTC)) == datetime(2026, 10, 25, 7, tzinfo=UTC)
    begins, ends = day_of(hours, datetime(2026, 10, 25, 12, tzinfo=UTC))
    assert ends - begins == timedelta(hours=25)


def test_working_days_leave_out_weekends():
    assert str(due_after(at("2026-03-02T09:00"), 5)) == "2026-03-09"
    assert str(due_after(at("2026-03-07T09:00"), 1)) == "2026-03-09"  # asked on a Saturday: counts as Friday
    assert str(due_after(datetime(2026, 3, 1, 20, tzinfo=UTC), 1)) == "2026-03-03"  # it is Monday here


# ── all choices, all instants ──

hours_of_day = st.integers(0, 23)
any_hours = st.builds(
    Hours, digest=hours_of_day, week_day=st.integers(0, 6), quiet_from=hours_of_day, quiet_until=hours_of_day,
    quiet_weekends=st.booleans(), zone=st.sampled_from([SHANGHAI, BERLIN, ZoneInfo("America/St_Johns")]),
)  # fmt: skip
YEAR = datetime(2026, 1, 1, tzinfo=UTC)
instants = st.integers(0, 365 * 24 * 60).map(lambda minutes: YEAR + timedelta(minutes=minutes))


@given(any_hours, instants)
def test_next_open_is_the_first_full_hour_that_is_not_quiet(hours, now):
    found = next_open(hours, now)

    assert found >= now
    assert not is_quiet(hours, found)
    assert found == now or is_quiet(hours, found - timedelta(seconds=1)) or is_quiet(hours, now)


@given(any_hours, instants, st.booleans())
def test_slot_lies_ahead_and_at_most_a_day_or_a_week_away(hours, now, is_weekly):
    slot = slot_after(hours, now, is_weekly=is_weekly)

    assert now < slot <= now + timedelta(days=7 if is_weekly else 1, hours=2)


told = st.lists(
    st.tuples(st.sampled_from(["never", "once", "daily", "weekly"]), st.integers(0, 12 * 24 * 60)), max_size=40
)


@given(any_hours, st.integers(0, 4), told)
def test_every_notification_ends_in_one_way_as_chosen_never_in_quiet_hours_never_above_the_cap(hours, cap, made):
    """Two weeks and one more, minute by minute where something can happen, as the worker lives them."""
    ways = {n: how for n, (how, _minute) in enumerate(made)}
    queued = {n: START + timedelta(minutes=minute) for n, (_how, minute) in enumerate(made)}
    coming = sorted(queued.items(), key=lambda pair: pair[1])
    fate, letters, digests, over = {}, {}, set(), set()
    now, ends = START, START + timedelta(days=40)
    waiting: list[int] = []
    while now < ends and (coming or waiting):
        while coming and coming[0][1] <= now:
            waiting.append(coming.pop(0)[0])
        day = now.astimezone(hours.zone).date()
        items = [Item(n, "daily" if n in over else ways[n], queued[n]) for n in waiting]
        found = plan(items, hours, now, free=cap - letters.get(day, 0), has_digest=day in digests)
        for name in ("site", "once", "digest"):
            for n in getattr(found, name):
                assert n not in fate
                fate[n] = name
        assert not ((found.once or found.digest or found.over) and is_quiet(hours, now))
        assert not (found.once and found.digest)
        letters[day] = letters.get(day, 0) + bool(found.once)
        if found.digest:
            assert day not in digests
            digests.add(day)
        for n in found.over:
            over.add(n)
            queued[n] = now
        waiting = [n for n in waiting if n not in fate]
        left = [Item(n, "daily" if n in over else ways[n], queued[n]) for n in waiting]
        again = look_again(left, hours, now) if left else ends
        assert not left or again > now
        now = min([again, *(t for _n, t in coming[:1])]) if left or coming else ends
    assert max(letters.values(), default=0) <= cap
    assert set(fate) == set(ways)
    for n, how in ways.items():
        wanted = {"never": {"site"}, "once": {"once", "digest"}, "daily": {"digest"}, "weekly": {"digest"}}[how]
        assert fate[n] in wanted
