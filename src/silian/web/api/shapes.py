"""What the API takes and gives, made from the schema of the tables: a column is declared once."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from ninja import Schema
from pydantic import AwareDatetime, ConfigDict, Field, create_model

from silian.tables import schema
from silian.web.api.versions import ROOT
from silian.web.catalog.entry.typed import TEXT_LENGTH, closable, sections, translated
from silian.web.catalog.faces import FACES
from silian.web.catalog.fields import ID_LENGTH, LINE, LINE_LENGTH
from silian.web.catalog.models import MODELS
from silian.web.catalog.rules import TIERS, default_tiers

if TYPE_CHECKING:
    from silian.tables.schema import Column

NOUNS: Final = tuple(FACES)  # that have addresses
MOST: Final = 200  # records a page
PAGE: Final = 50
FAR: Final = 2**53  # whole numbers up to here are the same in every language
LARGE: Final = 1e15  # in size, of numbers with a fraction
WORDS: Final = "Words, as the search of the site takes them; of what fits, the best 10,000"
SORTED: Final = (
    "With - before it: down. What is not public counts as not known, and stands at the end. By id and created_at no "
    "record is passed over or told twice, whatever changes meanwhile"
)
MOST_PARTS: Final = 100  # of a list that is sent
Tiers = Literal["public", "mutual", "broker"]
States = Literal["draft", "published", "expired", "withdrawn"]
OUT: Final[dict[str, Any]] = {
    "count": int, "year": int, "number": float, "share": float, "money": float, "date": date, "flag": bool,
    "list": list[str],
}  # fmt: skip


class Strict(Schema):
    """What is sent: a name that is not known is an error."""

    model_config = ConfigDict(extra="forbid", strict=False, allow_inf_nan=False)


class English(Strict):
    """The English of a text that is kept beside the record."""

    en: Annotated[str, Field(max_length=TEXT_LENGTH)]


class ProblemOut(Schema):
    """What went wrong (RFC 9457)."""

    type: str = Field(examples=["/api/#api.stale"])
    title: str = Field(description="The phrase of the HTTP status", examples=["Conflict"])
    status: int = Field(examples=[409])
    code: str = Field(description="Stable; the page of the documentation lists all", examples=["api.stale"])
    detail: str = Field(description="A sentence in the language of Accept-Language, Chinese or English")
    request_id: str = Field(description="Stands in X-Request-Id and in the log of the site")

    model_config = ConfigDict(extra="allow")


def singular(noun: str) -> str:
    """The name of the shape of a noun.

    Examples
    --------
    >>> singular("needs"), singular("policies")
    ('Need', 'Policy')
    """
    return MODELS[noun].__name__


def told_of(column: Column) -> str:
    """A column in words: names, meaning, unit, who may see it."""
    parts = [f"{column.label_en} / {column.label_zh}."]
    if column.meaning and column.meaning != column.label_en:
        parts.append(f"{column.meaning.rstrip('.')}.")
    if column.unit not in ("", "1"):
        parts.append(f"Unit: {column.unit}.")
    if column.codes:
        codes = schema.codes()[column.codes]
        parts.append("Codes: " + ", ".join(f"{code} ({pair[1]})" for code, pair in codes.items()) + ".")
    if column.format:
        parts.append(f"Format: {column.format}.")
    if column.targets:
        parts.append("Id of: " + " or ".join(noun for noun, _ in column.targets) + ".")
    tier = default_tiers(column.table).get(column.name, "public")
    if tier != "public":
        parts.append(f"Seen by tier '{tier}' unless its owner chooses otherwise.")
    return " ".join(parts)


@cache
def values_out(noun: str) -> type[Schema]:
    """The columns of a record as they are given: null is not known, and what is absent is not for the asker."""
    fields: dict[str, Any] = {}
    for column in schema.tables()[noun].columns:
        kind = OUT.get(column.type, str)
        fields[column.name] = (kind | None, Field(default=None, description=told_of(column)))
    return _model(f"{singular(noun)}Values", fields, doc=schema.tables()[noun].meaning, base=Schema)


@cache
def values_in(noun: str, *, is_new: bool) -> type[Schema]:
    """The columns of a record as they are sent: those of its form; what is not named stays as it is."""
    table = schema.tables()[noun]
    names = [name for section in sections(noun) for name in section.columns]
    fields: dict[str, Any] = {}
    for name in names:
        column = table[name]
        if column.is_key and not is_new:
            continue
        more = {"examples": [_example(column)]} if _example(column) is not None else {}
        told: Any = Field(default=None, description=told_of(column), **more)  # type: ignore[call-overload]
        fields[name] = (_taken(column) | None, told)
    return _model(f"{singular(noun)}{'New' if is_new else 'Changed'}Values", fields, doc=table.meaning)


@cache
def record_out(noun: str) -> type[Schema]:
    """A record as it is given."""
    day = date | None
    fields: dict[str, Any] = {
        "id": (str, Field(description="Its key; of several parts joined by ~")),
        "noun": (Literal[noun], ...),
        "self": (str, Field(description="Its address here", examples=[f"{ROOT}{noun}/X-1"])),
        "page": (str, Field(description="Its page for people")),
        "version": (int, Field(description="Grows with every change; say it when you change the record")),
        "state": (States, ...),
        "owner_id": (str | None, Field(description="The organisation that keeps it")),
        "place_id": (str, Field(description="The place whose stewards look after it")),
        "created_at": (datetime, ...),
        "updated_at": (datetime, ...),
        "confirmed_on": (day, Field(description="Its owner last said that it is still so")),
        "values": (values_out(noun), ...),
        "hidden": (list[str], Field(description="Columns that are not for the asker; they are absent from values")),
        "translations": (dict[str, English], Field(description="English texts, by column")),
        "may": (list[Literal["edit", "publish", "withdraw", "history"]], Field(description="What the asker may do")),
    }
    return _model(singular(noun), fields, doc=f"One of: {schema.tables()[noun].label_en}", base=Schema)


@cache
def page_out(noun: str) -> type[Schema]:
    """A page of a list of records."""
    return page_of(f"{singular(noun)}Page", record_out(noun))


def page_of(name: str, item: Any) -> type[Schema]:
    """A page of a list."""
    fields: dict[str, Any] = {
        "items": (list[item], ...),
        "next_cursor": (str | None, Field(description="Of the next page; null: this is the last")),
        "next": (str | None, Field(description="The address of the next page, as the header Link has it")),
    }
    return _model(name, fields, base=Schema)


@cache
def new_in(noun: str) -> type[Schema]:
    """What makes a record."""
    return _model(f"{singular(noun)}New", {
        "values": (values_in(noun, is_new=True), ...), **_beside(noun),
        "publish": (bool, Field(default=False, description="At once; else it is a draft, and may lack what must be")),
    }, doc="A new record; its id is given by the site")  # fmt: skip


@cache
def change_in(noun: str) -> type[Schema]:
    """What changes a record."""
    seen = Field(default=None, description="That you saw, where If-Match does not say it")
    return _model(f"{singular(noun)}Change", {
        "version": (Annotated[int, Field(ge=1, le=FAR)] | None, seen),
        "values": (values_in(noun, is_new=False) | None, Field(default=None)), **_beside(noun),
    }, doc="What is not named stays as it is; null empties")  # fmt: skip


@cache
def query_in(noun: str) -> type[Schema]:
    """What a list can be asked for."""
    table, face = schema.tables()[noun], FACES[noun]
    fields: dict[str, Any] = {
        "q": (str | None, Field(default=None, max_length=200, description=WORDS, examples=["电池"])),
        "state": (States | None, Field(default=None, description="Drafts and what was withdrawn for who sees them")),
    }  # fmt: skip
    for name in face.facets:
        column = table[name]
        kind = _codes(column) if column.codes else Annotated[str, Field(max_length=LINE_LENGTH)]
        fields[name] = (kind | None, Field(default=None, description=f"Only those with this value. {told_of(column)}"))
    sorts = ["id", "created_at", "updated_at", *face.sorts]
    orders = Literal[tuple(way + name for name in sorts for way in ("", "-"))]  # type: ignore[valid-type]
    fields |= {
        "updated_since": (AwareDatetime | None, Field(
            default=None, description="Changed at or after this moment", examples=["2026-11-01T00:00:00+08:00"]
        )),
        "sort": (orders, Field(default="id", description=SORTED)),
    }  # fmt: skip
    return _model(f"{singular(noun)}Query", fields | paging())


def paging() -> dict[str, Any]:
    """The parameters that every list takes."""
    return {
        "limit": (Annotated[int, Field(ge=1, le=MOST)], Field(default=PAGE, description="Records a page")),
        "cursor": (str | None, Field(
            default=None, max_length=2000, description="next_cursor of the page before, all else as it was"
        )),
    }  # fmt: skip


def _beside(noun: str) -> dict[str, Any]:
    table = schema.tables()[noun]
    made: dict[str, Any] = {}
    if names := translated(table):
        english = _model(f"{singular(noun)}English", {
            name: (Annotated[str, Field(max_length=TEXT_LENGTH)] | None, Field(default=None)) for name in names
        }, doc="English texts by column; null takes one away")  # fmt: skip
        made["translations"] = (english | None, Field(default=None))
    if names := closable(table):
        tiers = _model(f"{singular(noun)}Tiers", {name: (Tiers | None, Field(default=None)) for name in names},
                       doc=f"Who sees a column: {', '.join(TIERS)}; null leaves it as it is")  # fmt: skip
        made["tiers"] = (tiers | None, Field(default=None))
    if noun == "organisations":
        told = "Why a code is saved that another organisation has"
        reason = Annotated[str, Field(max_length=300)] | None
        made["shared_code_reason"] = (reason, Field(default=None, description=told))
    return made


def _taken(column: Column) -> Any:
    if column.type in ("count", "year"):
        low, high = (int(edge) if edge is not None else far for edge, far in ((column.min, -FAR), (column.max, FAR)))
        return Annotated[int, Field(ge=low, le=high)]
    if column.type in ("number", "share", "money"):
        least = column.min if column.min is not None else -LARGE
        most = column.max if column.max is not None else 1.0 if column.type == "share" else LARGE
        return Annotated[float, Field(ge=least, le=most)]
    if column.type in ("date", "flag"):
        return OUT[column.type]
    if column.type == "list":
        part = _codes(column) if column.codes else Annotated[str, Field(min_length=1, max_length=LINE_LENGTH)]
        return Annotated[list[part], Field(max_length=MOST_PARTS)]  # type: ignore[valid-type]
    if column.codes:
        return _codes(column)
    longest = ID_LENGTH if column.type == "id" else LINE_LENGTH if column.name in LINE or column.format else TEXT_LENGTH
    return Annotated[str, Field(max_length=longest)]


def _codes(column: Column) -> Any:
    return Literal[tuple(schema.codes()[column.codes or ""])]


def _example(column: Column) -> Any:
    """A value that could stand in a column."""
    if column.codes:
        first = next(iter(schema.codes()[column.codes]))
        return [first] if column.type == "list" else first
    return {
        "count": 3, "year": 2026, "number": 1.5, "share": 0.25, "money": 300000, "date": "2026-12-31", "flag": True,
    }.get(column.type, {"title": "固态电池电解质界面改性", "name": "示例名称"}.get(column.name))  # fmt: skip


def _model(name: str, fields: dict[str, Any], *, doc: str = "", base: type[Schema] = Strict) -> type[Schema]:
    made: Any = create_model(name, __base__=base, __doc__=doc or None, **fields)
    return made  # type: ignore[no-any-return]
