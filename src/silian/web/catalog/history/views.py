"""Pages of what became of records: the history of one, a set of changes, what I changed; putting back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from silian.errors import WebError
from silian.tables import schema
from silian.web.base.languages import page_language
from silian.web.base.log import log
from silian.web.catalog.changing import StaleError
from silian.web.catalog.duplicates.merging import resolve
from silian.web.catalog.history import telling
from silian.web.catalog.models import MODELS, ChangeSet
from silian.web.catalog.records.queries import FACES
from silian.web.catalog.rules import may

if TYPE_CHECKING:
    from django.http import HttpResponse

    from silian.web.base.requests import Request, SignedIn
    from silian.web.catalog.models import Record


def _before(request: Request) -> int | None:
    given = request.GET.get("before", "")
    return int(given) if given.isdecimal() and len(given) < 19 else None


def _subject(request: Request, noun: str, record_id: str) -> tuple[Record, bool]:
    found = telling.subject(request.actor, noun, record_id) if noun in MODELS else None
    if found is None:
        raise Http404
    if not may(request.actor, "history", found[0]):
        raise PermissionDenied
    return found


@login_required
def history_page(request: SignedIn, noun: str, record_id: str) -> HttpResponse:
    """What became of one record."""
    record, is_there = _subject(request, noun, record_id)
    page = telling.history_of(request.actor, record, before=_before(request))
    log(request.actor, f"{noun}.history", noun=noun, record_id=record.record_id)
    shared = {
        "record": record, "is_there": is_there, "table": record.table, "page": page, "noun": noun,
        "has_pages": noun in FACES, "may_edit": may(request.actor, "edit", record),
        "merged_into": None if is_there else resolve(noun, [record_id]).get(record_id),
    }  # fmt: skip
    return render(request, "catalog/history.html", shared)


@login_required
@require_POST
def restore_record(request: SignedIn, noun: str, record_id: str) -> HttpResponse:
    """Bring a deleted record back."""
    record, is_there = _subject(request, noun, record_id)
    if not may(request.actor, "edit", record):
        raise PermissionDenied
    if not is_there and not resolve(noun, [record_id]):
        try:
            telling.restore(request.actor, record)
        except WebError as error:
            messages.error(request, error.message(page_language()))
            return redirect("history", noun, record_id)
        messages.success(request, _("已恢复。"))
    return redirect("history", noun, record_id)


def _set(number: int) -> ChangeSet:
    found = (
        ChangeSet.objects.select_related("by", "undone_by", "undoes", "brought_by", "merge").filter(pk=number).first()
    )
    if found is None:
        raise Http404
    return found


@login_required
def change_set(request: SignedIn, number: int) -> HttpResponse:
    """The records of a set of changes."""
    changes = _set(number)
    page = telling.rows_of(request.actor, changes, before=_before(request))
    if not page.entries and changes.by_id != request.actor.user_id:
        raise Http404
    log(request.actor, "changes.see", detail={"change_set": changes.pk})
    return render(request, "catalog/history_set.html", _shared(request, changes, page))


def _shared(request: SignedIn, changes: ChangeSet, page: telling.Page) -> dict[str, object]:
    return {
        "changes": changes, "page": page, "entries": [(e, schema.tables()[e.change.noun]) for e in page.entries],
        "undone_by": getattr(changes, "undone_by", None), "brought": getattr(changes, "brought_by", None),
        "may_undo": telling.may_undo(request.actor, changes, page.records), "with_pages": frozenset(FACES),
    }  # fmt: skip


@login_required
@require_POST
def undo_changes(request: SignedIn, number: int) -> HttpResponse:
    """Put the records of a set back as they were."""
    changes = _set(number)
    page = telling.rows_of(request.actor, changes)
    if not page.entries and changes.by_id != request.actor.user_id:
        raise Http404
    if getattr(changes, "undone_by", None) is None and not telling.may_undo(request.actor, changes, page.records):
        raise PermissionDenied
    try:
        made = telling.undo_set(request.actor, changes)
    except StaleError as error:
        moved = {conflict.record_id for conflict in error.conflicts}
        told = {"conflicts": [e for e in page.entries if e.change.record_id in moved], "moved": len(moved)}
        return render(request, "catalog/history_set.html", _shared(request, changes, page) | told, status=409)
    except WebError as error:
        messages.error(request, error.message(page_language()))
        return redirect("change_set", number)
    messages.success(request, _("已恢复到此前。"))
    return redirect("change_set", made.pk)


@login_required
def mine(request: SignedIn) -> HttpResponse:
    """What I changed."""
    done, after = telling.done_by(request.actor, before=_before(request))
    return render(request, "catalog/history_mine.html", {"done": done, "next": after})
