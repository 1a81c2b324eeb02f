"""The security checklist names tests that exist, and knows no states but its own."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[5]
NAMED = re.compile(r"`(test_\w+\.py)(?:::(test_\w+))?`")
DEFINED = re.compile(r"^ *def (test_\w+)\(", re.MULTILINE)
TESTS = [path for folder in ("src", "tests") for path in (ROOT / folder).rglob("test_*.py")]
STATES = {"met", "part", "operator", "not met", "none"}


def test_every_test_that_the_checklist_names_exists():
    page = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")
    known = {(path.name, "") for path in TESTS}
    known |= {(path.name, name) for path in TESTS for name in DEFINED.findall(path.read_text(encoding="utf-8"))}

    assert sorted(set(NAMED.findall(page)) - known) == []


def test_every_line_of_the_checklist_has_a_state_and_a_reason():
    page = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if re.match(r"\| \d", line)]

    assert len(rows) > 100
    assert {row[2] for row in rows} <= STATES
    assert all(len(row) == 4 and row[3] for row in rows)
