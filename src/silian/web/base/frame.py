"""What every page shows around its own content."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from silian.tables import schema
from silian.web.base.actors import VISITOR
from silian.web.base.languages import page_language
from silian.web.base.models import Notification, User

if TYPE_CHECKING:
    from silian.web.base.actors import Actor
    from silian.web.base.requests import Request

# The registry by the four chains: heading, nouns.
CHAINS: Final = (
    (gettext_lazy("创新链"), ("achievements", "facilities")),
    (gettext_lazy("产业链"), ("needs", "organisations", "products")),
    (gettext_lazy("资金链"), ("funds", "policies")),
    (gettext_lazy("人才链"), ("experts",)),
)
FEW: Final = 100  # from which a number in the frame is only said to be large
ROOT: Final = "region"  # the place above all others
STEWARDS: Final = ("broker", "officer", "administrator")
# Pages beside the registry by what they are for: heading, and of each page the name of its address, its label, the
# roles that see it (root: of the whole region alone); anybody: who is signed in, member: who belongs to an
# organisation, manager: who manages one.
PAGES: Final = (
    (
        gettext_lazy("运行结果"),
        (
            ("dashboard", gettext_lazy("四链总览"), ("leader", "officer", "administrator")),
            ("matches", gettext_lazy("需求匹配"), (*STEWARDS, "leader")),
            ("assignment", gettext_lazy("专家指派"), (*STEWARDS, "leader")),
            ("gaps", gettext_lazy("产业链缺口"), (*STEWARDS, "leader")),
            ("districts", gettext_lazy("区县地图"), (*STEWARDS, "leader")),
            ("runs", gettext_lazy("运行"), STEWARDS),
        ),
    ),
    (
        gettext_lazy("工作台"),
        (
            ("todo", gettext_lazy("待办"), ("anybody",)),
            ("waiting", gettext_lazy("待确认"), ("member",)),
            ("interests", gettext_lazy("意向"), ("anybody",)),
            ("bookings", gettext_lazy("我的预约"), ("anybody",)),
            ("claims", gettext_lazy("专家认领"), ("anybody",)),
            ("imports", gettext_lazy("导入"), (*STEWARDS, "member")),
            ("exports", gettext_lazy("导出"), ("anybody",)),
            ("duplicates", gettext_lazy("查重"), STEWARDS),
            ("searches", gettext_lazy("检索收藏"), ("anybody",)),
            ("changes", gettext_lazy("我的变更"), ("anybody",)),
            ("tokens", gettext_lazy("接口令牌"), ("anybody",)),
        ),
    ),
    (
        gettext_lazy("管理"),
        (
            ("posts", gettext_lazy("人员与岗位"), ("officer", "administrator")),
            ("organisations", gettext_lazy("单位成员"), ("officer", "administrator", "manager")),
            ("places", gettext_lazy("区域"), ("officer", "administrator")),
            ("audit", gettext_lazy("审计"), ("auditor",)),
            ("operation", gettext_lazy("运行状况"), ("root administrator",)),
            ("checklist", gettext_lazy("等级保护自查表"), ("root auditor",)),
        ),
    ),
)


def frame(request: Request) -> dict[str, Any]:
    """Names for the frame's template: the navigation in groups of a heading and its links."""
    actor: Actor = getattr(request, "actor", VISITOR)
    home = {"url": reverse("home"), "name": gettext("首页"), "is_here": request.path == "/"}
    groups: list[tuple[str, list[dict[str, Any]]]] = [("", [home])]
    groups += [(str(name), [_noun(request, noun) for noun in nouns]) for name, nouns in CHAINS]
    for name, pages in PAGES:
        links = [_page(request, address, str(label)) for address, label, roles in pages if _sees(actor, roles)]
        if links:
            groups.append((str(name), links))
    return {"actor": actor, "navigation": groups, "desk_top": partial(_desk, actor)}


def _desk(actor: Actor) -> dict[str, str]:
    """How much waits for a person, and how many notifications they have not read; one query, when a page asks."""
    unread = Notification.objects.filter(user_id=OuterRef("pk"), on_site=True, read_at=None).order_by()
    number = Coalesce(Subquery(unread.values("user_id").annotate(n=Count("pk")).values("n")), 0)
    found = User.objects.filter(pk=actor.user_id or 0).values_list(number, "desk__todo").first()
    count, todo = found or (0, 0)
    return {"unread": _few(count), "todo": _few(todo or 0)}


def _few(number: int) -> str:
    return "" if not number else str(number) if number < FEW else f"{FEW - 1}+"


def _noun(request: Request, noun: str) -> dict[str, Any]:
    table = schema.tables()[noun]
    language = page_language()
    url = reverse("list", args=[noun])
    is_here = request.path.startswith(url)
    return {"url": url, "name": table.label(language), "noun": noun, "is_here": is_here}


def _page(request: Request, address: str, name: str) -> dict[str, Any]:
    url = reverse(address)
    return {"url": url, "name": name, "is_here": request.path.startswith(url)}


def _sees(actor: Actor, roles: tuple[str, ...]) -> bool:
    """Whether a page is for one of a person's roles."""
    belongs = (actor.led and "manager" in roles) or (actor.orgs and "member" in roles)
    is_anybody = "anybody" in roles and not actor.is_visitor
    of_all = {role.removeprefix("root ") for role in roles if role.startswith("root ")}
    is_of_all = any((role, f"/{ROOT}/") in actor.posts for role in of_all)
    return bool(belongs) or is_anybody or is_of_all or any(actor.holds(role) for role in roles)
