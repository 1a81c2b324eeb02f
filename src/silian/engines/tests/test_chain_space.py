"""The product space and the matrix: small cases by hand, what is put together, what is refused."""

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from silian.engines import chain
from silian.engines.chain import _placing
from silian.errors import ArgumentError, TableError

STAIRS = [("a", "rice"), ("a", "steel"), ("a", "chips"), ("b", "rice"), ("b", "steel"), ("c", "rice")]


def pairs(rows):
    return pl.DataFrame(rows, schema={"place": pl.String, "activity": pl.String}, orient="row")


def random_pairs(places, activities, seed=3):
    draw = np.random.default_rng(seed)
    there = draw.random((places, activities)) < draw.uniform(0.1, 0.6, activities)
    return pairs([(f"p{i:03}", f"a{j:04}") for i, j in np.argwhere(there)])


def test_the_tree_and_the_strong_links_by_hand():
    # together: rice-steel 2 of 3, rice-chips 1 of 3, steel-chips 1 of 2; the tree leaves out the weakest
    drawn = chain.space(pairs(STAIRS), strong=0.0)

    assert drawn.links.select("activity", "other", pl.col("proximity").round(3), "is_tree").rows() == [
        ("rice", "steel", 0.667, True),
        ("chips", "steel", 0.5, True),
        ("chips", "rice", 0.333, False),
    ]
    assert chain.space(pairs(STAIRS), strong=0.34).links.height == 2


def test_the_matrix_by_hand():
    drawn = chain.space(pairs(STAIRS), order="nested")

    assert drawn.places.select("place", "diversity", "row").rows() == [("a", 3, 1), ("b", 2, 2), ("c", 1, 3)]
    there = drawn.cells.filter(pl.col("present") > 0).select("first_place", "first_activity").rows()
    assert there == [
        ("a", "rice"), ("a", "steel"), ("a", "chips"), ("b", "rice"), ("b", "steel"), ("c", "rice"),
    ]  # fmt: skip
    assert drawn.cells.height == 9


def test_complexity_orders_places_down_and_activities_up():
    drawn = chain.space(pairs([*STAIRS, ("d", "rice")]))

    assert drawn.places["eci"].is_sorted(descending=True)
    assert drawn.cells.filter(row=1)["first_activity"].to_list() == ["rice", "steel", "chips"]


def test_a_chosen_place_is_counted_and_values_are_summed():
    rows = pairs(STAIRS).with_columns(value=pl.Series([1.0, 1, 9, 5, 2, 9]))

    drawn = chain.space(rows, place="b")

    chips, rice, steel = drawn.activities.rows(named=True)
    assert (chips["amount"], rice["amount"], steel["amount"]) == (9.0, 15.0, 3.0)
    # advantage of b: rice (5/7) / (15/27) = 1.29, steel (2/7) / (3/27) = 2.57
    assert [r["is_here"] for r in (chips, rice, steel)] == [False, True, True]
    assert drawn.nodes["here"].to_list() == [0, 1, 1]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("uvwxyz")), min_size=1, max_size=25, unique=True))
def test_the_tree_is_the_heaviest_of_all_trees(rows):
    drawn = chain.space(pairs(rows), strong=1.0)
    near = chain.proximity(pairs(rows))
    parts = {a: a for a in drawn.activities["activity"]}
    best = 0.0  # Kruskal's tree, by merging names
    for a, b, value in near.sort("proximity", descending=True).select("activity", "other", "proximity").rows():
        if parts[a] != parts[b]:
            best += value
            parts = {k: parts[a] if v == parts[b] else v for k, v in parts.items()}

    tree = drawn.links.filter("is_tree")

    assert tree.height == drawn.activities.height - len(set(parts.values()))
    assert tree["proximity"].sum() == pytest.approx(best)
    assert drawn.nodes.select(pl.col("x", "y").is_between(0, 1).all()).row(0) == (True, True)
    assert drawn.cells["present"].sum() == len(rows)


def test_the_same_rows_in_another_order_give_the_same_picture():
    rows = random_pairs(20, 60)

    for most in (100, 30):
        first, again = (
            chain.space(rows, most=most),
            chain.space(rows.sample(fraction=1, shuffle=True, seed=1), most=most),
        )
        for name in chain.Space.__slots__:
            assert getattr(first, name).equals(getattr(again, name)), name


def test_a_large_space_is_put_together_and_loses_nothing():
    rows = random_pairs(90, 400)

    drawn = chain.space(rows, place="p001")

    assert drawn.nodes.height <= 60
    assert drawn.nodes["activities"].sum() == drawn.activities.height == rows["activity"].n_unique()
    assert drawn.nodes["here"].sum() == rows.filter(place="p001").height
    assert (drawn.cells["row"].max(), drawn.cells["column"].max()) == (60, 120)
    assert drawn.cells["present"].sum() == rows.height
    assert drawn.cells.select((pl.col("places") * pl.col("activities")).sum()).item() == 90 * 400
    assert drawn.links.height <= 2 * drawn.nodes.height


def test_what_belongs_together_stays_together():
    blocks = pairs([(f"{b}{i}", f"{b}-{j}") for b, i, j in itertools.product("xyz", range(5), range(50))])
    bridge = pairs([("all", f"{b}-{j}") for b, j in itertools.product("xyz", range(50))])

    drawn = chain.space(pl.concat([blocks, bridge]))
    group = dict(drawn.activities.select("activity", "node").rows())

    assert {b: len({g for a, g in group.items() if a[0] == b} & {g for a, g in group.items() if a[0] != b})
            for b in "xyz"} == {"x": 0, "y": 0, "z": 0}  # fmt: skip


def test_between_groups_stands_the_mean_of_all_pairs():
    links = (np.array([0, 0, 1]), np.array([1, 2, 2]), np.array([0.9, 0.5, 0.3]))

    first, other, near = _placing.between(np.array([0, 0, 1, 1]), links)

    assert (first.tolist(), other.tolist(), near.tolist()) == ([0], [1], [pytest.approx(0.8 / 4)])


def test_one_activity_and_activities_that_share_no_place():
    one = chain.space(pairs([("a", "rice"), ("b", "rice")]))
    apart = chain.space(pairs([("a", "rice"), ("b", "steel")]))

    assert (one.nodes.height, one.links.height, one.cells["present"].to_list()) == (1, 0, [1, 1])
    assert (apart.nodes.height, apart.links.height) == (2, 0)


def test_an_activity_of_no_place_stands_in_the_matrix_only():
    rows = pairs(STAIRS).with_columns(present=pl.Series([1, 1, 0, 1, 1, 1]))

    drawn = chain.space(rows)

    assert drawn.activities["activity"].to_list() == ["rice", "steel"]
    assert drawn.cells["first_activity"].n_unique() == 3
    empty = chain.space(rows.with_columns(present=0))
    assert (empty.nodes.height, empty.cells["present"].sum()) == (0, 0)


def test_the_last_year_is_drawn_unless_another_is_asked_for():
    rows = pl.concat([pairs(STAIRS).with_columns(year=2019), pairs(STAIRS[:2]).with_columns(year=2021)])

    assert chain.space(rows).activities.height == 2
    assert chain.space(rows, year=2019).activities.height == 3


def test_refusals_name_what_is_wrong():
    with pytest.raises(TableError) as error:
        chain.space(pairs([]))
    assert error.value.code == "chain.empty"
    for wrong in ({"place": "z"}, {"year": 2020}, {"most": 0}, {"strong": 1.5}, {"order": "size"}):
        with pytest.raises(ArgumentError) as refused:
            chain.space(pairs(STAIRS), **wrong)
        assert refused.value.code == "argument.value"
        assert next(iter(wrong)) in str(refused.value)
