"""What people are told: once, by whom it concerns, with the names that they may see when they read it."""

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils.translation import override

from silian.web.base.models import Notification, User
from silian.web.base.notifications import Ref, notify
from silian.web.base.notifications.kinds import HOW_LABELS, KINDS
from silian.web.base.notifications.telling import example, tell
from silian.web.catalog.models import Need


def told_to(person):
    return tell(person.actor, Notification.objects.filter(user=person.user).order_by("pk"))


def test_notify_tells_each_person_once_however_often_it_is_asked(people):
    both = [people["enterprise"].user, people["broker"].user.pk, None, people["broker"].user.pk]

    for _ in range(3):
        notify("claims.asked", both, about=reverse("claims"), key="7", record=Ref("experts", "E1"))

    assert Notification.objects.count() == 2
    notify("claims.asked", both, about=reverse("claims"), key="8", record=Ref("experts", "E1"))
    assert Notification.objects.count() == 4


def test_notify_goes_with_the_transaction_of_what_it_tells_of(people):
    def fail():
        with transaction.atomic():
            notify("claims.asked", [people["broker"].user], key="7")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert not Notification.objects.exists()


def test_notify_leaves_accounts_out_that_are_shut(people):
    User.objects.filter(pk=people["broker"].user.pk).update(is_active=False)

    assert notify("claims.asked", [people["broker"].user, 10**9], key="7") == 0


def test_a_name_is_told_while_its_reader_may_see_the_record_and_not_after(people):
    person, need = people["researcher"], Need.objects.filter(state="published").order_by("-pk")[0]
    address = reverse("detail", args=["needs", need.pk])
    notify("interests.answered", [person.user], about=address, key="1", record=Ref("needs", need.pk), state="agreed")
    (told,) = told_to(person)
    assert (str(need) in told.sentence, told.url) == (True, address)

    Need.objects.filter(pk=need.pk).update(state="withdrawn")

    (told,) = told_to(person)
    assert str(need) not in told.sentence
    assert need.pk not in told.sentence
    assert told.url == ""
    assert "已同意对接" in told.sentence


def test_names_of_a_page_cost_the_same_with_two_and_with_two_hundred(people, django_assert_num_queries):
    person, needs = people["broker"], list(Need.objects.order_by("pk"))
    for number in range(200):
        ref = Ref("needs", needs[number % len(needs)].pk)
        notify("interests.answered", [person.user], key=str(number), record=ref, state="agreed")
    actor, rows = person.actor, list(Notification.objects.filter(user=person.user))

    for some in (rows[:2], rows):
        with django_assert_num_queries(1):
            tell(actor, some)


@pytest.mark.parametrize("name", ["甲\r\nBcc: x@y.invalid", "乙\u202e丙\u2066", "丁\u2028戊", "𠮷" * 400])
def test_names_stand_on_one_line_without_what_cannot_be_seen(people, name):
    person, need = people["broker"], Need.objects.order_by("pk")[0]
    Need.objects.filter(pk=need.pk).update(title=name)
    notify("interests.answered", [person.user], key="1", record=Ref("needs", need.pk), state="agreed")

    (told,) = told_to(person)

    assert told.sentence.isprintable()
    assert len(told.sentence) < 200


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_kind_tells_its_example_and_no_title_takes_a_fact(db, language):
    with override(language):
        for kind in KINDS.values():
            told = example(kind)
            assert "—" not in told.sentence, kind.code
            assert "%" not in told.title + told.sentence, kind.code
            assert "%" not in str(kind.title), kind.code


def test_what_is_required_cannot_be_switched_off_and_bulk_sends_no_letter_of_itself():
    for kind in KINDS.values():
        assert kind.allows(kind.default), kind.code
        assert ("never" in kind.hows) is not kind.is_required
        assert kind.default == "never" or not kind.is_bulk
        assert not (kind.is_bulk and kind.is_required)
        assert kind.waits or kind.is_required or "once" not in kind.hows
        assert set(kind.hows) <= set(HOW_LABELS)
        assert len(kind.code) <= 40
        assert kind.roles


def test_a_notification_of_an_app_that_is_gone_is_still_a_line(people):
    Notification.objects.create(user=people["broker"].user, kind="gone.app", key="1", about="/x/")

    (told,) = told_to(people["broker"])

    assert (told.kind, told.url, told.sentence) == (None, "", "")
