"""Pages of exports: take a list away, or a whole region; what was taken, and its file for a week."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from silian.errors import MESSAGES, WebError
from silian.tables import schema
from silian.web.base.languages import page_language
from silian.web.catalog.exchange import exports
from silian.web.catalog.models import Export
from silian.web.catalog.records.queries import FACES
from silian.web.catalog.rules import STEWARDS
from silian.web.catalog.tasks import ask_export

if TYPE_CHECKING:
    from django.http import HttpResponse
    from django.http.response import HttpResponseBase

    from silian.web.base.requests import SignedIn

LONGEST: Final = 2000  # characters of a query


@login_required
@require_GET
def export_list(request: SignedIn) -> HttpResponse:
    """What the person has taken, and the whole region for those who look after one."""
    taken = list(Export.objects.filter(by=request.user).order_by("-pk")[:50])
    tables, language = schema.tables(), page_language()
    shared: dict[str, Any] = {
        "rows": [(one, tables[one.noun].label(language) if one.noun else _("整个区域"), _told(one)) for one in taken],
        "is_waiting": any(one.state == Export.State.WAITING for one in taken), "forms": Export.Form.choices,
        "is_steward": any(request.actor.holds(role) for role in STEWARDS),
    }  # fmt: skip
    return render(request, "catalog/exports.html", shared)


@login_required
@require_POST
def export_make(request: SignedIn, noun: str) -> HttpResponseBase:
    """Take what a list shows: at once where it is small, else in the background."""
    form, asked = request.POST.get("form", ""), request.POST.get("asked", "")
    if noun not in FACES or form not in Export.Form.values or len(asked) > LONGEST:
        raise Http404
    try:
        count = exports.asked_records(request.actor, noun, asked)[: exports.AT_ONCE + 1].count()
    except WebError as error:
        messages.error(request, error.message(page_language()))
        return redirect("list", noun)
    is_small = count <= exports.AT_ONCE
    taken = _asked(request, noun=noun, asked=asked, form=form, is_now=is_small)
    if taken is None or not is_small:
        return redirect("exports")
    exports.make(taken, request.actor, is_awaited=True)
    if taken.state == Export.State.FAILED:
        messages.error(request, _told(taken))
        return redirect("exports")
    return _file(taken)


@login_required
@require_POST
def export_region(request: SignedIn) -> HttpResponse:
    """Take every table of the places that the person looks after."""
    form = request.POST.get("form", "")
    if not any(request.actor.holds(role) for role in STEWARDS):
        raise PermissionDenied
    if form not in Export.Form.values:
        raise Http404
    _asked(request, noun="", asked="", form=form)
    return redirect("exports")


@login_required
@require_GET
def export_file(request: SignedIn, number: int) -> FileResponse:
    """The file of an export: for its owner, as long as it is kept."""
    taken = Export.objects.filter(pk=number, by=request.user, state=Export.State.READY).first()
    if taken is None or timezone.now() - taken.at > exports.KEPT:
        raise Http404
    return _file(taken)


def _asked(request: SignedIn, *, noun: str, asked: str, form: str, is_now: bool = False) -> Export | None:
    """An export that is to be made, and asked for in the background where it is not made at once."""
    taken = ask_export(request.actor, noun=noun, asked=asked, form=form, language=page_language(), is_now=is_now)
    if taken is None:
        messages.error(request, _("您有太多文件正在准备，请稍候。"))
    return taken


def _file(taken: Export) -> FileResponse:
    table = schema.tables()[taken.noun].label(page_language()) if taken.noun else _("整个区域")
    suffix = taken.form if taken.noun else "zip"
    name = f"{table}-{timezone.localtime(taken.at):%Y-%m-%d}.{suffix}"
    response = FileResponse(taken.file.open("rb"), as_attachment=True, filename=name)
    response["X-Silian-Rows"], response["X-Silian-Withheld"] = str(taken.rows), str(taken.withheld)
    return response


def _told(taken: Export) -> str:
    if taken.code not in MESSAGES:
        return ""
    english, chinese = MESSAGES[taken.code]
    return (chinese if page_language() == "zh" else english).format(**taken.found)
