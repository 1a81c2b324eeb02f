"""Migrations that a running site lives with: every one beyond the first of its app is looked at."""

from typing import ClassVar

import pytest
from django.apps import apps
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState

from silian.web.base.operation.steps import AddIndexBeside, dangers

INDEX = models.Index(fields=["name"], name="made_up")


def state():
    made = ProjectState()
    fields = [("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(max_length=50, null=True))]
    made.add_model(ModelState("base", "Thing", fields))
    return made


def migration(*operations, contract=False, atomic=True):
    made = migrations.Migration("0002_made_up", "base")
    made.operations, made.contract, made.atomic = list(operations), contract, atomic
    return made


REFUSED = [
    migrations.RemoveField("thing", "name"),
    migrations.DeleteModel("Thing"),
    migrations.RenameField("thing", "name", "title"),
    migrations.RenameModel("Thing", "Object"),
    migrations.AlterModelTable("thing", "things"),
    migrations.AddField("thing", "rank", models.IntegerField(default=0)),
    migrations.AlterField("thing", "name", models.CharField(max_length=50)),
    migrations.AlterField("thing", "name", models.CharField(max_length=20, null=True)),
    migrations.AlterField("thing", "name", models.IntegerField(null=True)),
    migrations.AddIndex("thing", INDEX),
    AddIndexBeside("thing", INDEX),
    migrations.AddConstraint("thing", models.UniqueConstraint(fields=["name"], name="made_up_once")),
    migrations.RunPython(migrations.RunPython.noop),
]
TAKEN = [
    migrations.CreateModel("Other", [("id", models.BigAutoField(primary_key=True))]),
    migrations.AddField("thing", "rank", models.IntegerField(null=True)),
    migrations.AddField("thing", "rank", models.IntegerField(db_default=0)),
    migrations.AlterField("thing", "name", models.CharField(max_length=80, null=True)),
    migrations.RemoveIndex("thing", "made_up"),
    migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop),
]


@pytest.mark.parametrize("operation", REFUSED, ids=lambda o: o.describe())
def test_what_the_version_before_could_not_live_with_is_refused_but_as_a_contract(operation):
    assert len(dangers(migration(operation), state())) == 1
    assert dangers(migration(operation, contract=True), state()) == []


@pytest.mark.parametrize("operation", TAKEN, ids=lambda o: o.describe())
def test_what_only_adds_is_taken(operation):
    before = state()
    before.models["base", "thing"].options["indexes"] = [INDEX]

    assert dangers(migration(operation), before) == []


def test_an_index_beside_writers_is_taken_outside_a_transaction():
    assert dangers(migration(AddIndexBeside("thing", INDEX), atomic=False), state()) == []


def test_a_new_table_may_have_its_index_at_once():
    made = migrations.CreateModel(
        "Other", [("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())]
    )

    assert dangers(migration(made, migrations.AddIndex("other", INDEX)), state()) == []


def test_data_and_schema_do_not_share_a_migration():
    data = migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop)
    field = migrations.AddField("thing", "rank", models.IntegerField(null=True))

    assert "one migration" in dangers(migration(data, field), state())[0]


def test_every_migration_beyond_the_first_of_its_app_is_one_that_a_running_site_lives_with():
    loader = MigrationLoader(None, ignore_no_migrations=True)
    own = {config.label for config in apps.get_app_configs() if config.name.startswith("silian.")}
    found = []
    for key, each in sorted(loader.disk_migrations.items()):
        if key[0] in own and not each.initial:
            found += dangers(each, loader.project_state(key, at_end=False))

    assert found == []


def test_an_index_beside_is_an_index(db):
    class Made(migrations.Migration):
        atomic = False
        operations: ClassVar = []

    before = state()
    thing = before.apps.get_model("base", "Thing")
    operation = AddIndexBeside("thing", models.Index(fields=["name"], name="made_up"))
    after = before.clone()
    operation.state_forwards("base", after)
    if connection.vendor == "postgresql":
        with connection.schema_editor(collect_sql=True, atomic=False) as told:
            operation.database_forwards("base", told, before, after)
        assert any("CONCURRENTLY" in line for line in told.collected_sql)
        return
    editor = connection.SchemaEditorClass(connection, atomic=False)
    editor.deferred_sql = []
    editor.create_model(thing)
    operation.database_forwards("base", editor, before, after)
    with connection.cursor() as cursor:
        names = connection.introspection.get_constraints(cursor, "base_thing")
    assert "made_up" in names
