"""A run on the site: seconds from the click until its page tells how far it is, pages meanwhile, the tables it makes.

A made-up region (a city; `python benchmarks/bench_web_runs.py tiny` tries it) lies in the database, and the site runs
with its own processes. Runs are started from the form in Chromium, and the first are cancelled: `first` is from the
click until the page names the step it is at. The last one goes on to its end, the page open; meanwhile a person reads
other pages over the network of this machine, one after the other. Checked: every file that it makes, but for the times
in its receipt, has the digest of what `silian run` makes with the same plan of the same region. Goals: first word of
progress 2 s, pages p95 500 ms while it runs. DATABASE_URL names another database than SQLite, which must be empty.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench_web_browser import BROWSERS, serve
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Page

PLAN = "[match]\ntop_k = {top}\n"
PAGES = ("/", "/needs/", "/achievements/?field=battery", "/search/?q=%E7%94%B5%E6%B1%A0", "/runs/", "/dashboard/")
STARTS = 5
SETTLED = 20.0  # seconds of reading before a run, in which the process of the next one has loaded what it needs
READING = 0.2  # seconds that a person looks at a page
PATIENCE = 900_000  # milliseconds
AT_A_STEP = re.compile(r"第 \d+ 步，共 \d+ 步")


def fill(size: str) -> tuple[str, str]:
    """A region of a size in the database, and accounts; the address and the password of the administrator."""
    from django.core.management import call_command

    from silian.web.catalog import demo
    from silian.web.catalog.search import indexing

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    accounts = demo.fill(size, seed=7)  # type: ignore[arg-type]
    indexing.rebuild()
    return next((one.email, one.password) for one in accounts if one.role == "administrator")


class Reader(threading.Thread):
    """A person who reads pages, one after the other, until told to end."""

    def __init__(self, site: str, cookie: str) -> None:
        super().__init__(daemon=True)
        self.at = http.client.HTTPConnection(site.removeprefix("http://"), timeout=60)
        self.cookie, self.is_over = cookie, threading.Event()
        self.seconds: list[float] = []

    def run(self) -> None:
        """Read."""
        while not self.is_over.is_set():
            for address in PAGES:
                begun = time.perf_counter()
                self.at.request("GET", address, headers={"Cookie": self.cookie, "Accept-Language": "zh"})
                answer = self.at.getresponse()
                answer.read()
                self.seconds.append(time.perf_counter() - begun)
                assert answer.status == 200, (address, answer.status)
                self.is_over.wait(READING)

    def end(self) -> dict[str, float]:
        """Read no more; milliseconds of the pages."""
        self.is_over.set()
        self.join()
        cut = statistics.quantiles(self.seconds, n=100)
        return {
            "pages": len(self.seconds),
            "p50_ms": _ms(cut[49]),
            "p95_ms": _ms(cut[94]),
            "most_ms": _ms(max(self.seconds)),
        }


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 1)


def begun(page: Page, site: str, top: int) -> float:
    """Start a run from its form; seconds from the click until the page tells at which step it is."""
    page.goto(f"{site}/runs/new/")
    page.click("details.opens summary")
    page.fill("[name=more]", PLAN.format(top=top))
    now = time.perf_counter()
    page.click("main form button.main", no_wait_after=True)
    page.get_by_text(AT_A_STEP).wait_for(timeout=PATIENCE)
    return time.perf_counter() - now


def measure(site: str, account: tuple[str, str], browser: str, size: str) -> None:
    """Start, cancel, start again and read until the end; print the lines."""
    from django.db import connection

    case = f"{size} {connection.vendor}"
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"]).new_page(locale="zh-CN")
        page.goto(f"{site}/account/login/")
        page.fill("input[name=login]", account[0])
        page.fill("input[name=password]", account[1])
        page.click("main form button.main")
        page.wait_for_url(lambda url: "/login/" not in url)
        cookie = "; ".join(f"{c['name']}={c['value']}" for c in page.context.cookies())
        idle = Reader(site, cookie)
        idle.start()
        time.sleep(SETTLED)
        quiet = idle.end()
        first = []
        for number in range(STARTS):
            first.append(begun(page, site, top=5 + number))
            if number < STARTS - 1:
                page.get_by_role("button", name="取消运行").click()
                page.get_by_role("link", name="按此方案再运行").wait_for(timeout=PATIENCE)
                time.sleep(SETTLED / 2)
        told(f"first {case}", {"first_s": [round(s, 2) for s in first], "first_most_s": round(max(first), 2)})
        reader, since = Reader(site, cookie), time.perf_counter()
        reader.start()
        page.get_by_role("button", name="采用这次结果").wait_for(timeout=PATIENCE)
        took = time.perf_counter() - since
        values = reader.end() | {f"idle_{name}": value for name, value in quiet.items()}
    told(f"pages {case}", values | {"run_s": round(took, 1), "same_files": same_as_command_line()})


def settle() -> None:
    """Wait until what a site does when it was just filled and started is done: indexes, topics, months."""
    from django_tasks_db.models import DBTaskResult

    since_empty = time.monotonic()
    while time.monotonic() - since_empty < 3:
        if DBTaskResult.objects.ready().exists() or DBTaskResult.objects.filter(status="RUNNING").exists():
            since_empty = time.monotonic()
        time.sleep(0.2)


def same_as_command_line() -> int:
    """How many files of the newest run have the digest that `silian run` gives for them: all, or it fails."""
    from silian.web.runs.models import Run

    run = Run.objects.latest("pk")
    assert run.state == Run.State.DONE, (run.code, run.found)
    with tempfile.TemporaryDirectory() as out:
        plan = Path(out) / "plan.toml"
        plan.write_text(run.plan, encoding="utf-8")
        command = [str(Path(sys.executable).with_name("silian")), "run", str(run.folder / "region")]
        subprocess.run(
            [*command, "--out", f"{out}/out", "--plan", str(plan)], check=True, stdout=subprocess.DEVNULL
        )  # fmt: skip
        ours, theirs = (_files(place / "receipt.json") for place in (run.folder / "out", Path(out) / "out"))
    assert len(theirs) > 10
    assert ours == theirs, [name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name)]
    return len(theirs)


def _files(receipt: Path) -> dict[str, str]:
    made: dict[str, str] = json.loads(receipt.read_text(encoding="utf-8"))["files"]
    return made


def told(case: str, values: dict[str, Any]) -> None:
    """One line."""
    print(json.dumps({"bench": "web_runs", "case": case, "values": values}), flush=True)


def main(given: Sequence[str]) -> None:
    """A site in a folder that goes away."""
    size = given[0] if given else "city"
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit("no Chromium here: scripts/system-packages browser")
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"SILIAN_HOME": home, "SILIAN_MODE": "demo", "DJANGO_SETTINGS_MODULE": "silian.web.settings"}
        (Path(home) / "static").mkdir()
        import django

        django.setup()
        account = fill(size)
        process, site = serve(home, workers=2)
        try:
            settle()
            measure(site, account, browser, size)
        finally:
            process.terminate()
            process.wait(timeout=30)


if __name__ == "__main__":
    main(sys.argv[1:])
