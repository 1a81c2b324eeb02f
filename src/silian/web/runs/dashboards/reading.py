"""Which snapshot somebody reads of which place, and the figures in it; nothing is computed here."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
from django.core.exceptions import PermissionDenied
from django.http import Http404

from silian.web.runs.dashboards import storing
from silian.web.runs.dashboards.months import earlier, is_month
from silian.web.runs.dashboards.rules import may_freeze, places_of
from silian.web.runs.models import Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from silian.web.base.actors import Actor
    from silian.web.base.models import Place


class Told(NamedTuple):
    """One figure."""

    value: float | None
    of: float | None
    missing: int
    note: str


NOTHING = Told(None, None, 0, "no_data")


@dataclass(frozen=True)
class Desk:
    """What somebody reads: a place, a snapshot that covers it, and those it is compared with."""

    actor: Actor
    place: Place
    places: Sequence[Place]  # that the person may choose
    snapshot: Snapshot | None  # none: nothing was made yet
    own: Sequence[Snapshot] = field(default=())  # every snapshot that covers the place, the newest first

    @property
    def is_live(self) -> bool:
        """Whether it is what stands today, and not a frozen month."""
        return self.snapshot is not None and self.snapshot.kind == Snapshot.Kind.LIVE

    @property
    def months(self) -> list[str]:
        """The months that are frozen, the newest first."""
        return sorted({s.month for s in self.own if s.kind == Snapshot.Kind.MONTH}, reverse=True)

    @property
    def versions(self) -> list[Snapshot]:
        """The snapshots of the month that is read, the newest first."""
        return [s for s in self.own if self.snapshot and not self.is_live and s.month == self.snapshot.month
                and s.kind == Snapshot.Kind.MONTH]  # fmt: skip

    @property
    def successor(self) -> Snapshot | None:
        """The snapshot that has taken the place of the one that is read, if any."""
        return self.versions[0] if self.versions and self.versions[0] != self.snapshot else None

    @property
    def may_freeze(self) -> bool:
        """Whether the person may freeze what is read."""
        return may_freeze(self.actor, self.place.path)

    def of_month(self, month: str) -> Snapshot | None:
        """The newest snapshot of a month."""
        return next((s for s in self.own if s.kind == Snapshot.Kind.MONTH and s.month == month), None)

    @cached_property
    def before(self) -> Snapshot | None:
        """The month before."""
        return self.of_month(earlier(self.snapshot.month)) if self.snapshot else None

    @cached_property
    def year_before(self) -> Snapshot | None:
        """The same month of the year before."""
        return self.of_month(earlier(self.snapshot.month, 12)) if self.snapshot else None

    @property
    def query(self) -> dict[str, Any]:
        """What leads to the same place and snapshot again."""
        made: dict[str, Any] = {"place": self.place.pk}
        if self.snapshot and not self.is_live:
            made["month"] = self.snapshot.month
            if self.successor:
                made["of"] = self.snapshot.pk
        return made


def desk_of(actor: Actor, given: Mapping[str, str]) -> Desk:
    """What a request asks to read. Cost: two queries.

    Parameters
    ----------
    given : place, an id; month, such as 2026-10; of, the number of a snapshot of that month

    Raises
    ------
    PermissionDenied : for whoever reads the figures of no place
    Http404 : for a place that is none of theirs, and a month that was not frozen
    """
    places = places_of(actor)
    if not places:
        raise PermissionDenied
    asked = given.get("place", "")
    place = next((p for p in places if p.pk == asked), None) if asked else places[0]
    if place is None:
        raise Http404
    above = [part for part in place.path.split("/") if part]
    own = list(Snapshot.objects.filter(place_id__in=above).select_related("place", "by").order_by("-made_at", "-pk"))
    return Desk(actor, place, places, _asked(own, given), own)


def _asked(own: Sequence[Snapshot], given: Mapping[str, str]) -> Snapshot | None:
    month, number = given.get("month", ""), given.get("of", "")
    if not month:
        live = [s for s in own if s.kind == Snapshot.Kind.LIVE]
        return next(iter(live), None)
    frozen = [s for s in own if s.kind == Snapshot.Kind.MONTH and s.month == month] if is_month(month) else []
    if number:
        frozen = [s for s in frozen if str(s.pk) == number]
    if not frozen:
        raise Http404
    return frozen[0]


def figures_of(snapshot: Snapshot | None, place_id: str) -> dict[str, Told]:
    """The figures of a place in a snapshot by their measures; empty where there is no snapshot.

    Raises
    ------
    WebError : snapshot.changed
    """
    if snapshot is None:
        return {}
    every = storing.table_of(snapshot.folder, snapshot.digest, "figures").filter(place_id=place_id)
    return {row[1]: Told(*row[2:]) for row in every.iter_rows()}


def below(snapshot: Snapshot, place: Place, level: str) -> dict[str, str]:
    """The places of a level below a place when the snapshot was made: id → name in Chinese."""
    places = storing.table_of(snapshot.folder, snapshot.digest, "places")
    own = places.filter(pl.col("path").str.starts_with(place.path), level=level)
    return dict(own.select("place_id", "name").iter_rows())


def members_of(snapshot: Snapshot, place_id: str, measure: str) -> pl.DataFrame:
    """The rows behind a number: record_id and amount, each record once, by record_id.

    Raises
    ------
    WebError : snapshot.changed
    """
    places = storing.table_of(snapshot.folder, snapshot.digest, "places")
    path = places.filter(place_id=place_id)["path"].to_list()
    inside = places.filter(pl.col("path").str.starts_with(path[0] if path else "//"))["place_id"]
    every = storing.table_of(snapshot.folder, snapshot.digest, "members")
    own = every.filter(pl.col("measure") == measure, pl.col("place_id").is_in(inside.to_list()))
    return own.unique("record_id", keep="first", maintain_order=True).select("record_id", "amount")
