"""PostgreSQL's own tools, and the tables of a site put aside."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.db import connection, transaction

from silian.errors import WebError
from silian.web.base.operation.digests import LEFT_OUT

if TYPE_CHECKING:
    from collections.abc import Sequence

ASIDE: Final = "silian_before_"  # and a time: the schema of what was put aside


def tool(name: str) -> str:
    """The newest of PostgreSQL's tools of a name that is at least as new as the server.

    Raises
    ------
    WebError : backup.tools if there is none
    """
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda p: -_number(p.parts[-3]))
    found = [*map(str, places), *filter(None, [shutil.which(name)])]
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        server = int(cursor.fetchone()[0]) // 10_000
    for place in found:
        told = subprocess.run([place, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
        if told.returncode == 0 and _number(told.stdout.split()[-1] if told.stdout else "") >= server:
            return place
    raise WebError("backup.tools", found=name, server=f"PostgreSQL {server}")


def _number(text: str) -> int:
    found = re.search(r"\d+", text)
    return int(found[0]) if found else 0


def run(command: Sequence[str]) -> None:
    """Run a tool on the site's database; the password stands in its environment, not in the list of processes.

    Raises
    ------
    WebError : backup.failed with its last words
    """
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        told = " / ".join(line for line in lines if "error" in line)[:500] or " / ".join(lines[-2:])
        raise WebError("backup.failed", found=f"{Path(command[0]).name}: {told}.")


def _environment() -> dict[str, str]:
    own = connection.settings_dict
    given = {"PGHOST": own["HOST"], "PGPORT": own["PORT"], "PGUSER": own["USER"], "PGPASSWORD": own["PASSWORD"]}
    return {
        **os.environ,
        "PGDATABASE": str(own["NAME"]),
        **{name: str(value) for name, value in given.items() if value},
    }


def dump(place: Path, snapshot: str) -> None:
    """Write the database as it is in a snapshot."""
    left = [f"--exclude-table-data={name}" for name in LEFT_OUT]
    asked = ["--format=custom", "--no-owner", "--no-acl", f"--exclude-schema={ASIDE}*", f"--snapshot={snapshot}"]
    run([tool("pg_dump"), *asked, *left, f"--file={place}"])


def load(place: Path) -> None:
    """Fill the empty database with a dump, as a whole or not at all. No shell reads it: a dump may be anybody's."""
    name = str(connection.settings_dict["NAME"])
    asked = ["--exit-on-error", "--single-transaction", "--no-owner", "--no-acl", f"--dbname={name}"]
    run([tool("pg_restore"), *asked, str(place)])


def tables(schema: str = "") -> list[str]:
    """The tables of a schema, or of the one the site uses."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = COALESCE(NULLIF(%s, ''), current_schema()) ORDER BY 1",
            [schema],
        )
        return [name for (name,) in cursor.fetchall()]


@transaction.atomic
def put_aside(schema: str) -> None:
    """Move all tables of the site into a schema of their own."""
    quote = connection.ops.quote_name
    own = tables()
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {quote(schema)}")
        for name in own:
            cursor.execute(f"ALTER TABLE {quote(name)} SET SCHEMA {quote(schema)}")


@transaction.atomic
def bring_back(schema: str) -> None:
    """Drop the tables that are there and move those back that were put aside; nothing where none were."""
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema(), EXISTS (SELECT FROM pg_namespace WHERE nspname = %s)", [schema])
        home, is_there = cursor.fetchone()
        if not is_there:
            return
        for name in tables():
            cursor.execute(f"DROP TABLE {quote(name)} CASCADE")
        for name in tables(schema):
            cursor.execute(f"ALTER TABLE {quote(schema)}.{quote(name)} SET SCHEMA {quote(home)}")
        cursor.execute(f"DROP SCHEMA {quote(schema)}")


def drop_aside(schema: str) -> None:
    """Drop what was put aside for good."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {connection.ops.quote_name(schema)} CASCADE")
