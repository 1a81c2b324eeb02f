"""What differs between two texts, piece by piece: characters of Chinese, words of other scripts."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Kind = Literal["same", "gone", "new", "cut"]
TOKEN: Final = re.compile(r"[^\W\u2e80-\u9fff\uf900-\ufaff]+|\s+|.", re.DOTALL)  # a word, white space, one character
SENTENCE: Final = re.compile(r"[^。！？；\n]*[。！？；\n]|[^。！？；\n]+")
MOST_PAIRS: Final = 250_000  # tokens × tokens compared one by one, some 50 ms; else a passage is replaced
CONTEXT: Final = 30  # characters of what stayed that are shown beside what did not


class Piece(NamedTuple):
    """A stretch of text: it stayed, went, came, or stayed and is too long to show."""

    kind: Kind
    text: str


def differences(before: str, after: str) -> list[Piece]:
    """The pieces that lead from one text to the other; long stretches that stayed are cut.

    Sentences are compared first, then what differs between them, so that a text of many pages costs little.

    Examples
    --------
    >>> [tuple(piece) for piece in differences("寻找涂层专家", "寻找纳米涂层专家 2 名")]
    [('same', '寻找'), ('new', '纳米'), ('same', '涂层专家'), ('new', ' 2 名')]
    """
    old, new = SENTENCE.findall(before), SENTENCE.findall(after)
    if len(old) * len(new) > MOST_PAIRS:
        old, new = [before], [after]
    pieces: list[Piece] = []
    for kind, gone, came in _compared(old, new):
        if kind == "equal":
            pieces.append(Piece("same", "".join(gone)))
        else:
            pieces += _within("".join(gone), "".join(came))
    return list(_shortened(_joined(pieces)))


def _compared(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, Sequence[str], Sequence[str]]]:
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        yield kind, old[i:j], new[k:m]


def _within(before: str, after: str) -> list[Piece]:
    """Token by token; what stayed of one character between two changes is not worth breaking them for."""
    old, new = TOKEN.findall(before), TOKEN.findall(after)
    if len(old) * len(new) > MOST_PAIRS:
        return [Piece("gone", before), Piece("new", after)]
    pieces: list[Piece] = []
    runs = list(_compared(old, new))
    for place, (kind, gone, came) in enumerate(runs):
        stayed = "".join(gone)
        is_crumb = kind == "equal" and len(stayed) == 1 and 0 < place < len(runs) - 1
        if kind == "equal" and not is_crumb:
            pieces.append(Piece("same", stayed))
        else:
            pieces += [Piece("gone", stayed), Piece("new", "".join(came))]
    return pieces


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Neighbours put together: between two stretches that stayed one that went and one that came, at most."""
    made: list[Piece] = []
    gone = came = ""
    for piece in [*pieces, Piece("same", "")]:
        if piece.kind == "gone":
            gone += piece.text
        elif piece.kind == "new":
            came += piece.text
        else:
            made += [found for found in (Piece("gone", gone), Piece("new", came)) if found.text]
            gone = came = ""
            if made and made[-1].kind == "same":
                made[-1] = Piece("same", made[-1].text + piece.text)
            elif piece.text:
                made.append(piece)
    return made


def _shortened(pieces: list[Piece]) -> Iterator[Piece]:
    last = len(pieces) - 1
    for place, piece in enumerate(pieces):
        head = CONTEXT if place > 0 else 0
        tail = CONTEXT if place < last else 0
        if piece.kind != "same" or len(piece.text) <= head + tail + CONTEXT or last == 0:
            yield piece
            continue
        if head:
            yield Piece("same", piece.text[:head])
        yield Piece("cut", piece.text[head : len(piece.text) - tail])
        if tail:
            yield Piece("same", piece.text[-tail:])
