"""Boxes that rooms above the registry put on the page of a record: they say so when they are ready."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from silian.web.base.actors import Actor
    from silian.web.catalog.models import Record


class Box(NamedTuple):
    """What stands on the page of a record: a template and what it tells."""

    template: str
    told: dict[str, Any]


_makers: Final[list[Callable[[Actor, Record], Box | None]]] = []


def register(maker: Callable[[Actor, Record], Box | None]) -> None:
    """Name what makes a box for a person and a record, or None where there is nothing for them."""
    if maker not in _makers:
        _makers.append(maker)


def boxes_of(actor: Actor, record: Record) -> list[Box]:
    """The boxes of a record's page for one person."""
    return [box for maker in _makers if (box := maker(actor, record)) is not None]
