"""Terms: the forms in which one thing is written, in Chinese and English, and the one form that stands for them."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np
import polars as pl

from silian.errors import ArgumentError, TableError
from silian.text.words import Pieces, Swaps, is_han, is_kept, normalise_all, pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

COLUMNS: Final = {"zh": pl.String(), "en": pl.List(pl.String()), "synonyms": pl.List(pl.String())}
Form = tuple[str, ...]  # a form in pieces


class Concept(NamedTuple):
    """One thing and its names; the first of each language is the preferred one."""

    zh: str
    en: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()  # of any language or script: other names, abbreviations, former names

    @property
    def forms(self) -> tuple[str, ...]:
        """All names, the preferred Chinese one first."""
        return (self.zh, *self.en, *self.synonyms)


@dataclass(frozen=True)
class Terms:
    """A list of concepts, ready to be found in texts.

    Every form of a concept that stands in a text as whole words, the longest first, is read as the concept's preferred
    form. So a text in English and a text in Chinese share real words. A form that two concepts claim is ambiguous and
    is left alone.

    Parameters
    ----------
    zh : the preferred Chinese form of each concept, no two alike
    en : its English forms, separated by semicolons, the preferred one first
    synonyms : its other names, abbreviations and former names in any script, separated by semicolons
    into : the language of the form that stands for all; the one that most texts of a corpus have

    Examples
    --------
    >>> terms = Terms.made([Concept("轴承", ("bearing",)), Concept("电机", ("electric motor", "motor"), ("马达",))])
    >>> from silian.text import segment
    >>> segment(["马达轴承", "bearings of electric motors"], terms=terms).vocabulary
    ('电机', '轴承')
    """

    zh: tuple[str, ...]
    en: tuple[str, ...]
    synonyms: tuple[str, ...]
    into: Literal["zh", "en"] = "zh"

    @classmethod
    def made(cls, concepts: Iterable[Concept], into: Literal["zh", "en"] = "zh") -> Terms:
        """A list of these concepts; those of one Chinese form become one."""
        found: dict[str, Concept] = {}
        for c in concepts:
            old = found.get(c.zh)
            found[c.zh] = Concept(c.zh, old.en + c.en, old.synonyms + c.synonyms) if old else c
        en, synonyms = (tuple(_joined(c[k]) for c in found.values()) for k in (1, 2))
        return cls(tuple(found), en, synonyms, into)

    @classmethod
    def shipped(cls) -> Terms:
        """The list that comes with the project: `text/data/terms.csv`."""
        return _shipped()

    @classmethod
    def of(cls, table: pl.DataFrame) -> Terms:
        """The terms of a table.

        Parameters
        ----------
        table : zh, en (list), synonyms (list), such as the table `terms` of a region; one row per concept
            Nulls count as empty. Rows of the same zh are one concept.

        Raises
        ------
        TableError : table.columns, table.type; table.value where zh is empty.

        Examples
        --------
        >>> Terms.of(pl.DataFrame({"zh": ["马达"], "en": [["motor"]], "synonyms": [["电机"]]})).concepts
        (Concept(zh='马达', en=('motor',), synonyms=('电机',)),)
        """
        _check(table)
        told = table.select(pl.col(c).cast(kind) for c, kind in COLUMNS.items())
        return cls.made(Concept(zh.strip(), _split(_joined(en)), _split(_joined(more))) for zh, en, more in told.rows())

    @cached_property
    def concepts(self) -> tuple[Concept, ...]:
        """The list, one by one."""
        rows = zip(self.zh, self.en, self.synonyms, strict=True)
        return tuple(Concept(zh, _split(en), _split(more)) for zh, en, more in rows)

    def table(self) -> pl.DataFrame:
        """zh, en, synonyms; what `of` reads."""
        return pl.DataFrame([(c.zh, list(c.en), list(c.synonyms)) for c in self.concepts], schema=COLUMNS, orient="row")

    def over(self, other: Terms) -> Terms:
        """Both lists; where they disagree on a form, this one holds.

        A concept of the other list whose preferred Chinese form this list knows gives its other forms to the concept
        here. A form that stands here is taken from the other list.

        Examples
        --------
        >>> own = Terms.made([Concept("马达", ("motor",), ("电机",))])
        >>> own.over(Terms.made([Concept("电机", ("electric motor", "motor"))])).concepts[0]
        Concept(zh='马达', en=('motor', 'electric motor'), synonyms=('电机',))
        """
        mine = {form: c.zh for c in reversed(self.concepts) for form in map(_plain, c.forms)}
        left = (
            Concept(mine.get(_plain(c.zh), c.zh), *(tuple(f for f in fs if _plain(f) not in mine) for fs in c[1:]))
            for c in other.concepts
        )
        return Terms.made([*self.concepts, *left], self.into)

    def facing(self, into: str) -> Terms:
        """The same list with "zh" or "en" as the language of the preferred forms.

        Raises
        ------
        ArgumentError : argument.value for another language.
        """
        if into not in ("zh", "en"):
            raise ArgumentError("argument.value", name="into", found=repr(into), wanted="'zh' or 'en'")
        return self if into == self.into else replace(self, into="zh" if into == "zh" else "en")

    @cached_property
    def digest(self) -> str:
        """Hash of the list: texts that were cut with terms of one digest are cut alike."""
        told = json.dumps([self.into, self.zh, self.en, self.synonyms], ensure_ascii=False)
        return hashlib.sha256(told.encode()).hexdigest()

    @cached_property
    def _forms(self) -> Mapping[str, Sequence[tuple[Form, Form]]]:
        """By first piece: forms and what they are read as, longest first; a preferred form only where it guards."""
        named = [c for c in self.concepts if self.into == "zh" or c.en]
        flat = _cut([f for c in named for f in c.forms])
        read_as: dict[Form, Form | None] = {}
        preferred_forms = []
        for c in named:
            forms = [next(flat) for _ in c.forms]
            preferred = forms[0 if self.into == "zh" else 1]
            if not any(map(is_kept, preferred)):
                continue  # nothing of it would be left to match by
            preferred_forms.append(preferred)
            for form in filter(None, forms):
                if self.into == "zh" and _meet(form, preferred):
                    continue
                read_as[form] = preferred if read_as.get(form, preferred) == preferred else None
        read_as |= {p: p for p in preferred_forms}
        swapped = {f for f, to in read_as.items() if to not in (f, None)}
        by_first: dict[str, list[tuple[Form, Form]]] = {}
        for form, to in sorted(read_as.items(), key=lambda both: (-len(both[0]), both[0])):
            if to is not None and (form in swapped or _holds_any(form, swapped)):
                spaced = to if self.into == "zh" or form == to else (" ", *to, " ")
                by_first.setdefault(form[0], []).append((form, spaced))
        return by_first

    def swap(self, cut: Pieces, texts: Sequence[str]) -> tuple[Pieces, Swaps]:
        """Pieces with every form of a term written as the preferred form, and where that was done.

        Cost: a look at each piece, and a walk over the pieces that begin a form.
        """
        found = self._find(cut)
        table = list(cut.table)
        code = {p: i for i, p in enumerate(table)}
        for _, _, to in found:
            for p in to:
                if code.setdefault(p, len(table)) == len(table):
                    table.append(p)
        at, taken = (np.asarray([f[k] for f in found], dtype=np.int64) for k in (0, 1))
        given = np.asarray([len(to) for _, _, to in found], dtype=np.int64)
        number = np.ones(len(cut.codes), dtype=np.int64)
        inside = np.repeat(at, taken) + np.arange(taken.sum()) - np.repeat(np.cumsum(taken) - taken, taken)
        number[inside] = 0
        number[at] = given
        after = np.cumsum(number)
        begins = after[at] - given
        codes = np.repeat(cut.codes, number)
        new = np.repeat(begins, given) + np.arange(given.sum()) - np.repeat(np.cumsum(given) - given, given)
        codes[new] = np.asarray([code[p] for _, _, to in found for p in to], dtype=np.int64)
        ends = np.append(0, after)[cut.ends]
        forms = _as_written(cut, texts, at, taken)
        lengths = np.repeat(cut.lengths, number)
        lengths[new], lengths[begins] = 0, np.fromiter(map(len, forms), np.int64, len(forms))
        return Pieces(codes, ends, table, lengths), Swaps(begins, given, forms)

    def _find(self, cut: Pieces) -> list[tuple[int, int, Form]]:
        """Place, length and preferred form of every form found, in order; the longest form wins, from the left."""
        forms, table = self._forms, cut.table
        begins = np.fromiter((p in forms for p in table), dtype=np.bool_, count=len(table))
        places = np.flatnonzero(begins[cut.codes]) if len(cut.codes) else np.zeros(0, np.int64)
        ends = cut.ends[np.searchsorted(cut.ends, places, side="right")] if len(places) else places
        found, free, codes = [], 0, cut.codes
        for at, end in zip(places.tolist(), ends.tolist(), strict=True):
            if at < free:
                continue
            for form, to in forms[table[codes[at]]]:
                n = len(form)
                if at + n <= end and all(table[codes[at + k]] == form[k] for k in range(1, n)):
                    free = at + n
                    if form != to:
                        found.append((at, n, to))
                    break
        return found


def _as_written(cut: Pieces, texts: Sequence[str], at: np.ndarray, taken: np.ndarray) -> tuple[str, ...]:
    """What the texts have at pieces at … at + taken."""
    if not len(at):
        return ()
    before = np.append(0, np.cumsum(cut.lengths))
    rows = np.searchsorted(cut.ends, at, side="right")
    start = before[np.append(0, cut.ends)[rows]]
    spans = zip(rows.tolist(), (before[at] - start).tolist(), (before[at + taken] - start).tolist(), strict=True)
    return tuple(texts[row][first:last] for row, first, last in spans)


def _cut(names: Sequence[str]) -> Iterator[Form]:
    """Each name in pieces."""
    cut, start = pieces(normalise_all(names)), 0
    for end in cut.ends.tolist():
        yield tuple(cut.table[c] for c in cut.codes[start:end].tolist())
        start = end


def _holds_any(form: Form, others: set[Form]) -> bool:
    """Whether another form stands inside this one."""
    n = len(form)
    return any(form[i:j] in others for i in range(n) for j in range(i + 1, n + 1) if j - i < n)


def _meet(form: Form, preferred: Form) -> bool:
    """Whether two Chinese forms share a character: then they are near each other as they stand (机械手, 机械臂)."""
    shared = set("".join(form)) & set("".join(preferred))
    return any(map(is_han, shared))


def _plain(form: str) -> str:
    return form.strip().lower()


def _check(table: pl.DataFrame) -> None:
    missing = [c for c in COLUMNS if c not in table.columns]
    if missing:
        raise TableError("table.columns", table="terms", missing=missing, present=table.columns)
    for column, kind in COLUMNS.items():
        found = table.schema[column]
        if found not in (kind, pl.Null, pl.List(pl.Null)):
            raise TableError("table.type", table="terms", column=column, found=found, wanted=kind)
    empty = table.filter(pl.col("zh").cast(pl.String).fill_null("").str.strip_chars() == "")
    if empty.height:
        raise TableError(
            "table.value", problems=empty, count=empty.height, table="terms", column="zh",
            found="empty", shown=empty["zh"].head(3).to_list(), wanted="a preferred Chinese form in every row",
        )  # fmt: skip


@cache
def _shipped() -> Terms:
    lines = files("silian.text").joinpath("data/terms.csv").read_text(encoding="utf-8").splitlines()
    zh, en, synonyms = zip(*list(csv.reader(lines))[1:], strict=True)
    return Terms(zh, en, synonyms)


def _joined(names: Sequence[str | None] | None) -> str:
    return ";".join(filter(None, names or ()))


def _split(cell: str) -> tuple[str, ...]:
    return tuple(name for part in cell.split(";") if (name := part.strip()))
