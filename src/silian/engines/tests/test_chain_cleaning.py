"""Facts of a dirty graph of products: what each rule drops, changes or notes, and that nothing goes silently."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian.engines.chain import cleaned, gaps
from silian.engines.tests.small_chains import INPUTS, NO_NEEDS, links_of, makes_of, products_of
from silian.errors import TableError
from silian.tables import synth
from silian.tables.schema import chain as chain_tables

NONE = pl.DataFrame(schema={"upstream_id": pl.String, "downstream_id": pl.String, "kind": pl.String})


def named(*names):
    return pl.DataFrame({"product_id": names, "name": names})


def met(done):
    return done.changes.select("row", "rule", "action").rows()


def arrows(done):
    return [f"{up}>{down} {kind}" for up, down, kind, _ in done.product_links.rows()]


def test_cleaned_leaves_a_clean_graph_as_it_is():
    links = links_of(("ore>steel", "material", 0.6), "steel>gear", ("cog>gear", "kind_of"))

    done = cleaned(links, products=named("ore", "steel", "gear", "cog"))

    assert_frame_equal(done.product_links, links)
    assert done.changes.is_empty()
    assert done.rules["links"].sum() == 0


def test_cleaned_drops_loops_empty_rows_and_unknown_kinds():
    links = pl.DataFrame(
        [("a", "a", "material"), (None, "b", "material"), ("a", "", "material"), ("a", "b", None), ("a", "b", "odd")],
        schema=NONE.schema,
        orient="row",
    )

    done = cleaned(links)

    assert done.product_links.is_empty()
    assert [(r, rule) for r, rule, _ in met(done)] == [
        (1, "loop"),
        (2, "empty"),
        (3, "empty"),
        (4, "empty"),
        (5, "unknown_kind"),
    ]
    assert done.changes["because"].to_list()[-1] == "odd"


def test_cleaned_keeps_the_heaviest_of_equal_links():
    links = links_of("a>b", ("a>b", "material", 0.4), ("a>b", "material", 0.4), ("a>b", "component", 0.2))

    done = cleaned(links)

    assert done.product_links.rows() == [("a", "b", "material", 0.4), ("a", "b", "component", 0.2)]
    assert done.changes.select("row", "rule", "because").rows() == [(1, "twice", "row 2"), (3, "twice", "row 2")]


@pytest.mark.parametrize(
    ("given_links", "left"),
    [
        (("锰酸锂>尖晶石锰酸锂", "尖晶石锰酸锂>锰酸锂 kind_of"), "尖晶石锰酸锂>锰酸锂 kind_of"),
        (("尖晶石锰酸锂>锰酸锂", "尖晶石锰酸锂>锰酸锂 kind_of"), "尖晶石锰酸锂>锰酸锂 kind_of"),
        (("车身壳体>车身", "车身壳体>车身 kind_of"), "车身壳体>车身 material"),
        (("牛肉>牛肉面", "牛肉面>牛肉 kind_of"), "牛肉>牛肉面 material"),
    ],
)
def test_cleaned_lets_the_head_of_the_name_say_what_is_a_kind(given_links, left):
    rows = [tuple(r.split(" ")) if " " in r else r for r in given_links]
    names = {n for r in given_links for n in r.split(" ")[0].split(">")}

    done = cleaned(links_of(*rows), products=named(*sorted(names)))

    assert arrows(done) == [left]
    assert done.changes["rule"].to_list() == ["kind_or_input"]


def test_cleaned_takes_an_input_rather_than_a_kind_where_names_are_unknown():
    done = cleaned(links_of("a>b", ("b>a", "kind_of")))

    assert arrows(done) == ["a>b material"]


def test_cleaned_drops_a_kind_whose_name_ends_otherwise():
    links = links_of(
        ("手机膜>手机", "kind_of"),
        ("折叠手机>手机", "kind_of"),
        ("手机（折叠）>手机", "kind_of"),
        ("座机>手机", "kind_of"),
    )

    done = cleaned(links, products=named("手机膜", "手机", "折叠手机", "手机（折叠）", "座机"))

    assert met(done) == [(1, "not_its_head", "dropped")]  # what stands in brackets is no head; other names say nothing


def test_cleaned_sets_processes_and_dishes_aside_unless_somebody_makes_them():
    links = links_of("钢>热处理", "萝卜>萝卜炖牛腩", "萝卜>萝卜汤", "炒锅钢>电炒锅", "水>处理")

    names = named("钢", "热处理", "萝卜", "萝卜炖牛腩", "萝卜汤", "炒锅钢", "电炒锅", "水", "处理")
    done = cleaned(links, products=names)
    kept = cleaned(links, products=names, makes=makes_of(o1="热处理 萝卜汤"))

    assert arrows(done) == ["炒锅钢>电炒锅 material"]
    assert done.changes.select("rule", "because").rows() == [
        ("process", "热处理"),
        ("recipe", "萝卜炖牛腩"),
        ("recipe", "萝卜汤"),
        ("process", "处理"),
    ]
    assert arrows(kept) == ["钢>热处理 material", "萝卜>萝卜汤 material", "炒锅钢>电炒锅 material"]


def test_cleaned_keeps_of_two_ways_the_one_that_climbs():
    # ore and gear tell that steel stands two above ore: rail>ore runs down
    links = links_of("ore>steel", "steel>gear", "gear>rail", "rail>ore", "ore>rail")

    done = cleaned(links)

    assert arrows(done) == ["ore>steel material", "steel>gear material", "gear>rail material", "ore>rail material"]
    assert done.changes.select("rule", "because").rows() == [("both_ways", "level -3.0")]


def test_cleaned_notes_two_ways_that_it_cannot_tell_apart():
    done = cleaned(links_of("a>b", "b>a"))

    assert arrows(done) == ["a>b material", "b>a material"]
    assert met(done) == [(1, "both_ways", "kept"), (2, "both_ways", "kept")]


def test_cleaned_notes_kinds_of_each_other():
    done = cleaned(links_of(("a>b", "kind_of"), ("b>c", "kind_of"), ("c>a", "kind_of"), ("d>a", "kind_of")))

    assert met(done) == [(1, "kind_ring", "kept"), (2, "kind_ring", "kept"), (3, "kind_ring", "kept")]
    assert len(arrows(done)) == 4


def test_cleaned_makes_shares_of_weights():
    links = links_of(
        ("a>x", "material", -0.2), ("b>x", "material", float("nan")),
        ("a>y", "material", 60.0), ("b>y", "material", 40.0),
        ("a>z", "material", 1.2), ("b>z", "material", 0.2),
        ("a>w", "material", 1.0), ("b>w", "component", 0.6), ("b>w", "material", 0.4), ("c>w", "material", 0.4),
    )  # fmt: skip

    done = cleaned(links)

    weights = done.product_links["weight"].to_list()
    assert weights[:6] == [None, None, 0.6, 0.4, None, 0.2]
    assert weights[6:] == pytest.approx([0.5, 0.3, 0.2, 0.2])  # b counts once, with .6: the sum was 2
    assert [rule for _, rule, _ in met(done)] == [
        *["weight_not_share"] * 2, *["weight_percent"] * 2, "weight_above", *["weight_sum"] * 4
    ]  # fmt: skip
    assert done.changes.filter(rule="weight_percent").select("weight_before", "weight_after").rows()[0] == (60.0, 0.6)


def test_cleaned_counts_what_each_rule_met():
    done = cleaned(links_of("a>a", "b>b", "b>c"))

    counts = {(r, a): (n, p) for r, a, n, p in done.rules.rows()}
    assert counts["loop", "dropped"] == (2, 2)
    assert sum(n for n, _ in counts.values()) == 2


def test_cleaned_finds_nothing_wrong_with_the_goods_of_a_synthetic_city():
    region = synth.make("city", seed=7).region

    done = cleaned(region["product_links"], products=region["products"], makes=region["makes"])

    dropped = done.changes.filter(action="dropped")
    assert set(dropped["rule"]) <= {"process", "not_its_head"}
    assert dropped.height <= 0.01 * region["product_links"].height


def test_cleaned_of_an_empty_table_is_an_answer():
    done = cleaned(NONE)

    assert done.changes.schema == chain_tables()["link_changes"].polars
    assert done.rules.schema == chain_tables()["link_rules"].polars
    assert done.product_links.is_empty()


def test_cleaned_refuses_what_is_no_table_of_links():
    with pytest.raises(TableError, match=r"table\.columns.*kind"):
        cleaned(NONE.drop("kind"))
    with pytest.raises(TableError, match=r"table\.type.*weight"):
        cleaned(links_of("a>b").with_columns(weight=pl.lit("half")))
    with pytest.raises(TableError, match=r"table\.duplicate.*products"):
        cleaned(NONE, products=named("a", "a"))


NAMES = ["牛肉", "牛肉面", "拌牛肉", "面", "汤", "牛肉汤", "热处理"]


@st.composite
def dirty(draw):
    row = st.tuples(
        st.sampled_from([*NAMES, None]),
        st.sampled_from(NAMES),
        st.sampled_from([*INPUTS, "kind_of", "kind_of", "odd", None]),
        st.sampled_from([None, None, 0.0, 0.3, 0.9, 1.5, 40.0, 60.0, -1.0, float("nan"), float("inf")]),
    )
    schema = links_of().schema
    return pl.DataFrame(draw(st.lists(row, max_size=25)), schema=schema, orient="row")


@settings(max_examples=150, deadline=None)
@given(dirty())
def test_cleaned_accounts_for_every_row_and_once_is_enough(links):
    done = cleaned(links, products=named(*NAMES))

    dropped = done.changes.filter(action="dropped")
    assert dropped["row"].is_unique().all()
    assert done.product_links.height == links.height - dropped.height
    again = cleaned(done.product_links, products=named(*NAMES))
    assert set(again.changes["action"]) <= {"kept"}
    assert_frame_equal(again.product_links, done.product_links)
    gaps(makes_of(o1="牛肉"), done.product_links, NO_NEEDS, products=products_of(*NAMES))  # takes it
    inputs = done.product_links.filter(pl.col("kind") != "kind_of").group_by("upstream_id", "downstream_id")
    sums = inputs.agg(pl.max("weight")).group_by("downstream_id").agg(pl.col("weight").sum())
    assert (sums["weight"] <= 1 + 1e-6).all()
