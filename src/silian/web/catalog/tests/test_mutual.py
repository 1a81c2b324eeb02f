"""What mutual interest opens is open wherever the record shows itself, to the two sides alone, and closes again."""

import re

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse

from silian.web.base.models import Membership
from silian.web.catalog.beside import interests
from silian.web.catalog.changing import Edit, change
from silian.web.catalog.models import Attachment, Expert, Interest, Need
from silian.web.catalog.records.queries import FACES, Asked, listed
from silian.web.catalog.search import indexing, saved
from silian.web.catalog.search.finding import Sought, found_page
from silian.web.conftest import ROLES

OPENED, KEPT, FILE = "绝不接受的方案", "只给经理人的正文", "双方有意后的附件"
EVERYWHERE = {"record", "list", "search", "list by word", "export", "export by word", "attachments", "attachment"}


@pytest.fixture
def need(people, settings, tmp_path) -> Need:
    """A need of the enterprise with columns and a file for mutual interest, and a text for brokers."""
    own = Need.objects.filter(owner_id__in=people["enterprise"].actor.orgs).order_by("pk")[0]
    tiers = {"text": "broker", "trl_wanted": "mutual"}
    values = {"title": "公开的题目", "not_wanted": [OPENED], "text": KEPT, "trl_wanted": 7, "tiers": tiers}
    change(people["broker"].actor, "needs", [Edit(own.pk, values | {"state": "published"})])
    file = Attachment(
        noun="needs", record_id=own.pk, name=f"{FILE}.txt", size=1, sha256="0", media_type="text/plain",
        tier="mutual", state="clean", by=people["enterprise"].user,
    )  # fmt: skip
    file.file.save("x", ContentFile("附件正文".encode()))
    settings.SEARCH_FOLDER = tmp_path / "index"
    indexing.rebuild()
    return Need.objects.select_related("place").get(pk=own.pk)


def body(answer) -> str:
    return (b"".join(answer) if answer.streaming else answer.content).decode("utf-8-sig")


def taken(person, asked="") -> str:
    answer = person.client.post(reverse("export_make", args=["needs"]), {"form": "csv", "asked": asked})
    return body(answer) if answer.status_code == 200 else ""


def open_at(person, need) -> set[str]:
    """Where a person sees what is for mutual interest."""
    get, own = person.client.get, f'href="{reverse("detail", args=["needs", need.pk])}"'
    row = re.search(r"公开的题目.*?</tr>", body(get("/needs/")).partition("<tbody>")[2], re.DOTALL)
    told = {
        "record": OPENED in body(get(reverse("detail", args=["needs", need.pk]))),
        "list": row is not None and re.search(r">\s*7\s*<", row.group()) is not None,
        "search": own in body(get("/search/", {"q": OPENED})),
        "list by word": own in body(get("/needs/", {"q": OPENED})),
        "export": OPENED in taken(person),
        "export by word": need.pk in taken(person, f"q={OPENED}"),
        "attachments": FILE in body(get(reverse("attachments", args=["needs", need.pk]))),
        "attachment": "附件正文" in body(get(reverse("attachment", args=[Attachment.objects.get().key]))),
    }
    return {name for name, is_open in told.items() if is_open}


def agree(people, need, **given) -> Interest:
    people["researcher"].client.post(reverse("interest_ask", args=["needs", need.pk]), given)
    asked = Interest.objects.get()
    people["enterprise"].client.post(reverse("interest_answer", args=[asked.pk]), {"answer": "agree"})
    return asked


def test_mutual_interest_opens_everywhere_and_to_nobody_else_and_closes_everywhere(people, need):
    before = {role: open_at(people[role], need) for role in ROLES}
    assert before["researcher"] == before["visitor"] == before["judge"] == set()
    assert before["enterprise"] == before["broker"] == EVERYWHERE

    asked = agree(people, need)
    assert {role: open_at(people[role], need) for role in ROLES} == before | {"researcher": EVERYWHERE}

    people["researcher"].client.post(reverse("interest_withdraw", args=[asked.pk]))
    assert {role: open_at(people[role], need) for role in ROLES} == before


def test_mutual_interest_opens_nothing_that_is_for_brokers(people, need):
    agree(people, need)
    client = people["researcher"].client

    pages = [client.get("/search/", {"q": KEPT}), client.get("/needs/", {"q": KEPT})]

    assert not [page for page in pages if f'href="{reverse("detail", args=["needs", need.pk])}"' in body(page)]
    assert KEPT not in taken(people["researcher"])


def test_mutual_interest_of_one_record_opens_no_other_with_the_same_words(people, need):
    other = Need.objects.exclude(owner_id__in=people["enterprise"].actor.orgs).exclude(pk=need.pk).order_by("pk")[0]
    change(people["broker"].actor, "needs", [Edit(other.pk, {"not_wanted": [OPENED]})])
    indexing.rebuild()
    agree(people, need)

    page = body(people["researcher"].client.get("/search/", {"q": OPENED}))

    assert reverse("detail", args=["needs", need.pk]) in page
    assert reverse("detail", args=["needs", other.pk]) not in page


def test_mutual_interest_opens_the_past_of_a_column_to_an_auditor_of_that_side(people, need):
    auditor, org = people["auditor"], next(iter(people["researcher"].actor.orgs))
    page = reverse("history", args=["needs", need.pk])
    asked = agree(people, need, org=org)
    assert OPENED not in body(auditor.client.get(page))

    Membership.objects.create(user=auditor.user, org_id=org)
    seen = body(auditor.client.get(page))
    people["researcher"].client.post(reverse("interest_withdraw", args=[asked.pk]))

    assert OPENED in seen
    assert KEPT not in seen
    assert OPENED not in body(auditor.client.get(page))


def test_mutual_interest_opens_the_fee_of_the_expert_who_asked_in_lists_and_files(people, need):
    expert = Expert.objects.get(pk=people["researcher"].actor.expert_id)
    Expert.objects.filter(pk=expert.pk).update(fee_cny=98765441, state="published")
    owner = people["enterprise"]

    def fee_in_file(person) -> bool:
        answer = person.client.post(reverse("export_make", args=["experts"]), {"form": "csv", "asked": ""})
        return "98765441" in body(answer)

    assert not fee_in_file(owner)
    agree(people, need)
    assert fee_in_file(owner)
    assert not fee_in_file(people["judge"])


def test_mutual_interest_costs_one_query_for_a_page_of_records(people, need, django_assert_num_queries):
    actor = people["researcher"].actor
    administrator = people["administrator"].actor
    agreed = {"noun": "needs", "by": people["researcher"].user, "pseudonym": "x", "state": "agreed"}
    Interest.objects.bulk_create(Interest(record_id=pk, **agreed) for pk in Need.objects.values_list("pk", flat=True))

    with django_assert_num_queries(1):
        assert ("needs", need.pk) in interests.opened(actor)
    with django_assert_num_queries(4):  # what is open, the page, what is over, names of districts
        listed(actor, FACES["needs"], Asked(), "zh")
    with django_assert_num_queries(0):
        assert interests.opened(administrator) == frozenset()


def test_search_that_is_kept_finds_what_mutual_interest_opened(people, need):
    person = people["researcher"]
    kept = saved.save(person.actor, person.user, "方案", Sought(OPENED))
    assert found_page(person.actor, Sought(OPENED), "zh").count == 0

    agree(people, need)
    saved.count_all()

    kept.refresh_from_db()
    assert found_page(person.actor, Sought(OPENED), "zh").count == 1
    assert kept.fresh in (0, 1)
