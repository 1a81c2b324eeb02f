"""Interests follow a merge and come back; nothing opens that its owner did not agree to; one expert is one person."""

import pytest
from django.urls import reverse

from silian.errors import WebError
from silian.web.base.models import User
from silian.web.catalog.beside import interests
from silian.web.catalog.changing import undo
from silian.web.catalog.duplicates import merging
from silian.web.catalog.models import Expert, Interest, Need, Organisation


def interest(need, person, state="agreed", **more) -> Interest:
    made = {"owner_id": need.owner_id, "by": person.user, "pseudonym": "x", "state": state}
    return Interest.objects.create(noun="needs", record_id=need.pk, **made | more)


def all_of() -> list[tuple]:
    names = ("pk", "noun", "record_id", "owner_id", "org_id", "expert_id", "state")
    return sorted(Interest.objects.values_list(*names))


def merged(people, kept, gone):
    kept, gone = type(kept).objects.get(pk=kept.pk), type(gone).objects.get(pk=gone.pk)
    seal = merging.plan(kept, gone).seal
    return merging.merge(people["administrator"].actor, kept.noun, kept.pk, gone.pk, chosen={}, seal=seal)


@pytest.fixture
def pair(people) -> tuple[Need, Need]:
    """Two needs of one owner."""
    kept, gone = Need.objects.order_by("pk")[:2]
    Need.objects.filter(pk=gone.pk).update(org_id=kept.org_id, owner_id=kept.owner_id, place_id=kept.place_id)
    return kept, Need.objects.get(pk=gone.pk)


def test_interest_in_the_record_that_goes_opens_the_one_that_stays_until_the_merge_is_undone(people, pair):
    kept, gone = pair
    actor = people["researcher"].actor
    interest(gone, people["researcher"])
    before = all_of()

    made = merged(people, kept, gone)

    assert interests.opened(actor) == {("needs", kept.pk)}
    undo(people["administrator"].actor, made.changes)
    assert all_of() == before
    assert interests.opened(actor) == {("needs", gone.pk)}


@pytest.mark.parametrize(("on_kept", "on_gone"), [("asked", "agreed"), ("agreed", "asked"), ("agreed", "agreed")])
def test_interest_in_both_records_is_one_and_the_agreed_one_stays(people, pair, on_kept, on_gone):
    kept, gone = pair
    interest(kept, people["researcher"], on_kept)
    interest(gone, people["researcher"], on_gone)
    interest(gone, people["judge"], "declined")
    before = all_of()

    made = merged(people, kept, gone)

    of_person = Interest.objects.filter(by=people["researcher"].user, record_id=kept.pk).values_list("state", flat=True)
    assert sorted(of_person) == ["agreed", "joined"]
    assert Interest.objects.get(by=people["judge"].user).state == "declined"
    undo(people["administrator"].actor, made.changes)
    assert all_of() == before


def test_interest_withdrawn_after_the_merge_stays_withdrawn_when_it_is_undone(people, pair):
    kept, gone = pair
    asked = interest(gone, people["researcher"])
    made = merged(people, kept, gone)
    interests.withdraw(people["researcher"].actor, asked)

    undo(people["administrator"].actor, made.changes)

    asked.refresh_from_db()
    assert (asked.record_id, asked.state) == (gone.pk, "withdrawn")


def test_agreement_of_one_owner_opens_nothing_of_another(people):
    gone = Need.objects.order_by("pk")[0]
    kept = Need.objects.exclude(owner_id=gone.owner_id).order_by("pk")[0]
    asked = interest(gone, people["researcher"])
    before = all_of()

    made = merged(people, kept, gone)

    asked.refresh_from_db()
    owner = Need.objects.get(pk=kept.pk).owner_id
    assert (asked.record_id, asked.owner_id, asked.state) == (kept.pk, owner, "asked")
    assert interests.opened(people["researcher"].actor) == frozenset()
    Interest.objects.update(state="agreed")  # by the new owner, for the record that stays
    undo(people["administrator"].actor, made.changes)
    assert all_of() == before


def test_an_answer_of_the_new_owner_does_not_open_the_record_of_the_old_one(people):
    gone = Need.objects.order_by("pk")[0]
    kept = Need.objects.exclude(owner_id=gone.owner_id).order_by("pk")[0]
    asked = interest(gone, people["researcher"], "asked")
    made = merged(people, kept, gone)
    Interest.objects.update(state="agreed")

    undo(people["administrator"].actor, made.changes)

    asked.refresh_from_db()
    assert (asked.record_id, asked.owner_id, asked.state) == (gone.pk, gone.owner_id, "asked")


@pytest.mark.parametrize("column", ["org_id", "owner_id", "expert_id"])
def test_interest_of_an_organisation_and_of_an_expert_follows_their_merges(people, pair, column):
    need, _ = pair
    researcher = people["researcher"]
    expert = Expert.objects.get(pk=researcher.user.expert_id)
    interest(need, researcher, org_id=expert.org_id, expert_id=expert.pk)
    gone = {
        "org_id": Organisation(pk=expert.org_id), "owner_id": Organisation(pk=need.owner_id), "expert_id": expert
    }[column]  # fmt: skip
    kept = type(gone).objects.exclude(pk__in=[gone.pk, need.owner_id, expert.org_id]).order_by("pk")[0]
    before = all_of()

    made = merged(people, kept, gone)

    assert getattr(Interest.objects.get(), column) == kept.pk
    assert Interest.objects.get().state == "agreed"
    undo(people["administrator"].actor, made.changes)
    assert all_of() == before


def test_experts_who_are_two_accounts_are_not_merged(people):
    broker, user = people["broker"], people["researcher"].user
    kept = Expert.objects.get(pk=user.expert_id)
    gone = Expert.objects.exclude(pk=kept.pk).order_by("pk")[0]
    User.objects.filter(pk=people["judge"].user.pk).update(expert_id=gone.pk)
    address, asked = reverse("merge", args=["experts"]), {"kept": kept.pk, "gone": gone.pk}

    page = broker.client.get(address, asked)
    refused = broker.client.post(address, asked | {"seal": page.context["plan"].seal})

    assert "解除认领" in page.content.decode()
    assert refused.status_code == 409
    assert Expert.objects.filter(pk__in=(kept.pk, gone.pk)).count() == 2
    with pytest.raises(WebError, match=r"web\.merge_claimed"):
        merged(people, kept, gone)
    people["judge"].client.post(reverse("claim_release"))
    seal = broker.client.get(address, asked).context["plan"].seal
    assert broker.client.post(address, asked | {"seal": seal}).status_code == 302
