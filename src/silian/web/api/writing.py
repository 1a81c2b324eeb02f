"""Addresses that write the registry: through the forms and functions that the pages use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _
from pydantic import Field

from silian.errors import WebError
from silian.tables import schema
from silian.web.api import shapes, telling
from silian.web.api.callers import caller_of
from silian.web.api.problems import Problem
from silian.web.api.reading import answered, tag_of
from silian.web.api.surface import Offer, offer
from silian.web.base.languages import page_language
from silian.web.catalog.changing import StaleError
from silian.web.catalog.entry import codes, drafts
from silian.web.catalog.entry.typed import EntryForm, texts_of, translated
from silian.web.catalog.entry.writing import Sent, differences, may_begin, may_save, save
from silian.web.catalog.models import MODELS, Record
from silian.web.catalog.records import publishing
from silian.web.catalog.records.reading import seen_or_404
from silian.web.catalog.rules import is_own, may

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse
    from ninja import NinjaAPI

    from silian.web.base.actors import Actor

IF_MATCH: Final[dict[str, Any]] = {"parameters": [{
    "name": "If-Match", "in": "header", "required": False, "schema": {"type": "string", "maxLength": 100},
    "description": "The ETag of the record as you saw it. A second writer gets 409 with both values.",
}]}  # fmt: skip


class WithdrawalIn(shapes.Strict):
    """Why a record is taken out of the lists."""

    reason: Annotated[str, Field(max_length=500)] = Field(
        default="", description="Must be given by who does not keep the record; its owner reads it"
    )


def offer_writing(api: NinjaAPI) -> None:
    """Offer what makes, changes, publishes and withdraws the records of every noun that has pages."""
    for noun in shapes.NOUNS:
        _offer_noun(api, noun)


def _offer_noun(api: NinjaAPI, noun: str) -> None:
    table, name, tag = schema.tables()[noun], shapes.singular(noun), tag_of(noun)
    one, gives = f"/{noun}/{{record:record_id}}", {200: shapes.record_out(noun)}
    parts = {"record_id": str}

    def create_view(request: HttpRequest, given: Any) -> HttpResponse:
        return _create(request, noun, given)

    def change_view(request: HttpRequest, record_id: str, given: Any) -> HttpResponse:
        return _change(request, noun, record_id, given)

    def publish_view(request: HttpRequest, record_id: str) -> HttpResponse:
        return _publish(request, noun, record_id)

    def withdraw_view(request: HttpRequest, record_id: str, given: Any) -> HttpResponse:
        return _withdraw(request, noun, record_id, given)

    offer(api, "POST", f"/{noun}", Offer(
        f"create_{name}", tag, f"Make one: {table.label_en}", "write:registry", body=shapes.new_in(noun),
        text="A draft, unless it is to be published at once. Send an Idempotency-Key to be safe against repeating.",
        gives={201: shapes.record_out(noun)}, problems=(409,),
    ), create_view)  # fmt: skip
    offer(api, "PATCH", one, Offer(
        f"change_{name}", tag, f"Change one: {table.label_en}", "write:registry", parts=parts,
        body=shapes.change_in(noun), text="What is not named stays as it is; null empties a column.",
        gives=gives, problems=(404, 409, 428), extra=IF_MATCH,
    ), change_view)  # fmt: skip
    offer(api, "POST", f"{one}/publish", Offer(
        f"publish_{name}", tag, f"Publish or renew one: {table.label_en}", "write:registry", parts=parts,
        gives=gives, problems=(404, 409, 422), extra=IF_MATCH,
    ), publish_view)  # fmt: skip
    offer(api, "POST", f"{one}/withdraw", Offer(
        f"withdraw_{name}", tag, f"Withdraw one: {table.label_en}", "write:registry", parts=parts,
        body=WithdrawalIn, gives=gives, problems=(404, 409), extra=IF_MATCH,
    ), withdraw_view)  # fmt: skip


def _create(request: HttpRequest, noun: str, given: Any) -> HttpResponse:
    actor = caller_of(request).actor
    if not may_begin(actor, noun):
        raise PermissionDenied
    number = _saved(actor, noun, None, given, version=0, is_published=given.publish)
    return answered(actor, _fresh(noun, number), status=201)


def _change(request: HttpRequest, noun: str, record_id: str, given: Any) -> HttpResponse:
    actor, record = _own(request, noun, record_id, "edit")
    version = _version(request, given.version)
    if version is None:
        raise WebError("api.precondition")
    _saved(actor, noun, record, given, version=version, is_published=False)
    return answered(actor, _fresh(noun, record.record_id))


def _publish(request: HttpRequest, noun: str, record_id: str) -> HttpResponse:
    actor, record = _own(request, noun, record_id, "publish")
    if not publishing.may_publish(actor, record):
        raise PermissionDenied
    _unmoved(request, record)
    if codes.taken(actor, noun, record, {"uscc": getattr(record, "uscc", "")}, is_published=True):
        raise WebError("api.code_taken")
    try:
        missing = publishing.publish(actor, record)
    except StaleError:
        raise _stale(noun, record.record_id, 0, {}) from None
    if missing:
        raise Problem("api.lacking", columns=", ".join(missing), more={"columns": missing})
    return answered(actor, _fresh(noun, record.record_id))


def _withdraw(request: HttpRequest, noun: str, record_id: str, given: Any) -> HttpResponse:
    actor, record = _own(request, noun, record_id, "withdraw")
    _unmoved(request, record)
    reason = given.reason.strip()
    if not reason and not is_own(actor, record):
        told = {"pointer": "/reason", "detail": _("请写明撤回的理由，所属单位会看到。")}
        raise Problem("api.values", more={"errors": [told]})
    try:
        publishing.withdraw(actor, record, reason)
    except StaleError:
        raise _stale(noun, record.record_id, 0, {}) from None
    return answered(actor, _fresh(noun, record.record_id))


def _own(request: HttpRequest, noun: str, record_id: str, action: Any) -> tuple[Actor, Record]:
    """A record that the asker may see and do something with; one that was merged away is changed under its new id."""
    actor = caller_of(request).actor
    record = seen_or_404(actor, noun, record_id)
    if record.record_id != record_id:
        raise Http404
    if not may(actor, action, record):
        raise PermissionDenied
    return actor, record


def _saved(
    actor: Actor, noun: str, record: Record | None, given: Any, *, version: int, is_published: bool
) -> str:  # fmt: skip
    """What the form of the page does with the same values; the id of the record."""
    is_draft = not is_published and (record is None or record.state == Record.State.DRAFT)
    data = _typed(actor, noun, record, given)
    form = EntryForm(noun, actor, page_language(), record=record, is_draft=is_draft, data=data)
    if not form.is_valid():
        raise _wrong(form)
    if not may_save(actor, noun, record, form.cleaned_data):
        where = "/values/org_id" if "org_id" in form.fields else ""
        told = {"pointer": where, "detail": _("您无权以该单位或该区县的名义保存。")}
        raise Problem("api.rights", more={"errors": [told]})
    note = ""
    if codes.taken(actor, noun, record, form.cleaned_data, is_published=is_published):
        note = codes.note_of({"anyway": "1", "anyway_reason": given.shared_code_reason or ""})
        if not note:
            raise WebError("api.code_taken")
    digest = drafts.digest_of({name: [str(value)] for name, value in data.items()}, "api")
    number = record.record_id if record else ""
    try:
        return save(
            actor, Sent(noun, number, drafts.new_token(), version, form.cleaned_data, digest, is_published, note)
        )
    except StaleError:
        raise _stale(noun, number, version, form.cleaned_data) from None


def _typed(actor: Actor, noun: str, record: Record | None, given: Any) -> dict[str, Any]:
    """What was sent as the texts of the form, over what the form shows of the record."""
    table = schema.tables()[noun]
    data = EntryForm(noun, actor, page_language(), record=record).shown
    sent = given.values.model_dump(exclude_unset=True) if given.values is not None else {}
    texts = texts_of(table, {n: v.isoformat() if hasattr(v, "isoformat") else v for n, v in sent.items()})
    data |= {name: texts[name] for name in sent}
    english = getattr(given, "translations", None)
    for name in translated(table):
        if english is not None and name in english.model_fields_set:
            data[f"en-{name}"] = getattr(english, name) or ""
    tiers = getattr(given, "tiers", None)
    for name, tier in (tiers.model_dump(exclude_none=True) if tiers is not None else {}).items():
        data[f"tier-{name}"] = tier
    return data


def _wrong(form: EntryForm) -> Problem:
    """What the form found wrong, where it stands in what was sent."""
    faults = []
    for name, told in form.errors.items():
        if name.startswith("en-"):
            where = f"/translations/{name.removeprefix('en-')}"
        elif name.startswith("tier-"):
            where = f"/tiers/{name.removeprefix('tier-')}"
        else:
            where = "" if name == "__all__" else f"/values/{name}"
        faults += [{"pointer": where, "detail": str(text)} for text in told]
    return Problem("api.values", more={"errors": faults})


def _version(request: HttpRequest, said: int | None = None) -> int | None:
    """The version of a record that the asker has seen: of If-Match, else of the body; None: it is not said."""
    head = request.META.get("HTTP_IF_MATCH", "").strip().removeprefix("W/").strip('"').partition(".")[0]
    if head.isascii() and head.isdecimal() and len(head) < 16:
        return int(head)
    return said


def _unmoved(request: HttpRequest, record: Record) -> None:
    seen = _version(request)
    if seen is not None and seen != record.version:
        raise _stale(record.noun, record.record_id, seen, {})


def _stale(noun: str, number: str, seen: int, mine: Mapping[str, Any]) -> Problem:
    """Both values of each column that two have changed, and the version as it is: the second writer decides."""
    now = MODELS[noun].objects.filter(pk=number).values_list("version", flat=True).first()
    found = differences(noun, number, seen, mine) if mine else []
    told = [
        {"column": d.column.name, "was": d.was, "theirs": d.theirs, "mine": d.mine, "is_both": d.is_both}
        for d in found
    ]  # fmt: skip
    more = {"conflicts": told, "version": now, "self": telling.address(noun, number) if now else None}
    return Problem("api.stale", more=more)


def _fresh(noun: str, number: str) -> Record:
    return MODELS[noun].objects.select_related("place").get(pk=number)
