"""All likely duplicates among the records of a noun in a place: found in the background, decided by people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl
from django.db import transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from silian.engines import link
from silian.web.base.log import log
from silian.web.base.models import Place
from silian.web.catalog import notifying
from silian.web.catalog.duplicates.blocking import told_of
from silian.web.catalog.duplicates.likeness import SHOWN, Likeness, compare
from silian.web.catalog.models import MODELS, DuplicatePair, DuplicateReport, MatchKey, Reason, Record
from silian.web.catalog.rules import STEWARDS
from silian.web.catalog.tables import table_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.db.models import QuerySet

    from silian.web.base.actors import Actor

HOLDERS: Final = 15  # records under one key; what more share says nothing
STEP: Final = 4000  # pairs compared before the count on the page moves
WRITTEN: Final = 1000  # rows a statement
Pair = tuple[str, str]


class Asked(NamedTuple):
    """What a list of pairs is asked for."""

    noun: str
    place: str = ""  # id of a place: both records lie in it
    decision: str = DuplicatePair.Decision.OPEN
    reason: str = ""
    least: float = 0.0


def stewarded(actor: Actor, noun: str, within: str = "") -> QuerySet[Record]:
    """The records of a noun that a person may merge; within a place with a path."""
    allowed = Q(pk__in=[])
    for path in actor.paths(STEWARDS):
        allowed |= Q(place__path__startswith=path)
    records = MODELS[noun].objects.filter(place__path__startswith=within) if within else MODELS[noun].objects.all()
    return records if f"/{Place.ROOT}/" in actor.paths(STEWARDS) else records.filter(allowed)


def pairs_of(actor: Actor, asked: Asked) -> QuerySet[DuplicatePair]:
    """The pairs that a person may decide, both records being there, the likeliest first."""
    place = Place.objects.filter(pk=asked.place).first() if asked.place else None
    there = stewarded(actor, asked.noun, place.path if place else "").values("pk")
    found = DuplicatePair.objects.filter(noun=asked.noun, left_id__in=there, right_id__in=there)
    found = found.filter(decision=asked.decision, confidence__gte=asked.least)
    if asked.reason:
        found = found.alias(told=Cast("reasons", TextField())).filter(told__contains=f'"{asked.reason}"')
    return found.order_by("-confidence", "group_id", "left_id", "right_id")


@transaction.atomic
def decide(actor: Actor, pair: DuplicatePair, decision: str) -> None:
    """Keep what a person says of two records; every later report heeds it."""
    DuplicatePair.objects.filter(pk=pair.pk).update(
        decision=decision, decided_by=actor.pseudonym, decided_at=timezone.now()
    )
    log(actor, "duplicates.decide", noun=pair.noun, record_id=pair.left_id, detail={"pair": pair.pk, "is": decision})


def find(report: DuplicateReport) -> None:
    """Look through a place, and keep the pairs found; begun again after a kill, it ends the same.

    What was decided stays decided; open pairs that are no longer alike go.
    """
    ids = set(_within(report).values_list("pk", flat=True))
    sure = _linked(report.noun, ids)
    candidates = sorted(_candidates(report.noun, ids) | set(sure))
    DuplicateReport.objects.filter(pk=report.pk).update(total=len(candidates), done=0)
    found: dict[Pair, Likeness] = {}
    for start in range(0, len(candidates), STEP):
        part = candidates[start : start + STEP]
        found |= dict(_compared(report.noun, part, sure))
        DuplicateReport.objects.filter(pk=report.pk).update(done=start + len(part))
    with transaction.atomic():
        _keep(report, ids, found)
        DuplicateReport.objects.filter(pk=report.pk).update(
            state=DuplicateReport.State.DONE, found=len(found), done=len(candidates)
        )
        notifying.looked_through(report, len(found))


def _within(report: DuplicateReport) -> QuerySet[Record]:
    return MODELS[report.noun].objects.filter(place__path__startswith=report.place.path)


def _candidates(noun: str, ids: set[str]) -> set[Pair]:
    """Pairs of records that share a key which not too many share."""
    rows = MatchKey.objects.filter(noun=noun).values_list("key", "record_id")
    keys = pl.DataFrame(rows.iterator(20_000), schema={"key": pl.Int64(), "id": pl.String()}, orient="row")
    keys = keys.filter(pl.col("id").is_in(list(ids))).unique()
    keys = keys.filter(pl.len().over("key").is_between(2, HOLDERS))
    met = keys.join(keys, on="key", suffix="_other").filter(pl.col("id") < pl.col("id_other"))
    return set(met.select("id", "id_other").unique().iter_rows())


def _linked(noun: str, ids: set[str]) -> dict[Pair, Likeness]:
    """Pairs that the engine takes for one, with its reason: over several steps, or by works in common."""
    if noun == "organisations":
        rows = link.same(table_of(noun, states=None).filter(pl.col("org_id").is_in(list(ids))))
        by = {"uscc": (1.0, Reason.CODE), "name": (0.95, Reason.MARKS), "former_name": (0.9, Reason.FORMER)}
    elif noun == "experts":
        experts = table_of(noun, states=None).filter(pl.col("expert_id").is_in(list(ids)))
        rows = link.people(experts, table_of("works", states=None).select("expert_id", "work_id"))
        by = {"orcid": (1.0, Reason.ORCID), "work": (0.95, Reason.WORK)}
    else:
        return {}
    key = rows.columns[0]
    joined = rows.filter(pl.col(key) != pl.col("canonical_id")).select(key, "canonical_id", "by")
    return {
        (min(one, other), max(one, other)): Likeness(by[how][0], (by[how][1],))
        for one, other, how in joined.iter_rows()
        if how in by
    }


def _compared(noun: str, pairs: list[Pair], sure: Mapping[Pair, Likeness]) -> Iterator[tuple[Pair, Likeness]]:
    ids = {record_id for pair in pairs for record_id in pair}
    model = MODELS[noun]
    columns = [column.name for column in model.table.columns]
    rows = list(model.objects.filter(pk__in=ids).values("pk", *columns))
    told = dict(zip((str(row["pk"]) for row in rows), told_of(noun, rows), strict=True))
    for pair in pairs:
        if pair[0] not in told or pair[1] not in told:  # deleted meanwhile
            continue
        likeness = compare(noun, told[pair[0]], told[pair[1]])
        known = sure.get(pair)
        if known is not None and known.confidence > likeness.confidence:
            likeness = Likeness(known.confidence, tuple(dict.fromkeys((*known.reasons, *likeness.reasons))))
        if likeness.confidence >= SHOWN:
            yield pair, likeness


def _keep(report: DuplicateReport, ids: set[str], found: Mapping[Pair, Likeness]) -> None:
    groups = _groups(found)
    own = DuplicatePair.objects.filter(noun=report.noun)
    still_open = own.filter(decision=DuplicatePair.Decision.OPEN).values_list("pk", "left_id", "right_id")
    stale = [pk for pk, left, right in still_open if (left, right) not in found and left in ids and right in ids]
    for start in range(0, len(stale), WRITTEN):
        DuplicatePair.objects.filter(pk__in=stale[start : start + WRITTEN]).delete()
    made = [
        DuplicatePair(
            noun=report.noun, left_id=left, right_id=right, group_id=groups[left],
            confidence=likeness.confidence, reasons=[reason.value for reason in likeness.reasons],
        )
        for (left, right), likeness in found.items()
    ]  # fmt: skip
    DuplicatePair.objects.bulk_create(
        made, batch_size=WRITTEN, update_conflicts=True, unique_fields=["noun", "left_id", "right_id"],
        update_fields=["confidence", "reasons", "group_id"],
    )  # fmt: skip


def _groups(pairs: Mapping[Pair, Any]) -> dict[str, str]:
    """For each record the smallest id of all that hang together with it."""
    above: dict[str, str] = {}

    def top(record_id: str) -> str:
        while above.setdefault(record_id, record_id) != record_id:
            above[record_id] = above[above[record_id]]
            record_id = above[record_id]
        return record_id

    for left, right in pairs:
        one, other = sorted((top(left), top(right)))
        above[other] = one
    return {record_id: top(record_id) for record_id in above}
