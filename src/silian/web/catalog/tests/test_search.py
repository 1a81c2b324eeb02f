"""The search: what is found by which words, by whom, and how the page tells it."""

import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.core import mail
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from silian.errors import WebError
from silian.web.base import consents
from silian.web.base.models import LogEntry
from silian.web.base.notifications import letters
from silian.web.catalog.changing import Edit, change
from silian.web.catalog.models import Achievement, Need, Organisation, SavedSearch, Term
from silian.web.catalog.records import queries
from silian.web.catalog.search import finding, indexing, saved, searching
from silian.web.catalog.search.asking import question
from silian.web.catalog.search.finding import Sought
from silian.web.catalog.search.marking import marked
from silian.web.conftest import ROLES


@pytest.fixture
def need(people, settings, tmp_path):
    """A need with a name that nothing else has, in an index of its own."""
    settings.SEARCH_FOLDER = tmp_path / "index"
    need = Need.objects.order_by("pk")[0]
    tell(people, need, title="华合电星高速永磁电机控制", text="现有样机的温升过高，寻求锁相环控制方案。")
    return need


def tell(people, record, **values):
    change(people["broker"].actor, record.noun, [Edit(record.pk, values)])
    indexing.take_in()


def found(people, words, role="visitor", **chosen):
    actor = people[role].actor
    return [i for _, i in searching.search(actor, searching.Wanted(question(words), chosen), limit=50).keys]


@pytest.mark.parametrize(
    "words",
    [
        "永磁电机", "永磁 控制", "永磁馬達", "永磁 motor", "高速永磁电机控制", "ＨＨＤＸ", "hhdx", "hedianxing",
        "huahedianxing", "hua he dian xing", "温升", "永磁",
    ],
)  # fmt: skip
def test_a_need_is_found_by_words_other_names_other_scripts_and_pinyin(people, need, words):
    assert need.pk in found(people, words)


def test_a_code_is_found_whole_or_by_its_beginning_however_it_is_written(people, need):
    org = Organisation.objects.exclude(uscc="").order_by("pk")[0]
    patent = Achievement.objects.order_by("pk")[0]
    tell(people, patent, ip_numbers=["ZL202010123456.7"])

    for words in (org.uscc, org.uscc.lower(), org.uscc[:10], org.pk):
        assert org.pk in found(people, words), words
    for words in ("ZL202010123456.7", "zl 2020 1 0123456.7", "ZL2020101234567"):
        assert found(people, words)[0] == patent.pk, words


def test_names_of_the_registry_are_other_names_and_can_be_left_out(people, need):
    broker = people["broker"].actor
    change(broker, "terms", [Edit("T-x", {"term_id": "T-x", "zh": "锁相环", "en": ["phase-locked loop"]}, 0)])
    assert Term.objects.filter(pk="T-x").exists()
    queries._terms_at.cache_clear()

    with_names = people["visitor"].client.get("/search/?q=phase-locked loop").content.decode()
    plain = people["visitor"].client.get("/search/?q=phase-locked loop&plain=1").content.decode()

    queries._terms_at.cache_clear()
    assert f"/needs/{need.pk}/" in with_names
    assert "phase-locked loop = 锁相环" in with_names
    assert f"/needs/{need.pk}/" not in plain
    assert "同时检索同义词" in plain


@pytest.mark.parametrize("role", ROLES)
def test_counts_of_facets_are_of_what_the_person_may_see(people, need, role):
    Need.objects.filter(pk__in=Need.objects.order_by("pk").values("pk")[:3]).update(state="draft")
    indexing.rebuild()
    actor = people[role].actor

    page = finding.found_page(actor, Sought("", {"noun": "needs"}), "zh")

    own = queries.found_by(actor, queries.FACES["needs"], queries.Asked()).count()
    assert page.count == own
    assert [c.count for c, _ in page.nouns if c.value == "needs"] == [own]
    for facet in page.facets:
        for choice, address in facet.choices:
            if facet.name in ("field", "kind", "state", "district_id"):
                asked = queries.Asked({facet.name: choice.value})
                assert choice.count == queries.found_by(actor, queries.FACES["needs"], asked).count(), address


def test_a_withdrawn_record_shows_nowhere_before_the_index_has_noticed(people, need):
    Need.objects.filter(pk=need.pk).update(state="withdrawn")

    assert "华合电星" not in people["visitor"].client.get("/search/?q=永磁").content.decode().replace("永磁", "")
    assert need.pk not in people["visitor"].client.get("/search/names/?q=hhdx").content.decode()
    assert need.pk in people["broker"].client.get("/search/names/?q=hhdx").content.decode()


def test_a_closed_text_stands_in_no_excerpt(people, need):
    tell(people, need, text="绝密的等离子喷涂", tiers={"text": "broker"})

    pages = {role: people[role].client.get("/search/?q=永磁 喷涂").content.decode() for role in ("visitor", "broker")}

    assert "绝密" not in pages["visitor"]
    assert "绝密" in pages["broker"]


def test_words_found_are_marked_and_names_are_escaped(people, need):
    tell(people, need, title="<script>alert(1)</script>永磁\u202e电机 & 😀")

    page = people["visitor"].client.get("/search/?q=永磁").content.decode()

    assert "<mark>永磁</mark>" in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.lists(st.text(min_size=1, max_size=8), max_size=4))
def test_marking_keeps_the_text(text, words):
    pieces = marked(text, tuple(words))

    joined = "".join(piece.text for piece in pieces)
    assert joined in (text, indexing.normalise_all([text])[0])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=80))
def test_whatever_is_typed_is_answered(people, words):
    client = people["enterprise"].client
    assert client.get(f"/search/?q={quote(words.encode('utf-8', 'replace'))}").status_code == 200
    assert client.get(f"/search/names/?q={quote(words.encode('utf-8', 'replace'))}").status_code == 200


@pytest.mark.parametrize(
    "query", ["noun=password", "noun=labels", "page=9999999", "page=x", "sort=drop", "field=%00", "q=" + "长" * 4000]
)
def test_a_search_answers_whatever_its_address_holds(people, query):
    assert people["visitor"].client.get(f"/search/?{query}").status_code == 200


def test_the_page_costs_at_most_fifteen_queries(people, need, django_assert_max_num_queries):
    for role in ROLES:
        for address in ("/search/?q=电", "/search/?q=电池", "/search/?q=不会有的词", "/search/", "/search/names/?q=电"):
            with django_assert_max_num_queries(15):
                assert people[role].client.get(address).status_code == 200


def test_a_search_that_finds_nothing_offers_what_was_meant(people, need):
    page = people["visitor"].client.get("/search/?q=batery").content.decode()
    assert "batter" in page

    left = finding.found_page(people["visitor"].actor, Sought("永磁 不会有的词"), "zh")
    assert ("永磁", 1) in [(words, count) for words, count, _ in left.meant]

    slip = finding.found_page(people["visitor"].actor, Sought("华合电兴高速永磁电机"), "zh")
    assert need.pk in [result.record.pk for result in slip.near]


def test_names_while_typing_hold_what_was_typed_so_far(people, need):
    for typed in ("华合", "华合电星高", "hhd", "huahe", need.pk):
        page = people["visitor"].client.get(f"/search/names/?q={typed}").content.decode()
        assert f'data-address="/needs/{need.pk}/"' in page, typed
    assert people["visitor"].client.get("/search/names/?q=").content.decode().strip() == ""


def test_the_page_says_how_far_the_index_lags(people, need):
    change(people["broker"].actor, "needs", [Edit(need.pk, {"title": "新题目"})])
    assert "还没有收入检索" not in people["visitor"].client.get("/search/?q=永磁").content.decode()
    indexing.Unindexed.objects.update(at=timezone.now() - timedelta(seconds=30))

    assert "还没有收入检索" in people["visitor"].client.get("/search/?q=永磁").content.decode()
    assert "待收入 1 项" in people["administrator"].client.get("/search/").content.decode()


def test_without_an_index_the_page_says_why(people, settings, tmp_path):
    settings.SEARCH_FOLDER = tmp_path / "nothing"

    page = people["visitor"].client.get("/search/?q=电池").content.decode()

    assert "检索索引尚未建立" in page
    assert people["visitor"].client.get("/search/names/?q=电").status_code == 200


# ── searches that people keep ──


def keep(people, role="enterprise", words="永磁"):
    return people[role].client.post("/searches/save/", {"q": words, "noun": "needs", "name": "永磁电机"})


def test_a_search_is_kept_once_renamed_and_deleted_by_its_person_alone(people, need):
    client, other = people["enterprise"].client, people["broker"].client
    assert keep(people).status_code == 302
    keep(people)
    own = SavedSearch.objects.get()
    assert own.name in client.get("/searches/").content.decode()

    assert other.post(f"/searches/{own.pk}/change/", {"what": "delete"}).status_code == 404
    assert other.post(f"/searches/{own.pk}/open/").status_code == 404
    assert client.post(f"/searches/{own.pk}/change/", {"what": "name", "name": ""}).status_code == 422
    client.post(f"/searches/{own.pk}/change/", {"what": "name", "name": "新名"})
    assert SavedSearch.objects.get().name == "新名"
    client.post(f"/searches/{own.pk}/change/", {"what": "delete"})
    assert not SavedSearch.objects.exists()
    told = [str(entry.detail) for entry in LogEntry.objects.filter(action__startswith="searches.")]
    assert len(told) == 3
    assert not any("永磁" in text for text in told)


def test_keeping_a_search_needs_an_account_and_has_an_end(people, need):
    assert people["visitor"].client.get("/searches/").status_code == 302
    assert people["visitor"].client.post("/searches/save/", {"q": "x"}).status_code == 302
    person = people["enterprise"]
    for number in range(saved.MOST):
        saved.save(person.actor, person.user, "名", Sought(f"词{number}"))

    with pytest.raises(WebError, match=r"web\.searches_full"):
        saved.save(person.actor, person.user, "名", Sought("多"))
    assert (
        "最多保存"
        in people["enterprise"]
        .client.post("/searches/save/", {"q": "又一个", "name": "又一个"}, follow=True)
        .content.decode()
    )


def test_what_is_new_is_counted_by_the_worker_until_the_search_is_opened(people, need):
    keep(people)
    SavedSearch.objects.update(seen_at=timezone.now() + timedelta(seconds=2))
    saved.count_all()
    assert SavedSearch.objects.get().fresh == 0
    SavedSearch.objects.update(seen_at=timezone.now() - timedelta(hours=1))

    saved.count_all()

    own = SavedSearch.objects.get()
    assert own.fresh == 1
    assert "新 1 项" in people["enterprise"].client.get("/searches/").content.decode()
    answer = people["enterprise"].client.post(f"/searches/{own.pk}/open/")
    assert answer["Location"].startswith("/search/?q=")
    assert SavedSearch.objects.get().fresh == 0


def agree_to_letters(people, role="enterprise"):
    consents.give(people[role].actor, people[role].user, consents.Purpose.LETTERS)


def morning():
    return timezone.localtime().replace(hour=8) + timedelta(days=1)


def tidings(now):
    """How many people are told, and how many letters go."""
    return saved.tell_all(now), letters.post(now)


def test_one_letter_a_day_tells_of_searches_with_something_new(people, need):
    keep(people)
    keep(people, words="不会有的词")
    agree_to_letters(people)
    SavedSearch.objects.update(told_at=timezone.now() - timedelta(hours=1))

    assert tidings(morning().replace(hour=3)) == (0, 0)
    assert tidings(morning()) == (1, 1)
    assert tidings(morning()) == (0, 0)

    (letter,) = mail.outbox
    assert letter.to == [people["enterprise"].user.email]
    assert "华合电星高速永磁电机控制" in letter.body
    assert re.search(r"https?://\S+/search/\?q=\S+", letter.body)
    assert "不会有的词" not in letter.body


def test_a_letter_holds_nothing_that_its_person_may_not_see_any_more(people, need):
    keep(people, "judge")
    agree_to_letters(people, "judge")
    SavedSearch.objects.update(told_at=timezone.now() - timedelta(hours=1))
    Need.objects.filter(pk=need.pk).update(state="withdrawn")

    assert tidings(morning()) == (0, 0)
    assert mail.outbox == []


def test_a_letter_that_was_asked_for_names_nothing_that_was_closed_before_it_went(people, need):
    keep(people, "judge")
    agree_to_letters(people, "judge")
    SavedSearch.objects.update(told_at=timezone.now() - timedelta(hours=1))
    assert saved.tell_all(morning()) == 1
    Need.objects.filter(pk=need.pk).update(state="withdrawn")

    assert letters.post(morning()) == 0
    assert mail.outbox == []


def test_no_letter_where_it_was_switched_off(people, need):
    keep(people)
    agree_to_letters(people)
    own = SavedSearch.objects.get()
    people["enterprise"].client.post(f"/searches/{own.pk}/change/", {"what": "letter", "on": "0"})
    SavedSearch.objects.update(told_at=timezone.now() - timedelta(hours=1))

    assert tidings(morning()) == (0, 0)


def test_letters_go_to_whoever_has_agreed_to_letters_and_to_nobody_else(people, need):
    keep(people)
    SavedSearch.objects.update(told_at=timezone.now() - timedelta(hours=1))
    assert tidings(morning()) == (1, 0)  # the site tells everybody
    assert mail.outbox == []

    agree_to_letters(people)
    SavedSearch.objects.update(told_at=timezone.now() - timedelta(hours=1))
    assert tidings(morning() + timedelta(days=1)) == (1, 1)

    consents.take_back(people["enterprise"].actor, people["enterprise"].user, consents.Purpose.LETTERS)
    SavedSearch.objects.update(told_at=timezone.now() - timedelta(hours=1))
    assert tidings(morning() + timedelta(days=2)) == (1, 0)
    assert len(mail.outbox) == 1
