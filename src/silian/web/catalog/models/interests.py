"""Who wants to talk about which record, and what its owner said."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from silian.web.catalog.fields import ID_LENGTH, KEY_LENGTH


class Interest(models.Model):
    """Somebody wants to talk about a record. Once its owner agrees, both see what is shown to mutual interest only."""

    class State(models.TextChoices):
        ASKED = "asked", _("待答复")
        AGREED = "agreed", _("已同意对接")
        DECLINED = "declined", _("已婉拒")
        WITHDRAWN = "withdrawn", _("已撤回")
        JOINED = "joined", _("已并入另一条意向")  # its record was merged with one in which the person had another

    OPEN: ClassVar[tuple[str, ...]] = (State.ASKED, State.AGREED)

    noun = models.CharField(max_length=40)
    record_id = models.CharField(max_length=KEY_LENGTH)
    owner_id = models.CharField(max_length=ID_LENGTH, blank=True, db_index=True)  # who kept the record at that time
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="interests")
    pseudonym = models.CharField(max_length=16)  # of who asked: stays when the account is erased
    org_id = models.CharField(max_length=ID_LENGTH, blank=True, db_index=True)  # for which the person asks
    expert_id = models.CharField(max_length=ID_LENGTH, blank=True, db_index=True)  # that the person is
    state = models.CharField(_("状态"), max_length=10, choices=State, default=State.ASKED)
    at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["noun", "record_id", "by"], condition=models.Q(state__in=["asked", "agreed"]),
                name="one_open_interest",
            ),
        )  # fmt: skip
        indexes = (models.Index(fields=["noun", "record_id"], name="interest_in_record"),)
