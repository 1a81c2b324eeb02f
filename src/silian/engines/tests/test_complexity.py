"""Facts of complexity: small cases by hand, slow sure methods, published results, bad input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from polars.testing import assert_frame_equal

from silian.engines.chain import _relatedness, complexity, proximity
from silian.errors import ArgumentError, TableError
from silian.tables.schema import chain as schema

TRADE = Path(__file__).parents[5] / "shared" / "data" / "complexity"


def pairs_of(**activities):
    """Presence: a="rice steel"."""
    rows = [(place, activity) for place, several in activities.items() for activity in several.split()]
    return pl.DataFrame(rows, schema={"place": pl.String, "activity": pl.String}, orient="row")


def table_of(present, **columns):
    """A matrix as a table that holds its zeros too."""
    places, activities = present.shape
    return pl.DataFrame(
        {
            "place": np.repeat([f"c{i:03}" for i in range(places)], activities),
            "activity": np.tile([f"p{i:03}" for i in range(activities)], places),
            "present": present.astype(np.int64).ravel(),
            **columns,
        }
    )


matrices = st.tuples(st.integers(3, 9), st.integers(3, 9)).flatmap(
    lambda shape: arrays(np.int8, shape, elements=st.integers(0, 1))
)


def some(seed, places=12, activities=30):
    """A connected matrix, some places richer than others."""
    rng = np.random.default_rng(seed)
    chance = 1 / (1 + np.exp(-rng.normal(size=(places, 1)) - rng.normal(size=(1, activities))))
    present = (rng.random((places, activities)) < chance).astype(float)
    present[0], present[:, 0] = 1, 1
    return present


def by_place(found, column):
    return found.places[column].to_numpy()


def by_activity(found, column):
    return found.activities[column].to_numpy()


def grid(found, column):
    return found.pairs[column].to_numpy().reshape(found.places.height, found.activities.height)


# ── small enough to check by hand ───────────────────────────────────────────────────────────────────────────────────


def test_complexity_counts_what_a_place_has_and_who_has_an_activity():
    found = complexity(pairs_of(a="rice steel chips", b="rice steel", c="rice"))

    assert dict(found.places.select("place", "diversity").rows()) == {"a": 3, "b": 2, "c": 1}
    assert dict(found.activities.select("activity", "ubiquity").rows()) == {"rice": 3, "steel": 2, "chips": 1}


def test_complexity_of_a_triangle_is_symmetric():
    found = complexity(pairs_of(a="rice steel chips", b="rice steel", c="rice"))

    # D⁻¹ M U⁻¹ Mᵀ = [[11/18, 5/18, 1/9], [5/12, 5/12, 1/6], [1/3, 1/3, 1/3]]: eigenvalues 1, 1/4, 1/9
    # and (1, 0, -1) is the vector of 1/4
    assert found.years["second_eigenvalue"][0] == pytest.approx(1 / 4)
    assert found.years["third_eigenvalue"][0] == pytest.approx(1 / 9)
    assert by_place(found, "eci") == pytest.approx([1.5**0.5, 0, -(1.5**0.5)], abs=1e-12)


def test_complexity_measures_advantage_by_values():
    values = pl.DataFrame({"place": ["a", "a", "b", "b"], "activity": ["x", "y", "x", "y"], "value": [9.0, 1, 1, 9]})

    found = complexity(values)

    assert grid(found, "rca").tolist() == [[1.8, 0.2], [0.2, 1.8]]
    assert grid(found, "is_present").tolist() == [[True, False], [False, True]]


def test_proximity_is_the_smaller_chance():
    found = proximity(pairs_of(a="rice steel", b="rice steel", c="rice", d="rice chips"))

    assert found.rows() == [("chips", "rice", None, 0.25), ("rice", "steel", None, 0.5)]  # no place has chips and steel


def test_proximity_leaves_out_what_is_farther():
    near = proximity(pairs_of(a="rice steel", b="rice steel", c="rice", d="rice chips"), at_least=0.5)

    assert near.select("activity", "other").rows() == [("rice", "steel")]


def test_density_is_the_share_of_proximity_that_is_here():
    found = complexity(pairs_of(a="rice steel", b="rice steel", c="rice", d="rice chips"))

    near = {(p, a): d for p, a, d in found.pairs.select("place", "activity", "density").rows()}
    # steel goes with rice only; rice with steel by 1/2 and with chips by 1/4
    assert near["c", "steel"] == 1.0
    assert near["a", "rice"] == pytest.approx(2 / 3)
    assert near["c", "rice"] == 0.0  # nothing is its own neighbour


def test_complexity_takes_each_year_by_itself():
    first, second = pairs_of(a="rice steel", b="rice"), pairs_of(a="rice", b="rice chips", c="rice steel chips")
    both = pl.concat([second.with_columns(year=2005), first.with_columns(year=2001)])

    found = complexity(both)

    assert found.years["year"].to_list() == [2001, 2005]  # a year without rows is no year
    for year, alone in ((2001, first), (2005, second)):
        for name in ("places", "activities", "pairs"):
            of_year = getattr(found, name).filter(year=year).drop("year")
            assert_frame_equal(of_year, getattr(complexity(alone), name).drop("year"))


def test_complexity_has_the_columns_of_the_schema():
    found = complexity(pairs_of(a="rice steel", b="rice"))

    for name in ("places", "activities", "pairs", "years"):
        assert getattr(found, name).schema == schema()[f"complexity_{name}"].polars
    assert proximity(pairs_of(a="rice steel")).schema == schema()["proximity"].polars


# ── beside slow sure methods ────────────────────────────────────────────────────────────────────────────────────────


def slow_vectors(present):
    """ECI and PCI by all eigenvectors of the activities' matrix, not made symmetric."""
    by_diversity = present / present.sum(axis=1, keepdims=True)
    by_ubiquity = present / present.sum(axis=0, keepdims=True)
    values, vectors = np.linalg.eig(by_ubiquity.T @ by_diversity)
    order = np.argsort(-values.real)
    activity = vectors[:, order[1]].real
    place = by_diversity @ activity
    sign = np.sign(np.corrcoef(place, present.sum(axis=1))[0, 1])
    return (
        sign * (place - place.mean()) / place.std(),
        sign * (activity - place.mean()) / place.std(),
        values.real[order],
    )


@pytest.mark.parametrize(("places", "activities"), [(12, 30), (30, 12), (20, 20)])
@pytest.mark.parametrize("seed", range(5))
def test_eci_and_pci_equal_all_eigenvectors(seed, places, activities):
    present = some(seed, places, activities)

    found = complexity(table_of(present))

    eci, pci, values = slow_vectors(present)
    assert by_place(found, "eci") == pytest.approx(eci, abs=1e-9)
    assert by_activity(found, "pci") == pytest.approx(pci, abs=1e-9)
    assert found.years.select("second_eigenvalue", "third_eigenvalue").row(0) == pytest.approx(values[1:3], abs=1e-12)


def test_eci_equals_the_method_of_reflections():
    present = some(3)
    diversity, ubiquity = present.sum(axis=1), present.sum(axis=0)
    place = diversity.copy()
    for _ in range(
        60
    ):  # Hidalgo and Hausmann (2009), equations 3 and 4, two at a time; scaled, so that it stays in range
        activity = (present.T @ place) / ubiquity
        place = (present @ activity) / diversity
        place = (place - place.mean()) / place.std()

    eci = by_place(complexity(table_of(present)), "eci")

    assert np.abs(eci) == pytest.approx(np.abs(place), abs=1e-9)
    assert abs(np.corrcoef(eci, place)[0, 1]) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_eci_is_the_mean_pci_of_what_a_place_has(seed):
    present = some(seed)

    found = complexity(table_of(present))

    assert (present @ by_activity(found, "pci")) / present.sum(axis=1) == pytest.approx(by_place(found, "eci"))


def slow_density(present):
    """Density and proximity by loops over pairs."""
    activities = present.shape[1]
    near = np.zeros((activities, activities))
    for p in range(activities):
        for q in range(activities):
            if p != q:
                together = sum(present[:, p] * present[:, q])
                most = max(present[:, p].sum(), present[:, q].sum())
                near[p, q] = together / most if most else 0.0
    total = near.sum(axis=0)
    return np.divide(present @ near, total, out=np.full_like(present, np.nan), where=total > 0), near


@settings(max_examples=60, deadline=None)
@given(matrices)
def test_density_equals_loops_over_pairs(present):
    assume(present.any())
    present = present.astype(float)

    found = complexity(table_of(present))

    np.testing.assert_allclose(grid(found, "density").astype(float), slow_density(present)[0], atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(matrices)
def test_proximity_equals_loops_over_pairs(present):
    assume(present.any())
    near = slow_density(present.astype(float))[1]

    found = proximity(table_of(present))

    listed = {(f"p{p:03}", f"p{q:03}"): near[p, q] for p, q in np.argwhere(np.triu(near) > 0)}
    assert {(a, b): phi for a, b, _, phi in found.rows()} == pytest.approx(listed)


@settings(max_examples=40, deadline=None)
@given(matrices, st.integers(0, 2**32 - 1))
def test_both_sides_give_the_same_relatedness(present, seed):
    present = present.astype(float)
    rows = np.random.default_rng(seed).normal(size=(4, present.shape[1]))

    wide = np.hstack([present, np.zeros((len(present), 12))])  # more activities than places: the places' side
    by_places = _relatedness.related(np.hstack([rows, np.zeros((4, 12))]), wide)

    np.testing.assert_allclose(by_places[:, : present.shape[1]], rows @ _relatedness.proximity(present), atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_outlook_gain_is_what_the_index_gains(seed):
    present = some(seed, 8, 14)
    found = complexity(table_of(present))
    pci, near = by_activity(found, "pci"), slow_density(present)[1]

    def index(of_place):
        return ((near @ of_place) / near.sum(axis=0) * (1 - of_place)) @ pci

    for place, row in enumerate(present):
        assert found.places["outlook_index"][place] == pytest.approx(index(row), abs=1e-12)
        for activity in np.flatnonzero(row == 0):
            more = row.copy()
            more[activity] = 1
            gain = grid(found, "outlook_gain")[place, activity]
            assert gain == pytest.approx(index(more) - index(row), abs=1e-12)


def test_fitness_equals_its_definition_step_by_step():
    present = some(1)
    places, activities = [1.0] * 12, [1.0] * 30
    for _ in range(7):
        new = [sum(activities[a] for a in range(30) if present[p, a]) for p in range(12)]
        worth = [1 / sum(1 / places[p] for p in range(12) if present[p, a]) for a in range(30)]
        places, activities = [x / np.mean(new) for x in new], [x / np.mean(worth) for x in worth]

    found = complexity(table_of(present), fitness_steps=7, fitness_change=0)

    assert by_place(found, "fitness") == pytest.approx(places)
    assert by_activity(found, "fitness_complexity") == pytest.approx(activities)
    assert found.years.select("fitness_steps", "fitness_is_settled").row(0) == (7, False)


def test_fitness_says_where_it_settled():
    found = complexity(table_of(some(1)), fitness_steps=2000)

    steps, change, settled = found.years.select("fitness_steps", "fitness_change", "fitness_is_settled").row(0)
    assert settled
    assert change <= 1e-9
    assert steps < 2000


def test_fitness_that_falls_for_ever_stays_a_number():
    # the fitness of c falls to 0: all it has is what everybody has (Pugliese, Zaccaria and Pietronero 2016)
    found = complexity(pairs_of(a="x y z", b="x y", c="x"), fitness_steps=5000, fitness_change=0)

    assert np.isfinite(by_place(found, "fitness")).all()
    assert by_place(found, "fitness")[2] < 1e-3


@settings(max_examples=40, deadline=None)
@given(matrices, st.randoms())
def test_complexity_does_not_depend_on_the_order_of_rows(present, random):
    assume(present.any())
    table = table_of(present)
    order = list(range(table.height))
    random.shuffle(order)

    first, second = complexity(table), complexity(table[order])

    for name in ("places", "activities", "pairs", "years"):
        assert_frame_equal(getattr(first, name), getattr(second, name), check_exact=True)


@pytest.mark.real
def test_fitness_equals_the_stored_results_of_the_r_package():
    if not TRADE.exists():
        pytest.skip(f"{TRADE} is not there")
    trade = pl.read_parquet(TRADE / "world_trade_1998_2000_sitc4.parquet")
    values = trade.select("value", place="country", activity="product")

    found = complexity(values, fitness_steps=19, fitness_change=0)  # its 20 iterations count the start

    kept = {"schema_overrides": {"id": pl.String}}
    country = pl.read_csv(TRADE / "oracle_complexity_index_country.csv", **kept).sort("id")
    product = pl.read_csv(TRADE / "oracle_complexity_index_product.csv", **kept)
    product = product.with_columns(pl.col("id").str.zfill(4)).sort("id")
    assert found.places["place"].to_list() == country["id"].to_list()
    assert found.activities["activity"].to_list() == product["id"].to_list()
    assert by_place(found, "fitness") == pytest.approx(country["value"].to_numpy(), abs=1e-12)
    assert by_activity(found, "fitness_complexity") == pytest.approx(product["value"].to_numpy(), abs=1e-12)


@pytest.mark.real
def test_eci_of_the_world_equals_all_eigenvectors():
    if not TRADE.exists():
        pytest.skip(f"{TRADE} is not there")
    trade = pl.read_parquet(TRADE / "world_trade_1998_2000_sitc4.parquet")

    found = complexity(trade.select("value", place="country", activity="product"))

    eci, pci, _ = slow_vectors(grid(found, "is_present").astype(float))
    assert by_place(found, "eci") == pytest.approx(eci, abs=1e-9)
    assert by_activity(found, "pci") == pytest.approx(pci, abs=1e-9)


# ── what is odd ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_complexity_of_parts_is_that_of_the_largest():
    apart = pairs_of(a="rice steel chips", b="rice steel", c="rice", x="fish", y="fish boats")

    found = complexity(apart)

    assert found.years["parts"][0] == 2
    assert found.places["part"].to_list() == [1, 1, 1, 2, 2]
    alone = complexity(pairs_of(a="rice steel chips", b="rice steel", c="rice"))
    assert by_place(found, "eci")[:3] == pytest.approx(by_place(alone, "eci"))
    assert found.places["eci"][3:].null_count() == 2
    assert found.activities.filter(pl.col("activity").is_in(["fish", "boats"]))["pci"].null_count() == 2


def test_complexity_of_a_place_with_one_activity_is_that_of_the_activity():
    found = complexity(pairs_of(a="rice steel chips", b="rice steel", c="rice"))

    pci = dict(found.activities.select("activity", "pci").rows())
    assert found.places.filter(place="c")["eci"][0] == pytest.approx(pci["rice"])


def test_complexity_of_an_activity_in_no_place_is_empty():
    given = pairs_of(a="rice steel", b="rice").with_columns(present=1)
    nowhere = pl.DataFrame({"place": ["a"], "activity": ["chips"], "present": [0]})

    found = complexity(pl.concat([given, nowhere], how="diagonal_relaxed"))

    row = found.activities.filter(activity="chips").row(0, named=True)
    assert row == {
        "activity": "chips", "year": None, "ubiquity": 0, "part": None, "pci": None, "fitness_complexity": None
    }  # fmt: skip
    assert found.pairs.filter(activity="chips")["density"].null_count() == 2


def test_complexity_of_a_place_without_activities_is_empty():
    given = pairs_of(a="rice steel", b="rice").with_columns(present=True)
    idle = pl.DataFrame({"place": ["c"], "activity": ["rice"], "present": [False]})

    found = complexity(pl.concat([given, idle]))

    assert found.places.filter(place="c").select("diversity", "part", "eci", "fitness").row(0) == (0, None, None, 0.0)


@pytest.mark.parametrize(
    "alike", [{"a": "x"}, {"a": "x y", "b": "x y"}, {"a": "x y", "b": "y z", "c": "z x"}], ids=["one", "same", "ring"]
)
def test_complexity_without_a_second_vector_says_so(alike):
    found = complexity(pairs_of(**alike))

    assert found.years["eci_is_defined"].to_list() == [False]
    assert found.places["eci"].null_count() == len(alike)
    assert found.places["outlook_index"].null_count() == len(alike)


def test_complexity_of_nothing_present_has_no_part():
    found = complexity(pl.DataFrame({"place": ["a"], "activity": ["x"], "present": [0]}))

    assert found.years.select("parts", "present", "eci_is_defined").row(0) == (0, 0, False)


def test_complexity_of_values_that_are_all_0_has_no_advantage():
    found = complexity(pl.DataFrame({"place": ["a", "b"], "activity": ["x", "y"], "value": [0.0, 0.0]}))

    assert found.pairs["rca"].to_list() == [0, 0, 0, 0]
    assert not found.pairs["is_present"].any()


def test_sign_without_diversity_puts_the_first_place_above():
    # every place has two activities: a path of six bends back on itself, so that only ids can tell the ends apart
    path = pairs_of(a="u v", b="v w", c="w x", d="x y", e="y z", f="v w")

    found = complexity(path)

    assert found.years["eci_is_defined"][0]
    assert found.places["eci"][0] > 0


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────

VALUES = pl.DataFrame({"place": ["a", "b"], "activity": ["x", "y"], "value": [1.0, 2.0], "year": [2001, 2001]})


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_complexity_refuses_values_below_0_or_not_finite(value):
    with pytest.raises(TableError, match=r"table\.value.*presence_or_value\.value.*not finite") as caught:
        complexity(VALUES.with_columns(value=pl.Series([value, 1.0])))
    assert caught.value.problems["place"].to_list() == ["a"]


def test_complexity_refuses_a_presence_other_than_0_and_1():
    with pytest.raises(TableError, match=r"table\.value.*presence_or_value\.present.*0 or 1"):
        complexity(VALUES.drop("value").with_columns(present=2))


@pytest.mark.parametrize("column", ["place", "activity", "year", "value"])
def test_complexity_refuses_what_is_missing(column):
    empty = pl.when(pl.col("place") == "b").then(pl.col(column)).alias(column)
    with pytest.raises(TableError, match=rf"table\.value.*presence_or_value\.{column}.*empty"):
        complexity(VALUES.with_columns(empty))


def test_complexity_refuses_a_pair_given_twice():
    with pytest.raises(TableError, match=r"table\.duplicate.*place, activity, year.*2001"):
        complexity(pl.concat([VALUES, VALUES]))
    with pytest.raises(TableError, match=r"table\.duplicate.*place, activity"):
        complexity(pl.concat([VALUES, VALUES]).drop("year"))


def test_complexity_refuses_value_and_present_at_once():
    with pytest.raises(TableError, match=r"chain\.amount"):
        complexity(VALUES.with_columns(present=1))


def test_complexity_refuses_an_empty_table():
    with pytest.raises(TableError, match=r"chain\.empty"):
        complexity(VALUES.clear())
    with pytest.raises(TableError, match=r"chain\.empty"):
        proximity(VALUES.clear())


def test_complexity_names_the_missing_column_and_the_wrong_type():
    with pytest.raises(TableError, match=r"table\.columns.*activity"):
        complexity(VALUES.drop("activity"))
    with pytest.raises(TableError, match=r"table\.type.*year.*Float64"):
        complexity(VALUES.with_columns(pl.col("year").cast(pl.Float64)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"least_advantage": 0},
        {"least_advantage": float("nan")},
        {"fitness_steps": 0},
        {"fitness_change": -1e-9},
    ],
)
def test_complexity_refuses_arguments_out_of_range(wrong):
    with pytest.raises(ArgumentError, match=rf"argument\.value.*{next(iter(wrong))}"):
        complexity(VALUES, **wrong)


def test_proximity_refuses_a_threshold_out_of_range():
    with pytest.raises(ArgumentError, match=r"argument\.value.*at_least"):
        proximity(VALUES, at_least=1.5)
