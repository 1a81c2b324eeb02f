"""What figures are computed from: the registry's records without their texts, interests, and the run in force."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from django.utils import timezone

from silian.tables import schema
from silian.web.base.models import Place
from silian.web.catalog.models import MODELS, Interest, Record
from silian.web.catalog.rules import default_tiers
from silian.web.runs.models import Run
from silian.web.runs.results.stored import Stored

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

# The columns that measures need of each noun, beside its id, place and state.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "achievements": ("field", "published_on", "valid_until_on"),
    "facilities": ("is_open",),
    "organisations": ("kind", "is_high_tech"),
    "needs": ("field", "posted_on", "deadline_on"),
    "makes": ("product_id",),
    "funds": ("amount_cny",),
    "policies": ("valid_from_on", "valid_until_on"),
    "experts": (),
    "projects": ("need_id", "expert_ids", "fund_id", "stage", "started_on"),
    "outcomes": ("project_id", "measured_on"),
    "districts": ("population",),
}
STATES: Final = (Record.State.PUBLISHED, Record.State.EXPIRED)
RESULTS: Final = ("achievement_pairs", "expert_pairs", "served", "unmet", "loads", "gaps", "gap_evidence")
INTERESTS: Final = pl.Schema({"need_id": pl.String(), "state": pl.String(), "at": pl.Date(), "answered": pl.Date()})
PLACES: Final = pl.Schema(
    {
        "place_id": pl.String(), "parent_id": pl.String(), "level": pl.String(), "name": pl.String(),
        "name_en": pl.String(), "path": pl.String(),
    }
)  # fmt: skip


@dataclass(frozen=True)
class Inputs:
    """Tables as they stood when they were read.

    Attributes
    ----------
    day : the local day on which they were read
    nouns : noun → id, place_id, state and COLUMNS, by id; a value that is not for everybody is null
    places : as PLACES has it, by path
    interests : as INTERESTS has it: of needs
    run : result table → its columns, of the run in force; a table that it did not make is not there
    run_path : the place of the run; empty where none is in force
    """

    day: date
    nouns: Mapping[str, pl.DataFrame]
    places: pl.DataFrame
    interests: pl.DataFrame
    run: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    run_path: str = ""
    run_number: int | None = None


def read() -> Inputs:
    """Everything as it stands. Cost: a query for each noun and three more; 0.4 s at 77,000 records."""
    run = in_force()
    return Inputs(
        day=timezone.localdate(),
        nouns={noun: _noun(noun) for noun in COLUMNS},
        places=_places(),
        interests=_interests(),
        run=_results(Stored(run.folder)) if run else {},
        run_path=run.place.path if run else "",
        run_number=run.pk if run else None,
    )


def in_force() -> Run | None:
    """The run from which figures come: the one adopted last for the widest place that has one."""
    adopted = Run.objects.filter(state=Run.State.DONE, adopted_at__isnull=False).select_related("place")
    return min(adopted.order_by("-adopted_at", "-pk"), key=lambda run: run.place.path.count("/"), default=None)


def _noun(noun: str) -> pl.DataFrame:
    table, model = schema.tables()[noun], MODELS[noun]
    types: dict[str, Any] = {"id": pl.String(), "place_id": pl.String(), "state": pl.String()}
    types |= {name: table[name].polars for name in COLUMNS[noun]}
    closable = [name for name in COLUMNS[noun] if table[name].type == "money"]
    rows = model.objects.filter(state__in=STATES).order_by("pk").values_list(
        "pk", "place_id", "state", *COLUMNS[noun], *(("tiers",) if closable else ())
    )  # fmt: skip
    given = default_tiers(noun)
    made = []
    for row in rows.iterator(chunk_size=5000):
        values = list(row[: len(types)])
        for name in closable:  # a figure must not tell what a record keeps closed
            at = 3 + COLUMNS[noun].index(name)
            values[at] = values[at] if row[-1].get(name, given.get(name, "public")) == "public" else None
        made.append(tuple(None if value == "" else value for value in values))
    return pl.DataFrame(made, schema=types, orient="row").sort("id")


def _places() -> pl.DataFrame:
    rows = Place.objects.order_by("path").values_list(*PLACES)
    return pl.DataFrame(list(rows), schema=PLACES, orient="row")


def _interests() -> pl.DataFrame:
    rows = Interest.objects.filter(noun="needs").exclude(state=Interest.State.JOINED).order_by("pk")
    made = [
        (record_id, state, timezone.localdate(at), timezone.localdate(answered) if answered else None)
        for record_id, state, at, answered in rows.values_list("record_id", "state", "at", "answered_at")
    ]
    return pl.DataFrame(made, schema=INTERESTS, orient="row")


def _results(stored: Stored) -> dict[str, pl.DataFrame]:
    """What measures need of the results of a run."""
    made = {}
    for name in RESULTS:
        if stored.has(name):
            found = stored.result(name)
            if name.endswith("_pairs"):
                found = found.select("need_id").unique().sort("need_id")
            made[name] = found.collect()
    if stored.is_ready and "gaps" in made:
        made["gap_districts"] = stored.ready("gap_districts").collect()
    return made
