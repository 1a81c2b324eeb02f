"""Two records become one: what would change, the change itself in one transaction, ids that lead on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db import connection, transaction
from django.db.models import ProtectedError, Q, TextField
from django.db.models.functions import Cast

from silian.errors import WebError
from silian.tables import references
from silian.web.base.log import log
from silian.web.base.models import User
from silian.web.catalog import notifying
from silian.web.catalog.changing import Edit, StaleError, change, plain
from silian.web.catalog.duplicates import followers
from silian.web.catalog.duplicates.blocking import HEADINGS, OTHER_NAMES, told_of
from silian.web.catalog.fields import record_id as id_of
from silian.web.catalog.models import MODELS, Alias, ChangeSet, Merge, Record
from silian.web.catalog.rules import TIERS, tiers_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from django.db.models import QuerySet
    from django_stubs_ext import StrPromise

    from silian.tables.schema import Column
    from silian.web.base.actors import Actor

LONGEST: Final = 50  # merges after each other that an old id is followed through


class Choice(NamedTuple):
    """A column in which the two records differ."""

    column: Column
    kept: Any
    gone: Any
    both: Any  # the two lists as one; None: the column is no list
    chosen: str  # kept, gone, both

    @property
    def value(self) -> Any:
        """What the column becomes."""
        return {"kept": self.kept, "gone": self.gone, "both": self.both}[self.chosen]


class Move(NamedTuple):
    """What becomes of a record that names the one that goes."""

    record: Record
    how: str  # moved; joined: with a record that says the same of the kept one; dropped: it would name itself
    new_id: str  # under which it is found then


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a merge would change."""

    kept: Record
    gone: Record
    choices: list[Choice]  # columns that differ
    same: list[tuple[Column, Any]]  # columns that do not
    moves: list[Move]
    hanging: list[tuple[StrPromise, int]]  # what goes along outside the registry's tables
    edits: dict[str, list[Edit]]  # noun → without the end of the record that goes
    seal: str  # of the records and versions that it was made from


def resolve(noun: str, ids: Iterable[str]) -> dict[str, str]:
    """Ids that were merged into another record, and the id under which each is found now.

    An id that a record has is never followed. Cost: two queries for each merge after another.
    """
    at = {one: one for one in ids}
    for _step in range(LONGEST):
        there = set(MODELS[noun].objects.filter(pk__in=set(at.values())).values_list("pk", flat=True))
        lost = {now for now in at.values() if now not in there}
        steps = dict(Alias.objects.filter(noun=noun, old_id__in=lost).values_list("old_id", "record_id"))
        if not steps:
            break
        at = {one: steps.get(now, now) for one, now in at.items()}
    return {one: now for one, now in at.items() if one != now}


def better(one: Record, other: Record) -> tuple[Record, Record]:
    """Which of two records should stay, and which go: published, verified, fuller, older, then by id."""

    def rank(record: Record) -> tuple[bool, int, int, Any, str]:
        verified = sum(bool(source.get("verified_on")) for source in record.sources.values())
        filled = sum(value is not None for value in plain(record).values())
        return record.state != Record.State.PUBLISHED, -verified, -filled, record.created_at, record.record_id

    first, second = sorted((one, other), key=rank)
    return first, second


def plan(kept: Record, gone: Record, chosen: Mapping[str, str] | None = None) -> Plan:
    """What becoming one would change, in the two records and in all that name the one that goes.

    Parameters
    ----------
    chosen : column → kept, gone or both (lists); what is not named takes the verified, then the newer, never the
        empty value; lists become one

    Notes
    -----
    Cost: a query for each noun that can name the record, and one look through the lists of ids.
    """
    choices, same = _choices(kept, gone, chosen or {})
    values = {choice.column.name: choice.value for choice in choices}
    moves, edits = _moves(kept, gone)
    if _would_be_own_parent(kept, values, gone):
        values["parent_org_id"] = None
    values |= _carried(kept, gone, choices)
    edits.setdefault(kept.noun, []).append(Edit(kept.record_id, values, kept.version))
    hanging = followers.counted(kept.noun, gone.record_id)
    stamp = sorted((noun, e.record_id, e.version or 0) for noun, those in edits.items() for e in those)
    told = [stamp, gone.record_id, gone.version, [n for _, n in hanging]]
    seal = hashlib.sha256(json.dumps(told).encode()).hexdigest()
    return Plan(kept, gone, choices, same, moves, hanging, edits, seal)


def merge(
    actor: Actor, noun: str, kept_id: str, gone_id: str, *, chosen: Mapping[str, str], seal: str
) -> Merge:  # fmt: skip
    """Make two records one: all or nothing. Asked a second time, it gives the merge that was made.

    Parameters
    ----------
    seal : of the plan that the person has seen

    Raises
    ------
    WebError : web.merge_changed if what would change is no longer what the person saw; web.merge_gone if one of the
        two is not there; web.merge_claimed if each of two experts is somebody

    Notes
    -----
    The rules were asked before. `changing.undo` takes it back.
    """
    try:
        with transaction.atomic():
            return _merge(actor, noun, kept_id, gone_id, chosen, seal)
    except (ProtectedError, StaleError) as error:  # somebody was quicker, between our reading and our writing
        raise WebError("web.merge_changed") from error


def _merge(actor: Actor, noun: str, kept_id: str, gone_id: str, chosen: Mapping[str, str], seal: str) -> Merge:
    pair = MODELS[noun].objects.filter(pk__in=(kept_id, gone_id)).select_related("place").order_by("pk")
    if connection.features.has_select_for_update:
        pair = pair.select_for_update(of=("self",))
    found = {record.record_id: record for record in pair}
    if len(found) < 2:
        earlier = Merge.objects.filter(noun=noun, kept_id=kept_id, gone_id=gone_id, changes__undone_by=None).last()
        if earlier is not None and gone_id not in found:
            return earlier
        raise WebError("web.merge_gone", found=kept_id if kept_id not in found else gone_id)
    if both_claimed(found[kept_id], found[gone_id]):
        raise WebError("web.merge_claimed")
    made = plan(found[kept_id], found[gone_id], chosen)
    if made.seal != seal:
        raise WebError("web.merge_changed")
    kind = ChangeSet.Kind.MERGE
    changes = ChangeSet.objects.create(
        kind=kind, by_id=actor.user_id, pseudonym=actor.pseudonym, note=f"{gone_id} → {kept_id}"
    )
    for other, edits in made.edits.items():
        change(actor, other, edits, kind=kind, within=changes)
    ids = [(m.record.noun, m.record.record_id, m.new_id) for m in made.moves if m.new_id != m.record.record_id]
    ids.append((noun, gone_id, kept_id))
    moved = [{"noun": one, **followers.move(one, old_id, new_id)} for one, old_id, new_id in ids]
    change(actor, noun, [Edit(gone_id, None, made.gone.version)], kind=kind, within=changes)
    for one, old_id, new_id in ids:
        Alias.objects.update_or_create(noun=one, old_id=old_id, defaults={"record_id": new_id, "merged": changes})
    log(actor, f"{noun}.merged", noun=noun, record_id=kept_id, detail={"change_set": changes.pk, "gone": gone_id})
    notifying.merged(actor, made.kept, made.gone, key=str(changes.pk))
    return Merge.objects.create(changes=changes, noun=noun, kept_id=kept_id, gone_id=gone_id, moved=moved)


# ── the two records ─────────────────────────────────────────────────────────────────────────────────────────────────


def _choices(
    kept: Record, gone: Record, chosen: Mapping[str, str]
) -> tuple[list[Choice], list[tuple[Column, Any]]]:  # fmt: skip
    mine, theirs = plain(kept), plain(gone)
    choices, same = [], []
    for column in kept.table.columns:
        name = column.name
        if column.is_key:
            continue
        both = None
        if column.type == "list":
            both = list(dict.fromkeys([*(mine[name] or ()), *(theirs[name] or ()), *_once(kept, gone, name)])) or None
        if mine[name] == theirs[name] and both in (None, mine[name]):
            same.append((column, mine[name]))
            continue
        default = "both" if both is not None else _default(kept, gone, name, mine[name], theirs[name])
        wanted = chosen.get(name, default)
        is_known = wanted in ("kept", "gone") or (wanted == "both" and both is not None)
        choices.append(Choice(column, mine[name], theirs[name], both, wanted if is_known else default))
    return choices, same


def _once(kept: Record, gone: Record, name: str) -> list[str]:
    """The name of the record that goes, as a former name or alias of the one that stays."""
    if name != OTHER_NAMES.get(kept.noun):
        return []
    mine, theirs = told_of(kept.noun, [plain(kept), plain(gone)])
    return [theirs.name] if theirs.key and theirs.key != mine.key and theirs.key not in mine.others else []


def _default(kept: Record, gone: Record, name: str, mine: Any, theirs: Any) -> str:
    """The value that stays where nobody chooses: not the empty one; the verified; the newer; that of the kept."""
    if mine is None or theirs is None:
        return "gone" if mine is None else "kept"
    sources = [record.sources.get(name) or {} for record in (kept, gone)]
    verified = [bool(source.get("verified_on")) for source in sources]
    if verified[0] != verified[1]:
        return "kept" if verified[0] else "gone"
    days = [str(s.get("on") or r.updated_at.date()) for s, r in zip(sources, (kept, gone), strict=True)]
    return "gone" if days[1] > days[0] else "kept"


def _carried(kept: Record, gone: Record, choices: Sequence[Choice]) -> dict[str, Any]:
    """Source and tier of each value: where it came from goes with it; of two tiers the stricter holds."""
    sources, tiers = dict(kept.sources), dict(kept.tiers)
    mine, theirs = tiers_of(kept), tiers_of(gone)
    for choice in choices:
        name = choice.column.name
        if choice.chosen == "gone":
            sources.pop(name, None)
            sources |= {name: gone.sources[name]} if name in gone.sources else {}
        if TIERS.index(theirs[name]) > TIERS.index(mine[name]):
            tiers[name] = theirs[name]
    return {"sources": sources, "tiers": tiers}


def _would_be_own_parent(kept: Record, values: Mapping[str, Any], gone: Record) -> bool:
    parent = values.get("parent_org_id", getattr(kept, "parent_org_id", None))
    return kept.noun == "organisations" and parent in (kept.record_id, gone.record_id)


# ── what names the record that goes ─────────────────────────────────────────────────────────────────────────────────


def _moves(kept: Record, gone: Record) -> tuple[list[Move], dict[str, list[Edit]]]:
    moves: list[Move] = []
    edits: dict[str, list[Edit]] = {}
    for noun, model in MODELS.items():
        columns = [c for c in model.table.columns if any(target == kept.noun for target, _key in c.targets)]
        columns = [c for c in columns if _names(c, kept.noun, gone.record_id)]
        if not columns:
            continue
        found = _naming(model, columns, kept.noun, gone.record_id)
        others = [r for r in found if (noun, r.record_id) not in ((kept.noun, kept.record_id), (kept.noun, gone.pk))]
        after = [_renamed(r, columns, kept, gone) for r in others]
        there = model.objects.in_bulk([id_of(model.table, values) for values in after])
        for record, values in zip(others, after, strict=True):
            how, made = _fate(record, values, there)
            moves.append(Move(record, how, made[-1].record_id))
            edits.setdefault(noun, []).extend(made)
    return moves, edits


def _names(column: Column, noun: str, record_id: str) -> bool:
    """Whether an id in a column that may name one of several nouns names this one."""
    if len(column.targets) < 2 or column.name in references.NOUNS:
        return True
    others = [target for target, _key in column.targets if target != noun]
    return not any(MODELS[other].objects.filter(pk=record_id).exists() for other in others)


def _naming(model: type[Record], columns: Sequence[Column], noun: str, record_id: str) -> QuerySet[Record]:
    """The records that name another in one of some columns, in the order of their ids."""
    records, wanted = model.objects.all(), Q()
    code = next((c for c, table in references.NOUN_TABLES.items() if table == noun), "")
    for column in columns:
        if column.type == "list":
            name = f"{column.name}_told"
            records = records.alias(**{name: Cast(column.name, TextField())})
            spelt = {json.dumps(record_id), json.dumps(record_id, ensure_ascii=False)}  # as either database keeps it
            for text in sorted(spelt):
                wanted |= Q(**{f"{name}__contains": text})
        elif column.name in references.NOUNS and model.noun == "relations":
            wanted |= Q(**{column.name: record_id, references.NOUNS[column.name]: code})
        else:
            wanted |= Q(**{column.name: record_id})
    return records.filter(wanted).select_related("place").order_by("pk")


def _renamed(record: Record, columns: Sequence[Column], kept: Record, gone: Record) -> dict[str, Any]:
    """The values of a record with the one id in place of the other."""
    values = plain(record)
    code = next((c for c, table in references.NOUN_TABLES.items() if table == kept.noun), "")
    for column in columns:
        told = values[column.name]
        noun = references.NOUNS.get(column.name) if record.noun == "relations" else None
        if isinstance(told, list):
            values[column.name] = list(dict.fromkeys(kept.record_id if i == gone.record_id else i for i in told))
        elif told == gone.record_id and (noun is None or values[noun] == code):
            values[column.name] = kept.record_id
    return values


def _fate(record: Record, values: dict[str, Any], there: Mapping[Any, Record]) -> tuple[str, list[Edit]]:
    """What becomes of a record, and the edits for it."""
    end = Edit(record.record_id, None, record.version)
    for table, left, right in references.PAIRS:
        if table == record.noun and values[left] is not None and values[left] == values[right]:
            if table == "organisations":
                values[right] = None
            else:
                return "dropped", [end]
    new_id = id_of(record.table, values)
    if new_id == record.record_id:
        return "moved", [Edit(new_id, values, record.version)]
    if new_id not in there:
        return "moved", [end, Edit(new_id, values, 0)]
    own = plain(there[new_id])
    filled = {name: value for name, value in values.items() if own.get(name) is None and value is not None}
    return "joined", [end, Edit(new_id, filled, there[new_id].version)]


def both_claimed(one: Record, other: Record) -> bool:
    """Whether two experts are the people of two accounts: one expert would then be two people."""
    if one.noun != "experts":
        return False
    return User.objects.filter(expert_id__in=(one.record_id, other.record_id)).count() > 1


def can_merge(noun: str) -> bool:
    """Whether records of a noun can be merged: those that are looked through for duplicates."""
    return noun in HEADINGS
