"""Matches on pages are those of the run's tables, filtered, and for whom they are."""

from __future__ import annotations

import re

import polars as pl
import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from silian.web.catalog.changing import Edit, change
from silian.web.catalog.models import Need
from silian.web.conftest import ROLES
from silian.web.runs.results import matching
from silian.web.runs.results.rules import seat_of
from silian.web.runs.results.tests.made import adopted

SEE = ("broker", "officer", "administrator", "leader")


def table(run, name) -> pl.DataFrame:
    return pl.read_parquet(run.folder / "out" / f"{name}.parquet")


def page(person, name, *parts, query="") -> str:
    answer = person.client.get(reverse(name, args=parts) + query)
    assert answer.status_code == 200, (name, answer.status_code)
    return answer.content.decode()


@pytest.mark.parametrize("role", ROLES)
def test_matches_are_for_who_looks_after_the_place_or_leads_it(people, run, role):
    answer = people[role].client.get(reverse("matches"))

    expected = 200 if role in SEE else 302 if role == "visitor" else 403
    assert answer.status_code == expected


def test_page_shows_the_pairs_of_the_run_best_first(people, run):
    shown = page(people["broker"], "match", "N02")
    pairs = table(run, "achievement_pairs").filter(need_id="N02").sort("rank")

    links = re.findall(r'href="/achievements/([^/"]+)/">', shown)
    assert links == pairs["target_id"].to_list()
    for score in pairs["score"]:
        assert f"<span>{score:.2f}</span>" in shown


def test_list_counts_every_need_and_finds_the_unmatched(people, run):
    pairs, needs = table(run, "expert_pairs"), pl.read_parquet(run.folder / "site" / "needs.parquet")
    matched = pairs["need_id"].n_unique()

    assert f"共 {needs.height} 项需求" in page(people["broker"], "matches")
    assert f"共 {matched} 项需求" in page(people["broker"], "matches", query="?noun=experts&state=matched")
    without = page(people["broker"], "matches", query="?noun=experts&state=unmatched")
    assert f"共 {needs.height - matched} 项需求" in without


@given(
    noun=st.sampled_from(matching.NOUNS), field=st.sampled_from(["", "food", "machine_tool", "no such"]),
    district=st.sampled_from(["", "D01", "D03"]), score=st.floats(allow_nan=True), page=st.text(max_size=5),
)  # fmt: skip
@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_filters_keep_just_the_needs_that_they_name(people, run, noun, field, district, score, page):
    given_ = {"noun": noun, "field": field, "district_id": district, "score": str(score), "page": page}
    seat = seat_of(people["broker"].actor, None)
    asked = matching.asked_of(given_)
    found = matching.chosen_needs(seat, asked).collect()

    best = f"best_{noun.removesuffix('s')}"
    every = pl.read_parquet(run.folder / "site" / "needs.parquet").to_dicts()
    wanted = {
        r["need_id"] for r in every
        if (not field or r["field"] == field) and (not district or r["district_id"] == district)
        and (not asked.score or (r[best] is not None and r[best] >= asked.score))
    }  # fmt: skip
    assert set(found["need_id"]) == wanted
    assert found[best].drop_nulls().to_list() == sorted(found[best].drop_nulls(), reverse=True)


def test_officer_of_a_county_sees_its_needs_alone(people, run):
    seat = seat_of(people["officer"].actor, None)
    shown = matching.chosen_needs(seat, matching.Asked()).collect()
    every = pl.read_parquet(run.folder / "site" / "needs.parquet")

    assert set(shown["district_id"]) == set(seat.districts) & set(every["district_id"])
    assert 0 < shown.height < every.height
    other = every.filter(~pl.col("need_id").is_in(shown["need_id"].implode()))["need_id"][0]
    assert people["officer"].client.get(reverse("match", args=[other])).status_code == 404


def test_changed_and_withdrawn_records_are_marked_and_quoted_no_more(people, run):
    broker = people["broker"]
    near = table(run, "achievement_facts").filter(fact="sentence").row(0, named=True)
    before = page(broker, "match", near["need_id"])
    change(broker.actor, "needs", [Edit(near["need_id"], {"text": "换了一段话"})])
    pair = table(run, "achievement_pairs").filter(pl.col("need_id") == near["need_id"]).row(0, named=True)
    change(broker.actor, "achievements", [Edit(pair["target_id"], {"state": "withdrawn"})])
    after = page(broker, "match", near["need_id"])

    assert "最接近的句子" in before
    assert "最接近的句子" not in after
    assert "已撤回" in after
    assert "运行后有改动" in page(broker, "matches", query="?page=1") + page(broker, "matches", query="?page=2")


def test_a_run_of_one_engine_says_which_step_is_missing(people, registry, runs_folder):
    adopted(only=("same", "same_people"))

    assert "没有做这一步" in page(people["broker"], "matches")
    assert "没有做这一步" in page(people["broker"], "match", "N01")


def test_without_a_run_pages_say_what_will_stand_there(people, runs_folder):
    assert "还没有可看的结果" in page(people["broker"], "matches")


def test_enterprise_sees_who_can_help_with_its_own_need_and_nobody_else_does(people, run):
    own = Need.objects.filter(owner_id__in=people["enterprise"].actor.orgs).order_by("pk")[0]
    other = Need.objects.exclude(owner_id__in=people["enterprise"].actor.orgs).order_by("pk")[0]
    best = table(run, "achievement_pairs").filter(need_id=own.pk, rank=1)["target_id"][0]

    box = page(people["enterprise"], "detail", "needs", own.pk)
    assert "谁能帮上忙" in box
    assert f'action="/achievements/{best}/interest/"' in box
    assert "谁能帮上忙" not in page(people["enterprise"], "detail", "needs", other.pk)
    for role in ("visitor", "researcher", "judge"):
        assert "谁能帮上忙" not in page(people[role], "detail", "needs", own.pk)
    assert "谁能帮上忙" in page(people["broker"], "detail", "needs", own.pk)


def test_expert_sees_which_needs_fit(people, run):
    own = people["researcher"].actor.expert_id
    pairs = table(run, "expert_pairs").filter(target_id=own)

    box = page(people["researcher"], "detail", "experts", own)
    assert "适合哪些需求" in box
    for need in pairs["need_id"]:
        assert f'href="/needs/{need}/"' in box
    assert "适合哪些需求" not in page(people["visitor"], "detail", "experts", own)


@pytest.mark.parametrize("name", ["matches", "match"])
def test_pages_of_matches_take_a_fixed_number_of_queries(people, run, name, django_assert_max_num_queries):
    with django_assert_max_num_queries(24):
        page(people["broker"], name, *(["N01"] if name == "match" else []))
