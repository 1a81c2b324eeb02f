"""Who asks: the token of a request, the person that it stands for, and what it opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from silian.errors import WebError
from silian.web.api import tokens
from silian.web.base.actors import VISITOR, Actor, actor_of

if TYPE_CHECKING:
    from django.http import HttpRequest

    from silian.web.api.models import Token


@dataclass(frozen=True, slots=True)
class Caller:
    """Who acts through the API; without a token: a visitor."""

    actor: Actor = VISITOR
    token: Token | None = None

    def may(self, scope: str) -> bool:
        """Whether the token opens a scope."""
        return self.token is not None and scope in self.token.scopes


def caller(request: HttpRequest) -> Caller:
    """Who asks, as the header Authorization says. Cost: three queries, one more for posts that are guarded.

    Raises
    ------
    WebError : api.token if there is a header and no token of it is open; api.second_factor
    """
    given = request.META.get("HTTP_AUTHORIZATION", "")
    if not given:
        return Caller()
    kind, _, secret = given.partition(" ")
    token = tokens.found(secret.strip()) if kind.lower() == "bearer" else None
    if token is None:
        raise WebError("api.token")
    actor = actor_of(token.user)
    if tokens.lacks_factor(actor):
        raise WebError("api.second_factor")
    return Caller(actor, token)


def caller_of(request: HttpRequest) -> Caller:
    """Who asks, as the middleware has found."""
    return cast("Any", request).caller  # type: ignore[no-any-return]
