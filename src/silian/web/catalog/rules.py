"""Who may do what with which record, and who sees which of its fields.

Every rule has two forms that say the same: `may` for one record, `visible` for many in one query. A test compares
them over every role, action and state.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Literal

from django.db.models import Q

from silian.web.base.models import Place
from silian.web.catalog.models import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

    from silian.web.base.actors import Actor

Action = Literal["see", "create", "edit", "publish", "withdraw", "history", "verify", "merge", "import", "export"]
Tier = Literal["public", "mutual", "broker"]
TIERS: Final[tuple[Tier, ...]] = ("public", "mutual", "broker")
STEWARDS: Final = ("broker", "officer", "administrator")  # who look after the records of a place
HIDDEN: Final = ("relations", "labels", "assignment_rules")  # nouns that tell of people: for stewards alone


def may(actor: Actor, action: Action, record: Record) -> bool:
    """Whether a person may do something with a record.

    Parameters
    ----------
    action : see; edit (also publish, withdraw): change it; history: see what it was; verify: confirm another's values;
        merge: join it with another; create, import: bring records in for its owner or place; export: take it out
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
        found |= Q(state=Record.State.PUBLISHED) | Q(owner_id__in=sorted(actor.orgs))
    if actor.expert_id and noun in ("experts", "works"):
        found |= Q(expert_id=actor.expert_id)
    for path in actor.paths(STEWARDS):
        found |= Q(place__path__startswith=path)
    if f"/{Place.ROOT}/" in actor.paths(STEWARDS):
        return records
    return records.filter(found)


def is_own(actor: Actor, record: Record) -> bool:
    """Whether a person keeps a record: for an organisation, or as the expert that it tells of."""
    if record.noun in HIDDEN:
        return False
    mine = (
        actor.expert_id and record.noun in ("experts", "works") and getattr(record, "expert_id", "") == actor.expert_id
    )
    return bool(mine) or bool(record.owner_id and record.owner_id in actor.orgs)


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
    """The tier of every column: its owner's choice, else that of the noun."""
    given = default_tiers(record.noun)
    return {c.name: record.tiers.get(c.name) or given.get(c.name, "public") for c in record.table.columns}


@cache
def default_tiers(noun: str) -> Mapping[str, Tier]:
    """Tiers of the columns of a noun that are not public, as `disclosure.csv` says."""
    text = files("silian.web.catalog").joinpath("disclosure.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {row["column"]: row["tier"] for row in rows if row["table"] == noun}  # type: ignore[misc]
