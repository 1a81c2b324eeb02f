"""Facts of a change: what filling a gap closes and opens, what losing a firm costs."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian.engines.chain import gaps, what_if
from silian.engines.tests.small_chains import IDS, NO_NEEDS, links_of, makes_of, products_of, regions
from silian.errors import ArgumentError, TableError
from silian.tables.schema import chain as chain_tables

CHAIN = links_of("ore>steel", "steel>gear", "gear>robot")
PRODUCTS = products_of("ore", "steel", "gear", "robot")


def figures(done):
    return {name: (was, now) for name, was, now in done.figures.rows()}


def test_what_if_filling_a_break_closes_it_and_shows_what_then_hangs_on_one():
    done = what_if(makes_of(o1="ore", o2="robot gear"), CHAIN, NO_NEEDS, products=PRODUCTS, fill=makes_of(o3="steel"))

    assert done.gaps.select("product_id", "change", "kind_before", "kind_after").rows() == [
        ("steel", "turned", "break", "single"),
        ("ore", "opened", None, "single"),
    ]
    assert figures(done)["break"] == (1, 0)
    assert figures(done)["single"] == (0, 2)
    assert figures(done)["organisations"] == (2, 3)
    assert figures(done)["products"] == (3, 4)
    assert figures(done)["complexity"] == (None, None)


def test_what_if_filling_from_within_leaves_no_single_point():
    # who buys steel makes it then itself
    done = what_if(makes_of(o1="ore gear"), CHAIN, NO_NEEDS, products=PRODUCTS, fill=makes_of(o1="steel"))

    assert done.gaps.select("product_id", "change").rows() == [("steel", "closed")]


def test_what_if_losing_a_firm_opens_a_break():
    makes = makes_of(o1="ore", o2="steel", o3="gear")

    done = what_if(makes, CHAIN, NO_NEEDS, products=PRODUCTS, lose=["o2"])

    assert done.gaps.select("product_id", "change", "kind_after").rows() == [
        ("steel", "turned", "break"),
        ("ore", "closed", None),
    ]


def test_what_if_tells_the_complexity_of_what_is_made():
    pci = pl.DataFrame({"product_id": ["ore", "steel", "gear"], "pci": [-1.0, 0.5, 2.0]})

    done = what_if(makes_of(o1="ore", o2="gear robot"), CHAIN, NO_NEEDS, products=PRODUCTS,
                   fill=makes_of(o3="steel"), complexity=pci)  # fmt: skip
    counted = what_if(makes_of(o1="ore gear"), CHAIN, NO_NEEDS, products=PRODUCTS, lose=["o1"],
                      complexity=lambda makes: makes.height)  # fmt: skip

    assert figures(done)["complexity"] == (0.5, 0.5)  # robot is not known
    assert figures(counted)["complexity"] == (2, 0)


def test_what_if_a_lost_firm_neither_buys_nor_sells():
    makes = makes_of(o1="steel", o2="gear", o3="steel")
    columns = {"org_id": ["o2", "o2"], "product_id": ["steel", "steel"], "supplier_id": ["o3", "o1"]}

    done = what_if(makes, CHAIN, NO_NEEDS, products=PRODUCTS, lose=["o3"], supplies=pl.DataFrame(columns))

    assert done.gaps.select("product_id", "kind_after").rows() == [("steel", "single")]  # no outflow to o3


@settings(max_examples=60, deadline=None)
@given(regions(), st.sampled_from(IDS))
def test_what_if_is_the_difference_of_two_gaps_and_can_be_taken_back(region, product):
    makes, links, needs, products = region
    new = makes_of(new=product)

    done = what_if(makes, links, needs, products=products, fill=new)
    back = what_if(pl.concat([makes, new]), links, needs, products=products, lose=["new"])

    assert_frame_equal(done.before.gaps, gaps(makes, links, needs, products=products).gaps)
    assert_frame_equal(done.after.gaps, back.before.gaps)
    assert_frame_equal(done.before.gaps, back.after.gaps)
    assert done.gaps.schema == chain_tables()["what_if_gaps"].polars
    turned = {"opened": "closed", "closed": "opened"}
    assert {p: turned.get(c, c) for p, c in done.gaps.select("product_id", "change").rows()} == dict(
        back.gaps.select("product_id", "change").rows()
    )
    was = dict(done.before.gaps.select("product_id", "score").rows())
    now = dict(done.after.gaps.select("product_id", "score").rows())
    changed = {p for p in was.keys() | now.keys() if abs(was.get(p, -1) - now.get(p, -1)) > 1e-12}
    assert changed <= set(done.gaps["product_id"])


def test_what_if_refuses_a_change_that_is_none():
    with pytest.raises(ArgumentError, match=r"argument\.value.*fill is nothing"):
        what_if(makes_of(o1="ore"), CHAIN, NO_NEEDS, products=PRODUCTS)
    with pytest.raises(ArgumentError, match=r"argument\.value.*lose.*ghost"):
        what_if(makes_of(o1="ore"), CHAIN, NO_NEEDS, products=PRODUCTS, lose=["ghost"])
    with pytest.raises(TableError, match=r"table\.unknown.*ghost"):
        what_if(makes_of(o1="ore"), CHAIN, NO_NEEDS, products=PRODUCTS, fill=makes_of(o2="ghost"))
    twice = pl.DataFrame({"product_id": ["ore", "ore"], "pci": [1.0, 2.0]})
    with pytest.raises(TableError, match=r"table\.duplicate.*complexity"):
        what_if(makes_of(o1="ore"), CHAIN, NO_NEEDS, products=PRODUCTS, lose=["o1"], complexity=twice)
