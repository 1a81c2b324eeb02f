"""Forms of the registry: what is typed is saved as it is meant or told to be wrong, and never lost."""

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from silian.tables import schema, uscc
from silian.web.catalog.duplicates import merging
from silian.web.catalog.entry import identifiers
from silian.web.catalog.entry.typed import EntryForm, sections
from silian.web.catalog.models import MODELS, Achievement, Change, Need, Organisation
from silian.web.catalog.records.queries import FACES


def typed(client, address):
    """What a form shows, as a browser would send it back."""
    shown = client.get(address).context
    values = {field.html_name: field.value() for field in shown["form"]}
    sent = {name: value for name, value in values.items() if value not in (None, [])}
    return sent | {"token": shown["token"], "version": shown["version"], "action": "save"}


@pytest.mark.parametrize("noun", FACES)
def test_edit_page_saves_what_it_shows_as_it_was(people, noun):
    record = MODELS[noun].objects.order_by("pk")[0]
    client, address = people["administrator"].client, f"/{noun}/{record.pk}/edit/"

    answer = client.post(address, typed(client, address))

    assert answer.status_code == 302, answer.context["form"].errors
    assert not Change.objects.exists()


@pytest.mark.parametrize("noun", FACES)
def test_create_page_opens_for_who_may_fill_it_in(people, noun):
    seen = {
        role: people[role].client.get(f"/{noun}/new/").status_code for role in ("visitor", "administrator", "judge")
    }

    assert seen == {"visitor": 302, "administrator": 200, "judge": 403}


def test_create_makes_one_record_however_often_it_is_sent(people):
    client = people["enterprise"].client
    sent = typed(client, "/needs/new/") | {"title": "丝杠降噪", "kind": "technology", "action": "publish"}
    count = Need.objects.count()

    first, second = (client.post("/needs/new/", sent) for _ in range(2))

    assert (first.status_code, first.url) == (302, second.url)
    assert Need.objects.count() == count + 1
    made = Need.objects.get(pk=first.url.split("/")[2])
    assert (made.title, made.state, made.owner_id) == (
        "丝杠降噪",
        "published",
        next(iter(people["enterprise"].actor.orgs)),
    )
    assert made.pk == f"N-{timezone.localdate().year}-0001"
    assert made.sources["*"]["source"] == "owner"


# Texts that people and attackers type: any characters of the database's, numbers, dates, lists, marks that turn a line.
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=("Cs",)), max_size=60),
    st.sampled_from(
        [
            "50万", "1.2亿", "2026年1月31日", "2026/1/31", "9" * 40, "1e400", "-1", "\u202e翻转", "a\0b",
            "甲；乙|丙\\；丁",
            "<script>alert(1)</script>", "\U00020000", "x" * 600, "NaN", "=1+1", "（）", "99999-12-31", "O01",
        ]
    ),
)  # fmt: skip
COLUMNS = [(noun, name) for noun in FACES for section in sections(noun) for name in section.columns]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.sampled_from(COLUMNS), text=TEXTS, english=TEXTS)
def test_any_text_is_saved_as_it_is_read_back_or_told_to_be_wrong(people, place, text, english):
    noun, name = place
    record = MODELS[noun].objects.order_by("pk")[0]
    client, address = people["administrator"].client, f"/{noun}/{record.pk}/edit/"
    sent = typed(client, address)
    if name not in sent and not MODELS[noun].table[name].is_key:
        sent[name] = ""
    sent |= {name: text} | ({"en-title": english} if "en-title" in sent else {})

    answer = client.post(address, sent)

    assert answer.status_code in (302, 422)
    if answer.status_code == 422:
        assert answer.context["form"].errors
        assert "en-title" in answer.context["form"].errors or not MODELS[noun].table[name].is_key
    else:  # what was saved is shown, and sent again changes nothing
        changes = Change.objects.count()
        now = MODELS[noun].objects.get(pk=record.pk)
        assert client.post(address, typed(client, address)).status_code == 302
        assert Change.objects.count() == changes
        if MODELS[noun].table[name].type == "text" and MODELS[noun].table[name].format is None:
            assert (getattr(now, name) or "") == text.strip().replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("text", "day"),
    [("2027-01-31", "2027-01-31"), ("2027/1/31", "2027-01-31"), ("2027年1月31日", "2027-01-31"), ("2027-02-30", None)],
)
def test_dates_are_read_in_three_styles(people, text, day):
    form = entry(people, "needs", deadline_on=text)

    assert form.is_valid() == (day is not None)
    assert form.cleaned_data.get("deadline_on") == day


@pytest.mark.parametrize(
    ("text", "sum_"), [("50万", 500_000), ("1.2亿", 120_000_000), ("¥3,000", 3000), ("五十万", None)]
)
def test_money_is_read_in_wan_and_yi(people, text, sum_):
    assert entry(people, "needs", budget_cny=text).cleaned_data.get("budget_cny") == sum_


def entry(people, noun, **texts):
    """A form of a new record that is filled in."""
    base = {"title": "题目", "kind": "technology"}
    form = EntryForm(noun, people["administrator"].actor, "zh", data=base | texts)
    form.is_valid()
    return form


def test_a_record_is_named_by_its_id_its_name_or_both(people):
    org = Organisation.objects.order_by("pk")[0]

    found = {
        entry(people, "needs", org_id=text).cleaned_data.get("org_id")
        for text in (org.pk, org.name, f"{org.name}（{org.pk}）")
    }

    assert found == {org.pk}
    assert "org_id" in entry(people, "needs", org_id="没有这家").errors


def test_a_record_that_one_may_not_see_is_not_offered_and_not_taken(people):
    org = Organisation.objects.exclude(pk__in=people["researcher"].actor.orgs).order_by("pk")[0]
    Organisation.objects.filter(pk=org.pk).update(state="draft")
    actor, client = people["researcher"].actor, people["researcher"].client

    form = EntryForm("achievements", actor, "zh", data={"title": "题目", "org_id": org.pk})
    offered = client.post("/pick/organisations/", {"typed": org.name}).content.decode()

    assert "org_id" in form.errors
    assert org.pk not in offered
    assert org.pk in people["broker"].client.post("/pick/organisations/", {"typed": org.name}).content.decode()


def test_lists_are_one_a_line_and_keep_their_separators(people):
    record = Achievement.objects.order_by("pk")[0]
    client, address = people["administrator"].client, f"/achievements/{record.pk}/edit/"

    client.post(address, typed(client, address) | {"ip_numbers": "ZL1；ZL2\nZL3\\;甲", "expert_ids": "E01\nE02"})

    now = Achievement.objects.get(pk=record.pk)
    assert (now.ip_numbers, now.expert_ids) == (["ZL1", "ZL2", "ZL3;甲"], ["E01", "E02"])
    assert "E01）" in client.get(address).context["form"]["expert_ids"].value()


def test_english_and_tiers_are_kept_beside_the_columns(people):
    need = Need.objects.order_by("pk")[0]
    client, address = people["administrator"].client, f"/needs/{need.pk}/edit/"

    client.post(address, typed(client, address) | {"en-title": "Ball screw", "tier-trl_wanted": "broker"})

    now = Need.objects.get(pk=need.pk)
    assert (now.translations, now.tiers) == ({"title": {"en": "Ball screw"}}, {"trl_wanted": "broker"})
    client.cookies["language"] = "en"
    page = client.get(f"/needs/{need.pk}/").content.decode()
    assert "Ball screw</h1>" in page
    assert 'lang="zh"' in page  # the long text has no English yet
    assert "仅经理人可见" in people["visitor"].client.get(f"/needs/{need.pk}/").content.decode()


def test_nobody_makes_records_in_the_name_of_another_organisation(people):
    client = people["enterprise"].client
    other = Organisation.objects.exclude(pk__in=people["enterprise"].actor.orgs).order_by("pk")[0]
    sent = typed(client, "/needs/new/") | {"title": "冒名", "kind": "technology", "org_id": other.pk}

    answer = client.post("/needs/new/", sent)

    assert answer.status_code == 422
    assert "org_id" in answer.context["form"].errors
    assert not Need.objects.filter(title="冒名").exists()


@pytest.mark.parametrize(
    ("text", "state", "told"),
    [
        ("", "empty", ""),
        ("91110000", "partial", "还差 10 位"),
        ("9111O000600037341L", "wrong", "第 5 位“O”"),
        ("91110000600037341LL", "wrong", "多了 1 位"),
        ("94110000600037341L", "wrong", "第 1–2 位"),
        ("91999999600037341L", "wrong", "第 3–8 位"),
        ("91110000600037342L", "wrong", "第 17 位应为“1”"),
        ("91110000600037341M", "wrong", "第 18 位应为“L”"),
        ("9111 0000 6000 3734 1l", "right", "校验通过"),
        ("💥" * 18, "wrong", "第 1 位"),
    ],
)
def test_uscc_is_told_character_by_character(people, text, state, told):
    found = identifiers.tell(people["broker"].actor, "uscc", text)

    assert found.state == state
    assert told in found.text


def test_uscc_that_is_registered_names_its_holder_to_who_may_see_it(people):
    org = Organisation.objects.exclude(uscc="").order_by("pk")[0]
    Organisation.objects.filter(pk=org.pk).update(state="draft")

    seen = people["broker"].client.post("/check/uscc/", {"uscc": org.uscc}).content.decode()
    hidden = people["visitor"].client.post("/check/uscc/", {"uscc": org.uscc}).content.decode()

    assert "已登记" in seen
    assert org.name in seen
    assert org.name not in hidden
    assert uscc.problem(org.uscc) is None


def test_orcid_and_doi_are_checked_alike(people):
    client = people["broker"].client

    assert "校验通过" in client.post("/check/orcid/", {"orcid": "0000-0002-1825-0097"}).content.decode()
    assert 'class="told wrong"' in client.post("/check/orcid/", {"orcid": "0000-0002-1825-0098"}).content.decode()
    assert 'class="told right"' in client.post("/check/doi/", {"doi": "10.1000/182"}).content.decode()
    assert client.post("/check/ipc/", {"ipc": "A61K"}).status_code == 404


@pytest.mark.parametrize("noun", FACES)
def test_sections_hold_every_column_but_the_key(noun):
    held = [name for section in sections(noun) for name in section.columns]
    keys = [] if noun == "works" else list(schema.tables()[noun].key)

    assert sorted([*held, *keys, *(["work_id"] if noun == "works" else [])]) == sorted(
        c.name for c in schema.tables()[noun].columns
    )


def test_form_takes_an_old_id_for_the_record_it_was_merged_into(people):
    actor, client = people["administrator"].actor, people["administrator"].client
    kept, gone = Organisation.objects.order_by("pk")[:2]
    merging.merge(actor, "organisations", kept.pk, gone.pk, chosen={}, seal=merging.plan(kept, gone).seal)
    sent = typed(client, "/achievements/new/") | {"title": "新成果", "org_id": gone.pk, "action": "publish"}

    answer = client.post("/achievements/new/", sent)

    assert answer.status_code == 302, answer.context["form"].errors
    assert Achievement.objects.get(title="新成果").org_id == kept.pk


def test_a_code_that_is_taken_is_saved_only_on_purpose_and_the_history_says_why(people):
    first, second = Organisation.objects.exclude(uscc="").order_by("pk")[:2]
    client, address = people["broker"].client, f"/organisations/{second.pk}/edit/"
    sent = typed(client, address) | {"uscc": first.uscc}

    refused = client.post(address, sent)
    half = client.post(address, sent | {"anyway": "1", "anyway_reason": "  "})

    assert (refused.status_code, half.status_code) == (422, 422)
    assert "仍要保存" in refused.content.decode()
    assert f'href="/organisations/{first.pk}/"' in refused.content.decode()
    assert Organisation.objects.get(pk=second.pk).uscc == second.uscc
    assert client.post(address, sent | {"anyway": "1", "anyway_reason": "分公司沿用总公司代码"}).status_code == 302
    assert Organisation.objects.get(pk=second.pk).uscc == first.uscc
    assert "分公司沿用总公司代码" in client.get(f"/organisations/{second.pk}/history/").content.decode()
    assert client.post(address, typed(client, address)).status_code == 302  # what is so is not asked for again


def test_a_record_with_a_taken_code_is_not_published_by_the_way(people):
    first, second = Organisation.objects.exclude(uscc="").order_by("pk")[:2]
    Organisation.objects.filter(pk=second.pk).update(uscc=first.uscc, state="draft")
    client = people["broker"].client

    answer = client.post(f"/organisations/{second.pk}/publish/")

    assert answer.url == f"/organisations/{second.pk}/edit/"
    assert Organisation.objects.get(pk=second.pk).state == "draft"
    sent = typed(client, answer.url) | {"action": "publish"}
    assert client.post(answer.url, sent).status_code == 422
    assert client.post(answer.url, sent | {"anyway": "1", "anyway_reason": "已核对"}).status_code == 302
    assert Organisation.objects.get(pk=second.pk).state == "published"
    Organisation.objects.filter(pk=first.pk).update(state="withdrawn")
    Organisation.objects.filter(pk=second.pk).update(state="draft")
    assert client.post(f"/organisations/{second.pk}/publish/").url == f"/organisations/{second.pk}/"


def test_a_taken_code_does_not_name_a_record_that_the_person_may_not_see(people):
    hidden = Organisation.objects.exclude(uscc="").order_by("pk")[1]
    Organisation.objects.filter(pk=hidden.pk).update(state="draft", name="隐名股份公司")
    own = Organisation.objects.get(pk=next(iter(people["enterprise"].actor.orgs - {hidden.pk})))
    client, address = people["enterprise"].client, f"/organisations/{own.pk}/edit/"

    answer = client.post(address, typed(client, address) | {"uscc": hidden.uscc})

    assert answer.status_code == 422
    assert "另一条您看不到的记录" in answer.content.decode()
    assert "隐名股份公司" not in answer.content.decode()
