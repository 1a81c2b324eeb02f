"""What the first page and the help tell of the registry: first steps, what waits, what is new, how much there is.

Numbers of records come from the index, which counts what a person may see; what waits for them is counted in the
database up to MOST. Nothing here walks over all rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count, Exists, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from silian.errors import WebError
from silian.tables import schema
from silian.web.base.guides import Guide, Home, Line, Shelf, Step, Task, Word, capped
from silian.web.base.languages import page_language
from silian.web.base.models import Membership, User
from silian.web.catalog.beside import interests
from silian.web.catalog.entry.drafts import unsaved_of
from silian.web.catalog.models import (
    MODELS,
    Claim,
    DuplicateReport,
    Expert,
    Import,
    Need,
    Organisation,
    Record,
    SavedSearch,
    Unindexed,
    Work,
)  # fmt: skip
from silian.web.catalog.records import publishing
from silian.web.catalog.records.queries import FACES
from silian.web.catalog.rules import STEWARDS, visible
from silian.web.catalog.search import searching
from silian.web.catalog.search.asking import question
from silian.web.catalog.wording import as_read, heading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

    from silian.web.base.actors import Actor

MOST: Final = 100  # that are counted one by one
NEWEST: Final = 5
DRAFTS: Final = 5
# What a whole record tells beside what it must: others find it by that.
WHOLE: Final = {
    "enterprises": ("uscc", "district_id", "industry", "size", "business"),
    "organisations": ("uscc", "district_id"),
    "experts": ("title", "field", "profile"),
}
WORDS: Final = (
    (gettext_lazy("意向"), gettext_lazy("对一项需求或成果表示愿意谈。对方同意后，双方才看到仅对有意方公开的内容。")),
    (
        gettext_lazy("披露层级"),
        gettext_lazy("每一栏公开给谁：公开、双方有意后可见、仅技术经理人可见。由记录所属的单位在表单中选择。"),
    ),
    (gettext_lazy("草稿"), gettext_lazy("只有本单位和当地的管理方能看到，发布后才公开。")),
    (gettext_lazy("待确认"), gettext_lazy("单位每半年确认一次信息仍然有效；需求、成果和设施逾期未确认会下架。")),
    (gettext_lazy("已核实"), gettext_lazy("管理方核对过这一栏的内容；内容再改动，核实即失效。")),
)


class Tellings:
    """What the registry tells on the first page and in the help."""

    def furnish(self, actor: Actor, home: Home) -> None:
        """Add to a person's first page."""
        home.counts, kinds = _counts(actor, Record.State.PUBLISHED), set[str]()
        if not actor.is_visitor:
            kinds = _furnish_own(actor, home)
            _furnish_steward(actor, home)
        home.shelves += [_newest(actor, noun) for noun in _wanted(actor, kinds)]

    def words(self) -> list[Word]:
        """Words of the registry: columns as the schema tells of them, and what records go through."""
        language = page_language()
        readiness, code = schema.tables()["achievements"]["trl"], schema.tables()["organisations"]["uscc"]
        meanings = [c.meaning if language == "en" else c.meaning_zh for c in (readiness, code)]
        levels = _("分 1 至 9 级，数字越大越接近实际应用。%(meaning)s。") % {"meaning": meanings[0]}
        told = [Word(readiness.label(language), levels), Word(code.label(language), meanings[1])]
        return told + [Word(str(name), str(meaning)) for name, meaning in WORDS]


# ── whoever keeps records: enterprises, researchers, who manages an organisation ──


def _furnish_own(actor: Actor, home: Home) -> set[str]:
    """First steps and what waits for an organisation's people and for experts; the kinds of their organisations."""
    due, asked = home.waiting.get("confirm", 0), home.waiting.get("interests", 0)
    orgs = visible(actor, Organisation.objects.filter(pk__in=sorted(actor.orgs))).order_by("pk")
    own: list[Any] = list(orgs[:MOST]) if actor.orgs else []
    kinds = {org.kind for org in own}
    steps = _organisation_steps(own) if "enterprise" in kinds or actor.led else []
    if "enterprise" in kinds:
        home.guides.append(Guide(_("企业入门"), [*steps, *_need_steps(actor), *_waiting_steps(due, asked)]))
    if actor.led:
        before = [] if "enterprise" in kinds else steps
        home.guides.append(Guide(_("单位管理员入门"), [*before, *_manager_steps(actor, home)]))
    if actor.expert_id or not (actor.posts or actor.led or "enterprise" in kinds):
        home.guides.append(Guide(_("科研人员入门"), _researcher_steps(actor)))
    if lines := [_begun(draft) for draft in unsaved_of(actor)[:DRAFTS]]:
        home.shelves.append(Shelf(_("没有填完的表单"), lines))
    return kinds


def _organisation_steps(own: list[Any]) -> list[Step]:
    """The record of the first organisation that is not whole, else of the first."""
    lacking = {org.pk: _lacking(org) for org in own}
    org = next((org for org in own if lacking[org.pk]), own[0] if own else None)
    if org is None:
        return []
    text = _lacking_told(lacking[org.pk]) or _("别人据此了解您的单位、找到合适的合作。")
    return [Step(_("完善单位信息"), text, reverse("edit", args=["organisations", org.pk]), not lacking[org.pk])]


def _need_steps(actor: Actor) -> list[Step]:
    own = visible(actor, Need.objects.filter(owner_id__in=sorted(actor.orgs)))
    states = set(own.values_list("state", flat=True).distinct())
    drafts = f"{reverse('list', args=['needs'])}?state=draft"
    is_out = bool(states - {Record.State.DRAFT})
    text = _("一句话说清要解决的难题，其余可以以后补。")
    return [
        Step(_("填写第一项需求"), text, reverse("create", args=["needs"]), bool(states)),
        Step(_("发布需求"), _("发布后，科研人员和技术经理人才能看到。"), drafts, is_out),
    ]  # fmt: skip


def _waiting_steps(due: int, asked: int) -> list[Step]:
    return [
        Step(_("确认信息仍然有效"), _("每半年一次，一键确认。"), reverse("waiting"), not due),
        Step(_("答复别人的意向"), _("同意后，双方才看到仅对有意方公开的内容。"), reverse("interests"), not asked),
    ]


def _manager_steps(actor: Actor, home: Home) -> list[Step]:
    org = sorted(actor.led)[0]
    others = Membership.objects.filter(org_id__in=actor.led).exclude(user_id=actor.user_id or 0).exists()
    brought = _imports(actor)
    due, claimed = home.waiting.get("confirm", 0), home.waiting.get("claims", 0)
    return [
        Step(_("邀请成员"), _("同事用邀请链接加入，各用各的账户。"), reverse("members", args=[org]), others),
        Step(_("导入已有的表格"), _("先看每一处变动再写入，可以整批撤销。"), reverse("imports"), bool(brought)),
        Step(_("确认记录"), _("本单位的记录每半年确认一次。"), reverse("waiting"), not due),
        Step(_("核实专家认领"), _("本单位人员认领专家记录时，由您核实。"), reverse("claims"), not claimed),
    ]


def _researcher_steps(actor: Actor) -> list[Step]:
    find = reverse("list", args=["experts"])
    expert: Any = Expert.objects.filter(pk=actor.expert_id).first() if actor.expert_id else None
    has_asked = interests.sent(actor).exists()
    interest = Step(
        _("对需求表达意向"), _("打开一项需求，点“我有意向”。"), reverse("list", args=["needs"]), has_asked
    )  # fmt: skip
    if expert is None:
        waits = Claim.objects.filter(user_id=actor.user_id or 0, state=Claim.State.ASKED).exists()
        text = _("认领已提交，等待核实。") if waits else _("找到自己的名字，点“这是我”。")
        return [Step(_("认领专家记录"), text, reverse("claims") if waits else find, is_done=False), interest]
    lacking = _lacking(expert)
    works = Work.objects.filter(expert_id=expert.pk).exists()
    text = _lacking_told(lacking) or _("企业据此判断您能帮上什么忙。")
    own = reverse("detail", args=["experts", expert.pk])
    more = _("添加论文、专利与项目，去掉不是本人的。")
    return [
        Step(_("认领专家记录"), _("这条记录由您本人维护。"), own, is_done=True),
        Step(_("完善专长"), text, reverse("edit", args=["experts", expert.pk]), not lacking),
        Step(_("补充业绩"), more, reverse("expert_works", args=[expert.pk]), works),
        interest,
    ]  # fmt: skip


def _begun(draft: Any) -> Line:
    table = schema.tables()[draft.noun].label(page_language())
    on = date_format(timezone.localtime(draft.at), "Y-m-d H:i")
    if draft.record_id:
        return Line(f"{table} {draft.record_id}", reverse("edit", args=[draft.noun, draft.record_id]), (on,))
    return Line(_("新建%(noun)s") % {"noun": table}, reverse("create", args=[draft.noun]), (on,))


def _lacking(record: Record) -> list[str]:
    """What a whole record tells and this one does not."""
    kind = "enterprises" if getattr(record, "kind", "") == "enterprise" else record.noun
    wanted = [*publishing.lacking(record), *WHOLE[kind]]
    lacking = [name for name in dict.fromkeys(wanted) if getattr(record, name) in (None, "", [])]
    return [record.table[name].label(page_language()) for name in lacking]


def _lacking_told(labels: list[str]) -> str:
    return _("还缺：%(columns)s。") % {"columns": "、".join(labels)} if labels else ""


# ── whoever looks after a place ──


def _furnish_steward(actor: Actor, home: Home) -> None:
    """First steps and the queue of brokers, officers and administrators."""
    if not actor.paths(STEWARDS):
        return
    for state, told in ((Record.State.DRAFT, _("%(noun)s草稿")), (Record.State.EXPIRED, _("已过期的%(noun)s"))):
        counts = _counts(actor, state) or {}
        for noun in (noun for noun in FACES if counts.get(noun)):
            label = told % {"noun": schema.tables()[noun].label(page_language())}
            address = f"{reverse('list', args=[noun])}?state={state}"
            home.tasks.append(Task(label, capped(counts[noun], searching.MANY), address))
    if actor.holds("administrator"):
        lag = Unindexed.objects.order_by("pk")[: searching.MANY + 1].count()
        told = _("有 %(count)s 条改动还没有编入检索。") % {"count": capped(lag, searching.MANY)}
        home.facts.append(told if lag else _("检索与数据库一致。"))
    is_filled = any((home.counts or {}).values())
    bring = Step(_("导入已有的表格"), _("先看每一处变动再写入，可以整批撤销。"), reverse("imports"), is_filled)
    daily = _steward_steps(actor) if actor.holds("broker") or actor.holds("officer") else []
    home.guides.append(Guide(_("工作入门"), [bring, *daily]))


def _steward_steps(actor: Actor) -> list[Step]:
    own = DuplicateReport.objects.filter(by_id=OuterRef("pk")), SavedSearch.objects.filter(user_id=OuterRef("pk"))
    looked, kept = User.objects.filter(pk=actor.user_id or 0).values_list(*map(Exists, own)).get()
    return [
        Step(_("保存一个检索"), _("常看的条件存下来，有新记录时会标出。"), reverse("search"), kept),
        Step(_("查一次重"), _("选一类记录和范围，找出疑似重复的。"), reverse("duplicates"), looked),
    ]


# ── both ──


def _imports(actor: Actor) -> dict[str, int]:
    """How many files a person brought, by what became of them; one query."""
    own = Import.objects.filter(by_id=actor.user_id).order_by()
    return dict(own.values_list("state").annotate(Count("pk")))


def _counts(actor: Actor, state: str) -> dict[str, int] | None:
    """How many records of each noun in a state a person sees; None while there is no index."""
    try:
        hits = searching.search(actor, searching.Wanted(question(""), {"state": state}), limit=1, facets=("noun",))
    except WebError:
        return None
    return hits.facets_of("noun")


def _wanted(actor: Actor, kinds: set[str]) -> Iterator[str]:
    """The nouns of which a person wants to see what is new: enterprises look for achievements, others for needs."""
    is_judge, is_enterprise = actor.holds("judge"), "enterprise" in kinds
    if not is_enterprise or actor.expert_id or actor.posts:
        yield "needs"
    if is_enterprise or is_judge or actor.is_visitor:
        yield "achievements"


def _newest(actor: Actor, noun: str) -> Shelf:
    """The newest published records of a noun that a person may see, with columns that nobody can close; one query."""
    table, language = schema.tables()[noun], page_language()
    records: QuerySet[Record] = visible(actor, MODELS[noun].objects.filter(state=Record.State.PUBLISHED))
    lines = []
    for record in records.order_by(FACES[noun].newest, "pk")[:NEWEST]:
        notes = (as_read(getattr(record, "field", None), table["field"]), date_format(record.updated_at, "Y-m-d"))
        lines.append(
            Line(heading(record), reverse("detail", args=[noun, record.record_id]), tuple(filter(None, notes)))
        )
    title = _("最新%(noun)s") % {"noun": table.label(language)}
    return Shelf(title, lines, reverse("list", args=[noun]), _("这里还没有公开的记录。"))
