"""What a person types into a search box, as things asked for: words with their other names, and codes.

Texts of records and of questions are cut alike: Chinese into characters, everything else into words without the s of
a plural. A Chinese word is then a row of characters, and is found wherever it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from silian.text.terms import Terms
from silian.text.words import HAN, is_kept, normalise, normalise_all, pieces, singular

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_UNITS: Final = 12  # of a question; what follows is left out
MOST_NAMES: Final = 12  # other names of one thing
SHORTEST_CODE: Final = 4
_PIECE: Final = re.compile(rf"[{HAN}]|[^\W_{HAN}]+")
_RUN: Final = re.compile(rf"[{HAN}]+|[^\W_{HAN}]+")
_CODE: Final = re.compile(rf"(?<!\S)(?=\S*\d)[!-~]{{{SHORTEST_CODE},}}(?!\S)")
_NO_CODE: Final = re.compile(r"[\W_]+")
_LETTERS: Final = re.compile(r"[a-z]+(?: [a-z]+)*")


Names = dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]]  # first piece → (pieces of a name, all names)


class Unit(NamedTuple):
    """One thing that a question asks for."""

    typed: str
    others: tuple[str, ...] = ()  # names of the same thing, in Chinese and English
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What was typed, taken apart."""

    typed: str  # normalised
    units: tuple[Unit, ...]

    @property
    def code(self) -> str:
        """The whole as a code, where it could be one: patent numbers are written with blanks."""
        return compact(self.typed) if self.typed.isascii() and any(c.isdigit() for c in self.typed) else ""

    @property
    def letters(self) -> str:
        """The whole as one row of letters, where it could be pinyin: "hua he" and "hh"."""
        lower = self.typed.lower()
        return lower.replace(" ", "") if _LETTERS.fullmatch(lower) else ""

    @property
    def marked(self) -> tuple[str, ...]:
        """What is to be marked in texts that were found, the longest first."""
        every = {text for unit in self.units for text in (unit.typed, *unit.others)}
        return tuple(sorted(every, key=lambda text: (-len(text), text)))


def question(typed: str, *, terms: Terms | None = None, is_plain: bool = False) -> Question:
    """Take apart what was typed.

    Parameters
    ----------
    terms : names of things; the shipped list where None
    is_plain : ask for what was typed alone, not for other names of the same thing

    Examples
    --------
    >>> question("馬達 控制").units
    (Unit(typed='马达', others=('电机', 'electric motor', 'motor', 'electrical machine', '电动机'), is_code=False),
     Unit(typed='控制', others=('control', 'controlling'), is_code=False))
    >>> question("ZL202010123456.7", is_plain=True).units[0].is_code
    True
    """
    clean = normalise(typed.replace("\n", " "))
    known = names(terms or Terms.shipped())
    units: list[Unit] = []
    start = 0
    for found in _CODE.finditer(clean):
        units += _units(clean[start : found.start()], known)
        units.append(Unit(found.group(), is_code=True))
        start = found.end()
    units += _units(clean[start:], known)
    if not units:  # nothing but words that are left out: they are what was asked for
        units = [Unit(run) for run in _RUN.findall(clean)]
    if is_plain:
        units = [unit._replace(others=()) for unit in units]
    return Question(clean, tuple(dict.fromkeys(units))[:MOST_UNITS])


def atoms(text: str) -> list[str]:
    """A normalised text in the pieces of the index."""
    return [part if len(part) == 1 else singular(part) for part in _PIECE.findall(text.lower())]


def compact(code: str) -> str:
    """A code without what people write between its parts.

    Examples
    --------
    >>> compact("ZL 2020 1 0123456.7")
    'zl2020101234567'
    """
    return _NO_CODE.sub("", code.lower())


def _units(text: str, known: Names) -> list[Unit]:
    """The words of a text, those that are a name of a known thing as a whole."""
    if not text.strip():
        return []
    cut = pieces([text])
    tokens = [cut.table[c] for c in cut.codes.tolist()]
    found, at, place = [], 0, 0
    while at < len(tokens):
        taken, concept = _longest(known, tokens, at)
        length = int(cut.lengths[at : at + taken].sum())
        typed = text[place : place + length]
        if concept is not None:
            others = (form for form in concept if form.lower() != typed.lower())
            found.append(Unit(typed, tuple(others)[:MOST_NAMES]))
        elif is_kept(tokens[at]):
            found.append(Unit(typed))
        at, place = at + taken, place + length
    return found


def _longest(known: Names, tokens: Sequence[str], at: int) -> tuple[int, tuple[str, ...] | None]:
    """How many pieces the longest name takes that begins at a place, and all names of that thing."""
    for form, concept in known.get(tokens[at], ()):
        if tuple(tokens[at : at + len(form)]) == form:
            return len(form), concept
    return 1, None


@cache
def names(terms: Terms) -> Names:
    """By first piece: the pieces of a name and all names of its thing, the longest first.

    Names that two things share are left out.
    """
    concepts = terms.concepts
    clean = normalise_all([form for concept in concepts for form in concept.forms])
    cut, start, at = pieces(clean), 0, 0
    claimed: dict[tuple[str, ...], tuple[str, ...] | None] = {}
    for concept in concepts:
        forms = tuple(dict.fromkeys(clean[at : at + len(concept.forms)]))
        for _ in concept.forms:
            end = int(cut.ends[at])
            form = tuple(cut.table[c] for c in cut.codes[start:end].tolist())
            claimed[form] = forms if claimed.get(form, forms) == forms else None
            start, at = end, at + 1
    made: Names = {}
    for form, forms_of in sorted(claimed.items(), key=lambda pair: (-len(pair[0]), pair[0])):
        if form and forms_of is not None and any(map(is_kept, form)):
            made.setdefault(form[0], []).append((form, forms_of))
    return made
