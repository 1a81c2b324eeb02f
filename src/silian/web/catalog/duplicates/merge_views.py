"""Pages of merges: what a record may be merged with, what a merge would change, the merge itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from silian.errors import WebError
from silian.tables import schema
from silian.web.base.languages import page_language
from silian.web.catalog.changing import plain
from silian.web.catalog.duplicates import likely, merging
from silian.web.catalog.models import MODELS
from silian.web.catalog.records.queries import FACES
from silian.web.catalog.records.reading import seen_or_404
from silian.web.catalog.rules import may

if TYPE_CHECKING:
    from django.http import HttpResponse, QueryDict

    from silian.web.base.requests import SignedIn
    from silian.web.catalog.models import Record

SHOWN: Final = 20  # records of a noun that are named in a preview


def record_of(request: SignedIn, noun: str, record_id: str) -> Record:
    """A record that the person may merge, under any id that it ever had."""
    if not merging.can_merge(noun):
        raise Http404
    record = seen_or_404(request.actor, noun, record_id)
    if not may(request.actor, "merge", record):
        raise PermissionDenied
    return record


@login_required
def partners_page(request: SignedIn, noun: str, record_id: str) -> HttpResponse:
    """What one record may be merged with: its likely duplicates, or another that is named."""
    record = record_of(request, noun, record_id)
    warned = likely.warn(request.actor, noun, plain(record), but=record.record_id)
    shared = {
        "noun": noun, "record": record, "table": record.table, "named": request.GET.get("other", "")[:100],
        "found": [one for one in warned.found if may(request.actor, "merge", one.record)],
        "is_missing": False,
    }  # fmt: skip
    other = str(shared["named"]).replace("\0", "").strip()
    if other:
        now = merging.resolve(noun, [other]).get(other, other)
        there = MODELS[noun].objects.select_related("place").filter(pk=now).exclude(pk=record.pk).first()
        if there is not None and may(request.actor, "merge", there):
            kept, gone = merging.better(record, there)
            return redirect(address(kept, gone))
        shared["is_missing"] = True
    return render(request, "catalog/merge_partners.html", shared)


@login_required
def merge_page(request: SignedIn, noun: str) -> HttpResponse:
    """What a merge would change; by POST the merge itself."""
    given = request.POST if request.method == "POST" else request.GET
    kept_id, gone_id = given.get("kept", ""), given.get("gone", "")
    if request.method == "POST":
        return _merged(request, noun, kept_id, gone_id)
    kept, gone = record_of(request, noun, kept_id), record_of(request, noun, gone_id)
    if kept == gone:
        messages.info(request, _("这两条记录已经合并。"))
        return redirect("detail", noun, kept.record_id)
    return render(request, "catalog/merge.html", _preview(request, kept, gone, {}))


def address(kept: Record, gone: Record) -> str:
    """Where the preview of a merge is."""
    return f"{reverse('merge', args=[kept.noun])}?{urlencode({'kept': kept.record_id, 'gone': gone.record_id})}"


def _merged(request: SignedIn, noun: str, kept_id: str, gone_id: str) -> HttpResponse:
    kept, gone = record_of(request, noun, kept_id), record_of(request, noun, gone_id)
    chosen = _chosen(noun, request.POST)
    try:
        made = merging.merge(
            request.actor, noun, kept_id, gone_id, chosen=chosen, seal=request.POST.get("seal", "")
        )  # fmt: skip
    except WebError as error:
        if kept == gone:
            raise Http404 from error
        shared = _preview(request, kept, gone, chosen) | {"refused": error.message(page_language())}
        return render(request, "catalog/merge.html", shared, status=409)
    messages.success(request, _("已合并。原编号仍可使用；如有误，可在“历史”中撤销。"))
    return redirect("change_set", made.changes_id)


def _chosen(noun: str, given: QueryDict) -> dict[str, str]:
    names = [column.name for column in schema.tables()[noun].columns]
    return {name: str(given[f"v-{name}"]) for name in names if f"v-{name}" in given}


def _preview(request: SignedIn, kept: Record, gone: Record, chosen: dict[str, str]) -> dict[str, Any]:
    plan = merging.plan(kept, gone, chosen)
    groups: dict[tuple[str, str], list[Record]] = {}
    for move in plan.moves:
        groups.setdefault((move.record.noun, move.how), []).append(move.record)
    tables = schema.tables()
    moves = []
    for (noun, how), records in groups.items():
        seen = [record for record in records[:SHOWN] if may(request.actor, "see", record)]
        moves.append((noun, tables[noun], how, len(records), seen, noun in FACES))
    is_barred = merging.both_claimed(kept, gone)
    return {
        "refused": WebError("web.merge_claimed").message(page_language()) if is_barred else "", "is_barred": is_barred,
        "plan": plan, "noun": kept.noun, "table": kept.table, "moves": moves, "kept": kept, "gone": gone,
        "swapped": address(gone, kept),
    }  # fmt: skip
