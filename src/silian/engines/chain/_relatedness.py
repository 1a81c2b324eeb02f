"""Arrays of places × activities: who is related to what, and how complex it is. No table, no name of a column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

EQUAL: Final = 1e-9  # eigenvalues nearer than this are one: their vectors are any mixture of each other
LEAST: Final = 1e-300  # a fitness that falls for ever stays a number


def advantage(value: Matrix) -> Matrix:
    """Revealed comparative advantage, shape (places, activities): 0 where a place or an activity has nothing."""
    by_place, by_activity = value.sum(axis=1, keepdims=True), value.sum(axis=0, keepdims=True)
    expected = by_place * (by_activity / (value.sum() or 1.0))
    found: Matrix = np.divide(value, expected, out=np.zeros_like(value), where=expected > 0)
    return found


def proximity(present: Matrix) -> Matrix:
    """How often two activities go together, shape (activities, activities); nothing is its own neighbour."""
    ubiquity = present.sum(axis=0)
    together = present.T @ present
    together /= np.maximum(np.maximum(ubiquity[:, None], ubiquity[None, :]), 1.0)
    np.fill_diagonal(together, 0.0)
    return together


def related(rows: Matrix, present: Matrix) -> Matrix:
    """`rows` times the proximity, shape (rows, activities), by the smaller side of the matrix.

    The proximity of p and q is C_pq / max(u_p, u_q), C counts places with both. For all p of one ubiquity u, the sum
    over q splits into those with u_q <= u, which share the divisor u, and the others, which have their own. Both are
    products with a places × places matrix that grows from level to level, so no activities × activities matrix is made.
    """
    places, activities = present.shape
    if activities <= places:
        return rows @ proximity(present)
    ubiquity = present.sum(axis=0)
    rarer = np.zeros((len(rows), places))
    commoner = (rows / np.maximum(ubiquity, 1.0)) @ present.T
    found = np.zeros_like(rows)
    for level in np.unique(ubiquity[ubiquity > 0]):
        here = ubiquity == level
        part, columns = rows[:, here], present[:, here]
        step = part @ columns.T
        rarer += step
        commoner -= step / level
        found[:, here] = (rarer / level + commoner) @ columns - part
    return found


@dataclass(frozen=True, slots=True)
class Spectrum:
    """The second eigenvector of who shares activities with whom."""

    place: Matrix  # (places,)
    activity: Matrix  # (activities,)
    second: float
    third: float
    is_defined: bool


def spectrum(present: Matrix) -> Spectrum:
    """Complexity by eigenvectors of a connected matrix without empty rows and columns.

    The matrix of the smaller side is made symmetric by its degrees, so that its eigenvalues are real and the solver
    exact; the other side's vector follows by one product.
    """
    places, activities = present.shape
    diversity, ubiquity = present.sum(axis=1), present.sum(axis=0)
    scaled = present / np.sqrt(np.outer(diversity, ubiquity))
    small = scaled @ scaled.T if places <= activities else scaled.T @ scaled
    values, vectors = _largest(small)
    second, third = values[1], values[2]
    if second < EQUAL or second - third < EQUAL:
        return Spectrum(np.zeros(places), np.zeros(activities), second, third, is_defined=False)
    if places <= activities:
        by_place = vectors / np.sqrt(diversity)
        by_activity = (present.T @ by_place) / ubiquity / second
    else:
        by_activity = vectors / np.sqrt(ubiquity)
        by_place = (present @ by_activity) / diversity
    sign = _sign(by_place, diversity)
    middle, spread = by_place.mean(), by_place.std() * sign
    return Spectrum((by_place - middle) / spread, (by_activity - middle) / spread, second, third, is_defined=True)


def _largest(symmetric: Matrix) -> tuple[list[float], Matrix]:
    """The three largest eigenvalues, 0 where there are fewer, and the vector of the second."""
    from scipy.linalg import eigh

    size = len(symmetric)
    if size < 2:
        return [1.0, 0.0, 0.0], np.zeros(size)
    values, vectors = eigh(symmetric, subset_by_index=[max(0, size - 3), size - 1])
    descending = [float(max(v, 0.0)) for v in values[::-1]]
    return [*descending, 0.0][:3], vectors[:, -2]


def _sign(by_place: Matrix, diversity: Matrix) -> float:
    """1 or -1: diverse places are complex; where diversity does not tell, the first place is above the mean."""
    centred = by_place - by_place.mean()
    along = float(centred @ (diversity - diversity.mean()))
    if abs(along) > EQUAL * float(np.linalg.norm(centred)) * float(np.linalg.norm(diversity)):
        return 1.0 if along > 0 else -1.0
    first = centred[np.abs(centred) > EQUAL * np.abs(centred).max()]
    return 1.0 if first[0] > 0 else -1.0


@dataclass(frozen=True, slots=True)
class Fitness:
    """Where the map of fitness and complexity has come to."""

    place: Matrix  # (places,), mean 1
    activity: Matrix  # (activities,), mean 1
    steps: int
    change: float  # the largest of the last step


def fitness(present: Matrix, *, steps: int, until: float) -> Fitness:
    """Fitness of places and complexity of activities of a matrix without empty rows and columns."""
    place, activity = np.ones(present.shape[0]), np.ones(present.shape[1])
    done, change = 0, np.inf
    while done < steps and change > until:
        next_activity = 1.0 / ((1.0 / np.maximum(place, LEAST)) @ present)
        next_place = present @ activity
        next_place /= next_place.mean()
        next_activity /= next_activity.mean()
        change = max(float(np.abs(next_place - place).max()), float(np.abs(next_activity - activity).max()))
        place, activity, done = next_place, next_activity, done + 1
    return Fitness(place, activity, done, change)
