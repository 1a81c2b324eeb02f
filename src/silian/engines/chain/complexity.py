"""How complex places and activities are, and what lies near to what a place has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from silian.engines import _inputs
from silian.engines.chain import _relatedness
from silian.errors import ArgumentError, TableError
from silian.tables.schema import chain as schema

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

BLOCK: Final = 512  # activities whose proximity is made at a time


@dataclass(frozen=True, slots=True)
class Complexity:
    """Complexity of every year; the columns are declared in the schema's chain folder."""

    places: pl.DataFrame  # complexity_places; sorted by year, place
    activities: pl.DataFrame  # complexity_activities; sorted by year, activity
    pairs: pl.DataFrame  # complexity_pairs: every place with every activity; sorted by year, place, activity
    years: pl.DataFrame  # complexity_years: sizes, eigenvalues, how fitness converged; sorted by year


def complexity(
    presence_or_value: pl.DataFrame,
    *,
    least_advantage: float = 1.0,
    fitness_steps: int = 200,
    fitness_change: float = 1e-9,
) -> Complexity:
    """Measure the complexity of places and activities, and how near each activity is to what a place has.

    Parameters
    ----------
    presence_or_value : place, activity[, year][, value | present]; one row per place, activity and year
        value is an amount >= 0 in any one unit: an activity is present where its revealed comparative advantage is at
        least `least_advantage`. present is 0 or 1 (or a flag). Without both, every row is present. A pair without a row
        is absent. Years are measured one by one; without the column there is one year, which is empty in the results.
    least_advantage : ratio, > 0; only for values
    fitness_steps : at most so many steps of fitness, >= 1
    fitness_change : fitness stops where no value changes by more than this, >= 0

    Returns
    -------
    Complexity : places (diversity, ECI, fitness, outlook index), activities (ubiquity, PCI, complexity by fitness),
        pairs (present, advantage, density, outlook gain) and years (sizes, parts, eigenvalues, convergence)

    Raises
    ------
    TableError : table.columns, table.type, table.value (an empty id, year or value; a value below 0 or not finite; a
        presence other than 0 and 1), table.duplicate, chain.amount (value and present at once),
        chain.empty
    ArgumentError : argument.value

    Notes
    -----
    ECI is the second eigenvector of D⁻¹ M U⁻¹ Mᵀ, standardised (mean 0, standard deviation 1, divisor n), its sign such
    that diverse places are complex; PCI is on the same scale, so that the ECI of a place is the mean PCI of what it
    has. Where the places and activities fall into parts that share nothing, eigenvectors say which part, not how
    complex: ECI and PCI are those of the largest part, empty elsewhere. They are empty too where no vector is the
    second (years.eci_is_defined). Deterministic; splits by year.
    Cost: 250 places × 5,000 activities 0.3 s (bench_complexity); O(p² a + p³), p the smaller, a the larger side.
    Source: docs/methods/complexity.md.

    Examples
    --------
    >>> found = complexity(pl.DataFrame({"place": ["a", "a", "a", "b", "b", "c", "d"],
    ...                                  "activity": ["rice", "steel", "chips", "rice", "steel", "rice", "rice"]}))
    >>> found.places.select("place", "diversity", pl.col("eci").round(3)).rows()
    [('a', 3, 1.414), ('b', 2, 0.471), ('c', 1, -0.943), ('d', 1, -0.943)]
    >>> found.activities.select("activity", "ubiquity", pl.col("pci").round(3)).rows()
    [('chips', 1, 3.3), ('rice', 4, -0.943), ('steel', 2, 1.886)]
    """
    for name, value in (("least_advantage", least_advantage), ("fitness_change", fitness_change)):
        if not (np.isfinite(value) and value >= 0 and (value > 0 or name == "fitness_change")):
            raise ArgumentError("argument.value", name=name, found=value, wanted="a number above 0")
    if fitness_steps < 1:
        raise ArgumentError("argument.value", name="fitness_steps", found=fitness_steps, wanted="1 or more")
    rows = _checked(presence_or_value)
    found = [_of_year(part, least_advantage, fitness_steps, fitness_change) for part in _by_year(rows)]
    return Complexity(*(pl.concat([getattr(f, name) for f in found]) for name in Complexity.__slots__))


def proximity(presence_or_value: pl.DataFrame, *, at_least: float = 0.0, least_advantage: float = 1.0) -> pl.DataFrame:
    """How often two activities go together: the links of the product space.

    Parameters
    ----------
    presence_or_value : as `complexity` takes it
    at_least : only pairs with this proximity and more, in [0, 1]; pairs that no place has together are left out always
    least_advantage : as in `complexity`

    Returns
    -------
    proximity : activity, other, year, proximity in (0, 1]; activity < other; sorted by year, activity, other

    Raises
    ------
    TableError, ArgumentError : as `complexity`

    Notes
    -----
    φ_pq = C_pq / max(u_p, u_q): the smaller of the two chances of finding one where the other is (Hidalgo and others
    2007). Deterministic. Cost: 5,000 activities 1.5 s, and the rows that come out.

    Examples
    --------
    >>> pairs = pl.DataFrame({"place": ["a", "a", "b"], "activity": ["rice", "steel", "rice"]})
    >>> proximity(pairs).rows()
    [('rice', 'steel', None, 0.5)]
    """
    if not 0 <= at_least <= 1:
        raise ArgumentError("argument.value", name="at_least", found=at_least, wanted="a share in [0, 1]")
    parts = [_near(_Grid.of(part, least_advantage), at_least) for part in _by_year(_checked(presence_or_value))]
    return pl.concat(parts)


# ── the table as it comes in ────────────────────────────────────────────────────────────────────────────────────────


def _checked(given: pl.DataFrame) -> pl.DataFrame:
    """place, activity, year, and value or present (0 or 1)."""
    name = "presence_or_value"
    if "value" in given.columns and "present" in given.columns:
        raise TableError("chain.amount", table=name)
    key: dict[str, _inputs.Kind] = {"place": "id", "activity": "id"}
    if "year" in given.columns:
        key["year"] = "count"
    if "present" in given.columns and given.schema["present"] == pl.Boolean:
        given = given.with_columns(pl.col("present").cast(pl.Int64))
    amount = next((c for c in ("value", "present") if c in given.columns), None)
    rows = _inputs.columns(given, name, {**key, amount: "number"} if amount else key)
    if rows.is_empty():
        raise TableError("chain.empty", table=name)
    if amount == "value":
        bad = ~pl.col("value").is_finite() | (pl.col("value") < 0)
        _inputs.refuse(rows, name, "value", bad, found="below 0 or not finite", wanted="an amount of 0 or more")
    elif amount == "present":
        bad = ~pl.col("present").is_in([0.0, 1.0])
        _inputs.refuse(rows, name, "present", bad, found="neither", wanted="0 or 1")
    else:
        rows = rows.with_columns(present=pl.lit(1.0))
    return rows if "year" in key else rows.with_columns(year=pl.lit(None, pl.Int64))


def _by_year(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """The rows of each year, in order."""
    if rows["year"].n_unique() == 1:
        return [rows]
    return rows.sort("year").partition_by("year", maintain_order=True)


@dataclass(frozen=True, slots=True)
class _Grid:
    """One year as a matrix: places and activities sorted by id."""

    place: pl.Series
    activity: pl.Series
    year: int | None
    present: Matrix
    rca: Matrix | None

    @classmethod
    def of(cls, rows: pl.DataFrame, least_advantage: float) -> _Grid:
        place, activity = (rows[c].unique().sort() for c in ("place", "activity"))
        amount = "value" if "value" in rows.columns else "present"
        grid = np.zeros((place.len(), activity.len()))
        at = tuple(rows[c.name].cast(pl.Enum(c)).to_physical().to_numpy() for c in (place, activity))
        is_given = np.zeros(grid.shape, dtype=np.bool_)
        is_given[at] = True
        if is_given.sum() < rows.height:
            key = ["place", "activity", *(["year"] if rows["year"].null_count() == 0 else [])]
            _inputs.refuse_duplicates(rows, "presence_or_value", key)
        grid[at] = rows[amount].to_numpy()
        year = rows["year"][0]
        if amount == "present":
            return cls(place, activity, year, grid, None)
        rca = _relatedness.advantage(grid)
        return cls(place, activity, year, (rca >= least_advantage).astype(np.float64), rca)

    def table(self, name: str, **columns: object) -> pl.DataFrame:
        """A table of the schema from arrays and constants; NaN is empty."""
        wanted = schema()[name].polars
        made = pl.DataFrame(columns, nan_to_null=True) if columns else pl.DataFrame()
        made = made.with_columns(year=pl.lit(self.year, pl.Int64))
        return made.select(pl.col(c).cast(t) for c, t in wanted.items())


# ── one year ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_year(rows: pl.DataFrame, least_advantage: float, steps: int, change: float) -> Complexity:
    grid = _Grid.of(rows, least_advantage)
    parts, place_part, activity_part = _parts(grid.present)
    complex_ = _by_vectors(grid.present, place_part == 1, activity_part == 1)
    fit = _by_fitness(grid.present, steps, change)
    density, index, gain = _outlook(grid.present, complex_.activity)
    return Complexity(
        places=grid.table(
            "complexity_places",
            place=grid.place,
            diversity=grid.present.sum(axis=1),
            part=place_part,
            eci=complex_.place,
            fitness=fit.place,
            outlook_index=index,
        ),
        activities=grid.table(
            "complexity_activities",
            activity=grid.activity,
            ubiquity=grid.present.sum(axis=0),
            part=activity_part,
            pci=complex_.activity,
            fitness_complexity=fit.activity,
        ),
        pairs=_pairs(grid, density, gain),
        years=grid.table(
            "complexity_years",
            places=[grid.place.len()],
            activities=[grid.activity.len()],
            present=[grid.present.sum()],
            parts=[parts],
            eci_is_defined=[complex_.is_defined],
            second_eigenvalue=[complex_.second],
            third_eigenvalue=[complex_.third],
            fitness_steps=[fit.steps],
            fitness_change=[fit.change],
            fitness_is_settled=[fit.change <= change],
        ),
    )


def _parts(present: Matrix) -> tuple[int, Matrix, Matrix]:
    """How many parts share nothing, and the part of each place and activity: 1 has most pairs, NaN has none."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    places, activities = present.shape
    row, column = np.nonzero(present)
    size = places + activities
    count, label = connected_components(
        coo_array((np.ones(row.size), (row, column + places)), shape=(size, size)), directed=False
    )
    pairs = np.bincount(label[row], minlength=count)
    order = np.argsort(-pairs, kind="stable")  # labels go by the first place, so ties do too
    number = np.full(count, np.nan)
    number[order] = np.where(pairs[order] > 0, np.arange(1, count + 1), np.nan)
    return int((pairs > 0).sum()), number[label[:places]], number[label[places:]]


def _by_vectors(present: Matrix, is_place: NDArray[np.bool_], is_activity: NDArray[np.bool_]) -> _relatedness.Spectrum:
    """ECI and PCI of the largest part; NaN elsewhere, and where they are not defined."""
    found = _relatedness.spectrum(present[np.ix_(is_place, is_activity)])
    place, activity = np.full(is_place.size, np.nan), np.full(is_activity.size, np.nan)
    if found.is_defined:
        place[is_place], activity[is_activity] = found.place, found.activity
    return _relatedness.Spectrum(place, activity, found.second, found.third, is_defined=found.is_defined)


def _by_fitness(present: Matrix, steps: int, change: float) -> _relatedness.Fitness:
    """Fitness of the places with an activity, and of the activities with a place; 0 and NaN for the others."""
    is_place, is_activity = present.any(axis=1), present.any(axis=0)
    place, activity = np.zeros(is_place.size), np.full(is_activity.size, np.nan)
    if not is_place.any():
        return _relatedness.Fitness(place, activity, 0, 0.0)
    found = _relatedness.fitness(present[np.ix_(is_place, is_activity)], steps=steps, until=change)
    place[is_place], activity[is_activity] = found.place, found.activity
    return _relatedness.Fitness(place, activity, found.steps, found.change)


def _outlook(present: Matrix, pci: Matrix) -> tuple[Matrix, Matrix, Matrix]:
    """Density, outlook index, outlook gain; NaN where an activity is related to none, or no PCI is defined."""
    nearness = _relatedness.related(np.ones((1, present.shape[1])), present)[0]
    is_near = nearness > _relatedness.EQUAL
    weight = np.divide(1.0, nearness, out=np.zeros_like(nearness), where=is_near)
    density = np.clip(_relatedness.related(present, present) * weight, 0.0, 1.0)
    worth, absent = np.nan_to_num(pci), 1.0 - present
    if np.isnan(pci).all():
        index, gain = np.full(len(present), np.nan), np.full_like(present, np.nan)
    else:
        index = (density * absent) @ worth
        gain = _relatedness.related(absent * (worth * weight), present) - density * worth
        gain[(present > 0) | np.isnan(pci)] = np.nan
    density[:, ~is_near] = np.nan
    return density, index, gain


def _pairs(grid: _Grid, density: Matrix, gain: Matrix) -> pl.DataFrame:
    places, activities = grid.present.shape
    of_place = pl.Series(np.repeat(np.arange(places, dtype=np.uint32), activities))
    of_activity = pl.Series(np.tile(np.arange(activities, dtype=np.uint32), places))
    rca = np.full(grid.present.size, np.nan) if grid.rca is None else grid.rca.ravel()
    return grid.table(
        "complexity_pairs",
        place=grid.place.gather(of_place),
        activity=grid.activity.gather(of_activity),
        is_present=grid.present.ravel() > 0,
        rca=rca,
        density=density.ravel(),
        outlook_gain=gain.ravel(),
    )


def _near(grid: _Grid, at_least: float) -> pl.DataFrame:
    """The proximity of one year, block by block, so that only what is kept takes room."""
    ubiquity = np.maximum(grid.present.sum(axis=0), 1.0)
    parts = []
    for start in range(0, ubiquity.size, BLOCK):
        block = slice(start, start + BLOCK)
        near = grid.present[:, block].T @ grid.present
        near /= np.maximum(ubiquity[block, None], ubiquity[None, :])
        first, other = np.nonzero((near > 0) & (near >= at_least))
        later = other > first + start
        first, other = first[later], other[later]
        ids = {"activity": grid.activity.gather(first + start), "other": grid.activity.gather(other)}
        parts.append(grid.table("proximity", **ids, proximity=near[first, other]))
    return pl.concat(parts)
