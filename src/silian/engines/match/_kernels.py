"""Loops of matching over arrays; they know codes, not names. Rows are independent of each other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

LEAST_SHARE = 0.01  # of a score: a term below it goes to the rest


class Lists(NamedTuple):
    """Rows of codes with a value each: row i holds code[ptr[i]:ptr[i + 1]]."""

    ptr: np.ndarray
    code: np.ndarray
    value: np.ndarray


class Sets(NamedTuple):
    """Rows of codes, ascending: row i holds code[ptr[i]:ptr[i + 1]]."""

    ptr: np.ndarray  # int64
    code: np.ndarray  # int32


class Vectors(NamedTuple):
    """Vectors of length 1 as whole numbers: row i is codes[i] × scale[i]; a row without direction is all zeros.

    This is what a score is made of, wherever it is computed: products of whole numbers are the same in every order.
    """

    codes: np.ndarray  # int16 (texts, dimensions)
    scale: np.ndarray  # float64 (texts,)


class Side(NamedTuple):
    """Texts: their words as unit rows of features (codes ascending) and their vectors."""

    words: Lists
    vectors: Vectors


class Groups(NamedTuple):
    """Targets and the units that they rest on."""

    start: np.ndarray  # int64 (targets + 1,)
    weight: np.ndarray  # float64 (units,)
    best: int


class Marks(NamedTuple):
    """Of units, for showing terms: their words of one character (as features) and which words touch each other."""

    alone: Sets
    touching: Sets
    touches: int  # of all units


class Parts(NamedTuple):
    """Codes and parts of the largest terms of each pair (pairs, most; -1 where fewer), the rest, the meaning."""

    term: np.ndarray
    part: np.ndarray
    rest: np.ndarray
    meaning: np.ndarray


@njit(cache=True, nogil=True)
def shared_words(left, i, right, u):  # type: ignore[no-untyped-def]
    """Row i of left · row u of right, in double precision and in the order of the codes."""
    total = 0.0
    a, b = left.ptr[i], right.ptr[u]
    while a < left.ptr[i + 1] and b < right.ptr[u + 1]:
        if left.code[a] == right.code[b]:
            total += np.float64(left.value[a]) * np.float64(right.value[b])
            a += 1
            b += 1
        elif left.code[a] < right.code[b]:
            a += 1
        else:
            b += 1
    return total


@njit(cache=True, nogil=True)
def nearness(left, left_scale, i, right, right_scale, u):  # type: ignore[no-untyped-def]
    """Cosine of row i of left and row u of right, not below 0; the product of the codes is exact."""
    if left.shape[1] == 0:
        return 0.0
    total = np.int64(0)
    for d in range(left.shape[1]):
        total += np.int64(np.int32(left[i, d]) * np.int32(right[u, d]))
    return max(np.float64(total), 0.0) * (left_scale[i] * right_scale[u])


@njit(cache=True, nogil=True)
def lay_out(words, i, weight, factor):  # type: ignore[no-untyped-def]
    """Write factor × the weights of row i of words to weight (features,); factor 0 clears."""
    for k in range(words.ptr[i], words.ptr[i + 1]):
        weight[words.code[k]] = factor * np.float64(words.value[k])


@njit(cache=True, nogil=True)
def weighed_words(weight, ptr, code, value, u):  # type: ignore[no-untyped-def]
    """`shared_words` of a row that is laid out, to the last bit: the zeros between add nothing. Has no branch."""
    total = 0.0
    for k in range(ptr[u], ptr[u + 1]):
        total += weight[code[k]] * np.float64(value[k])
    return total


@njit(cache=True, nogil=True)
def score_pair(  # type: ignore[no-untyped-def]  # noqa: PLR0917
    i, t, weight, codes, scale, ptr, code, word, unit_codes, unit_scale, start, worth, meaning, value, unit
):
    """The score of need i, whose words are laid out in weight, and target t; double precision, fixed order.

    Writes the units that it rests on to unit (best,), ties by unit, -1 where there are fewer; value (best,): room.
    Takes the arrays of needs, units and groups one by one: to take them out of tuples for each pair costs more than
    the score.
    """
    best, first, last = len(value), start[t], start[t + 1]
    for b in range(best):
        value[b], unit[b] = -1.0, -1
    for u in range(first, last):
        words = weighed_words(weight, ptr, code, word, u)
        near = nearness(codes, scale, i, unit_codes, unit_scale, u)
        new, new_unit = worth[u] * ((1.0 - meaning) * words + meaning * near), u
        for b in range(best):
            if new > value[b]:
                new, value[b] = value[b], new
                new_unit, unit[b] = unit[b], new_unit
    total, number = 0.0, min(best, last - first)
    for b in range(number):
        total += value[b] / number
    return min(total, 1.0)


@njit(cache=True, nogil=True)
def exact_scores(need, target, needs, units, groups, meaning, features):  # type: ignore[no-untyped-def]
    """Scores of given pairs (need, target: int64 (n,)) and the units that they rest on, as `score_pair` gives them."""
    score, value, weight = np.zeros(len(need)), np.empty(groups.best), np.zeros(features)
    unit = np.full((len(need), groups.best), -1, np.int64)
    words, vectors = units.words, units.vectors
    for k in range(len(need)):
        lay_out(needs.words, need[k], weight, 1.0)
        score[k] = score_pair(
            need[k], target[k], weight, needs.vectors.codes, needs.vectors.scale, words.ptr, words.code, words.value,
            vectors.codes, vectors.scale, groups.start, groups.weight, meaning, value, unit[k],
        )  # fmt: skip
        lay_out(needs.words, need[k], weight, 0.0)
    return score, unit


@njit(cache=True, nogil=True)
def mark_shared(needs, i, units, u, scale, shared):  # type: ignore[no-untyped-def]
    """Write scale × (product of the weights) of each feature that row i of needs and row u of units share."""
    a, b = needs.ptr[i], units.ptr[u]
    while a < needs.ptr[i + 1] and b < units.ptr[u + 1]:
        if needs.code[a] == units.code[b]:
            shared[needs.code[a]] = scale * np.float64(needs.value[a]) * np.float64(units.value[b])
            a += 1
            b += 1
        elif needs.code[a] < units.code[b]:
            a += 1
        else:
            b += 1


@njit(cache=True, nogil=True)
def owner_of(g, wording, alone, u, shared):  # type: ignore[no-untyped-def]
    """The longest term that holds gram g and that unit u holds too; -1 if there is none."""
    for c in range(wording.covers.ptr[g], wording.covers.ptr[g + 1]):
        term = wording.covers.code[c]
        if wording.is_character[term]:
            feature = wording.tests.code[wording.tests.ptr[term]]
            at = alone.ptr[u]
            while at < alone.ptr[u + 1] and alone.code[at] < feature:
                at += 1
            if at < alone.ptr[u + 1] and alone.code[at] == feature:
                return term
            continue
        holds = True
        for x in range(wording.tests.ptr[term], wording.tests.ptr[term + 1]):
            feature = wording.tests.code[x]
            if feature < 0 or shared[feature] == 0.0:
                holds = False
                break
        if holds:
            return term
    return -1


@njit(cache=True, nogil=True)
def give_out(i, u, wording, alone, shared, times, part, touched, found):  # type: ignore[no-untyped-def]
    """Give the shared features of need i and unit u to terms; returns the rest and the number of terms touched."""
    rest = 0.0
    words, made = wording.words, wording.grams
    for w in range(words.ptr[i], words.ptr[i + 1]):
        for g in range(made.ptr[words.code[w]], made.ptr[words.code[w] + 1]):
            f = made.code[g]
            if shared[f] == 0.0:
                continue
            value = shared[f] * words.value[w] * made.value[g] / times[f]
            owner = owner_of(g, wording, alone, u, shared)
            if owner < 0:
                rest += value
                continue
            if part[owner] == 0.0:
                touched[found] = owner
                found += 1
            part[owner] += value
    return rest, found


@njit(cache=True, nogil=True)
def mark_touches(touches, u, joined, value):  # type: ignore[no-untyped-def]
    """Write value at the touches of unit u."""
    for x in range(touches.ptr[u], touches.ptr[u + 1]):
        joined[touches.code[x]] = value


@njit(cache=True, nogil=True)
def join_phrases(i, wording, joined, part, touched, found):  # type: ignore[no-untyped-def]
    """Move the parts of words that touch in need i and in a unit to the phrase; returns the number of terms touched."""
    for x in range(wording.phrases.ptr[i], wording.phrases.ptr[i + 1]):
        p = wording.phrases.code[x]
        whole = True
        for s in range(wording.seams.ptr[p], wording.seams.ptr[p + 1]):
            whole = whole and joined[wording.seams.code[s]]
        for m in range(wording.members.ptr[p], wording.members.ptr[p + 1]):
            whole = whole and part[wording.members.code[m]] > 0.0
        if not whole:
            continue
        total = 0.0
        for m in range(wording.members.ptr[p], wording.members.ptr[p + 1]):
            total += part[wording.members.code[m]]
            part[wording.members.code[m]] = 0.0
        if part[wording.phrase_term[p]] == 0.0:
            touched[found] = wording.phrase_term[p]
            found += 1
        part[wording.phrase_term[p]] += total
    return found


@njit(cache=True, nogil=True)
def join_longer(wording, part, touched, found):  # type: ignore[no-untyped-def]
    """Move the part of a term to the longest touched term that holds it (电池 to 锂电池)."""
    for x in range(found):
        t = touched[x]
        for s in range(wording.longer.ptr[t], wording.longer.ptr[t + 1]):
            if part[wording.longer.code[s]] > 0.0:
                part[wording.longer.code[s]] += part[t]
                part[t] = 0.0
                break


@njit(cache=True, nogil=True)
def take_largest(part, touched, found, least, term_out, part_out):  # type: ignore[no-untyped-def]
    """Take the largest parts of at least `least` out, ties by code; returns the sum of what is left and clears it."""
    for m in range(len(term_out)):
        chosen = -1
        for x in range(found):
            t = touched[x]
            larger = chosen < 0 or part[t] > part[chosen] or (part[t] == part[chosen] and t < chosen)
            if part[t] > 0.0 and part[t] >= least and larger:
                chosen = t
        if chosen < 0:
            break
        term_out[m], part_out[m] = chosen, part[chosen]
        part[chosen] = 0.0
    left = 0.0
    for x in range(found):
        left += part[touched[x]]
        part[touched[x]] = 0.0
    return left


@njit(cache=True, nogil=True)
def count_grams(i, wording, factor, times):  # type: ignore[no-untyped-def]
    """Write factor × how often each feature stands in need i (factor 0 clears)."""
    words, made = wording.words, wording.grams
    for w in range(words.ptr[i], words.ptr[i + 1]):
        for g in range(made.ptr[words.code[w]], made.ptr[words.code[w] + 1]):
            times[made.code[g]] = factor * (times[made.code[g]] + words.value[w] * made.value[g])


@njit(cache=True, nogil=True)
def parts_of_pairs(need, unit, needs, units, groups, meaning, wording, marks, most):  # type: ignore[no-untyped-def]
    """What each pair's score is made of: Parts.

    need int64 (n,), unit int64 (n, best; -1: none). wording: a Wording. marks: Marks of the units.
    """
    n, terms, features = len(need), len(wording.is_character), wording.features
    shared, times, part = np.zeros(features), np.zeros(features), np.zeros(terms)
    joined, touched = np.zeros(marks.touches, np.bool_), np.empty(2 * terms, np.int64)
    term_out, part_out = np.full((n, most), -1, np.int64), np.zeros((n, most))
    rest, near = np.zeros(n), np.zeros(n)
    for k in range(n):
        i, found, number = need[k], 0, max((unit[k] >= 0).sum(), 1)
        count_grams(i, wording, 1.0, times)
        for u in unit[k][unit[k] >= 0]:
            scale = groups.weight[u] / number
            mark_shared(needs.words, i, units.words, u, scale * (1.0 - meaning), shared)
            left, found = give_out(i, u, wording, marks.alone, shared, times, part, touched, found)
            mark_touches(marks.touching, u, joined, True)  # noqa: FBT003
            rest[k] += left
            near[k] += (
                scale
                * meaning
                * nearness(needs.vectors.codes, needs.vectors.scale, i, units.vectors.codes, units.vectors.scale, u)
            )
            for a in range(needs.words.ptr[i], needs.words.ptr[i + 1]):
                shared[needs.words.code[a]] = 0.0
        count_grams(i, wording, 0.0, times)
        found = join_phrases(i, wording, joined, part, touched, found)
        for u in unit[k][unit[k] >= 0]:
            mark_touches(marks.touching, u, joined, False)  # noqa: FBT003
        join_longer(wording, part, touched, found)
        least = LEAST_SHARE * (rest[k] + near[k] + part[touched[:found]].sum())
        rest[k] += take_largest(part, touched, found, least, term_out[k], part_out[k])
    return Parts(term_out, part_out, rest, near)
