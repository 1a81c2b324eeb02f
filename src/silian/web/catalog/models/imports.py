"""Files that people bring, and files that they take away."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from silian.web.catalog.fields import KEY_LENGTH
from silian.web.catalog.models.changes import ChangeSet


def own_folder(_brought: models.Model, name: str) -> str:
    """A folder for one file alone, whose name nobody can guess."""
    return f"imports/{secrets.token_hex(8)}/{name}"


def export_folder(_taken: models.Model, name: str) -> str:
    """The same for a file to take away."""
    return f"exports/{secrets.token_hex(8)}/{name}"


class Import(models.Model):
    """A file that somebody brought: read, shown change by change, taken in as a whole or in part, undone."""

    class State(models.TextChoices):
        READING = "reading", _("读取中")
        READY = "ready", _("待确认")
        REFUSED = "refused", _("无法读取")
        CANCELLED = "cancelled", _("已取消")
        APPLYING = "applying", _("写入中")
        DONE = "done", _("已导入")
        UNDOING = "undoing", _("撤销中")
        UNDONE = "undone", _("已撤销")

    class Phase(models.TextChoices):
        WAITING = "", _("排队等候")
        FILE = "file", _("正在读取文件")
        CHECK = "check", _("正在检查并与现有记录比较")
        KEEP = "keep", _("正在记下变动")
        WRITE = "write", _("正在写入")
        LOOK = "look", _("正在查看导入后又有哪些修改")
        UNDO = "undo", _("正在撤销")

    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    at = models.DateTimeField(default=timezone.now)
    file = models.FileField(upload_to=own_folder)
    name = models.CharField(max_length=255)  # as the person calls the file
    noun = models.CharField(max_length=40, blank=True)  # what it holds; empty: as the file and its sheets are named
    deletes = models.BooleanField(default=False)  # records that the file lacks are to go
    state = models.CharField(max_length=10, choices=State, default=State.READING)
    phase = models.CharField(max_length=10, choices=Phase, blank=True)
    attempt = models.PositiveIntegerField(default=0)  # a worker that finds another number has been overtaken
    begun_at = models.DateTimeField(null=True)  # when the work that is under way began to count
    done = models.PositiveIntegerField(default=0)  # rows, of the work that is under way
    total = models.PositiveIntegerField(default=0)
    read = models.PositiveIntegerField(default=0)  # rows of the file
    same = models.PositiveIntegerField(default=0)  # of them, those that change nothing
    blocked = models.PositiveIntegerField(default=0)  # of them, those that cannot be taken in
    wrong = models.PositiveIntegerField(default=0)  # problems, shown or not
    scope = models.JSONField(default=list)  # places and organisations within which records may be deleted
    code = models.CharField(max_length=40, blank=True)  # of the error that stopped it, with what it found
    found = models.JSONField(default=dict)
    faulty = models.FileField(upload_to=own_folder, blank=True)  # the rows with problems, to be repaired
    changes = models.OneToOneField(ChangeSet, models.PROTECT, null=True, related_name="brought_by")
    undone = models.OneToOneField(ChangeSet, models.PROTECT, null=True, related_name="+")
    is_forced = models.BooleanField(default=False)  # undo what can be undone, though some records have changed since


class ImportRow(models.Model):
    """What a row of a file would change."""

    class What(models.TextChoices):
        ADD = "add", _("新增")
        CHANGE = "change", _("修改")
        DELETE = "delete", _("删除")

    class State(models.TextChoices):
        TAKEN = "taken", _("采用")
        LEFT = "left", _("不采用")
        REFUSED = "refused", _("未能写入")
        APPLIED = "applied", _("已写入")
        UNDONE = "undone", _("已撤销")
        KEPT = "kept", _("未撤销")

    class Why(models.TextChoices):
        NOTHING = "", ""
        RIGHTS = "rights", _("您无权改动这条记录")
        STALE = "stale", _("读取文件之后，别人改动了这条记录")
        UNKNOWN = "unknown", _("它引用的记录不存在")
        REFERRED = "referred", _("其他记录仍引用它，不能删除")
        MOVED = "moved", _("导入之后又被修改")

    brought = models.ForeignKey(Import, models.CASCADE, related_name="rows")
    row = models.PositiveIntegerField(null=True)  # of the file
    noun = models.CharField(max_length=40)
    record_id = models.CharField(max_length=KEY_LENGTH)
    what = models.CharField(max_length=10, choices=What)
    state = models.CharField(max_length=10, choices=State, default=State.TAKEN)
    why = models.CharField(max_length=10, choices=Why, blank=True)  # it was refused or kept
    values = models.JSONField(default=dict)  # the columns that change
    before = models.JSONField(default=dict)  # what they are now
    version = models.PositiveIntegerField(default=0)  # of the record when the file was read

    class Meta:
        indexes = (models.Index(fields=["brought", "noun", "what", "state", "why"], name="rows_of_import"),)


class ImportProblem(models.Model):
    """What is wrong in a file: the columns of schema results/problems."""

    brought = models.ForeignKey(Import, models.CASCADE, related_name="problems")
    noun = models.CharField(max_length=40, blank=True)
    file = models.CharField(max_length=300)
    row = models.PositiveIntegerField(null=True)
    column = models.CharField(max_length=300, blank=True)
    code = models.CharField(max_length=40)
    found = models.TextField(blank=True)
    remedy = models.TextField()
    remedy_zh = models.TextField()
    is_blocking = models.BooleanField()  # its row is left out


class Export(models.Model):
    """A file that somebody takes away: exactly what a list shows to them."""

    class State(models.TextChoices):
        WAITING = "waiting", _("准备中")
        READY = "ready", _("可下载")
        FAILED = "failed", _("未能生成")
        EXPIRED = "expired", _("已过期")

    class Form(models.TextChoices):
        XLSX = "xlsx", _("Excel（.xlsx）")
        CSV = "csv", _("CSV（Excel 可打开）")
        PARQUET = "parquet", _("Parquet（供程序使用）")

    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    at = models.DateTimeField(default=timezone.now)
    noun = models.CharField(max_length=40, blank=True)  # empty: every table
    asked = models.TextField(blank=True)  # the query of the list
    form = models.CharField(max_length=10, choices=Form, default=Form.XLSX)
    language = models.CharField(max_length=2, default="zh")  # of headings and labels
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    file = models.FileField(upload_to=export_folder, blank=True)
    rows = models.PositiveIntegerField(default=0)
    withheld = models.PositiveIntegerField(default=0)  # cells that the person may not see
    code = models.CharField(max_length=40, blank=True)
    found = models.JSONField(default=dict)
