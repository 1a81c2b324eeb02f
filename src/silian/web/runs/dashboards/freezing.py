"""Making snapshots: the live one anew, a month for good.

A snapshot is written into a folder that nobody knows, then moved to its place in the transaction that makes its row: a
kill leaves either the whole snapshot or none, and of two that freeze the same month one finds the other's.
"""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from silian.errors import WebError
from silian.web.base.actors import VISITOR
from silian.web.base.log import log
from silian.web.base.models import Place
from silian.web.catalog.models import Need, Organisation
from silian.web.runs import notifying
from silian.web.runs.dashboards import storing
from silian.web.runs.dashboards.figures import Figures, closure, compute
from silian.web.runs.dashboards.inputs import Inputs, read
from silian.web.runs.dashboards.months import earlier, first_day, last_day, month_of
from silian.web.runs.dashboards.rows import is_rebuilt
from silian.web.runs.models import Snapshot

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

    from silian.web.base.actors import Actor

WHOLE: Final = "whole"  # the folder of snapshots of everything
YEAR: Final = 13  # months that are made at most when some were missed: a month, and the same one a year before
KEPT: Final = 2  # live snapshots: the one that is read, and the one before, which somebody may still be reading
ORPHAN: Final = 3600.0  # seconds after which a folder that was not moved to its place is nobody's


class Asked(NamedTuple):
    """Who wants a month frozen, and why; the site itself where nobody does."""

    actor: Actor = VISITOR
    reason: str = ""
    version: int | None = None  # the one that is to be made: asked for twice, it is made once


SITE: Final = Asked()


def renew(inputs: Inputs | None = None) -> Snapshot:
    """Make the live snapshot anew: everything as it stands. Cost: that of `inputs.read` and `figures.compute`."""
    inputs = inputs or read()
    place, month = Place.root(), month_of(inputs.day)
    folder = _written(inputs, compute(inputs, inputs.day), place, {"kind": "live", "as_of": inputs.day.isoformat()})
    with transaction.atomic():
        made = _placed(folder, _row(inputs, Snapshot.Kind.LIVE, place, month, inputs.day), SITE)
    old = list(Snapshot.objects.filter(kind=Snapshot.Kind.LIVE, place=place)[KEPT:])
    Snapshot.objects.filter(pk__in=[one.pk for one in old]).delete()
    for one in old:
        storing.drop(one.folder)
    _sweep()
    return made


def freeze(month: str, place: Place, *, asked: Asked = SITE, inputs: Inputs | None = None) -> Snapshot:
    """Freeze the figures of a place and all below it for a month: at its end, or today where it still runs.

    Parameters
    ----------
    asked : where its version is there already, that one is the answer; of the site itself, one as of the same day

    Raises
    ------
    WebError : snapshot.future if the month has not begun
    """
    inputs = inputs or read()
    if first_day(month) > inputs.day:
        raise WebError("snapshot.future", found=month)
    day = min(last_day(month), inputs.day)
    if found := _there(month, place, day, asked):
        return found
    told = {"kind": "month", "month": month, "as_of": day.isoformat(), "is_rebuilt": is_rebuilt(inputs, day)}
    folder = _written(inputs, narrowed(compute(inputs, day), inputs.places, place), place, told)
    row = _row(inputs, Snapshot.Kind.MONTH, place, month, day)
    try:
        with transaction.atomic():
            if asked.version:
                row.version = asked.version
            return _placed(folder, row, asked)
    except IntegrityError:
        storing.drop(folder)
        found = _there(month, place, day, asked)
        if found is None:
            raise
        return found


def catch_up(today: date | None = None, *, is_demo: bool = False) -> list[Snapshot]:
    """Freeze every month that is over and is not frozen at its end, the earliest first; doing it again makes nothing.

    Parameters
    ----------
    is_demo : make the months of a year, although the registry was not there yet: from the records' own dates
    """
    today = today or timezone.localdate()
    missing = _missing(month_of(today), is_demo=is_demo)
    if not missing:
        return []
    inputs, root = read(), Place.root()
    return [freeze(month, root, inputs=inputs) for month in missing]


def _missing(current: str, *, is_demo: bool) -> list[str]:
    own = Snapshot.objects.filter(kind=Snapshot.Kind.MONTH, place_id=Place.ROOT)
    frozen = {month for month, day in own.values_list("month", "as_of") if day == last_day(month)}
    oldest = [
        first for model in (Organisation, Need)
        if (first := model.objects.order_by("created_at").values_list("created_at", flat=True).first())
    ]  # fmt: skip
    if not oldest:
        return []
    begun = max(frozen, default=earlier(current, YEAR) if is_demo else month_of(timezone.localdate(min(oldest))))
    months = [earlier(current, n) for n in range(YEAR, 0, -1)]
    return [month for month in months if month >= begun and month not in frozen]


def narrowed(made: Figures, places: pl.DataFrame, place: Place) -> Figures:
    """The figures of a place and all below it, with the rows behind them."""
    below = closure(places).filter(place_id=place.pk).select(place_id="below")
    return Figures(
        made.figures.join(below, on="place_id", how="semi", maintain_order="left"),
        made.members.join(below, on="place_id", how="semi", maintain_order="left"),
    )


def _there(month: str, place: Place, day: date, asked: Asked) -> Snapshot | None:
    own = Snapshot.objects.filter(kind=Snapshot.Kind.MONTH, place=place, month=month)
    return (own.filter(version=asked.version) if asked.version else own.filter(as_of=day)).first()


def next_version(kind: str, place: Place, month: str) -> int:
    """The version that a snapshot of a month would have."""
    own = Snapshot.objects.filter(kind=kind, place=place, month=month).order_by("-version")
    return (own.values_list("version", flat=True).first() or 0) + 1


def _row(inputs: Inputs, kind: str, place: Place, month: str, day: date) -> Snapshot:
    version = next_version(kind, place, month)
    return Snapshot(
        kind=kind, place=place, month=month, version=version, as_of=day, is_rebuilt=is_rebuilt(inputs, day),
        run_id=inputs.run_number,
    )  # fmt: skip


def _written(inputs: Inputs, made: Figures, place: Place, told: dict[str, Any]) -> Path:
    folder = Path(settings.SNAPSHOTS_FOLDER) / f".making-{uuid.uuid4().hex}"
    below = closure(inputs.places).filter(place_id=place.pk).select(place_id="below")
    places = inputs.places.join(below, on="place_id", how="semi", maintain_order="left")
    storing.write(folder, made, places, {**told, "place": place.pk, "run": inputs.run_number})
    return folder


def _placed(folder: Path, row: Snapshot, asked: Asked) -> Snapshot:
    """Move a written folder to its place and make its row, within a transaction."""
    where = "live" if row.kind == Snapshot.Kind.LIVE else WHOLE if row.place_id == Place.ROOT else row.place_id
    row.name = f"{where}/{row.month}/v{row.version}"
    row.digest = storing.digest_of(folder)
    row.by_id, row.pseudonym, row.reason = asked.actor.user_id, asked.actor.pseudonym, asked.reason
    row.save(force_insert=True)
    detail = {"month": row.month, "place": row.place_id, "version": row.version, "digest": row.digest}
    if row.kind == Snapshot.Kind.MONTH:
        log(asked.actor, "snapshots.freeze", detail=detail)
        if row.month >= earlier(month_of(timezone.localdate()), 1):  # months that were missed long ago are no news
            notifying.frozen(asked.actor, row)
    if row.folder.exists():  # somebody was killed between moving it and the end of the transaction
        storing.drop(row.folder)
    row.folder.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(row.folder)
    return row


def _sweep() -> None:
    """Take away what was written by somebody who was killed."""
    for path in Path(settings.SNAPSHOTS_FOLDER).glob(".making-*"):
        if time.time() - path.stat().st_mtime > ORPHAN:
            storing.drop(path)
