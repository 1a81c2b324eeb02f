"""What the tests share that kill processes: a database of their own."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from django.db import connection

collect_ignore_glob = ["kill_*.py"]  # programs that a test starts and kills

FILL = """
import django; django.setup()
from django.core.management import call_command
from silian.web.catalog import demo
call_command("migrate", verbosity=0)
demo.fill("tiny", seed=7)
"""


@pytest.fixture
def own_database(tmp_path):
    """The environment of a site with a database of its own, of the kind that the tests run on, and a small region."""
    (tmp_path / "static").mkdir()
    (tmp_path / "uploads").mkdir()
    made = os.environ | {
        "SILIAN_HOME": str(tmp_path), "SILIAN_MODE": "demo", "DJANGO_SETTINGS_MODULE": "silian.web.settings",
        "PYTHONPATH": str(Path(__file__).parents[4]),
    }  # fmt: skip
    if connection.vendor == "sqlite":
        made |= {"DATABASE_URL": f"sqlite:///{tmp_path / 'kill.sqlite3'}"}
        subprocess.run([sys.executable, "-c", FILL], env=made, check=True)
        yield made
        return
    url = urlsplit(os.environ["DATABASE_URL"])
    host = url.hostname or parse_qs(url.query)["host"][0]
    name = f"silian_kill_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"  # each worker kills in its own
    with psycopg.connect(
        host=host, port=url.port, user=url.username, password=url.password, dbname="postgres", autocommit=True
    ) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {name}")
        made |= {"DATABASE_URL": url._replace(path=f"/{name}").geturl()}
        subprocess.run([sys.executable, "-c", FILL], env=made, check=True)
        yield made
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")
