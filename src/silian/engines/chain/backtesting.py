"""How well forecasts of blanks would have done: rolling origins, beside what needs no model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from silian.engines.chain._hazard import History, Rates, learnt, terms
from silian.engines.chain.forecasting import Arrivals, checked, history_of
from silian.errors import ArgumentError
from silian.tables.schema import chain as schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

BINS: Final = 10  # of equal numbers of blanks, by their chance


@dataclass(frozen=True, slots=True)
class Backtest:
    """What was forecast at each origin and what came."""

    scores: pl.DataFrame  # backtest_scores: one row for each origin and method
    calibration: pl.DataFrame  # backtest_calibration: tenths of the blanks of each origin, by their chance
    weights: pl.DataFrame  # backtest_weights: what each term weighed at each origin


def backtest(
    presence: pl.DataFrame,
    *,
    origins: Iterable[int],
    horizon: int = 5,
    links: pl.DataFrame | None = None,
    activities: pl.Series | None = None,
    on_origin: Callable[[int], None] | None = None,
) -> Backtest:
    """Forecast from several years as if nothing later were known, and compare with what came.

    Parameters
    ----------
    presence, horizon, links, activities : as `forecast` takes them
    origins : years to forecast from; the last `horizon` years of the table cannot be origins
    on_origin : told each origin when it is done

    Returns
    -------
    Backtest : scores (method forecast, place_size, activity_popularity, size_by_popularity, density: AUC and average
        precision; for forecast, the fills expected and the Brier score too), calibration, weights

    Raises
    ------
    TableError : as `forecast`
    ArgumentError : argument.value (no origin, a horizon below 1, an origin whose outcome is not known yet)

    Notes
    -----
    Every origin is learnt anew from the rows up to it. Only blanks of places and activities known by then count; what
    nobody had by then is no row of any method. AUC and AP weigh ties by their mean; both are empty where all blanks
    fill or none does. The Brier score of always saying the share that came is share (1 - share): `brier_constant`.
    Deterministic. Cost: that of a forecast for each origin.

    Examples
    --------
    >>> presence = pl.DataFrame({"place": ["a", "a", "a", "b", "b", "c", "b"],
    ...                          "activity": ["rice", "steel", "chips", "rice", "steel", "rice", "chips"],
    ...                          "year": [2001, 2002, 2003, 2002, 2003, 2003, 2005]})
    >>> done = backtest(presence, origins=[2003], horizon=2)
    >>> done.scores.select("origin", "method", "blanks", "filled", "auc").rows()[:2]
    [(2003, 'forecast', 3, 1, 1.0), (2003, 'place_size', 3, 1, 1.0)]
    """
    years = sorted(set(origins))
    given = checked(presence, links, activities)
    last = int(given.presence["year"].max() or 0)  # type: ignore[arg-type]
    if horizon < 1:
        raise ArgumentError("argument.value", name="horizon", found=horizon, wanted="1 or more years")
    if not years or years[-1] + horizon > last:
        wanted = f"years up to {last - horizon}, whose outcome {horizon} years later is in the table (up to {last})"
        raise ArgumentError("argument.value", name="origins", found=years, wanted=wanted)
    found = []
    for origin in years:
        found.append(_of_origin(given, origin, horizon))
        if on_origin is not None:
            on_origin(origin)
    return Backtest(*(pl.concat([getattr(f, name) for f in found]) for name in Backtest.__slots__))


def _of_origin(given: Arrivals, origin: int, horizon: int) -> Backtest:
    history, places, activities = history_of(given, origin)
    rates = learnt(history, origin)
    blanks = history.blanks(origin)
    rows = terms(history, origin).of(blanks)
    chance = rates.chance(rows, horizon)
    came = _came(given, origin, horizon, places, activities)[blanks]
    return Backtest(
        scores=_scores(origin, came, chance, _naive(history, origin, blanks)),
        calibration=_calibration(origin, came, chance),
        weights=_weights(origin, rates),
    )


def _came(given: Arrivals, origin: int, horizon: int, places: pl.Series, activities: pl.Series) -> NDArray[np.bool_]:
    """(places, activities): arrived after the origin, within the horizon."""
    later = given.presence.filter(pl.col("year").is_between(origin + 1, origin + horizon))
    later = later.filter(pl.col("place").is_in(places.implode()), pl.col("activity").is_in(activities.implode()))
    came = np.zeros((places.len(), activities.len()), dtype=np.bool_)
    came[places.search_sorted(later["place"]), activities.search_sorted(later["activity"])] = True
    return came


def _naive(history: History, origin: int, blanks: NDArray[np.bool_]) -> dict[str, Matrix]:
    """What needs no model: how large the place, how common the activity, how near it is."""
    here = (history.first <= origin).astype(np.float64)
    size, popular = here.sum(axis=1, keepdims=True), here.sum(axis=0, keepdims=True)
    near = here.T @ here / np.maximum(np.maximum(popular.T, popular), 1.0)
    np.fill_diagonal(near, 0.0)
    scores = {
        "place_size": size + 0 * here,
        "activity_popularity": popular + 0 * here,
        "size_by_popularity": size * popular,
        "density": here @ near / np.maximum(near.sum(axis=0), 1e-12),
    }
    return {name: score[blanks] for name, score in scores.items()}


def _scores(origin: int, came: NDArray[np.bool_], chance: Matrix, naive: dict[str, Matrix]) -> pl.DataFrame:
    from sklearn.metrics import average_precision_score, roc_auc_score

    both = bool(came.any() and not came.all())
    share = float(came.mean()) if came.size else None
    rows = [
        {
            "origin": origin,
            "method": method,
            "blanks": came.size,
            "filled": int(came.sum()),
            "auc": float(roc_auc_score(came, score)) if both else None,
            "ap": float(average_precision_score(came, score)) if both else None,
            "expected": float(chance.sum()) if method == "forecast" else None,
            "brier": float(np.mean((chance - came) ** 2)) if method == "forecast" and came.size else None,
            "brier_constant": share * (1 - share) if method == "forecast" and share is not None else None,
        }
        for method, score in {"forecast": chance, **naive}.items()
    ]
    return pl.DataFrame(rows, schema=schema()["backtest_scores"].polars)


def _calibration(origin: int, came: NDArray[np.bool_], chance: Matrix) -> pl.DataFrame:
    order = np.argsort(chance, kind="stable")
    rows = [
        {
            "origin": origin,
            "tenth": number,
            "blanks": part.size,
            "mean_probability": float(chance[part].mean()),
            "filled_share": float(came[part].mean()),
        }
        for number, part in enumerate(np.array_split(order, BINS), start=1)
        if part.size
    ]
    return pl.DataFrame(rows, schema=schema()["backtest_calibration"].polars)


def _weights(origin: int, rates: Rates) -> pl.DataFrame:
    rows = {"origin": [origin] * len(rates.names), "term": rates.names, "weight": rates.weights}
    return pl.DataFrame(rows, schema=schema()["backtest_weights"].polars)
