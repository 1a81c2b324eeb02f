"""Who reads the figures of which places, and who freezes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from silian.web.base.models import Place

if TYPE_CHECKING:
    from silian.web.base.actors import Actor

READERS: Final = ("leader", "officer", "administrator")
FREEZERS: Final = ("officer", "administrator")


def may_read(actor: Actor, path: str) -> bool:
    """Whether a person reads the figures of the place with a path."""
    return any(actor.holds(role, over=path) for role in READERS)


def may_freeze(actor: Actor, path: str) -> bool:
    """Whether a person freezes the figures of the place with a path."""
    return any(actor.holds(role, over=path) for role in FREEZERS)


def places_of(actor: Actor) -> list[Place]:
    """The places whose figures a person reads, from above down. Cost: one query."""
    every = Place.objects.order_by("path")
    return [place for place in every if may_read(actor, place.path)]
