"""For which purposes a person has agreed that their data are used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils import timezone

from silian.web.base.log import log
from silian.web.base.models import Consent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from silian.web.base.actors import Actor
    from silian.web.base.models import User

Purpose = Consent.Purpose
WORDING: Final = "2026-11"  # of the texts of the purposes; a changed text is a new wording, to be agreed to anew


def holders(purpose: str, users: Iterable[int]) -> set[int]:
    """The accounts, of some, whose people have agreed to a purpose as it is worded now: one query."""
    given = Consent.objects.filter(purpose=purpose, wording=WORDING, withdrawn_at=None, user_id__in=set(users))
    return set(given.values_list("user_id", flat=True))


@transaction.atomic
def give(actor: Actor, user: User, purpose: str) -> None:
    """Agree to a purpose; who has agreed to it as it is worded now has agreed."""
    given = Consent.objects.filter(user=user, purpose=purpose, withdrawn_at=None)
    if given.filter(wording=WORDING).exists():
        return
    given.update(withdrawn_at=timezone.now())
    _made, is_new = Consent.objects.get_or_create(
        user=user, purpose=purpose, withdrawn_at=None, defaults={"wording": WORDING}
    )
    if is_new:
        log(actor, "consent.give", detail={"purpose": purpose, "wording": WORDING})


@transaction.atomic
def take_back(actor: Actor, user: User, purpose: str) -> None:
    """Withdraw what was agreed to; it is no longer used from now on."""
    given = Consent.objects.filter(user=user, purpose=purpose, withdrawn_at=None)
    if given.update(withdrawn_at=timezone.now()):
        log(actor, "consent.withdraw", detail={"purpose": purpose})
