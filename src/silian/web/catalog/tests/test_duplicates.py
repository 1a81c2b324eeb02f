"""Likely duplicates: told while somebody types, and never what a person may not see."""

import pytest
from django.urls import reverse

from silian.web.catalog.blocking import HEADINGS, build_keys, told_of
from silian.web.catalog.changing import Edit, change
from silian.web.catalog.duplicates import warn
from silian.web.catalog.likeness import compare
from silian.web.catalog.models import MODELS, MatchKey, Need, Organisation


def firm(n=0):
    return Organisation.objects.filter(kind="enterprise", parent_org=None).exclude(uscc="").order_by("pk")[n]


def kept(noun):
    return set(MatchKey.objects.filter(noun=noun).values_list("key", "record_id"))


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ({"name": "四链（苏州）科技有限公司"}, {"name": "四链(苏州) 科技有限公司"}, "marks"),
        ({"name": "四链科技有限责任公司"}, {"name": "四链科技有限公司"}, "form"),
        ({"name": "四链（苏州）科技有限公司"}, {"name": "苏州四链科技有限公司"}, "order"),
        ({"name": "四链科技厂"}, {"name": "四链机械股份有限公司", "former_names": ["四链科技厂"]}, "former"),
        ({"name": "苏州华兴轴承有限公司"}, {"name": "苏州华星轴承有限公司"}, "sound"),
        ({"name": "四链電機有限公司"}, {"name": "四链电机有限公司"}, "form"),
    ],
)
def test_compare_says_why_two_organisations_are_likely_one(one, other, reason):
    found = compare("organisations", *told_of("organisations", [one, other]))

    assert found.confidence >= 0.75
    assert found.reasons[0] == reason


def test_compare_never_takes_two_codes_for_one_body():
    names = [{"name": "四链科技有限公司", "uscc": code} for code in ("91110000600037341L", "91110108551385082Q")]

    assert compare("organisations", *told_of("organisations", names)).confidence < 0.6


def test_compare_takes_titles_with_other_figures_for_two_things():
    titles = [{"title": "10 千伏干式变压器局部放电在线监测"}, {"title": "35 千伏干式变压器局部放电在线监测"}]

    assert compare("needs", *told_of("needs", titles)).confidence < 0.6


@pytest.mark.parametrize("noun", HEADINGS)
def test_keys_that_changes_keep_are_those_that_building_anew_gives(people, noun):
    model, actor = MODELS[noun], people["broker"].actor
    record = model.objects.order_by("pk")[0] if model.objects.exists() else None
    if record:
        change(actor, noun, [Edit(record.pk, {HEADINGS[noun]: "另一个完全不同的名称与题目"})])
    new = {model.table.key[0]: "X-1", HEADINGS[noun]: "新的名称与题目", "kind": "other", "level": "county"}
    change(actor, noun, [Edit("X-1", new)])
    change(actor, noun, [Edit("X-1", None)])
    now = kept(noun)

    build_keys([noun])

    assert kept(noun) == now


def test_warn_finds_the_record_with_the_same_code_whatever_its_name(people):
    org = firm()

    found = warn(people["enterprise"].actor, "organisations", {"name": "无关名称", "uscc": org.uscc}).found

    assert (found[0].record, found[0].likeness.confidence) == (org, 1.0)


def test_warn_says_only_that_a_record_exists_where_it_may_not_be_seen(people):
    org = firm(3)
    Organisation.objects.filter(pk=org.pk).update(state="draft")

    warned = warn(people["researcher"].actor, "organisations", {"name": org.name, "uscc": org.uscc})
    page = people["researcher"].client.post(reverse("likely", args=["organisations"]), {"uscc": org.uscc})

    assert org not in [one.record for one in warned.found]
    assert warned.is_hidden
    assert org.name not in page.content.decode()
    assert "请联系管理员" in page.content.decode()


def test_warn_compares_no_column_that_the_person_may_not_see(people):
    org = firm(3)
    Organisation.objects.filter(pk=org.pk).update(tiers={"uscc": "broker"})

    warned = warn(people["researcher"].actor, "organisations", {"name": "", "uscc": org.uscc})

    assert (warned.found, warned.is_hidden) == ([], True)


def test_warn_leaves_out_the_record_that_is_edited(people):
    org = firm()

    assert warn(people["broker"].actor, "organisations", {"name": org.name, "uscc": org.uscc}, but=org.pk).found == []


def test_likely_part_finds_a_need_that_is_typed_again(people, django_assert_max_num_queries):
    need = Need.objects.order_by("pk")[0]
    typed = {"title": f"{need.title}（急）", "text": need.text, "org_id": need.org_id or ""}

    with django_assert_max_num_queries(12):  # ten of them are the session and the person
        page = people["enterprise"].client.post(reverse("likely", args=["needs"]), typed)

    assert reverse("detail", args=["needs", need.pk]) in page.content.decode()


@pytest.mark.parametrize(
    "typed",
    [{}, {"title": "x" * 100_000, "text": "\0" * 50}, {"title": "<script>𠮷\u202e", "but": "\0"}, {"title": "；；；"}],
)
def test_likely_part_answers_whatever_is_typed(people, typed):
    page = people["enterprise"].client.post(reverse("likely", args=["needs"]), typed)

    assert page.status_code == 200
    assert "<script>" not in page.content.decode()


def test_likely_part_is_for_people_who_keep_records(people):
    address = reverse("likely", args=["needs"])

    assert people["visitor"].client.post(address).status_code == 302
    assert people["judge"].client.post(address).status_code == 403
    assert people["broker"].client.get(address).status_code == 405
    assert people["broker"].client.post(reverse("likely", args=["labels"])).status_code == 404
