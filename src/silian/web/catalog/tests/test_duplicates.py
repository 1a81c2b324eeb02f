"""Likely duplicates: told while somebody types, and never what a person may not see."""

import polars as pl
import pytest
from django.urls import reverse
from django_tasks_db.models import DBTaskResult

from silian.engines import link
from silian.web.base.actors import VISITOR
from silian.web.base.models import LogEntry, Place
from silian.web.catalog.changing import Edit, change, plain, undo
from silian.web.catalog.duplicates import merging
from silian.web.catalog.duplicates.blocking import HEADINGS, build_keys, told_of
from silian.web.catalog.duplicates.likely import warn
from silian.web.catalog.duplicates.likeness import compare
from silian.web.catalog.duplicates.reports import Asked, find, pairs_of
from silian.web.catalog.duplicates.tasks import ask_report
from silian.web.catalog.models import MODELS, DuplicatePair, DuplicateReport, MatchKey, Need, Organisation
from silian.web.catalog.tasks import take_up


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


def copied(source, **other):
    """A record again, under another id, as a merged list would bring it."""
    noun = source.noun
    values = plain(source) | {source.table.key[0]: f"{source.pk}-copy"} | other
    change(VISITOR, noun, [Edit(f"{source.pk}-copy", values)])
    return MODELS[noun].objects.get(pk=f"{source.pk}-copy")


def reported(actor, noun, place=None):
    report = ask_report(actor, noun, place or Place.root())
    find(DuplicateReport.objects.get(pk=report.pk))
    return DuplicateReport.objects.get(pk=report.pk)


@pytest.mark.parametrize("noun", ["needs", "achievements", "facilities", "products", "experts", "funds"])
def test_report_finds_a_record_that_was_brought_again(people, noun):
    source = MODELS[noun].objects.order_by("pk")[0]
    copy = copied(source)

    reported(people["broker"].actor, noun)

    found = pairs_of(people["broker"].actor, Asked(noun)).get(left_id=source.pk, right_id=copy.pk)
    assert found.confidence >= 0.9


def test_report_finds_every_planted_organisation(people, registry):
    same = link.same(registry["organisations"])
    twins = same.filter(pl.col("org_id") != pl.col("canonical_id")).select("org_id", "canonical_id").rows()

    report = reported(people["broker"].actor, "organisations")

    found = set(DuplicatePair.objects.values_list("left_id", "right_id"))
    assert twins
    assert {(min(pair), max(pair)) for pair in twins} <= found
    assert (report.state, report.found) == ("done", len(found))


def test_report_goes_the_same_when_it_is_begun_again(people):
    copied(Need.objects.order_by("pk")[0])
    report = reported(people["broker"].actor, "needs")
    before = list(DuplicatePair.objects.order_by("pk").values_list("left_id", "right_id", "confidence"))

    find(report)

    assert list(DuplicatePair.objects.order_by("pk").values_list("left_id", "right_id", "confidence")) == before


def test_what_was_decided_outlives_the_next_report_and_can_be_taken_back(people):
    broker = people["broker"]
    copied(Need.objects.order_by("pk")[0])
    reported(broker.actor, "needs")
    pair = pairs_of(broker.actor, Asked("needs"))[0]
    address = reverse("duplicate_pair", args=[pair.pk])

    broker.client.post(address, {"decision": "different"})
    reported(broker.actor, "needs")

    assert pair not in pairs_of(broker.actor, Asked("needs"))
    assert pair in pairs_of(broker.actor, Asked("needs", decision="different"))
    broker.client.post(address, {"decision": "open"})
    assert pair in pairs_of(broker.actor, Asked("needs"))
    assert LogEntry.objects.filter(action="duplicates.decide").count() == 2


def test_open_pairs_go_when_the_records_are_no_longer_alike(people):
    broker = people["broker"]
    copy = copied(Need.objects.order_by("pk")[0])
    reported(broker.actor, "needs")
    assert pairs_of(broker.actor, Asked("needs")).filter(right_id=copy.pk).exists()
    change(broker.actor, "needs", [Edit(copy.pk, {"title": "毫不相干的另一件事情", "text": "没有一处相同" * 20})])

    reported(broker.actor, "needs")

    assert not DuplicatePair.objects.filter(noun="needs", right_id=copy.pk).exists()


def test_a_merged_pair_is_gone_from_the_list_and_comes_back_when_the_merge_is_undone(people):
    broker = people["broker"]
    source = Need.objects.order_by("pk")[0]
    copy = copied(source)
    reported(broker.actor, "needs")
    seal = merging.plan(source, copy).seal

    made = merging.merge(broker.actor, "needs", source.pk, copy.pk, chosen={}, seal=seal)

    assert not pairs_of(broker.actor, Asked("needs")).filter(right_id=copy.pk).exists()
    undo(broker.actor, made.changes)
    assert pairs_of(broker.actor, Asked("needs")).filter(right_id=copy.pk).exists()


def test_pairs_are_for_stewards_of_both_places(people):
    broker, officer = people["broker"], people["officer"]
    ((_, path),) = officer.actor.posts
    outside = Need.objects.exclude(place__path__startswith=path).order_by("pk")[0]
    copied(outside)
    reported(broker.actor, "needs")
    pair = pairs_of(broker.actor, Asked("needs")).get(left_id=outside.pk)

    page = officer.client.get(reverse("duplicate_pairs", args=["needs"]))

    assert f"/pair/{pair.pk}/" not in page.content.decode()
    assert officer.client.get(reverse("duplicate_pair", args=[pair.pk])).status_code == 404
    assert officer.client.post(reverse("duplicate_pair", args=[pair.pk]), {"decision": "later"}).status_code == 404
    root = {"noun": "needs", "place": Place.ROOT}
    assert officer.client.post(reverse("duplicates"), root).url == reverse("duplicates")
    assert people["enterprise"].client.get(reverse("duplicates")).status_code == 403
    assert people["enterprise"].client.get(reverse("duplicate_pairs", args=["needs"])).status_code == 403


def test_report_is_started_once_and_shows_how_far_it_is(people):
    broker = people["broker"]
    asked = {"noun": "needs", "place": Place.ROOT}

    answers = [broker.client.post(reverse("duplicates"), asked) for _ in range(2)]

    assert answers[0].url == answers[1].url
    assert "hx-get" in broker.client.get(answers[0].url).content.decode()
    assert DuplicateReport.objects.count() == 1


def test_a_killed_report_is_taken_up(people):
    copied(Need.objects.order_by("pk")[0])
    report = ask_report(people["broker"].actor, "needs", Place.root())
    DBTaskResult.objects.all().delete()  # the worker died with it

    take_up()

    assert DBTaskResult.objects.filter(task_path__endswith="report_task").count() == 1
    assert DuplicateReport.objects.get(pk=report.pk).state == "running"


@pytest.mark.parametrize("count", [3, 60])
def test_pages_of_pairs_take_the_same_number_of_queries(people, count, django_assert_max_num_queries):
    broker = people["broker"].client
    ids = list(Need.objects.order_by("pk").values_list("pk", flat=True))
    pairs = [(a, b) for a in ids for b in ids if a < b][:count]
    DuplicatePair.objects.bulk_create(
        DuplicatePair(noun="needs", left_id=a, right_id=b, group_id=a, confidence=0.8, reasons=["alike"])
        for a, b in pairs
    )
    first = DuplicatePair.objects.order_by("pk")[0]

    for address in (
        reverse("duplicates"), reverse("duplicate_pairs", args=["needs"]) + "?reason=alike&least=0.75",
        reverse("duplicate_pair", args=[first.pk]),
    ):  # fmt: skip
        with django_assert_max_num_queries(15):
            assert broker.get(address).status_code == 200


@pytest.mark.parametrize("query", ["?page=x", "?least=9", "?place=%00", "?decision=x&reason=%22", "?page=99999"])
def test_pairs_answer_whatever_is_asked(people, query):
    assert people["broker"].client.get(reverse("duplicate_pairs", args=["needs"]) + query).status_code == 200
