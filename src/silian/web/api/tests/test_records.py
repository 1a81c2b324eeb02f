"""Records through the API: what is read, what is made and changed, and that the pages and the API agree."""

from __future__ import annotations

import pytest

from silian.web.base.models import LogEntry
from silian.web.catalog.beside.interests import is_mutual
from silian.web.catalog.faces import FACES
from silian.web.catalog.models import MODELS, Need, Organisation
from silian.web.catalog.rules import may, shown
from silian.web.conftest import ROLES

NEED = {"title": "固态电池界面改性", "kind": "technology", "field": "machine_tool", "experts_wanted": 2}


def whole(caller, noun, query=""):
    found, address = [], f"/api/v1/{noun}?limit=200{query}"
    while address:
        answer = caller.get(address)
        assert answer.status_code == 200, answer.content
        found += answer.json()["items"]
        address = answer.json()["next"]
    return found


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("noun", FACES)
def test_lists_hold_the_records_and_columns_that_the_rules_open(callers, people, noun, role):
    actor = people[role].actor
    Need.objects.filter(pk="N02").update(state="draft")
    wanted = {}
    for record in MODELS[noun].objects.select_related("place"):
        if may(actor, "see", record):
            wanted[record.pk] = shown(actor, record, is_mutual=is_mutual(actor, record))

    listed = {item["id"]: item for item in whole(callers[role], noun)}

    assert {pk: frozenset(item["values"]) for pk, item in listed.items()} == wanted
    for pk, item in listed.items():
        assert set(item["hidden"]) == {c.name for c in MODELS[noun].table.columns} - wanted[pk]


@pytest.mark.parametrize("role", ROLES)
def test_one_record_is_what_its_page_shows_and_404_where_the_page_is(callers, people, role):
    Need.objects.filter(pk="N02").update(state="draft")
    for noun in FACES:
        for record in MODELS[noun].objects.select_related("place").order_by("pk")[:6]:
            page = people[role].client.get(f"/{noun}/{record.pk}/")
            answer = callers[role].get(f"{noun}/{record.pk}")
            assert answer.status_code == page.status_code, (noun, record.pk)
            if answer.status_code == 200:
                actor = people[role].actor
                names = shown(actor, record, is_mutual=is_mutual(actor, record))
                assert set(answer.json()["values"]) == names
            else:
                assert answer.json()["code"] == "api.missing"


def test_values_are_those_of_the_database(callers, registry):
    found = {item["id"]: item["values"] for item in whole(callers["broker"], "needs")}

    rows = {row["need_id"]: row for row in registry["needs"].iter_rows(named=True)}
    for pk, values in found.items():
        for name, value in values.items():
            was = rows[pk][name]
            assert value == (was.isoformat() if hasattr(was, "isoformat") else was or ([] if value == [] else was))


def test_a_list_takes_the_filters_of_its_page_and_refuses_what_it_does_not_know(callers):
    visitor = callers["visitor"]
    every = whole(visitor, "needs")
    field = every[0]["values"]["field"]

    assert {i["id"] for i in whole(visitor, "needs", f"&field={field}")} == {
        i["id"] for i in every if i["values"]["field"] == field
    }
    assert 0 < len(whole(visitor, "needs", "&q=丝杠")) < len(every)
    since = max(i["updated_at"] for i in every).replace("+", "%2B")
    assert 0 < len(whole(visitor, "needs", f"&updated_since={since}")) < len(every)
    for wrong in ("feild=energy", "field=xyz", "state=open", "limit=0", "limit=201", "limit=x", "sort=budget_cny",
                  "updated_since=yesterday", "limit=1&limit=2", "q=%00"):  # fmt: skip
        answer = visitor.get(f"needs?{wrong}")
        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json"), wrong
        assert answer.json()["code"] in ("api.parameter", "api.text")


def test_a_record_is_made_published_changed_and_withdrawn_as_on_the_pages(callers, people):
    firm = callers["enterprise"]
    org = sorted(people["enterprise"].actor.orgs)[0]

    made = firm.post("needs", {"values": NEED | {"org_id": org}, "translations": {"title": "Interfaces"}})
    assert made.status_code == 201, made.content
    record, address = made.json(), made["Location"]
    assert (record["state"], record["owner_id"], record["version"]) == ("draft", org, 1)
    assert record["translations"] == {"title": {"en": "Interfaces"}}
    assert callers["visitor"].get(address).status_code == 404

    published = firm.post(f"{address}/publish", If_Match=made["ETag"])
    assert (published.status_code, published.json()["state"]) == (200, "published")
    changed = firm.patch(address, {"values": {"title": "改后", "field": None}, "tiers": {"text": "mutual"}},
                         If_Match=published["ETag"])  # fmt: skip
    assert (changed.json()["values"]["title"], changed.json()["values"]["field"]) == ("改后", None)
    assert changed.json()["values"]["experts_wanted"] == 2
    assert "text" in callers["visitor"].get(address).json()["hidden"]
    gone = firm.post(f"{address}/withdraw", {"reason": ""})
    assert gone.json()["state"] == "withdrawn"
    assert callers["visitor"].get(address).status_code == 404
    entries = LogEntry.objects.filter(record_id=record["id"], action="needs.edit")
    assert {entry.detail["token"] for entry in entries} == {firm.token.pk}


def test_the_second_writer_gets_both_values(callers):
    one, other = callers["enterprise"], callers["broker"]
    seen = one.get("needs/N01")

    first = one.patch("needs/N01", {"values": {"title": "先到"}}, If_Match=seen["ETag"])
    second = other.patch("needs/N01", {"version": seen.json()["version"], "values": {"title": "后到"}})

    assert (first.status_code, second.status_code) == (200, 409)
    told = second.json()
    assert (told["code"], told["version"]) == ("api.stale", first.json()["version"])
    assert told["conflicts"] == [
        {"column": "title", "was": seen.json()["values"]["title"], "theirs": "先到", "mine": "后到", "is_both": True}
    ]
    assert other.patch("needs/N01", {"version": told["version"], "values": {"title": "后到"}}).status_code == 200


def test_a_change_without_a_version_is_asked_for_it(callers):
    answer = callers["broker"].patch("needs/N01", {"values": {"title": "x"}})
    star = callers["broker"].patch("needs/N01", {"values": {"title": "x"}}, If_Match="*")

    assert (answer.status_code, answer.json()["code"], star.status_code) == (428, "api.precondition", 428)


@pytest.mark.parametrize("role", ROLES)
def test_writes_are_allowed_where_the_rules_allow_them(callers, people, role):
    actor, caller = people[role].actor, callers[role]
    for noun, pk, values in (("needs", "N01", {"title": "改"}), ("experts", "E01", {"name": "改"}),
                             ("organisations", "O04", {"name": "改"})):  # fmt: skip
        record = MODELS[noun].objects.select_related("place").get(pk=pk)
        answer = caller.patch(f"{noun}/{pk}", {"version": record.version, "values": values})
        allowed = may(actor, "edit", record)
        assert answer.status_code == (401 if role == "visitor" else 200 if allowed else 403), (noun, answer.content)
        assert (MODELS[noun].objects.get(pk=pk).version > record.version) == allowed


def test_what_the_form_refuses_is_told_where_it_stands(callers, people):
    org = sorted(people["enterprise"].actor.orgs)[0]
    firm = callers["enterprise"]

    for values, where in (
        ({"title": "反\u202e转"}, "/values/title"), ({"org_id": "O-none"}, "/values/org_id"),
        ({"field": "xyz"}, "/values/field"), ({"experts_wanted": 99}, "/values/experts_wanted"),
        ({"unknown": 1}, "/values/unknown"), ({"deadline_on": "soon"}, "/values/deadline_on"),
        ({"title": "长" * 501}, "/values/title"), ({"must_have": "x"}, "/values/must_have"),
    ):  # fmt: skip
        answer = firm.post("needs", {"values": NEED | {"org_id": org} | values})
        assert (answer.status_code, answer.json()["code"]) == (422, "api.values"), values
        assert where in {fault["pointer"] for fault in answer.json()["errors"]}, answer.json()
    lacking = firm.post("needs", {"values": {"title": "只有名称", "org_id": org}})
    assert lacking.status_code == 201
    refused = firm.post(f"{lacking['Location']}/publish")
    assert (refused.status_code, refused.json()["code"], refused.json()["columns"]) == (422, "api.lacking", ["kind"])
    foreign = firm.post("needs", {"values": NEED | {"org_id": "O01" if org != "O01" else "O02"}})
    assert (foreign.status_code, foreign.json()["code"]) == (403, "api.rights")


def test_a_code_that_another_organisation_has_needs_a_reason(callers):
    other = Organisation.objects.exclude(uscc="").exclude(pk="O04").order_by("pk")[0]
    version = Organisation.objects.get(pk="O04").version
    sent = {"version": version, "values": {"uscc": other.uscc}}

    refused = callers["broker"].patch("organisations/O04", sent)
    saved = callers["broker"].patch("organisations/O04", sent | {"shared_code_reason": "分支机构"})

    assert (refused.status_code, refused.json()["code"]) == (409, "api.code_taken")
    assert saved.status_code == 200


@pytest.mark.parametrize("title", ["电池🔋𠮷", "‘引号’与 <b>标签</b>", "a;b；c|d\\e", "1,234.50", "  两端  ", "否"])
def test_a_text_comes_back_as_it_was_sent(callers, title):
    version = Need.objects.get(pk="N01").version
    sent = {
        "title": title,
        "must_have": ["一; 二", "三|四", "五\\六"],
        "budget_cny": 1234567.89,
        "deadline_on": "2027-01-31",
    }

    answer = callers["broker"].patch("needs/N01", {"version": version, "values": sent})

    assert answer.status_code == 200, answer.content
    found = answer.json()["values"]
    assert {name: found[name] for name in sent} == sent | {"title": title.strip()}


def test_reading_what_is_not_public_is_logged_with_the_token(callers):
    callers["broker"].get("needs/N01")

    entry = LogEntry.objects.filter(action="needs.read", record_id="N01").last()
    assert entry.detail["token"] == callers["broker"].token.pk


@pytest.mark.parametrize("limit", [3, 12])
def test_a_page_costs_the_same_number_of_queries_however_long(callers, django_assert_num_queries, limit):
    callers["enterprise"].get("needs?limit=1")
    with django_assert_num_queries(
        6
    ):  # the token, two of the actor, the tally, the page, what mutual interest opens: none
        callers["enterprise"].get(f"needs?limit={limit}")
