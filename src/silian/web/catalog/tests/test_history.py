"""The history of a record tells each change in words, to those who may know, and is put back."""

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from silian.web.base.models import LogEntry
from silian.web.catalog.changing import Edit, change, plain
from silian.web.catalog.duplicates import merging
from silian.web.catalog.history.differences import differences
from silian.web.catalog.history.subjects import records_of
from silian.web.catalog.models import MODELS, Change, ChangeSet, Expert, Need, Organisation, Work
from silian.web.catalog.rules import may
from silian.web.conftest import ROLES

TEXT = st.text(alphabet="涂层纳米。\n ab9，", max_size=60)


def own_need(people):
    return Need.objects.filter(owner_id__in=people["enterprise"].actor.orgs).order_by("pk")[0]


def edited(person, record, values):
    return change(person.actor, record.noun, [Edit(record.record_id, values)])


def page(person, *address):
    return person.client.get(reverse(address[0], args=address[1:]))


@given(TEXT, TEXT)
def test_differences_give_back_both_texts(before, after):
    pieces = differences(before, after)

    assert "".join(p.text for p in pieces if p.kind != "new") == before
    assert "".join(p.text for p in pieces if p.kind != "gone") == after


def test_differences_keep_words_whole_and_cut_what_stayed():
    found = differences("需要 coating 工艺", "需要 coatings 工艺")
    long = differences("前" * 200 + "。旧", "前" * 200 + "。新")

    assert [tuple(p) for p in found] == [
        ("same", "需要 "), ("gone", "coating"), ("new", "coatings"), ("same", " 工艺"),
    ]  # fmt: skip
    assert [p.kind for p in long] == ["cut", "same", "gone", "new"]


def test_differences_of_two_long_texts_cost_little():
    before, after = "甲乙丙丁" * 5000, "乙丁甲丙" * 5000

    assert [p.kind for p in differences(before, after)] == ["gone", "new"]


def test_history_tells_codes_and_references_in_words(people):
    need = own_need(people)
    org = Organisation.objects.exclude(pk=need.org_id).order_by("pk")[0]
    old = need.kind
    new = "talent" if old != "talent" else "technology"
    edited(people["broker"], need, {"kind": new, "org_id": org.pk, "text": need.text + "另需两名工程师。"})

    body = page(people["broker"], "history", "needs", need.pk).content.decode()

    assert org.name in body
    assert "<ins>另需两名工程师。</ins>" in body
    assert f"<del>{old}</del>" not in body
    assert LogEntry.objects.filter(action="needs.history", record_id=need.pk).exists()


@pytest.mark.parametrize(
    ("role", "status"),
    [("visitor", 302), ("researcher", 403), ("judge", 403), ("enterprise", 200), ("broker", 200), ("auditor", 200)],
)
def test_history_is_for_owners_stewards_and_auditors(people, role, status):
    need = own_need(people)

    assert page(people[role], "history", "needs", need.pk).status_code == status


def test_history_of_a_draft_does_not_exist_for_others(people):
    need = own_need(people)
    edited(people["enterprise"], need, {"state": "draft"})

    assert page(people["researcher"], "history", "needs", need.pk).status_code == 404
    assert page(people["researcher"], "history", "needs", "no-such").status_code == 404
    assert page(people["researcher"], "history", "nonsense", need.pk).status_code == 404


def test_history_hides_columns_that_the_auditor_may_not_see_now_or_might_not_have_seen_then(people):
    need = own_need(people)
    edited(people["enterprise"], need, {"budget_cny": 7654321.0, "text": "公开的新内容"})
    edited(people["enterprise"], need, {"tiers": {"text": "broker"}, "text": "一时保密的内容"})
    edited(people["enterprise"], need, {"tiers": {}, "text": "又公开"})

    auditor = page(people["auditor"], "history", "needs", need.pk).content.decode()
    owner = page(people["enterprise"], "history", "needs", need.pk).content.decode()

    assert "765.4321 万元" not in auditor
    assert "7,654,321" not in auditor
    assert "7654321" not in auditor
    assert "一时保密的内容" not in auditor
    assert "公开的新内容" in auditor
    assert "765.4321 万元" in owner
    assert "一时保密的内容" in owner


def test_history_names_a_person_to_stewards_and_gives_others_a_pseudonym(people):
    need = own_need(people)
    broker = people["broker"].user
    edited(people["broker"], need, {"title": "新题目"})

    assert f"<span>{broker.name}</span>" in page(people["administrator"], "history", "needs", need.pk).content.decode()
    told = page(people["enterprise"], "history", "needs", need.pk).content.decode()
    assert f"<span>{broker.pseudonym}</span>" in told
    assert f"<span>{broker.name}</span>" not in told


def test_history_keeps_the_pseudonym_of_an_account_that_is_gone(people):
    need, user = own_need(people), people["officer"].user
    pseudonym = user.pseudonym
    edited(people["officer"], need, {"title": "新题目"})
    user.delete()

    assert pseudonym in page(people["broker"], "history", "needs", need.pk).content.decode()


def test_undo_puts_back_and_a_second_click_changes_nothing(people):
    need = own_need(people)
    before = plain(need)
    made = edited(people["enterprise"], need, {"title": "新题目"})
    address = reverse("change_set_undo", args=[made.pk])

    first = people["enterprise"].client.post(address)
    second = people["enterprise"].client.post(address, follow=True)

    assert first.status_code == 302
    assert "已经撤销过了" in second.content.decode()  # web.undone
    assert plain(Need.objects.get(pk=need.pk)) == before
    assert ChangeSet.objects.filter(kind="undo").count() == 1


def test_undo_is_refused_with_the_conflict_when_the_record_has_changed_since(people):
    need = own_need(people)
    made = edited(people["enterprise"], need, {"title": "一"})
    edited(people["broker"], need, {"title": "二"})

    answer = people["enterprise"].client.post(reverse("change_set_undo", args=[made.pk]))

    assert answer.status_code == 409
    assert reverse("history", args=["needs", need.pk]) in answer.content.decode()
    assert Need.objects.get(pk=need.pk).title == "二"


@pytest.mark.parametrize(("role", "status"), [("researcher", 404), ("auditor", 403), ("visitor", 302)])
def test_undo_of_anothers_set_is_not_open(people, role, status):
    need = own_need(people)
    made = edited(people["enterprise"], need, {"title": "一"})

    assert people[role].client.post(reverse("change_set_undo", args=[made.pk])).status_code == status
    assert people["broker"].client.get(reverse("change_set_undo", args=[made.pk])).status_code == 405
    assert Need.objects.get(pk=need.pk).title == "一"


def test_undo_needs_the_right_over_every_record_of_the_set(people):
    need = own_need(people)
    other = Need.objects.exclude(owner_id=need.owner_id).exclude(owner_id="").order_by("pk")[0]
    made = edited(people["broker"], need, {"title": "一"})
    change(people["broker"].actor, "needs", [Edit(other.pk, {"title": "别家"})], within=made)

    answer = people["enterprise"].client.post(reverse("change_set_undo", args=[made.pk]))
    seen = page(people["enterprise"], "change_set", made.pk).content.decode()

    assert answer.status_code == 403
    assert "别家" not in seen
    assert page(people["broker"], "change_set", made.pk).content.decode().partition("<main")[2].count("<li>") == 2


def test_restore_brings_a_deleted_record_back(people):
    work = Work.objects.order_by("pk")[0]
    before = plain(work)
    change(people["broker"].actor, "works", [Edit(work.pk, None)])

    assert "恢复这条记录" in page(people["broker"], "history", "works", work.pk).content.decode()
    assert page(people["enterprise"], "history", "works", work.pk).status_code == 404
    people["broker"].client.post(reverse("restore", args=["works", work.pk]))

    assert plain(Work.objects.get(pk=work.pk)) == before


def test_restore_is_refused_while_what_it_refers_to_is_gone(people):
    person = Expert.objects.create(expert_id="E-gone", name="某人", place=Organisation.objects.first().place)
    work = Work.objects.create(
        key="E-gone~W1", expert=person, work_id="W1", kind="paper", title="题", place=person.place
    )
    made = change(people["broker"].actor, "works", [Edit(work.pk, None)])
    change(people["broker"].actor, "experts", [Edit(person.pk, None)])

    restored = people["broker"].client.post(reverse("restore", args=["works", work.pk]), follow=True)
    undone = people["broker"].client.post(reverse("change_set_undo", args=[made.pk]), follow=True)

    assert "E-gone 已不存在" in restored.content.decode()  # web.restore
    assert "E-gone 已不存在" in undone.content.decode()
    assert not Work.objects.filter(pk=work.pk).exists()


def test_undo_of_an_addition_that_others_refer_to_is_refused(people):
    actor = people["broker"].actor
    made = change(actor, "organisations", [Edit("O-new", {"org_id": "O-new", "name": "新企业", "kind": "enterprise"})])
    change(
        actor, "needs", [Edit("N-new", {"need_id": "N-new", "org_id": "O-new", "title": "题", "kind": "technology"})]
    )

    answer = people["broker"].client.post(reverse("change_set_undo", args=[made.pk]), follow=True)

    assert "无法恢复" in answer.content.decode()
    assert Organisation.objects.filter(pk="O-new").exists()


def test_mine_lists_my_changes_alone(people):
    need = own_need(people)
    edited(people["enterprise"], need, {"title": "我改的"})
    edited(people["broker"], need, {"title": "别人改的"})

    body = page(people["enterprise"], "changes").content.decode()

    assert body.count("恢复到此前") == 1


def test_names_with_markup_are_shown_as_text(people):
    need = own_need(people)
    edited(people["enterprise"], need, {"title": "<script>alert(1)</script>\u202etxt.exe 𠮷"})

    body = page(people["enterprise"], "history", "needs", need.pk).content.decode()

    assert "<script>alert" not in body
    assert "𠮷" in body


@pytest.mark.parametrize("many", [2, 60])
def test_pages_of_history_take_a_fixed_number_of_queries(people, django_assert_max_num_queries, many):
    need, other = own_need(people), Organisation.objects.order_by("pk")[0]
    for number in range(many):
        edited(people["broker"], need, {"title": f"题目 {number}", "org_id": other.pk, "text": f"内容 {number}"})
    last = ChangeSet.objects.order_by("-pk")[0]

    for address in (("history", "needs", need.pk), ("changes",), ("change_set", last.pk)):
        with django_assert_max_num_queries(15):
            assert page(people["broker"], *address).status_code == 200


def test_history_goes_on_page_by_page_without_gap_or_overlap(people):
    need = own_need(people)
    for number in range(45):
        edited(people["broker"], need, {"title": f"第{number}版题目"})
    seen, address = [], reverse("history", args=["needs", need.pk])
    query = ""
    while query is not None:
        found = people["broker"].client.get(address + query).context["page"]
        seen += [e.change.pk for e in found.entries]
        query = f"?before={found.next}" if found.next else None

    assert len(seen) == 45
    assert seen == sorted(seen, reverse=True)
    assert people["broker"].client.get(address + "?before=9" * 30).status_code == 200


@pytest.mark.parametrize("role", ["broker", "administrator", "officer"])
def test_the_set_of_a_merge_takes_few_queries_whatever_it_moved(people, django_assert_max_num_queries, role):
    rows = Organisation.objects.filter(place__path__startswith=people["officer"].actor.paths(["officer"])[0])
    moves = {org.pk: len(merging.plan(rows.exclude(pk=org.pk)[0], org).edits) for org in rows.order_by("pk")}
    gone = rows.get(pk=max(moves, key=lambda pk: moves[pk]))
    kept = rows.exclude(pk=gone.pk).order_by("pk")[0]
    seal = merging.plan(kept, gone).seal
    made = merging.merge(people["broker"].actor, "organisations", kept.pk, gone.pk, chosen={}, seal=seal)
    assert made.changes.rows.values("noun").distinct().count() >= 3

    with django_assert_max_num_queries(15):
        answer = page(people[role], "change_set", made.changes_id)

    assert answer.context["may_undo"] is True
    assert {entry.change.record_id for entry, _ in answer.context["entries"]} >= {kept.pk, gone.pk}


def test_records_of_changes_are_called_as_they_are_called_and_judged_as_the_whole_record(people):
    sets = [(noun, model.objects.order_by("pk").first()) for noun, model in MODELS.items()]
    those = [(noun, record) for noun, record in sets if record is not None]
    rows = [Change(noun=noun, record_id=record.record_id, before={}) for noun, record in those]

    found = records_of(rows)

    for noun, record in those:
        light = found[noun, record.record_id]
        assert (str(light), light.record_id) == (str(record), record.record_id)
        for role in ROLES:
            for action in ("see", "edit", "history", "merge"):
                assert may(people[role].actor, action, light) == may(people[role].actor, action, record), noun
