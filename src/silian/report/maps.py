"""The region's own map made ready to draw: only its districts, outlines the right way round, no finer than a screen."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import polars as pl

GRID: Final = 4000  # steps across the region; a screen shows fewer, and neighbours keep common borders

Ring = list[list[float]]


def prepared(geojson: Mapping[str, Any] | None, districts: pl.DataFrame, *, grid: int = GRID) -> dict[str, Any]:
    """The features of known districts, thinned and wound for drawing.

    Parameters
    ----------
    geojson : FeatureCollection of Polygons and MultiPolygons whose properties name the district_id, or None
    districts : district_id
    grid : steps across the region that outlines are drawn in

    Returns
    -------
    A FeatureCollection of new features, in the order of `districts`; other features and broken ones are left out.

    Examples
    --------
    >>> import polars as pl
    >>> square = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
    >>> map_ = {"features": [{"properties": {"district_id": "d1"}, "geometry": square}]}
    >>> prepared(map_, pl.DataFrame({"district_id": ["d1"]}))["features"][0]["geometry"]["coordinates"]
    [[[[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 0.0]]]]
    """
    found: dict[str, list[list[Ring]]] = {}
    for feature in (geojson or {}).get("features") or []:
        district = ((feature or {}).get("properties") or {}).get("district_id")
        if district is not None:
            found.setdefault(str(district), []).extend(_polygons((feature or {}).get("geometry")))
    shown = [d for d in districts["district_id"].to_list() if found.get(d)]
    step = _step([point for d in shown for polygon in found[d] for ring in polygon for point in ring], grid)
    features = []
    for district in shown:
        thinned = [
            [_wound(_thinned(ring, step), clockwise=n == 0) for n, ring in enumerate(p)] for p in found[district]
        ]
        kept = [[ring for ring in polygon if len(ring) >= 4] for polygon in thinned]
        geometry = {"type": "MultiPolygon", "coordinates": [p for p in kept if p]}
        if geometry["coordinates"]:
            features.append({"type": "Feature", "properties": {"district_id": district}, "geometry": geometry})
    return {"type": "FeatureCollection", "features": features}


def label_points(borders: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    """Where the name of each feature stands, (longitude, latitude): the centroid of its largest polygon."""
    for feature in borders["features"]:
        outer = max((polygon[0] for polygon in feature["geometry"]["coordinates"]), key=lambda r: abs(_area(r)))
        area = _area(outer)
        moments = [(a[0] + b[0], a[1] + b[1], a[0] * b[1] - b[0] * a[1]) for a, b in pairwise(outer)]
        yield (
            round(sum(x * cross for x, _, cross in moments) / (6 * area), 5),
            round(sum(y * cross for _, y, cross in moments) / (6 * area), 5),
        )


def _polygons(geometry: Mapping[str, Any] | None) -> list[list[Ring]]:
    kind, rings = (geometry or {}).get("type"), (geometry or {}).get("coordinates")
    polygons = {"Polygon": [rings], "MultiPolygon": rings}.get(str(kind)) if rings else None
    return [[[[float(x), float(y)] for x, y, *_ in ring] for ring in polygon] for polygon in polygons or [] if polygon]


def _step(points: Sequence[Sequence[float]], grid: int) -> float:
    if not points:
        return 1.0
    spans = [max(p[axis] for p in points) - min(p[axis] for p in points) for axis in (0, 1)]
    return max(spans) / grid or 1.0


def _thinned(ring: Ring, step: float) -> Ring:
    """Points snapped to the grid, those that fall together kept once; the last equals the first."""
    kept: Ring = []
    for x, y in ring:
        point = [round(round(x / step) * step, 6), round(round(y / step) * step, 6)]
        if not kept or point != kept[-1]:
            kept.append(point)
    if kept and kept[0] != kept[-1]:
        kept.append(kept[0])
    return kept if abs(_area(kept)) > 0 else []


def _wound(ring: Ring, *, clockwise: bool) -> Ring:
    """The ring as d3 wants it: outer rings clockwise seen on the map (the standard says the opposite)."""
    return ring[::-1] if ring and (_area(ring) < 0) != clockwise else ring


def _area(ring: Sequence[Sequence[float]]) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring)) / 2
