"""What every page shows around its own content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from silian.tables import schema
from silian.web.base.actors import VISITOR
from silian.web.base.languages import page_language

if TYPE_CHECKING:
    from silian.web.base.actors import Actor
    from silian.web.base.requests import Request

REGISTRY: Final = ("needs", "achievements", "experts", "organisations", "facilities", "products", "funds", "policies")


STEWARDS: Final = ("broker", "officer", "administrator")
# Pages beside the registry: name of the address, label, roles that see it; leader: who manages an organisation,
# member: who belongs to one.
PAGES: Final = (
    ("imports", gettext_lazy("导入"), (*STEWARDS, "member")),
    ("waiting", gettext_lazy("待确认"), ("member",)),
    ("duplicates", gettext_lazy("查重"), STEWARDS),
    ("posts", gettext_lazy("人员与岗位"), ("officer", "administrator")),
    ("organisations", gettext_lazy("单位成员"), ("officer", "administrator", "leader")),
    ("audit", gettext_lazy("审计"), ("auditor",)),
    ("claims", gettext_lazy("专家认领"), (*STEWARDS, "leader")),
    ("bookings", gettext_lazy("我的预约"), ("member",)),
    ("changes", gettext_lazy("我的变更"), (*STEWARDS, "member")),
)


def frame(request: Request) -> dict[str, Any]:
    """Names for the frame's template."""
    language = page_language()
    items: list[dict[str, Any]] = [{"url": reverse("home"), "name": gettext("首页"), "is_here": request.path == "/"}]
    for noun in REGISTRY:
        table, url = schema.tables()[noun], reverse("list", args=[noun])
        meaning = table.meaning if language == "en" else table.meaning_zh
        is_here = request.path.startswith(url)
        items.append({"url": url, "name": table.label(language), "noun": noun, "meaning": meaning, "is_here": is_here})
    actor: Actor = getattr(request, "actor", VISITOR)
    for address, name, roles in PAGES:
        belongs = (actor.led and "leader" in roles) or (actor.orgs and "member" in roles)
        if any(actor.holds(role) for role in roles) or belongs:
            url = reverse(address)
            items.append({"url": url, "name": name, "is_here": request.path.startswith(url)})
    return {"actor": actor, "navigation": items}
