"""The organisations that people act for, as far as the pages of people need them.

They are records of the registry, which this app does not know: the registry says here how they are found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Organisation(NamedTuple):
    """An organisation by its id."""

    org_id: str
    name: str
    path: str  # of the place in which it lies


class Directory(Protocol):
    """What the registry offers."""

    def named(self, ids: Iterable[str]) -> Mapping[str, Organisation]:
        """The organisations with some ids, by id; one query."""
        ...

    def find(self, words: str, paths: Sequence[str], most: int) -> list[Organisation]:
        """Organisations in or below some places whose name holds some words or whose code is that; one query."""
        ...


_known: list[Directory] = []


def register(directory: Directory) -> None:
    """Say how organisations are found; the app of the registry does so when it is ready."""
    _known[:] = [directory]


def named(ids: Iterable[str]) -> Mapping[str, Organisation]:
    """The organisations with some ids, by id."""
    return _known[0].named(ids)


def find(words: str, paths: Sequence[str], *, most: int = 20) -> list[Organisation]:
    """Organisations in or below some places whose name holds some words, or whose code or id is that."""
    return _known[0].find(words, paths, most) if words and paths else []
