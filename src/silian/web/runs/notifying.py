"""Who is told of runs, and of months that were frozen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from silian.web.base.models import Post
from silian.web.base.notifications import Kind, notify, register_kinds
from silian.web.runs.models import Run

if TYPE_CHECKING:
    from silian.web.base.actors import Actor
    from silian.web.runs.models import Snapshot

GROUP: Final = _("运行")
STEWARDS: Final = ("broker", "officer", "administrator")
READERS: Final = ("officer", "leader")  # of frozen months


def tell() -> None:
    """Register what runs tell of."""
    register_kinds((
        Kind(
            "runs.ended", GROUP, _("运行结束"), _("您发起的运行已完成、失败或被取消。"),
            _("一次运行已结束"), _("运行 %(number)s：%(state)s。"), STEWARDS, waits=True,
            example={"number": 12, "state": "done"}, words={"state": {s.value: s.label for s in Run.State}},
        ),
        Kind(
            "runs.adopted", GROUP, _("采用新的运行结果"), _("您负责的区域采用了新的运行结果。"),
            _("采用了新的运行结果"), _("匹配、分配与缺口的页面现在显示运行 %(number)s 的结果。"),
            STEWARDS, example={"number": 12},
        ),
        Kind(
            "figures.frozen", GROUP, _("月度数据冻结"), _("您所在区域的一个月的数据已冻结，或经更正重新冻结。"),
            _("一个月的数据已冻结"), _("%(month)s 的四链总览已冻结（第 %(version)s 版）。"),
            READERS, example={"month": "2026-03", "version": 1},
        ),
    ))  # fmt: skip


def ended(run: Run) -> None:
    """Tell who started it."""
    if run.by_id:
        about = reverse("run", args=[run.pk])
        notify("runs.ended", [run.by_id], about=about, key=f"{run.pk}:{run.state}", number=run.pk, state=run.state)


def adopted(actor: Actor, run: Run) -> None:
    """Tell whoever looks after its place, but who did it."""
    found = Post.objects.filter(role__in=STEWARDS, place=run.place).values_list("user_id", flat=True)
    users = sorted(set(found) - {actor.user_id})
    notify("runs.adopted", users, about=reverse("run", args=[run.pk]), key=str(run.pk), number=run.pk)


def frozen(actor: Actor, snapshot: Snapshot) -> None:
    """Tell whoever leads its place or one below it, but who did it. Cost: one query beside the telling."""
    found = Post.objects.filter(role__in=READERS, place__path__startswith=snapshot.place.path)
    users = sorted(set(found.values_list("user_id", flat=True)) - {actor.user_id})
    about = f"{reverse('dashboard')}?month={snapshot.month}"
    month, version = snapshot.month, snapshot.version
    notify("figures.frozen", users, about=about, key=snapshot.name, month=month, version=version)
