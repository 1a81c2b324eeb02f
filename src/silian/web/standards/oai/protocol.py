"""The six verbs of OAI-PMH 2.0: what was asked, read strictly, and what is answered, written record by record."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.core import signing
from django.utils import timezone
from lxml import etree

from silian.web.standards import identity
from silian.web.standards.oai import sources
from silian.web.standards.oai.cerif import CERIF, cerif, service
from silian.web.standards.oai.cerif import SCHEMA as CERIF_SCHEMA
from silian.web.standards.oai.dublin_core import OAI_DC, XSI, dublin_core
from silian.web.standards.oai.dublin_core import SCHEMA as OAI_DC_SCHEMA
from silian.web.standards.public import Names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

OAI: Final = "http://www.openarchives.org/OAI/2.0/"
SCHEMA: Final = "http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd"
OAI_IDENTIFIER: Final = "http://www.openarchives.org/OAI/2.0/oai-identifier"
# prefix → namespace, where its schema lies
FORMATS: Final = {"oai_dc": (OAI_DC, OAI_DC_SCHEMA), "oai_cerif_openaire": (CERIF, CERIF_SCHEMA)}
LASTS: Final = timedelta(hours=24)  # of a resumption token
SALT: Final = "oai-resumption"
# verb → arguments: required, optional; resumptionToken stands alone
VERBS: Final = {
    "Identify": ((), ()),
    "ListMetadataFormats": ((), ("identifier",)),
    "ListSets": ((), ("resumptionToken",)),
    "GetRecord": (("identifier", "metadataPrefix"), ()),
    "ListIdentifiers": (("metadataPrefix",), ("from", "until", "set", "resumptionToken")),
    "ListRecords": (("metadataPrefix",), ("from", "until", "set", "resumptionToken")),
}
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_SECOND: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)
_SET: Final = re.compile(r"[\w\-.!~*'()]+(:[\w\-.!~*'()]+)*", re.ASCII)


class ProtocolError(Exception):
    """A request that is answered with an error of the protocol."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that is asked for, from its beginning or from where a token says."""

    prefix: str
    asked: sources.Range
    start: sources.Place
    cursor: int = 0
    token: str = ""  # that was given


def answer(given: Mapping[str, list[str]], base_url: str) -> Iterator[bytes]:
    """The answer to a request, in parts. Everything that can fail has been asked before the first part comes.

    Parameters
    ----------
    given : arguments of the request, each with all its values
    """
    now = timezone.now()
    try:
        arguments = _checked(given)
        parts = _ANSWERS[arguments["verb"]](arguments, base_url)
    except ProtocolError as error:
        shown = {} if error.code in ("badVerb", "badArgument") else {n: v[0] for n, v in given.items()}
        return iter([_head(now, base_url, shown), _error(error), b"</OAI-PMH>\n"])
    return _whole(now, base_url, arguments, parts)


def _whole(now: datetime, base_url: str, arguments: Mapping[str, str], parts: Iterator[bytes]) -> Iterator[bytes]:
    verb = arguments["verb"].encode()
    yield _head(now, base_url, arguments) + b"<" + verb + b">\n"
    yield from parts
    yield b"</" + verb + b">\n</OAI-PMH>\n"


def _head(now: datetime, base_url: str, arguments: Mapping[str, str]) -> bytes:
    request = etree.Element("request", {name: _fit(value) for name, value in arguments.items()})
    request.text = base_url
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<OAI-PMH xmlns="{OAI}" xmlns:xsi="{XSI}" xsi:schemaLocation="{OAI} {SCHEMA}">\n'
        f"<responseDate>{stamp(now)}</responseDate>\n"
    ).encode() + _written(request)


def _error(error: ProtocolError) -> bytes:
    element = etree.Element("error", code=error.code)
    element.text = str(error)
    return _written(element)


# ── what was asked ──────────────────────────────────────────────────────────────────────────────────────────────────


def _checked(given: Mapping[str, list[str]]) -> dict[str, str]:
    """The arguments of a request, each once and none that its verb does not know."""
    verbs = given.get("verb", [])
    if len(verbs) != 1 or verbs[0] not in VERBS:
        raise ProtocolError(
            "badVerb", "one verb of Identify, ListMetadataFormats, ListSets, GetRecord, ListIdentifiers, ListRecords"
        )
    required, optional = VERBS[verbs[0]]
    arguments = {name: values[0] for name, values in given.items()}
    if repeated := sorted(name for name, values in given.items() if len(values) > 1):
        raise ProtocolError("badArgument", f"given more than once: {', '.join(map(_fit, repeated))}")
    if unknown := sorted(set(arguments) - {"verb", *required, *optional}):
        raise ProtocolError("badArgument", f"not an argument of {verbs[0]}: {', '.join(map(_fit, unknown))}"[:500])
    if "resumptionToken" in arguments:
        if len(arguments) > 2:
            raise ProtocolError("badArgument", "resumptionToken stands alone")
    elif not re.fullmatch(r"[\w\-.!~*'()]*", arguments.get("metadataPrefix", ""), re.ASCII):
        raise ProtocolError("badArgument", "metadataPrefix: letters, digits and -_.!~*'() alone")
    elif missing := [name for name in required if not arguments.get(name)]:
        raise ProtocolError("badArgument", f"missing: {', '.join(missing)}")
    return arguments


def _listing(arguments: Mapping[str, str]) -> Listing:
    """The list that is asked for."""
    if token := arguments.get("resumptionToken"):
        return _resumed(token, arguments["verb"])
    prefix = arguments["metadataPrefix"]
    since, until = _instant(arguments, "from"), _instant(arguments, "until")
    if since and until:
        if len(arguments["from"]) != len(arguments["until"]):
            raise ProtocolError("badArgument", "from and until are of different granularity")
        if since > until:
            raise ProtocolError("badArgument", "from lies behind until")
    spec = arguments.get("set", "")
    if "set" in arguments and not _SET.fullmatch(spec):
        raise ProtocolError("badArgument", "set: letters, digits and -_.!~*'(), parts divided by colons")
    if prefix not in FORMATS:
        raise ProtocolError("cannotDisseminateFormat", f"one of {', '.join(FORMATS)}")
    if spec and spec not in dict(sources.SETS):
        raise ProtocolError("noRecordsMatch", "no such set: ListSets names them all")
    if until and len(arguments["until"]) == 10:
        until += timedelta(days=1) - sources.SECOND
    indices = sources.chosen(spec, is_cerif=prefix != "oai_dc")
    return Listing(prefix, sources.Range(indices, since, until), sources.Place())


def _instant(arguments: Mapping[str, str], name: str) -> datetime | None:
    """A day or a second, in UTC; a day is its first second."""
    if name not in arguments:
        return None
    text = arguments[name]
    try:
        if _DAY.fullmatch(text):
            return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
        if _SECOND.fullmatch(text):
            return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        pass
    raise ProtocolError("badArgument", f"{name}: YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ")


def _resumed(token: str, verb: str) -> Listing:
    """Where a token leads on."""
    try:
        told = signing.loads(token, salt=SALT, max_age=LASTS)
        made_for, prefix, indices, since, until, start, cursor = told
    except (signing.BadSignature, ValueError, TypeError):
        raise ProtocolError("badResumptionToken", "the token is not ours, or older than a day") from None
    if made_for != verb:
        raise ProtocolError("badResumptionToken", f"the token is of {made_for}")
    instants = [datetime.fromtimestamp(one, UTC) if one is not None else None for one in (since, until)]
    asked = sources.Range(tuple(indices), *instants)
    return Listing(prefix, asked, sources.Place(*start), cursor, token)


def _token(listing: Listing, verb: str, after: sources.Place, cursor: int) -> str:
    asked = listing.asked
    since, until = (one.timestamp() if one else None for one in (asked.since, asked.until))
    told = [verb, listing.prefix, list(asked.sources), since, until, list(after), cursor]
    return signing.dumps(told, salt=SALT, compress=True)


# ── what is answered ────────────────────────────────────────────────────────────────────────────────────────────────


def _identify(_arguments: Mapping[str, str], base_url: str) -> Iterator[bytes]:
    publisher, name = identity.publisher(), identity.repository()
    rows = (
        ("repositoryName", f"{publisher.name} · 四链 Silian"), ("baseURL", base_url), ("protocolVersion", "2.0"),
        ("adminEmail", identity.admin_email()), ("earliestDatestamp", stamp(sources.earliest() or timezone.now())),
        ("deletedRecord", "transient"), ("granularity", "YYYY-MM-DDThh:mm:ssZ"), ("compression", "gzip"),
    )  # fmt: skip
    parts = [_line(tag, text) for tag, text in rows]
    told = etree.Element(f"{{{OAI_IDENTIFIER}}}oai-identifier", nsmap={None: OAI_IDENTIFIER})
    told.set(f"{{{XSI}}}schemaLocation", f"{OAI_IDENTIFIER} http://www.openarchives.org/OAI/2.0/oai-identifier.xsd")
    sample = f"oai:{name}:OrgUnits/organisations.O01"
    for tag, text in (
        ("scheme", "oai"),
        ("repositoryIdentifier", name),
        ("delimiter", ":"),
        ("sampleIdentifier", sample),
    ):
        etree.SubElement(told, f"{{{OAI_IDENTIFIER}}}{tag}").text = text
    parts += [_described(told), _described(service(base_url))]
    return iter(parts)


def _formats(arguments: Mapping[str, str], _base_url: str) -> Iterator[bytes]:
    offered = list(FORMATS)
    if "identifier" in arguments:
        item = sources.one(arguments["identifier"])
        if item is None:
            raise _unknown(arguments["identifier"])
        offered = [prefix for prefix in FORMATS if prefix == "oai_dc" or item.source.element]
    parts = []
    for prefix in offered:
        namespace, schema = FORMATS[prefix]
        rows = ("metadataPrefix", prefix), ("schema", schema), ("metadataNamespace", namespace)
        inner = b"".join(_line(tag, text) for tag, text in rows)
        parts.append(b"<metadataFormat>\n" + inner + b"</metadataFormat>\n")
    return iter(parts)


def _sets(arguments: Mapping[str, str], _base_url: str) -> Iterator[bytes]:
    if "resumptionToken" in arguments:
        raise ProtocolError("badResumptionToken", "the list of sets has one part")
    return iter([
        b"<set>\n" + _line("setSpec", spec) + _line("setName", name) + b"</set>\n" for spec, name in sources.SETS
    ])  # fmt: skip


def _record(arguments: Mapping[str, str], _base_url: str) -> Iterator[bytes]:
    prefix, item = arguments["metadataPrefix"], sources.one(arguments["identifier"])
    if item is None:
        raise _unknown(arguments["identifier"])
    if prefix not in FORMATS or (prefix != "oai_dc" and not item.source.element):
        raise ProtocolError("cannotDisseminateFormat", "ListMetadataFormats with this identifier says which there are")
    return iter([_told(item, prefix, Names(item.facts))])


def _list(arguments: Mapping[str, str], _base_url: str) -> Iterator[bytes]:
    verb = arguments["verb"]
    listing = _listing(arguments)
    is_whole = verb == "ListRecords"
    page = sources.page(listing.asked, listing.start, is_whole=is_whole)
    if not page.items and not listing.token:
        raise ProtocolError("noRecordsMatch", "nothing was published or withdrawn under these conditions")
    if not page.items:
        raise ProtocolError("badResumptionToken", "what the list had left is no longer there; begin anew")
    names = Names(facts for item in page.items for facts in item.facts)
    return _listed(listing, page, verb, names)


def _listed(listing: Listing, page: sources.Page, verb: str, names: Names) -> Iterator[bytes]:
    for item in page.items:
        yield _told(item, listing.prefix, names) if verb == "ListRecords" else _header(item)
    if page.after is None and not listing.token:
        return
    token = etree.Element("resumptionToken", cursor=str(listing.cursor))
    if page.after is not None:
        token.set("expirationDate", stamp(timezone.now() + LASTS))
        token.text = _token(listing, verb, page.after, listing.cursor + len(page.items))
    yield _written(token)


_ANSWERS: Final[dict[str, Callable[[Mapping[str, str], str], Iterator[bytes]]]] = {
    "Identify": _identify, "ListMetadataFormats": _formats, "ListSets": _sets, "GetRecord": _record,
    "ListIdentifiers": _list, "ListRecords": _list,
}  # fmt: skip


def _told(item: sources.Item, prefix: str, names: Names) -> bytes:
    """A record; of a thing that is not published any more, its header."""
    if not item.facts:
        return b"<record>\n" + _header(item) + b"</record>\n"
    made = dublin_core(item, names) if prefix == "oai_dc" else cerif(item, names)
    return b"<record>\n" + _header(item) + b"<metadata>\n" + _written(made) + b"</metadata>\n</record>\n"


def _header(item: sources.Item) -> bytes:
    is_live = item.state == "live"
    parts = [_line("identifier", item.identifier), _line("datestamp", stamp(item.stamp))]
    parts.append(_line("setSpec", item.source.set_spec))
    return (b"<header>\n" if is_live else b'<header status="deleted">\n') + b"".join(parts) + b"</header>\n"


def _unknown(identifier: str) -> ProtocolError:
    is_formed = re.fullmatch(r"oai:[\w.-]+:\S+", identifier, re.ASCII)
    return ProtocolError("idDoesNotExist", "there is no such record" if is_formed else "not an identifier of ours")


def stamp(instant: datetime) -> str:
    """An instant as the protocol has it: seconds, in UTC."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _fit(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable())


def _line(tag: str, text: str) -> bytes:
    element = etree.Element(tag)
    element.text = text
    return _written(element)


def _described(element: etree._Element) -> bytes:
    return b"<description>\n" + _written(element) + b"</description>\n"


def _written(element: etree._Element) -> bytes:
    written: bytes = etree.tostring(element, encoding="UTF-8", xml_declaration=False)
    return written + b"\n"
