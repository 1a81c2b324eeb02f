"""The borders of the districts: districts.geojson, a GeoJSON FeatureCollection (RFC 7946)."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from silian.tables.problems import problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import polars as pl

    from silian.tables.limits import Limits

GEOJSON: Final = "districts.geojson"
MOST_FEATURES: Final = 5_000  # the country has some 2,900 counties
DEPTH: Final = {"Polygon": 2, "MultiPolygon": 3}  # lists around the positions


def read_geojson(path: Path, *, file: str, limits: Limits) -> tuple[Mapping[str, Any] | None, list[pl.DataFrame]]:
    """The map of the districts, or None with the problem that keeps it from being used.

    Every feature needs `properties.district_id` and a Polygon or MultiPolygon with positions in degrees.
    """
    found = _load(path, limits)
    words = _wrong(found) if isinstance(found, dict) else found
    if words is None:
        return MappingProxyType(found), []  # type: ignore[arg-type]
    pair = ({"wanted": words[0]}, {"wanted": words[1]})
    return None, [problem("read.geojson", table="districts", file=file, words=pair)]


def _load(path: Path, limits: Limits) -> dict[str, Any] | tuple[str, str]:
    def refuse(constant: str) -> None:
        message = f"{constant} is no number of JSON"
        raise ValueError(message)

    if path.stat().st_size > limits.geojson_bytes:
        return f"it has more than {limits.geojson_bytes} bytes", f"文件超过 {limits.geojson_bytes} 字节"
    try:
        found = json.loads(path.read_bytes().decode("utf-8-sig"), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        return f"it is not JSON ({str(error)[:100]})", f"不是有效的 JSON（{str(error)[:100]}）"
    if not isinstance(found, dict) or found.get("type") != "FeatureCollection":
        return "it is not a FeatureCollection", "不是 FeatureCollection"
    return found


def _wrong(found: dict[str, Any]) -> tuple[str, str] | None:
    features = found.get("features")
    if not isinstance(features, list) or not 0 < len(features) <= MOST_FEATURES:
        return f"it needs 1 to {MOST_FEATURES} features", f"要素数应为 1 至 {MOST_FEATURES} 个"
    seen: set[str] = set()
    for number, feature in enumerate(features, start=1):
        where, where_zh = f"feature {number}", f"第 {number} 个要素"
        properties = feature.get("properties") if isinstance(feature, dict) else None
        name = properties.get("district_id") if isinstance(properties, dict) else None
        if not isinstance(name, str) or not name:
            return f"{where} lacks properties.district_id (text)", f"{where_zh}缺少文本 properties.district_id"
        if name in seen:
            return f"{where} repeats district {name[:40]}", f"{where_zh}重复了区县 {name[:40]}"
        seen.add(name)
        shape = feature.get("geometry")
        kind = shape.get("type") if isinstance(shape, dict) else None
        if kind not in DEPTH or not _positions(shape.get("coordinates"), DEPTH[kind]):
            return f"{where} is no Polygon or MultiPolygon in degrees", f"{where_zh}不是以度为单位的多边形"
    return None


def _positions(nested: object, depth: int) -> bool:
    """Whether nested lists of this depth hold rings of at least four positions in degrees."""
    if not isinstance(nested, list) or not nested:
        return False
    if depth > 1:
        return all(_positions(inner, depth - 1) for inner in nested)
    return len(nested) >= 4 and all(_is_position(point) for point in nested)


def _is_position(point: object) -> bool:
    if not isinstance(point, list) or not 2 <= len(point) <= 3:
        return False
    if any(isinstance(x, bool) or not isinstance(x, int | float) for x in point):
        return False
    return bool(-180 <= point[0] <= 180 and -90 <= point[1] <= 90)
