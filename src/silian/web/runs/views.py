"""Pages of runs: start one, watch it, read its receipt, adopt it, hold it against another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from silian import tables
from silian.errors import SilianError, WebError
from silian.tables import schema
from silian.web.base.languages import page_language
from silian.web.base.log import log
from silian.web.catalog.rules import STEWARDS
from silian.web.runs import comparing, queries, starting
from silian.web.runs.forms import RunForm
from silian.web.runs.models import Run
from silian.web.runs.plans import called, read_plan, shown, stated
from silian.web.runs.reading import out_of, receipt_of
from silian.web.runs.results.names import named
from silian.web.runs.wording import JOB, STEPS, labels_of, lasting, why

if TYPE_CHECKING:
    from silian.web.base.actors import Actor
    from silian.web.base.requests import SignedIn

PAGE: Final = 50
OPEN: Final = (Run.State.WAITING, Run.State.RUNNING)
# The report is a page of its own with scripts: it runs in a sandbox, where nothing of the site can be reached.
SANDBOX: Final = (
    "sandbox allow-scripts allow-popups allow-downloads; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:"
)
# The pages of results, and the tables of which they show one at least.
SHOWN: Final = {
    "matches": ("achievement_pairs", "expert_pairs"), "assignment": ("assigned",), "gaps": ("gaps",),
    "districts": ("district_balance",),
}  # fmt: skip
TYPES: Final = {
    "report.html": "text/html", "plan.toml": "text/plain", "receipt.json": "application/json",
    "problems.csv": "text/csv",
    "results.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip


def _reads(request: SignedIn) -> None:
    if not any(request.actor.holds(role) for role in STEWARDS):
        raise PermissionDenied


@login_required
@require_GET
def run_list(request: SignedIn) -> HttpResponse:
    """Every run that one may see, the newest first."""
    _reads(request)
    page = Paginator(queries.visible_runs(request.actor), PAGE).get_page(request.GET.get("page"))
    is_steward = any(request.actor.holds(role) for role in STEWARDS)
    shared = {"page": page, "rows": [_row(run) for run in page], "may_start": is_steward}
    return render(request, "runs/runs.html", shared)


@login_required
def run_new(request: SignedIn) -> HttpResponse:
    """Start a run; `?like=` takes the plan of an earlier one."""
    if not any(request.actor.holds(role) for role in STEWARDS):
        raise PermissionDenied
    plan, initial = None, {"adopts": False}
    if like := request.GET.get("like", ""):
        earlier = queries.seen_or_404(request.actor, int(like) if like.isdecimal() and len(like) < 18 else 0)
        plan = read_plan(earlier.plan)
        initial = {"place": earlier.place_id, "steps": earlier.steps.split(), "adopts": False}  # type: ignore[dict-item]
    form = RunForm(request.actor, request.POST or None, plan=plan, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = {name: form.cleaned_data[name] for name in ("place", "name", "steps", "plan", "adopts")}
        if given["adopts"] and not queries.may_adopt(request.actor, given["place"]):
            form.add_error("adopts", _("采用结果由主管部门或系统管理员决定。"))
        else:
            return _started(request, form, given)
    return render(request, "runs/new.html", {"form": form, "usual": _usual()}, status=422 if form.errors else 200)


def _started(request: SignedIn, form: RunForm, given: dict[str, Any]) -> HttpResponse:
    try:
        run, is_new = starting.start(request.actor, **given)
    except WebError as error:
        form.add_error(None, f"{error.message(page_language())} [{error.code}]")
        return render(request, "runs/new.html", {"form": form, "usual": _usual()}, status=422)
    if not is_new:
        messages.info(request, _("同样的运行已在进行，这就是它。"))
    return redirect("run", run.pk)


def _usual() -> str:
    """How long the last whole run took, in words."""
    last = Run.objects.filter(state=Run.State.DONE, steps="", begun_at__isnull=False).order_by("-pk").first()
    if last is None or last.begun_at is None or last.ended_at is None:
        return ""
    return lasting((last.ended_at - last.begun_at).total_seconds())


@login_required
@require_GET
def run_page(request: SignedIn, number: int) -> HttpResponse:
    """One run: how far it is; or its receipt and what can be done with it."""
    run = queries.seen_or_404(request.actor, number)
    shared = _told(request, run)
    part = "runs/run_body.html" if request.htmx else "runs/run.html"
    response = render(request, part, shared)
    if request.htmx and not shared["is_open"]:
        response["HX-Refresh"] = "true"
    return response


def _told(request: SignedIn, run: Run) -> dict[str, Any]:
    actor = request.actor
    is_open = run.state in OPEN
    shared: dict[str, Any] = {
        "run": run, "is_open": is_open, "row": _row(run), "why": why(run),
        "may_start": queries.may_start(actor, run.place), "may_adopt": queries.may_adopt(actor, run.place),
        "may_take": any(actor.holds(role, over=run.place.path) for role in STEWARDS),
        "plan": [(called(name), name, shown(v)) for name, v in stated(read_plan(run.plan)).items()] if run.plan else [],
    }  # fmt: skip
    if is_open:
        return shared | _progress(run)
    if run.state == Run.State.DONE:
        try:
            shared["receipt"] = receipt_of(run)
        except WebError as error:
            return shared | {"gone": error.message(page_language())}
        labels = labels_of()
        shared["steps"] = [
            (STEPS.get(s["name"], s["name"]), [(labels.get(name, name), n) for name, n in s["rows"].items()], s)
            for s in shared["receipt"]["steps"]
        ]
        shared["others"] = list(
            queries.visible_runs(actor).filter(state=Run.State.DONE, place=run.place).exclude(pk=run.pk)[:10]
        )
        names = [path.stem for path in out_of(run).glob("*.parquet")]
        shared["tables"] = sorted((labels.get(name, name), name) for name in names)
        shared["has"] = {page: not {*some}.isdisjoint(names) for page, some in SHOWN.items()} | {
            "report": (out_of(run) / "report.html").is_file(), "book": (out_of(run) / "results.xlsx").is_file()
        }  # fmt: skip
    shared["is_listed"] = (run.folder / "out.problems.csv").is_file()
    return shared


def _progress(run: Run) -> dict[str, Any]:
    now = run.progress
    step = now.get("step", "")
    begun = run.begun_at or run.made_at
    over = {s["name"]: s for s in now.get("steps", [])}
    names = JOB if not run.steps else tuple(n for n in JOB if n in over or n == step)
    done, total = now.get("done", 0), now.get("total", 0)
    is_known = bool(total and step in names)
    share = (len([n for n in names if n in over and n != step]) + (done / total if is_known else 0)) / max(
        len(names), 1
    )
    ahead = Run.objects.filter(state__in=OPEN, pk__lt=run.pk).count() if run.state == Run.State.WAITING else 0
    return {
        "is_new": (run.state == Run.State.WAITING and not ahead) or step == "start",  # its first word comes any moment
        "place": JOB.index(step) + 1 if not run.steps and step in JOB else 0, "count": len(JOB),
        "step": STEPS.get(step, step), "done": done, "total": total, "words": now.get("words", ""),
        "percent": min(99, round(100 * share)), "ahead": ahead,
        "elapsed": lasting((timezone.now() - begun).total_seconds()),
        "over": [(STEPS.get(n, n), s) for n, s in over.items()], "usual": _usual(),
    }  # fmt: skip


def _row(run: Run) -> dict[str, Any]:
    took = (run.ended_at - run.begun_at).total_seconds() if run.ended_at and run.begun_at else None
    names = [str(STEPS.get(step, step)) for step in run.steps.split()]
    return {
        "run": run, "took": "" if took is None else lasting(took), "what": _("、").join(names) or _("全部步骤"),
        "by": run.by.name if run.by else (_("网站自动发起") if not run.pseudonym else _("已注销的账户")),
    }  # fmt: skip


@login_required
@require_POST
def run_cancel(request: SignedIn, number: int) -> HttpResponse:
    """End a run."""
    run = queries.seen_or_404(request.actor, number)
    if not queries.may_start(request.actor, run.place):
        raise PermissionDenied
    if starting.cancel(request.actor, run):
        messages.success(request, _("已请求取消，几秒内结束。以前采用的结果不受影响。"))
    return redirect("run", run.pk)


@login_required
@require_POST
def run_adopt(request: SignedIn, number: int) -> HttpResponse:
    """Let its results hold, or hold no longer."""
    run = queries.seen_or_404(request.actor, number)
    if not queries.may_adopt(request.actor, run.place):
        raise PermissionDenied
    if request.POST.get("adopt") == "no":
        if starting.leave(request.actor, run):
            messages.success(request, _("不再采用这次结果；页面改为显示此前采用的结果。"))
        return redirect("run", run.pk)
    try:
        out_of(run)
        starting.adopt(request.actor, run)
    except WebError as error:
        messages.error(request, error.message(page_language()))
    else:
        messages.success(request, _("已采用。匹配、指派、缺口与地图页面现在显示这次的结果。"))
    return redirect("run", run.pk)


@login_required
@require_GET
def run_file(request: SignedIn, number: int, name: str) -> FileResponse | HttpResponse:
    """A file of a run, or one of its tables as CSV or Parquet."""
    run = queries.seen_or_404(request.actor, number)
    if not any(request.actor.holds(role, over=run.place.path) for role in STEWARDS):
        raise Http404
    log(request.actor, "runs.read", noun="runs", record_id=str(run.pk), detail={"file": name})
    if name == "problems.csv" and run.state != Run.State.DONE:
        return _sent(run.folder / "out.problems.csv", f"run-{run.pk}-problems.csv", "text/csv")
    try:
        out = out_of(run)
    except WebError as error:
        raise Http404 from error
    if name in TYPES:
        response = _sent(out / name, f"run-{run.pk}-{name}", TYPES[name], is_shown=name == "report.html")
        if name == "report.html":
            response["Content-Security-Policy"] = SANDBOX
        return response
    stem, _dot, form = name.rpartition(".")
    if stem not in schema.results() or form not in ("csv", "parquet"):
        raise Http404
    path = out / f"{stem}.parquet"
    if form == "parquet":
        return _sent(path, f"run-{run.pk}-{name}", "application/vnd.apache.parquet")
    if not path.is_file():
        raise Http404
    text = tables.to_csv(pl.read_parquet(path), schema.results()[stem])
    kept = {"Content-Disposition": f'attachment; filename="run-{run.pk}-{name}"'}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=kept)


def _sent(path: Any, name: str, kind: str, *, is_shown: bool = False) -> FileResponse:
    if not path.is_file():
        raise Http404
    return FileResponse(path.open("rb"), as_attachment=not is_shown, filename=name, content_type=kind)


@login_required
@require_GET
def run_compare(request: SignedIn, number: int) -> HttpResponse:
    """What differs between a run and another one: `?with=`."""
    run = queries.seen_or_404(request.actor, number)
    asked = request.GET.get("with", "")
    other = queries.seen_or_404(request.actor, int(asked) if asked.isdecimal() and len(asked) < 18 else 0)
    for one in (run, other):
        if one.state != Run.State.DONE or not any(request.actor.holds(r, over=one.place.path) for r in STEWARDS):
            raise Http404
    shared: dict[str, Any] = {"run": run, "other": other, "is_here": reverse("run_compare", args=[run.pk])}
    try:
        shared["told"] = comparing.compare(run, other, language=page_language())
    except SilianError as error:
        shared["gone"] = error.message(page_language())
    if "told" in shared:
        shared |= _compared(request.actor, shared["told"])
    return render(request, "runs/compare.html", shared)


def _compared(actor: Actor, told: comparing.Comparison) -> dict[str, Any]:
    """What differs in words: settings, tables, and the needs and experts that the person may see. Cost: two queries."""
    labels, now = labels_of(), timezone.now()
    needs = named(actor, "needs", [row["need_id"] for row in told.needs], now)
    sides = [(row["need_id"], row["gone"] or [], row["come"] or []) for row in told.needs]
    experts = named(actor, "experts", [one for _need, gone, come in sides for one in (*gone, *come)], now)
    return {
        "inputs": [(labels.get(noun, noun), a, b) for noun, a, b in told.inputs],
        "plan": [(called(name), name, shown(a), shown(b)) for name, a, b in told.plan],
        "needs": [(needs[n], [experts[e] for e in gone], [experts[e] for e in come]) for n, gone, come in sides],
    }
