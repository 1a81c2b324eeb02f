"""Facts of what hangs by one thread or flows out, and of how much depends on a product."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from silian.engines.chain import gaps
from silian.engines.tests.small_chains import (
    IDS,
    NO_NEEDS,
    kinds,
    links_of,
    makes_of,
    missing,
    needs_of,
    products_of,
    regions,
)
from silian.errors import TableError

CHAIN = links_of("ore>steel", "steel>gear")
PRODUCTS = products_of("ore", "steel", "gear")


def supplies_of(*rows):
    """Supplies from "buyer<product<supplier" or that with a value."""
    given_rows = [
        (*(r[0] if isinstance(r, tuple) else r).split("<"), r[1] if isinstance(r, tuple) else None) for r in rows
    ]
    schema = {"org_id": pl.String, "product_id": pl.String, "supplier_id": pl.String, "value_cny": pl.Float64}
    return pl.DataFrame(given_rows, schema=schema, orient="row")


def test_gaps_is_a_single_point_where_others_buy_from_one_maker():
    found = gaps(makes_of(o1="steel", o2="gear", o3="ore"), CHAIN, NO_NEEDS, products=PRODUCTS)

    assert kinds(found) == {"ore": "single", "steel": "single"}  # nobody here buys gears
    assert found.evidence.filter(product_id="steel").rows() == [
        ("steel", "buyer", "o2", None, None),
        ("steel", "downstream", "gear", None, 1),
        ("steel", "maker", "o1", None, None),
        ("steel", "upstream", "ore", None, 1),
    ]


def test_gaps_is_no_single_point_for_who_buys_from_itself_or_has_a_choice():
    assert kinds(gaps(makes_of(o1="steel gear"), CHAIN, NO_NEEDS, products=PRODUCTS)) == {}
    assert kinds(gaps(makes_of(o1="steel", o2="gear steel"), CHAIN, NO_NEEDS, products=PRODUCTS)) == {}


def test_gaps_counts_a_single_point_half():
    made = makes_of(o1="ore", o2="gear")
    lacking = gaps(made, CHAIN, NO_NEEDS, products=PRODUCTS).gaps.filter(product_id="steel")
    held = gaps(pl.concat([made, makes_of(o3="steel")]), CHAIN, NO_NEEDS, products=PRODUCTS).gaps

    assert held.filter(product_id="steel")["score"][0] == pytest.approx(lacking["score"][0] / 2)


def test_gaps_is_an_outflow_where_what_is_wanted_here_is_made_elsewhere():
    makes, far = makes_of(o1="gear"), makes_of(x1="steel", x2="steel", x3="ore")

    found = gaps(makes, CHAIN, NO_NEEDS, products=PRODUCTS, elsewhere=far)

    assert kinds(found) == {"steel": "outflow"}  # nobody here makes steel, so nobody buys ore
    assert found.gaps.select("elsewhere", "outflow_share", "buyers").rows() == [(2, 1.0, 1)]
    assert kinds(gaps(makes, CHAIN, NO_NEEDS, products=PRODUCTS)) == {}
    named = gaps(makes_of(), CHAIN, needs_of(n1="ore"), products=PRODUCTS, elsewhere=far)
    assert kinds(named) == {"ore": "outflow"}


def test_gaps_takes_a_maker_of_a_kind_elsewhere_for_a_maker():
    links = pl.concat([CHAIN, links_of(("alloy>steel", "kind_of"))])
    far = makes_of(x1="alloy", x2="what nobody knows")

    found = gaps(
        makes_of(o1="gear"), links, NO_NEEDS, products=products_of("ore", "steel", "gear", "alloy"), elsewhere=far
    )

    assert kinds(found) == {"steel": "outflow"}


def test_gaps_is_an_outflow_where_most_is_bought_outside_though_it_is_made_here():
    makes = makes_of(o1="steel", o2="steel", o3="gear")
    half = supplies_of("o3<steel<x1", "o3<steel<o1")
    most = supplies_of("o3<steel<x1", "o3<steel<x2", "o3<steel<o1")
    valued = supplies_of(("o3<steel<x1", 10.0), ("o3<steel<x2", 20.0), ("o3<steel<o1", 70.0))

    def seen(supplies):
        found = gaps(makes, CHAIN, NO_NEEDS, products=PRODUCTS, supplies=supplies)
        return found.gaps.select("product_id", "kind", "outflow_share").rows()

    assert seen(half) == []
    assert seen(most) == [("steel", "outflow", pytest.approx(2 / 3))]
    assert seen(valued) == []  # by value 30 % come from outside


def test_gaps_calls_a_break_or_a_blank_what_is_also_an_outflow():
    far = makes_of(x1="steel", x2="rail")
    products = products_of("ore", "gear", steel="c/s", rail="c/t")

    found = gaps(makes_of(o1="gear ore"), CHAIN, needs_of(n1="rail"), products=products, elsewhere=far)

    assert kinds(found) == {"steel": "break", "rail": "blank"}
    assert found.gaps["outflow_share"].to_list() == [1.0, 1.0]


def test_gaps_flow_halves_with_every_step_and_splits_by_weight():
    links = links_of(("steel>gear", "material", 0.6), ("oil>gear", "material", 0.2), "ore>steel", "mill>steel")
    products = products_of("ore", "mill", "steel", "oil", "gear", "pot")
    makes = pl.DataFrame(
        {"org_id": ["o1", "o1", "o2"], "product_id": ["gear", "pot", "gear"], "share": [0.25, 0.75, None]}
    )

    found = gaps(makes, links, needs_of(n1="ore", n2="oil"), products=products, elsewhere=makes_of(x="ore oil"))

    # a quarter of o1 and all of o2 are gears; half of that are their inputs
    flow = dict(found.gaps.select("product_id", "flow").rows())
    assert flow == pytest.approx({"oil": 1.25 * 0.5 * 0.25, "ore": 1.25 * 0.5 * 0.75 * 0.5 * 0.5})


def test_gaps_flow_of_a_kind_goes_to_the_inputs_of_what_it_is_a_kind_of():
    links = links_of("steel>gear", ("spur>gear", "kind_of"), ("tiny>spur", "kind_of"))
    products = products_of("steel", "gear", "spur", "tiny")

    found = gaps(makes_of(o1="tiny"), links, NO_NEEDS, products=products, elsewhere=makes_of(x="steel"))

    assert found.gaps.select("product_id", "flow", "buyers").rows() == [("steel", 0.5, 1)]


def test_gaps_takes_shares_and_weights_that_sum_to_2_by_their_proportion():
    links = links_of(("steel>gear", "material", 0.9), ("oil>gear", "material", 0.9), ("air>gear", "material", 0.2))
    makes = makes_of(o1="gear pot").with_columns(share=pl.Series([1.0, 1.0]))

    found = gaps(makes, links, needs_of(n1="oil"), products=products_of("steel", "oil", "air", "gear", "pot"),
                 elsewhere=makes_of(x="oil"))  # fmt: skip

    assert found.gaps["flow"].to_list() == pytest.approx([0.5 * 0.5 * 0.45])


def test_gaps_flow_ends_in_cycles():
    links = links_of("a>b", "b>a")

    found = gaps(makes_of(o1="b"), links, NO_NEEDS, products=products_of("a", "b"), elsewhere=makes_of(x="a"))

    assert found.gaps["flow"].to_list() == pytest.approx([2 / 3])  # 1/2 + 1/8 + 1/32 + …


@settings(max_examples=100, deadline=None)
@given(regions(), st.sampled_from(IDS))
def test_gaps_filling_one_closes_it_and_opens_no_blank(region, product):
    makes, links, needs, products = region
    before = missing(gaps(makes, links, needs, products=products))
    filled = pl.concat([makes, makes_of(new=product)])

    after = missing(gaps(filled, links, needs, products=products))

    assert product not in after
    assert {p for p, k in after.items() if k == "blank"} <= {p for p, k in before.items() if k == "blank"}


@settings(max_examples=100, deadline=None)
@given(regions())
def test_gaps_parts_and_flows_stay_in_their_bounds(region):
    makes, links, needs, products = region

    found = gaps(makes, links, needs, products=products)

    assert found.parts["value"].is_between(0, 0.2).all()
    assert found.gaps["flow"].is_between(0, makes["org_id"].n_unique() + 1e-12).all()
    assert (found.gaps.filter(kind="single")["score"] <= 0.5).all()


@pytest.mark.parametrize("share", [-0.1, 2.0, float("nan")])
def test_gaps_refuses_shares_that_are_none(share):
    bad = makes_of(o1="ore").with_columns(share=pl.lit(share))
    with pytest.raises(TableError, match=r"table\.value.*makes\.share"):
        gaps(bad, CHAIN, NO_NEEDS, products=PRODUCTS)
    with pytest.raises(TableError, match=r"table\.value.*elsewhere\.share"):
        gaps(makes_of(o1="ore"), CHAIN, NO_NEEDS, products=PRODUCTS, elsewhere=bad)


def test_gaps_refuses_supplies_that_are_none():
    with pytest.raises(TableError, match=r"table\.value.*supplies\.value_cny"):
        gaps(makes_of(), CHAIN, NO_NEEDS, products=PRODUCTS, supplies=supplies_of(("o1<ore<x1", -1.0)))
    with pytest.raises(TableError, match=r"table\.unknown.*supplies\.product_id.*ghost"):
        gaps(makes_of(), CHAIN, NO_NEEDS, products=PRODUCTS, supplies=supplies_of("o1<ghost<x1"))
    with pytest.raises(TableError, match=r"table\.duplicate.*supplies"):
        gaps(makes_of(), CHAIN, NO_NEEDS, products=PRODUCTS, supplies=supplies_of("o1<ore<x1", "o1<ore<x1"))
