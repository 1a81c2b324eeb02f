"""What a token may be allowed: each scope opens one kind of thing, none of them more than the person may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from collections.abc import Iterable

# Scope, what it opens for people to read.
SCOPES: Final = (
    ("read:registry", gettext_lazy("读取登记的记录及其历史，包括非公开的部分")),
    ("write:registry", gettext_lazy("新建、修改、发布、撤回记录")),
    ("read:interests", gettext_lazy("读取收到和发出的意向")),
    ("write:interests", gettext_lazy("表达、答复、撤回意向")),
    ("read:personal", gettext_lazy("读取姓名与邮箱：意向双方的邮箱，历史中的姓名")),
    ("write:imports", gettext_lazy("上传导入文件，查看、写入、撤销导入")),
    ("read:exports", gettext_lazy("生成并下载导出文件")),
    ("read:runs", gettext_lazy("读取运行与匹配结果")),
    ("write:runs", gettext_lazy("发起、取消运行")),
    ("read:figures", gettext_lazy("读取四链总览的指标")),
)
NAMES: Final = tuple(name for name, _told in SCOPES)


def known(given: Iterable[str]) -> list[str]:
    """The scopes among some texts, in the order of the table.

    Examples
    --------
    >>> known(["read:runs", "everything", "read:registry"])
    ['read:registry', 'read:runs']
    """
    wanted = set(given)
    return [name for name in NAMES if name in wanted]
