"""Loops of matching over arrays; they know codes, not names. Rows are independent of each other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit


class Lists(NamedTuple):
    """Rows of codes with a value each: row i holds code[ptr[i]:ptr[i + 1]]."""

    ptr: np.ndarray
    code: np.ndarray
    value: np.ndarray


class Side(NamedTuple):
    """Texts: their words as unit rows of features (codes ascending) and their vectors, float32 (texts, dimensions)."""

    words: Lists
    vectors: np.ndarray


class Groups(NamedTuple):
    """Targets and the units that they rest on."""

    start: np.ndarray  # int64 (targets + 1,)
    weight: np.ndarray  # float64 (units,)
    best: int


class Parts(NamedTuple):
    """Codes and parts of the largest terms of each pair (pairs, most; -1 where fewer), the rest, the meaning."""

    term: np.ndarray
    part: np.ndarray
    rest: np.ndarray
    meaning: np.ndarray


@njit(cache=True, nogil=True)
def spread_words(needs, posts, share, out):  # type: ignore[no-untyped-def]
    """Add share × (need row · unit row) to out, float32 (needs, units); posts: Lists of the units of each feature."""
    for i in range(len(needs.ptr) - 1):
        row = out[i]
        for k in range(needs.ptr[i], needs.ptr[i + 1]):
            feature, value = needs.code[k], np.float32(share * needs.value[k])
            for p in range(posts.ptr[feature], posts.ptr[feature + 1]):
                row[posts.code[p]] += value * posts.value[p]


@njit(cache=True, nogil=True)
def mean_of_best(unit_score, groups, out):  # type: ignore[no-untyped-def]
    """Mean of the best weighted unit scores of each target. unit_score (needs, units); out float32 (needs, targets)."""
    top = np.zeros(groups.best, np.float32)
    for i in range(unit_score.shape[0]):
        for t in range(len(groups.start) - 1):
            first, last = groups.start[t], groups.start[t + 1]
            top[:] = 0.0
            for u in range(first, last):
                value = np.float32(unit_score[i, u] * groups.weight[u])
                for b in range(groups.best):
                    if value > top[b]:
                        value, top[b] = top[b], value
            number = max(min(groups.best, last - first), 1)
            total = np.float32(0.0)
            for b in range(number):
                total += top[b]
            out[i, t] = total / number


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
def nearness(left, i, right, u):  # type: ignore[no-untyped-def]
    """Row i of left · row u of right, not below 0."""
    total = 0.0
    for d in range(left.shape[1]):
        total += np.float64(left[i, d]) * np.float64(right[u, d])
    return max(total, 0.0)


@njit(cache=True, nogil=True)
def exact_scores(need, target, needs, units, groups, meaning):  # type: ignore[no-untyped-def]
    """Scores of given pairs in double precision and in fixed order, and the units that they rest on.

    need, target: int64 (n,). Returns score (n,) and unit int64 (n, best; -1 where there are fewer), ties by unit.
    """
    n, best = len(need), groups.best
    score = np.zeros(n)
    unit = np.full((n, best), -1, np.int64)
    value = np.empty(best)
    for k in range(n):
        i, first, last = need[k], groups.start[target[k]], groups.start[target[k] + 1]
        value[:] = -1.0
        for u in range(first, last):
            words = shared_words(needs.words, i, units.words, u)
            near = nearness(needs.vectors, i, units.vectors, u)
            new, new_unit = groups.weight[u] * ((1.0 - meaning) * words + meaning * near), u
            for b in range(best):
                if new > value[b]:
                    new, value[b] = value[b], new
                    new_unit, unit[k, b] = unit[k, b], new_unit
        number = min(best, last - first)
        for b in range(number):
            score[k] += value[b] / number
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
def take_largest(part, touched, found, term_out, part_out):  # type: ignore[no-untyped-def]
    """Take the largest parts out, ties by code; returns the sum of what is left and clears it."""
    for m in range(len(term_out)):
        chosen = -1
        for x in range(found):
            t = touched[x]
            if part[t] > 0.0 and (chosen < 0 or part[t] > part[chosen] or (part[t] == part[chosen] and t < chosen)):
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
def parts_of_pairs(need, unit, needs, units, groups, meaning, wording, alone, most):  # type: ignore[no-untyped-def]
    """What each pair's score is made of: Parts.

    need int64 (n,), unit int64 (n, best; -1: none). wording: a Wording. alone: the features that are words of one
    character in each unit.
    """
    n, terms, features = len(need), len(wording.is_character), wording.features
    shared, times, part, touched = np.zeros(features), np.zeros(features), np.zeros(terms), np.empty(terms, np.int64)
    term_out, part_out = np.full((n, most), -1, np.int64), np.zeros((n, most))
    rest, near = np.zeros(n), np.zeros(n)
    words, made = wording.words, wording.grams
    for k in range(n):
        i, found, number = need[k], 0, max((unit[k] >= 0).sum(), 1)
        for w in range(words.ptr[i], words.ptr[i + 1]):
            for g in range(made.ptr[words.code[w]], made.ptr[words.code[w] + 1]):
                times[made.code[g]] += words.value[w] * made.value[g]
        for u in unit[k]:
            if u < 0:
                continue
            scale = groups.weight[u] / number
            mark_shared(needs.words, i, units.words, u, scale * (1.0 - meaning), shared)
            left, found = give_out(i, u, wording, alone, shared, times, part, touched, found)
            rest[k] += left
            near[k] += scale * meaning * nearness(needs.vectors, i, units.vectors, u)
            for a in range(needs.words.ptr[i], needs.words.ptr[i + 1]):
                shared[needs.words.code[a]] = 0.0
        for w in range(words.ptr[i], words.ptr[i + 1]):
            for g in range(made.ptr[words.code[w]], made.ptr[words.code[w] + 1]):
                times[made.code[g]] = 0.0
        join_longer(wording, part, touched, found)
        rest[k] += take_largest(part, touched, found, term_out[k], part_out[k])
    return Parts(term_out, part_out, rest, near)
