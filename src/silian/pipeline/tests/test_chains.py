"""Who is here and who is elsewhere, and that two rows of one body are one supplier."""

import polars as pl

from silian.pipeline import Plan
from silian.pipeline.chains import chained, matched
from silian.tables import Region


def region_of(*organisations, codes=("330106", "330108")):
    rows = [(f"d{n}", code) for n, code in enumerate(codes)]
    return Region.of(
        {
            "districts": pl.DataFrame(rows, schema=["district_id", "region"], orient="row"),
            "organisations": pl.DataFrame(organisations, schema=["org_id", "region", "district_id"], orient="row"),
            "makes": pl.DataFrame({"org_id": [o for o, *_ in organisations], "product_id": "p"}),
        }
    )


def same_of(**canonical):
    return pl.DataFrame({"org_id": list(canonical), "canonical_id": list(canonical.values())})


def test_chained_parts_who_is_registered_in_another_city():
    region = region_of(
        ("o1", "330106", "d0"),
        ("o2", "330110", None),
        ("o3", "440305", None),
        ("o4", "440305", "d1"),
        ("o5", None, None),
    )

    found = chained(region, same_of(o1="o1", o2="o2", o3="o3", o4="o4", o5="o5"))

    # another district of the city, a district of the region, and nothing known are all here
    assert found.makes["org_id"].to_list() == ["o1", "o2", "o4", "o5"]
    assert found.elsewhere["org_id"].to_list() == ["o3"]


def test_chained_knows_nobody_elsewhere_without_codes_of_districts():
    found = chained(region_of(("o1", "440305", None), codes=(None,)), same_of(o1="o1"))

    assert found.makes["org_id"].to_list() == ["o1"]
    assert found.elsewhere is None


def test_chained_takes_two_rows_of_one_body_for_one_supplier():
    found = chained(region_of(("o1", "330106", "d0"), ("o2", "330106", "d0")), same_of(o1="o1", o2="o1"))

    assert found.makes.select("org_id", "product_id").rows() == [("o1", "p")]


def test_matched_asks_for_a_gap_by_its_name_and_its_other_names():
    titles = ["锂电池隔膜涂布工艺", "茶叶杀青机"]
    region = Region.of(
        {
            "products": pl.DataFrame(
                {"product_id": ["p1", "p2"], "name": ["锂电池隔膜", "轴承"], "aliases": [["电池隔离膜"], None]}
            ),
            "achievements": pl.DataFrame({"achievement_id": ["a1", "a2"], "title": titles, "text": titles}),
        }
    )

    found = matched(region, pl.DataFrame({"product_id": ["p1"]}), Plan.of({"match": {"encoder": "words"}}))

    assert found.select("product_id", "noun", "target_id").rows() == [("p1", "achievement", "a1")]
