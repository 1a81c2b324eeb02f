"""Records that may stand for one thing: while one is typed, and among all of a place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db.models import Count

from silian.tables import schema
from silian.web.catalog.changing import plain
from silian.web.catalog.duplicates.blocking import CODES, HEADINGS, OTHER_NAMES, READ, code_keys, keys_of, told_of
from silian.web.catalog.duplicates.likeness import SHOWN, Likeness, compare
from silian.web.catalog.fields import LINE_LENGTH
from silian.web.catalog.models import MODELS, MatchKey, Record
from silian.web.catalog.rules import shown, visible

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from silian.web.base.actors import Actor

MOST: Final = 5  # records that are shown while somebody types
CANDIDATES: Final = 60  # records that are compared for it: those that share the most keys


class Likely(NamedTuple):
    """A record that may be what somebody is typing."""

    record: Record
    likeness: Likeness


class Warned(NamedTuple):
    """What there is already."""

    found: list[Likely]
    is_hidden: bool  # a record with the same code exists that the person may not see


def watched(noun: str) -> tuple[str, ...]:
    """The columns of a noun whose change may bring a likely duplicate to light."""
    own = (HEADINGS[noun], CODES.get(noun, ""), OTHER_NAMES.get(noun, ""), "name_en", "org_id", "text")
    known = {column.name for column in schema.tables()[noun].columns}
    return tuple(name for name in own if name in known)


def typed(noun: str, texts: Mapping[str, str]) -> dict[str, Any]:
    """What was typed into a form so far, as plain values: nothing is checked, nothing is refused."""
    values: dict[str, Any] = {}
    for column in schema.tables()[noun].columns:
        text = texts.get(column.name, "").replace("\0", "").strip()
        if column.type == "list":
            values[column.name] = [part.strip() for part in text[:READ].replace(";", "；").split("；") if part.strip()]
        else:
            values[column.name] = text[: READ if column.name in ("text", "profile") else LINE_LENGTH]
    return values


def warn(actor: Actor, noun: str, values: Mapping[str, Any], *, but: str = "") -> Warned:
    """The records that are likely the one that somebody types, the likeliest first.

    Parameters
    ----------
    values : column → plain value, as far as they are known
    but : id of the record that is being edited

    Notes
    -----
    Only columns that the person may see are compared. Cost: three queries, whatever the number of records.
    """
    told = told_of(noun, [values])[0]
    model = MODELS[noun]
    sharing = MatchKey.objects.filter(noun=noun, key__in=keys_of(noun, told)).exclude(record_id=but)
    ranked = sharing.values("record_id").annotate(n=Count("pk")).order_by("-n", "record_id")
    ids = list(ranked.values_list("record_id", flat=True)[:CANDIDATES])
    coded = set(_holders(noun, code_keys(told)) - {but}) if told.codes else set()
    wanted = dict.fromkeys([*coded, *ids])
    records = visible(actor, model.objects.filter(pk__in=wanted)).select_related("place") if wanted else []
    found, open_codes, there = [], set(), list(records)
    seen = [(record, shown(actor, record)) for record in there]
    known = [{n: v for n, v in plain(record).items() if n in names} for record, names in seen]
    for record, theirs in zip(there, told_of(noun, known), strict=True):
        if theirs.codes & told.codes:
            open_codes.add(record.record_id)
        likeness = compare(noun, told, theirs)
        if likeness.confidence >= SHOWN:
            found.append(Likely(record, likeness))
    found.sort(key=lambda one: (-one.likeness.confidence, one.record.record_id))
    return Warned(found[:MOST], bool(coded - open_codes))


def _holders(noun: str, keys: Collection[int]) -> set[str]:
    return set(MatchKey.objects.filter(noun=noun, key__in=keys).values_list("record_id", flat=True)[:CANDIDATES])
