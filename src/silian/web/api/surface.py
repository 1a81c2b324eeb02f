"""How an address is offered: its parameters, what it takes and gives, the scope that it asks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Annotated, Any, Final

from django.http import JsonResponse
from ninja.params import functions
from pydantic import Field

from silian.errors import WebError
from silian.web.api.callers import caller_of
from silian.web.api.parsing import clean
from silian.web.api.scopes import SCOPES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import HttpRequest, HttpResponse
    from ninja import NinjaAPI
    from ninja.schema import Schema

NUMBER: Final = Annotated[int, Field(ge=1, le=2**63 - 1)]  # of a thing that is not of the registry


@dataclass(frozen=True, slots=True)
class Offer:
    """One operation of the API, as its document tells of it."""

    name: str  # operationId
    tag: str
    summary: str
    scope: str  # that a token must have
    text: str = ""
    is_open: bool = False  # to visitors, too
    parts: Mapping[str, Any] = field(default_factory=dict)  # of the address: name → type
    query: type[Schema] | None = None
    body: type[Schema] | None = None
    form: tuple[tuple[str, Any], ...] = ()  # of a body that is a form: name and what ninja takes it as
    gives: Mapping[int, Any] = field(default_factory=dict)  # status → what is given
    problems: tuple[int, ...] = ()  # statuses of what may go wrong, beside those of every operation
    extra: Mapping[str, Any] = field(default_factory=dict)  # of the document


OFFERS: Final[dict[str, Offer]] = {}  # by name


def offer(api: NinjaAPI, method: str, path: str, told: Offer, view: Callable[..., HttpResponse]) -> None:
    """Let a view answer at an address.

    Parameters
    ----------
    path : below the root of the API, with the converters of Django in its parts
    view : of a request and, by name, the parts of the address, `asked` (the query) and `given` (the body)
    """
    if told.scope:
        assert told.scope in dict(SCOPES)
    assert told.name not in OFFERS
    OFFERS[told.name] = told
    view.__signature__ = _signature(told)  # type: ignore[attr-defined]
    view.__name__ = told.name
    api.api_operation(
        [method], path, response=dict(told.gives), operation_id=told.name, summary=told.summary,
        description=told.text or None, tags=[told.tag], url_name=f"api_{told.name}", auth=_gate(told),
        openapi_extra=dict(told.extra) or None,
    )(view)  # fmt: skip


def _gate(told: Offer) -> Callable[[HttpRequest], bool]:
    """What is asked before anything of a request is read: the token, its scope, the names of its parameters."""

    def is_let_in(request: HttpRequest) -> bool:
        who = caller_of(request)
        if who.token is None and not told.is_open:
            raise WebError("api.token")
        if who.token is not None and told.scope and not who.may(told.scope):
            raise WebError("api.scope", scope=told.scope)
        _refuse_unknown(request, told)
        return True

    return is_let_in


def _refuse_unknown(request: HttpRequest, told: Offer) -> None:
    """A parameter that means nothing here is an error: a slip of the pen must not make a list longer."""
    known = told.query.model_fields if told.query else {}
    for name, values in request.GET.lists():
        if name not in known:
            raise WebError("api.parameter", name=clean(name)[:40], found="?")
        if len(values) > 1:
            raise WebError("api.parameter", name=name, found=f"× {len(values)}")
        clean(values[0])
    wanted = "application/json" if told.body else "multipart/form-data" if told.form else ""
    if wanted and request.content_type != wanted:
        raise WebError("api.media", wanted=wanted)


def _signature(told: Offer) -> Signature:
    """What ninja reads of the parameters: real types, as the models are made at run time."""
    found = [Parameter("request", Parameter.POSITIONAL_OR_KEYWORD)]
    types = {name: Annotated[kind, functions.Path()] for name, kind in told.parts.items()}
    if told.query:
        types["asked"] = Annotated[told.query, functions.Query()]
    if told.body:
        types["given"] = Annotated[told.body, functions.Body()]
    types |= dict(told.form)
    found += [Parameter(name, Parameter.KEYWORD_ONLY, annotation=kind) for name, kind in types.items()]
    return Signature(found)


def told(data: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """An answer in JSON, in UTF-8 as it stands."""
    return JsonResponse(data, status=status, headers=headers, json_dumps_params={"ensure_ascii": False}, safe=False)
