"""Waiting for a solver in such a way that Ctrl-C is heard while it works."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")

_NAME: Final = "silian-solver"
_LISTEN: Final = 0.2  # seconds after which Ctrl-C is heard at the latest


def waited(work: Callable[[], Answer]) -> Answer:
    """What the work gives, or raises.

    Python hears Ctrl-C in the main thread only, and only between two of its own steps; a solver may not come back for
    minutes. So the work is done in a thread of its own, and the main one waits. The work must write nothing: after
    Ctrl-C it goes on until the process ends.

    Examples
    --------
    >>> waited(lambda: 6 * 7)
    42
    """
    given: list[Answer] = []
    raised: list[BaseException] = []
    is_done = threading.Event()

    def solve() -> None:
        try:
            given.append(work())
        except BaseException as error:  # noqa: BLE001  raised again where it is waited for
            raised.append(error)
        finally:
            is_done.set()

    threading.Thread(target=solve, name=_NAME, daemon=True).start()
    while not is_done.wait(_LISTEN):  # the system may hand the signal to another thread, which wakes nobody
        pass
    if raised:
        raise raised[0]
    return given[0]


def is_solving() -> bool:
    """Whether a solver that nobody waits for any more is still at work."""
    return any(thread.name == _NAME for thread in threading.enumerate())
