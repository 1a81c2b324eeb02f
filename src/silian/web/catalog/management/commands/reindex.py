"""Build the index of the search anew: `python -m silian.web reindex`."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand

from silian.web.catalog.search import indexing


class Command(BaseCommand):
    """Build the index beside the one that is read, then let it take its place; the site goes on answering."""

    help = "Build the search index anew."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Build it and say how many records it holds."""
        begun = time.monotonic()
        count = indexing.rebuild()
        self.stdout.write(f"{count} 条记录 / records, {time.monotonic() - begun:.0f} s")
