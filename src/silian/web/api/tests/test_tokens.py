"""Tokens: who makes them, what they open, how they end."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from silian.errors import WebError
from silian.web.api import tokens, versions
from silian.web.api.models import Token
from silian.web.api.scopes import NAMES
from silian.web.api.surface import OFFERS
from silian.web.api.tests.conftest import Caller
from silian.web.base import people as accounts
from silian.web.base.models import LogEntry, Membership, User

pytestmark = pytest.mark.once

PASSWORD = "correct-horse-9-battery"


def make_on_page(client, **given):
    user = User.objects.get(pk=client.session["_auth_user_id"])
    if not user.check_password(PASSWORD):
        user.set_password(PASSWORD)
        user.save()
        client.force_login(user)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client.post(
        "/tokens/", {"name": "夜间同步", "scopes": ["read:registry"], "days": "90", "form": "f1"} | given
    )


def test_a_token_is_shown_once_and_kept_as_a_digest(people):
    person = people["enterprise"]

    page = make_on_page(person.client)

    secret = re.search(r"silian_[\w-]{43}", page.content.decode())[0]
    kept = Token.objects.get(user=person.user)
    assert page["Cache-Control"] == "no-store"
    assert secret not in str(vars(kept))
    assert kept.digest == tokens.digest_of(secret)
    assert kept.expires_on == timezone.localdate() + timedelta(days=90)
    assert secret not in person.client.get("/tokens/").content.decode()
    again = make_on_page(person.client)
    assert again.status_code == 302
    assert Token.objects.filter(user=person.user).count() == 1
    with pytest.raises(WebError, match=r"api\.token_made"):
        tokens.make(person.actor, name="x", scopes=[], form="f1")
    entry = LogEntry.objects.get(action="token.make")
    assert entry.detail["token_number"] == kept.pk


def test_making_a_token_asks_for_the_password_again(people):
    answer = people["enterprise"].client.post("/tokens/", {"name": "x", "scopes": ["read:registry"], "days": "7"})

    assert answer.status_code == 302
    assert "reauthenticate" in answer["Location"]
    assert not Token.objects.exists()


def test_a_token_without_a_scope_or_a_name_is_not_made(people):
    page = make_on_page(people["enterprise"].client, name="", scopes=[])

    assert page.status_code == 422
    assert "请至少勾选一项。" in page.content.decode()
    assert make_on_page(people["enterprise"].client, days="9999").status_code == 422


@pytest.mark.parametrize("name", sorted(OFFERS))
def test_every_operation_asks_for_its_scope_and_no_other(people, name):
    offer, actor = OFFERS[name], people["broker"].actor
    address = reverse(f"api-v1:api_{name}", args=["N01" if kind is str else 1 for kind in offer.parts.values()])
    method = name_of_method(name)
    if not offer.scope:
        return

    lacking = Caller("broker", actor, tuple(n for n in NAMES if n != offer.scope)).ask(method, address)
    having = Caller("broker", actor, (offer.scope,)).ask(method, address)
    visitor = Client().generic(method, address)

    assert (lacking.status_code, lacking.json()["code"]) == (403, "api.scope")
    assert having.headers.get("Content-Type") != "application/problem+json" or having.json()["code"] != "api.scope"
    assert visitor.status_code in ((200, 404) if offer.is_open else (401,))


def name_of_method(name):
    from silian.web.api.site import api

    for methods in api.get_openapi_schema()["paths"].values():
        for method, told in methods.items():
            if told["operationId"] == name:
                return method.upper()
    raise AssertionError(name)


def test_scopes_never_give_more_than_the_person_has(people):
    judge = Caller("judge", people["judge"].actor)

    assert judge.patch("needs/N01", {"version": 1, "values": {"title": "x"}}).status_code == 403


def test_a_token_ends_when_it_is_revoked_expires_or_its_person_is_shut_out(people):
    actor = people["enterprise"].actor
    asks = [Caller("enterprise", actor) for _ in range(4)]
    assert {ask.get("me").status_code for ask in asks} == {200}

    tokens.revoke(actor, asks[0].token)
    Token.objects.filter(pk=asks[1].token.pk).update(expires_on=timezone.localdate() - timedelta(days=1))
    Token.objects.filter(pk=asks[2].token.pk).update(expires_on=timezone.localdate())

    assert [ask.get("me").status_code for ask in asks] == [401, 401, 200, 200]
    assert asks[0].get("needs").json()["code"] == "api.token"  # no visitor either
    accounts.shut(people["administrator"].actor, people["enterprise"].user)
    assert {ask.get("me").status_code for ask in asks} == {401}


def test_rights_taken_away_are_gone_at_the_next_request(people):
    ask = Caller("enterprise", people["enterprise"].actor)
    assert "budget_cny" in ask.get("needs/N01").json()["values"]

    Membership.objects.filter(user=people["enterprise"].user).delete()

    assert "budget_cny" not in ask.get("needs/N01").json()["values"]


def test_the_day_of_the_last_use_is_kept_and_no_more(people):
    ask = Caller("enterprise", people["enterprise"].actor)
    ask.get("me")

    assert Token.objects.get(pk=ask.token.pk).used_on == timezone.localdate()


def test_a_guarded_post_uses_tokens_only_with_a_second_factor(people, settings):
    ask = Caller("officer", people["officer"].actor)
    settings.SECOND_FACTOR_REQUIRED = True

    with pytest.raises(WebError, match=r"api\.second_factor"):
        tokens.make(people["officer"].actor, name="x", scopes=["read:registry"])
    assert (ask.get("me").status_code, ask.get("me").json()["code"]) == (403, "api.second_factor")
    assert Caller("broker", people["broker"].actor).get("me").status_code == 200


def test_one_person_has_so_many_tokens_and_not_more(people):
    for number in range(tokens.MOST_TOKENS):
        tokens.make(people["judge"].actor, name=str(number), scopes=[])

    with pytest.raises(WebError, match=r"api\.tokens_full"):
        tokens.make(people["judge"].actor, name="one more", scopes=[])


def test_a_session_opens_nothing_here(people):
    client = people["enterprise"].client

    assert client.get("/api/v1/me").json()["is_visitor"]
    assert "budget_cny" in client.get("/api/v1/needs/N01").json()["hidden"]
    answer = client.post("/api/v1/needs", {"values": {"title": "x"}}, content_type="application/json")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="silian"'
    assert not answer.cookies


@pytest.mark.parametrize(
    "given", ["Bearer", "Bearer x", "Basic eDp5", "Bearer silian_" + "a" * 43, "Bearer silian_é", "x" * 9000]
)
def test_a_header_that_is_no_token_is_refused(registry, given):
    answer = Client().get("/api/v1/needs", headers={"Authorization": given})

    assert (answer.status_code, answer.json()["code"]) == (401, "api.token")


def test_administrators_of_the_whole_region_see_who_has_tokens_and_may_end_them(people):
    ask = Caller("enterprise", people["enterprise"].actor)
    for role in ("broker", "officer", "enterprise"):
        assert people[role].client.get("/tokens/all/").status_code == 404
        if role != "enterprise":
            assert people[role].client.post(f"/tokens/{ask.token.pk}/revoke/").status_code == 404
    administrator = people["administrator"].client

    assert people["enterprise"].user.name in administrator.get("/tokens/all/").content.decode()
    assert administrator.get(f"/tokens/{ask.token.pk}/revoke/").status_code == 200
    assert ask.get("me").status_code == 200
    administrator.post(f"/tokens/{ask.token.pk}/revoke/")
    assert ask.get("me").status_code == 401


def test_a_token_stays_with_its_version_and_a_request_may_ask_for_another(people, monkeypatch):
    from datetime import date

    old = versions.Version("2026-01-01", date(2026, 11, 22), date(2027, 11, 22))
    monkeypatch.setattr(versions, "VERSIONS", (old, *versions.VERSIONS))
    ask = Caller("enterprise", people["enterprise"].actor)
    Token.objects.filter(pk=ask.token.pk).update(version="2026-01-01")

    pinned, newer, none = (
        ask.get("me"),
        ask.get("me", Silian_Version=versions.NEWEST),
        ask.get("me", Silian_Version="x"),
    )

    assert (pinned["Silian-Version"], pinned["Sunset"]) == ("2026-01-01", "Mon, 22 Nov 2027 00:00:00 GMT")
    assert newer["Silian-Version"] == versions.NEWEST
    assert "Deprecation" in pinned
    assert "Deprecation" not in newer
    assert (none.status_code, none.json()["code"]) == (400, "api.version")
