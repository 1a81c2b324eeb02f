"""What people type into a form, read and checked by the rules that hold for whole files."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from silian.tables import Region, check, schema
from silian.tables.cast import cast, cleaned
from silian.web.catalog.fields import LINE, LINE_LENGTH
from silian.web.catalog.models import MODELS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from silian.tables.schema import Column, Language, Table

TEXT_LENGTH = 20_000


def form_of(noun: str, language: Language, **given: Any) -> EntryForm:
    """A form with a field for each column of a noun but its key, in the words of a language."""
    table = schema.tables()[noun]
    fields = {c.name: _field(c, language) for c in table.columns if not c.is_key}
    made: type[EntryForm] = type(f"{noun}_form", (EntryForm,), {**fields, "table": table, "language": language})
    return made(**given)


class EntryForm(forms.Form):
    """Values of one record as text; `cleaned_data` holds them as plain values."""

    table: Table
    language: Language

    def clean(self) -> dict[str, Any]:
        """Read every text in the type of its column and check the whole."""
        texts = {name: "；".join(v) if isinstance(v, list) else (v or "") for name, v in self.cleaned_data.items()}
        values, problems = read_entry(self.table, texts)
        remedy = "remedy" if self.language == "en" else "remedy_zh"
        for row in problems.iter_rows(named=True):
            self.add_error(row["column"] if row["column"] in self.fields else None, row[remedy])
        return values


def read_entry(table: Table, texts: Mapping[str, str]) -> tuple[dict[str, Any], pl.DataFrame]:
    """Texts as plain values of a record, and what is wrong with them (schema results/problems)."""
    key = {name: pl.Series(name, ["?"]) for name in table.key}
    cells, wrong = {}, []
    for column in table.columns:
        if column.name in texts:
            cell, is_wrong = cast(cleaned(pl.Series([texts[column.name]]), guarded=False), column)
            cells[column.name] = cell
            wrong += [column.name] if is_wrong[0] else []
    row = pl.DataFrame({**key, **cells})
    region = Region.of({table.name: row, **_named(table, row)})
    found = check(region, on=timezone.localdate()).filter(pl.col("table") == table.name)
    found = found.filter(pl.col("column").is_in(list(texts)))
    unread = [_unread(table, name, texts[name]) for name in wrong]
    values = {name: _plain(row[name][0]) for name in cells}
    return values, pl.concat([found, *unread])


def texts_of(table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values as a form shows them."""
    made: dict[str, Any] = {}
    for column in table.columns:
        value = values.get(column.name)
        if column.type == "list" and not column.codes:
            made[column.name] = "；".join(value or [])
        elif column.type == "flag":
            made[column.name] = "" if value is None else ("yes" if value else "no")
        else:
            made[column.name] = value
    return made


def _named(table: Table, row: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The records that a row refers to, as far as the registry has them: tables of their ids alone."""
    found: dict[str, list[pl.DataFrame]] = {}
    for column in table.columns:
        if not column.targets or column.name not in row.columns:
            continue
        ids = (
            row[column.name].explode().drop_nulls().to_list()
            if column.type == "list"
            else row[column.name].drop_nulls().to_list()
        )
        for noun, key in column.targets:
            known = list(MODELS[noun].objects.filter(pk__in=ids).values_list("pk", flat=True))
            found.setdefault(noun, []).append(pl.DataFrame({key: pl.Series(known, dtype=pl.String)}))
    return {noun: pl.concat(parts).unique() for noun, parts in found.items() if noun != table.name}


def _unread(table: Table, name: str, text: str) -> pl.DataFrame:
    from silian.tables.cast import WANTED
    from silian.tables.problems import problem

    english, chinese = WANTED[table[name].type]
    words = ({"wanted": english}, {"wanted": chinese})
    return problem("check.type", table=table.name, file=table.name, column=name, found=text, words=words)


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return value.to_list() if isinstance(value, pl.Series) else value


def _field(column: Column, language: Language) -> forms.Field:
    meaning = column.meaning if language == "en" else column.meaning_zh
    shown: dict[str, Any] = {"label": column.label(language), "help_text": meaning, "required": column.is_required}
    if column.codes:
        choices = [(code, pair[language == "en"]) for code, pair in schema.codes()[column.codes].items()]
        if column.type == "list":
            return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, **shown)
        return forms.ChoiceField(choices=[("", _("请选择")), *choices], **shown)
    if column.type == "flag":
        return forms.ChoiceField(choices=[("", _("不详")), ("yes", _("是")), ("no", _("否"))], **shown)
    if column.type == "date":
        return forms.CharField(
            max_length=40, widget=forms.TextInput(attrs={"placeholder": "2026-01-31", "inputmode": "numeric"}), **shown
        )
    if column.type == "text" and column.format is None and column.name not in LINE:
        return forms.CharField(max_length=TEXT_LENGTH, widget=forms.Textarea(attrs={"rows": 6}), **shown)
    attributes = {"inputmode": "decimal"} if column.type in ("count", "money", "number", "share", "year") else {}
    if column.type == "id":
        attributes["list"] = f"ids-{column.targets[0][0]}"
    return forms.CharField(max_length=LINE_LENGTH, widget=forms.TextInput(attrs=attributes), **shown)
