"""A code that another organisation has: it is saved by a form only where somebody says why.

One 统一社会信用代码 is one organisation, so that a second record with it is nearly always the same organisation once
more. Where it is not, as with a branch that is registered under its head office, whoever saves it says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.utils.translation import gettext

from silian.web.catalog.entry.identifiers import holder_of
from silian.web.catalog.models import Organisation, Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from silian.web.base.actors import Actor

LONGEST: Final = 300  # characters of a reason


class Taken(NamedTuple):
    """A code that is to be saved and that another record has."""

    code: str
    holder: Record | None  # as far as the person may know


def taken(
    actor: Actor, noun: str, record: Record | None, values: Mapping[str, Any], *, is_published: bool
) -> Taken | None:  # fmt: skip
    """The code of an organisation that another record has already, where a form brings it or publishes it.

    A record that has been withdrawn counts for nothing; what is already so is not asked for again. Cost: two queries.
    """
    if noun != "organisations" or not (code := values.get("uscc")):
        return None
    is_new = record is None or getattr(record, "uscc", "") != code
    is_made_public = is_published and record is not None and record.state != Record.State.PUBLISHED
    if not is_new and not is_made_public:
        return None
    own = record.record_id if record else ""
    others = Organisation.objects.filter(uscc=code).exclude(pk=own).exclude(state=Record.State.WITHDRAWN)
    return Taken(code, holder_of(actor, "uscc", code, but=own)) if others.exists() else None


def note_of(given: Mapping[str, str]) -> str:
    """What the history says of a code that was saved all the same; empty where nobody chose to, or said why."""
    reason = given.get("anyway_reason", "").replace("\0", "").strip()[:LONGEST]
    if given.get("anyway") != "1" or not reason:
        return ""
    return gettext("代码与其他记录相同，仍要保存：%(reason)s") % {"reason": reason}
