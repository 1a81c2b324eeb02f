"""Two at once: one writer wins, the others see both values; one key is one deed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_of_many_at_once_one_change_and_one_deed_of_a_key_come_about(own_database):
    program = Path(__file__).with_name("racing.py")

    told = subprocess.run([sys.executable, str(program)], env=own_database, capture_output=True, text=True, check=False)

    assert (told.returncode, "Traceback" in told.stderr) == (0, False), told.stderr
    found = json.loads(told.stdout)
    assert found["patched"] == [200] + [409] * 7
    assert (found["title"], found["changes"]) == (found["kept"], 1)
    assert found["conflicts"] == found["kept"] * 7
    assert (found["posted"], found["made"], len(found["ids"])) == ([201] * 8, 1, 1)
