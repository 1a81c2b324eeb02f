"""Figures: facts worked by hand, the slow sure way beside the fast one, as of any day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from silian.tables import schema
from silian.web.base.models import Place
from silian.web.catalog.models import Expert, Fund, Interest, Need, Organisation, Project
from silian.web.runs.dashboards.figures import compute, gini
from silian.web.runs.dashboards.inputs import COLUMNS, INTERESTS, PLACES, Inputs, read
from silian.web.runs.dashboards.measures import NOTES, measures

DAY = date(2026, 6, 30)


def table(noun, rows):
    types = {"id": pl.String(), "place_id": pl.String(), "state": pl.String()}
    types |= {name: schema.tables()[noun][name].polars for name in COLUMNS[noun]}
    return pl.DataFrame([{"state": "published", **row} for row in rows], schema=types)


def inputs(day=DAY, *, interests=(), run=None, **nouns):
    """A city with two districts, a and b."""
    places = [("city", None, "city", "市", "", "/city/"), ("a", "city", "county", "甲", "", "/city/a/"),
              ("b", "city", "county", "乙", "", "/city/b/")]  # fmt: skip
    made = {noun: table(noun, nouns.get(noun, [])) for noun in COLUMNS}
    said = pl.DataFrame(list(interests), schema=INTERESTS, orient="row")
    whole = pl.DataFrame(places, schema=PLACES, orient="row")
    return Inputs(day, made, whole, said, run or {}, "/city/" if run else "", 1 if run else None)


def told(found, place="city"):
    rows = compute(found[0], found[1]).figures.filter(place_id=place)
    return {row["measure"]: row for row in rows.iter_rows(named=True)}


NEEDS = [
    {"id": "N1", "place_id": "a", "posted_on": date(2026, 1, 10)},
    {"id": "N2", "place_id": "a", "posted_on": date(2026, 6, 2), "deadline_on": date(2026, 6, 29)},
    {"id": "N3", "place_id": "b", "posted_on": date(2026, 6, 20), "deadline_on": date(2026, 6, 30)},
    {"id": "N4", "place_id": "b", "posted_on": date(2026, 7, 1)},
]


def test_open_needs_and_needs_of_the_month_follow_their_dates():
    city, a = told((inputs(needs=NEEDS), DAY)), told((inputs(needs=NEEDS), DAY), "a")

    assert [city[m]["value"] for m in ("needs", "needs_new", "funnel_needs")] == [2, 2, 3]
    assert [a[m]["value"] for m in ("needs", "needs_new", "funnel_needs")] == [1, 1, 2]


def test_the_funnel_counts_each_stage_by_its_own_evidence_and_its_median_days():
    said = [("N1", "agreed", date(2026, 1, 20), date(2026, 1, 25)), ("N1", "asked", date(2026, 3, 1), None),
            ("N2", "declined", date(2026, 6, 4), date(2026, 6, 5))]  # fmt: skip
    projects = [{"id": "X1", "place_id": "a", "need_id": "N1", "stage": "contract", "started_on": date(2026, 2, 9)}]
    outcomes = [{"id": "Y1", "place_id": "a", "project_id": "X1", "measured_on": date(2026, 6, 9)}]
    city = told((inputs(needs=NEEDS, projects=projects, outcomes=outcomes, interests=said), DAY))

    stages = ("interest", "mutual", "project", "contract", "outcome")
    assert [city[f"funnel_{s}"]["value"] for s in stages] == [2, 1, 1, 1, 1]
    assert {city[f"funnel_{s}"]["of"] for s in stages} == {3}
    assert city["declined"]["value"] == 1
    assert [city[f"days_{s}"]["value"] for s in ("interest", "mutual", "project", "outcome")] == [6, 5, 30, 120]
    assert (city["days_contract"]["value"], city["days_contract"]["note"]) == (None, "no_dates")


def test_a_stage_without_any_data_says_so_and_is_not_zero():
    city = told((inputs(needs=NEEDS), DAY))

    for code, note in (("funnel_interest", "no_data"), ("funnel_outcome", "no_data"), ("funnel_matched", "no_run")):
        assert (city[code]["value"], city[code]["note"]) == (None, note)
    assert told((inputs(needs=NEEDS, run={"gaps": _gaps()}), DAY))["needs_unmet"]["note"] == "no_step"


def _gaps():
    return pl.DataFrame({"product_id": ["P1", "P2"], "kind": ["break", "single"], "score": [0.5, 0.2]})


def test_a_past_day_is_told_by_the_records_own_dates_and_nothing_else():
    undated = [*NEEDS, {"id": "N5", "place_id": "a"}]
    experts = [{"id": "E1", "place_id": "a"}]
    past, now = inputs(date(2026, 9, 1), needs=undated, experts=experts), inputs(needs=undated, experts=experts)

    then, today = told((past, DAY)), told((now, DAY))

    assert (then["needs"]["value"], then["needs"]["missing"], then["needs"]["note"]) == (2, 1, "some_missing")
    assert (then["experts"]["value"], then["experts"]["note"]) == (None, "past")
    assert (today["needs"]["value"], today["experts"]["value"]) == (3, 1)


def test_a_need_that_ran_out_since_counts_for_the_day_on_which_it_was_open():
    over = [{**NEEDS[2], "state": "expired"}]

    assert told((inputs(date(2026, 7, 1), needs=over), DAY))["needs"]["value"] == 1
    assert told((inputs(date(2026, 7, 1), needs=over), date(2026, 7, 1)))["needs"]["value"] == 0


def test_a_product_made_in_two_districts_counts_once_in_the_city():
    makes = [{"id": f"{p}{d}", "place_id": d, "product_id": p} for p, d in (("P1", "a"), ("P1", "b"), ("P2", "b"))]
    found = inputs(makes=makes)

    assert [told((found, DAY), p)["products"]["value"] for p in ("city", "a", "b")] == [2, 1, 2]


def test_assignment_and_its_balance_between_districts():
    served = pl.DataFrame({"need_id": ["N1", "N2", "N3"], "wanted": [2, 2, 4], "assigned": [2, 1, 1]})
    unmet = pl.DataFrame({"need_id": ["N2", "N3"], "missing": [1, 3], "reason": ["capacity", "conflict"]})
    found = inputs(needs=NEEDS, run={"served": served, "unmet": unmet})
    city, a, b = (told((found, DAY), place) for place in ("city", "a", "b"))

    assert [city[m]["value"] for m in ("experts_wanted", "experts_assigned", "needs_served", "needs_unmet")] == [
        8,
        4,
        1,
        2,
    ]
    assert [t["served_share"]["value"] for t in (city, a, b)] == [0.5, 0.75, 0.25]
    assert city["unmet_conflict"]["value"] == 1
    assert city["served_gini"]["value"] == pytest.approx(0.25)  # half the wish gets a quarter: 1 - (.5·.25 + .5·1.25)


def test_gini_is_that_of_a_city_cut_into_people():
    got, people = [3.0, 1.0, 6.0], [10, 20, 30]
    each = sorted(g / p for g, p in zip(got, people, strict=True) for _ in range(p))
    slow = sum(abs(x - y) for x in each for y in each) / (2 * len(each) ** 2 * (sum(each) / len(each)))

    assert gini(got, [float(p) for p in people]) == pytest.approx(slow)
    assert gini([None, 1.0], [1.0, 1.0]) is None


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 200)), max_size=12), st.integers(0, 400))
def test_stock_on_a_day_is_what_was_posted_less_what_has_run_out(spans, when):
    start = date(2026, 1, 1)
    needs = [
        {"id": f"N{i}", "place_id": "ab"[i % 2], "posted_on": start + timedelta(days=s),
         "deadline_on": start + timedelta(days=s + n)} for i, (s, n) in enumerate(spans)
    ]  # fmt: skip
    day = start + timedelta(days=when)
    found = compute(inputs(start + timedelta(days=900), needs=needs), day).figures.filter(measure="needs")
    city, a, b = (
        found.row(by_predicate=pl.col("place_id") == place, named=True)["value"] for place in ("city", "a", "b")
    )

    assert city == sum(s <= when <= s + n for s, n in spans) == a + b


# ── the region in the database ──


def test_figures_agree_with_counting_in_the_database(run):
    found = read()
    made = compute(found, found.day)
    for place in Place.objects.all():
        own = {row["measure"]: row["value"] for row in made.figures.filter(place_id=place.pk).iter_rows(named=True)}
        here = {"place__path__startswith": place.path, "state": "published"}
        assert own["experts"] == Expert.objects.filter(**here).count()
        assert own["enterprises"] == Organisation.objects.filter(**here, kind="enterprise").count()
        assert own["high_tech"] == Organisation.objects.filter(**here, kind="enterprise", is_high_tech=True).count()
        assert own["funnel_needs"] == Need.objects.filter(**here, posted_on__lte=found.day).count()
        assert own["projects"] == Project.objects.filter(**here, started_on__lte=found.day).count()
        assert own["needs"] == sum(
            n.deadline_on is None or n.deadline_on >= found.day for n in Need.objects.filter(**here)
        )


def test_every_number_is_that_of_the_rows_behind_it(run):
    found = read()
    made = compute(found, found.day)
    below = {p.pk: {q.pk for q in Place.objects.filter(path__startswith=p.path)} for p in Place.objects.all()}
    for row in made.figures.iter_rows(named=True):
        measure = measures()[row["measure"]]
        assert row["note"] in NOTES
        assert (row["value"] is not None) or row["note"]
        if row["value"] is None or measure.how in ("ratio", "gini"):
            continue
        own = made.members.filter(pl.col("measure") == measure.code, pl.col("place_id").is_in(below[row["place_id"]]))
        once = own.unique("record_id")
        told = {"count": once.height, "sum": once["amount"].sum(), "mean": once["amount"].mean(),
                "median": once["amount"].median()}  # fmt: skip
        assert row["value"] == pytest.approx(told[measure.how]), (row["place_id"], measure.code)


def test_closed_amounts_are_in_no_sum(registry, folders):
    fund = Fund.objects.exclude(amount_cny=None).order_by("pk")[0]
    before = told((found := read(), found.day), Place.ROOT)["funds_amount"]
    Fund.objects.filter(pk=fund.pk).update(tiers={"amount_cny": "broker"})

    after = told((found := read(), found.day), Place.ROOT)["funds_amount"]

    assert after["value"] == before["value"] - fund.amount_cny
    assert after["missing"] == before["missing"] + 1


def test_interests_are_dated_by_the_clock_of_the_place(registry, folders, people):
    at = datetime(2026, 5, 31, 17, tzinfo=UTC)
    Interest.objects.create(noun="needs", record_id=Need.objects.first().pk, by=people["judge"].user, at=at)

    assert read().interests["at"].to_list() == [date(2026, 6, 1)]  # one o'clock in the morning in China


def test_figures_do_not_depend_on_the_order_of_rows(run):
    found = read()
    turned = replace(found, nouns={noun: rows.reverse() for noun, rows in found.nouns.items()})

    assert compute(turned, found.day).figures.equals(compute(found, found.day).figures)
