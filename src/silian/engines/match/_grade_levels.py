"""From features to the probabilities of levels: the prior, what makes pairs alike, and the decision.

Levels stand as three shares: level >= 2, level >= 3, level >= 4.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from silian.engines.match._grade_features import COLUMNS

STEPS: Final = (2, 3, 4)
# Before any label: log-odds of level >= 2, 3, 4 = first + second × (blend beyond the need's others) + third × company.
PRIOR: Final = np.asarray([(-0.9, 0.7, 11.0), (-2.7, 0.65, 4.5), (-4.2, 0.8, 3.5)])
SURE: Final = (5.0, 40.0)  # how surely the prior's level and steepness are held: curvature of a penalty
NEWTON_STEPS: Final = 20
HELD: Final = 20.0  # labels that a figure's deviation of 1 counts for, so that two labels do not set the scale
FARTHEST: Final = 4.0  # deviations from the mean; a figure that lies farther out counts no more
EDGE: Final = 0.003  # no share is surer than that


class Stage(NamedTuple):
    """What is expected of a pair before its need's labels are heard."""

    slopes: np.ndarray  # float64 (3, 2): level and steepness that the prior's log-odds are given
    centre: np.ndarray  # float64 (COLUMNS,)
    wide: np.ndarray  # float64 (COLUMNS,)


def reached(level: np.ndarray) -> np.ndarray:
    """Which steps a level reaches, float64 (pairs, 3)."""
    return np.asarray(level[:, None] >= np.asarray(STEPS), dtype=np.float64)


def prior(seen: np.ndarray) -> np.ndarray:
    """Log-odds from the texts alone, float64 (pairs, 3)."""
    beyond, company = (seen[:, COLUMNS.index(name)][:, None] for name in ("blend_beyond", "company"))
    return np.asarray(PRIOR[:, 0] + PRIOR[:, 1] * beyond + PRIOR[:, 2] * company)


def learn_stage(seen: np.ndarray, wanted: np.ndarray, weight: np.ndarray) -> Stage:
    """Learn from labelled pairs. wanted: float64 (pairs, 3)."""
    centre = seen.mean(axis=0) if len(seen) else np.zeros(len(COLUMNS))
    wide = np.sqrt((((seen - centre) ** 2).sum(axis=0) + HELD) / (len(seen) + HELD))
    return Stage(_slopes(prior(seen), wanted, weight), centre, wide)


def expect(stage: Stage, seen: np.ndarray) -> np.ndarray:
    """Shares by texts alone, float64 (pairs, 3)."""
    return logistic(stage.slopes[:, 0] + stage.slopes[:, 1] * prior(seen))


def figures_of(stage: Stage, seen: np.ndarray) -> np.ndarray:
    """What makes pairs alike, float64 (pairs, COLUMNS), about 1 wide."""
    return np.asarray(np.clip((seen - stage.centre) / stage.wide, -FARTHEST, FARTHEST))


def settled(shares: np.ndarray) -> np.ndarray:
    """Shares as probabilities: within the edges, none larger than the one before."""
    return np.minimum.accumulate(np.clip(shares, EDGE, 1 - EDGE), axis=1)


def median_level(shares: np.ndarray) -> np.ndarray:
    """The level of least expected absolute error, int64: the lowest at which half the probability is reached."""
    return np.asarray(1 + (shares > 0.5).sum(axis=1), dtype=np.int64)


def score_of(level: np.ndarray, wanted: np.ndarray) -> float:
    """1 / (1 + mean absolute error)."""
    return float(1 / (1 + np.abs(level - wanted).mean()))


def logistic(odds: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-odds)) that does not overflow."""
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * odds))


def _slopes(odds: np.ndarray, wanted: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Level and steepness by penalised logistic regression; 0 and 1 where nothing is known."""
    found = np.tile([0.0, 1.0], (len(STEPS), 1))
    held = np.diag(SURE)
    for k in range(len(STEPS) if len(odds) else 0):
        rows = np.stack([np.ones(len(odds)), odds[:, k]], axis=1)
        for _ in range(NEWTON_STEPS):
            share = logistic(rows @ found[k])
            slope = rows.T @ (weight * (wanted[:, k] - share)) - held @ (found[k] - (0.0, 1.0))
            step = np.linalg.solve((rows.T * (weight * share * (1 - share))) @ rows + held, slope)
            found[k] += np.clip(step, -1.0, 1.0)  # no step past where the curve is another
    return found
