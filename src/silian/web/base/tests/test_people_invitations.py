"""Invitations: one use, seven days, for one address, and only as long as who invites may."""

import re
from datetime import timedelta

import pytest
from django.core import mail, signing
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from silian.errors import WebError
from silian.web.base import invitations
from silian.web.base.models import Invitation, LogEntry, Membership, Place, User
from silian.web.base.people import shut

NEW = {"name": "韦某", "password": "清水江-上-行船-1958", "consent": "on"}


@pytest.fixture
def org(people):
    return next(iter(people["manager"].actor.led))


@pytest.fixture
def asked(people, org):
    return invitations.invite(
        people["manager"].actor, email="wei@example.org", name="韦某", role="member", org_id=org
    )  # fmt: skip


def link(invitation: Invitation, way: str = "mail") -> str:
    return reverse("invitation", args=[invitations.key_of(invitation, way)])


def test_invited_members_set_name_and_password_once_and_are_signed_in(asked, org):
    client = Client()
    assert "wei@example.org" in client.get(link(asked)).content.decode()

    answer = client.post(link(asked), NEW)

    assert answer.status_code == 302
    user = User.objects.get(email="wei@example.org")
    assert user.memberships.get().org_id == org
    assert client.get("/").wsgi_request.user == user
    assert LogEntry.objects.filter(action="people.join", who=user.pseudonym).exists()


def test_replayed_link_opens_nothing(asked):
    Client().post(link(asked), NEW)

    again = Client().post(link(asked), NEW | {"password": "another-password-77"})

    assert again.status_code == 410
    assert User.objects.filter(email="wei@example.org").count() == 1
    assert not User.objects.get(email="wei@example.org").check_password("another-password-77")


def test_expired_link_says_so(asked):
    Invitation.objects.filter(pk=asked.pk).update(expires_at=timezone.now() - timedelta(seconds=1))

    answer = Client().post(link(asked), NEW)

    assert answer.status_code == 410
    assert "已过期" in answer.content.decode()
    assert not User.objects.filter(email="wei@example.org").exists()


def test_revoked_link_says_so(asked, people):
    response = people["manager"].client.post(reverse("invitation_revoke", args=[asked.pk]))

    assert response.status_code == 302
    assert "被收回" in Client().get(link(asked)).content.decode()


@pytest.mark.parametrize("spoil", [lambda k: k[:-1], lambda k: "x" + k, lambda k: k.replace(":", "", 1), lambda _: "x"])
def test_tampered_link_is_a_clear_404(asked, spoil):
    key = spoil(invitations.key_of(asked, "mail"))

    answer = Client().get(reverse("invitation", args=[key]))

    assert answer.status_code == 404
    assert "不完整" in answer.content.decode()


def test_link_of_another_purpose_is_not_an_invitation(asked):
    assert invitations.opened(signing.dumps([asked.pk, "mail"], salt="something else")) is None


def test_second_invitation_to_the_same_end_revokes_the_first(asked, people, org):
    second = invitations.invite(people["manager"].actor, email="WEI@example.org", name="韦", role="member", org_id=org)

    assert [Client().get(link(i)).status_code for i in (asked, second)] == [410, 200]


def test_invitation_falls_with_the_rights_of_who_invited(asked, people):
    Membership.objects.filter(user=people["manager"].user).delete()

    assert Client().post(link(asked), NEW).status_code == 410


def test_invitation_falls_with_the_account_of_who_invited(asked, people):
    people["manager"].user.delete()

    assert Client().get(link(asked)).status_code == 410


def test_account_that_exists_accepts_signed_in_and_cannot_be_given_another_password(people, org):
    enterprise = people["enterprise"]
    made = invitations.invite(
        people["manager"].actor, email=enterprise.user.email, name="x", role="member", org_id=org
    )  # fmt: skip

    stranger = Client().post(link(made), NEW)
    assert stranger.status_code == 200
    assert not User.objects.get(pk=enterprise.user.pk).check_password(NEW["password"])
    assert Client().get(link(made)).content.decode().count(reverse("account_login")) >= 1

    assert enterprise.client.post(link(made)).status_code == 302
    assert org in enterprise.actor.orgs


def test_another_account_cannot_accept(asked, people, org):
    answer = people["researcher"].client.post(link(asked))

    assert answer.status_code == 200
    assert "请先退出" in answer.content.decode()
    assert org not in people["researcher"].actor.led
    with pytest.raises(WebError, match=r"web\.invitation"):
        invitations.accept(asked, people["researcher"].user)


def test_handed_link_does_not_confirm_the_address(asked, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    client = Client()

    client.post(link(asked, "hand"), NEW)

    assert not User.objects.get(email="wei@example.org").emailaddress_set.get().verified
    assert not client.get("/").wsgi_request.user.is_authenticated
    assert len(mail.outbox) == 1


def test_mailed_link_confirms_the_address(asked, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    client = Client()

    client.post(link(asked, "mail"), NEW)

    assert client.get("/").wsgi_request.user.email == "wei@example.org"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""), ("name", "x" * 101), ("name", "韦\u202e某"), ("name", "韦\u200b某"), ("password", "short"),
        ("password", "x1" * 65), ("password", "password1234"), ("consent", ""),
    ],
)  # fmt: skip
def test_what_is_typed_wrong_opens_nothing_and_stays_on_the_page(asked, field, value):
    answer = Client().post(link(asked), NEW | {field: value})

    assert answer.status_code == 200
    assert "有几处需要修改" in answer.content.decode()
    assert not User.objects.filter(email="wei@example.org").exists()


def test_names_of_four_byte_characters_and_of_markup_are_shown_as_they_are(asked):
    Client().post(link(asked), NEW | {"name": "𠮷 <b>田</b>"})

    user = User.objects.get(email="wei@example.org")
    client = Client()
    client.force_login(user)
    assert "𠮷 &lt;b&gt;田&lt;/b&gt;" in client.get("/").content.decode()


def test_inviting_sends_a_letter_and_shows_the_other_link_once(people, org):
    client = people["manager"].client
    page = reverse("members", args=[org])

    client.post(page, {"name": "李某", "email": "li@example.org", "role": "member"})
    first, second = client.get(page).content.decode(), client.get(page).content.decode()

    shown = re.search(r'value="(http://testserver/invitation/[^"]+)"', first)
    assert shown
    assert "/invitation/" not in second
    written = re.search(r"http://testserver/invitation/\S+", mail.outbox[0].body)
    assert written
    keys = [found.rstrip("/").rsplit("/", 1)[1] for found in (shown[1], written[0])]
    assert [invitations.opened(key).way for key in keys] == ["hand", "mail"]
    assert mail.outbox[0].to == ["li@example.org"]


def test_a_name_cannot_smuggle_a_header_into_the_letter(people, org):
    people["manager"].client.post(
        reverse("members", args=[org]),
        {"name": "x\nBcc: a@example.org", "email": "li@example.org", "role": "member"},
    )

    assert all("Bcc" not in str(letter.message().items()) for letter in mail.outbox)


def test_inviting_goes_on_without_a_server_of_letters(people, org, settings):
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = (
        "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1", 1,
    )  # fmt: skip
    client = people["manager"].client
    client.post(reverse("members", args=[org]), {"name": "李某", "email": "li@example.org", "role": "member"})

    assert "未能送出" in client.get(reverse("members", args=[org])).content.decode()


def test_sixty_letters_an_hour_and_no_more(people, org):
    given = {"name": "李某", "email": "li@example.org", "role": "member"}
    answers = [
        people["manager"].client.post(reverse("members", args=[org]), given).status_code for _ in range(61)
    ]  # fmt: skip

    assert answers == [302] * 60 + [429]


def test_invited_to_a_post_holds_it(people):
    county = Place.objects.filter(level="county").order_by("path")[0]
    made = invitations.invite(
        people["administrator"].actor, email="o@example.org", name="官", role="officer", place=county
    )

    Client().post(link(made), NEW)

    assert User.objects.get(email="o@example.org").posts.get().place == county


def test_operator_appoints_the_first_administrator(db, capsys):
    call_command("appoint", "first@example.org", "首任")

    path = capsys.readouterr().out.strip().split("localhost", 1)[1]
    Client().post(path, NEW)

    assert User.objects.get(email="first@example.org").posts.get().place == Place.root()


def test_shutting_an_account_revokes_what_it_has_asked(asked, people):
    shut(people["administrator"].actor, people["manager"].user)

    assert Client().get(link(asked)).status_code == 410
