"""Work in the background: begun in the transaction that asks for it, taken up again after a kill."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from django.db import transaction
from django_tasks import task

from silian.web.base.actors import VISITOR, actor_of
from silian.web.catalog import attachments, imports
from silian.web.catalog.duplicate_tasks import take_up_reports
from silian.web.catalog.models import Attachment, Import

if TYPE_CHECKING:
    from silian.web.base.actors import Actor
    from silian.web.catalog.models import Record


@task()
def import_task(number: int) -> None:
    """Do what an import waits for, by its state."""
    brought = Import.objects.select_related("by", "changes").get(pk=number)
    actor = actor_of(brought.by) if brought.by else VISITOR
    if brought.state == Import.State.READING:
        imports.read_import(brought)
    elif brought.state == Import.State.APPLYING:
        imports.apply_import(brought, actor)
    elif brought.state == Import.State.UNDOING:
        imports.undo_import(brought, actor)


def ask(brought: Import, state: str) -> None:
    """Put an import into a state in which the worker has something to do."""
    with transaction.atomic():
        Import.objects.filter(pk=brought.pk).update(state=state, done=0)
        import_task.enqueue(brought.pk)


@task()
def scan_task(number: int) -> None:
    """Let the scanner look at an attachment."""
    attachments.scan(number)


def bring(actor: Actor, record: Record, *, file: IO[bytes], name: str, declared: str, tier: str) -> Attachment:
    """Put a file beside a record and have it scanned: see `attachments.add`."""
    with transaction.atomic():
        made = attachments.add(actor, record, file=file, name=name, declared=declared, tier=tier)
        if made.state == Attachment.State.WAITING:
            scan_task.enqueue(made.pk)
    return made


def scan_again() -> int:
    """Ask the scanner for every file that still waits; how many these are."""
    waiting = list(Attachment.objects.filter(state=Attachment.State.WAITING).values_list("pk", flat=True))
    for number in waiting:
        scan_task.enqueue(number)
    return len(waiting)


def take_up() -> None:
    """Ask again for what a killed worker left under way."""
    under_way = (Import.State.READING, Import.State.APPLYING, Import.State.UNDOING)
    for number in Import.objects.filter(state__in=under_way).values_list("pk", flat=True):
        import_task.enqueue(number)
    scan_again()
    take_up_reports()
