"""Where records belong: the organisation that keeps one and the place whose stewards look after it.

Both follow from its columns. A record without a district of its own lies where its organisation lies, a work where its
expert does, an outcome where its project does; what belongs nowhere lies in the root of the tree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db.models import CharField, Value

from silian.tables import schema
from silian.web.base.models import Place
from silian.web.catalog.models import MODELS, Unindexed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# Columns that name what a record belongs to, the nearest first, and the noun of each.
FOLLOWED: Final = {
    "org_id": "organisations", "holder_org_id": "organisations", "expert_id": "experts", "need_id": "needs",
    "project_id": "projects",
}  # fmt: skip


class Home(NamedTuple):
    """Where a record belongs."""

    owner_id: str  # the organisation that keeps it; empty: none
    place_id: str


def followed(noun: str) -> str | None:
    """The column that says what a record of a noun belongs to."""
    names = [c.name for c in schema.tables()[noun].columns]
    return next((c for c in FOLLOWED if c in names and FOLLOWED[c] != noun), None)


def homes(noun: str, rows: Sequence[Mapping[str, Any]], *, known: Mapping[str, Home] | None = None) -> list[Home]:
    """The home of each of some records of one noun, by their columns.

    Parameters
    ----------
    rows : column → plain value
    known : homes of what they may belong to, by id, where these are at hand; else the database is asked, once a column
    """
    column = followed(noun)
    if column is None:
        key = "org_id" if noun == "organisations" else ""
        return [Home(str(row.get(key, "")), _district(row) or Place.ROOT) for row in rows]
    if known is None:
        asked = {row[column] for row in rows if row.get(column)}
        found = MODELS[FOLLOWED[column]].objects.filter(pk__in=asked).values_list("pk", "owner_id", "place_id")
        known = {pk: Home(owner, place) for pk, owner, place in found}
    nowhere = Home("", Place.ROOT)
    made = []
    for row in rows:
        above = known.get(row.get(column) or "", nowhere)
        made.append(Home(above.owner_id, _district(row) or above.place_id))
    return made


def homes_of(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[Home]]:
    """The homes of records of several nouns, as `homes` gives them. Cost: one query at most."""
    asked: dict[str, set[str]] = {}
    for noun, own in rows.items():
        if column := followed(noun):
            asked.setdefault(FOLLOWED[column], set()).update(str(row[column]) for row in own if row.get(column))
    parts = [
        MODELS[above].objects.filter(pk__in=sorted(ids)).order_by().annotate(of=Value(above, CharField()))
        .values_list("of", "pk", "owner_id", "place_id")
        for above, ids in sorted(asked.items()) if ids
    ]  # fmt: skip
    known: dict[str, dict[str, Home]] = {}
    for above, pk, owner_id, place_id in parts[0].union(*parts[1:], all=True) if parts else ():
        known.setdefault(above, {})[pk] = Home(owner_id, place_id)
    return {
        noun: homes(noun, own, known=known.get(FOLLOWED[column], {}) if (column := followed(noun)) else None)
        for noun, own in rows.items()
    }


def move_what_follows(noun: str, ids: Iterable[str]) -> None:
    """Bring the homes of all that belongs to some records of a noun in step with theirs."""
    wanted = list(ids)
    for other, model in MODELS.items() if wanted else ():
        column = followed(other)
        if column is None or FOLLOWED[column] != noun:
            continue
        records = list(model.objects.filter(**{f"{column}__in": wanted}))
        rows = [{name: getattr(r, name, None) for name in (column, "district_id")} for r in records]
        moved = []
        for record, home in zip(records, homes(other, rows), strict=True):
            if (record.owner_id, record.place_id) != home:
                record.owner_id, record.place_id = home
                moved.append(record)
        if moved:
            model.objects.bulk_update(moved, ["owner_id", "place_id"], batch_size=500)
            Unindexed.put(other, [r.record_id for r in moved])
            move_what_follows(other, [r.record_id for r in moved])


def _district(row: Mapping[str, Any]) -> str:
    return str(row.get("district_id") or "")


def plant(districts: Iterable[Mapping[str, Any]]) -> None:
    """Give districts their places in the tree of regions, under the city and province of their GB/T 2260 code."""
    names = {row["code"]: row["name_zh"] for row in schema.rows("regions")}
    root = Place.root()
    before = dict(Place.objects.values_list("pk", "path"))
    for row in districts:
        code, above = row.get("region") or "", root
        if code:
            for level, place_id in ((Place.Level.PROVINCE, code[:2] + "0000"), (Place.Level.CITY, code[:4] + "00")):
                found = Place.objects.filter(pk=place_id).first()
                named = names.get(place_id, place_id)
                above = found or Place.objects.create(place_id=place_id, level=level, name=named, parent=above)
        own = {"level": Place.Level.COUNTY, "name": row["name"], "name_en": row.get("name_en") or "", "parent": above}
        place, _is_new = Place.objects.update_or_create(place_id=row["district_id"], defaults=own)
        if before.get(place.pk, place.path) != place.path:
            Unindexed.put_all()  # other stewards look after all that lies there
