"""What the log tells of signing in, and when a session began."""

from __future__ import annotations

import hashlib
import re
from time import time
from typing import TYPE_CHECKING, Any, Final

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from django.contrib.auth import signals as auth
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from silian.web.base.actors import VISITOR, Actor, actor_of
from silian.web.base.log import log
from silian.web.base.models import Desk, User
from silian.web.base.notifications import notify, todo

if TYPE_CHECKING:
    from django.dispatch import Signal

DEVICES: Final = 20  # kinds of browser that are remembered of an account
# What is written into the log, by the signal that tells of it.
TOLD: Final[tuple[tuple[Signal, str], ...]] = (
    (auth.user_logged_in, "account.sign_in"),
    (auth.user_logged_out, "account.sign_out"),
    (auth.user_login_failed, "account.sign_in_failed"),
    (account.password_changed, "account.password_change"),
    (account.password_set, "account.password_set"),
    (account.password_reset, "account.password_reset"),
    (account.email_changed, "account.email_change"),
    (account.email_confirmed, "account.email_confirm"),
    (mfa.authenticator_added, "account.factor_add"),
    (mfa.authenticator_removed, "account.factor_remove"),
    (mfa.authenticator_reset, "account.factor_reset"),
    (mfa.authentication_failed, "account.factor_failed"),
)


def listen() -> None:
    """Connect; each kind once."""
    for signal, action in TOLD:
        signal.connect(_writer(action), weak=False, dispatch_uid=f"log:{action}")
    auth.user_logged_in.connect(_begin, dispatch_uid="session:begin")
    auth.user_logged_in.connect(_recognise, dispatch_uid="device:recognise")


def _writer(action: str) -> Any:
    def write(user: Any = None, credentials: Any = None, email_address: Any = None, **more: Any) -> None:
        del more
        given = email_address.user if email_address else user
        person = given if isinstance(given, User) else None
        if person is None and credentials:  # whose account it was tried on, by pseudonym; a stranger's leaves none
            person = User.objects.filter(email=str(credentials.get("email", "")).lower()).first()
        log(Actor(user_id=person.pk, pseudonym=person.pseudonym) if person else VISITOR, action)

    return write


def _begin(request: Any, **more: Any) -> None:
    del more
    request.session["began"] = request.session["seen"] = int(time())


def device_of(user: User, agent: str) -> str:
    """What a kind of browser of a person is known by: without its numbers of version, which change every few weeks."""
    told = re.sub(r"[\d._]+", "", agent)
    return hashlib.sha256(f"{user.pseudonym}\n{told}".encode()).hexdigest()[:16]


@transaction.atomic
def _recognise(request: Any, user: User, **more: Any) -> None:
    """Tell who signs in with a kind of browser that the account has not seen; the first one is no news."""
    del more
    device = device_of(user, request.META.get("HTTP_USER_AGENT", ""))
    desk, _new = Desk.objects.select_for_update().get_or_create(user=user)
    todo.recount(actor_of(user))
    if device in desk.devices:
        return
    now = timezone.now().isoformat(timespec="seconds")
    if desk.devices:
        notify("account.new_device", [user], about=reverse("usersessions_list"), key=f"{device}:{now}", at=now)
    desk.devices = [*desk.devices, device][-DEVICES:]
    desk.save(update_fields=["devices"])
