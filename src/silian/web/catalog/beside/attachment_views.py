"""Pages of the files beside records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import FileResponse, Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST

from silian.errors import WebError
from silian.web.base.languages import page_language
from silian.web.catalog import tasks
from silian.web.catalog.beside import attachments
from silian.web.catalog.beside.filetypes import KINDS
from silian.web.catalog.models import Attachment
from silian.web.catalog.records.queries import FACES
from silian.web.catalog.records.reading import seen_or_404
from silian.web.catalog.rules import may

if TYPE_CHECKING:
    from django.http import HttpResponse

    from silian.web.base.requests import Request, SignedIn
    from silian.web.catalog.models import Record

SAFE: Final = "sandbox; default-src 'none'"  # should a browser show it after all


class Quota(FileUploadHandler):
    """Lets no more of an upload reach the disk than a file may have."""

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self.taken = 0
        self.is_over = False

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:  # noqa: ARG002
        """Hand the piece on, or pass the rest of the file over."""
        self.taken += len(raw_data)
        if self.taken > attachments.MOST_BYTES:
            self.is_over = True
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """The next handler keeps it."""


class AttachmentForm(forms.Form):
    """A file and whom it is for."""

    file = forms.FileField(
        label=gettext_lazy("文件"),
        help_text=gettext_lazy("PDF、PNG、JPEG、WebP、docx、xlsx、pptx、txt、csv；每个不超过 20 MiB。"),
        widget=forms.FileInput(attrs={"accept": ",".join(f".{kind}" for kind in (*KINDS, "jpeg"))}),
    )
    tier = forms.ChoiceField(label=gettext_lazy("公开范围"), choices=Attachment.Tier.choices)


@csrf_exempt  # read only behind the quota: the inner view checks the token
def attachments_page(request: Request, noun: str, record_id: str) -> HttpResponse:
    """The files of a record, and a form to bring one."""
    quota = Quota(request)
    request.upload_handlers.insert(0, quota)
    return _page(request, noun, record_id, quota)


@csrf_protect
@login_required
def _page(request: Request, noun: str, record_id: str, quota: Quota) -> HttpResponse:
    record = seen_or_404(request.actor, noun, record_id)
    may_edit = may(request.actor, "edit", record)
    if request.method == "POST" and not may_edit:
        raise PermissionDenied
    form = AttachmentForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and (made := _added(request, record, form, quota)):
        messages.success(request, _("已上传“%(name)s”。") % {"name": made.name})
        return redirect("attachments", noun, record_id)
    shared = {
        "record": record, "table": record.table, "face": FACES[noun], "form": form, "may_edit": may_edit,
        "attachments": attachments.listed(request.actor, record), "may_undo": may_edit,
    }  # fmt: skip
    return render(request, "catalog/attachments.html", shared, status=400 if form.errors else 200)


def _added(request: Request, record: Record, form: AttachmentForm, quota: Quota) -> Attachment | None:
    """What was brought; nothing where it cannot be taken, and the form says why."""
    if quota.is_over:
        error = WebError("attachment.size", name=_("这个文件"), most="20 MiB")
        form.is_valid()
        form.errors.pop("file", None)
        form.add_error("file", error.message(page_language()))
        return None
    if not form.is_valid():
        return None
    file = form.cleaned_data["file"]
    try:
        return tasks.bring(
            request.actor, record, file=file.file, name=file.name, declared=file.content_type or "",
            tier=form.cleaned_data["tier"],
        )  # fmt: skip
    except WebError as error:
        form.add_error("file", error.message(page_language()))
        return None


def _attachment(request: Request, key: str) -> tuple[Attachment, Record]:
    found = Attachment.objects.filter(key=key).first()
    if found is None:
        raise Http404
    return found, seen_or_404(request.actor, found.noun, found.record_id)


def download(request: Request, key: str) -> FileResponse:
    """A file, always as something to keep and never as a page."""
    found, record = _attachment(request, key)
    if not attachments.readable(request.actor, record, found):
        raise Http404
    try:
        opened = attachments.open_file(request.actor, found)
    except FileNotFoundError as error:
        raise Http404 from error
    charset = "; charset=utf-8" if found.media_type.startswith("text/") else ""
    answer = FileResponse(opened, as_attachment=True, filename=found.name, content_type=found.media_type + charset)
    answer["Content-Security-Policy"] = SAFE
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    return answer


@login_required
@require_POST
def detach(request: SignedIn, key: str) -> HttpResponse:
    """Take a file away, or back."""
    found, record = _attachment(request, key)
    if not may(request.actor, "edit", record):
        raise PermissionDenied
    if request.POST.get("back"):
        attachments.bring_back(request.actor, found)
        messages.success(request, _("已放回“%(name)s”。") % {"name": found.name})
    else:
        attachments.take_away(request.actor, found)
        messages.success(request, _("已移除“%(name)s”，30 天内可放回。") % {"name": found.name})
    return redirect("attachments", found.noun, found.record_id)
