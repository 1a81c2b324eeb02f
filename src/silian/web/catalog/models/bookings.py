"""Hours of facilities that somebody asked for."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from silian.web.catalog.fields import ID_LENGTH


def own_key() -> str:
    """What names a booking in calendars, for ever."""
    return secrets.token_hex(12)


class Booking(models.Model):
    """Somebody asks for a facility from one instant to another; who runs it says yes or no."""

    class State(models.TextChoices):
        ASKED = "asked", _("待确认")
        CONFIRMED = "confirmed", _("已确认")
        REFUSED = "refused", _("已谢绝")
        CANCELLED = "cancelled", _("已取消")
        DONE = "done", _("已完成")

    key = models.CharField(max_length=32, unique=True, default=own_key, editable=False)
    facility_id = models.CharField(max_length=ID_LENGTH)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    org_id = models.CharField(max_length=ID_LENGTH, blank=True, db_index=True)  # for whom; empty: for the person
    from_at = models.DateTimeField()
    until_at = models.DateTimeField()
    purpose = models.TextField()
    state = models.CharField(max_length=10, choices=State, default=State.ASKED)
    fee_cny = models.FloatField(null=True)  # as the facility's fee was when it was asked for; null: on request
    note = models.TextField(blank=True)  # why it was refused or cancelled
    at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(until_at__gt=models.F("from_at")), name="booking_ends_later"),
        )
        indexes = (
            models.Index(fields=["facility_id", "until_at"], name="bookings_of_facility"),
            models.Index(fields=["by", "from_at"], name="bookings_of_person"),
        )
