"""What finds records that stand for one thing, what people decided about them, and what a merge moved."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from silian.web.base.models import Place
from silian.web.catalog.fields import ID_LENGTH, KEY_LENGTH
from silian.web.catalog.models.changes import ChangeSet


class MatchKey(models.Model):
    """A key under which likely duplicates of a record meet; kept in step with it by every change."""

    noun = models.CharField(max_length=40)
    key = models.BigIntegerField()
    record_id = models.CharField(max_length=KEY_LENGTH)

    class Meta:
        indexes = (
            models.Index(fields=["noun", "key", "record_id"], name="records_of_key"),
            models.Index(fields=["noun", "record_id"], name="keys_of_record"),
        )


class DuplicateReport(models.Model):
    """A search for duplicates among the records of a noun in a place."""

    class State(models.TextChoices):
        RUNNING = "running", _("查找中")
        DONE = "done", _("已完成")

    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    at = models.DateTimeField(default=timezone.now)
    noun = models.CharField(max_length=40)
    place = models.ForeignKey(Place, models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    done = models.PositiveIntegerField(default=0)  # candidate pairs compared
    total = models.PositiveIntegerField(default=0)
    found = models.PositiveIntegerField(default=0)


class DuplicatePair(models.Model):
    """Two records that may stand for one thing, and what was decided about them."""

    class Decision(models.TextChoices):
        OPEN = "open", _("待处理")
        LATER = "later", _("以后再说")
        DIFFERENT = "different", _("不是同一个")

    noun = models.CharField(max_length=40)
    left_id = models.CharField(max_length=ID_LENGTH)  # the smaller of the two ids
    right_id = models.CharField(max_length=ID_LENGTH)
    group_id = models.CharField(max_length=ID_LENGTH)  # the smallest id of all that hang together with the two
    confidence = models.FloatField()
    reasons = models.JSONField(default=list)  # values of Reason
    decision = models.CharField(max_length=10, choices=Decision, default=Decision.OPEN)
    decided_by = models.CharField(max_length=16, blank=True)  # a pseudonym
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["noun", "left_id", "right_id"], name="one_pair"),)
        indexes = (models.Index(fields=["noun", "decision", "-confidence"], name="pairs_to_decide"),)


class Merge(models.Model):
    """A record that was merged into another, with what was moved outside the registry's own tables."""

    changes = models.OneToOneField(ChangeSet, models.PROTECT, related_name="merge")
    noun = models.CharField(max_length=40)
    kept_id = models.CharField(max_length=ID_LENGTH)
    gone_id = models.CharField(max_length=ID_LENGTH)
    moved = models.JSONField(default=list)  # as `followers.move` gave it, for each record whose id changed

    class Meta:
        indexes = (models.Index(fields=["noun", "kept_id"], name="merges_into"),)


class Reason(models.TextChoices):
    """Why two records may be one."""

    CODE = "code", _("同一统一社会信用代码")
    ORCID = "orcid", _("同一 ORCID")
    NUMBER = "number", _("同一编号（专利号、文号等）")
    NAME = "name", _("名称相同")
    MARKS = "marks", _("名称仅括号、空格或标点不同")
    FORM = "form", _("名称仅公司形式写法不同")
    ORDER = "order", _("名称仅词序不同")
    FORMER = "former", _("与曾用名或别名相同")
    SOUND = "sound", _("名称读音相同")
    ALIKE = "alike", _("名称相近")
    TEXT = "text", _("内容相近")
    WORK = "work", _("同名且有共同业绩")
    ORG = "org", _("同一单位")
    FIELD = "field", _("同一技术领域")
    OTHER_CODE = "other_code", _("代码不同")
    OTHER_ORG = "other_org", _("单位不同")
    OTHER_PLACE = "other_place", _("所在地不同")
    FIGURES = "figures", _("名称中的数字不同")


AGAINST: Final = (Reason.OTHER_CODE, Reason.OTHER_ORG, Reason.OTHER_PLACE, Reason.FIGURES)  # reasons that speak against
