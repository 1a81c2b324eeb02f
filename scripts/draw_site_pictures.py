"""Draw the pictures of the site for the README: docs/images/site-*.webp, from a demo site that this script starts.

Run as `make picture`, or `python scripts/draw_site_pictures.py [NAME …]`. The site and what it keeps lie in a
temporary folder.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.request import urlopen

import polars as pl
from playwright.sync_api import Browser, Page, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
SITE = "http://127.0.0.1:8765"
SIZE, SEED = "county", "7"  # of the region; the demo site has the same one
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUALITY = 82  # of WebP
MOST_BYTES = 150_000  # the README is read over slow lines too
PATIENCE = 600.0  # seconds for the demo site to be filled, for its first run, and for a file to be read


class Shot(NamedTuple):
    """A picture: its name, who looks, how wide and high in pixels, the theme, and the way there."""

    name: str
    role: str
    width: int
    height: int
    theme: str
    go: Callable[[Page, Path], None]


def main() -> int:
    """Start the site, take every picture, or those that are named, and say how large each is."""
    browser_path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser_path is None:
        sys.stderr.write("Chromium is not installed\n")
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    sizes = {}
    with tempfile.TemporaryDirectory() as folder, _site(Path(folder)) as passwords, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        for shot in (each for each in SHOTS if each.name in (sys.argv[1:] or [each.name])):
            page = _page(browser, shot, passwords)
            shot.go(page, Path(folder))
            sizes[shot.name] = _draw(page, IMAGES / f"site-{shot.name}.webp")
            page.context.close()
        browser.close()
    sys.stdout.write("".join(f"docs/images/site-{name}.webp: {size:,} bytes\n" for name, size in sizes.items()))
    return int(any(size > MOST_BYTES for size in sizes.values()))


@contextmanager
def _site(folder: Path) -> Iterator[dict[str, str]]:
    """A demo site with a region in it: the passwords of its accounts by role."""
    region = [
        sys.executable,
        "-m",
        "silian.cli",
        "synth",
        "--size",
        SIZE,
        "--seed",
        SEED,
        "--out",
        str(folder / "region"),
    ]
    subprocess.run(region, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    serve = [sys.executable, "-m", "silian.web", "serve", "--bind", SITE.removeprefix("http://"), "--size", SIZE]
    with (folder / "site.log").open("wb") as log:
        environment = os.environ | {"SILIAN_HOME": str(folder / "home")}
        site = subprocess.Popen(serve, env=environment, stdout=log, stderr=subprocess.STDOUT)  # noqa: S603
    try:
        _wait(_answers)
        told = (folder / "site.log").read_text(encoding="utf-8")
        yield dict(re.findall(r"^ +(\w+) +\S+@\S+ +(\S+)$", told, re.MULTILINE))
    finally:
        site.terminate()
        site.wait()


def _answers() -> bool:
    """Whether the site is up and its index has been built."""
    try:
        with urlopen(f"{SITE}/search/?q=battery") as answer:  # noqa: S310
            return b'class="hit"' in answer.read()
    except OSError:
        return False


def _wait(is_there: Callable[[], bool]) -> None:
    over = time.monotonic() + PATIENCE
    while not is_there():
        if time.monotonic() > over:
            raise TimeoutError
        time.sleep(0.5)


def _page(browser: Browser, shot: Shot, passwords: dict[str, str]) -> Page:
    """A page in the theme of a picture, signed in as who looks."""
    context = browser.new_context(
        viewport={"width": shot.width, "height": shot.height}, locale="zh-CN", reduced_motion="reduce",
        device_scale_factor=2 if shot.width < 600 else 1,
    )  # fmt: skip
    context.add_cookies([{"name": "theme", "value": shot.theme, "url": SITE}])
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    if shot.role != "visitor":
        page.goto(f"{SITE}/account/login/")
        page.fill("[name=login]", f"{shot.role}@demo.invalid")
        page.fill("[name=password]", passwords[shot.role])
        page.click("main form button.main")
        page.wait_for_load_state()
    return page


def _draw(page: Page, target: Path) -> int:
    """What the window shows, as WebP: Chromium writes it, and its driver does not offer it."""
    page.wait_for_load_state("networkidle")
    taken = page.context.new_cdp_session(page).send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    target.write_bytes(base64.b64decode(taken["data"]))
    return target.stat().st_size


# ── the way to each picture ──


def _search(page: Page, _folder: Path) -> None:
    page.goto(f"{SITE}/search/?q=电池&noun=achievements")


def _need(page: Page, _folder: Path) -> None:
    """A need and who can help with it, when the first run of the site has told."""
    page.goto(f"{SITE}/needs/?state=published&sort=-deadline_on")
    page.click("table.records tbody a >> nth=0")
    address = page.url.removeprefix(SITE)
    _wait(lambda: _shows(page, address, "#who-can-help"))


def _expert(page: Page, _folder: Path) -> None:
    page.goto(f"{SITE}/experts/?title=professor")
    page.click("table.records tbody a >> nth=0")


def _list(page: Page, _folder: Path) -> None:
    page.goto(f"{SITE}/needs/?sort=deadline_on")


def _import(page: Page, folder: Path) -> None:
    """A workbook of needs: three new ones, some changed, one row that cannot be read."""
    rows = pl.read_csv(folder / "region" / "needs.csv", infer_schema=False).head(60)
    number = pl.int_range(pl.len())
    changed = rows.with_columns(
        pl.when(number % 6 == 0).then(pl.lit("80万")).otherwise("budget_cny").alias("budget_cny"),
        pl.when(number == 7).then(pl.lit("下个月")).otherwise("deadline_on").alias("deadline_on"),  # no date
    )
    new = rows.head(3).with_columns(need_id=pl.lit("新-") + pl.int_range(pl.len()).cast(pl.String))
    pl.concat([new, changed]).write_csv(folder / "需求 2026.csv", include_bom=True)
    page.goto(f"{SITE}/imports/")
    page.set_input_files("input[type=file]", folder / "需求 2026.csv")
    page.click("main form.form button.main")
    page.wait_for_selector(".differences", timeout=PATIENCE * 1000)
    page.click("nav.chips a:last-child")  # what is changed, without what is new


def _merge(page: Page, _folder: Path) -> None:
    """Two organisations that a search for duplicates finds most alike."""
    page.goto(f"{SITE}/duplicates/")
    page.select_option("#noun", "organisations")
    page.click("main form button.main")
    _wait(lambda: _has_pairs(page))
    page.click("main tbody a >> nth=0")
    page.click("main form a.main")


def _board(page: Page, _folder: Path) -> None:
    """The leader's page, when the first run of the site has given its figures."""
    _wait(lambda: _shows(page, "/dashboard/", "#funnel ~ table tr:nth-child(2) a"))


def _matches(page: Page, _folder: Path) -> None:
    _wait(lambda: _shows(page, "/results/matches/", ".answer"))


def _map(page: Page, _folder: Path) -> None:
    _wait(lambda: _shows(page, "/results/districts/?figure=needs_heads", ".p-shape"))


def _shows(page: Page, address: str, what: str) -> bool:
    page.goto(SITE + address)
    return page.locator(what).count() > 0


def _has_pairs(page: Page) -> bool:
    page.goto(f"{SITE}/duplicates/pairs/organisations/")
    return page.locator("main tbody a").count() > 0


SHOTS = (
    Shot("search", "visitor", 1440, 900, "light", _search),
    Shot("import", "broker", 1440, 900, "light", _import),
    Shot("merge", "broker", 1440, 900, "light", _merge),
    Shot("phone", "visitor", 390, 844, "light", _expert),
    Shot("dark", "visitor", 1440, 900, "dark", _list),
    Shot("board", "leader", 1440, 1180, "light", _board),
    Shot("matches", "broker", 1440, 900, "light", _matches),
    Shot("need", "broker", 1440, 900, "light", _need),
    Shot("map", "administrator", 1440, 1010, "dark", _map),
)

if __name__ == "__main__":
    sys.exit(main())
