"""Texts into words: normalising, cutting, counting. Everything works on a batch, because one by one is slow."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import numpy as np

from silian.errors import TextError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from silian.text.terms import Terms

HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_HAN: Final = re.compile(f"[{HAN}]")
_FOREIGN: Final = re.compile(rf"[^\W\d_{HAN}]")
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
MOST_MARKS: Final = 30  # on one letter
LONGEST_PIECE: Final = 16  # characters of a Chinese word; what is longer is a row of characters nobody has a word for
LONGEST_WORD: Final = 64  # letters of another word; what is longer is a sequence, an address or damage
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Swaps:
    """Where pieces of a term stand for another form of it that the text has, e.g. 电池 for "batteries"."""

    at: np.ndarray  # int64 (swaps,), ascending: place of the term's first piece
    words: np.ndarray  # int64 (swaps,): pieces that the term takes
    forms: tuple[str, ...]  # as the normalised text has it


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
    cut = pieces(normalise_all(texts))
    codes, start, found = cut.kept_codes(), 0, []
    for end in cut.ends.tolist():
        found.append([cut.table[c] for c in codes[start:end].tolist() if c >= 0])
        start = end
    return found


def segment(texts: Iterable[str | None], *, terms: Terms | None = None) -> Bags:
    """Texts cut and counted, to be handed to several functions that want words.

    Parameters
    ----------
    texts : None counts as empty
    terms : where given, every form of a term is written as the term's preferred form before words are counted
    """
    clean = normalise_all(texts)
    cut = pieces(clean)
    if terms is not None:
        cut, _ = terms.swap(cut, clean)
    codes = cut.kept_codes()
    used = np.flatnonzero(np.bincount(codes + 1, minlength=1)[1:])
    alphabetical = sorted(used.tolist(), key=cut.table.__getitem__)
    place = np.full(len(cut.table) + 1, -1, dtype=np.int64)  # the last is for -1
    place[alphabetical] = np.arange(len(alphabetical))
    order = place[codes]
    vocabulary = tuple(cut.table[i] for i in alphabetical)
    return Bags(tuple(clean), vocabulary, _counted(order, cut.ends, len(vocabulary)), order, cut.ends)


def _counted(order: np.ndarray, ends: np.ndarray, words: int) -> Any:
    import scipy.sparse as sp

    rows = np.repeat(np.arange(len(ends), dtype=np.int32), np.diff(np.concatenate([[0], ends])))
    kept = order >= 0
    entries = (np.ones(int(kept.sum()), np.float32), (rows[kept], order[kept].astype(np.int32)))
    counts = sp.csr_array(entries, shape=(len(ends), words))
    counts.sum_duplicates()
    return counts


def main_language(texts: Iterable[str | None]) -> Literal["zh", "en"]:
    """The language of most texts: a text with a Chinese character counts for "zh", another with a letter for "en".

    Examples
    --------
    >>> main_language(["电池 cell", "battery"]), main_language(["battery"])
    ('zh', 'en')
    """
    chinese = foreign = 0
    for told in texts:
        if told and _HAN.search(told):
            chinese += 1
        elif told and _FOREIGN.search(told):
            foreign += 1
    return "zh" if chinese >= foreign else "en"


def stack(*bags: Bags) -> Bags:
    """Several bags as one, one under the other."""
    vocabulary = tuple(sorted({w for b in bags for w in b.vocabulary}))
    place = {w: i for i, w in enumerate(vocabulary)}
    moved = [np.asarray([*(place[w] for w in b.vocabulary), -1], np.int64)[b.order] for b in bags]
    before = np.cumsum([0, *(len(b.order) for b in bags)])
    order = np.concatenate(moved)
    ends = np.concatenate([b.ends + at for b, at in zip(bags, before, strict=False)])
    texts = tuple(t for b in bags for t in b.texts)
    return Bags(texts, vocabulary, _counted(order, ends, len(vocabulary)), order, ends)


def grams(word: str, longest: int = 3) -> list[str]:
    """The runs of 1 to `longest` characters of a Chinese word; a word of another script is one whole.

    Runs do not cross words: what two texts share can then always be shown as words.

    Examples
    --------
    >>> grams("氮化硼"), grams("cbn-120")
    (['氮', '化', '硼', '氮化', '化硼', '氮化硼'], ['cbn-120'])
    """
    if not is_han(word):
        return [word]
    return [word[i : i + n] for n in range(1, longest + 1) for i in range(len(word) - n + 1)]


def is_han(word: str) -> bool:
    """Whether a word begins with a Chinese character."""
    return "\u3400" <= word[0] <= "\u9fff" or "\uf900" <= word[0] <= "\ufaff"


@dataclass(frozen=True, slots=True)
class Pieces:
    """Texts as a row of pieces: words, and all that stands between them."""

    codes: np.ndarray  # int64 (pieces,): places in table
    ends: np.ndarray  # int64 (texts,): where each text ends among the pieces
    table: Sequence[str]  # words in lower case, plurals without their s
    lengths: np.ndarray  # int64 (pieces,): characters in the text

    def kept_codes(self) -> np.ndarray:
        """The codes, -1 where a piece is no word or a word that is left out."""
        kept = np.fromiter(map(is_kept, self.table), dtype=np.bool_, count=len(self.table))
        return np.where(kept[self.codes], self.codes, -1) if len(self.codes) else self.codes


def pieces(clean: Sequence[str]) -> Pieces:
    """Normalised texts in pieces."""
    import rjieba

    joined = "\n".join(clean)
    book = _Book()
    taken = [book.latin[w] for w in _LATIN.findall(joined)]
    cut = _short(rjieba.cut(_LATIN.sub(_PLACE, joined)) if joined else [])
    raw = np.fromiter(map(book.han.__getitem__, cut), dtype=np.int64, count=len(cut))
    number = np.ones(len(raw), dtype=np.int64)
    number[raw == _NEXT] = np.fromiter(map(len, taken), dtype=np.int64, count=len(taken))
    number[raw == _END] = 0
    after = np.cumsum(number)
    codes = np.repeat(raw, number)
    lengths = np.repeat(np.fromiter(map(len, cut), dtype=np.int64, count=len(cut)), number)
    places = codes == _NEXT
    codes[places] = np.fromiter((c for row in taken for c, _ in row), dtype=np.int64)
    lengths[places] = np.fromiter((n for row in taken for _, n in row), dtype=np.int64)
    ends = np.append(after[raw == _END], len(codes))
    return Pieces(codes, ends if clean else ends[:0], book.table, lengths)


def _short(cut: list[str]) -> list[str]:
    """The pieces, the longer ones in several: a row of rare characters may come as one word of any length."""
    if max(map(len, cut), default=0) <= LONGEST_PIECE:
        return cut
    return [p[i : i + LONGEST_PIECE] for p in cut for i in range(0, len(p), LONGEST_PIECE)]


class _Book:
    """Pieces seen so far and their codes."""

    def __init__(self) -> None:
        self.table: list[str] = []
        self._code: dict[str, int] = {}
        self.latin: _Memo[tuple[tuple[int, int], ...]] = _Memo(self._read_latin)
        self.han: _Memo[int] = _Memo(self._read_han)

    def _read_han(self, piece: str) -> int:
        if piece in (_PLACE, "\n"):
            return _NEXT if piece == _PLACE else _END
        return self._add(piece)

    def _read_latin(self, word: str) -> tuple[tuple[int, int], ...]:
        """Codes and lengths; hyphenated words as if there were blanks."""
        if _HYPHENATED.fullmatch(word):
            blank = (self._add(" "), 1)
            parts = [self._read_latin(part) for part in word.split("-")]
            return tuple(both for part in parts for both in (blank, *part))[1:]
        if len(word) > LONGEST_WORD:
            runs = [word[i : i + LONGEST_WORD] for i in range(0, len(word), LONGEST_WORD)]
            return tuple(both for run in runs for both in self._read_latin(run))
        lower = word.lower()
        return ((self._add(lower if lower in stop_words() else singular(lower)), len(word)),)

    def _add(self, piece: str) -> int:
        code = self._code.setdefault(piece, len(self.table))
        if code == len(self.table):
            self.table.append(piece)
        return code


class _Memo(dict[str, T]):
    def __init__(self, make: Callable[[str], T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, word: str) -> T:
        self[word] = made = self._make(word)
        return made


def is_kept(piece: str) -> bool:
    """Whether a piece is a word that counts."""
    if not _HAS_LETTER.match(piece) or piece in stop_words():
        return False
    return is_han(piece) or (len(piece) > 1 and not _is_bare_number(piece))


def _is_bare_number(word: str) -> bool:
    return _PLAIN_NUMBER.fullmatch(word) is not None


def singular(word: str) -> str:
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
    return unicodedata.normalize("NFKC", _long_runs_of_marks().sub(r"\1", part.group()))


@cache
def _long_runs_of_marks() -> re.Pattern[str]:
    """Runs of marks that are sorted where they are joined to a letter; sorting takes the square of their number.

    No writing has more than 30 on a letter (Unicode Standard Annex 15, stream-safe text format).
    """
    marks = "".join(c for c in map(chr, range(0x300, 0x1F000)) if unicodedata.combining(c))
    return re.compile(f"([{marks}]{{{MOST_MARKS}}})[{marks}]+")


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
