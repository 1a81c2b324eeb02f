"""Processes that beat: each touches a file of its own now and then, so that others see that it is alive.

A thread beats, so a long task does not look like a dead worker; how long tasks wait is another sign (`tasks`).
"""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERY: Final = 5.0  # seconds
DEAD: Final = 30.0  # seconds without a beat
FORGOTTEN: Final = 86_400.0  # seconds after which nobody waits for it any more


class Beat(NamedTuple):
    """A process that beats."""

    name: str
    seconds: float  # since its last beat

    @property
    def is_alive(self) -> bool:
        """Whether it has beaten lately."""
        return self.seconds < DEAD


def folder() -> Path:
    """Where the files lie."""
    return Path(settings.HOME_FOLDER) / "beats"


@contextlib.contextmanager
def beating(name: str) -> Iterator[None]:
    """Beat until the end of the block; an orderly end takes the file away, a kill leaves it to grow old.

    Parameters
    ----------
    name : kind and own name, such as worker-city1; letters, digits, signs that a file may be called by
    """
    place, over = folder() / name.replace("/", "_"), threading.Event()
    place.parent.mkdir(parents=True, exist_ok=True)
    place.touch()

    def beat() -> None:
        while not over.wait(EVERY):
            with contextlib.suppress(OSError):  # a full disk stops no worker
                place.touch()

    thread = threading.Thread(target=beat, name="beat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(1)
        place.unlink(missing_ok=True)


def beats() -> list[Beat]:
    """Those that beat, or did within a day."""
    now = time.time()
    found = []
    for place in sorted(folder().iterdir()) if folder().is_dir() else ():
        with contextlib.suppress(FileNotFoundError):
            seconds = max(0.0, now - place.stat().st_mtime)
            if seconds < FORGOTTEN:
                found.append(Beat(place.name, round(seconds, 1)))
            else:
                place.unlink(missing_ok=True)
    return found


def running() -> list[str]:
    """The processes that are alive."""
    return [beat.name for beat in beats() if beat.is_alive]
