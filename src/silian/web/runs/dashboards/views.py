"""Pages of figures: the leader's page, the lists behind it, freezing."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from silian.errors import WebError
from silian.tables.cast import GUARDS
from silian.web.base.languages import page_language
from silian.web.base.log import log
from silian.web.runs.dashboards.freezing import next_version
from silian.web.runs.dashboards.lists import listed
from silian.web.runs.dashboards.months import first_day, is_month, month_of
from silian.web.runs.dashboards.page import page_of
from silian.web.runs.dashboards.reading import desk_of
from silian.web.runs.dashboards.reports import report
from silian.web.runs.dashboards.tasks import freeze_task
from silian.web.runs.dashboards.wording import note, number
from silian.web.runs.models import Snapshot

if TYPE_CHECKING:
    from silian.web.base.requests import SignedIn
    from silian.web.runs.dashboards.lists import Listed
    from silian.web.runs.dashboards.reading import Desk

OFFICE = "application/vnd.openxmlformats-officedocument"
FORMS = {"docx": f"{OFFICE}.wordprocessingml.document", "xlsx": f"{OFFICE}.spreadsheetml.sheet"}
LONGEST = 200  # characters of a reason


@login_required
@require_GET
def dashboard_page(request: SignedIn) -> HttpResponse:
    """The leader's page."""
    desk = desk_of(request.actor, request.GET.dict())
    shared: dict[str, Any] = {"desk": desk, "today": timezone.localdate(), "problem": ""}
    if desk.snapshot is None:
        return render(request, "runs/dashboards/page.html", shared)
    try:
        shared["page"] = page_of(desk)
    except WebError as changed:
        shared["problem"] = changed.message(page_language())
        return render(request, "runs/dashboards/page.html", shared, status=503)
    shared["list_query"] = urlencode(desk.query)
    shared["report_query"] = urlencode(desk.query)
    shared["freezing"] = _freezing(desk)
    return render(request, "runs/dashboards/page.html", shared)


def _freezing(desk: Desk) -> dict[str, Any] | None:
    """What the form to freeze asks for, where the person may."""
    if not desk.may_freeze or desk.snapshot is None:
        return None
    month = month_of(timezone.localdate()) if desk.is_live else desk.snapshot.month
    return {"month": month, "version": next_version(Snapshot.Kind.MONTH, desk.place, month)}


@login_required
@require_GET
def list_page(request: SignedIn, measure: str) -> HttpResponse:
    """The rows behind a number."""
    desk = desk_of(request.actor, request.GET.dict())
    try:
        found = listed(desk, measure, request.GET.dict())
    except WebError as changed:
        shared = {"desk": desk, "problem": changed.message(page_language())}
        return render(request, "runs/dashboards/page.html", shared, status=503)
    _tell(desk, measure, "figures.list")
    language = page_language()
    base = desk.query | ({"q": found.words} if found.words else {})
    shown = "" if found.told.value is None else number(found.told.value, found.measure)
    heads = [(code, name, *_order(base, found, code)) for code, name in _columns(found)]
    shared = {
        "desk": desk, "listed": found, "name": found.measure.name(language), "value": shown,
        "meaning": found.measure.meaning(language), "note": note(found.told.note), "heads": heads,
        "rows": [(row, "" if row.amount is None else _amount(row.amount)) for row in found.rows],
        "previous": urlencode(base | {"sort": found.sort, "page": found.page - 1}),
        "next": urlencode(base | {"sort": found.sort, "page": found.page + 1}),
        "query": urlencode(base | {"sort": found.sort}), "plain": urlencode(desk.query),
    }  # fmt: skip
    return render(request, "runs/dashboards/list.html", shared)


def _columns(found: Listed) -> list[tuple[str, str]]:
    amount = [("amount", _("数值"))] if found.has_amounts else []
    return [("name", _("名称")), ("place", _("地方")), *amount]


def _order(base: dict[str, Any], found: Listed, code: str) -> tuple[str, str]:
    """Where a click on a head leads, and how the list stands by it."""
    order = {code: "ascending", f"-{code}": "descending"}.get(found.sort, "none")
    return urlencode(base | {"sort": f"-{code}" if found.sort == code else code}), order


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


@login_required
@require_GET
def list_file(request: SignedIn, measure: str) -> HttpResponse:
    """The rows behind a number as CSV that a spreadsheet opens."""
    desk = desk_of(request.actor, request.GET.dict())
    try:
        found = listed(desk, measure, request.GET.dict(), is_whole=True)
    except WebError as changed:
        raise Http404 from changed
    _tell(desk, measure, "figures.export")
    made = io.StringIO(newline="")
    writer = csv.writer(made)
    writer.writerow([_("编号"), *(name for _code, name in _columns(found))])
    for row in found.rows:
        amount = [row.amount] if found.has_amounts else []
        writer.writerow([guarded(row.id), guarded(row.name), guarded(row.place), *amount])
    answer = HttpResponse(made.getvalue().encode("utf-8-sig"), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{measure}-{desk.place.pk}.csv"'
    return answer


@login_required
@require_GET
def report_document(request: SignedIn) -> HttpResponse:
    """The report of a month as a bulletin in Word."""
    return _report(request, "docx")


@login_required
@require_GET
def report_workbook(request: SignedIn) -> HttpResponse:
    """The report of a month as a workbook."""
    return _report(request, "xlsx")


def _report(request: SignedIn, form: str) -> HttpResponse:
    desk = desk_of(request.actor, request.GET.dict())
    if desk.snapshot is None:
        raise Http404
    try:
        made = report(desk, desk.snapshot, form)
    except WebError as changed:
        shared = {"desk": desk, "problem": changed.message(page_language())}
        return render(request, "runs/dashboards/page.html", shared, status=503)
    detail = {"place": desk.place.pk, "month": desk.query.get("month", ""), "digest": desk.snapshot.digest}
    log(desk.actor, "figures.export", detail=detail | {"form": form})
    answer = HttpResponse(made, content_type=FORMS[form])
    name = f"silian-{desk.place.pk}-{desk.snapshot.month}-v{desk.snapshot.version}.{form}"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def guarded(text: str) -> str:
    """A text as a spreadsheet does not take it for a formula.

    Examples
    --------
    >>> guarded("=1+1"), guarded("需求")
    ("'=1+1", '需求')
    """
    return f"'{text}" if text[:1] in GUARDS else text


def _tell(desk: Desk, measure: str, action: str) -> None:
    detail = {"measure": measure, "place": desk.place.pk, "month": desk.query.get("month", "")}
    log(desk.actor, action, detail=detail)


@login_required
@require_POST
def freeze(request: SignedIn) -> HttpResponse:
    """Ask for a month to be frozen: in the background, once however often it is asked for."""
    given = request.POST.dict()
    desk = desk_of(request.actor, {"place": given.get("place", "")})
    month, version = given.get("month", ""), given.get("version", "")
    if not desk.may_freeze:
        raise Http404
    back = redirect(f"{reverse('dashboard')}?{urlencode({'place': desk.place.pk})}")
    reason = " ".join(given.get("reason", "").replace("\x00", "").split())
    if not is_month(month) or first_day(month) > timezone.localdate():
        messages.error(request, _("还不能冻结这个月份。"))
        return back
    if not reason or len(reason) > LONGEST:
        messages.error(request, _("请填写冻结的原因，不超过 200 字。"))
        return back
    wanted = int(version) if version.isascii() and version.isdecimal() and len(version) < 5 else 0
    with transaction.atomic():
        if wanted == next_version(Snapshot.Kind.MONTH, desk.place, month):
            freeze_task.enqueue(month, desk.place.pk, request.user.pk, reason, wanted)
            log(request.actor, "figures.freeze", detail={"month": month, "place": desk.place.pk, "version": wanted})
    messages.success(request, _("正在冻结 %(month)s，几秒后出现在月份列表中。") % {"month": month})
    return back
