"""Files that people bring."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from silian.web.catalog.fields import KEY_LENGTH
from silian.web.catalog.models.changes import ChangeSet


def own_folder(_brought: Import, name: str) -> str:
    """A folder for one file alone: a region is read from a folder."""
    return f"imports/{secrets.token_hex(8)}/{name}"


class Import(models.Model):
    """A file that somebody brought: read, shown change by change, taken in as a whole or in part, undone."""

    class State(models.TextChoices):
        READING = "reading", _("读取中")
        READY = "ready", _("待确认")
        REFUSED = "refused", _("无法读取")
        APPLYING = "applying", _("写入中")
        DONE = "done", _("已导入")
        UNDOING = "undoing", _("撤销中")
        UNDONE = "undone", _("已撤销")

    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    at = models.DateTimeField(default=timezone.now)
    file = models.FileField(upload_to=own_folder)
    name = models.CharField(max_length=255)  # as the person calls the file
    deletes = models.BooleanField(default=False)  # records that the file lacks are to go
    state = models.CharField(max_length=10, choices=State, default=State.READING)
    done = models.PositiveIntegerField(default=0)  # rows, of the step that is under way
    total = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    problems = models.JSONField(default=list)  # rows of schema results/problems, the first 1,000
    changes = models.OneToOneField(ChangeSet, models.PROTECT, null=True, related_name="brought_by")


class ImportRow(models.Model):
    """What a row of a file would change."""

    class What(models.TextChoices):
        ADD = "add", _("新增")
        CHANGE = "change", _("修改")
        DELETE = "delete", _("删除")

    brought = models.ForeignKey(Import, models.CASCADE, related_name="rows")
    noun = models.CharField(max_length=40)
    record_id = models.CharField(max_length=KEY_LENGTH)
    what = models.CharField(max_length=10, choices=What)
    values = models.JSONField(default=dict)  # the columns that change
    before = models.JSONField(default=dict)  # what they are now
    version = models.PositiveIntegerField(default=0)  # of the record when the file was read
    is_taken = models.BooleanField(default=True)
    is_applied = models.BooleanField(default=False)

    class Meta:
        indexes = (models.Index(fields=["brought", "noun", "what"], name="rows_of_import"),)
