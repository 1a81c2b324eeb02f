"""A small client of the Silian API. One file, the standard library alone: copy it beside your program.

>>> client = Client("https://silian.example", token="silian_…")  # doctest: +SKIP
>>> for need in client.records("needs", field="food"):           # doctest: +SKIP
...     print(need["id"], need["values"]["title"])
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.error import HTTPError
from urllib.parse import quote, urlencode, urljoin, urlsplit
from urllib.request import Request, urlopen

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]
AGAIN: Final = (429, 503)  # statuses that pass
SIGNS: Final = {"!": "!!", "/": "!s", "\\": "!b"}  # how ids stand in addresses
LONGEST_WAIT: Final = 120.0  # seconds


class ApiError(Exception):
    """The API has refused something: its `code` is stable, its `told` holds all that it says (RFC 9457)."""

    def __init__(self, status: int, told: Json) -> None:
        super().__init__(f"[{told.get('code', status)}] {told.get('detail', '')}")
        self.status, self.code, self.told = status, str(told.get("code", "")), told


class ConflictError(ApiError):
    """Somebody else was faster: `told["conflicts"]` holds both values, `told["version"]` the version as it is."""


@dataclass(frozen=True)
class Client:
    """A site, as a program sees it; without a token: what everybody may see."""

    site: str  # https://host
    token: str = field(default="", repr=False)
    language: str = "zh"
    tries: int = 5  # of a request that is refused for a while
    timeout: float = 30.0  # seconds

    # ── reading ──

    def records(self, noun: str, **asked: str | int) -> Iterator[Json]:
        """Every record of a noun that the token opens, page by page.

        Parameters
        ----------
        asked : q, state, a facet, updated_since, sort, limit
        """
        return self.pages(f"{noun}?{urlencode({'limit': 200} | asked)}")

    def pages(self, address: str) -> Iterator[Json]:
        """Every item of any list, page by page."""
        following: str | None = address
        while following:
            page = self.ask("GET", following)
            yield from page["items"]
            following = page["next"]

    def record(self, noun: str, record_id: str) -> Json:
        """One record."""
        return self.ask("GET", self.address(noun, record_id))

    def matches(self, need_id: str) -> Json:
        """Who can help with a need, from the run in force."""
        return self.ask("GET", self.address("needs", need_id) + "/matches")

    def fits(self, noun: str, record_id: str) -> Json:
        """Which needs an achievement or an expert (noun: achievements, experts) fits, from the run in force."""
        return self.ask("GET", self.address(noun, record_id) + "/matches")

    # ── writing ──

    def create(self, noun: str, values: Json, **beside: Any) -> Json:
        """Make a record; sent again after a broken line, it is made once."""
        return self.ask("POST", noun, {"values": values} | beside, key=str(uuid.uuid4()))

    def change(self, record: Json, values: Json, **beside: Any) -> Json:
        """Change a record that was read before.

        Raises
        ------
        ConflictError : if it has changed since: look, decide, send it again with the version as it is
        """
        return self.ask("PATCH", record["self"], {"version": record["version"], "values": values} | beside)

    def publish(self, record: Json) -> Json:
        """Publish or renew a record."""
        return self.ask("POST", record["self"] + "/publish", key=str(uuid.uuid4()))

    def withdraw(self, record: Json, reason: str = "") -> Json:
        """Take a record out of the lists."""
        return self.ask("POST", record["self"] + "/withdraw", {"reason": reason}, key=str(uuid.uuid4()))

    # ── the wire ──

    @staticmethod
    def address(noun: str, record_id: str) -> str:
        """Where a record stands, whatever its id holds.

        >>> Client.address("needs", "国发〔2026〕1/2号")
        'needs/%E5%9B%BD%E5%8F%91%E3%80%942026%E3%80%951%21s2%E5%8F%B7'
        """
        written = "!d" * len(record_id) if set(record_id) == {"."} else "".join(SIGNS.get(c, c) for c in record_id)
        return f"{noun}/{quote(written, safe='')}"

    def ask(self, method: str, address: str, body: Json | None = None, *, key: str = "") -> Json:
        """One request; what is refused for a while is asked again when the site says so.

        Parameters
        ----------
        address : below /api/v1/, or an address that the API gave
        key : of a POST that may be sent again

        Raises
        ------
        ApiError : if it is refused for good
        """
        url = urljoin(f"{self.site}/api/v1/", address)
        if urlsplit(url)[:2] != urlsplit(self.site)[:2]:  # a token goes to its own site and nowhere else
            raise ValueError(url)
        for left in reversed(range(self.tries)):
            try:
                with urlopen(self._request(method, url, body, key), timeout=self.timeout) as answer:  # noqa: S310
                    text = answer.read()
                    return json.loads(text) if text else {}
            except HTTPError as error:
                if error.code not in AGAIN or not left:
                    raise _refused(error) from None
                time.sleep(min(float(error.headers.get("Retry-After", 1)), LONGEST_WAIT))
        raise AssertionError  # the last try returns or raises

    def _request(self, method: str, url: str, body: Json | None, key: str) -> Request:
        headers = {"Accept": "application/json", "Accept-Language": self.language}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if key:
            headers["Idempotency-Key"] = key
        sent = None if body is None else json.dumps(body).encode()
        if sent is not None:
            headers["Content-Type"] = "application/json"
        return Request(url, data=sent, headers=headers, method=method)  # noqa: S310 – the scheme is the site's


def _refused(error: HTTPError) -> ApiError:
    text = error.read()
    try:
        told = json.loads(text)
    except ValueError:
        told = {"detail": text[:200].decode(errors="replace")}
    return (ConflictError if told.get("code") == "api.stale" else ApiError)(error.code, told)
