"""The protocol: each verb, each error, lists that go on while the registry changes, what is gone."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import signing
from django.utils import timezone

from silian.web.catalog.changing import Edit, change
from silian.web.catalog.duplicates import merging
from silian.web.catalog.models import Achievement, Expert, Organisation, Work
from silian.web.standards.oai import protocol, sources
from silian.web.standards.tests.conftest import OAI
from silian.web.standards.tests.profile import CERIF, faults

VERBS = tuple(protocol.VERBS)
ERRORS = (
    ("badVerb", {}),
    ("badVerb", {"verb": "listrecords"}),
    ("badArgument", {"verb": "Identify", "set": "x"}),
    ("badArgument", {"verb": "ListRecords"}),
    ("badArgument", {"verb": "ListRecords", "metadataPrefix": ""}),
    ("badArgument", {"verb": "ListRecords", "metadataPrefix": "oai dc"}),
    ("badArgument", {"verb": "ListRecords", "metadataPrefix": "oai_dc", "since": "yesterday"}),
    ("badArgument", {"verb": "ListRecords", "metadataPrefix": "oai_dc", "since": "2026-02-30"}),
    ("badArgument", {"verb": "ListRecords", "metadataPrefix": "oai_dc", "until": "2026-01-01T00:00:00"}),
    ("badArgument", {"verb": "ListRecords", "metadataPrefix": "oai_dc", "since": "2026-01-02", "until": "2026-01-01"}),
    ("badArgument", {"verb": "ListRecords", "metadataPrefix": "oai_dc", "since": "2026-01-01",
                     "until": "2026-01-02T00:00:00Z"}),
    ("badArgument", {"verb": "ListRecords", "metadataPrefix": "oai_dc", "resumptionToken": "x"}),
    ("badArgument", {"verb": "ListRecords", "metadataPrefix": "oai_dc", "since": "２０２６-01-01"}),
    ("badArgument", {"verb": "ListRecords", "metadataPrefix": "oai_dc", "set": "a b"}),
    ("badArgument", {"verb": "ListRecords", "metadataPrefix": "oai_dc", "set": ":"}),
    ("badArgument", {"verb": "ListRecords", "metadataPrefix": "oai_dc", "set": ""}),
    ("badArgument", {"verb": "ListRecords", "metadataPrefix": "marc21", "set": "a b"}),
    ("badArgument", {"verb": "GetRecord", "metadataPrefix": "oai_dc"}),
    ("badArgument", {"verb": "GetRecord", "identifier": "oai:x.y:z"}),
    ("badResumptionToken", {"verb": "ListRecords", "resumptionToken": "x"}),
    ("badResumptionToken", {"verb": "ListSets", "resumptionToken": "x"}),
    ("cannotDisseminateFormat", {"verb": "ListIdentifiers", "metadataPrefix": "marc21"}),
    ("cannotDisseminateFormat", {"verb": "GetRecord", "metadataPrefix": "marc21",
                                 "identifier": "oai:silian.localhost:OrgUnits/organisations.O01"}),
    ("cannotDisseminateFormat", {"verb": "GetRecord", "metadataPrefix": "oai_cerif_openaire",
                                 "identifier": "oai:silian.localhost:Needs/needs.N01"}),
    ("idDoesNotExist", {"verb": "GetRecord", "metadataPrefix": "oai_dc", "identifier": "oai:other.org:OrgUnits/1"}),
    ("idDoesNotExist", {"verb": "GetRecord", "metadataPrefix": "oai_dc", "identifier": "nonsense"}),
    ("idDoesNotExist", {"verb": "ListMetadataFormats",
                        "identifier": "oai:silian.localhost:OrgUnits/organisations.none"}),
    ("noRecordsMatch", {"verb": "ListRecords", "metadataPrefix": "oai_dc", "until": "1999-12-31"}),
    ("noRecordsMatch", {"verb": "ListRecords", "metadataPrefix": "oai_dc", "set": "openaire_cris_events"}),
    ("noRecordsMatch", {"verb": "ListRecords", "metadataPrefix": "oai_cerif_openaire", "set": "silian_needs"}),
)  # fmt: skip


@pytest.mark.parametrize(("code", "arguments"), ERRORS)
def test_each_wrong_request_gets_its_error(harvester, code, arguments):
    assert harvester.error(**arguments) == code


def test_an_argument_given_twice_is_wrong(people):
    answer = people["visitor"].client.get("/oai?verb=ListSets&verb=Identify")
    twice = people["visitor"].client.get("/oai?verb=ListRecords&metadataPrefix=oai_dc&metadataPrefix=oai_dc")

    assert b'code="badVerb"' in b"".join(answer)
    assert b'code="badArgument"' in b"".join(twice)


def test_what_is_posted_is_answered_alike(people):
    client = people["visitor"].client
    asked = {"verb": "ListIdentifiers", "metadataPrefix": "oai_dc", "set": "silian_needs"}
    got, posted = (b"".join(answer) for answer in (client.get("/oai", asked), client.post("/oai", asked)))

    assert re.sub(rb"<responseDate>.*?</responseDate>", b"", got) == re.sub(
        rb"<responseDate>.*?</responseDate>", b"", posted
    )


def test_the_request_comes_back_unless_it_made_no_sense(harvester):
    right = harvester.ask(verb="ListRecords", metadataPrefix="oai_dc", until="1999-12-31").find(f"{OAI}request")
    wrong = harvester.ask(verb="Nonsense", metadataPrefix="oai_dc").find(f"{OAI}request")

    assert dict(right.attrib) == {"verb": "ListRecords", "metadataPrefix": "oai_dc", "until": "1999-12-31"}
    assert dict(wrong.attrib) == {}
    assert right.text == "http://localhost/oai"


# ── what the validator of the guidelines checks; the numbers are its own ──────────────────────────────────────────


def test_identify_names_the_repository_once_and_the_service_once(harvester):
    found = harvester.ask(verb="Identify").find(f"{OAI}Identify")
    services = list(found.iter(f"{CERIF}Service"))
    names = list(found.iter("{http://www.openarchives.org/OAI/2.0/oai-identifier}repositoryIdentifier"))

    assert [child.tag.removeprefix(OAI) for child in found] == [
        "repositoryName", "baseURL", "protocolVersion", "adminEmail", "earliestDatestamp", "deletedRecord",
        "granularity", "compression", "description", "description",
    ]  # fmt: skip
    assert len(services) == len(names) == 1  # (1a), (1b)
    assert services[0].findtext(f"{CERIF}Acronym") == names[0].text == "silian.localhost"  # (1c)
    assert found.findtext(f"{OAI}baseURL") == services[0].findtext(f"{CERIF}OAIPMHBaseURL")  # (1d)
    assert list(faults(services[0])) == []


@pytest.mark.parametrize(
    ("given", "told"),
    [("data@example.org", "data@example.org"), ("data@intranet", "silian@silian.localhost"),
     ("", "silian@silian.localhost")],
)  # fmt: skip
def test_the_address_of_who_answers_has_a_domain_with_a_dot(harvester, settings, given, told):
    settings.DEFAULT_FROM_EMAIL, settings.SILIAN_PUBLISHER = "silian@localhost", f"某局|Bureau|{given}|"

    assert harvester.ask(verb="Identify").findtext(f".//{OAI}adminEmail") == told


def test_formats_are_told_apart_by_prefix_namespace_and_schema(harvester):
    rows = [
        [part.text for part in one] for one in harvester.ask(verb="ListMetadataFormats").iter(f"{OAI}metadataFormat")
    ]
    columns = list(zip(*rows, strict=True))

    assert [prefix for prefix, _s, ns in rows if ns.startswith("https://www.openaire.eu/cerif-profile/")] == [
        "oai_cerif_openaire"
    ]  # (2a)–(2c), (2g)
    assert all(len(set(column)) == len(column) for column in columns)  # (2d)–(2f)


def test_every_set_of_the_guidelines_is_there(harvester):
    found = {s[0].text: s[1].text for s in harvester.ask(verb="ListSets").iter(f"{OAI}set")}
    wanted = [
        "publications",
        "products",
        "patents",
        "persons",
        "orgunits",
        "projects",
        "funding",
        "events",
        "equipments",
    ]

    assert {spec: name for spec, name in found.items() if spec.startswith("openaire")} == {
        f"openaire_cris_{name}": f"OpenAIRE_CRIS_{name}" for name in wanted
    }  # (3)


def test_every_number_in_cerif_leads_to_a_record_and_every_entity_follows_the_profile(harvester):
    kinds = {"OrgUnit": "OrgUnits", "Person": "Persons", "Funding": "Fundings"}
    entities, ids = harvester.entities(), set(harvester.ids(metadataPrefix="oai_cerif_openaire"))
    named = {
        (kinds[e.tag.removeprefix(CERIF)], e.get("id"))
        for entity in entities for e in entity.iter() if e is not entity and e.get("id")
    }  # fmt: skip

    assert len(entities) == len(ids) > 100
    assert [fault for entity in entities for fault in faults(entity)] == []  # (0)
    assert {f"oai:silian.localhost:{kind}/{number}" for kind, number in named} <= ids  # (5a)
    assert {entity.tag.removeprefix(CERIF) for entity in entities} == {
        "OrgUnit", "Person", "Publication", "Patent", "Product", "Project", "Funding", "Equipment",
    }  # fmt: skip


# ── lists that go on ──────────────────────────────────────────────────────────────────────────────────────────────


def wanted_ids() -> set[str]:
    """The identifiers of all that is published, by the slow sure way: one record after another."""
    made = set()
    for source in sources.SOURCES:
        for record in sources.MODELS[source.noun].objects.filter(state="published"):
            values = {name: getattr(record, name) for name in source.only}
            if source.takes(values) and not (source.noun == "works" and record.expert.state != "published"):
                made.add(source.identifier(getattr(record, source.key)))
    return made


@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_list_tells_each_record_once_however_it_is_cut(harvester, monkeypatch, size):
    monkeypatch.setattr(sources.page, "__kwdefaults__", sources.page.__kwdefaults__ | {"size": size})
    found = harvester.ids()

    assert len(found) == len(set(found))
    assert set(found) == wanted_ids()


def test_a_list_tells_each_record_once_while_the_registry_changes(harvester, people, monkeypatch):
    monkeypatch.setattr(sources.page, "__kwdefaults__", sources.page.__kwdefaults__ | {"size": 5})
    before, found = wanted_ids(), []
    broker, pages = people["broker"].actor, harvester.pages(verb="ListIdentifiers", metadataPrefix="oai_dc")
    for number, page in enumerate(pages):
        found += [h.findtext(f"{OAI}identifier") for h in page.iter(f"{OAI}header")]
        if number % 3 == 0:  # every record moves to the end of time, some of them twice
            keys = Organisation.objects.order_by("pk").values_list("pk", flat=True)
            change(broker, "organisations", [Edit(pk, {"former_names": [f"{pk}-{number}"]}) for pk in keys])
    told = harvester.headers(verb="ListIdentifiers", metadataPrefix="oai_dc", set="openaire_cris_orgunits")

    assert len(found) == len(set(found))
    assert set(found) == before
    assert {h.get("status") for h in told} == {None}


def test_a_harvest_since_the_last_one_brings_what_has_changed(harvester, people):
    old = timezone.now() - timedelta(days=3)
    for source in sources.SOURCES:
        sources.MODELS[source.noun].objects.update(updated_at=old)
    since = protocol.stamp(timezone.now())
    change(people["broker"].actor, "needs", [Edit("N01", {"title": "改过的需求"})])

    assert harvester.ids(since=since) == ["oai:silian.localhost:Needs/needs.N01"]
    assert harvester.ids(since=f"{timezone.now():%Y-%m-%d}") == ["oai:silian.localhost:Needs/needs.N01"]
    assert len(harvester.ids(until=since[:10], since=f"{old - timedelta(days=1):%Y-%m-%d}")) == len(wanted_ids())
    assert len(harvester.ids(until=protocol.stamp(old))) == len(wanted_ids()) - 1  # that second is part of it
    assert (
        harvester.error(verb="ListRecords", metadataPrefix="oai_dc", until=protocol.stamp(old - timedelta(seconds=1)))
        == "noRecordsMatch"
    )


def test_a_token_that_is_bent_old_or_of_another_verb_is_refused(harvester, monkeypatch):
    monkeypatch.setattr(sources.page, "__kwdefaults__", sources.page.__kwdefaults__ | {"size": 5})
    token = harvester.ask(verb="ListRecords", metadataPrefix="oai_dc").findtext(f".//{OAI}resumptionToken")

    assert harvester.error(verb="ListRecords", resumptionToken=token) == ""
    assert harvester.error(verb="ListIdentifiers", resumptionToken=token) == "badResumptionToken"
    assert harvester.error(verb="ListRecords", resumptionToken=token[:-1]) == "badResumptionToken"
    assert (
        harvester.error(verb="ListRecords", resumptionToken=signing.dumps([1], salt=protocol.SALT))
        == "badResumptionToken"
    )
    monkeypatch.setattr(protocol, "LASTS", timedelta(seconds=-1))
    assert harvester.error(verb="ListRecords", resumptionToken=token) == "badResumptionToken"


def test_the_last_part_of_a_list_ends_with_an_empty_token(harvester, monkeypatch):
    monkeypatch.setattr(sources.page, "__kwdefaults__", sources.page.__kwdefaults__ | {"size": 20})
    tokens = [p.find(f".//{OAI}resumptionToken") for p in harvester.pages(verb="ListRecords", metadataPrefix="oai_dc")]
    whole = harvester.ask(verb="ListRecords", metadataPrefix="oai_dc", set="openaire_cris_funding")

    assert [bool(token.text) for token in tokens] == [True] * (len(tokens) - 1) + [False]
    assert [token.get("cursor") for token in tokens] == [str(20 * i) for i in range(len(tokens))]
    assert whole.find(f".//{OAI}resumptionToken") is None


# ── what is gone ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_withdrawn_is_told_as_deleted_and_a_draft_is_not_told(harvester, people):
    broker = people["broker"].actor
    change(
        broker,
        "needs",
        [Edit("N01", {"state": "withdrawn"}), Edit("N-d", {"need_id": "N-d", "title": "机密", "state": "draft"})],
    )
    change(broker, "needs", [Edit("N-d", {"title": "机密二"})])
    headers = harvester.headers(verb="ListRecords", metadataPrefix="oai_dc", set="silian_needs")
    told = {h.findtext(f"{OAI}identifier").rpartition(".")[2]: h.get("status") for h in headers}
    one = harvester.ask(verb="GetRecord", metadataPrefix="oai_dc", identifier="oai:silian.localhost:Needs/needs.N01")

    assert told["N01"] == "deleted"
    assert "N-d" not in told
    assert one.find(f".//{OAI}header").get("status") == "deleted"
    assert one.find(f".//{OAI}metadata") is None
    assert (
        harvester.error(verb="GetRecord", metadataPrefix="oai_dc", identifier="oai:silian.localhost:Needs/needs.N-d")
        == "idDoesNotExist"
    )


def test_what_was_merged_or_removed_is_told_as_deleted(harvester, people):
    broker = people["broker"].actor
    kept, gone = Organisation.objects.select_related("place").order_by("pk")[:2]
    seal = merging.plan(kept, gone).seal
    merging.merge(broker, "organisations", kept.pk, gone.pk, chosen={}, seal=seal)
    fund = sources.MODELS["funds"].objects.order_by("-pk")[0]
    sources.MODELS["projects"].objects.filter(fund=fund).update(fund=None)
    change(broker, "funds", [Edit(fund.pk, None)])
    headers = harvester.headers(verb="ListRecords", metadataPrefix="oai_cerif_openaire")
    told = [h.findtext(f"{OAI}identifier").partition("/")[2] for h in headers if h.get("status") == "deleted"]
    page = people["visitor"].client.get(f"/organisations/{gone.pk}/")

    assert told == [f"organisations.{gone.pk}", f"funds.{fund.pk}"]
    assert page.url == f"/organisations/{kept.pk}/"  # the old address leads on


def test_what_becomes_of_another_kind_is_deleted_under_its_old_name(harvester, people):
    one = Achievement.objects.filter(ip_status="granted").order_by("pk")[0]
    old, new = (f"oai:silian.localhost:{kind}/achievements.{one.pk}" for kind in ("Patents", "Products"))
    change(people["broker"].actor, "achievements", [Edit(one.pk, {"ip_status": "secret"})])
    answer = harvester.ask(verb="GetRecord", metadataPrefix="oai_dc", identifier=old)

    assert answer.find(f".//{OAI}header").get("status") == "deleted"
    assert new in harvester.ids()
    assert old not in harvester.ids()


def test_a_work_of_several_people_is_one_record_with_all_its_published_authors(harvester, people):
    broker, experts = people["broker"].actor, list(Expert.objects.order_by("pk")[:3])
    rows = [
        {"expert_id": e.pk, "work_id": "W-同", "kind": "paper", "title": "合著", "state": "published"} for e in experts
    ]
    change(broker, "works", [Edit(f"{r['expert_id']}~W-同", r) for r in rows])
    change(broker, "experts", [Edit(experts[2].pk, {"state": "withdrawn"})])
    found = [e for e in harvester.entities(set="openaire_cris_publications") if "W-%E5%90%8C" in e.get("id")]

    assert len(found) == 1
    assert [e.text for e in found[0].iter(f"{CERIF}DisplayName")] == [e.name for e in experts[:2]]
    assert Work.objects.filter(work_id="W-同").count() == 3


def test_a_page_costs_the_same_with_few_and_many_records(harvester, people, django_assert_max_num_queries):
    with django_assert_max_num_queries(48) as few:
        harvester.ask(verb="ListRecords", metadataPrefix="oai_cerif_openaire")
    rows = [Organisation(org_id=f"X{i:04}", name=f"机构{i}", kind="enterprise", place_id="region") for i in range(500)]
    Organisation.objects.bulk_create(rows)
    with django_assert_max_num_queries(len(few)):
        harvester.ask(verb="ListRecords", metadataPrefix="oai_cerif_openaire")
