"""Tell the topics of all experts anew: `python -m silian.web topics`."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand

from silian.web.catalog.topics.telling import tell_all


class Command(BaseCommand):
    """Count the phrases of the region and tell the topics of all; the site goes on answering."""

    help = "Tell the topics of all experts anew."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Tell them and say of how many."""
        begun = time.monotonic()
        count = tell_all()
        self.stdout.write(f"experts: {count}, {time.monotonic() - begun:.0f} s")
