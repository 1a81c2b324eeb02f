"""The first page over a slow line: little to fetch, kept for good, and nothing moves while it comes."""

from __future__ import annotations

import gzip
import re
import urllib.request

import pytest

MOST_BYTES = 150_000  # over the wire, everything together, with nothing kept
pytestmark = pytest.mark.browser
SHIFTS = """
window.shifts = 0;
new PerformanceObserver(list => { for (const e of list.getEntries()) window.shifts += e.value })
  .observe({type: "layout-shift", buffered: true});
"""


@pytest.mark.parametrize("address", ["", "needs/", "needs/N01/"])
def test_page_is_light_and_stands_still(browser_as, address):
    reader = browser_as.new("visitor")
    wire = reader.page.context.new_cdp_session(reader.page)
    sizes: list[float] = []
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    wire.send("Network.enable")
    slow = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 100_000}
    wire.send("Network.emulateNetworkConditions", slow)
    reader.page.add_init_script(SHIFTS)

    shown = reader.open(address)
    shown.wait_for_load_state("networkidle")

    assert 0 < sum(sizes) <= MOST_BYTES
    assert len(sizes) <= 8
    assert shown.evaluate("window.shifts") == 0
    reader.page.context.close()


def test_files_of_the_site_come_compressed_and_are_kept_for_a_year(site):
    first = urllib.request.urlopen(site.url).read().decode()
    names = re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"', first)
    assert names

    for name in names:
        request = urllib.request.Request(site.url + name, headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(request) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            assert "max-age=315360000" in answer.headers["Cache-Control"]
            assert "immutable" in answer.headers["Cache-Control"]
            assert len(gzip.decompress(answer.read())) > 0


def test_pages_come_compressed(site):
    request = urllib.request.Request(f"{site.url}/needs/", headers={"Accept-Encoding": "gzip"})

    with urllib.request.urlopen(request) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert b"</html>" in gzip.decompress(answer.read())
