"""The how-to pages list every kind of notification as it is registered."""

from pathlib import Path

import pytest
from django.utils.translation import override

from silian.web.base.guides import DEEDS
from silian.web.base.notifications.kinds import KINDS

DOCS = Path(__file__).resolve().parents[5] / "docs"
PAGES = {"zh": DOCS / "zh" / "how-to" / "notifications.md", "en": DOCS / "how-to" / "notifications.md"}
HOWS = {
    "en": {"never": "no", "once": "at once", "daily": "daily digest", "weekly": "weekly digest"},
    "zh": {"never": "不发", "once": "立即", "daily": "每日摘要", "weekly": "每周摘要"},
}


def rows(language):
    """The lines of the table of kinds; put them into the page where the test fails."""
    with override("zh-hans"):
        roles = {role: str(name) for role, name, _deeds in DEEDS}
        for kind in KINDS.values():
            is_all = len(kind.roles) >= 6
            how = HOWS[language][kind.default]
            if kind.waits and kind.default != "once":
                how += {"en": ", or at once", "zh": "，可立即"}[language]
            if language == "zh":
                people = "所有人" if is_all else "、".join(roles[role] for role in kind.roles)
                cells = [f"`{kind.code}`", str(kind.label), how, "是" if kind.is_required else "", people]
            else:
                people = "everybody" if is_all else ", ".join(kind.roles)
                cells = [f"`{kind.code}`", how, "yes" if kind.is_required else "", people]
            yield f"| {' | '.join(cells)} |"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_page_lists_every_kind_as_it_is(language):
    told = [line for line in PAGES[language].read_text(encoding="utf-8").splitlines() if line.startswith("| `")]

    assert [line for line in rows(language) if line not in told] == []
    assert len(told) == len(set(told))
