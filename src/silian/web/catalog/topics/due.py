"""Whose topics a change touches: written in the transaction of the change, so that no kill loses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from silian.web.catalog.inserting import insert
from silian.web.catalog.models import TopicsDue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TOLD_BY: Final = {"experts": "expert_id", "works": "expert_id", "achievements": "expert_ids"}  # noun → who it tells of


def put(noun: str, changed: Iterable[tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]]) -> None:
    """Say that records of a noun have changed, from their values before and after."""
    column = TOLD_BY.get(noun)
    if column is None:
        return
    found: set[str] = set()
    for pair in changed:
        for values in filter(None, pair):
            named = values.get(column) or ()
            found |= {named} if isinstance(named, str) else set(named)
    insert(TopicsDue, ("expert_id",), ((expert_id[:100],) for expert_id in sorted(found)))


def put_all() -> None:
    """Say that the topics of all are to be told again."""
    TopicsDue.objects.create(expert_id="")
