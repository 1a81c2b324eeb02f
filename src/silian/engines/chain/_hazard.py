"""How fast blanks fill: arrays of arrivals, what was known in a year, and the rates that it tells. No table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from silian.engines.chain import _relatedness
from silian.errors import TableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    Matrix = NDArray[np.float64]
    Codes = NDArray[np.int64]

NEVER: Final = np.iinfo(np.int64).max
FADE: Final = 4.0  # years in which an arrival comes to count 1/e
BACK: Final = 14  # years that are learnt from
HALF_LIFE: Final = 2.0  # years after which a year counts half for the weights: what drives arrivals changes
# What each term weighs before anything is learnt, and how far learning moves it (a standard deviation). Chosen on
# province × industry with what was known by 2011 (origins up to 2006): docs/methods/chain-forecast.md.
PRIOR: Final = {
    "place_recent": (1.0, 0.05),
    "place_size": (0.6, 0.05),
    "activity_recent": (0.5, 0.05),
    "activity_size": (0.2, 0.05),
    "density": (0.0, 0.05),
    "group": (0.2, 0.1),
    "link": (0.0, 0.05),
}
STEPS: Final = 50
LARGEST_STEP: Final = 2.0
SETTLED: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Relation:
    """How activities hang together in one way: what counts as near to each."""

    name: str  # group…: members of one group; else links, one direction
    near: csr_array  # (activities, activities): how much presence of the row counts for the column; diagonal 0


@dataclass(frozen=True, slots=True)
class History:
    """Arrivals up to a year, and nothing of what came later."""

    place: Codes  # of each arrival, -1 where unknown
    activity: Codes
    year: Codes
    shape: tuple[int, int]  # places, activities
    always: NDArray[np.bool_]  # (activities,): known before anybody has it
    relations: tuple[Relation, ...]
    first: Codes = field(init=False)  # (places, activities): year of the first arrival, NEVER

    def __post_init__(self) -> None:
        first = np.full(self.shape, NEVER)
        known = self.place >= 0
        np.minimum.at(first, (self.place[known], self.activity[known]), self.year[known])
        object.__setattr__(self, "first", first)

    def blanks(self, year: int) -> NDArray[np.bool_]:
        """(places, activities): what is not here by that year, of the places and activities known then."""
        here: NDArray[np.bool_] = np.asarray(self.first <= year)
        known = self.always.copy()
        known[self.activity[self.year <= year]] = True
        blank: NDArray[np.bool_] = ~here & np.any(here, axis=1)[:, None] & known[None, :]
        return blank


@dataclass(frozen=True, slots=True)
class Terms:
    """What is known in a year, as logarithms; place terms (places, 1), activity terms (1, activities), both."""

    names: tuple[str, ...]
    values: tuple[Matrix, ...]

    def of(self, blanks: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Shape (blanks, terms)."""
        rows = [np.broadcast_to(value, blanks.shape)[blanks].astype(np.float32) for value in self.values]
        return np.stack(rows, axis=1)


def terms(history: History, year: int) -> Terms:
    """What was known in that year."""
    places, activities = history.shape
    now = history.year <= year
    place, activity = history.place[now], history.activity[now]
    fade = np.exp(-(year - history.year[now]) / FADE)
    known = place >= 0
    flat = place[known] * activities + activity[known]
    counts = np.bincount(flat, minlength=places * activities).reshape(places, activities).astype(np.float64)
    here = (counts > 0).astype(np.float64)
    size = here.sum(axis=1)
    found = {
        "place_recent": np.log(np.bincount(place[known], fade[known], places) + 0.5)[:, None],
        "place_size": np.log1p(size)[:, None],
        "activity_recent": np.log1p(np.bincount(activity, fade, activities))[None, :],
        "activity_size": np.log1p(np.bincount(activity, minlength=activities))[None, :],
    }
    nearness = _relatedness.related(np.ones((1, activities)), here)
    expected = (size / activities)[:, None] * nearness
    found["density"] = _more_than(np.maximum(_relatedness.related(here, here), 0.0), expected, 0.5)
    share = counts.sum(axis=1, keepdims=True) / max(counts.sum(), 1.0)
    total = counts.sum(axis=0, keepdims=True)
    for relation in history.relations:
        local, everywhere = counts @ relation.near, total @ relation.near
        found[relation.name] = _more_than(local, share * everywhere, 1.0)
    return Terms(tuple(found), tuple(found.values()))


def _more_than(here: Matrix, expected: Matrix, half: float) -> Matrix:
    """Logarithm of how much more is here than the place's size tells; `half` holds small numbers back."""
    ratio: Matrix = np.log((here + half) / (expected + half))
    return ratio


@dataclass(frozen=True, slots=True)
class Rates:
    """Yearly rates: level * exp((terms - middle) · weights)."""

    names: tuple[str, ...]
    weights: Matrix  # (terms,)
    middle: Matrix  # (terms,)
    level: float  # fills a year of a blank with middle terms

    def parts(self, rows: NDArray[np.float32]) -> Matrix:
        """What each term adds to the logarithm of the rate, shape (blanks, terms)."""
        return (rows - self.middle) * self.weights

    def chance(self, rows: NDArray[np.float32], years: int) -> Matrix:
        """Probability that each blank is filled within so many years."""
        rate = self.level * np.exp(self.parts(rows).sum(axis=1))
        chance: Matrix = -np.expm1(-years * rate)
        return chance


def learnt(history: History, until: int) -> Rates:
    """Rates from what happened year by year up to `until`: a Poisson regression with a prior on every weight.

    Raises
    ------
    TableError : chain.history where no blank was open in an earlier year.
    """
    started = int(history.year.min())
    years = [_Year.of(history, year, until) for year in range(max(started, until - BACK), until)]
    seen = [year for year in years if year.filled.size]
    names = terms(history, until).names
    prior = [PRIOR[_kind(name)] for name in names]
    mean, spread = (np.array([p[i] for p in prior]) for i in (0, 1))
    if not seen:
        raise TableError("chain.history", until=until)
    middle = sum((y.weight * y.rows.sum(axis=0, dtype=np.float64) for y in seen), np.zeros(mean.size))
    middle = middle / sum(y.weight * y.filled.size for y in seen)
    fills = sum(y.weight * y.filled.sum() for y in seen) + 0.5  # half a fill, so that none is no proof of never
    start = np.log(fills / sum(y.weight * y.filled.size for y in seen))
    found = _highest(seen, middle, np.append(start, mean), np.append(1e-6, spread**-2.0))
    weights = found[1:]
    # how many arrive in all comes in waves and goes: for the level all years count alike
    expected = sum(np.exp((y.rows - middle) @ weights).sum() for y in seen)
    happened = sum(y.filled.sum() for y in seen) + 0.5
    return Rates(names, weights, middle, float(happened / expected))


def _kind(name: str) -> str:
    return name if name in PRIOR else "group" if name.startswith("group") else "link"


@dataclass(frozen=True, slots=True)
class _Year:
    """The blanks of one year, and which were filled in the next."""

    rows: NDArray[np.float32]
    filled: NDArray[np.bool_]
    weight: float

    @classmethod
    def of(cls, history: History, year: int, until: int) -> _Year:
        blanks = history.blanks(year)
        ago = until - year - 1
        return cls(
            rows=terms(history, year).of(blanks),
            filled=(history.first == year + 1)[blanks],
            weight=0.5 ** (ago / HALF_LIFE),
        )


def _highest(years: list[_Year], middle: Matrix, start: Matrix, precision: Matrix) -> Matrix:
    """Constant and weights of the highest posterior density, by Newton's method; the start is the prior's mean."""
    at = start.copy()
    for _ in range(STEPS):
        slope, bend = -precision * (at - start), np.diag(precision)
        for rows, rest, weight in _blocks(years):
            sides = np.column_stack([np.ones(len(rows)), rows - middle])
            rate = np.exp(np.clip(sides @ at, -30.0, 3.0))
            slope = slope + weight * (sides.T @ (rest - rate))
            bend = bend + weight * (sides * rate[:, None]).T @ sides
        step = np.linalg.solve(bend, slope)
        step *= min(1.0, LARGEST_STEP / float(np.abs(step).max() or 1.0))
        at = at + step
        if float(np.abs(step).max()) < SETTLED:
            break
    return at


def _blocks(years: list[_Year], size: int = 200_000) -> Iterator[tuple[Matrix, Matrix, float]]:
    """The rows in pieces that fit the memory."""
    for year in years:
        for start in range(0, len(year.rows), size):
            piece = slice(start, start + size)
            yield year.rows[piece].astype(np.float64), year.filled[piece].astype(np.float64), year.weight
