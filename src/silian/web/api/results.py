"""Addresses of runs and of what they found: start one, end one; the matches of a need, an achievement, an expert."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

from django.core.exceptions import PermissionDenied
from django.urls import reverse
from ninja import Schema
from pydantic import Field

from silian.errors import WebError
from silian.pipeline import STEPS as JOB
from silian.web.api import shapes, telling
from silian.web.api.callers import caller_of
from silian.web.api.cursors import Order, part
from silian.web.api.problems import Problem
from silian.web.api.reading import tag_of
from silian.web.api.surface import NUMBER, Offer, offer, told
from silian.web.base.log import log
from silian.web.catalog.fields import ID_LENGTH
from silian.web.catalog.records.reading import seen_or_404
from silian.web.catalog.rules import STEWARDS, is_own
from silian.web.runs import queries, starting
from silian.web.runs.plans import LONGEST
from silian.web.runs.results import matching
from silian.web.runs.results.boxes import MATCHED, needs_of
from silian.web.runs.results.rules import READERS, Seat, in_force

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from ninja import NinjaAPI

    from silian.web.base.actors import Actor
    from silian.web.catalog.models import Record
    from silian.web.runs.models import Run
    from silian.web.runs.results.matching import Hit

TAG = "Runs 运行"
STEPS = tuple(step.name for step in JOB)


class RunOut(Schema):
    """A run of the engines on the registry."""

    number: int
    self: str
    name: str
    place_id: str
    steps: list[str] = Field(description="Of the main job; empty: all")
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    made_at: str
    begun_at: str | None
    ended_at: str | None
    adopted_at: str | None = Field(description="The one adopted last of a place, or of one above it, is in force there")
    progress: dict[str, Any]
    code: str | None = Field(description="Of the error that ended it")


class RunNew(shapes.Strict):
    """What is to be worked on."""

    place_id: Annotated[str, Field(max_length=ID_LENGTH)] = Field(description="Whose needs; of all below it too")
    name: Annotated[str, Field(max_length=100)] = Field(default="", description="Empty: the place and the day")
    steps: list[Literal[STEPS]] = Field(  # type: ignore[valid-type]
        default=[], max_length=len(STEPS), description="Of the main job, each with what it rests on; empty: all"
    )
    plan: Annotated[str, Field(max_length=LONGEST)] = Field(
        default="", description="TOML, with what is not as by default: the plan of `silian run`"
    )
    adopts: bool = Field(default=False, description="Whether its results hold as soon as it is done")


class RunQuery(shapes.Strict):
    """Which runs."""

    state: Literal["waiting", "running", "done", "failed", "cancelled"] | None = None
    limit: Annotated[int, Field(ge=1, le=shapes.MOST)] = shapes.PAGE
    cursor: Annotated[str, Field(max_length=2000)] | None = None


class MatchOut(Schema):
    """One answer to a need."""

    id: str
    name: str = Field(description="Its id where it is not there for the asker")
    self: str | None = Field(description="Its address; null: it is not there for the asker")
    state: str = Field(description="Empty: as the run has read it; changed, withdrawn, expired, draft, gone")
    organisation: str | None
    rank: int
    score: float = Field(description="0 to 1; comparable within a need")
    level: str | None = Field(description="In words, where it was graded")
    why: str = Field(description="What speaks for it, as far as the asker may read what it is made of")
    terms: list[str] = Field(description="Shared words that count most")
    against: list[str] = Field(description="What speaks against it")


class MatchesOut(Schema):
    """The answers to a need."""

    run: RunOut | None = Field(description="That is in force; null: there is none")
    achievements: list[MatchOut]
    experts: list[MatchOut]


class FitsOut(Schema):
    """The needs that an achievement or an expert fits."""

    run: RunOut | None = Field(description="That is in force; null: there is none")
    needs: list[MatchOut] = Field(description="The best first; `rank` is among the answers to that need")
    count: int = Field(description="How many it fits in all, those too that the asker may not see")


def offer_results(api: NinjaAPI) -> None:
    """Offer runs and matches."""
    offer(api, "GET", "/runs", Offer(
        "list_runs", TAG, "List: of the places that one looks after, and what holds for them; the newest first",
        "read:runs", query=RunQuery, gives={200: shapes.page_of("RunPage", RunOut)},
    ), _runs)  # fmt: skip
    offer(api, "GET", "/runs/{number}", Offer(
        "read_run", TAG, "How far one is", "read:runs", parts={"number": NUMBER}, gives={200: RunOut}, problems=(404,),
    ), _run)  # fmt: skip
    offer(api, "POST", "/runs", Offer(
        "start_run", TAG, "Start one; the same one, where it is under way already", "write:runs", body=RunNew,
        text="202 with its address where it is new, 200 where the same run of the place is under way.",
        gives={200: RunOut, 202: RunOut},
    ), _start)  # fmt: skip
    offer(api, "POST", "/runs/{number}/cancel", Offer(
        "cancel_run", TAG, "End one; what was adopted before goes on to hold", "write:runs",
        parts={"number": NUMBER}, gives={200: RunOut}, problems=(404, 409),
    ), _cancel)  # fmt: skip
    offer(api, "GET", "/needs/{record:record_id}/matches", Offer(
        "read_matches", tag_of("needs"), "Who can help with a need, from the run in force", "read:runs",
        text=f"For who looks after the place of the need, all; for who keeps it the best {matching.BOX} of each kind.",
        parts={"record_id": str}, gives={200: MatchesOut}, problems=(404,),
    ), _matches)  # fmt: skip

    for noun, name in (("achievements", "an achievement"), ("experts", "an expert")):
        offer(api, "GET", f"/{noun}/{{record:record_id}}/matches", Offer(
            f"read_{noun}_matches", tag_of(noun), f"Which needs {name} fits, from the run in force", "read:runs",
            text=f"The best {matching.BOX}, for who keeps it and who looks after its place or leads it.",
            parts={"record_id": str}, gives={200: FitsOut}, problems=(404,),
        ), partial(_fits, noun=noun))  # fmt: skip


def _runs(request: HttpRequest, asked: Any) -> HttpResponse:
    actor = caller_of(request).actor
    if not any(actor.holds(role) for role in STEWARDS):
        raise PermissionDenied
    found = queries.visible_runs(actor)
    if asked.state:
        found = found.filter(state=asked.state)
    page = part(
        found, order=Order(None, is_down=True), limit=asked.limit, cursor=asked.cursor or "",
        asked={"state": asked.state, "of": actor.user_id},
    )  # fmt: skip
    return telling.listed(request, page, shown)


def _run(request: HttpRequest, number: int) -> HttpResponse:
    return told(shown(_seen(caller_of(request).actor, number)))


def _start(request: HttpRequest, given: Any) -> HttpResponse:
    actor = caller_of(request).actor
    if not any(actor.holds(role) for role in STEWARDS):
        raise PermissionDenied
    place = queries.places_of(actor).filter(pk=given.place_id).first()
    if place is None:
        raise Problem("api.values", more={"errors": [{"pointer": "/place_id", "detail": "?"}]})
    if given.adopts and not queries.may_adopt(actor, place):
        raise PermissionDenied
    run, is_new = starting.start(
        actor, place=place, name=given.name.strip(), steps=given.steps, plan=given.plan, adopts=given.adopts
    )
    made = shown(run)
    return told(made, status=202 if is_new else 200, headers={"Location": made["self"]} if is_new else None)


def _cancel(request: HttpRequest, number: int) -> HttpResponse:
    actor = caller_of(request).actor
    run = _seen(actor, number)
    if not queries.may_start(actor, run.place):
        raise PermissionDenied
    if not starting.cancel(actor, run):
        run.refresh_from_db()
        raise WebError("api.state", found=run.state)
    run.refresh_from_db()
    return told(shown(run))


def _seen(actor: Actor, number: int) -> Run:
    if not any(actor.holds(role) for role in STEWARDS):
        raise PermissionDenied
    return queries.seen_or_404(actor, number)


def _asked(request: HttpRequest, noun: str, record_id: str) -> tuple[Record, Seat, bool]:
    """A record, what the asker sees of the run in force for it, and whether as one who reads the results there."""
    actor = caller_of(request).actor
    record = seen_or_404(actor, noun, record_id)
    is_reader = any(actor.holds(role, over=record.place.path) for role in READERS)
    if not (is_own(actor, record) or is_reader):
        raise PermissionDenied
    seat = Seat(actor, in_force(record.place.path))
    if seat.run is not None:
        log(actor, "runs.read", detail={"run": seat.run.pk, "page": record.noun.removesuffix("s")})
    return record, seat, is_reader


def _fits(request: HttpRequest, record_id: str, *, noun: str) -> HttpResponse:
    record, seat, _is_reader = _asked(request, noun, record_id)
    found: dict[str, Any] = {"run": seat.run and shown(seat.run), "needs": [], "count": 0}
    if seat.run is not None and seat.stored.is_ready and seat.stored.has(f"{noun.removesuffix('s')}_pairs"):
        rows, found["count"] = needs_of(seat, record)
        found["needs"] = [_match(MATCHED[0], hit) for hit in rows]
    return told(found)


def _matches(request: HttpRequest, record_id: str) -> HttpResponse:
    record, seat, is_reader = _asked(request, MATCHED[0], record_id)
    found: dict[str, Any] = {"run": seat.run and shown(seat.run), "achievements": [], "experts": []}
    if seat.run is None:
        return told(found)
    need = (
        seat.stored.ready("needs").filter(need_id=record.record_id).collect().to_dicts() if seat.stored.is_ready else []
    )
    for noun in matching.NOUNS:
        if need and seat.stored.has(f"{noun.removesuffix('s')}_pairs"):
            rows = matching.rows_of(seat, noun, need, most=None if is_reader else matching.BOX)
            found[noun] = [_match(noun, hit) for hit in rows[0].hits]
    return told(found)


def _match(noun: str, hit: Hit) -> dict[str, Any]:
    is_there = hit.target.record is not None
    return {
        "id": hit.target.id, "name": hit.target.name, "state": hit.target.state, "organisation": hit.org or None,
        "self": telling.address(noun, hit.target.id) if is_there else None, "rank": hit.rank, "score": hit.score,
        "level": hit.level or None, "why": hit.why.sentence, "terms": list(hit.why.terms),
        "against": list(hit.why.against),
    }  # fmt: skip


def shown(run: Run) -> dict[str, Any]:
    """A run as the API gives it."""
    times = {name: getattr(run, name) for name in ("made_at", "begun_at", "ended_at", "adopted_at")}
    return {
        "number": run.pk, "self": reverse("api-v1:api_read_run", args=[run.pk]), "name": run.name,
        "place_id": run.place_id, "steps": run.steps.split(), "state": run.state, "progress": run.progress,
        "code": run.code or None, **{name: at and at.isoformat() for name, at in times.items()},
    }  # fmt: skip
