"""The list behind a number: exactly its rows, with the names they have today, as far as a person may see them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db import connection
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.http import Http404
from django.urls import reverse

from silian.tables import schema
from silian.web.catalog.faces import FACES
from silian.web.catalog.models import MODELS, Record
from silian.web.catalog.rules import shown, visible
from silian.web.catalog.wording import heading
from silian.web.runs.dashboards.measures import measures
from silian.web.runs.dashboards.reading import NOTHING, figures_of, members_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.db.models import QuerySet

    from silian.web.runs.dashboards.measures import Measure
    from silian.web.runs.dashboards.reading import Desk, Told

PAGE: Final = 25
LONGEST: Final = 100  # characters of what is searched for
SORTS: Final = ("name", "place", "amount")
MOST: Final = 100_000  # rows of a file


class Row(NamedTuple):
    """One row behind a number."""

    id: str
    name: str
    url: str  # empty: the noun has no pages
    place: str
    state: str  # empty: published
    amount: float | None


@dataclass(frozen=True)
class Listed:
    """A page of a list."""

    measure: Measure
    told: Told
    rows: list[Row]
    count: int  # rows that match what is asked, of those the person may see
    all: int  # rows behind the number
    unseen: int  # of these the ones that the person may not see, or that are there no more
    page: int
    words: str
    sort: str

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-self.count // PAGE))

    @property
    def has_amounts(self) -> bool:
        """Whether the number is made of the rows' own values."""
        return self.measure.how in ("sum", "mean", "median") or self.measure.chain == "gaps"


def listed(desk: Desk, code: str, given: Mapping[str, str], *, is_whole: bool = False) -> Listed:
    """The rows behind a number.

    Parameters
    ----------
    given : q, words of the name; sort, one of SORTS, "-" before it: down; page
    is_whole : every row at once, for a file

    Raises
    ------
    Http404 : where there is no such measure or no snapshot
    WebError : snapshot.changed

    Notes
    -----
    Cost: two queries, and a third for words or an order by amount, whatever the number of rows.
    """
    measure = measures().get(code)
    if measure is None or desk.snapshot is None:
        raise Http404
    source = measures()[measure.rows_of]
    members = members_of(desk.snapshot, desk.place.pk, source.code)
    amounts: dict[str, float | None] = dict(members.iter_rows())
    records = visible(desk.actor, MODELS[source.noun].objects.filter(pk__in=_ids(amounts)))
    seen = records.count()
    words, sort, page = _asked(given)
    if words:
        records = records.filter(_named(source.noun, words))
    count = records.count() if words else seen
    page = min(page, max(1, -(-count // PAGE)))
    start, end = (0, MOST) if is_whole else ((page - 1) * PAGE, page * PAGE)
    told = figures_of(desk.snapshot, desk.place.pk).get(code, NOTHING)
    rows = [_row(desk, r, amounts[str(r.pk)]) for r in _ordered(records, source.noun, amounts, sort, start, end)]
    return Listed(measure, told, rows, count, len(amounts), len(amounts) - seen, page, words, sort)


def _ids(some: Iterable[str]) -> RawSQL:
    """Ids as one value: tens of thousands, each a value of its own, take the longest part of a second to be written."""
    unfolded = {"postgresql": "json_array_elements_text(CAST(%s AS json))"}.get(connection.vendor, "json_each(%s)")
    return RawSQL(f"SELECT value FROM {unfolded}", [json.dumps(list(some))])  # noqa: S608, S611 - names of our own


def _asked(given: Mapping[str, str]) -> tuple[str, str, int]:
    words = " ".join(given.get("q", "").replace("\x00", "").split())[:LONGEST]
    sort, number = given.get("sort", ""), given.get("page", "1")
    page = int(number) if number.isascii() and number.isdecimal() and len(number) < 7 else 1
    return words, sort if sort.removeprefix("-") in SORTS else "", max(1, page)


def _heading(noun: str) -> str:
    """The column that names the records of a noun: its key where none does."""
    if noun in FACES:
        return FACES[noun].heading
    names = [c.name for c in schema.tables()[noun].columns]
    return next((n for n in ("title", "name") if n in names), "pk")


def _named(noun: str, words: str) -> Q:
    return Q(**{f"{_heading(noun)}__icontains": words}) | Q(pk__iexact=words)


def _ordered(
    records: QuerySet[Record], noun: str, amounts: Mapping[str, float | None], sort: str, start: int, end: int
) -> list[Record]:
    """One page of the rows in the order that was asked for; by their own values unless the database knows it."""
    column, is_down = sort.removeprefix("-"), sort.startswith("-")
    records = records.select_related("place")
    if column == "amount":
        keys = [str(pk) for pk in records.values_list("pk", flat=True).order_by("pk")]
        keys.sort(key=lambda pk: (amounts[pk] is None, (amounts[pk] or 0) * (-1 if is_down else 1)))
        found = records.in_bulk(keys[start:end])
        return [found[pk] for pk in keys[start:end]]
    by = {"name": _heading(noun), "place": "place__path"}.get(column, "pk")
    return list(records.order_by(f"-{by}" if is_down else by, "pk")[start:end])


def _row(desk: Desk, record: Record, amount: float | None) -> Row:
    names: Any = shown(desk.actor, record)
    name = heading(record) if _heading(record.noun) in names else record.record_id
    url = reverse("detail", args=[record.noun, record.record_id]) if record.noun in FACES else ""
    state = "" if record.state == Record.State.PUBLISHED else record.state
    return Row(record.record_id, name, url, str(record.place), state, amount)
