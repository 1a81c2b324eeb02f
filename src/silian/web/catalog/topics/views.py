"""Striking a topic out, and putting it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from silian.web.catalog.changing import StaleError
from silian.web.catalog.records.reading import seen_or_404
from silian.web.catalog.rules import may
from silian.web.catalog.topics.striking import put_back, strike_out

if TYPE_CHECKING:
    from django.http import HttpResponse

    from silian.web.base.requests import SignedIn


@login_required
@require_POST
def strike(request: SignedIn, record_id: str) -> HttpResponse:
    """Strike a topic out, or put it back."""
    record = seen_or_404(request.actor, "experts", record_id)
    if not may(request.actor, "edit", record):
        raise PermissionDenied
    term = request.POST.get("term", "").replace("\0", "")[:100]
    verb = put_back if request.POST.get("verb") == "back" else strike_out
    try:
        if verb(request.actor, record, term):
            messages.success(request, _("主题已更新。"))
    except StaleError:
        messages.error(request, _("这条记录刚被修改，请看过后再试。"))
    return redirect("detail", "experts", record.record_id)
