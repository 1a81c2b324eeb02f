"""The files of a monthly report: of a frozen month they are made once, kept beside it, and never made again."""

from __future__ import annotations

import hashlib
import os
import secrets
from typing import TYPE_CHECKING, Final

from silian.errors import WebError
from silian.report.official import document, workbook
from silian.web.base.languages import page_language
from silian.web.runs.dashboards.editions import edition_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from silian.report.official import Edition
    from silian.web.runs.dashboards.reading import Desk
    from silian.web.runs.models import Snapshot

FOLDER: Final = "reports"  # in that of the snapshot
MAKERS: Final[Mapping[str, Callable[[Edition], bytes]]] = {"docx": document, "xlsx": workbook}


def report(desk: Desk, snapshot: Snapshot, form: str) -> bytes:
    """The report of a place and month in the language of the page, as docx or xlsx.

    What people have handed on stays what it was: names that change later, another publisher or another version of
    silian do not change the file of a frozen month.

    Raises
    ------
    WebError : snapshot.changed if the snapshot or a file that was kept is not what it was

    Notes
    -----
    Cost: 1.2 s for Word, 0.05 s for the workbook; of a frozen month a read from the second time on.
    """
    if desk.is_live:
        return MAKERS[form](edition_of(desk, snapshot))
    name = hashlib.sha256(desk.place.pk.encode()).hexdigest()[:16]
    path = snapshot.folder / FOLDER / f"{name}-{page_language()}.{form}"
    if not path.exists():
        _keep(path, MAKERS[form](edition_of(desk, snapshot)))
    return _checked(path)


def _digest_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _keep(path: Path, made: bytes) -> None:
    """Put a file where none is; of two who do so at once the first one's stays. A kill leaves none or a whole one."""
    path.parent.mkdir(exist_ok=True)
    aside = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    aside.write_bytes(made)
    told = aside.with_name(f"{aside.name}.sha256")
    told.write_text(hashlib.sha256(made).hexdigest(), encoding="ascii")
    try:
        os.link(told, _digest_of(path))
    except FileExistsError:  # of another who is at it, or who was killed here: the same snapshot gives the same bytes
        if not path.exists():
            told.replace(_digest_of(path))
    try:
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        aside.unlink()
        told.unlink(missing_ok=True)


def _checked(path: Path) -> bytes:
    found = path.read_bytes()
    try:
        wanted = _digest_of(path).read_text(encoding="ascii")
    except OSError:
        wanted = ""
    if hashlib.sha256(found).hexdigest() != wanted:
        raise WebError("snapshot.changed", found=f"{path.parent.parent.name}/{FOLDER}/{path.name}")
    return found
