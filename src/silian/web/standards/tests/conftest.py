"""What the tests of standards out share: a harvester."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterator

OAI = "{http://www.openarchives.org/OAI/2.0/}"


@dataclass(frozen=True, slots=True)
class Harvester:
    """A harvester of OAI-PMH: asks, and follows the tokens."""

    client: Any

    def ask(self, **arguments: str) -> etree._Element:
        answer = self.client.get("/oai", {("from" if n == "since" else n): v for n, v in arguments.items()})
        assert answer.status_code == 200
        assert answer["Content-Type"] == "text/xml; charset=utf-8"
        return etree.fromstring(b"".join(answer))

    def error(self, **arguments: str) -> str:
        errors = self.ask(**arguments).findall(f"{OAI}error")
        return errors[0].get("code") if errors else ""

    def pages(self, **arguments: str) -> Iterator[etree._Element]:
        verb, page = arguments["verb"], self.ask(**arguments)
        while True:
            yield page
            token = page.findtext(f".//{OAI}resumptionToken")
            if not token:
                return
            page = self.ask(verb=verb, resumptionToken=token)

    def headers(self, **arguments: str) -> list[etree._Element]:
        return [h for page in self.pages(**arguments) for h in page.iter(f"{OAI}header")]

    def ids(self, **arguments: str) -> list[str]:
        given = {"verb": "ListIdentifiers", "metadataPrefix": "oai_dc"} | arguments
        return [header.findtext(f"{OAI}identifier") for header in self.headers(**given)]

    def entities(self, **arguments: str) -> list[etree._Element]:
        given = {"verb": "ListRecords", "metadataPrefix": "oai_cerif_openaire"} | arguments
        return [m[0] for page in self.pages(**given) for m in page.iter(f"{OAI}metadata")]


@pytest.fixture
def harvester(people) -> Harvester:
    return Harvester(people["visitor"].client)
