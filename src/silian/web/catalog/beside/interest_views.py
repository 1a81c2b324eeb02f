"""Pages of mutual interest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from silian.web.base.consents import Purpose, holders
from silian.web.catalog.beside import interests
from silian.web.catalog.models import MODELS, Interest, Organisation
from silian.web.catalog.records.reading import seen_or_404
from silian.web.catalog.rules import may

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpResponse

    from silian.web.base.actors import Actor
    from silian.web.base.requests import SignedIn
    from silian.web.catalog.models import Record

PAGE: Final = 20


@login_required
def interest_list(request: SignedIn) -> HttpResponse:
    """What others want of us, and what we want of others."""
    actor = request.actor
    which = "sent" if request.GET.get("which") == "sent" else "received"
    found = interests.sent(actor) if which == "sent" else interests.received(actor)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    shared = {"which": which, "page": page, "rows": _rows(actor, list(page))}
    return render(request, "catalog/interests.html", shared)


@login_required
@require_POST
def interest_ask(request: SignedIn, noun: str, record_id: str) -> HttpResponse:
    """Say that one wants to talk."""
    record = seen_or_404(request.actor, noun, record_id)
    if noun not in interests.ASKED or not interests.may_ask(request.actor, record):
        raise Http404
    interests.ask(request.actor, record, org_id=request.POST.get("org", ""))
    messages.success(request, _("已转达。对方同意后，您会在这里看到仅对有意方公开的内容。"))
    return redirect("detail", noun, record_id)


@login_required
@require_POST
def interest_answer(request: SignedIn, number: int) -> HttpResponse:
    """Agree or decline."""
    interest, record = _known(request.actor, number)
    if not interests.may_answer(request.actor, record):
        raise Http404
    if not interests.answer(request.actor, interest, agrees=request.POST.get("answer") == "agree"):
        messages.info(request, _("这条意向已答复或已撤回。"))
    return redirect("interests")


@login_required
@require_POST
def interest_withdraw(request: SignedIn, number: int) -> HttpResponse:
    """Take it back."""
    interest, record = _known(request.actor, number)
    is_sender = interest.by_id == request.actor.user_id or interest.org_id in request.actor.orgs
    if not is_sender and not (interest.state == Interest.State.AGREED and interests.may_answer(request.actor, record)):
        raise Http404
    if interests.withdraw(request.actor, interest):
        messages.success(request, _("已撤回；此前向对方公开的内容已关闭。"))
    return redirect("interests")


def _known(actor: Actor, number: int) -> tuple[Interest, Record]:
    interest = Interest.objects.filter(pk=number).first()
    if interest is None:
        raise Http404
    return interest, seen_or_404(actor, interest.noun, interest.record_id)


def _rows(actor: Actor, page: Sequence[Interest]) -> list[dict[str, Any]]:
    """What a page shows of each: the record, who asks, and how to reach the other side where both agreed to that."""
    records = interests.records_of(page)
    orgs = Organisation.objects.in_bulk({one.org_id or one.owner_id for one in page} - {""})
    reachable = holders(Purpose.CONTACT, {n for one in page for n in (one.by_id, one.answered_by_id) if n})
    rows = []
    for one in page:
        record = records.get((one.noun, one.record_id))
        may_see = record is not None and may(actor, "see", record)
        is_sender = one.by_id == actor.user_id or (bool(one.org_id) and one.org_id in actor.orgs)
        other = one.answered_by if is_sender else one.by
        is_agreed = one.state == Interest.State.AGREED
        rows.append({
            "interest": one, "record": record if may_see else None, "table": MODELS[one.noun].table,
            "org": orgs.get(one.org_id), "is_sender": is_sender,
            "may_answer": record is not None and one.state == Interest.State.ASKED and not is_sender
            and interests.may_answer(actor, record),
            "email": other.email if other and is_agreed and other.pk in reachable else "",
        })  # fmt: skip
    return rows
