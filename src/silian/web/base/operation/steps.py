"""Migrations that the version before can live with: it answers while the new one is brought in.

A change that it could not live with is made in two releases: first the code stops needing it, then a migration marked
`contract = True` takes it away. See the operator's guide and decision 0010.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db.migrations import operations as ops
from django.db.models import NOT_PROVIDED

if TYPE_CHECKING:
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor
    from django.db.migrations import Migration
    from django.db.migrations.operations.base import Operation
    from django.db.migrations.state import ProjectState

TAKES_AWAY: Final = (
    ops.RemoveField, ops.DeleteModel, ops.RenameField, ops.RenameModel, ops.AlterModelTable, ops.RemoveConstraint,
)  # fmt: skip
BINDS: Final = (ops.AddConstraint, ops.AlterUniqueTogether, ops.AlterIndexTogether)
DATA: Final = (ops.RunPython, ops.RunSQL)


class AddIndexBeside(ops.AddIndex):
    """An index that is built while others write, where the database can; its migration has `atomic = False`."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Build it."""
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            schema_editor.add_index(model, self.index, concurrently=True)  # type: ignore[call-arg]


def dangers(migration: Migration, before: ProjectState) -> list[str]:
    """What of a migration the version before could not live with; a contract step may do it.

    Parameters
    ----------
    before : the models as they were
    """
    if getattr(migration, "contract", False):
        return []
    made = {o.name_lower for o in migration.operations if isinstance(o, ops.CreateModel)}
    found, state = [], before.clone()
    for operation in migration.operations:
        model = str(getattr(operation, "model_name", "")).lower()
        if model not in made and (told := _danger(operation, migration, state)):
            found.append(f"{migration.app_label}.{migration.name}: {operation.describe()}: {told}")
        operation.state_forwards(migration.app_label, state)
    kinds = {isinstance(operation, DATA) for operation in migration.operations}
    if len(kinds) > 1:
        found.append(f"{migration.app_label}.{migration.name}: data and schema in one migration")
    return found


def _danger(operation: Operation, migration: Migration, state: ProjectState) -> str:  # noqa: PLR0911 - a list of cases
    """What the version before could not live with; empty: nothing."""
    if isinstance(operation, TAKES_AWAY):
        return "the version before still asks for it"
    if isinstance(operation, BINDS):
        return "the version before may write what it forbids"
    if isinstance(operation, ops.AddField):
        field: Any = operation.field
        is_free = field.null or field.many_to_many or getattr(field, "db_default", NOT_PROVIDED) is not NOT_PROVIDED
        return "" if is_free else "the version before writes rows without it: null=True or db_default"
    if isinstance(operation, ops.AlterField):
        old = state.models[migration.app_label, operation.model_name_lower].fields[operation.name_lower]
        return _narrows(old, operation.field)
    if isinstance(operation, AddIndexBeside):
        return "" if not migration.atomic else "atomic = False is missing"
    if isinstance(operation, ops.AddIndex):
        return "it locks the table while it is built: AddIndexBeside"
    if isinstance(operation, ops.RunPython) and not operation.reversible:
        return "it does not say how it goes back"
    return ""


def _narrows(old: Any, new: Any) -> str:
    """Whether a field takes less than before."""
    if old.get_internal_type() != new.get_internal_type():
        return "another type: a new field beside it"
    if old.null and not new.null:
        return "the version before may write nothing into it"
    one, other = getattr(old, "max_length", None), getattr(new, "max_length", None)
    return "it takes less than before" if one and other and other < one else ""
