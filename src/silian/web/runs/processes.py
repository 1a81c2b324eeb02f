"""The process of a run: started before there is one, so that a run need not wait for its engines to load.

Loading Python, the site and the engines takes seconds of a core, which people would wait for after each click. The
worker of runs therefore keeps one process ready: it has loaded everything, has no connection to the database, and
waits for the number of a run. It computes one run and ends, so that nothing is left of it for the next, which the
worker then makes ready. It ends when its worker does.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND: Final = (sys.executable, "-m", "silian.web", "compute")
LOOK: Final = 0.5  # seconds between looks at the worker
_ready: list[subprocess.Popen[bytes]] = []  # the one that waits
_is_kept = threading.Event()
ending: Final = threading.Event()  # the worker has been told to end


@contextlib.contextmanager
def kept_ready() -> Iterator[None]:
    """Keep a process ready until the end of the block."""
    _is_kept.set()
    make_ready()
    try:
        yield
    finally:
        _is_kept.clear()
        for process in _ready:
            process.terminate()


def make_ready() -> None:
    """Start a process that waits for the next run, where one is kept ready and none waits."""
    if _is_kept.is_set() and not ending.is_set() and not any(process.poll() is None for process in _ready):
        _ready[:] = [_started()]


def begin(number: int) -> subprocess.Popen[bytes]:
    """Have a process compute a run: the one that waits, or a new one where none does."""
    while _ready:
        process = _ready.pop()
        if _is_told(process, number):
            return process
    process = _started()
    _is_told(process, number)
    return process


def wait_for_number(worker: int) -> int:
    """In the process itself: load the engines, then wait for the number of a run; it ends with its worker.

    Parameters
    ----------
    worker : its process: told, not asked for, as it may be gone before this one has come so far as to ask
    """
    _end_with(worker)
    import silian.web.runs.computing  # noqa: F401 - what takes seconds to load

    line = sys.stdin.readline()
    if not line or os.getppid() != worker:  # a number that a worker told before it was killed is told anew by the next
        sys.exit(1)
    return int(line)


def _started() -> subprocess.Popen[bytes]:
    own = [*COMMAND, str(os.getpid())]
    return subprocess.Popen(own, stdin=subprocess.PIPE, process_group=0)  # noqa: S603 - Ctrl-C is for its worker


def _is_told(process: subprocess.Popen[bytes], number: int) -> bool:
    """Tell a process the number of its run; whether it could be told: it may have been killed while it waited."""
    assert process.stdin is not None
    if process.poll() is not None:
        return False
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(f"{number}\n".encode())
        process.stdin.close()
        return True
    process.wait()
    return False


def _end_with(worker: int) -> None:
    """End this process as soon as its worker is gone: two must never write one folder."""

    def watch() -> None:
        while os.getppid() == worker:
            time.sleep(LOOK)
        os._exit(1)

    if os.getppid() != worker:
        os._exit(1)
    threading.Thread(target=watch, name="worker", daemon=True).start()
