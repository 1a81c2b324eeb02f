import re

import polars as pl
import pytest

from silian.errors import ArgumentError
from silian.report.gap_briefs import LISTED, briefs
from silian.report.tests import small

REGION, RESULTS = small.region(), small.results()


def said(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.split("</style>")[1]))


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", ["断档", "极片", "动力电池 · 部件", "铜箔 (本地 2 家)", "谁能补上", "涂布厚度激光测量", "张强"]),
        ("en", ["Break", "极片", "Who could fill it", "To extend", "Makes a related product · 铜箔"]),
    ],
)
def test_briefs_tell_what_a_gap_rests_on_and_who_could_fill_it(language, words):
    page = briefs(REGION, RESULTS, language=language)

    text = said(page)
    assert [w for w in words if w not in text] == []
    assert page.count("<article>") == 1
    for _, value in small.PARTS:
        assert f"{value:.3f}" in text
    assert "0.750" in text


def test_briefs_ask_for_nothing_and_run_nothing():
    page = briefs(REGION, RESULTS)

    assert not re.search(r"<script|https?://|<img|url\(|\son\w+=", page)
    assert "default-src 'none'" in page


def test_briefs_keep_hostile_names_as_text():
    products = REGION["products"].with_columns(name=pl.lit(small.HOSTILE))
    tables = {name: REGION[name] for name in REGION.tables} | {"products": products}

    page = briefs(type(REGION).of(tables), RESULTS)

    assert "<img" not in page
    assert "&lt;img" in page


def test_briefs_count_what_they_leave_out():
    rows = [("p2", "buyer", f"o{i:02}", None, None) for i in range(LISTED + 3)]
    evidence = pl.DataFrame(rows, schema=RESULTS["gap_evidence"].schema, orient="row")

    text = said(briefs(REGION, RESULTS | {"gap_evidence": evidence}, language="en"))

    assert f"Buyer {LISTED + 3}" in text
    assert "3 more" in text


def test_briefs_come_in_the_order_asked_for_and_refuse_what_is_no_gap():
    gaps = pl.concat([RESULTS["gaps"], RESULTS["gaps"].with_columns(product_id=pl.lit("p3"), rank=pl.lit(2, pl.Int64))])
    results = RESULTS | {"gaps": gaps}

    assert re.findall(r"<footer>(\w+)", briefs(REGION, results)) == ["p2", "p3"]
    assert re.findall(r"<footer>(\w+)", briefs(REGION, results, most=1)) == ["p2"]
    assert re.findall(r"<footer>(\w+)", briefs(REGION, results, products=["p3", "p2"])) == ["p3", "p2"]
    with pytest.raises(ArgumentError, match=r"argument\.value.*products.*p9"):
        briefs(REGION, results, products=["p9"])
    with pytest.raises(ArgumentError, match=r"argument\.value.*most is 0"):
        briefs(REGION, results, most=0)


def test_briefs_say_that_there_is_no_gap():
    assert "There is no gap." in briefs(REGION, small.nothing(), language="en")
