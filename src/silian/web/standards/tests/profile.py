"""The OpenAIRE CERIF profile 1.1 as a table, and what in a piece of CERIF-XML goes against it.

`profile.csv` is our own transcription of the parts of the profile that the site can give, made from the profile's
published description (openaire/guidelines-cris-managers, CC BY 4.0) and compared by hand with the schema of release
1.1.1: for each element its children in their order, how often each may stand there, and what stands in it. It is not
the official schema file; what was validated against that one stands in README.md.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

CERIF = "{https://www.openaire.eu/cerif-profile/1.1/}"
VOCAB = "https://www.openaire.eu/cerif-profile/vocab/"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
with Path(__file__).with_name("profile.csv").open(encoding="utf-8") as _file:
    ROWS = list(csv.DictReader(_file))
# Values that our records can take from each vocabulary, as the vocabulary lists them.
VALUES = {
    "COAR_Publication_Types": {f"http://purl.org/coar/resource_type/{c}" for c in ("c_6501", "c_71bd")},
    "COAR_Patent_Types": {"http://purl.org/coar/resource_type/c_15cd"},
    "COAR_Product_Types": {f"http://purl.org/coar/resource_type/{c}" for c in ("c_5ce6", "c_1843")},
    "OpenAIRE_Funding_Types": {f"{VOCAB}OpenAIRE_Funding_Types#FundingProgramme"},
    "OpenAIRE_Service_Compatibility": {f"{VOCAB}OpenAIRE_Service_Compatibility#1.1"},
}
FORMS = {
    "string": r"(?s).+",
    "day": r"\d{4}-\d{2}-\d{2}",
    "date": r"\d{4}(-\d{2}(-\d{2})?)?",
    "doi": r"10\.\d{4,}(\.\d+)*/\S+",
    "orcid": r"https://orcid\.org/0000-000(1-[5-9]|2-[0-9]|3-[0-4])[0-9]{3}-[0-9]{3}[0-9X]",
    "amount": r"[-+\d.e]+",
    "uri scheme": r"https?://\S+",
}
ATTRIBUTES = {
    "lang": {LANG: "zh|en"}, "uri scheme": {"scheme": r"https?://\S+"}, "typed": {"type": r"https?://\S+"},
    "amount": {"currency": "CNY"},
}  # fmt: skip


def faults(element: etree._Element) -> Iterator[str]:
    """What in an entity goes against the profile."""
    name = element.tag.removeprefix(CERIF)
    rules = {row["child"]: row for row in ROWS if row["parent"] == name}
    order = list(rules)
    if not rules:
        yield f"{element.tag} is no entity"
        return
    if len(element.get("id", "")) > 128:
        yield f"{name}: id of {len(element.get('id'))} characters"
    seen: list[str] = []
    for child in element:
        local = child.tag.rpartition("}")[2]
        if local not in rules:
            yield f"{name}/{local} is unknown"
            continue
        if seen and order.index(local) < order.index(seen[-1]):
            yield f"{name}/{local} stands behind {seen[-1]}"
        if local in seen and rules[local]["most"] in ("1", "must"):
            yield f"{name}/{local} stands there twice"
        seen.append(local)
        yield from _of_child(child, rules[local], f"{name}/{local}")
    if len(element):
        yield from (
            f"{name}/{row['child']} is missing"
            for row in rules.values()
            if row["most"] == "must" and row["child"] not in seen
        )


def _of_child(child: etree._Element, rule: dict[str, str], where: str) -> Iterator[str]:
    content, text = rule["content"], child.text or ""
    if content in VALUES:
        if child.tag != f"{{{VOCAB}{content}}}{rule['child']}" or text not in VALUES[content]:
            yield f"{where}: {child.tag} {text} is not of {content}"
        return
    if not child.tag.startswith(CERIF):
        yield f"{where}: {child.tag} is of another namespace"
    for attribute, form in ATTRIBUTES.get(content, {}).items():
        if not re.fullmatch(form, child.get(attribute, "")):
            yield f"{where}: {attribute} is {child.get(attribute)!r}"
    if content in FORMS and not re.fullmatch(FORMS[content], text):
        yield f"{where}: {text!r}"
    if content.startswith("container"):
        yield from (f"{where}/{link.tag} is unknown" for link in child if link.tag.removeprefix(CERIF) not in content)
    if rule["link"]:
        for link in child if content.startswith("container") else [child]:
            yield from _of_link(link, rule["link"].split(), where)


def _of_link(link: etree._Element, allowed: list[str], where: str) -> Iterator[str]:
    found = [part.tag.removeprefix(CERIF) for part in link]
    if not found or [n for n in allowed if n in found] != found:
        yield f"{where}: {found}, allowed in this order: {allowed}"
