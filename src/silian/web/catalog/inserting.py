"""Many rows put into a table at once, where nobody needs the numbers that they get."""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any, Final

from django.db import connection, models

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

AS_IT_IS: Final = frozenset({str, int, float, bool, NoneType})  # types that drivers take as they are


def insert(model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows of plain values, as `bulk_create` does, without an object a row.

    Parameters
    ----------
    names : every column of the model but a number that the database gives
    rows : their values, in the order of the names

    Notes
    -----
    No object is made, nothing gets its default, no number comes back.
    """
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    columns = [_adapted(field, values) for field, values in zip(fields, zip(*rows, strict=True), strict=False)]
    if not columns:
        return
    quote = connection.ops.quote_name
    told = ", ".join(quote(field.column) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    statement = f"INSERT INTO {quote(model._meta.db_table)} ({told}) VALUES ({places})"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.executemany(statement, list(zip(*columns, strict=True)))


def _adapted(field: Any, values: Sequence[Any]) -> Sequence[Any]:
    """The values of a column as the driver of the database takes them."""
    if isinstance(field, models.JSONField):
        return [field.get_db_prep_save(value, connection) for value in values]
    return [v if type(v) in AS_IT_IS else field.get_db_prep_save(v, connection) for v in values]
