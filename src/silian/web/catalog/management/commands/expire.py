"""Let go what is past its last day or not confirmed: `python -m silian.web expire`, daily."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from silian.web.catalog.entry.drafts import drop_old
from silian.web.catalog.records.publishing import expire


class Command(BaseCommand):
    """Expire records, and throw away forms that nobody came back to."""

    help = "Expire records whose time is over; throw away forms that nobody came back to."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Print how many."""
        self.stdout.write(f"expired: {expire(timezone.localdate())}; drafts dropped: {drop_old()}")
