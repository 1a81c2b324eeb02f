"""Where the words of a text stand in it as it was written, before normalising changed its letters and its length."""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from silian.text.words import (
    _BLANKS,
    _BROKEN,
    _INVISIBLE,
    _MARKS,
    _UNIT_GAP,
    HAN,
    Pieces,
    Swaps,
    _simplify,
    normalise_all,
    pieces,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from silian.text.terms import Terms

_JAMO: Final = ("\u1161", "\u11c2")  # vowels and finals of Korean, which join the sign before them
# A sentence ends at Chinese and English full stops, semicolons and line ends. An English full stop ends one only before
# a blank, a Chinese character or the end, and not after a single letter or digit (3.5, e.g., "1. Scope").
_SENTENCE_END: Final = re.compile(
    f"[。；！？;!?\\n\\r…]+[”’」』）)\"']*|(?<![\\W_][^\\W_])(?<!^[^\\W_])(?<=[^\\s.])\\.(?=\\s|[{HAN}]|$)"
)
Sign = tuple[str, int, int]  # signs of the normalised text and where they come from: start, end


@dataclass(frozen=True, slots=True)
class PlacedWords:
    """The words of texts in a row, each with its place: character offsets into its text as it was given.

    The words are those of `text.segment`. `start` and `end` hold one number a word; end is the first place behind it.
    """

    texts: tuple[str, ...]  # as given
    words: tuple[str, ...]
    start: np.ndarray  # int64 (words,)
    end: np.ndarray  # int64 (words,)
    touches: np.ndarray  # bool (words,): nothing lies between it and the word before
    ends: np.ndarray  # int64 (texts,): where each text ends among the words
    signs: tuple[tuple[np.ndarray, np.ndarray] | None, ...]  # per text: start and end of each sign; None: as written
    clean: np.ndarray  # int64 (words,): where the word begins in the normalised text; -1: written in another form

    def by_text(self) -> list[tuple[str, ...]]:
        """The words of each text."""
        return [self.words[a:b] for a, b in pairwise([0, *self.ends.tolist()])]

    def inside(self, text: int, word: int, first: int, after: int) -> tuple[int, int]:
        """Place of the characters first … after of a Chinese word; of a word written in another form, the whole."""
        at, signs = int(self.clean[word]), self.signs[text]
        if at < 0 or (first == 0 and after == len(self.words[word])):
            return int(self.start[word]), int(self.end[word])
        if signs is None:
            return at + first, at + after
        return int(signs[0][at + first]), int(signs[1][at + after - 1])


def place_words(texts: Iterable[str | None], *, terms: Terms | None = None) -> PlacedWords:
    """The words of each text with their places in it; None counts as empty.

    Parameters
    ----------
    texts : as for `segment`
    terms : as for `segment`; a word that stands for another form has the place of that form

    Raises
    ------
    TextError : text.type if one is no string.

    Notes
    -----
    Cost: that of `segment`, and for a text that normalising changes some 3 µs a character.

    Examples
    --------
    >>> placed = place_words(["３００ｋＷ電機，two Batteries"])
    >>> [(w, placed.texts[0][a:b]) for w, a, b in zip(placed.words, placed.start, placed.end)]
    [('300kw', '３００ｋＷ'), ('电机', '電機'), ('two', 'two'), ('battery', 'Batteries')]
    """
    given = tuple("" if t is None else t for t in texts)
    clean = normalise_all(given)
    cut, swapped, begin, stop = _placed(clean, terms)
    codes = cut.kept_codes()
    text = np.repeat(np.arange(len(given)), np.diff(np.concatenate([[0], cut.ends])))
    kept = np.flatnonzero(codes >= 0)
    before = np.maximum(kept - 1, 0)
    touches = (kept > 0) & (codes[before] >= 0) & (text[before] == text[kept])
    at, after, of = begin[kept], stop[kept], text[kept]
    bounds = np.searchsorted(of, np.arange(len(given)), side="right").astype(np.int64)
    signs = tuple(None if a == b else _signs(a, b) for a, b in zip(given, clean, strict=True))
    start, end = at.copy(), after.copy()
    for found, here in zip(signs, map(slice, [0, *bounds.tolist()], bounds.tolist()), strict=False):
        if found is not None and here.stop > here.start:
            start[here], end[here] = found[0][at[here]], found[1][after[here] - 1]
    words = tuple(cut.table[c] for c in codes[kept].tolist())
    return PlacedWords(given, words, start, end, touches, bounds, signs, np.where(swapped[kept], -1, at))


def _placed(clean: Sequence[str], terms: Terms | None) -> tuple[Pieces, np.ndarray, np.ndarray, np.ndarray]:
    """The pieces of texts, which of them a list of terms put there, and where each begins and stops in its text."""
    cut = pieces(clean)
    swaps = Swaps(np.zeros(0, np.int64), np.zeros(0, np.int64), ())
    if terms is not None:
        cut, swaps = terms.swap(cut, clean)
    new = np.repeat(swaps.at, swaps.words) + _counting(swaps.words)
    swapped = np.zeros(len(cut.codes), dtype=np.bool_)
    swapped[new] = True
    written = np.fromiter(map(len, swaps.forms), dtype=np.int64, count=len(swaps.forms))
    long = np.where(swapped, 0, cut.lengths)
    long[swaps.at] = written
    stop = np.cumsum(long)
    stop[new] = np.repeat(stop[swaps.at], swaps.words)
    begin = stop - long
    begin[new] = np.repeat(begin[swaps.at], swaps.words)
    number = np.diff(np.concatenate([[0], cut.ends]))
    opens = np.repeat(np.append(0, np.cumsum(long))[np.append(0, cut.ends)[:-1]], number)
    return cut, swapped, begin - opens, stop - opens


def _counting(numbers: np.ndarray) -> np.ndarray:
    """0 … n - 1 for each number n, one after the other."""
    counted: np.ndarray = np.arange(numbers.sum()) - np.repeat(np.cumsum(numbers) - numbers, numbers)
    return counted


def place_signs(text: str) -> tuple[str, np.ndarray, np.ndarray]:
    """A text normalised, and for each of its signs where it comes from: start and end in the text as given.

    Examples
    --------
    >>> clean, start, end = place_signs("㎡ 电　池")
    >>> clean, start.tolist(), end.tolist()
    ('m2 电 池', [0, 0, 1, 2, 3, 4], [1, 1, 2, 3, 4, 5])
    """
    clean = normalise_all([text])[0]
    start, end = _signs(text, clean)
    return clean, start, end


def sentences(text: str) -> list[tuple[int, int]]:
    """Places of the sentences of a text, start and end, in order and without a gap; blank ones are left out.

    Examples
    --------
    >>> text = "密度≥1.5g/cm3。It holds 3.5 volts. Cheap; safe"
    >>> [text[a:b] for a, b in sentences(text)]
    ['密度≥1.5g/cm3。', 'It holds 3.5 volts.', ' Cheap;', ' safe']
    """
    ends = [m.end() for m in _SENTENCE_END.finditer(text)]
    bounds = [0, *ends] if ends and ends[-1] == len(text) else [0, *ends, len(text)]
    return [(a, b) for a, b in pairwise(bounds) if not text[a:b].isspace() and b > a]


def _signs(text: str, clean: str) -> tuple[np.ndarray, np.ndarray]:
    """Start and end, in the text, of every sign of its normalised form."""
    signs: list[Sign] = [(c, i, i + 1) for i, c in enumerate(text)]
    signs = _joined(signs, str.isspace)
    signs = [s for s in signs if not _INVISIBLE.fullmatch(s[0])]
    signs = _joined(signs, lambda c: _BROKEN.fullmatch(c) is not None)
    signs = _simplified(_compatible_signs(signs))
    signs = _joined(signs, lambda c: c != "\n" and _BLANKS.fullmatch(c) is not None)
    signs = _stripped(signs)
    for gap in reversed(list(_UNIT_GAP.finditer("".join(c for c, _, _ in signs)))):
        del signs[gap.start() : gap.end()]
    signs = _stripped(signs)
    if "".join(c for c, _, _ in signs) != clean:
        signs = _aligned([(c, i, i + 1) for i, c in enumerate(text)], clean)
    return np.asarray([a for _, a, _ in signs], np.int64), np.asarray([b for _, _, b in signs], np.int64)


def _joined(signs: list[Sign], is_blank: Callable[[str], bool]) -> list[Sign]:
    """Runs of such signs as one blank each."""
    kept: list[Sign] = []
    in_run = False
    for sign, start, end in signs:
        if not is_blank(sign):
            kept.append((sign, start, end))
            in_run = False
        elif in_run:
            kept[-1] = (" ", kept[-1][1], end)
        else:
            kept.append((" ", start, end))
            in_run = True
    return kept


def _stripped(signs: list[Sign]) -> list[Sign]:
    inner = [i for i, (c, _, _) in enumerate(signs) if not c.isspace()]
    return signs[inner[0] : inner[-1] + 1] if inner else []


def _compatible_signs(signs: list[Sign]) -> list[Sign]:
    """Each sign, with the signs that join it, in its compatible form; Chinese punctuation stays."""
    groups: list[Sign] = []
    for sign, start, end in signs:
        first = unicodedata.normalize("NFKD", sign)[:1]
        joins = unicodedata.category(first)[0] == "M" or _JAMO[0] <= first <= _JAMO[1]
        if joins and groups and groups[-1][0] not in _MARKS:
            groups[-1] = (groups[-1][0] + sign, groups[-1][1], end)
        else:
            groups.append((sign, start, end))
    changed: list[Sign] = []
    for group, start, end in groups:
        new = group if group in _MARKS else unicodedata.normalize("NFKC", group)
        changed += [(c, start, end) for c in new]
    return changed


def _simplified(signs: list[Sign]) -> list[Sign]:
    text = "".join(c for c, _, _ in signs)
    simple = _simplify()(text)
    if len(simple) == len(text):
        return [(c, a, b) for c, (_, a, b) in zip(simple, signs, strict=True)]
    return _aligned(signs, simple)


def _aligned(signs: list[Sign], clean: str) -> list[Sign]:
    """The signs of another spelling: equal ones on each other, a changed run on the whole run that it stands for."""
    found: list[Sign] = []
    text = "".join(c for c, _, _ in signs)
    end = 0
    for kind, a, b, c, d in difflib.SequenceMatcher(None, text, clean).get_opcodes():
        if kind == "equal":
            found += signs[a:b]
        elif d > c:
            first, last = (signs[a][1], signs[b - 1][2]) if b > a else (end, end)
            found += [(sign, first, last) for sign in clean[c:d]]
        end = signs[b - 1][2] if b > a else end
    return found
