"""Requests as views know them: what the middleware put beside Django's own."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from django.http import HttpRequest

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from silian.web.base.actors import Actor
    from silian.web.base.models import User


NUMBER: Final[ContextVar[str]] = ContextVar("number", default="")  # of the request under way, for logs
TOKEN: Final[ContextVar[int]] = ContextVar("token", default=0)  # number of the token of the request; 0: none


class Request(HttpRequest):
    """A request of anybody."""

    number: str  # stands in the log and in the answer's X-Request-Id
    actor: Actor
    htmx: HtmxDetails


class SignedIn(Request):
    """A request of somebody with an account: what a view gets behind `login_required`."""

    user: User
