"""What the process writes beside its pages: one JSON line for each request and each error."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any

from django.db import Error

from silian.web.base.requests import NUMBER


class Line(logging.Formatter):
    """A record of the log as one line of JSON: no address of a page, no value of the database."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        told: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "name": record.name,
            "request": NUMBER.get(),
        }
        told |= getattr(record, "told", {})
        if getattr(record, "request", None) is None:
            told["message"] = record.getMessage()
        else:  # Django's message holds the path, and a path may hold the key of a letter
            told["status"] = getattr(record, "status_code", 0)
            told["route"] = route(record.request)  # type: ignore[attr-defined]
        if record.exc_info and record.exc_info[1]:
            told["error"] = _error(record.exc_info[1])
        return json.dumps(told, ensure_ascii=False)


def plain_lines() -> dict[str, Any]:
    """How a process beside the site writes: the same lines, on standard error."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": Line}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stderr"}},
        "root": {"handlers": ["console"], "level": "WARNING"},
        "loggers": {"gunicorn.error": {"level": "WARNING", "handlers": ["console"], "propagate": False}},
    }


def route(request: Any) -> str:
    """The pattern of a request's address: `<slug:noun>/<str:record_id>/`, without what stands in its places."""
    match = getattr(request, "resolver_match", None)
    return match.route if match else ""


def _error(error: BaseException) -> str:
    """The traceback; of a database's error without its words, which quote values."""
    if isinstance(error, Error):
        frames = "".join(traceback.format_tb(error.__traceback__))
        return f"{frames}{type(error).__name__}"
    return "".join(traceback.format_exception(error))
