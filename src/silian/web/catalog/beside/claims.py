"""Experts and the accounts that are them: claimed, decided, given up; works that are theirs or not."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any, Final

from allauth.socialaccount.models import SocialAccount
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from silian.errors import WebError
from silian.tables import schema
from silian.web.base.log import log
from silian.web.base.models import User
from silian.web.catalog import notifying
from silian.web.catalog.changing import Edit, change
from silian.web.catalog.fields import record_id
from silian.web.catalog.models import Claim, Expert, Work
from silian.web.catalog.rules import STEWARDS, may

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.db.models import QuerySet

    from silian.web.base.actors import Actor
    from silian.web.catalog.models import ChangeSet

ORCID: Final = re.compile(r"\d{4}-\d{4}-\d{4}-\d{3}[\dX]")
MOST: Final = 200  # claims and works that a page shows
STATE = Claim.State


def may_claim(actor: Actor, expert: Expert) -> bool:
    """Whether a person may say that an expert is themself: signed in, nobody yet, and the expert nobody's."""
    return (
        not actor.is_visitor
        and not actor.expert_id
        and may(actor, "see", expert)
        and not User.objects.filter(expert_id=expert.pk).exists()
    )


def may_decide(actor: Actor, claim: Claim, expert: Expert) -> bool:
    """Whether a person decides on a claim: who leads the organisation or looks after the place; never on their own."""
    if actor.is_visitor or claim.user_id == actor.user_id:
        return False
    leads = bool(expert.owner_id) and expert.owner_id in actor.led
    return leads or any(actor.holds(role, over=expert.place.path) for role in STEWARDS)


@transaction.atomic
def ask(actor: Actor, expert: Expert, *, note: str) -> Claim:
    """Say that an expert is oneself; where the sign-in tells the expert's ORCID, it holds at once.

    Raises
    ------
    WebError : claim.taken if the expert has an account; claim.other if the person is, or claims to be, another
    """
    user_id = actor.user_id or 0
    _hold(expert.pk, user_id)
    _refuse_taken(expert.pk, user_id)
    there = Claim.objects.filter(user_id=user_id, state=STATE.ASKED).first()
    if there is not None:
        if there.expert_id != expert.pk:
            raise WebError("claim.other")
        return there
    made = Claim.objects.create(user_id=user_id, expert_id=expert.pk, note=note)
    log(actor, "claims.ask", noun="experts", record_id=expert.pk, detail={"claim": made.pk})
    given = str(getattr(expert, "orcid", "") or "")[-19:]
    if given and given in set(_orcids(actor)):
        made.by_orcid = True
        made.save(update_fields=["by_orcid"])
        return _grant(actor, made, None)
    notifying.claim_asked(made, expert)
    return made


@transaction.atomic
def grant(actor: Actor, claim: Claim) -> Claim:
    """Say that it is so.

    Raises
    ------
    WebError : claim.state if nothing waits; claim.taken, claim.other as of `ask`
    """
    _hold(claim.expert_id, claim.user_id)
    return _grant(actor, _waiting(claim), actor.user_id)


@transaction.atomic
def refuse(actor: Actor, claim: Claim, *, reason: str) -> Claim:
    """Say that it is not so, and why."""
    _hold(claim.expert_id, claim.user_id)
    return _turn(actor, _waiting(claim), STATE.REFUSED, "refuse", decided_by_id=actor.user_id, reason=reason)


@transaction.atomic
def withdraw(actor: Actor, claim: Claim) -> Claim:
    """Take one's own claim back."""
    _hold(claim.expert_id, claim.user_id)
    return _turn(actor, _waiting(claim), STATE.WITHDRAWN, "withdraw")


@transaction.atomic
def release(actor: Actor) -> None:
    """Be no expert any more; the record stays with its organisation."""
    if not actor.expert_id:
        return
    _hold(actor.expert_id, actor.user_id or 0)
    User.objects.filter(pk=actor.user_id or 0, expert_id=actor.expert_id).update(expert_id="")
    held = Claim.objects.filter(user_id=actor.user_id or 0, expert_id=actor.expert_id, state=STATE.GRANTED)
    held.update(state=STATE.RELEASED, decided_at=timezone.now())
    log(actor, "claims.release", noun="experts", record_id=actor.expert_id)


def to_decide(actor: Actor) -> list[tuple[Claim, Expert]]:
    """Claims that wait for a person, the oldest first. Cost: two queries."""
    return _with_experts(list(waiting_for(actor).select_related("user")[:MOST]))


def waiting_for(actor: Actor) -> QuerySet[Claim]:
    """The claims that wait for a person, the oldest first."""
    theirs = Q(owner_id__in=sorted(actor.led))
    for path in actor.paths(STEWARDS):
        theirs |= Q(place__path__startswith=path)
    asked = Claim.objects.filter(state=STATE.ASKED).exclude(user_id=actor.user_id or 0)
    return asked.filter(expert_id__in=Expert.objects.filter(theirs).values("pk")).order_by("pk")


def mine(actor: Actor) -> list[tuple[Claim, Expert]]:
    """What a person claimed, the newest first. Cost: two queries."""
    return _with_experts(list(Claim.objects.filter(user_id=actor.user_id or 0).order_by("-pk")[:MOST]))


# ── works ──


def works_of(expert: Expert) -> list[Work]:
    """The works of an expert, the newest first. Cost: one query."""
    return list(Work.objects.filter(expert_id=expert.pk).order_by("-year", "pk")[:MOST])


def strike(actor: Actor, work: Work) -> ChangeSet:
    """Take a work away that is not the expert's; among the person's changes it can be put back."""
    return change(actor, "works", [Edit(work.record_id, None, work.version)], note=gettext("不是本人的业绩"))


def add(actor: Actor, expert: Expert, values: Mapping[str, Any]) -> str:
    """Add a work; of a DOI that the registry knows it is the same work. Gives its id.

    Raises
    ------
    WebError : claim.work if the expert has a work with this DOI
    """
    doi = values.get("doi")
    with transaction.atomic():
        _hold(expert.pk, actor.user_id or 0)
        same = Work.objects.filter(doi__iexact=doi) if doi else Work.objects.none()
        if same.filter(expert_id=expert.pk).exists():
            raise WebError("claim.work", found=doi)
        known = same.values_list("work_id", flat=True).first()
        whole = dict(values) | {"expert_id": expert.pk, "work_id": known or f"w-{secrets.token_hex(6)}"}
        key = record_id(schema.tables()["works"], whole)
        change(actor, "works", [Edit(key, whole, 0)])
    return key


def _orcids(actor: Actor) -> Iterator[str]:
    """The ORCIDs that the person's sign-in at another place tells."""
    for account in SocialAccount.objects.filter(user_id=actor.user_id or 0):
        told = account.extra_data or {}
        for side in (told, told.get("userinfo"), told.get("id_token")):
            if isinstance(side, dict):
                is_orcid = "orcid.org" in str(side.get("iss", ""))
                for name in ("orcid", "orcid_id", *(("sub",) if is_orcid else ())):
                    yield from ORCID.findall(str(side.get(name, "")))


def _grant(actor: Actor, claim: Claim, decided_by: int | None) -> Claim:
    _refuse_taken(claim.expert_id, claim.user_id)
    User.objects.filter(pk=claim.user_id).update(expert_id=claim.expert_id)
    return _turn(actor, claim, STATE.GRANTED, "grant", decided_by_id=decided_by)


def _refuse_taken(expert_id: str, user_id: int) -> None:
    """One account for an expert, one expert for an account."""
    if User.objects.filter(expert_id=expert_id).exists():
        raise WebError("claim.taken")
    if User.objects.filter(pk=user_id).exclude(expert_id="").exists():
        raise WebError("claim.other")


def _waiting(claim: Claim) -> Claim:
    fresh = Claim.objects.get(pk=claim.pk)
    if fresh.state != STATE.ASKED:
        raise WebError("claim.state", state=fresh.get_state_display())
    return fresh


def _turn(actor: Actor, claim: Claim, state: str, verb: str, **more: Any) -> Claim:
    for name, value in {"state": state, "decided_at": timezone.now(), **more}.items():
        setattr(claim, name, value)
    claim.save()
    log(actor, f"claims.{verb}", noun="experts", record_id=claim.expert_id, detail={"claim": claim.pk})
    notifying.claim_decided(claim)
    return claim


def _hold(expert_id: str, user_id: int) -> None:
    """Let one writer at a time decide for an expert and for an account; SQLite has one writer anyway."""
    if connection.features.has_select_for_update:
        list(Expert.objects.select_for_update().filter(pk=expert_id).values_list("pk"))
        list(User.objects.select_for_update().filter(pk=user_id).values_list("pk"))


def _with_experts(claims: list[Claim]) -> list[tuple[Claim, Expert]]:
    experts = Expert.objects.select_related("place").in_bulk([c.expert_id for c in claims])
    return [(c, experts[c.expert_id]) for c in claims if c.expert_id in experts]
