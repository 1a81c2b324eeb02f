"""What is harvested: which records stand for which kind of thing, and a page of them after another.

A list goes through the sources in a fixed order and within each by the key of the thing, which never changes: whatever
is edited while a harvest runs is told once, in the state in which it is reached. What is gone for good follows behind
its source, told by the log of changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from django.db.models import Case, Exists, F, IntegerField, Max, Min, OuterRef, Q, When
from django.db.models.fields.json import KeyTextTransform

from silian.web.catalog.models import MODELS, Change, Record
from silian.web.standards import public
from silian.web.standards.identity import local_id, noun_and_key, repository

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from django.db.models import QuerySet

State = Literal["live", "withdrawn", "gone"]
PAGE: Final = 100  # records of one answer
UNDERWAY: Final = ("contract", "delivery", "acceptance", "outcome")  # stages in which a cooperation is a project
SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Source:
    """Records of one noun that stand for one kind of thing."""

    noun: str
    kind: str  # as it stands in identifiers: the plural of the CERIF element, or what we call it
    element: str  # of CERIF; empty: the profile has none for it
    set_spec: str
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # column → its values
    key: str = "pk"  # what names the thing; of works the number that several rows share

    def takes(self, values: Mapping[str, Any]) -> bool:
        """Whether a record with some values is one of these."""
        return all((values.get(name) or "") in allowed for name, allowed in self.only.items())

    def identifier(self, key: str) -> str:
        """The OAI identifier of a thing."""
        return f"oai:{repository()}:{self.kind}/{local_id(self.noun, key)}"


CRIS: Final = "openaire_cris_"
PATENTED: Final = ("granted", "pending", "expired")
SOURCES: Final = (
    Source("organisations", "OrgUnits", "OrgUnit", f"{CRIS}orgunits"),
    Source("experts", "Persons", "Person", f"{CRIS}persons"),
    Source("works", "Publications", "Publication", f"{CRIS}publications", {"kind": ("paper", "standard")}, "work_id"),
    Source("works", "Patents", "Patent", f"{CRIS}patents", {"kind": ("patent",)}, "work_id"),
    Source("works", "Products", "Product", f"{CRIS}products", {"kind": ("software",)}, "work_id"),
    Source("works", "Projects", "Project", f"{CRIS}projects", {"kind": ("project",)}, "work_id"),
    Source("achievements", "Patents", "Patent", f"{CRIS}patents", {"ip_status": PATENTED}),
    Source("achievements", "Products", "Product", f"{CRIS}products", {"ip_status": ("software", "secret", "none", "")}),
    Source("projects", "Projects", "Project", f"{CRIS}projects", {"stage": UNDERWAY}),
    Source("funds", "Fundings", "Funding", f"{CRIS}funding"),
    Source("facilities", "Equipments", "Equipment", f"{CRIS}equipments"),
    Source("needs", "Needs", "", "silian_needs"),
    Source("policies", "Policies", "", "silian_policies"),
)
# Sets as the guidelines 1.1 ask for them, each with its name, even where nothing is in it; then our own.
SETS: Final = (
    *(
        (f"{CRIS}{name}", f"OpenAIRE_CRIS_{name}")
        for name in (
            "publications", "products", "patents", "persons", "orgunits", "projects", "funding", "events", "equipments",
        )
    ),
    ("silian_needs", "企业需求 Needs of enterprises"),
    ("silian_policies", "政策 Policies"),
)  # fmt: skip


class Item(NamedTuple):
    """A thing that is harvested."""

    source: Source
    key: str
    stamp: datetime
    state: State  # withdrawn: there is a row that is no longer published; gone: there is none
    facts: tuple[public.Facts, ...] = ()  # of its published rows; several of a work with several people

    @property
    def identifier(self) -> str:
        """Its OAI identifier."""
        return self.source.identifier(self.key)


@dataclass(frozen=True, slots=True)
class Range:
    """What is asked for: the sources, and the time of the last change."""

    sources: tuple[int, ...]  # indices in SOURCES, rising
    since: datetime | None = None
    until: datetime | None = None  # this second is still part of it


class Place(NamedTuple):
    """How far a list has come."""

    source: int = 0
    is_gone: bool = False  # among what is gone for good
    key: str = ""


class Page(NamedTuple):
    """A part of a list, and where the next one begins; None: there is none."""

    items: list[Item]
    after: Place | None


def page(asked: Range, start: Place, *, size: int = PAGE, is_whole: bool = True) -> Page:
    """The next things of a list.

    Parameters
    ----------
    is_whole : whether their records are wanted, and not only that they are there

    Notes
    -----
    Cost: at most two queries for each source and one more for each that stands on the page, whatever their number.
    """
    found: list[Item] = []
    for index in asked.sources:
        if index < start.source:
            continue
        here = index == start.source
        if not (here and start.is_gone):
            found += _rows(SOURCES[index], asked, start.key if here else "", size + 1 - len(found))
        if len(found) <= size:
            found += _gone(SOURCES[index], asked, start.key if here and start.is_gone else "", size + 1 - len(found))
        if len(found) > size:
            break
    after = None
    if len(found) > size:
        last = found[size - 1]
        after = Place(SOURCES.index(last.source), last.state == "gone", last.key)
    return Page(_filled(found[:size]) if is_whole else found[:size], after)


def one(identifier: str) -> Item | None:
    """The thing that an identifier names; one that has become of another kind counts as withdrawn. None: never told."""
    start = f"oai:{repository()}:"
    kind, slash, local = identifier.removeprefix(start).partition("/")
    if not identifier.startswith(start) or not slash:
        return None
    noun, key = noun_and_key(local)
    sources = [source for source in SOURCES if source.noun == noun]
    asked = next((source for source in sources if source.kind == kind), None)
    if asked is None or asked.identifier(key) != identifier or "\0" in key:
        return None
    for source in (asked, *(other for other in sources if other is not asked)):
        found = [*_rows(source, Range(()), "", 1, only=key), *_gone(source, Range(()), "", 1, only=key)]
        if found:
            item = _filled(found[:1])[0]
            return item if source is asked else Item(asked, key, item.stamp, "withdrawn")
    return None


def earliest() -> datetime | None:
    """When the oldest thing last changed. Cost: one query for each noun."""
    stamps = [
        MODELS[noun].objects.filter(state=Record.State.PUBLISHED).aggregate(first=Min("updated_at"))["first"]
        for noun in {source.noun for source in SOURCES}
    ]
    return min((stamp for stamp in stamps if stamp), default=None)


def chosen(set_spec: str = "", *, is_cerif: bool = False) -> tuple[int, ...]:
    """The sources of a set, or all; those of which CERIF has a kind."""
    return tuple(
        index for index, source in enumerate(SOURCES)
        if set_spec in ("", source.set_spec) and (source.element or not is_cerif)
    )  # fmt: skip


def _rows(source: Source, asked: Range, after: str, most: int, only: str | None = None) -> Iterator[Item]:
    """Things with a row: published ones, and those that were."""
    rows = _told(source.noun)
    for name, allowed in source.only.items():
        rows = rows.filter(**{f"{name}__in": allowed})
    if source.noun == "projects":  # whose stage is closed is not sorted by it
        rows = rows.filter(Q(tiers__stage__isnull=True) | Q(tiers__stage="public"))
    if after or only is not None:
        rows = rows.filter(**({f"{source.key}__gt": after} if only is None else {source.key: only}))
    rows = rows.annotate(live=Case(When(_is_live(source.noun), then=1), default=0, output_field=IntegerField()))
    if asked.since:  # the newest row of a thing dates it: found by date, then put in order, not the other way about
        fresh = MODELS[source.noun].objects.filter(updated_at__gte=asked.since)
        rows = rows.filter(**{f"{source.key}__in": fresh.values(source.key)})
    if source.key == "pk":
        stamped = _within(rows, asked, "updated_at").order_by("pk").values_list("pk", "updated_at", "live")
    else:
        grouped = rows.order_by().values(source.key).annotate(stamp=Max("updated_at"), any_live=Max("live"))
        stamped = _within(grouped, asked, "stamp").order_by(source.key).values_list(source.key, "stamp", "any_live")
    for key, stamp, live in stamped[:most]:
        yield Item(source, key, stamp, "live" if live else "withdrawn")


def _is_live(noun: str) -> Q:
    live = Q(state=Record.State.PUBLISHED)
    return live & Q(expert__state=Record.State.PUBLISHED) if noun == "works" else live


def _told(noun: str) -> QuerySet[Record]:
    """The records that are published or once were; what nobody ever saw is not told as withdrawn."""
    published = Q(before__state=Record.State.PUBLISHED) | Q(after__state=Record.State.PUBLISHED)
    was = Exists(Change.objects.filter(published, noun=noun, record_id=OuterRef("pk")))
    found = _is_live(noun)
    if noun == "works":
        over = (Record.State.WITHDRAWN, Record.State.EXPIRED)
        found |= Q(state=Record.State.PUBLISHED, expert__state__in=over)
    return MODELS[noun].objects.filter(found | (~Q(state=Record.State.PUBLISHED) & Q(version__gt=1) & was))


def _gone(source: Source, asked: Range, after: str, most: int, only: str | None = None) -> Iterator[Item]:
    """Things of which no row is left."""
    lost = Change.objects.filter(noun=source.noun, after__isnull=True, before__state=Record.State.PUBLISHED)
    for name, allowed in source.only.items():
        wanted = Q(**{f"before__{name}__in": [value for value in allowed if value]})
        lost = lost.filter(wanted | Q(**{f"before__{name}": None}) if "" in allowed else wanted)
    lost = lost.annotate(key=F("record_id") if source.key == "pk" else KeyTextTransform(source.key, "before"))
    lost = lost.filter(~Exists(MODELS[source.noun].objects.filter(**{source.key: OuterRef("key")})))
    if after or only is not None:
        lost = lost.filter(key__gt=after) if only is None else lost.filter(key=only)
    stamped = _within(lost.order_by().values("key").annotate(stamp=Max("changes__at")), asked, "stamp")
    for key, stamp in stamped.order_by("key").values_list("key", "stamp")[:most]:
        yield Item(source, key, stamp, "gone")


def _within(rows: QuerySet[Any], asked: Range, name: str) -> QuerySet[Any]:
    if asked.since:
        rows = rows.filter(**{f"{name}__gte": asked.since})
    return rows.filter(**{f"{name}__lt": asked.until + SECOND}) if asked.until else rows


def _filled(items: Iterable[Item]) -> list[Item]:
    """Things with their published records: one query for each source."""
    made = list(items)
    told: dict[tuple[str, str], list[public.Facts]] = {}
    for source in SOURCES:
        keys = [item.key for item in made if item.source is source and item.state == "live"]
        if keys:
            found = public.records(source.noun).filter(**{f"{source.key}__in": keys}).select_related("place")
            for record in found.order_by("pk"):
                told.setdefault((source.noun, getattr(record, source.key)), []).append(public.facts_of(record))
    return [item._replace(facts=tuple(told.get((item.source.noun, item.key), ()))) for item in made]
