"""The whole API is asked with what nobody has thought of; `make fuzz` asks longer and keeps what it counted."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

from django.db import connection
from django.utils import timezone

from silian.web.api import limits
from silian.web.api.tests.fuzzing import fuzz

LONG = int(os.environ.get("SILIAN_FUZZ", "0"))  # cases of each operation, role and way of making them
RESULTS = Path(__file__).parents[5] / "benchmarks" / "results" / "api_fuzz.jsonl"


def test_no_operation_breaks_leaks_or_answers_beside_its_document(callers, planted, kept_connection, monkeypatch):
    monkeypatch.setattr(limits, "OF_TOKEN", 10**9)
    monkeypatch.setattr(limits, "OF_VISITOR", 10**9)
    began = time.monotonic()

    found = fuzz(callers, planted, examples=LONG or 1, each=1 if LONG else 9)

    if LONG:
        keep(found, time.monotonic() - began)
    assert (found.errors, found.holes, found.wrong) == ([], [], [])
    assert found.cases > found.operations


def keep(found, seconds):
    """A line of what was asked and what came of it."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False).stdout
    told = {
        "bench": "api_fuzz", "at": timezone.now().isoformat(timespec="seconds"), "commit": commit.strip(),
        "database": connection.vendor, "operations": found.operations, "roles": 9, "cases": found.cases,
        "seconds": round(seconds), "statuses": dict(sorted(found.statuses.items())),
        "server_errors": len(found.errors), "rights_holes": len(found.holes), "off_document": len(found.wrong),
        "wrong": list(dict.fromkeys(found.errors + found.holes + found.wrong))[:5],
    }  # fmt: skip
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(told, ensure_ascii=False) + "\n")
