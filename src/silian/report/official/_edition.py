"""An edition of the monthly report: what it is made from, and its figures as lines of tables."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from silian.errors import ArgumentError
from silian.report._words import check_language
from silian.report.official._texts import DASH, last_day, line, rounded, say, shown, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import polars as pl

    from silian.tables.schema import Language

FIGURES: Final = ("place_id", "measure", "value", "of", "missing", "note")
PLACES: Final[Mapping[str, int]] = MappingProxyType({"share": 1, "gini": 3, "per_10k": 2, "per_100": 1, "days": 0})
YI: Final = 1e8  # 亿


@dataclass(frozen=True, slots=True)
class Gap:
    """A gap of a chain that the report names."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Edition:
    """Everything a report of a month is made from.

    Attributes
    ----------
    place_id, place : the place and its name
    month : such as 2026-10
    as_of : the day of the figures; before the end of the month, the month still runs
    issued : the day that stands on the report
    figures : place_id, measure, value, of, missing, note; of the place and those below it
    measures : code, chain, order, how, noun, unit, direction, period, label, label_zh, definition, definition_zh
    before, year : figures of the month before and of the same month a year before; None where none are kept
    districts : id → name of the places that are compared; fewer than two are not
    gaps : the worst ones, the worst first
    notes : code of a note → why there is no value
    issuer : who issues the report
    digest : SHA-256 of the frozen data
    version : of the frozen data
    is_frozen : whether the figures stand for good
    is_rebuilt : whether they were made after the month from the records' own dates

    Raises
    ------
    ArgumentError : argument.value if the language, the month or the columns of a table are others
    """

    place_id: str
    place: str
    month: str
    as_of: date
    issued: date
    figures: pl.DataFrame
    measures: pl.DataFrame
    before: pl.DataFrame | None = None
    year: pl.DataFrame | None = None
    districts: Mapping[str, str] = field(default_factory=dict)
    gaps: Sequence[Gap] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    language: Language = "zh"
    issuer: str = ""
    digest: str = ""
    version: int = 1
    is_frozen: bool = True
    is_rebuilt: bool = False

    def __post_init__(self) -> None:
        check_language(self.language)
        try:
            last_day(self.month)
        except (ValueError, OverflowError) as error:
            raise ArgumentError(
                "argument.value", name="month", found=repr(self.month), wanted="such as 2026-10"
            ) from error
        for name in ("figures", "before", "year"):
            table = getattr(self, name)
            if table is not None and not set(FIGURES) <= set(table.columns):
                raise ArgumentError("argument.value", name=name, found=repr(table.columns), wanted=", ".join(FIGURES))

    @property
    def is_partial(self) -> bool:
        """Whether the month was not over on the day of the figures."""
        return self.as_of < last_day(self.month)


class Told(NamedTuple):
    """A figure as the tables keep it."""

    value: float | None
    of: float | None
    missing: int
    note: str


class Line(NamedTuple):
    """A measure as a line of a table."""

    code: str
    chain: str
    name: str
    meaning: str
    unit: str
    digits: int
    period: str
    direction: str
    how: str
    now: Decimal | None
    before: Decimal | None
    change: Decimal | None
    year: Decimal | None
    share: Decimal | None  # of its whole, in percent
    missing: int
    why: str  # why there is no value; empty where there is one
    why_before: str
    why_year: str

    def cells(self) -> tuple[str, ...]:
        """Name, unit, this month, the month before, the change, the year before."""
        return (
            self.name, self.unit, shown(self.now), shown(self.before), shown(self.change, is_change=True),
            shown(self.year),
        )  # fmt: skip


class District(NamedTuple):
    """A district with its values of the measures that are compared."""

    name: str
    values: tuple[Decimal | None, ...]


class Reading:
    """An edition as lines: every text fit for a page, every value rounded as it is shown."""

    def __init__(self, edition: Edition) -> None:
        self.edition, self.language = edition, edition.language
        self.place = line(edition.place, 40)
        self.issuer = line(edition.issuer, 60) or self.place
        self.digest = line(edition.digest, 64)
        self.gaps = [Gap(line(gap.name, 80), line(gap.kind, 40)) for gap in edition.gaps]
        now, before, year = (_told(t, edition.place_id) for t in (edition.figures, edition.before, edition.year))
        rows = edition.measures.sort("order", "code").to_dicts()
        self.lines = [self._line(row, now, before, year) for row in rows]
        self.by_code = {one.code: one for one in self.lines}
        self.ratios = [one for one in self.lines if one.chain == "balance" and one.how == "ratio"]
        self.districts = self._districts()

    def of(self, *chains: str) -> list[Line]:
        """The lines of some chains, in their order."""
        return [one for one in self.lines if one.chain in chains]

    def say(self, key: str, **values: object) -> str:
        """A text in the language of the edition."""
        return say(key, self.language, **values)

    def joined(self, parts: Sequence[str], by: str = "and") -> str:
        """Parts of a sentence, one after the other."""
        return self.say(by).join(parts)

    def why(self, code: str) -> str:
        """The words of a note."""
        return line(self.edition.notes.get(code, code), 80) if code else self.say("reason.absent")

    def _line(self, row: dict[str, Any], now: dict[str, Told], before: dict[str, Told], year: dict[str, Told]) -> Line:
        code, absent = row["code"], Told(None, None, 0, "")
        told, then, once = (found.get(code, absent) for found in (now, before, year))
        factor, digits, unit = _scale(row, (told.value, then.value, once.value), self.language)
        a, b, c = (None if t.value is None else rounded(t.value * factor, digits) for t in (told, then, once))
        is_set_against = a is not None and b is not None and not (self.edition.is_partial and row["period"] == "month")
        share = rounded(100 * told.value / told.of, 1) if told.value is not None and told.of else None
        label, meaning = ("label_zh", "definition_zh") if self.language == "zh" else ("label", "definition")
        return Line(
            code=code, chain=row["chain"], name=line(row[label] or code, 60), meaning=line(row[meaning] or "", 400),
            unit=unit, digits=digits, period=row["period"], direction=row["direction"], how=row["how"], now=a,
            before=b, change=a - b if is_set_against else None, year=c, share=share,  # type: ignore[operator]
            missing=told.missing, why="" if a is not None else self.why(told.note),
            why_before="" if b is not None else self.why(then.note),
            why_year="" if c is not None else self.why(once.note),
        )  # fmt: skip

    def _districts(self) -> list[District]:
        """The districts, the worst first; those without a value last; a measure that none has is left out."""
        if len(self.edition.districts) < 2:
            return []
        told = {place: _told(self.edition.figures, place) for place in sorted(self.edition.districts)}
        self.ratios = [one for one in self.ratios if any(_value(own, one.code) is not None for own in told.values())]
        rows = {row["code"]: row for row in self.edition.measures.to_dicts()}
        made = []
        for place, own in told.items():
            values = []
            for one in self.ratios:
                value, factor = _value(own, one.code), _scale(rows[one.code], (), self.language)[0]
                values.append(None if value is None else rounded(value * factor, one.digits))
            made.append(District(line(self.edition.districts[place], 40) or line(place, 40), tuple(values)))
        turn = -1 if self.ratios and self.ratios[0].direction == "down" else 1
        return sorted(made, key=lambda d: _rank(d, turn)) if self.ratios else []


def _rank(district: District, turn: int) -> tuple[bool, Decimal]:
    value = district.values[0]
    return value is None, Decimal(0) if value is None else turn * value


def _value(own: Mapping[str, Told], code: str) -> float | None:
    return own[code].value if code in own else None


def _told(table: pl.DataFrame | None, place_id: str) -> dict[str, Told]:
    if table is None:
        return {}
    made = {}
    for row in table.filter(place_id=place_id).select(*FIGURES[1:]).iter_rows():
        value = row[1] if row[1] is not None and math.isfinite(row[1]) else None
        of = row[2] if row[2] is not None and math.isfinite(row[2]) else None
        made[row[0]] = Told(value, of, row[3] or 0, row[4] or "")
    return made


def _scale(row: Mapping[str, Any], values: Sequence[float | None], language: Language) -> tuple[float, int, str]:
    """What to multiply a measure by, how many digits to show behind the point, and its unit."""
    unit, how = row["unit"] or "", row["how"]
    if unit == "share":
        return 100.0, PLACES[unit], say("unit.share", language)
    if unit == "CNY" and language == "en":
        return 1e-6, 2, say("unit.million", language)
    if unit == "CNY":
        is_large = max((abs(v) for v in values if v is not None), default=0.0) >= YI
        return (1e-8, 2, say("unit.yi", language)) if is_large else (1e-4, 1, say("unit.wan", language))
    digits = PLACES.get(unit, 1 if how in ("mean", "median") else 0)
    key = "unit.mean" if how == "mean" and unit == "needs" else f"unit.{unit}" if unit else f"unit.of.{row['noun']}"
    return 1.0, digits, say(key, language) if key in words() else line(unit, 12) or DASH
