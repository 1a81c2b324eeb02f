"""A server that is killed in the middle of a merge leaves it whole or not begun; a killed report begins again."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from django.db import connection

FILL = "import django; django.setup(); from silian.web.catalog import demo; demo.fill('tiny', seed=7)"


@pytest.fixture
def own_database(tmp_path):
    """The environment of a site with a database of its own, of the kind that the tests run on."""
    (tmp_path / "static").mkdir()
    made = os.environ | {
        "SILIAN_HOME": str(tmp_path), "SILIAN_MODE": "demo", "DJANGO_SETTINGS_MODULE": "silian.web.settings",
        "PYTHONPATH": str(Path(__file__).parents[4]),
    }  # fmt: skip
    if connection.vendor == "sqlite":
        yield made | {"DATABASE_URL": f"sqlite:///{tmp_path / 'kill.sqlite3'}"}
        return
    url = urlsplit(os.environ["DATABASE_URL"])
    host = url.hostname or parse_qs(url.query)["host"][0]
    with psycopg.connect(
        host=host, port=url.port, user=url.username, password=url.password, dbname="postgres", autocommit=True
    ) as server:
        server.execute("CREATE DATABASE silian_kill")
        yield made | {"DATABASE_URL": url._replace(path="/silian_kill").geturl()}
        server.execute("DROP DATABASE silian_kill WITH (FORCE)")


def test_a_kill_leaves_a_merge_whole_or_not_begun_and_a_report_to_be_taken_up(own_database):
    def run(*command):
        return subprocess.run([sys.executable, *command], env=own_database, check=True, capture_output=True, text=True)

    run("-m", "silian.web", "migrate", "--verbosity", "0")
    run("-c", FILL)

    told = json.loads(run(str(Path(__file__).with_name("kill_merges.py")), "7", "12", "2").stdout)

    assert told["merges"]["half"] == []
    assert told["merges"]["not"] > 0
    assert told["merges"]["whole"] + told["merges"]["not"] == 12
    assert told["reports"]["torn"] == 0
    assert told["reports"]["pairs"] > 0
