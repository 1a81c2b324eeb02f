"""Forms that are not saved yet, and the numbers from which ids are made."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from silian.web.catalog.fields import KEY_LENGTH


class Draft(models.Model):
    """A form as somebody has filled it in so far; once it is saved, the mark that it was, so that it is saved once."""

    token = models.CharField(max_length=36, unique=True)  # stands in the form
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="drafts")
    noun = models.CharField(max_length=40)
    record_id = models.CharField(max_length=KEY_LENGTH, blank=True)  # empty: a new record
    version = models.PositiveIntegerField(default=0)  # of the record that the person saw
    typed = models.JSONField(default=dict)  # name of a field → its texts; empty once it is saved
    at = models.DateTimeField(default=timezone.now)
    saved_as = models.CharField(max_length=KEY_LENGTH, blank=True)  # the record that it became
    digest = models.CharField(max_length=64, blank=True)  # of what was saved

    class Meta:
        indexes = (models.Index(fields=["user", "noun", "record_id"], name="draft_of_record"),)


class Counter(models.Model):
    """The last number that was given to an id with some beginning, such as N-2026."""

    name = models.CharField(max_length=40, primary_key=True)
    last = models.PositiveIntegerField(default=0)
