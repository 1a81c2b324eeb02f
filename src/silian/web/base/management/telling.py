"""How long commands tell how far they are, and errors with their codes in both languages."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final, Self

from django.core.management.base import CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from silian.errors import WebError

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS: Final = {"database": "数据库", "rows": "核对各表", "files": "文件", "index": "检索索引"}


@contextlib.contextmanager
def said() -> Iterator[None]:
    """Let an error of ours end the command with its code and its words, not with a traceback."""
    try:
        yield
    except WebError as error:
        told = f"[{error.code}] {error.message('zh')} / {error.message('en')}"
        raise CommandError(told) from error


class Bar:
    """A bar on a terminal; nothing elsewhere: a journal has no use for it."""

    def __init__(self, out: Any) -> None:
        is_shown = bool(getattr(out, "isatty", bool)())
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
        self._bar = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), disable=not is_shown)
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._bar.stop()

    def begin(self, what: str, total: int) -> None:
        """Something begins, of so many steps."""
        self._task = self._bar.add_task(f"{WORDS[what]} / {what}", total=max(total, 1))

    def step(self, count: int = 1) -> None:
        """So many of them are done."""
        if self._task is not None:
            self._bar.advance(self._task, count)
