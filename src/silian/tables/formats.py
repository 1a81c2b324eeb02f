"""The formats that values of a column follow: one vectorised check each, and why a value fails."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import polars as pl

from silian.tables import uscc
from silian.tables.schema import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Section, class and subclass, with or without main group and subgroup: A61K, H01M 10/05, C08L2201/00.
IPC: Final = r"^[A-H]\d{2}[A-Z]?$|^[A-H]\d{2}[A-Z] ?\d{1,4}(?:/\d{2,6})?$"
DOI: Final = r"^10\.\d{4,9}(?:\.\d+)*/\S+$"
URL: Final = r"^(?i:https?)://[^\s/?#@]+(?:[/?#]\S*)?$"
ORCID: Final = r"^(?:\d{4}-){3}\d{3}[\dX]$|^\d{15}[\dX]$"

# The problem of each of uscc.REASONS, in their order.
USCC_CODES: Final = (
    "check.uscc_length",
    "check.uscc_alphabet",
    "check.uscc_department",
    "check.uscc_region",
    "check.uscc_inner",
    "check.uscc_check",
)


def failures(values: pl.Series, form: str) -> pl.Series:
    """The code of the problem of each value; null where the value is right or empty.

    Parameters
    ----------
    form : uscc, gbt2260, gbt4754, ipc, orcid, doi or url, as in the column `values` of a schema file

    Examples
    --------
    >>> failures(pl.Series(["0000-0002-1825-0097", "0000-0002-1825-0098"]), "orcid").to_list()
    [None, 'check.orcid']
    """
    if form == "uscc":
        codes = dict(zip(uscc.REASONS, USCC_CODES, strict=True))
        return uscc.problems(values).replace_strict(codes, default=None, return_dtype=pl.String).alias(values.name)
    code, is_right = _RULES[form]
    table = values.rename("value").to_frame()
    wrong = pl.col("value").is_not_null() & ~is_right(pl.col("value")).fill_null(value=False)
    return table.select(pl.when(wrong).then(pl.lit(code)).alias(values.name)).to_series()


def industries() -> pl.DataFrame:
    """Sections and divisions of GB/T 4754-2017: code, section, label_zh, label_en.

    Source: GB/T 4754-2017 with its amendment of 2019, English labels by us; GB/T 4754-2011 has the same codes. Groups
    and classes (three and four digits) are not listed, for they differ between the editions.

    Examples
    --------
    >>> industries().filter(pl.col("code") == "65")["label_zh"].to_list()
    ['软件和信息技术服务业']
    """
    return pl.DataFrame(rows("industries"))


@cache
def _sections() -> Mapping[str, str]:
    divisions = industries().filter(pl.col("code").str.len_chars() == 2)
    return dict(divisions.select("code", "section").iter_rows())


def _is_gbt4754(value: pl.Expr) -> pl.Expr:
    """A section; or a division, group or class, bare or after the letter of its own section."""
    letter, digits = value.str.extract(r"^([A-T])"), value.str.extract(r"^[A-T]?(\d{2,4})$")
    section = digits.str.head(2).replace_strict(_sections(), default=None, return_dtype=pl.String)
    return value.str.contains(r"^[A-T]$") | (section.is_not_null() & (letter.is_null() | (letter == section)))


def _is_orcid(value: pl.Expr) -> pl.Expr:
    """Spelling and check character: ISO/IEC 7064, mod 11-2."""
    digits = value.str.replace_all("-", "")
    total: pl.Expr = pl.lit(0, dtype=pl.Int64)
    for place in range(15):
        total = (total + digits.str.slice(place, 1).cast(pl.Int64, strict=False)) * 2
    wanted = (12 - total % 11) % 11
    last = digits.str.slice(15, 1)
    return value.str.contains(ORCID) & (
        pl.when(last == "X").then(10).otherwise(last.cast(pl.Int64, strict=False)) == wanted
    )


_RULES: Final[Mapping[str, tuple[str, Callable[[pl.Expr], pl.Expr]]]] = {
    "gbt2260": ("check.gbt2260", uscc.is_region),
    "gbt4754": ("check.gbt4754", _is_gbt4754),
    "ipc": ("check.ipc", lambda value: value.str.contains(IPC)),
    "orcid": ("check.orcid", _is_orcid),
    "doi": ("check.doi", lambda value: value.str.contains(DOI)),
    "url": ("check.url", lambda value: value.str.contains(URL)),
}
