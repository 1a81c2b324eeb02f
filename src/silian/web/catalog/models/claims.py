"""Who says that an expert of the registry is themself."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from silian.web.catalog.fields import ID_LENGTH


class Claim(models.Model):
    """A person says: this expert is me. It holds at once by ORCID, else somebody who knows them decides."""

    class State(models.TextChoices):
        ASKED = "asked", _("待核实")
        GRANTED = "granted", _("已认领")
        REFUSED = "refused", _("未通过")
        WITHDRAWN = "withdrawn", _("已撤回")
        RELEASED = "released", _("已解除")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="claims")
    expert_id = models.CharField(max_length=ID_LENGTH, db_index=True)
    note = models.TextField(blank=True)  # what the person says for it
    state = models.CharField(max_length=10, choices=State, default=State.ASKED)
    by_orcid = models.BooleanField(default=False)
    reason = models.TextField(blank=True)  # why it was refused
    at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["user"], condition=models.Q(state="asked"), name="one_open_claim"),
        )
