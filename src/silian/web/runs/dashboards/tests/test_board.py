"""The leader's page: whose it is, that every number opens exactly its list, what it costs, what it never tells."""

from __future__ import annotations

import csv
import io
import re

import pytest

from silian.web.base.models import LogEntry, Place, Post
from silian.web.catalog.changing import Edit, change
from silian.web.catalog.models import Need
from silian.web.conftest import ROLES
from silian.web.runs.dashboards import freezing
from silian.web.runs.dashboards.lists import listed
from silian.web.runs.dashboards.measures import measures
from silian.web.runs.dashboards.reading import desk_of, figures_of
from silian.web.runs.models import Snapshot


@pytest.fixture
def live(run):
    return freezing.renew()


def test_who_reads_figures_is_a_leader_officer_or_administrator(people, live):
    answers = {role: people[role].client.get("/dashboard/").status_code for role in ROLES}

    assert {role for role, status in answers.items() if status == 200} == {"leader", "officer", "administrator"}
    assert answers["visitor"] == 302
    assert answers["enterprise"] == answers["broker"] == answers["auditor"] == 403


def test_an_officer_reads_the_own_place_and_no_other(people, live):
    own = Post.objects.get(user=people["officer"].user).place
    other = Place.objects.filter(level="county").exclude(pk=own.pk).first()

    assert f"：{own}</h1>" in people["officer"].client.get("/dashboard/").content.decode()
    assert people["officer"].client.get(f"/dashboard/?place={other.pk}").status_code == 404
    assert people["officer"].client.get(f"/dashboard/list/needs/?place={Place.ROOT}").status_code == 404


def test_nothing_yet_says_what_will_stand_there(people, registry, folders):
    page = people["leader"].client.get("/dashboard/").content.decode()

    assert "还没有数字" in page
    assert people["leader"].client.get("/dashboard/list/needs/").status_code == 404


def test_every_number_opens_exactly_its_list(people, live):
    for place in Place.objects.all():
        desk = desk_of(people["administrator"].actor, {"place": place.pk})
        for code, told in figures_of(live, place.pk).items():
            found = listed(desk, code, {})
            if measures()[code].how == "count" and told.value is not None:
                assert found.all == told.value, (place.pk, code)
            assert found.unseen == 0 or measures()[code].noun == "products"


def test_the_list_of_a_number_is_there_page_by_page_and_as_a_file(people, live):
    client = people["leader"].client
    told = figures_of(live, Place.ROOT)["achievements"].value
    names = [
        name for n in range(1, 4)
        for name in re.findall(r'<th scope="row"><a href="/achievements/([^/]+)/"',
                               client.get(f"/dashboard/list/achievements/?page={n}").content.decode())
    ]  # fmt: skip
    rows = list(csv.reader(io.StringIO(client.get("/dashboard/list/achievements.csv").content.decode("utf-8-sig"))))

    assert len(rows) - 1 == told
    assert {row[0] for row in rows[1:]} == set(names)


def test_a_list_is_put_in_order_and_searched(people, live):
    desk = desk_of(people["leader"].actor, {})
    amounts = [row.amount for row in listed(desk, "funds_amount", {"sort": "-amount"}).rows]
    one = listed(desk, "needs", {}).rows[0]

    assert amounts == sorted(amounts, reverse=True)
    assert one.id in [row.id for row in listed(desk, "needs", {"q": one.name[:6]}).rows]
    assert listed(desk, "needs", {"q": "不会有的词"}).rows == []
    for wild in ({"page": "0"}, {"page": "٣"}, {"page": "9" * 30}, {"sort": "pk;--"}, {"q": "x" * 9999 + "\0"}):
        assert people["leader"].client.get("/dashboard/list/needs/", wild).status_code == 200


def test_what_a_leader_may_no_longer_see_is_counted_and_not_named(people, live):
    need = Need.objects.get(pk=listed(desk_of(people["leader"].actor, {}), "needs", {}).rows[0].id)
    title = need.title
    Need.objects.filter(pk=need.pk).update(state="withdrawn")

    answer = people["leader"].client.get("/dashboard/list/needs/").content.decode()
    steward = people["administrator"].client.get("/dashboard/list/needs/").content.decode()

    assert title not in answer
    assert "其中 1 条您不能查看" in answer
    assert title in steward


def test_a_leader_edits_nothing_and_sees_no_closed_tier(people, registry, live):
    leader, need = people["leader"], Need.objects.exclude(budget_cny=None).order_by("pk")[0]
    Need.objects.filter(pk=need.pk).update(budget_cny=98765431)

    assert leader.client.get(f"/needs/{need.pk}/edit/").status_code in (403, 404)
    assert "98,765,431" not in leader.client.get(f"/needs/{need.pk}/").content.decode()
    assert leader.client.post("/dashboard/freeze/", {"place": Place.ROOT, "month": "2026-01"}).status_code == 404


def test_the_page_costs_the_same_whatever_the_number_of_rows(people, live, django_assert_max_num_queries):
    client = people["leader"].client
    client.get("/dashboard/")
    need = Need.objects.order_by("pk")[0]
    rows = [{"title": f"需求{n}", "kind": need.kind, "need_id": f"X{n}"} for n in range(300)]
    change(people["broker"].actor, "needs", [Edit(row["need_id"], row) for row in rows])
    freezing.renew()

    with django_assert_max_num_queries(10):
        assert client.get("/dashboard/").status_code == 200
    with django_assert_max_num_queries(11):
        assert client.get("/dashboard/list/funnel_needs/").status_code == 200


def test_reading_changes_and_computes_nothing_and_opening_a_list_is_logged(people, live):
    before = Snapshot.objects.values_list("digest", flat=True)[::1]
    people["leader"].client.get("/dashboard/")
    people["leader"].client.get("/dashboard/list/needs/")

    assert Snapshot.objects.values_list("digest", flat=True)[::1] == before
    entry = LogEntry.objects.filter(action="figures.list").get()
    assert entry.detail == {"measure": "needs", "place": Place.ROOT, "month": ""}


def test_an_officer_asks_for_a_month_to_be_frozen_once(people, live):
    officer = people["administrator"].client
    given = {"place": Place.ROOT, "month": "2026-02", "version": "1", "reason": "季度会议"}
    for _double in range(2):
        assert officer.post("/dashboard/freeze/", given).status_code == 302
    for wrong in ({"month": "2999-01"}, {"reason": ""}, {"reason": "x" * 201}, {"version": "7"}, {"month": "2026-1"}):
        officer.post("/dashboard/freeze/", given | wrong)

    asked = LogEntry.objects.filter(action="figures.freeze")
    assert {e.detail["version"] for e in asked} == {1}
    assert {e.detail["month"] for e in asked} == {"2026-02"}


def test_a_month_is_compared_with_the_month_before_and_the_year_before(people, run):
    freezing.catch_up(is_demo=True)
    months = sorted(Snapshot.objects.values_list("month", flat=True))
    desk = desk_of(people["leader"].actor, {"month": months[-1]})
    page = people["leader"].client.get(f"/dashboard/?month={months[-1]}").content.decode()

    assert (desk.before.month, desk.year_before.month) == (months[-2], months[0])
    assert "比上月" in page or "与上月持平" in page
    assert people["leader"].client.get("/dashboard/?month=1999-01").status_code == 404


def test_a_leader_comes_to_the_page_after_sign_in(people, live, client):
    user = people["leader"].user
    user.set_password("slow river under nine bridges")
    user.save()
    given = {"login": user.email, "password": "slow river under nine bridges"}

    assert client.post("/account/login/", given).headers["Location"] == "/dashboard/"
