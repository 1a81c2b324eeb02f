"""A leader reads the results of the place: of each record what is public, and no run that does not hold."""

from __future__ import annotations

import polars as pl
import pytest
from django.urls import reverse
from django.utils import timezone

from silian.web.base.models import Place, Post
from silian.web.catalog.changing import Edit, change
from silian.web.conftest import ROLES
from silian.web.runs.results import lists, matching
from silian.web.runs.results.rules import READERS, seat_of
from silian.web.runs.results.tests.test_matches import page, table

PAGES = ("matches", "assignment", "served", "loads", "unmet", "gaps", "firms", "districts")


@pytest.mark.parametrize("role", ROLES)
def test_pages_of_results_are_for_readers_and_runs_for_stewards(people, run, role):
    client = people[role].client
    read = {name: client.get(reverse(name)).status_code for name in PAGES}

    assert set(read.values()) == {200 if role in READERS else 302 if role == "visitor" else 403}
    if role == "leader":
        assert client.get(reverse("runs")).status_code == 403
        assert client.get(reverse("run", args=[run.pk])).status_code == 404
        assert client.get(reverse("run_file", args=[run.pk, "expert_pairs.csv"])).status_code == 404


def test_a_leader_reads_the_needs_of_the_place_alone(people, run):
    leader, county = people["leader"], Place.objects.filter(level="county").order_by("pk")[0]
    Post.objects.filter(user=leader.user).update(place=county)
    seat = seat_of(leader.actor, None)
    shown = matching.chosen_needs(seat, matching.Asked()).collect()
    every = pl.read_parquet(run.folder / "site" / "needs.parquet")

    assert 0 < shown.height < every.height
    inside = Place.objects.filter(path__startswith=county.path).values_list("pk", flat=True)
    assert set(shown["district_id"]) <= set(inside)
    other = every.filter(~pl.col("need_id").is_in(shown["need_id"].implode()))["need_id"][0]
    assert leader.client.get(reverse("match", args=[other])).status_code == 404


def test_a_leader_reads_no_trial(people, run):
    assert people["leader"].client.get(reverse("run_matches", args=[run.pk])).status_code == 200
    run.adopted_at = None
    run.save()

    assert people["leader"].client.get(reverse("run_matches", args=[run.pk])).status_code == 404
    assert people["administrator"].client.get(reverse("run_matches", args=[run.pk])).status_code == 200


def test_a_leader_reads_no_sentence_of_a_column_that_its_owner_has_closed(people, run):
    near = table(run, "achievement_facts").filter(fact="sentence").row(0, named=True)
    before = page(people["leader"], "match", near["need_id"])
    change(people["administrator"].actor, "needs", [Edit(near["need_id"], {"tiers": {"text": "broker"}})])
    run.begun_at = timezone.now()  # it has read the need as it stands
    run.save()

    assert "最接近的句子" in before
    assert "最接近的句子" not in page(people["leader"], "match", near["need_id"])
    assert "最接近的句子" in page(people["administrator"], "match", near["need_id"])


def test_a_leader_reads_no_places_of_experts_and_not_how_many_experts_a_need_wants_where_that_is_closed(people, run):
    change(people["administrator"].actor, "needs", [
        Edit(need, {"tiers": {"experts_wanted": "broker"}}) for need in table(run, "unmet")["need_id"]
    ])  # fmt: skip
    seats = {role: seat_of(people[role].actor, None) for role in ("leader", "administrator")}
    unmet = {role: lists.page_of_list(seat, lists.LISTS["unmet"], {}).rows for role, seat in seats.items()}
    loads = {role: lists.page_of_list(seat, lists.LISTS["loads"], {}).rows for role, seat in seats.items()}

    assert {row[3].text for row in unmet["leader"]} == {"–"}
    assert "–" not in {row[3].text for row in unmet["administrator"]}
    assert {row[4].text for row in loads["leader"]} == {"–"}
    assert "–" not in {row[4].text for row in loads["administrator"]}
    assert "增加一个名额" not in page(people["leader"], "unmet")


def test_a_leader_does_not_filter_by_what_an_organisation_may_close(people, run):
    leader, administrator = (seat_of(people[role].actor, None) for role in ("leader", "administrator"))
    asked = matching.asked_of({"industry": "no such"})

    assert matching.chosen_needs(administrator, asked).collect().height == 0
    assert matching.chosen_needs(leader, asked).collect().height > 0
    assert 'name="industry"' not in page(people["leader"], "matches")
    assert 'name="industry"' in page(people["administrator"], "matches")


def test_of_a_need_withdrawn_since_a_leader_reads_its_number_alone(people, run):
    best = matching.chosen_needs(seat_of(people["leader"].actor, None), matching.Asked()).collect()["need_id"][0]
    before = page(people["leader"], "matches")
    change(people["administrator"].actor, "needs", [Edit(best, {"state": "withdrawn"})])
    seat = seat_of(people["leader"].actor, None)
    need = seat.stored.ready("needs").filter(need_id=best).collect().to_dicts()
    row = matching.rows_of(seat, "achievements", need)[0]

    assert f'href="/needs/{best}/"' in before
    assert (row.need.name, row.need.url, row.org, row.facts) == (best, "", "", ())
    assert people["leader"].client.get(reverse("match", args=[best])).status_code == 404
