"""Who is told of what happens in the registry, and what waits for whom."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from silian.web.base.models import Membership, Notification, Post, User
from silian.web.base.notifications import todo
from silian.web.catalog import notifying
from silian.web.catalog.beside import booking, claims, interests
from silian.web.catalog.duplicates import merging
from silian.web.catalog.history.provenance import verify
from silian.web.catalog.models import Expert, Facility, Import, Need
from silian.web.catalog.records import publishing
from silian.web.catalog.tasks import ask, import_task


def told(person, code=None):
    found = Notification.objects.filter(user=person.user)
    return sorted(
        found.filter(kind=code).values_list("key", flat=True) if code else found.values_list("kind", flat=True)
    )


@pytest.fixture
def need(people):
    """A published need of the enterprise."""
    org_id = min(people["enterprise"].actor.orgs)
    found = Need.objects.filter(owner_id=org_id).select_related("place").order_by("pk")[0]
    Need.objects.filter(pk=found.pk).update(state="published")
    return Need.objects.select_related("place").get(pk=found.pk)


def waiting(person, code):
    return [item for _source, item in todo.items_of(person.actor, code)]


def test_an_interest_is_told_to_the_keeper_and_its_answer_to_who_asked(people, need):
    asked = interests.ask(people["researcher"].actor, need)
    interests.ask(people["researcher"].actor, need)

    assert told(people["enterprise"]) == ["interests.received"]
    assert told(people["researcher"]) == []
    (item,) = waiting(people["enterprise"], "interests")
    assert str(need) in item.name
    interests.answer(people["enterprise"].actor, asked, agrees=True)
    interests.answer(people["enterprise"].actor, asked, agrees=True)
    assert told(people["researcher"]) == ["interests.answered"]
    assert waiting(people["enterprise"], "interests") == []


def test_an_interest_that_is_withdrawn_is_told_to_the_other_side(people, need):
    asked = interests.ask(people["researcher"].actor, need)
    interests.withdraw(people["researcher"].actor, asked)

    assert told(people["enterprise"]) == ["interests.answered", "interests.received"]
    assert told(people["researcher"]) == []


def test_an_interest_in_what_nobody_keeps_is_told_to_the_nearest_steward_alone(people, need):
    Membership.objects.filter(org_id=need.owner_id).delete()
    county = need.place
    Post.objects.create(user=people["judge"].user, role="broker", place=county)

    interests.ask(people["researcher"].actor, need)

    assert told(people["judge"]) == ["interests.received"]
    assert told(people["administrator"]) == []


def test_a_booking_is_told_to_who_runs_the_facility_and_its_answer_to_who_asked(people):
    keeper = people["manager"]
    facility = Facility.objects.select_related("place").order_by("pk")[0]
    Facility.objects.filter(pk=facility.pk).update(owner_id=min(keeper.actor.orgs), state="published", is_open=True)
    facility = Facility.objects.select_related("place").get(pk=facility.pk)
    begins = booking.instant(timezone.localdate() + timedelta(days=7), None)
    asked = booking.ask(
        people["enterprise"].actor, facility, from_at=begins, until_at=begins + timedelta(hours=1), purpose="x"
    )

    assert told(keeper) == ["bookings.asked"]
    assert len(waiting(keeper, "bookings")) == 1
    booking.confirm(keeper.actor, asked)
    assert told(people["enterprise"]) == ["bookings.answered"]
    booking.cancel(people["enterprise"].actor, asked, note="")
    assert told(keeper) == ["bookings.answered", "bookings.asked"]
    assert waiting(keeper, "bookings") == []


def test_a_claim_is_told_to_who_decides_and_the_decision_to_who_claims(people):
    manager = people["manager"]
    expert = Expert.objects.filter(owner_id__in=manager.actor.orgs, state="published").order_by("-pk")[0]
    User.objects.filter(expert_id=expert.pk).update(expert_id="")
    claim = claims.ask(people["judge"].actor, expert, note="")

    assert told(manager) == ["claims.asked"]
    assert len(waiting(manager, "claims")) == 1
    claims.refuse(manager.actor, claim, reason="x")
    assert told(people["judge"]) == ["claims.decided"]
    assert waiting(manager, "claims") == []


def test_what_a_steward_does_with_a_record_is_told_to_its_keepers(people, need):
    verify(people["broker"].actor, need, ["title"])
    need.refresh_from_db()
    publishing.withdraw(people["broker"].actor, need, "理由")

    assert told(people["enterprise"]) == ["records.verified", "records.withdrawn"]
    assert told(people["broker"]) == []


def test_a_merge_is_told_to_the_keepers_of_both(people, need):
    other = Need.objects.exclude(owner_id=need.owner_id).select_related("place").order_by("pk")[0]
    plan = merging.plan(other, need)
    merging.merge(people["broker"].actor, "needs", other.pk, need.pk, chosen={}, seal=plan.seal)

    assert told(people["enterprise"]) == ["records.merged"]


def test_many_that_expire_on_a_day_are_one_notification_a_person(people, need):
    own = Need.objects.filter(owner_id=need.owner_id)
    base = {"owner_id": need.owner_id, "place": need.place, "org_id": need.org_id, "state": "published"}
    base["deadline_on"] = timezone.localdate() - timedelta(days=1)
    Need.objects.bulk_create(Need(need_id=f"X{n}", title=f"甲{n}", **base) for n in range(600))

    publishing.expire(timezone.localdate())

    assert own.filter(state="expired").count() >= 600
    assert told(people["enterprise"], "records.expired") == [timezone.localdate().isoformat()]


def test_records_that_wait_for_a_confirmation_are_told_once_a_week_with_their_number(people, need):
    old = timezone.localdate() - publishing.HALF_YEAR + timedelta(days=10)
    Need.objects.filter(owner_id=need.owner_id).update(confirmed_on=None, created_at=timezone.now())
    Need.objects.filter(pk=need.pk).update(confirmed_on=old)

    publishing.tell_due(timezone.localdate())
    publishing.tell_due(timezone.localdate())

    (row,) = Notification.objects.filter(user=people["enterprise"].user, kind="records.due")
    assert row.facts == {"count": len(waiting(people["enterprise"], "confirm"))}
    item = next(item for item in waiting(people["enterprise"], "confirm") if item.name == str(need))
    assert item.due == old + publishing.HALF_YEAR


def test_an_import_of_many_rows_is_one_notification_to_who_brought_it(people):
    person = people["broker"]
    made = Import(by=person.user, name="achievements.csv")
    rows = "".join(f"A-{n},甲{n}\n" for n in range(1500))
    made.file.save("file.csv", ContentFile(f"achievement_id,title\n{rows}".encode()))
    ask(made, Import.State.READING)
    import_task.call(made.pk)

    assert list(Notification.objects.values_list("user_id", "kind")) == [(person.user.pk, "imports.ready")]
    assert [item.name for item in waiting(person, "imports")] == ["achievements.csv"]
    ask(Import.objects.get(pk=made.pk), Import.State.APPLYING)
    import_task.call(made.pk)
    assert told(person) == ["imports.done", "imports.ready"]
    assert Notification.objects.count() == 2


def test_an_import_that_cannot_be_read_says_so(people):
    made = Import(by=people["broker"].user, name="x.csv")
    made.file.save("file.csv", ContentFile(b"\xff\xfe\x00nothing"))
    ask(made, Import.State.READING)
    import_task.call(made.pk)

    assert told(people["broker"]) == ["imports.failed"]


def test_stewards_of_a_place_are_the_nearest(people, need):
    assert notifying.stewards("/nowhere/") == set()
    whole = notifying.stewards("/region/", roles=["broker"])
    assert people["broker"].user.pk in whole or not whole


@pytest.mark.parametrize("role", ["enterprise", "researcher", "manager", "broker", "officer", "judge", "auditor"])
def test_number_of_each_source_is_that_of_its_lines(people, need, role):
    interests.ask(people["broker"].actor, need)
    for source, number in todo.counted(people[role].actor):
        lines = source.items(people[role].actor)
        assert number == sum(line.things for line in lines), source.code
