"""Maps and names of users draw nothing but themselves."""

from __future__ import annotations

import json
import math
import re
from xml.etree import ElementTree as ET

import polars as pl
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from silian.report import svg
from silian.web.catalog.changing import Edit, change
from silian.web.runs.results import outlines
from silian.web.runs.results.preparing import prepare
from silian.web.runs.results.tests.made import adopted
from silian.web.runs.results.tests.test_matches import page

NASTY = '</title><script>alert(1)</script>"onload="x\u202ereversed\u0000 𠀋🦊'
SQUARE = [[104, 26], [105, 26], [105, 27], [104, 27], [104, 26]]


def region_map(*features) -> str:
    made = [
        {"type": "Feature", "properties": {"district_id": d}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
        for d, ring in features
    ]
    return json.dumps({"type": "FeatureCollection", "features": made})


def with_map(text: str):
    run = adopted()
    (run.folder / "region" / "districts.geojson").write_text(text)
    prepare(run.folder)
    return run


def test_a_broken_map_is_no_map_and_breaks_no_page(people, registry, runs_folder):
    empty = '{"type": "FeatureCollection", "features": [{"geometry": null}]}'
    rings = [[[math.nan, 0], *SQUARE], [[1e308, 0], *SQUARE]]
    for text in ("{", empty, *(region_map(("D01", ring)) for ring in rings)):
        with_map(text)
        assert "districts.geojson" in page(people["broker"], "districts")


def test_a_map_draws_known_districts_alone_and_no_text_of_the_file(people, registry, runs_folder):
    with_map(region_map(("D01", SQUARE), (NASTY, SQUARE), ("elsewhere", SQUARE)))
    shown = page(people["broker"], "districts")

    assert shown.count('class="p-shape') == 1
    assert "alert(1)" not in shown


def test_a_fine_map_is_drawn_coarse_enough_for_a_page():
    ring = [[104 + math.cos(k / 2e4) + k % 7 * 1e-4, 26 + math.sin(k / 2e4)] for k in range(125_664)]
    found = outlines.drawn(json.loads(region_map(("D01", [*ring, ring[0]]))), pl.DataFrame({"district_id": ["D01"]}))

    assert len(found["shapes"]["D01"]) < 600_000
    assert 0 < found["height"] <= outlines.TALLEST


@given(st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), min_size=3, max_size=12))
def test_paths_of_a_map_are_digits_and_letters_of_paths(points):
    ring = [list(p) for p in points] + [list(points[0])]
    found = outlines.drawn(json.loads(region_map(("D01", ring))), pl.DataFrame({"district_id": ["D01"]}))

    for path in found.get("shapes", {}).values():
        assert re.fullmatch(r"[MLZ0-9 .e-]*", path)
    for x, y in found.get("labels", {}).values():
        assert math.isfinite(x)
        assert math.isfinite(y)


@given(st.text(max_size=60))
def test_pictures_are_well_formed_whatever_names_say(name):
    bars = svg.bars([svg.Bar(name, 1, name, href=f"?x={name}")], label=name)
    cells = svg.matrix([name], [name], {(0, 0): svg.Mark(name, name, 1.0, "?a")}, label=name)
    shapes = {"width": 10, "height": 10, "shapes": {"d": "M0 0L1 1Z"}, "labels": {"d": [1, 1]}}
    district = svg.shapes(shapes, {"d": svg.Mark(name, name, 1.0, "?a")}, label=name)

    for drawn in (bars, cells, district):
        tags = {element.tag.rpartition("}")[2] for element in ET.fromstring(drawn).iter()}
        assert tags <= {"svg", "a", "g", "title", "rect", "text", "path"}
        ET.fromstring(svg.standalone(drawn).encode())


def test_html_in_names_of_records_stays_text_on_every_page(people, run):
    broker = people["broker"]
    name = NASTY.replace("\0", "")
    change(broker.actor, "products", [Edit("P015", {"name": name})])
    change(broker.actor, "needs", [Edit("N01", {"title": name})])
    change(broker.actor, "experts", [Edit("E03", {"name": name})])
    for address in (
        *map(reverse, ("matches", "assignment", "served", "loads", "unmet", "gaps", "districts")),
        reverse("match", args=["N01"]), reverse("product", args=["P015"]),
        reverse("picture", args=["chain_map", "svg"]),
    ):  # fmt: skip
        shown = broker.client.get(address).content.decode()
        assert "<script>alert" not in shown, address


def test_tables_taken_away_hold_no_formula(people, run):
    broker = people["broker"]
    change(broker.actor, "needs", [Edit("N01", {"title": "=HYPERLINK(1)"})])
    told = broker.client.get(reverse("matches_file")).content.decode("utf-8-sig")
    served = broker.client.get(reverse("list_file", args=["served"])).content.decode("utf-8-sig")

    for text in (told, served):
        assert "'=HYPERLINK(1)" in text
        assert not re.search(r"(^|,)=", text, re.MULTILINE)
    assert told.count("\r\n") - 1 == pl.read_parquet(run.folder / "out" / "achievement_pairs.parquet").height
