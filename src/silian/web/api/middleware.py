"""What every request of the API goes through: no cookie is read, a token is, requests are counted, and whatever goes
wrong is told as a problem.

It stands before the sessions, which find no cookie: a page of another site can make a browser ask, but nobody acts.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, cast

from django.conf import settings
from django.http import HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_supported_language_variant, override
from django.utils.translation.trans_real import parse_accept_lang_header

from silian.errors import WebError
from silian.web.api import idempotency, limits, problems
from silian.web.api.callers import Caller, caller
from silian.web.api.versions import ROOT, chosen, headers
from silian.web.base.requests import TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    from silian.web.api.models import Token

    Respond = Callable[[HttpRequest], HttpResponse]

MOST_JSON: Final = 1024**2  # bytes of a body
FILES: Final = ROOT + "imports"  # whose bodies are files
DIGITS: Final = 32  # of an ETag


def machines(respond: Respond) -> Respond:
    """Answer what lies below the API as programs need it; leave everything else alone."""

    def answered(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(ROOT):
            return respond(request)
        request.COOKIES = {}
        request.META.pop("HTTP_COOKIE", None)
        with override(_language(request)):
            response = _answer(request, respond)
        patch_vary_headers(response, ("Authorization", "Accept-Language", "Silian-Version"))
        return response

    return answered


def _answer(request: HttpRequest, respond: Respond) -> HttpResponse:
    given: dict[str, str] = {}
    try:
        token = _let_in(request, given)
        number = TOKEN.set(token.pk if token else 0)
        try:
            response = idempotency.once(request, token, lambda: _plain(request, respond))
        finally:
            TOKEN.reset(number)
    except WebError as error:
        response = problems.answer(error)
        if error.code == "api.limit":
            response["Retry-After"] = str(error.found["seconds"])
    for name, value in given.items():
        response[name] = value
    return _tagged(request, response)


def _let_in(request: HttpRequest, given: dict[str, str]) -> Token | None:
    """The token of a request that may be answered; whoever tries tokens is counted as a visitor.

    Parameters
    ----------
    given : the headers of the answer; grows
    """
    who, refused = Caller(), None
    try:
        who = caller(request)
    except WebError as error:
        refused = error
    cast("Any", request).caller = who
    quota = limits.taken(request, who.token)
    given |= quota.headers()
    if quota.left < 0:
        raise WebError("api.limit", seconds=quota.seconds)
    if refused is not None:
        raise refused
    given |= headers(chosen(request.META.get("HTTP_SILIAN_VERSION", ""), who.token.version if who.token else ""))
    _weigh(request)
    return who.token


def _plain(request: HttpRequest, respond: Respond) -> HttpResponse:
    """The answer of the views: HEAD as GET without its body, OPTIONS as what is allowed, pages as problems."""
    method = request.method
    if method == "HEAD":
        request.method = "GET"
    response = respond(request)
    if method == "OPTIONS" and response.status_code == 405:
        response = HttpResponse(status=204, headers={"Allow": response["Allow"]})
    elif response.status_code in (301, 302) or (
        response.status_code >= 400 and response.get("Content-Type") != problems.TYPE
    ):
        response = problems.retold(response)
    if response.has_header("Allow"):
        allowed = {name.strip() for name in response["Allow"].split(",")} - {""}
        allowed |= {"OPTIONS"} | ({"HEAD"} if "GET" in allowed else set())
        response["Allow"] = ", ".join(sorted(allowed))
    if method == "HEAD":
        request.method = "HEAD"
    return response


def _weigh(request: HttpRequest) -> None:
    """Refuse a body that is too large before any of it is read; files may weigh what they may on pages."""
    given = request.META.get("CONTENT_LENGTH") or "0"
    is_file = request.path_info == FILES and cast("Any", request).caller.token is not None
    most = settings.BODY_MAX_SIZE if is_file else MOST_JSON
    if not given.isdecimal() or int(given) > most:
        raise WebError("api.too_large", most=f"{most // 1024**2} MiB")
    cast("Any", request).most_bytes = most  # what the site's own limit goes by


def _tagged(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """An ETag for what was read, and 304 where the asker has it; kept by nobody without asking again."""
    if not response.has_header("Cache-Control"):
        response["Cache-Control"] = "private, no-cache" if request.META.get("HTTP_AUTHORIZATION") else "no-cache"
    if request.method not in ("GET", "HEAD") or response.status_code != 200 or response.streaming:
        return response
    if not response.has_header("ETag"):
        response["ETag"] = f'"{hashlib.sha256(response.content).hexdigest()[:DIGITS]}"'
    wanted = [tag.strip().removeprefix("W/") for tag in request.META.get("HTTP_IF_NONE_MATCH", "").split(",")]
    if response["ETag"] in wanted or "*" in wanted:
        response.status_code, response.content = 304, b""
        for name in ("Content-Type", "Content-Length"):
            response.headers.pop(name, None)
    elif request.method == "HEAD":
        length = len(response.content)
        response.content = b""
        response["Content-Length"] = str(length)
    return response


def _language(request: HttpRequest) -> str:
    """The language of an answer: what the header asks for, else Chinese."""
    for code, _quality in parse_accept_lang_header(request.META.get("HTTP_ACCEPT_LANGUAGE", "")):
        try:
            return get_supported_language_variant(code)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE
