"""How likely two records stand for one thing, and why. See docs/methods/duplicates.md for what it was measured at."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from silian.web.catalog.duplicates.blocking import sound
from silian.web.catalog.models import Reason

if TYPE_CHECKING:
    from silian.web.catalog.duplicates.blocking import Told

SHOWN: Final = 0.6  # what is less likely is told to nobody
_FIGURES: Final = re.compile(r"\d+(?:\.\d+)?|[〇一二三四五六七八九十]+[号期代]")


class Likeness(NamedTuple):
    """How likely two records are one, in [0, 1], and what speaks for and against it, the strongest first."""

    confidence: float
    reasons: tuple[Reason, ...]


def compare(noun: str, one: Told, other: Told) -> Likeness:
    """Compare two records of a noun by what they are known by.

    Examples
    --------
    >>> from silian.web.catalog.duplicates.blocking import told_of
    >>> pair = told_of("organisations", [{"name": "四链（苏州）有限公司"}, {"name": "四链(苏州)有限公司"}])
    >>> found = compare("organisations", *pair)
    >>> found.confidence, [r.value for r in found.reasons]
    (0.95, ['marks'])
    """
    found = {"organisations": _bodies, "experts": _persons}.get(noun, _things)(noun, one, other)
    return Likeness(round(max(0.0, min(found.confidence, 1.0)), 3), tuple(dict.fromkeys(found.reasons)))


def share(one: str, other: str, width: int = 2) -> float:
    """The share of runs of signs that two texts have in common, of all that either has."""
    if not one or not other:
        return 0.0
    a, b = _runs(one, width), _runs(other, width)
    both = len(a & b)
    return both / (len(a) + len(b) - both)


@lru_cache(maxsize=20_000)  # a record meets many others in turn
def _runs(text: str, width: int) -> frozenset[str]:
    return frozenset(text[i : i + width] for i in range(max(1, len(text) - width + 1)))


def _name(one: Told, other: Told) -> Likeness:
    """By the name alone: the strongest of what holds."""
    if not one.key or not other.key:
        return Likeness(0.0, ())
    is_same, is_core, alike = one.key == other.key, one.core == other.core, share(one.core, other.core)
    is_heard = len(one.core) == len(other.core) > 2 and sound(one.core) == sound(other.core)
    rules = (
        (is_same and one.name == other.name, 0.97, Reason.NAME),
        (is_same and unmarked(one.name) == unmarked(other.name), 0.95, Reason.MARKS),
        (is_same, 0.93, Reason.FORM),
        (one.key in other.others or other.key in one.others, 0.9, Reason.FORMER),
        (is_core, 0.85, Reason.FORM),
        (sorted(one.core) == sorted(other.core), 0.82, Reason.ORDER),
        (is_heard, 0.78, Reason.SOUND),
        (alike >= 0.5, 0.4 + 0.4 * alike, Reason.ALIKE),
    )
    return next((Likeness(score, (why,)) for holds, score, why in rules if holds), Likeness(0.4 * alike, ()))


def _bodies(_noun: str, one: Told, other: Told) -> Likeness:
    """By code, then name; what speaks against it lowers it."""
    score, reasons = _name(one, other)
    if one.codes & other.codes:
        is_clear = one.is_branch == other.is_branch and (not one.is_branch or score >= 0.8)
        return Likeness(1.0 if is_clear else 0.3, (Reason.CODE, *reasons))
    if one.is_branch != other.is_branch:
        score = min(score, 0.3)
    if one.codes and other.codes:
        score, reasons = score * 0.55, (*reasons, Reason.OTHER_CODE)
    if one.is_branch and one.org != other.org:
        score, reasons = score * 0.5, (*reasons, Reason.OTHER_ORG)
    if score < 0.9 and _figures(one) != _figures(other):
        score, reasons = score * 0.7, (*reasons, Reason.FIGURES)
    if one.place and other.place and one.place != other.place:
        score, reasons = score - (0.1 if score >= 0.85 else 0.2), (*reasons, Reason.OTHER_PLACE)
    return Likeness(score, reasons)


def _persons(_noun: str, one: Told, other: Told) -> Likeness:
    if one.codes & other.codes:
        return Likeness(1.0, (Reason.ORCID,))
    is_named = bool(one.key and one.key == other.key) or bool(set(one.others) & set(other.others))
    is_heard = bool(one.key and other.key) and sound(one.key) == sound(other.key)
    if not (is_named or is_heard):
        return Likeness(0.0, ())
    if one.codes and other.codes:
        return Likeness(0.1, (Reason.NAME, Reason.OTHER_CODE))
    reasons = [Reason.NAME if is_named else Reason.SOUND]
    score = 0.6 if is_named else 0.3
    for mine, theirs, reason, gain, loss in (
        (one.org, other.org, Reason.ORG, 0.3, 0.3), (one.field, other.field, Reason.FIELD, 0.08, 0.1),
    ):  # fmt: skip
        if mine and mine == theirs:
            score += gain
            reasons.append(reason)
        elif mine and theirs:
            score -= loss
            reasons += [Reason.OTHER_ORG] if reason == Reason.ORG else []
    if share(one.text, other.text, 3) > 0.5:
        score += 0.3
        reasons.append(Reason.TEXT)
    return Likeness(score, tuple(reasons))


def _things(noun: str, one: Told, other: Told) -> Likeness:
    named = _name(one, other)
    text = share(one.text, other.text, 3) if min(len(one.text), len(other.text)) > 20 else None
    reasons = list(named.reasons)
    score = named.confidence
    if text is not None:
        if text >= 0.5:
            reasons.append(Reason.TEXT)
        # one text may be a shortened copy of the other: what the name says still counts
        score = max(0.75 * text + 0.2, 0.6 * score + 0.4 * text) if text >= 0.3 else 0.65 * score
    if one.org and other.org:
        # two organisations may each have a laboratory of one name; what they own is not one thing
        score = score + 0.05 if one.org == other.org else score * (0.6 if noun == "facilities" else 0.8)
        reasons.append(Reason.ORG if one.org == other.org else Reason.OTHER_ORG)
    if _figures(one) != _figures(other):
        score *= 0.7
        reasons.append(Reason.FIGURES)
    if one.codes & other.codes:
        return Likeness(max(score, 0.95), (Reason.NUMBER, *reasons))
    if one.codes and other.codes:
        return Likeness(score * 0.6, (*reasons, Reason.OTHER_CODE))
    return Likeness(score, tuple(reasons))


def _figures(told: Told) -> list[str]:
    return sorted(_FIGURES.findall(told.key))


def unmarked(name: str) -> str:
    """A name without blanks and brackets, whatever their width."""
    return re.sub(r"[\W_]+", "", name).lower()
