"""Complexity of 250 places × 5,000 activities, of 2,800 × 400, of ten years, and of the real trade in `../shared`.

Peer: plain numpy by the textbook, with the whole activities × activities matrix of proximity and all eigenvectors of
the places' side. The answers are compared before the clock counts. `ecomplexity` 0.5.3 took 181 s and 1.7 GB for the
first case on a machine like this one (measured before, not here: it is no dependency); it takes all eigenvectors of
the activities' side. Our memory is the peak of a process that holds the table too.
"""

from __future__ import annotations

import json
import os
import resource
import time
from pathlib import Path

import numpy as np
import polars as pl

from silian.engines.chain import complexity, proximity

CORES = os.cpu_count()
TRADE = Path(__file__).resolve().parents[1] / "../shared/data/complexity/world_trade_1998_2000_sitc4.parquet"
ECOMPLEXITY_SECONDS = 181.0  # 0.5.3, 250 × 5,000, measured on a like machine


def line(case: str, **values: object) -> None:
    """One measurement."""
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in values.items()}
    print(json.dumps({"bench": "complexity", "case": case, "values": rounded, "cores": CORES}), flush=True)


def peak() -> float:
    """MiB that this process has taken at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def values(places: int, activities: int, *, seed: int, years: int = 1) -> pl.DataFrame:
    """Amounts that grow with the place, the activity and how well the two fit."""
    rng = np.random.default_rng(seed)
    able, hard = rng.normal(size=(places, 1)), rng.normal(size=(1, activities))
    parts = []
    for year in range(years):
        amount = np.exp(able + hard + 0.7 * able * hard + rng.normal(size=(places, activities)))
        parts.append(
            pl.DataFrame(
                {
                    "place": pl.Series([f"c{i:04}" for i in range(places)]).gather(
                        np.repeat(np.arange(places), activities)
                    ),
                    "activity": pl.Series([f"p{i:04}" for i in range(activities)]).gather(
                        np.tile(np.arange(activities), places)
                    ),
                    "value": amount.ravel(),
                }
            ).with_columns(year=pl.lit(2000 + year))
        )
    return pl.concat(parts)


def plain(table: pl.DataFrame) -> dict[str, np.ndarray]:
    """ECI, PCI, density, outlook gain and fitness of one year, as the papers write them."""
    wide = table.pivot(on="activity", index="place", values="value").fill_null(0).sort("place")
    value = wide.drop("place").to_numpy()
    value = value[:, np.argsort(wide.columns[1:], kind="stable")]
    rca = value / value.sum(axis=1, keepdims=True) / (value.sum(axis=0) / value.sum())
    present = (rca >= 1).astype(float)
    diversity, ubiquity = present.sum(axis=1), present.sum(axis=0)
    eigenvalues, vectors = np.linalg.eig((present / diversity[:, None]) @ (present / ubiquity).T)
    second = np.argsort(-eigenvalues.real)[1]
    place = vectors[:, second].real
    activity = (present.T @ place) / ubiquity / eigenvalues.real[second]
    scale = place.std() * np.sign(np.corrcoef(place, diversity)[0, 1])
    eci, pci = (place - place.mean()) / scale, (activity - place.mean()) / scale
    near = (present.T @ present) / np.maximum(ubiquity[:, None], ubiquity[None, :])
    np.fill_diagonal(near, 0)
    total = near.sum(axis=0)
    density = (present @ near) / total
    gain = ((1 - present) * pci / total) @ near - density * pci
    gain[present > 0] = np.nan
    fitness, worth = np.ones(len(present)), np.ones(present.shape[1])
    for _ in range(200):
        fitness, worth = present @ worth, 1 / (present.T @ (1 / fitness))
        fitness, worth = fitness / fitness.mean(), worth / worth.mean()
    return {"eci": eci, "pci": pci, "density": density, "gain": gain, "fitness": fitness}


def largest_difference(found: object, other: dict[str, np.ndarray]) -> dict[str, float]:
    """The largest difference of each result from the peer's."""
    shape = other["density"].shape
    ours = {
        "eci": found.places["eci"].to_numpy(),
        "pci": found.activities["pci"].to_numpy(),
        "density": found.pairs["density"].to_numpy().reshape(shape),
        "gain": found.pairs["outlook_gain"].to_numpy().reshape(shape),
    }
    return {name: float(np.nanmax(np.abs(values - other[name]))) for name, values in ours.items()}


def measured(case: str, table: pl.DataFrame, **known: object) -> None:
    """Ours and the peer on one year."""
    began = time.perf_counter()
    found = complexity(table)
    first = time.perf_counter() - began
    mib = peak()
    times = []
    for _ in range(3):
        began = time.perf_counter()
        complexity(table)
        times.append(time.perf_counter() - began)
    began = time.perf_counter()
    other = plain(table)
    rival = time.perf_counter() - began
    apart = largest_difference(found, other)
    assert apart["eci"] < 1e-9, apart
    assert apart["pci"] < 1e-9, apart
    assert apart["density"] < 1e-9, apart
    assert apart["gain"] < 1e-9, apart
    seconds = float(np.median(times))
    line(
        case,
        places=found.places.height,
        activities=found.activities.height,
        seconds_first=first,
        seconds=seconds,
        mib=mib,  # the peak so far: only the first case says what it takes
        seconds_plain=rival,
        mib_with_plain=peak(),
        times_faster_than_plain=rival / seconds,
        largest_difference=max(apart.values()),
        fitness_steps=found.years["fitness_steps"][0],
        **{k: v / first if k.startswith("times") else v for k, v in known.items()},
    )


def main() -> None:
    """Each size once."""
    measured("world", values(250, 5_000, seed=7), times_faster_than_ecomplexity=ECOMPLEXITY_SECONDS)
    measured("counties", values(2_800, 400, seed=7))
    table = values(250, 1_000, seed=7, years=10)
    began = time.perf_counter()
    found = complexity(table)
    line("years", years=found.years.height, places=250, activities=1_000, seconds=time.perf_counter() - began)
    began = time.perf_counter()
    links = proximity(table.filter(year=2000), at_least=0.5)
    line("proximity", activities=1_000, links=links.height, seconds=time.perf_counter() - began)
    if not TRADE.exists():
        print(f"trade: left out, {TRADE} is not there")
        return
    measured("trade", pl.read_parquet(TRADE).select("value", place="country", activity="product"))


if __name__ == "__main__":
    main()
