"""Files that do not go while a backup takes them: who deletes waits until it has links to all of them."""

from __future__ import annotations

import contextlib
import fcntl
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.files.storage import FileSystemStorage

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK: Final = "taking.lock"


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Let no file go until the end of the block; for the backup, which needs it for about a second."""
    with _locked(fcntl.LOCK_EX):
        yield


@contextlib.contextmanager
def deleting() -> Iterator[None]:
    """Delete files that rows have named: a backup that takes files at this moment is waited for."""
    with _locked(fcntl.LOCK_SH):
        yield


@contextlib.contextmanager
def _locked(kind: int) -> Iterator[None]:
    home = Path(settings.HOME_FOLDER)
    home.mkdir(parents=True, exist_ok=True)
    with (home / LOCK).open("w") as lock:
        fcntl.flock(lock, kind)
        yield


class Storage(FileSystemStorage):
    """The files of the site, in a folder."""

    def delete(self, name: str) -> None:
        """Delete a file; never while a backup takes the files."""
        with deleting():
            super().delete(name)
