"""What is put in order before the processes of a site start."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def put_in_order(home: Path) -> None:
    """Sweep the figures of processes that are gone, and say where those that start write theirs.

    To be called once, before the server starts and never while it runs: its figures would go.
    """
    folder = home / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def server(bind: str, workers: int, *, python: str) -> list[str]:
    """The command that starts the server."""
    own = ["-c", "python:silian.web.base.operation.gunicorn", "--bind", bind, "--workers", str(workers)]
    return [
        python,
        "-m",
        "gunicorn",
        "silian.web.wsgi",
        "--threads",
        "4",
        "--log-level",
        "info",
        *own,
        "--no-control-socket",
    ]
