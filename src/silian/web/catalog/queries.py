"""What pages of the registry read: each function a fixed number of queries, whatever the number of rows."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count, Q

from silian.tables import schema
from silian.web.catalog.fields import field_name, is_reference
from silian.web.catalog.models import MODELS, Record
from silian.web.catalog.rules import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

    from silian.web.base.actors import Actor

PAGE: Final = 25  # records a page
MANY: Final = 10_000  # counts stop here: "10,000+"


@dataclass(frozen=True, slots=True)
class Face:
    """How a noun shows itself in lists."""

    noun: str
    heading: str  # column whose value names the record
    columns: tuple[str, ...]  # beside the heading
    facets: tuple[str, ...]
    newest: str = "-updated_at"


def _faces() -> dict[str, Face]:
    text = files("silian.web.catalog").joinpath("faces.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {
        r["table"]: Face(r["table"], r["heading"], tuple(r["columns"].split()), tuple(r["facets"].split()))
        for r in rows
    }


FACES: Final[Mapping[str, Face]] = _faces()  # the nouns that have pages, in the order of the navigation


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list is asked for."""

    chosen: Mapping[str, str]  # facet → value
    words: str = ""
    after: int = 1  # page


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a list."""

    records: list[Record]
    count: int
    is_more: bool
    facets: list[tuple[schema.Column, list[tuple[str, str, int, bool]]]]  # value, label, count, is_chosen


def listed(actor: Actor, face: Face, asked: Asked, language: schema.Language) -> Found:
    """One page of the records of a noun that a person may see, with the counts of its facets.

    Cost: 2 queries and one for each facet; counts stop at MANY.
    """
    table = schema.tables()[face.noun]
    allowed = visible(actor, MODELS[face.noun].objects.all())
    found = _filtered(allowed, table, asked)
    references = [field_name(table[c]) for c in (*face.columns, *face.facets) if is_reference(table[c])]
    start = (asked.after - 1) * PAGE
    records = list(
        found.select_related("place", *dict.fromkeys(references)).order_by(face.newest, "pk")[start : start + PAGE + 1]
    )
    count = found.order_by()[:MANY].count()
    facets = [(table[name], _facet(allowed, table, asked, name, language)) for name in face.facets]
    return Found(records[:PAGE], count, len(records) > PAGE, facets)


def _filtered(records: QuerySet[Record], table: schema.Table, asked: Asked, *, but: str = "") -> QuerySet[Record]:
    chosen = {name: value for name, value in asked.chosen.items() if name != but}
    found = records.filter(**chosen)
    if asked.words:
        lines = [c.name for c in table.columns if c.name in ("title", "name", "name_en", "text")]
        for word in asked.words.split():
            condition = Q()
            for name in lines:
                condition |= Q(**{f"{name}__icontains": word})
            found = found.filter(condition)
    return found


def _facet(
    allowed: QuerySet[Record], table: schema.Table, asked: Asked, name: str, language: schema.Language
) -> list[tuple[str, str, int, bool]]:
    """Values of a facet under the other choices, the most frequent first."""
    rows = _filtered(allowed, table, asked, but=name).order_by().values_list(name).annotate(n=Count("pk"))
    counted = {str(value): n for value, n in rows if value not in (None, "")}
    labels = labels_of(table[name], language, list(counted))
    chosen = asked.chosen.get(name)
    return [
        (value, labels.get(value, value), n, value == chosen)
        for value, n in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


def labels_of(column: schema.Column, language: schema.Language, values: list[str]) -> dict[str, str]:
    """Names for people of the values of a column: of its codes, or of the records that they name."""
    if column.codes:
        names: dict[str, Any] = {code: pair[language == "en"] for code, pair in schema.codes()[column.codes].items()}
        return names
    if is_reference(column):
        model = MODELS[column.targets[0][0]]
        return {str(r.pk): str(r) for r in model.objects.filter(pk__in=values)}
    return {}
