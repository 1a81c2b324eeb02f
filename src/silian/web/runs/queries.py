"""Which runs there are for whom, and which one holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db.models import Q
from django.http import Http404

from silian.web.base.models import Place
from silian.web.catalog.rules import STEWARDS
from silian.web.runs.models import Run
from silian.web.runs.results.rules import in_force

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from silian.web.base.actors import Actor

DECIDING: Final = ("officer", "administrator")  # who says which run holds


def current_run(place: Place) -> Run | None:
    """The run that pages of a place show. Cost: one query."""
    return in_force(place.path)


def visible_runs(actor: Actor) -> QuerySet[Run]:
    """The runs of one's places, and those adopted for a place above one of them."""
    found = Q(pk__in=[])
    for path in actor.paths(STEWARDS):
        parts = [part for part in path.split("/") if part]
        above = ["/" + "".join(f"{part}/" for part in parts[:n]) for n in range(1, len(parts))]
        found |= Q(place__path__startswith=path) | Q(adopted_at__isnull=False, place__path__in=above)
    return Run.objects.filter(found).select_related("place", "by").order_by("-pk")


def seen_or_404(actor: Actor, number: int) -> Run:
    """A run that a person may see.

    Raises
    ------
    Http404 : where there is none, or none for them
    """
    run = visible_runs(actor).filter(pk=number).first()
    if run is None:
        raise Http404
    return run


def may_start(actor: Actor, place: Place) -> bool:
    """Whether a person may have a place's needs worked on, and end such a run."""
    return any(actor.holds(role, over=place.path) for role in STEWARDS)


def may_adopt(actor: Actor, place: Place) -> bool:
    """Whether a person may say which run holds for a place."""
    return any(actor.holds(role, over=place.path) for role in DECIDING)


def places_of(actor: Actor) -> QuerySet[Place]:
    """The places whose needs a person may have worked on, from the top down."""
    found = Q(pk__in=[])
    for path in actor.paths(STEWARDS):
        found |= Q(path__startswith=path)
    return Place.objects.filter(found).order_by("path")
