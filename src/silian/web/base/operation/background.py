"""Tasks that know which request asked for them: its number stands in their lines and in what they log."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from django_tasks.signals import task_finished, task_started
from django_tasks_db.backend import DatabaseBackend

from silian.web.base.requests import NUMBER

if TYPE_CHECKING:
    from contextvars import Token

    from django_tasks_db.models import DBTaskResult

logger = logging.getLogger("silian.task")


class Backend(DatabaseBackend):
    """The queue in the database; the number of the request stands beside the arguments."""

    def _task_to_db_task(self, task: Any, args: Any, kwargs: Any) -> DBTaskResult[Any, Any]:
        made = super()._task_to_db_task(task, args, kwargs)
        if number := NUMBER.get():
            made.args_kwargs["request"] = number
            made.save(update_fields=["args_kwargs"])
        return made


class _UnderWay:
    """The task that this process is at: a worker does one after another."""

    token: Token[str] | None = None
    began = 0.0


def listen() -> None:
    """Take up the number when a task starts, and write a line when it is over."""
    task_started.connect(_start, dispatch_uid="silian.task")
    task_finished.connect(_finish, dispatch_uid="silian.task")


def _start(sender: object, task_result: Any, **_more: object) -> None:
    del sender
    _UnderWay.token = NUMBER.set(str(task_result.db_result.args_kwargs.get("request", "")))
    _UnderWay.began = time.monotonic()


def _finish(sender: object, task_result: Any, **_more: object) -> None:
    del sender
    if _UnderWay.token is None:
        return
    took = round((time.monotonic() - _UnderWay.began) * 1000)
    told = {
        "task": task_result.task.name, "id": task_result.id, "state": str(task_result.status).lower(), "ms": took
    }  # fmt: skip
    logger.info("", extra={"told": told})
    NUMBER.reset(_UnderWay.token)
    _UnderWay.token = None
