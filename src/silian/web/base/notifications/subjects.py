"""What notifications are about: named to each reader by the app that keeps it, with the rights of now."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from silian.web.base.actors import Actor


class Ref(NamedTuple):
    """A thing by its kind and id: `Ref("needs", "N-17")`."""

    noun: str
    record_id: str


class Namer(Protocol):
    """What an app offers that keeps such things."""

    def names(self, actor: Actor, noun: str, ids: Collection[str]) -> Mapping[str, str]:
        """Id → name of those things that a person may see now; a fixed number of queries."""
        ...

    def unnamed(self, noun: str) -> str:
        """The word for a thing whose name a person may not see."""
        ...


_known: dict[str, Namer] = {}


def register(nouns: Iterable[str], namer: Namer) -> None:
    """Say who names the things of some kinds; an app does so when it is ready."""
    _known.update(dict.fromkeys(nouns, namer))


def names_of(actor: Actor, refs: Iterable[Ref]) -> dict[Ref, str]:
    """The names of those things that a person may see now. Cost: what the namers cost, once a kind of thing."""
    asked: dict[str, set[str]] = {}
    for ref in refs:
        asked.setdefault(ref.noun, set()).add(ref.record_id)
    found: dict[Ref, str] = {}
    for noun, ids in sorted(asked.items()):
        if noun in _known:
            found |= {Ref(noun, i): name for i, name in _known[noun].names(actor, noun, ids).items()}
    return found


def unnamed(ref: Ref) -> str:
    """The word for a thing whose name a person may not see."""
    return _known[ref.noun].unnamed(ref.noun) if ref.noun in _known else ""
