"""What of the registry waits for people: confirmations, interests, bookings, claims, files, likely duplicates.

Of each kind one query set says what waits; the number on the first page and the lines of the list both come from it.
"""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING, Any, Final

from django.db.models import CharField, Count, F, Q, Value
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from silian.tables import schema
from silian.web.base.languages import page_language
from silian.web.base.notifications.todo import MOST, Todo, due_after
from silian.web.catalog.beside import claims, interests
from silian.web.catalog.duplicates import reports
from silian.web.catalog.duplicates.blocking import HEADINGS
from silian.web.catalog.exchange.keeping import KEPT
from silian.web.catalog.models import MODELS, Booking, DuplicatePair, Facility, Import, Interest
from silian.web.catalog.records import publishing
from silian.web.catalog.rules import STEWARDS, visible
from silian.web.catalog.wording import heading

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from silian.web.base.actors import Actor
    from silian.web.base.notifications.todo import Source

ANSWER_DAYS: Final = 5  # working days for an interest or a claim
BOOKING_DAYS: Final = 3


class Confirming:
    """Records that their keeper should confirm."""

    code, is_grouped = "confirm", False

    def label(self) -> str:
        """What these are called."""
        return _("需要确认的记录")

    def concerns(self, actor: Actor) -> bool:
        """Who keeps records."""
        return bool(actor.orgs or actor.expert_id)

    def url(self, actor: Actor) -> str:
        """The page on which they are confirmed."""
        del actor
        return reverse("waiting")

    def count(self, actor: Actor) -> int:
        """How many, of all nouns; one query."""
        first, *others = (records.order_by().values_list("pk") for _noun, records in self._each(actor))
        return len(first.union(*others, all=True)[: MOST + 1])

    def items(self, actor: Actor) -> list[Todo]:
        """One line a record; one query."""
        first, *others = (_told(noun, records.order_by()) for noun, records in self._each(actor))
        made = []
        rows = first.union(*others, all=True).order_by("said_on", "pk")[:MOST]
        for said_on, noun, pk, called, name_en, translations in rows:
            own = {_name_of(noun): called} | ({"name_en": name_en} if name_en else {})
            record: Any = MODELS[noun](translations=translations, **own)
            record.pk = pk
            since = _morning(said_on + publishing.HALF_YEAR - publishing.DUE)
            made.append(Todo(heading(record), reverse("waiting"), since, said_on + publishing.HALF_YEAR))
        return made

    def _each(self, actor: Actor) -> list[tuple[str, QuerySet[Any]]]:
        today = timezone.localdate()
        return [(noun, publishing.waiting(actor, noun, today)) for noun in publishing.CONFIRMED]


class Interests:
    """Interests that wait for an answer."""

    code, is_grouped = "interests", False

    def label(self) -> str:
        """What these are called."""
        return _("等待答复的意向")

    def concerns(self, actor: Actor) -> bool:
        """Who keeps records."""
        return bool(actor.orgs or actor.expert_id)

    def url(self, actor: Actor) -> str:
        """The page on which they are answered."""
        del actor
        return reverse("interests")

    def count(self, actor: Actor) -> int:
        """How many; one query, none for who belongs to no organisation."""
        return self._asked(actor)[: MOST + 1].count() if actor.orgs else 0

    def items(self, actor: Actor) -> list[Todo]:
        """One line an interest; one query, and one for each noun."""
        asked = list(self._asked(actor).order_by("at", "pk")[:MOST]) if actor.orgs else []
        records = interests.records_of(asked)
        return [
            Todo(heading(records[i.noun, i.record_id]), reverse("interests"), i.at, due_after(i.at, ANSWER_DAYS))
            for i in asked
            if (i.noun, i.record_id) in records
        ]

    def _asked(self, actor: Actor) -> QuerySet[Interest]:
        return interests.received(actor).filter(state=Interest.State.ASKED)


class Bookings:
    """Requests for facilities that wait for an answer."""

    code, is_grouped = "bookings", False

    def label(self) -> str:
        """What these are called."""
        return _("等待答复的设施预约")

    def concerns(self, actor: Actor) -> bool:
        """Who runs facilities, or looks after a place."""
        return bool(actor.orgs or actor.paths(STEWARDS))

    def url(self, actor: Actor) -> str:
        """The page of one's own bookings lists what is asked of one's organisations; stewards have the list."""
        return f"{reverse('todo')}?kind={self.code}" if actor.paths(STEWARDS) else reverse("bookings")

    def count(self, actor: Actor) -> int:
        """How many; one query."""
        return self._asked(actor)[: MOST + 1].count()

    def items(self, actor: Actor) -> list[Todo]:
        """One line a request; two queries."""
        asked = list(self._asked(actor)[:MOST])
        facilities = Facility.objects.in_bulk({b.facility_id for b in asked}) if asked else {}
        return [
            Todo(
                heading(facilities[b.facility_id]), reverse("booking", args=[b.facility_id]), b.at,
                min(due_after(b.at, BOOKING_DAYS), timezone.localtime(b.from_at).date()),
            )
            for b in sorted(asked, key=lambda b: (b.at, b.pk))
            if b.facility_id in facilities
        ]  # fmt: skip

    def _asked(self, actor: Actor) -> QuerySet[Booking]:
        whose = Q(owner_id__in=sorted(actor.orgs))
        for path in actor.paths(STEWARDS):
            whose |= Q(place__path__startswith=path)
        facilities = visible(actor, Facility.objects.filter(whose)).values("pk")
        asked = Booking.objects.filter(facility_id__in=facilities, state=Booking.State.ASKED)
        return asked.filter(from_at__gt=timezone.now()).order_by("from_at", "pk")


class Claims:
    """Experts that somebody says to be."""

    code, is_grouped = "claims", False

    def label(self) -> str:
        """What these are called."""
        return _("待核实的专家认领")

    def concerns(self, actor: Actor) -> bool:
        """Who leads an organisation, or looks after a place."""
        return bool(actor.led or actor.paths(STEWARDS))

    def url(self, actor: Actor) -> str:
        """The page on which they are decided."""
        del actor
        return reverse("claims")

    def count(self, actor: Actor) -> int:
        """How many; one query."""
        return claims.waiting_for(actor)[: MOST + 1].count()

    def items(self, actor: Actor) -> list[Todo]:
        """One line a claim; two queries."""
        found = claims.to_decide(actor)[:MOST]
        return [Todo(heading(e), reverse("claims"), c.at, due_after(c.at, ANSWER_DAYS)) for c, e in found]


class Imports:
    """Files that were read and wait to be written."""

    code, is_grouped = "imports", False

    def label(self) -> str:
        """What these are called."""
        return _("待确认的导入")

    def concerns(self, actor: Actor) -> bool:
        """Who may bring files."""
        return bool(actor.orgs or actor.paths(STEWARDS))

    def url(self, actor: Actor) -> str:
        """The page of all files."""
        del actor
        return reverse("imports")

    def count(self, actor: Actor) -> int:
        """How many; one query."""
        return self._ready(actor)[: MOST + 1].count()

    def items(self, actor: Actor) -> list[Todo]:
        """One line a file, until it is deleted; one query."""
        return [
            Todo(b.name, reverse("import", args=[b.pk]), b.at, timezone.localtime(b.at + KEPT).date())
            for b in self._ready(actor)[:MOST]
        ]

    def _ready(self, actor: Actor) -> QuerySet[Import]:
        return Import.objects.filter(by_id=actor.user_id, state=Import.State.READY).order_by("at", "pk")


class Duplicates:
    """Pairs of records that may be one."""

    code, is_grouped = "duplicates", True

    def label(self) -> str:
        """What these are called."""
        return _("疑似重复，尚未判断")

    def concerns(self, actor: Actor) -> bool:
        """Who looks after a place."""
        return bool(actor.paths(STEWARDS))

    def url(self, actor: Actor) -> str:
        """The page of all nouns."""
        del actor
        return reverse("duplicates")

    def count(self, actor: Actor) -> int:
        """How many pairs, of all nouns; one query."""
        every = [reports.pairs_of(actor, reports.Asked(noun)) for noun in sorted(HEADINGS)]
        first, *others = (pairs.order_by().values_list("pk") for pairs in every)
        return len(first.union(*others, all=True)[: MOST + 1])

    def items(self, actor: Actor) -> list[Todo]:
        """One line a noun; one query a noun that has pairs, and one."""
        there = DuplicatePair.objects.filter(decision=DuplicatePair.Decision.OPEN, noun__in=HEADINGS).order_by()
        made = []
        for noun, _all in there.values_list("noun").annotate(Count("pk")).order_by("noun"):
            if number := reports.pairs_of(actor, reports.Asked(noun))[: MOST + 1].count():
                name = _("疑似重复的%(noun)s") % {"noun": schema.tables()[noun].label(page_language())}
                made.append(Todo(name, reverse("duplicate_pairs", args=[noun]), None, things=min(number, MOST)))
        return made


SOURCES: Final[tuple[Source, ...]] = (
    Confirming(), Interests(), Duplicates(), Claims(), Bookings(), Imports()
)  # fmt: skip


def _name_of(noun: str) -> str:
    """The column with the name of a record."""
    columns = {column.name for column in schema.tables()[noun].columns}
    return "name" if "name" in columns else "title"


def _told(noun: str, records: QuerySet[Any]) -> QuerySet[Any, Any]:
    """What a line tells of records, in the same columns for every noun, so that one query reads them all."""
    columns = {column.name for column in schema.tables()[noun].columns}
    english = F("name_en") if "name_en" in columns else Value("", CharField())
    told: Any = records.annotate(of=Value(noun, CharField()), called=F(_name_of(noun)), english=english)
    listed: QuerySet[Any, Any] = told.values_list("said_on", "of", "pk", "called", "english", "translations")
    return listed


def _morning(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(0)))
