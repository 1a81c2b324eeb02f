"""Files that hang on records."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from silian.web.catalog.fields import KEY_LENGTH


def own_place(_attachment: Attachment, _name: str) -> str:
    """Where the file lies: nothing of its name, nothing to guess."""
    return f"attachments/{secrets.token_hex(16)}"


def own_key() -> str:
    """What names an attachment in addresses."""
    return secrets.token_urlsafe(16)


class Attachment(models.Model):
    """A file that somebody put beside a record."""

    KEPT: ClassVar[timedelta] = timedelta(days=30)  # after it was taken away

    class State(models.TextChoices):
        WAITING = "waiting", _("待扫描")
        CLEAN = "clean", _("可下载")
        REFUSED = "refused", _("未通过扫描")

    class Tier(models.TextChoices):
        PUBLIC = "public", _("公开")
        MUTUAL = "mutual", _("双方有意后可见")
        BROKER = "broker", _("仅本单位与技术经理人")

    key = models.CharField(max_length=32, unique=True, default=own_key, editable=False)
    noun = models.CharField(max_length=40)
    record_id = models.CharField(max_length=KEY_LENGTH)
    file = models.FileField(upload_to=own_place)
    name = models.CharField(max_length=255)  # as people know it, cleaned
    size = models.PositiveBigIntegerField()  # bytes
    sha256 = models.CharField(max_length=64)
    media_type = models.CharField(max_length=100)  # as its content says
    tier = models.CharField(_("公开范围"), max_length=10, choices=Tier, default=Tier.PUBLIC)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING, db_index=True)
    gone_at = models.DateTimeField(null=True, db_index=True)  # taken away; the file stays for KEPT

    class Meta:
        indexes = (models.Index(fields=["noun", "record_id"], name="attachments_of_record"),)
