"""Signing in by an issuer (OpenID Connect), against a small one that answers on this machine."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.urls import reverse

from silian.web.base.models import User

if TYPE_CHECKING:
    from django.test import Client


class Issuer(ThreadingHTTPServer):
    """Vouches for one person."""

    person: dict[str, object]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    """The three addresses of an issuer that a site asks."""

    server: Issuer

    def do_GET(self) -> None:
        url = self.server.url
        known = {
            "/.well-known/openid-configuration": {
                "issuer": url, "authorization_endpoint": f"{url}/authorize", "token_endpoint": f"{url}/token",
                "userinfo_endpoint": f"{url}/userinfo", "jwks_uri": f"{url}/keys",
            },
            "/userinfo": self.server.person,
        }  # fmt: skip
        self._say(known[urlsplit(self.path).path])

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._say({"access_token": "of this test", "token_type": "Bearer"})

    def _say(self, told: object) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(told).encode())

    def log_message(self, *_told: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def issuer(settings):
    server = Issuer()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    app = {
        "provider_id": "oidc", "name": "政务网", "client_id": "silian", "secret": "s",
        "settings": {"server_url": server.url},
    }  # fmt: skip
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
    server.person = {"sub": "1", "email": "wei@example.org", "email_verified": True}
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def come_back(client: Client, **more: str):
    """Go to the issuer and come back with its answer."""
    away = client.post(reverse("openid_connect_login", args=["oidc"]))
    state = parse_qs(urlsplit(away["Location"]).query)["state"][0]
    return client.get(reverse("openid_connect_callback", args=["oidc"]), {"code": "c", "state": state} | more)


def is_in(client: Client) -> bool:
    return client.get("/").wsgi_request.user.is_authenticated


def test_issuer_stands_on_the_page_of_signing_in(issuer, client, db):
    assert "用政务网登录" in client.get(reverse("account_login")).content.decode()


def test_issuer_leads_to_the_account_with_the_confirmed_address(issuer, client, db):
    user = User.objects.create_user("wei@example.org", name="韦某")

    come_back(client)

    assert client.get("/").wsgi_request.user == user


def test_issuer_opens_no_account(issuer, client, db):
    answer = come_back(client)

    assert "账户凭邀请开通" in answer.content.decode()
    assert not is_in(client)
    assert not User.objects.filter(email="wei@example.org").exists()


def test_address_that_the_issuer_has_not_confirmed_leads_nowhere(issuer, client, db):
    User.objects.create_user("wei@example.org", name="韦某")
    issuer.person["email_verified"] = False

    come_back(client)

    assert not is_in(client)


def test_a_password_set_before_the_address_was_confirmed_opens_nothing_any_more(issuer, client, db, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    user = User.objects.create_user("wei@example.org", "清水江-上-行船-1958", is_confirmed=False, name="韦某")

    come_back(client)

    user.refresh_from_db()
    assert not user.has_usable_password()
    assert {address for letter in mail.outbox for address in letter.to} == {user.email}


def test_second_factor_is_asked_for_after_the_issuer_too(issuer, client, db):
    user = User.objects.create_user("wei@example.org", name="韦某")
    TOTP.activate(user, generate_totp_secret())

    come_back(client)

    assert not is_in(client)


def test_answer_that_nobody_asked_for_is_refused(issuer, client, db):
    User.objects.create_user("wei@example.org", name="韦某")

    come_back(client, state="made up")

    assert not is_in(client)
