"""The profile of a need or achievement: prefilled from what is public and English; what it lacks is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from silian.web.base.models import LogEntry
from silian.web.catalog.changing import Edit, change
from silian.web.catalog.models import Achievement, Need
from silian.web.catalog.rules import may
from silian.web.standards import een, public

TAG = f"{{{een.NAMESPACE}}}"
TEXT = "We look for a coating that lasts ten years outdoors. It must be free of solvents. " * 3
GIVEN = {
    "type": "TR", "title": "Solvent-free coating wanted", "summary": "A coating is wanted.", "description": TEXT,
    "partner": "An institute that develops coatings", "cooperation": ["technical"], "keywords": "coating; polymers",
    "dissemination": "Germany, France", "stage": "prototype", "ipr": "none",
}  # fmt: skip


def keepers(people) -> set[str]:
    record = Need.objects.select_related("place").get(pk="N01")
    return {role for role, person in people.items() if may(person.actor, "edit", record)}


def test_a_complete_profile_follows_the_schema_and_is_logged(people):
    owner = people["enterprise"].client
    answer = owner.post("/standards/een/needs/N01/", GIVEN)
    root = etree.fromstring(answer.content)

    assert answer.status_code == 200
    assert 'filename="EEN-N01.xml"' in answer["Content-Disposition"]
    assert een.schema_of_profiles().validate(root)
    assert root.findtext(f"{TAG}type") == "TR"
    assert root.findtext(f"{TAG}stage") == "Prototype available for demonstration"
    assert [word.text for word in root.iter(f"{TAG}technologyKeyword")] == ["coating", "polymers"]
    assert root.findtext(f"{TAG}client/{TAG}country") == "CN"
    assert root.findtext(f"{TAG}source").endswith("/needs/N01/")
    assert LogEntry.objects.filter(action="needs.een", record_id="N01").count() == 1


def test_what_is_lacking_is_told_before_and_after(people):
    owner = people["enterprise"].client
    before = owner.get("/standards/een/needs/N01/").content.decode()
    after = owner.post("/standards/een/needs/N01/", {"type": "TO", "title": "固态电池", "description": "short"})
    errors = after.context["form"].errors

    assert "还要填：" in before
    assert "英文标题" in before.partition("还要填：")[2][:80]
    assert after.status_code == 422
    assert set(errors) == {
        "title",
        "summary",
        "description",
        "partner",
        "cooperation",
        "dissemination",
        "advantages",
        "stage",
    }
    assert "英文" in errors["title"][0]
    assert 'value="固态电池"' in after.content.decode()  # what was typed is still there


def test_english_beside_the_chinese_is_prefilled_and_what_is_not_public_is_not(people):
    english = {
        "title": {"en": "Solid-state battery"},
        "text": {"en": "A need. It is long."},
        "not_wanted": {"en": "Secret"},
    }
    change(people["broker"].actor, "needs", [Edit("N01", {"translations": english, "budget_cny": 777777.0})])
    page = people["enterprise"].client.get("/standards/een/needs/N01/").content.decode()

    assert 'value="Solid-state battery"' in page
    assert "A need. It is long." in page
    assert "Secret" not in page
    assert "777" not in page


@pytest.mark.parametrize(
    ("kind", "type_"), [("technology", "TR"), ("cooperation", "RDR"), ("digital", "BR"), ("talent", "")]
)
def test_the_type_follows_from_the_kind_of_the_need(registry, kind, type_):
    need = Need.objects.select_related("place").order_by("pk")[0]
    need.kind = kind

    assert een.type_of(public.facts_of(need)) == type_


@pytest.mark.parametrize(
    ("trl", "stage"),
    [(1, "concept"), (3, "concept"), (4, "lab_tested"), (6, "prototype"), (8, "field_tested"), (9, "market")],
)
def test_the_stage_follows_from_the_readiness(registry, trl, stage):
    one = Achievement.objects.select_related("place").filter(state="published").order_by("pk")[0]
    one.trl = trl

    assert een.initial(public.facts_of(one))["stage"] == stage
    assert een.initial(public.facts_of(one))["type"] == "TO"


def test_a_profile_is_for_who_keeps_the_record_and_of_what_is_published(people):
    keeping = keepers(people)
    codes = {role: p.client.post("/standards/een/needs/N01/", GIVEN).status_code for role, p in people.items()}
    change(people["broker"].actor, "needs", [Edit("N01", {"state": "withdrawn"})])
    gone = people["enterprise"].client.post("/standards/een/needs/N01/", GIVEN)

    assert {role for role, code in codes.items() if code == 200} == keeping
    assert codes["visitor"] == 302
    assert codes["judge"] == codes["auditor"] == codes["researcher"] == 403
    assert gone["Content-Type"].startswith("text/html")
    assert "请先发布" in gone.content.decode()
    assert people["enterprise"].client.get("/standards/een/organisations/O01/").status_code == 404


def test_the_button_stands_where_it_can_be_used(people):
    with_button = {
        role for role, p in people.items() if b"/standards/een/needs/N01/" in p.client.get("/needs/N01/").content
    }  # fmt: skip

    assert with_button == keepers(people)


ANY = st.text(max_size=300)


@given(ANY, ANY, ANY, st.lists(ANY, max_size=7))
def test_whatever_is_typed_gives_errors_or_a_valid_profile(title, summary, partner, words):
    facts = public.Facts("needs", "N01", {"title": "x"})
    form = een.Profile(GIVEN | {"title": title, "summary": summary, "partner": partner, "keywords": ";".join(words)})
    if form.is_valid():
        from datetime import date

        written = een.profile(facts, form.cleaned_data, organisation=None, until=date(2027, 1, 1))
        een.schema_of_profiles().assertValid(etree.fromstring(written))


def test_signs_that_cannot_be_seen_do_not_fill_a_field():
    form = een.Profile(GIVEN | {"partner": "\x1f\x08", "description": "short" + "\x0b" * 200})

    assert set(form.errors) == {"partner", "description"}
