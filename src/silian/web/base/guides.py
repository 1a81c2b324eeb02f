"""The first page and the help: what a person does first, what waits for them, what is new, what words mean.

What it tells of records comes from the registry, which this app does not know and which says here what it has to tell.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from silian.tables import schema
from silian.web.base import audit
from silian.web.base.frame import CHAINS
from silian.web.base.languages import first_clause, page_language
from silian.web.base.log import log
from silian.web.base.models import Place, Post, User
from silian.web.base.notifications import todo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from silian.web.base.actors import Actor

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
# What each role can do, and the names of the addresses where: the help.
DEEDS = (
    ("visitor", gettext_lazy("访客"), (
        (gettext_lazy("不登录即可检索，并查看公开的需求、成果、专家、设施与资金"), "search"),
    )),
    ("enterprise", gettext_lazy("单位成员"), (
        (gettext_lazy("完善单位信息，填写并发布需求；在“待确认”中每半年确认一次"), "waiting"),
        (gettext_lazy("对成果表达意向，答复别人对本单位需求的意向"), "interests"),
        (gettext_lazy("预约设施"), "bookings"),
    )),
    ("researcher", gettext_lazy("科研人员"), (
        (gettext_lazy("认领自己的专家记录，补充专长与业绩"), "claims"),
        (gettext_lazy("对需求表达意向，查看答复"), "interests"),
    )),
    ("manager", gettext_lazy("单位管理员"), (
        (gettext_lazy("邀请成员，调整成员身份"), "organisations"),
        (gettext_lazy("用表格成批导入本单位的记录，导入可整批撤销"), "imports"),
        (gettext_lazy("核实本单位人员的专家认领"), "claims"),
    )),
    ("broker", gettext_lazy("技术经理人"), (
        (gettext_lazy("检索并保存检索条件，随时查看新增的记录"), "searches"),
        (gettext_lazy("处理疑似重复的记录"), "duplicates"),
        (gettext_lazy("核实专家认领，答复设施预约"), "claims"),
    )),
    ("officer", gettext_lazy("主管部门"), (
        (gettext_lazy("任命辖区内的技术经理人等岗位"), "posts"),
        (gettext_lazy("导入、核实、合并辖区内的记录"), "imports"),
        (gettext_lazy("查看辖区的四链总览，冻结当月数字"), "dashboard"),
    )),
    ("leader", gettext_lazy("领导"), (
        (gettext_lazy("查看辖区的四链总览，点任何数字都能打开对应的名单；与上月、上年比较"), "dashboard"),
        (gettext_lazy("下载已冻结月份的 Word、Excel 月报"), "dashboard"),
    )),
    ("judge", gettext_lazy("评委"), (
        (gettext_lazy("查看公开的成果与专家；本站目前没有评审任务"), "search"),
    )),
    ("auditor", gettext_lazy("审计员"), (
        (gettext_lazy("全域审计员查看、导出操作日志，核验日志未被改动"), "audit"),
        (gettext_lazy("在记录页打开“历史”，查看辖区内记录的每次改动"), "search"),
    )),
    ("administrator", gettext_lazy("系统管理员"), (
        (gettext_lazy("任命各级岗位"), "posts"),
        (gettext_lazy("在区县下设立园区"), "places"),
        (gettext_lazy("查找单位，查看其成员"), "organisations"),
    )),
)  # fmt: skip


class Step(NamedTuple):
    """One thing to do first; whether it is done follows from what is there, nobody ticks it off."""

    title: str
    text: str
    url: str
    is_done: bool


class Guide(NamedTuple):
    """The first steps of one role."""

    title: str
    steps: list[Step]

    @property
    def done(self) -> int:
        """How many steps are done."""
        return sum(step.is_done for step in self.steps)


class Task(NamedTuple):
    """What waits for a person."""

    title: str
    number: str  # as people read it
    url: str


class Line(NamedTuple):
    """One thing of a shelf."""

    name: str
    url: str
    notes: tuple[str, ...] = ()


class Shelf(NamedTuple):
    """A few things under a heading, and where there are more."""

    title: str
    lines: list[Line]
    url: str = ""
    empty: str = ""  # what stands there when there are none


class Word(NamedTuple):
    """A word and what it means."""

    name: str
    meaning: str


class Figure(NamedTuple):
    """A noun of the registry, and how many records of it a person sees."""

    name: str
    meaning: str
    url: str
    number: int | None  # None: not known while the index is built


@dataclass(slots=True)
class Home:
    """What the first page shows to one person."""

    guides: list[Guide] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)  # sentences of how things stand
    shelves: list[Shelf] = field(default_factory=list)
    counts: Mapping[str, int] | None = None  # noun → records
    waiting: dict[str, int] = field(default_factory=dict)  # code of a source of things that wait → how many


class Registry(Protocol):
    """What the registry offers."""

    def furnish(self, actor: Actor, home: Home) -> None:
        """Add to a person's first page; a fixed number of queries."""
        ...

    def words(self) -> list[Word]:
        """Words of the registry with their meaning."""
        ...


_known: list[Registry] = []


def register(registry: Registry) -> None:
    """Say what the first page tells of records; the app of the registry does so when it is ready."""
    _known[:] = [registry]


def home_of(actor: Actor) -> Home:
    """The first page of a person. Cost: at most eleven queries, whatever the number of records."""
    home = Home()
    for source, number in todo.counted(actor):
        home.waiting[source.code] = number
        home.tasks.append(Task(source.label(), capped(number, todo.MOST), source.url(actor)))
    steps = list(_first_steps(actor))
    if steps:
        home.guides.append(Guide(_("岗位与账户"), steps))
    if (Post.Role.AUDITOR, f"/{Place.ROOT}/") in actor.posts:
        _tell_chain(home)
    if actor.holds("judge"):
        home.facts.append(_("目前没有等您评审的内容。"))
    for registry in _known:
        registry.furnish(actor, home)
    return home


def words() -> list[Word]:
    """Words of the site with their meaning."""
    return [word for registry in _known for word in registry.words()]


def chains(counts: Mapping[str, int] | None) -> list[tuple[str, list[Figure]]]:
    """The nouns of the registry under the chain to which they belong."""
    language, tables = page_language(), schema.tables()
    made = []
    for heading, nouns in CHAINS:
        figures = []
        for noun in nouns:
            meaning = tables[noun].meaning if language == "en" else tables[noun].meaning_zh
            count = None if counts is None else counts.get(noun, 0)
            url = reverse("list", args=[noun])
            figures.append(Figure(tables[noun].label(language), first_clause(meaning), url, count))
        made.append((str(heading), figures))
    return made


def capped(count: int, most: int) -> str:
    """A number as people read it, of which no more than `most` were counted.

    Examples
    --------
    >>> capped(3, 100), capped(101, 100)
    ('3', '100+')
    """
    return f"{most}+" if count > most else number_format(count, use_l10n=True)


def hide_steps(actor: Actor, *, is_hidden: bool) -> None:
    """Leave the first steps out of a person's first page, or show them again."""
    with transaction.atomic():
        User.objects.filter(pk=actor.user_id or 0).update(hides_steps=is_hidden)
        log(actor, "people.steps", detail={"is_hidden": is_hidden})


def roles_of(actor: Actor) -> set[str]:
    """The roles of DEEDS that a person has."""
    if actor.is_visitor:
        return {"visitor"}
    found = {role for role, _path in actor.posts}
    found |= {"enterprise"} if actor.orgs and not actor.expert_id else set()
    found |= {"researcher"} if actor.expert_id or not (actor.orgs or actor.posts) else set()
    return found | ({"manager"} if actor.led else set())


def _first_steps(actor: Actor) -> Iterator[Step]:
    """What the base knows of: how safe the account is, and whom an administrator appoints."""
    if not actor.posts:
        return
    safe = Authenticator.objects.filter(user_id=OuterRef("pk"), type__in=FACTORS)
    appointed = Post.objects.filter(_below(actor)).exclude(user_id=OuterRef("pk"))
    parks = Place.objects.filter(level=Place.Level.PARK)
    done = User.objects.filter(pk=actor.user_id or 0).values_list(Exists(safe), Exists(appointed), Exists(parks)).get()
    yield Step(
        _("启用两步验证"), _("您的岗位能看到不公开的信息，密码之外再加一道验证。"), reverse("mfa_index"), done[0]
    )
    if actor.holds("officer") or actor.holds("administrator"):
        yield Step(_("任命岗位"), _("邀请技术经理人等人员，各管一个地方。"), reverse("posts"), done[1])
    if actor.holds("administrator"):
        yield Step(_("设立园区"), _("在区县之下设立园区；没有园区的地方可以跳过。"), reverse("places"), done[2])


def _below(actor: Actor) -> Q:
    """Posts in the places that a person appoints to."""
    below = Q(pk__in=[])
    for path in actor.paths(("officer", "administrator")):
        below |= Q(place__path__startswith=path)
    return below


def _tell_chain(home: Home) -> None:
    """How far the log is sealed and verified."""
    found = audit.state()
    head, check, waiting = found["head"], found["check"], len(found["waiting"])
    if head is not None:
        home.facts.append(_("操作日志已封存到第 %(number)s 条。") % {"number": number_format(head.number)})
    else:
        home.facts.append(_("操作日志还没有封存。"))
    if check is None:
        home.facts.append(_("还没有核验过。"))
    elif check.finding:
        home.facts.append(_("%(at)s 核验发现异常。") % {"at": f"{localtime(check.at):%Y-%m-%d %H:%M}"})
    else:
        told = {"at": f"{localtime(check.at):%Y-%m-%d %H:%M}", "number": number_format(check.number)}
        home.facts.append(_("%(at)s 核验到第 %(number)s 条，未发现改动。") % told)
    home.tasks.append(Task(_("待封存的日志"), capped(waiting, audit.BATCH), reverse("audit")))
