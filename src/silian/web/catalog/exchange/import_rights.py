"""What a person may take in from a file, asked of `rules.may` row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from silian.tables import schema
from silian.web.base.models import Place
from silian.web.catalog.fields import record_id
from silian.web.catalog.homes import FOLLOWED, Home, followed, homes
from silian.web.catalog.models import MODELS, Organisation, Record
from silian.web.catalog.rules import STEWARDS, may

if TYPE_CHECKING:
    from collections.abc import Mapping

    from silian.web.base.actors import Actor

NOW = "\x00now"


def is_root_steward(actor: Actor) -> bool:
    """Whether a person looks after every record there is."""
    return f"/{Place.ROOT}/" in actor.paths(STEWARDS)


def permitted(actor: Actor, noun: str, good: Mapping[str, pl.DataFrame]) -> dict[str, str]:
    """The records of a noun that a person may not add or change as a file says: id → rights.

    Parameters
    ----------
    good : rows of every noun of the file, joined with what the registry has; see `comparing`
    """
    rows = good[noun]
    if is_root_steward(actor) or rows.is_empty():
        return {}
    model, table = MODELS[noun], schema.tables()[noun]
    wanted = [_merged(table, row) for row in rows.iter_rows(named=True)]
    known = _known_homes(noun, wanted, good)
    after = homes(noun, wanted, known=known)
    places = _places()
    before = rows.select(
        *(pl.col(name + NOW).alias(name) for name in ("owner_id", "place_id", "state", "version"))
    ).iter_rows(named=True)
    barred = {}
    for values, home, old in zip(wanted, after, before, strict=True):
        is_new = old["version"] is None
        new = _stand_in(model, values, home, old["state"], places)
        allowed = may(actor, "create" if is_new else "edit", new)
        if not is_new:
            here = Home(old["owner_id"], old["place_id"])
            allowed = allowed and may(actor, "edit", _stand_in(model, values, here, old["state"], places))
        if not allowed:
            barred[record_id(table, values)] = "rights"
    return barred


def deletable(actor: Actor, noun: str, rows: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Those of some records that a person may let go, and within which places and organisations that is."""
    if is_root_steward(actor):
        return rows, [str(Place.root())]
    model, places = MODELS[noun], _places()
    paths = actor.paths(STEWARDS)
    named = [*Place.objects.filter(path__in=paths).order_by("path").values_list("name", flat=True)]
    named += Organisation.objects.filter(pk__in=actor.orgs).order_by("pk").values_list("name", flat=True)
    allowed = [
        may(actor, "withdraw", _stand_in(model, row, Home(row["owner_id"], row["place_id"]), row["state"], places))
        for row in rows.iter_rows(named=True)
    ]
    return rows.filter(pl.Series(allowed, dtype=pl.Boolean)), named


def _merged(table: schema.Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as it would be: what the file lacks as the registry has it."""
    return {name: row[name] if name in row else row.get(name + NOW) for name in table.polars}


def _known_homes(noun: str, rows: list[dict[str, Any]], good: Mapping[str, pl.DataFrame]) -> dict[str, Home] | None:
    """Homes of what the rows belong to: of the registry, and of the file where it has them."""
    column = followed(noun)
    if column is None:
        return None
    above = FOLLOWED[column]
    asked = {row[column] for row in rows if row.get(column)}
    found = MODELS[above].objects.filter(pk__in=asked).values_list("pk", "owner_id", "place_id")
    known = {pk: Home(owner, place) for pk, owner, place in found}
    if above in good:
        table = schema.tables()[above]
        own = [_merged(table, row) for row in good[above].iter_rows(named=True)]
        mine = homes(above, own, known=_known_homes(above, own, good))
        known |= {record_id(table, row): home for row, home in zip(own, mine, strict=True)}
    return known


def _places() -> dict[str, Place]:
    return {place.pk: place for place in Place.objects.all()}


def _stand_in(
    model: type[Record], values: Mapping[str, Any], home: Home, state: str | None, places: Mapping[str, Place]
) -> Record:
    """A record with what the rules look at."""
    own = {"expert_id": values["expert_id"]} if model.noun in ("experts", "works") else {}
    place = places.get(home.place_id) or places[Place.ROOT]
    return model(owner_id=home.owner_id, place=place, state=state or Record.State.PUBLISHED, **own)
