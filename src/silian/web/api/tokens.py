"""Tokens: made by a person, shown once, found by their digest, revoked for good."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from silian.errors import WebError
from silian.web.api.models import Token
from silian.web.api.scopes import known
from silian.web.api.versions import NEWEST
from silian.web.base.log import log
from silian.web.base.middleware import GUARDED
from silian.web.base.models import Place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

    from silian.web.base.actors import Actor

PREFIX: Final = "silian_"  # a scanner of leaked secrets knows it by this
DAYS: Final = 90  # a token lasts where nobody chooses otherwise
MOST_DAYS: Final = 365
MOST_TOKENS: Final = 20  # open ones of one person
FACTORS: Final = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def digest_of(secret: str) -> str:
    """What is kept of a token.

    A single SHA-256 is enough: the secret is 256 random bits, so there is nothing to guess that a slow hash would
    protect, and a slow one would cost its time at every request.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def make(
    actor: Actor, *, name: str, scopes: Iterable[str], days: int = DAYS, form: str = "", version: str = NEWEST
) -> tuple[Token, str]:
    """A new token and its secret, which is told this once.

    Parameters
    ----------
    form : of the page that asks for it; the same one twice makes one token

    Raises
    ------
    WebError : api.second_factor if the person's post asks for a second factor and there is none; api.tokens_full;
        api.token_made if the form has made one before
    """
    if lacks_factor(actor):
        raise WebError("api.second_factor")
    if of(actor).filter(revoked_at=None, expires_on__gte=timezone.localdate()).count() >= MOST_TOKENS:
        raise WebError("api.tokens_full", most=MOST_TOKENS)
    secret = PREFIX + secrets.token_urlsafe(32)
    until = timezone.localdate() + timedelta(days=min(max(days, 1), MOST_DAYS))
    try:
        with transaction.atomic():
            token = Token.objects.create(
                user_id=actor.user_id or 0, name=name, digest=digest_of(secret), scopes=known(scopes), version=version,
                expires_on=until, form=form or secrets.token_hex(16),
            )  # fmt: skip
    except IntegrityError:
        raise WebError("api.token_made") from None
    log(actor, "token.make", detail={"token_number": token.pk, "scopes": token.scopes, "days": days})
    return token, secret


@transaction.atomic
def revoke(actor: Actor, token: Token) -> bool:
    """End a token for good; False where it was ended before."""
    changed = Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
    if changed:
        log(actor, "token.revoke", detail={"token_number": token.pk, "of": token.user.pseudonym})
    return bool(changed)


def of(actor: Actor) -> QuerySet[Token]:
    """The tokens of a person, the newest first."""
    return Token.objects.filter(user_id=actor.user_id or 0).order_by("-pk")


def overseen(actor: Actor) -> QuerySet[Token] | None:
    """Everybody's tokens, for administrators of the whole region; None for others."""
    if not actor.holds("administrator", over=f"/{Place.ROOT}/"):
        return None
    return Token.objects.select_related("user").order_by("-pk")


def found(secret: str) -> Token | None:
    """The token of a secret that opens something today, and whose person's account is open. Cost: one query."""
    if not secret.startswith(PREFIX) or len(secret) > 100:
        return None
    today = timezone.localdate()
    opened = Token.objects.filter(revoked_at=None, expires_on__gte=today, user__is_active=True)
    token = opened.select_related("user").filter(digest=digest_of(secret)).first()
    if token and token.used_on != today:
        Token.objects.filter(pk=token.pk).update(used_on=today)
    return token


def lacks_factor(actor: Actor) -> bool:
    """Whether a person holds a post that asks for a second factor and has none. Cost: one query, of such posts."""
    if not settings.SECOND_FACTOR_REQUIRED or not any(actor.holds(role) for role in GUARDED):
        return False
    return not Authenticator.objects.filter(user_id=actor.user_id, type__in=FACTORS).exists()
