"""Facts of forecasts: nothing of the future, what is more likely, slow sure methods, back-tests, bad input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from silian.engines.chain import _hazard, backtest, backtesting, code_groups, forecast, forecasting
from silian.errors import ArgumentError, TableError
from silian.tables.schema import chain as schema
from silian.tables.schema import codes

CHAIN = Path(__file__).parents[5] / "shared" / "data" / "chain"
SCHEMA = {"place": pl.String, "activity": pl.String, "year": pl.Int64}


def arrivals_of(*rows):
    """Rows "place activity year"; a place of "-" is not known."""
    split = [row.split() for row in rows]
    return pl.DataFrame([(None if p == "-" else p, a, int(y)) for p, a, y in split], schema=SCHEMA, orient="row")


SMALL = arrivals_of("a rice 2001", "a steel 2002", "a chips 2003", "b rice 2002", "b steel 2004", "c rice 2003")


def region(seed, places=6, activities=20, years=range(2000, 2020), per_year=9):
    """Arrivals by a law of gravity; large places and common activities get more."""
    rng = np.random.default_rng(seed)
    able, common = rng.pareto(2, places) + 0.5, rng.pareto(2, activities) + 0.5
    size = per_year * len(years)
    return pl.DataFrame(
        {
            "place": [f"p{i}" for i in rng.choice(places, size, p=able / able.sum())],
            "activity": [f"{i:02}" for i in rng.choice(activities, size, p=common / common.sum())],
            "year": rng.choice(years, size),
        },
        schema=SCHEMA,
    )


def chances(found):
    return {(place, activity): chance for place, activity, chance in found.rows()}


# ── what a forecast is ──────────────────────────────────────────────────────────────────────────────────────────────


def test_forecast_has_one_row_for_each_blank():
    found = forecast(SMALL, until=2004)

    assert found.select("place", "activity").rows() == [("b", "chips"), ("c", "chips"), ("c", "steel")]
    assert found.schema == {c: schema()["forecast"].polars[c] for c in ("place", "activity", "probability")}


def test_forecast_knows_only_places_and_activities_of_then():
    found = forecast(SMALL, until=2003)

    assert ("c", "ships") not in chances(forecast(pl.concat([SMALL, arrivals_of("a ships 2004")]), until=2003))
    assert found.select("place", "activity").rows() == [
        ("b", "chips"), ("b", "steel"), ("c", "chips"), ("c", "steel")
    ]  # fmt: skip
    assert "c" not in forecast(SMALL.filter(pl.col("place") != "c"), until=2003)["place"]


def test_forecast_of_activities_known_beforehand_has_their_rows():
    found = forecast(SMALL, until=2002, activities=pl.Series(["chips", "rice"]))

    assert found.select("place", "activity").rows() == [("a", "chips"), ("b", "chips"), ("b", "steel")]


def test_forecast_of_a_full_region_is_empty():
    found = forecast(arrivals_of("a x 2001", "a y 2001", "b x 2001", "b y 2002"), until=2002)

    assert found.is_empty()
    assert found.columns == ["place", "activity", "probability"]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2006, 2018), st.integers(1, 8))
def test_forecast_is_not_changed_by_what_comes_later(seed, until, horizon):
    rows = region(seed)
    links = code_groups(rows["activity"], digits=(1,))

    known = forecast(rows.filter(pl.col("year") <= until), until=until, horizon=horizon, links=links, parts=True)

    assert_frame_equal(forecast(rows, until=until, horizon=horizon, links=links, parts=True), known, check_exact=True)
    assert known["probability"].is_between(0, 1).all()
    assert known["probability"].is_finite().all()


@pytest.mark.parametrize("seed", range(5))
def test_forecast_does_not_depend_on_the_order_of_rows(seed):
    rows = region(seed)

    found = forecast(rows, until=2015)

    again = forecast(rows.sample(fraction=1, shuffle=True, seed=seed), until=2015)
    assert_frame_equal(found, again, rel_tol=1e-12)


def test_forecast_grows_with_the_horizon():
    chance = [forecast(SMALL, until=2004, horizon=h)["probability"].to_numpy() for h in (1, 3, 9)]

    assert (chance[0] < chance[1]).all()
    assert (chance[1] < chance[2]).all()
    assert (1 - chance[0]) ** 9 == pytest.approx(1 - chance[2])  # one rate, year after year


def test_forecast_has_more_hope_for_large_places_and_common_activities():
    rows = [
        f"{p} {a} {2000 + n}" for p, many in (("a", 8), ("b", 3), ("c", 1)) for n, a in enumerate("uvwxstyz"[:many])
    ]

    found = chances(forecast(arrivals_of(*rows, "a solo 2005"), until=2008))

    assert found["b", "x"] > found["c", "x"]  # b is larger
    assert found["c", "v"] > found["c", "solo"]  # v is in two places


def test_forecast_has_more_hope_where_the_group_is():
    # two places of one size and history; one has two of the metals, the other none
    rows = arrivals_of(
        "a m1 2001", "a m2 2002", "b f1 2001", "b f2 2002", "c m1 2001", "c m2 2002", "c f1 2001", "c f2 2002",
        "c m3 2003", "c f3 2003",
    )  # fmt: skip

    found = chances(forecast(rows, until=2003, links=code_groups(rows["activity"], digits=(1,))))

    assert found["a", "m3"] > found["b", "m3"]
    assert found["b", "f3"] > found["a", "f3"]
    assert found["a", "m3"] == pytest.approx(found["b", "f3"])


def test_an_arrival_without_a_place_tells_of_its_activity():
    more = pl.concat([SMALL, arrivals_of("- chips 2004", "- chips 2004", "- ships 2004")])

    before, after = chances(forecast(SMALL, until=2004)), chances(forecast(more, until=2004))

    assert after["c", "chips"] / after["c", "steel"] > before["c", "chips"] / before["c", "steel"]
    assert ("a", "ships") in after  # it is known from then on
    assert ("-", "rice") not in after


def test_parts_add_up_to_the_rate():
    rows = region(3)
    links = code_groups(rows["activity"], digits=(1,))

    found = forecast(rows, until=2015, horizon=4, links=links, parts=True)

    rate = -np.log1p(-found["probability"].to_numpy()) / 4
    added = found.select(pl.sum_horizontal("by_place", "by_activity", "by_relatedness")).to_series().to_numpy()
    level = np.log(rate) - added
    assert level == pytest.approx(np.full(found.height, level[0]), abs=1e-9)
    assert found.schema == schema()["forecast"].polars


def test_links_between_activities_count_in_both_directions():
    names = pl.DataFrame({"activity": ["rice", "rice"], "other": ["chips", "unheard of"]})
    links = names.with_columns(kind=pl.lit("made of"))
    history, _, ids = forecasting.history_of(forecasting.checked(SMALL, links, None), 2004)

    near = {relation.name: relation.near.toarray() for relation in history.relations}

    at = [ids.to_list().index(one) for one in ("rice", "chips")]
    assert near["made of, to"][at[0], at[1]] == 1
    assert near["made of, from"][at[1], at[0]] == 1
    assert sum(m.sum() for m in near.values()) == 2  # what nobody has says nothing


def test_code_groups_leaves_out_codes_that_are_too_short():
    assert code_groups(pl.Series(["C2", "C26"]), digits=(2,)).rows() == [("C26", "C2", "group of 2")]
    assert code_groups(pl.Series(["C2"]), digits=()).is_empty()


# ── beside slow sure methods ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", range(4))
def test_terms_equal_their_definitions_by_loops(seed):
    rows = region(seed, places=4, activities=7, per_year=3)
    rows = rows.with_columns(place=pl.when(pl.int_range(pl.len()) % 5 > 0).then("place"))  # some are not known
    links = code_groups(rows["activity"], digits=(1,))
    history, places, ids = forecasting.history_of(forecasting.checked(rows, links, None), 2012)

    found = _hazard.terms(history, 2010)

    known = [(p, a, y) for p, a, y in rows.rows() if y <= 2010]
    value = dict(zip(found.names, (np.broadcast_to(v, history.shape) for v in found.values), strict=True))
    for i, place in enumerate(places):
        recent = sum(np.exp(-(2010 - y) / 4) for p, _, y in known if p == place)
        here = {a for p, a, _ in known if p == place}
        assert value["place_recent"][i, 0] == pytest.approx(np.log(recent + 0.5))
        assert value["place_size"][i, 0] == pytest.approx(np.log(1 + len(here)))
        for j, activity in enumerate(ids):
            ages = [2010 - y for _, a, y in known if a == activity]
            assert value["activity_recent"][i, j] == pytest.approx(np.log(1 + sum(np.exp(-n / 4) for n in ages)))
            assert value["activity_size"][i, j] == pytest.approx(np.log(1 + len(ages)))
            mates = [a for p, a, _ in known if p and a[0] == activity[0] and a != activity]
            mine = [a for p, a, _ in known if p == place and a[0] == activity[0] and a != activity]
            placed = [p for p, _, _ in known if p]
            expected = len(mates) * placed.count(place) / len(placed)
            assert value["group of 1"][i, j] == pytest.approx(np.log((len(mine) + 1) / (expected + 1)))


@pytest.mark.parametrize("seed", range(3))
def test_weights_are_the_top_of_the_posterior(seed):
    from scipy.optimize import minimize

    history, _, _ = forecasting.history_of(forecasting.checked(region(seed), None, None), 2015)
    rates = _hazard.learnt(history, 2015)
    mean, spread = (np.array([_hazard.PRIOR[name][i] for name in rates.names]) for i in (0, 1))
    years = []
    for year in range(2001, 2015):
        blanks = history.blanks(year)
        filled = (history.first == year + 1)[blanks]
        years.append((_hazard.terms(history, year).of(blanks).astype(float), filled, 0.5 ** ((2014 - year) / 2)))

    def loss(weights):
        total = (weights - mean) ** 2 @ (0.5 / spread**2)
        for rows, filled, weight in years:
            size = rows @ weights
            total -= weight * (size[filled].sum() - filled.sum() * np.log(np.exp(size).sum()))
        return total

    best = minimize(loss, mean, method="BFGS", options={"gtol": 1e-6}).x

    assert rates.weights == pytest.approx(best, abs=1e-5)


def test_level_makes_the_past_come_out():
    history, _, _ = forecasting.history_of(forecasting.checked(region(1), None, None), 2015)

    rates = _hazard.learnt(history, 2015)

    expected = happened = 0.0
    for year in range(2001, 2015):
        blanks = history.blanks(year)
        rows = _hazard.terms(history, year).of(blanks)
        expected += (rates.level * np.exp(rates.parts(rows).sum(axis=1))).sum()
        happened += (history.first == year + 1)[blanks].sum()
    assert expected == pytest.approx(happened + 0.5)


# ── back-tests ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_backtest_scores_what_forecast_says():
    rows = region(2)
    done = backtest(rows, origins=[2010, 2008], horizon=3)

    assert done.scores["origin"].unique(maintain_order=True).to_list() == [2008, 2010]
    assert done.scores["method"].unique(maintain_order=True).to_list() == list(codes()["backtest_method"])
    found = forecast(rows, until=2010, horizon=3)
    came = rows.filter(pl.col("year").is_between(2011, 2013)).select("place", "activity").unique()
    filled = (
        found.join(came.with_columns(came=1.0), on=["place", "activity"], how="left")["came"].fill_null(0).to_numpy()
    )
    chance = found["probability"].to_numpy()
    row = done.scores.filter(origin=2010, method="forecast").row(0, named=True)
    assert (row["blanks"], row["filled"]) == (found.height, filled.sum())
    assert row["expected"] == pytest.approx(chance.sum())
    assert row["brier"] == pytest.approx(np.mean((chance - filled) ** 2))
    above = chance[filled == 1][:, None] - chance[filled == 0][None, :]
    assert row["auc"] == pytest.approx(np.mean((above > 0) + 0.5 * (above == 0)))


def test_backtest_naive_scores_are_by_hand():
    rows = ("a x 2000", "b x 2000", "c x 2000", "a y 2000", "a z 2001", "b y 2003")

    done = backtest(arrivals_of(*rows), origins=[2001], horizon=2)

    # blanks: b y (filled), b z, c y, c z; b and c are alike in all that is naive, y and z too
    naive = done.scores.filter(pl.col("method") != "forecast")
    assert naive["auc"].to_list() == [0.5] * 4
    assert done.scores.select("blanks", "filled").unique().rows() == [(4, 1)]


def test_backtest_density_equals_that_of_complexity():
    from silian.engines.chain import complexity

    rows = region(5)
    history, _, _ = forecasting.history_of(forecasting.checked(rows, None, None), 2010)
    blanks = history.blanks(2010)

    near = backtesting._naive(history, 2010, blanks)["density"]

    pairs = rows.filter(pl.col("year") <= 2010).select("place", "activity").unique()
    density = complexity(pairs).pairs["density"].fill_null(0).to_numpy().reshape(history.shape)
    assert near == pytest.approx(density[blanks])


def test_backtest_where_nothing_was_filled_has_no_auc():
    rows = arrivals_of("a x 2000", "a y 2000", "b x 2000", "c z 2004")

    done = backtest(rows, origins=[2001], horizon=3)

    assert done.scores["filled"].unique().to_list() == [0]
    assert done.scores["auc"].null_count() == done.scores.height
    assert done.calibration["filled_share"].to_list() == [0.0]


def test_backtest_tells_each_origin_and_has_the_columns_of_the_schema():
    told = []

    done = backtest(region(2), origins=range(2008, 2011), horizon=3, on_origin=told.append)

    assert told == [2008, 2009, 2010]
    for name in ("scores", "calibration", "weights"):
        assert getattr(done, name).schema == schema()[f"backtest_{name}"].polars
    blanks = done.scores.filter(origin=2008, method="forecast")["blanks"][0]
    assert done.calibration.filter(origin=2008)["blanks"].sum() == blanks


def test_forecast_finds_gravity_in_a_region_made_by_it():
    scores = pl.concat([backtest(region(s, 12, 40), origins=[2010], horizon=5).scores for s in range(5)])

    mean = dict(scores.group_by("method").agg(pl.col("auc").mean()).rows())
    assert mean["forecast"] > max(mean["place_size"], mean["activity_popularity"], mean["density"])


@pytest.mark.real
def test_forecast_beats_place_size_at_every_origin_of_the_provinces():
    if not CHAIN.exists():
        pytest.skip(f"{CHAIN} is not there")
    firms = pl.read_parquet(CHAIN / "company_industry.parquet").filter("known_industry")
    firms = firms.join(pl.read_parquet(CHAIN / "companies.parquet"), on="key").filter(pl.col("province") != "")
    year = pl.col("listed").cast(pl.String).str.slice(0, 4).cast(pl.Int64)
    rows = firms.filter(pl.col("listed") != "").select(place="province", activity="industry", year=year)

    scores = backtest(rows, origins=range(1999, 2012)).scores

    ours, size = (scores.filter(method=m) for m in ("forecast", "place_size"))
    assert (ours["auc"] > size["auc"]).all()
    assert (ours["ap"] > size["ap"]).all()


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("column", ["activity", "year"])
def test_forecast_refuses_what_is_missing(column):
    empty = pl.when(pl.col("place") != "b").then(pl.col(column)).alias(column)
    with pytest.raises(TableError, match=rf"table\.value.*presence\.{column}.*empty"):
        forecast(SMALL.with_columns(empty), until=2004)


def test_forecast_names_the_missing_column_and_the_wrong_type():
    with pytest.raises(TableError, match=r"table\.columns.*presence.*place"):
        forecast(SMALL.drop("place"), until=2004)
    with pytest.raises(TableError, match=r"table\.type.*presence\.year.*String"):
        forecast(SMALL.with_columns(pl.col("year").cast(pl.String)), until=2004)


def test_forecast_before_the_first_arrival_has_nothing_to_go_by():
    with pytest.raises(TableError, match=r"chain\.empty.*1999"):
        forecast(SMALL, until=1999)
    with pytest.raises(TableError, match=r"chain\.empty"):
        forecast(arrivals_of("- x 2000", "- x 2001"), until=2004)


def test_forecast_without_an_earlier_blank_has_nothing_to_learn_from():
    with pytest.raises(TableError, match=r"chain\.history.*2001"):
        forecast(SMALL, until=2001)
    with pytest.raises(TableError, match=r"chain\.history.*2001"):
        forecast(arrivals_of("a x 2000", "b y 2001"), until=2001)


def test_forecast_refuses_a_horizon_below_1():
    with pytest.raises(ArgumentError, match=r"argument\.value.*horizon"):
        forecast(SMALL, until=2004, horizon=0)
    with pytest.raises(ArgumentError, match=r"argument\.value.*horizon"):
        backtest(SMALL, origins=[2002], horizon=0)


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_forecast_refuses_weights_not_above_0(weight):
    links = pl.DataFrame({"activity": ["rice"], "other": ["steel"], "weight": [weight]})
    with pytest.raises(TableError, match=r"table\.value.*links\.weight.*above 0"):
        forecast(SMALL, until=2004, links=links)


def test_forecast_refuses_a_link_twice():
    links = pl.DataFrame({"activity": ["rice", "rice"], "other": ["steel", "steel"]})
    with pytest.raises(TableError, match=r"table\.duplicate.*links"):
        forecast(SMALL, until=2004, links=links)


def test_backtest_refuses_origins_whose_outcome_is_not_known():
    with pytest.raises(ArgumentError, match=r"argument\.value.*origins.*2002"):
        backtest(SMALL, origins=[2003], horizon=2)
    with pytest.raises(ArgumentError, match=r"argument\.value.*origins"):
        backtest(SMALL, origins=[], horizon=2)
