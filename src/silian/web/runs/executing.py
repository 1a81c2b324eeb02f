"""The worker's part of a run: a process computes it, so a cancel, a lack of memory, a crash end that and nothing else.

Nothing here loads the engines: the worker stays light, and takes up a run at once.
"""

from __future__ import annotations

import signal
import subprocess
import time
from typing import Final

from django.db import close_old_connections, connection, transaction
from django.utils import timezone

from silian.web.runs import notifying
from silian.web.runs.dashboards.tasks import renew_task
from silian.web.runs.models import Run
from silian.web.runs.processes import begin, ending
from silian.web.runs.tasks import drop_old_runs, run_task

LOOK: Final = 0.5  # seconds between looks at the process, and at whether somebody cancelled
FALLS: Final = 3  # a process that fell so often will not stand the next time
LONGEST: Final = 12  # hours
PATIENCE: Final = 5.0  # seconds that a process has to end by itself


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
            end(number, Run.State.CANCELLED)
            return
        if ending.is_set():
            run_task.enqueue(number)  # another worker goes on with it, or this one at its next start
            return
        falls += 1
        if time.monotonic() > over:
            end(number, Run.State.FAILED, "web.run_overdue", hours=LONGEST)
            return
        if falls >= FALLS:
            end(number, Run.State.FAILED, "web.run_fell", count=falls, found=_signal_of(code))
            return


def _watched(number: int, over: float) -> int:
    """Have a process compute it; wait for its end, or bring it about; its exit status.

    It is ended where somebody cancels the run, after the longest time, and where this worker is told to end.
    """
    process = begin(number)
    try:
        while True:
            try:
                return process.wait(LOOK)
            except subprocess.TimeoutExpired:
                if not connection.in_atomic_block:
                    close_old_connections()
            if ending.is_set() or time.monotonic() > over or Run.objects.filter(pk=number, is_cancelled=True).exists():
                return _ended(process)
    finally:
        if process.poll() is None:  # such as when the database is gone
            _ended(process)


def _ended(process: subprocess.Popen[bytes]) -> int:
    process.terminate()
    try:
        return process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def end(number: int, state: str, code: str = "", **found: object) -> None:
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
