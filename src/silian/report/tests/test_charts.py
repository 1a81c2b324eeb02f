import json

import altair as alt
import polars as pl
import pytest

from silian.errors import ArgumentError, ReportError, TableError
from silian.report import chain_charts, chain_map, charts
from silian.report.render import render
from silian.report.tests import small
from silian.tables.region import Region

REGION, RESULTS = small.region(), small.results()
NAMES = [
    *("needs_by_field", "best_scores", "served_between", "load_spread", "busiest_experts"),
    *("worst_served", "fairness_curve", "exposure_curve", "unmet"),
    *("chain_map", "gap_ranking", "district_chains", "district_map", "district_balance", "problems"),
]


def rows(spec, name="rows"):
    return spec["datasets"][name]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_all_charts_draws_every_picture_of_a_full_run(language):
    drawn = charts.all_charts(REGION, RESULTS, language=language)

    assert list(drawn) == NAMES
    for spec in drawn.values():
        alt.Chart.from_dict(spec, validate=True)
        assert spec["description"].startswith(spec["title"]["text"])
        assert "Noto Sans CJK SC" in spec["config"]["font"]
        # rows ride along: nothing is fetched
        assert "url" not in json.dumps({k: v for k, v in spec.items() if k != "$schema"})


def test_exposure_curve_draws_each_noun_and_the_even_line():
    spec = charts.exposure_curve(RESULTS["exposure_curve"], language="en")

    even, lines, _ = spec["layer"]
    assert [(v["share"], v["shown_share"]) for v in even["data"]["values"]] == [(0, 0), (1, 1)]
    assert lines["encoding"]["color"]["scale"]["domain"] == ["Achievement", "Expert"]
    first = [(r["share"], r["shown_share"]) for r in rows(spec) if r["noun"] == "Achievement"]
    assert first == [(0.0, 0.0), (0.3333, 0.0), (0.6667, 0.5), (1.0, 1.0)]


def test_all_charts_leaves_out_what_has_nothing_to_show():
    assert charts.all_charts(Region.of({}), small.nothing(), language="zh") == {}


def test_all_charts_without_a_map_leaves_out_only_the_map():
    drawn = charts.all_charts(small.region(with_map=False), RESULTS, language="zh")

    assert list(drawn) == [n for n in NAMES if n != "district_map"]


def test_all_charts_gives_equal_json_for_equal_tables():
    first, second = (json.dumps(charts.all_charts(small.region(), small.results(), language="en")) for _ in range(2))

    assert first == second


def test_all_charts_names_missing_tables():
    with pytest.raises(ReportError, match=r"report\.results.*2 .*gaps, district_balance"):
        charts.all_charts(REGION, {n: t for n, t in RESULTS.items() if n not in ("gaps", "district_balance")})


def test_all_charts_names_missing_columns():
    with pytest.raises(TableError, match=r"table\.columns.*loads.*free"):
        charts.all_charts(REGION, RESULTS | {"loads": RESULTS["loads"].drop("free")})


def test_all_charts_refuses_another_language():
    with pytest.raises(ArgumentError, match=r"argument\.value.*language.*'fr'"):
        charts.all_charts(REGION, RESULTS, language="fr")


def test_needs_by_field_stacks_matched_before_unmatched():
    spec = charts.needs_by_field(REGION["needs"], RESULTS["achievement_pairs"], language="en")

    assert rows(spec)[:2] == [
        {"field": "Not stated", "state": "With an achievement", "needs": 0, "order": 0},
        {"field": "Not stated", "state": "Without one", "needs": 1, "order": 1},
    ]
    assert spec["title"]["text"] == "Needs by technology field (count of needs)"


def test_best_scores_leaves_out_a_side_that_was_not_matched():
    spec = charts.best_scores(RESULTS["achievement_pairs"], RESULTS["expert_pairs"].clear(), language="en")

    assert {r["noun"] for r in rows(spec)} == {"Achievement"}
    assert spec["encoding"]["color"]["scale"]["domain"] == ["Achievement"]


def test_district_balance_draws_only_districts_that_want_experts():
    table = RESULTS["district_balance"]
    idle = table.head(1).with_columns(district_id=pl.lit("d9"), experts_wanted=0, served_share=None)

    spec = charts.district_balance(pl.concat([table, idle], how="vertical_relaxed"), REGION["districts"])

    assert [r["district"] for r in rows(spec)] == ["东湖区", "西山县"]


def test_served_between_names_districts_in_the_language():
    zh, en = (
        charts.served_between(
            REGION["needs"], REGION["experts"], RESULTS["assigned"], REGION["districts"], language=language
        )
        for language in ("zh", "en")
    )

    assert rows(zh)[1] == {"need": "东湖区", "expert": "西山县", "assigned": 1}
    assert rows(en)[1] == {"need": "Donghu", "expert": "Xishan", "assigned": 1}


def test_served_between_keeps_the_busiest_districts_when_there_are_many():
    ids = [f"d{i:02d}" for i in range(40)]
    needs = pl.DataFrame({"need_id": ids, "district_id": ids})
    experts = pl.DataFrame({"expert_id": ids, "district_id": ids})
    often = pl.DataFrame({"need_id": ["d39"] * 3 + ids, "expert_id": ["d38"] * 3 + ids})

    spec = charts.served_between(needs, experts, often, pl.DataFrame({"district_id": ids, "name": ids}))

    shown = {r["need"] for r in rows(spec)}
    assert len(shown) == charts.MAX_DISTRICTS
    assert {"d38", "d39"} <= shown


def test_worst_served_shows_what_each_got_of_what_it_would_get_alone():
    spec = charts.worst_served(RESULTS["served"], REGION["needs"], language="en")

    assert rows(spec) == [
        {
            "title": "1. 电池涂布厚度检测",
            "need_id": "n2",
            "experts": "1 / 2",
            "score": 0.3,
            "reachable": 0.4,
            "reached": "75%",
        },
        {
            "title": "2. 激光焊缝气孔在线检测",
            "need_id": "n1",
            "experts": "1 / 1",
            "score": 0.6,
            "reachable": 0.7,
            "reached": "86%",
        },
    ]


def test_fairness_curve_marks_the_run_and_leaves_room_around_a_level_line():
    curve = RESULTS["fairness_curve"]

    priced = charts.fairness_curve(curve, RESULTS["proof"], language="en")
    level = charts.fairness_curve(curve.head(2), RESULTS["proof"], language="en")

    assert [(r["worst"], r["total"], r["lost"], r["is_run"]) for r in rows(priced)] == [
        (0.0, 1.55, "0.00 (0.00%)", True),
        (0.3, 1.55, "0.00 (0.00%)", False),
        (0.4, 1.5, "0.05 (3.23%)", False),
    ]
    low, high = level["layer"][0]["encoding"]["y"]["scale"]["domain"]
    assert low < 1.55 < high


def test_all_charts_leaves_out_a_curve_of_one_point():
    drawn = charts.all_charts(REGION, RESULTS | {"fairness_curve": RESULTS["fairness_curve"].head(1)})

    assert "fairness_curve" not in drawn


def test_busiest_experts_tells_namesakes_apart():
    experts = REGION["experts"].with_columns(name=pl.lit("王伟"))

    spec = charts.busiest_experts(RESULTS["loads"], experts)

    assert [r["expert"] for r in rows(spec)] == ["王伟 e2", "王伟 e3"]


def test_unmet_keeps_a_reason_that_the_list_lacks():
    unmet = RESULTS["unmet"].with_columns(reason=pl.lit("new_reason"))

    assert {r["reason"] for r in rows(charts.unmet(REGION["needs"], unmet))} == {"new_reason"}


def test_gap_ranking_shows_rank_name_and_score():
    spec = charts.gap_ranking(RESULTS["gaps"], REGION["products"], language="en")

    assert rows(spec) == [
        {
            "product": "1. 极片",
            "product_id": "p2",
            "kind": "Break",
            "chain": "动力电池",
            "segment": "部件",
            "score": 0.75,
        }
    ]


def test_district_map_carries_only_districts_of_the_region_with_their_share():
    spec = charts.district_map(RESULTS["district_balance"], REGION["districts"], small.geojson(), language="en")

    figures = [f["properties"] for f in rows(spec, "borders")]
    assert [(f["name"], f["share"]) for f in figures] == [("Donghu", "67%"), ("Xishan", "100%")]
    assert [(p["lon"], p["lat"]) for p in rows(spec, "labels")] == [(110.5, 30.5), (111.5, 30.5)]


def test_chain_map_names_every_product_of_a_small_graph():
    tables = (REGION["products"], REGION["makes"], REGION["product_links"], RESULTS["gaps"])

    spec = charts.chain_map(*tables, language="en")

    assert {n["product"]: n["state"] for n in rows(spec, "nodes")} == {
        "铜箔": "Made here",
        "极片": "Break",
        "电芯": "Made here",
        "圆柱电芯": "Made here",
        "隔膜": "Not made here",
    }
    # two links, four points each; a kind of a product is no input of it
    assert [e["touches"] for e in rows(spec, "edges")] == ["break"] * 8


def test_chain_map_shows_a_large_graph_by_segment():
    count = chain_map.MAX_NODES + 1
    products = pl.DataFrame(
        {"product_id": [f"p{i:03d}" for i in range(count)], "name": "零件", "chain": "机床", "segment": "部件"}
    )
    none = REGION["product_links"].clear()
    makes = pl.DataFrame({"org_id": ["o1"], "product_id": ["p000"]})

    spec = charts.chain_map(products, makes, none, RESULTS["gaps"].clear(), language="zh")

    assert [(c["segment"], c["products"], c["made"], c["other"]) for c in rows(spec)] == [("部件", count, 1, count - 1)]
    parts = rows(spec, "parts")
    assert [p["state"] for p in parts] == ["本地生产", "本地未产"]
    assert (parts[0]["x"], parts[1]["x2"]) == (0.0, 0.94)
    alt.Chart.from_dict(spec, validate=True)


def test_chain_map_continues_a_long_chain_in_the_next_row():
    count = chain_map.COLUMNS + 1
    segments = [f"环节{i:02d}" for i in range(count)]
    products = pl.DataFrame({"product_id": [f"p{i:03d}" for i in range(count * 8)], "segment": segments * 8}).select(
        "product_id", "segment", name=pl.lit("零件"), chain=pl.lit("机床")
    )

    spec = charts.chain_map(products, REGION["makes"].clear(), REGION["product_links"].clear(), RESULTS["gaps"].clear())

    assert [(c["x"], c["y"]) for c in rows(spec)][-2:] == [(chain_map.COLUMNS - 1, 0), (0, 1)]


def test_problems_colours_grave_ones():
    spec = charts.problems(RESULTS["problems"], language="zh")

    assert [(r["code"], r["state"], r["rows"]) for r in rows(spec)] == [
        ("check.grave", "严重", 1),
        ("check.range", "一般", 2),
        ("check.empty", "一般", 1),
    ]


def test_render_draws_chinese_letters_into_a_png():
    spec = charts.problems(RESULTS["problems"], language="zh")

    picture = render(spec, "png")

    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = (int.from_bytes(picture[i : i + 4], "big") for i in (16, 20))
    assert width > 2 * 720
    assert height > 200
    assert "数据问题（行）" in render(spec, "svg").decode()


def test_render_gives_equal_bytes_for_equal_specs():
    spec = charts.load_spread(RESULTS["loads"])

    assert render(spec, "svg") == render(charts.load_spread(RESULTS["loads"]), "svg")


def test_render_refuses_another_form():
    with pytest.raises(ArgumentError, match=r"argument\.value.*form.*'gif'"):
        render({}, "gif")


@pytest.mark.parametrize("data", [{"url": "https://example.org/rows.json"}, {"url": "file:///etc/passwd"}])
def test_render_fetches_nothing(data):
    with pytest.raises(ReportError, match=r"report\.draw"):
        render({"data": data, "mark": "bar", "encoding": {"x": {"field": "a", "type": "quantitative"}}})


def test_render_names_a_broken_spec():
    with pytest.raises(ReportError, match=r"report\.draw.*svg"):
        render({"mark": "no such mark"})


def test_district_chains_counts_a_firm_once_in_each_chain_and_district():
    bodies = pl.DataFrame({"org_id": ["o1", "o2"], "district_id": ["d2", None]})
    makes = pl.DataFrame({"org_id": ["o1", "o1", "o2", "o2"], "product_id": ["p1", "p2", "p1", "p5"]})

    spec = chain_charts.district_chains(makes, bodies, REGION["products"], REGION["districts"], language="en")

    assert [(r["chain"], r["district"], r["makers"]) for r in rows(spec)] == [
        ("动力电池", "Not stated", 1), ("动力电池", "Xishan", 1)
    ]  # fmt: skip
    assert spec["encoding"]["x"]["sort"] == ["Xishan", "Not stated"]
