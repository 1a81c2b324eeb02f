"""What an invited person sees behind the link."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from allauth.account.utils import perform_login
from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from silian.errors import WebError
from silian.web.base import invitations
from silian.web.base.languages import page_language
from silian.web.base.models import User
from silian.web.base.people_forms import Join

if TYPE_CHECKING:
    from django.http import HttpResponse

    from silian.web.base.invitations import Opened
    from silian.web.base.requests import Request


@never_cache
def invitation_page(request: Request, key: str) -> HttpResponse:
    """Who invites to what; accept with the account that there is, or open one."""
    found = invitations.opened(key)
    if found is None:
        return render(request, "base/people/invitation_over.html", {"state": "unknown"}, status=HTTPStatus.NOT_FOUND)
    state = invitations.state_of(found.invitation)
    if state != "open":
        return _over(request, state)
    try:
        return _answer(request, found)
    except WebError as error:  # spent between the look and the button
        messages.error(request, error.message(page_language()))
        return _over(request, invitations.state_of(found.invitation))


def _answer(request: Request, found: Opened) -> HttpResponse:
    invitation = found.invitation
    shown = {"invitation": invitation, "to": invitations.target_name(invitation), "form": None, "is_other": False}
    if request.user.is_authenticated:
        shown["is_other"] = request.user.email != invitation.email
        if request.method == "POST" and not shown["is_other"]:
            invitations.accept(invitation, request.user)
            messages.success(request, _("已接受邀请。"))
            return redirect("home")
    elif not User.objects.filter(email=invitation.email).exists():
        form = Join(request.POST or None, email=invitation.email, name=invitation.name)
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            language = get_language() or "zh-hans"
            user = invitations.join(found, name=given["name"], password=given["password"], language=language)
            messages.success(request, _("账户已开通，欢迎使用四链。"))
            return perform_login(request, user)  # type: ignore[no-any-return]
        shown["form"] = form
    return render(request, "base/people/invitation.html", shown)


def _over(request: Request, state: str) -> HttpResponse:
    return render(request, "base/people/invitation_over.html", {"state": state}, status=HTTPStatus.GONE)
