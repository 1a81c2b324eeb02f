"""What a finished run has left in its folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from silian.errors import WebError
from silian.pipeline.folder import RECEIPT

if TYPE_CHECKING:
    from pathlib import Path

    from silian.web.runs.models import Run

KEPT: Final = 20  # newest runs of a place whose folders stay, beside those that were adopted


def out_of(run: Run) -> Path:
    """The folder of results.

    Raises
    ------
    WebError : web.run_gone where it is no longer kept
    """
    out = run.folder / "out"
    if not (out / RECEIPT).is_file():
        raise WebError("web.run_gone", number=run.pk, kept=KEPT)
    return out


def receipt_of(run: Run) -> dict[str, Any]:
    """The receipt: version, plan, digests of what was read and written, rows and seconds of each step.

    Raises
    ------
    WebError : web.run_gone where it is no longer kept
    """
    found: dict[str, Any] = json.loads((out_of(run) / RECEIPT).read_text(encoding="utf-8"))
    return found
