"""What node a phrase may be: candidates with what speaks for them."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Final

from silian.engines.link.phrases import EMPTY, is_generic, peeled
from silian.engines.link.wording import LAST_HEADS, SERVING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from silian.engines.link.index import Index


@dataclass(frozen=True, slots=True)
class Candidate:
    """A form of the catalogue that a reading of a name has as a whole or as its head."""

    form: str
    why: str  # equal, cleaned, alias, kind_of, gapped, last
    nodes: tuple[int, ...]
    covered: float = 1.0  # share of the reading that the form and the words around it take up
    at_word: bool = True  # whether the head begins where a word begins
    modifier: str = ""  # what stands before the head
    reading: int = 0  # 0: the name as it stands
    taken: str = ""  # the strongest kind of words that were peeled off, see `phrases.peeled`


def exact(part: str, key: str, index: Index) -> Candidate | None:
    """The node whose name is the part as it stands, in its letters or but for marks and script."""
    if part in index.written:
        return Candidate(key, "equal", index.written[part])
    if key in index.named:
        return Candidate(key, "cleaned", index.named[key])
    if key in index.other:
        return Candidate(key, "alias", index.other[key])
    return None


def class_of(key: str, index: Index) -> Candidate | None:
    """The longest end of a key that is a product but says too little to be linked: 办公设备 is some 设备."""
    for at in range(1, len(key) - 1):
        form = key[at:]
        if index.nodes(form) and is_generic(form) and form not in EMPTY:
            return Candidate(form, "class", index.nodes(form), modifier=key[:at])
    return None


def of_reading(key: str, starts: set[int], number: int, index: Index) -> Iterator[Candidate]:
    """Candidates of a reading: what is left without the words around it, then its heads."""
    if _is_served(key, index):
        return
    for core, taken in peeled(key):
        is_bare = core in EMPTY or (taken and is_generic(core))
        if (core != key or number) and index.nodes(core) and not is_bare:
            why = "cleaned" if core in index.named else "alias"
            yield Candidate(core, why, index.nodes(core), reading=number, taken=taken)
        if taken in ("", "frame"):
            yield from _last_heads(core, number, index)
        offset = key.find(core)
        inside = {at - offset for at in starts if 0 < at - offset < len(core)} if offset >= 0 else set()
        around = len(key) - len(core)
        heads = index.heads(core)
        for at in dict.fromkeys([*heads[:1], *[at for at in heads if at in inside][:1]]):
            covered = min((len(core) - at + around) / len(key), 1.0)
            form = core[at:]
            yield Candidate(form, "kind_of", index.nodes(form), covered, at in inside, core[:at], number, taken)
        longest = len(core) - heads[0] if heads else 0
        for form, modifier in _gapped(core, sorted({0, *inside}), index):
            if len(form) > longest and form.endswith(core[len(core) - longest :] if longest else ""):
                covered = min((len(form) + around) / len(key), 1.0)
                yield Candidate(
                    form, "gapped", index.nodes(form), covered, modifier=modifier, reading=number, taken=taken
                )


def _last_heads(core: str, number: int, index: Index) -> Iterator[Candidate]:
    for head in sorted(LAST_HEADS):
        if core.endswith(head) and len(core) > len(head) + 1 and index.nodes(head):
            share, before = len(head) / len(core), core[: -len(head)]
            yield Candidate(head, "last", index.nodes(head), covered=share, modifier=before, reading=number)


def _is_served(key: str, index: Index) -> bool:
    """Whether a service comes first and what it is done to stands behind: 出租房屋, not 检测设备 or 运输."""
    for size in range(min(4, len(key) - 2), 0, -1):
        if key[:size] in SERVING:
            return not is_generic(key[size:]) and bool(index.nodes(key[size:]))
    return False


def _gapped(core: str, starts: list[int], index: Index) -> list[tuple[str, str]]:
    """The longest form made of a run of words and the last word or two, with what stands before the run."""
    found = []
    for tail in starts[-2:]:
        before = [at for at in starts if at < tail]
        for i, start in enumerate(before):
            for end in before[i + 1 :]:
                form = core[start:end] + core[tail:]
                if index.nodes(form) and not is_generic(form):
                    found.append((form, core[:start]))
    return sorted(found, key=lambda f: -len(f[0]))[:1]


def signs(found: Candidate, index: Index) -> tuple[float, ...]:
    """What speaks for a candidate, in the order of SIGNS."""
    ends, begins = index.ends.get(found.form, 0), index.begins.get(found.form, 0)
    is_head = found.why in ("kind_of", "gapped", "last")
    return (
        1.0,
        float(is_head),
        float(found.taken in ("making", "trading") and not is_head),
        float(found.taken in ("making", "trading") and is_head),
        float(found.reading > 0),
        float(min(len(found.form), 6)),
        found.covered,
        float(is_head and not found.at_word),
        is_head * log(1 + ends),
        is_head * (ends + 1) / (ends + begins + 2),
        float(is_head and len(found.modifier) == 1),
        float(is_head and found.modifier in index.openings),
        float(found.why == "gapped"),
        float(is_head and len(found.form) == 1),
        float(found.why == "last"),
        float(found.taken == "service"),
        float(found.taken == "synonym"),
    )


SIGNS: Final = (
    "one",
    "head",
    "activity",
    "head of an activity",
    "other reading",
    "length",
    "covered",
    "inside a word",
    "ends",
    "rather ends",
    "short modifier",
    "known modifier",
    "gapped",
    "one character",
    "last",
    "service",
    "synonym",
)
