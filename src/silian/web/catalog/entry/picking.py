"""Naming a record in a form: by its id, by its name, or by both as a list offers them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db.models import Q

from silian.web.catalog.duplicates import merging
from silian.web.catalog.models import MODELS
from silian.web.catalog.rules import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from silian.tables.schema import Column, Table
    from silian.web.base.actors import Actor
    from silian.web.catalog.models import Record

OFFERED: Final = 8  # records that are offered for what was typed
_BOTH: Final = re.compile(r"^(.*)（([^（）]+)）$", re.DOTALL)  # as `offer` spells a record


class Picked(NamedTuple):
    """What a text names."""

    text: str  # ids, one a line; what was found
    unknown: str  # the first name that is nobody's; empty: all were found


def offer(record: Record) -> str:
    """A record as a form shows it: its name and id.

    Examples
    --------
    >>> from silian.web.catalog.models import Product
    >>> offer(Product(product_id="P001", name="碳酸锂"))
    '碳酸锂（P001）'
    """
    name = " ".join(str(record).split())
    return f"{name}（{record.record_id}）" if name != record.record_id else name


def offers(actor: Actor, noun: str, typed: str) -> list[Record]:
    """Records that a person may see and whose name or id holds what was typed, the shortest names first."""
    model = MODELS[noun]
    heading = _heading(noun)
    found = visible(actor, model.objects.all())
    condition = Q(pk__istartswith=typed) | Q(**{f"{heading}__icontains": typed})
    if noun == "organisations":
        condition |= Q(uscc__istartswith=typed)
    return sorted(found.filter(condition).order_by(heading, "pk")[: OFFERED * 3], key=lambda r: len(str(r)))[:OFFERED]


def resolve(actor: Actor, column: Column, text: str, *, held: Any = None) -> Picked:
    """The ids of the records that a text names, a line each where the column is a list.

    Parameters
    ----------
    held : what the record names already: stays allowed, though the person may not see it
    """
    lines = [line.strip() for line in (text.splitlines() if column.type == "list" else [text])]
    if column.type == "list":
        lines = [part.strip() for line in lines for part in re.split("[;；|｜]", line)]
    lines = [line for line in lines if line]
    mine = set(held if isinstance(held, list) else [held]) - {None}
    ids = {line: (match[2] if (match := _BOTH.match(line)) else line) for line in lines}
    found: dict[str, str] = {line: i for line, i in ids.items() if i in mine}
    for noun, _ in column.targets:
        left = [line for line in lines if line not in found]
        if left:
            found |= _found(actor, noun, {line: ids[line] for line in left})
    for noun, _ in column.targets:
        if left := [line for line in lines if line not in found]:
            found |= _moved(actor, noun, {line: ids[line] for line in left})
    unknown = next((line for line in lines if line not in found), "")
    return Picked("\n".join(dict.fromkeys(found[line] for line in lines if line in found)), unknown)


def _found(actor: Actor, noun: str, ids: Mapping[str, str]) -> dict[str, str]:
    """Of each line the id: the record with this id, else the only one with this name."""
    heading, records = _heading(noun), visible(actor, MODELS[noun].objects.all())
    wanted = Q(pk__in=list(ids.values())) | Q(**{f"{heading}__in": list(ids)})
    rows = list(records.filter(wanted).values_list("pk", heading)[:1000])
    known = {pk for pk, _ in rows}
    named: dict[str, list[str]] = {}
    for pk, name in rows:
        named.setdefault(name, []).append(pk)
    made = {line: i for line, i in ids.items() if i in known}
    return {line: named[line][0] for line in ids if len(named.get(line, ())) == 1} | made


def _moved(actor: Actor, noun: str, ids: Mapping[str, str]) -> dict[str, str]:
    """Of each line that names an old id the id of the record that it was merged into."""
    into = merging.resolve(noun, ids.values())
    seen = set(visible(actor, MODELS[noun].objects.filter(pk__in=set(into.values()))).values_list("pk", flat=True))
    return {line: into[i] for line, i in ids.items() if into.get(i) in seen}


def spelt(table: Table, texts: Mapping[str, Any]) -> dict[str, Any]:
    """The texts of a form with the names of the records beside their ids. Cost: one query a noun that is named."""
    wanted: dict[str, set[str]] = {}
    columns = [c for c in table.columns if c.targets and texts.get(c.name) and not c.is_key]
    for column in columns:
        for noun, _ in column.targets:
            wanted.setdefault(noun, set()).update(str(texts[column.name]).splitlines())
    names = {
        (noun, r.record_id): offer(r) for noun, ids in wanted.items() for r in MODELS[noun].objects.filter(pk__in=ids)
    }
    made = dict(texts)
    for column in columns:
        lines = str(texts[column.name]).splitlines()
        noun = column.targets[0][0]
        made[column.name] = "\n".join(names.get((noun, line), line) for line in lines)
    return made


def _heading(noun: str) -> str:
    columns = [c.name for c in MODELS[noun].table.columns]
    return next(name for name in ("name", "title") if name in columns)
