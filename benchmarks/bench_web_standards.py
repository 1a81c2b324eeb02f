"""Harvesting the site by OAI-PMH: seconds of a page of 100 records, of a whole harvest, of tables and catalogue.

The region of `bench_web_pages.py goal` (100,000 achievements among others) lies in a database of its own; a harvester
asks through Django's own client and follows every token to the end. What was harvested is held against the registry:
every published achievement once, nothing twice. A folder as an argument keeps, or reuses, what was filled.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOKEN = re.compile(rb"<resumptionToken[^>]*>([^<]+)</resumptionToken>")
WHOLE = 1_000_000
# What is harvested: format, sets, pages. The first goes to the end: 100,000 achievements and the works beside them.
HARVESTS = (
    ("oai_cerif_openaire", ("openaire_cris_patents", "openaire_cris_products"), WHOLE), ("oai_dc", ("",), 300),
)  # fmt: skip
IDENTIFIER = re.compile(rb"<identifier>([^<]+)</identifier>\s*<datestamp>")


def harvest(client: object, most: int, **asked: str) -> tuple[list[float], list[bytes]]:
    """Seconds of each page, and the identifiers in their order; at most so many pages."""
    seconds, found = [], []
    while True:
        begun = time.perf_counter()
        content = b"".join(client.get("/oai", asked))  # type: ignore[attr-defined]
        seconds.append(time.perf_counter() - begun)
        found += IDENTIFIER.findall(content)
        token = TOKEN.search(content)
        if not token or len(seconds) == most:
            return seconds, found
        asked = {"verb": asked["verb"], "resumptionToken": token[1].decode()}


def measure() -> None:
    """A line for each kind of harvest, for the largest table and for the catalogue."""
    import django
    from django.db import connection
    from django.test import Client

    django.setup()
    from bench_web_pages import fill

    from silian.web.standards import public

    fill("goal")
    client = Client(SERVER_NAME="localhost")
    harvest(client, 1, verb="Identify")  # what is made once is made
    for prefix, sets, most in HARVESTS:
        seconds, found = [], []
        for name in sets:
            own, ids = harvest(
                client, most, verb="ListRecords", metadataPrefix=prefix, **({"set": name} if name else {})
            )
            seconds, found = seconds + own, found + ids
        assert len(found) == len(set(found))
        if most == WHOLE:
            assert sum(b"/achievements." in one for one in found) == public.records("achievements").count()
        cut = statistics.quantiles(seconds, n=100)
        values = {
            "records": len(found), "pages": len(seconds), "whole_s": round(sum(seconds), 1),
            "p50_ms": round(1000 * cut[49], 1), "p95_ms": round(1000 * cut[94], 1), "p99_ms": round(1000 * cut[98], 1),
            "load": round(os.getloadavg()[0], 1),
        }  # fmt: skip
        told("web_standards", f"goal {connection.vendor} {prefix} {' '.join(sets)}", values)
    for name, address in (("csv", "/open/achievements.csv"), ("catalogue", "/dcat.ttl"), ("page", "/standards/")):
        begun = time.perf_counter()
        answer = client.get(address)
        size = len(b"".join(answer) if answer.streaming else answer.content)
        values = {"s": round(time.perf_counter() - begun, 2), "mib": round(size / 2**20, 2)}
        told("web_standards", f"goal {connection.vendor} {name}", values)


def told(bench: str, case: str, values: dict[str, object]) -> None:
    """One line."""
    print(json.dumps({"bench": bench, "case": case, "values": values}, ensure_ascii=False), flush=True)


def main() -> None:
    """A process with a folder of its own."""
    if os.environ.get("BENCH_CASE"):
        measure()
        return
    with tempfile.TemporaryDirectory() as folder:
        home = sys.argv[1] if len(sys.argv) > 1 else folder
        (Path(home) / "static").mkdir(parents=True, exist_ok=True)
        own = {"SILIAN_HOME": home, "SILIAN_MODE": "demo", "BENCH_CASE": "goal"}
        own["DJANGO_SETTINGS_MODULE"] = "silian.web.settings"
        subprocess.run([sys.executable, __file__], env=os.environ | own, check=True)


if __name__ == "__main__":
    main()
