"""The API as it is mounted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from silian.errors import SilianError, WebError
from silian.web.api import document, problems
from silian.web.api.about import offer_about
from silian.web.api.figures import offer_figures
from silian.web.api.files import offer_files
from silian.web.api.parsing import Json
from silian.web.api.problems import Problem
from silian.web.api.reading import offer_reading
from silian.web.api.results import offer_results
from silian.web.api.talking import offer_talking
from silian.web.api.writing import offer_writing

if TYPE_CHECKING:
    from ninja.openapi.schema import OpenAPISchema

FAULTS = 20  # of what was sent that are told at once


class Api(NinjaAPI):
    """The API, with a document that says all there is to know."""

    def get_openapi_schema(self, **given: Any) -> OpenAPISchema:
        """The OpenAPI document."""
        return document.completed(super().get_openapi_schema(**given))


def _made() -> Api:
    api = Api(
        title="Silian 四链", version="v1", description=document.ABOUT, docs_url=None, parser=Json(),
        openapi_extra={"info": {"license": {"name": "Apache-2.0"}}},
    )  # fmt: skip
    for kind, handle in {
        SilianError: _silian, Http404: _missing, PermissionDenied: _denied, ValidationError: _invalid,
        HttpError: _http, UnreadablePostError: _unreadable,
    }.items():  # fmt: skip
        api.add_exception_handler(kind, handle)
    for offer in (offer_about, offer_reading, offer_writing, offer_talking, offer_results, offer_figures, offer_files):
        offer(api)
    return api


def _silian(_request: HttpRequest, error: Any) -> HttpResponse:
    return problems.answer(error)


def _missing(_request: HttpRequest, _error: Any) -> HttpResponse:
    return problems.answer(WebError("api.missing"))


def _denied(_request: HttpRequest, _error: Any) -> HttpResponse:
    return problems.answer(WebError("api.rights"))


def _unreadable(_request: HttpRequest, _error: Any) -> HttpResponse:
    return problems.answer(WebError("api.request"))


def _http(_request: HttpRequest, error: Any) -> HttpResponse:
    cause = error.__cause__
    return problems.answer(cause if isinstance(cause, SilianError) else WebError("api.request"))


def _invalid(_request: HttpRequest, error: Any) -> HttpResponse:
    """What does not fit its type: in the address nothing is there, in the query a parameter, in the body values."""
    where = error.errors[0]["loc"][0]
    if where == "path":
        return problems.answer(WebError("api.missing"))
    if where == "query":
        fault = error.errors[0]
        return problems.answer(WebError("api.parameter", name=fault["loc"][-1], found=fault["msg"]))
    told = [{"pointer": pointer(fault["loc"]), "detail": fault["msg"]} for fault in error.errors[:FAULTS]]
    return problems.answer(Problem("api.values", more={"errors": told}))


def pointer(where: tuple[Any, ...]) -> str:
    """Where in the body something stands, as RFC 6901 has it.

    Examples
    --------
    >>> pointer(("body", "given", "values", "title"))
    '/values/title'
    """
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in where[1:]]
    return "".join(f"/{part}" for part in (parts[1:] if parts[:1] == ["given"] else parts))


api = _made()
