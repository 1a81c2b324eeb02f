"""Every change to a record: what was before, what is after."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from silian.web.catalog.fields import KEY_LENGTH


class ChangeSet(models.Model):
    """Changes that were made together and can be undone together: an edit, an import, a merge, an undo."""

    class Kind(models.TextChoices):
        EDIT = "edit", _("编辑")
        IMPORT = "import", _("导入")
        MERGE = "merge", _("合并")
        UNDO = "undo", _("撤销")

    kind = models.CharField(max_length=10, choices=Kind)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    pseudonym = models.CharField(max_length=16, blank=True)  # of who made it: stays when the account is erased
    note = models.TextField(blank=True)
    undoes = models.OneToOneField("self", models.PROTECT, null=True, related_name="undone_by")


class Change(models.Model):
    """One record before and after; null where it was not there before, or is not after."""

    changes = models.ForeignKey(ChangeSet, models.CASCADE, related_name="rows")
    noun = models.CharField(max_length=40)
    record_id = models.CharField(max_length=KEY_LENGTH)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    version = models.PositiveIntegerField()  # of the record after it

    class Meta:
        indexes = (
            models.Index(fields=["noun", "record_id"], name="change_of_record"),
            models.Index(fields=["noun", "record_id"], name="change_gone", condition=models.Q(after__isnull=True)),
        )


class Alias(models.Model):
    """An id that was merged into another record and still leads to it."""

    noun = models.CharField(max_length=40)
    old_id = models.CharField(max_length=KEY_LENGTH)
    record_id = models.CharField(max_length=KEY_LENGTH)
    merged = models.ForeignKey(ChangeSet, models.CASCADE, related_name="aliases")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["noun", "old_id"], name="one_alias"),)
