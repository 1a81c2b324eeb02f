"""What runs leave to be done, and for whom."""

from __future__ import annotations

import pytest
from django.utils import timezone

from silian.web.base.models import Place
from silian.web.base.notifications import todo
from silian.web.conftest import ROLES
from silian.web.runs.models import Run
from silian.web.runs.todos import SOURCES


def made(place, state, *, is_adopted=False):
    now = timezone.now()
    return Run.objects.create(
        name="甲", place=place, state=state, ended_at=now, adopted_at=now if is_adopted else None
    )  # fmt: skip


def waiting(person, code):
    found = {source.code: number for source, number in todo.counted(person.actor)}
    listed = [item for _source, item in todo.items_of(person.actor, code)]
    assert found.get(code, 0) == len(listed)
    return [item.url for item in listed]


def address(run):
    return f"/runs/{run.pk}/"


@pytest.fixture
def county(people):
    return people["officer"].user.posts.first().place


def test_a_failed_run_waits_for_who_looks_after_its_place_until_a_later_one(people, county):
    failed = made(county, "failed")

    seen = {role for role in ROLES if waiting(people[role], "runs_failed") == [address(failed)]}
    assert seen == {r for r in ROLES if any(people[r].actor.holds(s, over=county.path) for s in todo_roles())}
    assert "officer" in seen
    Run.objects.create(name="乙", place=county, state="waiting")
    assert waiting(people["officer"], "runs_failed") == []


def todo_roles():
    return ("broker", "officer", "administrator")


def test_a_run_that_is_done_waits_for_who_decides_until_one_holds(people, county):
    made(county, "done")
    last = made(county, "done")

    assert waiting(people["officer"], "runs_undecided") == [address(last)]
    assert waiting(people["broker"], "runs_undecided") == []
    whole = made(Place.root(), "done", is_adopted=True)  # of a place above: it holds here, too
    assert waiting(people["officer"], "runs_undecided") == []
    Run.objects.filter(pk=whole.pk).update(adopted_at=None)
    assert waiting(people["officer"], "runs_undecided") == [address(last)]
    assert set(waiting(people["administrator"], "runs_undecided")) == {address(last), address(whole)}


def test_an_adopted_run_of_a_county_leaves_the_region_undecided(people, county):
    made(county, "done", is_adopted=True)
    whole = made(Place.root(), "done")

    assert waiting(people["administrator"], "runs_undecided") == [address(whole)]


def test_many_runs_cost_as_many_queries_as_one(people, county, django_assert_max_num_queries):
    actor = people["administrator"].actor
    Run.objects.bulk_create(
        Run(name=str(n), place=place, state=state, ended_at=timezone.now())
        for n in range(50)
        for place in (county, Place.root())
        for state in ("failed", "done")
    )

    with django_assert_max_num_queries(6):
        for source in SOURCES:
            source.count(actor)
            source.items(actor)
