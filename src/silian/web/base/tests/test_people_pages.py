"""Pages about people: who gets them, what they change, what they cost."""

import pytest
from django.urls import reverse

from silian.errors import WebError
from silian.web.base import organisations
from silian.web.base import people as domain
from silian.web.base.actors import actor_of
from silian.web.base.models import LogEntry, Membership, Place, Post, User
from silian.web.conftest import ROLES


@pytest.fixture
def org(people):
    return next(iter(people["manager"].actor.led))


@pytest.fixture
def county(people):
    return people["officer"].user.posts.get().place


def member(org: str, role: str = "member", number: int = 1) -> Membership:
    user = User.objects.create_user(f"m{number}@example.org", name=f"成员{number}")
    return Membership.objects.create(user=user, org_id=org, role=role)


def broker(place: Place, number: int = 1) -> Post:
    user = User.objects.create_user(f"b{number}@example.org", name=f"经理人{number}")
    return Post.objects.create(user=user, role="broker", place=place)


@pytest.mark.parametrize("role", ROLES)
def test_pages_open_for_those_whom_they_concern(people, role, org):
    posts, members = (
        people[role].client.get(u).status_code for u in (reverse("posts"), reverse("members", args=[org]))
    )

    closed = 302 if role == "visitor" else 404
    assert posts == (200 if role in ("officer", "administrator") else closed)
    officer_there = people["officer"].actor.holds("officer", over=organisations.named([org])[org].path)
    leads = role in ("manager", "administrator") or (role == "officer" and officer_there)
    assert members == (200 if leads else closed)


def test_administrator_of_another_organisation_gets_no_page(people, org):
    other = Membership.objects.exclude(org_id=org).first().org_id
    changed = member(other)

    client = people["manager"].client
    assert client.get(reverse("members", args=[other])).status_code == 404
    assert client.post(reverse("member_change", args=[changed.pk]), {"role": "none"}).status_code == 404
    assert Membership.objects.filter(pk=changed.pk).exists()


def test_member_becomes_administrator_and_back(people, org):
    changed = member(org)

    for role in ("administrator", "member"):
        people["manager"].client.post(reverse("member_change", args=[changed.pk]), {"role": role})
        changed.refresh_from_db()
        assert changed.role == role


def test_last_administrator_stays(people, org):
    own = people["manager"].user.memberships.get()

    for role in ("none", "member"):
        answer = people["manager"].client.post(reverse("member_change", args=[own.pk]), {"role": role}, follow=True)
        assert "最后一位管理员" in answer.content.decode()
    own.refresh_from_db()
    assert own.role == "administrator"
    with pytest.raises(WebError, match=r"web\.last_administrator"):
        domain.remove(people["manager"].actor, own)


def test_removed_member_is_brought_back_by_one_button_and_nobody_else_is(people, org):
    removed = member(org)
    client = people["manager"].client
    client.post(reverse("member_change", args=[removed.pk]), {"role": "none"})
    assert not removed.user.memberships.exists()

    client.post(reverse("people_undo"))
    client.post(reverse("people_undo"))

    assert removed.user.memberships.get().org_id == org
    assert LogEntry.objects.filter(action="people.restore").count() == 1


@pytest.mark.parametrize("role", ["none", "x", "", "administrator<b>"])
def test_undo_and_change_take_nothing_made_up(people, org, role):
    unchanged = member(org)
    if role == "none":
        people["manager"].client.post(reverse("people_undo"), {"user": unchanged.user_id, "org_id": org})
    else:
        people["manager"].client.post(reverse("member_change", args=[unchanged.pk]), {"role": role})

    unchanged.refresh_from_db()
    assert unchanged.role == "member"


def test_officer_gives_and_takes_posts_below_the_own_place_alone(people, county):
    officer, held = people["officer"].client, broker(county)
    page = reverse("person", args=[held.user_id])

    officer.post(page, {"role": "judge", "place": county.pk})
    officer.post(page, {"role": "administrator", "place": county.pk})
    officer.post(page, {"role": "auditor", "place": county.pk})
    officer.post(page, {"role": "judge", "place": Place.ROOT})

    assert set(held.user.posts.values_list("role", "place_id")) == {("broker", county.pk), ("judge", county.pk)}


def test_post_is_withdrawn_and_given_back(people, county):
    held = broker(county)
    client = people["officer"].client

    client.post(reverse("post_withdraw", args=[held.pk]))
    assert not held.user.posts.exists()
    client.post(reverse("people_undo"))

    assert held.user.posts.get().role == "broker"


def test_officer_of_one_county_does_not_see_people_of_another(people, county):
    other = Place.objects.filter(level="county").exclude(pk=county.pk)[0]
    strange = broker(other)
    client = people["officer"].client

    for asked in ({}, {"q": strange.user.email}, {"place": other.pk}):
        assert strange.user.name not in client.get(reverse("posts"), asked).content.decode()
    assert client.get(reverse("person", args=[strange.user_id])).status_code == 404
    for name in ("post_withdraw", "person_shut"):
        number = strange.pk if name == "post_withdraw" else strange.user_id
        assert client.post(reverse(name, args=[number])).status_code == 404
    assert Post.objects.filter(pk=strange.pk).exists()


def test_page_of_a_person_keeps_what_lies_elsewhere_to_itself(people, county):
    other = Place.objects.filter(level="county").exclude(pk=county.pk)[0]
    held = broker(county)
    Post.objects.create(user=held.user, role="judge", place=other)

    found = people["officer"].client.get(reverse("person", args=[held.user_id])).content.decode()

    assert "另有 1 项不在您的辖区" in found
    assert f"评委 · {other.name}" not in found


def test_shut_account_is_out_at_once_and_can_be_opened_again(people, county, client):
    held = broker(county)
    client.force_login(held.user)
    page = reverse("person_shut", args=[held.user_id])

    people["officer"].client.post(page)
    assert not client.get("/").wsgi_request.user.is_authenticated
    people["officer"].client.post(page, {"open": "1"})

    assert User.objects.get(pk=held.user_id).is_active
    assert held.user.posts.exists()


def test_last_administrator_of_the_region_is_neither_shut_nor_withdrawn(people):
    first = people["administrator"].user
    other = User.objects.create_user("second@example.org", name="二")
    post = Post.objects.create(user=other, role="administrator", place=Place.root())

    domain.shut(actor_of(other), first)
    with pytest.raises(WebError, match=r"web\.last_administrator"):
        domain.withdraw(actor_of(other), post)


def test_officer_cannot_shut_an_administrator(people, county):
    held = broker(county)
    Post.objects.create(user=held.user, role="administrator", place=county)

    assert people["officer"].client.post(reverse("person_shut", args=[held.user_id])).status_code == 403


def test_administrator_adds_and_renames_a_park(people, county):
    client = people["administrator"].client
    client.post(reverse("places"), {"name": "炉碧园区", "name_en": "Lubi", "above": county.pk})
    park = Place.objects.get(level="park")
    client.post(reverse("park", args=[park.pk]), {"name": "炉碧经济开发区", "name_en": ""})

    park.refresh_from_db()
    assert (park.name, park.path) == ("炉碧经济开发区", f"{county.path}{park.pk}/")


def test_officer_adds_no_park_and_counties_keep_their_names(people, county):
    assert people["officer"].client.post(reverse("places"), {"name": "x", "above": county.pk}).status_code == 403
    assert people["administrator"].client.get(reverse("park", args=[county.pk])).status_code == 404


def test_a_park_lies_below_a_city_or_county_alone(people):
    people["administrator"].client.post(reverse("places"), {"name": "x", "above": Place.ROOT})

    assert not Place.objects.filter(level="park").exists()


@pytest.mark.parametrize("name", ["member_change", "post_withdraw", "person_shut", "invitation_revoke"])
def test_changes_are_posts_and_of_a_number_that_is_there(people, name):
    client = people["administrator"].client

    assert client.get(reverse(name, args=[1])).status_code == 405
    assert client.post(reverse(name, args=[99_999_999])).status_code == 404


@pytest.mark.parametrize("many", [10, 200])
def test_pages_cost_the_same_queries_for_ten_people_and_two_hundred(
    people, org, county, many, django_assert_max_num_queries
):
    users = User.objects.bulk_create(
        [User(email=f"q{i}@example.org", name=f"人{i}", pseudonym=f"q{i:015}") for i in range(many)]
    )
    Membership.objects.bulk_create(Membership(user=user, org_id=org) for user in users)
    Post.objects.bulk_create(Post(user=user, role="broker", place=county) for user in users)

    for url in (
        reverse("members", args=[org]),
        reverse("posts"),
        reverse("places"),
        reverse("person", args=[users[0].pk]),
    ):
        with django_assert_max_num_queries(15):
            assert people["administrator"].client.get(url).status_code == 200


def test_organisations_are_found_in_the_own_places_alone(people, org):
    name = organisations.named([org])[org].name
    found = people["administrator"].client.get(reverse("organisations"), {"q": name}).content.decode()
    assert reverse("members", args=[org]) in found
    assert people["manager"].client.get(reverse("organisations")).status_code == 302
