"""What people have typed and not saved yet: kept, brought back, and saved once however often it is sent."""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils import timezone

from silian.web.catalog.models import Counter, Draft

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet
    from django.http import QueryDict

    from silian.web.base.actors import Actor

MOST_TYPED: Final = 400_000  # characters of one form: what is longer is not kept beside the page
MOST_DRAFTS: Final = 40  # of one person: the oldest give way
KEPT_DAYS: Final = 90  # that an unsaved form is kept; the mark of a saved one as long
OWN: Final = ("csrfmiddlewaretoken", "token", "version", "replaces", "noun", "record_id", "action")
TOKEN_LENGTH: Final = 36

Typed = dict[str, list[str]]  # name of a field → its texts


def new_token() -> str:
    """A name for a form that is about to be filled in."""
    return secrets.token_urlsafe(24)


def typed_of(sent: QueryDict) -> Typed:
    """What was typed into the fields of a form; empty where it is too long to be kept."""
    texts = {str(n): [str(v).replace("\0", "") for v in sent.getlist(n)] for n in sent if n not in OWN}
    size = sum(len(name) + sum(map(len, values)) for name, values in texts.items())
    return texts if size <= MOST_TYPED else {}


def digest_of(typed: Typed, action: str) -> str:
    """A fingerprint of what was sent."""
    return hashlib.sha256(json.dumps([typed, action], sort_keys=True).encode()).hexdigest()


def unsaved(actor: Actor, noun: str, record_id: str) -> Draft | None:
    """The form that a person has begun for a record (empty: a new one) and not saved."""
    found = _own(actor).filter(noun=noun, record_id=record_id, saved_as="")
    return found.exclude(typed={}).order_by("-at", "-pk").first()


def unsaved_of(actor: Actor) -> QuerySet[Draft]:
    """The forms that a person has begun and not saved, the newest first."""
    return _own(actor).filter(saved_as="").exclude(typed={}).order_by("-at", "-pk")


@transaction.atomic
def keep(actor: Actor, noun: str, record_id: str, *, token: str, typed: Typed, version: int, replaces: str) -> bool:
    """Keep what a person has typed so far; whether it was kept.

    Parameters
    ----------
    token : of the form that is open
    replaces : token of the draft that this form was filled from; it goes
    """
    mine = _own(actor)
    values: dict[str, Any] = {"typed": typed, "version": version, "at": timezone.now()}
    own = {"user_id": actor.user_id, "noun": noun, "record_id": record_id}
    draft, is_new = Draft.objects.select_for_update().get_or_create(token=token, defaults=own | values)
    if not is_new:
        if draft.user_id != actor.user_id or draft.saved_as or (draft.noun, draft.record_id) != (noun, record_id):
            return False
        mine.filter(pk=draft.pk).update(**values)
    mine.filter(token=replaces, saved_as="").exclude(pk=draft.pk).delete()
    old = mine.filter(saved_as="").order_by("-at", "-pk").values_list("pk", flat=True)[MOST_DRAFTS:]
    mine.filter(pk__in=list(old)).delete()
    return True


def discard(actor: Actor, noun: str, record_id: str) -> None:
    """Throw away what a person has begun for a record."""
    _own(actor).filter(noun=noun, record_id=record_id, saved_as="").delete()


def begun(actor: Actor, noun: str, record_id: str, token: str) -> Draft:
    """The draft of a form that is being saved, held until the end of the transaction: a second sending waits here."""
    own: Mapping[str, Any] = {"user_id": actor.user_id, "noun": noun, "record_id": record_id}
    draft, _ = Draft.objects.select_for_update().get_or_create(token=token, defaults=own)
    if draft.user_id != actor.user_id or draft.noun != noun:  # another's token, taken from somewhere: a form of its own
        draft = Draft.objects.create(token=new_token(), **own)
    return draft


def finish(draft: Draft, record_id: str, *, digest: str, version: int) -> None:
    """Mark a draft as saved; what was typed goes, with all else begun for the same record."""
    others = Draft.objects.filter(user_id=draft.user_id, noun=draft.noun, record_id=record_id, saved_as="")
    others.exclude(pk=draft.pk).delete()
    draft.saved_as, draft.digest, draft.version, draft.typed, draft.at = record_id, digest, version, {}, timezone.now()
    draft.save()


def _own(actor: Actor) -> QuerySet[Draft]:
    return Draft.objects.filter(user_id=actor.user_id or 0)


def drop_old() -> int:
    """Throw away what nobody has touched for KEPT_DAYS; the number of drafts."""
    gone, _ = Draft.objects.filter(at__lt=timezone.now() - timedelta(days=KEPT_DAYS)).delete()
    return gone


def next_number(name: str) -> int:
    """The next number of a row of numbers, given to nobody else: others wait until the transaction ends."""
    counter, _ = Counter.objects.select_for_update().get_or_create(name=name)
    counter.last += 1
    counter.save(update_fields=["last"])
    return counter.last
