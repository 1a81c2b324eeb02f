"""Product names taken apart: cleaned, lists split, brackets and dashes read, frames peeled off."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from silian.engines.link import wording
from silian.text import normalise_all
from silian.text.words import HAN, pieces

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

_MARKS: Final = re.compile(r"[\W_]+")
_LETTER: Final = re.compile(r"[^\W_]")
_INSIDE: Final = re.compile(
    r"[(（\[【〔{<《「“\"']([^()（）\[\]【】〔〕{}<>《》「」“”\"']*)(?:[)）\]】〕}>》」”\"']|$)"
)
_LIST: Final = re.compile(r"[、，,；;/&＋|。]|(?<=[^\d\W])\+(?=[^\d\W])")
_JOINING: Final = ("以及", "及其", "和", "与", "及", "或")
_DASH: Final = re.compile(r"[-—–－:：]+")
_TYPE: Final = re.compile(rf"(?<=[{HAN}])[A-Za-z0-9]+$")  # a type or grade behind a name
_NUMBERED: Final = re.compile(rf"^(?:[^\w]+|[（(]?\d{{1,2}}[)）.、]+|[①-⑳]|[0-9]{{1,5}}(?=[{HAN}]))+")
_BEHIND: Final = (
    ("frame", wording.FRAMES),
    ("service", wording.SERVICES),
    ("making", wording.MAKING),
    ("trading", wording.TRADING),
)
_BEFORE: Final = (("frame", wording.OPENINGS), ("making", wording.MAKING_FIRST), ("trading", wording.TRADING_FIRST))
_LONGEST_WORD: Final = max(len(word) for _, words in (*_BEHIND, *_BEFORE) for word in words)


def product_key(names: Sequence[str | None]) -> list[str]:
    """What is left of product names for comparing: simplified, half-width, small letters, without blanks and marks."""
    return [squeezed(name) for name in normalise_all(names)]


def squeezed(clean: str) -> str:
    """A normalised name without marks, in small letters."""
    return _MARKS.sub("", clean).lower()


def parts(clean: str, is_known: Container[str]) -> list[str]:
    """The pieces of a list inside a normalised name; the name itself where it is known or no list."""
    if squeezed(clean) in is_known:
        return [clean]
    found = []
    for piece in _apart(clean):
        found += [piece] if squeezed(piece) in is_known else _joined_parts(piece)
    return [piece for piece in map(str.strip, found) if _LETTER.search(piece)] or [clean]


def _apart(clean: str) -> Iterator[str]:
    """Pieces between list marks that stand outside of brackets."""
    depth, start = 0, 0
    marks = {m.start() for m in _LIST.finditer(clean)}
    for at, sign in enumerate(clean):
        depth += (sign in "(（[【") - (sign in ")）]】")
        if at in marks and depth <= 0:
            yield clean[start:at]
            start = at + 1
    yield clean[start:]


def _joined_parts(piece: str) -> list[str]:
    """Pieces between words for "and" that stand as words of their own, with two characters or more on each side."""
    if not any(word in piece for word in _JOINING):
        return [piece]
    cut = pieces([piece])
    found, now = [""], 0
    for code, length in zip(cut.codes.tolist(), cut.lengths.tolist(), strict=True):
        word, before, after = cut.table[code], piece[:now], piece[now + length :]
        is_open = before.count("(") + before.count("（") > before.count(")") + before.count("）")
        if word in _JOINING and len(before) >= 2 and len(after) >= 2 and not is_open:
            found.append("")
        else:
            found[-1] += piece[now : now + length]
        now += length
    return found if all(len(f) >= 2 for f in found) else [piece]


def readings(part: str) -> tuple[str, ...]:
    """Keys of what a part may name, the likeliest first: as it stands, without brackets, behind and before a dash."""
    bare = _NUMBERED.sub("", part) or part
    outside = _INSIDE.sub("", bare)
    tried = [part, bare, outside, _TYPE.sub("", outside)]
    pieces_of = [p for p in _DASH.split(outside) if len(p) >= 2]
    if len(pieces_of) > 1:
        tried += [pieces_of[-1], *pieces_of[:-1]]
    tried += [p for p in _INSIDE.findall(bare) if len(p) >= 2]
    keys = dict.fromkeys(squeezed(t) for t in tried)
    return tuple(k for k in keys if k)


def peeled(key: str) -> Iterator[tuple[str, str]]:
    """A key and what is left of it without the words around the thing, with what was taken.

    Taken is "", frame, synonym, service, making or trading; of several the last of these. Nothing shorter
    than two characters is left.
    """
    yield key, ""
    seen, waiting = {key}, [(key, "")]
    while waiting:
        now, taken = waiting.pop(0)
        for rest, kind in _peeled_once(now):
            if (len(rest) >= 2 or (rest and kind == "frame" and now == rest + "类")) and rest not in seen:
                seen.add(rest)
                strongest = _STRONGER[max(_STRONGER.index(taken), _STRONGER.index(kind))]
                waiting.append((rest, strongest))
                yield rest, strongest


_STRONGER: Final = ("", "frame", "synonym", "service", "making", "trading")


def _peeled_once(key: str) -> Iterator[tuple[str, str]]:
    for size in range(min(_LONGEST_WORD, len(key) - 2), 0, -1):
        tail, head = key[-size:], key[:size]
        for kind, words in _BEHIND:
            if tail in words:
                yield key[:-size], kind
        for kind, words in _BEFORE:
            if head in words:
                yield key[size:], kind
        if tail in wording.REPEATING and key[-size - 1] in wording.THINGS:
            yield key[:-size], "frame"
        if tail in wording.DOING and key[:-size].endswith(tuple(wording.DONE)):
            yield key[:-size], "frame"
        if tail in wording.SAME_TAILS:
            yield key[:-size] + wording.SAME_TAILS[tail], "synonym"


def word_starts(keys: Sequence[str]) -> list[set[int]]:
    """For each key the places where a word begins."""
    cut = pieces(keys)
    found = []
    for start, end in pairwise([0, *cut.ends.tolist()]):
        now, here = 0, set()
        for length in cut.lengths[start:end].tolist():
            here.add(now)
            now += length
        found.append(here)
    return found


# Left alone after peeling they are no thing.
EMPTY: Final = (
    wording.FRAMES | wording.SERVICES | wording.MAKING | wording.TRADING | wording.OPENINGS | wording.BLAND
) - frozenset(("工程", "机械", "终端"))


def is_books(clean: str) -> bool:
    """Whether a name speaks of the books of a firm and of no product."""
    key = squeezed(clean)
    return key in wording.BOOKS_WHOLE or any(word in key for word in wording.BOOKS)


def is_generic(key: str) -> bool:
    """Whether a head says too little to be linked: a generic word, or bland words before one."""
    if key in wording.GENERIC:
        return True
    return any(key[:size] in wording.BLAND and is_generic(key[size:]) for size in range(1, len(key)))
