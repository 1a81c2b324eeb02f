"""The database, the files and the index of a site, held against what was promised and against themselves.

Only Django's models are asked, in a process of its own beside the site; nothing is written.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.core.files.storage import default_storage
from django.db import connection, connections, transaction
from django.db.models import Count
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from silian.pipeline.folder import RECEIPT
from silian.web.base import audit
from silian.web.base.models import LogEntry
from silian.web.catalog.changing import plain
from silian.web.catalog.duplicates import merging
from silian.web.catalog.models import (
    MODELS,
    Attachment,
    Booking,
    Change,
    Export,
    Import,
    ImportRow,
    Interest,
    Merge,
    Unindexed,
)
from silian.web.runs.models import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from live.book import Key, State
    from live.people import Person

DRAIN: Final = 90.0  # seconds in which what waits in the background must be done
RUNS_DRAIN: Final = 300.0  # the same with the runs: the first ones of a new clone compile what they compute with
UNDER_WAY: Final = ("reading", "applying", "undoing")
# Tasks that ask for themselves again, for ever.
BEATS: Final = ("seal_task", "daily_task", "topics_task", "searches_task", "notifications_task")
RUNS_OPEN: Final = ("waiting", "running")
SLACK: Final = 5000  # changes behind the last one seen that are looked at again: another writer may commit late


@dataclass
class Compare:
    """What was seen of the history so far, so that each comparison reads only what is new."""

    heads: dict[tuple[str, str], tuple[int, Any]] = field(default_factory=dict)  # record → version, as it is
    titled: Counter[Key] = field(default_factory=Counter)  # noun, record, title → changes that brought it
    made: dict[tuple[str, str], set[str]] = field(default_factory=dict)  # noun, title → records made with it
    seen: set[int] = field(default_factory=set)  # changes
    last: int = 0
    whole: set[int] = field(default_factory=set)  # runs whose folders were looked at
    failed: set[str] = field(default_factory=set)  # tasks that are known to have failed

    # ── promises ──

    def look(self, key: Key) -> State:
        """What there is of a key."""
        kind, *told = key
        found: State = getattr(self, f"_{kind}")(*told)
        return found

    def _edit(self, noun: str, number: str, title: str) -> State:
        return self.titled[noun, number, title]

    def _made(self, noun: str, title: str) -> State:
        return len(self.made.get((noun, title), ()))

    def _state(self, noun: str, number: str) -> State:
        _version, now = self.heads.get((noun, number), (0, None))
        return _told(now)["state"] if now else None

    def _interest(self, noun: str, number: str, email: str) -> State:
        found = Interest.objects.filter(noun=noun, record_id=number, by__email=email).order_by("pk")
        return tuple(found.values_list("state", flat=True))

    def _booking(self, facility: str, purpose: str) -> State:
        found = Booking.objects.filter(facility_id=facility, purpose=purpose).order_by("pk")
        return tuple(found.values_list("state", flat=True))

    def _attachment(self, noun: str, number: str, name: str, digest: str) -> State:
        found = list(Attachment.objects.filter(noun=noun, record_id=number, name=name))
        if len(found) != 1:
            return len(found)
        return "whole" if found[0].sha256 == digest == _sha256(found[0].file.name) else "torn"

    def _taken_away(self, noun: str, number: str, name: str) -> State:
        return Attachment.objects.filter(noun=noun, record_id=number, name=name, gone_at__isnull=False).count()

    def _imports(self, name: str) -> State:
        return Import.objects.filter(name=name).count()

    def _import(self, number: str) -> State:
        return Import.objects.values_list("state", flat=True).get(pk=number)

    def _merged(self, noun: str, kept: str, gone: str) -> State:
        made = Merge.objects.filter(noun=noun, gone_id=gone).order_by("pk").last()
        is_gone = not MODELS[noun].objects.filter(pk=gone).exists()
        leads = merging.resolve(noun, [gone]).get(gone) == kept
        if is_gone and leads and made is not None:
            return "merged"
        return "half" if is_gone or leads else "apart"

    def _export(self, email: str, asked: str) -> State:
        return Export.objects.filter(by__email=email, asked=asked).count()

    def _run_named(self, name: str) -> State:
        return Run.objects.filter(name=name).count()

    def _run(self, number: str) -> State:
        run = Run.objects.get(pk=number)
        return run.code if run.state == "failed" else run.state

    def _adopted(self, number: str) -> State:
        return int(Run.objects.filter(pk=number, adopted_at__isnull=False).exists())

    # ── what must hold whatever was promised ──

    def wrong(self) -> list[str]:
        """What of the newest history, imports, files and tasks contradicts itself."""
        self._read_history()
        found = [*self._imports_wrong(), *_files_wrong(recent=30), *self._tasks_wrong(), *_bookings_wrong()]
        found += self._runs_wrong()
        return [*self.torn, *found]

    def wrong_all(self) -> list[str]:
        """The same for everything there is, with the audit log and the pages of the database file."""
        self.heads.clear(), self.titled.clear(), self.made.clear(), self.seen.clear(), self.whole.clear()
        self.last = 0
        found = [*self.wrong(), *_files_wrong(recent=None), *_database_wrong()]
        verdict = audit.verify()
        if verdict.finding:
            found.append(f"audit log: {verdict.finding} at {verdict.broken}")
        return found

    def unlogged(self, numbers: Iterable[str]) -> list[str]:
        """The answered requests of which the audit log knows nothing."""
        wanted = set(numbers)
        known = set(LogEntry.objects.filter(request_id__in=wanted).values_list("request_id", flat=True))
        return [f"request {number} was answered, and is not in the audit log" for number in sorted(wanted - known)]

    def _read_history(self) -> None:
        """Take in the changes since the last time: versions without gaps, each change from where the last one ended."""
        self.torn: list[str] = []
        touched: set[tuple[str, str]] = set()
        rows = Change.objects.filter(pk__gt=self.last - SLACK).order_by("pk")
        for row in rows.only("pk", "noun", "record_id", "before", "after", "version").iterator():
            if row.pk in self.seen:
                continue
            self.seen.add(row.pk)
            self.last = max(self.last, row.pk)
            self._take(row)
            touched.add((row.noun, row.record_id))
        self.torn += self._records_wrong(touched)

    def _take(self, row: Change) -> None:
        key = (row.noun, row.record_id)
        if key in self.heads:
            version, now = self.heads[key]
            if _told(row.before) != _told(now):
                self.torn.append(f"{key} version {row.version}: it does not begin where version {version} ended")
            if row.version != version + (row.after is not None):
                self.torn.append(f"{key}: version {row.version} follows {version}")
        self.heads[key] = (row.version, row.after)
        title, before = _title(row.after), _title(row.before)
        if title and title != before:
            self.titled[row.noun, row.record_id, title] += 1
        if row.before is None and title:
            self.made.setdefault((row.noun, title), set()).add(row.record_id)  # once more where a merge is undone

    def _records_wrong(self, touched: set[tuple[str, str]]) -> Iterator[str]:
        by_noun: dict[str, list[str]] = {}
        for noun, number in touched:
            by_noun.setdefault(noun, []).append(number)
        for noun, numbers in by_noun.items():
            there = MODELS[noun].objects.in_bulk(numbers)
            for number in numbers:
                version, after = self.heads[noun, number]
                record = there.get(number)
                if _told(None if record is None else plain(record)) != _told(after):
                    yield f"{noun} {number}: the record is not what its last change, version {version}, says"
                elif record is not None and record.version != version:
                    yield f"{noun} {number}: version {record.version}, its last change says {version}"

    def _imports_wrong(self) -> Iterator[str]:
        for brought in Import.objects.select_related("changes", "undone").order_by("-pk")[:40]:
            states = dict(brought.rows.order_by().values_list("state").annotate(n=Count("pk")))
            written = sum(states.get(s, 0) for s in (ImportRow.State.APPLIED, "undone", "kept"))
            changes = brought.changes.rows.count() if brought.changes else 0
            back = brought.undone.rows.count() if brought.undone else 0
            if written != changes or states.get("undone", 0) != back:
                yield f"import {brought.pk}: {states}, but {changes} changes and {back} taken back"
            if brought.state in ("done", "undone") and states.get("taken") and not brought.code:
                yield f"import {brought.pk} is {brought.state} with {states['taken']} rows not written"

    def _runs_wrong(self) -> Iterator[str]:
        """Runs that are done, and whose folder is not what their receipt says."""
        for run in Run.objects.filter(state="done").order_by("-pk")[:20]:
            if run.pk in self.whole:
                continue
            self.whole.add(run.pk)
            receipt = run.folder / "out" / RECEIPT
            if not receipt.is_file():
                yield f"run {run.pk} is done and has no receipt"
                continue
            for name, digest in json.loads(receipt.read_text(encoding="utf-8"))["files"].items():
                file = run.folder / "out" / name
                if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != digest:
                    yield f"run {run.pk}: {name} is not as the receipt says"

    def _tasks_wrong(self) -> Iterator[str]:
        for task in DBTaskResult.objects.filter(status="FAILED"):
            if str(task.pk) not in self.failed:
                self.failed.add(str(task.pk))
                yield f"task {task.task_path} has failed: {task.traceback[-300:]}"

    # ── what must come about ──

    def drain(self, *, runs: bool = True, most: float | None = None, tend: Callable[[], object] = lambda: None) -> str:
        """Wait until nothing waits in the background; empty, or what still does.

        Parameters
        ----------
        runs : whether runs must have ended, too; they take longest, and may be killed again on their way
        most : seconds; DRAIN or RUNS_DRAIN unless told
        tend : called between two looks
        """
        began = time.monotonic()
        most = most if most is not None else RUNS_DRAIN if runs else DRAIN
        while time.monotonic() - began < most:
            if not (left := self._left(runs=runs)):
                return ""
            connections.close_all()
            time.sleep(0.05)
            tend()
        return f"after {most:.0f} s there still wait: {left}"

    def _left(self, *, runs: bool) -> list[str]:
        now = timezone.now()
        due = DBTaskResult.objects.filter(status__in=("READY", "RUNNING")).exclude(run_after__gt=now)
        due = due if runs else due.exclude(queue_name="runs")
        left = [f"{task.task_path} {task.args_kwargs['args']} {task.status}" for task in due[:20]]
        if runs:
            left += [f"run {n}" for n in Run.objects.filter(state__in=RUNS_OPEN).values_list("pk", flat=True)]
        left += [f"import {n} {s}" for n, s in Import.objects.filter(state__in=UNDER_WAY).values_list("pk", "state")]
        left += [f"export {n}" for n in Export.objects.filter(state="waiting").values_list("pk", flat=True)]
        if waiting := Unindexed.objects.count():
            left.append(f"{waiting} records for the index")
        if not left:
            asked = DBTaskResult.objects.filter(status__in=("READY", "RUNNING")).values_list("task_path", flat=True)
            known = {path.rsplit(".")[-1] for path in asked}
            left += [f"{name} is no longer asked for" for name in BEATS if name not in known]
        return left

    def found_wrong(self, visitor: Person, titles: Iterable[tuple[str, str, str]]) -> list[str]:
        """What the search does not find though it is public, and the other way round; titles are of noun, record."""
        wrong = []
        for noun, number, title in titles:
            answer = visitor.get(f"/search/?q={title}&noun={noun}")
            is_found = f"/{noun}/{number}/" in answer.text
            if answer.status != 200 or is_found != (self._state(noun, number) == "published"):
                wrong.append(f"search for {title}: {answer.status}, {noun} {number} found: {is_found}")
        return wrong


@transaction.atomic
def consistently(work: Any) -> Any:
    """Do something on one view of the database, whatever is written meanwhile."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    return work()


def settle() -> None:
    """Wait until the database has noticed that killed processes are gone: no transaction of theirs is open."""
    began = time.monotonic()
    while connection.vendor == "postgresql" and time.monotonic() - began < DRAIN:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
                "AND xact_start < now() - interval '50 milliseconds'"
            )
            if cursor.fetchone() == (0,):
                return
        time.sleep(0.02)


def _told(values: Any) -> Any:
    """Values without those that say nothing: a change that makes a record does not spell out what is empty."""
    if values is None:
        return None
    return {"state": "published"} | {n: v for n, v in values.items() if v not in (None, "", [], {})}


def _title(values: Any) -> str:
    return str((values or {}).get("title") or "")


def _sha256(name: str) -> str:
    try:
        with default_storage.open(name) as file:
            return hashlib.sha256(file.read()).hexdigest()
    except FileNotFoundError:
        return "no file"


def _files_wrong(*, recent: int | None) -> Iterator[str]:
    """Rows whose file is not there."""
    for model, named, rows in (
        (Import, "file", Import.objects.all()),
        (Attachment, "file", Attachment.objects.exclude(state="refused")),
        (Export, "file", Export.objects.filter(state="ready")),
    ):
        for row in rows.order_by("-pk")[:recent]:
            file = getattr(row, named)
            if not file or not default_storage.exists(file.name):
                yield f"{model.__name__} {row.pk}: its file is not there"
            elif model is Attachment and _sha256(file.name) != row.sha256:
                yield f"attachment {row.pk}: its file is another"


def litter() -> int:
    """Files of attachments and exports that no row names: a process was killed between the file and its row."""
    named = {name for model in (Attachment, Export) for name in model.objects.values_list("file", flat=True)}
    count = 0
    for folder in ("attachments", "exports"):
        path, root = default_storage.path(folder), default_storage.path("")
        count += sum(str(file.relative_to(root)) not in named for file in Path(path).rglob("*") if file.is_file())
    return count


def _bookings_wrong() -> Iterator[str]:
    """Two confirmed bookings of one facility at one time."""
    confirmed = Booking.objects.filter(state="confirmed").order_by("facility_id", "from_at")
    last: Booking | None = None
    for one in confirmed:
        if last is not None and last.facility_id == one.facility_id and one.from_at < last.until_at:
            yield f"bookings {last.pk} and {one.pk} are both confirmed for one time"
        last = one


def _database_wrong() -> Iterator[str]:
    """Pages and foreign keys, as the database itself finds them."""
    connection.check_constraints()  # every foreign key leads somewhere
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA integrity_check")
            yield from (f"integrity_check: {line}" for (line,) in cursor.fetchall() if line != "ok")
