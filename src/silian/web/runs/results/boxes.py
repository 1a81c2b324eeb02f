"""On the page of a record: who can help with a need; which needs an achievement or an expert fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl
from django.utils.translation import gettext_lazy as _

from silian.web.base import personal
from silian.web.catalog.beside import interests
from silian.web.catalog.records import boxes
from silian.web.catalog.records.boxes import Box
from silian.web.catalog.rules import is_own
from silian.web.runs.results import matching
from silian.web.runs.results.names import named, org_of
from silian.web.runs.results.rules import READERS, Seat, in_force

if TYPE_CHECKING:
    from silian.web.base.actors import Actor
    from silian.web.catalog.models import Record

MATCHED: Final = ("needs", *matching.NOUNS)


def tell() -> None:
    """Put what the run in force says of a record on its page; name to the base what runs hold of people."""
    boxes.register(matches_box)
    own = personal.Kind(_("提交的运行"), ("name", "state", "made_at"), kept=personal.PSEUDONYM_STAYS)
    personal.KINDS.setdefault("runs.run.by", own)


def matches_box(actor: Actor, record: Record) -> Box | None:
    """What the run in force has found for a record: for who keeps it, and who looks after its place.

    Cost: nothing for others; else the run and its names, fifteen queries at most.
    """
    if record.noun not in MATCHED or actor.is_visitor:
        return None
    is_reader = any(actor.holds(role, over=record.place.path) for role in READERS)
    if not (is_own(actor, record) or is_reader):
        return None
    run = in_force(record.place.path)
    if run is None:
        return None
    seat = Seat(actor, run)
    if not seat.stored.is_ready:
        return None
    told: dict[str, Any] = {"seat": seat, "may_open": is_reader}
    if record.noun == "needs":
        return _of_need(seat, record, told)
    return _of_target(seat, record, told)


def _of_need(seat: Seat, record: Record, told: dict[str, Any]) -> Box | None:
    need = seat.stored.ready("needs").filter(need_id=record.record_id).collect().to_dicts()
    sides = [
        (noun, _helping(matching.rows_of(seat, noun, need, most=matching.BOX)[0]))
        for noun in matching.NOUNS
        if need and seat.stored.has(f"{noun.removesuffix('s')}_pairs")
    ]
    if not sides:
        return None
    return Box("runs/results/box_need.html", told | {"sides": sides, "org": _org(seat.actor)})


def _helping(row: matching.Row) -> matching.Row:
    """A need without the answers that were graded as none: nobody would ask them."""
    return row._replace(hits=[hit for hit in row.hits if hit.level != 1])


def _of_target(seat: Seat, record: Record, told: dict[str, Any]) -> Box | None:
    if not seat.stored.has(f"{record.noun.removesuffix('s')}_pairs"):
        return None
    rows, count = needs_of(seat, record)
    return Box("runs/results/box_target.html", told | {"rows": rows, "all": count, "org": _org(seat.actor)})


def needs_of(seat: Seat, record: Record) -> tuple[list[matching.Hit], int]:
    """The needs that an achievement or an expert fits best, of those a person may see; how many it fits in all."""
    pairs = seat.stored.result(f"{record.noun.removesuffix('s')}_pairs").filter(target_id=record.record_id)
    best = pairs.select("need_id", "target_id", "rank", "score").sort(["score", "need_id"], descending=[True, False])
    found = best.head(matching.BOX).collect()
    needs = named(seat.actor, "needs", found["need_id"].to_list(), seat.taken_at, beside=org_of("needs"))
    targets = named(seat.actor, record.noun, [record.record_id], seat.taken_at, beside=org_of(record.noun))
    hits = matching.hits_of(seat, record.noun, found, needs, targets)
    open_ = matching.open_interests(seat.actor, "needs", needs)
    rows = [
        _turned(seat, needs[need], hits[need, target], open_.get(need)) for need, target in hits if needs[need].record
    ]
    return rows, pairs.select(pl.len()).collect().item()


def _turned(seat: Seat, need: Any, hit: matching.Hit, interest: Any) -> matching.Hit:
    """A match as the answering side sees it: the need in the place of the answer."""
    may_ask = interests.may_ask(seat.actor, need.record)
    org = matching.org_name(seat.actor, need.record)
    return hit._replace(target=need, org=org, interest=interest, may_ask=may_ask)


def _org(actor: Actor) -> str:
    """The organisation for which a person asks; with several they choose on the page of the record."""
    return next(iter(actor.orgs)) if len(actor.orgs) == 1 else ""
