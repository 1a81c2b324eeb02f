"""Lists of the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from django.http import Http404
from django.shortcuts import render
from django.utils.translation import gettext as _

from silian.tables import schema
from silian.web.base.languages import page_language
from silian.web.catalog.records.queries import FACES, MANY, PAGE, Asked, Choice, Face, asked_of, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpResponse

    from silian.web.base.requests import Request


class Chip(NamedTuple):
    """A filter that is set, and the page without it."""

    name: str
    value: str
    without: str


class Head(NamedTuple):
    """A column's head: where a click puts the list in order by it, the address."""

    column: schema.Column
    address: str
    order: str  # as aria-sort has it


def list_page(request: Request, noun: str) -> HttpResponse:
    """The records of a noun."""
    face = FACES.get(noun)
    if face is None:
        raise Http404
    language, table = page_language(), schema.tables()[noun]
    asked = asked_of(face, request.GET)
    found = listed(request.actor, face, asked, language)
    shared: dict[str, Any] = {
        "table": table, "face": face, "found": found, "asked": asked, "heading": table[face.heading],
        "heads": [_head(table[name], face, asked) for name in face.columns], "chips": _chips(asked, found.facets),
        "query": address(asked), "previous": address(asked, page=asked.after - 1),
        "next": address(asked, page=asked.after + 1), "is_last": asked.after * PAGE >= MANY, "many": MANY,
        "pages": -(-min(found.count, MANY) // PAGE) if found.count else None,
        "problem": found.problem.message(language) if found.problem else "",
    }  # fmt: skip
    return render(request, "catalog/list.html", shared)


def address(asked: Asked, *, but: str = "", page: int = 1, sort: str | None = None) -> str:
    """The query of the page of a list: what `asked_of` reads.

    Examples
    --------
    >>> address(Asked({"field": "energy"}, "电池", 3), but="field")
    'q=%E7%94%B5%E6%B1%A0'
    """
    told = {"q": asked.words, **asked.chosen, "sort": asked.sort if sort is None else sort, "page": page}
    told.pop(but, None)
    return urlencode({name: value for name, value in told.items() if value and (name, value) != ("page", 1)})


def _head(column: schema.Column, face: Face, asked: Asked) -> Head:
    if column.name not in face.sorts:
        return Head(column, "", "")
    up, down = column.name, f"-{column.name}"
    order = {up: "ascending", down: "descending"}.get(asked.sort, "none")
    return Head(column, address(asked, sort=up if asked.sort == down else down), order)


def _chips(asked: Asked, facets: Iterable[tuple[schema.Column | None, list[Choice]]]) -> list[Chip]:
    """What is filtered by, each with the way out of it."""
    language = page_language()
    made = [Chip(_("含有"), asked.words, address(asked, but="q"))] if asked.words else []
    for column, choices in facets:
        name = column.name if column else "state"
        label = column.label(language) if column else _("状态")
        made += [Chip(label, c.label, address(asked, but=name)) for c in choices if c.is_chosen]
    return made
