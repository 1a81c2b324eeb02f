"""The pages of notifications and of what waits, and the numbers in the frame."""

import re
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from silian.web.base.models import Desk, Notification, User
from silian.web.base.notifications import choices, notify, todo
from silian.web.base.notifications.kinds import KINDS

PAGES = ("notifications", "notification_kinds", "todo")


def tell(person, number=1, code="exports.ready"):
    for n in range(number):
        notify(code, [person.user], about=reverse("exports"), key=f"{code}{n}", state="ready")
    return list(Notification.objects.filter(user=person.user).order_by("pk"))


def page(person, address):
    answer = person.client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def unread(person):
    found = re.search(r'<span class="number">(\S+?)<span class="unseen"> 条未读', page(person, "/help/"))
    return found[1] if found else ""


@pytest.mark.parametrize("role", ["enterprise", "broker", "administrator"])
@pytest.mark.parametrize("name", PAGES)
def test_pages_cost_at_most_fifteen_queries_with_five_hundred(people, django_assert_max_num_queries, role, name):
    person = people[role]
    tell(person, 500)

    with django_assert_max_num_queries(15):
        page(person, reverse(name))


def test_frame_costs_one_query_and_says_how_many_are_unread(people, django_assert_num_queries):
    person = people["judge"]
    assert unread(person) == ""
    with django_assert_num_queries(5):  # session, person, memberships, posts, and this
        page(person, "/help/")
    tell(person, 3)
    assert unread(person) == "3"
    tell(person, 120)
    assert unread(person) == "99+"


def test_visitors_have_no_bell(people, django_assert_num_queries):
    for name in PAGES:
        assert people["visitor"].client.get(reverse(name)).status_code == 302
    with django_assert_num_queries(0):
        assert "条未读" not in page(people["visitor"], "/help/")


def test_opening_one_marks_it_read_and_leads_on(people):
    person = people["judge"]
    first, second = tell(person, 2)

    answer = person.client.post(reverse("notification_open", args=[first.pk]))

    assert answer["Location"] == reverse("exports")
    assert list(Notification.objects.filter(read_at=None)) == [second]
    assert "标为已读" in page(person, "/notifications/?which=unread")


def test_looking_marks_nothing_and_only_a_post_does(people):
    person = people["judge"]
    (first,) = tell(person)
    page(person, reverse("notifications"))

    assert person.client.get(reverse("notification_open", args=[first.pk])).status_code == 405
    assert person.client.get(reverse("notification_read")).status_code == 405
    assert Notification.objects.filter(read_at=None).count() == 1


def test_marking_all_of_a_kind_leaves_the_others(people):
    person = people["judge"]
    tell(person, 2)
    notify("imports.failed", [person.user], key="1", file="a.csv")

    person.client.post(reverse("notification_read"), {"all": "yes", "kind": "exports.ready"})
    assert list(Notification.objects.filter(read_at=None).values_list("kind", flat=True)) == ["imports.failed"]
    person.client.post(reverse("notification_read"), {"all": "yes"})
    assert not Notification.objects.filter(read_at=None).exists()


def test_nobody_opens_or_marks_what_others_were_told(people):
    (theirs,) = tell(people["broker"])

    assert people["judge"].client.post(reverse("notification_open", args=[theirs.pk])).status_code == 404
    people["judge"].client.post(reverse("notification_read"), {"number": [theirs.pk, "x", "9" * 30, "-1"]})
    assert Notification.objects.get(pk=theirs.pk).read_at is None
    assert "还没有通知" in page(people["judge"], reverse("notifications"))


@pytest.mark.parametrize("about", ["https://x.invalid/", "//x.invalid/", "/\\x.invalid/", "javascript:alert(1)"])
def test_opening_leads_nowhere_outside_the_site(people, about):
    person = people["judge"]
    row = Notification.objects.create(user=person.user, kind="exports.ready", key="1", about=about)

    assert person.client.post(reverse("notification_open", args=[row.pk]))["Location"] == reverse("notifications")


# ── choices ──


def test_every_kind_is_listed_with_its_meaning_and_an_example(people):
    shown = page(people["judge"], reverse("notification_kinds"))

    for kind in KINDS.values():
        assert str(kind.label) in shown
        assert f'name="mail-{kind.code}"' in shown
    assert "您还没有同意接收邮件" in shown


def test_choices_are_kept_and_taken_back(people):
    person = people["judge"]
    given = {"kind": ["exports.ready"], "mail-exports.ready": "weekly"}
    person.client.post(reverse("notification_choose"), given)
    assert Desk.objects.get(user=person.user).choices == {"exports.ready": {"mail": "weekly", "site": False}}
    assert "撤销上次修改" in page(person, reverse("notification_kinds"))

    person.client.post(reverse("notification_all"), {"what": "undo"})

    assert Desk.objects.get(user=person.user).choices == {}
    assert "撤销上次修改" not in page(person, reverse("notification_kinds"))


def test_what_is_off_on_the_site_is_not_counted_and_comes_by_mail(people):
    person = people["judge"]
    choices.keep(person.actor, person.user, choices={"exports.ready": {"mail": "daily", "site": False}})
    tell(person)

    assert unread(person) == ""
    assert "还没有通知" in page(person, reverse("notifications"))
    assert Notification.objects.get().mail == "waiting"


@pytest.mark.parametrize(
    "given",
    [
        {"kind": ["nothing.here"], "mail-nothing.here": "daily"},
        {"kind": ["exports.ready"], "mail-exports.ready": "once"},  # nobody waits
        {"kind": ["account.new_device"], "mail-account.new_device": "never"},  # required
        {"kind": ["exports.ready"], "mail-exports.ready": "hourly"},
        {"kind": ["exports.ready"]},
    ],
)
def test_what_cannot_be_chosen_is_refused_whole(people, given):
    person = people["judge"]

    assert person.client.post(reverse("notification_choose"), given).status_code == 404
    assert not Desk.objects.filter(user=person.user).exclude(choices={}).exists()


def test_required_kinds_stay_on_the_site_whatever_is_posted(people):
    person = people["judge"]
    given = {"kind": ["account.new_device"], "mail-account.new_device": "daily"}  # without its tick
    person.client.post(reverse("notification_choose"), given)

    notify("account.new_device", [person.user], key="1", at=timezone.now().isoformat())
    assert unread(person) == "1"


def test_all_at_once_and_back(people):
    person = people["judge"]
    own = lambda: Desk.objects.get(user=person.user)  # noqa: E731
    person.client.post(reverse("notification_all"), {"what": "digest"})
    assert all(choices.chosen(own(), kind) == "daily" for kind in KINDS.values())
    person.client.post(reverse("notification_all"), {"what": "required"})
    assert own().letters == "required"
    person.client.post(reverse("notification_all"), {"what": "undo"})
    assert own().letters == "all"
    assert person.client.post(reverse("notification_all"), {"what": "x"}).status_code == 404


@pytest.mark.parametrize(
    ("name", "value"),
    [("cap", "-1"), ("cap", "21"), ("cap", "x"), ("digest_hour", "3"), ("quiet_from", "24"), ("week_day", "7"),
     ("letters", "x")],
)  # fmt: skip
def test_hours_that_are_none_are_refused_at_their_field(people, name, value):
    person = people["judge"]
    good = {"letters": "all", "digest_hour": 9, "week_day": 1, "quiet_from": 22, "quiet_until": 7, "cap": 3}

    answer = person.client.post(reverse("notification_kinds"), good | {name: value})

    assert answer.status_code == 400
    assert 'class="summary"' in answer.content.decode()
    assert person.client.post(reverse("notification_kinds"), good).status_code == 302
    desk = Desk.objects.get(user=person.user)
    assert (desk.digest_hour, desk.quiet_from, desk.cap, desk.quiet_weekends) == (9, 22, 3, False)


# ── what waits ──


class Waiting:
    """Things that wait, as a test wants them."""

    code, is_grouped = "test", False

    def __init__(self, *items):
        self.given = list(items)

    def label(self):
        return "试"

    def concerns(self, actor):
        return not actor.is_visitor

    def url(self, _actor):
        return "/"

    def count(self, _actor):
        return len(self.given)

    def items(self, _actor):
        return self.given


def test_list_puts_what_waits_longest_first_and_says_what_is_late(people, monkeypatch):
    now = timezone.now()
    today = timezone.localdate()
    source = Waiting(
        todo.Todo("丙", "/c/", None), todo.Todo("乙", "/b/", now),
        todo.Todo("甲", "/a/", now - timedelta(days=9), today - timedelta(days=2)),
    )  # fmt: skip
    monkeypatch.setattr(todo, "_known", {"test": source})

    shown = page(people["judge"], reverse("todo"))

    assert shown.index("甲") < shown.index("乙") < shown.index("丙")
    assert "其中 1 项已过期限" in shown
    assert "9 天" in shown


def test_first_page_and_frame_count_what_the_list_has(people, monkeypatch):
    person = people["judge"]
    monkeypatch.setattr(todo, "_known", {"test": Waiting(*[todo.Todo("甲", "/a/", timezone.now())] * 3)})
    todo.recount(person.actor)

    home = page(person, "/")

    assert re.search(r"<span>试</span> <strong>3</strong>", home)
    assert '<span class="number">3</span>' in home


def test_number_in_the_frame_follows_a_deed_and_what_comes_in(people):
    person = people["judge"]
    Desk.objects.filter(user=person.user).update(todo=7, todo_at=timezone.now())
    person.client.post(reverse("steps"), {"steps": "hide"})
    assert Desk.objects.get(user=person.user).todo == 0

    tell(person)
    assert Desk.objects.get(user=person.user).todo_at is None
    assert todo.recount_due(timezone.now()) >= 1
    assert Desk.objects.get(user=person.user).todo_at is not None


def test_signing_in_with_another_kind_of_browser_is_told_and_with_a_newer_version_not(people):
    user = User.objects.get(pk=people["judge"].user.pk)
    user.set_password("long enough 123")
    user.save()
    Desk.objects.filter(user=user).update(devices=[])

    def sign_in(agent):
        given = {"login": user.email, "password": "long enough 123"}
        assert Client(headers={"user-agent": agent}).post(reverse("account_login"), given).status_code == 302
        return Notification.objects.filter(user=user, kind="account.new_device").count()

    assert sign_in("Firefox/140.0 (X11; Linux)") == 0  # the first is no news
    assert sign_in("Firefox/141.2 (X11; Linux)") == 0
    assert sign_in("Chrome/140 (Windows)") == 1
    assert sign_in("Chrome/141 (Windows)") == 1
    row = Notification.objects.get(user=user, kind="account.new_device")
    assert datetime.fromisoformat(row.facts["at"])
