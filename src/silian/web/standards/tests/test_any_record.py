"""Whatever a published record says, every format of it can be read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from silian.tables import schema
from silian.web.catalog.models import MODELS
from silian.web.standards import identity, linked, public
from silian.web.standards.oai import cerif, dublin_core, protocol, sources
from silian.web.standards.tests.profile import CERIF, faults

SIGNS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["\x00\x1f\x0b", "\u202e机密\u202c", "𠮷田𐍈", "a" * 20_000, " ", "]]>", "<a>&amp;", "\ufffe", "\ud800"]
    ),
)


def values_of(noun: str) -> st.SearchStrategy[dict]:
    made = {}
    for column in schema.tables()[noun].columns:
        if column.codes and column.type != "list":
            made[column.name] = st.sampled_from([*schema.codes()[column.codes], ""])
        elif column.type in ("text", "code", "id"):
            made[column.name] = SIGNS
        elif column.type == "list":
            made[column.name] = st.lists(SIGNS, max_size=3)
        elif column.type == "date":
            made[column.name] = st.none() | st.dates()
        elif column.type == "year":
            made[column.name] = st.none() | st.integers(1900, 2100)
        else:
            made[column.name] = st.none() | st.integers(0, 9)
    return st.fixed_dictionaries(made)


@pytest.mark.parametrize("source", sources.SOURCES, ids=lambda s: f"{s.noun}-{s.kind}")
@given(st.data())
@settings(max_examples=25)
def test_any_record_gives_xml_and_linked_data_that_can_be_read(source, data):
    values = data.draw(values_of(source.noun))
    for name, allowed in source.only.items():
        values[name] = data.draw(st.sampled_from(allowed))
    kept = {name: fitting for name, value in values.items() if (fitting := public.fit(value)) not in (None, "", [])}
    key = data.draw(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60))
    facts = public.Facts(source.noun, key, kept, {"title": "In English", "text": public.fit(data.draw(SIGNS)) or "x"})
    item = sources.Item(source, key, datetime(2026, 1, 1, tzinfo=UTC), "live", (facts,))
    names = public.Names([])
    for prefix in protocol.FORMATS if source.element else ["oai_dc"]:
        record = etree.fromstring(protocol._told(item, prefix, names))
        identifier = record.findtext("header/identifier")
        assert identity.noun_and_key(identifier.partition("/")[2]) == (source.noun, key)
    dc = etree.fromstring(etree.tostring(dublin_core.dublin_core(item, names)))
    assert all(element.text for element in dc)
    if source.element:
        assert list(faults(etree.fromstring(etree.tostring(cerif.cerif(item, names))))) == []
    if source.noun in linked.NOUNS:
        assert linked.script(linked.linked(facts, names))


@pytest.mark.parametrize(
    ("orcid", "element"),
    [("0000-0002-1825-0097", "ORCID"), ("https://orcid.org/000000021825009x", "ORCID"),
     ("0009-0001-6071-9418", "ElectronicAddress"), ("0000-0009-1825-0097", None), ("0010-0002-1825-0097", None)],
)  # fmt: skip
def test_an_orcid_stands_where_release_1_1_1_of_the_profile_takes_it(orcid, element):
    source = next(source for source in sources.SOURCES if source.element == "Person")
    facts = public.Facts("experts", "E1", {"name": "王芳", "orcid": orcid}, {})
    made = cerif.cerif(sources.Item(source, "E1", datetime(2026, 1, 1, tzinfo=UTC), "live", (facts,)), public.Names([]))

    assert [child.tag.removeprefix(CERIF) for child in made][1:] == ([element] if element else [])
    assert list(faults(made)) == []


def test_every_column_of_the_mapping_exists():
    for place, rules in cerif.rules().items():
        columns = {column.name for column in MODELS[place.partition(":")[0]].table.columns}
        assert {rule.column for rule in rules} <= columns
        assert {rule.told for rule in rules} <= set(cerif.HOW)
