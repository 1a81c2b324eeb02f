"""Invitations: who asks whom to join what, the signed link that says so, and what becomes of it."""

from __future__ import annotations

from datetime import timedelta
from smtplib import SMTPException
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from django.core import signing
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from silian.errors import WebError
from silian.web.base import organisations
from silian.web.base.actors import VISITOR, actor_of
from silian.web.base.log import log
from silian.web.base.models import Invitation, Membership, Place, Post, User
from silian.web.base.rules import may_grant, may_lead

if TYPE_CHECKING:
    from silian.web.base.actors import Actor

LIFETIME: Final = timedelta(days=7)
SALT: Final = "silian.invitation"
Way = Literal["mail", "hand"]  # how the link travelled: by a letter to the address, or given by the inviter
STATES_ZH: Final = {"accepted": "已被接受", "revoked": "已被收回", "expired": "已过期", "open": "当前有效"}


class Opened(NamedTuple):
    """What a link opens."""

    invitation: Invitation
    way: Way


@transaction.atomic
def invite(
    actor: Actor, *, email: str, name: str, role: str, org_id: str = "", place: Place | None = None
) -> Invitation:
    """Ask somebody to join an organisation, or a place in a post. An earlier one to the same end is revoked."""
    now = timezone.now()
    same = Invitation.objects.filter(email=email.lower(), org_id=org_id, place=place, accepted_at=None, revoked_at=None)
    same.update(revoked_at=now)
    made = Invitation.objects.create(
        email=email.lower(), name=name, role=role, org_id=org_id, place=place, by_id=actor.user_id,
        pseudonym=actor.pseudonym, expires_at=now + LIFETIME,
    )  # fmt: skip
    log(actor, "people.invite", noun="invitations", record_id=str(made.pk), detail=_target(made))
    return made


@transaction.atomic
def revoke(actor: Actor, invitation: Invitation) -> None:
    """Take an invitation back; one that is spent stays as it is."""
    open_still = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None)
    if open_still.update(revoked_at=timezone.now()):
        log(actor, "people.invite_revoke", noun="invitations", record_id=str(invitation.pk))


def key_of(invitation: Invitation, way: Way) -> str:
    """What a link carries: the invitation and how the link travels, signed."""
    return signing.dumps([invitation.pk, way], salt=SALT)


def opened(key: str) -> Opened | None:
    """The invitation that a link opens, in whatever state; None if the link is not ours."""
    try:
        number, way = signing.loads(key, salt=SALT)
    except signing.BadSignature:
        return None
    found = Invitation.objects.select_related("by", "place").filter(pk=number).first()
    return Opened(found, way) if found else None


def send(invitation: Invitation, link: str) -> bool:
    """Send the letter with the link; whether the server of letters took it."""
    shown = {"invitation": invitation, "link": link, "to": target_name(invitation), "days": LIFETIME.days}
    text = render_to_string("base/letters/invitation.txt", shown)
    try:
        return bool(send_mail(_("[四链] 邀请您加入四链"), text, None, [invitation.email]))
    except (SMTPException, OSError):
        return False


def target_name(invitation: Invitation) -> str:
    """The organisation or place that an invitation leads to, by its name."""
    if invitation.place:
        return str(invitation.place)
    found = organisations.named([invitation.org_id]).get(invitation.org_id)
    return found.name if found else invitation.org_id


def state_of(invitation: Invitation) -> str:
    """Its state; also revoked where whoever invited may no longer do so."""
    if invitation.state != "open":
        return invitation.state
    return "open" if _is_backed(invitation) else "revoked"


@transaction.atomic
def join(opened_by: Opened, *, name: str, password: str, language: str) -> User:
    """Open an account by an invitation and give it what the invitation says.

    Raises
    ------
    WebError : web.invitation if it is spent, or if the address has an account by now
    """
    invitation = opened_by.invitation
    if User.objects.filter(email=invitation.email).exists():
        raise _spent("accepted")
    confirmed = opened_by.way == "mail"  # a link that was handed over does not show that letters arrive
    user = User.objects.create_user(
        invitation.email, password, is_confirmed=confirmed, name=name, language=language
    )  # fmt: skip
    accept(invitation, user)
    return user


@transaction.atomic
def accept(invitation: Invitation, user: User) -> None:
    """Give an account what an invitation says, once.

    Raises
    ------
    WebError : web.invitation if it is spent, or is not for this account
    """
    now = timezone.now()
    if state_of(invitation) != "open" or invitation.email != user.email:
        raise _spent(state_of(invitation))
    fresh = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None, expires_at__gt=now)
    if not fresh.update(accepted_at=now, accepted_by=user):
        raise _spent("accepted")
    if invitation.org_id:
        Membership.objects.update_or_create(user=user, org_id=invitation.org_id, defaults={"role": invitation.role})
    else:
        Post.objects.get_or_create(user=user, role=invitation.role, place=invitation.place)
    detail = _target(invitation)
    log(actor_of(user), "people.join", noun="invitations", record_id=str(invitation.pk), detail=detail)


def _is_backed(invitation: Invitation) -> bool:
    if not invitation.pseudonym:
        return True
    actor = actor_of(invitation.by) if invitation.by and invitation.by.is_active else VISITOR
    if invitation.place:
        return may_grant(actor, invitation.role, invitation.place.path)
    found = organisations.named([invitation.org_id]).get(invitation.org_id)
    return found is not None and may_lead(actor, found.org_id, found.path)


def _target(invitation: Invitation) -> dict[str, str]:
    return {"role": invitation.role, "org_id": invitation.org_id, "place_id": invitation.place_id or ""}


def _spent(state: str) -> WebError:
    return WebError("web.invitation", state=state, state_zh=STATES_ZH[state])
