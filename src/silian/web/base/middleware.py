"""What every request carries: its number, how long it may last and weigh, and who acts."""

from __future__ import annotations

import logging
import secrets
from time import monotonic, time
from typing import TYPE_CHECKING, Final

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import add_never_cache_headers, patch_cache_control
from django.utils.translation import gettext as _

from silian.web.base import errors
from silian.web.base.actors import VISITOR, actor_of
from silian.web.base.console import route
from silian.web.base.notifications import todo
from silian.web.base.operation import metrics
from silian.web.base.requests import NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpResponse

    from silian.web.base.requests import Request

    Respond = Callable[[Request], HttpResponse]

SEEN_EVERY: Final = 300  # seconds between two notes that a session is alive
GUARDED: Final = ("administrator", "officer", "auditor")  # who may not act on a password alone
logger = logging.getLogger("silian.request")


def numbered(respond: Respond) -> Respond:
    """Give the request its number, which stands in its log entries and in X-Request-Id; write its line."""

    def answered(request: Request) -> HttpResponse:
        request.number = secrets.token_hex(8)
        token, began = NUMBER.set(request.number), monotonic()
        try:
            with metrics.spending() as spent:
                response = respond(request)
            response["X-Request-Id"] = request.number
            seconds = monotonic() - began
            metrics.count(request, response.status_code, seconds, spent)
            took = round(seconds * 1000)
            told = {"method": request.method, "route": route(request), "status": response.status_code, "ms": took}
            logger.info("", extra={"told": told})
        finally:
            NUMBER.reset(token)
        return response

    return answered


def limited(respond: Respond) -> Respond:
    """Refuse a body that is too large before any of it is read."""

    def answered(request: Request) -> HttpResponse:
        given = request.META.get("CONTENT_LENGTH") or "0"
        most = settings.BODY_MAX_SIZE if request.user.is_authenticated else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        most = getattr(request, "most_bytes", most)  # the API has limits of its own
        if not given.isdecimal() or int(given) > most:
            return errors.too_large(request)
        return respond(request)

    return answered


def lasting(respond: Respond) -> Respond:
    """End a session that is too old, and note now and then that the others are alive."""

    def answered(request: Request) -> HttpResponse:
        if request.user.is_authenticated:
            now, session = int(time()), request.session
            if now - session.get("began", 0) > settings.SESSION_LONGEST:
                logout(request)
                messages.info(request, _("登录已超过 12 小时，请重新登录。"))
            elif now - session.get("seen", 0) >= SEEN_EVERY:
                session["seen"] = now
                UserSession.objects.create_from_request(request)
        return respond(request)

    return answered


def actor(respond: Respond) -> Respond:
    """Put `request.actor` beside the account that is signed in; what that account sees is kept by no cache."""

    def answered(request: Request) -> HttpResponse:
        request.actor = actor_of(request.user) if request.user.is_authenticated else VISITOR
        response = respond(request)
        if request.method == "POST" and response.status_code == 302 and not request.actor.is_visitor:
            todo.recount(request.actor)  # a deed is done: the number of what waits may be another
        if request.user.is_authenticated and not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
            patch_cache_control(response, private=True)
        return response

    return answered


def second_factor(respond: Respond) -> Respond:
    """Lead who holds a guarded role and has no second factor to the page that sets one up, and nowhere else."""

    def answered(request: Request) -> HttpResponse:
        if settings.SECOND_FACTOR_REQUIRED and any(request.actor.holds(role) for role in GUARDED):
            kinds = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
            is_open = request.path.startswith((reverse("account_login").removesuffix("login/"), reverse("language")))
            if not is_open and not Authenticator.objects.filter(user_id=request.user.pk, type__in=kinds).exists():
                messages.warning(request, _("您的岗位须启用两步验证，启用后即可继续。"))
                return redirect("mfa_index")
        return respond(request)

    return answered
