"""Pages of duplicates: what there is already while somebody types, pairs to decide, their decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_POST

from silian.web.catalog import duplicates
from silian.web.catalog.blocking import HEADINGS
from silian.web.catalog.rules import STEWARDS

if TYPE_CHECKING:
    from django.http import HttpResponse

    from silian.web.base.requests import SignedIn


@login_required
@require_POST  # it changes nothing, but what is typed has no place in an address
def likely_part(request: SignedIn, noun: str) -> HttpResponse:
    """Records that are likely the one that is being typed: a part of the form."""
    if noun not in HEADINGS:
        raise Http404
    actor = request.actor
    if not (actor.orgs or actor.expert_id or any(actor.holds(role) for role in STEWARDS)):
        raise PermissionDenied
    texts = {name: "；".join(values) for name, values in request.POST.lists() if isinstance(name, str)}
    values = duplicates.typed(noun, {name: str(text) for name, text in texts.items()})
    warned = duplicates.warn(actor, noun, values, but=request.POST.get("but", "").replace("\0", ""))
    return render(request, "catalog/duplicate_likely.html", {"noun": noun, "warned": warned})
