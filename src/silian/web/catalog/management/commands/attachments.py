"""Look after the files beside records: `python -m silian.web attachments`, once a day."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from silian.web.catalog import tasks
from silian.web.catalog.beside import attachments


class Command(BaseCommand):
    """Delete what was taken away more than 30 days ago; scan again what the scanner could not."""

    help = "Delete attachments taken away more than 30 days ago; scan again those that still wait."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Do both and say how much it was."""
        deleted = attachments.purge(timezone.now())
        waiting = tasks.scan_again()
        self.stdout.write(f"deleted {deleted}, to be scanned {waiting}")
