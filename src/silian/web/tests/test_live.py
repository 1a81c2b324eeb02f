"""The site as its operator runs it, with people at work: killed, and under load; see `tests/live/`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

ROOT = Path(__file__).parents[4]
pytestmark = [pytest.mark.database, pytest.mark.long]


def told_by(program, *arguments):
    """What a program of `tests/live` prints last, on a database of its own of the kind that the tests run on."""
    own = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT / 'tests'}"}
    command = [sys.executable, "-m", f"live.{program}", *arguments]
    if connection.vendor == "postgresql":
        command = [str(ROOT / "scripts" / "with-postgres"), *command]
    else:
        own.pop("DATABASE_URL", None)
    ended = subprocess.run(command, env=own, stdout=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
    return json.loads(ended.stdout.splitlines()[-1])["values"]


def test_ten_kills_break_no_promise(tmp_path):
    told = told_by("torture", "--kills", "10", "--seed", "20", "--keep", str(tmp_path))

    assert sum(told["killed"].values()) == 10
    assert told["held"] > 0


def test_load_brings_no_error_and_loses_no_write():
    told = told_by("load", "--case", "demo", "--minutes", "0.3", "--readers", "9", "--think", "0.3", "--full", "3")

    assert (told["errors"], told["lost_writes"], told["saturation"]["errors"]) == ({}, [], 0)
    assert told["answers"] > 0
    assert told["promises"] > 0
