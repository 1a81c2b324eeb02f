"""How each noun shows itself in lists and results: what names it, which columns stand beside the name, what counts."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Face:
    """How a noun shows itself in lists."""

    noun: str
    heading: str  # column whose value names the record
    columns: tuple[str, ...]  # beside the heading
    facets: tuple[str, ...]
    sorts: tuple[str, ...]  # columns by which a list can be put in order
    newest: str = "-updated_at"


def _faces() -> dict[str, Face]:
    text = files("silian.web.catalog").joinpath("faces.csv").read_text(encoding="utf-8")
    made = {}
    for row in csv.DictReader(text.splitlines()):
        columns, facets, sorts = (tuple(row[name].split()) for name in ("columns", "facets", "sorts"))
        made[row["table"]] = Face(row["table"], row["heading"], columns, facets, sorts)
    return made


FACES: Final[Mapping[str, Face]] = _faces()  # the nouns that have pages, in the order of the navigation
