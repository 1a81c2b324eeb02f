"""Draw the pictures of the README from the report of the demo: docs/images/report.png and report-en.png.

Run `make demo` first, then `python scripts/draw_readme_picture.py [RUN]`; RUN is a run folder, demo/run if left out.
"""

from __future__ import annotations

import base64
import shutil
import sys
from pathlib import Path

import polars as pl
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
WIDTH = 1440
VIEWS = {"overview": 700, "matches": 860}  # section of the report → height shown, in pixels
MOST_BYTES = 400_000  # the README is read over slow lines too
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> int:
    """Open the report, wait until its charts stand still, save it in both languages."""
    run = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "demo" / "run"
    report = (run / "report.html").resolve()
    browser_path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not report.is_file() or browser_path is None:
        lacks = f"there is no {report}: run `make demo`" if not report.is_file() else "Chromium is not installed"
        sys.stderr.write(f"{lacks}\n")
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_context(
            viewport={"width": WIDTH, "height": max(VIEWS.values())}, reduced_motion="reduce"
        ).new_page()
        page.goto(f"{report.as_uri()}#matches/{_best_matched(run)}")
        sizes = {"report.png": _draw(page, IMAGES / "report.png")}
        page.click("#language")
        sizes["report-en.png"] = _draw(page, IMAGES / "report-en.png")
        browser.close()
    sys.stdout.write("".join(f"docs/images/{name}: {size:,} bytes\n" for name, size in sizes.items()))
    return int(any(size > MOST_BYTES for size in sizes.values()))


def _best_matched(run: Path) -> str:
    """The need whose best achievement lies nearest."""
    pairs = pl.read_parquet(run / "achievement_pairs.parquet").sort(["score", "need_id"], descending=[True, False])
    return str(pairs["need_id"][0])


def _draw(page: Page, target: Path) -> int:
    """Both views, one below the other."""
    shots = [_view(page, section, height) for section, height in VIEWS.items()]
    images = "".join(f'<img src="data:image/png;base64,{base64.b64encode(shot).decode()}">' for shot in shots)
    sheet = page.context.new_page()
    sheet.set_content(f"<body style='margin:0;background:#fff'><style>img{{display:block}}</style>{images}")
    sheet.screenshot(path=target, full_page=True)
    sheet.close()
    return target.stat().st_size


def _view(page: Page, section: str, height: int) -> bytes:
    page.evaluate(f"document.getElementById('{section}').scrollIntoView()")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)  # charts are drawn when they come into view
    return page.screenshot(clip={"x": 0, "y": 0, "width": WIDTH, "height": height})


if __name__ == "__main__":
    sys.exit(main())
