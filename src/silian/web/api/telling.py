"""Records as the API gives them: the columns that the asker may see, and the names of those that they may not."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.urls import reverse

from silian.web.api.surface import told
from silian.web.catalog.models import MODELS
from silian.web.catalog.records.publishing import may_publish
from silian.web.catalog.rules import may, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import HttpRequest, HttpResponse

    from silian.web.api.cursors import Part
    from silian.web.base.actors import Actor
    from silian.web.catalog.models import Record


def record(actor: Actor, found: Record, *, is_mutual: bool) -> dict[str, Any]:
    """One record as a person may see it."""
    names = shown(actor, found, is_mutual=is_mutual)
    values = {c.name: _plain(getattr(found, c.name)) for c in found.table.columns if c.name in names}
    return {
        "id": found.record_id, "noun": found.noun, "self": address(found.noun, found.record_id),
        "page": reverse("detail", args=[found.noun, found.record_id]), "version": found.version,
        "state": found.state, "owner_id": found.owner_id or None, "place_id": found.place_id,
        "created_at": found.created_at.isoformat(), "updated_at": found.updated_at.isoformat(),
        "confirmed_on": found.confirmed_on and found.confirmed_on.isoformat(), "values": values,
        "hidden": [c.name for c in found.table.columns if c.name not in names],
        "translations": {n: {"en": t["en"]} for n, t in found.translations.items() if n in names and t.get("en")},
        "may": _may(actor, found),
    }  # fmt: skip


def address(noun: str, record_id: str) -> str:
    """Where a record stands in the API."""
    return reverse(f"api-v1:api_read_{MODELS[noun].__name__}", args=[record_id])


def tag(found: Record, names: frozenset[str]) -> str:
    """The ETag of a record: its version, which a change says again, and what the asker sees of it."""
    seen = hashlib.sha256(" ".join(sorted(names)).encode()).hexdigest()[:8]
    return f'"{found.version}.{seen}"'


def listed(request: HttpRequest, part: Part, item: Callable[[Any], Mapping[str, Any]]) -> HttpResponse:
    """A page of a list, and where the next one is."""
    following, headers = None, {}
    if part.cursor:
        given = {name: value for name, value in request.GET.items() if name != "cursor"} | {"cursor": part.cursor}
        following = f"{request.path}?{urlencode(given)}"
        headers["Link"] = f'<{following}>; rel="next"'
    items = [item(row) for row in part.rows]
    return told({"items": items, "next_cursor": part.cursor, "next": following}, headers=headers)


def _plain(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return None if value == "" else value


def _may(actor: Actor, found: Record) -> list[str]:
    if actor.is_visitor:
        return []
    allowed = {
        "edit": may(actor, "edit", found), "publish": may_publish(actor, found),
        "withdraw": may(actor, "withdraw", found), "history": may(actor, "history", found),
    }  # fmt: skip
    return [name for name, is_allowed in allowed.items() if is_allowed]
