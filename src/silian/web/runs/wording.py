"""What the pages of runs say of steps, errors and durations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from silian.errors import MESSAGES
from silian.tables import schema
from silian.web.base.languages import page_language

if TYPE_CHECKING:
    from silian.web.runs.models import Run

STEPS: Final = {
    "start": gettext_lazy("启动计算进程"), "region": gettext_lazy("读取登记数据"), "load": gettext_lazy("载入数据"),
    "check": gettext_lazy("检查数据"), "link": gettext_lazy("识别重复机构"), "conflicts": gettext_lazy("查找利益冲突"),
    "achievements": gettext_lazy("匹配成果"), "experts": gettext_lazy("匹配专家"), "exposure": gettext_lazy("统计曝光"),
    "allocate": gettext_lazy("指派专家"), "fairness": gettext_lazy("计算公平的代价"),
    "chain": gettext_lazy("分析产业链"),
    "summary": gettext_lazy("汇总"), "report": gettext_lazy("生成报告"), "pages": gettext_lazy("准备页面"),
}  # fmt: skip
JOB: Final = ("region", "load", "check", "link", "conflicts", "achievements", "experts", "exposure", "allocate",
              "fairness", "chain", "summary", "report", "pages")  # fmt: skip


def why(run: Run) -> str:
    """Why a run ended without results, in the language of the page."""
    if run.code not in MESSAGES:
        return ""
    english, chinese = MESSAGES[run.code]
    try:
        return (chinese if page_language() == "zh" else english).format(**run.found)
    except (KeyError, IndexError, ValueError):  # of an older version, which found other things
        return english


def labels_of() -> dict[str, str]:
    """What the tables of a run, read and made, are called in the language of the page."""
    every = {**schema.tables(), **schema.results()}
    return {name: table.label(page_language()) for name, table in every.items()} | {"charts": _("图表")}


def lasting(seconds: float) -> str:
    """A duration as people read it.

    Examples
    --------
    >>> lasting(0.4), lasting(75)
    ('不到 1 秒', '1 分 15 秒')
    """
    whole = round(seconds)
    if whole < 1:
        return _("不到 1 秒")
    if whole < 60:
        return ngettext("%(count)s 秒", "%(count)s 秒", whole) % {"count": whole}
    if whole < 3600:
        return _("%(minutes)s 分 %(seconds)s 秒") % {"minutes": whole // 60, "seconds": whole % 60}
    return _("%(hours)s 小时 %(minutes)s 分") % {"hours": whole // 3600, "minutes": whole % 3600 // 60}
