"""What every answer carries, what is refused before it is read, and what production sets."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys

import pytest
from django.core.exceptions import RequestDataTooBig
from django.db import IntegrityError
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from silian.web.base import errors, middleware
from silian.web.base.console import Line
from silian.web.base.requests import NUMBER
from silian.web.environment import Environment
from silian.web.tests.test_environment import SAFE


def production(names: list[str], **more: str) -> dict[str, object]:
    """Settings as a site in production has them."""
    asked = f"import json, silian.web.settings as s; print(json.dumps({{n: getattr(s, n, None) for n in {names}}}))"
    given = {**os.environ, **SAFE, **more}
    found = subprocess.run([sys.executable, "-c", asked], env=given, capture_output=True, text=True, check=True)
    return json.loads(found.stdout)


def test_production_sets_what_a_browser_must_keep_to_itself(tmp_path):
    found = production(
        [
            "DEBUG", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS",
            "SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "SESSION_COOKIE_HTTPONLY", "SESSION_COOKIE_SAMESITE",
            "ACCOUNT_EMAIL_VERIFICATION", "SECOND_FACTOR_REQUIRED", "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN",
            "EMAIL_BACKEND", "EMAIL_HOST", "EMAIL_PORT", "EMAIL_USE_TLS", "SECURE_PROXY_SSL_HEADER",
            "DEFAULT_FROM_EMAIL",
        ],
        SILIAN_HOME=str(tmp_path),
    )  # fmt: skip

    assert found == {
        "DEBUG": False, "SESSION_COOKIE_SECURE": True, "CSRF_COOKIE_SECURE": True, "SECURE_SSL_REDIRECT": True,
        "SECURE_HSTS_SECONDS": 31_536_000, "SESSION_COOKIE_NAME": "__Host-session", "CSRF_COOKIE_NAME": "__Host-csrf",
        "SESSION_COOKIE_HTTPONLY": True, "SESSION_COOKIE_SAMESITE": "Lax", "ACCOUNT_EMAIL_VERIFICATION": "mandatory",
        "SECOND_FACTOR_REQUIRED": True, "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN": False,
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend", "EMAIL_HOST": "mail.example.org",
        "EMAIL_PORT": 587, "EMAIL_USE_TLS": True, "SECURE_PROXY_SSL_HEADER": None,
        "DEFAULT_FROM_EMAIL": "silian@silian.example.org",
    }  # fmt: skip


def test_production_believes_proxies_and_an_issuer_where_it_is_told_to(tmp_path):
    found = production(
        ["SECURE_PROXY_SSL_HEADER", "ALLAUTH_TRUSTED_PROXY_COUNT", "CONTENT_SECURITY_POLICY"],
        SILIAN_HOME=str(tmp_path), SILIAN_PROXIES="2", SILIAN_OIDC="https://id.example.org/realm|a|b|政务网",
    )  # fmt: skip

    assert found["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]
    assert found["ALLAUTH_TRUSTED_PROXY_COUNT"] == 2
    assert found["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]["form-action"][1] == "https://id.example.org"


def test_checks_of_django_for_a_site_in_production_find_nothing(tmp_path):
    given = {**os.environ, **SAFE, "SILIAN_HOME": str(tmp_path), "SILIAN_PROXIES": "1"}
    given["DJANGO_SETTINGS_MODULE"] = "silian.web.settings"
    asked = [sys.executable, "-m", "silian.web", "check", "--deploy"]
    found = subprocess.run(asked, env=given, capture_output=True, text=True, check=False)

    told = {line.split(":")[1].strip(" ()") for line in found.stderr.splitlines() if line.startswith("?:")}
    # subdomains and browsers' own lists are the operator's to decide: others may share the domain
    assert {code.split(")")[0] for code in told} <= {"security.W005", "security.W021"}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("smtp://mail.example.org", ("mail.example.org", 587, "", "", "starttls", "")),
        ("smtps://u:p%40ss@mail.example.org", ("mail.example.org", 465, "u", "p@ss", "tls", "")),
        ("smtp://localhost:25?tls=no&from=a@example.org", ("localhost", 25, "", "", "none", "a@example.org")),
    ],
)
def test_mail_is_read_from_one_address(tmp_path, given, wanted):
    found = Environment.read({"SILIAN_HOME": str(tmp_path), "SILIAN_MAIL": given}).mail

    assert found is not None
    assert (found.host, found.port, found.user, found.password, found.encryption, found.sender) == wanted


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SILIAN_MAIL", "http://mail.example.org"), ("SILIAN_MAIL", "smtp://"), ("SILIAN_MAIL", "smtp://h:99999"),
        ("SILIAN_PROXIES", "-1"), ("SILIAN_PROXIES", "many"),
    ],
)  # fmt: skip
def test_mail_and_proxies_say_what_they_may_be(tmp_path, name, value):
    with pytest.raises(Exception, match=rf"web\.setting.*{name}"):
        Environment.read({"SILIAN_HOME": str(tmp_path), name: value})


def test_production_sends_no_signed_links_in_the_clear(tmp_path):
    given = SAFE | {"SILIAN_HOME": str(tmp_path), "SILIAN_MAIL": "smtp://mail.example.org?tls=no"}

    with pytest.raises(Exception, match=r"web\.unsafe.*in the clear"):
        Environment.read(given)


@pytest.mark.parametrize("address", ["/", "/needs/", "/account/login/", "/no/such/page/", "/invitation/x/"])
def test_every_answer_carries_the_headers(client, registry, address):
    answer = client.get(address)

    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert len(answer["X-Request-Id"]) == 16


def test_what_an_account_sees_is_kept_by_no_cache(people):
    assert "no-store" in people["enterprise"].client.get("/needs/")["Cache-Control"]


def test_cookies_are_for_this_site_and_not_for_scripts(people):
    client = Client()
    user = people["enterprise"].user
    user.set_password("清水江-上-行船-1958")
    user.save()
    answer = client.post(reverse("account_login"), {"login": user.email, "password": "清水江-上-行船-1958"})

    session = answer.cookies["sessionid"]
    assert session["httponly"]
    assert session["samesite"] == "Lax"
    assert not session["domain"]


@pytest.mark.parametrize("address", ["/people/undo/", "/account/login/", "/language/"])
def test_forms_without_their_token_are_refused_with_a_way_back(people, address):
    client = Client(enforce_csrf_checks=True)
    client.force_login(people["manager"].user)

    answer = client.post(address, {"language": "en"})

    assert answer.status_code == 403
    assert "表单已失效" in answer.content.decode()
    assert f'href="{address}"' in answer.content.decode()


def test_forms_of_another_site_are_refused_even_with_a_token(people):
    client = Client(enforce_csrf_checks=True)
    client.force_login(people["manager"].user)
    client.get("/people/organisations/", follow=True)
    token = client.cookies["csrftoken"].value

    answer = client.post(
        "/people/undo/", {"csrfmiddlewaretoken": token}, headers={"origin": "https://evil.example"}
    )  # fmt: skip

    assert answer.status_code == 403


def test_unknown_hosts_are_refused(client, db):
    answer = client.get("/", headers={"host": "evil.example"})

    assert answer.status_code == 400
    assert "网址或提交的内容有误" in answer.content.decode()


@pytest.mark.parametrize(("role", "size"), [("visitor", 5 * 1024**2), ("enterprise", 521 * 1024**2)])
def test_bodies_that_are_too_large_are_refused_unread(people, role, size):
    answer = people[role].client.generic("POST", "/account/login/", b"", CONTENT_LENGTH=str(size))

    assert answer.status_code == 413
    assert "过大" in answer.content.decode()


@pytest.mark.parametrize("length", ["-1", "x", "1e9"])
def test_bodies_of_no_length_are_refused(client, db, length):
    assert client.generic("POST", "/account/login/", b"", CONTENT_LENGTH=length).status_code == 413


def test_too_many_fields_are_refused(client, db):
    assert client.post(reverse("account_login"), {f"f{i}": "" for i in range(2001)}).status_code == 413


def test_pages_of_errors_are_the_sites_own_in_both_languages(client, db):
    chinese = client.get("/no/such/page/").content.decode()
    client.cookies["language"] = "en"
    english = client.get("/no/such/page/").content.decode()

    assert "没有这个页面" in chinese
    assert 'lang="en"' in english


def test_page_of_a_fault_needs_nothing_and_tells_no_detail(db, client):
    client.raise_request_exception = False
    request = RequestFactory().get("/")
    token = NUMBER.set("0123456789abcdef")
    try:
        page = errors.broken(request)
    finally:
        NUMBER.reset(token)

    assert page.status_code == 500
    assert "0123456789abcdef" in page.content.decode()


def test_page_of_a_refused_body_is_413(db):
    request = RequestFactory().post("/")

    assert errors.bad_request(request, RequestDataTooBig()).status_code == 413
    assert errors.bad_request(request, None).status_code == 400
    assert errors.too_many(request).status_code == 429


def test_line_of_a_request_names_the_route_and_no_address(client, db, caplog):
    with caplog.at_level(logging.INFO, logger="silian.request"):
        answer = client.get("/invitation/a-secret-key/?q=13800001111")

    record = next(r for r in caplog.records if r.name == "silian.request")
    line = Line().format(record)
    assert json.loads(line) | {"route": "invitation/<str:key>/", "status": 404} == json.loads(line)
    assert "secret" not in line
    assert "13800001111" not in line
    assert answer["X-Request-Id"]


def test_line_of_a_fault_quotes_no_value_of_the_database():
    fault = IntegrityError("Key (email)=(wei@example.org) already exists")
    record = logging.LogRecord("x", logging.ERROR, "", 0, "fault", (), (IntegrityError, fault, None))

    line = json.loads(Line().format(record))
    assert "IntegrityError" in line["error"]
    assert "wei@" not in line["error"]


def test_numbers_of_requests_do_not_mix(rf):
    seen = []

    def respond(_request):
        seen.append(NUMBER.get())
        return HttpResponse()

    answered = middleware.numbered(respond)
    for _ in range(2):
        answered(rf.get("/"))

    assert len(set(seen)) == 2
    assert NUMBER.get() == ""
