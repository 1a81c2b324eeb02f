"""How gunicorn runs the site: `gunicorn -c python:silian.web.base.operation.gunicorn`; `serve` does so."""

from __future__ import annotations

from typing import Any

from prometheus_client.multiprocess import mark_process_dead

from silian.web.base.console import plain_lines

logconfig_dict: dict[str, Any] = plain_lines()
accesslog = None  # the site writes a line for each request itself, without addresses


def child_exit(_server: object, worker: Any) -> None:
    """Forget the figures of a process that has ended; what it counted stays."""
    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
