"""The language of the command line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from silian.errors import Language


def language() -> Language:
    """The language of this process: zh, or en where SILIAN_LANG says so."""
    return "en" if os.environ.get("SILIAN_LANG", "zh").lower().startswith("en") else "zh"


def say(chinese: str, english: str) -> str:
    """The text in the language of this process."""
    return chinese if language() == "zh" else english
