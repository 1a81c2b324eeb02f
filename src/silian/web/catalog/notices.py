"""What the registry tells people: its kinds of notifications, who names records in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from silian.tables import schema
from silian.web.base.languages import page_language
from silian.web.base.notifications import Kind
from silian.web.catalog.models import MODELS, Booking, Claim, Interest
from silian.web.catalog.rules import STEWARDS, visible
from silian.web.catalog.search import saved
from silian.web.catalog.wording import heading

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from silian.web.base.actors import Actor

KEEPERS: Final = ("enterprise", "researcher", "manager")
ANYBODY: Final = (*KEEPERS, *STEWARDS)
TALKS: Final = gettext_lazy("对接与预约")
RECORDS: Final = gettext_lazy("记录")
FILES: Final = gettext_lazy("导入、导出与查重")
NEED, ORG, EXPERT = gettext_lazy("一项需求的名称"), gettext_lazy("某某科技有限公司"), gettext_lazy("某位专家")
FACILITY: Final = gettext_lazy("一台设备")
KINDS: Final = (
    Kind(
        "interests.received", TALKS, gettext_lazy("收到意向"), gettext_lazy("有人对您单位的需求或成果表示愿意谈。"),
        gettext_lazy("收到一个新的意向"), gettext_lazy("有人想就“%(record)s”与您对接，等您答复。"),
        KEEPERS, waits=True, example={"record": NEED},
    ),
    Kind(
        "interests.answered", TALKS, gettext_lazy("意向有答复"), gettext_lazy("您表达的意向被同意、婉拒，或对方撤回。"),
        gettext_lazy("您的意向有了答复"), gettext_lazy("关于“%(record)s”：%(state)s。"),
        ANYBODY, waits=True, example={"record": NEED, "state": "agreed"},
        words={"state": dict(Interest.State.choices)},
    ),
    Kind(
        "bookings.asked", TALKS, gettext_lazy("收到设施预约"), gettext_lazy("有人预约您单位的设施。"),
        gettext_lazy("有新的设施预约"), gettext_lazy("“%(record)s”有一个预约等您答复，开始时间 %(at)s。"),
        ("enterprise", "manager"), mail="once", waits=True,
        example={"record": FACILITY, "at": "2026-03-02T09:00:00+08:00"},
    ),
    Kind(
        "bookings.answered", TALKS, gettext_lazy("预约有变"), gettext_lazy("您的预约被确认、谢绝或取消。"),
        gettext_lazy("您的设施预约有了变化"), gettext_lazy("“%(record)s”，开始时间 %(at)s：%(state)s。"),
        ANYBODY, mail="once", waits=True, words={"state": dict(Booking.State.choices)},
        example={"record": FACILITY, "at": "2026-03-02T09:00:00+08:00", "state": "confirmed"},
    ),
    Kind(
        "claims.asked", TALKS, gettext_lazy("专家认领待核实"), gettext_lazy("有人认领您单位或辖区内的专家记录。"),
        gettext_lazy("有一项专家认领等您核实"), gettext_lazy("有人认领“%(record)s”，请核实是否本人。"),
        ("manager", *STEWARDS), waits=True, example={"record": EXPERT},
    ),
    Kind(
        "claims.decided", TALKS, gettext_lazy("专家认领有结果"), gettext_lazy("您的专家认领已核实，或未通过。"),
        gettext_lazy("您的专家认领有了结果"), gettext_lazy("“%(record)s”：%(state)s。"),
        ANYBODY, waits=True, example={"record": EXPERT, "state": "granted"},
        words={"state": dict(Claim.State.choices)},
    ),
    Kind(
        "records.due", RECORDS, gettext_lazy("记录待确认"), gettext_lazy("您单位的记录快满半年未确认，将要下架。"),
        gettext_lazy("有记录等您确认"), gettext_lazy("%(count)s 条记录快满半年未确认。确认仍然有效，才不会下架。"),
        KEEPERS, mail="weekly", example={"count": 3},
    ),
    Kind(
        "records.expired", RECORDS, gettext_lazy("记录已过期下架"), gettext_lazy("您单位的记录到期，或逾期未确认。"),
        gettext_lazy("有记录今天到期下架"), gettext_lazy("您单位有记录今天到期，已不在公开的列表中。确认后即可恢复。"),
        KEEPERS,
    ),
    Kind(
        "records.merged", RECORDS, gettext_lazy("记录被合并"), gettext_lazy("管理方把您单位的一条记录与另一条合并。"),
        gettext_lazy("您单位的一条记录已合并"), gettext_lazy("“%(record)s”已与重复的记录合为一条，旧链接仍然可用。"),
        KEEPERS, example={"record": NEED},
    ),
    Kind(
        "records.verified", RECORDS, gettext_lazy("记录被核实"), gettext_lazy("管理方核实了您单位记录中的内容。"),
        gettext_lazy("您单位的记录已核实"), gettext_lazy("“%(record)s”中有内容已由管理方核实。"),
        KEEPERS, is_bulk=True, example={"record": NEED},
    ),
    Kind(
        "records.withdrawn", RECORDS, gettext_lazy("记录被撤回"), gettext_lazy("管理方撤回了您单位的一条记录。"),
        gettext_lazy("您单位的一条记录已被撤回"), gettext_lazy("“%(record)s”已被管理方撤回，记录页写有理由。"),
        KEEPERS, is_required=True, example={"record": NEED},
    ),
    Kind(
        "attachments.refused", RECORDS, gettext_lazy("附件未通过扫描"),
        gettext_lazy("扫描程序在您上传的文件中发现问题。"),
        gettext_lazy("一个附件未通过安全扫描"), gettext_lazy("您上传到“%(record)s”的一个文件被发现有问题，已删除。"),
        ANYBODY, is_required=True, example={"record": NEED},
    ),
    Kind(
        "searches.hits", gettext_lazy("检索"), gettext_lazy("保存的检索有新结果"),
        gettext_lazy("您保存的检索有新增或更新的记录。"),
        gettext_lazy("您保存的检索有新结果"), gettext_lazy("“%(search)s”有 %(count)s 条新增或更新的记录。"),
        ANYBODY, example={"search": gettext_lazy("电池材料方面的需求"), "count": 4}, lines=saved.new_names,
    ),
    Kind(
        "imports.ready", FILES, gettext_lazy("导入待确认"), gettext_lazy("您的文件已读完，等您查看并写入。"),
        gettext_lazy("导入的文件已读完"), gettext_lazy("文件“%(file)s”已读完，请核对变动后写入。"),
        ANYBODY, is_bulk=True, example={"file": "needs.xlsx"},
    ),
    Kind(
        "imports.done", FILES, gettext_lazy("导入完成"), gettext_lazy("您的文件已写入，或已撤销。"),
        gettext_lazy("导入已完成"), gettext_lazy("文件“%(file)s”：%(state)s。"),
        ANYBODY, is_bulk=True, example={"file": "needs.xlsx", "state": "done"},
        words={"state": {"done": gettext_lazy("已导入"), "undone": gettext_lazy("已撤销")}},
    ),
    Kind(
        "imports.failed", FILES, gettext_lazy("导入失败"), gettext_lazy("您的文件无法读取，或没有全部写入。"),
        gettext_lazy("导入没有成功"), gettext_lazy("文件“%(file)s”没有导入，打开后可看到原因。"),
        ANYBODY, example={"file": "needs.xlsx"},
    ),
    Kind(
        "exports.ready", FILES, gettext_lazy("导出就绪"), gettext_lazy("您要的文件已生成，可以下载，或未能生成。"),
        gettext_lazy("导出的文件有结果了"), gettext_lazy("一个导出：%(state)s。文件保留 7 天。"),
        ANYBODY, is_bulk=True, example={"state": "ready"},
        words={"state": {"ready": gettext_lazy("可下载"), "failed": gettext_lazy("未能生成")}},
    ),
    Kind(
        "duplicates.ready", FILES, gettext_lazy("查重完成"), gettext_lazy("您发起的查重已完成。"),
        gettext_lazy("查重已完成"), gettext_lazy("找到 %(count)s 对疑似重复的记录，等您判断。"),
        STEWARDS, is_bulk=True, example={"count": 12},
    ),
)  # fmt: skip


class Names:
    """Names of records: those that a reader may see now."""

    def names(self, actor: Actor, noun: str, ids: Collection[str]) -> Mapping[str, str]:
        """Id → name; one query."""
        return {record.record_id: heading(record) for record in visible(actor, MODELS[noun].objects.filter(pk__in=ids))}

    def unnamed(self, noun: str) -> str:
        """The word for a record that a reader may not see."""
        return _("一条已不对您公开的记录（%(noun)s）") % {"noun": schema.tables()[noun].label(page_language())}
