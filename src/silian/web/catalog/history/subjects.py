"""The records that changes tell of and name: of many nouns in one query each, as far as rules and names need them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import CharField, F, Value
from django.db.models.functions import Cast

from silian.web.base.models import Place
from silian.web.catalog.homes import homes_of
from silian.web.catalog.models import MODELS, Change, Record
from silian.web.catalog.rules import PERSONAL, visible

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from silian.web.base.actors import Actor


def records_of(rows: Iterable[Change]) -> dict[tuple[str, str], Record]:
    """The records that some changes tell of: as they are, or as they last were where they are gone.

    They hold what the rules look at, and their names; nothing else. Cost: three queries, whatever the nouns.
    """
    wanted: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        wanted.setdefault(row.noun, {}).setdefault(row.record_id, row.before or row.after or {})
    found = _as_they_are(wanted)
    gone = {noun: {i: v for i, v in own.items() if (noun, i) not in found} for noun, own in wanted.items()}
    return found | as_they_were({noun: own for noun, own in gone.items() if own})


def as_they_were(values: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[tuple[str, str], Record]:
    """Records that are not in the registry, made from their plain values for the rules to judge.

    Parameters
    ----------
    values : noun → id → column → plain value
    """
    if not values:
        return {}
    homes = homes_of({noun: list(own.values()) for noun, own in values.items()})
    places = Place.objects.in_bulk({home.place_id for own in homes.values() for home in own} | {Place.ROOT})
    made = {}
    for noun, own in values.items():
        model = MODELS[noun]
        for (record_id, row), home in zip(own.items(), homes[noun], strict=True):
            columns = {c.name: row[c.name] for c in model.table.columns if row.get(c.name) is not None}
            carried = {"state": row.get("state") or Record.State.PUBLISHED, "tiers": row.get("tiers") or {}}
            whole = {"key": record_id} if len(model.table.key) > 1 else {}
            place = places.get(home.place_id) or places.get(Place.ROOT) or Place.root()
            made[noun, record_id] = model(**columns, **carried, **whole, owner_id=home.owner_id, place=place)
    return made


def names_of(actor: Actor, ids: Mapping[str, Collection[str]]) -> dict[str, dict[str, str]]:
    """Names of records by noun and id, as far as a person may see these. Cost: one query."""
    seen = {noun: visible(actor, _some(noun, own)) for noun, own in sorted(ids.items()) if own}
    parts = [
        found.annotate(of=_text(noun), called=_called(noun)).values_list("of", "pk", "called")
        for noun, found in seen.items()
    ]
    made: dict[str, dict[str, str]] = {}
    for noun, pk, called in _together(parts):
        made.setdefault(noun, {})[str(pk)] = called or str(pk)
    return made


def _as_they_are(wanted: Mapping[str, Collection[str]]) -> dict[tuple[str, str], Record]:
    columns = ("of", "pk", "called", "who", "state", "owner_id", "tiers", "place_id", "path")
    parts = [
        _some(noun, ids).annotate(
            of=_text(noun), called=_called(noun), path=F("place__path"),
            who=Cast("expert_id", CharField()) if noun in PERSONAL else _text(""),
        ).values_list(*columns)
        for noun, ids in sorted(wanted.items())
    ]  # fmt: skip
    made = {}
    for noun, pk, called, who, state, owner_id, tiers, place_id, path in _together(parts):
        model = MODELS[noun]
        own = {_name(noun): called} if _name(noun) else {}
        own |= {"expert_id": who} if noun in PERSONAL else {}
        place = Place(place_id=place_id, path=path)
        made[noun, str(pk)] = model(**own | {"pk": pk}, state=state, owner_id=owner_id, tiers=tiers, place=place)
    return made


def _some(noun: str, ids: Collection[str]) -> Any:
    return MODELS[noun].objects.filter(pk__in=sorted(ids)).order_by()


def _together(parts: list[Any]) -> Iterable[tuple[Any, ...]]:
    return parts[0].union(*parts[1:], all=True) if parts else ()


def _name(noun: str) -> str:
    """The column by which a record is called, as `Record.__str__` has it; empty: by its id."""
    names = {c.name for c in MODELS[noun].table.columns}
    return next((name for name in ("name", "title") if name in names), "")


def _called(noun: str) -> Any:
    return Cast(_name(noun), CharField()) if _name(noun) else _text("")


def _text(value: str) -> Any:
    return Value(value, CharField())
