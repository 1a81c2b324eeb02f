"""Pages of claims: this expert is me; who decides; works that are mine or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from silian.errors import WebError
from silian.tables import schema
from silian.web.base.languages import page_language
from silian.web.catalog.beside import claims
from silian.web.catalog.changing import StaleError
from silian.web.catalog.entry.typed import read_entry
from silian.web.catalog.models import Claim, Expert, Work
from silian.web.catalog.records.reading import seen_or_404
from silian.web.catalog.rules import may, may_bring

if TYPE_CHECKING:
    from django.http import HttpResponse

    from silian.web.base.requests import SignedIn

TYPED = ("kind", "title", "year", "role", "doi", "text")  # columns of a work that are typed


class ClaimForm(forms.Form):
    """What the person says for it."""

    note = forms.CharField(
        label=gettext_lazy("说明"), max_length=1000, required=False, widget=forms.Textarea({"rows": 3}),
        help_text=gettext_lazy("便于核实的信息，如单位邮箱、工号、个人主页。"),
    )  # fmt: skip


class WorkForm(forms.Form):
    """A work, typed by hand."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        table, language = schema.tables()["works"], page_language()
        for name in TYPED:
            column = table[name]
            shown: dict[str, Any] = {"label": column.label(language), "required": column.is_required}
            if column.codes:
                codes = [(code, pair[language == "en"]) for code, pair in schema.codes()[column.codes].items()]
                self.fields[name] = forms.ChoiceField(choices=[("", _("请选择")), *codes], **shown)
            else:
                widget = forms.Textarea({"rows": 4}) if name == "text" else forms.TextInput()
                self.fields[name] = forms.CharField(max_length=5000 if name == "text" else 300, widget=widget, **shown)
        self.fields["doi"].help_text = _("如 10.1000/xyz123；登记库中已有的业绩会自动关联。")

    def clean(self) -> dict[str, Any]:
        """Read and checked by the rules that hold for whole files."""
        texts = {name: str(self.cleaned_data.get(name) or "") for name in TYPED}
        for prefix in ("https://doi.org/", "http://doi.org/", "doi:", "DOI:"):
            texts["doi"] = texts["doi"].removeprefix(prefix).strip()
        values, problems = read_entry(schema.tables()["works"], texts)
        remedy = "remedy" if page_language() == "en" else "remedy_zh"
        for row in problems.iter_rows(named=True):
            if row["column"] not in self.errors:
                self.add_error(row["column"] if row["column"] in self.fields else None, row[remedy])
        return values


@login_required
def claim_page(request: SignedIn, record_id: str) -> HttpResponse:
    """Say that an expert is oneself."""
    expert = cast("Expert", seen_or_404(request.actor, "experts", record_id))
    form = ClaimForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = claims.ask(request.actor, expert, note=form.cleaned_data["note"])
        except WebError as error:
            messages.error(request, error.message(page_language()))
        else:
            is_mine = made.state == Claim.State.GRANTED
            messages.success(request, _("已认领：ORCID 一致。") if is_mine else _("已提交，等待所在单位核实。"))
        return redirect("claims")
    shared = {
        "expert": expert,
        "form": form,
        "table": expert.table,
        "may_claim": claims.may_claim(request.actor, expert),
    }
    return render(request, "catalog/claim.html", shared, status=400 if form.errors else 200)


@login_required
def claim_list(request: SignedIn) -> HttpResponse:
    """What I claimed, and what waits for me."""
    waiting, own = claims.to_decide(request.actor), claims.mine(request.actor)
    seen = [(c, e, may(request.actor, "see", e)) for c, e in own]
    return render(request, "catalog/claims.html", {"waiting": waiting, "own": seen})


@login_required
@require_POST
def claim_turn(request: SignedIn, number: int, verb: str) -> HttpResponse:
    """Grant, refuse or withdraw a claim."""
    claim = Claim.objects.filter(pk=number).first()
    expert = Expert.objects.select_related("place").filter(pk=claim.expert_id).first() if claim else None
    decides = claim is not None and expert is not None and claims.may_decide(request.actor, claim, expert)
    if claim is None or verb not in ("grant", "refuse", "withdraw"):
        raise Http404
    if not (decides if verb != "withdraw" else claim.user_id == request.actor.user_id):
        raise PermissionDenied if claim.user_id == request.actor.user_id else Http404
    reason = request.POST.get("reason", "").strip()[:1000]
    try:
        if verb == "grant":
            claims.grant(request.actor, claim)
        elif verb == "withdraw":
            claims.withdraw(request.actor, claim)
        elif reason:
            claims.refuse(request.actor, claim, reason=reason)
        else:
            messages.error(request, _("请写明未通过的理由。"))
    except WebError as error:
        messages.error(request, error.message(page_language()))
    return redirect("claims")


@login_required
@require_POST
def claim_release(request: SignedIn) -> HttpResponse:
    """Be no expert any more."""
    claims.release(request.actor)
    messages.success(request, _("已解除认领，专家记录仍由所在单位保存。"))
    return redirect("claims")


@login_required
def works_page(request: SignedIn, record_id: str) -> HttpResponse:
    """The works of an expert, for whoever may say whose they are."""
    expert = _editable(request, record_id)
    form = WorkForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        if not may_bring(request.actor, "works", [{**values, "expert_id": expert.pk}])[0]:
            raise PermissionDenied
        try:
            claims.add(request.actor, expert, values)
        except WebError as error:
            form.add_error("doi", error.message(page_language()))
        else:
            messages.success(request, _("已添加。"))
            return redirect("expert_works", expert.pk)
    shared = {"expert": expert, "form": form, "table": expert.table, "works": claims.works_of(expert)}
    return render(request, "catalog/claim_works.html", shared, status=400 if form.errors else 200)


@login_required
@require_POST
def strike(request: SignedIn, record_id: str) -> HttpResponse:
    """Say that a work is not the expert's."""
    expert = _editable(request, record_id)
    work = Work.objects.select_related("place").filter(pk=request.POST.get("work", "")[:300], expert=expert).first()
    if work is not None:
        if not may(request.actor, "edit", work):
            raise PermissionDenied
        try:
            claims.strike(request.actor, work)
        except StaleError:
            messages.error(request, _("这项业绩刚被别人修改，请核对后再试。"))
            return redirect("expert_works", expert.pk)
    messages.success(request, _("已移除，可在“我的变更”中恢复。"))
    return redirect("expert_works", expert.pk)


def _editable(request: SignedIn, record_id: str) -> Expert:
    expert = cast("Expert", seen_or_404(request.actor, "experts", record_id))
    if not may(request.actor, "edit", expert):
        raise PermissionDenied
    return expert
