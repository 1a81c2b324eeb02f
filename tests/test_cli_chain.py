"""`silian chain` from the command line: what each command leaves, says and returns."""

import polars as pl
import pytest
from click.testing import CliRunner
from places import TINY

from silian import cli
from silian.pipeline import blanks
from silian.tables import schema, synth


@pytest.fixture(params=["zh", "en"])
def language(request, monkeypatch):
    monkeypatch.setenv("SILIAN_LANG", request.param)
    monkeypatch.setenv("COLUMNS", "200")
    return request.param


def call(*arguments):
    return CliRunner().invoke(cli.cli, ["chain", *(str(a) for a in arguments)])


@pytest.fixture
def arrivals(tmp_path):
    """Firms of four places over twenty years, with Chinese headings; two have no place, one no year."""
    activities = ["C2611", "C2612", "C2710", "C3311", "C3312", "C3913"]
    rows = [
        f"{place},{activity},{2000 + (5 * i + 3 * j) % 20}"
        for i, place in enumerate("甲乙丙丁")
        for j, activity in enumerate(activities)
        if (i + 1) * (j + 1) < 14
    ]
    rows += [",C2611,2004", ",C3913,2015", "甲,C2710,"]
    path = tmp_path / "arrivals.csv"
    path.write_text("\n".join(["地区,产业,年份", *rows, ""]), encoding="utf-8")
    return path


def test_complexity_of_a_table_writes_its_tables(tmp_path, language):
    path = tmp_path / "trade.csv"
    path.write_text("place,activity,value\na,x,9\na,y,5\nb,x,6\nb,y,1\nb,z,1\nc,x,3\n", encoding="utf-8")

    done = call("complexity", path, "--out", tmp_path / "out", "--proximity", 0)

    assert done.exit_code == 0, done.output
    assert ("最复杂的地区" if language == "zh" else "Most complex places") in done.output
    written = {p.stem for p in (tmp_path / "out").iterdir()}
    assert written == {f"complexity_{n}" for n in ("places", "activities", "pairs", "years")} | {"proximity"}
    pairs = pl.read_csv(tmp_path / "out" / "complexity_pairs.csv")
    assert pairs.columns == list(schema.chain()["complexity_pairs"].polars)
    assert pairs.filter(place="a", activity="x")["rca"][0] == pytest.approx((9 / 14) / (18 / 25))


def test_complexity_of_a_region_takes_its_industries_or_products(tmp_path):
    made = synth.make("county", seed=7)
    synth.write(made, tmp_path / "region")

    industries = call("complexity", tmp_path / "region", "--out", tmp_path / "industries")
    products = call("complexity", tmp_path / "region", "--of", "products", "--out", tmp_path / "products")

    assert (industries.exit_code, products.exit_code) == (0, 0), industries.output + products.output
    of_industries, of_products = (
        set(pl.read_csv(tmp_path / name / "complexity_activities.csv", infer_schema=False)["activity"])
        for name in ("industries", "products")
    )
    assert of_industries == set(made.region["organisations"].drop_nulls("district_id")["industry"].drop_nulls())
    assert of_products <= set(made.region["makes"]["product_id"])


def test_complexity_says_where_an_index_says_nothing(tmp_path, language):
    path = tmp_path / "apart.csv"
    path.write_text("place,activity\na,x\nb,y\n", encoding="utf-8")

    done = call("complexity", path)

    assert done.exit_code == 0
    assert ("ECI 无定义" if language == "zh" else "ECI is not defined") in done.output
    assert ("2 个互不相连" if language == "zh" else "fall into 2 parts") in done.output


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_forecast_writes_every_blank(arrivals, tmp_path, language, form):
    out = tmp_path / f"blanks.{form}"

    done = call("forecast", arrivals, "--until", 2015, "--horizon", 3, "--digits", 3, "--out", out)

    assert done.exit_code == 0, done.output
    assert ("1 行没有年份" if language == "zh" else "1 row(s) without a year") in done.output
    found = pl.read_csv(out) if form == "csv" else pl.read_parquet(out)
    rows = blanks.dated(blanks.read_presence(arrivals)).presence
    known = rows.filter(pl.col("year") <= 2015)
    here = known.drop_nulls("place").select("place", "activity").unique()
    assert found.height == here["place"].n_unique() * known["activity"].n_unique() - here.height
    assert found.columns == list(schema.chain()["forecast"].polars)


def test_forecast_shows_the_places_that_are_asked_for(arrivals, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")

    done = call("forecast", arrivals, "--place", "丁")

    assert done.exit_code == 0, done.output
    rows = [line for line in done.output.splitlines() if "C" in line and "│" in line]
    assert rows
    assert all("丁" in line for line in rows)


def test_forecast_takes_links(arrivals, tmp_path):
    links = tmp_path / "links.csv"
    links.write_text("activity,other,kind,weight\nC2611,C2710,made of,2\nC2611,chem,group,\n", encoding="utf-8")

    assert call("forecast", arrivals, "--until", 2015, "--links", links).exit_code == 0


def test_backtest_shows_methods_beside_each_other(arrivals, tmp_path, language):
    done = call("backtest", arrivals, "--first", 2010, "--horizon", 3, "--out", tmp_path / "out")

    assert done.exit_code == 0, done.output
    assert ("地区规模" if language == "zh" else "Place size") in done.output
    scores = pl.read_csv(tmp_path / "out" / "backtest_scores.csv")
    assert scores["origin"].unique().sort().to_list() == list(range(2010, 2017))


def test_rows_that_cannot_be_read_stop_and_are_named(arrivals, tmp_path, language):
    bad = tmp_path / "bad.csv"
    bad.write_text(arrivals.read_text(encoding="utf-8") + "甲,C9,soon\n", encoding="utf-8")

    done = call("forecast", bad)

    assert done.exit_code == 1
    assert "[run.table]" in done.output
    assert "soon" in done.output


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("forecast", "--until", 1990), "chain.empty"), (("forecast", "--until", 2000), "chain.history"),
     (("backtest", "--first", 2018), "argument.value")],
)  # fmt: skip
def test_what_cannot_be_learnt_is_said(arrivals, arguments, code):
    command, *rest = arguments

    done = call(command, arrivals, *rest)

    assert done.exit_code == 1
    assert f"[{code}]" in done.output


def test_a_table_without_years_cannot_be_forecast(tmp_path):
    path = tmp_path / "undated.csv"
    path.write_text("place,activity\na,x\nb,y\n", encoding="utf-8")

    assert "[chain.empty]" in call("forecast", path).output


def test_a_missing_file_is_named(tmp_path):
    assert "[read.missing]" in call("complexity", tmp_path / "none.csv").output


def test_complexity_of_the_tiny_region_ends_well():
    assert call("complexity", TINY).exit_code == 0


@pytest.fixture
def pairs(tmp_path):
    """Three places that each have what the next one has and something harder."""
    path = tmp_path / "pairs.csv"
    path.write_text("place,activity\na,rice\na,steel\na,chips\nb,rice\nb,steel\nc,rice\n", encoding="utf-8")
    return path


def test_space_writes_a_page_that_asks_for_nothing_else_its_pictures_and_tables(tmp_path, pairs, language):
    done = call("space", pairs, "--place", "b", "--out", tmp_path / "out")

    assert done.exit_code == 0, done.output
    names = [f"space_{name}" for name in ("activities", "nodes", "links", "places", "cells")]
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        "space.html", "product_space.svg", "matrix.svg", *(f"{name}.csv" for name in names),
    }  # fmt: skip
    for name in names:
        assert pl.read_csv(tmp_path / "out" / f"{name}.csv").columns == list(schema.chain()[name].polars)
    page = (tmp_path / "out" / "space.html").read_text(encoding="utf-8")
    assert ("产品空间" if language == "zh" else "Product space") in page
    assert [f for f in ("src=", "@import", "url(", "<script") if f in page] == []
    assert page.count('class="h"') == 2 + 1  # rings round rice and steel, which b has, and the legend's


def test_space_is_the_same_twice(tmp_path, pairs):
    for out in ("one", "two"):
        assert call("space", pairs, "--out", tmp_path / out).exit_code == 0

    assert [p.read_bytes() for p in sorted((tmp_path / "one").iterdir())] == [
        p.read_bytes() for p in sorted((tmp_path / "two").iterdir())
    ]


def test_space_of_one_activity_has_no_links_and_says_so(tmp_path, language):
    path = tmp_path / "one.csv"
    path.write_text("place,activity\na,rice\nb,rice\n", encoding="utf-8")

    done = call("space", path, "--out", tmp_path / "out")

    assert done.exit_code == 0, done.output
    assert ("产业不足两种" if language == "zh" else "Fewer than two activities") in done.output
    assert pl.read_csv(tmp_path / "out" / "space_links.csv").height == 0


def test_space_of_a_place_that_is_not_there_is_refused_and_nothing_is_written(tmp_path, pairs):
    done = call("space", pairs, "--place", "nowhere", "--out", tmp_path / "out")

    assert done.exit_code == 1
    assert "argument.value" in done.output
    assert not (tmp_path / "out").exists()


def test_space_keeps_names_as_text(tmp_path):
    path = tmp_path / "names.csv"
    path.write_text("place,activity\n<b>,<script>x</script>\n<b>,&amp\nc,&amp\n", encoding="utf-8")

    assert call("space", path, "--out", tmp_path / "out").exit_code == 0

    for name in ("space.html", "product_space.svg", "matrix.svg"):
        drawn = (tmp_path / "out" / name).read_text(encoding="utf-8")
        assert "<script" not in drawn
        assert "<b>" not in drawn
    assert "&lt;script&gt;" in (tmp_path / "out" / "space.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["space", "complexity"])
def test_a_file_in_the_place_of_the_folder_is_refused_and_stays(tmp_path, pairs, command):
    place = tmp_path / "out"
    place.write_text("mine", encoding="utf-8")

    done = call(command, pairs, "--out", place)

    assert done.exit_code == 1
    assert "write.failed" in done.output
    assert place.read_text(encoding="utf-8") == "mine"
