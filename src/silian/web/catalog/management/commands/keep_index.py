"""Keep the index of the search in step with the database: `python -m silian.web keep_index`."""

from __future__ import annotations

import platform
import signal
from typing import Any

from django.core.management.base import BaseCommand

from silian.web.base.operation.beats import beating
from silian.web.catalog.search import indexing


class Command(BaseCommand):
    """Take in what changes, at once and in batches; run one beside the site. It may be killed at any time."""

    help = "Keep the search index in step with the database."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run until SIGTERM or Ctrl-C."""
        over: list[int] = []
        for end in (signal.SIGTERM, signal.SIGINT):
            signal.signal(end, lambda number, _frame: over.append(number))
        with beating(f"keeper-{platform.node()}"):
            indexing.keep(lambda: bool(over))
