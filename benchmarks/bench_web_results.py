"""Pages of a run's results: milliseconds of each page of 100,000 pairs, and in a browser until it can be used.

10,000 needs, each matched with five achievements and five experts, assigned, with gaps and a map: one whole run of the
main job on a made-up region, made ready for pages as the site does it. `pages` asks through Django's own client, from
the address to the last byte; every page is checked first: it counts what the run's tables hold. `browser` opens pages
with all their pictures in Chromium on the same machine, and then follows a number of each to its list: usable is the
later of the first contentful paint and the end of DOMContentLoaded. Goals: pages p95 200 ms, usable 1 s, a list 1 s.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import statistics
import sys
import tempfile
import time
from html import unescape
from pathlib import Path
from typing import Any

SIZE = {"needs": 10_000, "achievements": 10_000, "experts": 2_000, "enterprises": 3_000}
PLAN = "[match]\ntop_k = 5\nexperts = 5\nexplain = 3\n[allocate]\ncurve = 2\n"
ROUNDS = 12
PAGES = {
    "matches": ("matches/", "matches/?noun=experts&page=400", "matches/?field=battery&score=0.2",
                "matches/?state=unmatched&district_id=D01"),
    "need": ("matches/N00001/", "matches/N05000/"),
    "assignment": ("assignment/",),
    "lists": ("assignment/served/?page=300", "assignment/loads/", "assignment/unmet/", "gaps/firms/"),
    "gaps": ("gaps/", "gaps/?kind=break"),
    "districts": ("districts/", "districts/?figure=needs_heads&at=D01"),
}  # fmt: skip
PICTURED = ("assignment/", "gaps/", "districts/")
NUMBER = re.compile(r'class="figure"><a href="(/results/[^"]+)">')
TIMES = """() => {
  const page = performance.getEntriesByType("navigation")[0];
  const paint = performance.getEntriesByName("first-contentful-paint")[0].startTime;
  return {answer: page.responseStart, usable: Math.max(paint, page.domContentLoadedEventEnd)};
}"""


def fill(home: Path) -> int:
    """A region in the database, a finished run of it in force; how many pairs it has."""
    from django.core.management import call_command
    from django.utils import timezone

    from silian import pipeline, tables
    from silian.tables import synth
    from silian.tables.synth import SIZES, _sizes
    from silian.web.base.models import Place
    from silian.web.catalog import demo
    from silian.web.catalog.tables import write_region
    from silian.web.runs.models import Run
    from silian.web.runs.results.preparing import prepare

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    own = dataclasses.replace(SIZES["city"], **SIZE)
    _sizes.SIZES = {**SIZES, "city": own}  # type: ignore[assignment]
    folder = home / "made"
    synth.write(synth.make("city", seed=7), folder)
    region = tables.read_region(folder)
    write_region(tables.drop_problem_rows(region, tables.check(region)))
    for account in demo.accounts():
        (home / f"{account.role}.txt").write_text(f"{account.email}\n{account.password}")
    now = timezone.now()
    run = Run.objects.create(
        name="bench", place=Place.root(), state=Run.State.DONE, begun_at=now, ended_at=now, adopted_at=now
    )
    run.folder.mkdir(parents=True)
    folder.rename(run.folder / "region")
    (run.folder / "plan.toml").write_text(PLAN)
    plan = pipeline.Plan.read(run.folder / "plan.toml")
    pipeline.run(run.folder / "region", run.folder / "out", plan=plan, only=("summary", "fairness"))
    begun = time.perf_counter()
    prepare(run.folder)
    pairs = sum(run_table(run.folder, f"{noun}_pairs").height for noun in ("achievement", "expert"))
    told("prepare", {"pairs": pairs, "seconds": round(time.perf_counter() - begun, 2)})
    return pairs


def run_table(folder: Path, name: str) -> Any:
    """A result table."""
    import polars as pl

    return pl.read_parquet(folder / "out" / f"{name}.parquet")


def pages(folder: Path) -> None:
    """Each page as a broker and as the officer of a county."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from silian.web.base.models import User

    clients = {}
    for role in ("broker", "officer"):
        clients[role] = Client()
        clients[role].force_login(User.objects.get(email=f"{role}@demo.invalid"))
    check(clients["broker"], folder)
    for name, addresses in PAGES.items():
        seconds, queries = [], 0
        for role, client in clients.items():
            for address in addresses:
                for turn in range(ROUNDS + 1):
                    begun = time.perf_counter()
                    with CaptureQueriesContext(connection) as asked:
                        answer = client.get(f"/results/{address}")
                    took = time.perf_counter() - begun
                    if role == "broker" or name != "need":
                        assert answer.status_code == 200, (role, address, answer.status_code)
                    if turn:  # the first reads from the disk
                        seconds.append(1000 * took)
                    queries = max(queries, len(asked))
        cuts = statistics.quantiles(seconds, n=20)
        told(f"pages {name}", {"p50_ms": round(cuts[9], 1), "p95_ms": round(cuts[18], 1), "queries": queries})


def check(client: Any, folder: Path) -> None:
    """Pages count what the run's tables hold."""
    for address, table in (("assignment/served/", "assigned"), ("assignment/unmet/", "unmet"), ("gaps/", "gaps")):
        shown = client.get(f"/results/{address}").content.decode()
        assert int(re.search(r"共 ([\d,]+) 项", shown)[1].replace(",", "")) == run_table(folder, table).height, address


def browser(home: Path) -> None:
    """Pages with all their pictures in Chromium, and a number of each that opens its list."""
    from shutil import which

    from bench_web_browser import BROWSERS, serve
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(which, BROWSERS)), None)
    if path is None:
        return
    process, site = serve(str(home))
    email, password = (home / "broker.txt").read_text().split("\n")
    try:
        with sync_playwright() as playwright:
            page = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"]).new_page()
            page.goto(f"{site}/account/login/")
            page.fill("input[name=login]", email)
            page.fill("input[name=password]", password)
            page.click("main form button.main")
            page.wait_for_url(lambda url: "/login/" not in url)
            for address in PICTURED:
                measured(page, site, address)
    finally:
        process.terminate()
        process.wait(timeout=30)


def measured(page: Any, site: str, address: str) -> None:
    """One page and the lists behind its first numbers."""
    opened, lists = [], []
    for turn in range(ROUNDS + 1):
        page.goto(f"{site}/results/{address}", wait_until="load")
        assert page.locator(".picture").count() >= 1
        hrefs = [unescape(href) for href in NUMBER.findall(page.content())]
        if turn:
            opened.append(page.evaluate(TIMES)["usable"])
        page.goto(site + hrefs[turn % len(hrefs)], wait_until="load")
        if turn:
            lists.append(page.evaluate(TIMES)["usable"])
    values = {"usable_ms": round(statistics.median(opened)), "usable_most_ms": round(max(opened))}
    values |= {"list_ms": round(statistics.median(lists)), "list_most_ms": round(max(lists)), "rounds": ROUNDS}
    told(f"browser {address}", values)


def told(case: str, values: dict[str, Any]) -> None:
    """One line."""
    print(json.dumps({"bench": "web_results", "case": case, "values": values}), flush=True)


def main() -> None:
    """Fill, measure the pages, then start the site and a browser."""
    sys.path.insert(0, str(Path(__file__).parent))
    with tempfile.TemporaryDirectory() as made:
        home = Path(made)
        os.environ |= {"SILIAN_HOME": made, "SILIAN_MODE": "demo", "DJANGO_SETTINGS_MODULE": "silian.web.settings"}
        import django

        django.setup()
        assert fill(home) >= 90_000
        pages(home / "runs" / "000001")
        browser(home)


if __name__ == "__main__":
    main()
