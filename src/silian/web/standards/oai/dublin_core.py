"""Simple Dublin Core of things, as every OAI-PMH repository offers it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lxml import etree

from silian.tables import schema
from silian.web.standards import identity, public

if TYPE_CHECKING:
    from collections.abc import Iterator

    from silian.web.standards.oai.sources import Item
    from silian.web.standards.public import Facts, Names

OAI_DC: Final = "http://www.openarchives.org/OAI/2.0/oai_dc/"
SCHEMA: Final = "http://www.openarchives.org/OAI/2.0/oai_dc.xsd"
DC: Final = "http://purl.org/dc/elements/1.1/"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
XML_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
# What of a noun describes it at length, and when it was made known.
ABOUT: Final = {"organisations": "business", "experts": "profile"}
DATES: Final = ("published_on", "posted_on", "started_on", "issued_on", "founded_on", "year", "valid_from_on")
IDENTIFIERS: Final = {"uscc": "USCC:{}", "orcid": "https://orcid.org/{}", "doi": "https://doi.org/{}"}
# Type of a thing, where Dublin Core's own list has one.
TYPES: Final = {"Publications": "Text", "Products": "PhysicalObject", "Equipments": "PhysicalObject"}
Term = tuple[str, str, str]  # element, text, language or nothing


def dublin_core(item: Item, names: Names) -> etree._Element:
    """The oai_dc record of a thing that is published."""
    root = etree.Element(f"{{{OAI_DC}}}dc", nsmap={"oai_dc": OAI_DC, "dc": DC, "xsi": XSI})
    root.set(f"{{{XSI}}}schemaLocation", f"{OAI_DC} {SCHEMA}")
    seen = set()
    for term in _terms(item, names):
        if term[1] and term not in seen:
            seen.add(term)
            element = etree.SubElement(root, f"{{{DC}}}{term[0]}")
            element.text = term[1]
            if term[2]:
                element.set(XML_LANG, term[2])
    return root


def _terms(item: Item, names: Names) -> Iterator[Term]:
    facts = item.facts[0]
    yield from _titles(facts)
    yield from _people(item, names)
    yield from _subjects(facts)
    yield from _texts(facts, ABOUT.get(facts.noun, "text"))
    date = next((facts.get(name) for name in DATES if name in facts.values), None)
    yield "date", str(date or ""), ""
    table = schema.tables()[facts.noun]
    yield "type", TYPES.get(item.source.kind, ""), ""
    for chinese, english in public.labels_of(facts.noun, "kind", facts.get("kind")) if "kind" in facts.values else ():
        yield "type", chinese, "zh"
        yield "type", english, "en"
    yield "type", table.label_zh, "zh"
    yield "type", table.label_en, "en"
    yield "identifier", identity.page_of(facts.noun, facts.key), ""
    for name, form in IDENTIFIERS.items():
        yield "identifier", form.format(facts.get(name)) if facts.get(name) else "", ""
    for number in facts.get("ip_numbers") or ():
        yield "identifier", number, ""
    yield "language", public.language_of(facts.heading), ""
    district = names.one(facts, "district_id") if "district_id" in facts.values else None
    yield "coverage", district.name if district else "", "zh"
    yield "rights", identity.licence(), ""


def _titles(facts: Facts) -> Iterator[Term]:
    yield "title", facts.heading, public.language_of(facts.heading)
    english = facts.get("name_en") or facts.english.get("title") or facts.english.get("name")
    yield "title", str(english or ""), "en"


def _people(item: Item, names: Names) -> Iterator[Term]:
    """Who made it: of works and achievements people, of all else the organisation."""
    facts = item.facts[0]
    if facts.noun == "works":
        for row in item.facts:
            author = names.one(row, "expert_id")
            yield "creator", author.name if author else "", public.language_of(author.name) if author else ""
        return
    for person in names.all(facts, "expert_ids") if "expert_ids" in facts.values else ():
        yield "creator" if facts.noun == "achievements" else "contributor", person.name, ""
    if facts.noun != "organisations":
        for column in ("org_id", "partner_org_id"):
            named = names.one(facts, column) if column in facts.values else None
            yield "publisher" if column == "org_id" else "contributor", named.name if named else "", ""


def _subjects(facts: Facts) -> Iterator[Term]:
    for column in ("field", "fields"):
        for chinese, english in public.labels_of(facts.noun, column, facts.get(column)) if facts.get(column) else ():
            yield "subject", chinese, "zh"
            yield "subject", english, "en"
    for code in facts.get("ipc") or ():
        yield "subject", f"IPC:{code}", ""
    yield "subject", f"GB/T 4754:{facts.get('industry')}" if facts.get("industry") else "", ""


def _texts(facts: Facts, column: str) -> Iterator[Term]:
    text = facts.get(column) or ""
    yield "description", text, public.language_of(text)
    yield "description", facts.english.get(column, ""), "en"
