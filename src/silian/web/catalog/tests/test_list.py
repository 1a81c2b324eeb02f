"""Lists: what is asked for, counted, put in order, and not told to those who may not see it."""

import re

import pytest

from silian.web.catalog.changing import Edit, change
from silian.web.catalog.models import Facility, Need, Organisation
from silian.web.catalog.records.queries import FACES, Asked, asked_of, found_by, listed
from silian.web.conftest import ROLES


def rows(page):
    return re.findall(r'<th scope="row"><a href="/[a-z]+/([^/"]+)/"', page.content.decode())


def test_every_list_answers_every_role(people, django_assert_max_num_queries):
    for role in ROLES:
        for noun in FACES:
            with django_assert_max_num_queries(15):
                assert people[role].client.get(f"/{noun}/").status_code == 200


def test_the_number_of_queries_does_not_grow_with_the_rows(people, registry, django_assert_num_queries):
    face, actor = FACES["needs"], people["broker"].actor
    need = Need.objects.order_by("pk")[0]

    def asked():
        return listed(actor, face, Asked(), "zh")

    few = Need.objects.count()
    with django_assert_num_queries(3):  # and what is over behind what is current
        assert len(asked().rows) == few
    copies = [{"title": f"需求{n}", "kind": need.kind, "need_id": f"X{n}"} for n in range(500)]
    change(actor, "needs", [Edit(row["need_id"], row) for row in copies])
    with django_assert_num_queries(2):
        assert len(asked().rows) == 25


@pytest.mark.parametrize("role", ["visitor", "enterprise", "manager", "officer", "administrator"])
def test_counts_and_filters_of_the_index_agree_with_the_rows_of_the_database(people, role):
    actor = people[role].actor
    for noun, face in FACES.items():
        everything = listed(actor, face, Asked(), "zh")
        assert everything.count == found_by(actor, face, Asked()).count()
        for column, choices in everything.facets:
            for choice in choices[:3]:
                asked = Asked({column.name if column else "state": choice.value})
                assert choice.count == found_by(actor, face, asked).count(), (noun, choice)
                assert listed(actor, face, asked, "zh").count == choice.count


def test_cells_that_are_not_for_everybody_are_blank_for_those_who_may_not_see_them(people):
    facility = Facility.objects.exclude(fee_cny=None).order_by("pk")[0]
    Facility.objects.filter(pk=facility.pk).update(tiers={"fee_cny": "broker"}, fee_cny=777)

    pages = {role: people[role].client.get("/facilities/").content.decode() for role in ROLES}

    assert {role for role in ROLES if ">777<" in pages[role]} >= {"broker", "administrator"}
    assert not {role for role in ("visitor", "judge", "auditor") if ">777<" in pages[role]}


def test_the_name_of_an_organisation_that_may_not_be_seen_stands_in_no_list(people):
    need = Need.objects.exclude(org=None).order_by("pk")[0]
    Organisation.objects.filter(pk=need.org_id).update(state="withdrawn", name="隐名股份公司")

    assert "隐名股份公司" not in people["visitor"].client.get("/needs/").content.decode()
    assert "隐名股份公司" in people["broker"].client.get("/needs/").content.decode()


def test_words_sort_and_filter_give_the_same_records_as_their_address_says(people):
    client = people["visitor"].client

    newest = rows(client.get("/works/"))
    by_year = rows(client.get("/works/?sort=-year"))
    chosen = client.get("/works/?kind=paper&sort=year&q=电池")

    assert set(newest) != set(by_year)
    years = {w.pk: w.year for w in found_by(people["visitor"].actor, FACES["works"], Asked())}
    assert [years[i] for i in by_year] == sorted((years[i] for i in by_year), reverse=True)
    asked = asked_of(FACES["works"], {"kind": "paper", "q": "电池"})
    assert set(rows(chosen)) == set(
        found_by(people["visitor"].actor, FACES["works"], asked).values_list("pk", flat=True)
    )
    assert "去掉这个条件" in chosen.content.decode()


@pytest.mark.parametrize(
    "query",
    [
        "page=0", "page=-1", "page=999999999999", "page=²", "sort=budget_cny", "sort=-password", "state=nothing",
        "field=%00", "q=%00", "q=" + "x" * 5000, "q=😀𠮷", "q=%22)%20OR%201=1", "field='; drop table needs", "q=*.%5B",
        "owner_id=O1", "district_id=" + "D" * 3000,
    ],
)  # fmt: skip
def test_a_list_answers_whatever_its_address_holds(people, query):
    assert people["visitor"].client.get(f"/needs/?{query}").status_code == 200


def test_the_state_is_a_filter_for_those_who_see_more_than_one(people):
    need = Need.objects.order_by("pk")[0]
    Need.objects.filter(pk=need.pk).update(state="draft")

    mine = people["broker"].client.get("/needs/?state=draft")

    assert rows(mine) == [need.pk]
    assert "草稿" in mine.content.decode()
    assert rows(people["visitor"].client.get("/needs/?state=draft")) == []


@pytest.mark.parametrize("role", ["broker", "administrator", "enterprise"])
def test_what_is_over_stands_behind_all_that_is_current_and_every_record_stands_once(people, role):
    need = Need.objects.filter(owner_id__in=people["enterprise"].actor.orgs).order_by("pk")[0]
    copies = [{"title": f"需求{n}", "kind": need.kind, "need_id": f"X{n:02}", "org_id": need.org_id} for n in range(70)]
    change(people["broker"].actor, "needs", [Edit(row["need_id"], row) for row in copies])
    over = {f"X{n:02}": ("expired", "withdrawn")[n % 2] for n in range(12, 52)}
    change(people["broker"].actor, "needs", [Edit(pk, {"state": state}) for pk, state in over.items()])

    actor, face = people[role].actor, FACES["needs"]
    walked = [r.pk for n in range(1, 6) for r in listed(actor, face, Asked(after=n), "zh").records]

    assert sorted(walked) == sorted(found_by(actor, face, Asked()).values_list("pk", flat=True))
    assert set(walked[-len(over) :]) == set(over)
    assert set(rows(people[role].client.get("/needs/?state=expired"))) <= {pk for pk in over if over[pk] == "expired"}
    assert "已过期" in people[role].client.get("/needs/?page=3").content.decode()
