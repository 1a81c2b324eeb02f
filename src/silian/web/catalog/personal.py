"""What the registry holds of people, and what becomes of it when an account is erased."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from silian.web.base import personal
from silian.web.base.languages import page_language
from silian.web.base.personal import PSEUDONYM_STAYS, Fate, Kind, Section
from silian.web.catalog.changing import Edit, change
from silian.web.catalog.exchange.keeping import drop_files
from silian.web.catalog.models import Change, Expert, Import, ImportRow, Interest, Record, Topic, Work
from silian.web.catalog.topics import telling
from silian.web.catalog.wording import as_read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

    from silian.web.base.actors import Actor
    from silian.web.base.models import User
    from silian.web.base.personal import Wish

BATCH: Final = 500  # rows a statement
# What tells who an expert is; the record stays without it, so that works, achievements and matches keep their id.
TELLING: Final = ("name", "name_en", "profile", "orcid", "email", "phone", "title", "fee_cny", "topics_struck")
KINDS: Final = {
    "catalog.changeset.by": Kind(gettext_lazy("所做的变更"), ("kind", "at", "note"), kept=PSEUDONYM_STAYS),
    "catalog.import.by": Kind(gettext_lazy("导入的文件"), ("name", "at", "state"), kept=PSEUDONYM_STAYS),
    "catalog.export.by": Kind(gettext_lazy("导出的文件"), ("noun", "form", "rows", "at")),
    "catalog.duplicatereport.by": Kind(gettext_lazy("查重"), ("noun", "at", "state"), kept=PSEUDONYM_STAYS),
    "catalog.attachment.by": Kind(gettext_lazy("上传的附件"), ("name", "noun", "at", "state"), kept=PSEUDONYM_STAYS),
    "catalog.draft.user": Kind(gettext_lazy("未保存的表单"), ("noun", "record_id", "at", "typed")),
    "catalog.savedsearch.user": Kind(gettext_lazy("保存的检索"), ("name", "words", "chosen", "made_at")),
    "catalog.claim.user": Kind(gettext_lazy("专家认领"), ("expert_id", "note", "state", "reason", "at")),
    "catalog.claim.decided_by": Kind(
        gettext_lazy("核实的认领"), ("expert_id", "state", "decided_at"), kept=PSEUDONYM_STAYS
    ),
    "catalog.booking.by": Kind(
        gettext_lazy("预约的设施"), ("facility_id", "org_id", "from_at", "until_at", "purpose", "state"),
        kept=PSEUDONYM_STAYS,
    ),
    "catalog.interest.by": Kind(
        gettext_lazy("表达的意向"), ("noun", "record_id", "org_id", "state", "at"), kept=PSEUDONYM_STAYS
    ),
    "catalog.interest.answered_by": Kind(
        gettext_lazy("答复的意向"), ("noun", "record_id", "state", "answered_at"), kept=PSEUDONYM_STAYS
    ),
}  # fmt: skip


def tell() -> None:
    """Name to the base what the registry holds."""
    personal.KINDS.update(KINDS)
    personal.SECTIONS.append(sections)
    personal.ERASERS.extend((erase_expert, close_interests))


def sections(user: User) -> Iterator[Section]:
    """The expert that the person is, and the works of that expert."""
    if not user.expert_id:
        return
    for model in (Expert, Work):
        records: list[Any] = list(model.objects.filter(expert_id=user.expert_id))
        table, language = model.table, page_language()
        heads = tuple(column.label(language) for column in table.columns)
        rows = [tuple(as_read(getattr(r, c.name), c) for c in table.columns) for r in records]
        yield Section(table.label(language), heads, rows)
    told = Topic.objects.filter(expert_id=user.expert_id).order_by("-weight", "term")
    names = (_("主题"), _("权重"), _("篇数"), _("起始日期"))
    yield Section(_("研究主题"), names, [(t.term, str(round(t.weight, 2)), t.texts, t.since) for t in told])


def erase_expert(actor: Actor, user: User, wish: Wish) -> Iterator[Fate]:
    """Withdraw the record of the expert that the person is, or empty it, and its past, of what tells who that is."""
    expert = Expert.objects.filter(pk=user.expert_id).first() if user.expert_id else None
    if expert is None:
        return
    label = Expert.table.label(page_language())
    if wish.expert == "keep":
        yield Fate(label, 1, _("按您的选择，由所在单位继续使用。"))
        return
    if topics := telling.forget({expert.pk}):
        yield Fate(_("研究主题与相近专家"), topics)
    values: dict[str, Any] = {"state": Record.State.WITHDRAWN}
    if wish.expert == "withdraw":
        change(actor, "experts", [Edit(expert.pk, values)])
        yield Fate(label, 1, _("按您的选择，已撤回，不再公开。"))
        return
    emptied = {c.name: None for c in Expert.table.columns if c.name in TELLING} | {"name": _("已注销的专家")}
    change(actor, "experts", [Edit(expert.pk, values | emptied)])
    past = _empty(Change, Change.objects.filter(noun="experts", record_id=expert.pk), ("before", "after"), emptied)
    rows = ImportRow.objects.filter(noun="experts", record_id=expert.pk)
    past += _empty(ImportRow, rows, ("before", "values"), emptied)
    yield Fate(_("专家记录中的姓名、简介与历史中的这些内容"), 1 + past)
    told = ImportRow.objects.filter(noun="experts", record_id=expert.pk).values("brought")
    if dropped := drop_files(Import.objects.filter(pk__in=told)):
        yield Fate(_("写入过这些内容的导入文件"), dropped)
    yield Fate(label, 1, _("只留编号、单位与领域，业绩与成果仍可引用。"))


def close_interests(_actor: Actor, user: User, _wish: Wish) -> Iterator[Fate]:
    """Take back what the person asked for in their own name alone: nobody is left to whom it would be open."""
    alone = Interest.objects.filter(by=user, org_id="", state__in=Interest.OPEN)
    if closed := alone.update(state=Interest.State.WITHDRAWN):
        yield Fate(_("以个人名义表达、尚未结束的意向"), closed)


def _empty(model: type[Model], rows: Any, fields: tuple[str, ...], emptied: dict[str, Any]) -> int:
    """Put what is empty in the place of what tells of a person, in values that were kept; how many rows told it."""
    told = []
    for row in rows:
        for name in fields:
            kept = getattr(row, name)
            if kept and any(kept.get(column, value) != value for column, value in emptied.items()):
                setattr(row, name, kept | {column: value for column, value in emptied.items() if column in kept})
                told.append(row)
    model._base_manager.bulk_update(set(told), fields, batch_size=BATCH)
    return len(set(told))
