"""A run of the engines on the registry."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from silian.web.base.models import Place, User


class Run(models.Model):
    """The main job, or one engine, asked for on the site: plan, state, receipt; its tables lie in its folder."""

    class State(models.TextChoices):
        WAITING = "waiting", _("等待中")
        RUNNING = "running", _("运行中")
        DONE = "done", _("已完成")
        FAILED = "failed", _("失败")
        CANCELLED = "cancelled", _("已取消")

    name = models.CharField(_("名称"), max_length=100)
    place = models.ForeignKey(Place, models.PROTECT, related_name="+")  # whose needs are served
    steps = models.CharField(_("步骤"), max_length=100, blank=True)  # of the main job, parted by spaces; empty: all
    plan = models.TextField(_("方案"), blank=True)  # TOML
    state = models.CharField(_("状态"), max_length=20, choices=State, default=State.WAITING)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    pseudonym = models.CharField(max_length=16, blank=True)
    made_at = models.DateTimeField(_("提交时间"), default=timezone.now)
    begun_at = models.DateTimeField(_("开始时间"), null=True)
    ended_at = models.DateTimeField(_("结束时间"), null=True)
    progress = models.JSONField(default=dict)  # step, done, total, words; the steps that are done with rows and seconds
    adopts = models.BooleanField(default=False)  # it holds as soon as it is done
    is_cancelled = models.BooleanField(default=False)  # somebody asked for the end
    code = models.CharField(max_length=40, blank=True)  # of the error, and what it found
    found = models.JSONField(default=dict)
    adopted_at = models.DateTimeField(_("采用时间"), null=True)  # the one adopted last is what pages of its place show

    class Meta:
        ordering = ("-pk",)
        indexes = (models.Index(fields=["place", "adopted_at"], name="run_in_force"),)

    @property
    def folder(self) -> Path:
        """Where its region, its plan and its results lie: `region/`, `out/`."""
        return Path(settings.RUNS_FOLDER) / f"{self.pk:06d}"


class Snapshot(models.Model):
    """The figures of a place and all below it on a day: the live ones, or those frozen for a month."""

    class Kind(models.TextChoices):
        LIVE = "live", _("最新")
        MONTH = "month", _("月度")

    kind = models.CharField(max_length=10, choices=Kind)
    place = models.ForeignKey(Place, models.PROTECT, related_name="+")
    month = models.CharField(_("月份"), max_length=7)  # 2026-10
    version = models.PositiveIntegerField(
        _("版本")
    )  # of the month, from 1; of the live one it grows with every renewal
    as_of = models.DateField(_("截至"))
    is_rebuilt = models.BooleanField(default=False)  # made long after the day, from the records' own dates
    name = models.CharField(max_length=200)  # of its folder below that of snapshots
    digest = models.CharField(max_length=64)  # of the list of its files, which holds the digest of each
    run = models.ForeignKey(Run, models.SET_NULL, null=True, related_name="+")  # the one in force
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")  # none: the site itself
    pseudonym = models.CharField(max_length=16, blank=True)
    reason = models.CharField(_("原因"), max_length=200, blank=True)
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-pk",)
        constraints = (models.UniqueConstraint(fields=["kind", "place", "month", "version"], name="one_snapshot"),)

    @property
    def folder(self) -> Path:
        """Where its tables lie."""
        return Path(settings.SNAPSHOTS_FOLDER) / self.name
