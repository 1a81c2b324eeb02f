"""What a killed worker left under way is taken up again, and given up where it kills every worker."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.db import InterfaceError, OperationalError
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from silian.errors import WebError
from silian.web.catalog.daily import daily_task
from silian.web.catalog.entry.drafts import KEPT_DAYS
from silian.web.catalog.exchange.keeping import KEPT
from silian.web.catalog.exchange.workbooks import Sheet, write_book
from silian.web.catalog.models import Achievement, Change, Draft, Import, Need
from silian.web.catalog.tasks import TRIES, ask, import_task, take_up, take_up_broken_off


def under_way(person, *, workers):
    """An import whose worker was killed while it read."""
    made = Import(by=person.user, name="achievements.csv")
    made.file.save("file.csv", ContentFile("achievement_id,title\nA-1,甲\n".encode()))
    ask(made, Import.State.READING)
    DBTaskResult.objects.update(status="RUNNING", worker_ids=workers)
    return made


def test_take_up_puts_back_what_its_own_worker_left(people):
    made = under_way(people["broker"], workers=["here"])

    assert take_up("here") == 1
    assert DBTaskResult.objects.get().status == "READY"
    import_task.call(made.pk)
    assert Import.objects.get(pk=made.pk).state == "ready"


@pytest.mark.parametrize(
    ("error", "workers", "state"),
    [
        (OperationalError("server closed the connection unexpectedly"), ["here"], "READY"),
        (InterfaceError("connection already closed"), ["here", "there"], "READY"),
        (OperationalError("once more"), ["here"] * TRIES, "FAILED"),
        (ValueError("our own fault"), ["here"], "FAILED"),
    ],
)
def test_a_task_from_which_the_database_went_away_is_done_again(people, error, workers, state):
    under_way(people["broker"], workers=workers)
    DBTaskResult.objects.get().set_failed(error)

    assert take_up_broken_off() == (state == "READY")
    found = DBTaskResult.objects.get()
    assert (found.status, found.finished_at is None, found.traceback == "") == (state, *[state == "READY"] * 2)


def test_take_up_leaves_what_another_worker_does(people):
    under_way(people["broker"], workers=["there"])

    assert take_up("here") == 0
    assert DBTaskResult.objects.get().status == "RUNNING"


def test_take_up_asks_for_an_import_that_no_task_names(people):
    under_way(people["broker"], workers=["here"])
    DBTaskResult.objects.all().delete()

    assert take_up("here") == 1
    assert take_up("here") == 0


def test_take_up_gives_up_a_file_that_stops_every_worker(people):
    made = under_way(people["broker"], workers=["here"] * TRIES)

    assert take_up("here") == 0
    made.refresh_from_db()
    assert (made.state, made.code, made.found["count"]) == ("refused", "web.import_stopped", TRIES)


def test_import_whose_file_has_gone_says_that_it_failed(people):
    made = under_way(people["broker"], workers=["here"])
    made.file.storage.delete(made.file.name)

    import_task.call(made.pk)

    made.refresh_from_db()
    assert (made.state, made.code) == ("refused", "web.import_failed")
    assert not Achievement.objects.filter(pk="A-1").exists()


def test_daily_task_does_the_work_of_the_day_and_asks_for_the_next_once(people):
    need = Need.objects.order_by("pk")[0]
    Need.objects.filter(pk=need.pk).update(deadline_on=timezone.localdate() - timedelta(days=1))
    old = timezone.now() - timedelta(days=KEPT_DAYS + 1)
    Draft.objects.create(user=people["broker"].user, noun="needs", token="old", typed={"title": ["甲"]}, at=old)

    daily_task.call()
    daily_task.call()

    assert Need.objects.get(pk=need.pk).state == "expired"
    assert Change.objects.filter(noun="needs", record_id=need.pk).count() == 1
    assert not Draft.objects.filter(token="old").exists()
    (asked,) = DBTaskResult.objects.filter(task_path=daily_task.module_path, status="READY")
    assert timezone.localtime(asked.run_after).date() == timezone.localdate() + timedelta(days=1)


def test_daily_task_deletes_files_of_imports_after_thirty_days_and_leaves_what_they_changed(
    people, django_capture_on_commit_callbacks
):
    old, fresh = (under_way(people["broker"], workers=[]) for _ in range(2))
    import_task.call(old.pk)
    ask(old, Import.State.APPLYING)
    import_task.call(old.pk)
    Import.objects.filter(pk=old.pk).update(at=timezone.now() - KEPT - timedelta(hours=1))
    storage, names = old.file.storage, (old.file.name, fresh.file.name)

    with django_capture_on_commit_callbacks(execute=True):
        daily_task.call()

    assert [storage.exists(name) for name in names] == [False, True]
    assert Achievement.objects.filter(pk="A-1").exists()
    assert people["broker"].client.get(reverse("import", args=[old.pk])).status_code == 200
    ask(Import.objects.get(pk=old.pk), Import.State.UNDOING)
    import_task.call(old.pk)
    assert not Achievement.objects.filter(pk="A-1").exists()


def test_write_book_refuses_what_no_sheet_holds(tmp_path, monkeypatch):
    with pytest.raises(WebError, match=r"web\.cell_small"):
        write_book(tmp_path / "a.xlsx", [Sheet("甲", ["一"], [["长" * 32_768]])])

    monkeypatch.setattr("silian.web.catalog.exchange.workbooks.SHEET", 2)
    with pytest.raises(WebError, match=r"web\.sheet_small"):
        write_book(tmp_path / "b.xlsx", [Sheet("甲", ["一"], [["x"]] * 3)])
