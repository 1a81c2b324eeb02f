"""What every request carries: its number and who acts."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from silian.web.base.actors import VISITOR, actor_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpResponse

    from silian.web.base.requests import Request


def actor(respond: Callable[[Request], HttpResponse]) -> Callable[[Request], HttpResponse]:
    """Put `request.actor` and `request.number` beside the account that is signed in."""

    def answered(request: Request) -> HttpResponse:
        request.number = secrets.token_hex(8)
        actor = actor_of(request.user) if request.user.is_authenticated else VISITOR
        request.actor = replace(actor, request_id=request.number)
        response = respond(request)
        response["X-Request-Id"] = request.number
        return response

    return answered
