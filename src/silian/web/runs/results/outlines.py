"""The region's own map as shapes of a picture: thinned, put on the plane, small enough for a page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from silian.report import maps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import polars as pl

WIDE: Final = 1000.0  # units across the picture
TALLEST: Final = 1200.0
POINTS: Final = 30_000  # of all outlines together; a finer file is drawn coarser
GRIDS: Final = (1500, 800, 400, 200, 100)  # steps across the region, tried in turn


def drawn(geojson: Mapping[str, Any] | None, districts: pl.DataFrame) -> dict[str, Any]:
    """The shapes of known districts.

    Returns
    -------
    width, height (units), shapes (district_id → what `d` of a path holds), labels (district_id → x, y); empty where
    there is no map or none of its districts is known.

    Examples
    --------
    >>> import polars as pl
    >>> square = {"type": "Polygon", "coordinates": [[[0, 0], [2, 0], [2, 1], [0, 1], [0, 0]]]}
    >>> map_ = {"features": [{"properties": {"district_id": "d1"}, "geometry": square}]}
    >>> found = drawn(map_, pl.DataFrame({"district_id": ["d1"]}))
    >>> found["width"], round(found["height"]), found["shapes"]["d1"]
    (1000.0, 500, 'M0 500L0 0L1000 0L1000 500Z')
    """
    for grid in GRIDS:
        found = maps.prepared(geojson, districts, grid=grid)
        if sum(len(ring) for ring in _rings(found)) <= POINTS:
            break
    points = [point for ring in _rings(found) for point in ring]
    if not points:
        return {}
    place, width, height = _plane(points)
    shapes, labels = {}, {}
    for feature, (x, y) in zip(found["features"], maps.label_points(found), strict=True):
        name = feature["properties"]["district_id"]
        shapes[name] = "".join(_path([place(p) for p in ring]) for ring in _rings({"features": [feature]}))
        labels[name] = place((x, y))
    return {"width": width, "height": height, "shapes": shapes, "labels": labels}


def _rings(found: Mapping[str, Any]) -> Iterator[Sequence[Sequence[float]]]:
    for feature in found["features"]:
        for polygon in feature["geometry"]["coordinates"]:
            yield from polygon


def _plane(points: Sequence[Sequence[float]]) -> tuple[Any, float, float]:
    """How a position in degrees lies on the picture (lengths true along the middle), its width and height."""
    west, east = min(p[0] for p in points), max(p[0] for p in points)
    south, north = min(p[1] for p in points), max(p[1] for p in points)
    shrink = max(0.05, math.cos(math.radians((south + north) / 2)))
    across, up = max((east - west) * shrink, 1e-9), max(north - south, 1e-9)
    scale = min(WIDE / across, TALLEST / up)

    def place(point: Sequence[float]) -> tuple[float, float]:
        return round((point[0] - west) * shrink * scale, 1), round((north - point[1]) * scale, 1)

    return place, across * scale, up * scale


def _path(points: Sequence[tuple[float, float]]) -> str:
    """A closed ring; its last point is its first."""
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points[:-1]) + "Z"
