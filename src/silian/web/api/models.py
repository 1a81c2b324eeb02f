"""Tokens of the API, what has been answered under an idempotency key, and how much has been asked for."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from silian.web.base.models import User


class Token(models.Model):
    """A key with which a program acts for a person: their rights, cut by its scopes. Shown once, kept hashed."""

    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    name = models.CharField(_("名称"), max_length=100)
    digest = models.CharField(max_length=64, unique=True)  # SHA-256 of the secret
    scopes = models.JSONField(_("范围"), default=list)
    version = models.CharField(_("接口版本"), max_length=10)  # that the token was made for: a day
    made_at = models.DateTimeField(_("创建时间"), default=timezone.now)
    expires_on = models.DateField(_("到期日"))  # the last day on which it opens anything
    used_on = models.DateField(_("最近使用"), null=True)  # the day only: nobody's habits are kept
    revoked_at = models.DateTimeField(_("撤销时间"), null=True)
    form = models.CharField(max_length=40)  # of the page that made it: sent twice, it makes one token

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "form"], name="one_token_a_form"),)

    @property
    def state(self) -> str:
        """What became of it: revoked, expired; else open."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_on < timezone.localdate() else "open"


class Answered(models.Model):
    """The answer to a POST with an idempotency key: sent again, it is given again and nothing is done."""

    token = models.ForeignKey(Token, models.CASCADE, related_name="+")
    key = models.CharField(max_length=100)
    digest = models.CharField(max_length=64)  # of the method, the address and the body
    at = models.DateTimeField(default=timezone.now, db_index=True)
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["token", "key"], name="one_answer"),)


class Tally(models.Model):
    """How many requests somebody has made in the present minute: one row for each token and each visitor's address."""

    key = models.CharField(max_length=64, primary_key=True)  # of a visitor a keyed digest of the address
    minute = models.BigIntegerField(db_index=True)  # since the epoch
    count = models.PositiveIntegerField(default=0)
