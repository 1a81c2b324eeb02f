"""Addresses of what people want of each other and of what became of records: interests, histories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from django.core.exceptions import PermissionDenied
from django.http import Http404
from ninja import Schema
from pydantic import Field

from silian.errors import WebError
from silian.web.api import shapes, telling
from silian.web.api.callers import caller_of
from silian.web.api.cursors import Order, Part, behind, below, part
from silian.web.api.reading import tag_of
from silian.web.api.surface import NUMBER, Offer, offer, told
from silian.web.base.consents import Purpose, holders
from silian.web.base.log import log
from silian.web.catalog.beside import interests
from silian.web.catalog.history import telling as histories
from silian.web.catalog.models import Interest, Record
from silian.web.catalog.records.reading import seen_or_404
from silian.web.catalog.rules import may

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from ninja import NinjaAPI

    from silian.web.base.actors import Actor

TAG = "Interests 意向"


class InterestOut(Schema):
    """Somebody wants to talk about a record."""

    number: int
    noun: str
    record_id: str
    record: str | None = Field(description="Its address; null: it is not there for the asker any more")
    state: Literal["asked", "agreed", "declined", "withdrawn", "joined"]
    is_sender: bool = Field(description="Whether it is of the asker's own side")
    organisation: str | None = Field(description="For which it was said")
    at: str
    answered_at: str | None
    email: str | None = Field(description="Of the other side, where both agreed to tell it; asks for read:personal")


class InterestQuery(shapes.Strict):
    """Which interests."""

    which: Literal["received", "sent"] = "received"
    limit: Annotated[int, Field(ge=1, le=shapes.MOST)] = shapes.PAGE
    cursor: Annotated[str, Field(max_length=2000)] | None = None


class InterestNew(shapes.Strict):
    """For whom one asks."""

    organisation: Annotated[str, Field(max_length=100)] | None = Field(
        default=None, description="One of the asker's own, whose people then all see what opens; null: for oneself"
    )


class AnswerIn(shapes.Strict):
    """Yes or no."""

    agrees: Annotated[bool, Field(strict=True)]


class LineOut(Schema):
    """One thing that a change changed, in the words of the page."""

    label: str
    before: str
    after: str


class ChangeOut(Schema):
    """One change of a record."""

    number: int
    at: str
    kind: Literal["edit", "import", "merge", "undo"]
    what: Literal["add", "change", "delete"]
    who: str = Field(description="A name where the asker may know it and the token has read:personal; a pseudonym")
    version: int = Field(description="Of the record after it")
    note: str
    lines: list[LineOut]


class HistoryQuery(shapes.Strict):
    """Where in the history."""

    cursor: Annotated[str, Field(max_length=2000)] | None = Field(default=None, description="Of the page before")


def offer_talking(api: NinjaAPI) -> None:
    """Offer interests and histories."""
    for noun in shapes.NOUNS:
        _offer_history(api, noun)
    for noun in interests.ASKED:
        _offer_asking(api, noun)
    page, one = shapes.page_of("InterestPage", InterestOut), {200: InterestOut}
    offer(api, "GET", "/interests", Offer(
        "list_interests", TAG, "List: what others want of us, or we of them; the newest first", "read:interests",
        query=InterestQuery, gives={200: page},
    ), _list)  # fmt: skip
    offer(api, "POST", "/interests/{number}/answer", Offer(
        "answer_interest", TAG, "Agree or decline in the name of the owner", "write:interests",
        parts={"number": NUMBER}, body=AnswerIn, gives=one, problems=(404, 409),
    ), _answer)  # fmt: skip
    offer(api, "POST", "/interests/{number}/withdraw", Offer(
        "withdraw_interest", TAG, "Take it back: what had opened closes", "write:interests",
        parts={"number": NUMBER}, gives=one, problems=(404, 409),
    ), _withdraw)  # fmt: skip


def _offer_history(api: NinjaAPI, noun: str) -> None:
    def history_view(request: HttpRequest, record_id: str, asked: Any) -> HttpResponse:
        return _history(request, noun, record_id, asked)

    offer(api, "GET", f"/{noun}/{{record:record_id}}/history", Offer(
        f"history_{shapes.singular(noun)}", tag_of(noun), f"What became of one: {noun}", "read:registry",
        text="For who keeps the record, who looks after its place, and auditors; the newest change first.",
        parts={"record_id": str}, query=HistoryQuery, gives={200: shapes.page_of("ChangePage", ChangeOut)},
        problems=(404,),
    ), history_view)  # fmt: skip


def _offer_asking(api: NinjaAPI, noun: str) -> None:
    def ask_view(request: HttpRequest, record_id: str, given: Any) -> HttpResponse:
        return _ask(request, noun, record_id, given)

    offer(api, "POST", f"/{noun}/{{record:record_id}}/interests", Offer(
        f"ask_{shapes.singular(noun)}", tag_of(noun), "Say that one wants to talk; said twice, it is said once",
        "write:interests", parts={"record_id": str}, body=InterestNew, gives={201: InterestOut}, problems=(404,),
    ), ask_view)  # fmt: skip


def _history(request: HttpRequest, noun: str, record_id: str, asked: Any) -> HttpResponse:
    who = caller_of(request)
    found = histories.subject(who.actor, noun, record_id) if "\0" not in record_id else None
    if found is None:
        raise Http404
    record = found[0]
    if not may(who.actor, "history", record):
        raise PermissionDenied
    of = f"{noun}/{record.record_id}"
    page = histories.history_of(who.actor, record, before=below(asked.cursor, of))
    log(who.actor, f"{noun}.history", noun=noun, record_id=record.record_id)
    named = who.may("read:personal")
    rows = Part(list(page.entries), behind(page.next, of))
    return telling.listed(request, rows, lambda entry: _change(entry, is_named=named))


def _change(entry: histories.Entry, *, is_named: bool) -> dict[str, Any]:
    made = entry.change.changes
    return {
        "number": entry.change.pk, "at": made.at.isoformat(), "kind": made.kind, "what": entry.what,
        "who": entry.who if is_named else made.pseudonym, "version": entry.change.version, "note": made.note,
        "lines": [{"label": line.label, "before": line.before, "after": line.after} for line in entry.lines],
    }  # fmt: skip


def _list(request: HttpRequest, asked: Any) -> HttpResponse:
    who = caller_of(request)
    found = interests.sent(who.actor) if asked.which == "sent" else interests.received(who.actor)
    page = part(
        found, order=Order(None, is_down=True), limit=asked.limit, cursor=asked.cursor or "",
        asked={"which": asked.which, "of": who.actor.user_id},
    )  # fmt: skip
    shown = _told(who.actor, page.rows, is_named=who.may("read:personal"))
    return telling.listed(request, page._replace(rows=shown), lambda row: row)


def _ask(request: HttpRequest, noun: str, record_id: str, given: Any) -> HttpResponse:
    who = caller_of(request)
    record = seen_or_404(who.actor, noun, record_id)
    if not interests.may_ask(who.actor, record):
        raise PermissionDenied
    if given.organisation and given.organisation not in who.actor.orgs:
        raise PermissionDenied
    made = interests.ask(who.actor, record, org_id=given.organisation or "")
    return told(_one(who, made), status=201, headers={"Location": telling.address(noun, record.record_id)})


def _answer(request: HttpRequest, number: int, given: Any) -> HttpResponse:
    who = caller_of(request)
    interest, record = _known(who.actor, number)
    if not interests.may_answer(who.actor, record):
        raise Http404
    if not interests.answer(who.actor, interest, agrees=given.agrees):
        raise WebError("api.state", found=interest.state)
    return _again(who, interest)


def _withdraw(request: HttpRequest, number: int) -> HttpResponse:
    who = caller_of(request)
    interest, record = _known(who.actor, number)
    is_sender = interest.by_id == who.actor.user_id or interest.org_id in who.actor.orgs
    if not is_sender and not (
        interest.state == Interest.State.AGREED and interests.may_answer(who.actor, record)
    ):  # fmt: skip
        raise Http404
    if not interests.withdraw(who.actor, interest):
        raise WebError("api.state", found=interest.state)
    return _again(who, interest)


def _known(actor: Actor, number: int) -> tuple[Interest, Record]:
    interest = Interest.objects.filter(pk=number).first()
    if interest is None:
        raise Http404
    return interest, seen_or_404(actor, interest.noun, interest.record_id)


def _again(who: Any, interest: Interest) -> HttpResponse:
    interest.refresh_from_db()
    return told(_one(who, interest))


def _one(who: Any, interest: Interest) -> dict[str, Any]:
    return _told(who.actor, [interest], is_named=who.may("read:personal"))[0]


def _told(actor: Actor, rows: list[Interest], *, is_named: bool) -> list[dict[str, Any]]:
    """Interests as the page of them shows them. Cost: one query a noun, one for addresses of letters."""
    records = interests.records_of(rows)
    people = {n for one in rows for n in (one.by_id, one.answered_by_id) if n}
    reachable = holders(Purpose.CONTACT, people) if is_named else set()
    made = []
    for one in rows:
        record = records.get((one.noun, one.record_id))
        is_sender = one.by_id == actor.user_id or (bool(one.org_id) and one.org_id in actor.orgs)
        other = one.answered_by if is_sender else one.by
        is_reached = other is not None and one.state == Interest.State.AGREED and other.pk in reachable
        is_there = record is not None and may(actor, "see", record)
        made.append({
            "number": one.pk, "noun": one.noun, "record_id": one.record_id,
            "record": telling.address(one.noun, one.record_id) if is_there else None, "state": one.state,
            "is_sender": is_sender, "organisation": one.org_id or None, "at": one.at.isoformat(),
            "answered_at": one.answered_at and one.answered_at.isoformat(),
            "email": other.email if other is not None and is_reached else None,
        })  # fmt: skip
    return made
