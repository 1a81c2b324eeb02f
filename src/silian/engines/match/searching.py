"""The best pairs of needs and targets: work shared out to threads that do not depend on each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
from numba import config

from silian.engines.match import _kernels
from silian.engines.match._coding import asking_of, lists, sealed
from silian.engines.match._dots import HIGH
from silian.engines.match._kernels import Parts, Side
from silian.engines.match._topk import Best, Pairing, best_pairs

if TYPE_CHECKING:
    from collections.abc import Callable

    from silian.engines.match._kernels import Groups, Vectors
    from silian.engines.match._topk import Allowed
    from silian.engines.match.index import Index

THREADS: Final[int] = config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]  # the cores, or what the variable says
CHUNK: Final = 4_096  # units whose codes stay in the cache while all needs pass
WORDS_CHUNK: Final = 8_192  # the same where there are no vectors
WORTH_SHARING: Final = 50_000  # needs × units from which threads pay
PAIRS_WORTH_SHARING: Final = 1_000
T = TypeVar("T")


def find_best(
    rows: Any, vectors: Vectors, index: Index, top_k: int, allowed: Allowed, *, by_target: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Who asks, what is found and its score: at least the best top_k targets of each need, or needs of each target.

    rows: csr_array float32 (needs, features). Exact; a few more than top_k may come out, all with their right scores.
    """
    n, units = rows.shape[0], index.rows.shape[0]
    threads = THREADS if n * units >= WORTH_SHARING else 1
    asking = asking_of(rows, vectors, index.codes, index.meaning)
    needs = Side(lists(rows), vectors)
    pairing = Pairing(asking, index.codes, needs, index.side, index.groups, index.meaning, is_plain(index.groups))
    pairing, allowed = sealed(pairing), sealed(allowed)
    borders = _borders(index.groups, CHUNK if index.vectors.codes.shape[1] else WORDS_CHUNK)
    spread_needs = not by_target and n >= 2 * HIGH * threads
    shares = _shares(n, HIGH, threads) if spread_needs else [np.asarray([0, n])] * min(threads, len(borders) - 1)
    parts = [borders] * len(shares) if spread_needs else _parts(borders, len(shares))
    width = min(top_k, n if by_target else len(index))
    whole = _empty(len(index) if by_target else n, width)
    best = [whole if by_target or spread_needs else _empty(n, width) for _ in shares]

    def work(k: int) -> None:
        best_pairs(pairing, parts[k], shares[k], allowed, by_target, best[k])

    in_threads(work, len(shares))
    kept = [_taken(b) for b in ([whole] if by_target or spread_needs else best)]
    asks, found, score = (np.concatenate(side) for side in zip(*kept, strict=True))
    return asks, found, score


def parts_of_pairs(need: np.ndarray, unit: np.ndarray, sides: Any, meaning: float, why: Any) -> Parts:
    """What each pair's score is made of, in the order given. sides: as `exact_scores` wants them; why: what follows."""
    number = THREADS if len(need) >= PAIRS_WORTH_SHARING else 1
    cuts = [len(need) * i // number for i in range(number + 1)]
    kernel: Any = _kernels.parts_of_pairs

    def work(k: int) -> Parts:
        here = slice(cuts[k], cuts[k + 1])
        found: Parts = kernel(need[here], unit[here], *sides, meaning, *why)
        return found

    return Parts(*(np.concatenate(part) for part in zip(*in_threads(work, number), strict=True)))


def in_threads(work: Callable[[int], T], number: int) -> list[T]:
    """What work gives for 0 to number - 1, each in a thread; the loops in it let go of Python's lock."""
    from concurrent.futures import ThreadPoolExecutor

    if number == 1:
        return [work(0)]
    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(work, range(number)))


def is_plain(groups: Groups) -> bool:
    """Whether every target is one unit that counts fully."""
    return groups.best == 1 and len(groups.start) == len(groups.weight) + 1 and bool((groups.weight == 1).all())


def _borders(groups: Groups, chunk: int) -> np.ndarray:
    """Where chunks of targets begin and end: about `chunk` units each, a target is never cut."""
    targets, units = len(groups.start) - 1, groups.start[-1]
    at = np.searchsorted(groups.start, np.arange(0, units + chunk, chunk), side="left")
    return np.unique(np.concatenate([[0], np.minimum(at, targets), [targets]])).astype(np.int64)


def _shares(n: int, unit: int, number: int) -> list[np.ndarray]:
    """Numbers below n in parts of nearly equal size that begin at multiples of unit."""
    at = np.minimum(np.linspace(0, -(-n // unit), number + 1).astype(np.int64) * unit, n)
    return [at[i : i + 2] for i in range(number)]


def _parts(borders: np.ndarray, number: int) -> list[np.ndarray]:
    """Chunks in parts of nearly equal number."""
    at = np.linspace(0, len(borders) - 1, number + 1).astype(np.int64)
    return [borders[at[i] : at[i + 1] + 1] for i in range(number)]


def _empty(asking: int, width: int) -> Best:
    return Best(np.zeros((asking, width)), np.zeros((asking, width), np.int64), np.zeros(asking, np.int64))


def _taken(best: Best) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    held = np.arange(best.score.shape[1]) < best.held[:, None]
    return np.repeat(np.arange(len(best.held)), best.held), best.other[held], best.score[held]
