"""Pages of the search: what is found, names while typing, searches that a person keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from silian.errors import WebError
from silian.web.base.consents import Purpose, holders
from silian.web.base.languages import page_language
from silian.web.base.names import check_name
from silian.web.catalog.models import IndexState, SavedSearch
from silian.web.catalog.search import finding, saved
from silian.web.catalog.search.indexing import reader

if TYPE_CHECKING:
    from django.http import HttpResponse

    from silian.web.base.requests import Request, SignedIn
    from silian.web.catalog.search.indexing import Waiting


class NameForm(forms.Form):
    """The name of a search."""

    name = forms.CharField(label=gettext_lazy("名称"), max_length=saved.LONGEST_NAME, validators=[check_name])


@require_GET
def search_page(request: Request) -> HttpResponse:
    """What a person finds."""
    language = page_language()
    sought = finding.sought_of(request.GET)
    page = finding.found_page(request.actor, sought, language)
    shared: dict[str, Any] = {
        "sought": sought, "page": page, "here": sought.address(), "is_asked": bool(sought.words or sought.chosen),
        "previous": sought.address(page=sought.page - 1), "next": sought.address(page=sought.page + 1),
        "plain": sought.address(plain="" if sought.is_plain else "1"), "newest": sought.address(sort="newest"),
        "relevant": sought.address(but="sort"), "problem": page.problem.message(language) if page.problem else "",
        "kept": [(n, v) for n, v in {"q": sought.words, **sought.chosen}.items() if v],
        "state": _state(request, page.behind),
    }  # fmt: skip
    return render(request, "catalog/search.html", shared)


@require_GET
def search_names(request: Request) -> HttpResponse:
    """Names that go with what has been typed so far, for the box at the top of every page."""
    typed = request.GET.get("q", "").replace("\x00", "").strip()
    found = finding.names(request.actor, typed) if typed else []
    return render(request, "catalog/search_names.html", {"results": found})


@login_required
@require_GET
def searches_page(request: SignedIn) -> HttpResponse:
    """The searches that a person keeps."""
    return _searches(request, None)


@login_required
@require_POST
def search_save(request: SignedIn) -> HttpResponse:
    """Keep a search."""
    sought = finding.sought_of(request.POST)
    form = NameForm({"name": request.POST.get("name", "").strip() or sought.words})
    if not form.is_valid():
        return _searches(request, form)
    try:
        saved.save(request.actor, request.user, form.cleaned_data["name"], sought)
    except WebError as full:
        messages.error(request, full.message(page_language()))
    else:
        messages.success(request, _saved_told(request))
    return redirect("searches")


@login_required
@require_POST
def search_open(request: SignedIn, number: int) -> HttpResponse:
    """Look at a search that a person keeps: what is new counts from now."""
    return redirect(saved.open_search(request.actor, _own(request, number)))


@login_required
@require_POST
def search_change(request: SignedIn, number: int) -> HttpResponse:
    """Rename a search, switch its letter, or keep it no more."""
    own, what = _own(request, number), request.POST.get("what", "")
    if what == "delete":
        saved.forget(request.actor, own)
    elif what == "letter":
        saved.alter(request.actor, own, has_digest=request.POST.get("on") == "1")
    else:
        form = NameForm({"name": request.POST.get("name", "")})
        if not form.is_valid():
            return _searches(request, form, number)
        saved.alter(request.actor, own, name=form.cleaned_data["name"])
    messages.success(request, _("已保存。"))
    return redirect("searches")


def _saved_told(request: SignedIn) -> str:
    """What becomes of a search that is kept: letters need an agreement of their own."""
    if holders(Purpose.LETTERS, [request.user.pk]):
        return _("已保存。有新结果时，这里会显示，每天也会来信告诉您。")
    return _("已保存。有新结果时，这里会显示；如需每天来信，请在“个人信息”页同意接收邮件。")


def _searches(request: SignedIn, form: NameForm | None, number: int = 0) -> HttpResponse:
    rows = [
        (own, finding.told_of(saved.sought_of(own), page_language())) for own in request.user.searches.order_by("pk")
    ]
    shared = {"rows": rows, "form": form, "number": number, "most": saved.MOST}
    return render(request, "catalog/searches.html", shared, status=422 if form else 200)


def _own(request: SignedIn, number: int) -> SavedSearch:
    found = SavedSearch.objects.filter(pk=number, user=request.user).first()
    if found is None:
        raise Http404
    return found


def _state(request: Request, behind: Waiting) -> dict[str, Any] | None:
    """How the index stands, for administrators."""
    if not request.actor.holds("administrator"):
        return None
    try:
        count = reader().searcher().num_docs
    except WebError:
        count = 0
    rebuilt = IndexState.objects.values_list("rebuilt_at", flat=True).first()
    return {"count": count, "waiting": behind, "rebuilt": rebuilt}
