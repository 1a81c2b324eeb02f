"""Pages of the auditor: who read and wrote what, and whether the log is as it was sealed.

They are for auditors of the whole region. Most entries belong to no place (sign-in, exports, imports, searches) and
the chain is right as a whole or not at all; an auditor of a county reads the histories of the records of that county.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from silian.tables import schema
from silian.web.base import audit
from silian.web.base.audit_queries import Asked, Place, as_csv, as_lines, chosen, entries, page_of
from silian.web.base.audit_tasks import check_task
from silian.web.base.languages import page_language
from silian.web.base.log import log
from silian.web.base.models import Place as Region
from silian.web.base.models import Post, User

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.http import HttpResponse, HttpResponseBase

    from silian.web.base.models import LogEntry
    from silian.web.base.requests import SignedIn

FORMS: Final[dict[str, tuple[Callable[..., Iterator[str]], str]]] = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "jsonl": (as_lines, "application/jsonl; charset=utf-8"),
}


class AskedForm(forms.Form):
    """Which entries."""

    who = forms.CharField(label=gettext_lazy("化名"), max_length=16, required=False)
    action = forms.CharField(
        label=gettext_lazy("动作"), max_length=40, required=False, widget=forms.TextInput({"list": "actions"})
    )
    noun = forms.ChoiceField(label=gettext_lazy("对象"), required=False)
    record_id = forms.CharField(label=gettext_lazy("编号"), max_length=300, required=False)
    since = forms.DateField(label=gettext_lazy("自"), required=False, widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(label=gettext_lazy("至"), required=False, widget=forms.DateInput({"type": "date"}))

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        nouns = [(name, table.label(page_language())) for name, table in schema.tables().items()]
        self.fields["noun"] = forms.ChoiceField(
            label=_("对象"), choices=[("", _("全部")), *nouns], required=False
        )  # fmt: skip

    def asked(self) -> Asked:
        """The choice, the last day included."""
        given = self.cleaned_data
        since, until = given["since"], given["until"]
        return Asked(
            who=given["who"], action=given["action"], noun=given["noun"], record_id=given["record_id"],
            since=_midnight(since) if since else None, until=_midnight(until + timedelta(days=1)) if until else None,
        )  # fmt: skip


class PersonForm(forms.Form):
    """Whose pseudonym."""

    email = forms.EmailField(label=gettext_lazy("邮箱"), max_length=254)


@login_required
def audit_page(request: SignedIn) -> HttpResponse:
    """Who read and wrote what."""
    _allowed(request)
    form = AskedForm(request.GET or None)
    is_right = not form.is_bound or form.is_valid()
    asked = form.asked() if form.is_bound and is_right else Asked()
    rows, following = page_of(asked, Place.read(request.GET.get("behind", ""))) if is_right else ([], None)
    told = {name: request.GET[name] for name in form.fields if request.GET.get(name)}
    shared = {
        "form": form, "rows": [_told(row) for row in rows], "actions": sorted({row.action for row in rows}),
        "following": urlencode({**told, "behind": following}) if following else "", "query": urlencode(told),
        "is_first": "behind" not in request.GET, "person": PersonForm(), **_chain(),
    }  # fmt: skip
    return render(request, "base/audit.html", shared, status=200 if is_right else 400)


@login_required
def audit_export(request: SignedIn, form: str) -> HttpResponseBase:
    """The entries that are asked for, as a file; entry by entry, whatever their number."""
    _allowed(request)
    if form not in FORMS:
        raise Http404
    asked = AskedForm(request.GET)
    if not asked.is_valid():
        return redirect(f"{reverse('audit')}?{request.GET.urlencode()}")
    write, kind = FORMS[form]
    choice = asked.asked()
    log(request.actor, "audit.export", detail={"form": form, **choice.as_plain()})
    answer = StreamingHttpResponse(write(entries(chosen(choice))), content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="silian-log-{timezone.localdate()}.{form}"'
    return answer


@login_required
@require_POST
def audit_check(request: SignedIn) -> HttpResponse:
    """Ask for a walk along the chain: it runs in the background."""
    _allowed(request)
    with transaction.atomic():
        log(request.actor, "audit.check")
        check_task.enqueue()
    messages.success(request, _("已安排核验，结果稍后显示在本页。"))
    return redirect("audit")


@login_required
@require_POST
def audit_person(request: SignedIn) -> HttpResponse:
    """Find the pseudonym of an account by its address; the look-up stands in the log as well."""
    _allowed(request)
    form = PersonForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("请填写完整的邮箱地址。"))
        return redirect("audit")
    address = form.cleaned_data["email"].lower()
    found = User.objects.filter(email=address).values_list("pseudonym", flat=True).first()
    log(request.actor, "audit.person", record_id=found or "")
    if found is None:
        messages.error(request, _("没有使用这个邮箱的账户；已注销的账户查不到化名。"))
        return redirect("audit")
    return redirect(f"{reverse('audit')}?{urlencode({'who': found})}")


def _allowed(request: SignedIn) -> None:
    if (Post.Role.AUDITOR, f"/{Region.ROOT}/") not in request.actor.posts:
        raise PermissionDenied


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _chain() -> dict[str, Any]:
    found = audit.state()
    check = found["check"]
    waiting = found["waiting"]
    return {
        "head": found["head"], "check": check, "waiting": min(len(waiting), audit.BATCH),
        "waiting_since": waiting[0] if waiting else None, "is_more_waiting": len(waiting) > audit.BATCH,
        "finding": audit.FINDINGS.get(check.finding, "") if check else "",
    }  # fmt: skip


def _told(entry: LogEntry) -> dict[str, Any]:
    tables = schema.tables()
    noun = tables[entry.noun].label(page_language()) if entry.noun in tables else entry.noun
    detail = [
        (name, _("、").join(map(str, v)) if isinstance(v, list) else v) for name, v in sorted(entry.detail.items())
    ]
    return {"entry": entry, "noun": noun, "detail": detail}
