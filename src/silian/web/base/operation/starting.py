"""What is put in order before the processes of a site start."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

from silian.web.base.operation import restoring
from silian.web.base.operation.backing import alone

if TYPE_CHECKING:
    from pathlib import Path


def put_in_order(home: Path) -> None:
    """Put back what a killed restore left; sweep the figures of processes that are gone.

    To be called once, before the server starts and never while it runs: its figures would go.

    Raises
    ------
    WebError : backup.busy if a restore is under way
    """
    if (home / restoring.JOURNAL).exists():
        with alone():
            restoring.settle()
    folder = home / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def server(bind: str, workers: int) -> list[str]:
    """The command that starts the server; its own lines are JSON as those of the site are."""
    own = ["-c", "python:silian.web.base.operation.gunicorn", "--bind", bind, "--workers", str(workers)]
    return [
        sys.executable, "-m", "gunicorn", "silian.web.wsgi", "--threads", "4", "--log-level", "warning",
        "--no-control-socket", *own,
    ]  # fmt: skip
