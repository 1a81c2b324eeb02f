"""Who sees which results: those who look after a place or lead it, of the run in force there; of which needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.urls import reverse

from silian.web.base.models import Place
from silian.web.catalog.rules import STEWARDS
from silian.web.runs.models import Run
from silian.web.runs.results.stored import Stored

if TYPE_CHECKING:
    from datetime import datetime

    from silian.web.base.actors import Actor

# Roles that see the results of a run of their place. A leader reads what is public of each record: `reasons.Open`.
READERS: Final = (*STEWARDS, "leader")


@dataclass(frozen=True)
class Seat:
    """What somebody sees of a run: all of it, or the needs of the places that they look after."""

    actor: Actor
    run: Run | None
    is_named: bool = False  # asked for by its number, not as the run in force
    paths: tuple[str, ...] = field(default=())  # of places below the run's; empty: all of it

    @cached_property
    def stored(self) -> Stored:
        """Its folder."""
        assert self.run is not None
        return Stored(self.run.folder)

    @cached_property
    def districts(self) -> frozenset[str] | None:
        """The districts whose needs are shown; None: all. Cost: one query at most."""
        if not self.paths:
            return None
        return frozenset(Place.objects.filter(path__startswith=self.paths[0]).values_list("pk", flat=True))

    @property
    def is_steward(self) -> bool:
        """Whether the person looks after the whole place of the run."""
        return self.run is not None and any(self.actor.holds(r, over=self.run.place.path) for r in STEWARDS)

    @property
    def is_open(self) -> bool:
        """Whether the person looks after every place whose needs are shown: none of their columns is closed."""
        shown = self.paths or ((self.run.place.path,) if self.run else ())
        return all(any(self.actor.holds(role, over=path) for role in STEWARDS) for path in shown)

    @property
    def taken_at(self) -> datetime:
        """When the records were read."""
        assert self.run is not None
        return self.run.begun_at or self.run.made_at

    def url(self, name: str, *parts: Any) -> str:
        """The address of a page of results, of the same run."""
        if self.is_named and self.run is not None:
            return reverse(f"run_{name}", args=[self.run.pk, *parts])
        return reverse(name, args=parts)

    def own(self, rows: pl.LazyFrame, column: str = "district_id") -> pl.LazyFrame:
        """The rows of needs that the person looks after."""
        if self.districts is None:
            return rows
        return rows.filter(pl.col(column).is_in(sorted(self.districts)))


def seat_of(actor: Actor, number: int | None) -> Seat:
    """What a person sees of a run, or of the one in force for their place. Cost: one query.

    Raises
    ------
    PermissionDenied : where the person looks after no place and leads none
    Http404 : where the numbered run is not there, not done, of a place that is none of theirs, or a trial of others
    """
    paths = sorted(actor.paths(READERS), key=lambda path: (len(path), path))
    if not paths:
        raise PermissionDenied
    if number is None:
        run = in_force(paths[0])
        return Seat(actor, run, paths=_below(run, paths))
    found = Run.objects.select_related("place").filter(pk=number, state=Run.State.DONE).first()
    if found is None or not any(_meet(found.place.path, path) for path in paths):
        raise Http404
    is_theirs = any(found.place.path.startswith(path) for path in actor.paths(STEWARDS))
    if not is_theirs and found.adopted_at is None:  # a trial: of those above, or of those who look after the place
        raise Http404
    return Seat(actor, found, is_named=True, paths=_below(found, paths))


def in_force(path: str) -> Run | None:
    """The run that pages of a place show: the one adopted last of the place or of one above it. Cost: one query."""
    parts = [part for part in path.split("/") if part]
    above = ["/" + "".join(f"{part}/" for part in parts[:n]) for n in range(1, len(parts) + 1)]
    adopted = Run.objects.filter(state=Run.State.DONE, adopted_at__isnull=False, place__path__in=above)
    return adopted.select_related("place").order_by("-adopted_at", "-pk").first()


def _meet(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _below(run: Run | None, paths: list[str]) -> tuple[str, ...]:
    """The place below the run's to which a person is kept, if any."""
    if run is None or any(run.place.path.startswith(path) for path in paths):
        return ()
    return tuple(path for path in paths if path.startswith(run.place.path))[:1]
