"""A run is computed in a process of its own: a cancel, a lack of memory, a crash end that process and nothing else."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any, Final

from django.db import OperationalError, close_old_connections, connection, transaction
from django.utils import timezone

from silian import pipeline
from silian.errors import SilianError
from silian.web.runs import notifying
from silian.web.runs.dashboards.tasks import renew_task
from silian.web.runs.models import Run
from silian.web.runs.plans import read_plan
from silian.web.runs.regions import write_region
from silian.web.runs.results.preparing import prepare
from silian.web.runs.tasks import drop_old_runs

LOOK: Final = 0.5  # seconds between looks at the process, and at whether somebody cancelled
FALLS: Final = 3  # a process that fell so often will not stand the next time
LONGEST: Final = 12  # hours
PATIENCE: Final = 5.0  # seconds that a process has to end by itself
_LOG = logging.getLogger(__name__)


def execute(number: int) -> None:
    """Have a run computed and see to it until its end; one that is over, or cancelled, is left alone.

    Notes
    -----
    The process takes over the steps that an earlier one, killed in the middle, has finished.
    """
    Run.objects.filter(pk=number, state=Run.State.RUNNING, is_cancelled=True).update(
        state=Run.State.CANCELLED, ended_at=timezone.now()
    )
    fresh = {"state": Run.State.RUNNING, "begun_at": timezone.now(), "progress": {"step": "start", "at": time.time()}}
    waiting = Run.objects.filter(pk=number, state=Run.State.WAITING, is_cancelled=False)
    if not waiting.update(**fresh) and not Run.objects.filter(pk=number, state=Run.State.RUNNING).exists():
        return
    falls, over = 0, time.monotonic() + LONGEST * 3600
    while True:
        code = _watched(number, over)
        if Run.objects.filter(pk=number, state=Run.State.RUNNING).count() == 0:
            drop_old_runs()
            return  # it has said itself how it ended
        if Run.objects.filter(pk=number, is_cancelled=True).exists():
            _end(number, Run.State.CANCELLED)
            return
        falls += 1
        if time.monotonic() > over:
            _end(number, Run.State.FAILED, "web.run_overdue", hours=LONGEST)
            return
        if falls >= FALLS:
            _end(number, Run.State.FAILED, "web.run_fell", count=falls, found=_signal_of(code))
            return


def compute(number: int) -> None:
    """Compute a run: in the process that `execute` starts."""
    run = Run.objects.select_related("place").get(pk=number)
    told = Told(run)
    try:
        plan = read_plan(run.plan)
        run.folder.mkdir(parents=True, exist_ok=True)
        write_region(run.place, run.folder / "region", tell=told.reading)
        pipeline.run(run.folder / "region", run.folder / "out", plan=plan, only=tuple(run.steps.split()), progress=told)
        told.step("pages", 0)
        prepare(run.folder)
    except SilianError as error:
        _end(number, Run.State.FAILED, error.code, **error.found)
    except (ValueError, TypeError, KeyError, ArithmeticError, AttributeError, OSError, RuntimeError) as error:
        _LOG.exception("run %s", number)
        _end(number, Run.State.FAILED, "web.run_broken", found=type(error).__name__)
    else:
        told.close()
        _end(number, Run.State.DONE)


def end_with(worker: int) -> None:
    """End this process as soon as the worker that started it is gone: the next worker starts it anew.

    Its number is told, not asked for: it may be gone before this process has come so far as to ask.
    """

    def watch() -> None:
        while os.getppid() == worker:
            time.sleep(LOOK)
        os._exit(1)

    if os.getppid() != worker:
        os._exit(1)
    threading.Thread(target=watch, name="worker", daemon=True).start()


class Told:
    """Writes how far a run is to its row, at most every LOOK seconds; see `pipeline.steps.Progress`."""

    def __init__(self, run: Run) -> None:
        self.number, self.wrote = run.pk, 0.0
        self.now: dict[str, Any] = {"step": "region", "total": 0, "done": 0, "words": "", "steps": []}

    def reading(self, done: int, total: int) -> None:
        """So many tables of the registry are read."""
        self.now |= {"step": "region", "done": done, "total": total}
        self._write(at_once=done == 0)

    def step(self, name: str, total: int) -> None:
        """A step begins."""
        self.now |= {"step": name, "total": total, "done": 0, "words": ""}
        self._write(at_once=True)

    def advance(self, units: int) -> None:
        """Units of it are done."""
        self.now["done"] += units
        self._write()

    def doing(self, words: str) -> None:
        """What goes on in it."""
        self.now["words"] = words[:200]
        self._write()

    def done(self, name: str, rows: int, seconds: float, *, resumed: bool) -> None:
        """A step has ended."""
        self.now["steps"].append({"name": name, "rows": rows, "seconds": seconds, "resumed": resumed})
        self._write()

    def close(self) -> None:
        """Write the last state."""
        self._write(at_once=True)

    def _write(self, *, at_once: bool = False) -> None:
        if not at_once and time.monotonic() - self.wrote < LOOK:
            return
        self.wrote = time.monotonic()
        with contextlib.suppress(OperationalError):  # a database that is busy for long: the next one tells
            Run.objects.filter(pk=self.number, state=Run.State.RUNNING).update(progress=self.now | {"at": time.time()})


def _watched(number: int, over: float) -> int:
    """Start the process and wait for its end, which a cancel or the longest time brings about; its exit status."""
    process = subprocess.Popen(  # noqa: S603 - of our own program, with numbers
        [sys.executable, "-m", "silian.web", "compute", str(number), str(os.getpid())]
    )
    try:
        while True:
            try:
                return process.wait(LOOK)
            except subprocess.TimeoutExpired:
                if not connection.in_atomic_block:
                    close_old_connections()
            if time.monotonic() > over or Run.objects.filter(pk=number, is_cancelled=True).exists():
                return _ended(process)
    finally:
        if process.poll() is None:  # this worker is told to end
            _ended(process)


def _ended(process: subprocess.Popen[bytes]) -> int:
    process.terminate()
    try:
        return process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _end(number: int, state: str, code: str = "", **found: object) -> None:
    """Write how a run ended, once."""
    plain = {name: value if isinstance(value, (int, str)) else str(value) for name, value in found.items()}
    with transaction.atomic():
        over = {"state": state, "ended_at": timezone.now(), "code": code, "found": plain}
        if not Run.objects.filter(pk=number, state=Run.State.RUNNING).update(**over):
            return
        run = Run.objects.select_related("place").get(pk=number)
        if state == Run.State.DONE and run.adopts:
            Run.objects.filter(pk=number).update(adopted_at=timezone.now())
            renew_task.enqueue()  # figures of the pages that it changes
        notifying.ended(run)


def _signal_of(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit {code}"
