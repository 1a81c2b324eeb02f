"""Open data as CSV: the public columns of the published records of a noun, streamed, with their documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl
from django.urls import reverse

from silian import tables
from silian.tables import schema
from silian.web.standards import identity, public

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK: Final = 500  # rows read and written at once
MARK: Final = b"\xef\xbb\xbf"  # so that spreadsheets read UTF-8
APART: Final = ("topics_struck",)  # what a person does not want shown is not told either
# Types of the schema in the words of CSVW, which are those of XML Schema.
DATATYPES: Final = {
    "id": "string", "text": "string", "code": "string", "list": "string", "count": "integer", "year": "gYear",
    "number": "double", "share": "double", "money": "double", "date": "date", "flag": "boolean",
}  # fmt: skip


def csv_of(noun: str) -> Iterator[bytes]:
    """The open part of a noun as CSV, in parts. What is empty is not known, or not public.

    A name in one of the columns leads to published records alone; a text that a spreadsheet would take for a formula
    begins with a '. Cost: one query a CHUNK of rows, and one for each noun that these name.
    """
    table = schema.tables()[noun]
    dropped = [c.name for c in table.columns if c.name in APART]
    yield tables.to_csv(table.empty().drop(dropped), _kept(table))
    last = ""
    while True:
        rows = public.records(noun).filter(pk__gt=last).select_related("place").order_by("pk")[:CHUNK]
        found = [public.facts_of(record) for record in rows]
        if not found:
            return
        last = found[-1].key
        names = public.Names(found)
        frame = pl.DataFrame([_row(facts, names) for facts in found], schema=dict(table.polars), orient="row")
        yield tables.to_csv(frame.drop(dropped), _kept(table)).removeprefix(MARK).partition(b"\n")[2]


def _row(facts: public.Facts, names: public.Names) -> dict[str, Any]:
    """A row without what names something that is not published."""
    row: dict[str, Any] = {}
    for column in schema.tables()[facts.noun].columns:
        value = facts.get(column.name)
        if value is not None and len(column.targets) == 1 and column.targets[0][0] in public.OPEN:
            if column.type == "list":
                value = [named.key for named in names.all(facts, column.name)] or None
            elif names.one(facts, column.name) is None:
                value = None
        row[column.name] = value
    return row


def _kept(table: schema.Table) -> schema.Table:
    return schema.Table(**{
        name: getattr(table, name) for name in table.__dataclass_fields__ if name != "columns"
    }, columns=tuple(c for c in table.columns if c.name not in APART))  # fmt: skip


def documentation(noun: str) -> dict[str, Any]:
    """What the columns of the CSV of a noun mean, as CSVW tells it."""
    table = _kept(schema.tables()[noun])
    columns = []
    for column in table.columns:
        one: dict[str, Any] = {
            "name": column.name, "titles": column.name,
            "dc:title": [_in("zh", column.label_zh), _in("en", column.label_en)],
            "dc:description": [_in("zh", column.meaning_zh), _in("en", column.meaning)],
            "datatype": DATATYPES[column.type], "required": column.is_key,
        }  # fmt: skip
        if column.type == "list":
            one["separator"] = ";"
        if column.unit:
            one["schema:unitText"] = column.unit
        columns.append(one)
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "zh"}],
        "url": identity.address(reverse("open_csv", args=[noun])),
        "dc:title": [_in("zh", table.label_zh), _in("en", table.label_en)],
        "dc:description": [_in("zh", table.meaning_zh), _in("en", table.meaning)],
        **({"dc:license": {"@id": identity.licence()}} if identity.licence() else {}),
        "dialect": {"encoding": "utf-8", "header": True},
        "tableSchema": {"columns": columns, "primaryKey": list(table.key)},
    }  # fmt: skip


def _in(language: str, text: str) -> dict[str, str]:
    return {"@value": text, "@language": language}
