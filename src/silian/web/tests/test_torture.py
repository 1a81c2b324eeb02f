"""Kills while people write: what the site had acknowledged is there, whole and once; see `tests/live/torture.py`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

TESTS = Path(__file__).parents[4] / "tests"


@pytest.mark.xdist_group("live")
@pytest.mark.parametrize("kills", [10])
def test_ten_kills_break_no_promise(tmp_path, kills):
    own = os.environ | {"PYTHONPATH": f"{TESTS.parent / 'src'}{os.pathsep}{TESTS}"}
    command = [sys.executable, "-m", "live.torture", "--kills", str(kills), "--keep", str(tmp_path)]
    if connection.vendor == "postgresql":  # a server of its own: it is killed
        command = [str(TESTS.parent / "scripts" / "with-postgres"), *command]
    else:
        own.pop("DATABASE_URL", None)

    ended = subprocess.run(command, env=own, stdout=subprocess.PIPE, text=True, check=False)

    assert ended.returncode == 0, ended.stdout
    told = json.loads(ended.stdout.splitlines()[-1])["values"]
    assert sum(told["killed"].values()) == kills
    assert told["held"] > 0
