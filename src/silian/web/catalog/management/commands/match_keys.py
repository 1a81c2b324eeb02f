"""Make the keys of likely duplicates anew: `python -m silian.web match_keys`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from silian.web.catalog.duplicates.blocking import build_keys


class Command(BaseCommand):
    """Needed only after records were written past the site, such as from a copy of the database."""

    help = "Make the keys of likely duplicates anew."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Build them in one transaction: until it ends, the old ones answer."""
        with transaction.atomic():
            self.stdout.write(f"{build_keys()}")
