"""Import of many achievements by the worker, beside people who read and write: seconds, and how long these wait.

A worker reads the file and then applies it while the keeper of the index takes in what changes, each in a process of
its own as on a server; a reader asks a list page every 100 ms and a writer edits a record each second, and what both
wait is measured through Django's own client. The answer is checked first: every row is in, once, and every edit stands.
DATABASE_URL names another database than SQLite, which must be empty. A number as an argument imports so many rows.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 100_000
WORDS = (
    "锂电池",
    "固态",
    "电解质",
    "减速器",
    "谐波",
    "机器人",
    "视觉",
    "检测",
    "涂层",
    "轴承",
    "光纤",
    "催化",
    "膜",
    "芯片",
    "封装",
)
SLOWEST = 5.0  # seconds that nobody may wait


class Person(threading.Thread):
    """Somebody who does one thing again and again; `seconds` holds how long each time took."""

    def __init__(self, every: float, work: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self.every, self.work, self.ends = every, work, threading.Event()
        self.seconds: list[float] = []

    def run(self) -> None:
        """Work until told to end."""
        due = time.perf_counter()
        while not self.ends.wait(max(0.0, due - time.perf_counter())):
            begun = time.perf_counter()
            self.work()
            self.seconds.append(time.perf_counter() - begun)
            due = max(due + self.every, time.perf_counter())


class Waits(NamedTuple):
    """How long somebody waited."""

    p95_ms: int
    most_s: float

    @classmethod
    def of(cls, seconds: list[float]) -> Waits:
        """The figures of some waits."""
        return cls(round(1000 * statistics.quantiles(seconds, n=20)[18]), round(max(seconds), 2))


def table(rows: int) -> str:
    """A file of achievements, with texts of the length that real ones have."""
    from silian.web.catalog.models import Organisation

    orgs = list(Organisation.objects.order_by("pk").values_list("pk", flat=True))
    lines = ["achievement_id,title,org_id,field,trl,text"]
    for i in range(rows):
        words = [WORDS[(i * 7 + step * (1 + i % 11)) % len(WORDS)] for step in range(12)]
        text = f"本成果针对{words[4]}与{words[5]}中的{words[6]}问题，采用{words[7]}{words[8]}方法，指标提升{i % 90}%，"
        lines.append(f"I{i:06d},{''.join(words[:4])}{i},{orgs[i % len(orgs)]},battery,{1 + i % 9},{text * 2}")
    return "\n".join(lines) + "\n"


def set_up() -> None:
    """A small region in the database and in the index."""
    from django.core.management import call_command

    from silian.web.catalog import demo
    from silian.web.catalog.search import indexing

    for command in (["migrate"], ["createcachetable"], ["collectstatic", "--no-input"]):
        call_command(*command, verbosity=0)
    demo.fill("tiny", seed=7)
    indexing.rebuild()


def measure(rows: int) -> None:
    """One import; prints its line."""
    import django

    django.setup()
    from django.contrib.auth import get_user_model
    from django.core.files.base import ContentFile
    from django.db import connection
    from django.test import Client

    from silian.web.base.actors import actor_of
    from silian.web.catalog.changing import Edit, change
    from silian.web.catalog.models import Achievement, Change, Import
    from silian.web.catalog.tasks import ask

    set_up()
    user = get_user_model().objects.get(email="administrator@demo.invalid")
    client, actor = Client(SERVER_NAME="localhost"), actor_of(user)
    client.force_login(user)
    own = Achievement.objects.order_by("pk")[0].pk
    written = [0]

    def read() -> None:
        answer = client.get("/achievements/")
        assert answer.status_code == 200, answer.status_code

    def write() -> None:
        written[0] += 1
        change(actor, "achievements", [Edit(own, {"title": f"第 {written[0]} 版"})])

    brought = Import(by=user, name="achievements.csv")
    brought.file.save("file.csv", ContentFile(table(rows).encode()))
    read()
    people = [Person(0.1, read), Person(1.0, write)]
    took = {}
    keeper = subprocess.Popen([sys.executable, "-m", "silian.web", "keep_index"])
    for person in people:
        person.start()
    for state, over in (("reading", "ready"), ("applying", "done")):
        begun = time.perf_counter()
        ask(brought, state, total=brought.rows.count())
        work()
        took[state] = time.perf_counter() - begun
        brought.refresh_from_db()
        assert brought.state == over, (brought.state, brought.code, brought.found)
    keeper.terminate()
    keeper.wait()
    for person in people:
        person.ends.set()
        person.join()
    assert brought.rows.filter(state="applied").count() == rows
    assert brought.changes.rows.count() == rows == Achievement.objects.filter(pk__startswith="I").count()
    assert Change.objects.filter(record_id=own).count() == written[0] == len(people[1].seconds)
    assert Achievement.objects.get(pk=own).title == f"第 {written[0]} 版"
    reader, writer = (Waits.of(person.seconds) for person in people)
    values = {
        "read_s": round(took["reading"], 1), "apply_s": round(took["applying"], 1),
        "all_s": round(sum(took.values()), 1), "reader_p95_ms": reader.p95_ms, "writer_p95_ms": writer.p95_ms,
        "reader_max_s": reader.most_s, "writer_max_s": writer.most_s, "pages": len(people[0].seconds),
        "edits": written[0],
    }  # fmt: skip
    print(json.dumps({"bench": "web_import", "case": f"{rows} rows {connection.vendor}", "values": values}), flush=True)
    assert max(reader.most_s, writer.most_s) < SLOWEST


def work() -> None:
    """Let a worker do what waits."""
    subprocess.run([sys.executable, "-m", "silian.web", "work", "--batch"], check=True)


def main() -> None:
    """In a folder of its own."""
    if os.environ.get("BENCH_ROWS"):
        measure(int(os.environ["BENCH_ROWS"]))
        return
    with tempfile.TemporaryDirectory() as folder:
        for name in ("static", "uploads"):
            (Path(folder) / name).mkdir()
        told = {"SILIAN_HOME": folder, "SILIAN_MODE": "demo", "BENCH_ROWS": (sys.argv[1:] or [str(ROWS)])[0]}
        told["DJANGO_SETTINGS_MODULE"] = "silian.web.settings"
        subprocess.run([sys.executable, __file__], env=os.environ | told, check=True)


if __name__ == "__main__":
    main()
