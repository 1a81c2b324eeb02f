"""Texts into the tokens that BERT-type models were trained on, from the files of a local folder."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LONGEST_WORD: Final = 100  # characters; a longer one counts as unknown, as BERT has it
UNKNOWN_COST: Final = 10.0  # below the rarest piece of a unigram model, as SentencePiece has it
_CJK: Final = (
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002a6df\U0002a700-\U0002b81f\U0002b820-\U0002ceaf"
    "\U0002f800-\U0002fa1f"
)  # each a word of its own


class Tokens(Protocol):
    """What cuts texts for a model."""

    @property
    def size(self) -> int:
        """How many tokens there are."""

    def cut(self, texts: Sequence[str], limit: int) -> list[list[int]]:
        """Token ids of each text, the marks of begin and end included, at most `limit`: what is beyond is not read."""


@dataclass(frozen=True, slots=True)
class WordPiece:
    """BERT's tokens: words between blanks and punctuation, each cut greedily into the longest known pieces.

    Source: Devlin et al. (2019), BERT; the reference program's BasicTokenizer and WordpieceTokenizer.
    """

    place: Mapping[str, int]
    lower: bool
    plain: bool  # accents are taken off
    by_character: bool  # Chinese characters are words of their own
    first: int
    last: int
    unknown: int

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return 1 + max(self.place.values())

    def cut(self, texts: Sequence[str], limit: int) -> list[list[int]]:
        """Token ids."""
        known: dict[str, list[int]] = {}
        split = _word_pattern(by_character=self.by_character).findall
        made = []
        for text in texts:
            ids: list[int] = []
            for word in split(self._spelled(text)):
                if word not in known:
                    known[word] = self._pieces(word)
                ids += known[word]
                if len(ids) >= limit - 2:
                    break
            made.append([self.first, *ids[: limit - 2], self.last])
        return made

    def _spelled(self, text: str) -> str:
        if self.plain:
            text = "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
        return text.lower() if self.lower else text

    def _pieces(self, word: str) -> list[int]:
        if len(word) > LONGEST_WORD:
            return [self.unknown]
        ids: list[int] = []
        at = 0
        while at < len(word):
            mark = "##" if at else ""
            end = next((e for e in range(len(word), at, -1) if mark + word[at:e] in self.place), None)
            if end is None:
                return [self.unknown]
            ids.append(self.place[mark + word[at:end]])
            at = end
        return ids


@dataclass(frozen=True, slots=True)
class Unigram:
    """SentencePiece's tokens: the likeliest cut of each word between blanks.

    Source: Kudo (2018), Subword regularization. Spelling follows NFKC, which SentencePiece's own table extends by a few
    signs; texts that are normalised already are cut alike.
    """

    place: Mapping[str, int]
    chance: Sequence[float]  # ln of each piece's share
    floor: float  # of a character that is no piece
    longest: int
    first: int
    last: int
    unknown: int

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return 1 + max(self.place.values())

    def cut(self, texts: Sequence[str], limit: int) -> list[list[int]]:
        """Token ids."""
        known: dict[str, list[int]] = {}
        made = []
        for text in texts:
            ids: list[int] = []
            for word in unicodedata.normalize("NFKC", text).split():
                if word not in known:
                    known[word] = self._likeliest("▁" + word)
                ids += known[word]
                if len(ids) >= limit - 2:
                    break
            made.append([self.first, *ids[: limit - 2], self.last])
        return made

    def _likeliest(self, word: str) -> list[int]:
        """Viterbi over the places between characters; unknown characters in a row are one token."""
        best = [0.0] + [float("-inf")] * len(word)
        back: list[tuple[int, int]] = [(0, 0)] * (len(word) + 1)
        for end in range(1, len(word) + 1):
            for at in range(max(0, end - self.longest), end):
                piece = self.place.get(word[at:end])
                if piece is None and at < end - 1:
                    continue
                code, gain = (self.unknown, self.floor) if piece is None else (piece, self.chance[piece])
                if best[at] + gain > best[end]:
                    best[end], back[end] = best[at] + gain, (at, code)
        ids: list[int] = []
        end = len(word)
        while end:
            end, code = back[end]
            if not (ids and code == ids[-1] == self.unknown):
                ids.append(code)
        return ids[::-1]


def read_tokens(folder: Path) -> Tokens | str:
    """What cuts texts for the model of a folder, or why its files cannot be used here.

    Raises
    ------
    OSError, ValueError, KeyError, TypeError : the files are not what they should be.
    """
    told = folder / "tokenizer.json"
    if told.is_file():
        return _of_json(json.loads(told.read_text(encoding="utf-8")))
    if (folder / "vocab.txt").is_file():
        lines = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")
        settings = folder / "tokenizer_config.json"
        known = json.loads(settings.read_text(encoding="utf-8")) if settings.is_file() else {}
        lower = bool(known.get("do_lower_case", True))
        plain = known.get("strip_accents")
        place = {piece.rstrip("\r"): i for i, piece in enumerate(lines) if piece}
        return _word_piece(
            place, lower=lower, plain=plain, by_character=bool(known.get("tokenize_chinese_chars", True))
        )
    return "holds neither tokenizer.json nor vocab.txt"


def _of_json(told: Mapping[str, Any]) -> Tokens | str:
    model, spelling = told["model"], told.get("normalizer") or {}
    if model.get("type") == "Unigram":
        pieces = model["vocab"]
        place = {piece: i for i, (piece, _) in enumerate(pieces)}
        first, last = (next(place[m] for m in marks if m in place) for marks in (("<s>", "[CLS]"), ("</s>", "[SEP]")))
        longest = max(len(piece) for piece in place)
        chance = [float(c) for _, c in pieces]
        return Unigram(place, chance, min(chance) - UNKNOWN_COST, longest, first, last, int(model["unk_id"]))
    if model.get("type", "WordPiece") == "WordPiece" and spelling.get("type") == "BertNormalizer":
        return _word_piece(
            model["vocab"], lower=bool(spelling["lowercase"]), plain=spelling.get("strip_accents"),
            by_character=bool(spelling["handle_chinese_chars"]),
        )  # fmt: skip
    return f"cuts words by {model.get('type')} after {spelling.get('type')}"


def _word_piece(place: Mapping[str, int], *, lower: bool, plain: bool | None, by_character: bool) -> WordPiece:
    return WordPiece(
        place, lower, lower if plain is None else bool(plain), by_character,
        first=place["[CLS]"], last=place["[SEP]"], unknown=place["[UNK]"],
    )  # fmt: skip


@cache
def _word_pattern(*, by_character: bool) -> re.Pattern[str]:
    """A mark of punctuation, a Chinese character, or a run of anything else that is no blank."""
    marks = [c for c in map(chr, range(sys.maxunicode + 1)) if _is_mark(c)]
    alone = re.escape("".join(marks)) + (_CJK if by_character else "")
    return re.compile(rf"[{alone}]|[^\s{alone}]+")


def _is_mark(c: str) -> bool:
    if c < "\x80":
        return c.isprintable() and not c.isalnum() and c != " "
    return unicodedata.category(c).startswith("P")
