"""The life of a record: drafts are for their owner, time ends what nobody confirms, stewards withdraw with a reason."""

from datetime import date, timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from silian.web.catalog.history.provenance import origin
from silian.web.catalog.models import Change, Facility, Need, Organisation
from silian.web.catalog.records.publishing import HALF_YEAR, expire
from silian.web.catalog.tests.test_entry import typed

TODAY = timezone.localdate()


def own_need(people, **values):
    need = Need.objects.filter(owner_id__in=people["enterprise"].actor.orgs).order_by("pk")[0]
    Need.objects.filter(pk=need.pk).update(**{"deadline_on": None, **values})
    return Need.objects.get(pk=need.pk)


def test_a_draft_may_lack_what_is_required_and_is_seen_by_its_owner_alone(people):
    client = people["enterprise"].client
    made = client.post("/needs/new/", typed(client, "/needs/new/") | {"title": "草稿"}).url

    assert Need.objects.get(pk=made.split("/")[2]).state == "draft"
    assert client.get(made).status_code == 200
    assert Client().get(made).status_code == 404
    assert people["researcher"].client.get(made).status_code == 404


def test_publish_tells_what_is_missing_and_publishes_when_it_is_there(people):
    client = people["enterprise"].client
    made = client.post("/needs/new/", typed(client, "/needs/new/") | {"title": "草稿"}).url

    told = client.post(f"{made}publish/", follow=True)
    assert "请先填好：需求类型" in told.content.decode()
    Need.objects.filter(pk=made.split("/")[2]).update(kind="technology")
    client.post(f"{made}publish/")

    assert Need.objects.get(pk=made.split("/")[2]).state == "published"
    assert Client().get(made).status_code == 200


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({"deadline_on": TODAY - timedelta(days=1), "confirmed_on": TODAY}, "expired"),
        ({"deadline_on": TODAY, "confirmed_on": TODAY}, "published"),
        ({"confirmed_on": TODAY - HALF_YEAR - timedelta(days=1)}, "expired"),
        ({"confirmed_on": TODAY - HALF_YEAR}, "published"),
        ({"confirmed_on": None, "created_at": timezone.now() - HALF_YEAR - timedelta(days=2)}, "expired"),
        ({"confirmed_on": date(2020, 1, 1), "state": "draft"}, "draft"),
    ],
)
def test_expire_ends_what_is_past_its_day_or_not_confirmed(people, values, state):
    need = own_need(people, **values)

    call_command("expire")

    assert Need.objects.get(pk=need.pk).state == state


def test_expire_twice_changes_nothing_the_second_time(people):
    own_need(people, confirmed_on=date(2020, 1, 1))

    assert expire(TODAY) > 0
    changes = Change.objects.count()
    assert expire(TODAY) == 0
    assert Change.objects.count() == changes


def test_one_click_renews_what_was_only_not_confirmed(people):
    need = own_need(people, state="expired", confirmed_on=date(2020, 1, 1))

    people["enterprise"].client.post(f"/needs/{need.pk}/confirm/")

    now = Need.objects.get(pk=need.pk)
    assert (now.state, now.confirmed_on) == ("published", TODAY)


def test_what_is_past_its_last_day_needs_a_new_day_first(people):
    need = own_need(people, state="expired", deadline_on=TODAY - timedelta(days=3))

    answer = people["enterprise"].client.post(f"/needs/{need.pk}/confirm/")

    assert answer.url == f"/needs/{need.pk}/edit/"
    assert Need.objects.get(pk=need.pk).state == "expired"


def test_waiting_lists_what_one_keeps_and_confirms_many_at_once(people, django_assert_max_num_queries):
    need = own_need(people, confirmed_on=TODAY - HALF_YEAR + timedelta(days=10))
    other = Need.objects.exclude(owner_id__in=people["enterprise"].actor.orgs)[0]
    Need.objects.filter(pk=other.pk).update(confirmed_on=date(2020, 1, 1))
    client = people["enterprise"].client

    with django_assert_max_num_queries(15):
        page = client.get("/confirm/").content.decode()
    client.post("/confirm/", {"record": [f"needs/{need.pk}", f"needs/{other.pk}", "users/1", "needs/无\0"]})

    assert f"needs/{need.pk}" in page
    assert f"needs/{other.pk}" not in page
    assert Need.objects.get(pk=need.pk).confirmed_on == TODAY
    assert Need.objects.get(pk=other.pk).confirmed_on == date(2020, 1, 1)


def test_a_steward_withdraws_with_a_reason_that_the_owner_reads(people):
    need = own_need(people)
    broker, owner = people["broker"].client, people["enterprise"].client

    broker.post(f"/needs/{need.pk}/withdraw/", {"reason": ""})
    assert Need.objects.get(pk=need.pk).state == "published"
    broker.post(f"/needs/{need.pk}/withdraw/", {"reason": "联系方式有误"})

    assert Client().get(f"/needs/{need.pk}/").status_code == 404
    assert "联系方式有误" in owner.get(f"/needs/{need.pk}/").content.decode()
    assert owner.post(f"/needs/{need.pk}/publish/").status_code == 403
    broker.post(f"/needs/{need.pk}/publish/")
    assert Need.objects.get(pk=need.pk).reason == ""


@pytest.mark.parametrize("action", ["publish", "withdraw", "confirm", "verify"])
def test_states_are_not_for_strangers_nor_for_a_get(people, action):
    need = own_need(people)
    address = f"/needs/{need.pk}/{action}/"

    assert people["judge"].client.post(address, {"version": need.version}).status_code == 403
    assert Client().post(address).status_code == 302
    assert people["broker"].client.get(address).status_code == 405
    assert not Change.objects.exists()


def test_a_verified_value_says_so_until_it_changes(people):
    facility = Facility.objects.order_by("pk")[0]
    client, address = people["administrator"].client, f"/facilities/{facility.pk}/"

    client.post(f"{address}verify/", {"version": facility.version, "column": "kind"})
    verified = origin(Facility.objects.get(pk=facility.pk), "kind")
    sent = typed(client, f"{address}edit/")
    other = next(k for k in ("laboratory", "pilot", "instrument") if k != facility.kind)
    client.post(f"{address}edit/", sent | {"kind": other})

    now = Facility.objects.get(pk=facility.pk)
    assert (verified.verified_as, verified.verified_on) == ("系统管理员", TODAY.isoformat())
    assert now.sources["kind"] == {"source": "steward", "on": TODAY.isoformat()}
    assert "verified_on" not in now.sources.get("name", {})


def test_verify_refuses_what_has_changed_since_it_was_looked_at(people):
    org = Organisation.objects.order_by("pk")[0]

    people["broker"].client.post(f"/organisations/{org.pk}/verify/", {"version": org.version + 1})

    assert Organisation.objects.get(pk=org.pk).sources == {}
