"""Where the words that were asked for stand in a text: pieces of it, each with whether it is to be marked."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from silian.text.words import HAN, normalise

BEFORE: Final = 24  # characters of a text shown before the first word found
LENGTH: Final = 130  # characters shown of a text
_WORD: Final = re.compile(rf"[^\W_{HAN}]+|[{HAN}]+")


class Piece(NamedTuple):
    """A part of a text."""

    text: str
    is_found: bool


def marked(text: str, words: tuple[str, ...]) -> list[Piece]:
    """A text in pieces, the words that were asked for apart.

    Words are found in any spelling: full-width, traditional, with a plural's s.

    Examples
    --------
    >>> [tuple(piece) for piece in marked("鋰電池與 Batteries", ("电池", "battery"))]
    [('鋰', False), ('電池', True), ('與 ', False), ('Batteries', True)]
    """
    folded = normalise(text)
    if len(folded) != len(text):  # places do not agree: the text is shown as it was read
        text = folded
    made, at = [], 0
    for start, end in _spans(folded, words):
        if start > at:
            made.append(Piece(text[at:start], is_found=False))
        made.append(Piece(text[start:end], is_found=True))
        at = end
    return [*made, Piece(text[at:], is_found=False)] if at < len(text) else made


def excerpt(text: str, words: tuple[str, ...]) -> list[Piece]:
    """The part of a text around the first word that was asked for, in pieces; nothing where none stands in it."""
    flat = " ".join(text.split())
    spans = _spans(normalise(flat), words)
    if not spans:
        return []
    start = max(0, spans[0][0] - BEFORE)
    part = flat[start : start + LENGTH]
    return marked(("…" if start else "") + part + ("…" if start + LENGTH < len(flat) else ""), words)


def _spans(folded: str, words: tuple[str, ...]) -> list[tuple[int, int]]:
    pattern = _pattern(words)
    return [found.span() for found in pattern.finditer(folded)] if pattern else []


@lru_cache(maxsize=256)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str] | None:
    either = []
    for word in words:
        parts = _WORD.findall(word)
        if parts:
            either.append(r"[\W_]*".join(_part(part) for part in parts))
    return re.compile("|".join(either), re.IGNORECASE) if either else None


def _part(part: str) -> str:
    if not part.isascii():
        return re.escape(part)
    ending = r"(?:s|es)?" if part.isalpha() else ""
    stem = re.escape(part)
    if part.isalpha() and part.endswith("y"):
        stem = rf"{re.escape(part[:-1])}(?:y|ie)"
    return rf"(?<![^\W_{HAN}]){stem}{ending}(?![^\W_{HAN}])"
