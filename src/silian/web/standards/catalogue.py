"""The catalogue of the open data in the words of DCAT-AP 3: what there is, who answers for it, how it is had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.urls import reverse
from django.utils.timezone import localtime

from silian.tables import schema
from silian.web.standards import identity, public

if TYPE_CHECKING:
    from datetime import datetime

    from silian.web.standards.rdf import Node

EU: Final = "http://publications.europa.eu/resource/authority"
MEDIA: Final = "https://www.iana.org/assignments/media-types"
LANGUAGES: Final = (f"{EU}/language/ZHO", f"{EU}/language/ENG")
CHAINS: Final = {
    "innovation": ("创新链", "innovation chain"), "industry": ("产业链", "industry chain"),
    "capital": ("资金链", "capital chain"), "talent": ("人才链", "talent chain"), "all": ("四链", "four chains"),
}  # fmt: skip


def catalogue() -> list[Node]:
    """The catalogue, its publisher, its data sets and services. Cost: one query a noun, and one for the districts."""
    fresh = public.freshest()
    spatial = [_location(public.facts_of(record)) for record in public.records("districts").select_related("place")]
    sets = [_dataset(noun, fresh[noun], spatial) for noun in public.OPEN if fresh[noun]]
    services = [_service(sets), _interface(sets)]
    last = max((one for one in fresh.values() if one), default=None)
    whole: Node = {
        "@id": catalogue_id(), "@type": "dcat:Catalog",
        "dct:title": _both("四链开放数据目录", "Open data of Silian"),
        "dct:description": _both(
            "本站已发布记录中公开的部分：创新链、产业链、资金链、人才链的名录与关系。",
            "The public part of what is published here: registers and relations of the chains of innovation, industry, "
            "capital and talent.",
        ),
        "dct:publisher": {"@id": _publisher_id()}, "dct:language": [{"@id": one} for one in LANGUAGES],
        "foaf:homepage": {"@id": identity.address(reverse("standards")), "@type": "foaf:Document"},
        "dcat:dataset": [{"@id": one["@id"]} for one in sets],
        "dcat:service": [{"@id": one["@id"]} for one in services],
        **_rights(),
    }  # fmt: skip
    if last:
        whole["dct:modified"] = _instant(last)
    return [whole, _publisher(), *sets, *services]


def catalogue_id() -> str:
    """The name of the catalogue among linked data."""
    return f"{identity.address(reverse('dcat', args=['jsonld']))}#catalogue"


def _publisher_id() -> str:
    return f"{identity.address(reverse('dcat', args=['jsonld']))}#publisher"


def _publisher() -> Node:
    told = identity.publisher()
    return {
        "@id": _publisher_id(), "@type": "foaf:Agent", "foaf:name": _both(told.name, told.name_en),
        "foaf:homepage": {"@id": told.homepage, "@type": "foaf:Document"},
    }  # fmt: skip


def _dataset(noun: str, last: datetime | None, spatial: list[Node]) -> Node:
    table, told = schema.tables()[noun], identity.publisher()
    csv = identity.address(reverse("open_csv", args=[noun]))
    about = identity.address(reverse("open_documentation", args=[noun]))
    return {
        "@id": f"{identity.address(reverse('dcat', args=['jsonld']))}#{noun}", "@type": "dcat:Dataset",
        "dct:title": _both(table.label_zh, table.label_en),
        "dct:description": _both(table.meaning_zh, table.meaning), "dct:identifier": noun,
        "dcat:keyword": _both(*CHAINS[table.chain]),
        "dcat:theme": {"@id": f"{EU}/data-theme/TECH", "@type": "skos:Concept"},
        "dct:publisher": {"@id": _publisher_id()},
        "dcat:contactPoint": {
            "@type": "vcard:Organization", "vcard:fn": told.name, "vcard:hasEmail": {"@id": f"mailto:{told.email}"},
        },
        "dcat:landingPage": {"@id": identity.address(reverse("standards")), "@type": "foaf:Document"},
        "dct:language": [{"@id": one} for one in LANGUAGES], "dct:spatial": spatial,
        "dct:accrualPeriodicity": {"@id": f"{EU}/frequency/CONT", "@type": "dct:Frequency"},
        "dct:accessRights": {"@id": f"{EU}/access-right/PUBLIC", "@type": "dct:RightsStatement"},
        "dct:modified": _instant(last),
        "dcat:distribution": {
            "@id": f"{csv}#distribution", "@type": "dcat:Distribution",
            "dct:title": _both(f"{table.label_zh}（CSV）", f"{table.label_en} (CSV)"),
            "dcat:accessURL": {"@id": csv}, "dcat:downloadURL": {"@id": csv},
            "dct:format": {"@id": f"{EU}/file-type/CSV", "@type": "dct:MediaTypeOrExtent"},
            "dcat:mediaType": {"@id": f"{MEDIA}/text/csv", "@type": "dct:MediaType"},
            "foaf:page": {"@id": about, "@type": "foaf:Document"}, **_rights(),
        },
    }  # fmt: skip


def _service(sets: list[Node]) -> Node:
    url = identity.address(reverse("oai"))
    return {
        "@id": f"{url}#service", "@type": "dcat:DataService",
        "dct:title": _both("OAI-PMH 采集接口", "OAI-PMH"), "dcat:endpointURL": {"@id": url},
        "dcat:endpointDescription": {"@id": f"{url}?verb=Identify"},
        "dct:description": _both("都柏林核心与 CERIF-XML 元数据采集", "Harvesting in Dublin Core and CERIF-XML"),
        "dct:publisher": {"@id": _publisher_id()}, "dcat:servesDataset": [{"@id": one["@id"]} for one in sets],
        **_rights(),
    }  # fmt: skip


def _interface(sets: list[Node]) -> Node:
    guide = reverse("interface")
    return {
        "@id": f"{identity.address(guide)}#service", "@type": "dcat:DataService",
        "dct:title": _both("程序接口", "API"), "dcat:endpointURL": {"@id": identity.address(f"{guide}v1/")},
        "dcat:endpointDescription": {"@id": identity.address(f"{guide}v1/openapi.json")},
        "dct:description": _both("按字段查询公开记录，无须令牌", "Public records by their columns, without a token"),
        "dct:publisher": {"@id": _publisher_id()}, "dcat:servesDataset": [{"@id": one["@id"]} for one in sets],
        **_rights(),
    }  # fmt: skip


def _location(facts: public.Facts) -> Node:
    """A district; its GB/T 2260 code names it where it has one."""
    node: Node = {"@type": "dct:Location", "skos:prefLabel": [_in("zh", facts.heading)]}
    if facts.get("name_en"):
        node["skos:prefLabel"].append(_in("en", facts.get("name_en")))
    if facts.get("region"):
        node["dct:identifier"] = f"GB/T 2260 {facts.get('region')}"
    return node


def _rights() -> Node:
    """The licence; where none was chosen, that none was."""
    if identity.licence():
        return {"dct:license": {"@id": identity.licence(), "@type": "dct:LicenseDocument"}}
    label = _both("尚未选定许可，使用前请联系发布单位。", "No licence was chosen: ask the publisher before use.")
    return {"dct:rights": {"@type": "dct:RightsStatement", "rdfs:label": label}}


def _both(chinese: str, english: str) -> list[Any]:
    return [_in("zh", chinese), _in("en", english)]


def _in(language: str, text: str) -> dict[str, str]:
    return {"@value": text, "@language": language}


def _instant(value: datetime | None) -> dict[str, str]:
    told = localtime(value).isoformat(timespec="seconds") if value else ""
    return {"@value": told, "@type": "xsd:dateTime"}
