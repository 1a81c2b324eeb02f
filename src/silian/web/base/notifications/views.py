"""Pages of notifications: what one was told, how one is told, links that stop letters, what waits for one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from silian.web.base import consents
from silian.web.base.models import Desk, Letter, Notification
from silian.web.base.notifications import choices, stopping, todo
from silian.web.base.notifications.forms import HoursForm
from silian.web.base.notifications.kinds import HOW_LABELS, KINDS
from silian.web.base.notifications.telling import example, tell

if TYPE_CHECKING:
    from django.http import HttpResponse

    from silian.web.base.requests import Request, SignedIn

PAGE: Final = 25
DAYS: Final = timedelta(days=30)
UNDO: Final = "undo_notifications"


# ── what one was told ──


@login_required
def notification_list(request: SignedIn) -> HttpResponse:
    """What the person was told, the newest first."""
    which = "unread" if request.GET.get("which") == "unread" else "all"
    code = request.GET.get("kind", "") if request.GET.get("kind", "") in KINDS else ""
    own = request.user.notifications.filter(on_site=True)
    there = set(own.order_by().values_list("kind", flat=True).distinct())
    asked = own.filter(**({"read_at": None} if which == "unread" else {}), **({"kind": code} if code else {}))
    page = Paginator(asked.order_by("-made_at", "-pk"), PAGE).get_page(request.GET.get("page"))
    failed = request.user.letters.filter(state=Letter.State.FAILED, made_at__gte=timezone.now() - DAYS).count()
    shown = {
        "which": which, "kind": KINDS.get(code), "page": page, "told": tell(request.actor, page), "failed": failed,
        "kinds": [kind for kind in KINDS.values() if kind.code in there],
    }  # fmt: skip
    return render(request, "base/notifications/list.html", shown)


@login_required
@require_POST
def notification_open(request: SignedIn, number: int) -> HttpResponse:
    """Say that one was read, and go where it leads."""
    row = get_object_or_404(request.user.notifications, pk=number)
    request.user.notifications.filter(pk=number, read_at=None).update(read_at=timezone.now())
    (told,) = tell(request.actor, [row])
    is_own = told.url.startswith("/") and not told.url.startswith(("//", "/\\"))
    return redirect(told.url if is_own else "notifications")


@login_required
@require_POST
def notification_read(request: SignedIn) -> HttpResponse:
    """Say that some were read, or all, or all of a kind."""
    own = request.user.notifications.filter(read_at=None)
    kind = request.POST.get("kind", "")
    if request.POST.get("all") != "yes":
        own = own.filter(pk__in=[int(n) for n in request.POST.getlist("number") if n.isdecimal() and len(n) < 19])
    elif kind in KINDS:
        own = own.filter(kind=kind)
    if count := own.update(read_at=timezone.now()):
        messages.success(request, _("已标为已读：%(count)s 条。") % {"count": count})
    return redirect("notifications")


# ── how one is told ──


@login_required
@never_cache
def kind_list(request: SignedIn) -> HttpResponse:
    """Every kind, what it means, and how it reaches the person."""
    desk = choices.desk_of(request.user)
    form = HoursForm(request.POST or None, instance=desk)
    if request.method == "POST" and form.is_valid():
        _keep(request, **form.cleaned_data)
        messages.success(request, _("已保存。"))
        return redirect("notification_kinds")
    month = request.user.notifications.filter(made_at__gte=timezone.now() - DAYS).order_by()
    counts = dict(month.values_list("kind").annotate(Count("pk")))
    groups: dict[str, list[dict[str, Any]]] = {}
    for kind in KINDS.values():
        row = {
            "kind": kind, "example": example(kind), "count": counts.get(kind.code, 0),
            "site": choices.is_on_site(desk, kind), "mail": choices.chosen(desk, kind),
            "hows": [(how, HOW_LABELS[how]) for how in kind.hows],
        }  # fmt: skip
        groups.setdefault(str(kind.group), []).append(row)
    agreed = bool(consents.holders(consents.Purpose.LETTERS, [request.user.pk]))
    shown = {
        "form": form, "groups": groups.items(), "desk": desk, "is_agreed": agreed, "undo": request.session.get(UNDO),
        "failed": request.user.letters.filter(state=Letter.State.FAILED, made_at__gte=timezone.now() - DAYS).count(),
    }  # fmt: skip
    return render(request, "base/notifications/kinds.html", shown, status=400 if form.is_bound else 200)


@login_required
@require_POST
def kind_choose(request: SignedIn) -> HttpResponse:
    """Keep how each kind reaches the person."""
    desk = choices.desk_of(request.user)
    for code in request.POST.getlist("kind"):
        try:
            site = request.POST.get(f"site-{code}") == "on" or KINDS[code].is_required
            desk.choices = choices.with_choice(desk, code, mail=request.POST.get(f"mail-{code}", ""), site=site)
        except (KeyError, ValueError):
            raise Http404 from None
    _keep(request, choices=desk.choices)
    messages.success(request, _("已保存。"))
    return redirect("notification_kinds")


@login_required
@require_POST
def kind_all(request: SignedIn) -> HttpResponse:
    """Choose for all kinds at once, or take the last choice back."""
    what = request.POST.get("what")
    if what == "undo":
        kept = request.session.pop(UNDO, None)
        if kept:
            choices.keep(request.actor, request.user, **kept)
            messages.success(request, _("已恢复先前的选择。"))
    elif what == "digest":
        desk = choices.desk_of(request.user)
        own = {c: {"mail": "daily", **({"site": False} if desk.choices.get(c, {}).get("site") is False else {})}
               for c in KINDS}  # fmt: skip
        _keep(request, choices=own, letters=Desk.Letters.ALL)
        messages.success(request, _("今后全部并入每日摘要，不再单独来信。"))
    elif what == "required":
        _keep(request, letters=Desk.Letters.REQUIRED)
        messages.success(request, _("今后只有必须送达的才发邮件，其余只在站内。"))
    else:
        raise Http404
    return redirect("notification_kinds")


def _keep(request: SignedIn, **values: Any) -> None:
    request.session[UNDO] = choices.keep(request.actor, request.user, **values)
    waiting = Notification.objects.filter(user=request.user, mail=Notification.Mail.WAITING)
    waiting.update(due_at=timezone.now())  # another hour, another way: look at what waits anew


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def letter_stop(request: Request, key: str) -> HttpResponse:
    """Stop the letters that a link names: looked at with GET, done with POST, by a person or a mail program.

    The link is signed and is all that is asked for: mail programs bring no session, so no token of a form either.
    """
    what = stopping.opened(key)
    if what is None:
        raise Http404
    if request.method == "POST":
        stopping.stop(what)
    shown = {"kinds": what.kinds, "is_done": request.method == "POST"}
    return render(request, "base/notifications/stop.html", shown)


# ── what waits for one ──


@login_required
def todo_list(request: SignedIn) -> HttpResponse:
    """All that waits for the person."""
    every = todo.items_of(request.actor)
    sources = {source.code: source for source, _item in every}
    code = request.GET.get("kind", "") if request.GET.get("kind", "") in sources else ""
    rows = [_row(source, item) for source, item in every if code in ("", source.code)]
    page = Paginator(rows, PAGE * 2).get_page(request.GET.get("page"))
    full = [source for c, source in sources.items() if sum(s.code == c for s, _i in every) >= todo.MOST]
    shown = {
        "page": page, "rows": list(page), "sources": list(sources.values()), "code": code, "total": len(rows),
        "late": sum(row.is_late for row in rows), "full": [(s, s.url(request.actor)) for s in full],
    }  # fmt: skip
    return render(request, "base/notifications/todo.html", shown)


class Row(NamedTuple):
    """A line of what waits."""

    source: todo.Source
    item: todo.Todo
    age: int | None  # days
    is_late: bool


def _row(source: todo.Source, item: todo.Todo) -> Row:
    today = timezone.localdate()
    age = (today - timezone.localtime(item.since).date()).days if item.since else None
    return Row(source, item, age, is_late=item.due is not None and item.due < today)
