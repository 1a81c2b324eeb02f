"""Pages of one record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from silian.web.base.languages import page_language
from silian.web.catalog.changing import Edit, StaleError, change, plain
from silian.web.catalog.entry import form_of, texts_of
from silian.web.catalog.interests import is_mutual
from silian.web.catalog.merging import can_merge, resolve
from silian.web.catalog.models import MODELS
from silian.web.catalog.queries import FACES
from silian.web.catalog.reading import told_record
from silian.web.catalog.rules import may, may_bring, shown

if TYPE_CHECKING:
    from django.http import HttpResponse

    from silian.tables import schema
    from silian.web.base.requests import Request


def detail_page(request: Request, noun: str, record_id: str) -> HttpResponse:
    """One record."""
    if noun not in FACES:
        raise Http404
    actor = request.actor
    now = resolve(noun, [record_id]).get(record_id, record_id)
    record = MODELS[noun].objects.select_related("place").filter(pk=now).first()
    if record is None or not may(actor, "see", record):
        raise Http404
    if now != record_id:  # it was merged: for a while only, for a merge can be undone
        return redirect("detail", noun, now)
    names = shown(actor, record, is_mutual=is_mutual(actor, record))
    told_record(actor, record, names)
    shared = {
        "record": record, "table": record.table, "face": FACES[noun], "may_edit": may(actor, "edit", record),
        "columns": [(c, c.name in names) for c in record.table.columns],
        "may_merge": can_merge(noun) and may(actor, "merge", record),
    }  # fmt: skip
    return render(request, "catalog/detail.html", shared)


def edit_page(request: Request, noun: str, record_id: str) -> HttpResponse:
    """Change one record: what was typed stays on the page until it is right."""
    if noun not in FACES:
        raise Http404
    actor = request.actor
    now = resolve(noun, [record_id]).get(record_id, record_id)
    record = MODELS[noun].objects.select_related("place").filter(pk=now).first()
    if record is None or not may(actor, "see", record):
        raise Http404
    if not may(actor, "edit", record):
        raise PermissionDenied
    if now != record_id and request.method == "GET":
        return redirect("edit", noun, now)
    record_id = now
    conflict: list[tuple[schema.Column, object, object]] = []
    values = plain(record)
    if request.method == "POST":
        form = form_of(noun, page_language(), data=request.POST)
        seen = request.POST.get("version", "")
        if form.is_valid() and not may_bring(actor, noun, [values | form.cleaned_data])[0]:
            form.add_error(None, _("您无权以该单位或该区县的名义保存。"))
        if form.is_valid():
            try:
                change(actor, noun, [Edit(record_id, form.cleaned_data, int(seen) if seen.isdecimal() else 0)])
            except StaleError:
                typed = form.cleaned_data
                conflict = [
                    (c, values[c.name], typed[c.name])
                    for c in record.table.columns
                    if c.name in typed and typed[c.name] != values[c.name]
                ]
            else:
                messages.success(request, _("已保存。"))
                return redirect("detail", noun, record_id)
    else:
        form = form_of(noun, page_language(), initial=texts_of(record.table, values))
    shared = {"record": record, "form": form, "table": record.table, "face": FACES[noun], "conflict": conflict}
    return render(request, "catalog/edit.html", shared, status=409 if conflict else 200)
