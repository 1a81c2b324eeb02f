"""What is known of the backups that were made: a short list beside the site, not in what they hold."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils import timezone

LISTED: Final = 30  # backups that are remembered
TOO_OLD: Final = 26 * 3600  # seconds: a nightly backup, and two hours for it


@dataclass(frozen=True, slots=True)
class Kept:
    """A backup that was made."""

    at: str  # ISO 8601
    file: str
    bytes: int
    seconds: float
    rows: int
    files: int

    @property
    def made_at(self) -> datetime:
        """When it was begun."""
        return datetime.fromisoformat(self.at)

    @property
    def age(self) -> float:
        """Seconds since it was begun."""
        return max(0.0, (timezone.now() - self.made_at).total_seconds())

    @property
    def is_there(self) -> bool:
        """Whether the file still lies where it was written; it may have been moved on purpose."""
        return Path(self.file).is_file()


def place() -> Path:
    """The list."""
    return Path(settings.HOME_FOLDER) / "backups.json"


def kept() -> list[Kept]:
    """The backups that were made, the newest first."""
    try:
        return [Kept(**each) for each in json.loads(place().read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return []


def remember(made: Kept) -> None:
    """Add a backup to the list, at once or not at all."""
    beside = place().with_suffix(".new")
    beside.write_text(json.dumps([asdict(each) for each in [made, *kept()][:LISTED]]), encoding="utf-8")
    beside.replace(place())
