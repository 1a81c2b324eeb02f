"""How the site is: alive, ready, and part by part."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _

from silian import __version__
from silian.web.base.operation.parts import FAULTS
from silian.web.base.operation.signs import PARTS, Found, Part

if TYPE_CHECKING:
    from silian.web.base.operation.signs import State

FRESH: Final = 2.0  # seconds for which an answer is given again: a probe costs no more than that
_LOG = logging.getLogger("silian.health")


@dataclass(frozen=True, slots=True)
class Health:
    """The site, part by part."""

    parts: tuple[tuple[Part, Found], ...]

    @property
    def is_ready(self) -> bool:
        """Whether the site can answer: every part that it needs is there."""
        return not any(part.is_needed and found.state == "bad" for part, found in self.parts)

    @property
    def word(self) -> str:
        """The whole in one word: ready, degraded (answers, but somebody should look), or not ready."""
        if not self.is_ready:
            return "not ready"
        return "ready" if all(found.state == "ok" for _part, found in self.parts) else "degraded"

    def as_plain(self) -> dict[str, Any]:
        """For programs."""
        parts = {p.code: {"state": f.state, "needed": p.is_needed, **f.told} for p, f in self.parts}
        return {"state": self.word, "version": __version__, "parts": parts}


def look() -> Health:
    """Look at every part now. Cost: about a query for each; a part that cannot be looked at is bad."""
    return Health(tuple((part, _look_at(part)) for part in PARTS.values()))


def _look_at(part: Part) -> Found:
    try:
        return part.look()
    except FAULTS as error:
        _LOG.warning("%s: %s", part.code, type(error).__name__)
        state: State = "bad" if part.is_needed else "late"
        told = {"error": type(error).__name__}
        return Found(state, _("无法读取：%(error)s。") % told, told)


class _Last:
    """The last look of this process."""

    def __init__(self) -> None:
        self.lock, self.at, self.health = threading.Lock(), float("-inf"), Health(())


_last = _Last()


def looked() -> Health:
    """The last look, or a new one where it is older than FRESH: whoever asks often costs little."""
    with _last.lock:
        if time.monotonic() - _last.at > FRESH:
            _last.health, _last.at = look(), time.monotonic()
        return _last.health
