"""The example client against a server that runs."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from silian.web.api import limits, tokens
from silian.web.base.actors import actor_of
from silian.web.base.models import User
from silian.web.catalog import demo
from silian.web.catalog.models import Need
from silian.web.wsgi import application

ROOT = Path(__file__).parents[5]
CLIENT = ROOT / "examples" / "client"
PAGES = [ROOT / "docs" / "how-to" / "use-the-api.md", ROOT / "docs" / "zh" / "how-to" / "use-the-api.md"]


@pytest.fixture
def secret(registry, kept_connection):
    """A token of the enterprise."""
    email = next(account.email for account in demo.accounts() if account.role == "enterprise")
    scopes = ("read:registry", "write:registry", "read:runs")
    return tokens.make(actor_of(User.objects.get(email=email)), name="example", scopes=scopes)[1]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def run(secret, *command, cwd=CLIENT):
    """A program in a process of its own, and a server that answers it here, in the transaction of the test."""
    with make_server("127.0.0.1", 0, application, handler_class=Quiet) as server:
        server.timeout = 0.1
        site = f"http://127.0.0.1:{server.server_port}"
        own = {"SILIAN_SITE": site, "SILIAN_TOKEN": secret, "PYTHONPATH": str(CLIENT), "SITE": site, "TOKEN": secret}
        process = subprocess.Popen(
            command, env=os.environ | own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd
        )
        while process.poll() is None:
            server.handle_request()
    told, wrong = process.communicate()
    assert process.returncode == 0, wrong
    return told


def test_the_example_runs_and_sees_that_somebody_was_faster(secret):
    told = run(secret, sys.executable, "example.py").splitlines()

    assert told[0].startswith("acting for O04 with read:registry")
    assert re.fullmatch(r"12 needs, of which \d+ show their budget", told[1]), told[1]
    assert told[-2] == "somebody was faster: experts_wanted is 2, we want 3"
    assert told[-1] == "withdrawn"
    assert Need.objects.get(title__startswith="接口示例").state == "withdrawn"


def test_the_client_waits_where_it_is_told_to_and_keeps_its_token_at_home(secret, monkeypatch):
    monkeypatch.setattr(limits, "OF_TOKEN", 3)
    clock = itertools.count(6000.0, 15.0)  # a quarter of a minute passes between two requests
    monkeypatch.setattr(limits, "time", SimpleNamespace(time=lambda: next(clock)))
    program = (
        "import os; from silian_client import Client; c = Client(os.environ['SITE'], os.environ['TOKEN'])\n"
        "for _ in range(3): c.ask('GET', 'me')\n"
        "import silian_client, time; waits = []; silian_client.time.sleep = waits.append\n"
        "print(c.ask('GET', 'me')['token'] > 0, waits)\n"
        "try: c.ask('GET', 'http://elsewhere.invalid/')\n"
        "except ValueError as error: print(error)"
    )

    assert run(secret, sys.executable, "-c", program).splitlines() == [
        "True [15.0]", "http://elsewhere.invalid/"
    ]  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=["en", "zh"])
def test_the_examples_of_the_documentation_run(secret, page):
    text = page.read_text(encoding="utf-8")
    shells = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    programs = re.findall(r"```python\n(.*?)```", text, re.DOTALL)

    assert len(shells) >= 3
    assert programs
    for shell in shells:
        told = run(secret, "bash", "-euo", "pipefail", "-c", shell)
        assert '"code"' not in told or "api.stale" in told, told
    for program in programs:
        run(secret, sys.executable, "-c", program)
