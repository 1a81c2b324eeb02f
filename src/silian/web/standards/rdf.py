"""A small graph written as JSON-LD, Turtle or RDF/XML: the same statements in each.

A node is a mapping: "@id" (none: a node without a name), "@type", and properties as prefix:name, each a value or a list
of values. A value is a node, a literal {"@value", "@language" or "@type"}, or a plain text.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PREFIXES: Final[Mapping[str, str]] = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#", "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/", "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#", "skos": "http://www.w3.org/2004/02/skos/core#",
    "adms": "http://www.w3.org/ns/adms#", "locn": "http://www.w3.org/ns/locn#",
}  # fmt: skip
Node = dict[str, Any]
_XML_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_ESCAPES: Final = {ord("\\"): "\\\\", ord('"'): '\\"', ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}
_OUTSIDE: Final = {ord(sign): f"%{ord(sign):02X}" for sign in '<>"{}|^`\\ '} | {n: f"%{n:02X}" for n in range(32)}


def json_ld(nodes: Sequence[Node]) -> bytes:
    """The graph as JSON-LD."""
    told = {"@context": dict(PREFIXES), "@graph": list(nodes)}
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def turtle(nodes: Sequence[Node]) -> bytes:
    """The graph as Turtle."""
    lines = [f"@prefix {prefix}: <{address}> ." for prefix, address in PREFIXES.items()]
    lines += dict.fromkeys(f"\n{_address(node['@id'])} {_statements(node, 1)} ." for node in _named(nodes))
    return ("\n".join(lines) + "\n").encode()


def rdf_xml(nodes: Sequence[Node]) -> bytes:
    """The graph as RDF/XML."""
    root = etree.Element(_tag("rdf:RDF"), nsmap=dict(PREFIXES))
    for node in nodes:
        _described(root, node)
    written: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return written


FORMS: Final = {
    "jsonld": ("application/ld+json", json_ld), "ttl": ("text/turtle; charset=utf-8", turtle),
    "rdf": ("application/rdf+xml; charset=utf-8", rdf_xml),
}  # fmt: skip


def _pairs(node: Node) -> Iterator[tuple[str, Any]]:
    """Each property with each of its values, the type aside."""
    for name, values in node.items():
        if not name.startswith("@"):
            yield from ((name, value) for value in (values if isinstance(values, list) else [values]))


def _named(nodes: Sequence[Node]) -> Iterator[Node]:
    """The nodes that have a name and say something, however deep they stand."""
    for node in nodes:
        if "@id" in node and len(node) > 1:
            yield node
        yield from _named([value for _name, value in _pairs(node) if isinstance(value, dict) and "@value" not in value])


def _types(node: Node) -> list[str]:
    found = node.get("@type", [])
    return found if isinstance(found, list) else [found]


# ── Turtle ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _statements(node: Node, depth: int) -> str:
    told = [f"a {kind}" for kind in _types(node)]
    told += [f"{name} {_object(value, depth)}" for name, value in _pairs(node)]
    return f" ;\n{'  ' * depth}".join(told)


def _object(value: Any, depth: int) -> str:
    if isinstance(value, str):
        return _literal(value)
    if "@value" in value:
        language, kind = value.get("@language"), value.get("@type")
        return _literal(value["@value"]) + (f"@{language}" if language else f"^^{kind}" if kind else "")
    if "@id" in value:
        return _address(value["@id"])
    return f"[ {_statements(value, depth + 1)} ]"


def _literal(text: str) -> str:
    return f'"{text.translate(_ESCAPES)}"'


def _address(address: str) -> str:
    return f"<{address.translate(_OUTSIDE)}>"


# ── RDF/XML ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _described(parent: etree._Element, node: Node) -> None:
    kinds = _types(node)
    element = etree.SubElement(parent, _tag(kinds[0] if kinds else "rdf:Description"))
    if "@id" in node:
        element.set(_tag("rdf:about"), node["@id"].translate(_OUTSIDE))
    for kind in kinds[1:]:
        etree.SubElement(element, _tag("rdf:type")).set(_tag("rdf:resource"), _whole(kind))
    for name, value in _pairs(node):
        stated = etree.SubElement(element, _tag(name))
        if isinstance(value, str):
            stated.text = value
        elif "@value" in value:
            stated.text = value["@value"]
            if value.get("@language"):
                stated.set(_XML_LANG, value["@language"])
            elif value.get("@type"):
                stated.set(_tag("rdf:datatype"), _whole(value["@type"]))
        elif set(value) == {"@id"}:
            stated.set(_tag("rdf:resource"), value["@id"].translate(_OUTSIDE))
        else:
            _described(stated, value)


def _whole(name: str) -> str:
    prefix, _colon, rest = name.partition(":")
    return PREFIXES[prefix] + rest


def _tag(name: str) -> str:
    prefix, _colon, rest = name.partition(":")
    return f"{{{PREFIXES[prefix]}}}{rest}"
