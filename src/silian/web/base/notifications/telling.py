"""Notifications in words, for one reader, with what that reader may know now."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from silian.web.base.notifications.kinds import KINDS, Kind
from silian.web.base.notifications.subjects import Ref, names_of, unnamed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from silian.web.base.actors import Actor
    from silian.web.base.models import Notification

LONGEST: Final = 120  # characters of a name


class Told(NamedTuple):
    """A notification as it is read."""

    row: Notification
    kind: Kind | None  # None: of an app that is there no more
    title: str
    sentence: str
    url: str  # path; empty where there is nothing to be seen any more


def tell(actor: Actor, rows: Iterable[Notification]) -> list[Told]:
    """Notifications in words. Names that their reader may not see now are left out, and so is the way there.

    Cost: what `subjects.names_of` costs, however many notifications.
    """
    listed = list(rows)
    names = names_of(actor, (ref for row in listed for ref in _refs(row.facts)))
    return [_told(row, names) for row in listed]


def example(kind: Kind) -> Told:
    """A kind as it would read, with made-up names."""
    from silian.web.base.models import Notification

    return _told(Notification(kind=kind.code, facts=dict(kind.example)), {})


def seen(text: str, *, most: int = LONGEST) -> str:
    r"""A name as it may stand in a sentence or a letter: on one line, nothing invisible, and not endless.

    Examples
    --------
    >>> seen("甲\r\nBcc: x@y.invalid\u202e公司")
    '甲 Bcc: x@y.invalid 公司'
    """
    hidden = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")
    plain = " ".join("".join(" " if unicodedata.category(c) in hidden else c for c in text).split())
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"


class _Facts(dict[str, str]):
    """Facts for a text; one that a notification of long ago has not got is a dash."""

    def __missing__(self, name: str) -> str:
        return "—"


def _told(row: Notification, names: Mapping[Ref, str]) -> Told:
    kind = KINDS.get(row.kind)
    if kind is None:
        return Told(row, None, _("来自已停用功能的通知"), "", "")
    facts = _Facts({name: _word(kind, name, value, names) for name, value in row.facts.items()})
    refs = _refs(row.facts)
    url = "" if refs and refs[0] not in names else row.about
    return Told(row, kind, str(kind.title) % facts, str(kind.sentence) % facts, url)


def _refs(facts: Mapping[str, Any]) -> list[Ref]:
    return [Ref(*value["ref"]) for value in facts.values() if isinstance(value, dict)]


def _word(kind: Kind, name: str, value: Any, names: Mapping[Ref, str]) -> str:
    if isinstance(value, dict):
        ref = Ref(*value["ref"])
        return seen(names[ref]) if ref in names else unnamed(ref) or _("（已不对您公开）")
    if name in kind.words:
        return str(kind.words[name].get(value, value))
    if isinstance(value, int):
        return number_format(value, use_l10n=True)
    if name == "at":
        return f"{timezone.localtime(datetime.fromisoformat(value)):%Y-%m-%d %H:%M}"
    return seen(str(value))
