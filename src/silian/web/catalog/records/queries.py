"""What pages of the registry read: each function a fixed number of queries, whatever the number of rows."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from silian.errors import WebError
from silian.tables import schema
from silian.text.terms import Concept, Terms
from silian.web.catalog.beside.interests import opened
from silian.web.catalog.faces import FACES, Face
from silian.web.catalog.fields import field_name, is_reference
from silian.web.catalog.models import MODELS, Record, Term
from silian.web.catalog.rules import may, shown, visible
from silian.web.catalog.search import searching
from silian.web.catalog.search.asking import question

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from django.db.models import QuerySet

    from silian.web.base.actors import Actor

__all__ = [
    "FACES",
    "MANY",
    "PAGE",
    "Asked",
    "Choice",
    "Face",
    "Found",
    "Row",
    "asked_of",
    "found_by",
    "listed",
    "names_of",
]

PAGE: Final = 25  # records a page
MANY: Final = searching.MANY  # records that can be walked through page by page; then a filter is asked for
TERMS_LAST: Final = 60  # seconds that names of things are kept
LONGEST: Final = 200  # characters of what is searched for
OVER: Final = (Record.State.EXPIRED, Record.State.WITHDRAWN)  # states that are not what a list is opened for


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list is asked for."""

    chosen: Mapping[str, str] = field(default_factory=dict)  # facet or state → value
    words: str = ""
    after: int = 1  # page
    sort: str = ""  # column of the face's sorts, "-" before it: down; empty: the newest first


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of a facet."""

    value: str
    label: str
    count: int | None  # None: not counted
    is_chosen: bool


class Row(NamedTuple):
    """A record of a list and its columns; None: not for this person."""

    record: Record
    cells: list[tuple[schema.Column, Any]]


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a list."""

    rows: list[Row]
    count: int | None  # None: not known while the index is built
    is_more: bool
    facets: list[tuple[schema.Column | None, list[Choice]]]  # None: the state
    problem: WebError | None = None  # why words cannot be searched or counts are missing

    @property
    def records(self) -> list[Record]:
        """The records of the page."""
        return [row.record for row in self.rows]


def asked_of(face: Face, given: Mapping[str, str]) -> Asked:
    """What the parameters of a request ask of a list; what means nothing is left out.

    Examples
    --------
    >>> asked_of(FACES["needs"], {"field": "energy", "page": "x", "sort": "-deadline_on", "noise": "1"})
    Asked(chosen={'field': 'energy'}, words='', after=1, sort='-deadline_on')
    """
    chosen = {name: given[name][:LONGEST].replace("\x00", "") for name in (*face.facets, "state") if given.get(name)}
    if chosen.get("state") and chosen["state"] not in Record.State.values:
        del chosen["state"]
    number, sort = given.get("page", "1"), given.get("sort", "")
    last = MANY // PAGE
    after = min(max(1, int(number)), last) if number.isascii() and number.isdecimal() and len(number) < 9 else 1
    words = " ".join(given.get("q", "").replace("\x00", "").split())[:LONGEST]
    return Asked(chosen, words, after, sort if sort.removeprefix("-") in face.sorts else "")


def found_by(actor: Actor, face: Face, asked: Asked) -> QuerySet[Record]:
    """The records that a list shows: all pages of it, those that the person may see, without an order.

    Raises
    ------
    WebError : if words are asked for and the index cannot be read
    """
    records = visible(actor, MODELS[face.noun].objects.all()).filter(**asked.chosen)
    if asked.words:
        mutual = opened(actor, [face.noun])
        records = records.filter(pk__in=searching.ids(actor, face.noun, question(asked.words), opened=mutual))
    return records


def listed(actor: Actor, face: Face, asked: Asked, language: schema.Language) -> Found:
    """One page of the records of a noun that a person may see, with the counts of its facets.

    Rows come from the database, so that what was just written is there; counts, words and another order than the
    newest from the index. Cost: one query for the page, one for each facet that names records, one for what mutual
    interest opens.
    """
    table = schema.tables()[face.noun]
    start = (asked.after - 1) * PAGE
    mutual = opened(actor, [face.noun])
    chosen = {"noun": face.noun, **asked.chosen}
    wanted = searching.Wanted(question(asked.words), chosen, asked.sort, opened=mutual)
    problem = hits = None
    try:
        hits = searching.search(actor, wanted, limit=PAGE + 1, start=start, facets=("noun", "state", *face.facets))
        if asked.words or asked.sort:
            keys = [record_id for _, record_id in hits.keys]
            records = visible(actor, MODELS[face.noun].objects.all()).filter(**asked.chosen)
            by_id = records.select_related(*_followed(face, table)).in_bulk(keys)
            page = [by_id[i] for i in keys if i in by_id]
            is_more = len(keys) > PAGE
        else:
            page = _newest(actor, face, asked, table, start)
            is_more = len(page) > PAGE
    except WebError as unread:
        problem = unread
        page = [] if asked.words else _newest(actor, face, asked, table, start)
        is_more = len(page) > PAGE
    facets = [(table[name], _choices(table[name], hits, asked, language)) for name in face.facets]
    states = _states(hits, asked)
    more: list[tuple[schema.Column | None, list[Choice]]] = [(None, states)] if states else []
    rows = [row_of(actor, r, face, table, is_mutual=(r.noun, r.record_id) in mutual) for r in page[:PAGE]]
    return Found(rows, hits.count if hits else None, is_more and start + PAGE < MANY, [*more, *facets], problem)


def row_of(
    actor: Actor, record: Record, face: Face, table: schema.Table, most: int | None = None, *, is_mutual: bool = False
) -> Row:  # fmt: skip
    """A record as a list shows it, or the first `most` columns of it.

    What is not for this person is None, and so is the name of what they may not see.
    """
    names = shown(actor, record, is_mutual=is_mutual)
    cells: list[tuple[schema.Column, Any]] = []
    for name in face.columns[:most]:
        value = getattr(record, field_name(table[name])) if name in names else None
        if isinstance(value, Record) and not may(actor, "see", value):
            value = None
        cells.append((table[name], value))
    return Row(record, cells)


def _newest(actor: Actor, face: Face, asked: Asked, table: schema.Table, start: int) -> list[Record]:
    """Records, the newest first; where no state is asked for, those that are over stand behind all others.

    Cost: one query; two or three at the end of the list.
    """
    records = visible(actor, MODELS[face.noun].objects.all()).filter(**asked.chosen)
    ordered = records.select_related(*_followed(face, table)).order_by(face.newest, "pk")
    if "state" in asked.chosen:
        return list(ordered[start : start + PAGE + 1])
    current = ordered.exclude(state__in=OVER)
    page = list(current[start : start + PAGE + 1])
    if len(page) > PAGE or actor.is_visitor:
        return page
    passed = max(0, start - current.count()) if start and not page else 0
    return [*page, *ordered.filter(state__in=OVER)[passed : passed + PAGE + 1 - len(page)]]


def _followed(face: Face, table: schema.Table) -> list[str]:
    """What a page of records needs beside them: their places, what they name, and where that lies."""
    references = [field_name(table[name]) for name in face.columns if is_reference(table[name])]
    return ["place", *references, *(f"{name}__place" for name in references)]


def _choices(
    column: schema.Column, hits: searching.Hits | None, asked: Asked, language: schema.Language
) -> list[Choice]:
    """Values of a facet with their counts under the other choices, the most frequent first."""
    chosen = asked.chosen.get(column.name)
    every = schema.codes().get(column.codes or "", {})
    counted: dict[str, int | None] = {**hits.facets_of(column.name)} if hits else dict.fromkeys(every)
    if chosen and chosen not in counted:
        counted[chosen] = 0 if hits else None
    labels = labels_of(column, language, list(counted))
    return [Choice(value, labels.get(value, value), n, value == chosen) for value, n in counted.items()]


def _states(hits: searching.Hits | None, asked: Asked) -> list[Choice]:
    """States, where the person sees records of more than one."""
    counted = hits.facets_of("state") if hits else {}
    chosen = asked.chosen.get("state")
    if chosen:
        counted.setdefault(chosen, 0)
    elif len(counted) < 2:
        return []
    labels = dict(Record.State.choices)
    return [Choice(value, str(labels.get(value, value)), n, value == chosen) for value, n in counted.items()]


def labels_of(column: schema.Column, language: schema.Language, values: Sequence[str]) -> dict[str, str]:
    """Names for people of the values of a column: of its codes, or of the records that they name."""
    if column.codes:
        names: dict[str, Any] = {code: pair[language == "en"] for code, pair in schema.codes()[column.codes].items()}
        return names
    if is_reference(column) and values:
        return names_of(column.targets[0][0], values, language)
    return {}


def names_of(noun: str, ids: Iterable[str], language: schema.Language) -> dict[str, str]:
    """The names of records by their ids, in the language of the page where they have one."""
    made = {}
    for record in MODELS[noun].objects.filter(pk__in=list(ids)):
        english = getattr(record, "name_en", "") if language == "en" else ""
        made[record.record_id] = str(english or record)
    return made


def terms() -> Terms:
    """Names of things: those of the registry over the shipped list. Cost: one query a minute."""
    return _terms_at(int(time.monotonic() // TERMS_LAST))


@lru_cache(maxsize=1)
def _terms_at(_minute: int) -> Terms:
    rows = Term.objects.filter(state=Record.State.PUBLISHED).order_by("pk").values_list("zh", "en", "synonyms")[:MANY]
    return _terms(tuple((zh, tuple(en or ()), tuple(more or ())) for zh, en, more in rows))


@lru_cache(maxsize=2)
def _terms(own: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]) -> Terms:
    return Terms.made(Concept(*row) for row in own).over(Terms.shipped()) if own else Terms.shipped()
