"""Pages in a real browser on a slow line: milliseconds until they can be read and used, bytes over the wire.

1.6 Mbit/s down, 0.75 Mbit/s up, 150 ms from a request to its answer, as Chromium sets them. `first` has nothing kept;
`next` comes from another page of the site, with its style and scripts kept. A page is usable when it is painted, its
scripts have run and the box that finds names answers the keyboard: the later of the first contentful paint and the end
of DOMContentLoaded, counted from the click. Shift is what has moved meanwhile (0 is asked). The site runs with its own
server and the smallest made-up region; its part is what it takes to answer.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SLOW = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 93_750}  # bytes a second
PAGES = {"home": "", "list": "needs/", "record": "needs/N01/", "search": "search/?q=电池"}
ROUNDS = 7
START = 120  # seconds until the site must answer
SHIFT = """
window.shift = 0;
new PerformanceObserver(list => { for (const e of list.getEntries()) window.shift += e.value })
  .observe({type: "layout-shift", buffered: true});
"""
TIMES = """() => {
  const page = performance.getEntriesByType("navigation")[0];
  const paint = performance.getEntriesByName("first-contentful-paint")[0].startTime;
  return {answer: page.responseStart, painted: paint, usable: Math.max(paint, page.domContentLoadedEventEnd)};
}"""


def serve(home: str, *, workers: int = 1) -> tuple[subprocess.Popen[bytes], str]:
    """The site on a free port, once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        bind = f"127.0.0.1:{free.getsockname()[1]}"
    told = {"SILIAN_HOME": home, "SILIAN_MODE": "demo", "DJANGO_SETTINGS_MODULE": "silian.web.settings"}
    command = [sys.executable, "-m", "silian.web", "serve", "--bind", bind, "--size", "tiny", "--workers", str(workers)]
    process = subprocess.Popen(command, env=os.environ | told, stdout=subprocess.DEVNULL)
    end = time.monotonic() + START
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"http://{bind}/", timeout=10):
                return process, f"http://{bind}"
        except OSError:
            time.sleep(0.2)
    process.terminate()
    sys.exit("the site does not start")


def opened(page: Page, address: str) -> dict[str, float]:
    """One page on the slow line: its times in milliseconds, its bytes over the wire, how far it has shifted."""
    wire = page.context.new_cdp_session(page)
    sizes: list[float] = []
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    wire.send("Network.enable")
    wire.send("Network.emulateNetworkConditions", SLOW)
    page.goto(address, wait_until="networkidle")
    times: dict[str, float] = page.evaluate(TIMES)
    times |= {"bytes": sum(sizes), "shift": page.evaluate("window.shift")}
    assert page.locator("h1").inner_text().strip()
    assert page.locator("#find").get_attribute("role") == "combobox"  # the script of the box has run
    wire.detach()
    return times


def measure(browser: Browser, site: str) -> None:
    """Every page with nothing kept and after another page; a line each."""
    for name, path in PAGES.items():
        found: dict[str, list[dict[str, float]]] = {"first": [], "next": []}
        for _ in range(ROUNDS):
            context = browser.new_context(locale="zh-CN", viewport={"width": 390, "height": 844})
            page = context.new_page()
            page.add_init_script(SHIFT)
            found["first"].append(opened(page, f"{site}/{path}"))
            page.goto(f"{site}/help/")
            found["next"].append(opened(page, f"{site}/{path}"))
            context.close()
        for when, times in found.items():
            values: dict[str, Any] = {f"{k}_ms": _median(times, k) for k in ("answer", "painted", "usable")}
            values |= {"usable_most_ms": round(max(t["usable"] for t in times)), "rounds": ROUNDS}
            values |= {"bytes": _median(times, "bytes"), "shift": round(max(t["shift"] for t in times), 4)}
            print(json.dumps({"bench": "web_browser", "case": f"{name} {when}", "values": values}), flush=True)


def _median(times: list[dict[str, float]], key: str) -> int:
    return round(statistics.median(t[key] for t in times))


def main() -> None:
    """Start the site and a browser; measure."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        sys.exit("no Chromium here: scripts/system-packages browser")
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        (Path(home) / "static").mkdir()
        process, site = serve(home)
        try:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            measure(browser, site)
            browser.close()
        finally:
            process.terminate()
            process.wait(timeout=30)


if __name__ == "__main__":
    main()
