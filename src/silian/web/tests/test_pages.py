"""What every page shares: colours that can be read, a navigation by the four chains."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from silian.web.conftest import ROLES

SHEET = files("silian.web.base").joinpath("static/base/silian.css").read_text(encoding="utf-8")
THEMES = {"light": r":root \{(.*?)\}", "dark": r':root\[data-theme="dark"\] \{(.*?)\}'}
READ_ON = [
    *[(ink, ground) for ink in ("ink", "muted", "accent") for ground in ("paper", "card", "sunk")],
    *[("accent", "accent-soft"), ("on-accent", "accent"), ("bad", "bad-soft"), ("good", "good-soft")],
    ("warn", "warn-soft"),
    *[("bad", "card"), ("good", "card"), ("warn", "card"), ("muted", "warn-soft"), ("ink", "warn-soft")],
]  # fmt: skip


def tokens(theme: str) -> dict[str, str]:
    found = re.search(THEMES[theme], SHEET, re.DOTALL)
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", found[1]))


def luminance(colour: str) -> float:
    digits = "".join(c * 2 for c in colour[1:]) if len(colour) == 4 else colour[1:]
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("ink", "ground"), READ_ON)
def test_texts_stand_out_from_their_ground(theme, ink, ground):
    colours = tokens(theme)

    assert contrast(colours[ink], colours[ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ["paper", "card", "sunk"])
def test_edges_of_controls_stand_out_from_their_ground(theme, ground):
    colours = tokens(theme)

    assert contrast(colours["edge"], colours[ground]) >= 3


def test_dark_by_choice_and_by_the_system_are_the_same_colours():
    by_system = re.search(r':root\[data-theme="auto"\] \{(.*?)\}', SHEET, re.DOTALL)

    assert dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", by_system[1])) == tokens("dark")


def test_navigation_shows_the_four_chains_and_what_the_role_works_with(people):
    seen = {role: people[role].client.get("/").content.decode() for role in ("visitor", "broker")}

    for heading in ("创新链", "产业链", "资金链", "人才链"):
        assert heading in seen["visitor"]
    assert "工作台" not in seen["visitor"]
    assert "工作台" in seen["broker"]
    assert 'href="/duplicates/"' in seen["broker"]


@pytest.mark.parametrize("role", ROLES)
def test_every_link_of_the_navigation_opens_and_is_the_only_one_marked(people, role):
    client = people[role].client
    side = client.get("/").content.decode().partition('id="nav"')[2].partition("</nav>")[0]
    links = re.findall(r'href="([^"]+)"', side)

    assert len(links) == len(set(links)) >= 9
    for link in links:
        answer = client.get(link, follow=True)
        assert answer.status_code == 200, link
        marked = re.findall(r'href="([^"]+)" aria-current="page"', answer.content.decode().partition("<main")[0])
        assert marked == [link] or answer.redirect_chain, link
