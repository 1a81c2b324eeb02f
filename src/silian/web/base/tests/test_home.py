"""The first page as every role sees it, and the help."""

import pytest
from django.urls import reverse

from silian.errors import WebError
from silian.web.base import guides
from silian.web.base.languages import first_clause
from silian.web.base.models import LogEntry, User
from silian.web.catalog.search import indexing
from silian.web.conftest import ROLES


def page(person, address="/"):
    answer = person.client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(
    ("role", "told"),
    [
        ("visitor", "怎样参与"), ("enterprise", "企业入门"), ("researcher", "科研人员入门"),
        ("manager", "单位管理员入门"),
        ("broker", "疑似重复"), ("officer", "任命岗位"), ("judge", "目前没有等您评审的内容"), ("auditor", "操作日志"),
        ("administrator", "设立园区"),
    ],
)  # fmt: skip
def test_first_page_tells_each_role_what_is_theirs(people, role, told):
    others = {"企业入门": "enterprise", "单位管理员入门": "manager", "设立园区": "administrator"}

    shown = page(people[role])

    assert told in shown
    assert [title for title, of in others.items() if title in shown and of != role] == []


@pytest.mark.parametrize("role", ROLES)
def test_first_page_costs_at_most_fifteen_queries(people, django_assert_max_num_queries, role):
    with django_assert_max_num_queries(15):
        page(people[role])


@pytest.mark.parametrize("role", ROLES)
def test_addresses_of_first_page_and_help_open_for_who_is_told_of_them(people, role):
    person = people[role]
    home = guides.home_of(person.actor)
    wanted = [step.url for guide in home.guides for step in guide.steps] + [task.url for task in home.tasks]
    wanted += [line.url for shelf in home.shelves for line in shelf.lines]
    own = guides.roles_of(person.actor)
    wanted += [reverse(name) for role, _name, deeds in guides.DEEDS if role in own for _text, name in deeds]

    assert {url: person.client.get(url, follow=True).status_code for url in wanted} == dict.fromkeys(wanted, 200)


def test_first_page_without_an_index_has_no_numbers_and_still_opens(people, monkeypatch, tmp_path):
    monkeypatch.setattr(indexing, "folder", lambda: tmp_path)
    with pytest.raises(WebError):
        indexing.reader()

    assert guides.home_of(people["visitor"].actor).counts is None
    assert "最新需求" in page(people["visitor"])


def test_steps_go_by_a_click_and_come_back_from_the_help(people):
    person = people["enterprise"]
    assert "企业入门" in page(person)

    answer = person.client.post(reverse("steps"), {"steps": "hide"}, follow=True)

    assert "在“帮助”页可以恢复" in answer.content.decode()
    assert "企业入门" not in page(person)
    assert "等您处理" in page(person)
    assert User.objects.filter(hides_steps=True).values_list("pk", flat=True).get() == person.user.pk
    assert LogEntry.objects.filter(action="people.steps", who=person.user.pseudonym).exists()
    person.client.post(reverse("steps"), {"steps": "show"})
    assert "企业入门" in page(person)


def test_steps_are_hidden_by_who_is_signed_in_with_a_post_alone(people):
    assert people["visitor"].client.post(reverse("steps"), {"steps": "hide"}).url.startswith(reverse("account_login"))
    assert people["enterprise"].client.get(reverse("steps")).status_code == 405
    assert not User.objects.filter(hides_steps=True).exists()


def test_help_explains_words_and_names_own_role(people):
    shown = page(people["enterprise"], reverse("help"))

    for word in ("技术成熟度", "意向", "披露层级"):
        assert f"<dt>{word}</dt>" in shown
    assert shown.index("单位成员") < shown.index("访客")
    assert shown.count("您的角色") == 1
    assert "您的角色" not in page(people["visitor"], reverse("help"))
    assert f'href="{reverse("help")}"' in page(people["visitor"])


def test_lists_and_first_page_tell_the_first_clause_of_a_meaning(people):
    assert first_clause("没有分号") == "没有分号"
    for address in ("/", "/needs/"):
        assert "每项一行" not in page(people["visitor"], address)


def test_a_name_with_markup_stays_a_text(people):
    User.objects.filter(pk=people["judge"].user.pk).update(name="<b>评委\u202e🧪</b>")

    assert "<b>评委" not in page(people["judge"])
