"""Mutual interest: somebody says that they want to talk about a record, its owner agrees, and the tier opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import CharField, F, Q, Value
from django.utils import timezone

from silian.web.base.log import log
from silian.web.base.models import Place
from silian.web.catalog import notifying
from silian.web.catalog.models import MODELS, Interest, Record
from silian.web.catalog.rules import STEWARDS, is_own

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

    from silian.web.base.actors import Actor

ASKED: Final = ("needs", "achievements")  # nouns that somebody can be interested in
OPENED: Final = (*ASKED, "experts")  # nouns of which something opens to who agreed


def may_ask(actor: Actor, record: Record) -> bool:
    """Whether a person may say that they want to talk about a record."""
    is_offered = record.noun in ASKED and record.state == Record.State.PUBLISHED
    return is_offered and not actor.is_visitor and not is_own(actor, record)


def may_answer(actor: Actor, record: Record) -> bool:
    """Whether a person may speak for the owner of a record: the owner, or who looks after its place."""
    return is_own(actor, record) or any(actor.holds(role, over=record.place.path) for role in STEWARDS)


@transaction.atomic
def ask(actor: Actor, record: Record, *, org_id: str = "") -> Interest:
    """Say that a person wants to talk; who has said so already has said it once.

    Parameters
    ----------
    org_id : an organisation for which the person acts, whose people then all see what opens; empty: for themself
    """
    asked, is_new = Interest.objects.get_or_create(
        noun=record.noun, record_id=record.record_id, by_id=actor.user_id, state__in=Interest.OPEN,
        defaults={
            "owner_id": record.owner_id, "pseudonym": actor.pseudonym, "org_id": org_id if org_id in actor.orgs else "",
            "expert_id": actor.expert_id, "state": Interest.State.ASKED,
        },
    )  # fmt: skip
    if is_new:
        log(actor, f"{record.noun}.interest", noun=record.noun, record_id=record.record_id, detail={"number": asked.pk})
        notifying.interest_asked(actor, asked, record)
    return asked


@transaction.atomic
def answer(actor: Actor, interest: Interest, *, agrees: bool) -> bool:
    """Agree or decline in the name of the owner; False where it was answered or withdrawn before."""
    state = Interest.State.AGREED if agrees else Interest.State.DECLINED
    return _turn(actor, interest, (Interest.State.ASKED,), state, answered_at=timezone.now(), answered_by=actor.user_id)


@transaction.atomic
def withdraw(actor: Actor, interest: Interest) -> bool:
    """Take it back, whichever side one is: what had opened closes; False where it was not open."""
    return _turn(actor, interest, Interest.OPEN, Interest.State.WITHDRAWN)


def _turn(actor: Actor, interest: Interest, was: Iterable[str], state: str, **more: object) -> bool:
    changed = Interest.objects.filter(pk=interest.pk, state__in=was).update(state=state, **more)
    if changed:
        detail = {"number": interest.pk}
        log(actor, f"{interest.noun}.{state}", noun=interest.noun, record_id=interest.record_id, detail=detail)
        notifying.interest_turned(actor, interest, state)
    return bool(changed)


# ── what is open to whom ──


def opened(actor: Actor, nouns: Iterable[str] = OPENED) -> frozenset[tuple[str, str]]:
    """The records, by noun and id, between whose owner and a person there is mutual interest.

    Who asked sees the record; the owner who agreed sees the expert that asked. Cost: one query for a whole page of
    records; none where nothing can be open, or everything is.

    Parameters
    ----------
    nouns : of the records that are to be shown
    """
    if actor.is_visitor or f"/{Place.ROOT}/" in actor.paths(STEWARDS) or not set(nouns) & set(OPENED):
        return frozenset()
    agreed = Interest.objects.filter(state=Interest.State.AGREED)
    found = agreed.filter(_side(actor)).values_list("noun", "record_id")
    if actor.orgs:
        asked_us = agreed.filter(owner_id__in=sorted(actor.orgs)).exclude(expert_id="")
        named = asked_us.annotate(of=Value("experts", CharField()), who=F("expert_id"))
        found = found.union(named.values_list("of", "who"))
    return frozenset(found)


def is_mutual(actor: Actor, record: Record) -> bool:
    """Whether a person's side and a record's side have both said that they want to talk."""
    return (record.noun, record.record_id) in opened(actor, [record.noun])


def sent(actor: Actor) -> QuerySet[Interest]:
    """What a person, or their organisation, has asked for; the newest first."""
    return Interest.objects.filter(_side(actor)).select_related("by", "answered_by").order_by("-pk")


def received(actor: Actor) -> QuerySet[Interest]:
    """What others have asked of the organisations for which a person acts; the newest first."""
    mine = Interest.objects.filter(owner_id__in=sorted(actor.orgs)).exclude(owner_id="")
    return mine.select_related("by", "answered_by").order_by("-pk")


def own(actor: Actor, record: Record) -> Interest | None:
    """The interest that is open between a person's side and a record."""
    if actor.is_visitor:
        return None
    there = Interest.objects.filter(noun=record.noun, record_id=record.record_id, state__in=Interest.OPEN)
    return there.filter(_side(actor)).order_by("-pk").first()


def records_of(interests: Iterable[Interest]) -> dict[tuple[str, str], Record]:
    """The records that some interests are in: one query a noun."""
    wanted: dict[str, set[str]] = {}
    for one in interests:
        wanted.setdefault(one.noun, set()).add(one.record_id)
    found = {}
    for noun, ids in wanted.items():
        for record in MODELS[noun].objects.select_related("place").filter(pk__in=ids):
            found[noun, record.record_id] = record
    return found


def _side(actor: Actor) -> Q:
    """Interests of a person's own side."""
    side = Q(by_id=actor.user_id)
    return side | Q(org_id__in=sorted(actor.orgs)) if actor.orgs else side
