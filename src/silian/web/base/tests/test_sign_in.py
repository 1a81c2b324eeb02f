"""Signing in: by password, second factor and issuer; what is refused, how long, and what it tells nobody."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from allauth.core.context import request_context
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from silian.web.base.models import LogEntry, User

PASSWORD = "清水江-上-行船-1958"
LOGIN = reverse("account_login")


@pytest.fixture(autouse=True)
def nobody_is_locked_out(db):
    cache.clear()


@pytest.fixture
def person(db) -> User:
    return User.objects.create_user("wei@example.org", PASSWORD, name="韦某")


def sign_in(client: Client, password: str = PASSWORD, email: str = "wei@example.org", **more: str):
    return client.post(LOGIN, {"login": email, "password": password, **more})


def is_in(client: Client) -> bool:
    return client.get("/").wsgi_request.user.is_authenticated


def totp_code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))


def test_signs_in_by_address_in_any_case_and_out_again(person, client):
    assert sign_in(client, email="WEI@Example.org").status_code == 302
    assert is_in(client)

    client.post(reverse("account_logout"))

    assert not is_in(client)


def test_session_gets_a_new_key_at_sign_in(person, client):
    client.get(LOGIN)
    client.cookies["session"] = client.cookies["sessionid"] = "fixedbyanattacker0123456789abcde"

    sign_in(client)

    assert Session.objects.filter(pk="fixedbyanattacker0123456789abcde").count() == 0
    assert client.session.session_key != "fixedbyanattacker0123456789abcde"


def test_session_ends_at_the_server_when_signed_out(person, client):
    sign_in(client)
    kept = client.cookies["sessionid"].value

    client.post(reverse("account_logout"))

    other = Client()
    other.cookies["sessionid"] = kept
    assert not is_in(other)


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:///evil.example",
        "\thttps://evil.example",
    ],
)
def test_next_leads_nowhere_else(person, client, target):
    answer = sign_in(client, next=target)

    assert answer.status_code == 302
    assert answer["Location"] == "/"
    away = client.post(reverse("account_logout"), {"next": target})
    assert away["Location"] == "/"
    tongue = client.post(reverse("language"), {"language": "en", "next": target})
    assert "evil" not in tongue["Location"]
    assert "javascript" not in tongue["Location"]


def test_who_was_signed_out_while_filling_a_form_comes_back_to_it(person, client):
    client.force_login(person)
    page = reverse("organisations")
    Session.objects.all().delete()

    asked = client.get(page)
    assert asked["Location"] == f"{LOGIN}?next={page}"
    shown = client.get(asked["Location"]).content.decode()

    assert f'name="next" value="{page}"' in shown
    assert sign_in(client, next=page)["Location"] == page


def test_five_wrong_passwords_shut_the_account_for_a_quarter_of_an_hour(person, client):
    for _ in range(5):
        assert "连续输错 5 次" in sign_in(client, "wrong").content.decode()

    answer = sign_in(client)

    assert "15 分钟后再试" in answer.content.decode()
    assert not is_in(client)
    assert not is_in(Client())


def test_lock_out_holds_from_another_address_and_browser(person):
    for number in range(5):
        sign_in(Client(REMOTE_ADDR=f"192.0.2.{number}"), "wrong")

    assert sign_in(Client(REMOTE_ADDR="192.0.2.77")).status_code == 200


def test_lock_out_lasts_fifteen_minutes(settings):
    assert settings.ACCOUNT_RATE_LIMITS["login_failed"].endswith("5/15m/key")


def test_others_sign_in_while_one_account_is_shut(person, client):
    User.objects.create_user("other@example.org", PASSWORD, name="别人")
    for _ in range(5):
        sign_in(client, "wrong")

    assert sign_in(Client(), email="other@example.org").status_code == 302


def test_one_address_cannot_try_passwords_on_many_accounts(person):
    answers = [sign_in(Client(), "wrong", f"a{i}@example.org").content.decode() for i in range(21)]

    assert "15 分钟后再试" in answers[-1]


def test_an_office_behind_one_address_signs_in_at_once(person):
    answers = [sign_in(Client(), PASSWORD).status_code for _ in range(40)]

    assert set(answers) == {302}


def test_reset_of_the_password_opens_a_shut_account(person, client):
    for _ in range(5):
        sign_in(client, "wrong")
    client.post(reverse("account_reset_password"), {"email": person.email})
    link = re.search(r"http://testserver(/account/password/reset/key/\S+)", mail.outbox[-1].body)[1]
    form = client.get(link, follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": "另一句-够长的-话-2026", "password2": "另一句-够长的-话-2026"})

    assert sign_in(Client(), "另一句-够长的-话-2026").status_code == 302


def test_reset_link_works_once_and_not_after_an_hour(person, client, settings):
    client.post(reverse("account_reset_password"), {"email": person.email})
    link = re.search(r"http://testserver(/account/password/reset/key/\S+)", mail.outbox[-1].body)[1]
    person.set_password("已经-改过的-密码-77")
    person.save()

    assert "password1" not in client.get(link, follow=True).content.decode()
    assert settings.PASSWORD_RESET_TIMEOUT == 3600


@pytest.mark.parametrize("address", ["wei@example.org", "nobody@example.org"])
def test_reset_says_the_same_whether_there_is_an_account(person, client, address):
    answer = client.post(reverse("account_reset_password"), {"email": address}, follow=True)

    assert answer.redirect_chain == [(reverse("account_reset_password_done"), 302)]
    assert address not in answer.content.decode()
    assert [letter.to for letter in mail.outbox] == ([[address]] if address == person.email else [])


def test_wrong_password_says_the_same_whether_there_is_an_account(person):
    known, unknown = (sign_in(Client(), "wrong", a).content.decode() for a in ("wei@example.org", "no@example.org"))

    def told(page: str) -> str:
        return re.sub(r'value="[^"]*"|content="[^"]*"', "", page)

    assert told(known) == told(unknown)


def test_nobody_opens_an_account_alone(client, db):
    page = client.get(reverse("account_signup"))
    client.post(reverse("account_signup"), {"email": "new@example.org", "password1": PASSWORD})

    assert "账户凭邀请开通" in page.content.decode()
    assert not User.objects.filter(email="new@example.org").exists()


def test_closed_account_cannot_sign_in_and_its_sessions_are_void(person, client):
    sign_in(client)
    User.objects.filter(pk=person.pk).update(is_active=False)

    assert not is_in(client)
    assert not is_in(Client())
    sign_in(client)
    assert not is_in(client)


def test_passwords_are_kept_as_argon2(settings):
    from silian.web import settings as real

    assert real.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"]


@pytest.mark.parametrize("password", ["kurz", "x" * 129, "wei@example.org", "password1234"])
def test_weak_passwords_are_refused_when_changed(person, client, password):
    sign_in(client)
    given = {"oldpassword": PASSWORD, "password1": password, "password2": password}

    assert client.post(reverse("account_change_password"), given).status_code == 200
    person.refresh_from_db()
    assert person.check_password(PASSWORD)


def test_a_changed_password_ends_other_sessions_and_sends_a_letter(person, client):
    other = Client()
    sign_in(client)
    sign_in(other)
    new = "换过的-密码-也-足够长-了"

    client.post(reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": new, "password2": new})

    assert is_in(client)
    assert not is_in(other)
    assert mail.outbox[-1].to == [person.email]
    assert LogEntry.objects.filter(who=person.pseudonym, action="account.password_change").exists()


def test_sessions_are_listed_and_the_others_ended(person, client):
    other = Client(headers={"user-agent": "遗忘的电脑"})
    sign_in(client)
    sign_in(other)

    assert "遗忘的电脑" in client.get(reverse("usersessions_list")).content.decode()
    client.post(reverse("usersessions_list"))

    assert is_in(client)
    assert not is_in(other)
    assert UserSession.objects.filter(user=person).count() == 1


def test_session_ends_after_twelve_hours_however_busy(person, client):
    sign_in(client)
    session = client.session
    session["began"] -= 12 * 3600 + 1
    session.save()

    assert not is_in(client)


def test_session_ends_after_two_hours_without_a_request(person, client, settings):
    sign_in(client)

    left = Session.objects.get(pk=client.session.session_key).expire_date - timezone.now()

    assert timedelta(minutes=119) < left <= timedelta(hours=2)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert not is_in(client)


def test_a_request_now_and_then_keeps_a_session_and_most_write_nothing(person, client, django_assert_max_num_queries):
    sign_in(client)
    session = client.session
    session["seen"] -= 301
    session.save()
    Session.objects.update(expire_date=timezone.now() + timedelta(minutes=5))

    client.get("/")

    assert Session.objects.get(pk=client.session.session_key).expire_date > timezone.now() + timedelta(minutes=119)
    with django_assert_max_num_queries(15) as asked:
        client.get("/")
    assert not [q for q in asked.captured_queries if q["sql"].split()[0] in ("UPDATE", "INSERT", "DELETE")]


def test_second_factor_is_asked_for_and_its_code_opens(person, client):
    secret = generate_totp_secret()
    TOTP.activate(person, secret)

    assert sign_in(client)["Location"] == reverse("mfa_authenticate")
    assert not is_in(client)
    client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert not is_in(client)
    code = totp_code(secret)
    client.post(reverse("mfa_authenticate"), {"code": code})
    assert is_in(client)

    replayed = Client()
    sign_in(replayed)
    replayed.post(reverse("mfa_authenticate"), {"code": code})
    assert not is_in(replayed)


def test_codes_of_the_second_factor_cannot_be_guessed(person, client):
    TOTP.activate(person, generate_totp_secret())
    sign_in(client)

    answers = [client.post(reverse("mfa_authenticate"), {"code": f"{i:06}"}) for i in range(8)]

    assert "codes" not in answers[-1].content.decode()
    assert answers[-1].status_code in (200, 302, 429)
    assert not is_in(client)
    assert LogEntry.objects.filter(action="account.factor_failed", who=person.pseudonym).count() <= 6


def test_recovery_code_opens_once(person):
    TOTP.activate(person, generate_totp_secret())
    code = RecoveryCodes.activate(person).get_unused_codes()[0]

    for is_first in (True, False):
        client = Client()
        sign_in(client)
        client.post(reverse("mfa_authenticate"), {"code": code})
        assert is_in(client) is is_first


def test_second_factor_is_set_up_after_the_password_is_given_again(person, client, django_capture_on_commit_callbacks):
    sign_in(client)
    page = reverse("mfa_activate_totp")
    assert client.get(page)["Location"].startswith(reverse("account_reauthenticate"))
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    shown = client.get(page).content.decode()
    secret = re.search(r'id="authenticator_secret"[^>]*value="([A-Z2-7]+)"', shown)[1]

    with django_capture_on_commit_callbacks() as afterwards:
        answer = client.post(page, {"code": totp_code(secret)})
    with request_context(answer.wsgi_request):
        for told in afterwards:
            told()

    assert Authenticator.objects.filter(user=person, type="totp").exists()
    assert "data:image/svg+xml" in shown
    assert LogEntry.objects.filter(who=person.pseudonym, action="account.factor_add").exists()
    assert mail.outbox[-1].to == [person.email]


@pytest.mark.parametrize("role", ["administrator", "officer", "auditor"])
def test_guarded_roles_do_nothing_before_they_have_a_second_factor(people, settings, role):
    settings.SECOND_FACTOR_REQUIRED = True
    client, user = people[role].client, people[role].user

    assert client.get("/")["Location"] == reverse("mfa_index")
    assert client.post(reverse("post_invite"), {})["Location"] == reverse("mfa_index")
    assert "须启用两步验证" in client.get(reverse("mfa_index")).content.decode()
    RecoveryCodes.activate(user)
    assert client.get("/").status_code == 302
    TOTP.activate(user, generate_totp_secret())

    assert client.get("/").status_code == 200


@pytest.mark.parametrize("role", ["visitor", "enterprise", "broker"])
def test_other_roles_need_no_second_factor(people, settings, role):
    settings.SECOND_FACTOR_REQUIRED = True

    assert people[role].client.get("/").status_code == 200


def test_guarded_roles_need_none_in_demo_mode(people):
    assert people["administrator"].client.get("/").status_code == 200


def test_failed_sign_in_is_logged_without_the_address(person, client):
    sign_in(client, "wrong")
    sign_in(client, "wrong", "stranger@example.org")

    told = LogEntry.objects.filter(action="account.sign_in_failed").order_by("pk")
    assert [entry.who for entry in told] == [person.pseudonym, ""]
    assert all("example.org" not in str(entry.detail) for entry in told)


def test_letters_are_plain_text_in_the_language_of_the_page(person, client):
    client.cookies["language"] = "en"
    client.post(reverse("account_reset_password"), {"email": person.email})
    client.cookies["language"] = "zh-hans"
    client.post(reverse("account_reset_password"), {"email": person.email})

    english, chinese = mail.outbox
    assert not english.alternatives
    assert re.search(r"[\u4e00-\u9fff]", chinese.body)
    assert "example.com" not in english.body + chinese.body
