import base64
import gzip
import hashlib
import html
import json
import re
from importlib.resources import files

import polars as pl
import pytest

from silian.errors import ReportError, TableError
from silian.report._words import words
from silian.report.page import SCRIPTS, _payload, page
from silian.report.tests import small
from silian.tables.region import Region

REGION, RESULTS = small.region(), small.results()


def made(of=REGION, results=RESULTS, **receipt):
    return page(of, results, receipt=small.receipt() | receipt)


def carried(text):
    packed = re.search(r'id="payload">([^<]*)</script>', text)[1]
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def column(packed, name):
    c = packed["cols"][name]
    return [None if i < 0 else c["d"][i] for i in c["v"]] if "d" in c else c["v"]


def source(name):
    return files("silian.report.page").joinpath(name).read_text(encoding="utf-8")


def test_page_gives_equal_bytes_for_equal_runs_whatever_their_seconds():
    first, second = (page(small.region(), small.results(), receipt=small.receipt(seconds)) for seconds in (1.0, 99.0))

    assert first == second
    assert "2026-06-30T08:00:00" not in first


def test_page_says_the_run_before_any_script_runs():
    text = made()

    assert "<title>示例市 · 四链对接报告</title>" in text
    assert '<html lang="zh-CN"' in text
    for said in ("4 项需求中，3 项找到了可用成果", "已指派 3 人次", "断档 1 处、空白 0 处", "75.0%"):
        assert said in re.sub(r"<[^>]+>", "", text)


def test_page_names_no_address_that_a_browser_would_fetch():
    text = made()

    frame = re.sub(r"(?s)<script>.*?</script>|<style>.*?</style>", "", text)
    assert not re.findall(r'(?:src|href|action|poster|data)="(?!#)[^"]*"', frame)
    assert not re.findall(r"url\(|@import", source("style.css"))
    assert "//# sourceMappingURL" not in text


def test_page_lets_only_its_own_scripts_and_style_run():
    text = made()

    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1])
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    scripts = re.findall(r"(?s)<script>(.*?)</script>", text)
    styles = re.findall(r"(?s)<style>(.*?)</style>", text)
    assert (len(scripts), len(styles)) == (3, 1)
    for part in (*scripts, *styles):
        digest = base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert not re.findall(r'\s(?:style|on\w+)="', re.sub(r"(?s)<script.*?</script>", "", text))


def test_page_carries_the_licence_of_what_it_bundles():
    assert "University of Washington Interactive Data Lab" in made()


def test_page_writes_hostile_texts_as_text():
    region = small.region(title=small.HOSTILE)

    text = made(region, region=small.HOSTILE, inputs={small.HOSTILE: small.HOSTILE})

    assert text.count("</script>") == made().count("</script>")
    assert "<img" not in re.sub(r"(?s)<script>.*?</script>", "", text)
    assert column(carried(text)["nouns"]["needs"], "title")[0] == small.HOSTILE


def test_page_carries_results_as_they_are():
    body = carried(made())

    assigned = body["results"]["assigned"]
    assert [column(assigned, n) for n in RESULTS["assigned"].columns] == [
        RESULTS["assigned"][n].to_list() for n in RESULTS["assigned"].columns
    ]
    assert column(body["nouns"]["needs"], "deadline_on") == ["2026-12-31", None, None, None]
    assert body["kept"]["gaps"] == [1, 1]


def test_page_carries_texts_only_of_what_was_matched():
    achievements = carried(made())["nouns"]["achievements"]

    assert dict(zip(column(achievements, "achievement_id"), column(achievements, "text"), strict=True)) == {
        "a1": "在线检测焊缝气孔",
        "a2": None,
        "a3": None,
    }


def test_page_carries_the_parts_of_every_score():
    body = carried(made())

    pairs, terms = body["results"]["achievement_pairs"], body["terms"]
    assert pairs["why_n"] == [3, 1, 2, 1]
    named = [(terms["kind"][t], terms["term"][t], p) for t, p in zip(pairs["why_t"], pairs["why_p"], strict=True)]
    # the largest first; what stands for further terms comes last
    assert named[:4] == [("word", "气孔", 4000), ("meaning", "", 3000), ("rest", "", 1000), ("word", "检测", 2000)]


def test_page_carries_the_grades_row_by_row_with_the_matches():
    pairs = carried(made())["results"]["achievement_pairs"]

    assert column(pairs, "level") == [4, 1, None, None]
    assert [column(pairs, f"p{n}")[0] for n in (1, 2, 3, 4)] == [0.05, 0.1, 0.25, 0.6]
    assert "grades" not in carried(made())["results"]


def test_page_carries_no_level_where_nothing_was_graded():
    body = carried(made(results=RESULTS | {"grades": RESULTS["grades"].clear()}))

    assert "level" not in body["results"]["achievement_pairs"]["cols"]


def test_page_carries_where_terms_stand_and_what_the_tables_say():
    body = _payload.payload(small.region(), small.results())

    spots = body["spots"]["achievement_pairs"]
    assert spots["cols"]["where"]["v"] == ["needs.title", "achievements.title", "achievements.text"]
    assert [spots["cols"][c]["v"] for c in ("pair", "start", "end")] == [[0, 0, 0], [4, 2, 6], [6, 4, 8]]
    assert body["spots"]["expert_pairs"]["cols"]["work"]["v"] == ["w1"]
    assert "achievement_terms" not in body["results"]
    said = body["results"]["achievement_facts"]["cols"]["target_says"]
    assert max(len(v) for v in said.get("d", said["v"]) if v) == _payload.MAX_SAID + 1
    assert body["results"]["exposure"]["cols"]["shown"]["v"] == [2, 2, 4]


def test_why_sums_up_small_parts_and_keeps_the_total():
    parts = small.why(*((("word", f"t{i}", 0.01 * (i + 1))) for i in range(12)), ("meaning", "", 0.22))
    pairs = pl.DataFrame({"why": [parts, [], None]}, schema={"why": RESULTS["achievement_pairs"].schema["why"]})
    terms = {}

    packed = _payload._why(pairs, terms)

    assert packed["why_n"] == [_payload.MAX_PARTS + 1, 0, 0]
    assert sum(packed["why_p"]) == pytest.approx(_payload.SCORE_UNIT * sum(p["part"] for p in parts), abs=4)
    assert list(terms)[packed["why_t"][-1]] == ("rest", "")


@pytest.mark.parametrize("values", [["a", "b", "a", None, "a", "a"], ["a", "b", "c"], [None, None], []])
def test_columns_come_back_as_they_were(values):
    packed = _payload.columns(pl.DataFrame({"x": pl.Series(values, dtype=pl.String)}))

    assert column(packed, "x") == values


def test_page_says_how_many_gaps_it_leaves_out():
    gaps = pl.concat([RESULTS["gaps"].with_columns(product_id=pl.lit(f"x{i:05d}"), rank=i) for i in range(1, 2_003)])

    body = carried(made(results=RESULTS | {"gaps": gaps}))

    assert body["kept"]["gaps"] == [2_000, 2_002]


def test_page_never_leaves_out_a_product_that_it_names(monkeypatch):
    many = pl.DataFrame({"product_id": [f"q{i:03d}" for i in range(100)], "name": "零件"})
    products = pl.concat([many, REGION["products"]], how="diagonal")
    monkeypatch.setattr(_payload, "MAX_ROWS", 20)

    body = carried(made(Region.of(dict(REGION.tables) | {"products": products})))

    assert body["kept"]["products"] == [60, 105]
    assert {"p1", "p2", "p3"} <= set(column(body["nouns"]["products"], "product_id"))


def test_page_cuts_long_texts():
    long = REGION["needs"].with_columns(text=pl.lit("焊" * 5_000))

    body = carried(made(Region.of(dict(REGION.tables) | {"needs": long})))

    assert set(column(body["nouns"]["needs"], "text")) == {"焊" * 600 + "…"}


def test_page_shows_borders_once_for_both_languages():
    charts = carried(made())["charts"]

    assert list(charts["zh"]) == list(charts["en"])
    assert "chain_map.edges" in charts["shared"]
    assert "edges" not in charts["en"]["chain_map"]["datasets"]


def test_page_of_an_empty_run_stands():
    text = page(Region.of({}), small.nothing(), receipt={})

    assert carried(text)["charts"] == {"zh": {}, "en": {}, "shared": {}}


def test_page_names_missing_tables():
    with pytest.raises(ReportError, match=r"report\.results.*1 .*same"):
        made(results={n: t for n, t in RESULTS.items() if n != "same"})


def test_page_names_missing_columns():
    with pytest.raises(TableError, match=r"table\.columns.*assigned.*score"):
        made(results=RESULTS | {"assigned": RESULTS["assigned"].drop("score")})


def test_words_has_every_text_that_the_page_asks_for_and_no_other():
    script = "\n".join(source(f"js/{name}.js") for name in SCRIPTS)
    python = "\n".join(
        path.read_text(encoding="utf-8")
        for path in sorted(files("silian.report").rglob("*.py"))
        if not {"tests", "official"} & {*path.parts}  # the monthly report has texts of its own
    )
    everything = script + python + source("template.html")

    def is_asked_for(key):
        # "tip.state" stands there whole; "state.made" is put together from "state." and a code
        stem = key.removesuffix(".how").removesuffix(".note").removesuffix(".sub")
        starts = [stem[: i + 1] for i, letter in enumerate(stem) if letter in "._"]
        return re.search(rf'["\'`:{{]{re.escape(stem)}["\'`}}{{]', everything) or any(
            re.search(rf'["\'`]{re.escape(start)}["\'`{{$]', everything) for start in starts
        )

    assert [key for key in words() if not is_asked_for(key)] == []
    asked = set(re.findall(r'\bt\("([\w.]+)"[,)]', script)) | set(
        re.findall(r"\{\{[ts]:([\w.]+)\}\}", source("template.html"))
    )
    asked |= set(re.findall(r'(?<!def )\bsay\("([\w.]+)"', python)) | set(re.findall(r'\bempty\("(\w+)"\)', script))
    assert sorted(key for key in asked if key not in words() and f"empty.{key}" not in words()) == []


def test_words_fills_in_the_same_values_in_both_languages():
    names = {key: [set(re.findall(r"\{(\w+)\}", text)) for text in pair] for key, pair in words().items()}

    assert {key: pair for key, pair in names.items() if pair[0] != pair[1]} == {}
    assert all(zh and en for zh, en in words().values())
