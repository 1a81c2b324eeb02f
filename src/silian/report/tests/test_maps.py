from itertools import pairwise

import polars as pl
import pytest

from silian.report import maps
from silian.report.tests import small

DISTRICTS = pl.DataFrame({"district_id": ["d2", "d1", "unmapped"]})


def area(ring):
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring)) / 2


def test_prepared_keeps_known_districts_in_their_order():
    features = maps.prepared(small.geojson(), DISTRICTS)["features"]

    assert [f["properties"] for f in features] == [{"district_id": "d2"}, {"district_id": "d1"}]


@pytest.mark.parametrize("turn", [1, -1])
def test_prepared_winds_outlines_for_drawing_whichever_way_they_came(turn):
    outer = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]][::turn]
    hole = [[1, 1], [2, 1], [2, 2], [1, 2], [1, 1]][::-turn]
    geometry = {"type": "Polygon", "coordinates": [outer, hole]}
    given = {"features": [{"properties": {"district_id": "d1"}, "geometry": geometry}]}

    polygon = maps.prepared(given, DISTRICTS)["features"][0]["geometry"]["coordinates"][0]

    assert (area(polygon[0]), area(polygon[1])) == (-16.0, 1.0)


def test_prepared_drops_points_that_no_screen_shows():
    many = [[i / 1e6, 0.0] for i in range(1_000)]
    ring = [[0, 0], *many, [1, 0], [1, 1], [0, 1], [0, 0]]
    given = {
        "features": [{"properties": {"district_id": "d1"}, "geometry": {"type": "Polygon", "coordinates": [ring]}}]
    }

    outline = maps.prepared(given, DISTRICTS)["features"][0]["geometry"]["coordinates"][0][0]

    assert len(outline) < 20
    assert area(outline) == pytest.approx(-1, abs=0.01)


@pytest.mark.parametrize(
    "broken",
    [
        None,
        {},
        {"features": None},
        {"features": [None]},
        {"features": [{"properties": {"district_id": "d1"}, "geometry": None}]},
        {"features": [{"properties": {"district_id": "d1"}, "geometry": {"type": "Point", "coordinates": [1, 2]}}]},
        {"features": [{"properties": {"district_id": "d1"}, "geometry": {"type": "Polygon", "coordinates": []}}]},
        {
            "features": [
                {"properties": {"district_id": "d1"}, "geometry": {"type": "Polygon", "coordinates": [[[0, 0]]]}}
            ]
        },
    ],
)
def test_prepared_leaves_out_what_is_no_outline(broken):
    assert maps.prepared(broken, DISTRICTS)["features"] == []


def test_label_points_stand_in_the_middle_of_the_largest_polygon():
    islands = {
        "type": "MultiPolygon",
        "coordinates": [small.square(0, 0)["coordinates"], [[[10, 10], [14, 10], [14, 14], [10, 14], [10, 10]]]],
    }
    given = {"features": [{"properties": {"district_id": "d1"}, "geometry": islands}]}

    assert list(maps.label_points(maps.prepared(given, DISTRICTS))) == [pytest.approx((12, 12), abs=0.01)]
