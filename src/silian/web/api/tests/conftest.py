"""What the tests of the API share: a token of every role, and a client that sends it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from silian.web.api import tokens
from silian.web.api.scopes import NAMES
from silian.web.conftest import ROLES

collect_ignore = ["racing.py"]  # a program that a test starts


class Caller:
    """A program that asks as somebody."""

    def __init__(self, role: str, actor: Any, scopes: tuple[str, ...] = NAMES) -> None:
        self.role, self.actor, self.client, self.headers = role, actor, Client(), {}
        if not actor.is_visitor:
            self.token, secret = tokens.make(actor, name=role, scopes=scopes)
            self.headers = {"Authorization": f"Bearer {secret}"}

    def ask(self, method: str, address: str, body: Any = None, **headers: str) -> Any:
        path = address if address.startswith("/") else f"/api/v1/{address}"
        sent = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.generic(method, path, headers=self.headers | named, **sent)

    def get(self, address: str, **headers: str) -> Any:
        return self.ask("GET", address, **headers)

    def post(self, address: str, body: Any = None, **headers: str) -> Any:
        return self.ask("POST", address, body, **headers)

    def patch(self, address: str, body: Any = None, **headers: str) -> Any:
        return self.ask("PATCH", address, body, **headers)


@pytest.fixture
def callers(people) -> dict[str, Caller]:
    """One program for each role, whose token has every scope."""
    return {role: Caller(role, people[role].actor) for role in ROLES}


@pytest.fixture
def planted(people, settings, tmp_path):
    """A registry full of secrets, with an index of its own."""
    from silian.web.tests.leaks.planted import plant

    return plant(people, settings, tmp_path)
