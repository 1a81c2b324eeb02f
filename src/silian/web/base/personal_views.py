"""Pages of one's own data: see, take out, correct, agree and withdraw, erase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.decorators import reauthentication_required
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from silian.web.base import consents, personal
from silian.web.base.log import log
from silian.web.base.models import Consent
from silian.web.base.names import check_name

if TYPE_CHECKING:
    from silian.web.base.requests import Request, SignedIn

SHOWN = 10  # rows of a part on the page; a file holds them all


class CorrectForm(forms.Form):
    """What a person puts right here; the address is changed where it is confirmed."""

    name = forms.CharField(label=gettext_lazy("姓名"), max_length=100, validators=[check_name])
    language = forms.ChoiceField(label=gettext_lazy("语言"), choices=settings.LANGUAGES)


class EraseForm(forms.Form):
    """What shall become of the record of the expert that the person is, and that it is meant."""

    expert = forms.ChoiceField(
        label=gettext_lazy("我的专家记录"), initial="anonymise", widget=forms.RadioSelect,
        choices=[
            ("anonymise", gettext_lazy("隐去姓名与简介，并撤回")), ("withdraw", gettext_lazy("撤回，不再公开")),
            ("keep", gettext_lazy("交由所在单位继续使用")),
        ],
    )  # fmt: skip
    is_meant = forms.BooleanField(label=gettext_lazy("我知道注销后无法恢复"))


@login_required
@never_cache
def personal_page(request: SignedIn) -> HttpResponse:
    """Everything that is held of the person."""
    user = request.user
    form = CorrectForm(request.POST or None, initial={"name": user.name, "language": user.language})
    if request.method == "POST" and form.is_valid():
        personal.correct(request.actor, user, **form.cleaned_data)
        messages.success(request, _("已保存。"))
        return redirect("personal")
    held = personal.held(user)
    sections = [
        (part.name, part.heads, [_cells(part.heads, row) for row in part.rows[:SHOWN]], len(part.rows))
        for part in held
        if part.rows
    ]
    empty = [part.name for part in held if not part.rows]
    given = {c.purpose: c for c in user.consents.filter(withdrawn_at=None, wording=consents.WORDING)}
    purposes = [(value, label, given.get(value)) for value, label in Consent.Purpose.choices]
    shared = {"form": form, "sections": sections, "empty": empty, "purposes": purposes, "shown": SHOWN}
    return render(request, "base/personal.html", shared, status=400 if form.is_bound else 200)


def _cells(heads: tuple[str, ...], row: tuple[Any, ...]) -> list[tuple[str, str]]:
    return [(head, personal.as_read(value)) for head, value in zip(heads, row, strict=True)]


@login_required
@never_cache
def personal_export(request: SignedIn, form: str) -> HttpResponse:
    """Everything as a file."""
    if form not in ("json", "xlsx"):
        raise Http404
    sections = personal.held(request.user)
    log(request.actor, "people.export", detail={"form": form})
    if form == "json":
        answer = HttpResponse(personal.as_json(sections), content_type="application/json; charset=utf-8")
    else:
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        answer = HttpResponse(personal.as_workbook(sections), content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="silian-personal-{timezone.localdate()}.{form}"'
    return answer


@login_required
@require_POST
def personal_consent(request: SignedIn, purpose: str) -> HttpResponse:
    """Agree to a purpose, or withdraw: one press either way."""
    if purpose not in Consent.Purpose.values:
        raise Http404
    if request.POST.get("is_given") == "yes":
        consents.give(request.actor, request.user, purpose)
    else:
        consents.take_back(request.actor, request.user, purpose)
    return redirect("personal")


@login_required
@never_cache
@reauthentication_required  # type: ignore[untyped-decorator]
def personal_erase(request: SignedIn) -> HttpResponse:
    """Erase the account."""
    form = EraseForm(request.POST or None)
    if not request.user.expert_id:
        del form.fields["expert"]
    if request.method == "POST" and form.is_valid():
        user = request.user
        logout(request)
        erasure = personal.erase(user, personal.Wish(expert=form.cleaned_data.get("expert", "keep")))
        return redirect("receipt", erasure.number, personal.token_of(erasure))
    return render(request, "base/erase.html", {"form": form}, status=400 if form.is_bound else 200)


@never_cache
def receipt_page(request: Request, number: str, token: str) -> HttpResponse:
    """The receipt of an account that was erased, for whoever has its address."""
    erasure = personal.receipt(number, token)
    if erasure is None:
        raise Http404
    address = request.build_absolute_uri(request.path)
    if "download" in request.GET:
        text = f"{erasure.text}\n{_('核验地址')}：{address}\n"
        answer = HttpResponse(text, content_type="text/plain; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="silian-receipt-{erasure.number}.txt"'
        return answer
    return render(request, "base/receipt.html", {"erasure": erasure, "address": address})
