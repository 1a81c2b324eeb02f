"""Every change is kept, refused when somebody was first, and undone."""

import pytest
from django.utils import timezone

from silian.web.base.models import LogEntry, Place
from silian.web.catalog.changing import Edit, StaleError, change, plain, undo
from silian.web.catalog.models import Change, Expert, Need, Organisation, Work


def first(model):
    return model.objects.order_by("pk")[0]


def test_change_keeps_what_was_before_and_after(people):
    need, actor = first(Need), people["broker"].actor
    before = plain(need)

    made = change(actor, "needs", [Edit(need.pk, {"title": "新题目"}, need.version)])

    row = made.rows.get()
    sources = {"title": {"source": "edit", "on": timezone.localdate().isoformat()}}
    assert (row.before, row.after) == (before, before | {"title": "新题目", "sources": sources})
    assert Need.objects.get(pk=need.pk).version == need.version + 1
    assert LogEntry.objects.filter(who=actor.pseudonym, action="needs.edit", record_id=need.pk).exists()


def test_change_writes_nothing_where_nothing_differs(people):
    need = first(Need)

    change(people["broker"].actor, "needs", [Edit(need.pk, {"title": need.title}, need.version)])

    assert not Change.objects.exists()
    assert first(Need).version == need.version


def test_change_refuses_the_second_writer_and_shows_both(people):
    need, actor = first(Need), people["broker"].actor
    change(actor, "needs", [Edit(need.pk, {"title": "先到"}, need.version)])

    with pytest.raises(StaleError) as caught:
        change(actor, "needs", [Edit(need.pk, {"title": "后到"}, need.version)])

    assert caught.value.conflicts[0].now["title"] == "先到"
    assert first(Need).title == "先到"


def test_undo_puts_added_changed_and_deleted_records_back(people):
    actor, work, need = people["broker"].actor, first(Work), first(Need)
    before = {r.pk: plain(r) for r in (work, need)}
    new = {"expert_id": work.expert_id, "work_id": "W-new", "kind": "paper", "title": "新论文"}
    edits = [Edit(work.pk, None, work.version), Edit(f"{work.expert_id}~W-new", new, 0)]
    made = change(actor, "works", edits)
    change(actor, "needs", [Edit(need.pk, {"text": "改"}, need.version)], within=made)

    undo(actor, made)

    assert plain(Work.objects.get(pk=work.pk)) == before[work.pk]
    assert plain(first(Need)) == before[need.pk]
    assert not Work.objects.filter(work_id="W-new").exists()


def test_undo_of_a_set_that_was_changed_since_undoes_nothing(people):
    need, actor = first(Need), people["broker"].actor
    made = change(actor, "needs", [Edit(need.pk, {"title": "一"}, need.version)])
    change(actor, "needs", [Edit(need.pk, {"title": "二"})])

    with pytest.raises(StaleError):
        undo(actor, made)

    assert first(Need).title == "二"


def test_change_of_an_organisation_takes_what_belongs_to_it_along(people):
    expert = (
        Expert.objects.filter(works__isnull=False).first() if hasattr(Expert, "works") else Work.objects.first().expert
    )
    org = Organisation.objects.get(pk=expert.org_id)
    Expert.objects.filter(pk=expert.pk).update(district=None, place=org.place)
    other = Place.objects.exclude(pk=org.place_id).filter(level="county").first()

    change(people["broker"].actor, "organisations", [Edit(org.pk, {"district_id": other.pk})])

    assert Expert.objects.get(pk=expert.pk).place_id == other.pk
    assert set(Work.objects.filter(expert=expert).values_list("place_id", flat=True)) == {other.pk}
