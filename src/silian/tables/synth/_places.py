"""Districts of an invented region: names, borders that neighbours share exactly, and places inside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from silian.tables.synth._dice import generator
from silian.tables.synth._vocabulary import rows

if TYPE_CHECKING:
    from silian.tables.synth._sizes import Size

# A prefecture that GB/T 2260 has, with county numbers that it does not have: real in form, no real place.
PREFECTURE: Final = "5226"
FIRST_COUNTY: Final = 51
CENTRE: Final = (108.0, 27.0)  # degrees
_BEND: Final = 0.13  # how far the middle of a border bends, as a share of its length
_HALVINGS: Final = 4  # of a border: 16 pieces


@dataclass(frozen=True, slots=True)
class Places:
    """The districts, and what other tables need of them."""

    districts: pl.DataFrame
    geojson: dict[str, Any]
    names: tuple[str, ...]
    names_en: tuple[str, ...]
    codes: tuple[str, ...]
    ids: tuple[str, ...]
    weight: np.ndarray  # share of people and firms, adds up to 1
    cells: tuple[np.ndarray, ...]  # corners of each cell before bending, float64 (n, 2)

    def inside(self, rng: np.random.Generator, district: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Longitude and latitude of a place inside each district, nearer to its middle than to its border."""
        longitude, latitude = np.empty(len(district)), np.empty(len(district))
        for d, cell in enumerate(self.cells):
            own = np.flatnonzero(district == d)
            first = rng.integers(len(cell), size=len(own))
            along = rng.random((len(own), 1))
            edge = cell[first] * along + cell[(first + 1) % len(cell)] * (1 - along)
            out = 0.88 * rng.random((len(own), 1)) ** 0.75
            point = cell.mean(axis=0) * (1 - out) + edge * out
            longitude[own], latitude[own] = point[:, 0].round(5), point[:, 1].round(5)
        return longitude, latitude


def places(size: Size, seed: int) -> Places:
    """Districts with people, area and borders."""
    rng = generator(seed, "places")
    n = size.districts
    listed = rows("places")[:n]
    width = 0.55 * np.sqrt(n)  # degrees
    cells, seeds = _cells(rng, n, width)
    rings = [_bent(rng_key=seed, cell=cell, shared=shared) for cell, shared in cells]
    urban = np.array([r["kind"] == "urban" for r in listed])
    weight = rng.gamma(4.0, size=n) * np.where(urban, 1.8, 0.8)
    weight = weight / weight.sum()
    codes = tuple(f"{PREFECTURE}{FIRST_COUNTY + i:02d}" for i in range(n))
    ids = tuple(f"D{i + 1:02d}" for i in range(n))
    area = np.array([_area(ring) for ring in rings])
    districts = pl.DataFrame(
        {
            "district_id": ids,
            "name": [r["name"] for r in listed],
            "name_en": [r["name_en"] for r in listed],
            "region": codes,
            "population": (weight * n * rng.uniform(3.6e5, 4.4e5)).round(-2).astype(np.int64),
            "area_km2": area.round(1),
            "longitude": seeds[:, 0].round(5),
            "latitude": seeds[:, 1].round(5),
        }
    )
    features = [
        {
            "type": "Feature",
            "properties": {"district_id": i, "name": r["name"]},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
        for i, r, ring in zip(ids, listed, rings, strict=True)
    ]
    return Places(
        districts=districts,
        geojson={"type": "FeatureCollection", "features": features},
        names=tuple(r["name"] for r in listed),
        names_en=tuple(r["name_en"] for r in listed),
        codes=codes,
        ids=ids,
        weight=weight,
        cells=tuple(cell for cell, _ in cells),
    )


def _cells(rng: np.random.Generator, n: int, width: float) -> tuple[list[tuple[np.ndarray, list[str]]], np.ndarray]:
    """Voronoi cells of n even seeds inside a ring of outer seeds, and the middles of the cells."""
    from scipy.spatial import Voronoi

    angle = np.sort(rng.uniform(0, 2 * np.pi, size=n))
    inner = np.stack([np.cos(angle), np.sin(angle)], axis=1) * np.sqrt(rng.random((n, 1))) * 0.9
    outer_count = max(10, int(4.5 * np.sqrt(n)))
    around = (np.arange(outer_count) + rng.uniform(-0.25, 0.25, size=outer_count)) * 2 * np.pi / outer_count
    gap = 1.0 + 0.9 / np.sqrt(n)
    outer = np.stack([np.cos(around), np.sin(around)], axis=1) * (gap * rng.uniform(0.95, 1.12, size=(outer_count, 1)))
    far = 3.0 * gap * np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], axis=1)
    for _ in range(12):  # Lloyd: even sizes
        diagram = Voronoi(np.concatenate([inner, outer, far]))
        polygons = [_ordered(diagram, i) for i in range(n)]
        inner = np.array([diagram.vertices[p].mean(axis=0) for p in polygons])
    scale = np.array([width * 0.62, width * 0.5])
    vertices = np.array(CENTRE) + diagram.vertices * scale
    cells = [(vertices[p], [str(v) for v in p]) for p in polygons]
    return cells, np.array([cell.mean(axis=0) for cell, _ in cells])


def _ordered(diagram: Any, point: int) -> list[int]:
    """Corner numbers of a cell, counter-clockwise, starting at the smallest number."""
    region = [v for v in diagram.regions[diagram.point_region[point]] if v >= 0]
    corners = diagram.vertices[region]
    middle = corners.mean(axis=0)
    turn = np.argsort(np.arctan2(corners[:, 1] - middle[1], corners[:, 0] - middle[0]))
    ring = [region[i] for i in turn]
    first = ring.index(min(ring))
    return ring[first:] + ring[:first]


def _bent(*, rng_key: int, cell: np.ndarray, shared: list[str]) -> list[list[float]]:
    """The ring of a cell with each side bent like a river; both neighbours of a side get the same points."""
    ring: list[list[float]] = []
    for i, name in enumerate(shared):
        other = (i + 1) % len(shared)
        forward = int(name) < int(shared[other])
        ends = (cell[i], cell[other]) if forward else (cell[other], cell[i])
        key = "border " + " ".join(sorted((name, shared[other]), key=int))
        line = _halved(generator(rng_key, key), np.array(ends))
        ring += (line if forward else line[::-1])[:-1].round(5).tolist()
    return [*ring, ring[0]]


def _halved(rng: np.random.Generator, line: np.ndarray) -> np.ndarray:
    """A line with the middle of each piece moved aside, several times over."""
    for _ in range(_HALVINGS):
        step = line[1:] - line[:-1]
        aside = np.stack([-step[:, 1], step[:, 0]], axis=1) * rng.uniform(-_BEND, _BEND, size=(len(step), 1))
        middle = (line[1:] + line[:-1]) / 2 + aside
        whole = np.empty((2 * len(line) - 1, 2))
        whole[::2], whole[1::2] = line, middle
        line = whole
    return line


def _area(ring: list[list[float]]) -> float:
    """Area of a ring in km2, on a plane at its latitude."""
    points = np.array(ring)
    x = points[:, 0] * 111.32 * np.cos(np.radians(points[:, 1].mean()))
    y = points[:, 1] * 110.57
    return float(abs(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2)
