"""The figures of a place, as the leader's page shows them: of today, or of a month that was frozen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from ninja import Schema
from pydantic import Field

from silian.web.api import shapes
from silian.web.api.callers import caller_of
from silian.web.api.surface import Offer, offer, told
from silian.web.base.languages import page_language
from silian.web.base.log import log
from silian.web.catalog.fields import ID_LENGTH
from silian.web.runs.dashboards.measures import measures
from silian.web.runs.dashboards.reading import desk_of, figures_of
from silian.web.runs.dashboards.wording import note

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from ninja import NinjaAPI

    from silian.web.runs.dashboards.measures import Measure
    from silian.web.runs.dashboards.reading import Told

TAG = "Figures 总览"


class FigureOut(Schema):
    """One figure."""

    code: str
    name: str = Field(description="In the language of the request, as the meaning and the note")
    meaning: str
    chain: str
    unit: str
    direction: Literal["up", "down", "none"] = Field(description="up: more is better; down: less is")
    period: Literal["stock", "month"] = Field(description="stock: on the day; month: in the month up to the day")
    value: float | None = Field(description="null: not known, and the note says why")
    of: float | None = Field(description="The whole of which it is a part")
    missing: int = Field(description="Records that lack what it needs, and are not in it")
    note: str | None


class FiguresOut(Schema):
    """The figures of a place and all below it."""

    place_id: str
    kind: Literal["live", "month"] | None = Field(description="null: none were made yet")
    month: str | None = Field(examples=["2026-10"])
    version: int | None = Field(description="Of the month; one with a higher number has taken the place of a lower")
    snapshot: int | None
    as_of: str | None
    made_at: str | None
    is_rebuilt: bool = Field(description="Made long after the day, from the dates of the records")
    run: int | None = Field(description="That was in force")
    digest: str | None = Field(description="SHA-256 of the list of its files")
    months: list[str] = Field(description="That are frozen, the newest first")
    figures: list[FigureOut]


class FiguresQuery(shapes.Strict):
    """Of which place and month."""

    place: Annotated[str, Field(max_length=ID_LENGTH)] = Field(
        default="", description="Empty: the highest that the person reads"
    )
    month: Annotated[str, Field(pattern=r"^(\d{4}-\d{2})?$")] = Field(
        default="", description="Of a frozen snapshot; empty: of today", examples=["2026-10"]
    )
    snapshot: Annotated[int, Field(ge=1, le=shapes.FAR)] | None = Field(
        default=None, description="An older one of the month"
    )


def offer_figures(api: NinjaAPI) -> None:
    """Offer the figures of the leader's page."""
    offer(api, "GET", "/figures", Offer(
        "read_figures", TAG, "The figures of a place and all below it: of today, or of a month that was frozen",
        "read:figures", query=FiguresQuery, gives={200: FiguresOut}, problems=(404, 503),
    ), _figures)  # fmt: skip


def _figures(request: HttpRequest, asked: Any) -> HttpResponse:
    given = {"place": asked.place, "month": asked.month, "of": str(asked.snapshot or "")}
    desk = desk_of(caller_of(request).actor, given)
    snapshot = desk.snapshot
    every = figures_of(snapshot, desk.place.pk)
    log(desk.actor, "figures.read", detail={"place": desk.place.pk, "month": asked.month})
    shown: dict[str, Any] = dict.fromkeys(FiguresOut.model_fields)
    shown |= {"place_id": desk.place.pk, "months": desk.months, "is_rebuilt": False}
    if snapshot:
        shown |= {
            "kind": snapshot.kind, "month": snapshot.month, "version": snapshot.version, "snapshot": snapshot.pk,
            "as_of": snapshot.as_of.isoformat(), "made_at": snapshot.made_at.isoformat(), "run": snapshot.run_id,
            "is_rebuilt": snapshot.is_rebuilt, "digest": snapshot.digest,
        }  # fmt: skip
    shown["figures"] = [_figure(m, every[code]) for code, m in measures().items() if code in every]
    return told(shown)


def _figure(measure: Measure, found: Told) -> dict[str, Any]:
    language = page_language()
    return {
        "code": measure.code, "name": measure.name(language), "meaning": measure.meaning(language),
        "chain": measure.chain, "unit": measure.unit, "direction": measure.direction, "period": measure.period,
        "value": found.value, "of": found.of, "missing": found.missing, "note": note(found.note) or None,
    }  # fmt: skip
