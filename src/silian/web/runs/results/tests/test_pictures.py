"""Numbers on pages are those of the run's tables, every one opens its list, every picture has its table."""

from __future__ import annotations

import csv
import io
import re
from html import unescape
from xml.etree import ElementTree as ET

import polars as pl
import pytest
from django.urls import reverse

from silian.web.catalog.models import Product
from silian.web.conftest import ROLES
from silian.web.runs.results.chain_pictures import PICTURES
from silian.web.runs.results.rules import seat_of
from silian.web.runs.results.tests.made import adopted
from silian.web.runs.results.tests.test_matches import SEE, page, table

pytestmark = pytest.mark.once

PAGES = ("matches", "assignment", "served", "loads", "unmet", "gaps", "firms", "districts")
PICTURED = ("assignment", "gaps", "districts")


def ready(run, name) -> pl.DataFrame:
    return pl.read_parquet(run.folder / "site" / f"{name}.parquet")


def counted(shown: str) -> int:
    return int(re.search(r"共 ([\d,]+) 项", shown)[1].replace(",", ""))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", PAGES)
def test_pages_of_results_are_for_who_looks_after_the_place(people, run, role, name):
    answers = {people[role].client.get(reverse(name)).status_code}
    answers.add(people[role].client.get(reverse(f"run_{name}", args=[run.pk])).status_code)

    assert answers == ({200} if role in SEE else {302} if role == "visitor" else {403})


def test_a_trial_of_those_above_is_not_for_an_officer_of_a_county(people, run):
    run.adopted_at = None
    run.save()

    assert people["officer"].client.get(reverse("run_matches", args=[run.pk])).status_code == 404
    assert people["broker"].client.get(reverse("run_matches", args=[run.pk])).status_code == 200


def test_tallies_of_the_assignment_are_those_of_the_run(people, run):
    proof = table(run, "proof").row(0, named=True)
    shown = re.sub(r"\s+", " ", page(people["broker"], "assignment"))

    tallies = dict(re.findall(r"<dt>([^<]+)</dt><dd>(?:<a [^>]*>)?([^<]+)", shown))
    assert tallies["所需专家人次"].strip() == str(proof["wanted"])
    assert tallies["已派专家人次"].strip() == str(proof["assigned"])
    assert tallies["尚缺专家的需求"].strip() == str(table(run, "unmet").height)
    assert "已证明没有总得分更高的指派" in shown


@pytest.mark.parametrize(
    ("name", "result"), [("served", "assigned"), ("loads", "loads"), ("unmet", "unmet"), ("gaps", "gaps")]
)
def test_lists_hold_every_row_of_their_table(people, run, name, result):
    assert counted(page(people["broker"], name)) == table(run, result).height


@pytest.mark.parametrize("name", PICTURED)
@pytest.mark.parametrize("role", ["broker", "officer"])
def test_every_number_of_a_picture_opens_a_list_of_as_many(people, run, name, role):
    """The counts of tables beside pictures lead to lists that count the same; an officer's are those of a county."""
    client, seen = people[role].client, 0
    for href, text in re.findall(r'<td[^>]*class="figure"><a href="([^"]+)">([\d,]+)</a>', page(people[role], name)):
        answer = client.get(unescape(href))
        assert answer.status_code == 200, href
        found = re.search(r"共 ([\d,]+) 项", answer.content.decode())
        if found and "gaps/of/" not in href:
            seen += 1
            assert found[1] == text, href
    assert seen >= (3 if role == "broker" else 1)


@pytest.mark.parametrize("name", PICTURED)
def test_every_mark_of_a_picture_leads_to_a_page_and_says_what_it_is(people, run, name):
    shown = page(people["broker"], name)
    marks = re.findall(r'<a href="([^"]+)" aria-label="([^"]+)"><title>', shown)

    assert marks
    for href, label in marks:
        assert people["broker"].client.get(unescape(href)).status_code == 200, href
        assert label.strip()


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_picture_can_be_taken_as_svg_and_its_table_as_csv(people, run, name, language):
    client = people["broker"].client
    client.cookies["language"] = language
    drawn = client.get(reverse("picture", args=[name, "svg"]))
    told = client.get(reverse("picture", args=[name, "csv"]))

    root = ET.fromstring(drawn.content)
    assert root.tag.endswith("svg")
    assert b"href" not in drawn.content
    rows = list(csv.reader(io.StringIO(told.content.decode("utf-8-sig"))))
    assert len(rows) > 1
    assert {len(row) for row in rows} == {len(rows[0])}


def test_map_of_districts_is_coloured_by_the_figure_that_is_chosen(people, run):
    balance = {r["district_id"]: r for r in table(run, "district_balance").to_dicts()}
    shown = page(people["broker"], "districts", query="?figure=needs&at=D01")

    assert shown.count('class="p-shape') == len(balance)
    panel = dict(re.findall(r"<dt>([^<]+)</dt><dd>(?:<a [^>]*>)?\s*([^<\s]+)", shown.partition("panel-of")[2]))
    assert panel["需求数"] == str(balance["D01"]["needs"])
    assert panel["专家数"] == str(balance["D01"]["experts"])
    people_of = ready(run, "districts").filter(district_id="D01")["population"][0]
    assert panel["每万人需求数"] == f"{10_000 * balance['D01']['needs'] / people_of:.2f}"


def test_gap_page_tells_why_and_who_could_fill_it(people, run):
    gap = table(run, "gaps").sort("rank").row(0, named=True)
    fillers = table(run, "gap_fillers").filter(product_id=gap["product_id"])
    shown = page(people["broker"], "product", gap["product_id"])

    assert "缺口第 1 位" in shown
    for noun, one in fillers.select("noun", "filler_id").rows():
        assert f'href="/{noun}s/{one}/"' in shown


def test_chain_map_names_every_product_and_leads_to_it(people, run):
    shown = page(people["broker"], "gaps")
    for one in ready(run, "products")["product_id"]:
        assert f'href="{reverse("product", args=[one])}"' in shown
    assert str(Product.objects.get(pk="P015")) in shown


@pytest.mark.parametrize("name", PICTURED)
def test_a_run_of_one_engine_says_which_steps_are_missing_on_every_page(people, registry, runs_folder, name):
    adopted(only=("same", "same_people"))

    assert "这次运行没有做" in page(people["broker"], name)


def test_without_borders_a_table_stands_and_a_sentence_how_to_bring_them(people, registry, runs_folder):
    from silian.web.runs.results.preparing import prepare

    run = adopted()
    (run.folder / "region" / "districts.geojson").unlink()
    prepare(run.folder)
    shown = page(people["broker"], "districts")

    assert "districts.geojson" in shown
    assert "<table" in shown


def test_preparing_twice_gives_the_same_bytes(run):
    from silian.web.runs.results.preparing import prepare

    before = {p.name: p.read_bytes() for p in (run.folder / "site").iterdir()}
    prepare(run.folder)
    assert {p.name: p.read_bytes() for p in (run.folder / "site").iterdir()} == before
    assert {p.name for p in run.folder.iterdir()} == {"region", "out", "site"}


def test_officer_of_a_county_sees_the_rows_of_its_needs_alone(people, run):
    seat = seat_of(people["officer"].actor, None)
    unmet = ready(run, "eased").filter(pl.col("district_id").is_in(sorted(seat.districts)))

    assert counted(page(people["officer"], "unmet")) == unmet.height


@pytest.mark.parametrize("name", PAGES)
def test_pages_of_results_take_a_fixed_number_of_queries(people, run, name, django_assert_max_num_queries):
    with django_assert_max_num_queries(24):
        page(people["broker"], name)
