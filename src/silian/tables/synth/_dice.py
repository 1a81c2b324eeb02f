"""Reproducible draws, one stream for each table, cheap enough to call many times a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")
_BLOCK = 1 << 14


def generator(seed: int, name: str) -> np.random.Generator:
    """The stream of one name: drawing more in one table leaves the other tables as they are."""
    return np.random.default_rng([seed, *name.encode()])


class Dice:
    """Single draws from a numpy generator, fetched in blocks.

    Examples
    --------
    >>> dice = Dice(7, "doc")
    >>> dice.pick("abc") in "abc", 0 <= dice.random() < 1, 2 <= dice.between(2, 4) <= 4
    (True, True, True)
    """

    __slots__ = ("_block", "_rng")

    def __init__(self, seed: int, name: str) -> None:
        self._rng = generator(seed, name)
        self._block: list[float] = []

    def random(self) -> float:
        """A number in [0, 1)."""
        if not self._block:
            self._block = self._rng.random(_BLOCK).tolist()
        return self._block.pop()

    def chance(self, share: float) -> bool:
        """True in that share of the draws."""
        return self.random() < share

    def pick(self, of: Sequence[T]) -> T:
        """One of several."""
        return of[int(self.random() * len(of))]

    def between(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return low + int(self.random() * (high - low + 1))

    def weighted(self, of: Sequence[T], weights: Sequence[float]) -> T:
        """One of several, by weights that need not add up to 1."""
        mark = self.random() * sum(weights)
        for value, weight in zip(of, weights, strict=True):
            mark -= weight
            if mark < 0:
                return value
        return of[-1]

    def sample(self, of: Sequence[T], n: int) -> list[T]:
        """Up to n different ones, in the order drawn."""
        left = list(of)
        return [left.pop(int(self.random() * len(left))) for _ in range(min(n, len(left)))]
