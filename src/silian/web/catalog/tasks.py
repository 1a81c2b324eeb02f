"""Work in the background: begun in the transaction that asks for it, taken up again after a kill."""

from __future__ import annotations

import logging
import os
import platform
import shutil
import time
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, Final

from django.core.files.storage import default_storage
from django.db import DatabaseError, transaction
from django.utils import timezone
from django_tasks import task
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from silian.web.base.actors import VISITOR, actor_of
from silian.web.base.log import log
from silian.web.catalog import notifying
from silian.web.catalog.beside import attachments
from silian.web.catalog.duplicates.tasks import take_up_reports
from silian.web.catalog.exchange import exports, imports
from silian.web.catalog.exchange.keeping import UNDER_WAY
from silian.web.catalog.models import Attachment, Export, Import

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.core.files.uploadedfile import UploadedFile

    from silian.web.base.actors import Actor
    from silian.web.catalog.models import Record

ORPHAN: Final = 600  # seconds after which a file without a row is nobody's
MOST_WAITING: Final = 20  # files to take away that one person may have made at once
TRIES: Final = 3  # a task that has stopped its worker so often is not begun again
BROKEN_OFF: Final = ("django.db.utils.OperationalError", "django.db.utils.InterfaceError")  # the database went away
_LOG = logging.getLogger(__name__)


@task()
def import_task(number: int) -> None:
    """Do what an import waits for, by its state."""
    brought = Import.objects.select_related("by", "changes", "undone").filter(pk=number).first()
    work = {
        Import.State.READING: imports.read_import,
        Import.State.APPLYING: imports.apply_import,
        Import.State.UNDOING: imports.undo_import,
    }.get(brought.state) if brought else None  # type: ignore[call-overload]  # fmt: skip
    if brought is None or work is None:
        return
    try:
        work(brought, _actor(brought))
    except imports.OvertakenError:
        return
    except (DatabaseError, OSError, ValueError, MemoryError) as error:
        _LOG.exception("import %s", number)
        _fail(brought, error)


@task()
def export_task(number: int) -> None:
    """Make the file of an export that is not made yet, and take away old ones."""
    exports.sweep()
    taken = Export.objects.select_related("by").filter(pk=number, state=Export.State.WAITING).first()
    if taken is None:
        return
    try:
        exports.make(taken, actor_of(taken.by) if taken.by.is_active else VISITOR)
    except (DatabaseError, OSError, ValueError, MemoryError) as error:
        _LOG.exception("export %s", number)
        found = {"found": type(error).__name__}
        Export.objects.filter(pk=number).update(state=Export.State.FAILED, code="web.export_failed", found=found)
        taken.state = Export.State.FAILED
        notifying.exported(taken)


def _actor(brought: Import) -> Actor:
    return actor_of(brought.by) if brought.by and brought.by.is_active else VISITOR


def _fail(brought: Import, error: Exception) -> None:
    """Say that it could not be done: what is written stays marked, and can be undone or asked for again."""
    told = {"code": "web.import_failed", "found": {"file": brought.name, "found": type(error).__name__}}
    over = Import.State.REFUSED if brought.state == Import.State.READING else Import.State.DONE
    with transaction.atomic():
        if Import.objects.filter(pk=brought.pk, state=brought.state).update(state=over, phase="", **told):
            notifying.imported(brought, "imports.failed")


def ask(brought: Import, state: str, *, of: Sequence[str] = (), **values: object) -> bool:
    """Put an import into a state in which the worker has something to do; whether it was in one of those before.

    Parameters
    ----------
    of : the states that it must be in; a second click finds none
    """
    with transaction.atomic():
        own = Import.objects.filter(pk=brought.pk, **({"state__in": list(of)} if of else {}))
        fresh = {"phase": "", "done": 0, "code": "", "found": {}, "begun_at": timezone.now()}
        if not own.update(state=state, **fresh, **values):
            return False
        import_task.enqueue(brought.pk)
    return True


def bring_import(actor: Actor, file: UploadedFile[bytes], *, noun: str, deletes: bool) -> Import:
    """Keep a file that somebody brings and have it read. The form has looked at its name and size.

    Parameters
    ----------
    noun : what it holds; empty: as the file and its sheets are named
    """
    name = PurePosixPath((file.name or "").replace("\\", "/")).name
    brought = Import(by_id=actor.user_id, name=name[-255:], noun=noun, deletes=deletes)
    brought.file.save(f"file{PurePosixPath(name).suffix.lower()}", file, save=False)  # nobody waits for the disk
    with transaction.atomic():
        brought.save()
        ask(brought, Import.State.READING)
        log(actor, "import.bring", noun=noun, detail={"import": brought.pk, "bytes": file.size})
    return brought


def ask_export(actor: Actor, *, noun: str, asked: str, form: str, language: str, is_now: bool = False) -> Export | None:
    """A file that is to be made; None where too many of the person's wait.

    It is made in the background, unless it is made at once: then its row comes with its file.

    Parameters
    ----------
    asked : the query of the list
    """
    if Export.objects.filter(by_id=actor.user_id, state=Export.State.WAITING).count() >= MOST_WAITING:
        return None
    taken = Export(by_id=actor.user_id or 0, noun=noun, asked=asked, form=form, language=language)
    if not is_now:
        with transaction.atomic():
            taken.save()
            export_task.enqueue(taken.pk)
    return taken


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


def sweep() -> None:
    """Take away files that no row names: a process was killed between a file and its row."""
    brought = Import.objects.values_list("file", "faulty")
    _sweep("imports", {Path(name).parent.name for pair in brought for name in pair})
    _sweep("exports", {Path(name).parent.name for name in Export.objects.values_list("file", flat=True)})
    _sweep("attachments", {Path(name).name for name in Attachment.objects.values_list("file", flat=True)})


def _sweep(folder: str, kept: set[str]) -> None:
    """Take away what lies in a folder under other names, unless it is so young that its row may yet come."""
    path = Path(default_storage.path(folder))
    for each in path.iterdir() if path.is_dir() else ():
        if each.name in kept or time.time() - each.stat().st_mtime <= ORPHAN:
            continue
        if each.is_dir():
            shutil.rmtree(each, ignore_errors=True)
        else:
            each.unlink(missing_ok=True)


def worker_name() -> str:
    """The name of this machine's worker: the same after a start, another one for each machine and folder."""
    home = os.environ.get("SILIAN_HOME", "")
    return f"{platform.node()[:40]}-{zlib.crc32(home.encode()):08x}"


def take_up_broken_off() -> int:
    """Put back what failed because the database went away in the middle, as after a kill; how many tasks."""
    again = 0
    for found in DBTaskResult.objects.filter(status=TaskResultStatus.FAILED, exception_class_path__in=BROKEN_OFF):
        if len(found.worker_ids) < TRIES:
            own = DBTaskResult.objects.filter(pk=found.pk, status=TaskResultStatus.FAILED)
            fresh = {"finished_at": None, "exception_class_path": "", "traceback": ""}
            again += own.update(status=TaskResultStatus.READY, **fresh)
    return again


def take_up(worker: str | None = None) -> int:
    """Put back what a killed worker left under way; how many tasks.

    Parameters
    ----------
    worker : whose tasks; called by the worker of that name before it begins, when none of them can be under way
    """
    name = worker or worker_name()
    again = 0
    for found in DBTaskResult.objects.filter(status=TaskResultStatus.RUNNING):
        if found.worker_ids[-1:] != [name]:
            continue
        if len(found.worker_ids) >= TRIES:
            found.set_failed(RuntimeError(f"stopped its worker {TRIES} times"))
            _give_up(found)
        else:
            DBTaskResult.objects.filter(pk=found.pk).update(status=TaskResultStatus.READY)
            again += 1
    again += take_up_broken_off()
    waits = {
        tuple(found.args_kwargs["args"])
        for found in DBTaskResult.objects.filter(status__in=(TaskResultStatus.READY, TaskResultStatus.RUNNING))
        if found.task_path == import_task.module_path
    }
    for number in Import.objects.filter(state__in=UNDER_WAY).values_list("pk", flat=True):
        if (number,) not in waits:  # such as after a restored copy of the database
            import_task.enqueue(number)
            again += 1
    for number in Export.objects.filter(state=Export.State.WAITING).values_list("pk", flat=True):
        export_task.enqueue(number)  # done twice, it finds nothing to do
    take_up_reports()
    return again + scan_again()


def _give_up(found: DBTaskResult[Any, Any]) -> None:
    if found.task_path != import_task.module_path:
        return
    number = found.args_kwargs["args"][0]
    for brought in Import.objects.filter(pk=number, state__in=UNDER_WAY):
        over = Import.State.REFUSED if brought.state == Import.State.READING else Import.State.DONE
        told = {"file": brought.name, "count": TRIES}
        Import.objects.filter(pk=number).update(state=over, phase="", code="web.import_stopped", found=told)
        notifying.imported(brought, "imports.failed")
