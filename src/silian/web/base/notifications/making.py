"""Telling people something: a row for each, written in the transaction of what it tells of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from silian.web.base.models import Desk, Notification, User
from silian.web.base.notifications.kinds import KINDS
from silian.web.base.notifications.subjects import Ref

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST: Final = 200  # characters of a fact
BATCH: Final = 500


def notify(
    code: str, users: Iterable[int | User | None], *, about: str = "", key: str, **facts: int | str | Ref
) -> int:
    """Tell some people something; each person, kind and key once, however often it is asked for.

    Called in the transaction of what it tells of: with it the rows stay or go, and the worker sends no letter of what
    was never committed.

    Parameters
    ----------
    code : of a registered kind
    users : accounts or their numbers; None and accounts that are shut are left out
    about : path of the page that tells more, as `reverse` gives it
    key : what names the event for its kind, such as the number of a booking and its state
    facts : what the texts of the kind take: numbers, codes, and of things their `Ref`; never a name of somebody else.
        The first `Ref` is what it is about: who may not see that any more is led nowhere

    Returns
    -------
    The number of people addressed.

    Notes
    -----
    Cost: three queries for each 500 people.
    """
    kind = KINDS[code]
    ids = sorted({one.pk if isinstance(one, User) else one for one in users if one is not None})
    kept = {name: _kept(value) for name, value in facts.items()}
    count = 0
    for start in range(0, len(ids), BATCH):
        found = User.objects.filter(pk__in=ids[start : start + BATCH], is_active=True)
        rows = [
            Notification(
                user_id=pk, kind=code, key=key[:LONGEST], about=about, facts=kept,
                on_site=kind.is_required or bool((choices or {}).get(code, {}).get("site", True)),
            )
            for pk, choices in found.values_list("pk", "desk__choices")
        ]  # fmt: skip
        Notification.objects.bulk_create(rows, ignore_conflicts=True)
        Desk.objects.filter(user_id__in=[row.user_id for row in rows]).update(todo_at=None)
        count += len(rows)
    return count


def _kept(value: int | str | Ref) -> Any:
    if isinstance(value, Ref):
        return {"ref": list(value)}
    return value if isinstance(value, int) else str(value)[:LONGEST]
