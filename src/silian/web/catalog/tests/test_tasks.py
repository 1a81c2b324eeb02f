"""What a killed worker left under way is taken up again, and given up where it kills every worker."""

import pytest
from django.core.files.base import ContentFile
from django_tasks_db.models import DBTaskResult

from silian.errors import WebError
from silian.web.catalog.exchange.workbooks import Sheet, write_book
from silian.web.catalog.models import Achievement, Import
from silian.web.catalog.tasks import TRIES, ask, import_task, take_up


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


def test_write_book_refuses_what_no_sheet_holds(tmp_path, monkeypatch):
    with pytest.raises(WebError, match=r"web\.cell_small"):
        write_book(tmp_path / "a.xlsx", [Sheet("甲", ["一"], [["长" * 32_768]])])

    monkeypatch.setattr("silian.web.catalog.exchange.workbooks.SHEET", 2)
    with pytest.raises(WebError, match=r"web\.sheet_small"):
        write_book(tmp_path / "b.xlsx", [Sheet("甲", ["一"], [["x"]] * 3)])
