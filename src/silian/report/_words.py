"""What the report says, in both languages: its own words, and the labels that the schema gives."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import polars as pl

from silian.errors import ArgumentError, ReportError, TableError
from silian.tables.schema import Language, codes, results

if TYPE_CHECKING:
    from collections.abc import Mapping

# First a face that Debian ships and the pictures are drawn with, then those of the usual desktops.
FONT: Final = "Noto Sans CJK SC, Source Han Sans SC, PingFang SC, Microsoft YaHei, sans-serif"


@cache
def words() -> Mapping[str, tuple[str, str]]:
    """Every text of the report by key: (Chinese, English), in the order of `page/words.csv`.

    Examples
    --------
    >>> words()["state.made"]
    ('本地生产', 'Made here')
    """
    text = files("silian.report").joinpath("page/words.csv").read_text(encoding="utf-8")
    return MappingProxyType({row["key"]: (row["zh"], row["en"]) for row in csv.DictReader(text.splitlines())})


def say(key: str, language: Language, **values: object) -> str:
    """One text of the report with its values filled in; counts get thousands separators.

    Examples
    --------
    >>> say("card.assigned.sub", "en", experts_wanted=1200)
    'of 1,200 wanted'
    """
    shown = {k: f"{v:,}" if isinstance(v, int) else v for k, v in values.items()}
    return words()[key][_at(language)].format(**shown)


def code_label(name: str, code: str | None, language: Language) -> str:
    """The label of a code; the code itself where the list lacks it, "not stated" where it is empty.

    Examples
    --------
    >>> code_label("field", "battery", "en"), code_label("field", None, "en"), code_label("field", "odd", "zh")
    ('Batteries and storage', 'Not stated', 'odd')
    """
    if not code:
        return say("not_stated", language)
    labels = codes()[name].get(code)
    return labels[_at(language)] if labels else code


def names(table: pl.DataFrame, language: Language) -> dict[str, str]:
    """Readable name of every id of a noun: first column to name, title or name_en, by what the noun has.

    Separators of lines and paragraphs become spaces: a chart that is sorted by names could not be read with them.
    """
    key = table.columns[0]
    best = pl.col("name") if "name" in table.columns else pl.col("title")
    if language == "en" and "name_en" in table.columns:
        best = pl.coalesce(pl.col("name_en"), best)
    pairs = table.select(pl.col(key), best.str.replace_all("[\u2028\u2029]", " ").alias("shown"))
    return {i: shown or i for i, shown in zip(pairs[key].to_list(), pairs["shown"].to_list(), strict=True)}


def check_language(language: str) -> None:
    """Raise ArgumentError argument.value unless the language is one that the report speaks."""
    if language not in ("zh", "en"):
        raise ArgumentError("argument.value", name="language", found=repr(language), wanted="'zh' or 'en'")


def check_results(tables: Mapping[str, pl.DataFrame]) -> None:
    """Raise ReportError report.results if a result table is absent, TableError table.columns if one lacks columns."""
    absent = [name for name in results() if name not in tables]
    if absent:
        raise ReportError("report.results", count=len(absent), missing=", ".join(absent))
    for name, noun in results().items():
        missing = [c.name for c in noun.columns if c.name not in tables[name].columns]
        if missing:
            raise TableError("table.columns", table=name, missing=missing, present=tables[name].columns)


def _at(language: Language) -> int:
    return 0 if language == "zh" else 1
