"""The exact best k in one pass: an upper bound of every score, the score itself where it may count.

Chunks of units come in turn, so that their codes stay in the processor's cache while all needs pass by. With vectors
needs come in blocks of HIGH and bounds are products of whole numbers. By words alone a need walks only the lists of its
weightiest features; what the others could add stands in every bound (MaxScore: H. Turtle, J. Flood (1995), Query
evaluation, Information Processing & Management 31). Nothing here draws, waits or depends on the number of threads.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from silian.engines.match._dots import HIGH, LANES, WIDE, add_products
from silian.engines.match._kernels import Groups, Lists, Side, lay_out, score_pair

LEAST = 1e-4  # a score below this is no match
RUN = 64  # bounds that are looked at together
PASSED = 0.3  # of the floor: what the lists that are passed over may add; more saves walking and costs exact scores


class Codes(NamedTuple):
    """Units made ready for bounds: derived from their rows and vectors alone, and from nothing else.

    Where there are vectors a feature that many units have is a column of bytes, of which one step stands for
    `common_step`; the others are lists of units. Vectors are bytes too, moved up by 128; one step of a row stands for
    `step`.
    """

    posts: Lists  # per feature that is not common: its units, ascending, and their weights
    most: np.ndarray  # float32 (features,): the largest of these weights; 0 where there are none
    common: np.ndarray  # int64 (common,): features
    common_step: np.ndarray  # float32 (common,)
    common_codes: np.ndarray  # uint8 (tiles, common / 4, 64), rounded up
    vector_codes: np.ndarray  # uint8 (tiles, dimensions / 4, 64)
    step: np.ndarray  # float32 (units,)
    error: np.ndarray  # float32 (units,): how far the vector lies from what its codes stand for


class Asking(NamedTuple):
    """Needs made ready for bounds, in the terms of Codes."""

    lists: Lists  # per need: places in start and stop, and share of the words × weight; what may add most comes first
    most: np.ndarray  # float32 (entries of lists,): the most that it may add
    start: np.ndarray  # int64: where the units of a feature begin in posts
    stop: np.ndarray
    common_codes: np.ndarray  # int8 (needs, padded, common): rounded up
    common_step: np.ndarray  # float32 (needs,)
    vector_codes: np.ndarray  # int8 (needs, padded, dimensions)
    shift: np.ndarray  # int32 (needs, padded): what undoes the moving up of units
    step: np.ndarray  # float32 (needs,): times share of the vectors
    error: np.ndarray  # float32 (needs,): what whole numbers of the need may take from the part of the vectors
    growth: np.ndarray  # float32 (needs,): the same for a unit's error
    slack: np.ndarray  # float32 (needs,): what single precision may take from a sum


class Pairing(NamedTuple):
    """What is compared with what."""

    asking: Asking
    codes: Codes
    needs: Side
    units: Side
    groups: Groups
    meaning: float
    is_plain: bool  # whether every target is one unit that counts fully


class Allowed(NamedTuple):
    """Which pairs may come out, and how many of one organisation."""

    bits: np.ndarray  # uint8 (needs or 0, targets / 8): a bit for each pair that may come out; 0 rows: all may
    barred: Lists  # per need: targets that must not come out, ascending
    organisation: np.ndarray  # int64 (targets or 0,); -1 where it is not stated
    most: int  # of one organisation


class Room(NamedTuple):
    """Arrays that a thread writes to."""

    common: np.ndarray  # int32 (HIGH, units of a chunk)
    near: np.ndarray  # int32 (HIGH, units of a chunk)
    sum: np.ndarray  # float32 (units of a chunk,)
    bound: np.ndarray  # float32 (HIGH, targets of a chunk)
    floor: np.ndarray  # float32 (targets of a chunk,)
    top: np.ndarray  # float32 (best,)
    weight: np.ndarray  # float64 (features,): words of a need laid out
    value: np.ndarray  # float64 (best,)
    unit: np.ndarray  # int64 (best,)


class Best(NamedTuple):
    """The best so far of each that asks: a heap with the worst on top; worse is the lower score, then the higher id."""

    score: np.ndarray  # float64 (asking, k)
    other: np.ndarray  # int64 (asking, k)
    held: np.ndarray  # int64 (asking,): pairs in the heap


@njit(cache=True, nogil=True)
def is_worse(score, other, than_score, than_other):  # type: ignore[no-untyped-def]
    """Whether one pair comes after another in a list."""
    return score < than_score or (score == than_score and other > than_other)


@njit(cache=True, nogil=True)
def sink(best, asking, place):  # type: ignore[no-untyped-def]
    """Move a pair down the heap to where it belongs."""
    score, other, held = best.score[asking], best.other[asking], best.held[asking]
    while True:
        worst = place
        for child in (2 * place + 1, 2 * place + 2):
            if child < held and is_worse(score[child], other[child], score[worst], other[worst]):
                worst = child
        if worst == place:
            return
        score[place], score[worst] = score[worst], score[place]
        other[place], other[worst] = other[worst], other[place]
        place = worst


@njit(cache=True, nogil=True)
def put(best, asking, score, other):  # type: ignore[no-untyped-def]
    """Take a pair into the heap if it belongs there."""
    place = best.held[asking]
    if place == best.score.shape[1]:
        if is_worse(best.score[asking, 0], best.other[asking, 0], score, other):
            best.score[asking, 0], best.other[asking, 0] = score, other
            sink(best, asking, 0)
        return
    best.held[asking] = place + 1
    while place > 0:
        above = (place - 1) // 2
        if not is_worse(score, other, best.score[asking, above], best.other[asking, above]):
            break
        best.score[asking, place], best.other[asking, place] = best.score[asking, above], best.other[asking, above]
        place = above
    best.score[asking, place], best.other[asking, place] = score, other


@njit(cache=True, nogil=True)
def put_limited(best, asking, score, target, allowed):  # type: ignore[no-untyped-def]
    """As `put`, at most `most` targets of an organisation: the worst of it makes room."""
    body = allowed.organisation[target]
    held, worst = 0, -1
    for place in range(best.held[asking] if body >= 0 else 0):
        other = best.other[asking, place]
        if allowed.organisation[other] == body:
            held += 1
            if worst < 0 or is_worse(
                best.score[asking, place], other, best.score[asking, worst], best.other[asking, worst]
            ):
                worst = place
    if held < allowed.most:
        put(best, asking, score, target)
    elif is_worse(best.score[asking, worst], best.other[asking, worst], score, target):
        best.score[asking, worst], best.other[asking, worst] = score, target
        sink(best, asking, worst)


@njit(cache=True, nogil=True)
def floor_of(best, asking):  # type: ignore[no-untyped-def]
    """The bound below which nothing can enter the heap any more."""
    full = best.held[asking] == best.score.shape[1]
    return np.float32(max(best.score[asking, 0], LEAST) if full else LEAST)


@njit(cache=True, nogil=True)
def may_meet(allowed, need, target):  # type: ignore[no-untyped-def]
    """Whether a pair may come out."""
    if allowed.bits.shape[0] > 0 and not (allowed.bits[need, target >> 3] >> (7 - (target & 7))) & 1:
        return False
    low, high = allowed.barred.ptr[need], allowed.barred.ptr[need + 1]
    while low < high:
        middle = (low + high) // 2
        if allowed.barred.code[middle] < target:
            low = middle + 1
        else:
            high = middle
    return low == allowed.barred.ptr[need + 1] or allowed.barred.code[low] != target


@njit(cache=True, nogil=True)
def add_lists(wanted, k0, k1, begin, end, posts, first, row):  # type: ignore[no-untyped-def]
    """Add to row what entries [k0, k1) share with the units from `first` on; begin, end: the part of each list."""
    for k in range(k0, k1):
        feature, value = np.uint32(wanted.code[k]), wanted.value[k]
        for p in range(np.uint64(begin[feature]), np.uint64(end[feature])):
            row[np.uint64(posts.code[p] - first)] += value * posts.value[p]


@njit(cache=True, nogil=True, fastmath=True)
def add_common(row, common, step):  # type: ignore[no-untyped-def]
    """Add the bounds of what common words give."""
    for u in range(len(row)):
        row[u] += step * np.float32(common[u])


@njit(cache=True, nogil=True, fastmath=True)
def add_meaning(row, near, step, unit_step, error, growth, unit_error):  # type: ignore[no-untyped-def]
    """Add the bounds of what the vectors give."""
    for u in range(len(row)):
        bound = step * unit_step[u] * np.float32(near[u]) + error + growth * unit_error[u]
        row[u] += max(bound, np.float32(0.0))


@njit(cache=True, nogil=True)
def mean_of_best(row, first, groups, t0, t1, top, out):  # type: ignore[no-untyped-def]
    """Bounds of targets from bounds of units: the mean of the best weighted ones. row: the units from `first` on."""
    for t in range(t0, t1):
        start, stop = groups.start[t], groups.start[t + 1]
        top[:] = 0.0
        for u in range(start, stop):
            value = np.float32(row[u - first] * groups.weight[u])
            for b in range(groups.best):
                if value > top[b]:
                    value, top[b] = top[b], value
        out[t - t0] = top.sum() / np.float32(max(min(groups.best, stop - start), 1))


@njit(cache=True, nogil=True)
def next_run(bound, floor, low):  # type: ignore[no-untyped-def]
    """Where the next run begins, from low on, in which a bound reaches its floor; the end if there is none."""
    n = np.uint64(len(bound))
    at = np.uint64(low)
    while at < n:
        found = np.uint8(0)
        for t in range(at, min(at + np.uint64(RUN), n)):
            found |= bound[t] >= floor[t]
        if found:
            return np.int64(at)
        at += np.uint64(RUN)
    return np.int64(n)


@njit(cache=True, nogil=True)
def next_run_above(bound, floor, low):  # type: ignore[no-untyped-def]
    """As `next_run`, one floor for all."""
    n = np.uint64(len(bound))
    at = np.uint64(low)
    while at < n:
        found = np.uint8(0)
        for t in range(at, min(at + np.uint64(RUN), n)):
            found |= bound[t] >= floor
        if found:
            return np.int64(at)
        at += np.uint64(RUN)
    return np.int64(n)


@njit(cache=True, nogil=True)
def add_block_products(asking, codes, block, first, last, room):  # type: ignore[no-untyped-def]
    """Write the products of a block of needs and the tiles [first, last) to room."""
    if codes.common_codes.shape[1] > 0:
        room.common[:] = 0
        add_products(asking.common_codes, block, codes.common_codes, first, last, room.common)
    if codes.vector_codes.shape[1] > 0:
        for i in range(HIGH):
            room.near[i, :] = asking.shift[block + i]
        add_products(asking.vector_codes, block, codes.vector_codes, first, last, room.near)


@njit(cache=True, nogil=True)
def bound_block(pairing, block, lists, t0, t1, room):  # type: ignore[no-untyped-def]
    """Write the bounds of a block of needs and the targets [t0, t1) to room.bound; lists: begin and end of each."""
    asking, codes, groups = pairing.asking, pairing.codes, pairing.groups
    u0, u1 = groups.start[t0], groups.start[t1]
    first, last = u0 // LANES, (u1 + LANES - 1) // LANES
    low, high = u0 - first * LANES, u1 - first * LANES
    add_block_products(asking, codes, block, first, last, room)
    for i in range(min(HIGH, len(asking.slack) - block)):
        need = block + i
        row = room.bound[i][: t1 - t0] if pairing.is_plain else room.sum[: u1 - u0]
        row[:] = asking.slack[need]
        wanted = asking.lists
        add_lists(wanted, wanted.ptr[need], wanted.ptr[need + 1], lists[0], lists[1], codes.posts, u0, row)
        if asking.common_step[need] > 0.0:
            add_common(row, room.common[i][low:high], asking.common_step[need])
        if asking.step[need] > 0.0:
            add_meaning(
                row, room.near[i][low:high], asking.step[need], codes.step[u0:u1],
                asking.error[need], asking.growth[need], codes.error[u0:u1],
            )  # fmt: skip
        if not pairing.is_plain:
            mean_of_best(row, u0, groups, t0, t1, room.top, room.bound[i])


@njit(cache=True, nogil=True)
def bound_by_words(pairing, need, floor, lists, t0, t1, room):  # type: ignore[no-untyped-def]
    """Write the bounds of a need and the targets [t0, t1) to the first row of room.bound; there are no vectors.

    floor: no score below it counts. lists: begin and end of each.
    """
    groups, wanted, rest = pairing.groups, pairing.asking.lists, pairing.asking.slack[need]
    u0, u1 = groups.start[t0], groups.start[t1]
    k0, k1 = wanted.ptr[need], wanted.ptr[need + 1]
    while k1 > k0 and rest + pairing.asking.most[k1 - 1] <= PASSED * floor:
        k1 -= 1
        rest += pairing.asking.most[k1]
    row = room.bound[0][: t1 - t0] if pairing.is_plain else room.sum[: u1 - u0]
    row[:] = rest
    add_lists(wanted, k0, k1, lists[0], lists[1], pairing.codes.posts, u0, row)
    if not pairing.is_plain:
        mean_of_best(row, u0, groups, t0, t1, room.top, room.bound[0])


@njit(cache=True, nogil=True)
def look_through(need, row, t0, pairing, allowed, by_target, best, room):  # type: ignore[no-untyped-def]
    """Take the pairs of a need and the targets from t0 on whose bounds reach its floor, or their own floors."""
    low = next_run(row, room.floor, 0) if by_target else next_run_above(row, floor_of(best, need), 0)
    if low == len(row):
        return
    near, far, words, groups = pairing.needs.vectors, pairing.units.vectors, pairing.units.words, pairing.groups
    codes, scale, unit_codes, unit_scale, meaning = near.codes, near.scale, far.codes, far.scale, pairing.meaning
    ptr, code, word, start, worth = words.ptr, words.code, words.value, groups.start, groups.weight
    weight, value, unit = room.weight, room.value, room.unit
    is_open = allowed.bits.shape[0] == 0 and allowed.barred.ptr[need] == allowed.barred.ptr[need + 1]
    is_limited = len(allowed.organisation) > 0
    floor = floor_of(best, need) if not by_target else np.float32(0.0)
    lay_out(pairing.needs.words, need, weight, 1.0)
    while low < len(row):
        for t in range(low, min(low + RUN, len(row))):
            if row[t] < (room.floor[t] if by_target else floor) or not (is_open or may_meet(allowed, need, t0 + t)):
                continue
            score = score_pair(
                need, t0 + t, weight, codes, scale, ptr, code, word, unit_codes, unit_scale, start, worth, meaning,
                value, unit,
            )  # fmt: skip
            if score < LEAST:
                continue
            if by_target:
                put(best, t0 + t, score, need)
                room.floor[t] = floor_of(best, t0 + t)
            elif is_limited:
                put_limited(best, need, score, t0 + t, allowed)
                floor = floor_of(best, need)
            else:
                put(best, need, score, t0 + t)
                floor = floor_of(best, need)
        low = next_run(row, room.floor, low + RUN) if by_target else next_run_above(row, floor, low + RUN)
    lay_out(pairing.needs.words, need, weight, 0.0)


@njit(cache=True, nogil=True)
def best_pairs(pairing, chunks, share, allowed, by_target, best):  # type: ignore[no-untyped-def]
    """Fill best with the pairs of some needs and targets: of each need, or of each target.

    chunks: int64, borders of targets. share: the first need, a multiple of HIGH, and the one after the last.
    """
    groups = pairing.groups
    room = room_for(pairing.codes, groups, chunks)
    lists = pairing.asking.start.copy(), pairing.asking.start.copy()
    for c in range(len(chunks) - 1):
        t0, t1 = chunks[c], chunks[c + 1]
        advance(lists[0], lists[1], pairing.asking.stop, pairing.codes.posts, groups.start[t0], groups.start[t1])
        lowest = np.float32(LEAST)
        if by_target:
            for t in range(t0, t1):
                room.floor[t - t0] = floor_of(best, t)
            lowest = room.floor[: t1 - t0].min()
        if pairing.codes.vector_codes.shape[1] == 0:
            for need in range(share[0], share[1]):
                floor = lowest if by_target else floor_of(best, need)
                bound_by_words(pairing, need, floor, lists, t0, t1, room)
                look_through(need, room.bound[0][: t1 - t0], t0, pairing, allowed, by_target, best, room)
            continue
        for block in range(share[0], share[1], HIGH):
            bound_block(pairing, block, lists, t0, t1, room)
            for i in range(min(HIGH, share[1] - block)):
                look_through(block + i, room.bound[i][: t1 - t0], t0, pairing, allowed, by_target, best, room)


@njit(cache=True, nogil=True)
def room_for(codes, groups, chunks):  # type: ignore[no-untyped-def]
    """Room for the largest chunk."""
    targets, units, tiles = 0, 0, 0
    for c in range(len(chunks) - 1):
        u0, u1 = groups.start[chunks[c]], groups.start[chunks[c + 1]]
        targets, units = max(targets, chunks[c + 1] - chunks[c]), max(units, u1 - u0)
        tiles = max(tiles, (u1 + LANES - 1) // LANES - u0 // LANES)
    wide = (tiles + WIDE) * LANES
    common, near = wide if codes.common_codes.shape[1] > 0 else 0, wide if codes.vector_codes.shape[1] > 0 else 0
    return Room(
        np.zeros((HIGH, common), np.int32), np.zeros((HIGH, near), np.int32), np.zeros(units, np.float32),
        np.zeros((HIGH, targets), np.float32), np.zeros(targets, np.float32), np.zeros(groups.best, np.float32),
        np.zeros(len(codes.posts.ptr) - 1), np.zeros(groups.best), np.zeros(groups.best, np.int64),
    )  # fmt: skip


@njit(cache=True, nogil=True)
def advance(begin, end, stop, posts, u0, u1):  # type: ignore[no-untyped-def]
    """Move the part [begin, end) of each list of units to those of [u0, u1); they come in ascending order."""
    for f in range(len(begin)):
        low, high = end[f], stop[f]
        if low < high and posts.code[low] < u0:
            while low < high:
                middle = (low + high) // 2
                if posts.code[middle] < u0:
                    low = middle + 1
                else:
                    high = middle
        begin[f], high = low, low
        while high < stop[f] and posts.code[high] < u1:
            high += 1
        end[f] = high
