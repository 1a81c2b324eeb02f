"""A run on the site: seconds until it tells how far it is, pages meanwhile, and the tables of the command line.

A made-up region (city, or the size given) lies in the database; a run of all steps is started, and its worker. While it
goes on, pages are asked through Django's own client, one after the other, in a process beside it. Checked first: the
digest of every table in the receipt is that of `silian run` with the same plan on the same region. Goals: first word
of progress 2 s, pages p95 200 ms while it runs. `python benchmarks/bench_web_runs.py tiny` tries it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PLAN = "[report]\ncharts = false\n"
PAGES = ("/", "/needs/", "/achievements/?field=battery", "/search/?q=电池", "/runs/", "/runs/1/")
AGAIN = 0.05  # seconds between pages: somebody reads


def fill(size: str) -> None:
    """A region of a size in the database, and an account of every role."""
    from django.core.management import call_command

    from silian.web.catalog import demo
    from silian.web.catalog.search import indexing

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    demo.fill(size, seed=7)  # type: ignore[arg-type]
    indexing.rebuild()


def measure(size: str) -> None:
    """Start a run, ask pages until it is done, hold its tables against those of the command line; print a line."""
    import django
    from django.test import Client

    django.setup()
    fill(size)
    from silian.web.base.actors import actor_of
    from silian.web.base.models import Place, User
    from silian.web.runs.models import Run
    from silian.web.runs.starting import start

    user = User.objects.get(email__startswith="administrator@")
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    idle = asked(client, rounds=10)
    worker = subprocess.Popen([sys.executable, "-m", "silian.web", "work", "--queue", "runs"])
    time.sleep(10)  # it has started, as on a site that runs
    begun = time.perf_counter()
    run, _is_new = start(actor_of(user), place=Place.root(), plan=PLAN)
    first, seconds = 0.0, []
    try:
        while (now := Run.objects.get(pk=run.pk)).state in (Run.State.WAITING, Run.State.RUNNING):
            if not first and now.progress.get("steps") is not None:
                first = time.perf_counter() - begun
            if first:
                seconds += asked(client)
            time.sleep(AGAIN)
    finally:
        worker.terminate()
        worker.wait()
    took = time.perf_counter() - begun
    assert now.state == Run.State.DONE, (now.code, now.found)
    tables = same_as_command_line(run.folder)
    values: dict[str, Any] = {
        "first_progress_s": round(first, 2), "run_s": round(took, 1), "pages": len(seconds),
        "page_p50_ms": percentile(seconds, 50), "page_p95_ms": percentile(seconds, 95),
        "idle_p95_ms": percentile(idle, 95), "same_tables": tables,
    }  # fmt: skip
    print(json.dumps({"bench": "web_runs", "case": size, "values": values}), flush=True)


def asked(client: Any, *, rounds: int = 1) -> list[float]:
    """Seconds of each page."""
    made = []
    for address in PAGES[: 4 if rounds > 1 else None] * rounds:
        begun = time.perf_counter()
        answer = client.get(address)
        made.append(time.perf_counter() - begun)
        assert answer.status_code == 200, (address, answer.status_code)
    return made


def same_as_command_line(folder: Path) -> int:
    """How many tables have the digest that `silian run` gives for them: all, or it fails."""
    with tempfile.TemporaryDirectory() as out:
        plan = Path(out) / "plan.toml"
        plan.write_text(PLAN, encoding="utf-8")
        command = [str(Path(sys.executable).with_name("silian")), "run", str(folder / "region"), "--out", f"{out}/out"]
        subprocess.run([*command, "--plan", str(plan)], check=True, stdout=subprocess.DEVNULL)
        ours, theirs = (
            json.loads((place / "receipt.json").read_text(encoding="utf-8"))["files"]
            for place in (folder / "out", Path(out) / "out")
        )
    tables = [name for name in theirs if name.endswith(".parquet")]
    assert tables
    assert all(ours[name] == theirs[name] for name in tables)
    return len(tables)


def percentile(seconds: list[float], share: int) -> float:
    """Milliseconds."""
    return round(1000 * statistics.quantiles(seconds, n=100)[share - 1], 1)


def main() -> None:
    """A site in a folder that goes away."""
    size = sys.argv[1] if len(sys.argv) > 1 else "city"
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"SILIAN_HOME": home, "DJANGO_SETTINGS_MODULE": "silian.web.settings"}
        measure(size)


if __name__ == "__main__":
    main()
