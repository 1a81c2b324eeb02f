"""Pages of imports: bring a file, look at every change, take it in, undo it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from silian.tables import schema
from silian.web.base.languages import page_language
from silian.web.catalog.models import Import, ImportRow
from silian.web.catalog.rules import STEWARDS
from silian.web.catalog.tasks import ask

if TYPE_CHECKING:
    from django.http import HttpResponse

    from silian.web.base.requests import SignedIn

FORMS: Final = (".csv", ".tsv", ".xlsx", ".parquet")
MOST_BYTES: Final = 512 * 1024**2
PAGE: Final = 50


class ImportForm(forms.Form):
    """A file, and what it holds."""

    file = forms.FileField(
        label=gettext_lazy("文件"),
        help_text=gettext_lazy("CSV、TSV、Excel（.xlsx）或 Parquet；表头可用中文名或英文名。"),
    )
    noun = forms.ChoiceField()
    deletes = forms.BooleanField(label=gettext_lazy("删除文件中没有的记录"), required=False)

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        language = page_language()
        nouns = [(name, table.label(language)) for name, table in schema.tables().items()]
        choices = [("", _("整本工作簿")), *nouns]
        self.fields["noun"] = forms.ChoiceField(
            label=_("内容"), choices=choices, required=False, help_text=_("工作簿可含多张表，按工作表名识别。")
        )

    def clean_file(self) -> Any:
        """Only what can be read, and not more than fits."""
        file = self.cleaned_data["file"]
        if Path(file.name).suffix.lower() not in FORMS:
            raise forms.ValidationError(_("只能读取 %(forms)s。") % {"forms": "、".join(FORMS)})
        if file.size > MOST_BYTES:
            raise forms.ValidationError(_("文件超过 512 MiB。"))
        return file


def _allowed(request: SignedIn) -> None:
    if not any(request.actor.holds(role) for role in STEWARDS):
        raise PermissionDenied


def _own(request: SignedIn, number: int) -> Import:
    brought = Import.objects.filter(pk=number, by_id=request.actor.user_id).first()
    if brought is None:
        raise Http404
    return brought


@login_required
def import_list(request: SignedIn) -> HttpResponse:
    """Bring a file; earlier ones."""
    _allowed(request)
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file, noun = form.cleaned_data["file"], form.cleaned_data["noun"]
        suffix = Path(file.name).suffix.lower()
        brought = Import(by=request.user, name=file.name[:255], deletes=form.cleaned_data["deletes"])
        brought.file.save(f"{noun or 'region'}{suffix}", file)
        ask(brought, Import.State.READING)
        return redirect("import", brought.pk)
    earlier = Import.objects.filter(by=request.user).order_by("-pk")[:20]
    return render(request, "catalog/imports.html", {"form": form, "earlier": earlier})


@login_required
def import_page(request: SignedIn, number: int) -> HttpResponse:
    """One import: what it would change, or how far it is."""
    brought = _own(request, number)
    what = request.GET.get("what", "")
    rows = brought.rows.order_by("pk")
    counts = dict(rows.order_by().values_list("what").annotate(n=Count("pk")))
    shown = rows.filter(what=what) if what in ImportRow.What.values else rows
    page = Paginator(shown, PAGE).get_page(request.GET.get("page"))
    tables = schema.tables()
    listed = [
        (row, tables[row.noun], [(tables[row.noun][c], row.before.get(c), v) for c, v in row.values.items()])
        for row in page
    ]
    shared = {
        "brought": brought, "counts": [(w.label, w.value, counts.get(w.value, 0)) for w in ImportRow.What],
        "page": page, "rows": listed, "what": what,
        "is_under_way": brought.state in (Import.State.READING, Import.State.APPLYING, Import.State.UNDOING),
    }  # fmt: skip
    part = "catalog/import_body.html" if request.htmx else "catalog/import.html"
    return render(request, part, shared)


@login_required
@require_POST
def import_apply(request: SignedIn, number: int) -> HttpResponse:
    """Take in what was accepted."""
    brought = _own(request, number)
    if brought.state == Import.State.READY:
        left_out = request.POST.getlist("leave")
        brought.rows.filter(pk__in=[n for n in left_out if n.isdecimal()]).update(is_taken=False)
        ask(brought, Import.State.APPLYING)
    return redirect("import", number)


@login_required
@require_POST
def import_undo(request: SignedIn, number: int) -> HttpResponse:
    """Put everything back."""
    brought = _own(request, number)
    if brought.state == Import.State.DONE:
        ask(brought, Import.State.UNDOING)
    return redirect("import", number)
