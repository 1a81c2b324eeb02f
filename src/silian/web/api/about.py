"""What a program asks first: where things are, and who it is here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ninja import Schema
from pydantic import Field

from silian.tables import schema
from silian.web.api import shapes
from silian.web.api.callers import caller_of
from silian.web.api.surface import Offer, offer, told
from silian.web.api.versions import ROOT, VERSIONS
from silian.web.base.languages import page_language

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from ninja import NinjaAPI

TAG = "About 关于"


class NounOut(Schema):
    """A kind of record."""

    noun: str
    label: str = Field(description="In the language of the request")
    address: str


class RootOut(Schema):
    """Where things are."""

    versions: list[str]
    document: str = Field(description="This API in OpenAPI")
    documentation: str = Field(description="The same for people")
    nouns: list[NounOut]


class MeOut(Schema):
    """Who asks."""

    is_visitor: bool
    token: int | None = Field(description="Its number, as it stands in the log")
    name: str | None = Field(description="Of the token")
    scopes: list[str]
    version: str | None = Field(description="That the token is pinned to")
    expires_on: str | None = Field(description="The last day of the token")
    organisations: list[str] = Field(description="For which the person acts")
    expert_id: str | None = Field(description="The expert that the person is")
    roles: list[str]


def offer_about(api: NinjaAPI) -> None:
    """Offer the first addresses."""
    offer(api, "GET", "/", Offer(
        "read_root", TAG, "Where things are", "", is_open=True, gives={200: RootOut},
    ), _root)  # fmt: skip
    offer(api, "GET", "/me", Offer(
        "read_me", TAG, "Who asks, and what the token opens", "", is_open=True, gives={200: MeOut},
    ), _me)  # fmt: skip


def _root(_request: HttpRequest) -> HttpResponse:
    tables, language = schema.tables(), page_language()
    nouns = [{"noun": n, "label": tables[n].label(language), "address": f"{ROOT}{n}"} for n in shapes.NOUNS]
    versions = [version.day for version in VERSIONS]
    return told({"versions": versions, "document": f"{ROOT}openapi.json", "documentation": "/api/", "nouns": nouns})


def _me(request: HttpRequest) -> HttpResponse:
    who = caller_of(request)
    token, actor = who.token, who.actor
    of_token: dict[str, Any] = {"token": None, "name": None, "scopes": [], "version": None, "expires_on": None}
    if token:
        of_token = {
            "token": token.pk, "name": token.name, "scopes": token.scopes, "version": token.version,
            "expires_on": token.expires_on.isoformat(),
        }  # fmt: skip
    return told({
        "is_visitor": actor.is_visitor, **of_token, "organisations": sorted(actor.orgs),
        "expert_id": actor.expert_id or None, "roles": sorted({role for role, _ in actor.posts}),
    })  # fmt: skip
