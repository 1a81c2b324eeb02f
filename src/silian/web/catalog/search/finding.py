"""The page of a search: records found, told in the words that found them, and what may be asked next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from silian.errors import WebError
from silian.tables import schema
from silian.web.catalog.beside.interests import opened
from silian.web.catalog.faces import FACES
from silian.web.catalog.fields import field_name, is_reference
from silian.web.catalog.models import MODELS, Record
from silian.web.catalog.records.queries import LONGEST, Choice, labels_of, row_of, terms
from silian.web.catalog.rules import shown, visible
from silian.web.catalog.search import searching
from silian.web.catalog.search.asking import Question, Unit, question
from silian.web.catalog.search.indexing import Waiting, waiting
from silian.web.catalog.search.marking import Piece, excerpt, marked
from silian.web.catalog.wording import FIGURES, as_read, head, in_list

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from silian.web.base.actors import Actor

PAGE: Final = 20  # records a page
NAMES: Final = 8  # offered while typing
LATE: Final = 5  # seconds that the index may lag behind before the page says so
COLUMNS: Final = 3  # of a record, beside its name
FACETS: Final = ("field", "district_id", "state")  # of every kind of record


@dataclass(frozen=True, slots=True)
class Sought:
    """What a search is asked for."""

    words: str = ""
    chosen: Mapping[str, str] = field(default_factory=dict)  # noun, state or facet → value
    sort: str = ""  # newest; empty: the most relevant first
    is_plain: bool = False  # without other names of the same thing
    page: int = 1

    def address(self, *, but: str = "", page: int = 1, **other: Any) -> str:
        """The query of this search with something changed.

        Examples
        --------
        >>> Sought("电池", {"noun": "needs"}).address(but="noun", sort="newest")
        'q=%E7%94%B5%E6%B1%A0&sort=newest'
        """
        told: dict[str, Any] = {"q": self.words, **self.chosen, "sort": self.sort, "plain": "1" * self.is_plain}
        told |= {"page": page if page > 1 else ""} | other
        told.pop(but, None)
        return urlencode({name: value for name, value in told.items() if value})


class Facet(NamedTuple):
    """Values to choose from."""

    name: str
    label: str
    choices: list[tuple[Choice, str]]  # and the address with the choice, or without it where it is chosen


class Result(NamedTuple):
    """A record that was found."""

    record: Record
    table: schema.Table
    heading: list[Piece]
    facts: list[list[Piece]]
    column: str  # name of the column that the excerpt is from
    excerpt: list[Piece]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a search."""

    sought: Sought
    question: Question
    results: list[Result] = field(default_factory=list)
    count: int = 0
    is_more: bool = False
    nouns: list[tuple[Choice, str]] = field(default_factory=list)
    facets: list[Facet] = field(default_factory=list)
    meant: list[tuple[str, int, str]] = field(default_factory=list)  # words, count, address
    near: list[Result] = field(default_factory=list)
    behind: Waiting = field(default_factory=lambda: Waiting(0, 0.0))  # what the index has not taken in
    problem: WebError | None = None

    @property
    def lag(self) -> Waiting | None:
        """What the index has not taken in, where that is worth saying."""
        return self.behind if self.behind.seconds > LATE else None

    @property
    def others(self) -> list[Unit]:
        """What was asked for under other names, too."""
        return [unit for unit in self.question.units if unit.others]


def sought_of(given: Mapping[str, str]) -> Sought:
    """What the parameters of a request ask of the search; what means nothing is left out."""
    noun = given.get("noun", "")
    allowed = [*FACETS, *(FACES[noun].facets if noun in FACES else ())]
    chosen = {"noun": noun} if noun in FACES else {}
    chosen |= {name: given[name][:LONGEST] for name in allowed if given.get(name)}
    number = given.get("page", "1")
    page = int(number) if number.isascii() and number.isdecimal() and len(number) < 9 else 1
    return Sought(
        words=" ".join(given.get("q", "").replace("\x00", "").split())[:LONGEST],
        chosen=chosen,
        sort="newest" if given.get("sort") == "newest" else "",
        is_plain=given.get("plain") == "1",
        page=min(max(page, 1), searching.MANY // PAGE),
    )


def found_page(actor: Actor, sought: Sought, language: schema.Language) -> Page:
    """A page of what a person finds. Cost: one query for each kind of record on it, and four more."""
    known = terms()
    asked = question(sought.words, terms=known)
    plain = question(sought.words, terms=known, is_plain=True)
    mutual = opened(actor)
    wanted = searching.Wanted(plain if sought.is_plain else asked, sought.chosen, sought.sort, opened=mutual)
    start = (sought.page - 1) * PAGE
    noun = sought.chosen.get("noun", "")
    names = tuple(dict.fromkeys(["noun", *FACETS, *(FACES[noun].facets if noun else ())]))
    try:
        hits = searching.search(actor, wanted, limit=PAGE, start=start, facets=names)
        meant, near = [], []
        if not hits.count and sought.words:
            meant = [(w, n, Sought(w, sought.chosen).address()) for w, n in searching.meant(actor, wanted, known)]
            near = results(actor, searching.nearest(actor, asked, 5), wanted.question, mutual)
    except WebError as problem:
        return Page(sought, asked, problem=problem)
    return Page(
        sought, asked, results(actor, hits.keys, wanted.question, mutual), hits.count,
        start + PAGE < min(hits.count, searching.MANY), _nouns(sought, hits, language),
        [f for name in names[1:] if (f := _facet(sought, hits, name, language)).choices], meant, near,
        waiting(),
    )  # fmt: skip


def names(actor: Actor, typed: str) -> list[Result]:
    """Records whose names hold what has been typed so far."""
    asked = question(typed[:LONGEST], is_plain=True)
    try:
        return results(actor, searching.names(actor, asked, NAMES), asked)
    except WebError:
        return []  # the page of the search says what is wrong


def results(
    actor: Actor, keys: Sequence[tuple[str, str]], asked: Question, mutual: Collection[tuple[str, str]] = ()
) -> list[Result]:  # fmt: skip
    """The records of some keys, as they are now and as far as the person may see them now.

    Parameters
    ----------
    mutual : of `interests.opened`
    """
    by_noun: dict[str, list[str]] = {}
    for noun, record_id in keys:
        by_noun.setdefault(noun, []).append(record_id)
    records = {}
    for noun, ids in by_noun.items():
        table, face = schema.tables()[noun], FACES[noun]
        named = [field_name(table[c]) for c in face.columns[:COLUMNS] if is_reference(table[c])]
        beside = ["place", *named, *(f"{name}__place" for name in named)]
        for record in visible(actor, MODELS[noun].objects.filter(pk__in=ids)).select_related(*beside):
            records[noun, record.record_id] = record
    return [_result(actor, records[key], asked, is_mutual=key in mutual) for key in keys if key in records]


def _result(actor: Actor, record: Record, asked: Question, *, is_mutual: bool) -> Result:
    table, words = record.table, asked.marked
    seen = shown(actor, record, is_mutual=is_mutual)
    face = FACES[record.noun]
    cells = row_of(actor, record, face, table, COLUMNS, is_mutual=is_mutual).cells
    facts = [f"{head(c)} {told}" if c.type in FIGURES else told for c, v in cells if (told := in_list(v, c))]
    column, part = "", []
    for one in table.columns if words else ():
        if one.name not in seen or one.name == face.heading or one.type not in ("text", "list", "code"):
            continue
        if as_read(getattr(record, one.name), one) in facts:
            continue  # it stands above already
        part = excerpt(as_read(getattr(record, one.name), one), words)
        if part:
            column = one.name
            break
    return Result(record, table, marked(str(record), words), [marked(fact, words) for fact in facts], column, part)


def _nouns(sought: Sought, hits: searching.Hits, language: schema.Language) -> list[tuple[Choice, str]]:
    """Kinds of records, in the order of the navigation, with their counts; the first is all of them."""
    counted, chosen = hits.facets_of("noun"), sought.chosen.get("noun", "")
    general = Sought(
        sought.words, {n: v for n, v in sought.chosen.items() if n in FACETS}, sought.sort, is_plain=sought.is_plain
    )
    made = [(Choice("", _("全部"), sum(counted.values()), not chosen), general.address())]
    for noun in FACES:
        if counted.get(noun) or noun == chosen:
            label = schema.tables()[noun].label(language)
            made.append((Choice(noun, label, counted.get(noun, 0), noun == chosen), general.address(noun=noun)))
    return made


def _facet(sought: Sought, hits: searching.Hits, name: str, language: schema.Language) -> Facet:
    counted = hits.facets_of(name)
    chosen = sought.chosen.get(name)
    if chosen:
        counted.setdefault(chosen, 0)
    if name == "state":
        label, labels = _("状态"), {str(value): str(text) for value, text in Record.State.choices}
        counted = counted if len(counted) > 1 or chosen else {}
    else:
        column = _column(sought, name)
        label, labels = column.label(language), labels_of(column, language, list(counted))
    choices = []
    for value, n in counted.items():
        other: dict[str, Any] = {name: value}
        address = sought.address(but=name) if value == chosen else sought.address(**other)
        choices.append((Choice(value, labels.get(value, value), n, value == chosen), address))
    return Facet(name, label, choices)


def told_of(sought: Sought, language: schema.Language) -> str:
    """A search in words: what is looked for and what is chosen."""
    parts = [f"“{sought.words}”"] if sought.words else []
    for name, value in sought.chosen.items():
        if name == "noun":
            parts.append(schema.tables()[value].label(language))
        elif name == "state":
            parts.append(str(dict(Record.State.choices).get(value, value)))
        else:
            parts.append(labels_of(_column(sought, name), language, [value]).get(value, value))
    return " · ".join(map(str, parts))


def _column(sought: Sought, name: str) -> schema.Column:
    """The column of a facet: of the kind of record that is chosen, else of any that has it."""
    table = schema.tables()[sought.chosen.get("noun", "needs")]
    return table[name] if name in {c.name for c in table.columns} else schema.tables()["needs"][name]
