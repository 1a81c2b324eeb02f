"""The log from the command line: `python -m silian.web audit verify`, `… audit export`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from silian.errors import WebError
from silian.web.base import audit
from silian.web.base.audit_queries import as_csv, as_lines, entries
from silian.web.base.models import LogEntry

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Verify the chain of the log, also against a number and digest noted elsewhere; write the log to a file."""

    help = "Verify or export the log."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to do."""
        parser.add_argument("what", choices=("verify", "export"))
        parser.add_argument("--noted", action="append", default=[], help="NUMBER:DIGEST of an entry, noted elsewhere")
        parser.add_argument("--to", help="file of the export; else standard output")
        parser.add_argument("--form", choices=("csv", "jsonl"), default="jsonl")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do it."""
        if options["what"] == "verify":
            self._verify(options["noted"])
        else:
            self._export(options["to"], options["form"])

    def _verify(self, noted: list[str]) -> None:
        audit.seal()
        verdict = audit.verify(noted=[_anchor(text) for text in noted])
        if verdict.finding:
            raise WebError("web.chain", finding=verdict.finding, number=verdict.broken)
        self.stdout.write(f"{verdict.number}:{verdict.digest}")

    def _export(self, to: str | None, form: str) -> None:
        parts = (as_csv if form == "csv" else as_lines)(entries(LogEntry.objects.order_by("pk")))
        with Path(to).open("w", encoding="utf-8", newline="") if to else sys.stdout as out:
            out.writelines(parts)


def _anchor(text: str) -> audit.Anchor:
    number, _, digest = text.partition(":")
    if not number.isdecimal() or len(digest) != 64:
        told = f"--noted {text}: NUMBER:DIGEST, with a digest of 64 digits"
        raise CommandError(told)
    return audit.Anchor(int(number), digest)
