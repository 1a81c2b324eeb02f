"""The log of what people read and did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from silian.web.base.models import LogEntry
from silian.web.base.requests import NUMBER, TOKEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from silian.web.base.actors import Actor


def log(
    actor: Actor, action: str, *, noun: str = "", record_id: str = "", detail: Mapping[str, Any] | None = None
) -> None:
    """Write that somebody did or read something, in the transaction of what it tells of.

    Parameters
    ----------
    action : noun and verb, such as needs.edit
    detail : texts, whole numbers, flags and lists of them; no name, address or other personal data, and no number with
        a fraction: databases write these differently, and the digest is made of what is read back
    """
    told = dict(detail or {}) | ({"token": number} if (number := TOKEN.get()) else {})
    LogEntry.objects.create(
        who=actor.pseudonym, action=action, noun=noun, record_id=record_id, detail=told,
        request_id=NUMBER.get(),
    )  # fmt: skip
