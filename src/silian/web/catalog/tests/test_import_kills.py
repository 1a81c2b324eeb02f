"""Workers are killed in the middle of an import; what they leave is taken up, and comes to the same in the end."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long


def test_imports_whose_workers_are_killed_come_to_the_same_as_one_that_is_left_alone(own_database):
    command = [sys.executable, str(Path(__file__).with_name("kill_imports.py")), "1", "2"]
    told = json.loads(subprocess.run(command, env=own_database, check=True, stdout=subprocess.PIPE).stdout)

    alone, *killed = told["found"]
    assert [state for state, *_ in alone] == ["ready", "done", "undone"]
    rows = {"taken": 0, "applied": 0} | alone[0][1]
    whole = rows["taken"]
    assert [part[1] for part in alone] == [{"taken": whole}, {"applied": whole}, {"undone": whole}]
    assert [part[3:] for part in alone] == [[0, None], [whole, 1], [2 * whole, 1]]
    assert alone[0][2] == alone[2][2] != alone[1][2]
    assert killed == [alone, alone]
