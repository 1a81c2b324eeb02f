"""The site as people meet it: the real server and worker, and a browser in which somebody has signed in."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from playwright.sync_api import Page, expect, sync_playwright
from psycopg import sql

from silian.web.tests.browser.made import Made

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, ConsoleMessage

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PICTURES = Path(__file__).parents[5] / "test-results" / "screenshots"
START = 120  # seconds until the site must answer
expect.set_options(timeout=20_000)  # the other tests run beside


@dataclass(frozen=True, slots=True)
class Site:
    """A running site, and who can sign in to it."""

    url: str
    accounts: dict[str, tuple[str, str]]  # role → address, password
    home: Path
    signed_in: dict[str, Any] = field(default_factory=dict)  # role → what their browser keeps
    made: dict[str, str] = field(default_factory=dict)  # state → address of its page


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Iterator[Site]:
    """`serve` on a free port with a made-up region; on PostgreSQL in a database of its own."""
    home = tmp_path_factory.mktemp("site")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        bind = f"127.0.0.1:{free.getsockname()[1]}"
    database, drop = _own_database(os.environ.get("DATABASE_URL", ""))
    environment = {**os.environ, "SILIAN_HOME": str(home), "DJANGO_SETTINGS_MODULE": "silian.web.settings"}
    environment |= {"SILIAN_MODE": "demo", "PYTHONUNBUFFERED": "1"} | ({"DATABASE_URL": database} if database else {})
    command = [sys.executable, "-m", "silian.web", "serve", "--bind", bind, "--size", "tiny", "--workers", "1"]
    said = home / "said.txt"
    with said.open("w") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT)
    try:
        _wait(f"http://{bind}/", process, said)
        yield Site(f"http://{bind}", _accounts(said.read_text()), home)
    finally:
        process.terminate()
        process.wait(timeout=30)
        drop()


def _own_database(url: str) -> tuple[str, Any]:
    """The address of a new database beside the one named, and what takes it away again; SQLite lies in the home."""
    if not url.startswith("postgres"):
        return "", lambda: None
    name = f"silian_browser_{os.getpid()}"

    def execute(statement: str) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))  # type: ignore[arg-type]

    execute("CREATE DATABASE {}")
    made = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    return made, lambda: execute("DROP DATABASE {} WITH (FORCE)")


def _wait(url: str, process: subprocess.Popen[bytes], said: Path) -> None:
    """Until the site answers."""
    end = time.monotonic() + START
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    process.terminate()
    pytest.fail(f"the site does not start:\n{said.read_text()}")


def _accounts(said: str) -> dict[str, tuple[str, str]]:
    """Role, address and password as the start has printed them."""
    found = re.findall(r"^\s+(\w+)\s+(\S+@\S+)\s+(\S+)$", said, re.MULTILINE)
    return {role: (address, password) for role, address, password in found}


@dataclass
class Reader:
    """A person with a browser: what they see, and whether anything went wrong behind it."""

    page: Page
    site: Site
    role: str = "visitor"
    faults: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    bytes: int = 0

    def __post_init__(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", lambda request: self._see(request.url))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "the server responded with a status of" not in message.text:
            self.faults.append(message.text)

    def _see(self, url: str) -> None:
        if not url.startswith((self.site.url, "data:", "blob:")):
            self.foreign.append(url)

    def open(self, address: str, *, status: int = 200) -> Page:
        """A page of the site, which answers with a status."""
        answer = self.page.goto(f"{self.site.url}/{address}", wait_until="load")
        if "/reauthenticate/" in self.page.url and "reauthenticate" not in address:
            self.confirm()
            answer = self.page.reload(wait_until="load")
        assert answer is not None, address
        assert answer.status == status, f"{address}: {answer.status}"
        return self.page

    def confirm(self) -> None:
        """Give the password once more, which the site asks for before grave things."""
        self.page.fill("input[name=password]", self.site.accounts[self.role][1])
        self.page.click("main form button.main")
        self.page.wait_for_url(lambda url: "/reauthenticate/" not in url)

    def picture(self, name: str) -> None:
        """Keep what is seen among the results of the tests."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


class Browsers:
    """Opens browsers for people: each signs in once, through the form, and stays signed in."""

    def __init__(self, chromium: Browser, site: Site) -> None:
        self.chromium, self.site = chromium, site
        self.opened: dict[tuple[str, int, str, str], Reader] = {}

    def __call__(self, role: str, width: int = 1440, language: str = "zh-hans", theme: str = "light") -> Reader:
        """A browser of a person; the same one for the same four."""
        key = (role, width, language, theme)
        if key not in self.opened:
            self.opened[key] = self.new(role, width, language, theme)
        reader = self.opened[key]
        reader.faults.clear()
        reader.foreign.clear()
        return reader

    def new(self, role: str, width: int = 1440, language: str = "zh-hans", theme: str = "light") -> Reader:
        """A browser that nobody else uses."""
        context = self.chromium.new_context(
            viewport={"width": width, "height": 900}, locale="zh-CN", reduced_motion="reduce", accept_downloads=True,
            storage_state=self._state(role), has_touch=width < 500,
        )  # fmt: skip
        cookies = (("language", language), ("theme", theme))
        context.add_cookies([{"name": n, "value": v, "url": self.site.url} for n, v in cookies])
        return Reader(context.new_page(), self.site, role)

    def _state(self, role: str) -> Any:
        if role == "visitor":
            return None
        if role not in self.site.signed_in:
            context = self.chromium.new_context(locale="zh-CN")
            page = context.new_page()
            page.goto(f"{self.site.url}/account/login/")
            address, password = self.site.accounts[role]
            page.fill("input[name=login]", address)
            page.fill("input[name=password]", password)
            page.click("main form button.main")
            page.wait_for_url(lambda url: "/account/login/" not in url)
            self.site.signed_in[role] = context.storage_state()
            context.close()
        return self.site.signed_in[role]


@pytest.fixture
def made(browser_as) -> Made:
    """`made["ready"]` is the address of a page in a state that somebody has to make first."""
    return Made(browser_as)


@pytest.fixture(scope="module")
def browser_as(site) -> Iterator[Browsers]:
    """`browser_as(role, width, language, theme)`. Closed with the module: the tests after it want no running loop."""
    if BROWSER is None:
        pytest.skip("no Chromium here: scripts/system-packages browser")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield Browsers(launched, site)
        launched.close()
