"""Who may do what with which record, and who sees which of its fields.

Every rule has two forms that say the same: `may` for one record, `visible` for many in one query. A test compares
them over every role, action and state.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Literal

from django.db.models import Q

from silian.tables import schema
from silian.web.base.models import Place
from silian.web.catalog.homes import followed, homes_of
from silian.web.catalog.models import MODELS, Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.db.models import QuerySet

    from silian.web.base.actors import Actor

Action = Literal["see", "create", "edit", "publish", "withdraw", "history", "verify", "merge", "import", "export"]
Tier = Literal["public", "mutual", "broker"]
TIERS: Final[tuple[Tier, ...]] = ("public", "mutual", "broker")
STEWARDS: Final = ("broker", "officer", "administrator")  # who look after the records of a place
HIDDEN: Final = ("relations", "labels", "assignment_rules")  # nouns that tell of people: for stewards alone
PERSONAL: Final = ("experts", "works")  # nouns of which each record tells of one expert


def may(actor: Actor, action: Action, record: Record) -> bool:
    """Whether a person may do something with a record.

    Parameters
    ----------
    action : see; edit (also publish, withdraw): change it; history: see what it was; verify: confirm another's values;
        merge: join it with another; create, import: bring records in for its owner or place; export: take it out

    Notes
    -----
    Who edits a record can move it, by its columns, to another owner or place: ask `may_bring` for what it becomes.
    `tests/rights.csv` is the whole table of rights, to be read.
    """
    path = record.place.path
    steward = any(actor.holds(role, over=path) for role in STEWARDS)
    own = is_own(actor, record)
    if action in ("see", "export"):
        return steward or own or (record.state == Record.State.PUBLISHED and record.noun not in HIDDEN)
    if action in ("edit", "create", "publish", "withdraw"):
        return own or steward
    if action == "history":
        return own or steward or actor.holds("auditor", over=path)
    return steward  # verify, merge, import


def visible(actor: Actor, records: QuerySet[Record]) -> QuerySet[Record]:
    """The records of one noun that a person may see."""
    noun = records.model.noun
    found = Q(pk__in=[])
    if noun not in HIDDEN:
        found |= Q(state=Record.State.PUBLISHED) | Q(owner_id__in=sorted(_keepers(actor, noun)))
    if actor.expert_id and noun in PERSONAL:
        found |= Q(expert_id=actor.expert_id)
    for path in actor.paths(STEWARDS):
        found |= Q(place__path__startswith=path)
    if f"/{Place.ROOT}/" in actor.paths(STEWARDS):
        return records
    return records.filter(found)


def is_own(actor: Actor, record: Record) -> bool:
    """Whether a person keeps a record: for an organisation, or as the expert that it tells of.

    What tells of a person is kept by that person and by whoever leads the organisation, not by every colleague.
    """
    if record.noun in HIDDEN:
        return False
    if actor.expert_id and record.noun in PERSONAL and getattr(record, "expert_id", "") == actor.expert_id:
        return True
    return bool(record.owner_id) and record.owner_id in _keepers(actor, record.noun)


def may_bring(actor: Actor, noun: str, rows: Sequence[Mapping[str, Any]]) -> list[bool]:
    """Whether a person may make or leave records with some values: in whose name, and in which place.

    Parameters
    ----------
    rows : column → plain value, as the records shall be, whole

    Notes
    -----
    An expert keeps the record that tells of them wherever it moves. Cost: two queries.
    """
    return may_bring_each(actor, {noun: rows})[noun]


def may_bring_each(actor: Actor, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[bool]]:
    """What `may_bring` says of records of several nouns. Cost: two queries."""
    found = homes_of(rows)
    places = Place.objects.in_bulk({home.place_id for own in found.values() for home in own})
    allowed: dict[str, list[bool]] = {}
    for noun, own in found.items():
        for row, home in zip(rows[noun], own, strict=True):
            # a place that is not there is named by a wrong district, which the form tells of: no steward's yet
            place = places.get(home.place_id) or Place(place_id=home.place_id, path="")
            record = MODELS[noun](owner_id=home.owner_id, place=place)
            if noun in PERSONAL and row.get("expert_id"):
                record.expert_id = row["expert_id"]  # type: ignore[attr-defined]
            allowed.setdefault(noun, []).append(may(actor, "create", record))
    return {noun: allowed.get(noun, []) for noun in rows}


def _keepers(actor: Actor, noun: str) -> frozenset[str]:
    """The organisations whose records of a noun a person keeps."""
    return actor.led if noun in PERSONAL else actor.orgs


def shown(actor: Actor, record: Record, *, is_mutual: bool = False) -> frozenset[str]:
    """The columns of a record that a person may see.

    Parameters
    ----------
    is_mutual : whether the person's side and the record's side have both said that they want to talk
    """
    path = record.place.path
    tiers = tiers_of(record)
    if is_own(actor, record) or any(actor.holds(role, over=path) for role in STEWARDS):
        return frozenset(tiers)
    allowed = ("public", "mutual") if is_mutual else ("public",)
    return frozenset(name for name, tier in tiers.items() if tier in allowed)


def tiers_of(record: Record) -> dict[str, Tier]:
    """The tier of every column: its owner's choice, else that of the noun.

    What lists count and link by is public whatever the owner says, see `always_public`; a tier that is none of TIERS
    counts as the strictest.
    """
    given, fixed = default_tiers(record.noun), always_public(record.noun)
    made: dict[str, Tier] = {}
    for column in record.table.columns:
        tier = record.tiers.get(column.name) or given.get(column.name, "public")
        made[column.name] = "public" if column.name in fixed else tier if tier in TIERS else TIERS[-1]
    return made


@cache
def default_tiers(noun: str) -> Mapping[str, Tier]:
    """Tiers of the columns of a noun that are not public, as `disclosure.csv` says."""
    return {row["column"]: row["tier"] for row in _rows("disclosure.csv", noun)}  # type: ignore[misc]


@cache
def always_public(noun: str) -> frozenset[str]:
    """The columns of a noun that no owner can close: its key, its heading, its facets, and what it belongs to.

    Lists are counted, filtered and linked by them, so that a closed value would show itself in a count.
    """
    fixed = set(schema.tables()[noun].key) | {"district_id", followed(noun) or ""}
    for face in _rows("faces.csv", noun):
        fixed |= {face["heading"], *face["facets"].split()}
    return frozenset(fixed)


def _rows(name: str, noun: str) -> list[dict[str, str]]:
    text = files("silian.web.catalog").joinpath(name).read_text(encoding="utf-8")
    return [row for row in csv.DictReader(text.splitlines()) if row["table"] == noun]
