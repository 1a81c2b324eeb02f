"""Forecasts of blanks: a back-test on the real provinces × industries in `../shared/data/chain`, and speed at size.

Arrivals are the listings of companies by the province in their name (a company without one tells of its industry only);
what hangs together is the industries' codes (two levels) and what is made of what. Beside the forecast stand the naive
methods of `chain.backtest`, and two that know the future, to say what could be reached: `told_margins` is told which
share of the *other* blanks of the place filled and how many firms came to the industry elsewhere in the same years;
everything that a place and an industry can tell is in it, nothing of the pair. Terms and priors were chosen on origins
up to 2006; later ones are only reported. `plain` passes each pair's first year alone: no firms, no links.

`large` is synthetic, 250 places × 5,000 activities × 20 years: seconds and memory; the peer is logistic regression on
the same terms with the windows of all years (scikit-learn), on the real case.
"""

from __future__ import annotations

import json
import os
import resource
import time
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.preprocessing import StandardScaler

from silian.engines.chain import _hazard, backtest, code_groups, forecast, forecasting

CORES = os.cpu_count()
DATA = Path(__file__).resolve().parents[1] / "../shared/data/chain"
CHOSEN_ON = range(1999, 2007)
ORIGINS = range(1999, 2012)
HORIZON = 5


def line(case: str, **values: object) -> None:
    """One measurement."""
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in values.items()}
    print(json.dumps({"bench": "forecast", "case": case, "values": rounded, "cores": CORES}), flush=True)


def real() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Arrivals of firms (place, activity, year) and links of industries."""
    firms = pl.read_parquet(DATA / "company_industry.parquet").filter("known_industry")
    firms = firms.join(pl.read_parquet(DATA / "companies.parquet"), on="key")
    presence = firms.select(
        place=pl.when(pl.col("province") != "").then("province"),
        activity="industry",
        year=pl.col("listed").cast(pl.String).str.slice(0, 4).cast(pl.Int64, strict=False),
    ).drop_nulls(["activity", "year"])
    code = pl.read_parquet(DATA / "industries.parquet").select("name", "code")
    made_of = pl.read_parquet(DATA / "industry_up.parquet")
    made_of = made_of.join(code, left_on="industry", right_on="name").join(code, left_on="upstream", right_on="name")
    uses = made_of.select(
        activity="code", other="code_right", kind=pl.lit("made of"), weight=pl.col("count").cast(float)
    )
    groups = code_groups(presence["activity"], digits=(2, 4))
    return presence, pl.concat([groups, uses.unique(["activity", "other"])], how="diagonal")


def told_margins(presence: pl.DataFrame, origin: int) -> tuple[float, float]:
    """AUC and AP of a score that knows what else comes to the place and to the industry."""
    history, places, activities = forecasting.history_of(forecasting.checked(presence, None, None), origin)
    blanks = history.blanks(origin)
    later = presence.filter(pl.col("year").is_between(origin + 1, origin + HORIZON))
    later = later.filter(pl.col("activity").is_in(activities.implode()))
    everywhere = np.bincount(activities.search_sorted(later["activity"]), minlength=activities.len())
    here = later.filter(pl.col("place").is_in(places.implode()))
    arrived = np.zeros(blanks.shape)
    np.add.at(arrived, (places.search_sorted(here["place"]), activities.search_sorted(here["activity"])), 1)
    came = (arrived > 0) & blanks
    others = np.maximum(blanks.sum(axis=1, keepdims=True) - 1, 1)
    score = (came.sum(axis=1, keepdims=True) - came) / others * (everywhere - arrived + 2)
    return roc_auc_score(came[blanks], score[blanks]), average_precision_score(came[blanks], score[blanks])


def plain_regression(presence: pl.DataFrame, links: pl.DataFrame, origin: int) -> tuple[float, float]:
    """AUC and AP of logistic regression on the same terms, all earlier windows alike: no prior, no short memory."""
    history, places, activities = forecasting.history_of(forecasting.checked(presence, links, None), origin)
    years = range(int(presence["year"].min()) + 2, origin - HORIZON + 1)
    rows, filled = [], []
    for year in years:
        blanks = history.blanks(year)
        rows.append(_hazard.terms(history, year).of(blanks))
        filled.append((history.first <= year + HORIZON)[blanks])
    scale = StandardScaler().fit(np.concatenate(rows))
    model = LogisticRegression(max_iter=500).fit(scale.transform(np.concatenate(rows)), np.concatenate(filled))
    blanks = history.blanks(origin)
    score = model.predict_proba(scale.transform(_hazard.terms(history, origin).of(blanks)))[:, 1]
    later = presence.filter(pl.col("year").is_between(origin + 1, origin + HORIZON))
    later = later.filter(pl.col("place").is_in(places.implode()), pl.col("activity").is_in(activities.implode()))
    came = np.zeros(blanks.shape, dtype=bool)
    came[places.search_sorted(later["place"]), activities.search_sorted(later["activity"])] = True
    return roc_auc_score(came[blanks], score), average_precision_score(came[blanks], score)


def provinces() -> None:
    """Every origin of the real case, beside what needs no model and what knows the future."""
    presence, links = real()
    began = time.perf_counter()
    done = backtest(presence, origins=ORIGINS, links=links)
    seconds = time.perf_counter() - began
    for (origin,), rows in done.scores.partition_by("origin", as_dict=True, maintain_order=True).items():
        ours = rows.filter(method="forecast").row(0, named=True)
        naive = {f"{row['method']}_{m}": row[m] for row in rows[1:].to_dicts() for m in ("auc", "ap")}
        for name, (auc, ap) in (
            ("told_margins", told_margins(presence, origin)),
            ("plain_regression", plain_regression(presence, links, origin)),
        ):
            naive |= {f"{name}_auc": float(auc), f"{name}_ap": float(ap)}
        line(f"origin {origin}", chosen_on=origin in CHOSEN_ON, **{k: ours[k] for k in ours if k != "method"}, **naive)
        assert ours["auc"] > naive["place_size_auc"], origin
        assert ours["ap"] > naive["place_size_ap"], origin
    late = done.calibration.filter(~pl.col("origin").is_in(list(CHOSEN_ON)))
    shown = late.group_by("tenth", maintain_order=True).agg(pl.col("mean_probability", "filled_share").mean())
    line(
        "calibration 2007-2011",
        seconds=seconds,
        mean_probability=[round(v, 4) for v in shown["mean_probability"]],
        filled_share=[round(v, 4) for v in shown["filled_share"]],
    )
    first = presence.drop_nulls("place").group_by("place", "activity").agg(pl.col("year").min())
    simple = backtest(first, origins=ORIGINS).scores
    for method in ("forecast", "place_size"):
        of = simple.filter(method=method)
        line(f"plain, {method}", auc=[round(v, 3) for v in of["auc"]], ap=[round(v, 3) for v in of["ap"]])


def large() -> None:
    """Synthetic arrivals at size."""
    rng = np.random.default_rng(7)
    rows = 600_000
    able, common = rng.pareto(1.5, 250) + 0.1, rng.pareto(1.5, 5_000) + 0.1
    presence = pl.DataFrame(
        {
            "place": pl.Series([f"c{i:03}" for i in range(250)]).gather(rng.choice(250, rows, p=able / able.sum())),
            "activity": pl.Series([f"{i:04}" for i in range(5_000)]).gather(
                rng.choice(5_000, rows, p=common / common.sum())
            ),
            "year": rng.integers(2000, 2020, rows),
        }
    )
    links = code_groups(presence["activity"], digits=(2,))
    began = time.perf_counter()
    found = forecast(presence, until=2019, links=links)
    line(
        "large",
        arrivals=rows,
        places=250,
        activities=5_000,
        blanks=found.height,
        seconds=time.perf_counter() - began,
        mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def main() -> None:
    """Real data where it is, then size."""
    if DATA.exists():
        provinces()
    else:
        print(f"provinces: left out, {DATA} is not there")
    large()


if __name__ == "__main__":
    main()
