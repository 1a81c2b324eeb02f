"""Pages of the site as every role: 50th and 95th percentile of seconds, and queries, of few records and of many.

`small` has about 100 needs; `goal` 10,000 needs, 100,000 achievements and 20,000 experts, with their works and
organisations. Each case fills a database of its own and asks through Django's own client, without a network between:
what is measured is the page, from its address to its last byte. DATABASE_URL names another database than SQLite, which
must be empty; a case then runs there alone: `python benchmarks/bench_web_pages.py goal`. A folder as a second argument
keeps what was filled for the next time.
"""

from __future__ import annotations

import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CASES = {"small": (100, 1_000, 200, 300), "goal": (10_000, 100_000, 20_000, 30_000)}
ROUNDS = 12
PAGES = {
    "home": ("/",),
    "list": (
        "/needs/", "/achievements/", "/experts/", "/organisations/", "/achievements/?page=40",
        "/achievements/?sort=-trl", "/needs/?sort=deadline_on&page=9",
    ),
    "list filtered": (
        "/achievements/?field=battery", "/achievements/?field=food&ip_status=granted", "/needs/?kind=technology",
        "/experts/?title=professor", "/achievements/?q=电池", "/needs/?q=控制&sort=-deadline_on",
    ),
    "search": (
        "/search/?q=电池", "/search/?q=马达 控制", "/search/?q=dianchi", "/search/?q=yjy",
        "/search/?q=检测&noun=achievements", "/search/?q=deep learning&sort=newest", "/search/?q=不会有的词语",
    ),
    "suggest": ("/search/names/?q=电", "/search/names/?q=锂电池", "/search/names/?q=dian", "/search/names/?q=hy"),
}  # fmt: skip


def fill(case: str) -> list[object]:
    """A region of the case's size in the database and in the index; accounts of every role."""
    from django.core.management import call_command

    from silian import tables
    from silian.tables import synth
    from silian.tables.synth import SIZES, _sizes
    from silian.web.base.models import User
    from silian.web.catalog import demo
    from silian.web.catalog.search import indexing
    from silian.web.catalog.tables import write_region

    needs, achievements, experts, enterprises = CASES[case]
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    if not User.objects.exists():
        base = SIZES["province" if case == "goal" else "county"]
        own = {"needs": needs, "achievements": achievements, "experts": experts, "enterprises": enterprises}
        _sizes.SIZES = {**SIZES, base.name: dataclasses.replace(base, **own)}  # type: ignore[assignment]
        with tempfile.TemporaryDirectory() as folder:
            synth.write(synth.make(base.name, seed=7), Path(folder))  # type: ignore[arg-type]
            region = tables.read_region(Path(folder))
        write_region(tables.drop_problem_rows(region, tables.check(region)))
        demo.accounts()
        indexing.rebuild()
    return list(User.objects.order_by("pk"))


def measure(case: str) -> None:
    """Ask every page as every role; print a line for each kind of page."""
    import django
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    django.setup()
    clients = {"visitor": Client(SERVER_NAME="localhost")}
    for user in fill(case):
        clients[user.name] = Client(SERVER_NAME="localhost")  # type: ignore[attr-defined]
        clients[user.name].force_login(user)  # type: ignore[attr-defined, arg-type]
    pages = PAGES | {"detail": details()}
    for kind, addresses in pages.items():
        seconds, queries, slowest = [], 0, (0.0, "")
        for role, client in clients.items():
            for address in addresses:
                with CaptureQueriesContext(connection) as asked:  # warms what is kept, too
                    answer = client.get(address)
                    assert answer.status_code == 200, (address, role, answer.status_code)
                queries = max(queries, len(asked))
                own = [timed(client, address) for _ in range(ROUNDS)]
                seconds += own
                slowest = max(slowest, (statistics.median(own), f"{role} {address}"))
        cut = statistics.quantiles(seconds, n=100)
        values = {
            "p50_ms": round(1000 * cut[49], 1), "p95_ms": round(1000 * cut[94], 1), "p99_ms": round(1000 * cut[98], 1),
            "queries": queries, "requests": len(seconds), "slowest": slowest[1],
            "slowest_ms": round(1000 * slowest[0], 1),
        }  # fmt: skip
        line = {"bench": "web_pages", "case": f"{case} {connection.vendor} {kind}", "values": values}
        print(json.dumps(line, ensure_ascii=False), flush=True)


def details() -> tuple[str, ...]:
    """Pages of one record of each noun, in the middle of its list."""
    from silian.web.catalog.models import MODELS

    made = []
    for noun in ("needs", "achievements", "experts", "organisations"):
        ids = MODELS[noun].objects.filter(state="published").order_by("pk").values_list("pk", flat=True)
        made.append(f"/{noun}/{ids[ids.count() // 2]}/")
    return tuple(made)


def timed(client: object, address: str) -> float:
    """Seconds of one answer."""
    begun = time.perf_counter()
    client.get(address)  # type: ignore[attr-defined]
    return time.perf_counter() - begun


def main() -> None:
    """Each case in a process and a folder of its own."""
    if os.environ.get("BENCH_CASE"):
        measure(os.environ["BENCH_CASE"])
        return
    wanted = sys.argv[1:2] or list(CASES)
    for case in wanted:
        with tempfile.TemporaryDirectory() as folder:
            home = sys.argv[2] if len(sys.argv) > 2 else folder
            (Path(home) / "static").mkdir(parents=True, exist_ok=True)
            told = {"SILIAN_HOME": home, "SILIAN_MODE": "demo", "BENCH_CASE": case}
            told["DJANGO_SETTINGS_MODULE"] = "silian.web.settings"
            subprocess.run([sys.executable, __file__], env=os.environ | told, check=True)


if __name__ == "__main__":
    main()
