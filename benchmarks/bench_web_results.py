"""Pages of a run's results: milliseconds of each page of 100,000 pairs, and in a browser until it can be used.

10,000 needs, each with five achievements and five experts, assigned, with gaps and a map: a made-up region, and result
tables drawn by lot in the shape of the schema, made ready for pages as the site does it. `pages` asks through Django's
own client, from the address to the last byte; every page is checked first: it counts what the run's tables hold.
`browser` opens pages with all their pictures in Chromium on the same machine, and then follows a number of each to its
list: usable is the later of the first contentful paint and the end of DOMContentLoaded. Goals: pages p95 200 ms,
usable 1 s, a list 1 s.
"""

from __future__ import annotations

import dataclasses
import json
import os
import random
import re
import statistics
import sys
import tempfile
import time
from html import unescape
from pathlib import Path
from typing import Any

SIZE = {"needs": 10_000, "achievements": 10_000, "experts": 2_000, "enterprises": 3_000}
EACH = 5  # achievements of a need, and experts
EXPLAINED = 3
PLACED = {"item": 0, "start": 0, "end": 2}
KINDS = ("break", "blank", "outflow", "single")
ROUNDS = 12
PAGES = {
    "matches": ("matches/", "matches/?noun=experts&page=400", "matches/?field=battery&score=0.2",
                "matches/?state=unmatched&district_id=D01"),
    "need": ("matches/{need}/",),
    "assignment": ("assignment/",),
    "lists": ("assignment/served/?page=300", "assignment/loads/", "assignment/unmet/", "gaps/firms/"),
    "gaps": ("gaps/", "gaps/?kind=break"),
    "districts": ("districts/", "districts/?figure=needs_heads&at=D01"),
}  # fmt: skip
PICTURED = ("assignment/", "gaps/", "districts/")
NUMBER = re.compile(r'class="figure"><a href="(/results/[^"]+)">')
TIMES = """async () => {
  const page = performance.getEntriesByType("navigation")[0];
  const paint = await new Promise(found => new PerformanceObserver(list => {
    for (const e of list.getEntries()) if (e.name === "first-contentful-paint") found(e.startTime);
  }).observe({type: "paint", buffered: true}));
  return {answer: page.responseStart, usable: Math.max(paint, page.domContentLoadedEventEnd)};
}"""


def fill(home: Path) -> int:
    """A region in the database, a finished run of it in force; how many pairs it has."""
    from django.core.management import call_command
    from django.utils import timezone

    from silian import tables
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
    (run.folder / "out").mkdir()
    for name, table in drawn_by_lot(region).items():
        table.write_parquet(run.folder / "out" / f"{name}.parquet")
    begun = time.perf_counter()
    prepare(run.folder)
    pairs = sum(run_table(run.folder, f"{noun}_pairs").height for noun in ("achievement", "expert"))
    told("prepare", {"pairs": pairs, "seconds": round(time.perf_counter() - begun, 2)})
    return pairs


def drawn_by_lot(region: Any) -> dict[str, Any]:
    """Result tables of a region: every need has EACH answers of both kinds, the first EXPLAINED of them explained."""
    import polars as pl

    from silian.tables.schema import results

    lot, made = random.Random(7), {}
    needs, experts = region["needs"]["need_id"].to_list(), region["experts"]["expert_id"].to_list()
    text = dict(region["needs"].select("need_id", "title").rows())
    for noun in ("achievement", "expert"):
        ids, kind = region[f"{noun}s"][f"{noun}_id"].to_list(), f"{noun}s"
        pairs = [(n, t, r, round(0.9 - 0.1 * r, 3)) for n in needs for r, t in enumerate(lot.sample(ids, EACH), 1)]
        made[f"{noun}_pairs"] = [dict(zip(("need_id", "target_id", "rank", "score"), p, strict=True)) for p in pairs]
        pair = [{"need_id": n, "target_id": t} for n, t, r, _ in pairs if r <= EXPLAINED]
        made[f"{noun}_facts"] = [
            one | fact
            for one in pair
            for fact in (
                {"fact": "sentence", "place": 1, "need_says": text[one["need_id"]], "target_says": "说明", "value": 0.5,
                 "in_table": kind, "in_id": one["target_id"]},
                {"fact": "field", "place": 1, "shared": "battery"},
            )
        ]  # fmt: skip
        column = "title" if noun == "achievement" else "profile"
        made[f"{noun}_terms"] = [
            one
            | {"term": "电池", "part": 0.1, "in_table": t, "in_id": i, "in_column": c, "item": 0, "start": 0, "end": 2}
            for one in pair
            for t, i, c in (("needs", one["need_id"], "title"), (kind, one["target_id"], column))
        ]
    first = [p for p in made["expert_pairs"] if p["rank"] == 1]
    made["assigned"] = [{"need_id": p["need_id"], "expert_id": p["target_id"], "score": p["score"]} for p in first[::2]]
    made["unmet"] = [{"need_id": p["need_id"], "missing": 1, "reason": "capacity"} for p in first[1::2]]
    made["unmet_reasons"] = [{"need_id": u["need_id"], "reason": "capacity", "experts": 2} for u in made["unmet"]]
    made["served"] = [
        {"need_id": p["need_id"], "wanted": 1, "assigned": 1 - k % 2, "score": 0.4 * (1 - k % 2), "reachable": 0.8,
         "reached_share": 0.5 * (1 - k % 2)}
        for k, p in enumerate(first)
    ]  # fmt: skip
    made["loads"] = [{"expert_id": e, "assigned": k % 5, "free": 4, "elsewhere": 0} for k, e in enumerate(experts)]
    made["prices"] = [{"side": "expert", "id": e, "price": 0.01} for e in experts]
    made["same_people"] = [{"expert_id": e, "canonical_id": e, "by": "none", "is_known": False} for e in experts]
    made["proof"] = [{"total": 1.0, "bound": 1.0, "gap": 0.0, "is_optimal": True, "assigned": len(made["assigned"]),
                      "wanted": len(needs), "goal": "total"}]  # fmt: skip
    curve = ("floor", "total", "bound", "price", "price_share", "smallest_score")
    made["fairness_curve"] = [dict(zip(curve, (f / 10, 9 - f, 9 - f, f, f / 9, f / 10), strict=True)) for f in range(5)]
    made |= chains_by_lot(region, lot)
    balance = region["districts"]["district_id"].to_list()
    counts = ("enterprises", "achievements", "experts", "needs", "needs_matched", "experts_wanted", "experts_assigned")
    made["district_balance"] = [{"district_id": d, **dict.fromkeys(counts, 9), "served_share": 0.5} for d in balance]
    of = {name: results()[name].polars for name in made}
    return {
        name: pl.DataFrame(rows, schema_overrides={c: k for c, k in of[name].items() if c in rows[0]}).select(
            pl.col(c) if c in rows[0] else pl.lit(None, kind).alias(c) for c, kind in of[name].items()
        )
        for name, rows in made.items()
    }


def chains_by_lot(region: Any, lot: random.Random) -> dict[str, Any]:
    """Gaps of a third of the products, each with evidence and fillers."""
    bodies, made = region["organisations"]["org_id"].to_list(), {}
    rows = region["products"].select("product_id", "chain", "segment").to_dicts()[::3]
    zero = ("upstream_here", "upstream_all", "downstream_here", "downstream_all", "needs", "makers")
    made["gaps"] = [
        r
        | {"kind": KINDS[k % 4], "rank": k + 1, "score": 1 / (k + 2), "buyers": 3, "flow": 0.1}
        | dict.fromkeys(zero, 1)
        for k, r in enumerate(rows)
    ]
    made["gap_parts"] = [{"product_id": r["product_id"], "part": "buyers", "value": 0.1} for r in rows]
    made["gap_evidence"] = [
        {"product_id": r["product_id"], "side": "buyer", "other_id": o} for r in rows for o in lot.sample(bodies, 3)
    ]
    made["gap_fillers"] = [
        {"product_id": r["product_id"], "noun": "organisation", "filler_id": o, "rank": k, "score": 0.5,
         "reason": "makes_related"}
        for r in rows for k, o in enumerate(lot.sample(bodies, 5), 1)
    ]  # fmt: skip
    return made


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
        clients[role] = Client(SERVER_NAME="localhost")
        clients[role].force_login(User.objects.get(email=f"{role}@demo.invalid"))
    check(clients["broker"], folder)
    need = run_table(folder, "assigned")["need_id"][-1]
    for name, addresses in PAGES.items():
        seconds, queries = [], 0
        for role, client in clients.items():
            for address in addresses:
                for turn in range(ROUNDS + 1):
                    begun = time.perf_counter()
                    with CaptureQueriesContext(connection) as asked:
                        answer = client.get(f"/results/{address.format(need=need)}")
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
