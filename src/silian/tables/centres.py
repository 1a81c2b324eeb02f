"""Where the districts lie: by their table, else by the middle of their borders."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from silian.tables.region import Region


def district_centres(region: Region) -> pl.DataFrame:
    """The districts; longitude and latitude are the middle of the largest part of the borders where none is stated.

    Examples
    --------
    >>> from silian.tables import Region
    >>> square = {"type": "Polygon", "coordinates": [[[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]]}
    >>> borders = {"features": [{"properties": {"district_id": "d1"}, "geometry": square}]}
    >>> region = Region.of({"districts": pl.DataFrame({"district_id": ["d1"], "name": ["东区"]})}, geojson=borders)
    >>> district_centres(region).select("longitude", "latitude").row(0)
    (1.0, 1.0)
    """
    schema = {"district_id": pl.String, "x": pl.Float64, "y": pl.Float64}
    middles = pl.DataFrame(list(_middles(region.geojson or {})), schema=schema, orient="row")
    stated = pl.col("longitude").is_not_null() & pl.col("latitude").is_not_null()
    return (
        region["districts"]
        .join(middles, on="district_id", how="left", maintain_order="left")
        .with_columns(
            longitude=pl.when(stated).then("longitude").otherwise("x"),
            latitude=pl.when(stated).then("latitude").otherwise("y"),
        )
        .drop("x", "y")
    )


def _middles(borders: Mapping[str, Any]) -> Iterator[tuple[str, float, float]]:
    for feature in borders.get("features", ()):
        shape = feature["geometry"]
        parts = [shape["coordinates"]] if shape["type"] == "Polygon" else shape["coordinates"]
        outer = max((part[0] for part in parts), key=lambda ring: abs(_area(ring)))
        area = _area(outer)
        if area:
            steps = [(a[0] + b[0], a[1] + b[1], a[0] * b[1] - b[0] * a[1]) for a, b in pairwise(outer)]
            x, y = (sum(step[k] * step[2] for step in steps) / (6 * area) for k in (0, 1))
            yield feature["properties"]["district_id"], x, y


def _area(ring: Sequence[Sequence[float]]) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring)) / 2
