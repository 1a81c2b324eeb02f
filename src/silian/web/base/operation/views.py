"""Pages of operation: how the site is and what failed; the checklist of protection."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any, Final

import django
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from silian import __version__
from silian.web.base.log import log
from silian.web.base.models import Place, Post
from silian.web.base.operation import beats, checklist, exporting, health
from silian.web.base.operation.kept import kept
from silian.web.base.operation.parts import kind_of, size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from silian.web.base.operation.checklist import Line
    from silian.web.base.requests import SignedIn

SHOWN: Final = 50  # failed tasks on the page
FORMS: Final[dict[str, tuple[Callable[[Sequence[Line]], bytes], str]]] = {
    "csv": (exporting.as_csv, "text/csv; charset=utf-8"),
    "docx": (exporting.as_docx, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
}


@login_required
def operation_page(request: SignedIn) -> HttpResponse:
    """How the site is: its parts, its processes, what failed, its backups."""
    _allowed(request, Post.Role.ADMINISTRATOR)
    failed = DBTaskResult.objects.filter(status=TaskResultStatus.FAILED).order_by("-finished_at")[:SHOWN]
    shared: dict[str, Any] = {
        "health": health.look(),  # now, and in the language of who asks
        "beats": [(kind_of(beat.name), beat) for beat in beats.beats()],
        "failed": [_told(each) for each in failed],
        "backups": [(each, size(each.bytes)) for each in kept()[:7]],
        "versions": [
            ("Silian", __version__), ("Python", platform.python_version()), ("Django", django.__version__),
            (connection.display_name, _database_version()),
        ],
    }  # fmt: skip
    return render(request, "base/operation/operation.html", shared)


@login_required
@require_POST
def operation_retry(request: SignedIn, number: UUID) -> HttpResponse:
    """Put a failed task back into the queue."""
    _allowed(request, Post.Role.ADMINISTRATOR)
    with transaction.atomic():
        failed = DBTaskResult.objects.filter(pk=number, status=TaskResultStatus.FAILED)
        found = failed.first()
        fresh: dict[str, Any] = {
            "status": TaskResultStatus.READY,
            "worker_ids": [],
            "finished_at": None,
            "started_at": None,
        }
        if found and failed.update(**fresh, traceback="", exception_class_path=""):
            log(request.actor, "operation.retry", detail={"task": found.task_path.rpartition(".")[2]})
            messages.success(request, _("已重新排队。"))
        else:
            messages.info(request, _("这个任务已不在失败之列。"))
    return redirect("operation")


@login_required
def checklist_page(request: SignedIn) -> HttpResponse:
    """The checklist, read from the settings and the site as they are now."""
    _allowed(request, Post.Role.ADMINISTRATOR, Post.Role.AUDITOR)
    found = checklist.lines()
    own = [line for line in found if not line.is_further]
    counts = [(mark, checklist.Said(*words), sum(line.answer.mark == mark for line in own))
              for mark, words in checklist.MARKS.items()]  # fmt: skip
    shared = {"lines": found, "counts": counts, "note": checklist.Said(*checklist.NOT_ASSESSED), "now": timezone.now()}
    return render(request, "base/operation/checklist.html", shared)


@login_required
def checklist_export(request: SignedIn, form: str) -> HttpResponse:
    """The checklist as a file."""
    _allowed(request, Post.Role.ADMINISTRATOR, Post.Role.AUDITOR)
    if form not in FORMS:
        raise Http404
    write, kind = FORMS[form]
    log(request.actor, "operation.checklist", detail={"form": form})
    answer = HttpResponse(write(checklist.lines()), content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="silian-checklist-{timezone.localdate()}.{form}"'
    return answer


def _allowed(request: SignedIn, *roles: str) -> None:
    """The site is one: only posts of the whole region have to do with how it runs."""
    if not any((role, f"/{Place.ROOT}/") in request.actor.posts for role in roles):
        raise PermissionDenied


def _told(task: DBTaskResult[Any, Any]) -> dict[str, Any]:
    """A failed task; not its traceback, which may quote what people wrote."""
    error = task.exception_class_path.rpartition(".")[2]
    return {"pk": task.pk, "name": task.task_path.rpartition(".")[2], "error": error, "at": task.finished_at}


def _database_version() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sqlite_version()" if connection.vendor == "sqlite" else "SHOW server_version")
        return str(cursor.fetchone()[0])
