"""The leader's page, the list behind every number on it, and the pages of a run's results: until they can be used.

A made-up region (`python benchmarks/bench_web_dashboard.py county`; both sizes without a word) lies in the database, a
run of it is computed and adopted, the months of a year are frozen and the live figures made: `make` says how long each
takes. `pages` asks through Django's own client, from the address to the last byte: the leader's page as the leader,
every list that a number on it opens, and the results as a broker. `browser` opens the same in Chromium on the same
machine, the site running with its own server: a page is usable once all its pictures are drawn, its scripts have run
and a click has shown what it opens. `cold` has nothing kept in the browser. Checked: each list says the number that
opened it, and one that counts has as many records. Goals: usable 1 s, a list 1 s. DATABASE_URL names another database
than SQLite, which must be empty, for one size.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.test import Client
    from playwright.sync_api import Browser, Page

SIZES = ("county", "city")
BOARD = "/dashboard/"
RESULTS = {
    "matches": ("/results/matches/", "/results/matches/?noun=experts&page=9", "/results/matches/?state=unmatched"),
    "assignment": ("/results/assignment/", "/results/assignment/served/?page=3", "/results/assignment/loads/"),
    "chain map": ("/results/gaps/", "/results/gaps/?kind=break"),
    "district map": ("/results/districts/",),
}
ROUNDS = 12
OPENED = 7  # times that a page is opened in the browser, cold and warm
NUMBER = re.compile(r'<a href="(/dashboard/list/[^"]+)">([^<]+)</a>')
BEHIND = re.compile(r"这个数背后有 ([\d,]+) 条记录")
TOLD = re.compile(r"<h1>[^<]*<small>([^<]+)</small></h1>")
# A page can be used from the frame on that shows what a click on its first fold has opened, or its first link has got
# the focus; all that it draws lies in it then.
USABLE = """
document.addEventListener("DOMContentLoaded", () => {
  const fold = document.querySelector("main details summary");
  fold ? fold.click() : document.querySelector("main a").focus();
  requestAnimationFrame(() => requestAnimationFrame(() => { window.usable = performance.now(); }));
});
"""


def fill(size: str) -> None:
    """A region, its run in force, frozen months and live figures; accounts are kept in files beside it."""
    from django.core.management import call_command

    from silian.web.base.actors import VISITOR
    from silian.web.base.models import Place
    from silian.web.catalog import demo
    from silian.web.catalog.search import indexing
    from silian.web.runs.dashboards import figures, freezing, inputs
    from silian.web.runs.models import Run
    from silian.web.runs.starting import start

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    for account in demo.fill(size, seed=7):  # type: ignore[arg-type]
        Path(os.environ["SILIAN_HOME"], f"{account.role}.txt").write_text(f"{account.email}\n{account.password}")
    indexing.rebuild()
    run, _is_new = start(VISITOR, place=Place.root(), plan="[report]\ncharts = false\n", adopts=True)
    call_command("work", queue="runs", batch=True)
    run.refresh_from_db()
    assert run.state == Run.State.DONE, (run.code, run.found)
    read, made = timed(inputs.read)
    values = {"read_s": read, "compute_s": timed(lambda: figures.compute(made, made.day))[0]}
    values["months"] = len(freezing.catch_up(is_demo=True))
    values["renew_s"] = timed(freezing.renew)[0]
    tell(f"make {size}", values)


def timed(do: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of something, and what it gives."""
    begun = time.perf_counter()
    found = do()
    return time.perf_counter() - begun, found


def client_of(role: str) -> Client:
    """Somebody who is signed in."""
    from django.test import Client

    from silian.web.base.models import User

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(email=f"{role}@demo.invalid"))
    return client


def numbers(page: str) -> dict[str, str]:
    """Every list that a page opens, and the number that does."""
    return {unescape(address): number for address, number in NUMBER.findall(page)}


def pages(size: str) -> None:
    """Every page through Django's own client; a line for each kind."""
    leader, broker = client_of("leader"), client_of("broker")
    first = timed(lambda: leader.get(BOARD))[0]  # nothing is kept in the process yet
    lists = numbers(leader.get(BOARD).content.decode())
    assert len(lists) > 40, len(lists)
    for address, number in lists.items():
        check(leader.get(address).content.decode(), address, number)
    tell(f"pages leader's page {size}", asked(leader, [BOARD]) | {"first_ms": round(1000 * first, 1)})
    tell(f"pages lists {size}", asked(leader, lists) | {"lists": len(lists)})
    for form in ("docx", "xlsx"):
        address = f"/dashboard/report.{form}"
        tell(f"pages {form} {size}", {"first_s": timed(lambda at=address: leader.get(at).content)[0]})  # type: ignore[misc]
    for name, addresses in RESULTS.items():
        tell(f"pages {name} {size}", asked(broker, addresses))


def check(page: str, address: str, number: str) -> None:
    """The list tells the number that opened it; where records are counted, it has as many."""
    from silian.web.runs.dashboards.measures import measures

    told = TOLD.search(page)
    assert told, address
    assert told[1] == number, (address, told[1], number)
    code = address.split("/")[3]
    if measures()[code].how == "count":
        behind = BEHIND.search(page)
        assert behind, address
        assert behind[1] == number, (address, behind[1], number)


def asked(client: Client, addresses: Iterable[str]) -> dict[str, Any]:
    """Milliseconds of pages, and the most queries of one."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    seconds, queries, slowest = [], 0, (0.0, "")
    for address in addresses:
        with CaptureQueriesContext(connection) as counted:
            answer = client.get(address)
        assert answer.status_code == 200, (address, answer.status_code)
        queries = max(queries, len(counted))
        own = [timed(lambda at=address: client.get(at))[0] for _ in range(ROUNDS)]  # type: ignore[misc]
        seconds += own
        slowest = max(slowest, (statistics.median(own), address))
    cut = statistics.quantiles(seconds, n=20)
    found = {"p50_ms": cut[9], "p95_ms": cut[18], "most_ms": max(seconds), "slowest_ms": slowest[0]}
    return {name: round(1000 * value, 1) for name, value in found.items()} | {"slowest": slowest[1], "queries": queries}


def browse(size: str) -> None:
    """Every page in Chromium; a line for each kind."""
    from bench_web_browser import BROWSERS, serve
    from bench_web_runs import settle
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        return
    process, site = serve(os.environ["SILIAN_HOME"], workers=2)
    settle()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            board(browser, site, size)
            page = signed_in(browser, site, "broker")
            for name, addresses in RESULTS.items():
                page.goto(site + addresses[0])  # the first time reads from the disk
                tell(f"browser {name} {size}", summed([usable(page, site + addresses[0]) for _ in range(OPENED)]))
            browser.close()
    finally:
        process.terminate()
        process.wait(timeout=30)


def board(browser: Browser, site: str, size: str) -> None:
    """The leader's page with nothing kept and again, then every number that it shows."""
    cold, warm = [], []
    for _ in range(OPENED):
        page = signed_in(browser, site, "leader")
        page.context.new_cdp_session(page).send("Network.clearBrowserCache")
        cold.append(usable(page, site + BOARD))
        warm.append(usable(page, site + BOARD))
        pictures = page.locator("main svg").count()
        lists = list(numbers(page.content()))
        if len(cold) < OPENED:
            page.context.close()
    assert pictures > 10, pictures
    tell(f"browser leader's page cold {size}", summed(cold) | {"pictures": pictures})
    tell(f"browser leader's page warm {size}", summed(warm))
    found = {address: usable(page, site + address) for address in lists}
    tell(f"browser lists {size}", summed(list(found.values())) | {"slowest": max(found, key=lambda one: found[one])})


def signed_in(browser: Browser, site: str, role: str) -> Page:
    """A page of somebody in a context of their own."""
    email, password = Path(os.environ["SILIAN_HOME"], f"{role}.txt").read_text().split("\n")
    page = browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900}).new_page()
    page.goto(f"{site}/account/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", password)
    page.click("main form button.main")
    page.wait_for_url(lambda url: "/login/" not in url)
    page.add_init_script(USABLE)
    return page


def usable(page: Page, address: str) -> float:
    """Milliseconds from asking for a page until a click on it has been answered."""
    page.goto(address, wait_until="load")
    frames = "async () => { while (!window.usable) await new Promise(requestAnimationFrame); return window.usable; }"
    return float(page.evaluate(frames))


def summed(times: list[float]) -> dict[str, Any]:
    """Of several times."""
    return {"usable_ms": round(statistics.median(times)), "usable_most_ms": round(max(times)), "opened": len(times)}


def tell(case: str, values: dict[str, Any]) -> None:
    """One line."""
    from django.db import connection

    values = {name: round(value, 3) if isinstance(value, float) else value for name, value in values.items()}
    line = {"bench": "web_dashboard", "case": f"{case} {connection.vendor}", "values": values}
    print(json.dumps(line, ensure_ascii=False), flush=True)


def main() -> None:
    """Each size in a process and a folder of its own."""
    if size := os.environ.get("BENCH_SIZE"):
        import django

        django.setup()
        fill(size)
        pages(size)
        browse(size)
        return
    for size in sys.argv[1:2] or SIZES:
        with tempfile.TemporaryDirectory() as home:
            told = {"SILIAN_HOME": home, "SILIAN_MODE": "demo", "BENCH_SIZE": size}
            told["DJANGO_SETTINGS_MODULE"] = "silian.web.settings"
            subprocess.run([sys.executable, __file__], env=os.environ | told, check=True)


if __name__ == "__main__":
    main()
