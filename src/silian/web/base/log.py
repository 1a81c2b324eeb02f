"""The log of what people read and did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from silian.web.base.models import LogEntry

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
    detail : plain values; no name, address or other personal data
    """
    LogEntry.objects.create(
        who=actor.pseudonym, action=action, noun=noun, record_id=record_id, detail=dict(detail or {})
    )
