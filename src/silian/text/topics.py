"""Topics of people: the phrases that stand in a person's texts far more often than in the texts of all."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from silian.text.words import is_han

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from silian.text.words import Bags

LONGEST: Final = 3  # words of a phrase
LEAST: Final = 3  # texts that must hold a phrase: what fewer hold names nothing that others look for
MOST: Final = 0.1  # share of the texts; what more hold tells nobody apart
COHESION: Final = 0.35  # normalised pointwise mutual information from which words are one phrase
SHORTEST: Final = 2  # signs
MOST_SIGNS: Final = 24


@dataclass(frozen=True, slots=True)
class Phrases:
    """Which phrases stand in which texts, each once a text."""

    names: tuple[str, ...]
    words: np.ndarray  # int64 (phrases, LONGEST): words of each as places in the vocabulary; -1 behind the last
    text: np.ndarray  # int64 (pairs,)
    phrase: np.ndarray  # int64 (pairs,): place in names


def find_phrases(bags: Bags) -> Phrases:
    """All runs of 1 to 3 words that touch.

    Examples
    --------
    >>> from silian.text import segment
    >>> find_phrases(segment(["锂电池 隔膜涂覆"])).names
    ('涂覆', '锂电池', '隔膜', '隔膜涂覆')
    """
    order = bags.order
    texts = np.repeat(np.arange(len(bags)), np.diff(np.append(0, bags.ends)))
    runs, at = [], []
    for n in range(1, LONGEST + 1):
        starts = np.arange(max(0, len(order) - n + 1))
        whole = np.stack([order[k : k + len(starts)] for k in range(n)], axis=1)
        is_run = (whole >= 0).all(axis=1)
        if n > 1:
            is_run &= texts[: len(starts)] == texts[n - 1 : n - 1 + len(starts)]
        padded = np.full((int(is_run.sum()), LONGEST), -1, dtype=np.int64)
        padded[:, :n] = whole[is_run]
        runs.append(padded)
        at.append(texts[: len(starts)][is_run])
    width = len(bags.vocabulary) + 1
    code = [((r[:, 0] + 1) * width + r[:, 1] + 1) * width + r[:, 2] + 1 for r in runs]
    codes, place = np.unique(np.concatenate(code), return_inverse=True)
    words = np.stack([codes // width**2, codes // width % width, codes % width], axis=1) - 1
    names = [_named([bags.vocabulary[w] for w in row if w >= 0]) for row in words.tolist()]
    kept, one = _each_name_once(names, (words >= 0).sum(axis=1))
    pairs = np.unique(np.concatenate(at) * max(1, len(kept)) + one[place])
    found = tuple(names[i] for i in kept.tolist())
    return Phrases(found, words[kept], pairs // max(1, len(kept)), pairs % max(1, len(kept)))


def _each_name_once(names: Sequence[str], size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Phrases that are cut differently and read alike are one: that of the fewest words. Which stay; place of each."""
    first: dict[str, int] = {}
    for i in np.argsort(size, kind="stable").tolist():
        first.setdefault(names[i], i)
    kept = np.array(sorted(first.values()), dtype=np.int64)
    place = {names[i]: at for at, i in enumerate(kept.tolist())}
    return kept, np.fromiter((place[name] for name in names), dtype=np.int64, count=len(names))


def count_phrases(phrases: Phrases, texts: int, *, titles: Phrases | None = None) -> dict[str, int]:
    """The phrases of a corpus that can be topics, and how many of its texts hold each.

    A phrase stands in 3 texts and in no more than a tenth of them, and its words go together: their normalised
    pointwise mutual information (Bouma 2009) is at least 0.35.

    Parameters
    ----------
    titles : only what stands in one of these is a topic: a title names its matter, a text also says things of it

    Examples
    --------
    >>> from silian.text import segment
    >>> told = ["锂电池隔膜", "锂电池隔膜涂覆", "锂电池隔膜"] + ["轴承"] * 40
    >>> count_phrases(find_phrases(segment(told)), 43)
    {'锂电池': 3, '锂电池隔膜': 3, '隔膜': 3}
    """
    held = np.bincount(phrases.phrase, minlength=len(phrases.names))
    lone = phrases.words[:, 1] < 0
    of_word = np.ones(int(phrases.words.max(initial=0)) + 2)
    of_word[phrases.words[lone, 0]] = held[lone]
    share = np.where(phrases.words >= 0, of_word[phrases.words] / texts, 1.0)
    size = (phrases.words >= 0).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.log(held / texts)
        mutual = (own - np.log(share).sum(axis=1)) / (-own * np.maximum(1, size - 1))
    kept = (held >= LEAST) & (held <= max(LEAST, MOST * texts)) & (lone | (mutual >= COHESION))
    found, among = {}, None if titles is None else frozenset(titles.names)
    for i in np.flatnonzero(kept).tolist():
        name = phrases.names[i]
        if SHORTEST <= len(name) <= MOST_SIGNS and (among is None or name in among):
            found[name] = int(held[i])
    return dict(sorted(found.items()))


def weigh(
    phrases: Phrases, owner: Sequence[int], counts: Mapping[str, int], texts: int, *, most: int
) -> dict[int, list[tuple[str, float, int]]]:
    """The topics of owners of texts: name, weight, number of the owner's texts that hold it; the weightiest first.

    Parameters
    ----------
    owner : whose each text is
    counts, texts : of the corpus: as `count_phrases` gives it, and how many texts it has
    most : topics of an owner

    Notes
    -----
    The raw weight is p ln(p / q), p = (texts of the owner that hold it) / (texts of the owner + 1), q = its share of
    the corpus; times 1 + 0.3 for each word after the first, since a longer phrase says more. It is given as a share of
    the owner's largest. Of phrases that share a word the weightiest stays. Ties go by name.
    Source: docs/methods/topics.md.
    """
    of = np.asarray(owner, dtype=np.int64)
    known = np.array([name in counts for name in phrases.names], dtype=np.bool_)
    kept = known[phrases.phrase] if len(known) else np.zeros(0, np.bool_)
    width = max(1, len(phrases.names))
    pairs, times = np.unique(of[phrases.text[kept]] * width + phrases.phrase[kept], return_counts=True)
    whole = np.bincount(of, minlength=1)
    who, what = pairs // width, pairs % width
    q = np.array([counts.get(name, 1) for name in phrases.names], dtype=np.float64) / texts
    p = times / (whole[who] + 1)
    longer = 1 + 0.3 * ((phrases.words >= 0).sum(axis=1) - 1)
    weight = p * np.log(p / q[what]) * longer[what]
    order = np.lexsort((what, -weight, who))
    found: dict[int, list[tuple[str, float, int]]] = {}
    taken: dict[int, set[int]] = {}
    for i in order.tolist():
        chosen, used = found.setdefault(int(who[i]), []), taken.setdefault(int(who[i]), set())
        own = {w for w in phrases.words[what[i]].tolist() if w >= 0}
        if len(chosen) < most and weight[i] > 0 and not own & used:
            chosen.append((phrases.names[what[i]], float(weight[i]), int(times[i])))
            used |= own
    return {k: [(n, w / rows[0][1], t) for n, w, t in rows] for k, rows in found.items() if rows}


def _named(words: Sequence[str]) -> str:
    """Chinese words close together, others with a blank between."""
    name = words[0]
    for before, word in pairwise(words):
        name += word if is_han(before[-1]) and is_han(word) else f" {word}"
    return name
