"""Pages of one record: what it holds, what belongs to it, what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from silian.web.base.languages import page_language
from silian.web.catalog.beside.interests import is_mutual
from silian.web.catalog.changing import StaleError
from silian.web.catalog.duplicates.merging import can_merge
from silian.web.catalog.entry import codes
from silian.web.catalog.entry.typed import sections
from silian.web.catalog.fields import field_name, is_reference
from silian.web.catalog.history.provenance import verify
from silian.web.catalog.models import MODELS, Record
from silian.web.catalog.records import elsewhere, publishing
from silian.web.catalog.records.queries import FACES
from silian.web.catalog.records.reading import seen_or_404, told_record
from silian.web.catalog.records.related import KINDS, of_kind, related
from silian.web.catalog.rules import is_own, may, shown, tiers_of

if TYPE_CHECKING:
    from django.http import HttpResponse

    from silian.tables import schema
    from silian.web.base.actors import Actor
    from silian.web.base.requests import Request, SignedIn

PAGE = 50
APART = ("topics_struck",)  # columns that stand elsewhere on the page: see templatetags/topics.py
MOST_CONFIRMED = 500  # records that one click confirms


class Cell(NamedTuple):
    """A column of a record on its page."""

    column: schema.Column
    is_shown: bool
    tier: str


class Part(NamedTuple):
    """A section of the page of a record: what is known, and for who can fill it in what is not."""

    label: str
    cells: list[Cell]
    missing: list[schema.Column]


def detail_page(request: Request, noun: str, record_id: str) -> HttpResponse:
    """One record."""
    actor, record = request.actor, _seen(request.actor, noun, record_id)
    if record.record_id != record_id:
        return redirect("detail", noun, record.record_id)  # not for ever: a merge can be undone
    if (found := elsewhere.answer(request, record)) is not None:
        return found
    names, language = shown(actor, record, is_mutual=is_mutual(actor, record)), page_language()
    told_record(actor, record, names)
    _veil(actor, record)
    tiers, can_fill_in = tiers_of(record), may(actor, "edit", record)
    parts = []
    for section in sections(noun):
        columns = [record.table[n] for n in section.columns if n not in (FACES[noun].heading, *APART)]
        missing = [c for c in columns if c.name in names and _is_empty(record, c)]
        cells = [Cell(c, c.name in names, tiers[c.name]) for c in columns if c not in missing]
        parts.append(Part(section.label(language), cells, missing if can_fill_in else []))
    groups = [(group.kind.title(language), group) for group in related(actor, record)]
    shared = {
        "record": record, "table": record.table, "face": FACES[noun], "parts": parts, "groups": groups,
        **_doings(actor, record),
    }  # fmt: skip
    response = render(request, "catalog/detail.html", shared)
    patch_vary_headers(response, ["Accept"])
    return response


def related_page(request: Request, noun: str, record_id: str, other: str, column: str) -> HttpResponse:
    """Everything of one kind that belongs to a record."""
    record = _seen(request.actor, noun, record_id)
    kind = next((k for k in KINDS.get(noun, ()) if (k.noun, k.column) == (other, column)), None)
    if kind is None:
        raise Http404
    rows = of_kind(request.actor, record, kind).order_by("-updated_at", "pk").values_list("linked", "called")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    shared = {"record": record, "table": record.table, "face": FACES[noun], "kind": kind, "page": page,
              "title": kind.title(page_language())}  # fmt: skip
    return render(request, "catalog/related.html", shared)


@login_required
def waiting_page(request: SignedIn) -> HttpResponse:
    """What a person keeps and should confirm."""
    actor, today = request.actor, timezone.localdate()
    if request.method == "POST":
        return _confirm_many(request)
    groups: list[dict[str, Any]] = []
    for noun in publishing.CONFIRMED:
        records = list(publishing.waiting(actor, noun, today)[: PAGE + 1])
        if records:
            rows = [(record, publishing.is_past(record, today)) for record in records[:PAGE]]
            groups.append({"noun": noun, "table": MODELS[noun].table, "rows": rows, "is_more": len(records) > PAGE})
    return render(request, "catalog/waiting.html", {"groups": groups})


def _confirm_many(request: SignedIn) -> HttpResponse:
    chosen: dict[str, list[str]] = {}
    for text in request.POST.getlist("record")[:MOST_CONFIRMED]:
        noun, _slash, number = text.replace("\0", "").partition("/")
        if noun in publishing.CONFIRMED:
            chosen.setdefault(noun, []).append(number)
    count = 0
    for noun, ids in chosen.items():
        records = [
            r for r in MODELS[noun].objects.select_related("place").filter(pk__in=ids) if is_own(request.actor, r)
        ]
        try:
            count += publishing.confirm(request.actor, noun, records)
        except StaleError:
            messages.error(request, _("有记录刚被修改，请再确认一次。"))
    told = ngettext("已确认 %(count)s 条记录仍然有效。", "已确认 %(count)s 条记录仍然有效。", count)
    messages.success(request, told % {"count": count})
    return redirect("waiting")


@login_required
@require_POST
def publish_record(request: SignedIn, noun: str, record_id: str) -> HttpResponse:
    """Publish or renew a record; where something is missing, lead to its form."""
    record = _seen(request.actor, noun, record_id)
    if not publishing.may_publish(request.actor, record):
        raise PermissionDenied
    if codes.taken(request.actor, noun, record, {"uscc": getattr(record, "uscc", "")}, is_published=True):
        messages.error(request, _("另一条记录已使用这个统一社会信用代码。请在这里点“发布”，并写明理由。"))
        return redirect("edit", noun, record_id)
    try:
        missing = publishing.publish(request.actor, record)
    except StaleError:
        return _stale(request, record)
    if missing:
        names = _("、").join(record.table[name].label(page_language()) for name in missing)
        messages.error(request, _("还不能发布，请先填好：%(names)s。") % {"names": names})
        return redirect("edit", noun, record_id)
    messages.success(request, _("已发布。"))
    return redirect("detail", noun, record_id)


@login_required
@require_POST
def withdraw_record(request: SignedIn, noun: str, record_id: str) -> HttpResponse:
    """Take a record out of the lists; who does not keep it says why."""
    record = _seen(request.actor, noun, record_id)
    if not may(request.actor, "withdraw", record):
        raise PermissionDenied
    reason = request.POST.get("reason", "").replace("\0", "").strip()[:500]
    if not reason and not is_own(request.actor, record):
        messages.error(request, _("请写明撤回的理由，所属单位会看到。"))
        return redirect("detail", noun, record_id)
    try:
        publishing.withdraw(request.actor, record, reason)
    except StaleError:
        return _stale(request, record)
    messages.success(request, _("已撤回，不再公开。"))
    return redirect("detail", noun, record_id)


@login_required
@require_POST
def confirm_record(request: SignedIn, noun: str, record_id: str) -> HttpResponse:
    """Say that a record is still as it stands."""
    record = _seen(request.actor, noun, record_id)
    if not is_own(request.actor, record):
        raise PermissionDenied
    try:
        count = publishing.confirm(request.actor, noun, [record])
    except StaleError:
        return _stale(request, record)
    if not count:
        messages.error(request, _("期限已过或内容不全，请先修改。"))
        return redirect("edit", noun, record_id)
    messages.success(request, _("已确认仍然有效。"))
    return redirect("detail", noun, record_id)


@login_required
@require_POST
def verify_record(request: SignedIn, noun: str, record_id: str) -> HttpResponse:
    """Say that values of a record are right: one column, or all."""
    record = _seen(request.actor, noun, record_id)
    if not may(request.actor, "verify", record):
        raise PermissionDenied
    if request.POST.get("version") != str(record.version):  # what was looked at is no longer there
        return _stale(request, record)
    column = request.POST.get("column", "")
    try:
        verify(request.actor, record, [column] if column else [c.name for c in record.table.columns])
    except StaleError:
        return _stale(request, record)
    messages.success(request, _("已标记为已核实。"))
    return redirect("detail", noun, record_id)


def _is_empty(record: Record, column: schema.Column) -> bool:
    """Whether nothing is known of a column in either language."""
    known = getattr(record, field_name(column)), record.translations.get(column.name)
    return all(value in (None, "", [], {}) for value in known)


def _doings(actor: Actor, record: Record) -> dict[str, Any]:
    """What a person may do with a record."""
    own, today = is_own(actor, record), timezone.localdate()
    is_out = record.state != Record.State.PUBLISHED
    lives = record.state in (Record.State.PUBLISHED, Record.State.EXPIRED)
    return {
        "may_edit": may(actor, "edit", record),
        "may_publish": is_out and publishing.may_publish(actor, record),
        "may_withdraw": not is_out and may(actor, "withdraw", record),
        "may_confirm": own and lives and record.noun in publishing.CONFIRMED,
        "may_verify": may(actor, "verify", record), "is_own": own,
        "may_merge": can_merge(record.noun) and may(actor, "merge", record),
        "is_past": publishing.is_past(record, today),
        "is_insider": own or may(actor, "verify", record),
    }  # fmt: skip


def _stale(request: Request, record: Record) -> HttpResponse:
    messages.error(request, _("这条记录刚被修改，请看过后再试。"))
    return redirect("detail", record.noun, record.record_id)


def _veil(actor: Actor, record: Record) -> None:
    """Put bare ids in the place of the records that this one names and the person may not see: a name tells, too."""
    for name in _named(type(record)):
        found = getattr(record, name)
        if isinstance(found, Record) and not may(actor, "see", found):
            setattr(record, name, type(found)(**{found.table.key[0]: found.record_id}))


def _named(model: type[Record]) -> list[str]:
    return [field_name(column) for column in model.table.columns if is_reference(column)]


def _seen(actor: Actor, noun: str, record_id: str) -> Record:
    """A record with its place and all that it names."""
    named = _named(MODELS[noun]) if noun in MODELS else []
    return seen_or_404(actor, noun, record_id, *named, *(f"{name}__place" for name in named))
