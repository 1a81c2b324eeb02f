"""A server that is killed in the middle of a merge leaves it whole or not begun; a killed report begins again."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long


def test_a_kill_leaves_a_merge_whole_or_not_begun_and_a_report_to_be_taken_up(own_database):
    command = [sys.executable, str(Path(__file__).with_name("kill_merges.py")), "7", "12", "2"]
    told = json.loads(subprocess.run(command, env=own_database, check=True, stdout=subprocess.PIPE).stdout)

    assert told["merges"]["half"] == []
    assert told["merges"]["not"] > 0
    assert told["merges"]["whole"] + told["merges"]["not"] == 12
    assert told["reports"]["torn"] == 0
    assert told["reports"]["pairs"] > 0
