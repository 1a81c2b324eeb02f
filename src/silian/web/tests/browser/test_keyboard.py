"""The pages with nothing but a keyboard: past the navigation, through list and form in order, out of what opens."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
LONG = 200  # more presses of Tab than any of the pages needs
SEEN = """() => {
  const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
  const x = Math.min(Math.max(box.left + 3, 0), innerWidth - 1), y = box.top + Math.min(box.height, 20) / 2;
  const top = document.elementFromPoint(x, y);
  window.focused ??= [];
  const last = window.focused.at(-1);
  window.focused.push(one);
  return {
    name: one.outerHTML.slice(0, 90), is_body: one === document.body, is_main: !!one.closest("main"),
    is_outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    is_covered: !(top && (one.contains(top) || top.contains(one) || one.labels?.length)),
    is_next: !last || !!(last.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING),
  };
}"""


def stops(page) -> list[dict]:
    """Everything that Tab comes to, from the first to the last, as it looks when it has the focus."""
    found = []
    for _ in range(LONG):
        page.keyboard.press("Tab")
        seen = page.evaluate(SEEN)
        if seen["is_body"]:
            return found
        found.append(seen)
    pytest.fail(f"no end after {LONG} stops")


@pytest.mark.parametrize(
    ("role", "address"), [("visitor", "needs/"), ("enterprise", "needs/new/"), ("administrator", "people/posts/")]
)
@pytest.mark.parametrize("width", [1440, 390])
def test_tab_goes_in_the_order_of_the_page_and_shows_where_it_is(browser_as, role, address, width):
    page = browser_as(role, width).open(address)

    found = stops(page)

    assert len([stop for stop in found if stop["is_main"]]) >= 5
    assert [stop["name"] for stop in found if not stop["is_outlined"]] == []
    assert [stop["name"] for stop in found if not stop["is_next"]] == []
    assert [stop["name"] for stop in found if stop["is_covered"]] == []


@pytest.mark.parametrize("width", [1440, 390])
def test_first_stop_leads_past_the_navigation(browser_as, width):
    page = browser_as("visitor", width).open("needs/")

    page.keyboard.press("Tab")
    skip = page.locator(".skip")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport(ratio=1)
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    assert page.evaluate("!!document.activeElement.closest('main')")


def test_escape_closes_the_navigation_of_a_phone(browser_as):
    page = browser_as("visitor", 390).open("")
    button, navigation = page.locator(".menu"), page.locator("#nav")
    expect(navigation).to_be_hidden()

    button.focus()
    page.keyboard.press("Enter")
    expect(navigation).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")

    expect(navigation).to_be_hidden()
    expect(button).to_be_focused()


def test_arrows_choose_a_name_and_escape_closes_the_names(browser_as):
    page = browser_as("visitor").open("")
    box, names = page.locator("#find"), page.locator("#find-names")

    box.focus()
    page.keyboard.type("电池", delay=30)
    expect(names).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(names.locator("[aria-selected=true]")).to_have_count(1)
    page.keyboard.press("Escape")

    expect(names).to_be_hidden()
    expect(box).to_be_focused()
    expect(box).to_have_value("电池")


def test_escape_closes_the_records_to_pick_from(browser_as):
    page = browser_as("enterprise").open("needs/new/")
    field = page.locator("input.picks").first

    field.fill("")  # one's own organisation stands there
    page.keyboard.type("有限", delay=30)
    expect(page.locator(".picks-list:visible")).to_have_count(1)
    page.keyboard.press("Escape")

    expect(page.locator(".picks-list:visible")).to_have_count(0)
    expect(field).to_be_focused()
    expect(field).to_have_value("有限")
