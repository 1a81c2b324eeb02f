"""Fields of the database from the columns of the schema: a column is declared once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import models

from silian.tables import schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from silian.tables.schema import Column, Table

LINE: Final = ("title", "name", "name_en", "email")  # texts of one line
MODEL_OF: Final = {
    "districts": "District", "organisations": "Organisation", "experts": "Expert", "products": "Product",
    "needs": "Need", "achievements": "Achievement", "projects": "Project", "policies": "Policy",
    "facilities": "Facility", "funds": "Fund", "works": "Work",
}  # fmt: skip
ID_LENGTH: Final = 100
KEY_LENGTH: Final = 3 * ID_LENGTH  # of a key of several columns
LINE_LENGTH: Final = 500


def fields_of(table: str) -> dict[str, models.Field[object, object]]:
    """The fields of a noun by their names, in the order of its schema file.

    A reference to one table is a foreign key: the column org_id is the field org. A reference to several is a text.
    A key of several columns is kept as one text, `key`, beside them, so that every record has one id.
    """
    noun = schema.tables()[table]
    made = {field_name(c): _field(c, is_whole_key=noun.key == (c.name,)) for c in noun.columns}
    whole: dict[str, models.Field[object, object]] = {"key": models.CharField(max_length=KEY_LENGTH, primary_key=True)}
    return made if len(noun.key) == 1 else whole | made


def record_id(table: Table, values: Mapping[str, object]) -> str:
    """The id of a record within its noun: its key; of several parts joined by tildes, tildes within a part doubled.

    Examples
    --------
    >>> record_id(schema.tables()["works"], {"expert_id": "E1", "work_id": "W~7"})
    'E1~W~~7'
    """
    if len(table.key) == 1:
        return str(values[table.key[0]])
    return "~".join(str(values[name]).replace("~", "~~") for name in table.key)


def field_name(column: Column) -> str:
    """The name of the field that holds a column.

    Examples
    --------
    >>> field_name(schema.tables()["needs"]["org_id"]), field_name(schema.tables()["needs"]["need_id"])
    ('org', 'need_id')
    """
    return column.name.removesuffix("_id") if is_reference(column) else column.name


def is_reference(column: Column) -> bool:
    """Whether a column names one record of another noun."""
    return column.type == "id" and len(column.targets) == 1


def is_never_null(column: Column) -> bool:
    """Whether what is not known of a column is kept as an empty text or list, as Django has it, and not as null."""
    return column.type == "list" or (column.type in ("text", "code", "id") and not column.refers)


def _field(column: Column, *, is_whole_key: bool) -> models.Field[object, object]:
    if is_reference(column):
        target = f"catalog.{MODEL_OF[column.targets[0][0]]}"
        return models.ForeignKey(
            target, models.PROTECT, null=not column.is_required, blank=not column.is_required,
            db_column=column.name, related_name="+",
        )  # fmt: skip
    if column.type == "id":
        is_part = column.is_key and not is_whole_key  # several rows of one work are found by its number
        return models.CharField(max_length=ID_LENGTH, primary_key=is_whole_key, db_index=is_part)
    if column.type == "list":
        return models.JSONField(default=list, blank=True)
    if column.type in ("text", "code"):
        if column.type == "text" and column.name not in LINE and column.format is None:
            return models.TextField(blank=True)
        return models.CharField(max_length=LINE_LENGTH, blank=True)
    return _VALUES[column.type](null=True, blank=True)  # type: ignore[misc]


_VALUES: Final[dict[str, type[models.Field[object, object]]]] = {
    "count": models.BigIntegerField,
    "year": models.IntegerField,
    "number": models.FloatField,
    "share": models.FloatField,
    "money": models.FloatField,
    "date": models.DateField,
    "flag": models.BooleanField,
}
