"""Terms that texts explain themselves: 锁相环（phase-locked loop，PLL）, 科学技术协会（简称科协）."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

import polars as pl

from silian.errors import ArgumentError
from silian.text.terms import COLUMNS
from silian.text.words import HAN, normalise_all, pieces, stop_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LONGEST: Final = 12  # characters of a Chinese name
CLEAR: Final = 0.6  # share of the places of a form that must agree on its Chinese name
_CALLED: Final = "(?:以下)?(?:简称|又称|也称|亦称|俗称|又名|英文名?|英文缩写|缩写|即)为?"
_BRACKET: Final = re.compile(
    rf"([{HAN}]{{2,{LONGEST}}})[“”\"]?[（(]({_CALLED})?[：:“\" ]*([^（()）]{{2,60}}?)[”\" ]*[）)]"
)
_PLAIN: Final = re.compile(
    rf"([{HAN}]{{2,{LONGEST}}})，?({_CALLED})[“\" ]*([{HAN}]{{2,6}}|[A-Z]{{2,6}})[”\" ]*(?=[，。；、])"
)
_APART: Final = re.compile("[,，;；、/]")
_FOREIGN: Final = re.compile(r"[A-Za-z][A-Za-z]+(?:-[A-Za-z]+)*(?:[ -][A-Za-z]+(?:-[A-Za-z]+)*){0,5}")
_ROMAN: Final = re.compile("[IVXivx]+")


def learn_terms(texts: Iterable[str | None], *, least: int = 3) -> pl.DataFrame:
    """Terms that texts explain in brackets or by 又称, 简称 and the like.

    Parameters
    ----------
    texts : of a corpus; None counts as empty
    least : different texts that must explain a form, at least 1

    Returns
    -------
    zh, en (list: names in words), synonyms (list: abbreviations and Chinese names), count (texts that explain the most
        frequent form); one row per Chinese name, sorted by it. `Terms.of` reads it, after somebody has looked at it.

    Raises
    ------
    ArgumentError : argument.value where least is below 1.

    Notes
    -----
    Where the Chinese name begins is not marked. It is the longest run of words before the bracket that at least 0.6
    of the places of a form agree on, and that holds no stop word. Deterministic. Cost: that of cutting the texts.

    Examples
    --------
    >>> learn_terms(["采用锁相环（phase-locked loop，PLL）", "低抖动锁相环（PLL）", "数字锁相环（PLL）"]).rows()
    [('锁相环', [], ['PLL'], 3)]
    """
    if least < 1:
        raise ArgumentError("argument.value", name="least", found=least, wanted="1 or more")
    found = sorted(set(_explained(normalise_all(texts))))
    by_form: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for row, before, form in found:
        by_form[form].append((row, before))
    frequent = {f: places for f, places in by_form.items() if len({row for row, _ in places}) >= least}
    named = _names(sorted({before for places in frequent.values() for _, before in places}))
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    for form, places in frequent.items():
        zh = _agreed([named[before] for _, before in places], [before for _, before in places])
        if zh and zh != form:
            rows[zh][form] = len({row for row, _ in places})
    told = [_row(zh, rows[zh]) for zh in sorted(rows)]
    return pl.DataFrame(told, schema={**COLUMNS, "count": pl.Int64()}, orient="row")


def _explained(clean: list[str]) -> Iterator[tuple[int, str, str]]:
    """Text, the Chinese run before, the form that explains it."""
    for row, told in enumerate(clean):
        for before, called, inside in (*_BRACKET.findall(told), *_PLAIN.findall(told)):
            for part in map(str.strip, _APART.split(inside)):
                if _is_name(part) or (_is_chinese(part) and (called or _is_short_for(part, before))):
                    yield row, before, part if part.isupper() or _is_chinese(part) else part.lower()


def _is_name(part: str) -> bool:
    return bool(_FOREIGN.fullmatch(part)) and not _ROMAN.fullmatch(part) and part.lower() not in stop_words()


def _is_chinese(part: str) -> bool:
    return bool(re.fullmatch(f"[{HAN}]{{2,6}}", part))


def _is_short_for(part: str, before: str) -> bool:
    """Whether the characters stand in the run in this order, the last ones near its end: 科协 of 科学技术协会."""
    rest = iter(before)
    return len(part) < len(before) and part[-1] in before[-2:] and all(c in rest for c in part)


def _names(runs: list[str]) -> dict[str, list[str]]:
    """For each run of Chinese characters: what may be the name at its end, longest first."""
    cut, start, found = pieces(runs), 0, {}
    for run, end in zip(runs, cut.ends.tolist(), strict=True):
        kept: list[str] = []
        for code in cut.codes[start:end][::-1].tolist():
            if cut.table[code] in stop_words():
                break
            kept.append(cut.table[code] + (kept[-1] if kept else ""))
        found[run] = [name for name in reversed(kept) if len(name) > 1]
        start = end
    return found


def _agreed(named: list[list[str]], runs: list[str]) -> str | None:
    """The longest name that enough runs end in."""
    for name in sorted({n for names in named for n in names}, key=lambda n: (-len(n), n)):
        if sum(run.endswith(name) for run in runs) >= CLEAR * len(runs):
            return name
    return None


def _row(zh: str, forms: Counter[str]) -> tuple[str, list[str], list[str], int]:
    ordered = sorted(forms, key=lambda f: (-forms[f], f))
    en = [f for f in ordered if not f.isupper() and not _is_chinese(f)]
    return zh, en, [f for f in ordered if f not in en], max(forms.values())
