"""Records in the words of schema.org, for search engines and whoever reads pages by machine.

Texts carry their language; what a record names is told with its address and name. Prices and the like stand here where
their owner has made them public, and nowhere else.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from django.utils.safestring import SafeString, mark_safe

from silian.tables import schema
from silian.web.standards import identity, public
from silian.web.standards.oai.cerif import ORCID, split_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from silian.web.standards.public import Facts, Named, Names

CONTEXT: Final = "https://schema.org"
Node = dict[str, Any]
ORGANISATIONS: Final = {
    "university": "CollegeOrUniversity", "hospital": "Hospital", "public_body": "GovernmentOrganization",
    "enterprise": "Corporation",
}  # fmt: skip
WORKS: Final = {
    "paper": "ScholarlyArticle", "software": "SoftwareSourceCode", "project": "ResearchProject",
}  # fmt: skip
FUNDS: Final = {"grant": "MonetaryGrant", "loan": "LoanOrCredit"}
BUSINESS: Final = {  # what may be done with what is offered, in the words of GoodRelations
    "licence": "http://purl.org/goodrelations/v1#LeaseOut", "transfer": "http://purl.org/goodrelations/v1#Sell",
    "service": "http://purl.org/goodrelations/v1#ProvideService",
    "consulting": "http://purl.org/goodrelations/v1#ProvideService",
}  # fmt: skip
# What in JSON could end the element that holds it, or a line of a script.
_UNSAFE: Final = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def linked(facts: Facts, names: Names) -> Node:
    """A record as one node of linked data, with its context."""
    node = {"@context": CONTEXT, "@id": identity.page_of(facts.noun, facts.key), **NOUNS[facts.noun](facts, names)}
    node["url"] = node["@id"]
    if _is_written(node):
        node["dateModified"] = _day(facts.updated_at)
    tidied: Node = _tidy(node)
    return tidied


def item_list(noun: str, told: Iterable[Facts], url: str) -> Node:
    """A page of a list."""
    table = schema.tables()[noun]
    items = [
        {"@type": "ListItem", "position": n, "url": identity.page_of(noun, facts.key), "name": facts.heading}
        for n, facts in enumerate(told, 1)
    ]
    tidied: Node = _tidy({
        "@context": CONTEXT, "@type": "ItemList", "@id": url, "url": url,
        "name": [_in("zh", table.label_zh), _in("en", table.label_en)], "numberOfItems": len(items),
        "itemListElement": items,
    })  # fmt: skip
    return tidied


def script(node: Node) -> SafeString:
    """A node as a block of data for the head of a page: nothing in it can end the block."""
    text = json.dumps(node, ensure_ascii=False, separators=(",", ":")).translate(_UNSAFE)
    return mark_safe(f'<script type="application/ld+json">{text}</script>\n')  # noqa: S308 – escaped above


def _is_written(node: Node) -> bool:
    kinds = node["@type"] if isinstance(node["@type"], list) else [node["@type"]]
    return any(kind in ("CreativeWork", "ScholarlyArticle", "SoftwareSourceCode", "Legislation") for kind in kinds)


# ── nouns ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _organisation(facts: Facts, names: Names) -> Node:
    code, employees = facts.get("uscc"), facts.get("employees")
    return {
        "@type": ORGANISATIONS.get(facts.get("kind") or "", "Organization"),
        "name": _texts(facts, "name", "name_en"), "alternateName": facts.get("former_names"),
        "identifier": [_value("统一社会信用代码", code, "http://www.wikidata.org/entity/P6795")] if code else None,
        "description": _texts(facts, "business"), "foundingDate": _day(facts.get("founded_on")),
        "numberOfEmployees": {"@type": "QuantitativeValue", "value": employees} if employees is not None else None,
        "parentOrganization": _named(names.one(facts, "parent_org_id"), "organisations", "Organization"),
        "address": _address(facts, names), "location": _place(facts),
    }  # fmt: skip


def _expert(facts: Facts, names: Names) -> Node:
    family, given, _whole = split_name(facts.get("name") or "")
    number = (facts.get("orcid") or "").rpartition("/")[2]
    return {
        "@type": "Person", "name": _texts(facts, "name", "name_en"), "familyName": family, "givenName": given,
        "jobTitle": _labels(facts, "title"), "description": _texts(facts, "profile"),
        "knowsAbout": _labels(facts, "field"),
        "sameAs": f"https://orcid.org/{number}" if ORCID.fullmatch(number) else None,
        "affiliation": _named(names.one(facts, "org_id"), "organisations", "Organization"),
    }  # fmt: skip


def _need(facts: Facts, names: Names) -> Node:
    seeker = _named(names.one(facts, "org_id"), "organisations", "Organization")
    price = facts.get("budget_cny")
    return {
        "@type": "Demand", "name": _texts(facts, "title"), "description": _texts(facts, "text"),
        "identifier": facts.key, "validFrom": _day(facts.get("posted_on")),
        "validThrough": _day(facts.get("deadline_on")),
        "areaServed": _area(names.one(facts, "district_id")),
        "itemOffered": {
            "@type": "Service", "name": _texts(facts, "title"), "serviceType": _labels(facts, "kind"),
            "category": _labels(facts, "field"),
        },
        "priceSpecification": {
            "@type": "PriceSpecification", "maxPrice": price, "priceCurrency": "CNY" if price else None,
        },
        "@reverse": {"seeks": seeker} if seeker else None,
    }  # fmt: skip


def _achievement(facts: Facts, names: Names) -> Node:
    holder = _named(names.one(facts, "org_id"), "organisations", "Organization")
    numbers, trl = facts.get("ip_numbers") or [], facts.get("trl")
    states = public.labels_of(facts.noun, "ip_status", facts.get("ip_status"))
    return {
        "@type": ["Product", "CreativeWork"], "name": _texts(facts, "title"), "description": _texts(facts, "text"),
        "identifier": [facts.key, *(_value("知识产权号", number) for number in numbers)],
        "category": _labels(facts, "field"),
        "creator": [_named(one, "experts", "Person") for one in names.all(facts, "expert_ids")],
        "datePublished": _day(facts.get("published_on")), "copyrightHolder": holder,
        "additionalProperty": [
            _value("技术成熟度 TRL（GB/T 22900-2022）", trl),
            *(_value("知识产权状态 IP status", " ".join(pair)) for pair in states),
        ],
        "offers": {
            "@type": "Offer", "name": _labels(facts, "offer_kind"), "seller": holder,
            "businessFunction": BUSINESS.get(facts.get("offer_kind") or ""), "price": facts.get("price_cny"),
            "priceCurrency": "CNY" if facts.get("price_cny") else None,
            "validThrough": _day(facts.get("valid_until_on")),
            "areaServed": _area(names.one(facts, "district_id")),
        },
    }  # fmt: skip


def _facility(facts: Facts, names: Names) -> Node:
    fee = facts.get("fee_cny")
    offer = {
        "@type": "Offer",
        "price": fee,
        "priceCurrency": "CNY",
        "eligibleQuantity": {"@type": "QuantitativeValue", "value": 1, "unitCode": "HUR"},
    }
    return {
        "@type": "Service", "name": _texts(facts, "name"), "description": _texts(facts, "text"),
        "serviceType": _labels(facts, "kind"), "category": _labels(facts, "field"), "identifier": facts.key,
        "provider": _named(names.one(facts, "org_id"), "organisations", "Organization"),
        "areaServed": _area(names.one(facts, "district_id")), "termsOfService": facts.get("booking"),
        "offers": offer if fee is not None else None,
    }  # fmt: skip


def _product(facts: Facts, _names: Names) -> Node:
    chain = [facts.get("chain"), facts.get("segment")]
    return {
        "@type": "Product", "name": _texts(facts, "name", "name_en"), "alternateName": facts.get("aliases"),
        "category": " / ".join(part for part in chain if part), "identifier": facts.key,
    }  # fmt: skip


def _fund(facts: Facts, names: Names) -> Node:
    kind = FUNDS.get(facts.get("kind") or "", "FinancialProduct")
    giver = _named(names.one(facts, "org_id"), "organisations", "Organization")
    least, most, whole = (facts.get(name) for name in ("ticket_min_cny", "ticket_max_cny", "amount_cny"))
    amount = {
        "@type": "MonetaryAmount",
        "currency": "CNY",
        "minValue": least,
        "maxValue": most,
        "value": whole if not most else None,
    }
    return {
        "@type": kind, "name": _texts(facts, "name"), "description": _texts(facts, "text"), "identifier": facts.key,
        "funder" if kind == "MonetaryGrant" else "provider": giver,
        "amount": amount if kind != "FinancialProduct" and (least or most or whole) else None,
        "category": None if kind == "MonetaryGrant" else _labels(facts, "kind"),
        "areaServed": None if kind == "MonetaryGrant" else _area(names.one(facts, "district_id")),
    }  # fmt: skip


def _policy(facts: Facts, _names: Names) -> Node:
    return {
        "@type": "Legislation", "name": _texts(facts, "title"), "text": _texts(facts, "text"),
        "legislationIdentifier": facts.get("document_no"), "legislationDate": _day(facts.get("valid_from_on")),
        "expires": _day(facts.get("valid_until_on")), "keywords": _labels(facts, "kind"), "sameAs": facts.get("url"),
        "legislationPassedBy": {"@type": "GovernmentOrganization", "name": facts.get("department")} if facts.get("department") else None,  # noqa: E501
    }  # fmt: skip


def _district(facts: Facts, _names: Names) -> Node:
    code = facts.get("region")
    return {
        "@type": "AdministrativeArea", "name": _texts(facts, "name", "name_en"), "geo": _geo(facts),
        "identifier": [_value("GB/T 2260", code)] if code else facts.key,
    }  # fmt: skip


def _work(facts: Facts, names: Names) -> Node:
    kind, author = facts.get("kind") or "", _named(names.one(facts, "expert_id"), "experts", "Person")
    doi = facts.get("doi")
    known: Node = {
        "@type": WORKS.get(kind, "CreativeWork"),
        "name": _texts(facts, "title"),
        "identifier": facts.get("work_id"),
    }
    if kind == "project":
        return known | {"description": _texts(facts, "text"), "member": author}
    return known | {
        "abstract": _texts(facts, "text"), "author": author, "datePublished": str(facts.get("year") or ""),
        "sameAs": f"https://doi.org/{doi}" if doi else None, "genre": _labels(facts, "kind"),
    }  # fmt: skip


NOUNS: Final[Mapping[str, Callable[[Facts, Names], Node]]] = {
    "organisations": _organisation, "experts": _expert, "needs": _need, "achievements": _achievement,
    "facilities": _facility, "products": _product, "funds": _fund, "policies": _policy, "districts": _district,
    "works": _work,
}  # fmt: skip


# ── parts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _in(language: str, text: str) -> Node:
    return {"@language": language, "@value": text}


def _texts(facts: Facts, column: str, english: str = "") -> list[Node]:
    """A text in each language in which it is known."""
    own, other = facts.get(column), facts.get(english) if english else facts.english.get(column)
    made = [_in(public.language_of(own), own)] if own else []
    return [*made, _in("en", other)] if other else made


def _labels(facts: Facts, column: str) -> list[Node]:
    pairs = public.labels_of(facts.noun, column, facts.get(column))
    return [_in(language, text) for pair in pairs for language, text in zip(("zh", "en"), pair, strict=True)]


def _value(name: str, value: Any, kind: str = "") -> Node | None:
    if value in (None, ""):
        return None
    return {"@type": "PropertyValue", "name": name, "value": value, "propertyID": kind or None}


def _named(one: Named | None, noun: str, kind: str) -> Node | None:
    if one is None:
        return None
    names = [_in(public.language_of(one.name), one.name), *([_in("en", one.name_en)] if one.name_en else [])]
    return {"@type": kind, "@id": identity.page_of(noun, one.key), "name": names}


def _area(one: Named | None) -> Node | None:
    return _named(one, "districts", "AdministrativeArea")


def _address(facts: Facts, names: Names) -> Node | None:
    area = names.one(facts, "district_id")
    return {"@type": "PostalAddress", "addressCountry": "CN", "addressRegion": area.name} if area else None


def _place(facts: Facts) -> Node | None:
    geo = _geo(facts)
    return {"@type": "Place", "geo": geo} if geo else None


def _geo(facts: Facts) -> Node | None:
    east, north = facts.get("longitude"), facts.get("latitude")
    if east is None or north is None:
        return None
    return {"@type": "GeoCoordinates", "longitude": east, "latitude": north}


def _day(value: Any) -> str | None:
    return value.isoformat()[:10] if value else None


def _tidy(value: Any) -> Any:
    """What is not known left out, a list of one thing without its brackets."""
    if isinstance(value, dict):
        made = {name: _tidy(part) for name, part in value.items()}
        made = {name: part for name, part in made.items() if part not in (None, "", [], {})}
        return {} if set(made) <= {"@type"} and "@type" in value and len(value) > 1 else made
    if isinstance(value, list):
        parts = [part for part in map(_tidy, value) if part not in (None, "", [], {})]
        return parts[0] if len(parts) == 1 else parts
    return value
