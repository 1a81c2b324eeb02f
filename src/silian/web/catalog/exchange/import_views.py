"""Pages of imports: bring a file, look at every change, leave some out, take it in, undo it."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import FileResponse, Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from silian.errors import MESSAGES
from silian.tables import schema
from silian.web.base.languages import page_language
from silian.web.catalog.exchange.keeping import UNDER_WAY
from silian.web.catalog.exchange.unpacking import table_of_name
from silian.web.catalog.models import Import, ImportProblem, ImportRow
from silian.web.catalog.rules import STEWARDS
from silian.web.catalog.tasks import ask, bring_import
from silian.web.catalog.wording import measured

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpResponse

    from silian.web.base.requests import SignedIn

FORMS: Final = (".xlsx", ".csv", ".tsv", ".parquet", ".zip")
# What a form of the same name would hold, said to those who have another.
OTHERS: Final = {
    ".xls": gettext_lazy("请在 Excel 中另存为 .xlsx 后再导入。"),
    ".xlsm": gettext_lazy("含宏的工作簿不予读取：请另存为 .xlsx 后再导入。"),
    ".et": gettext_lazy("请在 WPS 中另存为 .xlsx 后再导入。"),
}
MOST_BYTES: Final = 512 * 1024**2
PAGE: Final = 50
FIELDS: Final = ("noun", "what", "state", "why")  # by which the rows of an import can be filtered


class ImportForm(forms.Form):
    """A file, and what it holds."""

    file = forms.FileField(
        label=gettext_lazy("文件"),
        help_text=gettext_lazy("Excel（.xlsx）、CSV、TSV、Parquet，或装有这些表的 zip。表头可用中文名或英文名。"),
        widget=forms.ClearableFileInput(attrs={"accept": ",".join(FORMS)}),
    )
    deletes = forms.BooleanField(
        label=gettext_lazy("删除文件中没有的记录"),
        help_text=gettext_lazy("只涉及文件中出现的表，且仅限您有权删除的记录；写入前逐条列出。"),
        required=False,
    )

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        language = page_language()
        nouns = [(name, table.label(language)) for name, table in schema.tables().items()]
        self.fields["noun"] = forms.ChoiceField(
            label=_("内容"),
            choices=[("", _("按文件名和工作表名识别")), *nouns],
            required=False,
            help_text=_("一个文件只装一张表，而名称又看不出是哪张表时，请在此选明。"),
        )
        self.order_fields(["file", "noun", "deletes"])

    def clean_file(self) -> Any:
        """Only what can be read, and not more than fits."""
        file = self.cleaned_data["file"]
        suffix = PurePosixPath(file.name).suffix.lower()
        if suffix not in FORMS:
            raise forms.ValidationError(
                OTHERS.get(suffix) or _("只能读取 %(forms)s。") % {"forms": _("、").join(FORMS)}
            )
        if file.size > MOST_BYTES:
            raise forms.ValidationError(_("文件超过 512 MiB，请拆成几份。"))
        return file

    def clean(self) -> dict[str, Any]:
        """A table in a file of its own must be told by its name or by the person."""
        file: Any = self.cleaned_data.get("file")
        noun = self.cleaned_data.get("noun")
        is_one = bool(file) and PurePosixPath(file.name).suffix.lower() not in (".xlsx", ".zip")
        if is_one and not noun and not table_of_name(file.name):
            self.add_error("noun", _("从文件名看不出是哪张表，请选择。"))
        return self.cleaned_data


def _allowed(request: SignedIn) -> None:
    """Those who look after a place or belong to an organisation; row by row, the rules say what they may write."""
    if not (request.actor.orgs or any(request.actor.holds(role) for role in STEWARDS)):
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
        brought = bring_import(request.actor, **form.cleaned_data)
        return redirect("import", brought.pk)
    earlier = Import.objects.filter(by=request.user).order_by("-pk")[:50]
    return render(request, "catalog/imports.html", {"form": form, "earlier": earlier})


@login_required
@require_GET
def import_page(request: SignedIn, number: int) -> HttpResponse:
    """One import: how far it is, or every change."""
    brought = _own(request, number)
    shared: dict[str, Any] = {"brought": brought, "is_under_way": brought.state in UNDER_WAY, "told": told(brought)}
    if shared["is_under_way"]:
        shared |= {"left": _seconds_left(brought)}
    else:
        shared |= _what_it_changes(request, brought)
    part = "catalog/import_body.html" if request.htmx else "catalog/import.html"
    response = render(request, part, shared)
    if request.htmx and not shared["is_under_way"]:
        response["HX-Refresh"] = "true"  # the whole page is another one now: its heading, its focus
    return response


def told(brought: Import) -> str:
    """Why an import stopped, in the language of the page."""
    if brought.code not in MESSAGES:
        return ""
    english, chinese = MESSAGES[brought.code]
    return (chinese if page_language() == "zh" else english).format(**brought.found)


def _seconds_left(brought: Import) -> int | None:
    if not (brought.begun_at and brought.done and brought.total > brought.done):
        return None
    spent = (timezone.now() - brought.begun_at).total_seconds()
    return round(spent / brought.done * (brought.total - brought.done))


def _what_it_changes(request: SignedIn, brought: Import) -> dict[str, Any]:
    """The rows that are asked for, and how many there are of each kind."""
    asked = _asked(request.GET.dict())
    counted = list(brought.rows.order_by().values_list(*FIELDS).annotate(n=Count("pk")))
    page = Paginator(_rows(brought, asked), PAGE).get_page(request.GET.get("page"))
    tables = schema.tables()
    count = {value: sum(n for *_keys, what, state, _why, n in counted if what == value and state != "left")
             for value in ImportRow.What.values}  # fmt: skip
    states = {s: sum(n for *_keys, state, _why, n in counted if state == s) for s in ImportRow.State.values}
    return {
        "asked": asked, "query": urlencode(asked), "page": page,
        "rows": [_shown(row, tables[row.noun]) for row in page],
        "whats": [(w.label, w.value, count[w.value]) for w in ImportRow.What],
        "states": [(s.label, s.value, states[s.value]) for s in ImportRow.State if states[s.value]],
        "nouns": [(tables[n].label(page_language()), n, sum(r[-1] for r in counted if r[0] == n))
                  for n in dict.fromkeys(r[0] for r in counted)],
        "reasons": [(ImportRow.Why(w).label, w, sum(r[-1] for r in counted if r[3] == w))
                    for w in sorted({r[3] for r in counted} - {""})],
        "taken": states["taken"], "applied": states["applied"], "all": sum(r[-1] for r in counted),
        "going": sum(n for _n, what, state, _w, n in counted if what == "delete" and state == "taken"),
        "moved": sum(n for _n, _what, state, why, n in counted if why == "moved" and state == "applied"),
        "problems": brought.wrong and brought.problems.order_by("pk")[:5],
    }  # fmt: skip


def _asked(given: dict[str, Any]) -> dict[str, str]:
    """The filter of a query: only values that there are."""
    known = {"noun": [*schema.tables()], "what": ImportRow.What.values, "state": ImportRow.State.values,
             "why": ImportRow.Why.values}  # fmt: skip
    return {name: given[name] for name in FIELDS if given.get(name) in known[name] and given.get(name)}


def _rows(brought: Import, asked: dict[str, str]) -> QuerySet[ImportRow]:
    return brought.rows.filter(**asked).order_by("pk")


def _shown(row: ImportRow, table: schema.Table) -> dict[str, Any]:
    """A row as a template shows it: each column with what it is and what it becomes."""
    values = row.before if row.what == "delete" else row.values
    cells = [
        (table[name], measured(row.before.get(name), table[name]), measured(value, table[name]))
        for name, value in values.items()
    ]
    return {"row": row, "table": table, "cells": cells}


@login_required
@require_GET
def import_problems(request: SignedIn, number: int) -> HttpResponse:
    """What is wrong in the file, page by page."""
    brought = _own(request, number)
    code = request.GET.get("code", "")
    found = brought.problems.order_by("pk")
    counted = found.order_by().values_list("noun", "column", "code").annotate(n=Count("pk")).order_by("-n")[:50]
    page = Paginator(found.filter(code=code) if code else found, PAGE).get_page(request.GET.get("page"))
    language = page_language()
    return render(request, "catalog/import_problems.html", {
        "brought": brought, "page": page, "query": urlencode({"code": code}) if code else "", "code": code,
        "rows": [(p, _place(p, language), p.remedy if language == "en" else p.remedy_zh) for p in page],
        "kinds": [(_column(noun, column, language), c, n) for noun, column, c, n in counted],
    })  # fmt: skip


def _place(problem: ImportProblem, language: schema.Language) -> tuple[str, str]:
    noun = schema.tables()[problem.noun].label(language) if problem.noun in schema.tables() else problem.file
    return noun, _column(problem.noun, problem.column, language)


def _column(noun: str, column: str, language: schema.Language) -> str:
    table = schema.tables().get(noun)
    known = {c.name: c.label(language) for c in table.columns} if table else {}
    return _("、").join(known.get(name, name) for name in column.split(", "))


@login_required
@require_GET
def import_faulty(request: SignedIn, number: int) -> FileResponse:
    """The rows to be repaired, as a workbook."""
    brought = _own(request, number)
    if not brought.faulty:
        raise Http404
    stem = PurePosixPath(brought.name).stem
    return FileResponse(brought.faulty.open("rb"), as_attachment=True, filename=f"{stem}-{_('待更正')}.xlsx")


@login_required
@require_POST
def import_choose(request: SignedIn, number: int) -> HttpResponse:
    """Leave rows out, or take them in again: the ones ticked, those of the page, or all that the filter shows."""
    brought = _own(request, number)
    asked = _asked(request.POST.dict())
    many, state = (request.POST.get("do", "") + "-").split("-")[:2]
    if brought.state == Import.State.READY and state in ("taken", "left"):
        rows = _rows(brought, asked)
        if many == "ticked":
            rows = rows.filter(pk__in=[n for n in request.POST.getlist("row") if n.isdecimal() and len(n) < 19][:PAGE])
        elif many == "page":
            rows = rows.filter(pk__in=[r.pk for r in Paginator(rows, PAGE).get_page(request.POST.get("page"))])
        elif many != "all":
            raise Http404
        changed = rows.filter(state__in={"taken", "left"} - {state}).order_by().update(state=state)
        words = (ngettext("已改为不采用 %(n)s 行。", "已改为不采用 %(n)s 行。", changed) if state == "left"
                 else ngettext("已改为采用 %(n)s 行。", "已改为采用 %(n)s 行。", changed))  # fmt: skip
        messages.success(request, words % {"n": changed})
    page = request.POST.get("page", "")
    back = {**asked, **({"page": page} if page.isdecimal() else {})}
    back.pop("state", None)  # what was changed would vanish from under the hand
    response = redirect("import", number)
    response["Location"] += f"?{urlencode(back)}" if back else ""
    return response


@login_required
@require_POST
def import_apply(request: SignedIn, number: int) -> HttpResponse:
    """Take in what was accepted."""
    brought = _own(request, number)
    taken = brought.rows.filter(state=ImportRow.State.TAKEN)
    going = taken.filter(what=ImportRow.What.DELETE).count() if brought.deletes else 0
    if going and request.POST.get("sure") != str(going):
        messages.error(request, _("请先勾选确认要删除的条数，再写入。"))
    elif brought.state == Import.State.READY and taken.exists():
        ask(brought, Import.State.APPLYING, of=[Import.State.READY], total=taken.count())
    return redirect("import", number)


@login_required
@require_POST
def import_cancel(request: SignedIn, number: int) -> HttpResponse:
    """Have nothing of it: while it waits or is read, or before it is taken in."""
    brought = _own(request, number)
    own = Import.objects.filter(pk=brought.pk, state__in=(Import.State.READING, Import.State.READY))
    if own.update(state=Import.State.CANCELLED, phase=""):
        messages.success(request, _("已取消，没有改动任何记录。"))
    return redirect("import", number)


@login_required
@require_POST
def import_undo(request: SignedIn, number: int) -> HttpResponse:
    """Put everything back; what has changed since only where the person has seen which that is."""
    brought = _own(request, number)
    forced = request.POST.get("rest") == "yes" and brought.code == "web.undo_moved"
    applied = brought.rows.filter(state=ImportRow.State.APPLIED).count()
    ask(brought, Import.State.UNDOING, of=[Import.State.DONE], total=applied, is_forced=forced)
    return redirect("import", number)
