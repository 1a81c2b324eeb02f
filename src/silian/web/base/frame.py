"""What every page shows around its own content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from silian.tables import schema

if TYPE_CHECKING:
    from django.http import HttpRequest

REGISTRY: Final = ("needs", "achievements", "experts", "organisations", "facilities", "products", "funds", "policies")


def frame(request: HttpRequest) -> dict[str, Any]:
    """Names for the frame's template."""
    language: schema.Language = "en" if get_language() == "en" else "zh"
    items = [{"url": reverse("home"), "name": _("首页"), "is_here": request.path == reverse("home")}]
    for noun in REGISTRY:
        table, url = schema.tables()[noun], reverse("list", args=[noun])
        meaning = table.meaning if language == "en" else table.meaning_zh
        items.append({
            "url": url, "name": table.label(language), "noun": noun, "meaning": meaning,
            "is_here": request.path.startswith(url),
        })  # fmt: skip
    actor = getattr(request, "actor", None)
    if actor is not None and any(actor.holds(role) for role in ("broker", "officer", "administrator")):
        url = reverse("imports")
        items.append({"url": url, "name": _("导入"), "is_here": request.path.startswith(url)})
    return {"actor": getattr(request, "actor", None), "navigation": items}
