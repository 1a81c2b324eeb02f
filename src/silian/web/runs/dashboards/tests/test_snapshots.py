"""Snapshots: frozen once, the same bytes from the same inputs, never half-written, checked when they are read."""

from __future__ import annotations

import os
import time
from datetime import date
from pathlib import Path

import pytest
from django.db import connection, transaction
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from silian.errors import WebError
from silian.web.base.models import LogEntry, Notification, Place, Post
from silian.web.catalog.models import Need
from silian.web.runs.dashboards import freezing, storing
from silian.web.runs.dashboards.inputs import read
from silian.web.runs.dashboards.months import last_day, month_of
from silian.web.runs.dashboards.reading import desk_of, figures_of, members_of
from silian.web.runs.dashboards.tasks import daily_figures, freeze_task, renew_task
from silian.web.runs.models import Snapshot


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_same_inputs_give_the_same_bytes(run):
    inputs = read()
    one = freezing.freeze("2026-03", Place.root(), inputs=inputs)
    two = freezing.freeze("2026-03", Place.root(), inputs=inputs, asked=freezing.Asked(reason="核对", version=2))

    assert files(one.folder) == files(two.folder)
    assert one.digest == two.digest
    assert set(files(one.folder)) >= {"figures.parquet", "members.parquet", "figures.json", "snapshot.json"}


def test_a_month_is_frozen_once_however_often_the_task_runs(run):
    first = freezing.catch_up(is_demo=True)
    before = {s.pk: files(s.folder) for s in first}

    assert freezing.catch_up(is_demo=True) == []
    assert {s.pk: files(s.folder) for s in Snapshot.objects.all()} == before
    assert len(first) == freezing.YEAR
    assert [s.as_of for s in first] == [last_day(s.month) for s in first]


def test_missed_months_are_caught_up_and_marked_as_rebuilt(run):
    found = read()
    before = freezing.earlier(month_of(found.day), 3)
    freezing.freeze(before, Place.root(), inputs=found)

    made = freezing.catch_up()

    assert [s.month for s in made] == [freezing.earlier(month_of(found.day), n) for n in (2, 1)]
    assert made[0].is_rebuilt
    assert figures_of(made[0], Place.ROOT)["experts"].note == "past"


def test_a_site_that_begins_has_nothing_to_catch_up(registry, folders):
    assert freezing.catch_up() == []


def test_what_changes_after_is_not_in_a_frozen_month_and_a_correction_stands_beside_it(run, people):
    inputs = read()
    one = freezing.freeze("2026-03", Place.root(), inputs=inputs)
    kept, was = files(one.folder), figures_of(one, Place.ROOT)["funnel_needs"]
    gone = Need.objects.filter(posted_on__lt=date(2026, 3, 1)).order_by("pk")[0]
    Need.objects.filter(pk=gone.pk).update(state="withdrawn")

    asked = freezing.Asked(people["administrator"].actor, "撤下误录的需求", 2)
    two = freezing.freeze("2026-03", Place.root(), asked=asked)
    desk = desk_of(people["leader"].actor, {"month": "2026-03"})
    old = desk_of(people["leader"].actor, {"month": "2026-03", "of": str(one.pk)})

    assert files(one.folder) == kept
    assert figures_of(one, Place.ROOT)["funnel_needs"] == was
    assert figures_of(two, Place.ROOT)["funnel_needs"].value == was.value - 1
    assert (desk.snapshot, desk.successor) == (two, None)
    assert (old.snapshot, old.successor) == (one, two)
    assert (two.by, two.reason) == (people["administrator"].user, "撤下误录的需求")
    assert LogEntry.objects.filter(action="snapshots.freeze", who=people["administrator"].actor.pseudonym).count() == 1


def test_whatever_is_changed_on_disk_is_told_and_not_shown(run, people):
    for name in ("figures.parquet", "snapshot.json"):
        made = freezing.freeze("2026-02", Place.root())
        path = made.folder / name
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        os.utime(path, ns=(0, 0))

        with pytest.raises(WebError) as wrong:
            figures_of(made, Place.ROOT)
        answer = people["leader"].client.get("/dashboard/?month=2026-02")

        assert wrong.value.code == "snapshot.changed"
        assert answer.status_code == 503
        assert "快照与冻结时不一致" in answer.content.decode()
        path.write_bytes(whole)


def test_a_file_that_is_gone_is_told(run):
    made = freezing.freeze("2026-02", Place.root())
    (made.folder / "members.parquet").unlink()

    with pytest.raises(WebError, match=r"snapshot\.changed"):
        members_of(made, Place.ROOT, "needs")


def test_a_month_that_has_not_begun_is_not_frozen(run):
    with pytest.raises(WebError) as wrong:
        freezing.freeze("2999-01", Place.root())
    assert wrong.value.code == "snapshot.future"


def test_of_two_that_freeze_at_once_one_finds_the_others(run):
    inputs, root, others = read(), Place.root(), []

    def between(execute, sql, params, many, context):
        """After one has looked and chosen its version, and before its row is there, another freezes the month."""
        found = execute(sql, params, many, context)
        if not others and sql.startswith('SELECT "runs_snapshot"."version"'):
            others.append(None)
            others[:] = [freezing.freeze("2026-03", root, inputs=inputs)]
        return found

    with connection.execute_wrapper(between):
        found = freezing.freeze("2026-03", root, inputs=inputs)

    assert [found] == others == list(Snapshot.objects.all())
    assert files(found.folder)
    assert list(found.folder.parents[2].glob(".making-*")) == []


def test_who_is_killed_between_moving_and_the_end_of_the_transaction_leaves_nothing_in_the_way(run):
    inputs = read()
    with transaction.atomic():  # as a kill: the folder is there, its row is not
        made = freezing.freeze("2026-03", Place.root(), inputs=inputs)
        transaction.set_rollback(True)
    assert made.folder.exists()
    assert not Snapshot.objects.exists()

    again = freezing.freeze("2026-03", Place.root(), inputs=inputs)

    assert figures_of(again, Place.ROOT)["funnel_needs"].value is not None
    assert files(again.folder) == files(made.folder)


def test_what_a_killed_writer_left_goes_when_it_is_old(run, settings):
    left = Path(settings.SNAPSHOTS_FOLDER) / ".making-x"
    young = Path(settings.SNAPSHOTS_FOLDER) / ".making-y"
    for path in (left, young):
        path.mkdir(parents=True)
    os.utime(left, (time.time() - 7200, time.time() - 7200))

    freezing.renew()

    assert (left.exists(), young.exists()) == (False, True)


def test_the_live_figures_are_renewed_and_the_old_ones_go(run):
    made = [freezing.renew() for _ in range(4)]

    assert list(Snapshot.objects.filter(kind="live")) == made[:1:-1]
    assert [s.folder.exists() for s in made] == [False, False, True, True]


def test_a_snapshot_of_a_district_holds_its_own_figures_alone(run):
    district = Place.objects.filter(level="county").order_by("pk")[0]
    whole = freezing.freeze("2026-03", Place.root())
    own = freezing.freeze("2026-03", district)

    places = storing.table_of(own.folder, own.digest, "figures")["place_id"].unique().to_list()
    assert places == [district.pk]
    assert figures_of(own, district.pk) == figures_of(whole, district.pk)
    assert own.name == f"{district.pk}/2026-03/v1"


def test_the_task_freezes_for_whoever_may_still_and_for_nobody_else(run, people):
    freeze_task.call("2026-03", "region", people["leader"].user.pk, "x", 1)
    assert not Snapshot.objects.exists()
    for _twice in range(2):
        freeze_task.call("2026-03", "region", people["administrator"].user.pk, "x", 1)
    assert Snapshot.objects.get().version == 1


def test_the_work_of_the_day_makes_live_figures(run):
    daily_figures.call()

    assert Snapshot.objects.filter(kind="live").count() == 1


def test_what_the_days_before_have_done_leaves_no_rows(run):
    made = {"args_kwargs": {"args": [], "kwargs": {}}, "backend_name": "default", "exception_class_path": ""}
    paths = (daily_figures.module_path, renew_task.module_path, freeze_task.module_path)
    for path in paths:
        for status in (TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED):
            DBTaskResult.objects.create(task_path=path, status=status, **made)
    daily_figures.call()

    left = set(DBTaskResult.objects.filter(task_path__in=paths).values_list("task_path", "status"))
    failed = {(path, TaskResultStatus.FAILED) for path in paths}
    assert left == failed | {(freeze_task.module_path, TaskResultStatus.SUCCESSFUL)}


def test_leaders_and_officers_hear_of_a_month_that_was_frozen_and_not_of_months_long_past(run, people):
    inputs = read()
    last = freezing.earlier(month_of(inputs.day), 1)
    freezing.freeze(freezing.earlier(last, 3), Place.root(), inputs=inputs)
    assert not Notification.objects.filter(kind="figures.frozen").exists()

    freezing.freeze(last, Place.root(), asked=freezing.Asked(people["officer"].actor, "核对", 1), inputs=inputs)

    told = set(Notification.objects.filter(kind="figures.frozen").values_list("user_id", flat=True))
    assert people["leader"].user.pk in told
    assert people["officer"].user.pk not in told  # who did it knows
    assert told <= set(Post.objects.filter(role__in=("leader", "officer")).values_list("user_id", flat=True))
    page = people["leader"].client.get("/notifications/").content.decode()
    assert last in page
