"""What the search remembers: records that wait for the index, which index is this database's, what people keep."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from silian.web.catalog.fields import KEY_LENGTH
from silian.web.catalog.inserting import insert

if TYPE_CHECKING:
    from collections.abc import Iterable


def token() -> str:
    """A name that no other database has."""
    return secrets.token_hex(8)


class Unindexed(models.Model):
    """A record that has changed since the index took it in; without an id: everything.

    It is written in the transaction that changes the record and deleted when the index holds the change, so that
    nothing is lost however transactions end and whoever is killed; a record may be taken in twice, which does no harm.
    """

    objects: ClassVar[models.Manager[Self]]

    noun = models.CharField(max_length=40)
    record_id = models.CharField(max_length=KEY_LENGTH)
    at = models.DateTimeField(default=timezone.now)

    @staticmethod
    def put(noun: str, ids: Iterable[str]) -> None:
        """Say that records of a noun have changed."""
        now = timezone.now()
        insert(Unindexed, ("noun", "record_id", "at"), ((noun, i, now) for i in ids))

    @staticmethod
    def put_all() -> None:
        """Say that any record may have changed."""
        Unindexed.objects.create(noun="", record_id="")


class IndexState(models.Model):
    """One row: an index that carries another token was made from another database."""

    ONLY: ClassVar[int] = 1
    objects: ClassVar[models.Manager[Self]]

    token = models.CharField(max_length=16, default=token)
    rebuilt_at = models.DateTimeField(null=True)

    @classmethod
    def only(cls) -> IndexState:
        """The row; made where there is none yet."""
        return cls.objects.get_or_create(pk=cls.ONLY)[0]


class SavedSearch(models.Model):
    """A search that somebody wants to ask again, and what has come since."""

    objects: ClassVar[models.Manager[Self]]

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="searches")
    name = models.CharField(max_length=100)
    words = models.CharField(max_length=200, blank=True)
    chosen = models.JSONField(default=dict)  # facet → value
    is_plain = models.BooleanField(default=False)  # without other names of the same thing
    has_digest = models.BooleanField(default=True)
    made_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)  # its person last opened it
    told_at = models.DateTimeField(default=timezone.now)  # the last letter told of it, or found nothing to tell
    fresh = models.PositiveIntegerField(default=0)  # new or changed since seen_at, as the worker counted
    counted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=["told_at"], name="search_told"),)
