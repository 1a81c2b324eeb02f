"""The schema of a region: one CSV per noun in `schema/`, read once and turned into types.

Every other description of the data comes from here: the Arrow schema, the checks, the workbook template, the
reference page and the synthetic region.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

Language = Literal["zh", "en"]

# What a column's type means in memory. Money is CNY, shares are 0 to 1, lists are separated by semicolons in text.
POLARS_TYPES: Final[Mapping[str, pl.DataType]] = MappingProxyType(
    {
        "id": pl.String(),
        "text": pl.String(),
        "code": pl.String(),
        "list": pl.List(pl.String()),
        "count": pl.Int64(),
        "year": pl.Int64(),
        "number": pl.Float64(),
        "share": pl.Float64(),
        "money": pl.Float64(),
        "date": pl.Date(),
        "flag": pl.Boolean(),
        # the parts of a score: kind is "word" or "meaning", the parts add up to the score
        "parts": pl.List(pl.Struct({"kind": pl.String(), "term": pl.String(), "part": pl.Float64()})),
    }
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a noun, as its schema file declares it."""

    table: str
    name: str
    type: str
    unit: str
    required: str  # key | yes | no
    min: float | None
    max: float | None
    values: str  # "codes:<list>" or "format:<name>" or empty
    refers: str  # table and column joined by a dot, several of them joined by "|", or empty
    label_zh: str
    label_en: str
    meaning: str
    meaning_zh: str

    @property
    def is_key(self) -> bool:
        """Whether the column is part of the key of its table."""
        return self.required == "key"

    @property
    def is_required(self) -> bool:
        """Whether the column must be there and filled in every row."""
        return self.required in ("key", "yes")

    @property
    def codes(self) -> str | None:
        """Name of the code list that holds the allowed values."""
        return self.values.removeprefix("codes:") if self.values.startswith("codes:") else None

    @property
    def format(self) -> str | None:
        """Name of the format that values must follow (uscc, gbt2260, gbt4754, ipc, orcid, doi, url)."""
        return self.values.removeprefix("format:") if self.values.startswith("format:") else None

    @property
    def targets(self) -> tuple[tuple[str, str], ...]:
        """The (table, column) pairs that a value must exist in; it may be in any of them."""
        return tuple((t.split(".")[0], t.split(".")[1]) for t in self.refers.split("|") if t)

    @property
    def polars(self) -> pl.DataType:
        """The type of the column in memory."""
        return POLARS_TYPES[self.type]

    def label(self, language: Language) -> str:
        """The name of the column for people."""
        return self.label_zh if language == "zh" else self.label_en

    def unit_label(self, language: Language) -> str:
        """The unit of the column for people; empty where it counts nothing.

        Examples
        --------
        >>> tables()["organisations"]["revenue_cny"].unit_label("zh")
        '元/年'
        """
        if self.unit in ("", "1"):
            return ""
        return units()[self.unit] if language == "zh" else self.unit


@dataclass(frozen=True, slots=True)
class Table:
    """One noun of a region."""

    name: str
    chain: str  # innovation | industry | capital | talent | all
    is_required: bool
    label_zh: str
    label_en: str
    meaning: str
    meaning_zh: str
    columns: tuple[Column, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """Names of the key columns."""
        return tuple(c.name for c in self.columns if c.is_key)

    @property
    def polars(self) -> pl.Schema:
        """Column names and types in memory, in the order of the schema file."""
        return pl.Schema({c.name: c.polars for c in self.columns})

    @property
    def arrow(self) -> pa.Schema:
        """The Arrow schema, with unit and labels as field metadata."""
        import pyarrow as pa

        fields = self.empty().to_arrow().schema
        return pa.schema(
            [
                field.with_nullable(not c.is_required).with_metadata(
                    {"unit": c.unit, "label_zh": c.label_zh, "label_en": c.label_en}
                )
                for field, c in zip(fields, self.columns, strict=True)
            ]
        )

    def __getitem__(self, name: str) -> Column:
        return next(c for c in self.columns if c.name == name)

    def label(self, language: Language) -> str:
        """The name of the table for people."""
        return self.label_zh if language == "zh" else self.label_en

    def empty(self) -> pl.DataFrame:
        """A table with every column and no row."""
        return pl.DataFrame(schema=self.polars)


@cache
def tables() -> Mapping[str, Table]:
    """Every noun of a region by name, in the order of `schema/_tables.csv`.

    Examples
    --------
    >>> tables()["works"].key
    ('expert_id', 'work_id')
    >>> tables()["needs"]["trl_wanted"].label("zh")
    '期望成熟度'
    """
    return _nouns("")


@cache
def results() -> Mapping[str, Table]:
    """Every table that a run leaves behind, by name, in the order of `schema/results/_tables.csv`.

    Examples
    --------
    >>> results()["assigned"].key
    ('need_id', 'expert_id')
    """
    return _nouns("results/")


@cache
def quality() -> Mapping[str, Table]:
    """Every table that measuring quality leaves behind, by name, in the order of `schema/quality/_tables.csv`.

    Examples
    --------
    >>> quality()["measures"].key
    ('split', 'measure')
    """
    return _nouns("quality/")


@cache
def repair() -> Mapping[str, Table]:
    """Every table that changing an assignment leaves behind, by name, in the order of `schema/repair/_tables.csv`.

    Examples
    --------
    >>> repair()["changes"].key
    ('need_id', 'expert_id')
    """
    return _nouns("repair/")


@cache
def team() -> Mapping[str, Table]:
    """Every table that forming a team gives, by name, in the order of `schema/team/_tables.csv`.

    Examples
    --------
    >>> team()["team_members"].key
    ('rank', 'expert_id')
    """
    return _nouns("team/")


@cache
def chain() -> Mapping[str, Table]:
    """Every table about chains and complexity that no run leaves, by name, in the order of `schema/chain/_tables.csv`.

    Examples
    --------
    >>> chain()["chain_levels"].key
    ('product_id',)
    """
    return _nouns("chain/")


@cache
def linking() -> Mapping[str, Table]:
    """Every table that linking names gives, by name, in the order of `schema/linking/_tables.csv`.

    Examples
    --------
    >>> linking()["linked_products"].key
    ('name', 'part')
    """
    return _nouns("linking/")


@cache
def codes() -> Mapping[str, Mapping[str, tuple[str, str]]]:
    """Code lists by name: code → (label_zh, label_en), in the order of `schema/_codes.csv`.

    Examples
    --------
    >>> codes()["ip_status"]["granted"]
    ('已授权', 'Granted')
    """
    lists: dict[str, dict[str, tuple[str, str]]] = {}
    for row in rows("_codes"):
        lists.setdefault(row["list"], {})[row["code"]] = (row["label_zh"], row["label_en"])
    return MappingProxyType({name: MappingProxyType(values) for name, values in lists.items()})


def phrase(name: str, code: str, language: Language, /, **values: object) -> str:
    """The label of a code whose words leave room for values, with the values filled in.

    Examples
    --------
    >>> phrase("rule_says", "free", "en", expert="e7", limit=3), phrase("rule_says", "free", "zh", expert="e7", limit=3)
    ('e7 serves at most 3', '专家 e7 至多服务 3 项需求')
    """
    chinese, english = codes()[name][code]
    return (chinese if language == "zh" else english).format(**values)


def _nouns(folder: str) -> Mapping[str, Table]:
    return MappingProxyType({row["table"]: _table(folder, row) for row in rows(f"{folder}_tables")})


def _table(folder: str, row: dict[str, str]) -> Table:
    columns = tuple(_column(row["table"], r) for r in rows(folder + row["table"]))
    return Table(
        name=row["table"],
        chain=row["chain"],
        is_required=row["required"] == "yes",
        label_zh=row["label_zh"],
        label_en=row["label_en"],
        meaning=row["meaning"],
        meaning_zh=row["meaning_zh"],
        columns=columns,
    )


def _column(table: str, row: dict[str, str]) -> Column:
    low, high = (float(row[k]) if row[k] else None for k in ("min", "max"))
    rest = {k: row[k] for k in ("type", "unit", "required", "values", "refers")}
    words = {k: row[k] for k in ("label_zh", "label_en", "meaning", "meaning_zh")}
    return Column(table=table, name=row["column"], min=low, max=high, **rest, **words)


@cache
def units() -> Mapping[str, str]:
    """Units by the English name that the schema gives them: their Chinese name."""
    return MappingProxyType({row["unit"]: row["zh"] for row in rows("_units")})


def rows(name: str) -> list[dict[str, str]]:
    """The rows of `schema/<name>.csv` as they stand.

    Examples
    --------
    >>> rows("industries")[0]["label_zh"]
    '农、林、牧、渔业'
    """
    text = files("silian.tables").joinpath(f"schema/{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
