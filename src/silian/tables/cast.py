"""Text to typed columns, whole columns at a time; what cannot be read becomes empty and is marked."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import polars as pl

from silian.tables.headings import heading_key
from silian.tables.schema import codes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from silian.tables.schema import Column

# How people write "nothing" in a cell that is a number, date, flag or code; in a text it is a text.
BLANKS: Final = ("-", "--", "—", "——", "/", "无", "不详", "暂无", "面议", "n/a", "na", "null", "none", "nan")
TRUE: Final = ("true", "1", "y", "yes", "t", "是", "有", "对", "√", "✓")
FALSE: Final = ("false", "0", "n", "no", "f", "否", "无", "错", "×", "✗")
SEPARATORS: Final = ";；|｜"
GUARDS: Final = "=+-@\t\r'＝＋－＠"  # first characters that a spreadsheet may take for a formula, and the guard itself
# What is taken away around a cell: Unicode white space, and the marks that word processors leave.
SPACES: Final = (
    " \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"
)
EXCEL_EPOCH: Final = 25_569  # serial number of 1970-01-01
SCALES: Final = {"万": 4, "亿": 8, "%": -2, "‰": -3}  # powers of ten
WANTED: Final[Mapping[str, tuple[str, str]]] = {
    "count": ("a whole number", "整数"),
    "year": ("a year such as 2026", "年份，如 2026"),
    "number": ("a number", "数值"),
    "share": ("a share from 0 to 1, or a percentage such as 12%", "0 到 1 的小数，或如 12% 的百分数"),
    "money": ("an amount in yuan, such as 500000 or 50万元", "以元计的金额，如 500000 或 50万元"),
    "date": ("a date such as 2026-01-31", "日期，如 2026-01-31"),
    "flag": ("yes or no", "是或否"),
}
# Stand-ins for escaped characters of a list while it is split: code points that no text may hold.
_ESCAPES: Final = {f"\\{mark}": chr(0xFDD0 + i) for i, mark in enumerate("\\" + SEPARATORS)}

_NUMBER: Final = r"^[¥￥$]?([+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|[+-]?\.\d+)(%|‰)?(万|亿)?(元|年)?$"
_DATE: Final = r"^(\d{4})(?:-(\d{1,2})-|/(\d{1,2})/|\.(\d{1,2})\.|年(\d{1,2})月)(\d{1,2})日?(?:[ T]\d{1,2}:\d{2}.*)?$"


def cleaned(text: pl.Series, *, guarded: bool) -> pl.Series:
    """Cells without outer spaces and without the ' that guards against formulas; an empty cell is null."""
    cell = pl.col("text")
    steps = text.rename("text").to_frame()
    # most columns have nothing to take away, and looking at two characters is far cheaper than making texts anew
    outer = cell.str.head(1).is_in(list(SPACES)) | cell.str.tail(1).is_in(list(SPACES))
    if steps.select(outer.any()).item():
        steps = steps.select(cell.str.strip_chars(SPACES))
    if guarded and steps.select(cell.str.starts_with("'").any()).item():
        is_guarded = cell.str.starts_with("'") & cell.str.slice(1, 1).is_in(list(GUARDS))
        steps = steps.select(pl.when(is_guarded).then(cell.str.slice(1)).otherwise(cell).alias("text"))
    return steps.select(pl.when(cell.str.len_bytes() > 0).then(cell).alias(text.name)).to_series()


def cast(text: pl.Series, column: Column) -> tuple[pl.Series, pl.Series]:
    """A column of cleaned text in the type of its schema, and whether each cell could not be read.

    Examples
    --------
    >>> from silian.tables.schema import tables
    >>> cells, wrong = cast(pl.Series(["2026年1月31日", "soon", None]), tables()["needs"]["deadline_on"])
    >>> cells.to_list(), wrong.to_list()
    ([datetime.date(2026, 1, 31), None, None], [False, True, False])
    """
    made = _CASTS[column.type](text.rename("text"), column)
    wrong = made.is_null() & (_given(text) if column.type in WANTED else False)
    return made.alias(column.name).cast(column.polars), wrong.rename("wrong")


def _given(text: pl.Series) -> pl.Series:
    return text.is_not_null() & ~text.str.to_lowercase().is_in(list(BLANKS)).fill_null(value=False)


def _plain(text: pl.Series) -> pl.Series:
    """Half-width letters, digits and signs, no spaces; only where there is anything beyond ASCII or a space."""
    if text.str.contains(r"[^\x21-\x7e]").any():
        return text.str.normalize("NFKC").str.replace_all(r"[\s']", "")
    return text


def _text(text: pl.Series, column: Column) -> pl.Series:
    tidy = _TIDY.get(column.format or "")
    return text if tidy is None else text.to_frame().select(tidy(pl.col("text"))).to_series()


def _code(text: pl.Series, column: Column) -> pl.Series:
    """The code of each label or code; what is in no list stays, for the check to name it."""
    known = _code_of(column.codes or "")
    keys = text.unique(maintain_order=True).drop_nulls()
    meant = [known.get(heading_key(key), None if key.lower() in BLANKS else key) for key in keys.to_list()]
    found = keys.to_frame().with_columns(pl.Series("code", meant, dtype=pl.String))
    return text.to_frame().join(found, on="text", how="left", maintain_order="left")["code"]


def _list(text: pl.Series, column: Column) -> pl.Series:
    """The parts of each text; a separator behind a backslash belongs to its part."""
    escaped = bool(text.str.contains("\\", literal=True).any())
    for mark, stand_in in _ESCAPES.items() if escaped else ():
        text = text.str.replace_all(mark, stand_in, literal=True)
    for mark in SEPARATORS[1:]:
        text = text.str.replace_all(mark, SEPARATORS[0], literal=True)
    parts = text.str.split(SEPARATORS[0])
    if not escaped:
        return cast_list(parts, column)
    part = pl.element()
    for mark, stand_in in _ESCAPES.items():
        part = part.str.replace_all(stand_in, mark[1:], literal=True)
    return cast_list(parts.list.eval(part), column)


def cast_list(parts: pl.Series, column: Column) -> pl.Series:
    """Lists of texts without outer spaces and empty parts, codes for labels; a list without parts is null."""
    part = pl.element().str.strip_chars()
    parts = parts.list.eval(part.filter(part != ""))
    if column.format == "ipc":
        parts = parts.list.eval(_tidy_ipc(pl.element()))
    if column.codes:
        known = _code_of(column.codes)
        values = parts.explode(empty_as_null=True).drop_nulls().unique(maintain_order=True).to_list()
        coded = [known.get(heading_key(value), value) for value in values]
        parts = parts.list.eval(pl.element().replace_strict(values, coded, return_dtype=pl.String))
    return parts.rename("parts").to_frame().select(pl.when(pl.col("parts").list.len() > 0).then("parts")).to_series()


def _number(text: pl.Series, column: Column) -> pl.Series:
    """Numbers; fast where the text is a plain number, and by pattern in the rest."""
    plain = _plain(text)
    made = plain.cast(pl.Float64, strict=False)
    made = made.set(~made.is_finite(), None)
    left = made.is_null() & plain.is_not_null()
    if not left.any():
        return made
    allowed = {"share": ["%", "‰"], "money": ["万", "亿", "元"], "year": ["年"]}.get(column.type, [])
    rest = plain.filter(left).rename("text").to_frame()
    groups = rest.select(pl.col("text").str.extract_groups(_NUMBER)).unnest("text")
    units = [pl.col(name) for name in ("2", "3", "4")]
    fits = pl.all_horizontal(unit.is_null() | unit.is_in(allowed) for unit in units)
    powers = [unit.replace_strict(SCALES, default=0, return_dtype=pl.Int64).fill_null(0) for unit in units]
    # the power goes into the text, for 12.3 / 100 is not .123
    spelt = pl.concat_str(pl.col("1").str.replace_all(",", ""), pl.lit("e"), (powers[0] + powers[1]).cast(pl.String))
    value = spelt.cast(pl.Float64, strict=False)
    return made.scatter(left.arg_true(), groups.select(pl.when(fits).then(value)).to_series())


def _whole(text: pl.Series, column: Column) -> pl.Series:
    plain = _plain(text)
    whole = plain.cast(pl.Int64, strict=False)
    left = whole.is_null() & plain.is_not_null()
    if not left.any():
        return whole
    number = _number(plain.filter(left).rename("text"), column)
    number = number.set((number != number.floor()) | (number.abs() >= 2**53), None)
    return whole.scatter(left.arg_true(), number.cast(pl.Int64))


def _date(text: pl.Series, _: Column) -> pl.Series:
    """Days; a time of day is dropped, a number of five digits is a day of Excel, one of eight is year, month, day."""
    plain = text
    if text.str.contains(r"[^\x20-\x7e年月日]").any():
        plain = text.str.normalize("NFKC")
    plain = plain.str.replace_all(r"\s*([年月日])\s*", "$1")
    groups = pl.col("text").str.extract_groups(_DATE).struct
    month = pl.coalesce(groups.field(name) for name in ("2", "3", "4", "5"))
    spelt = pl.concat_str(
        groups.field("1"), month.str.zfill(2), groups.field("6").str.zfill(2), separator="-"
    ).str.to_date("%Y-%m-%d", strict=False)
    digits = pl.col("text").str.extract(r"^(\d{8})(?:\.0+)?$").str.to_date("%Y%m%d", strict=False)
    serial = pl.col("text").str.extract(r"^([1-9]\d{4})(?:\.\d+)?$").cast(pl.Int32, strict=False) - EXCEL_EPOCH
    days = pl.coalesce(spelt, digits, serial.cast(pl.Date))
    dates = plain.rename("text").to_frame().select(days.alias("text")).to_series()
    return dates.set((dates.dt.year() < 1000).fill_null(value=False), None)


def _flag(text: pl.Series, _: Column) -> pl.Series:
    key = _plain(text).str.to_lowercase()
    flags = {**dict.fromkeys(TRUE, True), **dict.fromkeys(FALSE, False)}
    return key.replace_strict(flags, default=None, return_dtype=pl.Boolean)


@cache
def _code_of(name: str) -> Mapping[str, str]:
    """Code of each normalised code and label of a list."""
    known: dict[str, str] = {}
    for code, labels in codes()[name].items():
        for text in (code, *labels):
            known.setdefault(heading_key(text), code)
    return known


def _tidy_ipc(text: pl.Expr) -> pl.Expr:
    """Capital letters and no space: H01M10/05, as patent offices of China write it."""
    return text.str.to_uppercase().str.replace_all(r"\s+", "")


# What people add to a value of a format, taken away so that equal values are spelt alike.
_TIDY: Final[Mapping[str, Callable[[pl.Expr], pl.Expr]]] = {
    "uscc": lambda text: text.str.normalize("NFKC").str.replace_all(r"[\s\-]", "").str.to_uppercase(),
    "gbt2260": lambda text: text.str.normalize("NFKC").str.replace_all(r"\s|\.0+$", ""),
    "gbt4754": lambda text: text.str.normalize("NFKC").str.replace_all(r"\s|\.0+$", "").str.to_uppercase(),
    "orcid": lambda text: text.str.replace(r"^(?i:https?://)?(?i:orcid\.org/)", "").str.to_uppercase(),
    "doi": lambda text: text.str.replace(r"^(?i:(https?://(dx\.)?doi\.org/|doi:\s*))", ""),
}
_CASTS: Final[Mapping[str, Callable[[pl.Series, Column], pl.Series]]] = {
    "id": _text,
    "text": _text,
    "code": _code,
    "list": _list,
    "count": _whole,
    "year": _whole,
    "number": _number,
    "share": _number,
    "money": _number,
    "date": _date,
    "flag": _flag,
}
