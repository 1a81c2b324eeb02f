"""How fast blanks fill: arrays of arrivals, what was known in a year, and the rates that it tells. No table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from silian.engines.chain import _relatedness
from silian.errors import TableError

if TYPE_CHECKING:
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
    """Yearly rates: level * exp((terms - their mean over the blanks of the year) · weights)."""

    names: tuple[str, ...]
    weights: Matrix  # (terms,)
    level: float  # fills a year of a blank with mean terms

    def parts(self, rows: NDArray[np.float32]) -> Matrix:
        """What each term adds to the logarithm of the rate, shape (blanks, terms); rows: all blanks of a year."""
        return _centred(rows) * self.weights

    def chance(self, rows: NDArray[np.float32], years: int) -> Matrix:
        """Probability that each blank is filled within so many years; rows: all blanks of a year."""
        rate = self.level * np.exp(self.parts(rows).sum(axis=1))
        chance: Matrix = -np.expm1(-years * rate)
        return chance


def learnt(history: History, until: int) -> Rates:
    """Rates from what happened year by year up to `until`: a Poisson regression with a prior on every weight.

    Every year has a level of its own while the weights are learnt, so that waves do not pass for reasons.

    Raises
    ------
    TableError : chain.history where no blank was open in an earlier year.
    """
    started = int(history.year.min())
    years = [_Year.of(history, year, until) for year in range(max(started, until - BACK), until)]
    seen = [year for year in years if year.filled.size]
    if not seen:
        raise TableError("chain.history", until=until)
    names = terms(history, until).names
    prior = np.array([PRIOR[_kind(name)] for name in names])
    weights = _highest(seen, prior[:, 0], prior[:, 1] ** -2.0)
    # how many arrive in all comes in waves and goes: for the level all years count alike
    expected = sum(float(np.exp(_centred(year.rows) @ weights).sum()) for year in seen)
    happened = sum(int(year.filled.sum()) for year in seen) + 0.5  # half a fill: none is no proof of never
    return Rates(names, weights, happened / expected)


def _kind(name: str) -> str:
    return name if name in PRIOR else "group" if name.startswith("group") else "link"


def _centred(rows: NDArray[np.float32]) -> Matrix:
    """The terms as they differ from their mean over the blanks of the year."""
    wide = rows.astype(np.float64)
    if len(wide):
        wide -= wide.mean(axis=0)
    return wide


@dataclass(frozen=True, slots=True)
class _Year:
    """The blanks of one year, and which were filled in the next."""

    rows: NDArray[np.float32]
    filled: NDArray[np.bool_]
    weight: float

    @classmethod
    def of(cls, history: History, year: int, until: int) -> _Year:
        blanks = history.blanks(year)
        return cls(
            rows=terms(history, year).of(blanks),
            filled=(history.first == year + 1)[blanks],
            weight=0.5 ** ((until - year - 1) / HALF_LIFE),
        )

    def slope_and_bend(self, weights: Matrix) -> tuple[Matrix, Matrix]:
        """First and (negative) second derivative of the logarithm of the likelihood, given how many were filled."""
        wide = _centred(self.rows)
        size = wide @ weights
        share = np.exp(size - size.max())
        share /= share.sum()
        mean = share @ wide
        slope = wide[self.filled].sum(axis=0) - self.filled.sum() * mean
        bend = self.filled.sum() * ((wide * share[:, None]).T @ wide - np.outer(mean, mean))
        return self.weight * slope, self.weight * bend


def _highest(years: list[_Year], mean: Matrix, precision: Matrix) -> Matrix:
    """Weights of the highest posterior density, by Newton's method from the prior's mean."""
    at = mean.copy()
    told = [year for year in years if year.filled.any()]
    for _ in range(STEPS):
        slope, bend = -precision * (at - mean), np.diag(precision)
        for year in told:
            slope_of, bend_of = year.slope_and_bend(at)
            slope, bend = slope + slope_of, bend + bend_of
        step = np.linalg.solve(bend, slope)
        step *= min(1.0, LARGEST_STEP / float(np.abs(step).max() or 1.0))
        at = at + step
        if float(np.abs(step).max()) < SETTLED:
            break
    return at
