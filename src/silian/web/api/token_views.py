"""Pages of tokens: a person's own, making and revoking one, and who has any."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_GET

from silian.errors import WebError
from silian.web.api import tokens
from silian.web.api.scopes import SCOPES
from silian.web.base.languages import page_language

if TYPE_CHECKING:
    from django.http import HttpResponse

    from silian.web.api.models import Token
    from silian.web.base.requests import SignedIn

PAGE: Final = 50


class TokenForm(forms.Form):
    """What a token is for, what it may, how long it lasts."""

    name = forms.CharField(
        label=gettext_lazy("用途"), max_length=100,
        help_text=gettext_lazy("例如：“财务系统夜间同步”。一个系统一个令牌。"),
    )  # fmt: skip
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("范围"), choices=[(name, name) for name, _told in SCOPES],
        widget=forms.CheckboxSelectMultiple(attrs={"class": "one"}),
        help_text=gettext_lazy("只勾选用得到的。令牌的权限不会超过您本人。"),
        error_messages={"required": gettext_lazy("请至少勾选一项。")},
    )  # fmt: skip
    days = forms.TypedChoiceField(
        label=gettext_lazy("有效期"), coerce=int, initial=tokens.DAYS,
        choices=[
            (7, gettext_lazy("7 天")), (30, gettext_lazy("30 天")), (90, gettext_lazy("90 天")),
            (365, gettext_lazy("1 年")),
        ],
    )  # fmt: skip

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.fields["scopes"].choices = [(name, f"{told} · {name}") for name, told in SCOPES]  # type: ignore[attr-defined]


@login_required
@reauthentication_required(allow_get=True)  # type: ignore[untyped-decorator]
def token_list(request: SignedIn) -> HttpResponse:
    """One's own tokens, and a form for another one."""
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        number = request.POST.get("form", "")[:40].replace("\0", "")
        try:
            token, secret = tokens.make(request.actor, **form.cleaned_data, form=number)
        except WebError as error:
            messages.error(request, error.message(page_language()))
            return redirect("tokens")
        response = render(request, "api/token_made.html", {"token": token, "secret": secret})
        response["Cache-Control"] = "no-store"  # the secret lies nowhere but on this page
        return response
    shared = {
        "form": form, "number": secrets.token_hex(16), "rows": _rows(tokens.of(request.actor)[:PAGE]),
        "lacks_factor": tokens.lacks_factor(request.actor), "oversees": tokens.overseen(request.actor) is not None,
        "most": tokens.MOST_DAYS,
    }  # fmt: skip
    return render(request, "api/tokens.html", shared, status=422 if form.errors else 200)


@login_required
def token_revoke(request: SignedIn, number: int) -> HttpResponse:
    """Ask once more, then end a token: one's own, or for administrators anybody's."""
    everybody = tokens.overseen(request.actor)
    found = (everybody if everybody is not None else tokens.of(request.actor)).filter(pk=number).first()
    if found is None:
        raise Http404
    if request.method != "POST":
        is_own = found.user_id == request.user.pk
        return render(request, "api/token_revoke.html", {"token": found, "is_own": is_own})
    if tokens.revoke(request.actor, found):
        messages.success(request, _("令牌已撤销，立即失效。"))
    return redirect("tokens" if found.user_id == request.user.pk else "tokens_all")


@login_required
@require_GET
def token_all(request: SignedIn) -> HttpResponse:
    """Who has tokens, for administrators of the whole region."""
    found = tokens.overseen(request.actor)
    if found is None:
        raise Http404
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    return render(request, "api/tokens_all.html", {"page": page, "rows": _rows(page.object_list)})


def _rows(found: Any) -> list[tuple[Token, str, bool]]:
    """Tokens with their state in words, and whether they are open."""
    words = {"open": _("有效"), "revoked": pgettext("令牌", "已撤销"), "expired": _("已到期")}
    return [(token, words[token.state], token.state == "open") for token in found]
