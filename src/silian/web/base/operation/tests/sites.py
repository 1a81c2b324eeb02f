"""Sites of their own, in a folder and a database that go away: what backups are made of and restored into."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from pathlib import Path

KEY = "k3J9-vQ7mZx1LpRt5WnYb8Ec2Hd6Gf4As0UiOqTyXzCvBnMwEr"
SETUP = "import django; django.setup(); from django.core.management import call_command as call; "
FILL = """
call("migrate", verbosity=0); call("createcachetable", verbosity=0)
from pathlib import Path
from django.conf import settings
from django.core.cache import cache
from django.contrib.sessions.models import Session
from django.utils import timezone
from silian.web.base.models import Place, User
from silian.web.base import audit
from silian.web.catalog import demo
from silian.web.runs.models import Run
demo.fill("tiny", seed=7)
home = Path(settings.HOME_FOLDER)
files = {"files/attachments/a1/图纸.pdf": b"%PDF " * 1000, "files/imports/7/file.csv": "名称\\n".encode()}
for name, text in files.items():
    (home / name).parent.mkdir(parents=True, exist_ok=True)
    (home / name).write_bytes(text)
run = Run.objects.create(name="全市 2026 😀", place=Place.root(), state="done", found={"half": 0.5, "whole": 2.0})
(run.folder / "out").mkdir(parents=True)
(run.folder / "out" / "receipt.json").write_text("{}")
Session.objects.create(session_key="open-session", session_data="x", expire_date=timezone.now())
cache.set("a", "b")
audit.seal()
"""
TOLD = """
import json
from django.apps import apps
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
def plain(row):  # PostgreSQL keeps the keys of JSON in an order of its own
    return repr(tuple(json.dumps(v, sort_keys=True) if isinstance(v, (dict, list)) else v for v in row))
left = ("cache", "django_session", "usersessions_usersession", "base_logentry")
told = {}
for model in apps.get_models(include_auto_created=True):
    if model._meta.db_table in left or model._meta.proxy or not model._meta.managed: continue
    names = [f.attname for f in model._meta.concrete_fields]
    told[model._meta.db_table] = sorted(plain(row) for row in model._base_manager.values_list(*names))
from silian.web.base.models import LogEntry
log = LogEntry.objects.exclude(action__startswith="operation.").order_by("pk")
names = ("pk", "at", "who", "action", "noun", "record_id", "detail", "request_id")
told["base_logentry"] = [plain(row) for row in log.values_list(*names)]
told["migrations"] = sorted(map(str, MigrationRecorder(connection).applied_migrations()))
print(json.dumps(told))
"""


@dataclass(frozen=True)
class Site:
    """A site in a folder, with a database."""

    home: Path
    url: str  # empty: SQLite in the folder
    more: tuple[tuple[str, str], ...] = (("SILIAN_SECRET_KEY", KEY),)

    @property
    def environment(self) -> dict[str, str]:
        own = {"SILIAN_HOME": str(self.home), "DATABASE_URL": self.url, "DJANGO_SETTINGS_MODULE": "silian.web.settings"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SILIAN_")}
        return kept | own | dict(self.more)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Begin a command."""
        command = [sys.executable, "-m", "silian.web", *words]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )  # fmt: skip

    def do(self, *words: str) -> str:
        """Do a command that ends well; what it says."""
        running = self.start(*words)
        said, wrong = running.communicate(timeout=120)
        assert running.returncode == 0, wrong
        return said

    def refuse(self, *words: str) -> str:
        """Do a command that is refused; its words."""
        running = self.start(*words)
        _said, wrong = running.communicate(timeout=120)
        assert running.returncode == 1
        assert "Traceback" not in wrong
        return wrong

    def script(self, text: str) -> str:
        """Run lines of Python in the site."""
        done = subprocess.run(
            [sys.executable, "-c", SETUP + text], env=self.environment, capture_output=True, text=True, check=False
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def told(self) -> dict[str, list[str]]:
        """Every row of every table, but of those that a backup leaves out."""
        return json.loads(self.script(TOLD))

    def files(self) -> dict[str, bytes]:
        """Every file that a backup holds."""
        folders = ("files", "runs", "snapshots")
        found = [each for name in folders for each in (self.home / name).rglob("*") if each.is_file()]
        return {str(each.relative_to(self.home)): each.read_bytes() for each in found}


def server() -> dict[str, Any]:
    """Where the PostgreSQL of the tests is; empty where they run on SQLite."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return {}
    own = connection.settings_dict
    return {"host": own["HOST"], "user": own["USER"], "port": own["PORT"] or 5432, "dbname": "postgres"}


def make_database(name: str, *, template: str = "template0") -> str:
    """Make a database beside that of the tests, each process of the tests its own; its address."""
    where, worker = server(), os.environ.get("PYTEST_XDIST_WORKER", "")
    name, template = name + worker, template if template == "template0" else template + worker
    with psycopg.connect(**where, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
    return f"postgres://{where['user']}@:{where['port']}/{name}?host={where['host']}"


def drop_database(name: str) -> None:
    """Drop one of them."""
    with psycopg.connect(**server(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
                sql.Identifier(name + os.environ.get("PYTEST_XDIST_WORKER", ""))
            )
        )
