"""Values of records as people read them, in the language of the page."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from silian.tables import schema
from silian.tables.formats import industries
from silian.web.base.languages import page_language
from silian.web.catalog.fields import is_reference
from silian.web.catalog.models import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from silian.tables.schema import Column

MEASURED: Final = ("count", "number", "money")
FIGURES: Final = (
    *MEASURED,
    "share",
    "year",
    "date",
)  # what stands under each other in a list
PLAIN_UNITS: Final = ("TRL", "people", "experts", "needs")  # said by the label of their column already
TEN_THOUSAND: Final = 10_000
HUNDRED_MILLION: Final = 100_000_000


def heading(record: Record) -> str:
    """What a record is called, in the language of the page where it has it."""
    if page_language() != "en":
        return str(record)
    english = [record.translations.get(name, {}).get("en", "") for name in ("title", "name")]
    return next(filter(None, [*english, getattr(record, "name_en", "")]), str(record))


def as_read(found: Any, column: Column) -> str:
    """A plain value of a column as people read it; nothing where it is not known."""
    if found in (None, "", []):
        return ""
    if column.codes:
        names = schema.codes()[column.codes]
        parts = found if isinstance(found, list) else [found]
        return _("、").join(names[p][page_language() == "en"] if p in names else p for p in parts)
    return _grouped(found) if column.type in MEASURED else _plain(found)


def measured(found: Any, column: Column) -> str:
    """A value of a column with its unit: 8 级, 30 万元, 107.7°; of a code of industry its name before it.

    Money from 10,000 yuan is told in 万 or 亿 where that loses nothing.
    """
    text = as_read(found, column)
    if text and column.format == "gbt4754":
        name = division(text)
        return _("%(name)s（%(code)s）") % {"name": name, "code": text} if name else text
    unit = column.unit_label(page_language())
    if not text or not unit or column.type not in MEASURED:
        return text
    if column.unit == "degree":
        return f"{text}°"
    if page_language() == "en":
        return text if unit == "TRL" else f"{text} {_one(unit) if found == 1 else unit}"
    if column.type == "money":
        return _money(found, unit)
    return f"{text} {unit}"


def in_list(found: Any, column: Column) -> str:
    """A value of a column as a list shows it, its unit standing in the head: short, and numbers of one measure."""
    text = as_read(found, column)
    if column.format == "gbt4754":
        return division(text) or text
    return _grouped(found / TEN_THOUSAND) if text and _is_in_ten_thousands(column) else text


def head(column: Column) -> str:
    """The head of a column of a list: what its cells hold, with the unit where the name does not say it."""
    language = page_language()
    label = column.label(language)
    if is_reference(column) or column.format == "gbt4754":  # names stand there, not numbers and codes
        for ending in ("编号", " id") if is_reference(column) else ("代码", " code"):
            label = label.removesuffix(ending)
    unit = column.unit_label(language) if column.type in MEASURED and column.unit not in PLAIN_UNITS else ""
    if _is_in_ten_thousands(column):
        unit = _("万%(unit)s") % {"unit": unit}
    return label + (_("（%(unit)s）") % {"unit": unit} if unit else "")


@cache
def _divisions() -> Mapping[str, tuple[str, str]]:
    rows = industries().select("code", "label_zh", "label_en").iter_rows()
    return {code: (chinese, english) for code, chinese, english in rows}


def division(code: str) -> str:
    """The name of the division of GB/T 4754 that a code lies in, or of its section; nothing for another text.

    Examples
    --------
    >>> division("C3425"), division("65"), division("C"), division("?")
    ('通用设备制造业', '软件和信息技术服务业', '制造业', '')
    """
    digits = code.lstrip("ABCDEFGHIJKLMNOPQRST")[:2]
    return _divisions().get(digits or code, ("", ""))[page_language() == "en"]


def _is_in_ten_thousands(column: Column) -> bool:
    """Whether a list tells sums of this column in 万元: those of money, but not fees by the hour or day."""
    return page_language() == "zh" and column.unit in ("CNY", "CNY per year")


def _money(found: float, unit: str) -> str:
    """A sum in yuan as Chinese readers say it, with four digits after the point at most; else to the last yuan."""
    sizes = ((HUNDRED_MILLION, _("%(sum)s 亿%(unit)s")), (TEN_THOUSAND, _("%(sum)s 万%(unit)s")))
    for size, words in sizes:
        share = round(found / size, 10)
        if abs(found) >= size and round(share, 4) == share:
            return words % {"sum": _grouped(share), "unit": unit}
    return f"{_grouped(found)} {unit}"


def _grouped(found: float) -> str:
    """A number with its thousands parted, and no zeros after the point."""
    whole = round(found, 10)
    return str(number_format(int(whole) if whole == int(whole) else whole, use_l10n=True, force_grouping=True))


def _plain(found: Any) -> str:
    """A value that is neither a code nor a number."""
    if isinstance(found, Record):
        return heading(found)
    if isinstance(found, bool):
        return _("是") if found else _("否")
    if isinstance(found, list):
        return _("；").join(str(part) for part in found)
    return date_format(found, "Y-m-d") if isinstance(found, date) else str(found)


def _one(unit: str) -> str:
    """The English name of a unit for one of it."""
    return "person" if unit == "people" else unit.removesuffix("s")
