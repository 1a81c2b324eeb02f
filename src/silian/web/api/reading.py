"""Addresses that read the registry: lists, one record, its history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db.models import Case, F, Q, When

from silian.tables import schema
from silian.web.api import shapes, telling
from silian.web.api.callers import caller_of
from silian.web.api.cursors import Order, part
from silian.web.api.surface import Offer, offer, told
from silian.web.catalog.beside.interests import is_mutual, opened
from silian.web.catalog.faces import FACES
from silian.web.catalog.records.queries import Asked, found_by
from silian.web.catalog.records.reading import seen_or_404, told_record
from silian.web.catalog.rules import default_tiers, shown

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from ninja import NinjaAPI

    from silian.web.base.actors import Actor
    from silian.web.catalog.models import Record

OF_RECORD: Final = ("id", "created_at", "updated_at")  # by which every list can be put in order


def offer_reading(api: NinjaAPI) -> None:
    """Offer the lists and records of every noun that has pages."""
    for noun in shapes.NOUNS:
        _offer_noun(api, noun)


def _offer_noun(api: NinjaAPI, noun: str) -> None:
    table, name, tag = schema.tables()[noun], shapes.singular(noun), tag_of(noun)

    def list_view(request: HttpRequest, asked: Any) -> HttpResponse:
        return _list(request, noun, asked)

    def read_view(request: HttpRequest, record_id: str) -> HttpResponse:
        return _read(request, noun, record_id)

    offer(api, "GET", f"/{noun}", Offer(
        f"list_{noun}", tag, f"List: {table.label_en} / {table.label_zh}", "read:registry", is_open=True,
        text=f"{table.meaning}. What the asker may see, page by page: the same records as on the page /{noun}/.",
        query=shapes.query_in(noun), gives={200: shapes.page_out(noun)}, problems=(503,),
    ), list_view)  # fmt: skip
    offer(api, "GET", f"/{noun}/{{record:record_id}}", Offer(
        f"read_{name}", tag, f"Read one: {table.label_en}", "read:registry", is_open=True, parts={"record_id": str},
        text="An id that was merged away leads to the record that took it in: look at its id.",
        gives={200: shapes.record_out(noun)}, problems=(404,),
    ), read_view)  # fmt: skip


def tag_of(noun: str) -> str:
    """The tag of the addresses of a noun: its chain."""
    return {
        "innovation": "Innovation chain 创新链", "industry": "Industry chain 产业链", "capital": "Capital chain 资金链",
        "talent": "Talent chain 人才链",
    }.get(schema.tables()[noun].chain, "Region 区域")  # fmt: skip


def _list(request: HttpRequest, noun: str, asked: Any) -> HttpResponse:
    actor, face = caller_of(request).actor, FACES[noun]
    given = asked.model_dump(exclude={"limit", "cursor"})
    chosen = {name: given[name] for name in (*face.facets, "state") if given[name]}
    records = found_by(actor, face, Asked(chosen, " ".join((asked.q or "").split())))
    if asked.updated_since is not None:
        records = records.filter(updated_at__gte=asked.updated_since)
    found = part(
        records.select_related("place"), order=order_of(noun, asked.sort), limit=asked.limit,
        cursor=asked.cursor or "", asked=given,
    )  # fmt: skip
    mutual = opened(actor, [noun])
    return telling.listed(request, found, lambda r: telling.record(actor, r, is_mutual=(r.noun, r.record_id) in mutual))


def order_of(noun: str, sort: str) -> Order:
    """By what a list is put in order.

    A column that its owner has closed counts as not known, for everybody: an order must not tell what a page does not.
    """
    name, is_down = sort.removeprefix("-"), sort.startswith("-")
    if name == "id":
        return Order(None, is_down)
    if name in OF_RECORD:
        return Order(F(name), is_down)
    is_open = Q(**{f"tiers__{name}": "public"})
    if default_tiers(noun).get(name, "public") == "public":
        is_open |= ~Q(tiers__has_key=name)
    return Order(Case(When(is_open, then=F(name))), is_down)


def _read(request: HttpRequest, noun: str, record_id: str) -> HttpResponse:
    return answered(caller_of(request).actor, seen_or_404(caller_of(request).actor, noun, record_id))


def answered(actor: Actor, record: Record, *, status: int = 200) -> HttpResponse:
    """One record as an answer, with its ETag; what is not public of it is logged as read."""
    both = is_mutual(actor, record)
    names = shown(actor, record, is_mutual=both)
    told_record(actor, record, names)
    headers = {"ETag": telling.tag(record, names)}
    if status == 201:
        headers["Location"] = telling.address(record.noun, record.record_id)
    return told(telling.record(actor, record, is_mutual=both), status=status, headers=headers)
