"""Addresses of files: brought, looked at and taken in; asked for and taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import FileResponse, Http404
from django.urls import reverse
from django.utils import timezone
from ninja import Schema, UploadedFile
from ninja.params import functions
from pydantic import Field

from silian.errors import WebError
from silian.web.api import shapes, telling
from silian.web.api.callers import caller_of
from silian.web.api.cursors import Order, part
from silian.web.api.problems import Problem
from silian.web.api.surface import NUMBER, Offer, offer, told
from silian.web.base.languages import page_language
from silian.web.catalog.exchange import exports
from silian.web.catalog.exchange.import_views import ImportForm
from silian.web.catalog.exchange.import_views import told as why_stopped
from silian.web.catalog.models import Export, Import, ImportRow
from silian.web.catalog.rules import STEWARDS
from silian.web.catalog.tasks import MOST_WAITING, ask, ask_export, bring_import

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from ninja import NinjaAPI

    from silian.web.base.actors import Actor

BROUGHT: Final = "Imports 导入"
TAKEN: Final = "Exports 导出"
States = Literal["reading", "ready", "refused", "cancelled", "applying", "done", "undoing", "undone"]
Forms = Literal["xlsx", "csv", "parquet"]


class ImportOut(Schema):
    """A file that was brought, and how far it is."""

    number: int
    self: str
    name: str
    noun: str | None = Field(description="What it holds, where that was said")
    state: States = Field(description="Ask again while it is reading, applying or undoing; ready: to be applied")
    at: str
    deletes: bool
    done: int = Field(description="Rows of the work under way")
    total: int
    read: int = Field(description="Rows of the file")
    same: int = Field(description="Of these, rows that change nothing")
    blocked: int = Field(description="Of these, rows that cannot be taken in")
    problems: int
    rows: dict[str, dict[str, int]] = Field(
        description="What would happen or has happened: add, change, delete → state"
    )
    code: str | None = Field(description="Of the error that stopped it")
    detail: str | None


class ImportRowOut(Schema):
    """What a row of a file changes."""

    row: int | None
    noun: str
    record_id: str
    what: Literal["add", "change", "delete"]
    state: Literal["taken", "left", "refused", "applied", "undone", "kept"]
    why: str | None
    values: dict[str, Any]
    before: dict[str, Any]


class ImportProblemOut(Schema):
    """What is wrong in a file."""

    noun: str | None
    row: int | None
    column: str
    code: str
    found: str
    remedy: str
    is_blocking: bool


class PageQuery(shapes.Strict):
    """Which page of a list."""

    limit: Annotated[int, Field(ge=1, le=shapes.MOST)] = shapes.PAGE
    cursor: Annotated[str, Field(max_length=2000)] | None = None


class BroughtForm(shapes.Strict):
    """What is said of a file beside it."""

    noun: str = Field(default="", description="What it holds, where its name does not say it")
    deletes: bool = Field(default=False, description="Whether records that the file lacks are to go")


class ApplyIn(shapes.Strict):
    """What is meant to happen."""

    deletions: Annotated[int, Field(ge=0, le=shapes.FAR)] = Field(
        default=0, description="How many records are to go: must be right where any are"
    )


class ExportNew(shapes.Strict):
    """What is to be taken away."""

    noun: Literal[shapes.NOUNS] | None = Field(  # type: ignore[valid-type]
        default=None, description="null: every table of the places that the person looks after, as a zip"
    )
    form: Forms = "csv"
    filters: dict[Annotated[str, Field(max_length=40)], Annotated[str, Field(max_length=200)]] = Field(
        default={}, description="Of the list of the noun: q, state and its facets", max_length=20
    )


class ExportOut(Schema):
    """A file to take away; kept for a week."""

    number: int
    self: str
    noun: str | None
    form: Forms
    state: Literal["waiting", "ready", "failed", "expired"]
    at: str
    rows: int
    withheld: int = Field(description="Cells that are not for the person")
    file: str | None = Field(description="Its address, once it is ready")
    code: str | None


def offer_files(api: NinjaAPI) -> None:
    """Offer imports and exports."""
    scope, one = "write:imports", {"number": NUMBER}
    gives = {200: ImportOut}
    form = (
        ("file", Annotated[UploadedFile, functions.File(description="xlsx, csv, tsv, parquet or a zip of these")]),
        ("given", Annotated[BroughtForm, functions.Form()]),
    )
    offer(api, "POST", "/imports", Offer(
        "bring_import", BROUGHT, "Bring a file: it is read, and nothing is changed before it is applied", scope,
        form=form, gives={202: ImportOut},
    ), _bring)  # fmt: skip
    offer(api, "GET", "/imports", Offer(
        "list_imports", BROUGHT, "List: one's own, the newest first", scope, query=PageQuery,
        gives={200: shapes.page_of("ImportPage", ImportOut)},
    ), _imports)  # fmt: skip
    offer(api, "GET", "/imports/{number}", Offer(
        "read_import", BROUGHT, "How far one is", scope, parts=one, gives=gives, problems=(404,),
    ), _import)  # fmt: skip
    offer(api, "GET", "/imports/{number}/rows", Offer(
        "list_import_rows", BROUGHT, "What it would change, row by row", scope, parts=one, query=PageQuery,
        gives={200: shapes.page_of("ImportRowPage", ImportRowOut)}, problems=(404,),
    ), _rows)  # fmt: skip
    offer(api, "GET", "/imports/{number}/problems", Offer(
        "list_import_problems", BROUGHT, "What is wrong in it", scope, parts=one, query=PageQuery,
        gives={200: shapes.page_of("ImportProblemPage", ImportProblemOut)}, problems=(404,),
    ), _problems)  # fmt: skip
    offer(api, "POST", "/imports/{number}/apply", Offer(
        "apply_import", BROUGHT, "Take it in; each record by the rights of the person", scope, parts=one,
        body=ApplyIn, gives={202: ImportOut}, problems=(404, 409),
    ), _apply)  # fmt: skip
    for verb, view, summary in (("cancel", _cancel, "Have nothing of it"), ("undo", _undo, "Put everything back")):
        offer(api, "POST", f"/imports/{{number}}/{verb}", Offer(
            f"{verb}_import", BROUGHT, summary, scope, parts=one,
            gives=gives if verb == "cancel" else {202: ImportOut}, problems=(404, 409),
        ), view)  # fmt: skip
    _offer_exports(api)


def _offer_exports(api: NinjaAPI) -> None:
    scope, one = "read:exports", {"number": NUMBER}
    offer(api, "POST", "/exports", Offer(
        "take_export", TAKEN, "Ask for a file: exactly what the list shows to the person", scope, body=ExportNew,
        gives={202: ExportOut}, problems=(503,),
    ), _ask_export)  # fmt: skip
    offer(api, "GET", "/exports", Offer(
        "list_exports", TAKEN, "List: one's own, the newest first", scope, query=PageQuery,
        gives={200: shapes.page_of("ExportPage", ExportOut)},
    ), _exports)  # fmt: skip
    offer(api, "GET", "/exports/{number}", Offer(
        "read_export", TAKEN, "Whether one is ready", scope, parts=one, gives={200: ExportOut}, problems=(404,),
    ), _export)  # fmt: skip
    offer(api, "GET", "/exports/{number}/file", Offer(
        "read_export_file", TAKEN, "The file", scope, parts=one, gives={200: None}, problems=(404,),
        extra={"responses": {200: {"description": "The file", "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
        }}}},
    ), _export_file)  # fmt: skip


# ── imports ──


def _bring(request: HttpRequest, file: UploadedFile, given: Any) -> HttpResponse:
    actor = caller_of(request).actor
    if not (actor.orgs or any(actor.holds(role) for role in STEWARDS)):
        raise PermissionDenied
    form = ImportForm(given.model_dump(), {"file": file})
    if not form.is_valid():
        faults = [{"pointer": f"/{n}", "detail": str(text)} for n, told in form.errors.items() for text in told]
        raise Problem("api.values", more={"errors": faults})
    brought = bring_import(actor, **form.cleaned_data)
    return _state(brought, status=202)


def _imports(request: HttpRequest, asked: Any) -> HttpResponse:
    page = _page(Import.objects.filter(by_id=caller_of(request).actor.user_id), request, asked, "")
    counted = _counted(page.rows)
    return telling.listed(request, page, lambda row: _brought(row, counted.get(row.pk, {})))


def _import(request: HttpRequest, number: int) -> HttpResponse:
    return _state(_own(request, number))


def _rows(request: HttpRequest, number: int, asked: Any) -> HttpResponse:
    page = _page(_own(request, number).rows.all(), request, asked, str(number))
    return telling.listed(request, page, lambda row: {
        "row": row.row, "noun": row.noun, "record_id": row.record_id, "what": row.what, "state": row.state,
        "why": row.why or None, "values": row.values, "before": row.before,
    })  # fmt: skip


def _problems(request: HttpRequest, number: int, asked: Any) -> HttpResponse:
    page, is_english = _page(_own(request, number).problems.all(), request, asked, str(number)), page_language() == "en"
    return telling.listed(request, page, lambda row: {
        "noun": row.noun or None, "row": row.row, "column": row.column, "code": row.code, "found": row.found,
        "remedy": row.remedy if is_english else row.remedy_zh, "is_blocking": row.is_blocking,
    })  # fmt: skip


def _apply(request: HttpRequest, number: int, given: Any) -> HttpResponse:
    brought = _own(request, number)
    taken = brought.rows.filter(state=ImportRow.State.TAKEN)
    going = taken.filter(what=ImportRow.What.DELETE).count() if brought.deletes else 0
    if going and given.deletions != going:
        raise WebError("api.deletions", count=going)
    if not taken.exists():
        raise WebError("api.state", found=brought.state)
    return _turned(brought, ask(brought, Import.State.APPLYING, of=[Import.State.READY], total=taken.count()), 202)


def _cancel(request: HttpRequest, number: int) -> HttpResponse:
    brought = _own(request, number)
    own = Import.objects.filter(pk=brought.pk, state__in=(Import.State.READING, Import.State.READY))
    return _turned(brought, bool(own.update(state=Import.State.CANCELLED, phase="")))


def _undo(request: HttpRequest, number: int) -> HttpResponse:
    brought = _own(request, number)
    applied = brought.rows.filter(state=ImportRow.State.APPLIED).count()
    return _turned(
        brought, ask(brought, Import.State.UNDOING, of=[Import.State.DONE], total=applied, is_forced=False), 202
    )


def _turned(brought: Import, has_turned: bool, status: int = 200) -> HttpResponse:  # noqa: FBT001
    brought.refresh_from_db()
    if not has_turned:
        raise WebError("api.state", found=brought.state)
    return _state(brought, status=status)


def _own(request: HttpRequest, number: int) -> Import:
    found = Import.objects.filter(pk=number, by_id=caller_of(request).actor.user_id).first()
    if found is None:
        raise Http404
    return found


def _page(found: QuerySet[Any], request: HttpRequest, asked: Any, of: str) -> Any:
    """A page of what is one's own: lists of things the newest first, what stands in one of them as it stands there."""
    told = {"of": f"{of}/{caller_of(request).actor.user_id}"}
    return part(found, order=Order(None, is_down=not of), limit=asked.limit, cursor=asked.cursor or "", asked=told)


def _counted(rows: list[Import]) -> dict[int, dict[str, dict[str, int]]]:
    """How many rows of some imports there are of each kind and state. Cost: one query."""
    found = ImportRow.objects.filter(brought__in=[row.pk for row in rows]).order_by()
    made: dict[int, dict[str, dict[str, int]]] = {}
    for number, what, state, count in found.values_list("brought", "what", "state").annotate(n=Count("pk")):
        made.setdefault(number, {}).setdefault(what, {})[state] = count
    return made


def _state(brought: Import, *, status: int = 200) -> HttpResponse:
    shown = _brought(brought, _counted([brought]).get(brought.pk, {}))
    return told(shown, status=status, headers={"Location": shown["self"]} if status == 202 else None)


def _brought(row: Import, rows: dict[str, dict[str, int]]) -> dict[str, Any]:
    return {
        "number": row.pk, "self": reverse("api-v1:api_read_import", args=[row.pk]), "name": row.name,
        "noun": row.noun or None, "state": row.state, "at": row.at.isoformat(), "deletes": row.deletes,
        "done": row.done, "total": row.total, "read": row.read, "same": row.same, "blocked": row.blocked,
        "problems": row.wrong, "rows": rows, "code": row.code or None, "detail": why_stopped(row) or None,
    }  # fmt: skip


# ── exports ──


def _ask_export(request: HttpRequest, given: Any) -> HttpResponse:
    actor, noun = caller_of(request).actor, given.noun or ""
    _check_filters(actor, noun, given.filters)
    language = page_language()
    asked = urlencode(sorted(given.filters.items()))
    taken = ask_export(actor, noun=noun, asked=asked, form=given.form, language=language)
    if taken is None:
        raise WebError("api.waiting", most=MOST_WAITING)
    shown = _taken(taken)
    return told(shown, status=202, headers={"Location": shown["self"]})


def _check_filters(actor: Actor, noun: str, filters: dict[str, str]) -> None:
    if not noun and not any(actor.holds(role) for role in STEWARDS):
        raise PermissionDenied
    known = {*shapes.query_in(noun).model_fields} - {"limit", "cursor", "sort", "updated_since"} if noun else set()
    if unknown := sorted(set(filters) - known):
        raise Problem("api.values", more={"errors": [{"pointer": f"/filters/{unknown[0]}", "detail": "?"}]})


def _exports(request: HttpRequest, asked: Any) -> HttpResponse:
    own = Export.objects.filter(by_id=caller_of(request).actor.user_id)
    return telling.listed(request, _page(own, request, asked, ""), _taken)


def _export(request: HttpRequest, number: int) -> HttpResponse:
    return told(_taken(_own_export(request, number)))


def _export_file(request: HttpRequest, number: int) -> Any:
    taken = _own_export(request, number)
    if taken.state != Export.State.READY or timezone.now() - taken.at > exports.KEPT:
        raise Http404
    suffix = taken.form if taken.noun else "zip"
    return FileResponse(
        taken.file.open("rb"), as_attachment=True, filename=f"{taken.noun or 'region'}.{suffix}",
        content_type="application/octet-stream",
    )  # fmt: skip


def _own_export(request: HttpRequest, number: int) -> Export:
    found = Export.objects.filter(pk=number, by_id=caller_of(request).actor.user_id).first()
    if found is None:
        raise Http404
    return found


def _taken(row: Export) -> dict[str, Any]:
    is_ready = row.state == Export.State.READY
    return {
        "number": row.pk, "self": reverse("api-v1:api_read_export", args=[row.pk]), "noun": row.noun or None,
        "form": row.form, "state": row.state, "at": row.at.isoformat(), "rows": row.rows, "withheld": row.withheld,
        "file": reverse("api-v1:api_read_export_file", args=[row.pk]) if is_ready else None, "code": row.code or None,
    }  # fmt: skip
