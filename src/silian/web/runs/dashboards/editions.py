"""The monthly report of what a desk reads: its snapshot and those before, as an edition of Word and Excel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from silian.report.official import Edition, Gap
from silian.web.base.actors import VISITOR
from silian.web.base.languages import page_language
from silian.web.base.models import Place
from silian.web.runs.dashboards import storing
from silian.web.runs.dashboards.measures import NOTES
from silian.web.runs.dashboards.page import worst_gaps
from silian.web.runs.dashboards.reading import below
from silian.web.runs.dashboards.wording import note

if TYPE_CHECKING:
    import polars as pl

    from silian.web.runs.dashboards.reading import Desk
    from silian.web.runs.models import Snapshot


def edition_of(desk: Desk, snapshot: Snapshot) -> Edition:
    """The report of the place and the snapshot that are read. It is handed on, so it names what is public alone.

    Raises
    ------
    WebError : snapshot.changed
    """
    is_frozen = not desk.is_live
    called = {place.pk: str(place) for place in desk.places}
    names = below(snapshot, desk.place, Place.Level.COUNTY)
    language = page_language()
    return Edition(
        place_id=desk.place.pk, place=str(desk.place), month=snapshot.month, as_of=snapshot.as_of,
        issued=timezone.localdate(snapshot.made_at) if is_frozen else snapshot.as_of,
        figures=storing.table_of(snapshot.folder, snapshot.digest, "figures"), before=_figures(desk.before),
        year=_figures(desk.year_before),
        measures=storing.table_of(snapshot.folder, snapshot.digest, "measures"),
        districts={place: called.get(place, name) for place, name in names.items()},
        gaps=[Gap(gap.name, gap.kind) for gap in worst_gaps(desk, reader=VISITOR)],
        notes={code: note(code) for code in NOTES if code}, language=language, issuer=_issuer(desk, language),
        digest=snapshot.digest, version=snapshot.version, is_frozen=is_frozen, is_rebuilt=snapshot.is_rebuilt,
    )  # fmt: skip


def _figures(snapshot: Snapshot | None) -> pl.DataFrame | None:
    return None if snapshot is None else storing.table_of(snapshot.folder, snapshot.digest, "figures")


def _issuer(desk: Desk, language: str) -> str:
    """Who publishes, as SILIAN_PUBLISHER says; the place where it is silent."""
    name, english, *_rest = [part.strip() for part in f"{settings.SILIAN_PUBLISHER}|".split("|")]
    return (english if language == "en" else "") or name or str(desk.place)
