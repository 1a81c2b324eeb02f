"""What people type into a form, read and checked by the rules that hold for whole files."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from django import forms
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from silian.tables import Region, check, schema
from silian.tables.cast import SEPARATORS, WANTED, cast, cleaned
from silian.tables.problems import problem
from silian.web.base.languages import page_language
from silian.web.catalog.changing import plain
from silian.web.catalog.entry.identifiers import CHECKED
from silian.web.catalog.entry.picking import Picked, resolve, spelt
from silian.web.catalog.fields import LINE, LINE_LENGTH
from silian.web.catalog.models import MODELS
from silian.web.catalog.rules import TIERS, always_public, default_tiers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.forms.boundfield import BoundField

    from silian.tables.schema import Column, Language, Table
    from silian.web.base.actors import Actor
    from silian.web.catalog.models import Record

TEXT_LENGTH: Final = 20_000
LONG: Final = ("text", "profile", "business", "booking")  # texts of several lines
# Columns that hold the English of another one, and texts whose English is kept beside the record.
PAIRS: Final = {"name": "name_en"}
TRANSLATED: Final = ("title", "text", "profile", "business", "booking", "department")
TIER_NAMES: Final = (
    ("public", gettext_lazy("公开")),
    ("mutual", gettext_lazy("双方有意后可见")),
    ("broker", gettext_lazy("仅经理人可见")),
)  # fmt: skip
FIRST_ROW: Final = 2  # under the heading of a table, as problems count
EMPTY: Final = ("check.column", "check.empty")  # what a draft may still lack
# Marks that turn the direction of what stands around them: a name could show itself as another.
TURNS: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class Section:
    """Columns that people fill in together."""

    name: str
    label_zh: str
    label_en: str
    columns: tuple[str, ...]

    def label(self, language: Language) -> str:
        """The name of the section for people."""
        return self.label_en if language == "en" else self.label_zh


@cache
def sections(noun: str) -> tuple[Section, ...]:
    """The sections of the form and page of a noun, as `sections.csv` says."""
    text = files("silian.web.catalog.entry").joinpath("sections.csv").read_text(encoding="utf-8")
    rows = [row for row in csv.DictReader(text.splitlines()) if row["table"] == noun]
    return tuple(Section(r["section"], r["label_zh"], r["label_en"], tuple(r["columns"].split())) for r in rows)


def translated(table: Table) -> tuple[str, ...]:
    """The columns of a noun whose English is kept beside the record."""
    names = {c.name for c in table.columns if c.type == "text"}
    return tuple(name for name in TRANSLATED if name in names)


def closable(table: Table) -> tuple[str, ...]:
    """The columns of a noun that need not be public."""
    return tuple(c.name for c in table.columns if c.name not in always_public(table.name))


class EntryForm(forms.Form):
    """Values of one record as text; `cleaned_data` holds them as plain values, with tiers and translations."""

    def __init__(
        self, noun: str, actor: Actor, language: Language, *, record: Record | None = None, is_draft: bool = False,
        **given: Any,
    ) -> None:  # fmt: skip
        """Make a field for each column of the sections.

        Parameters
        ----------
        record : that is changed; None: a new one
        is_draft : what is required may still be missing
        """
        super().__init__(**given)
        self.noun, self.actor, self.language, self.record = noun, actor, language, record
        self.is_draft, self.table = is_draft, schema.tables()[noun]
        names = [name for section in sections(noun) for name in section.columns]
        columns = [self.table[n] for n in names if not (record and self.table[n].is_key)]
        self.fields.update({c.name: _field(c, language, is_draft=is_draft) for c in columns})
        for column in columns:  # stands after the control, see forms/field.html
            self.fields[column.name].unit = _unit(column, language)  # type: ignore[attr-defined]
        for name in translated(self.table):
            self.fields[f"en-{name}"] = _english(self.table[name], language)
        for name in closable(self.table):
            label = self.table[name].label(language)
            self.fields[f"tier-{name}"] = forms.ChoiceField(choices=TIER_NAMES, label=label, required=False)
        for name, texts in self.shown.items():
            self.initial.setdefault(name, texts)

    @property
    def shown(self) -> dict[str, Any]:
        """What the form shows of the record as it is kept; of a new one the defaults."""
        tiers = dict(default_tiers(self.noun)) | (self.record.tiers if self.record else {})
        made: dict[str, Any] = {f"tier-{n}": tiers.get(n, "public") for n in closable(self.table)}
        if self.record:
            made |= spelt(self.table, texts_of(self.table, plain(self.record)))
            held = self.record.translations
            made |= {f"en-{n}": held.get(n, {}).get("en", "") for n in translated(self.table)}
        return made

    def parts(self) -> Iterator[tuple[str, list[BoundField]]]:
        """The sections with their fields."""
        for section in sections(self.noun):
            fields = [self[name] for name in section.columns if name in self.fields]
            if fields:
                yield section.label(self.language), fields

    def english(self) -> list[BoundField]:
        """The fields of the English texts."""
        return [self[f"en-{name}"] for name in translated(self.table)]

    def tiers(self) -> list[BoundField]:
        """The fields that say who sees what."""
        return [self[f"tier-{name}"] for name in closable(self.table)]

    def clean(self) -> dict[str, Any]:
        """Read every text in the type of its column and check the whole."""
        columns = [self.table[name] for name in self.fields if "-" not in name]
        texts = {c.name: _joined(self.cleaned_data.get(c.name)) for c in columns}
        self._refuse_turns()
        for name, found in self._picked(columns, texts).items():
            texts[name] = found.text
            if found.unknown:
                wanted = gettext("没有找到“%(found)s”。请输入名称后从提示中选择，或填写编号。")
                self.add_error(name, wanted % {"found": found.unknown[:80]})
        values, problems = read_entry(self.table, texts, record=self.record)
        for row in problems.iter_rows(named=True):
            column = row["column"] if row["column"] in self.fields else None
            if column not in self.errors and not (self.is_draft and row["code"] in EMPTY):
                self.add_error(column, self._remedy(row))
        return self._kept(values, texts) | self._beside()

    def _remedy(self, row: Mapping[str, Any]) -> str:
        """What to do about a problem; of what cannot be read, without what becomes of the cell of a file."""
        is_english = self.language == "en"
        if row["code"] == "check.type" and row["column"] in self.fields:
            wanted = WANTED[self.table[row["column"]].type][not is_english]
            return gettext("应为%(wanted)s。") % {"wanted": wanted}
        return str(row["remedy" if is_english else "remedy_zh"])

    def _refuse_turns(self) -> None:
        for name, text in list(self.cleaned_data.items()):
            found = TURNS & set(text if isinstance(text, str) else "".join(text))
            controls = {c for c in _joined(text) if c < " " and c not in "\n\r\t"}
            if found or controls:
                self.add_error(name, gettext("含有看不见的控制字符，请删去后重新输入。"))

    def _picked(self, columns: list[Column], texts: Mapping[str, str]) -> dict[str, Picked]:
        named = [c for c in columns if c.targets and texts.get(c.name)]
        held = plain(self.record) if self.record else {}
        return {c.name: resolve(self.actor, c, texts[c.name], held=held.get(c.name)) for c in named}

    def _kept(self, values: dict[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
        """The values, but as they were where the text is what the form had shown: nothing is lost by spelling."""
        if self.record is None:
            return values
        was, old = plain(self.record), texts_of(self.table, plain(self.record))
        return {n: was[n] if _joined(old.get(n)) == texts[n] else value for n, value in values.items()}

    def _beside(self) -> dict[str, Any]:
        default, given = default_tiers(self.noun), self.cleaned_data
        tiers = dict(self.record.tiers) if self.record else {}
        for name in closable(self.table):
            tier = given.get(f"tier-{name}") or tiers.get(name) or default.get(name, "public")
            tiers[name] = tier if tier in TIERS else TIERS[-1]
        kept = {name: tier for name, tier in tiers.items() if tier != default.get(name, "public")}
        english = {n: {"en": given[f"en-{n}"]} for n in translated(self.table) if given.get(f"en-{n}")}
        return {"tiers": kept, "translations": english}


def read_entry(
    table: Table, texts: Mapping[str, str], *, record: Record | None = None
) -> tuple[dict[str, Any], pl.DataFrame]:
    """Texts as plain values of a record, and what is wrong with them (schema results/problems)."""
    key = {name: pl.Series(name, [str(getattr(record, name)) if record else "?"]) for name in table.key}
    cells, wrong = {}, []
    for column in table.columns:
        if column.name in texts:
            cell, is_wrong = cast(cleaned(pl.Series([_one_line(column, texts[column.name])]), guarded=False), column)
            cells[column.name] = cell
            wrong += [column.name] if is_wrong[0] else []
    row = pl.DataFrame({**key, **cells})
    named = _named(table, row)
    own = named.pop(table.name, pl.DataFrame())  # records of the same noun stand under the row, by their ids alone
    region = Region.of({table.name: pl.concat([row, own], how="diagonal"), **named})
    is_own = (pl.col("table") == table.name) & (pl.col("row").is_null() | (pl.col("row") == FIRST_ROW))
    is_read = pl.col("column").is_in([n for n in texts if n not in wrong])
    found = check(region, on=timezone.localdate()).filter(is_own & is_read)
    unread = [_unread(table, name, texts[name]) for name in wrong]
    values = {name: _plain(row[name][0]) for name in cells}
    return values, pl.concat([found, *unread])


def texts_of(table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values as a form shows them: the parts of a list under each other."""
    made: dict[str, Any] = {}
    for column in table.columns:
        value = values.get(column.name)
        if column.type == "list" and not column.codes:
            made[column.name] = "\n".join(_escaped(part) for part in value or [])
        elif column.type == "flag":
            made[column.name] = "" if value is None else ("yes" if value else "no")
        elif isinstance(value, float):
            made[column.name] = str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
        else:
            made[column.name] = value
    return made


def _escaped(part: str) -> str:
    text = " ".join(part.replace("\\", "\\\\").split("\n"))
    for mark in SEPARATORS:
        text = text.replace(mark, f"\\{mark}")
    return text


def _one_line(column: Column, text: str) -> str:
    """The lines of a list as parts between semicolons."""
    return ";".join(text.splitlines()) if column.type == "list" else text


def _joined(value: Any) -> str:
    """What a field of a form holds as one text."""
    if value is None:
        return ""
    text = "\n".join(map(str, value)) if isinstance(value, list) else str(value)
    return text.replace("\r\n", "\n")


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
        for noun, key in column.targets if ids else ():
            known = list(MODELS[noun].objects.filter(pk__in=ids).values_list("pk", flat=True))
            found.setdefault(noun, []).append(pl.DataFrame({key: pl.Series(known, dtype=pl.String)}))
    made = {noun: pl.concat(parts).unique() for noun, parts in found.items()}
    if table.name in made:
        made[table.name] = made[table.name].join(row, on=list(table.key), how="anti")
    return made


def _unread(table: Table, name: str, text: str) -> pl.DataFrame:
    english, chinese = WANTED[table[name].type]
    words = ({"wanted": english}, {"wanted": chinese})
    return problem("check.type", table=table.name, file=table.name, column=name, found=text, words=words)


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return value.to_list() if isinstance(value, pl.Series) else value


def _field(column: Column, language: Language, *, is_draft: bool) -> forms.Field:
    required = column.is_key or (column.is_required and not is_draft)
    meaning = _meaning(column, language)
    blank = gettext("请选择。") if column.codes else gettext("请填写。")
    shown: dict[str, Any] = {
        "label": column.label(language), "help_text": meaning, "required": required,
        "error_messages": {"required": blank},
    }  # fmt: skip
    if column.codes:
        return _choice(column, language, shown)
    if column.type == "flag":
        answers = [("", gettext("不详")), ("yes", gettext("是")), ("no", gettext("否"))]
        return forms.ChoiceField(choices=answers, **shown)
    picking = _picking(column)
    if column.type == "list":
        shown["help_text"] = _help(meaning, gettext("每行一项。"))
        attributes: dict[str, Any] = {"rows": 3} | picking
        return forms.CharField(max_length=TEXT_LENGTH, widget=forms.Textarea(attrs=attributes), **shown)
    if column.name in LONG:
        return forms.CharField(max_length=TEXT_LENGTH, widget=forms.Textarea(attrs={"rows": 7}), **shown)
    attributes = ({"maxlength": LINE_LENGTH} if column.name in LINE else {}) | picking | _checking(column)
    if picking:
        shown["help_text"] = _help(meaning, gettext("输入名称后选择，或填写编号。"))
    if column.type == "date":
        attributes = {"placeholder": "2026-01-31", "class": "short"}
    elif column.type in ("count", "money", "number", "share", "year"):
        attributes = {"inputmode": "text" if column.type == "money" else "decimal", "class": "short"}
        if column.type == "money":
            shown["help_text"] = _help(meaning, gettext("以元计，也可写 50万、1.2亿。"))
    return forms.CharField(max_length=LINE_LENGTH, widget=forms.TextInput(attrs=attributes), **shown)


def _meaning(column: Column, language: Language) -> str:
    """What stands under the label of a field: nothing that the label says, and nothing of how a file is written."""
    meaning = column.meaning if language == "en" else column.meaning_zh
    for ending in ("，分号分隔", ", separated by semicolons"):
        meaning = meaning.replace(ending, "")
    return "" if meaning == column.label(language) else meaning


def _picking(column: Column) -> dict[str, Any]:
    """What makes a field offer records while somebody types."""
    if not column.targets:
        return {}
    asking = {
        "class": "picks", "autocomplete": "off", "aria-controls": f"pick-{column.name}", "hx-sync": "this:replace",
        "hx-post": reverse("pick", args=[column.targets[0][0]]), "hx-target": f"#pick-{column.name}",
        "hx-params": f"{column.name},csrfmiddlewaretoken", "hx-trigger": "input changed delay:200ms",
    }  # fmt: skip
    box = {"role": "combobox", "aria-expanded": "false", "aria-autocomplete": "list"}
    return asking if column.type == "list" else asking | box


def _checking(column: Column) -> dict[str, Any]:
    """What makes a field check a code while somebody types."""
    if column.format not in CHECKED:
        return {}
    return {
        "hx-post": reverse("check", args=[column.format]), "hx-params": f"{column.name},record_id,csrfmiddlewaretoken",
        "hx-trigger": "input changed delay:300ms", "hx-target": f"#check-{column.name}", "hx-sync": "this:replace",
        "autocomplete": "off", "spellcheck": "false",
    }  # fmt: skip


def _choice(column: Column, language: Language, shown: dict[str, Any]) -> forms.Field:
    choices = [(code, pair[language == "en"]) for code, pair in schema.codes()[column.codes or ""].items()]
    if column.type == "list":
        return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, **shown)
    return forms.ChoiceField(choices=[("", gettext("请选择")), *choices], **shown)


def _english(column: Column, language: Language) -> forms.Field:
    rows = {"rows": 5, "lang": "en"}
    widget = forms.Textarea(attrs=rows) if column.name in LONG else forms.TextInput(attrs={"lang": "en"})
    length = TEXT_LENGTH if column.name in LONG else LINE_LENGTH
    return forms.CharField(max_length=length, widget=widget, required=False, label=column.label(language))


def _unit(column: Column, language: Language) -> str:
    """The unit that stands after a control; none where the label says it."""
    unit = column.unit_label(language)
    return "" if unit in column.label(language) or column.codes else unit


def _help(*parts: str) -> str:
    between = " " if page_language() == "en" else ""
    return between.join(gettext("%(sentence)s。") % {"sentence": part.rstrip("。.")} for part in parts if part)
