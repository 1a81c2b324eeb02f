"""The OpenAPI document: what ninja reads from the operations, and what holds for all of them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from silian.web.api.idempotency import KEY
from silian.web.api.limits import OF_TOKEN, OF_VISITOR
from silian.web.api.problems import TYPE
from silian.web.api.scopes import SCOPES
from silian.web.api.surface import OFFERS
from silian.web.api.versions import VERSIONS

if TYPE_CHECKING:
    from ninja.openapi.schema import OpenAPISchema

ABOUT: Final = f"""The registry of a region and its runs, for programs, under the same rules as the pages.

**Tokens.** `Authorization: Bearer silian_…`. A person makes one on the page *接口令牌*; it acts with that person's
rights, cut by its scopes. Without one, only what everybody may see is given. No cookie is read here.

**Versions.** The address says `v1`; within it a version is a day, answers say which in `Silian-Version`. A token stays
with the version of the day on which it was made; a request may ask for another with the same header. What only adds
needs no new version: pass over what you do not know. An old one says `Deprecation` and `Sunset`, a year at least
before it goes.

**Limits.** {OF_TOKEN} requests a minute for a token, {OF_VISITOR} for an address without one. `RateLimit` says what is
left; 429 says `Retry-After`.

**Lists** go page by page: follow `next` (or `Link`) until it is null. A parameter that is not known is an error.

**Changes.** Say the version that you saw, as `If-Match` or `version`: where somebody was faster you get 409 with both
values. A POST with an `Idempotency-Key` is done once, however often it is sent within 24 hours.

**Errors** are `application/problem+json` (RFC 9457) with a stable `code`, in Chinese or English by `Accept-Language`.

**Ids** in addresses: `/` is written `!s`, `\\` is `!b`, `!` is `!!`; each record tells its own address in `self`.
"""
HEADERS: Final[dict[str, tuple[str, str]]] = {
    "X-Request-Id": ("Number of the request, as the log of the site has it", "string"),
    "Silian-Version": ("Version of the answer", "string"),
    "RateLimit-Policy": ("How much may be asked for", "string"),
    "RateLimit": ("What is left of it, and until when", "string"),
}
EVERY: Final = (400, 401, 403, 405, 429)
OF_BODY: Final = (413, 415, 422)


def completed(made: OpenAPISchema) -> OpenAPISchema:
    """The document with what holds for every operation: tokens, problems, headers, tags, versions."""
    paths: dict[str, dict[str, Any]] = made["paths"]
    used: list[str] = []
    for methods in paths.values():
        for told in methods.values():
            _complete(told)
            used += told["tags"]
    components: dict[str, Any] = made["components"]
    components["schemas"]["Problem"] = _problem()
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "bearerFormat": "silian_…", "description": _scopes()}
    }
    components["headers"] = {
        name: {"description": text, "schema": {"type": kind}} for name, (text, kind) in HEADERS.items()
    }
    made["tags"] = [{"name": name} for name in dict.fromkeys(used)]
    made["info"]["x-versions"] = [version.day for version in VERSIONS]
    return made


def _complete(told: dict[str, Any]) -> None:
    offer = OFFERS[told["operationId"]]
    told["security"] = [{"token": []}, {}] if offer.is_open else [{"token": []}]
    if offer.scope:
        told["x-scope"] = offer.scope
        told["description"] = "\n\n".join(filter(None, (told.get("description"), f"Scope: `{offer.scope}`.")))
    for status, answer in told["responses"].items():
        answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in HEADERS}
        if int(status) == 201:
            answer["headers"]["Location"] = {"description": "Address of what was made", "schema": {"type": "string"}}
    codes = {*EVERY, *offer.problems, *(OF_BODY if offer.body or offer.form else ())}
    for status in sorted(codes):
        told["responses"][status] = {
            "description": HTTPStatus(status).phrase,
            "content": {TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    if offer.name.split("_")[0] in ("create", "ask", "begin", "bring", "take"):
        told.setdefault("parameters", []).append(_idempotency())


def _idempotency() -> dict[str, Any]:
    return {
        "name": "Idempotency-Key", "in": "header", "required": False,
        "schema": {"type": "string", "pattern": f"^{KEY.pattern}$"}, "example": "6b7c2f0e-1d5e-4a8a-9f0a-2d3b1c4e5f60",
        "description": "Sent twice under one key, it is done once",
    }  # fmt: skip


def _problem() -> dict[str, Any]:
    from silian.web.api.shapes import ProblemOut

    return ProblemOut.model_json_schema()


def _scopes() -> str:
    return "Scopes: " + ", ".join(name for name, _told in SCOPES)
