"""The catalogue in three forms that say the same, and tables that anybody may take and nobody is harmed by."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyshacl import validate
from rdflib import DCAT, DCTERMS, RDF, Graph, URIRef
from rdflib.compare import isomorphic

from silian import tables
from silian.tables import schema
from silian.web.catalog.changing import Edit, change
from silian.web.catalog.models import Make, Need, Organisation
from silian.web.catalog.rules import HIDDEN
from silian.web.standards import public, rdf

# what the readers themselves call deprecated in themselves
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib.*", "ignore::DeprecationWarning:pyshacl.*")
FORMATS = {"jsonld": "json-ld", "ttl": "turtle", "rdf": "xml"}
SHAPES = Path(__file__).with_name("dcat_ap.ttl")


def graph_of(client, form: str) -> Graph:
    return Graph().parse(data=client.get(f"/dcat.{form}").content, format=FORMATS[form])


def rows_of(client, noun: str) -> list[dict[str, str]]:
    text = b"".join(client.get(f"/open/{noun}.csv")).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_the_catalogue_says_the_same_in_each_form(people):
    graphs = [graph_of(people["visitor"].client, form) for form in FORMATS]

    assert len(graphs[0]) > 300
    assert isomorphic(graphs[0], graphs[1])
    assert isomorphic(graphs[0], graphs[2])


@pytest.mark.parametrize("licence", ["", "https://creativecommons.org/licenses/by/4.0/"])
def test_the_catalogue_has_what_the_profile_asks_for(people, settings, licence):
    settings.SILIAN_LICENCE = licence
    graph = graph_of(people["visitor"].client, "ttl")
    conforms, _report, text = validate(graph, shacl_graph=str(SHAPES), shacl_graph_format="turtle")
    sets = set(graph.subjects(RDF.type, DCAT.Dataset))

    assert conforms, text
    assert {str(one).partition("#")[2] for one in sets} == {n for n in public.OPEN if public.records(n).exists()}
    assert set(graph.objects(None, DCTERMS.license)) == ({URIRef(licence)} if licence else set())
    assert bool(list(graph.objects(None, DCTERMS.rights))) == (not licence)


@pytest.mark.parametrize("noun", public.OPEN)
def test_every_download_of_the_catalogue_is_there_and_its_columns_are_documented(people, noun):
    client = people["visitor"].client
    rows, told = rows_of(client, noun), client.get(f"/open/{noun}.csv-metadata.json").json()
    columns = [column["name"] for column in told["tableSchema"]["columns"]]

    assert len(rows) == public.records(noun).count()
    assert not rows or list(rows[0]) == columns
    assert told["tableSchema"]["primaryKey"] == list(schema.tables()[noun].key)
    assert {column["datatype"] for column in told["tableSchema"]["columns"]} <= {
        "string",
        "integer",
        "gYear",
        "double",
        "date",
        "boolean",
    }
    assert all(
        {title["@language"] for title in column["dc:title"]} == {"zh", "en"}
        for column in told["tableSchema"]["columns"]
    )


def test_a_table_holds_the_public_columns_alone(people):
    broker = people["broker"].actor
    hidden = {"org_id": "O-h", "name": "机密机构", "kind": "enterprise", "state": "draft"}
    change(broker, "organisations", [Edit("O-h", hidden)])
    change(
        broker,
        "needs",
        [Edit("N01", {"tiers": {"text": "broker"}, "text": "机密正文", "budget_cny": 777.0, "org_id": "O-h"})],
    )
    client = people["broker"].client  # a steward gets no more than a stranger
    row = next(row for row in rows_of(client, "needs") if row["need_id"] == "N01")

    assert (row["text"], row["budget_cny"], row["org_id"]) == ("", "", "")
    assert row["title"]
    assert "topics_struck" not in rows_of(client, "experts")[0]
    assert all(row["share"] == "" for row in rows_of(client, "makes")) or not Make.objects.filter(share__gt=0).exists()


@pytest.mark.parametrize("noun", [*HIDDEN, "users", "nothing", "challenge_skills"])
def test_what_is_not_open_has_no_table(people, noun):
    for client in (people["visitor"].client, people["administrator"].client):
        assert client.get(f"/open/{noun}.csv").status_code == 404
        assert client.get(f"/open/{noun}.csv-metadata.json").status_code == 404


def test_a_table_is_read_back_as_it_was_published(people, tmp_path):
    wicked = '=HYPERLINK("http://x")\n@SUM(1)'
    change(people["broker"].actor, "needs", [Edit("N01", {"text": wicked, "title": "-1+1"})])
    for noun in ("organisations", "districts", "needs", "achievements", "experts"):
        content = b"".join(people["visitor"].client.get(f"/open/{noun}.csv"))
        (tmp_path / f"{noun}.csv").write_bytes(content)
    region = tables.read_region(tmp_path)
    row = region["needs"].filter(pl.col("need_id") == "N01").row(0, named=True)
    raw = next(row for row in rows_of(people["visitor"].client, "needs") if row["need_id"] == "N01")

    assert (row["text"], row["title"]) == (wicked, "-1+1")
    assert raw["text"].startswith("'=")
    assert raw["title"].startswith("'-")


def test_the_number_of_queries_does_not_grow_with_the_rows_of_a_chunk(people, django_assert_max_num_queries):
    client = people["visitor"].client
    with django_assert_max_num_queries(9) as few:
        b"".join(client.get("/open/needs.csv"))
    first = Need.objects.order_by("pk")[0]
    Need.objects.bulk_create(
        Need(need_id=f"M{i:03}", title="x", kind="technology", place_id=first.place_id, org_id=first.org_id)
        for i in range(300)
    )
    with django_assert_max_num_queries(len(few) + 1):
        b"".join(client.get("/open/needs.csv"))
    with django_assert_max_num_queries(25):
        client.get("/dcat.ttl")
    with django_assert_max_num_queries(20):
        client.get("/standards/")


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=60)


@given(TEXTS, st.from_regex(r"https?://[a-z]{1,8}/[^\x00-\x1f\ud800-\udfff\ufffe\uffff]{0,20}", fullmatch=True))
def test_any_text_is_the_same_statement_in_each_form(text, address):
    node = {
        "@id": "https://x.org/#a", "@type": ["dcat:Dataset", "foaf:Document"],
        "dct:title": [{"@value": text, "@language": "zh"}, {"@value": "2026-01-01", "@type": "xsd:date"}],
        "foaf:page": {"@id": rdf._address(address)[1:-1]}, "dct:creator": {"@type": "foaf:Agent", "foaf:name": text},
    }  # fmt: skip
    graphs = [Graph().parse(data=write([node]), format=FORMATS[form]) for form, (_m, write) in rdf.FORMS.items()]

    assert isomorphic(graphs[0], graphs[1])
    assert isomorphic(graphs[1], graphs[2])


def test_an_organisation_that_is_withdrawn_leaves_every_table_at_once(people):
    one = Organisation.objects.order_by("pk")[0]
    change(people["broker"].actor, "organisations", [Edit(one.pk, {"state": "withdrawn"})])
    client = people["visitor"].client

    assert one.pk not in {row["org_id"] for row in rows_of(client, "organisations")}
    assert one.pk not in {row["org_id"] for noun in ("needs", "experts", "makes") for row in rows_of(client, noun)}
    assert json.loads(client.get("/dcat.jsonld").content)["@graph"]
