"""Records in the words of schema.org: held to the vocabulary's own table, read by another program, safe in a page."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib import RDF, Graph, Literal, URIRef

from silian.web.catalog.changing import Edit, change
from silian.web.standards import linked, public

if TYPE_CHECKING:
    from collections.abc import Iterator

# what the reader itself calls deprecated in itself
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib.*")
AT = "https://schema.org/"
BLOCK = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)
with Path(__file__).with_name("schemaorg.csv").open(encoding="utf-8") as _file:
    ROWS = list(csv.DictReader(_file))
TYPES = {row["name"]: set(row["of"].split()) for row in ROWS if row["what"] == "type"}
PROPERTIES = {row["name"]: row for row in ROWS if row["what"] == "property"}
TEXTS = {"Text", "URL", "CssSelectorType", "PronounceableText", "XPathType"}
LITERALS = {
    "Text": str, "URL": str, "Number": (int, float), "Integer": int, "Boolean": bool, "Date": str, "DateTime": str,
}  # fmt: skip
# schema.org's context in so far as the site's data need it: no document is fetched in a test.
CONTEXT = {"@vocab": AT} | {
    row["name"]: {"@type": "@id"} for row in ROWS
    if row["what"] == "property" and "Text" not in row["values"].split() and "URL" in row["values"].split()
}  # fmt: skip


def told(noun: str) -> list[dict[str, Any]]:
    facts = [public.facts_of(r) for r in public.records(noun).select_related("place")]
    names = public.Names(facts)
    return [linked.linked(one, names) for one in facts]


def kinds(name: str) -> set[str]:
    """A type and all that it is a kind of."""
    return {name}.union(*(kinds(over) for over in TYPES.get(name, ())))


def faults(node: dict[str, Any]) -> Iterator[str]:
    """What in a node goes against the vocabulary: unknown types and properties, owners and values of wrong types."""
    own = node["@type"] if isinstance(node.get("@type"), list) else [node.get("@type")]
    every = set().union(*(kinds(one) for one in own if one))
    yield from (f"{one} is no type" for one in own if one not in TYPES)
    for name, value in node.items():
        if name == "@reverse":
            for part, other in value.items():
                yield from faults(other) if "name" in other else ()
                yield from [] if every & set(PROPERTIES[part]["values"].split()) else [f"{part} of {own}"]
        elif not name.startswith("@"):
            row = PROPERTIES.get(name, {"of": "", "values": ""})
            yield from [] if every & set(row["of"].split()) else [f"{own} has no {name}"]
            for one in value if isinstance(value, list) else [value]:
                yield from _of_value(one, set(row["values"].split()), f"{own}.{name}")


def _of_value(value: Any, allowed: set[str], where: str) -> Iterator[str]:
    if isinstance(value, dict) and "@value" not in value:
        found = set().union(
            *(kinds(one) for one in ([value["@type"]] if isinstance(value["@type"], str) else value["@type"]))
        )
        yield from [] if found & allowed or "Thing" in allowed else [f"{where}: {value['@type']}"]
        yield from faults(value)
        return
    if isinstance(value, dict):
        yield from [] if allowed & TEXTS else [f"{where}: a text"]
        return
    fits = any(isinstance(value, LITERALS[kind]) for kind in allowed & set(LITERALS))
    is_named = where.endswith("businessFunction") and value.startswith("http://purl.org/goodrelations/v1#")
    yield from [] if fits or is_named else [f"{where}: {value!r}"]


@pytest.mark.parametrize("noun", linked.NOUNS)
def test_every_record_follows_the_vocabulary(registry, noun):
    nodes = told(noun)

    assert len(nodes) == public.records(noun).count() > 0
    assert sorted({fault for node in nodes for fault in faults(node)}) == []


@pytest.mark.parametrize("noun", ["organisations", "experts", "needs", "achievements", "works"])
def test_another_program_reads_the_same_statements(registry, noun):
    record = public.records(noun).select_related("place").order_by("pk")[0]
    facts = public.facts_of(record)
    node = linked.linked(facts, public.Names([facts]))
    graph = Graph().parse(data=json.dumps(node | {"@context": CONTEXT}), format="json-ld")
    here = URIRef(node["@id"])

    assert {str(kind).removeprefix(AT) for kind in graph.objects(here, RDF.type)} == set(
        node["@type"] if isinstance(node["@type"], list) else [node["@type"]]
    )
    assert Literal(facts.heading, lang="zh") in set(graph.objects(here, URIRef(f"{AT}name")))
    if noun == "needs":
        seeker = next(graph.subjects(URIRef(f"{AT}seeks"), here))
        assert str(seeker).endswith(f"/organisations/{facts.get('org_id')}/")


def test_a_page_carries_what_stands_alone_under_its_other_addresses(people):
    client = people["visitor"].client
    page = client.get("/needs/N01/")
    block = json.loads(BLOCK.findall(page.content.decode())[0])
    asked = client.get("/needs/N01/", headers={"accept": "application/ld+json"})
    alone = client.get("/needs/N01.jsonld")

    assert block == asked.json() == alone.json()
    assert asked["Content-Type"] == alone["Content-Type"] == "application/ld+json"
    assert {"Accept"} <= {part.strip() for part in page["Vary"].split(",")}
    assert '<link rel="alternate" type="application/ld+json" href="/needs/N01.jsonld">' in page.content.decode()


def test_a_browser_gets_a_page(people):
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    answers = [people["visitor"].client.get("/needs/N01/", headers={"accept": a}) for a in (accept, "*/*", "")]

    assert [answer["Content-Type"] for answer in answers] == ["text/html; charset=utf-8"] * 3


def test_whoever_asks_gets_what_a_visitor_gets(people):
    change(people["broker"].actor, "needs", [Edit("N01", {"budget_cny": 777777.0})])
    told_to = {role: person.client.get("/needs/N01.jsonld").content for role, person in people.items()}
    blocks = {BLOCK.findall(person.client.get("/needs/N01/").content.decode())[0] for person in people.values()}

    assert len(set(told_to.values())) == 1
    assert len(blocks) == 1
    assert "777777" not in blocks.pop()


def test_what_is_not_published_has_no_linked_data_even_for_who_keeps_it(people):
    change(people["broker"].actor, "needs", [Edit("N01", {"state": "withdrawn"})])
    page = people["enterprise"].client.get("/needs/N01/")

    assert page.status_code == 200
    assert BLOCK.findall(page.content.decode()) == []
    assert people["enterprise"].client.get("/needs/N01.jsonld").status_code == 404
    assert (
        people["enterprise"]
        .client.get("/needs/N01/", headers={"accept": "application/ld+json"})["Content-Type"]
        .startswith("text/html")
    )


def test_a_list_names_what_it_shows(people):
    page = people["visitor"].client.get("/needs/").content.decode()
    block = json.loads(BLOCK.findall(page)[0])

    assert block["@type"] == "ItemList"
    assert [item["url"].split("/")[-2] for item in block["itemListElement"]] == re.findall(
        r'<th scope="row"><a href="/needs/([^/]+)/"', page
    )
    assert list(faults(block)) == []


@given(st.text())
def test_no_text_ends_the_block_that_holds_it(text):
    written = str(linked.script({"name": text, "more": "</script><script>alert(1)</script>\u2028<!--"}))
    inner = written.removeprefix('<script type="application/ld+json">').removesuffix("</script>\n")

    assert json.loads(inner)["name"] == text
    assert not set("<>&\u2028\u2029") & set(inner)
