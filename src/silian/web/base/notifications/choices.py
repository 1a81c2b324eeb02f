"""What a person has chosen: how each kind reaches them, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from silian.web.base.log import log
from silian.web.base.models import Desk
from silian.web.base.notifications.kinds import KINDS
from silian.web.base.notifications.timing import Hours

if TYPE_CHECKING:
    from silian.web.base.actors import Actor
    from silian.web.base.models import User
    from silian.web.base.notifications.kinds import How, Kind

SETTINGS: Final = (
    "choices", "letters", "digest_hour", "week_day", "quiet_from", "quiet_until", "quiet_weekends", "cap",
)  # fmt: skip


def desk_of(user: User) -> Desk:
    """What a person has chosen; of who has chosen nothing, the defaults. It is not written by being read."""
    return Desk.objects.filter(user=user).first() or Desk(user=user)


def hours_of(desk: Desk) -> Hours:
    """When a person wants to be reached."""
    return Hours(desk.digest_hour, desk.week_day, desk.quiet_from, desk.quiet_until, desk.quiet_weekends)


def chosen(desk: Desk, kind: Kind) -> How:
    """The way by mail that a person has chosen for a kind, or its default."""
    found = desk.choices.get(kind.code, {}).get("mail", kind.default)
    return found if kind.allows(found) else kind.default


def is_on_site(desk: Desk, kind: Kind) -> bool:
    """Whether a kind stands among a person's notifications on the site."""
    return kind.is_required or bool(desk.choices.get(kind.code, {}).get("site", True))


def how(desk: Desk, kind: Kind, *, is_agreed: bool, is_over: bool = False) -> How:
    """The way by mail that a notification takes.

    Parameters
    ----------
    is_agreed : the person has agreed to get letters; who has not gets what is required, and nothing else
    is_over : it was meant to go at once, and the day's letters were spent
    """
    wanted = chosen(desk, kind)
    if is_over and wanted == "once":
        wanted = "daily"
    if kind.is_required:
        return wanted
    if not is_agreed or desk.letters == Desk.Letters.REQUIRED:
        return "never"
    if desk.letters == Desk.Letters.ONCE and wanted in ("daily", "weekly"):
        return "never"
    return wanted


@transaction.atomic
def keep(actor: Actor, user: User, **values: Any) -> dict[str, Any]:
    """Keep what a person has chosen; what it was before, for `keep` to bring back."""
    desk, _new = Desk.objects.select_for_update().get_or_create(user=user)
    before = {name: getattr(desk, name) for name in SETTINGS}
    for name, value in values.items():
        setattr(desk, name, value)
    desk.choices = {code: one for code, one in desk.choices.items() if code in KINDS and one}
    desk.save()
    log(actor, "notifications.choose", detail={"columns": sorted(values)})
    return before


def with_choice(desk: Desk, code: str, *, mail: str, site: bool) -> dict[str, Any]:
    """The choices of a person with another one for a kind; what is the default is not kept.

    Raises
    ------
    KeyError, ValueError : if there is no such kind, or it cannot be chosen so
    """
    kind = KINDS[code]
    if not kind.allows(mail) or (kind.is_required and not site):
        raise ValueError(mail)
    own: dict[str, Any] = {} if mail == kind.default else {"mail": mail}
    if not site:
        own["site"] = False
    return {**desk.choices, code: own}


def all_in_digest() -> dict[str, Any]:
    """Choices by which every kind comes in the daily digest, and no letter of its own."""
    return {code: {"mail": "daily"} for code, kind in KINDS.items() if kind.default != "daily"}
