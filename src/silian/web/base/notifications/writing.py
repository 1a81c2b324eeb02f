"""A letter in words: plain text and simple HTML, in the language of its person, with the rights of its moment."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from silian.web.base.actors import actor_of
from silian.web.base.notifications import stopping
from silian.web.base.notifications.telling import seen, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from silian.web.base.models import Letter, Notification, User
    from silian.web.base.notifications.telling import Told

SHOWN: Final = 50  # notifications of a letter; the site has the others


class Line(NamedTuple):
    """A notification in a letter."""

    told: Told
    url: str  # with the address of the site
    more: list[str]


def written(user: User, letter: Letter, rows: Sequence[Notification]) -> EmailMultiAlternatives | None:
    """The message of a letter; None where nothing of it can be told any more."""
    with translation.override(user.language):
        shown = _shown(user, letter, rows)
        if shown is None:
            return None
        subject = _("[四链] %(subject)s") % {"subject": shown["subject"]}
        text = render_to_string("base/letters/notifications.txt", shown)
        headers = {"Message-ID": letter.message_id, "Auto-Submitted": "auto-generated"}
        if shown["stop"]:
            headers |= {"List-Unsubscribe": f"<{shown['stop']}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        message = EmailMultiAlternatives(subject, text, None, [user.email], headers=headers)
        message.attach_alternative(render_to_string("base/letters/notifications.html", shown), "text/html")
        return message


def _shown(user: User, letter: Letter, rows: Sequence[Notification]) -> dict[str, Any] | None:
    lines = _lines(user, rows)
    if not lines:
        return None
    is_digest, site = letter.slot.startswith("digest:"), settings.SITE_ADDRESS
    kinds = {line.told.kind.code: line.told.kind for line in lines if line.told.kind}
    free = [code for code, kind in kinds.items() if not kind.is_required]
    stop = reverse("notifications_stop", args=[stopping.key_of(user, [] if is_digest else free)]) if free else ""
    if is_digest:
        subject = _("摘要：%(count)s 条通知") % {"count": len(lines)}
    elif len(lines) == 1:
        subject = lines[0].told.title
    else:
        subject = _("%(count)s 条新通知") % {"count": len(lines)}
    groups = groupby(lines[:SHOWN], key=lambda line: str(line.told.kind.group) if line.told.kind else "")
    return {
        "name": seen(user.name), "site": site, "subject": subject, "is_digest": is_digest,
        "groups": [(name, list(own)) for name, own in groups], "more": max(0, len(lines) - SHOWN),
        "over": sum(line.told.row.is_over for line in lines), "kinds": [str(kind.label) for kind in kinds.values()],
        "required": [str(kind.label) for kind in kinds.values() if kind.is_required],
        "stop": f"{site}{stop}" if stop else "", "settings": f"{site}{reverse('notification_kinds')}",
        "all": f"{site}{reverse('notifications')}", "language": translation.get_language(),
    }  # fmt: skip


def _lines(user: User, rows: Sequence[Notification]) -> list[Line]:
    """What is told, in the order of its groups; what adds lines and has none left is left out."""
    actor = actor_of(user)
    lines = []
    for told in tell(actor, rows):
        if told.kind is None:
            continue
        more = told.kind.lines(actor, told.row) if told.kind.lines else []
        if more or not told.kind.lines:
            lines.append(Line(told, f"{settings.SITE_ADDRESS}{told.url}" if told.url else "", more))
    order = list(dict.fromkeys(str(line.told.kind.group) for line in lines if line.told.kind))
    return sorted(lines, key=lambda line: order.index(str(line.told.kind.group)) if line.told.kind else 0)
