"""Searches that people keep: what is new since they looked, counted by the worker, told once a day."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from silian.errors import WebError
from silian.web.base.actors import actor_of
from silian.web.base.log import log
from silian.web.base.notifications import notify
from silian.web.base.notifications.telling import seen
from silian.web.catalog.beside.interests import opened
from silian.web.catalog.models import SavedSearch
from silian.web.catalog.records.queries import terms
from silian.web.catalog.search import finding, searching
from silian.web.catalog.search.asking import question
from silian.web.catalog.search.finding import Sought
from silian.web.catalog.wording import heading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from silian.web.base.actors import Actor
    from silian.web.base.models import Notification, User

MOST: Final = 50  # searches that one person keeps
SHOWN: Final = 5  # records of a search in a letter
HOUR: Final = 5  # of the day, local time, from which people are told: before the earliest digest
LONGEST_NAME: Final = 100


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
    """Tell everybody whose searches have found something since they were last told; the number of people.

    Each search is told of at most once a day, from HOUR on, so that it is there for the digest of the morning. A
    search whose letters are switched off is told of nowhere: its number stands on the page of kept searches.
    """
    local = timezone.localtime(now)
    if local.hour < HOUR:
        return 0
    today = local.replace(hour=0, minute=0, second=0, microsecond=0)
    due = _by_person(SavedSearch.objects.filter(has_digest=True, user__is_active=True, told_at__lt=today))
    return sum(_tell(user, [s.pk for s in own], now) for user, own in due.items())


def _tell(user: User, numbers: list[int], now: datetime) -> bool:
    with transaction.atomic():
        actor, day, told = actor_of(user), timezone.localdate(now), 0
        for saved in SavedSearch.objects.select_for_update().filter(pk__in=numbers).order_by("pk"):
            hits = _fresh(actor, saved, saved.told_at)
            if finding.results(actor, hits.keys, question("")):
                address = f"{reverse('search')}?{sought_of(saved).address(sort='newest')}"
                facts: dict[str, int | str] = {
                    "number": saved.pk,
                    "since": saved.told_at.isoformat(),
                    "count": hits.count,
                }
                told += notify(
                    "searches.hits", [user], about=address, key=f"{saved.pk}:{day}", search=saved.name, **facts
                )  # fmt: skip
        SavedSearch.objects.filter(pk__in=numbers).update(told_at=now)
    return bool(told)


def new_names(actor: Actor, row: Notification) -> list[str]:
    """The first of the records that a kept search has found, as its person may see them now."""
    saved = SavedSearch.objects.filter(pk=row.facts.get("number", 0), user_id=actor.user_id or 0).first()
    if saved is None:
        return []
    try:
        hits = _fresh(actor, saved, datetime.fromisoformat(row.facts["since"]))
        return [seen(heading(result.record)) for result in finding.results(actor, hits.keys, question(""))]
    except WebError:  # there is no index at the moment: the number alone is no letter
        return []


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
