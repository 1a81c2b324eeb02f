"""What the auditor reads: pages of the log that stay fast however long it is, and files of it."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.db.models import Q

from silian.tables.cast import GUARDS
from silian.web.base.audit import content_of
from silian.web.base.models import LogEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.models import QuerySet

PAGE: Final = 50
COLUMNS: Final = ("number", "id", "at", "who", "action", "noun", "record_id", "detail", "request_id", "digest")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which entries are asked for; what is empty does not choose."""

    who: str = ""
    action: str = ""
    noun: str = ""
    record_id: str = ""
    since: datetime | None = None
    until: datetime | None = None  # entries before it

    def as_plain(self) -> dict[str, str]:
        """What was chosen, as it stands in an address or in the log."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return {n: v.isoformat() if isinstance(v, datetime) else str(v) for n, v in found.items() if v}


@dataclass(frozen=True, slots=True)
class Place:
    """An entry at which a page ends: the next begins behind it."""

    at: datetime
    pk: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()}_{self.pk}"

    @classmethod
    def read(cls, text: str) -> Place | None:
        """A place as `str` writes it; None where it is none."""
        at, _, pk = text.partition("_")
        try:
            found = datetime.fromisoformat(at)
        except ValueError:
            return None
        is_one = pk.isascii() and pk.isdecimal() and len(pk) < 19 and found.tzinfo is not None
        return cls(found, int(pk)) if is_one else None


def chosen(asked: Asked) -> QuerySet[LogEntry]:
    """The entries that are asked for, the newest first: every choice has an index that ends with the time."""
    equal = {n: getattr(asked, n) for n in ("who", "action", "noun", "record_id") if getattr(asked, n)}
    found = LogEntry.objects.filter(**equal)
    if asked.since:
        found = found.filter(at__gte=asked.since)
    if asked.until:
        found = found.filter(at__lt=asked.until)
    return found.order_by("-at", "-pk")


def page_of(asked: Asked, behind: Place | None) -> tuple[list[LogEntry], Place | None]:
    """One page of the entries that are asked for, and where the next begins: one query, whatever the page."""
    found = chosen(asked)
    if behind:
        found = found.filter(Q(at__lt=behind.at) | Q(at=behind.at, pk__lt=behind.pk), at__lte=behind.at)
    rows = list(found[: PAGE + 1])
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return rows[:PAGE], Place(last.at, last.pk) if last else None


def entries(found: QuerySet[LogEntry]) -> Iterator[LogEntry]:
    """Entries one after another, never all at once."""
    return found.iterator(chunk_size=2000)


def as_lines(found: Iterable[LogEntry]) -> Iterator[str]:
    """JSON, an entry a line: its number, its digest and its content as the text of which the digest is made."""
    for entry in found:
        whole = {"number": entry.number, "digest": entry.digest, "content": content_of(entry)}
        yield json.dumps(whole, ensure_ascii=False) + "\n"


def as_csv(found: Iterable[LogEntry]) -> Iterator[str]:
    """CSV that a spreadsheet opens, no cell of it a formula."""
    yield "\ufeff" + _line(COLUMNS)
    for entry in found:
        detail = json.dumps(entry.detail, ensure_ascii=False, sort_keys=True)
        cells = {"at": entry.at.isoformat(), "detail": detail, "number": entry.number or ""}
        yield _line([_safe(str(cells.get(name, getattr(entry, name)))) for name in COLUMNS])


def _line(cells: Iterable[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()


def _safe(cell: str) -> str:
    return f"'{cell}" if cell[:1] in tuple(GUARDS) else cell
