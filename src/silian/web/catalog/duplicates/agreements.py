"""Interests in a record that is merged away: they go along, and an agreement holds for the owner who gave it.

Whoever has an interest in both records keeps one of them, the agreed one before the asked one. Where the record that
stays has another owner, what the former owner agreed to is asked anew: nobody opens what is another's.
"""

from __future__ import annotations

from typing import Any

from silian.web.catalog.models import MODELS, Interest

STATE = Interest.State


def move(noun: str, gone_id: str, kept_id: str) -> list[dict[str, Any]]:
    """Let the interests in one record be interests in another; what each was and became, as plain values.

    Cost: three queries, and two for each interest that there is.
    """
    going, there = _of(noun, gone_id), _of(noun, kept_id)
    if not going:
        return []
    owner_id = MODELS[noun].objects.values_list("owner_id", flat=True).get(pk=kept_id)
    at_hand: dict[int | None, Interest] = {o.by_id: o for o in there if o.by_id and o.state in Interest.OPEN}
    told = []
    for one in going:
        became = _anew(one, owner_id)
        other = at_hand.get(one.by_id) if became in Interest.OPEN else None
        if other is not None and (became, other.state) == (STATE.AGREED, STATE.ASKED):
            told.append(_turned(other, kept_id, other.owner_id, STATE.JOINED))
        elif other is not None:
            became = STATE.JOINED
        told.append(_turned(one, kept_id, owner_id if became in Interest.OPEN else one.owner_id, became))
    return told


def go_back(told: list[dict[str, Any]]) -> None:
    """Let interests be in the records that they were in; what was withdrawn or declined since stays so."""
    for one in reversed(told):  # those that came go first, so that there is room for those that gave way
        now = Interest.objects.filter(pk=one["pk"], record_id=one["became"]["record_id"]).first()
        if now is None:
            continue
        was = one["was"]
        state = was["state"] if now.state in (*Interest.OPEN, STATE.JOINED) else now.state
        others = Interest.objects.filter(noun=now.noun, record_id=was["record_id"], by_id=now.by_id)
        if state in Interest.OPEN and now.by_id and others.filter(state__in=Interest.OPEN).exclude(pk=now.pk).exists():
            state = STATE.JOINED  # the person has asked again since
        Interest.objects.filter(pk=now.pk).update(**was | {"state": state})


def count(noun: str, record_id: str) -> int:
    """How many interests there are in a record."""
    return Interest.objects.filter(noun=noun, record_id=record_id).count()


def _of(noun: str, record_id: str) -> list[Interest]:
    return list(Interest.objects.filter(noun=noun, record_id=record_id).order_by("pk"))


def _anew(one: Interest, owner_id: str) -> str:
    return STATE.ASKED if one.state == STATE.AGREED and one.owner_id != owner_id else one.state


def _turned(one: Interest, record_id: str, owner_id: str, state: str) -> dict[str, Any]:
    was = {"record_id": one.record_id, "owner_id": one.owner_id, "state": str(one.state)}
    became = {"record_id": record_id, "owner_id": owner_id, "state": str(state)}
    Interest.objects.filter(pk=one.pk).update(**became)
    return {"pk": one.pk, "was": was, "became": became}
