"""Topics of experts: what they are told from, who may change them, and where they go when records do."""

import io

import pytest
from django.core.management import call_command
from django.urls import reverse

from silian.web.base import personal
from silian.web.base.models import LogEntry
from silian.web.catalog.changing import Edit, change, undo
from silian.web.catalog.duplicates import merging
from silian.web.catalog.models import Achievement, ChangeSet, Expert, SimilarExpert, Topic, TopicsDue
from silian.web.catalog.rules import shown
from silian.web.catalog.topics.striking import similar_to, strike_out, topics_of
from silian.web.catalog.topics.telling import tell_all, tell_due

SECRET = "量子点墨水"


@pytest.fixture
def expert(people):
    return Expert.objects.get(pk=people["researcher"].user.expert_id)


@pytest.fixture
def other(expert):
    return Expert.objects.exclude(pk=expert.pk).filter(state="published").order_by("pk")[0]


@pytest.fixture
def written(people, expert, other):
    """Both experts write of perovskite ink, the first one most of all; all topics are told."""
    add_works(people["broker"].actor, expert.pk, 4)
    add_works(people["broker"].actor, other.pk, 3, start=30)
    tell_all()
    return expert


def add_works(actor, expert_id, count, title="钙钛矿墨水喷印 {n} 号", text="", start=0, **more):
    kinds = {"kind": "paper", "title": title, "text": text, **more}
    rows = [
        Edit(f"{expert_id}~T{n}", {**kinds, "expert_id": expert_id, "work_id": f"T{n}", "title": title.format(n=n)})
        for n in range(start, start + count)
    ]
    change(actor, "works", rows)


def names(expert_id):
    return list(Topic.objects.filter(expert_id=expert_id).order_by("-weight", "term").values_list("term", flat=True))


def page(client, expert):
    answer = client.get(reverse("detail", args=["experts", expert.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def says(term):
    """How a page tells a topic: the words stand in titles of works as well."""
    return f'<span class="term">{term}</span>'


def post(client, expert, **values):
    return client.post(reverse("topic_strike", args=[expert.pk]), values)


def perovskite(expert_id):
    return next(term for term in names(expert_id) if "墨水" in term)


def test_topics_name_what_an_expert_writes_of_more_than_others_do(written, people):
    found, struck = topics_of(written)

    assert "墨水" in found[0].term
    assert found[0].weight == 1.0
    assert (found[0].texts, struck) == (4, [])
    assert says(found[0].term) in page(people["visitor"].client, written)


def test_a_change_is_told_by_the_worker_and_not_by_the_page(written, people):
    before = names(written.pk)

    change(people["broker"].actor, "works", [Edit(f"{written.pk}~T{n}", None) for n in range(4)])
    page(people["visitor"].client, written)

    assert names(written.pk) == before
    assert tell_due() > 0
    assert not any("墨水" in term for term in names(written.pk))
    assert tell_due() == 0


def test_telling_some_equals_telling_all(written, people):
    whole = list(Topic.objects.order_by("expert_id", "term").values_list("expert_id", "term", "weight", "texts"))

    TopicsDue.objects.bulk_create(TopicsDue(expert_id=pk) for pk in Expert.objects.values_list("pk", flat=True))
    tell_due()

    again = list(Topic.objects.order_by("expert_id", "term").values_list("expert_id", "term", "weight", "texts"))
    assert [row[:2] + row[3:] for row in again] == [row[:2] + row[3:] for row in whole]
    assert [row[2] for row in again] == pytest.approx([row[2] for row in whole])


def test_texts_that_are_not_public_make_no_topic(people, expert, other):
    broker = people["broker"].actor
    closed = {"tiers": {"text": "broker"}}
    add_works(broker, expert.pk, 4, title="一般工作 {n}", text=f"{SECRET}的研究", **closed)
    add_works(broker, expert.pk, 4, title=f"{SECRET}草稿 {{n}}", start=10, state="draft")
    change(broker, "experts", [Edit(expert.pk, {"profile": f"研究{SECRET}", "tiers": {"profile": "mutual"}})])
    made = {"title": f"{SECRET}成果", "text": "", "expert_ids": [expert.pk]}
    change(
        broker,
        "achievements",
        [Edit(f"AX{n}", made | {"achievement_id": f"AX{n}", "tiers": {"expert_ids": "broker"}}) for n in range(4)],
    )
    add_works(broker, other.pk, 4, title=f"{SECRET}公开 {{n}}", start=20)  # so that the words are topics of somebody

    tell_all()

    assert any("量子" in term or "墨水" in term for term in names(other.pk))
    assert not any("量子" in term or "墨水" in term for term in names(expert.pk))
    assert other.pk not in SimilarExpert.objects.filter(expert_id=expert.pk).values_list("other_id", flat=True)


def test_nothing_is_told_of_an_expert_who_is_not_public(written, people):
    change(people["broker"].actor, "experts", [Edit(written.pk, {"state": "withdrawn"})])
    tell_due()

    assert names(written.pk) == []


def test_similar_experts_are_those_whom_the_reader_may_see(written, other, people):
    assert other in similar_to(people["visitor"].actor, written)

    Expert.objects.filter(pk=other.pk).update(state="withdrawn")

    assert other not in similar_to(people["visitor"].actor, written)
    assert other in similar_to(people["administrator"].actor, written)
    assert len(similar_to(people["administrator"].actor, written)) <= 8


@pytest.mark.parametrize("role", ["researcher", "broker"])
def test_who_keeps_an_expert_strikes_a_topic_out_and_it_stays_out(written, people, role):
    term = perovskite(written.pk)

    assert post(people[role].client, written, term=term).status_code == 302
    tell_all()

    written.refresh_from_db()
    assert written.topics_struck == [term]
    assert says(term) not in page(people["visitor"].client, written)
    assert says(term) in page(people[role].client, written)
    post(people[role].client, written, term=term, verb="back")
    assert says(term) in page(people["visitor"].client, written)


def test_striking_is_in_the_history_the_log_and_can_be_undone(written, people):
    term, actor = perovskite(written.pk), people["researcher"].actor

    strike_out(actor, written, term)

    assert LogEntry.objects.filter(action="experts.edit", record_id=written.pk, who=actor.pseudonym).exists()
    history = people["researcher"].client.get(reverse("history", args=["experts", written.pk])).content.decode()
    assert term in history
    undo(actor, ChangeSet.objects.latest("pk"))
    written.refresh_from_db()
    assert written.topics_struck == []


def test_others_strike_nothing(written, people):
    term = perovskite(written.pk)

    assert post(people["visitor"].client, written, term=term).url.startswith(reverse("account_login"))
    assert post(people["judge"].client, written, term=term).status_code == 403
    written.refresh_from_db()
    assert written.topics_struck == []
    assert "topics_struck" not in shown(people["visitor"].actor, written)


def test_only_what_is_a_topic_is_struck_out_once(written, people):
    client, term = people["researcher"].client, perovskite(written.pk)

    for wrong in ("<script>alert(1)</script>", "无此主题" * 100, "", "\0"):
        post(client, written, term=wrong)
    for _twice in range(2):
        post(client, written, term=term)

    written.refresh_from_db()
    assert written.topics_struck == [term]


def test_a_merge_brings_texts_and_strikes_together_and_its_undo_parts_them(written, other, people):
    actor, term = people["administrator"].actor, perovskite(written.pk)
    strike_out(actor, other, perovskite(other.pk))
    before = {pk: names(pk) for pk in (written.pk, other.pk)}
    kept, gone = Expert.objects.get(pk=written.pk), Expert.objects.get(pk=other.pk)

    plan = merging.plan(kept, gone)
    merged = merging.merge(actor, "experts", kept.pk, gone.pk, chosen={}, seal=plan.seal)
    tell_due()

    assert names(gone.pk) == []
    kept.refresh_from_db()
    assert term in kept.topics_struck
    assert Topic.objects.get(expert_id=kept.pk, term=term).texts == 7
    undo(actor, merged.changes)
    tell_due()
    assert {pk: names(pk) for pk in before} == before


@pytest.mark.parametrize(("wish", "left"), [("anonymise", False), ("withdraw", False), ("keep", True)])
def test_topics_go_with_the_person(written, people, wish, left):
    user = people["researcher"].user
    strike_out(people["researcher"].actor, written, perovskite(written.pk))

    told = {section.name: section.rows for section in personal.held(user)}
    personal.erase(user, personal.Wish(expert=wish))

    assert told["研究主题"]
    assert bool(names(written.pk)) == left
    assert SimilarExpert.objects.filter(other_id=written.pk).exists() == left
    tell_due()
    assert bool(names(written.pk)) == left
    written.refresh_from_db()
    assert bool(written.topics_struck) == (wish != "anonymise")


def test_a_topic_keeps_the_day_since_which_it_is_one(written):
    Topic.objects.filter(expert_id=written.pk).update(since="2020-01-02")

    call_command("topics", stdout=io.StringIO())

    assert {str(day) for day in Topic.objects.filter(expert_id=written.pk).values_list("since", flat=True)} == {
        "2020-01-02"
    }


def test_an_expert_page_costs_the_same_with_few_and_many_topics(people, expert, django_assert_max_num_queries):
    client = people["researcher"].client
    for count in (0, 200):
        Topic.objects.bulk_create(
            Topic(expert_id=expert.pk, term=f"主题{n}", weight=0.5, texts=1, since="2026-01-01") for n in range(count)
        )
        others = Expert.objects.exclude(pk=expert.pk).values_list("pk", flat=True) if count else []
        SimilarExpert.objects.bulk_create(SimilarExpert(expert_id=expert.pk, other_id=i, likeness=0.5) for i in others)
        with django_assert_max_num_queries(15):
            page(client, expert)


def test_achievements_tell_of_the_experts_that_they_name(people, expert):
    made = {"title": "仿生鳞片减阻涂层", "text": "仿生鳞片减阻涂层", "expert_ids": [expert.pk], "state": "published"}
    change(
        people["broker"].actor, "achievements", [Edit(f"AY{n}", made | {"achievement_id": f"AY{n}"}) for n in (1, 2, 3)]
    )
    tell_all()

    assert any("鳞片" in term or "仿生" in term for term in names(expert.pk))
    assert Achievement.objects.filter(pk__startswith="AY").count() == 3
