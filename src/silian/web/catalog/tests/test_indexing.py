"""The index follows the database: nothing is lost, whoever is killed."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap

import pytest
from django.core.management import call_command

from silian.errors import WebError
from silian.web.base.actors import VISITOR
from silian.web.catalog.changing import Edit, change, undo
from silian.web.catalog.models import MODELS, Need, Organisation, Unindexed
from silian.web.catalog.search import indexing, searching
from silian.web.catalog.search.asking import question


@pytest.fixture
def index(registry, settings, tmp_path):
    """An index of the registry that a test may write."""
    settings.SEARCH_FOLDER = tmp_path / "index"
    indexing.rebuild()
    return tmp_path / "index"


def found(words, actor=VISITOR, **chosen):
    return searching.search(actor, searching.Wanted(question(words), chosen), limit=50).keys


def first(model):
    return model.objects.select_related("place").order_by("pk")[0]


def test_a_change_is_found_after_it_was_taken_in_and_not_twice(people, index):
    need = first(Need)
    change(people["broker"].actor, "needs", [Edit(need.pk, {"title": "石墨烯浆料"}, need.version)])
    assert found("石墨烯浆料") == []

    assert indexing.take_in() == 1

    assert found("石墨烯浆料") == [("needs", need.pk)]
    assert indexing.take_in() == 0


def test_what_is_withdrawn_or_deleted_is_found_no_more(people, index):
    need, broker = first(Need), people["broker"].actor
    change(broker, "needs", [Edit(need.pk, {"title": "石墨烯浆料"})])
    made = change(broker, "needs", [Edit(need.pk, {"state": "withdrawn"})])
    indexing.take_in()
    assert found("石墨烯浆料") == []
    assert found("石墨烯浆料", broker) == [("needs", need.pk)]

    undo(broker, made)
    indexing.take_in()

    assert found("石墨烯浆料") == [("needs", need.pk)]


def test_what_belongs_to_an_organisation_moves_with_it(people, index):
    need = Need.objects.exclude(org=None).filter(district=None).first() or first(Need)
    Need.objects.filter(pk=need.pk).update(district=None, state="draft")
    other = MODELS["districts"].objects.exclude(pk=Organisation.objects.get(pk=need.org_id).district_id).first()
    officer = people["officer"].actor.__class__(user_id=1, posts=frozenset({("officer", f"{other.place.path}")}))
    assert ("needs", need.pk) not in found("", officer, noun="needs", state="draft")

    change(people["broker"].actor, "organisations", [Edit(need.org_id, {"district_id": other.pk})])
    indexing.take_in()

    assert ("needs", need.pk) in found("", officer, noun="needs", state="draft")


def test_a_value_that_is_closed_is_found_by_those_alone_who_see_the_whole(people, index):
    need = first(Need)
    owner = people["enterprise"].actor
    change(people["broker"].actor, "needs", [Edit(need.pk, {"not_wanted": ["等离子喷涂"], "state": "published"})])
    Need.objects.filter(pk=need.pk).update(owner_id=next(iter(owner.orgs)))
    indexing.take_in()

    assert {role for role in people if found("等离子喷涂", people[role].actor)} >= {"enterprise", "broker"}
    assert found("等离子喷涂") == []
    assert found("等离子喷涂", people["judge"].actor) == []
    change(people["broker"].actor, "needs", [Edit(need.pk, {"tiers": {"not_wanted": "public", "text": "broker"}})])
    Need.objects.filter(pk=need.pk).update(text="激光熔覆")
    indexing.take_in()
    assert found("等离子喷涂") == [("needs", need.pk)]
    assert ("needs", need.pk) not in found("激光熔覆")


def test_a_record_of_a_lower_number_that_is_committed_later_is_not_lost(people, index):
    broker, (one, two) = people["broker"].actor, Need.objects.order_by("pk")[:2]
    change(broker, "needs", [Edit(one.pk, {"title": "甲醇重整"})])
    late = Unindexed.objects.get()
    late.delete()  # as another transaction sees it that has not ended yet
    change(broker, "needs", [Edit(two.pk, {"title": "氨燃料"})])
    indexing.take_in()

    Unindexed.objects.create(pk=late.pk, noun=late.noun, record_id=late.record_id)
    indexing.take_in()

    assert found("甲醇重整") == [("needs", one.pk)]


def test_a_bulk_load_asks_for_the_whole_index(registry, index):
    Need.objects.filter(pk=first(Need).pk).update(title="石墨烯浆料")
    Unindexed.put_all()

    indexing.take_in()

    assert len(found("石墨烯浆料")) == 1
    assert not Unindexed.objects.exists()


def test_keep_takes_in_until_it_is_over(people, index):
    need = first(Need)
    change(people["broker"].actor, "needs", [Edit(need.pk, {"title": "石墨烯浆料"})])
    rounds = iter([False, True])

    indexing.keep(lambda: next(rounds))

    assert found("石墨烯浆料") == [("needs", need.pk)]


@pytest.mark.parametrize(
    ("code", "hurt"),
    [
        ("web.index_missing", shutil.rmtree),
        ("web.index_missing", lambda folder: (folder / "current").unlink()),
        ("web.index_broken", lambda folder: next(folder.glob("index-*/meta.json")).write_text("{")),
        ("web.index_broken", lambda folder: (folder / "current").write_text("no json")),
    ],
)
def test_an_index_that_cannot_be_read_says_so_and_is_built_anew(people, index, code, hurt):
    hurt(index)

    with pytest.raises(WebError) as caught:
        indexing.reader()
    assert caught.value.code == code
    assert people["visitor"].client.get("/needs/").status_code == 200

    indexing.take_in()

    assert found("电池")


def test_an_index_of_other_columns_or_another_database_is_built_anew(index, monkeypatch):
    monkeypatch.setattr(indexing, "VERSION", 0)
    with pytest.raises(WebError, match=r"web\.index_old"):
        indexing.reader()
    assert indexing.must_rebuild()
    indexing.take_in()
    assert not indexing.must_rebuild()

    indexing.IndexState.objects.all().delete()
    assert indexing.must_rebuild()


def test_one_process_writes_at_a_time(people, index):
    change(people["broker"].actor, "needs", [Edit(first(Need).pk, {"title": "石墨烯浆料"})])

    with indexing.writing(), pytest.raises(WebError, match=r"web\.index_busy"):
        indexing.take_in(is_patient=False)


def test_reindex_tells_how_many(index, capsys):
    call_command("reindex")

    assert "records" in capsys.readouterr().out
    assert len(list(index.glob("index-*"))) == 1


KILLED = """
    import os, signal, sys
    import django
    django.setup()
    from django.core.management import call_command
    from silian.web.base.actors import VISITOR
    from silian.web.base.models import Place
    from silian.web.catalog.search import indexing, searching
    from silian.web.catalog.search.asking import question
    from silian.web.catalog.changing import Edit, change
    from silian.web.catalog.models import Unindexed

    if sys.argv[1] == "fill":
        call_command("migrate", verbosity=0)
        Place.root()
        indexing.rebuild()
        change(VISITOR, "products", [Edit("P1", {"product_id": "P1", "name": "石墨烯浆料"})])
    elif sys.argv[1] == "written":
        indexing.write(list(Unindexed.objects.values_list("pk", "noun", "record_id")))
        os.kill(os.getpid(), signal.SIGKILL)
    elif sys.argv[1] == "begun":
        with indexing.writing():
            writer = indexing.tantivy.Index.open(str(indexing._current())).writer(indexing.HEAP, 1)
            writer.delete_all_documents()
            os.kill(os.getpid(), signal.SIGKILL)
    else:
        while indexing.take_in(is_patient=False):
            pass
        wanted = searching.Wanted(question("石墨烯浆料"))
        print(searching.search(VISITOR, wanted, limit=9).keys, Unindexed.objects.count())
"""


def test_a_kill_in_the_middle_of_writing_loses_nothing(tmp_path):
    told = {"SILIAN_HOME": str(tmp_path), "SILIAN_MODE": "demo", "DJANGO_SETTINGS_MODULE": "silian.web.settings"}
    environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"} | told

    def run(step):
        command = [sys.executable, "-c", textwrap.dedent(KILLED), step]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)

    filled = run("fill")
    assert filled.returncode == 0, filled.stderr
    assert run("begun").returncode == -signal.SIGKILL
    assert run("written").returncode == -signal.SIGKILL

    last = run("last")

    assert last.stdout.strip() == "[('products', 'P1')] 0", last.stderr
