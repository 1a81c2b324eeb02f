"""What went wrong, as RFC 9457 has it: a code, a sentence in the language of the request, what to do."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from django.http import HttpResponse
from django.utils.translation import get_language

from silian.errors import SilianError, WebError
from silian.web.base.requests import NUMBER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from silian.errors import Language

TYPE: Final = "application/problem+json"
# The status of each code; a code of another room is a 422, but for those of the index.
STATUS: Final[Mapping[str, int]] = {
    "api.parameter": 400, "api.cursor": 400, "api.json": 400, "api.text": 400, "api.version": 400, "api.key": 400,
    "api.request": 400,
    "api.token": 401,
    "api.scope": 403, "api.second_factor": 403, "api.rights": 403,
    "api.missing": 404,
    "api.method": 405,
    "api.stale": 409, "api.state": 409, "api.code_taken": 409, "api.deletions": 409,
    "api.too_large": 413, "api.media": 415,
    "api.values": 422, "api.lacking": 422, "api.replay": 422,
    "api.precondition": 428,
    "api.limit": 429, "api.waiting": 429, "web.run_many": 429,
    "snapshot.changed": 503,
    "api.broken": 500,
    "web.index_missing": 503, "web.index_old": 503, "web.index_broken": 503,
}  # fmt: skip
# The code of an answer that something else of the site has given.
CODES: Final[Mapping[int, str]] = {
    401: "api.token", 403: "api.rights", 404: "api.missing", 405: "api.method", 413: "api.too_large",
    429: "api.limit",
}  # fmt: skip
AGAIN: Final = 5  # seconds after which an index that is being built is worth asking again


class Problem(WebError):  # noqa: N818 – RFC 9457 calls it so
    """An error with more to tell than its code: members of the answer beside it."""

    def __init__(self, code: str, *, more: Mapping[str, Any] | None = None, **found: Any) -> None:
        super().__init__(code, **found)
        self.more = dict(more or {})


def answer(error: SilianError, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """An error as a program reads it."""
    status = STATUS.get(error.code, 422)
    language: Language = "en" if get_language() == "en" else "zh"
    told: dict[str, Any] = {
        "type": f"/api/#{error.code}", "title": HTTPStatus(status).phrase, "status": status, "code": error.code,
        "detail": error.message(language), "request_id": NUMBER.get(),
    }  # fmt: skip
    told |= error.more if isinstance(error, Problem) else {}
    response = HttpResponse(json.dumps(told, ensure_ascii=False, default=str), content_type=TYPE, status=status)
    if status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = 'Bearer realm="silian"'
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = str(AGAIN)
    for name, value in (headers or {}).items():
        response[name] = value
    return response


def retold(response: HttpResponse) -> HttpResponse:
    """An answer of the rest of the site (a page for people) as a problem of the same status."""
    status = response.status_code if response.status_code >= 400 else 404  # below the API no page moves
    code = CODES.get(status) or ("api.broken" if status >= 500 else "api.request")
    made = answer(WebError(code, **_found(code)))
    if response.has_header("Allow"):
        made["Allow"] = response["Allow"]
    return made


def _found(code: str) -> dict[str, Any]:
    told: dict[str, dict[str, Any]] = {
        "api.limit": {"seconds": 60}, "api.too_large": {"most": "4 MiB"}, "api.broken": {"number": NUMBER.get()},
    }  # fmt: skip
    return told.get(code, {})
