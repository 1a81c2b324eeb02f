"""Mutual interest opens its tier to those two sides, and to nobody else, and closes it again."""

import pytest
from django.urls import reverse

from silian.web.base import consents
from silian.web.base.models import Consent, LogEntry, Membership, User
from silian.web.catalog.beside import interests
from silian.web.catalog.models import Expert, Interest, Need
from silian.web.conftest import ROLES

SECRET = "绝不接受的方案"


@pytest.fixture
def need(people) -> Need:
    """A need of the enterprise of the tests, with a column that is open to mutual interest only."""
    need = Need.objects.filter(owner_id__in=people["enterprise"].actor.orgs).order_by("pk")[0]
    Need.objects.filter(pk=need.pk).update(not_wanted=[SECRET], state="published")
    return Need.objects.select_related("place").get(pk=need.pk)


def ask(person, need, **given):
    return person.client.post(reverse("interest_ask", args=["needs", need.pk]), given)


def answer(person, interest, what="agree"):
    return person.client.post(reverse("interest_answer", args=[interest.pk]), {"answer": what})


def sees_secret(person, need) -> bool:
    return SECRET in person.client.get(reverse("detail", args=["needs", need.pk])).content.decode()


def test_interest_opens_the_tier_once_the_owner_agrees_and_closes_it_when_withdrawn(people, need):
    researcher, owner = people["researcher"], people["enterprise"]
    assert not sees_secret(researcher, need)
    ask(researcher, need)
    assert not sees_secret(researcher, need)

    answer(owner, Interest.objects.get())
    assert [role for role in ROLES if sees_secret(people[role], need)] == [
        "enterprise", "researcher", "broker", *(["officer"] if sees_secret(people["officer"], need) else []),
        "administrator",
    ]  # fmt: skip

    researcher.client.post(reverse("interest_withdraw", args=[Interest.objects.get().pk]))
    assert not sees_secret(researcher, need)
    told = LogEntry.objects.filter(noun="needs", record_id=need.pk).values_list("action", flat=True)
    assert {"needs.interest", "needs.agreed", "needs.withdrawn"} <= set(told)


def test_interest_that_is_declined_opens_nothing(people, need):
    ask(people["researcher"], need)

    answer(people["enterprise"], Interest.objects.get(), "decline")

    assert not sees_secret(people["researcher"], need)
    assert Interest.objects.get().state == "declined"


def test_owner_takes_agreement_back(people, need):
    ask(people["researcher"], need)
    answer(people["enterprise"], Interest.objects.get())

    people["enterprise"].client.post(reverse("interest_withdraw", args=[Interest.objects.get().pk]))

    assert not sees_secret(people["researcher"], need)


def test_interest_for_an_organisation_opens_to_its_people(people, need):
    researcher = people["researcher"]
    org = next(iter(researcher.actor.orgs))
    ask(researcher, need, org=org)
    answer(people["enterprise"], Interest.objects.get())
    Membership.objects.create(user=people["judge"].user, org_id=org)

    assert sees_secret(people["judge"], need)
    assert not sees_secret(people["auditor"], need)


def test_interest_cannot_be_told_for_an_organisation_of_others(people, need):
    ask(people["researcher"], need, org=next(iter(people["manager"].actor.orgs - people["researcher"].actor.orgs)))

    assert Interest.objects.get().org_id == ""


def test_interest_opens_the_expert_who_asked_to_the_owner_who_agreed(people, need):
    expert = Expert.objects.select_related("place").get(pk=people["researcher"].actor.expert_id)
    owner = people["enterprise"].actor
    ask(people["researcher"], need)
    assert not interests.is_mutual(owner, expert)

    answer(people["enterprise"], Interest.objects.get())

    assert interests.is_mutual(owner, expert)
    assert not interests.is_mutual(people["judge"].actor, expert)


def test_interest_told_twice_is_one(people, need):
    ask(people["researcher"], need)
    ask(people["researcher"], need)

    assert Interest.objects.count() == 1
    assert LogEntry.objects.filter(action="needs.interest").count() == 1


def test_interest_answered_twice_keeps_the_first_answer(people, need):
    ask(people["researcher"], need)
    answer(people["enterprise"], Interest.objects.get(), "decline")

    answer(people["enterprise"], Interest.objects.get(), "agree")

    assert Interest.objects.get().state == "declined"


@pytest.mark.parametrize("role", ["visitor", "manager", "judge", "auditor", "researcher"])
def test_interest_is_answered_by_its_owner_or_steward_alone(people, need, role):
    ask(people["researcher"], need)

    answered = answer(people[role], Interest.objects.get())

    assert answered.status_code == (302 if role == "visitor" else 404)
    assert Interest.objects.get().state == "asked"


def test_interest_in_ones_own_or_in_a_draft_cannot_be_told(people, need):
    assert ask(people["enterprise"], need).status_code == 404
    Need.objects.filter(pk=need.pk).update(state="draft")
    assert ask(people["researcher"], need).status_code == 404
    assert ask(people["broker"], need).status_code == 404
    assert people["judge"].client.post(reverse("interest_ask", args=["needs", "ghost"])).status_code == 404
    assert people["judge"].client.post(reverse("interest_ask", args=["experts", "E01"])).status_code == 404
    assert not Interest.objects.exists()


def test_interest_list_shows_addresses_only_to_those_who_agreed_and_with_consent(people, need):
    researcher, owner = people["researcher"], people["enterprise"]
    ask(researcher, need)
    page = owner.client.get(reverse("interests"))
    assert researcher.user.name in page.content.decode()
    answer(owner, Interest.objects.get())
    assert researcher.user.email not in owner.client.get(reverse("interests")).content.decode()

    consents.give(researcher.actor, researcher.user, Consent.Purpose.CONTACT)
    assert researcher.user.email in owner.client.get(reverse("interests")).content.decode()
    assert researcher.user.email not in people["judge"].client.get(reverse("interests")).content.decode()

    consents.take_back(researcher.actor, researcher.user, Consent.Purpose.CONTACT)
    assert researcher.user.email not in owner.client.get(reverse("interests")).content.decode()


def test_interest_list_costs_the_same_with_many(people, need, django_assert_max_num_queries):
    users = [User.objects.create_user(f"u{i}@x.invalid", name=f"U{i}") for i in range(40)]
    Interest.objects.bulk_create(
        Interest(noun="needs", record_id=need.pk, owner_id=need.owner_id, by=user, pseudonym="x") for user in users
    )
    people["enterprise"].client.get(reverse("interests"))

    with django_assert_max_num_queries(16):
        people["enterprise"].client.get(reverse("interests"))
