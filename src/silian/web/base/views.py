"""Pages of the base."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from silian.web.base import guides

if TYPE_CHECKING:
    from django.http import HttpResponse

    from silian.web.base.requests import Request, SignedIn


def home(request: Request) -> HttpResponse:
    """The first page."""
    found = guides.home_of(request.actor)
    return render(request, "base/home.html", {"home": found, "chains": guides.chains(found.counts)})


def help_page(request: Request) -> HttpResponse:
    """What one can do here and where, and what words mean."""
    own = guides.roles_of(request.actor)
    roles = sorted(((role in own, *rest) for role, *rest in guides.DEEDS), key=lambda told: not told[0])
    return render(request, "base/help.html", {"roles": roles, "words": guides.words()})


@login_required
@require_POST
def steps(request: SignedIn) -> HttpResponse:
    """Leave the first steps out of the first page, or show them again."""
    is_hidden = request.POST.get("steps") == "hide"
    guides.hide_steps(request.actor, is_hidden=is_hidden)
    if is_hidden:
        messages.success(request, _("入门步骤不再显示；在“帮助”页可以恢复。"))
    return redirect("home")
