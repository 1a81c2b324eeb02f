"""Links of letters that stop them (RFC 8058): signed, good for one person and what the letter was, for ever.

A link can only stop: replayed, it stops what is stopped. It opens nothing, shows no data, and starts no letter again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from django.core import signing
from django.db import transaction

from silian.web.base.actors import actor_of
from silian.web.base.models import Desk, User
from silian.web.base.notifications import choices
from silian.web.base.notifications.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from silian.web.base.notifications.kinds import Kind

SALT: Final = "silian.letters"


class Stopping(NamedTuple):
    """What a link stops."""

    user: User
    kinds: list[Kind]  # letters of these; none: the digests


def key_of(user: User, codes: Iterable[str]) -> str:
    """What a link carries: whose letters, and of which kinds; of none: the digests."""
    return signing.dumps([user.pk, sorted(codes)], salt=SALT)


def opened(key: str) -> Stopping | None:
    """What a link stops; None where it is not ours, or the account is there no more."""
    try:
        number, codes = signing.loads(key, salt=SALT)
    except signing.BadSignature:
        return None
    user = User.objects.filter(pk=number).first()
    kinds = [KINDS[code] for code in codes if code in KINDS and not KINDS[code].is_required]
    return Stopping(user, kinds) if user and (kinds or not codes) else None


@transaction.atomic
def stop(what: Stopping) -> None:
    """Send no more such letters; what they would have told stands on the site."""
    user, desk = what.user, choices.desk_of(what.user)
    if what.kinds:
        made = dict(desk.choices)
        for kind in what.kinds:
            made[kind.code] = {**made.get(kind.code, {}), "mail": "never"}
        choices.keep(actor_of(user), user, choices=made)
    elif desk.letters == Desk.Letters.ALL:
        choices.keep(actor_of(user), user, letters=Desk.Letters.ONCE)
