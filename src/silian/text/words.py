"""Texts into words: normalising, cutting, counting. Everything works on a batch, because one by one is slow."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from silian.errors import TextError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
# A letter or digit of any script that is written in words, not in characters.
_LETTER: Final = rf"[^\W_{HAN}]"
# Full-width marks stay what they are: they end clauses, and people read them.
_MARKS: Final = "，。、；：？！（）【】《》〈〉「」『』〔〕“”‘’…—～·\n"
_BETWEEN_MARKS: Final = re.compile(f"[^{_MARKS}]+")
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]+")
_BROKEN: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffd]+")
_BLANKS: Final = re.compile(r"[^\S\n]+")
_UNITS: Final = (
    "kW|MW|GW|W|kWh|MWh|Wh|kV|mV|V|mA|A|Ah|mAh|Hz|kHz|MHz|GHz|nm|um|μm|mm|cm|dm|km|m|mg|kg|g|t|mL|ml|L|m2|m3|cm2|cm3|"
    "Pa|kPa|MPa|GPa|N|kN|rpm|r/min|m/s|°C|K|dB|ppm|ppb|lm|bit|Gbps|Mbps|kJ|MJ|J|h|min|s|ms"
)
_UNIT_GAP: Final = re.compile(rf"(?<=\d) (?=(?:{_UNITS})(?![A-Za-z0-9]))")
# Numbers keep their unit (1.80g/cm3, 67%, 25°C), names keep their hyphens and dots (CBN-120, 6061-T6, C++).
_LATIN: Final = re.compile(
    rf"\d(?:{_LETTER}|[-.+*^·/°](?={_LETTER})|,(?=\d)|°C|%)*|{_LETTER}(?:{_LETTER}|[-.&](?={_LETTER}))*[+#]{{0,2}}"
)
_PLAIN_NUMBER: Final = re.compile(r"[\d.,%/*^+-]+")
_HYPHENATED: Final = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)+")
_HAS_LETTER: Final = re.compile(rf"[{HAN}]|{_LETTER}")
_PLACE: Final = "\x01"  # stands in the Chinese text for a word that was taken out
_NEXT: Final = -2  # code of a place
_END: Final = -3  # code of the end of a text
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bags:
    """Texts cut once: how often each word stands in each text.

    Pass it wherever texts are wanted, so that they are not cut twice.
    """

    texts: tuple[str, ...]  # normalised
    vocabulary: tuple[str, ...]  # every word of these texts, sorted
    counts: Any  # scipy csr_array, float32, (texts, vocabulary)
    order: np.ndarray  # int64: the words of all texts in a row as places in vocabulary; -1 where two do not touch
    ends: np.ndarray  # int64 (texts,): where each text ends in order

    def __len__(self) -> int:
        return len(self.texts)


def normalise(text: str) -> str:
    """One text in one spelling: half-width, simplified, single blanks, nothing invisible.

    Chinese punctuation stays. Model numbers and quantities stay whole: a blank before a unit goes away. Broken
    characters (half an encoding, control characters) become blanks.

    Raises
    ------
    TextError : text.type if it is not a string.

    Examples
    --------
    >>> normalise("３００　ｋＷ電機，密度≥１．８０ g/cm³")
    '300kW电机，密度≥1.80g/cm3'
    """
    return normalise_all([text])[0]


def normalise_all(texts: Iterable[str | None]) -> list[str]:
    """`normalise` for many texts at once; None counts as empty. Cost: 1e5 texts of 100 characters about 1.5 s."""
    given = ["" if t is None else t for t in texts]
    wrong = [i for i, t in enumerate(given) if not isinstance(t, str)]
    if wrong:
        found = type(given[wrong[0]]).__name__
        raise TextError("text.type", count=len(wrong), total=len(given), position=wrong[0], found=found)
    if not given:
        return []
    joined = "\n".join([" ".join(t.split()) for t in given])
    joined = _BROKEN.sub(" ", _INVISIBLE.sub("", joined))
    odd = _other_spellings()
    joined = "\n".join([_BETWEEN_MARKS.sub(_compatible, t) if odd.search(t) else t for t in joined.split("\n")])
    joined = _simplify()(joined)
    joined = _UNIT_GAP.sub("", _BLANKS.sub(" ", joined))
    return [t.strip() for t in joined.split("\n")]


def words(texts: Iterable[str | None]) -> list[list[str]]:
    """The words of each text, in order: Chinese cut by dictionary, others lower-cased, frames and fillers left out.

    Stop words (`stop_zh.txt`, `stop_en.txt`), bare numbers and single letters are dropped; quantities and model
    numbers stay whole; English plurals lose their s.

    Cost: 1e5 texts of 100 characters about 6 s on one core (bench_text).

    Examples
    --------
    >>> words(["高韧性立方氮化硼CBN-120单晶的研制", "Deep learning for batteries"])
    [['高韧性', '立方', '氮化硼', 'cbn-120', '单晶'], ['deep', 'learning', 'battery']]
    """
    codes, ends, table = _codes(normalise_all(texts))
    start, cut = 0, []
    for end in ends.tolist():
        cut.append([table[c] for c in codes[start:end].tolist() if c >= 0])
        start = end
    return cut


def segment(texts: Iterable[str | None]) -> Bags:
    """Texts cut and counted, to be handed to several functions that want words."""
    clean = normalise_all(texts)
    codes, ends, table = _codes(clean)
    alphabetical = sorted(range(len(table)), key=table.__getitem__)
    place = np.full(len(table) + 1, -1, dtype=np.int64)  # the last is for -1
    place[alphabetical] = np.arange(len(table))
    order = place[codes]
    counts = _counted(order, ends, len(table))
    return Bags(tuple(clean), tuple(table[i] for i in alphabetical), counts, order, ends)


def _counted(order: np.ndarray, ends: np.ndarray, words: int) -> Any:
    import scipy.sparse as sp

    rows = np.repeat(np.arange(len(ends)), np.diff(np.concatenate([[0], ends])))
    kept = order >= 0
    entries = (np.ones(int(kept.sum()), np.float32), (rows[kept], order[kept]))
    counts = sp.csr_array(entries, shape=(len(ends), words))
    counts.sum_duplicates()
    return counts


def stack(*bags: Bags) -> Bags:
    """Several bags as one, one under the other."""
    vocabulary = tuple(sorted({w for b in bags for w in b.vocabulary}))
    place = {w: i for i, w in enumerate(vocabulary)}
    moved = [np.asarray([*(place[w] for w in b.vocabulary), -1], np.int64)[b.order] for b in bags]
    before = np.cumsum([0, *(len(b.order) for b in bags)])
    order = np.concatenate(moved)
    ends = np.concatenate([b.ends + at for b, at in zip(bags, before, strict=False)])
    return Bags(
        tuple(t for b in bags for t in b.texts), vocabulary, _counted(order, ends, len(vocabulary)), order, ends
    )


def grams(word: str, longest: int = 3) -> list[str]:
    """The runs of 1 to `longest` characters of a Chinese word; a word of another script is one whole.

    Runs do not cross words: what two texts share can then always be shown as words.

    Examples
    --------
    >>> grams("氮化硼"), grams("cbn-120")
    (['氮', '化', '硼', '氮化', '化硼', '氮化硼'], ['cbn-120'])
    """
    if not _is_han(word):
        return [word]
    return [word[i : i + n] for n in range(1, longest + 1) for i in range(len(word) - n + 1)]


def _is_han(word: str) -> bool:
    return "\u3400" <= word[0] <= "\u9fff" or "\uf900" <= word[0] <= "\ufaff"


def _codes(clean: Sequence[str]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Codes of the words of all texts (-1: not kept), where each text ends among them, the word of each code."""
    import rjieba

    joined = "\n".join(clean)
    book = _Book()
    taken = [book.latin[w] for w in _LATIN.findall(joined)]
    pieces = rjieba.cut(_LATIN.sub(_PLACE, joined)) if joined else []
    raw = np.fromiter(map(book.han.__getitem__, pieces), dtype=np.int64, count=len(pieces))
    length = np.ones(len(raw), dtype=np.int64)
    length[raw == _NEXT] = np.fromiter(map(len, taken), dtype=np.int64, count=len(taken))
    length[raw == _END] = 0
    after = np.cumsum(length)
    codes = np.repeat(raw, length)
    codes[codes == _NEXT] = np.fromiter((c for row in taken for c in row), dtype=np.int64)
    ends = np.append(after[raw == _END], len(codes))
    return codes, ends if clean else ends[:0], book.table


class _Book:
    """Words seen so far and their codes; a word that is not kept has -1."""

    def __init__(self) -> None:
        self.table: list[str] = []
        self._code: dict[str, int] = {}
        self.latin: _Memo[tuple[int, ...]] = _Memo(self._keep_latin)
        self.han: _Memo[int] = _Memo(self._keep_han)

    def _keep_han(self, word: str) -> int:
        if word in (_PLACE, "\n"):
            return _NEXT if word == _PLACE else _END
        return self._add(word) if _HAS_LETTER.match(word) and word not in stop_words() else -1

    def _keep_latin(self, word: str) -> tuple[int, ...]:
        lower = word.lower()
        if _HYPHENATED.fullmatch(lower):
            return tuple(c for part in lower.split("-") for c in (-1, *self._keep_latin(part)))
        if len(lower) < 2 or _is_bare_number(lower) or lower in stop_words():
            return (-1,)
        return (self._add(_singular(lower)),)

    def _add(self, word: str) -> int:
        code = self._code.setdefault(word, len(self.table))
        if code == len(self.table):
            self.table.append(word)
        return code


class _Memo(dict[str, T]):
    def __init__(self, make: Callable[[str], T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, word: str) -> T:
        self[word] = made = self._make(word)
        return made


def _is_bare_number(word: str) -> bool:
    return _PLAIN_NUMBER.fullmatch(word) is not None


def _singular(word: str) -> str:
    """A plural without its s (Harman 1991); words with a digit and short words stay."""
    if len(word) < 4 or not word.isascii() or not word.isalpha() or not word.endswith("s"):
        return word
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    if word.endswith("es") and not word.endswith(("aes", "ees", "oes")):
        return word[:-1]
    return word if word.endswith(("us", "ss", "is")) else word[:-1]


@cache
def stop_words() -> frozenset[str]:
    """Words that are left out, Chinese and English."""
    lines = [
        line
        for name in ("stop_zh.txt", "stop_en.txt")
        for line in files("silian.text").joinpath(name).read_text(encoding="utf-8").splitlines()
    ]
    return frozenset(line for line in lines if line and not line.startswith("#"))


def _compatible(part: re.Match[str]) -> str:
    return unicodedata.normalize("NFKC", part.group())


@cache
def _other_spellings() -> re.Pattern[str]:
    """Signs that NFKC may write in another way, alone or joined to the one before; Chinese punctuation left out."""
    odd = [
        c
        for c in map(chr, range(0xA0, 0xFFFE))
        if unicodedata.category(c).startswith("M") or (c not in _MARKS and not unicodedata.is_normalized("NFKC", c))
    ]
    return re.compile("[" + "".join(map(re.escape, odd)) + "\u1161-\u11c2\U00010000-\U0010ffff]")


@cache
def _simplify() -> Callable[[str], str]:
    from opencc import OpenCC

    convert: Callable[[str], str] = OpenCC("t2s").convert
    return convert
