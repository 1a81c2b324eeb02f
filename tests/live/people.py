"""Somebody with a browser: signs in, opens pages, fills in the forms that stand there, as plain HTTP."""

from __future__ import annotations

import http.client
import re
import secrets
import time
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

Fields = dict[str, list[str]]
LATER: Final = 180.0  # seconds in which a sign-in is tried again
IDLE: Final = 1.0  # seconds after which a kept connection is not trusted: the server shuts it after two


class LostError(Exception):
    """No whole answer came: what was asked for may have happened, or not."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    location: str
    number: str  # X-Request-Id: stands in the log of what the request did
    seconds: float  # until the last byte

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Person:
    """One session. Not for two threads at once."""

    host: str
    port: int
    name: str = ""
    email: str = ""
    password: str = ""
    timeout: float = 30.0
    cookies: dict[str, str] = field(default_factory=dict)
    connection: http.client.HTTPConnection | None = None
    used_at: float = 0.0

    def sign_in(self) -> None:
        """Through the form, as everybody; where too many come from one address in a minute, later."""
        self.get("/account/login/")
        began = time.monotonic()
        while True:
            answer = self.post("/account/login/", {"login": [self.email], "password": [self.password]})
            if answer.status != 429 or time.monotonic() - began > LATER:
                break
            time.sleep(5)
        assert answer.status == 302, f"{self.email} cannot sign in: {answer.status}"

    def get(self, path: str) -> Answer:
        return self.ask("GET", path, None, {})

    def post(self, path: str, fields: Fields) -> Answer:
        """Send a form."""
        body = urlencode([(name, value) for name, values in fields.items() for value in values]).encode()
        return self.ask("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def send(self, path: str, fields: Fields, files: Mapping[str, tuple[str, str, bytes]]) -> Answer:
        """Send a form with files: field → name, media type, content."""
        mark = secrets.token_hex(12)
        pieces = [
            f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, values in fields.items() for value in values
        ]  # fmt: skip
        for name, (called, kind, content) in files.items():
            head = f'--{mark}\r\nContent-Disposition: form-data; name="{name}"; filename="{called}"\r\n'
            pieces += [f"{head}Content-Type: {kind}\r\n\r\n".encode(), content, b"\r\n"]
        body = b"".join([*pieces, f"--{mark}--\r\n".encode()])
        return self.ask("POST", path, body, {"Content-Type": f"multipart/form-data; boundary={mark}"})

    def ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        """One request on the connection that is there, or on a new one.

        Raises
        ------
        LostError : if no whole answer came
        """
        if method == "POST" or time.monotonic() - self.used_at > IDLE:
            self.leave()  # a kept connection may be shut at this moment, and a form is not sent twice
        is_kept = self.connection is not None
        self.connection = self.connection or http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
        sent = {"Cookie": "; ".join(f"{n}={v}" for n, v in self.cookies.items()), "Accept-Language": "zh-hans"}
        if method == "POST":
            sent["X-CSRFToken"] = self.cookies.get("csrftoken", "")
        began = time.perf_counter()
        try:
            self.connection.request(method, path, body, sent | headers)
            answer = self.connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.leave()
            if is_kept:
                return Person.ask(self, method, path, body, headers)  # as browsers do
            told = f"{method} {path}: {error!r}"
            raise LostError(told) from error
        self.used_at = time.monotonic()
        for line in answer.headers.get_all("Set-Cookie") or ():
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        told = (answer.headers.get("Location", ""), answer.headers.get("X-Request-Id", ""))
        return Answer(answer.status, content, *told, time.perf_counter() - began)

    def leave(self) -> None:
        """Shut the connection."""
        if self.connection is not None:
            self.connection.close()
        self.connection = None


class _Forms(HTMLParser):
    """Every form of a page with what stands in its fields."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Fields] = []
        self.select, self.area, self.first = "", "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        name = told.get("name", "")
        if tag == "form":
            self.forms.append({})
        elif not self.forms:
            return
        elif tag == "input" and name and told.get("type") not in ("submit", "button", "file"):
            is_box = told.get("type") in ("checkbox", "radio")
            if not is_box or "checked" in told:
                self.forms[-1].setdefault(name, []).append(told.get("value", "on" if is_box else ""))
        elif tag == "select":
            self.select, self.first = name, ""
            self.is_many = "multiple" in told
        elif tag == "option" and self.select:
            self.first = self.first or told.get("value", "") or " "
            if "selected" in told:
                self.forms[-1].setdefault(self.select, []).append(told.get("value", ""))
        elif tag == "textarea" and name:
            self.area = name
            self.forms[-1].setdefault(name, []).append("")

    def handle_data(self, data: str) -> None:
        if self.area:
            self.forms[-1][self.area][-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "select" and self.forms and self.select:
            if not self.is_many and self.first:  # a browser chooses the first option where none is
                self.forms[-1].setdefault(self.select, [self.first.strip()])
            self.select = ""
        elif tag == "textarea" and self.area:
            own = self.forms[-1][self.area]
            own[-1] = own[-1].removeprefix("\n")  # the first line break of a text area is not part of it
            self.area = ""


def form_with(page: str, name: str) -> Fields:
    """The fields of the first form of a page that has one of some name.

    Raises
    ------
    LookupError : if there is none
    """
    read = _Forms()
    read.feed(page)
    for form in read.forms:
        if name in form:
            return {n: values for n, values in form.items() if n != "csrfmiddlewaretoken"}
    raise LookupError(name)


def links(page: str, pattern: str) -> list[str]:
    """The addresses of a page that match a pattern whole, each once."""
    found = (address.replace("&amp;", "&") for address in re.findall(r'href="([^"]+)"', page))
    return list(dict.fromkeys(address for address in found if re.fullmatch(pattern, address)))
