"""What a site tells of itself: parts that are well or not, and figures. A room above says its own when it is ready."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from django.utils.functional import _StrPromise
    from prometheus_client import Metric

State = Literal["ok", "late", "bad"]  # late: the site answers, and somebody should look


@dataclass(frozen=True, slots=True)
class Found:
    """How a part stands."""

    state: State
    words: str  # a sentence for people
    told: Mapping[str, Any] = field(default_factory=dict)  # figures for programs; no name, no secret


class Part(NamedTuple):
    """A part of the site that is well or not."""

    code: str  # in the answer of /health/ready
    label: str | _StrPromise
    look: Callable[[], Found]  # cheap: a query or two
    is_needed: bool  # whether the site cannot answer without it


class Figures(NamedTuple):
    """Figures that are read when they are asked for."""

    name: str
    read: Callable[[], Iterator[Metric]]


PARTS: Final[dict[str, Part]] = {}
FIGURES: Final[dict[str, Figures]] = {}


def register(*, parts: tuple[Part, ...] = (), figures: tuple[Figures, ...] = ()) -> None:
    """Say what a room tells; twice is once."""
    PARTS.update({part.code: part for part in parts})
    FIGURES.update({each.name: each for each in figures})
