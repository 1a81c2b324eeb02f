"""What apps above the registry add to its pages: the head of a page, another form of it, what can be done with it.

The registry knows none of them; each says here what it offers when it is ready.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from django.utils.safestring import SafeString

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest, HttpResponse

    from silian.web.base.actors import Actor
    from silian.web.catalog.models import Record


class Deed(NamedTuple):
    """A button on the page of a record."""

    label: str
    url: str


class Elsewhere(Protocol):
    """What an app offers."""

    def head(self, noun: str, records: Sequence[Record], *, is_list: bool) -> SafeString:
        """What stands in the head of the page of a record, or of a list."""
        ...

    def answer(self, request: HttpRequest, record: Record) -> HttpResponse | None:
        """The record in another form than a page, where the request wants it."""
        ...

    def deeds(self, actor: Actor, record: Record) -> list[Deed]:
        """What a person can do with the record."""
        ...


_known: list[Elsewhere] = []


def register(elsewhere: Elsewhere) -> None:
    """Say what an app offers; it does so when it is ready."""
    if elsewhere not in _known:
        _known.append(elsewhere)


def head(noun: str, records: Sequence[Record], *, is_list: bool) -> SafeString:
    """What all apps put into the head of a page."""
    return SafeString("".join(one.head(noun, records, is_list=is_list) for one in _known))


def answer(request: HttpRequest, record: Record) -> HttpResponse | None:
    """The first other form of a record that fits a request."""
    return next((found for one in _known if (found := one.answer(request, record)) is not None), None)


def deeds(actor: Actor, record: Record) -> list[Deed]:
    """What all apps let a person do with a record."""
    return [deed for one in _known for deed in one.deeds(actor, record)]
