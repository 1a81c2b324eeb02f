"""Every page: readable for all, quiet, at home on a phone, and itself the only one that is asked for anything."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from silian.web.tests.browser.pages import NO_PAGES, PAGES, Page, readable_views

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ON_A_PHONE = (("dark", "zh-hans"), ("light", "en"), ("light", "zh-hans"), ("dark", "en"))  # in turn
EACH = pytest.mark.parametrize("listed", PAGES, ids=[page.name for page in PAGES])


def in_browser(test):
    """A test that needs Chromium, and is one of many."""
    return pytest.mark.browser(pytest.mark.long(test))


def test_every_page_is_listed():
    listed = {page.view for page in PAGES}

    assert readable_views() == listed | set(NO_PAGES), "list new pages in tests/browser/pages.py, take old ones out"
    assert not listed & set(NO_PAGES)
    assert len({page.name for page in PAGES}) == len(PAGES)


@in_browser
@EACH
def test_page_is_accessible_and_quiet(browser_as, made, listed: Page):
    address = listed.address.format_map(made)
    reader = browser_as(listed.role)
    shown = reader.open(address, status=listed.status)

    assert shown.locator("h1").count() == 1
    assert shown.locator("h1").inner_text().strip()
    assert shown.title().endswith(" · 四链")
    assert len(shown.title()) > len(" · 四链")
    assert problems(shown) == []
    assert (reader.faults, reader.foreign) == ([], [])
    reader.picture(f"{listed.name}-1440-light-zh")
    shown.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert problems(shown, only=["color-contrast"]) == []


@in_browser
@EACH
def test_page_fits_a_phone_and_a_tablet(browser_as, made, listed: Page):
    address = listed.address.format_map(made)
    number = PAGES.index(listed)
    theme, language = ON_A_PHONE[number % len(ON_A_PHONE)]
    reader = browser_as(listed.role, 390, language, theme)
    shown = reader.open(address, status=listed.status)

    assert shown.evaluate("document.documentElement.scrollWidth") <= 390
    assert problems(shown, but=["color-contrast"] if theme == "light" else []) == []
    assert (reader.faults, reader.foreign) == ([], [])
    reader.picture(f"{listed.name}-390-{theme}-{language[:2]}")
    shown.set_viewport_size({"width": 768, "height": 1000})
    assert shown.evaluate("document.documentElement.scrollWidth") <= 768
    reader.picture(f"{listed.name}-768-{theme}-{language[:2]}")
    shown.set_viewport_size({"width": 390, "height": 900})


def problems(shown, *, but=(), only=()) -> list[str]:
    """What axe finds, of all rules or of a few: rule and the first place."""
    off = {rule: {"enabled": False} for rule in but}
    which = {"type": "rule", "values": list(only)} if only else {"type": "tag", "values": RULES}
    asked = {"runOnly": which, "rules": off, "resultTypes": ["violations"]}
    found = Axe().run(shown, options=asked)
    return [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found.response["violations"]]
