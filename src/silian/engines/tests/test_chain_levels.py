"""Facts of levels: raw materials at the bottom, one step a link, and circles that upset nothing."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian.engines.chain import levels
from silian.engines.tests.small_chains import links_of
from silian.errors import TableError
from silian.tables.schema import chain as chain_tables


def heights(found):
    return dict(found.products.select("product_id", "level").rows())


def test_levels_are_the_usual_layers_where_every_link_climbs_one_step():
    found = levels(links_of("ore>steel", "coal>steel", "steel>gear", "steel>rail", ("cog>gear", "kind_of")))

    assert heights(found) == pytest.approx({"ore": 0, "coal": 0, "steel": 1, "gear": 2, "rail": 2})
    assert found.parts.select("products", "links", "layers", "rings").rows() == [(5, 4, 3, 0)]
    assert found.parts["incoherence"][0] == pytest.approx(0)


def test_levels_of_a_shortcut_are_those_of_the_paper():
    # MacKay, Johnson & Sansom, by hand: the least of (b-a-1)² + (c-b-1)² + (c-a-1)² is at b = 2/3, c = 4/3
    found = levels(links_of("a>b", "b>c", "a>c"))

    assert heights(found) == pytest.approx({"a": 0, "b": 2 / 3, "c": 4 / 3})
    assert found.parts["incoherence"][0] == pytest.approx(1 / 9)


def test_levels_of_a_cycle_are_one_level():
    found = levels(links_of("a>b", "b>c", "c>a"))

    assert heights(found) == pytest.approx({"a": 0, "b": 0, "c": 0})
    assert found.parts.select("rings", "layers").rows() == [(1, 1)]
    assert found.parts["incoherence"][0] == pytest.approx(1)
    assert found.products["ring"].to_list() == [1, 1, 1]


def test_levels_give_each_part_a_bottom_of_its_own():
    found = levels(links_of("a>b", "x>y", "y>z", "a>a"))

    assert found.products.select("product_id", "layer", "part").rows() == [
        ("a", 0, 2), ("b", 1, 2), ("x", 0, 1), ("y", 1, 1), ("z", 2, 1)
    ]  # fmt: skip


def test_levels_of_no_links_is_an_answer():
    found = levels(links_of("a>a", ("b>c", "kind_of")))

    assert found.products.schema == chain_tables()["chain_levels"].polars
    assert found.parts.schema == chain_tables()["chain_parts"].polars
    assert found.products.is_empty()


def test_levels_refuses_a_link_given_twice():
    with pytest.raises(TableError, match=r"table\.duplicate.*product_links"):
        levels(links_of("a>b", "a>b"))


IDS = list("abcdefg")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from(IDS)), unique=True, max_size=16), st.randoms())
def test_levels_equal_dense_least_squares(pairs, random):
    links = links_of(*(f"{a}>{b}" for a, b in pairs))

    found = levels(links)

    assert found.products.schema == chain_tables()["chain_levels"].polars
    assert found.parts.schema == chain_tables()["chain_parts"].polars
    rows = [(a, b) for a, b in pairs if a != b]
    climbs = np.zeros((len(rows), len(IDS)))
    for n, (a, b) in enumerate(rows):
        climbs[n, IDS.index(b)], climbs[n, IDS.index(a)] = 1, -1
    slow = np.linalg.lstsq(climbs, np.ones(len(rows)))[0]
    table = found.products.with_columns(slow=pl.Series([slow[IDS.index(i)] for i in found.products["product_id"]]))
    moved = table.with_columns(moved=(pl.col("level") - pl.col("slow")))
    spread = moved.group_by("part").agg(spread=pl.col("moved").max() - pl.col("moved").min(), low=pl.col("level").min())
    assert (spread["spread"] < 1e-9).all()
    assert (spread["low"].abs() < 1e-12).all()
    assert found.parts["incoherence"].is_between(-1e-12, 1 + 1e-12).all()
    mixed = links[random.sample(range(links.height), links.height)]
    assert_frame_equal(levels(mixed).products, found.products)
