"""Where needs and targets are, and how far apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from silian.engines import _inputs

if TYPE_CHECKING:
    from silian.engines._inputs import Kind

EARTH_KM: Final = 6371.0088  # mean radius, IUGG 1980
LIMITS: Final = {"longitude": 180.0, "latitude": 90.0}


def locate(
    given: pl.DataFrame, *, organisations: pl.DataFrame | None = None, districts: pl.DataFrame | None = None
) -> pl.DataFrame:
    """The table with the place of each row: that of its organisation, else the centre of its district.

    Parameters
    ----------
    given : any table; org_id and district_id where it has them
    organisations : org_id, longitude, latitude (degrees, null where unknown)
    districts : district_id, longitude, latitude

    Returns
    -------
    The rows of `given` in their order with longitude, latitude (degrees) and place_of (organisations, districts); null
    where nothing is known. Columns of these names are replaced.

    Raises
    ------
    TableError : table.columns, table.type, table.duplicate; table.value where a coordinate is out of range.

    Examples
    --------
    >>> needs = pl.DataFrame({"need_id": ["n"], "district_id": ["d"]})
    >>> districts = pl.DataFrame({"district_id": ["d"], "longitude": [108.2], "latitude": [26.8]})
    >>> locate(needs, districts=districts).row(0)
    ('n', 'd', 108.2, 26.8, 'districts')
    """
    placed = given.drop("longitude", "latitude", "place_of", strict=False)
    found = []
    for name, key, table in (("organisations", "org_id", organisations), ("districts", "district_id", districts)):
        if table is None or key not in given.columns:
            continue
        known = _coordinates(table, name, key).rename({"longitude": f"{name}_x", "latitude": f"{name}_y"})
        placed = placed.with_columns(pl.col(key).cast(pl.String)).join(known, on=key, how="left", maintain_order="left")
        found.append(name)
    return placed.with_columns(
        longitude=pl.coalesce(*(f"{n}_x" for n in found), pl.lit(None, pl.Float64)),
        latitude=pl.coalesce(*(f"{n}_y" for n in found), pl.lit(None, pl.Float64)),
        place_of=pl.coalesce(
            *(pl.when(pl.col(f"{n}_x").is_not_null()).then(pl.lit(n)) for n in found), pl.lit(None, pl.String)
        ),
    ).drop(f"{n}_{axis}" for n in found for axis in "xy")


def kilometres(from_: tuple[np.ndarray, np.ndarray], to: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Great-circle distance between places (longitude, latitude in degrees), by broadcasting; NaN where one is unknown.

    Haversine formula on a sphere: within 0.6 % of the ellipsoid.
    Source: R. W. Sinnott (1984), Virtues of the haversine.

    Examples
    --------
    >>> one, two = (np.array([116.4]), np.array([39.9])), (np.array([121.5]), np.array([31.2]))
    >>> kilometres(one, two).round().tolist()
    [1071.0]
    """
    x, y, u, v = (np.radians(np.asarray(side, dtype=np.float64)) for side in (*from_, *to))
    half = np.sin((v - y) / 2) ** 2 + np.cos(y) * np.cos(v) * np.sin((u - x) / 2) ** 2
    found: np.ndarray = 2 * EARTH_KM * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0)))
    return found


def _coordinates(table: pl.DataFrame, name: str, key: str) -> pl.DataFrame:
    """key, longitude, latitude of the rows that have both."""
    wanted: dict[str, Kind] = {"longitude": "number", "latitude": "number"}
    known = _inputs.columns(table, name, {key: "id"}, optional=wanted)
    _inputs.refuse_duplicates(known, name, [key])
    for axis, limit in LIMITS.items():
        wrong = ~pl.col(axis).is_finite() | (pl.col(axis).abs() > limit)
        _inputs.refuse(known, name, axis, wrong, found="out of range", wanted=f"degrees from -{limit:g} to {limit:g}")
    return known.drop_nulls()
