"""Searches that people keep: what is new since they looked, counted by the worker, told in one letter a day."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from silian.errors import WebError
from silian.web.base import consents
from silian.web.base.actors import actor_of
from silian.web.base.languages import page_language
from silian.web.base.log import log
from silian.web.catalog.beside.interests import opened
from silian.web.catalog.models import SavedSearch
from silian.web.catalog.records.queries import terms
from silian.web.catalog.search import finding, searching
from silian.web.catalog.search.asking import question
from silian.web.catalog.search.finding import Sought

if TYPE_CHECKING:
    from collections.abc import Mapping

    from silian.web.base.actors import Actor
    from silian.web.base.models import User

MOST: Final = 50  # searches that one person keeps
SHOWN: Final = 5  # records of a search in a letter
LETTER_HOUR: Final = 7  # of the day, local time, from which the letter is sent
LONGEST_NAME: Final = 100


@dataclass(frozen=True, slots=True)
class Told:
    """A search in a letter."""

    name: str
    count: int
    names: list[str]
    address: str


def save(actor: Actor, user: User, name: str, sought: Sought) -> SavedSearch:
    """Keep a search.

    Raises
    ------
    WebError : web.searches_full if the person keeps MOST already
    """
    with transaction.atomic():
        own = SavedSearch.objects.filter(user=user)
        same = own.filter(words=sought.words, chosen=dict(sought.chosen), is_plain=sought.is_plain).first()
        if same is not None:  # a double click, or the same search again: one is enough
            return same
        if own.count() >= MOST:
            raise WebError("web.searches_full", most=MOST)
        made = SavedSearch.objects.create(
            user=user, name=name, words=sought.words, chosen=dict(sought.chosen), is_plain=sought.is_plain
        )
        log(actor, "searches.save", detail={"search": made.pk})
    return made


def alter(actor: Actor, saved: SavedSearch, **values: object) -> None:
    """Give a search another name, switch its letter on or off, or say that it was opened."""
    with transaction.atomic():
        SavedSearch.objects.filter(pk=saved.pk).update(**values)
        log(actor, "searches.change", detail={"search": saved.pk, "columns": sorted(values)})


def open_search(actor: Actor, saved: SavedSearch) -> str:
    """Say that a search was looked at; the address of its page."""
    alter(actor, saved, seen_at=timezone.now(), fresh=0)
    return f"{reverse('search')}?{sought_of(saved).address(sort='newest')}"


def forget(actor: Actor, saved: SavedSearch) -> None:
    """Keep a search no more."""
    with transaction.atomic():
        log(actor, "searches.delete", detail={"search": saved.pk})
        saved.delete()


def sought_of(saved: SavedSearch) -> Sought:
    """What a kept search asks for."""
    return Sought(saved.words, saved.chosen, is_plain=saved.is_plain)


def count_all() -> None:
    """Count what is new or changed in every kept search since its person looked, with the rights of now."""
    for user, searches in _by_person(SavedSearch.objects.all()).items():
        actor = actor_of(user)
        for saved in searches:
            fresh = _fresh(actor, saved, saved.seen_at).count
            SavedSearch.objects.filter(pk=saved.pk, seen_at=saved.seen_at).update(
                fresh=fresh, counted_at=timezone.now()
            )


def tell_all(now: datetime) -> int:
    """Send one letter to everybody whose searches have found something since the last one; the number of letters.

    Letters go to whoever has agreed to get letters, and to nobody else. Each search is told of at most once a day,
    from LETTER_HOUR on. A letter and the note that it was sent are one
    transaction: a letter that cannot be sent is tried again, and none is sent for what somebody may not see any more.
    """
    local = timezone.localtime(now)
    if local.hour < LETTER_HOUR:
        return 0
    today = local.replace(hour=0, minute=0, second=0, microsecond=0)
    due = _by_person(SavedSearch.objects.filter(has_digest=True, user__is_active=True, told_at__lt=today))
    agreed = consents.holders(consents.Purpose.LETTERS, [user.pk for user in due])
    return sum(_tell(user, [s.pk for s in own], now) for user, own in due.items() if user.pk in agreed)


def _tell(user: User, numbers: list[int], now: datetime) -> bool:
    with transaction.atomic(), translation.override(user.language):
        actor = actor_of(user)
        told = []
        for saved in SavedSearch.objects.select_for_update().filter(pk__in=numbers).order_by("pk"):
            hits = _fresh(actor, saved, saved.told_at)
            records = finding.results(actor, hits.keys, question(""))
            if records:
                names = [str(result.record) for result in records]
                told.append(Told(saved.name, hits.count, names, f"?{sought_of(saved).address(sort='newest')}"))
        SavedSearch.objects.filter(pk__in=numbers).update(told_at=now)
        if not told:
            return False
        site = settings.SITE_ADDRESS
        shown = {"person": user, "told": told, "site": site, "language": page_language(), "shown": SHOWN}
        text = render_to_string("catalog/letters/searches.txt", shown)
        subject = _("[四链] 您保存的检索有新结果")
        send_mail(subject, text, None, [user.email])
        log(actor, "searches.letter", detail={"searches": len(told)})
    return True


def _fresh(actor: Actor, saved: SavedSearch, since: datetime) -> searching.Hits:
    """What is new or changed in a search since a moment."""
    asked = question(saved.words, terms=terms(), is_plain=saved.is_plain)
    after = int((since - timedelta(seconds=1)).timestamp())
    wanted = searching.Wanted(asked, saved.chosen, "newest", after, opened(actor))
    return searching.search(actor, wanted, limit=SHOWN, facets=())


def _by_person(searches: object) -> Mapping[User, list[SavedSearch]]:
    made: dict[User, list[SavedSearch]] = defaultdict(list)
    for saved in searches.select_related("user").order_by("user_id", "pk"):  # type: ignore[attr-defined]
        made[saved.user].append(saved)
    return made
