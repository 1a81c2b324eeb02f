"""Lists page by page: a cursor says behind which record the next page begins, whatever comes or goes meanwhile."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.core import signing
from django.db.models import F, Q

from silian.errors import WebError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import Model, QuerySet
    from django.db.models.expressions import Expression

SIGNER: Final = signing.Signer(salt="silian.api.cursor")
LONGEST: Final = 2000  # characters


class Order(NamedTuple):
    """By what a list is put in order; records with the same value, and all where there is none, by their keys."""

    by: Expression | F | None = None
    is_down: bool = False


class Part(NamedTuple):
    """One page of a list."""

    rows: list[Any]
    cursor: str | None  # of the next page; None: this is the last one


def part(
    records: QuerySet[Any], *, order: Order, limit: int, cursor: str, asked: Mapping[str, Any]
) -> Part:  # fmt: skip
    """The page of a list that begins behind a cursor. Cost: one query, whatever the page.

    Parameters
    ----------
    asked : what the list was asked for: a cursor belongs to one list alone

    Raises
    ------
    WebError : api.cursor if the cursor is none of this list
    """
    of = _print(records.model, asked)
    found = (_by_key if order.by is None else _by_value)(records, order, cursor, of)
    rows = list(found[: limit + 1])
    if len(rows) <= limit:
        return Part(rows, None)
    last = rows[limit - 1]
    value = None if order.by is None else getattr(last, "sorted_by", None)
    return Part(rows[:limit], SIGNER.sign_object([of, _plain(value), str(last.pk)], compress=True))


def _by_key(records: QuerySet[Any], order: Order, cursor: str, of: str) -> QuerySet[Any]:
    if cursor:
        _value, pk = _read(cursor, of)
        records = records.filter(**{"pk__lt" if order.is_down else "pk__gt": pk})
    return records.order_by("-pk" if order.is_down else "pk")


def _by_value(records: QuerySet[Any], order: Order, cursor: str, of: str) -> QuerySet[Any]:
    """In order by a value; what has none stands at the end."""
    records = records.annotate(sorted_by=order.by)
    if cursor:
        value, pk = _read(cursor, of)
        if value is None:
            behind = Q(sorted_by__isnull=True, pk__gt=pk)
        else:
            far = {"sorted_by__lt" if order.is_down else "sorted_by__gt": value}
            behind = Q(**far) | Q(sorted_by=value, pk__gt=pk) | Q(sorted_by__isnull=True)
        records = records.filter(behind)
    way = F("sorted_by").desc(nulls_last=True) if order.is_down else F("sorted_by").asc(nulls_last=True)
    return records.order_by(way, "pk")


def _read(cursor: str, of: str) -> tuple[Any, str]:
    try:
        if len(cursor) > LONGEST:
            raise WebError("api.cursor")
        found, value, pk = SIGNER.unsign_object(cursor)
    except (signing.BadSignature, ValueError, TypeError, UnicodeError):
        raise WebError("api.cursor") from None
    if found != of:
        raise WebError("api.cursor")
    return _value(value), pk


def _print(model: type[Model], asked: Mapping[str, Any]) -> str:
    told = json.dumps([model._meta.db_table, sorted((k, str(v)) for k, v in asked.items() if v is not None)])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    return {"on": value.isoformat()} if isinstance(value, date) else value


def _value(plain: Any) -> Any:
    if isinstance(plain, dict):
        return datetime.fromisoformat(plain["at"]) if "at" in plain else date.fromisoformat(plain["on"])
    return plain


def behind(number: int | None, of: str) -> str | None:
    """The cursor of the page that begins below a number, of a list whose numbers only fall."""
    return None if number is None else SIGNER.sign_object([of, None, str(number)])


def below(cursor: str | None, of: str) -> int | None:
    """The number that a page begins below; None: the first page.

    Raises
    ------
    WebError : api.cursor if the cursor is none of this list
    """
    return int(_read(cursor, of)[1]) if cursor else None
