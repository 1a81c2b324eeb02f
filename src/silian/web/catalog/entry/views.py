"""Pages that make and change a record, and what answers while somebody types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from silian.web.base import errors
from silian.web.base.actors import VISITOR
from silian.web.base.languages import page_language
from silian.web.catalog.changing import StaleError
from silian.web.catalog.entry import codes, drafts, identifiers
from silian.web.catalog.entry.picking import offer, offers
from silian.web.catalog.entry.typed import EntryForm
from silian.web.catalog.entry.writing import Sent, differences, gone_text, may_begin, may_save, save
from silian.web.catalog.models import MODELS, Record
from silian.web.catalog.records.publishing import may_publish
from silian.web.catalog.records.queries import FACES
from silian.web.catalog.records.reading import seen_or_404
from silian.web.catalog.rules import STEWARDS, may

if TYPE_CHECKING:
    from silian.web.base.actors import Actor
    from silian.web.base.requests import Request, SignedIn

LEFT: Final = "form_left"  # in the session: what was sent after the session had ended
ACTIONS: Final = ("save", "publish")


def create_page(request: Request, noun: str) -> HttpResponse:
    """Make a record."""
    if noun not in FACES:
        raise Http404
    if request.actor.is_visitor:
        return _to_login(request)
    if not may_begin(request.actor, noun):
        raise PermissionDenied
    return _page(request, noun, None)


def edit_page(request: Request, noun: str, record_id: str) -> HttpResponse:
    """Change one record: what was typed stays on the page until it is right."""
    if request.actor.is_visitor and request.method == "POST":
        return _to_login(request)
    record = seen_or_404(request.actor, noun, record_id)
    is_merged = record.record_id != record_id
    if is_merged and request.method == "GET":
        return redirect("edit", noun, record.record_id)
    if request.actor.is_visitor:
        return _to_login(request)
    if not may(request.actor, "edit", record):
        raise PermissionDenied
    return _page(request, noun, record, is_merged=is_merged)


def _page(request: Request, noun: str, record: Record | None, *, is_merged: bool = False) -> HttpResponse:
    if request.method == "POST":
        return _sent(request, noun, record, is_merged=is_merged)
    kept, told = _begun(request, noun, record)
    initial = _defaults(request.actor, record) if kept is None else _initial(kept["typed"])
    form = EntryForm(noun, request.actor, page_language(), record=record, initial=initial)
    if kept is None:
        return _form_page(request, form, version=record.version if record else 0)
    return _form_page(request, form, version=kept["version"], restored=told, replaces=kept["token"])


def _sent(request: Request, noun: str, record: Record | None, *, is_merged: bool) -> HttpResponse:
    actor, action = request.actor, request.POST.get("action", "save")
    is_published = action == "publish"
    is_draft = not is_published and (record is None or record.state == Record.State.DRAFT)
    data = request.POST.copy()
    version = 0 if is_merged else _number(data.get("version", ""))  # what was seen is another record's version
    _choose(data, noun, record)
    form = EntryForm(noun, actor, page_language(), record=record, is_draft=is_draft, data=data)
    shown: dict[str, Any] = {"version": version, "token": data.get("token", "")[: drafts.TOKEN_LENGTH]}
    if not form.is_valid():
        return _form_page(request, form, status=422, **shown)
    if is_published and record is not None and not may_publish(actor, record):
        form.add_error(None, _("管理方已撤回这条记录，需由管理方恢复发布。请先保存修改。"))
    elif not may_save(actor, noun, record, form.cleaned_data):
        form.add_error("org_id" if "org_id" in form.fields else None, _("您无权以该单位或该区县的名义保存。"))
    if not form.is_valid():
        return _form_page(request, form, status=422, **shown)
    note = ""
    if taken := codes.taken(actor, noun, record, form.cleaned_data, is_published=is_published):
        note = codes.note_of(data)
        if not note:
            form.add_error("uscc", _("这个代码已登记。如仍要保存，请在页末勾选并写明理由。"))
            return _form_page(request, form, status=422, taken=taken, **shown)
    digest = drafts.digest_of(drafts.typed_of(request.POST), action)
    number, token = record.record_id if record else "", shown["token"] or drafts.new_token()
    sent = Sent(noun, number, token, version, form.cleaned_data, digest, is_published, note)
    try:
        saved = save(actor, sent)
    except StaleError:
        return _conflict_page(request, form, record, data, shown)
    request.session.pop(LEFT, None)
    messages.success(request, _("已发布。") if is_published else _("已保存。"))
    return redirect("detail", noun, saved)


def _conflict_page(
    request: Request, form: EntryForm, record: Record | None, data: QueryDict, shown: dict[str, Any]
) -> HttpResponse:
    """Both values of each column that two people have changed, and what becomes of the rest."""
    now = MODELS[form.noun].objects.filter(pk=record.record_id).first() if record else None
    if now is None:
        form.add_error(None, gone_text())
        return _form_page(request, form, status=409, **shown)
    found = differences(form.noun, now.record_id, shown["version"], form.cleaned_data)
    typed = {name: values for name, values in drafts.typed_of(data).items() if not name.startswith("choose-")}
    names = {"both": [d for d in found if d.is_both], "theirs": [d for d in found if not d.is_both]}
    page = {
        "record": now, "table": now.table, "face": FACES[form.noun], "token": shown["token"], "typed": typed,
        "action": request.POST.get("action", "save"), **names,
    }  # fmt: skip
    return render(request, "catalog/conflict.html", page, status=409)


def _choose(data: QueryDict, noun: str, record: Record | None) -> None:
    """Put the value that is there in the place of what was typed, where somebody chose it on the page of a conflict."""
    if record is None:
        return
    shown = EntryForm(noun, VISITOR, page_language(), record=record).shown
    for name in [n for n in data if n.startswith("choose-")]:
        column = name.removeprefix("choose-")
        if data[name] == "theirs" and column in shown:
            value = shown[column]
            data.setlist(column, value if isinstance(value, list) else ["" if value is None else str(value)])
        del data[name]


def _form_page(
    request: Request, form: EntryForm, *, version: int, token: str = "", restored: str = "", replaces: str = "",
    status: int = 200, taken: codes.Taken | None = None,
) -> HttpResponse:  # fmt: skip
    record = form.record
    shared = {
        "record": record, "form": form, "table": form.table, "face": FACES[form.noun], "version": version,
        "token": token or drafts.new_token(), "restored": restored, "replaces": replaces, "taken": taken,
        "anyway": request.POST.get("anyway"), "reason": request.POST.get("anyway_reason", "")[: codes.LONGEST],
        "is_unpublished": record is None or record.state != Record.State.PUBLISHED,
        "may_publish": record is None or may_publish(request.actor, record),
    }  # fmt: skip
    return render(request, "catalog/edit.html", shared, status=status)


def _begun(request: Request, noun: str, record: Record | None) -> tuple[dict[str, Any] | None, str]:
    """What the person had typed before: sent after the session had ended, or kept on the way; and how to call it."""
    left = request.session.get(LEFT)
    if left and left["path"] == request.path:
        return left, _("上次提交时登录已过期，填写的内容已恢复，尚未保存。")
    draft = drafts.unsaved(request.actor, noun, record.record_id if record else "")
    if draft is None:
        return None, ""
    kept = {"typed": draft.typed, "version": draft.version, "token": draft.token}
    return kept, _("已恢复您上次未保存的内容。")


def _initial(typed: drafts.Typed) -> dict[str, Any]:
    """What was typed as the initial values of a form."""
    return {name: values if len(values) > 1 else "".join(values) for name, values in typed.items()}


def _defaults(actor: Actor, record: Record | None) -> dict[str, Any]:
    """What a new record likely begins with: the only organisation that the person acts for."""
    if record is not None or len(actor.orgs) != 1 or any(actor.holds(role) for role in STEWARDS):
        return {}
    org = MODELS["organisations"].objects.filter(pk__in=actor.orgs).first()
    return {"org_id": offer(org)} if org else {}


def stale_form(request: Request, reason: str = "") -> HttpResponse:
    """A form whose token is no longer right, after a sign-in elsewhere: what was typed comes back to be sent again.

    Only from a page of our own; else it is refused like every other.
    """
    match = resolve_address(request)
    own = f"{request.scheme}://{request.get_host()}"
    if match not in ("create", "edit") or request.headers.get("Origin") != own:
        return errors.stale_form(request, reason)
    _leave(request)
    return redirect(request.path)


def resolve_address(request: Request) -> str:
    """The name of the address that a request asks for."""
    return request.resolver_match.url_name or "" if request.resolver_match else ""


def _to_login(request: Request) -> HttpResponse:
    """To the page of signing in; what was sent waits in the session."""
    if request.method == "POST":
        _leave(request)
        messages.info(request, _("登录已过期。您填写的内容已保留，登录后会恢复。"))
    return redirect_to_login(request.path)


def _leave(request: Request) -> None:
    """Let what was sent wait in the session."""
    version, token = _number(request.POST.get("version", "")), request.POST.get("token", "")[: drafts.TOKEN_LENGTH]
    typed = drafts.typed_of(request.POST)
    request.session[LEFT] = {"path": request.path, "typed": typed, "version": version, "token": token}


@login_required
@require_POST
def draft_keep(request: SignedIn) -> HttpResponse:
    """Keep what has been typed so far."""
    noun, number = request.POST.get("noun", ""), request.POST.get("record_id", "").replace("\0", "")
    token, replaces = (request.POST.get(n, "").replace("\0", "") for n in ("token", "replaces"))
    _typing(request.actor, noun, number)
    if not token or len(token) > drafts.TOKEN_LENGTH:
        raise Http404
    version = _number(request.POST.get("version", ""))
    typed = drafts.typed_of(request.POST)
    kept = drafts.keep(request.actor, noun, number, token=token, typed=typed, version=version, replaces=replaces)
    return HttpResponse(status=204 if kept and typed else 409)


@login_required
@require_POST
def draft_discard(request: SignedIn) -> HttpResponse:
    """Throw away what has been typed, and begin anew."""
    noun, number = request.POST.get("noun", ""), request.POST.get("record_id", "").replace("\0", "")
    _typing(request.actor, noun, number)
    drafts.discard(request.actor, noun, number)
    request.session.pop(LEFT, None)
    return redirect("edit", noun, number) if number else redirect("create", noun)


def _typing(actor: Actor, noun: str, number: str) -> None:
    """Refuse who may not fill in a form."""
    if noun not in FACES:
        raise Http404
    if not number:
        if not may_begin(actor, noun):
            raise Http404
        return
    record = MODELS[noun].objects.select_related("place").filter(pk=number).first()
    if record is None or not may(actor, "edit", record):
        raise Http404


@require_POST  # it changes nothing, but what is typed has no place in an address
def pick_part(request: Request, noun: str) -> HttpResponse:
    """Records whose name holds what was typed last: a part of the form."""
    if noun not in FACES:
        raise Http404
    lines = request.POST.get(request.htmx.trigger_name or "typed", "").replace("\0", "").splitlines()
    typed = lines[-1].strip()[:100] if lines else ""
    found = offers(request.actor, noun, typed) if typed else []
    return render(request, "catalog/pick.html", {"found": [(r, offer(r)) for r in found], "typed": typed})


@require_POST  # it changes nothing, but what is typed has no place in an address
def check_part(request: Request, form: str) -> HttpResponse:
    """What is wrong with a code that is being typed, and whether somebody has it: a part of the form."""
    if form not in identifiers.CHECKED:
        raise Http404
    text = request.POST.get(form, "")[:200].replace("\0", "")
    told = identifiers.tell(request.actor, form, text, but=request.POST.get("record_id", ""))
    return render(request, "catalog/check.html", {"told": told})


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
