"""CERIF-XML of things, as the OpenAIRE Guidelines for CRIS Managers 1.1 ask for it.

What becomes of which column stands in `cerif.csv`, in the order of the profile's elements; here stands how. Links carry
the number and the name of what they lead to, and lead to published things alone.
"""

from __future__ import annotations

import csv
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lxml import etree

from silian.web.standards import identity, public
from silian.web.standards.oai.dublin_core import XML_LANG

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from silian.web.standards.oai.sources import Item
    from silian.web.standards.public import Named, Names

CERIF: Final = "https://www.openaire.eu/cerif-profile/1.1/"
SCHEMA: Final = "https://www.openaire.eu/schema/cris/1.1/openaire-cerif-profile.xsd"
VOCAB: Final = "https://www.openaire.eu/cerif-profile/vocab"
COAR: Final = "http://purl.org/coar/resource_type/"
ORGANISATION_TYPES: Final = "https://w3id.org/cerif/vocab/OrganisationTypes"
LONGEST_ID: Final = 128  # characters of an id attribute
NAMELESS: Final = ("Affiliation", "As")  # links that the profile gives no display name
NOUN_OF: Final = {"OrgUnit": "organisations", "Person": "experts", "Funding": "funds"}
# Family names of two characters; of all others the first character is the family name.
DOUBLE_NAMES: Final = (
    "欧阳太史端木上官司马东方独孤南宫万俟闻人夏侯诸葛尉迟公羊赫连澹台皇甫宗政濮阳公冶太叔申屠公孙慕容仲孙钟离长孙宇文司徒鲜于"
    "司空闾丘子车亓官司寇巫马公西颛孙壤驷公良漆雕乐正宰父谷梁拓跋夹谷轩辕令狐段干百里呼延东郭南门羊舌微生西门第五"
)
DOUBLE: Final = frozenset(DOUBLE_NAMES[i : i + 2] for i in range(0, len(DOUBLE_NAMES), 2))
_DOI: Final = re.compile(r"10\.\d{4,}(\.\d+)*/\S+")
# The profile's release 1.1.1 knows the first block of ORCID iDs alone; one of the block of 2023 is told as an address.
ORCID: Final = re.compile(r"0000-000(1-[5-9]|2-[0-9]|3-[0-4])[0-9]{3}-[0-9]{3}[0-9X]")
LATER_ORCID: Final = re.compile(r"0009-000[0-9]-[0-9]{4}-[0-9]{3}[0-9X]")


class Rule(NamedTuple):
    """What becomes of a column."""

    element: str  # a path of two where it stands in a container
    column: str
    told: str  # how: a key of HOW
    given: str


@cache
def rules() -> dict[str, list[Rule]]:
    """The rules of `cerif.csv` by noun, or by noun and element where a noun stands for several."""
    text = files("silian.web.standards.oai").joinpath("cerif.csv").read_text(encoding="utf-8")
    made: dict[str, list[Rule]] = {}
    for row in csv.DictReader(text.splitlines()):
        made.setdefault(row["source"], []).append(Rule(row["element"], row["column"], row["as"], row["given"]))
    return made


def cerif(item: Item, names: Names) -> etree._Element:
    """The CERIF-XML of a thing that is published and of which the profile has a kind."""
    source = item.source
    root = etree.Element(_tag(source.element), nsmap={None: CERIF})
    _number(root, source.noun, item.key)
    for rule in rules().get(f"{source.noun}:{source.element}") or rules()[source.noun]:
        HOW[rule.told](root, rule, item, names)
    return root


def service(base_url: str) -> etree._Element:
    """The site itself, for the answer to Identify."""
    publisher, name = identity.publisher(), identity.repository()
    root = etree.Element(_tag("Service"), nsmap={None: CERIF})
    root.set("id", "silian")
    kind = etree.SubElement(
        root,
        f"{{{VOCAB}/OpenAIRE_Service_Compatibility}}Compatibility",
        nsmap={None: f"{VOCAB}/OpenAIRE_Service_Compatibility"},
    )
    kind.text = f"{VOCAB}/OpenAIRE_Service_Compatibility#1.1"
    _add(root, "Acronym", name)
    for text, language in ((f"{publisher.name} · 四链", "zh"), (f"{publisher.name_en} · Silian", "en")):
        _add(root, "Name", text, language)
    _add(root, "WebsiteURL", identity.address("/"))
    _add(root, "OAIPMHBaseURL", base_url)
    return root


# ── how ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _text(root: etree._Element, rule: Rule, item: Item, _names: Names) -> None:
    facts = item.facts[0]
    if value := facts.get(rule.column):
        _add(root, rule.element, value, public.language_of(value))
    if english := facts.english.get(rule.column):
        _add(root, rule.element, english, "en")


def _texts(root: etree._Element, rule: Rule, item: Item, _names: Names) -> None:
    for value in item.facts[0].get(rule.column) or ():
        _add(root, rule.element, value, public.language_of(value))


def _english(root: etree._Element, rule: Rule, item: Item, _names: Names) -> None:
    if value := item.facts[0].get(rule.column):
        _add(root, rule.element, value, "en")


def _string(root: etree._Element, rule: Rule, item: Item, _names: Names) -> None:
    value = item.facts[0].get(rule.column)
    if value is not None and (rule.element != "DOI" or _DOI.fullmatch(value)):
        _add(root, rule.element, str(value))


def _first(root: etree._Element, rule: Rule, item: Item, _names: Names) -> None:
    if values := item.facts[0].get(rule.column):
        _add(root, rule.element, values[0])


def _language(root: etree._Element, rule: Rule, item: Item, _names: Names) -> None:
    _add(root, rule.element, public.language_of(item.facts[0].get(rule.column) or ""))


def _identifier(root: etree._Element, rule: Rule, item: Item, _names: Names) -> None:
    if value := item.facts[0].get(rule.column):
        _add(root, rule.element, value).set("type", rule.given)


def _class(root: etree._Element, rule: Rule, item: Item, _names: Names) -> None:
    if kind := _choice(rule, item):
        _add(root, rule.element, f"{ORGANISATION_TYPES}#{kind}").set("scheme", ORGANISATION_TYPES)


def _coar(root: etree._Element, rule: Rule, item: Item, _names: Names) -> None:
    scheme = f"{VOCAB}/COAR_{item.source.element}_Types"
    etree.SubElement(root, f"{{{scheme}}}{rule.element}", nsmap={None: scheme}).text = f"{COAR}{_choice(rule, item)}"


def _funding(root: etree._Element, rule: Rule, _item: Item, _names: Names) -> None:
    scheme = f"{VOCAB}/OpenAIRE_Funding_Types"
    etree.SubElement(root, f"{{{scheme}}}{rule.element}", nsmap={None: scheme}).text = f"{scheme}#{rule.given}"


def _money(root: etree._Element, rule: Rule, item: Item, _names: Names) -> None:
    if (value := item.facts[0].get(rule.column)) is not None:
        _add(root, rule.element, f"{value:.10g}").set("currency", rule.given)


def _labels(root: etree._Element, rule: Rule, item: Item, _names: Names) -> None:
    facts = item.facts[0]
    for pair in public.labels_of(facts.noun, rule.column, facts.get(rule.column)):
        for text, language in zip(pair, ("zh", "en"), strict=True):
            _add(root, rule.element, text, language)


def _person(root: etree._Element, rule: Rule, item: Item, _names: Names) -> None:
    if not item.facts[0].get(rule.column):
        return
    family, given, whole = split_name(item.facts[0].get(rule.column))
    name = etree.SubElement(root, _tag(rule.element))
    for element, text in (("FamilyNames", family), ("FirstNames", given), ("OtherNames", whole)):
        if text:
            _add(name, element, text)


def _orcid(root: etree._Element, rule: Rule, item: Item, _names: Names) -> None:
    signs = (item.facts[0].get(rule.column) or "").rpartition("/")[2].replace("-", "").upper()
    number = "-".join(signs[i : i + 4] for i in range(0, 16, 4))
    if ORCID.fullmatch(number):
        _add(root, rule.element, f"https://orcid.org/{number}")
    elif LATER_ORCID.fullmatch(number):
        _add(root, "ElectronicAddress", f"https://orcid.org/{number}")


def _link(root: etree._Element, rule: Rule, item: Item, names: Names) -> None:
    if named := names.one(item.facts[0], rule.column):
        _linked(root, rule, [named])


def _people(root: etree._Element, rule: Rule, item: Item, names: Names) -> None:
    _linked(root, rule, names.all(item.facts[0], rule.column))


def _authors(root: etree._Element, rule: Rule, item: Item, names: Names) -> None:
    rows = sorted(item.facts, key=lambda row: (row.get("role") not in ("first", "leader"), row.key))
    _linked(root, rule, [named for row in rows if (named := names.one(row, rule.column))])


def _linked(root: etree._Element, rule: Rule, named: Sequence[Named]) -> None:
    """Links to published things, in their container where there is one."""
    path = rule.element.split("/")
    for one in named:
        parent = root
        if len(path) == 2:
            last = root[-1] if len(root) else None
            parent = last if last is not None and last.tag == _tag(path[0]) else etree.SubElement(root, _tag(path[0]))
        link = etree.SubElement(parent, _tag(path[-1]))
        if path[-1] not in NAMELESS:
            _add(link, "DisplayName", one.name)
        _number(etree.SubElement(link, _tag(rule.given)), NOUN_OF[rule.given], one.key)


HOW: Final[dict[str, Callable[[etree._Element, Rule, Item, Names], None]]] = {
    "text": _text, "texts": _texts, "english": _english, "string": _string, "first": _first, "language": _language,
    "identifier": _identifier, "class": _class, "coar": _coar, "funding": _funding, "money": _money,
    "labels": _labels, "person": _person, "orcid": _orcid, "link": _link, "people": _people, "authors": _authors,
}  # fmt: skip


def split_name(name: str) -> tuple[str, str, str]:
    """The family name, the given names, or the whole name where it cannot be told apart.

    Examples
    --------
    >>> split_name("欧阳明日"), split_name("王芳"), split_name("阿不都热合曼·买买提"), split_name("Wei Zhang")
    (('欧阳', '明日', ''), ('王', '芳', ''), ('', '', '阿不都热合曼·买买提'), ('', '', 'Wei Zhang'))
    """
    if not re.fullmatch(r"[\u3400-\u9fff]{2,4}", name):
        return "", "", name
    length = 2 if name[:2] in DOUBLE and len(name) > 2 else 1
    return (name[:length], name[length:], "") if len(name) < 4 or length == 2 else ("", "", name)


def _choice(rule: Rule, item: Item) -> str:
    choices = dict(part.split("=") for part in rule.given.split(";"))
    return choices.get(item.facts[0].get(rule.column) or "", "")


def _tag(name: str) -> str:
    return f"{{{CERIF}}}{name}"


def _number(element: etree._Element, noun: str, key: str) -> None:
    """The number of a thing; one that is longer than the profile allows is left out."""
    number = identity.local_id(noun, key)
    if len(number) <= LONGEST_ID:
        element.set("id", number)


def _add(root: etree._Element, name: str, text: Any, language: str = "") -> etree._Element:
    made = etree.SubElement(root, _tag(name))
    made.text = text
    if language:
        made.set(XML_LANG, language)
    return made
